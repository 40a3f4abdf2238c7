//! The user that the private servers run as: the present one, or an unprivileged one if that is root, because
//! PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::error::{Refusal, Result};

const ROOT: u32 = 0;

/// In this order: PostgreSQL's own user, which its packages create, then a user that every system has.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OsUser {
    uid: u32,
    gid: u32,
}

impl OsUser {
    /// The user for servers without data.
    pub(super) fn for_new_servers() -> Result<Self> {
        if !is_root() {
            return Ok(Self::ourselves());
        }
        UNPRIVILEGED.iter().find_map(|name| by_name(name)).ok_or_else(|| {
            Refusal::failed(
                "PostgreSQL does not run as root, and there is no user \"postgres\" or \"nobody\" to run it as",
                "Run Kalends as an ordinary user, or create the user \"postgres\".",
            )
        })
    }

    /// The user of servers with data: the owner of these.
    pub(super) fn of_data(folder: &Path) -> Result<Self> {
        let metadata = fs::metadata(folder).with_context(|| format!("could not look at \"{}\"", folder.display()))?;
        let owner = Self { uid: metadata.uid(), gid: metadata.gid() };
        match (is_root(), owner.uid) {
            (true, ROOT) => Self::for_new_servers(),
            (false, uid) if uid != Self::ourselves().uid => Err(belongs_to(folder, uid)),
            _ => Ok(owner),
        }
    }

    fn ourselves() -> Self {
        Self { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
    }

    /// The user's number. The name of the sockets' folder is derived from it and from the servers' folder.
    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    /// The user's name, as the server sees it for a client of its socket.
    pub(super) fn name(&self) -> Result<String> {
        name_of(self.uid).ok_or_else(|| {
            Refusal::failed(
                format!("user {} has no name on this machine, and PostgreSQL does not run without one", self.uid),
                "Add the user to /etc/passwd, or run Kalends as another one.",
            )
        })
    }

    /// A program that runs as this user, in an environment with only the variables that are added to it.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Messages in English, because `server.rs` reads them. Also, macOS refuses a server without a locale.
        command.env_clear().env("LC_ALL", "C");
        if is_root() {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes this user the owner.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        if !is_root() {
            return Ok(());
        }
        lchown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("could not give \"{}\" to user {}", path.display(), self.uid))
    }

    /// Whether this user can reach `folder`, through all its parents.
    ///
    /// Checks permission bits only. If an access list allows more, this is merely too careful.
    pub(super) fn can_reach(&self, folder: &Path) -> bool {
        folder.ancestors().all(|step| {
            fs::metadata(step).is_ok_and(|metadata| {
                let bit = if metadata.uid() == self.uid {
                    0o100
                } else if metadata.gid() == self.gid {
                    0o010
                } else {
                    0o001
                };
                metadata.mode() & bit != 0
            })
        })
    }
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Refuses a folder of another user, unless the present one is root.
pub(super) fn check_owner(folder: &Path) -> Result<()> {
    let metadata = fs::metadata(folder).with_context(|| format!("could not look at \"{}\"", folder.display()))?;
    match is_root() || metadata.uid() == OsUser::ourselves().uid {
        true => Ok(()),
        false => Err(belongs_to(folder, metadata.uid())),
    }
}

fn belongs_to(folder: &Path, uid: u32) -> anyhow::Error {
    let owner = name_of(uid).unwrap_or_else(|| uid.to_string());
    Refusal::failed(
        format!("the private servers in \"{}\" belong to user \"{owner}\"", folder.display()),
        format!("Run Kalends as \"{owner}\", or name another folder in KALENDS_LOCAL."),
    )
}

fn by_name(name: &str) -> Option<OsUser> {
    let listed = users().into_iter().find(|user| user.name == name).map(|user| (user.uid, user.gid));
    let (uid, gid) = listed.or_else(|| Some((id("-u", name)?.parse().ok()?, id("-g", name)?.parse().ok()?)))?;
    (uid != ROOT).then_some(OsUser { uid, gid })
}

fn name_of(uid: u32) -> Option<String> {
    let listed = users().into_iter().find(|user| user.uid == uid).map(|user| user.name);
    listed.or_else(|| id("-un", &uid.to_string()))
}

struct User {
    name: String,
    uid: u32,
    gid: u32,
}

fn users() -> Vec<User> {
    let listed = fs::read("/etc/passwd").unwrap_or_default();
    let user = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some(User { name, uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    };
    String::from_utf8_lossy(&listed).lines().filter_map(user).collect()
}

/// For users that are not in `/etc/passwd`: those of a directory server, and all users of macOS.
fn id(what: &str, whom: &str) -> Option<String> {
    let output = Command::new("id").args([what, whom]).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !answer.is_empty()).then_some(answer)
}
