//! Bad input and a bad world: each ends with its code and its words, and loses nothing. The words are kept in
//! `golden/`; `KALENDS_BLESS=1` writes them anew.

mod settings;
mod steering;
mod tables;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::export::Frozen;
use crate::faults::held::{Hold, Running};
use crate::kit::{BINARY, Ran, World, run_sql, servers};
use crate::own_servers::Side;

const CANARY: &str = "S3CRET";

/// The text is that of the golden file.
#[track_caller]
pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/golden/{name}.txt"));
    if std::env::var_os("KALENDS_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "not as in {}; KALENDS_BLESS=1 takes it over", path.display());
}

/// Ends with this code and the words of the golden file, and leaves warehouse and files as they were.
#[track_caller]
fn refuses(world: &World, arguments: &str, variables: &[(&str, &str)], code: i32, name: &str) {
    let before = (world.tuples(), world.tree());
    let ran = world.kalends_with(arguments, variables);
    ran.fails_with(code);
    assert_eq!(ran.stdout, "", "{name}");
    golden(name, &masked(world, &ran.stderr));
    assert_eq!((world.tuples(), world.tree()), before, "{name}");
}

/// What is another each time, under the name of what it is.
pub fn masked(world: &World, text: &str) -> String {
    let database = world.production_url.rsplit('/').next().unwrap();
    [
        (world.exports.display().to_string(), "EXPORTS"),
        (world.folder().display().to_string(), "FOLDER"),
        (servers().sockets.display().to_string(), "SOCKETS"),
        (servers().folder.display().to_string(), "SERVERS"),
        (database.to_string(), "DATABASE"),
    ]
    .iter()
    .fold(world_words(text), |text, (found, name)| text.replace(found, name))
}

/// Without what differs between systems, users and versions of PostgreSQL.
fn world_words(text: &str) -> String {
    let text = text.replace("Permission denied", "Operation not permitted").replace(", no encryption", "");
    let mut parts = text.split("(os error ");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| text + "(os error" + part.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}

/// The URL of production for another role, which needs no password, or for one that has to give one. Both may come in
/// and look around, and read no table.
pub fn as_role(world: &World, role: &str) -> String {
    static ROLES: OnceLock<()> = OnceLock::new();
    ROLES.get_or_init(|| {
        let maintenance = servers().url(5432, "kalends", "postgres");
        run_sql(&maintenance, "CREATE ROLE stranger LOGIN; CREATE ROLE forgetful LOGIN PASSWORD 'right'");
        servers().admit(5432, "stranger", "trust");
        servers().admit(5432, "forgetful", "scram-sha-256");
    });
    let database = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!(
        "GRANT CONNECT ON DATABASE {database} TO stranger, forgetful; GRANT USAGE ON SCHEMA public TO stranger, forgetful"
    ));
    world.production_url.replacen("kalends", role, 1)
}

#[test]
fn a_month_or_year_that_there_is_not() {
    let world = World::with_two_days();
    for (arguments, name) in [
        ("export 2024 13", "export_month_13"),
        ("export 2024 0", "export_month_0"),
        ("export 0 1", "export_year_0"),
        ("export 2024", "export_without_month"),
        ("export 2024 june", "export_month_june"),
        ("export 2024-03 1", "export_year_with_month"),
        ("simulate 2024 13", "simulate_month_13"),
        ("simulate 10000 1", "simulate_year_10000"),
        ("simulate 0 1", "simulate_year_0"),
        ("simulate 2024", "simulate_without_month"),
        ("settle", "unknown_command"),
        ("rnu", "command_misspelt"),
        ("run --fast", "unknown_flag"),
        ("run --accept-loss 2024-13", "accept_month_13"),
        ("prepare --accept-loss march", "accept_march"),
        ("", "no_command"),
    ] {
        refuses(&world, arguments, &[], 2, name);
    }
}

#[test]
fn a_controller_that_makes_no_rows() {
    let world = World::with_two_days();
    for (controller, name) in [
        ("0", "controller_0"),
        ("-1", "controller_negative"),
        ("abc", "controller_abc"),
        ("20001", "controller_too_large"),
    ] {
        refuses(&world, "simulate 2024 1", &[("RANDOM_MAIN_CONTROLLER", controller)], 2, name);
    }
    assert_eq!(world.ask_production("SELECT count(*) FROM entity"), ["2"]);
}

#[test]
fn a_database_that_is_no_test_source() {
    let world = World::with_two_days();
    refuses(&world, "simulate 2024 1", &[], 4, "simulate_unmarked");
    assert_eq!(world.ask_production("SELECT count(*) FROM entity"), ["2"]);
}

