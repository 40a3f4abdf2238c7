//! Encrypted connections to a real server: what is demanded of its certificate is held to.

mod authentication;
mod between;
mod certificates;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::faults::held::wait_for;
use crate::kit::{Ran, World, ask, run_sql};
use crate::messages::{golden, masked};
use crate::own_servers::{OwnServers, Side};

/// An address of this machine at which no other server listens, not even one of the same tests run twice at once.
fn host() -> String {
    let [.., high, low] = std::process::id().to_be_bytes();
    format!("127.77.{high}.{}", low.max(1))
}

/// Servers of several tests would listen at the same address: one test at a time.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ADDRESS: Mutex<()> = Mutex::new(());
    ADDRESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// The file that clients trust.
    fn roots(&self, folder: &Path, name: &str) -> String {
        let file = folder.join(name);
        fs::write(&file, self.0.pem()).unwrap();
        file.display().to_string()
    }

    /// Gives production a certificate for a name.
    fn certify(&self, own: &OwnServers, name: &str) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_string()]).unwrap().signed_by(&key, &self.0).unwrap();
        give(own, &certificate.pem(), &key.serialize_pem());
    }
}

/// Gives production a certificate and its key.
fn give(own: &OwnServers, certificate: &str, key: &str) {
    let data = own.data(Side::Production);
    let owner = fs::metadata(&data).unwrap();
    for (file, text) in [("server.crt", certificate), ("server.key", key)] {
        let path = data.join(file);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    set(own, "ssl = on");
}

/// Changes a setting of production and waits until it holds.
fn set(own: &OwnServers, setting: &str) {
    run_sql(&own.maintenance(Side::Production), &format!("ALTER SYSTEM SET {setting}"));
    reload(own);
}

/// Has production read its files again; a session that begins later says when it did.
fn reload(own: &OwnServers) {
    let maintenance = own.maintenance(Side::Production);
    let before = ask(&maintenance, "SELECT pg_conf_load_time()").remove(0);
    run_sql(&maintenance, "SELECT pg_reload_conf()");
    let later = format!("SELECT pg_conf_load_time() > '{before}'");
    wait_for("a reload", || ask(&maintenance, &later) == ["t"]);
}

/// Production listens on the network, for those who come encrypted.
fn listening(own: &OwnServers) {
    set(own, &format!("listen_addresses = '{}'", host()));
    own.stop_at_once(Side::Production);
    own.start_again();
    let access = ask(&own.maintenance(Side::Production), "SHOW hba_file").remove(0);
    let known = fs::read_to_string(&access).unwrap();
    fs::write(&access, format!("host all all 127.0.0.0/8 trust\n{known}")).unwrap();
    reload(own);
}

/// A command by way of the network.
fn over(world: &World, parameters: &str, arguments: &str) -> Ran {
    let (role, database) = (crate::kit::READER, world.production_url.rsplit('/').next().unwrap());
    let url = format!("postgresql://{role}@{}:5432/{database}{parameters}", host());
    world.kalends_with(arguments, &[("KALENDS_PRODUCTION_URL", &url)])
}

#[test]
fn what_is_demanded_of_a_servers_certificate_is_held_to() {
    let _address = one_at_a_time();
    let own = OwnServers::new();
    let world = own.world();
    let (authority, stranger) = (Authority::new(), Authority::new());
    let roots = authority.roots(world.folder(), "roots.pem").replace('/', "%2F");
    let others = stranger.roots(world.folder(), "others.pem").replace('/', "%2F");
    authority.certify(&own, &host());
    listening(&own);
    world.production("created_at | value\n 2024-01-02 | 5");

    let verified = format!("?sslmode=verify-full&sslrootcert={roots}");
    over(&world, &verified, "run").succeeds().says("1 day (1 new)");
    over(&world, &verified, "check").succeeds().says("is on this machine, TLSv1.3");
    for parameters in ["", "?sslmode=prefer", "?sslmode=require"] {
        over(&world, parameters, "run").succeeds().says("nothing to do");
        over(&world, parameters, "check").succeeds().says("is on this machine, TLSv1.3");
    }
    over(&world, "?sslmode=disable", "check").succeeds().says("is on this machine, not encrypted");

    let refused = |parameters: &str, name: &str| {
        let before = (world.tuples(), world.tree());
        let ran = over(&world, parameters, "run");
        golden(name, &masked(&world, &ran.fails_with(1).stderr.replace(&host(), "HOST")));
        over(&world, parameters, "check").fails_with(1);
        assert_eq!((world.tuples(), world.tree()), before, "{parameters}");
    };
    world.production_sql("INSERT INTO entity VALUES ('2024-01-03', 1)");
    refused(&format!("?sslmode=verify-full&sslrootcert={others}"), "tls_of_a_stranger");
    refused("?sslmode=verify-full", "tls_not_of_the_systems");
    refused("?sslmode=verify-full&sslrootcert=nowhere.pem", "tls_without_roots");
    authority.certify(&own, "elsewhere.example.com");
    refused(&verified, "tls_of_another_host");
    over(&world, "?sslmode=require", "run").succeeds().says("1 day (1 new)");

    set(&own, "ssl = off");
    world.production_sql("INSERT INTO entity VALUES ('2024-01-04', 1)");
    refused(&verified, "tls_not_offered");
    refused("?sslmode=require", "tls_not_offered");
    over(&world, "", "run").succeeds().says("1 day (1 new)");
    authority.certify(&own, &host());
    over(&world, &verified, "verify").succeeds();
}
