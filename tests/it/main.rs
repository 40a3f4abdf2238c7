//! Tests: the real binary, real PostgreSQL, one test binary with a module a room.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, missing_docs)]

mod kit;
mod oracle;
mod own_servers;

mod adopt;
mod answers;
mod bounds;
mod check;
mod citus;
mod diff;
mod drift;
mod edits;
mod entities;
mod export;
mod faults;
mod freshness;
mod guard;
mod hashes;
mod history;
mod init;
mod isolation;
mod local;
mod lock;
mod messages;
mod pages;
mod peers;
mod plan;
mod polite;
mod prepare;
mod progress;
mod proofs;
mod recent;
mod repair;
mod reports;
mod rights;
mod show;
mod simulate;
mod start;
#[cfg(feature = "stores")]
mod stores;
mod tidy;
mod tls;
mod versions;
mod worked;