#[test]
fn a_machine_without_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let mut hidden = Command::new("unshare");
    let script = format!(
        "for folder in /usr/lib/postgresql /usr/local/pgsql; do
             [ ! -d $folder ] || mount -t tmpfs none $folder || exit 99
         done
         PATH=/nowhere exec '{BINARY}' run"
    );
    hidden.args(["--mount", "/bin/sh", "-c", &script]).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    hidden.env("KALENDS_LOCAL", folder.path().join("local")).current_dir(folder.path());
    let output = hidden.output();
    let Some(output) = output.ok().filter(|output| matches!(output.status.code(), Some(0..99))) else {
        return eprintln!("not tried: nothing can be hidden without unshare and the right to mount");
    };
    let ran = Ran::of(output, "run");
    if ran.stderr.starts_with("unshare") {
        return eprintln!("not tried: {}", ran.stderr);
    }
    ran.fails_with(1);
    // The command that installs it is that of the machine.
    let installer = ran.stderr.split("(`").nth(1).and_then(|rest| rest.split("`)").next());
    golden("no_postgresql", &installer.map_or(ran.stderr.clone(), |found| ran.stderr.replace(found, "INSTALL")));
}

#[test]
fn a_wrong_password() {
    let world = World::with_two_days();
    let url = as_role(&world, "forgetful").replacen('@', &format!(":{CANARY}@"), 1);
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", &url)], 1, "wrong_password");
    let url = as_role(&world, "forgetful");
    refuses(&world, "verify", &[("KALENDS_PRODUCTION_URL", &url)], 1, "no_password");
}

#[test]
fn a_role_that_may_not_log_in() {
    let world = World::with_two_days();
    let url = as_role(&world, "nobody_here");
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", &url)], 1, "unknown_role");
}

#[test]
fn a_database_that_is_missing() {
    let world = World::with_two_days();
    let url = format!("{}_missing", world.production_url);
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", &url)], 1, "production_database_missing");
    let url = format!("{}_missing", world.warehouse_url);
    refuses(&world, "run", &[("KALENDS_WAREHOUSE_URL", &url)], 1, "warehouse_database_missing");
}

#[test]
fn a_table_that_is_missing() {
    let world = World::with_two_days();
    world.production_sql("ALTER TABLE entity RENAME TO entities");
    refuses(&world, "run", &[], 4, "table_missing");
    refuses(&world, "verify", &[], 4, "table_missing");
    world.production_sql(
        "CREATE SCHEMA other; ALTER TABLE entities RENAME TO entity; ALTER TABLE entity SET SCHEMA other",
    );
    refuses(&world, "prepare", &[], 4, "table_missing");
    world.production_sql("DROP SCHEMA public");
    refuses(&world, "prepare", &[], 4, "table_missing");
}

#[test]
fn a_server_that_ends_the_connection_in_mid_run() {
    let world = World::with_two_days();
    world.production("created_at | value\n 2024-03-02 | 5");
    for (side, url) in [(Side::Production, &world.production_url), (Side::Warehouse, &world.warehouse_url)] {
        let table = if side == Side::Production {
            "public.entity IN ACCESS EXCLUSIVE"
        } else {
            "kalends_stats.entity_day IN SHARE"
        };
        let hold = Hold::by(url, &format!("LOCK TABLE {table} MODE"));
        let run = Running::started(world.command("run")).once_held(&world, side);
        run_sql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'kalends run'",
        );
        let ran = run.ends();
        let server = if side == Side::Production { "production" } else { "the warehouse" };
        ran.fails_with(1).says(&format!("the connection to {server} was lost\n"));
        ran.says("\n hint: Check that it runs and can be reached, and what its log says, then run again: ");
        ran.says("then run again: only what was committed stays.\n");
        drop(hold);
    }
    world.settles();
}

#[test]
fn a_role_that_is_not_the_warehouses() {
    let world = World::with_two_days();
    let maintenance = servers().url(5433, "kalends", "postgres");
    run_sql(&maintenance, "DO $$ BEGIN CREATE ROLE analyst LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    servers().admit(5433, "analyst", "trust");
    let database = world.warehouse_url.rsplit('/').next().unwrap();
    world.warehouse_sql(&format!("GRANT CONNECT ON DATABASE {database} TO analyst"));
    let url = world.warehouse_url.replacen("kalends", "analyst", 1);
    for command in ["run", "export"] {
        refuses(&world, command, &[("KALENDS_WAREHOUSE_URL", &url)], 4, "role_of_an_analyst");
    }
}

#[test]
fn a_role_that_may_not_read_the_table() {
    let world = World::with_two_days();
    let url = as_role(&world, "stranger");
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", &url)], 4, "select_not_granted");
    world.production_sql("GRANT SELECT (created_at) ON entity TO stranger");
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", &url)], 4, "select_not_granted");
    world.production_sql("GRANT SELECT ON entity TO stranger; REVOKE USAGE ON SCHEMA public FROM stranger");
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", &url)], 4, "schema_not_granted");
}

#[test]
fn a_warehouse_that_is_production() {
    let world = World::with_two_days();
    for arguments in ["run", "prepare", "verify"] {
        refuses(&world, arguments, &[("KALENDS_WAREHOUSE_URL", &world.production_url)], 4, "same_database");
    }
}

#[test]
fn urls_that_were_exchanged_are_refused_before_anything_is_made_in_production() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    // Both with the rights to make schemas: nothing but the refusal keeps a run from it.
    let exchanged = [
        ("KALENDS_PRODUCTION_URL", world.warehouse_url.as_str()),
        ("KALENDS_WAREHOUSE_URL", world.production_url.as_str()),
    ];
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'kalends%'";
    let none = Vec::<String>::new();
    world.kalends_with("run", &exchanged).fails_with(4).says("production has no table");
    assert_eq!(world.ask_production(schemas), none);
    world.kalends("run").succeeds();
    world.kalends_with("run", &exchanged).fails_with(4).says("production has no table");
    // The warehouse has a table of that name as well, as where another tool copied it.
    world.warehouse_sql("CREATE TABLE public.entity (created_at timestamp, value integer)");
    for command in ["run", "prepare", "adopt --from public.entity"] {
        refuses(&world, command, &exchanged, 4, "urls_exchanged");
        assert_eq!(world.ask_production(schemas), none, "{command}");
    }
    world.kalends("verify").succeeds();
}

