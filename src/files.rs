//! Files that people name. Only regular files are read, because a pipe would block the program, even for signals. Files
//! are written as a whole or not at all.

use std::fs::{File, FileType, Permissions};
use std::io::{BufWriter, Error, ErrorKind, Read as _, Result, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

/// For opening what may be a pipe: does not wait for a process at its other end. Has no effect on a regular file.
pub const WITHOUT_WAITING: i32 = OFlags::NONBLOCK.bits().cast_signed();

/// A file's bytes.
///
/// # Errors
/// If it cannot be read, or is not a regular file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file's text.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

/// Opens a regular file, or a link to one, for reading.
///
/// # Errors
/// As [`read`].
pub fn open(path: &Path) -> Result<File> {
    let opened = File::options().read(true).custom_flags(WITHOUT_WAITING).open(path);
    // A socket cannot be opened at all.
    let found = opened.as_ref().map_or_else(|_| path.metadata(), File::metadata);
    match found.map(|found| found.file_type()) {
        Ok(kind) if !kind.is_file() => Err(Error::other(format!("it is {}, not a regular file", spelled_out(kind)))),
        _ => opened,
    }
}

/// Checks that a file can be written there: none exists, or a regular one.
///
/// # Errors
/// Names what is in the way.
pub fn check_place(path: &Path) -> Result<()> {
    match path.metadata().map(|found| found.file_type()) {
        Ok(kind) if !kind.is_file() => Err(Error::other(format!("it is {}, not a regular file", spelled_out(kind)))),
        _ => Ok(()),
    }
}

/// The folder that a file is in, or would be.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file as a whole, or leaves the previous one. The process's umask limits the permissions.
///
/// # Errors
/// If it cannot be written.
pub fn replace(path: &Path, mode: u32, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    stage(path, mode, write)?.persist(path)?;
    File::open(folder_of(path))?.sync_all()
}

/// The same, but never replaces a file.
///
/// # Errors
/// As [`replace`]; `AlreadyExists` if there is a file.
pub fn create(path: &Path, mode: u32, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    stage(path, mode, write)?.persist_noclobber(path)?;
    File::open(folder_of(path))?.sync_all()
}

/// A temporary file in the same folder, written and flushed. It is removed unless it is renamed.
fn stage(path: &Path, mode: u32, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<NamedTempFile> {
    let permissions = Permissions::from_mode(mode);
    let mut named = tempfile::Builder::new();
    let mut staged =
        named.prefix(".kalends.").suffix(".staged").permissions(permissions).tempfile_in(folder_of(path))?;
    let mut file = BufWriter::new(staged.as_file_mut());
    write(&mut file)?;
    file.flush()?;
    drop(file);
    staged.as_file().sync_all()?;
    Ok(staged)
}

/// What is not a regular file, in words.
pub fn spelled_out(kind: FileType) -> &'static str {
    match kind {
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    }
}
