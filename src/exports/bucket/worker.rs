//! The thread that requests are made on. Kalends' own thread waits for what it needs, and may begin several at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;

use super::trouble::Trouble;
use crate::error::{Result, ToldToStop};

/// The thread. It ends with this value, and gives up what was begun.
pub(super) struct Worker {
    handle: Handle,
    told: watch::Receiver<bool>,
    permits: Arc<Semaphore>,
    _ends: oneshot::Sender<()>,
}

/// Something that was begun.
pub(super) struct Begun<T> {
    task: JoinHandle<Result<T, Trouble>>,
    failed: Arc<AtomicBool>,
}

impl Worker {
    /// Starts it. At most so many things that were begun are done at once.
    ///
    /// # Errors
    /// If the system has no room for a thread.
    pub(super) fn start(at_once: usize) -> Result<Self> {
        let runtime = crate::runtime::runtime()?;
        let (handle, (ends, ended), (tell, told)) =
            (runtime.handle().clone(), oneshot::channel(), watch::channel(false));
        std::thread::Builder::new()
            .name("store".to_string())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = ended => {}
                        () = tell_to_stop(tell) => {}
                    }
                });
                // A name that is still being looked up is not waited for.
                runtime.shutdown_background();
            })
            .context("could not start a thread")?;
        Ok(Self { handle, told, permits: Arc::new(Semaphore::new(at_once)), _ends: ends })
    }

    /// Waits for something.
    ///
    /// # Errors
    /// If the process is told to stop meanwhile.
    pub(super) fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T> {
        let (tell, answer) = std::sync::mpsc::channel();
        let mut told = self.told.clone();
        self.handle.spawn(async move {
            let done = tokio::select! {
                done = work => Some(done),
                Ok(_) = told.wait_for(|told| *told) => None,
            };
            let _ = tell.send(done);
        });
        answer.recv().context("the thread of the object store has ended")?.ok_or_else(|| ToldToStop.into())
    }

    /// Begins something, once fewer than the most are at work.
    ///
    /// # Errors
    /// As [`Worker::wait`].
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<Begun<T>> {
        let permit = self.wait(self.permits.clone().acquire_owned())??;
        let failed = Arc::new(AtomicBool::new(false));
        let of_task = failed.clone();
        let task = self.handle.spawn(async move {
            let done = work.await;
            of_task.store(done.is_err(), Ordering::Relaxed);
            drop(permit);
            done
        });
        Ok(Begun { task, failed })
    }
}

impl<T> Begun<T> {
    /// Whether it has failed already.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Waits for its end.
    pub(super) async fn done(self) -> Result<Result<T, Trouble>> {
        self.task.await.map_err(|error| anyhow!("a request to the object store broke off: {error}"))
    }
}

/// Kalends' own thread hears of a signal only when it waits for nothing here.
async fn tell_to_stop(tell: watch::Sender<bool>) {
    if let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        let _ = tell.send(true);
    }
    std::future::pending().await
}