#[test]
fn a_table_of_productions_name_in_the_warehouse_is_no_sign_of_exchanged_urls() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.warehouse_sql("CREATE TABLE public.entity (created_at timestamp, value integer)");
    world.settles();
}

#[test]
fn a_warehouse_that_is_production_is_refused_before_anything_is_made_there() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.kalends_with("run", &[("KALENDS_WAREHOUSE_URL", &world.production_url)]).fails_with(4);
    assert_eq!(
        world.ask_production("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'kalends%'"),
        Vec::<String>::new()
    );
}

#[test]
fn an_export_folder_that_cannot_be_written() {
    let world = World::with_two_days();
    let fresh = world.folder().join("frozen");
    fs::create_dir(&fresh).unwrap();
    let Some(frozen) = Frozen::new(&fresh) else { return };
    let (fresh, inner) = (fresh.display().to_string(), fresh.join("exports").display().to_string());
    refuses(&world, "export", &[("KALENDS_EXPORTS", &fresh)], 1, "exports_not_writable");
    refuses(&world, "run", &[("KALENDS_EXPORTS", &inner)], 1, "exports_not_made");
    drop(frozen);
}

#[test]
fn an_export_folder_full_of_somebody_elses_files() {
    let world = World::with_two_days();
    let theirs = world.folder().join("photos");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("one.jpg"), "mine").unwrap();
    let photos = theirs.display().to_string();
    refuses(&world, "export", &[("KALENDS_EXPORTS", &photos)], 4, "exports_of_somebody_else");
    refuses(&world, "run", &[("KALENDS_EXPORTS", &photos)], 4, "exports_of_somebody_else");
    assert_eq!(fs::read_dir(theirs).unwrap().count(), 1);
}

#[test]
fn a_server_that_does_not_answer() {
    let world = World::with_two_days();
    world.settings("[limits]\nconnect_timeout = \"1s\"\n");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgresql://kalends:{CANARY}@127.0.0.1:{port}/database");
    let begun = Instant::now();
    unanswered(&world, "KALENDS_PRODUCTION_URL", &url, port, "production_silent");
    unanswered(&world, "KALENDS_WAREHOUSE_URL", &url, port, "warehouse_silent");
    assert!(begun.elapsed() < Duration::from_secs(20), "took {:?}", begun.elapsed());

    drop(silent);
    unanswered(&world, "KALENDS_PRODUCTION_URL", &url, port, "production_refused");
    unanswered(&world, "KALENDS_WAREHOUSE_URL", &url, port, "warehouse_refused");
}

#[track_caller]
fn unanswered(world: &World, setting: &str, url: &str, port: u16, name: &str) {
    let before = (world.tuples(), world.tree());
    let ran = world.kalends_with("run", &[(setting, url)]);
    ran.fails_with(1);
    golden(name, &world_words(&ran.stderr).replace(&port.to_string(), "PORT"));
    assert_eq!((world.tuples(), world.tree()), before, "{name}");
}

#[test]
fn a_socket_that_is_not_there() {
    let world = World::with_two_days();
    let url = "postgresql://kalends@%2Fnowhere:5432/database";
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", url)], 1, "socket_missing");
}

#[test]
fn no_golden_file_is_left_over_and_none_holds_a_secret() {
    let rooms = concat!(
        include_str!("messages.rs"),
        include_str!("messages/settings.rs"),
        include_str!("messages/steering.rs"),
        include_str!("messages/tables.rs"),
        include_str!("reports.rs"),
        include_str!("diff.rs"),
        include_str!("history.rs"),
        include_str!("adopt.rs"),
        include_str!("repair/sample.rs"),
        include_str!("plan/file.rs"),
        include_str!("init.rs"),
        include_str!("tls.rs"),
        include_str!("tls/authentication.rs"),
        include_str!("tls/certificates.rs")
    );
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let quoted = format!("\"{name}\"");
        assert!(rooms.contains(&quoted) || name.starts_with("help"), "{name} is used nowhere");
        assert!(!fs::read_to_string(&path).unwrap().contains(CANARY), "{name}");
    }
}
