//! Finds PostgreSQL on this machine: the folders with `postgres` and `initdb`, newest version first.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::io::Errno;

use super::os_user::OsUser;
use crate::error::{Refusal, Result};

/// The oldest version that the statements in `sql/` support. A connection to an older one is refused as well.
const OLDEST_MAJOR: u32 = 14;

/// Where packages install several versions next to each other: folder, beginning of a version's name, what follows it.
const VERSIONED: [(&str, &str, &str); 8] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// Where a PostgreSQL built from source is installed.
const FROM_SOURCE: &str = "/usr/local/pgsql/bin";

/// How to install PostgreSQL, for each package manager.
const INSTALLERS: [(&str, &str); 5] = [
    ("/usr/bin/apt-get", "apt-get install postgresql"),
    ("/usr/bin/dnf", "dnf install postgresql-server"),
    ("/sbin/apk", "apk add postgresql"),
    ("/opt/homebrew/bin/brew", "brew install postgresql"),
    ("/usr/local/bin/brew", "brew install postgresql"),
];

/// One installed PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installation {
    /// Its folder of programs.
    pub(super) programs: PathBuf,
    /// Its major version. A data folder works only with the version that created it.
    pub(super) major: u32,
}

/// Every PostgreSQL that `os_user` can run, newest version first.
///
/// # Errors
/// If this process may not start another, which says nothing about what there is.
pub(super) fn find(search_path: Option<&OsStr>, os_user: &OsUser) -> Result<Vec<Installation>> {
    let mut found: Vec<Installation> = Vec::new();
    for programs in candidates(search_path) {
        if found.iter().any(|known| known.programs == programs) {
            continue;
        }
        if let Some(major) = major_version(&programs.join("postgres"), os_user)? {
            found.push(Installation { programs, major });
        }
    }
    // The sort is stable: of equal versions, the first on PATH stays first.
    found.sort_by_key(|installation| Reverse(installation.major));
    Ok(found)
}

/// The newest version, for a server without data.
pub(super) fn newest(installed: &[Installation]) -> Result<&Installation> {
    let hint = || {
        let known = INSTALLERS.iter().find(|(manager, _)| Path::new(manager).exists());
        let install = known.map_or(String::new(), |(_, command)| format!(" (`{command}`)"));
        format!(
            "Install it{install}, or set KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL to servers that you have."
        )
    };
    match installed.first() {
        Some(newest) if newest.major >= OLDEST_MAJOR => Ok(newest),
        Some(old) => Err(Refusal::failed(
            format!("PostgreSQL {OLDEST_MAJOR} or newer is needed, this machine has {}", old.major),
            hint(),
        )),
        None => Err(Refusal::failed("this machine has no PostgreSQL server programs", hint())),
    }
}

/// The version that existing data require.
pub(super) fn of_major<'a>(installed: &'a [Installation], major: u32, data: &Path) -> Result<&'a Installation> {
    installed.iter().find(|installation| installation.major == major).ok_or_else(|| {
        Refusal::failed(
            format!("\"{}\" was made by PostgreSQL {major}, which this machine does not have", data.display()),
            format!("Install PostgreSQL {major}, or remove \"{}\" to start again.", data.display()),
        )
    })
}

/// psql, which works with servers of every version: from a server's folder of programs, or else from PATH.
pub(super) fn psql(search_path: Option<&OsStr>) -> Result<PathBuf> {
    let beside = candidates(search_path).into_iter().map(|programs| programs.join("psql"));
    let on_path = folders(search_path).into_iter().map(|folder| folder.join("psql"));
    beside.chain(on_path).find(|psql| psql.is_file()).ok_or_else(|| {
        Refusal::failed(
            "this machine has no psql",
            "Install PostgreSQL's client (`apt-get install postgresql-client`).",
        )
    })
}

/// Folders with both programs, with links resolved: PATH may lead to a link into the real folder.
fn candidates(search_path: Option<&OsStr>) -> Vec<PathBuf> {
    let mut folders = folders(search_path);
    folders.extend(pg_config_folder(search_path));
    for (base, beginning, inner) in VERSIONED {
        folders.extend(versions(Path::new(base), beginning).map(|version| version.join(inner)));
    }
    folders.push(FROM_SOURCE.into());

    let real = |folder: PathBuf| Some(fs::canonicalize(folder.join("postgres")).ok()?.parent()?.to_owned());
    let complete = |folder: &PathBuf| folder.join("postgres").is_file() && folder.join("initdb").is_file();
    folders.into_iter().filter_map(real).filter(complete).collect()
}

fn folders(search_path: Option<&OsStr>) -> Vec<PathBuf> {
    // An empty entry of PATH means the working directory, where a server's programs should not come from.
    search_path.map(std::env::split_paths).into_iter().flatten().filter(|folder| folder.is_absolute()).collect()
}

fn pg_config_folder(search_path: Option<&OsStr>) -> Option<PathBuf> {
    let pg_config = folders(search_path).into_iter().map(|folder| folder.join("pg_config")).find(|it| it.is_file())?;
    let output = Command::new(pg_config).arg("--bindir").stdin(Stdio::null()).output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end()))
}

fn versions<'a>(base: &Path, beginning: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    entries.filter(move |entry| entry.file_name().to_string_lossy().starts_with(beginning)).map(|entry| entry.path())
}

fn major_version(postgres: &Path, os_user: &OsUser) -> Result<Option<u32>> {
    match os_user.command(postgres).arg("--version").current_dir("/").stdin(Stdio::null()).output() {
        Ok(output) => Ok(major_in(&String::from_utf8_lossy(&output.stdout))),
        Err(error) if is_short_of_something(&error) => Err(Refusal::failed(
            format!("could not run \"{}\": {error}", postgres.display()),
            "Raise that limit of the process, such as `ulimit -n` for open files.",
        )),
        Err(_) => Ok(None),
    }
}

/// Whether the system had no room for another process or its pipes.
fn is_short_of_something(error: &std::io::Error) -> bool {
    let code = Errno::from_io_error(error);
    code.is_some_and(|code| [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM].contains(&code))
}

/// Reads the version from `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 18beta1`.
fn major_in(line: &str) -> Option<u32> {
    let version = line.split_once("(PostgreSQL) ")?.1;
    version.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(major_in("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_in("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_in("postgres (PostgreSQL) 9.6.24\n"), Some(9));
        assert_eq!(major_in("bash: postgres: command not found\n"), None);
    }

    #[test]
    fn the_newest_is_taken_and_one_that_is_too_old_is_named() {
        let installed = |major| Installation { programs: "/pg".into(), major };
        assert_eq!(newest(&[installed(17), installed(15)]).unwrap().major, 17);
        let error = newest(&[installed(13)]).unwrap_err().to_string();
        assert_eq!(error, "PostgreSQL 14 or newer is needed, this machine has 13");
        let error = newest(&[]).unwrap_err().to_string();
        assert_eq!(error, "this machine has no PostgreSQL server programs");
    }
}
