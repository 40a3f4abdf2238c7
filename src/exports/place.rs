//! Where files are published: the export folder, or a place in an object store. Both keep the same promises.

use std::collections::BTreeSet;

#[cfg(feature = "stores")]
use super::bucket::Bucket;
use super::folder::Folder;
use super::manifest::Manifest;
use super::stat::Stat;
use super::trust::Trust;
use crate::error::Result;
use crate::settings::Destination;

/// Where files are published.
pub(super) enum Place {
    /// A folder.
    Folder(Folder),
    /// A part of a bucket.
    #[cfg(feature = "stores")]
    Bucket(Bucket),
}

/// The same of whichever it is.
macro_rules! of {
    ($place:expr, $one:ident => $done:expr) => {
        match $place {
            Place::Folder($one) => $done,
            #[cfg(feature = "stores")]
            Place::Bucket($one) => $done,
        }
    };
}

impl Place {
    /// Opens it; `None` if there is no such folder. A folder is locked.
    ///
    /// # Errors
    /// Busy if another process has locked the folder; if the store cannot be listed.
    #[cfg_attr(not(feature = "stores"), expect(unused_variables, reason = "only objects have ETags"))]
    pub(super) fn open(to: &Destination, trust: Trust) -> Result<Option<Self>> {
        match to {
            Destination::Folder(path) => Ok(Folder::open(path)?.map(Self::Folder)),
            #[cfg(feature = "stores")]
            Destination::Store(store) => Bucket::open(store, trust).map(|bucket| Some(Self::Bucket(bucket))),
            #[cfg(not(feature = "stores"))]
            Destination::Store(store) => Err(store.is_not_built_in()),
        }
    }

    /// Opens it, and makes a folder first. A bucket is never made.
    ///
    /// # Errors
    /// As [`Place::open`], and if the folder cannot be created.
    pub(super) fn make(to: &Destination) -> Result<Self> {
        match to {
            Destination::Folder(path) => Folder::make(path).map(Self::Folder),
            #[cfg(feature = "stores")]
            Destination::Store(store) => Bucket::open(store, Trust::ETags).map(Self::Bucket),
            #[cfg(not(feature = "stores"))]
            Destination::Store(store) => Err(store.is_not_built_in()),
        }
    }

    /// The folder, if it is one.
    pub(super) fn local(&self) -> Option<&Folder> {
        match self {
            Self::Folder(folder) => Some(folder),
            #[cfg(feature = "stores")]
            Self::Bucket(_) => None,
        }
    }

    /// The manifest; `None` if nothing was published yet.
    pub(super) fn manifest(&self) -> Result<Option<Manifest>> {
        self.manifest_as(None)
    }

    /// The same. A file with these stat data is `known` to be as it was written, so its entries need no check.
    pub(super) fn manifest_as(&self, known: Option<Stat>) -> Result<Option<Manifest>> {
        match self {
            Self::Folder(folder) => folder.manifest(known),
            #[cfg(feature = "stores")]
            Self::Bucket(bucket) => bucket.manifest(),
        }
    }

    /// The first thing there that cannot be Kalends', if nothing was published yet.
    pub(super) fn foreign(&self, ours: &BTreeSet<&str>) -> Result<Option<String>> {
        of!(self, one => one.foreign(ours))
    }

    /// A file's bytes; `None` if there is no such file.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        of!(self, one => one.read(path))
    }

    /// The same, with a file's stat data from before it was read.
    pub(super) fn read_seen(&self, path: &str) -> Result<Option<(Vec<u8>, Option<Stat>)>> {
        match self {
            Self::Folder(folder) => folder.read_seen(path),
            #[cfg(feature = "stores")]
            Self::Bucket(bucket) => Ok(bucket.read(path)?.map(|bytes| (bytes, None))),
        }
    }

    /// The ETag of an object, as it was listed, read or put last; `None` of a file.
    #[cfg_attr(not(feature = "stores"), expect(unused_variables, reason = "only objects have ETags"))]
    pub(super) fn etag(&self, path: &str) -> Option<String> {
        match self {
            Self::Folder(_) => None,
            #[cfg(feature = "stores")]
            Self::Bucket(bucket) => bucket.etag(path),
        }
    }

    /// Whether an object is known to be as it was put with this ETag, so that it need not be read. A file never is.
    #[cfg_attr(not(feature = "stores"), expect(unused_variables, reason = "only objects have ETags"))]
    pub(super) fn is_as_put(&self, path: &str, etag: Option<&str>) -> bool {
        match self {
            Self::Folder(_) => false,
            #[cfg(feature = "stores")]
            Self::Bucket(bucket) => bucket.is_as_put(path, etag),
        }
    }

    /// Checks that a path leads to a file or to nothing. To an object leads nothing else.
    pub(super) fn check(&self, path: &str) -> Result<()> {
        self.local().map_or(Ok(()), |folder| folder.check(path))
    }

    /// The same for the path of the staged file. Objects are put whole, so nothing is staged for them.
    pub(super) fn check_staged(&self, path: &str) -> Result<()> {
        self.local().map_or(Ok(()), |folder| folder.check_staged(path))
    }

    /// Writes files beside their paths, or begins to put objects. It is done only after [`Place::flush`].
    pub(super) fn stage(&self, files: &[(&str, &[u8])]) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.stage_all(files),
            #[cfg(feature = "stores")]
            Self::Bucket(bucket) => files.iter().try_for_each(|(path, bytes)| bucket.stage(path, bytes)),
        }
    }

    /// Renames staged files to their paths.
    pub(super) fn place(&self, paths: &[&str]) -> Result<()> {
        self.local().map_or(Ok(()), |folder| folder.place(paths))
    }

    /// Removes a file, or begins to. Returns whether it was there.
    pub(super) fn remove(&self, path: &str) -> Result<bool> {
        of!(self, one => one.remove(path))
    }

    /// Removes what was staged and never renamed to its path.
    pub(super) fn unstage(&self, path: &str) -> Result<()> {
        self.local().map_or(Ok(()), |folder| folder.unstage(path))
    }

    /// Makes everything written, renamed and removed so far last; waits for objects.
    pub(super) fn flush(&self, paths: &[&str]) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.flush(paths),
            #[cfg(feature = "stores")]
            Self::Bucket(bucket) => bucket.flush(),
        }
    }

    /// Replaces the manifest, durably. Returns what was written.
    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<Vec<u8>> {
        of!(self, one => one.write_manifest(manifest))
    }
}
