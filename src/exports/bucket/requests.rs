//! Requests to a store, each repeated until it succeeds, cannot succeed, or has taken too long.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{GetResult, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion};

use super::store;
use super::trouble::{Trouble, explained};
use crate::error::Result;
use crate::settings::Store;

/// An answer is waited for this many times as long as a connection.
const ANSWER: u32 = 3;
/// No attempt begins later than this many times as long as a connection.
const PATIENCE: u32 = 12;
/// What is still taken for a connection that works: slower than that, the attempt is given up.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 * 1024;
/// A listing of any length is given as long as an object of this size.
const LISTING_BYTES: u64 = 64 << 20;
/// The first and the longest pause between attempts.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// What is known of an object.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) etag: Option<String>,
    pub(super) bytes: u64,
    /// How to replace it and no other.
    pub(super) version: UpdateVersion,
}

/// How a put ended.
pub(super) enum Put {
    /// The object is there.
    Done(Seen),
    /// Another one is there than the one that was to be replaced.
    Taken,
}

/// A store, asked below a prefix.
pub(super) struct Requests {
    store: Store,
    client: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Requests {
    pub(super) fn new(store: &Store) -> Result<Self> {
        let refused = |error| {
            let doing = format!("could not use the object store of \"{store}\"");
            explained(&Trouble::Store(error), store, doing)
        };
        let client = store::made(store).map_err(refused)?;
        let prefix = Path::parse(&store.prefix).map_err(|error| refused(error.into()))?;
        Ok(Self { store: store.clone(), client, prefix })
    }

    /// Where an object is, for people.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.store)
    }

    /// The error of a command whose request failed.
    pub(super) fn failed(&self, trouble: Trouble, doing: &str, path: &str) -> anyhow::Error {
        let at = self.at(path);
        explained(&trouble, &self.store, format!("could not {doing} \"{}\"", at.trim_end_matches('/')))
    }

    /// All objects below the prefix, by path.
    pub(super) async fn list(&self) -> Result<BTreeMap<String, Seen>, Trouble> {
        let limit = self.store.connect * ANSWER;
        let listing = || {
            let mut pages = self.client.list(Some(&self.prefix));
            async move {
                let (mut found, silent) = (Vec::new(), |_| Trouble::Silent(limit));
                while let Some(meta) = tokio::time::timeout(limit, pages.try_next()).await.map_err(silent)?? {
                    found.push(meta);
                }
                Ok(found)
            }
        };
        // Each page has the time of an answer, and all of them together that of many.
        let found = self.persistently(LISTING_BYTES, listing).await?;
        let below = |meta: ObjectMeta| {
            let path = meta.location.as_ref().strip_prefix(self.prefix.as_ref())?.trim_start_matches('/').to_string();
            // The mark of an empty folder that some tools leave has the prefix's own name.
            (!path.is_empty()).then(|| (path, Seen::of(meta)))
        };
        Ok(found.into_iter().filter_map(below).collect())
    }

    /// An object's bytes. It was seen with so many, but may have others by now.
    pub(super) async fn get(&self, path: &str, bytes: u64) -> Result<(Vec<u8>, Seen), Trouble> {
        let key = self.key(path)?;
        let reading = || {
            let (client, key) = (self.client.clone(), key.clone());
            async move {
                let found: GetResult = client.get(&key).await?;
                let seen = Seen::of(found.meta.clone());
                let bytes = found.bytes().await?;
                if bytes.len() as u64 != seen.bytes {
                    return Err(Trouble::Cut);
                }
                Ok((bytes.to_vec(), seen))
            }
        };
        self.persistently(bytes, reading).await
    }

    /// Puts an object, in the place of the one that was seen `before`, or where none was.
    pub(super) async fn put(&self, path: &str, bytes: Vec<u8>, before: Option<UpdateVersion>) -> Result<Put, Trouble> {
        let (key, size) = (self.key(path)?, bytes.len() as u64);
        let payload = object_store::PutPayload::from(bytes);
        let mode = before.map_or(PutMode::Create, PutMode::Update);
        let putting = || {
            let (client, key, payload) = (self.client.clone(), key.clone(), payload.clone());
            let options = PutOptions { mode: mode.clone(), ..PutOptions::default() };
            async move {
                let put = client.put_opts(&key, payload, options).await?;
                Ok(Seen { etag: bare(put.e_tag.as_deref()), bytes: size, version: version(put.e_tag, put.version) })
            }
        };
        match self.persistently(size, putting).await {
            Ok(seen) => Ok(Put::Done(seen)),
            // The answer to an earlier attempt may have been lost, and the object is there.
            Err(Trouble::Taken) => match self.get(path, size).await {
                Ok((found, seen)) if found.iter().eq(payload.iter().flatten()) => Ok(Put::Done(seen)),
                Ok(_) | Err(Trouble::Missing) => Ok(Put::Taken),
                Err(trouble) => Err(trouble),
            },
            Err(trouble) => Err(trouble),
        }
    }

    /// Removes an object.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Trouble> {
        let key = self.key(path)?;
        let removing = || {
            let (client, key) = (self.client.clone(), key.clone());
            async move { Ok(client.delete(&key).await?) }
        };
        self.persistently(0, removing).await
    }

    fn key(&self, path: &str) -> Result<Path, Trouble> {
        let whole = if self.store.prefix.is_empty() { path.to_string() } else { format!("{}/{path}", self.prefix) };
        Path::parse(whole).map_err(|error| Trouble::Store(error.into()))
    }

    /// Tries until it succeeds, cannot succeed, or has taken too long.
    async fn persistently<T, F>(&self, bytes: u64, attempt: impl Fn() -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Trouble>> + Send,
    {
        let begun = Instant::now();
        let limit = self.store.connect * ANSWER + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND);
        let [mut pause, longest] = PAUSES;
        loop {
            let ended = tokio::time::timeout(limit, attempt()).await.unwrap_or(Err(Trouble::Silent(limit)));
            let trouble = match ended {
                Err(trouble) if trouble.passes() => trouble,
                ended => return ended,
            };
            // Runs that were turned away together do not come back together.
            let waits = pause.mul_f64(0.5 + f64::from(RandomState::new().build_hasher().finish() as u8) / 510.0);
            if begun.elapsed() + waits > self.store.connect * PATIENCE {
                return Err(trouble);
            }
            tracing::info!("the object store is asked again: {}", super::trouble::told(&trouble, &self.store));
            tokio::time::sleep(waits).await;
            pause = longest.min(pause * 2);
        }
    }
}

impl Seen {
    fn of(meta: ObjectMeta) -> Self {
        Self { etag: bare(meta.e_tag.as_deref()), bytes: meta.size, version: version(meta.e_tag, meta.version) }
    }
}

/// An ETag without its quotes: some stores list it with them, others without.
fn bare(etag: Option<&str>) -> Option<String> {
    etag.map(|etag| etag.trim_matches('"').to_string())
}

/// How a version is named to replace it and no other.
fn version(etag: Option<String>, version: Option<String>) -> UpdateVersion {
    UpdateVersion { e_tag: etag, version }
}
