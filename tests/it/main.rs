//! Stories: the real binary, real PostgreSQL, one test binary with a module a room.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

mod kit;
mod oracle;

mod export;
mod prepare;
mod simulate;
mod tidy;
