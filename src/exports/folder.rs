//! The export folder: files that are there whole or not at all. Nothing outside the folder can be reached through it,
//! whatever links somebody plants in it.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
use rustix::fs::{FlockOperation, flock};

use super::manifest::{self, Manifest};
use crate::error::{Refusal, Result};

/// How long a folder that somebody holds is waited for: much longer than `status` looks at every file, so that watching
/// makes no run fail, and much shorter than anybody would wait for a run that publishes.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// An export folder, held by this process alone.
pub struct Folder {
    dir: Dir,
    /// The same folder, opened so that it can be locked and flushed.
    held: File,
    path: PathBuf,
}

fn hold(held: &File, path: &Path) -> Result<()> {
    let waiting_since = Instant::now();
    loop {
        match flock(held.as_fd(), FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) if waiting_since.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let who = holder(held).map_or_else(String::new, |pid| format!(": process {pid}"));
                return Err(Refusal::held(
                    format!("another run is publishing into \"{}\"{who}", path.display()),
                    "Try again when it has ended, or wait for that with --wait 60s.",
                ));
            }
            locked => {
                return locked.with_context(|| format!("could not hold the export folder \"{}\"", path.display()));
            }
        }
    }
}

/// The process that holds the folder, where the system says so: a line of it is
/// `1: FLOCK  ADVISORY  WRITE 4711 fe:00:393217 0 EOF`. On layered file systems the device is not the file's own.
fn holder(held: &File) -> Option<u32> {
    let inode = rustix::fs::fstat(held.as_fd()).ok()?.st_ino.to_string();
    std::fs::read_to_string("/proc/locks").ok()?.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().skip(1).take(5).collect();
        let [kind, _, _, pid, place] = words.as_slice().try_into().ok()?;
        let is_ours = kind == "FLOCK" && place.rsplit(':').next() == Some(&inode);
        is_ours.then(|| pid.parse().ok()).flatten().filter(|&pid| pid > 0)
    })
}

