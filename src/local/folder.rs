//! The folder of the private servers: what is in it, who owns it, and the locks that commands share.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, lchown, symlink,
};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::os_user::{self, OsUser};
use super::side::ROLE;
use crate::error::{Refusal, Result};

/// For data, if the servers' user cannot reach the folder that was asked for.
const ELSEWHERE: &str = "/var/lib/kalends";

/// For sockets, if their path would be too long.
const SHORT: &str = "/tmp";

/// The longest path of a socket on macOS; Linux allows 4 bytes more. PostgreSQL adds the name to the folder.
const SOCKET_PATH_BYTES: usize = 103;
const SOCKET_NAME: &str = "/.s.PGSQL.5432";

/// Who may log in: only the user that runs the servers, and root, who could become that user anyway.
const ACCESS: &str = "# Written by Kalends at each start.\nlocal  all  kalends  peer map=kalends\n";

/// The folder of the private servers.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    sockets: PathBuf,
    /// The folder of the servers' data: `data` in the folder, with links resolved.
    pub(super) data: PathBuf,
    /// The user that runs them.
    pub(super) os_user: OsUser,
}

/// A locked file. The lock ends when the last process that has the file open closes it.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Waits for an exclusive lock of `file`.
    fn wait(file: File) -> Result<Self> {
        while let Err(errno) = flock(&file, FlockOperation::LockExclusive) {
            if errno != Errno::INTR {
                return Err(errno).context("could not lock a file of the private servers");
            }
        }
        Ok(Self(file))
    }

    fn try_with(file: File, operation: FlockOperation) -> Result<Option<Self>> {
        match flock(&file, operation) {
            Ok(()) => Ok(Some(Self(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno).context("could not lock a file of the private servers"),
        }
    }

    /// Locks a file exclusively, and creates it if it is missing; `None` if others have locked it.
    pub(super) fn try_alone(path: &Path) -> Result<Option<Self>> {
        Self::try_with(open_plain(path)?, FlockOperation::NonBlockingLockExclusive)
    }

    /// Whether somebody has locked a file exclusively; false if there is no such file.
    pub(super) fn is_held(path: &Path) -> Result<bool> {
        match File::open(path) {
            Ok(file) => Ok(Self::try_with(file, FlockOperation::NonBlockingLockShared)?.is_none()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("could not open \"{}\"", path.display())),
        }
    }

    /// The same lock, for a process that gets it as its standard input.
    pub(super) fn to_hand_on(&self) -> Result<File> {
        self.0.try_clone().context("could not hand on the lock of a private server")
    }
}

impl Folder {
    /// Creates what is missing. As long as the lock lives, no other command starts or stops the servers.
    pub(super) fn open(path: &Path) -> Result<(Self, Lock)> {
        make_folder(path, if os_user::is_root() { 0o711 } else { 0o700 })?;
        let path = fs::canonicalize(path).with_context(|| format!("could not find \"{}\"", path.display()))?;
        os_user::check_owner(&path)?;
        let lock = Lock::wait(open_plain(&path.join("start.lock"))?)?;
        let data = match fs::canonicalize(path.join("data")) {
            Ok(data) => data,
            Err(_) => make_data(&path)?,
        };
        Ok((Self::at(path, data)?, lock))
    }

    /// The folder as it is; `None` if it has no servers.
    pub(super) fn find(path: &Path) -> Result<Option<Self>> {
        let Ok(path) = fs::canonicalize(path) else { return Ok(None) };
        let Ok(data) = fs::canonicalize(path.join("data")) else { return Ok(None) };
        os_user::check_owner(&path)?;
        Self::at(path, data).map(Some)
    }

    fn at(path: PathBuf, data: PathBuf) -> Result<Self> {
        let made = ["production", "warehouse"].map(|server| data.join(server)).into_iter().find(|it| it.exists());
        let os_user = match made {
            Some(server) => OsUser::of_data(&server)?,
            None => OsUser::for_new_servers()?,
        };
        let near = data.join("socket");
        let sockets = if fits(&near) {
            near
        } else {
            let origin = [data.as_os_str().as_bytes(), &os_user.uid().to_le_bytes()].concat();
            Path::new(SHORT).join(format!("kalends-{}", short_hash(&origin)))
        };
        Ok(Self { path, sockets, data, os_user })
    }

    /// Waits until nobody else starts or stops the servers.
    pub(super) fn lock_start(&self) -> Result<Lock> {
        Lock::wait(open_plain(&self.path.join("start.lock"))?)
    }

    /// Notes that this command uses the servers. The caller must hold the start lock.
    pub(super) fn share_users(&self) -> Result<Lock> {
        let users = open_plain(&self.path.join("users.lock"))?;
        Lock::try_with(users, FlockOperation::NonBlockingLockShared)?
            .context("\"users.lock\" of the private servers is locked by another program")
    }

    /// Whether nobody uses the servers. The caller must hold the start lock, so that nobody starts to.
    pub(super) fn is_unused(&self) -> Result<bool> {
        Ok(Lock::try_alone(&self.path.join("users.lock"))?.is_some())
    }

    /// Whether the servers keep running if nobody uses them.
    pub(super) fn is_left_running(&self) -> bool {
        self.path.join("kept").exists()
    }

    /// Makes the servers keep running.
    pub(super) fn keep(&self) -> Result<()> {
        open_plain(&self.path.join("kept")).map(drop)
    }

    /// Makes the servers stop with the last command that uses them.
    pub(super) fn keep_no_longer(&self) -> Result<()> {
        gone(fs::remove_file(self.path.join("kept"))).context("could not remove \"kept\"")
    }

    /// The folder of the sockets.
    pub(super) fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// Creates what both servers need before one of them starts.
    pub(super) fn prepare(&self) -> Result<()> {
        make_folder(&self.sockets, 0o700)?;
        check_private(&self.sockets, &self.os_user)?;
        self.os_user.own(&self.sockets)?;
        write(&self.data.join("access.conf"), ACCESS)?;
        let users = format!("kalends  root  {ROLE}\nkalends  \"{}\"  {ROLE}\n", self.os_user.name()?);
        write(&self.data.join("users.conf"), &format!("# Written by Kalends at each start.\n{users}"))
    }

    /// Creates an empty folder for the servers' user, and removes what an interrupted attempt left there.
    pub(super) fn make_empty(&self, path: &Path) -> Result<()> {
        gone(fs::remove_dir_all(path)).with_context(|| format!("could not remove \"{}\"", path.display()))?;
        make_folder(path, 0o700)?;
        self.os_user.own(path)
    }

    /// Removes the sockets' folder from the shared `/tmp`.
    pub(super) fn forget_sockets(&self) {
        if self.sockets.starts_with(SHORT) {
            // It is not empty if another command is just starting the servers, and then belongs to that one.
            let _ = fs::remove_dir(&self.sockets);
        }
    }
}

/// Replaces a file that the servers read. Never writes through a link that another user may have put there.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        gone(fs::remove_file(&new))?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        // Whatever the umask is: if root writes it, another user reads it.
        file.set_permissions(Permissions::from_mode(0o644))?;
        fs::rename(&new, path)
    };
    write().with_context(|| format!("could not write \"{}\"", path.display()))?;
    hand_over(path)
}

