//! The private servers, through `kalends local`. What only root can try says so where it is not tried.

#![allow(clippy::print_stderr)]

mod home;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use home::{Home, is_root};

use crate::kit::{BINARY, Ran};

#[test]
fn servers_that_a_person_starts_stay_until_they_are_stopped() {
    let home = Home::new();
    home.local("status").fails_with(3).says("production  is down");
    home.local("stop").succeeds();

    // Here and everywhere below: the output of `start` is read to its end, which servers that held it open would put
    // off.
    home.local("start").succeeds().says("production  runs");
    home.local("status").succeeds();
    home.answers("production", "SELECT current_database(), current_user", "production_data|kalends");
    home.answers("warehouse", "SELECT current_database(), current_user", "warehouse_data|kalends");
    home.local("start").succeeds();
    home.local("status").succeeds();

    home.local("stop").succeeds().says("warehouse   is down");
    home.local("status").fails_with(3);
    home.local("stop").succeeds();
}

#[test]
fn a_command_that_finds_no_servers_starts_them_and_stops_them_and_the_rows_stay() {
    let home = Home::new();
    home.sql("production", "CREATE TABLE entity AS SELECT 7 AS value");
    home.local("status").fails_with(3);
    home.answers("production", "SELECT value FROM entity", "7");
    home.local("status").fails_with(3);
}

#[test]
fn production_is_marked_as_a_test_source_and_both_are_durable_and_closed_to_the_network() {
    let home = Home::new();
    let settings = "SELECT current_setting('kalends.test_source', true), current_setting('fsync'),
                           current_setting('data_checksums'), current_setting('listen_addresses'),
                           current_setting('server_encoding'), current_setting('TimeZone')";
    home.local("start").succeeds();
    home.answers("production", settings, "on|on|on||UTF8|UTC");
    home.answers("warehouse", settings, "|on|on||UTF8|UTC");
}

