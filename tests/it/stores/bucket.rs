//! A world whose files are in a bucket, behind a proxy.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::proxy::Proxy;
use super::server::{self, Server};
use crate::faults::whole::sha256;
use crate::kit::{CANARY, Ran, World};
use crate::oracle;

pub const MANIFEST: &str = "_manifest.json";
const PREFIX: &str = "figures/v=1";

static BUCKETS: AtomicUsize = AtomicUsize::new(0);

pub struct Bucket {
    pub world: World,
    pub proxy: Proxy,
    pub server: &'static Server,
    name: String,
}

impl Bucket {
    /// Empty; `None` if this machine has no server for it.
    pub fn new(world: World) -> Option<Self> {
        let server = server::available()?;
        let name = format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
        server.create(&name);
        Some(Self { world, proxy: Proxy::new(server.port), server, name })
    }

    pub fn url(&self) -> String {
        format!("{}://{}/{PREFIX}", self.server.kind.scheme(), self.name)
    }

    /// Where an object is asked for.
    pub fn address(&self, path: &str) -> String {
        self.server.kind.object(&self.name, &format!("{PREFIX}/{path}"))
    }

    /// Puts an object from another thread.
    pub fn putting(&self, path: &str) -> impl Fn(&[u8]) + Send + Sync + 'static {
        let (server, name, key) = (self.server, self.name.clone(), format!("{PREFIX}/{path}"));
        move |bytes| server.put(&name, &key, bytes)
    }

    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let of_server = self.server.kind.variables(self.proxy.port);
        [("KALENDS_EXPORTS", self.url())].into_iter().chain(of_server).collect()
    }

    pub fn command_of(&self, world: &World, arguments: &str) -> Command {
        let mut command = world.command(arguments);
        command.envs(self.variables());
        command
    }

    pub fn command(&self, arguments: &str) -> Command {
        self.command_of(&self.world, arguments)
    }

    pub fn kalends(&self, arguments: &str) -> Ran {
        self.kalends_with(arguments, &[])
    }

    pub fn kalends_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(arguments);
        Ran::of(command.envs(variables.iter().copied()).output().unwrap(), arguments)
    }

    /// The same from another world.
    pub fn kalends_of(&self, world: &World, arguments: &str) -> Ran {
        Ran::of(self.command_of(world, arguments).output().unwrap(), arguments)
    }

    pub fn put(&self, path: &str, bytes: &[u8]) {
        self.server.put(&self.name, &format!("{PREFIX}/{path}"), bytes);
    }

    pub fn delete(&self, path: &str) {
        self.server.delete(&self.name, &format!("{PREFIX}/{path}"));
    }

    pub fn outside(&self, key: &str, bytes: &[u8]) {
        self.server.put(&self.name, key, bytes);
    }

    pub fn read_outside(&self, key: &str) -> Option<Vec<u8>> {
        self.server.get(&self.name, key)
    }

    /// Everything below the prefix.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let all = self.server.objects(&self.name).into_iter();
        all.filter_map(|(key, bytes)| Some((key.strip_prefix(PREFIX)?.strip_prefix('/')?.to_string(), bytes))).collect()
    }

    /// The same without the manifest.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut objects = self.objects();
        objects.remove(MANIFEST);
        objects
    }

    pub fn manifest(&self) -> Value {
        let bytes = self.server.get(&self.name, &format!("{PREFIX}/{MANIFEST}")).expect("there is no manifest");
        serde_json::from_slice(&bytes).expect("a torn manifest")
    }

    pub fn local_manifest(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.world.exports.join(MANIFEST)).unwrap()).unwrap()
    }

    /// What the manifest lists is there, and is as it says unless it is about to be replaced.
    pub fn manifest_is_true(&self) {
        let objects = self.objects();
        let Some(bytes) = objects.get(MANIFEST) else { return };
        let manifest: Value = serde_json::from_slice(bytes).expect("a torn manifest");
        let listed = ["files", "pages"].into_iter().filter_map(|kind| manifest[kind].as_object());
        for (path, entry) in listed.flatten() {
            let bytes = objects.get(path).unwrap_or_else(|| panic!("listed and missing: {path}"));
            let pending = manifest["pending"].get(path).is_some();
            assert!(pending || sha256(bytes) == entry["sha256"], "{path} is not as the manifest says");
        }
    }

    /// The objects are what production's rows give, and the manifest lists them.
    pub fn is_exact(&self) {
        self.is_exact_of(&self.world);
    }

    pub fn is_exact_of(&self, world: &World) {
        let rows = world.ask_production("SELECT created_at, value FROM entity ORDER BY 1, 2");
        let found: BTreeMap<String, String> =
            self.files().into_iter().map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect();
        assert_eq!(found, oracle::files(&rows));
        self.manifest_is_true();
        let manifest = self.manifest();
        assert_eq!(manifest["pending"], Value::Null);
        assert!(manifest["files"].as_object().unwrap().keys().eq(found.keys()));
        assert!(!manifest.to_string().contains(CANARY), "the manifest has a secret");
    }

    /// One run makes everything exact, verify agrees, and a further run writes nothing.
    pub fn settles(&self) {
        self.proxy.pass();
        self.kalends("run --accept-loss").succeeds();
        self.is_exact();
        self.kalends("verify").succeeds().says("equal: production = rows = accounts = files");
        self.proxy.pass();
        self.kalends("run").succeeds().says("nothing to do: equal to production as of");
        assert_eq!(self.proxy.writes(), [""; 0]);
    }
}