/// Opens one of our files for appending, and creates it if it is missing. Follows no link.
pub(super) fn open_plain(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .with_context(|| format!("could not open \"{}\"", path.display()))?;
    hand_over(path)?;
    Ok(file)
}

/// The free space, for ordinary users, on the disk of a folder.
pub(super) fn room_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// If root creates something in a user's folder, that user must own it, or could not open it later.
fn hand_over(path: &Path) -> Result<()> {
    let Some(folder) = path.parent().filter(|_| os_user::is_root()) else { return Ok(()) };
    let give = || fs::metadata(folder).and_then(|owner| lchown(path, Some(owner.uid()), Some(owner.gid())));
    give().with_context(|| format!("could not hand over \"{}\"", path.display()))
}

fn make_folder(path: &Path, mode: u32) -> Result<()> {
    let make = || match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    make().with_context(|| format!("could not make the folder \"{}\"", path.display()))
}

/// Creates `data` in the folder, or a link there to a folder that the servers' user can reach.
fn make_data(folder: &Path) -> Result<PathBuf> {
    let data = folder.join("data");
    if !os_user::is_root() {
        make_folder(&data, 0o700)?;
        return Ok(data);
    }
    if OsUser::for_new_servers()?.can_reach(folder) {
        make_folder(&data, 0o711)?;
        return Ok(data);
    }
    let elsewhere = make_elsewhere(folder).with_context(|| format!("could not make a folder in \"{ELSEWHERE}\""))?;
    gone(fs::remove_file(&data))
        .and_then(|()| symlink(&elsewhere, &data))
        .with_context(|| format!("could not link \"{}\"", data.display()))?;
    Ok(elsewhere)
}

/// Creates a new folder. An existing one may still have the rows of a folder of this name that was removed.
fn make_elsewhere(folder: &Path) -> std::io::Result<PathBuf> {
    fs::create_dir_all(ELSEWHERE)?;
    fs::set_permissions(ELSEWHERE, Permissions::from_mode(0o755))?;
    let name = short_hash(folder.as_os_str().as_bytes());
    let mut path = Path::new(ELSEWHERE).join(&name);
    let mut number = 1;
    while let Err(error) = DirBuilder::new().mode(0o700).create(&path) {
        if error.kind() != ErrorKind::AlreadyExists {
            return Err(error);
        }
        number += 1;
        path = Path::new(ELSEWHERE).join(format!("{name}-{number}"));
    }
    fs::set_permissions(&path, Permissions::from_mode(0o711))?;
    Ok(path)
}

/// In `/tmp` another user may have created it first, to get between us and our servers.
fn check_private(folder: &Path, os_user: &OsUser) -> Result<()> {
    let metadata =
        fs::symlink_metadata(folder).with_context(|| format!("could not look at \"{}\"", folder.display()))?;
    let ours = metadata.uid() == os_user.uid() || (os_user::is_root() && metadata.uid() == 0);
    if metadata.is_dir() && ours && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(Refusal::refused(
        format!("\"{}\" is not a folder of the servers' user alone", folder.display()),
        "Remove it if it is yours, or name a folder with a shorter path in KALENDS_LOCAL.",
    ))
}

/// Whether a socket can be there: the path must be short enough, and have no character with a meaning in a list of
/// folders.
fn fits(folder: &Path) -> bool {
    let bytes = folder.as_os_str().as_bytes();
    let plain = |byte: &u8| (b' '..=b'~').contains(byte) && !b",\"'\\".contains(byte);
    bytes.len() + SOCKET_NAME.len() <= SOCKET_PATH_BYTES && bytes.iter().all(plain)
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A file that does not exist counts as removed.
fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
