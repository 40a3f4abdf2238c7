//! A place in an object store. Its objects are whole or not there: each is put at once. Whoever else changes one
//! meanwhile is noticed by its ETag, and not overwritten. Nothing outside the prefix is asked for.

mod requests;
mod store;
mod trouble;
mod worker;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::requests::{Put, Requests, Seen};
use self::trouble::Trouble;
use self::worker::{Begun, Worker};
use super::listed::{BEGINS, FIRST, may_be_there};
use super::manifest::{self, Manifest};
use super::trust::Trust;
use crate::error::{Refusal, Result};
use crate::settings::Store;

/// So many objects are put at once. Each is in memory.
const AT_ONCE: usize = 16;

/// A place in an object store.
pub(super) struct Bucket {
    requests: Arc<Requests>,
    worker: Worker,
    trust: Trust,
    /// The objects as they were listed, or read or put later, by path.
    seen: RefCell<BTreeMap<String, Seen>>,
    /// What was begun.
    puts: RefCell<Vec<(String, Begun<Put>)>>,
    removals: RefCell<Vec<(String, Begun<()>)>>,
}

impl Bucket {
    /// Lists what is there.
    ///
    /// # Errors
    /// If the store does not answer or allow it.
    pub(super) fn open(store: &Store, trust: Trust) -> Result<Self> {
        let requests = Arc::new(Requests::new(store)?);
        let worker = Worker::start(AT_ONCE)?;
        let asked = requests.clone();
        let listed = worker.wait(async move { asked.list().await })?;
        let seen = listed.map_err(|trouble| requests.failed(trouble, "list", ""))?;
        let (puts, removals) = (RefCell::default(), RefCell::default());
        Ok(Self { requests, worker, trust, seen: RefCell::new(seen), puts, removals })
    }

    /// The manifest; `None` if nothing was published yet.
    ///
    /// # Errors
    /// Refuses a manifest that cannot be read.
    pub(super) fn manifest(&self) -> Result<Option<Manifest>> {
        let Some(bytes) = self.read(manifest::NAME)? else { return Ok(None) };
        Manifest::read(&bytes, &self.requests.at(manifest::NAME), false).map(Some)
    }

    /// The first name that cannot be Kalends', if nothing was published there.
    pub(super) fn foreign(&self, ours: &BTreeSet<&str>) -> Result<Option<String>> {
        let has_pages = self.read(FIRST)?.is_some_and(|bytes| bytes.starts_with(BEGINS.as_bytes()));
        let seen = self.seen.borrow();
        let names = seen.keys().filter_map(|path| path.split('/').next());
        let foreign = |name: &&str| !may_be_there(name, has_pages) && !ours.contains(name);
        Ok(names.into_iter().find(foreign).map(str::to_string))
    }

    /// An object's bytes; `None` if there is none.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(bytes) = self.seen.borrow().get(path).map(|seen| seen.bytes) else { return Ok(None) };
        let (requests, asked) = (self.requests.clone(), path.to_string());
        match self.worker.wait(async move { requests.get(&asked, bytes).await })? {
            Ok((bytes, seen)) => {
                self.seen.borrow_mut().insert(path.to_string(), seen);
                Ok(Some(bytes))
            }
            Err(Trouble::Missing) => {
                self.seen.borrow_mut().remove(path);
                Ok(None)
            }
            Err(trouble) => Err(self.requests.failed(trouble, "read", path)),
        }
    }

    /// The ETag of an object, as it was listed, read or put last.
    pub(super) fn etag(&self, path: &str) -> Option<String> {
        self.seen.borrow().get(path).and_then(|seen| seen.etag.clone())
    }

    /// Whether an object is known to be as it was put with this ETag.
    pub(super) fn is_as_put(&self, path: &str, etag: Option<&str>) -> bool {
        self.trust == Trust::ETags && etag.is_some() && self.etag(path).as_deref() == etag
    }

    /// Begins to put an object. It is there only after [`Bucket::flush`]. Waits if too many were begun.
    ///
    /// # Errors
    /// If one that was begun before has failed.
    pub(super) fn stage(&self, path: &str, bytes: &[u8]) -> Result<()> {
        if self.puts.borrow().iter().any(|(_, begun)| begun.has_failed()) {
            return self.flush();
        }
        let (requests, name, bytes) = (self.requests.clone(), path.to_string(), bytes.to_vec());
        let before = self.seen.borrow().get(path).map(|seen| seen.version.clone());
        let put = self.worker.begin(async move { requests.put(&name, bytes, before).await })?;
        self.puts.borrow_mut().push((path.to_string(), put));
        Ok(())
    }

    /// Begins to remove an object. Returns whether it was there when it was listed.
    pub(super) fn remove(&self, path: &str) -> Result<bool> {
        if self.seen.borrow_mut().remove(path).is_none() {
            return Ok(false);
        }
        let (requests, name) = (self.requests.clone(), path.to_string());
        let removal = self.worker.begin(async move { requests.delete(&name).await })?;
        self.removals.borrow_mut().push((path.to_string(), removal));
        Ok(true)
    }

    /// Waits for everything that was begun.
    ///
    /// # Errors
    /// Busy if somebody else has changed an object since it was listed.
    pub(super) fn flush(&self) -> Result<()> {
        for (path, begun) in self.puts.take() {
            match self.worker.wait(begun.done())?? {
                Ok(Put::Done(seen)) => drop(self.seen.borrow_mut().insert(path, seen)),
                Ok(Put::Taken) => return Err(self.is_taken(&path)),
                Err(trouble) => return Err(self.requests.failed(trouble, "write", &path)),
            }
        }
        for (path, begun) in self.removals.take() {
            match self.worker.wait(begun.done())?? {
                Ok(()) | Err(Trouble::Missing) => {}
                Err(trouble) => return Err(self.requests.failed(trouble, "remove", &path)),
            }
        }
        Ok(())
    }

    /// Replaces the manifest that was read. Returns what was written.
    ///
    /// # Errors
    /// Busy if there is another one by now: another run is publishing there.
    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<Vec<u8>> {
        let bytes = manifest.to_bytes()?;
        self.stage(manifest::NAME, &bytes)?;
        self.flush()?;
        Ok(bytes)
    }

    fn is_taken(&self, path: &str) -> anyhow::Error {
        if path == manifest::NAME {
            return Refusal::held(
                format!("another run is publishing into \"{}\"", self.requests.at("").trim_end_matches('/')),
                "Try again when it has ended, or let this command wait with --wait 60s.",
            );
        }
        Refusal::busy(
            format!("\"{}\" was changed by somebody else while it was to be replaced", self.requests.at(path)),
            "Run again, which looks at it anew; the manifest says what was begun.",
        )
    }
}