impl Folder {
    /// Opens a folder and holds it; `None` where there is none.
    ///
    /// # Errors
    /// Busy when another process holds it.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let dir = match Dir::open_ambient_dir(path, ambient_authority()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.with_context(|| format!("could not open the export folder \"{}\"", path.display()))?,
        };
        let held = dir.open(".").with_context(|| format!("could not open the export folder \"{}\"", path.display()))?;
        hold(&held, path)?;
        Ok(Some(Self { dir, held, path: path.to_path_buf() }))
    }

    /// Makes a folder and holds it.
    ///
    /// # Errors
    /// As [`Folder::open`], and when it cannot be made.
    pub fn make(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("could not make the export folder \"{}\"", path.display()))?;
        Self::open(path)?.with_context(|| format!("the export folder \"{}\" went away", path.display()))
    }

    /// The manifest; `None` where nothing was published yet.
    ///
    /// # Errors
    /// Refuses a manifest that cannot be read: without it nobody knows which files are Kalends'.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        let Some(bytes) = self.read(manifest::NAME)? else { return Ok(None) };
        let path = self.path.join(manifest::NAME).display().to_string();
        let parsed: Manifest = serde_json::from_slice(&bytes).map_err(|error| {
            Refusal::refused(
                format!("\"{path}\" is not a manifest of Kalends: {error}"),
                "Restore it, or remove it and publish again.",
            )
        })?;
        if parsed.version > manifest::VERSION {
            let message =
                format!("\"{path}\" is of version {}, this Kalends knows {}", parsed.version, manifest::VERSION);
            return Err(Refusal::refused(message, "Use the newer Kalends that wrote it."));
        }
        Ok(Some(parsed))
    }

    /// The first thing in the folder that cannot be Kalends', where it has not published anything.
    pub fn foreign(&self) -> Result<Option<String>> {
        for entry in self.dir.entries().with_context(|| self.doing("list", "."))? {
            let name = entry.with_context(|| self.doing("list", "."))?.file_name().to_string_lossy().into_owned();
            let known = name.starts_with("year=")
                || name.starts_with("iso_year=")
                || name.starts_with('.')
                || name == "lost+found";
            if !known {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// A file's bytes; `None` where there is no such file.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self.dir.read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error).with_context(|| self.doing("read", path)),
        }
    }

    /// Writes a file beside its place. Durable only after [`Folder::flush`].
    pub fn stage(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let staged = staged(path);
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.dir.create_dir_all(parent).with_context(|| self.doing("make the folder of", path))?;
        }
        // What a dead run left there, or a link that somebody planted, is not written through.
        self.remove_if_there(&staged)?;
        let mut options = OpenOptions::new();
        let mut file = self
            .dir
            .open_with(&staged, options.write(true).create_new(true))
            .with_context(|| self.doing("write", path))?;
        file.write_all(bytes).with_context(|| self.doing("write", path))
    }

    /// Puts a staged file into its place.
    pub fn place(&self, path: &str) -> Result<()> {
        self.dir.rename(staged(path), &self.dir, path).with_context(|| self.doing("put into its place", path))
    }

    /// Removes a file, what was staged for it, and the folders that are empty then.
    pub fn remove(&self, path: &str) -> Result<()> {
        self.remove_if_there(&staged(path))?;
        self.remove_if_there(path)?;
        let mut inner = path;
        while let Some((parent, _)) = inner.rsplit_once('/') {
            match self.dir.remove_dir(parent) {
                // A folder that is not empty holds something else; it stays, and so do those around it.
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => return Ok(()),
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| self.doing("remove", parent));
                }
                _ => inner = parent,
            }
        }
        Ok(())
    }

    /// Removes what was staged and never put into its place.
    pub fn unstage(&self, path: &str) -> Result<()> {
        self.remove_if_there(&staged(path))
    }

    fn remove_if_there(&self, path: &str) -> Result<()> {
        match self.dir.remove_file(path) {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(error).with_context(|| self.doing("remove", path))
            }
            _ => Ok(()),
        }
    }

    /// Makes everything written, renamed and removed so far survive a power cut: one flush for all files and folders.
    #[cfg(target_os = "linux")]
    pub fn flush(&self, _paths: &[&str]) -> Result<()> {
        rustix::fs::syncfs(self.held.as_fd()).with_context(|| self.doing("flush", "."))
    }

    /// Makes everything written, renamed and removed so far survive a power cut: file by file, and their folders.
    #[cfg(not(target_os = "linux"))]
    pub fn flush(&self, paths: &[&str]) -> Result<()> {
        for path in paths {
            for name in [&staged(path), *path] {
                if let Ok(file) = self.dir.open(name) {
                    file.sync_all().with_context(|| self.doing("flush", path))?;
                }
            }
            let mut inner = *path;
            while let Some((parent, _)) = inner.rsplit_once('/') {
                self.flush_folder(parent)?;
                inner = parent;
            }
        }
        self.flush_folder(".")
    }

    fn flush_folder(&self, path: &str) -> Result<()> {
        let folder = match self.dir.open(path) {
            // A folder that was emptied is gone, and so is what there was to flush.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened.with_context(|| self.doing("flush", path))?,
        };
        folder.sync_all().with_context(|| self.doing("flush", path))
    }

    /// Replaces the manifest, durably.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(manifest)?;
        bytes.push(b'\n');
        self.stage(manifest::NAME, &bytes)?;
        let file = self.dir.open(staged(manifest::NAME)).with_context(|| self.doing("flush", manifest::NAME))?;
        file.sync_all().with_context(|| self.doing("flush", manifest::NAME))?;
        self.place(manifest::NAME)?;
        self.flush_folder(".")
    }

    fn doing(&self, what: &str, path: impl Display) -> String {
        format!("could not {what} \"{}\"", self.path.join(path.to_string()).display())
    }
}

/// The name of a file before it is in its place: beside it, and hidden from readers that look for `*.csv`.
fn staged(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/.{name}.staged"),
        None => format!(".{path}.staged"),
    }
}
