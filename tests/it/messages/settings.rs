//! Settings that cannot be meant, and secrets that no message shows.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{CANARY, as_role, refuses};
use crate::kit::{Ran, World, command};

#[test]
fn a_password_file_that_others_may_read() {
    let world = World::with_two_days();
    let file = world.folder().join("passwords");
    fs::write(&file, format!("*:*:*:forgetful:{CANARY}\n")).unwrap();
    let (url, place) = (as_role(&world, "forgetful"), file.display().to_string());
    let variables = [("KALENDS_PRODUCTION_URL", url.as_str()), ("PGPASSFILE", place.as_str())];
    refuses(&world, "run", &variables, 4, "password_file_open_to_all");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    refuses(&world, "run", &variables, 1, "wrong_password");
    fs::write(&file, "elsewhere:*:*:*:x\nlocalhost:5432:*:forgetful:right\n*:*:*:*:y\n").unwrap();
    world.production_sql("GRANT SELECT ON entity TO forgetful");
    world.kalends_with("run", &variables).succeeds().says("nothing to do");
}

#[test]
fn a_password_file_that_is_not_there_is_named() {
    let world = World::with_two_days();
    let (url, folder) = (as_role(&world, "forgetful"), world.folder().display().to_string());
    let missing = " of PGPASSFILE cannot be read: No such file";
    for (file, code, said) in
        [(format!("{folder}/nowhere"), 2, missing), (folder.clone(), 4, " is a folder, not a regular file")]
    {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let variables = [("KALENDS_PRODUCTION_URL", url.as_str()), ("PGPASSFILE", file.as_str())];
        let ran = world.kalends_with("run", &variables);
        ran.fails_with(code).says(&format!("the password file \"{file}\"{said}"));
    }
    // That of the home folder need not be there; what is in it may be of any encoding.
    world.kalends_with("run", &[("HOME", &folder)]).succeeds();
    let pass = world.folder().join(".pgpass");
    fs::write(&pass, [&b"elsewhere:*:*:*:\xff\n"[..], b"*:*:*:forgetful:right"].concat()).unwrap();
    fs::set_permissions(&pass, fs::Permissions::from_mode(0o600)).unwrap();
    world.production_sql("GRANT SELECT ON entity TO forgetful");
    world.kalends_with("run", &[("HOME", &folder), ("KALENDS_PRODUCTION_URL", &url)]).succeeds();
}

#[test]
fn one_server_without_the_other() {
    let world = World::with_two_days();
    refuses(&world, "run", &[("KALENDS_WAREHOUSE_URL", "")], 2, "production_without_warehouse");
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", "")], 2, "warehouse_without_production");
}

#[test]
fn a_url_that_does_not_parse_is_not_shown() {
    let world = World::with_two_days();
    for url in [
        "postgresql://kalends:S3CRET@host:port/database",
        "postgresql://kalends:S3CRET@host:99999/database",
        "postgresql://kalends:S3CRET/@host:5432:1/database",
        "postgresql://kalends:S3CRET@[::1/database",
        "postgresql://kalends:S3CRET@host/database?S3CRET",
        "postgresql://kalends:x@host/database?passwort=S3CRET",
        "mysql://kalends:S3CRET@host/database",
        "kalends:S3CRET@host/database",
        "host=localhost password=S3CRET",
        "postgresql//kalends:S3CRET@host/database",
        " postgresql://kalends:S3CRET@host/database",
        "S3CRET",
    ] {
        refuses(&world, "run -vv", &[("KALENDS_PRODUCTION_URL", url)], 2, "production_url_unreadable");
        refuses(&world, "status", &[("KALENDS_WAREHOUSE_URL", url)], 2, "warehouse_url_unreadable");
    }
    let url = format!("postgresql://kalends:{CANARY}@host/database?sslmode={CANARY}");
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", &url)], 2, "sslmode_unknown");
}

#[test]
fn a_password_that_is_not_encoded_is_not_shown_as_a_part_of_the_host() {
    let world = World::with_two_days();
    for url in [
        "postgresql://kalends:pass@S3CRET@127.0.0.1:1/database",
        "postgresql://kalends:pass/S3CRET@127.0.0.1:1/database",
        "postgresql://kalends:pass?S3CRET@127.0.0.1:1/database",
        "postgresql://kalends:pass#S3CRET@127.0.0.1:1/database",
        "postgresql://kalends:pass:S3CRET@127.0.0.1:1/database",
        "postgresql://kalends:pass%S3CRET@127.0.0.1:1/database",
        "postgresql://kalends@127.0.0.1:1/database?password=S3CRET",
    ] {
        let ran = world.kalends_with("run -vv", &[("KALENDS_PRODUCTION_URL", url)]);
        assert!(matches!(ran.code, Some(1 | 2)), "{url}");
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(CANARY), "{url}: {}", ran.stderr);
    }
}

