//! What asynchronous work runs on.

use std::os::unix::net::UnixStream;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

use crate::error::Result;

/// A runtime of one thread.
///
/// # Errors
/// If the system has no resources for it, such as open files.
pub fn runtime() -> Result<Runtime> {
    // Tokio panics if no files are left for the two sockets by which it hears of signals, the fourth and fifth that it
    // opens (`OsExtraData::default` in its `signal/unix.rs`).
    let room: std::io::Result<Vec<_>> = (0..3).map(|_| UnixStream::pair()).collect();
    drop(room.context("could not start")?);
    Builder::new_current_thread().enable_all().build().context("could not start")
}
