//! Files, variables and arguments that hold anything: a usage error, a refusal or a failure, and never a panic.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kalends::calendar::{Layout, Period};
use kalends::settings::{Environment, Flags, Settings, table_name};

use crate::faults::sweeping;
use crate::kit::World;
use crate::kit::random::Random;

/// A text with something changed, cut out or put in; bytes that are no text among them.
fn spoilt(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.below(256) as u8),
            2 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            3 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {
                let odd =
                    ["\u{0}", "é", "💣", "\u{202e}", "99999999999999999999", "-", "\"", "[", "%", "%ff", "@", "://"];
                let word = odd[random.below(odd.len() as u64) as usize];
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    bytes
}

#[test]
fn settings_urls_passwords_and_periods_of_any_bytes_are_read_or_refused() {
    let (mut random, folder) = (Random::new(7), tempfile::tempdir().unwrap());
    let (config, pass) = (folder.path().join("k.toml"), folder.path().join("pass"));
    let example = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("kalends.example.toml")).unwrap();
    let example: String =
        example.lines().map(|line| line.strip_prefix("#= ").unwrap_or(line).to_string() + "\n").collect();
    let limits = "[limits]\nlock_timeout = \"3s\"\n[production]\nlock_timeout = \"1h 30m\"\nmax_rows_per_second = 9\n[guard]\nloss = \"1.5%\"\nsettle_after = \"2h\"\n";
    let url = "postgresql://a:b%40c@host.example:5432/d?sslmode=verify-full&sslrootcert=%2Fx&require_auth=!md5&channel_binding=require&connect_timeout=3";
    fs::write(&pass, "x").unwrap();
    fs::set_permissions(&pass, fs::Permissions::from_mode(0o600)).unwrap();
    let (place, flags) = (pass.display().to_string(), Flags { config: Some(config.clone()), exports: None });
    for round in 0..if sweeping() { 200_000 } else { 4_000 } {
        let text = if round % 2 == 0 { example.as_str() } else { limits };
        fs::write(&config, spoilt(text.as_bytes(), &mut random)).unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&pass, spoilt(b"host.example:5432:*:a:pa\\:ss\n*:*:*:*:x\n", &mut random)).unwrap();
        let address = String::from_utf8_lossy(&spoilt(url.as_bytes(), &mut random)).into_owned();
        let variables = [
            ("KALENDS_PRODUCTION_URL", address.as_str()),
            ("KALENDS_WAREHOUSE_URL", "postgresql://a@b/c"),
            ("PGPASSFILE", place.as_str()),
            ("PGPORT", "65536"),
        ];
        let read = Settings::read(&flags, &Environment::of(variables));
        if let Ok(settings) = read {
            let _ = (settings.controller(), format!("{settings:?}"));
        }
        for typed in ["2024-03-05", "-0044-03", "999998", "12024-12-31"] {
            let typed = String::from_utf8_lossy(&spoilt(typed.as_bytes(), &mut random)).into_owned();
            if let Ok(period) = typed.parse::<Period>() {
                let path = period.path(Layout::Hive, "x", "csv");
                let _ = (period.to_string(), path, period.span(), period.first().year_week());
            }
            let _ = table_name(&typed);
        }
    }
}

#[test]
fn manifests_and_plans_of_any_bytes_are_read_or_refused() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.kalends("run").succeeds();
    world.production("created_at | value\n 2024-03-02 | 5");
    world.kalends("plan --out plan.json").succeeds();
    let (manifest, plan) = (world.exports.join("_manifest.json"), world.folder().join("plan.json"));
    let (listed, planned) = (fs::read(&manifest).unwrap(), fs::read(&plan).unwrap());
    let mut random = Random::new(11);
    for _ in 0..if sweeping() { 500 } else { 12 } {
        fs::write(&manifest, spoilt(&listed, &mut random)).unwrap();
        fs::write(&plan, spoilt(&planned, &mut random)).unwrap();
        for command in ["export", "verify", "run --plan plan.json --accept-loss"] {
            let ran = world.kalends(command);
            let fine = matches!(ran.code, Some(0..=4 | 75)) && !ran.stderr.contains("panicked");
            assert!(fine, "kalends {command}: {:?} {}", ran.code, ran.stderr);
        }
    }
    fs::write(&manifest, listed).unwrap();
    world.settles();
}

#[test]
fn paths_of_any_kind_serve_or_are_a_clean_error() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    let long = "x".repeat(255);
    for (name, code) in [
        (&b"with space\n and \xff"[..], 0),
        (long.as_bytes(), 0),
        ("x".repeat(256).as_bytes(), 1),
        ([long.as_str(); 20].join("/").as_bytes(), 1),
    ] {
        let path = world.folder().join(OsStr::from_bytes(name));
        let ran = world.command("run").env("KALENDS_EXPORTS", &path).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(code), "{said}");
        assert_eq!(path.join("_manifest.json").exists(), code == 0);
        let typed = world.command("export").arg("--exports").arg(&path).output().unwrap();
        assert_eq!(typed.status.code(), Some(code));
    }
    for variable in
        ["KALENDS_CONFIG", "KALENDS_LOCAL", "PGSSLROOTCERT", "PGPASSFILE", "PGHOST", "KALENDS_PRODUCTION_URL"]
    {
        let odd = OsStr::from_bytes(b"/nowhere/\xff");
        let ran = world.command("run").env(variable, odd).output().unwrap();
        assert!(matches!(ran.status.code(), Some(0..=4)), "{variable}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}
