//! What asynchronous work runs on.

use std::os::unix::net::UnixStream;

use tokio::runtime::{Builder, Runtime};

use crate::error::{Refusal, Result};

/// A runtime of one thread.
///
/// # Errors
/// If the system has no resources for it, such as open files.
pub fn runtime() -> Result<Runtime> {
    // Tokio panics if no files are left for the two sockets by which it hears of signals, the fourth and fifth that it
    // opens (`OsExtraData::default` in its `signal/unix.rs`).
    let room = (0..3).map(|_| UnixStream::pair()).collect::<std::io::Result<Vec<_>>>().map(drop);
    room.and_then(|()| Builder::new_current_thread().enable_all().build()).map_err(|error| {
        Refusal::failed(
            format!("could not start: {error}"),
            "Raise that limit of the process, such as `ulimit -n` for open files.",
        )
    })
}