#[test]
fn a_settings_file_that_cannot_be_meant() {
    let world = World::with_two_days();
    let file = world.folder().join("kalends.toml");
    for (text, name) in [
        ("exports = \"exports\"\n\n[limits]\nlook_timeout = \"3s\"\n", "setting_unknown"),
        ("exports = \"exports\"\n\nlook_timeout = \"3s\"\n", "setting_unknown_at_the_top"),
        ("[limits]\nlock_timeout = \"0s\"\n", "setting_zero"),
        ("[guard]\nloss = \"S3CRET\"\n", "guard_loss"),
        ("[guard]\nloss = \"101%\"\n", "guard_loss"),
        ("[guard]\nsettle_after = \"S3CRET\"\n", "guard_settle_after"),
        ("[guard]\nlost = \"50%\"\n", "guard_loss_misspelt"),
        ("[limits]\nlock_timeout = 3\n", "setting_of_another_type"),
        ("[limits]\nlock_timeout = \"5 S3CRETs\"\n", "setting_no_duration"),
        ("[limits]\nlock_timeout = \"5s\"\nlock_seconds = 3\n", "setting_in_two_ways"),
        ("[[entity]]\nname = \"a\"\nname = \"b\"\n", "setting_twice"),
        ("produktion_url = \"postgresql://kalends:S3CRET@host/database\"\n", "setting_misspelt"),
        ("# URLs\nproduction_url = \"postgresql://kalends:S3CRET@host/database\n", "settings_not_toml"),
        ("production_url = postgresql://kalends:S3CRET@host/database\n", "settings_without_quotes"),
        ("production_url = [\"postgresql://kalends:S3CRET@host/database\"]\n", "setting_list"),
        ("exports = \"exports\"\n\nlock_timeout = \"3s\"\n", "setting_of_a_section_at_the_top"),
        ("[limits]\nlock_timeout = \"3s\"\nexports = \"exports\"\n", "setting_of_the_top_in_a_section"),
        ("[limits]\nmeasure = [\"value\"]\n", "setting_of_another_section_misspelt"),
        ("[limits]\npatience = 3\n", "setting_near_nothing"),
        ("[limits]\nlock_timeout = \"postgresql://kalends:S3CRET@host/database\"\n", "setting_url_in_a_wrong_place"),
        ("[entity]\nname = \"a\"\n", "entity_in_one_bracket"),
    ] {
        fs::write(&file, text).unwrap();
        refuses(&world, "run", &[], 2, name);
        let shown = fs::read_to_string(format!("{}/tests/it/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(!shown.contains(CANARY), "{name}");
    }
    // What is below a section of an entity, the second of two.
    let entity = |name: &str, more: &str| {
        format!("[[entity]]\nname = {name:?}\ntable = \"entity\"\ntime = \"created_at\"\n{more}\n")
    };
    let measures = "measures = [\"value\"]\n";
    for (more, name) in [
        ("measure = [\"value\"]".to_string(), "entity_key_misspelt"),
        (format!("{measures}timezone = \"UTC\""), "entity_key_without_a_line"),
        (format!("{measures}exports = \"exports\""), "entity_key_of_the_top"),
        (format!("{measures}colour = \"red\""), "entity_key_near_nothing"),
        (format!("{measures}statistics = [\n  \"sum\",\n  \"meen\",\n]"), "statistic_misspelt"),
        (format!("{measures}statistics = [\"average\"]"), "statistic_near_nothing"),
        (format!("{measures}levels = [\"Months\"]"), "level_misspelt"),
        (String::new(), "entity_key_missing"),
    ] {
        fs::write(&file, entity("entity", measures) + &entity("other", &more)).unwrap();
        refuses(&world, "run", &[], 2, name);
    }
    fs::remove_file(file).unwrap();
    world.kalends("run").succeeds();
}

#[test]
fn limits_that_postgresql_cannot_keep_are_a_usage_error_that_says_the_form() {
    let world = World::with_two_days();
    let file = world.folder().join("kalends.toml");
    for duration in
        ["0s", "25 days", "30 days", "2years", "18446744073709551615s", "584942417355y", "99999999999999999999s"]
    {
        let of_limits = ["connect", "lock", "statement", "idle"].map(|name| ("limits", name));
        for (section, name) in [("production", "lock"), ("production", "statement")].into_iter().chain(of_limits) {
            fs::write(&file, format!("[{section}]\n{name}_timeout = {duration:?}\n")).unwrap();
            let ran = world.kalends("run");
            ran.fails_with(2);
            assert!(ran.stderr.contains("like \"10s\""), "{duration}: {}", ran.stderr);
        }
    }
    for seconds in ["0", "-1", "2073601", "9223372036854775807"] {
        for key in ["connect_seconds", "lock_seconds", "statement_seconds", "idle_seconds"] {
            fs::write(&file, format!("[limits]\n{key} = {seconds}\n")).unwrap();
            world.kalends("run").fails_with(2);
        }
    }
    fs::write(&file, "[limits]\nlock_timeout = \"2073600s\"\n[production]\nstatement_timeout = \"24 days\"\n").unwrap();
    world.kalends("run").succeeds();
    for rate in ["0", "1.5", "-1"] {
        fs::write(&file, format!("[production]\nmax_rows_per_second = {rate}\n")).unwrap();
        world.kalends("run").fails_with(2);
    }
    fs::write(&file, "[guard]\nsettle_after = \"18446744073709551615s\"\n").unwrap();
    world.kalends("run").succeeds();
    fs::remove_file(&file).unwrap();
    for typed in ["status --max-age 18446744073709551615s", "run --wait 18446744073709551615s"] {
        world.kalends(typed).succeeds();
    }
}

#[test]
fn an_export_folder_that_no_folder_can_be_called() {
    let world = World::with_two_days();
    for (text, name) in [("exports = \"\"\n", "exports_empty"), ("exports = \"a\\u0000b\"\n", "exports_with_nul")] {
        fs::write(world.folder().join("kalends.toml"), text).unwrap();
        refuses(&world, "run", &[("KALENDS_EXPORTS", "")], 2, name);
    }
}

#[test]
fn limits_as_the_first_version_had_them_are_read_with_a_note() {
    let world = World::with_two_days();
    let file = world.folder().join("kalends.toml");
    fs::write(&file, "[limits]\nlock_seconds = 7200\nconnect_seconds = 10\n").unwrap();
    let ran = world.kalends("run");
    let names = [
        "connect_seconds of [limits] has another name now: connect_timeout = \"10s\"",
        "lock_seconds of [limits] has another name now: lock_timeout = \"2h\"",
    ];
    assert_eq!(ran.succeeds().stderr, names.map(|name| format!("note: {name}\n")).concat());
    assert_eq!(world.kalends("run --quiet").succeeds().stderr, "");
    fs::write(&file, "[limits]\nlock_timeout = \"2h\"\nconnect_timeout = \"10s\"\n").unwrap();
    assert_eq!(world.kalends("run").succeeds().stderr, "");
}

#[test]
fn a_settings_file_that_lies_open() {
    let world = World::with_two_days();
    let file = world.folder().join("kalends.toml");
    // The variables are stronger, and yet a password lies open here.
    fs::write(&file, "production_url = \"postgresql://kalends:S3CRET@host/database\"\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    refuses(&world, "run", &[], 4, "settings_file_open_to_all");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    world.kalends("run").succeeds();
}

#[test]
fn a_settings_file_that_cannot_be_read() {
    let world = World::with_two_days();
    refuses(&world, "run --config missing.toml", &[], 2, "settings_file_missing");
    refuses(&world, "run", &[("KALENDS_CONFIG", "missing.toml")], 2, "settings_file_missing");
    fs::create_dir(world.folder().join("kalends.toml")).unwrap();
    refuses(&world, "run", &[], 1, "settings_file_is_a_folder");
    fs::remove_dir(world.folder().join("kalends.toml")).unwrap();
    world.settings(b"exports = \"\xff\"\n");
    refuses(&world, "run", &[], 1, "settings_file_not_utf8");
}

#[test]
fn a_message_is_one_line_and_a_hint_whatever_the_names_hold() {
    let ran = command(&["status", "--config", "a\nerror: b\u{1b}[31m.toml"], &[]).output().unwrap();
    let ran = Ran::of(ran, "status");
    ran.fails_with(2);
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains("\nerror: b"), "{}", ran.stderr);
}
