//! The export folder. Its files are complete or not there. No link in it leads Kalends out of the folder.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, FileType, FileTypeExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{FlockOperation, flock};

use super::listed::{BEGINS, FIRST, may_be_there};
use super::manifest::{self, Manifest};
use super::stat::Stat;
use super::way::{Way, side_by_side};
use crate::error::{Refusal, Result};
use crate::files::WITHOUT_WAITING;

/// How long to wait for a folder that another process has locked: much longer than `status` reads all files, so that
/// monitoring makes no run fail, and much shorter than a run publishes.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// How many files a thread writes or renames, at least: fewer are done before it has started.
const FILES_OF_A_THREAD: usize = 200;

/// The errors of removing a folder that must stay.
const STAYS: [ErrorKind; 3] = [ErrorKind::DirectoryNotEmpty, ErrorKind::NotADirectory, ErrorKind::ResourceBusy];

/// An export folder, locked by this process.
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
                    "Try again when it has ended, or let this command wait with --wait 60s.",
                ));
            }
            locked => {
                return locked.with_context(|| format!("could not hold the export folder \"{}\"", path.display()));
            }
        }
    }
}

/// The process that has locked the folder, if the system tells. Its list has lines such as `1: FLOCK  ADVISORY  WRITE
/// 4711 fe:00:393217 0 EOF`. On layered file systems the device is not the file's own.
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
    /// Opens and locks a folder; `None` if there is none.
    ///
    /// # Errors
    /// Busy if another process has locked it.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let dir = match Dir::open_ambient_dir(path, ambient_authority()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.with_context(|| format!("could not open the export folder \"{}\"", path.display()))?,
        };
        let held = dir.open(".").with_context(|| format!("could not open the export folder \"{}\"", path.display()))?;
        hold(&held, path)?;
        Ok(Some(Self { dir, held, path: path.to_path_buf() }))
    }

    /// Creates and locks a folder.
    ///
    /// # Errors
    /// As [`Folder::open`], and if it cannot be created.
    pub fn make(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("could not make the export folder \"{}\"", path.display()))?;
        Self::open(path)?.with_context(|| format!("the export folder \"{}\" went away", path.display()))
    }

    /// The manifest; `None` if nothing was published yet. One with these stat data is `known` to be as it was written.
    ///
    /// # Errors
    /// Refuses a manifest that cannot be read: without it, nothing shows which files are Kalends'.
    pub fn manifest(&self, known: Option<Stat>) -> Result<Option<Manifest>> {
        let Some((bytes, seen)) = self.read_seen(manifest::NAME)? else { return Ok(None) };
        let (path, is_known) = (self.path.join(manifest::NAME), known.is_some() && known == seen);
        Manifest::read(&bytes, &path.display().to_string(), is_known).map(Some)
    }

    /// The first thing in the folder that cannot be Kalends', if nothing was published into it. Besides folders of
    /// years, these may be.
    pub fn foreign(&self, ours: &BTreeSet<&str>) -> Result<Option<String>> {
        let has_pages = self.read(FIRST)?.is_some_and(|bytes| bytes.starts_with(BEGINS.as_bytes()));
        for entry in self.dir.entries().with_context(|| self.doing("list", "."))? {
            let name = entry.with_context(|| self.doing("list", "."))?.file_name().to_string_lossy().into_owned();
            if !may_be_there(&name, has_pages) && !ours.contains(name.as_str()) && name != "lost+found" {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// A file's bytes; `None` if there is no such file.
    ///
    /// # Errors
    /// Refuses a path on which something is not a file or folder as it should be.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.read_seen(path)?.map(|(bytes, _)| bytes))
    }

    /// The same, with its stat data from before it was read.
    pub(super) fn read_seen(&self, path: &str) -> Result<Option<(Vec<u8>, Option<Stat>)>> {
        let mut file = match self.open_to_read(path) {
            Ok(file) => file,
            Err(error) => {
                self.check(path)?;
                let absent = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
                return if absent { Ok(None) } else { Err(error).with_context(|| self.doing("read", path)) };
            }
        };
        let found = file.metadata().with_context(|| self.doing("read", path))?;
        if !found.is_file() {
            return Err(self.in_the_way(path, spelled_out(found.file_type())));
        }
        let seen = Stat::of(&file);
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
        file.read_to_end(&mut bytes).with_context(|| self.doing("read", path))?;
        Ok(Some((bytes, seen)))
    }

    /// Does not wait for the other end of a pipe.
    fn open_to_read(&self, path: &str) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        self.dir.open_with(path, options.read(true).custom_flags(WITHOUT_WAITING))
    }

    /// Checks that a path leads to a file or to nothing, through folders only. The folders may be links that stay
    /// inside the export folder.
    ///
    /// # Errors
    /// Refuses anything else, by name.
    pub fn check(&self, path: &str) -> Result<()> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for part in ends.map(|end| &path[..end]) {
            let found = match self.dir.symlink_metadata(part) {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
                Ok(found) if found.is_symlink() => match self.dir.metadata(part) {
                    Ok(found) => found,
                    Err(_) => return Err(self.in_the_way(part, "a link that leads to nothing in the export folder")),
                },
                found => found.with_context(|| self.doing("look at", part))?,
            };
            let fits = if part.len() == path.len() { found.is_file() } else { found.is_dir() };
            if !fits {
                return Err(self.in_the_way(part, spelled_out(found.file_type())));
            }
        }
        Ok(())
    }

    /// The same for the path of the staged file. A link there is removed when the file is written, wherever it leads.
    pub fn check_staged(&self, path: &str) -> Result<()> {
        let staged = staged(path);
        match self.dir.symlink_metadata(&staged) {
            Ok(found) if !found.is_file() && !found.is_symlink() => {
                Err(self.in_the_way(&staged, spelled_out(found.file_type())))
            }
            _ => Ok(()),
        }
    }

    fn in_the_way(&self, path: &str, what: &str) -> anyhow::Error {
        Refusal::refused(
            format!("\"{}\" is {what}, and in the way", self.path.join(path).display()),
            "Move it away, or name another folder with --exports or KALENDS_EXPORTS.",
        )
    }

    /// Writes a file beside its path under a hidden name, and returns it. It is durable only after [`Folder::flush`].
    pub fn stage(&self, path: &str, bytes: &[u8]) -> Result<File> {
        self.stage_at(&mut Way::from(&self.dir), path, bytes)
    }

    /// The same of many files, fastest in the order of their paths.
    pub fn stage_all(&self, files: &[(&str, &[u8])]) -> Result<()> {
        let stage = |files: &[(&str, &[u8])]| {
            let mut way = Way::from(&self.dir);
            files.iter().try_for_each(|(path, bytes)| self.stage_at(&mut way, path, bytes).map(drop))
        };
        side_by_side(files, FILES_OF_A_THREAD, stage).into_iter().collect()
    }

    fn stage_at(&self, way: &mut Way<'_>, path: &str, bytes: &[u8]) -> Result<File> {
        let (folder, name) = way.make(path).with_context(|| self.doing("make the folder of", path))?;
        let name = staged(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let created = match folder.open_with(&name, &options) {
            // What a dead run left there, or a link that somebody planted, is not written through.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.check_staged(path)?;
                self.remove_if_there(&staged(path))?;
                folder.open_with(&name, &options)
            }
            created => created,
        };
        let mut file = created.with_context(|| self.doing("write", path))?;
        file.write_all(bytes).with_context(|| self.doing("write", path))?;
        Ok(file)
    }

    /// Renames staged files to their paths, fastest in the order of these.
    pub fn place(&self, paths: &[&str]) -> Result<()> {
        let place = |paths: &[&str]| {
            let mut way = Way::from(&self.dir);
            paths.iter().try_for_each(|path| {
                let placed = way.open(path).and_then(|(folder, name)| folder.rename(staged(name), folder, name));
                placed.with_context(|| self.doing("put into its place", path))
            })
        };
        side_by_side(paths, FILES_OF_A_THREAD, place).into_iter().collect()
    }

    /// Removes a file, what was staged for it, and the folders that are then empty. Returns whether the file was there.
    pub fn remove(&self, path: &str) -> Result<bool> {
        self.remove_if_there(&staged(path))?;
        let removed = self.remove_if_there(path)?;
        let mut inner = path;
        while let Some((parent, _)) = inner.rsplit_once('/') {
            match self.dir.remove_dir(parent) {
                // A folder that is not empty holds something else; it stays, and so do those around it. So does what
                // somebody put there for a folder: a link to one, or a file system of its own.
                Err(error) if STAYS.contains(&error.kind()) => return Ok(removed),
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| self.doing("remove", parent));
                }
                _ => inner = parent,
            }
        }
        Ok(removed)
    }

    /// Removes what was staged and never renamed to its path.
    pub fn unstage(&self, path: &str) -> Result<()> {
        self.remove_if_there(&staged(path)).map(drop)
    }

    fn remove_if_there(&self, path: &str) -> Result<bool> {
        match self.dir.remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(error).with_context(|| self.doing("remove", path)),
        }
    }

    /// Makes everything written, renamed and removed so far survive a power cut, with one flush for each file system. A
    /// folder below may be on another file system.
    #[cfg(target_os = "linux")]
    pub fn flush(&self, paths: &[&str]) -> Result<()> {
        use cap_std::fs::MetadataExt as _;
        let flushed =
            |file: &File, path: &str| rustix::fs::syncfs(file.as_fd()).with_context(|| self.doing("flush", path));
        flushed(&self.held, ".")?;
        let mut devices = BTreeSet::from([self.held.metadata().with_context(|| self.doing("flush", "."))?.dev()]);
        let folders: BTreeSet<&str> =
            paths.iter().flat_map(|path| path.match_indices('/').map(|(end, _)| &path[..end])).collect();
        for folder in folders {
            let found = match self.dir.metadata(folder) {
                // A folder that was emptied is gone; what it was in is flushed.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                found => found.with_context(|| self.doing("flush", folder))?,
            };
            if devices.insert(found.dev()) {
                let opened = self.open_to_read(folder).with_context(|| self.doing("flush", folder))?;
                flushed(&opened, folder)?;
            }
        }
        Ok(())
    }

    /// Makes everything written, renamed and removed so far survive a power cut: file by file, and their folders.
    #[cfg(not(target_os = "linux"))]
    pub fn flush(&self, paths: &[&str]) -> Result<()> {
        for path in paths {
            for name in [&staged(path), *path] {
                if let Ok(file) = self.open_to_read(name) {
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
        let folder = match self.open_to_read(path) {
            // A folder that was emptied is gone, and so is what there was to flush.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened.with_context(|| self.doing("flush", path))?,
        };
        folder.sync_all().with_context(|| self.doing("flush", path))
    }

    /// Replaces the manifest, durably. Returns what was written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<Vec<u8>> {
        let bytes = manifest.to_bytes()?;
        let file = self.stage(manifest::NAME, &bytes)?;
        file.sync_all().with_context(|| self.doing("flush", manifest::NAME))?;
        self.place(&[manifest::NAME])?;
        self.flush_folder(".")?;
        Ok(bytes)
    }

    fn doing(&self, what: &str, path: impl Display) -> String {
        format!("could not {what} \"{}\"", self.path.join(path.to_string()).display())
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.held.as_fd()
    }
}

/// What kind of thing it is, in words.
fn spelled_out(kind: FileType) -> &'static str {
    match kind {
        _ if kind.is_dir() => "a folder",
        _ if kind.is_file() => "a file",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

/// The name of a staged file: beside the final one, and hidden from readers that look for `*.csv`.
fn staged(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/.{name}.staged"),
        None => format!(".{path}.staged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_file_is_beside_its_path() {
        assert_eq!(
            (staged("a/b/c.csv"), staged("c.csv")),
            ("a/b/.c.csv.staged".to_string(), ".c.csv.staged".to_string())
        );
    }
}
