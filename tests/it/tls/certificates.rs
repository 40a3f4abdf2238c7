//! Certificates as servers have them: signed by themselves, past their end, or of the first version of X.509. Where
//! nothing is to be proven they serve; where something is, the refusal says the next step.

use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

use super::{Authority, give, host, listening, one_at_a_time, over, set};
use crate::kit::World;
use crate::messages::{golden, masked};
use crate::own_servers::OwnServers;

/// A certificate that nobody else has signed, of itself an authority or not.
fn signed_by_itself(is_ca: IsCa) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([host()]).unwrap();
    params.is_ca = is_ca;
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// As OpenSSL makes it without a configuration; `None` where this one does not.
fn of_version_1(folder: &Path, kind: &[&str]) -> Option<(String, String)> {
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let subject = format!("/CN={}", host());
    let asked = ["req", "-new", "-nodes", "-keyout", "v1.key", "-out", "v1.csr", "-subj", &subject];
    openssl(&[&asked[..], kind].concat())?;
    openssl(&["x509", "-req", "-in", "v1.csr", "-signkey", "v1.key", "-days", "30", "-out", "v1.crt"])?;
    let text = openssl(&["x509", "-in", "v1.crt", "-noout", "-text"])?;
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    text.contains("Version: 1").then(|| (read("v1.crt"), read("v1.key")))
}

fn serves_where_nothing_is_proven(own: &OwnServers, world: &World) {
    for newest in ["TLSv1.2", "TLSv1.3"] {
        set(own, &format!("ssl_max_protocol_version = '{newest}'"));
        for parameters in ["", "?sslmode=prefer", "?sslmode=require"] {
            over(world, parameters, "check").succeeds().says(&format!("is on this machine, {newest}"));
        }
    }
}

fn refused(world: &World, parameters: &str, name: &str) {
    let ran = over(world, parameters, "run");
    let said = ran.fails_with(1).stderr.replace(&host(), "HOST");
    golden(name, &masked(world, &said));
    assert!(!said.contains("require"), "{said}");
}

#[test]
fn certificates_of_all_kinds_serve_where_nothing_is_proven_and_say_the_next_step_where_it_is() {
    let _address = one_at_a_time();
    let own = OwnServers::new();
    let world = own.world();
    world.production("created_at | value\n 2024-01-02 | 5");
    let authority = Authority::new();
    authority.certify(&own, &host());
    listening(&own);
    let trusting = |pem: &str| {
        let file = world.folder().join("trusted.pem");
        fs::write(&file, pem).unwrap();
        format!("?sslmode=verify-full&sslrootcert={}", file.display().to_string().replace('/', "%2F"))
    };
    for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa, IsCa::ExplicitNoCa] {
        let (certificate, key) = signed_by_itself(is_ca);
        give(&own, &certificate, &key);
        serves_where_nothing_is_proven(&own, &world);
        refused(&world, "?sslmode=verify-full", "tls_self_signed");
        refused(&world, &trusting(&authority.0.pem()), "tls_self_signed");
        over(&world, &trusting(&certificate), "check").succeeds().says("TLSv1.3");
    }
    let mut params = CertificateParams::new([host()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let key = KeyPair::generate().unwrap();
    give(&own, &params.clone().signed_by(&key, &authority.0).unwrap().pem(), &key.serialize_pem());
    serves_where_nothing_is_proven(&own, &world);
    refused(&world, &trusting(&authority.0.pem()), "tls_expired");
    let own_one = params.self_signed(&key).unwrap().pem();
    give(&own, &own_one, &key.serialize_pem());
    refused(&world, &trusting(&own_one), "tls_expired");
    (params.not_before, params.not_after) = (date_time_ymd(4000, 1, 1), date_time_ymd(4001, 1, 1));
    give(&own, &params.signed_by(&key, &authority.0).unwrap().pem(), &key.serialize_pem());
    refused(&world, &trusting(&authority.0.pem()), "tls_of_the_future");

    for kind in [&["-newkey", "rsa:2048"][..], &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]] {
        let Some((certificate, key)) = of_version_1(world.folder(), kind) else {
            return eprintln!("not tried: this machine's openssl makes no certificate of version 1");
        };
        give(&own, &certificate, &key);
        serves_where_nothing_is_proven(&own, &world);
        refused(&world, "?sslmode=verify-full", "tls_of_version_1");
        refused(&world, &trusting(&certificate), "tls_of_version_1");
    }
}
