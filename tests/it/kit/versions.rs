//! Servers of the versions that `tests/versions` asks for, each side its own.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ASKED: [(&str, &str); 2] =
    [("production", "KALENDS_TEST_PRODUCTION_BIN"), ("warehouse", "KALENDS_TEST_WAREHOUSE_BIN")];

/// The folder of programs that a side's servers are to run, where `tests/versions` asks for one.
pub fn asked(side: &str) -> Option<PathBuf> {
    let (_, variable) = ASKED.into_iter().find(|(name, _)| *name == side).unwrap();
    Some(PathBuf::from(std::env::var_os(variable)?))
}

/// A folder of `kalends local` whose servers are stopped: data to begin with, if `tests/mutants` says so, which starts
/// servers a thousand times.
const BEGIN_WITH: &str = "KALENDS_TEST_DATA";

/// Copies that data, for the servers that all tests of a process share: others have to be other clusters.
pub fn begin(folder: &Path) {
    if let Some(made) = std::env::var_os(BEGIN_WITH).filter(|_| !folder.exists()) {
        fs::create_dir_all(folder).unwrap();
        let copied = Command::new("cp").arg("-a").arg(PathBuf::from(made).join("data")).arg(folder).status().unwrap();
        assert!(copied.success());
    }
}

/// Makes the data of the servers that are asked for: `kalends local` starts each with the version that made its data.
pub fn make(folder: &Path) {
    let data = folder.join("data");
    for (side, _) in ASKED {
        let Some(programs) = asked(side).filter(|_| !data.join(side).exists()) else { continue };
        fs::create_dir_all(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o711)).unwrap();
        let place = data.join(side);
        fs::create_dir(&place).unwrap();
        if let Some((user, group)) = servers_user() {
            chown(&place, Some(user), Some(group)).unwrap();
        }
        let mut initdb = program(&programs, "initdb");
        initdb.args(["--username=kalends", "--auth=trust", "--encoding=UTF8", "--locale=C", "--data-checksums"]);
        runs(initdb.args(["--no-sync", "-D"]).arg(&place), "");
        let create = format!("CREATE DATABASE {side}_data;\n");
        let mark = match side {
            "production" => "ALTER DATABASE production_data SET kalends.test_source = 'on';\n",
            _ => "",
        };
        let mut session = program(&programs, "postgres");
        session.args(["--single", "-F", "-c", "exit_on_error=on", "-D"]).arg(&place).arg("postgres");
        runs(&mut session, &(create + mark));
    }
}

/// Whom root runs servers as, as `kalends local` does; `None` for anybody else.
pub fn servers_user() -> Option<(u32, u32)> {
    let id = |arguments: [&str; 2]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().ok()
    };
    if id(["-u", "--real"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"].into_iter().find_map(|name| Some((id(["-u", name])?, id(["-g", name])?)))
}

pub fn program(programs: &Path, name: &str) -> Command {
    let mut command = Command::new(programs.join(name));
    command.env_clear().env("LC_ALL", "C").current_dir("/");
    if let Some((user, group)) = servers_user() {
        command.uid(user).gid(group);
    }
    command
}

pub fn runs(command: &mut Command, input: &str) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that has failed reads no more, and says why.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