#[test]
fn commands_at_once_share_the_servers_and_the_last_one_stops_them() {
    let home = Home::new();
    for _ in 0..3 {
        let commands: Vec<Child> = (0..8)
            .map(|number| {
                let mut command = home.psql("warehouse", &format!("SELECT {number}, pg_sleep({number} / 20.0)"));
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for (number, command) in commands.into_iter().enumerate() {
            let ran = Ran::of(command.wait_with_output().unwrap(), "local psql");
            assert_eq!(ran.succeeds().stdout, format!("{number}|\n"));
        }
        home.local("status").fails_with(3);
    }
}

#[test]
fn servers_that_are_stopped_while_a_command_uses_them_stop_when_it_ends() {
    let home = Home::new();
    home.local("start").succeeds();
    let command = home.psql("production", "SELECT pg_sleep(2), 'done'").stdout(Stdio::piped()).spawn().unwrap();
    home.wait_for_statement("pg_sleep(2)");

    home.local("stop").succeeds();
    home.local("status").succeeds();
    let ran = Ran::of(command.wait_with_output().unwrap(), "local psql");
    assert_eq!(ran.succeeds().stdout, "|done\n");
    home.local("status").fails_with(3);
}

#[test]
fn a_killed_server_recovers_at_the_next_command() {
    let home = Home::new();
    home.local("start").succeeds();
    home.sql("production", "CREATE TABLE entity AS SELECT 7 AS value");
    for server in ["production", "warehouse"] {
        home.kill_server(server);
    }
    home.answers("production", "SELECT value FROM entity", "7");
    // They were kept until they were killed; now they are a command's.
    home.local("status").fails_with(3);
}

#[test]
fn a_killed_server_is_started_beside_the_one_that_runs() {
    let home = Home::new();
    home.local("start").succeeds();
    home.kill_server("warehouse");
    let production = home.pid("production");
    home.answers("warehouse", "SELECT 7", "7");
    home.local("status").succeeds();
    assert_eq!(home.pid("production"), production);
}

#[test]
fn a_killed_command_leaves_servers_that_the_next_one_uses_and_stops() {
    let home = Home::new();
    home.local("start").succeeds();
    home.local("stop").succeeds();
    let mut command = home.psql("production", "SELECT pg_sleep(1)").stdout(Stdio::null()).spawn().unwrap();
    home.wait_for_statement("pg_sleep(1)");
    command.kill().unwrap();
    command.wait().unwrap();

    home.local("status").succeeds();
    home.answers("production", "SELECT 7", "7");
    home.local("status").fails_with(3);
}

#[test]
fn a_command_killed_while_it_makes_the_servers_leaves_no_half_of_one() {
    let home = Home::new();
    for ms in [5, 20, 80, 200, 400] {
        let mut command = home.command(&["local", "start"]).stdout(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(ms));
        command.kill().unwrap();
        command.wait().unwrap();
    }
    home.answers("production", "SELECT current_database()", "production_data");
    home.answers("warehouse", "SELECT current_database()", "warehouse_data");
    home.local("status").fails_with(3);
}

#[test]
fn a_pid_file_that_names_a_process_of_somebody_else_is_no_hindrance() {
    let home = Home::new();
    home.local("start").succeeds();
    let pid_file = home.data().join("production/postmaster.pid");
    let owner = fs::metadata(&pid_file).unwrap();
    let text = fs::read_to_string(&pid_file).unwrap();
    home.local("stop").succeeds();

    // PostgreSQL takes any process of its own user for itself.
    let mut sleeping = Command::new("sleep");
    sleeping.arg("60");
    if is_root() {
        sleeping.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = sleeping.spawn().unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", stranger.id())).unwrap();
    chown(&pid_file, Some(owner.uid()), Some(owner.gid())).unwrap();

    home.local("status").fails_with(3);
    let started = home.local("start");
    let alive = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    started.succeeds();
    assert!(alive, "the other process was left alone");
}

#[test]
fn a_folder_too_deep_for_a_socket_has_its_sockets_in_tmp_and_nobody_else_can_make_them_first() {
    let home = Home::at(&"a folder's name, long ".repeat(8));
    home.local("start").succeeds();
    let sockets = home.sockets();
    assert!(sockets.starts_with("/tmp"), "{}", sockets.display());
    assert_eq!(fs::metadata(&sockets).unwrap().mode() & 0o777, 0o700);
    home.answers("production", "SELECT 7", "7");
    home.local("stop").succeeds();
    assert!(!sockets.exists());

    fs::create_dir(&sockets).unwrap();
    fs::set_permissions(&sockets, Permissions::from_mode(0o777)).unwrap();
    let refused = home.local("start");
    fs::remove_dir(&sockets).unwrap();
    refused.fails_with(4).says("is not a folder of the servers' user alone");
    home.answers("production", "SELECT 7", "7");
}

#[test]
fn a_ctrl_c_typed_later_in_the_same_terminal_does_not_reach_the_servers() {
    let home = Home::new();
    let script = format!("'{BINARY}' local start; trap '' INT; kill -INT 0");
    let mut terminal = home.as_user(Path::new("/bin/sh"));
    terminal.args(["-c", &script]).process_group(0).stdout(Stdio::null());
    assert!(terminal.status().unwrap().success());
    home.local("status").succeeds();
}

#[test]
fn rows_of_a_version_that_is_not_installed_are_left_alone() {
    let home = Home::new();
    home.local("start").succeeds();
    home.local("stop").succeeds();
    let version = home.data().join("production/PG_VERSION");
    let installed = fs::read_to_string(&version).unwrap();

    fs::write(&version, "99\n").unwrap();
    home.local("start").fails_with(1).says("was made by PostgreSQL 99, which this machine does not have");
    home.local("status").fails_with(3);
    fs::write(&version, installed).unwrap();
    home.local("start").succeeds();
}

#[test]
fn a_machine_without_postgresql_says_so_and_how_to_install_it() {
    let home = Home::new();
    let Some(hidden) = home.in_namespace(
        "for folder in /usr/lib/postgresql /usr/local/pgsql; do
             [ ! -d $folder ] || mount -t tmpfs none $folder
         done
         PATH=/nowhere",
    ) else {
        return;
    };
    hidden.fails_with(1).says("error: this machine has no PostgreSQL server programs").says("hint: Install it");
}

#[test]
fn too_few_open_files_are_not_taken_for_a_machine_without_postgresql() {
    let home = Home::new();
    let mut refused = Vec::new();
    // The programs cannot be started with 5 to 11, initdb not with 12 to 15.
    for files in 4..14 {
        let mut shell = home.as_user(Path::new("/bin/sh"));
        shell.args(["-c", &format!("ulimit -n {files}; exec '{BINARY}' local start")]);
        let ran = Ran::of(shell.output().unwrap(), &format!("local start, {files} open files"));
        assert!(matches!(ran.code, Some(1 | 127)), "{files} open files: {:?} {}", ran.code, ran.stderr);
        assert!(!ran.stderr.contains("no PostgreSQL"), "{files} open files: {}", ran.stderr);
        refused.push(ran.stderr);
    }
    assert!(refused.iter().any(|said| said.contains("bin/postgres\": Too many open files")), "{refused:?}");
    home.local("start").succeeds();
}

#[test]
fn a_full_disk_is_named_and_when_there_is_room_the_servers_start() {
    let home = Home::new();
    let Some(full) = home.in_namespace("mount -t tmpfs -o size=30m none \"$KALENDS_LOCAL\"") else { return };
    full.fails_with(1).says("hint: Make room where");

    // Room for one of the two at most, and for neither to write on: whatever it is that fails, it is said in one line.
    for size in ["45m", "60m", "100m"] {
        let mounted = format!(
            "mount -t tmpfs -o size={size} none \"$KALENDS_LOCAL\"
             '{BINARY}' local start || {{
                 [ $? = 1 ] || exit 99
                 mount -o remount,size=1g \"$KALENDS_LOCAL\"
             }}
             '{BINARY}' local stop"
        );
        let Some(later) = home.in_namespace(&mounted) else { return };
        later.succeeds();
    }
}

#[test]
fn root_keeps_the_data_where_the_servers_user_can_reach_it() {
    if !is_root() {
        return eprintln!("not tried: only root has a folder that the servers' user cannot reach");
    }
    let home = Home::new();
    let parent = home.folder.parent().unwrap();
    fs::set_permissions(parent, Permissions::from_mode(0o700)).unwrap();
    home.sql("production", "CREATE TABLE entity AS SELECT 7 AS value");
    let data = home.data();
    assert!(data.starts_with("/var/lib/kalends"), "{}", data.display());
    home.local("status").says(&data.display().to_string());

    // Reachable or not, it is found again; but a new folder of the same name begins anew.
    fs::set_permissions(parent, Permissions::from_mode(0o755)).unwrap();
    home.answers("production", "SELECT value FROM entity", "7");
    fs::set_permissions(parent, Permissions::from_mode(0o700)).unwrap();
    fs::remove_dir_all(&home.folder).unwrap();
    home.answers("production", "SELECT to_regclass('entity')", "");
    assert_ne!(home.data(), data);
    fs::remove_dir_all(data).unwrap();
}

#[test]
fn a_folder_of_root_is_refused_to_others_and_one_of_others_is_served_for_root() {
    if !is_root() {
        return eprintln!("not tried: only root can be two users");
    }
    let theirs = Home::of_ordinary_user();
    theirs.sql("production", "CREATE TABLE entity AS SELECT 7 AS value");
    theirs.by_root().answers("production", "SELECT value FROM entity", "7");
    theirs.by_root().local("start").succeeds();
    theirs.answers("production", "SELECT value FROM entity", "7");
    theirs.local("stop").succeeds();

    let ours = Home::new();
    ours.local("start").succeeds();
    ours.by_ordinary_user().local("status").fails_with(1).says("belong to user \"root\"");
    ours.by_ordinary_user().local("start").fails_with(1).says("belong to user \"root\"");
    let sockets = ours.sockets();
    let knocked = ours.by_ordinary_user().as_user(Path::new("ls")).arg(&sockets).output().unwrap();
    assert!(!knocked.status.success(), "the sockets of root's servers are out of others' reach");
}

#[test]
fn a_narrow_umask_does_not_lock_the_servers_out() {
    let home = Home::new();
    let mut shell = home.as_user(Path::new("/bin/sh"));
    let narrow = shell.args(["-c", &format!("umask 077; '{BINARY}' local start")]).output().unwrap();
    Ran::of(narrow, "local start").succeeds();
    home.answers("production", "SELECT 7", "7");
}
