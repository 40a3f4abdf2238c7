//! How far ETags are trusted.

/// What shows that an object is as it was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Its ETag. Objects that have the one that they were put with are not read.
    ETags,
    /// Its bytes. All objects are read.
    Bytes,
}
