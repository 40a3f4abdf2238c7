//! Files that people name: read if they are regular, since a pipe would keep its reader waiting for ever, deaf to
//! signals; and written whole or not at all.

use std::fs::{File, FileType, Permissions};
use std::io::{BufWriter, Error, ErrorKind, Read as _, Result, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

/// For opening what may be a pipe: nobody has to be at its other end. A regular file is read as ever.
pub const WITHOUT_WAITING: i32 = OFlags::NONBLOCK.bits().cast_signed();

/// A file's bytes.
///
/// # Errors
/// When it cannot be read, or is not a regular file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file's text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

/// Opens a regular file, or one that a link leads to, for reading.
///
/// # Errors
/// As [`read`].
pub fn open(path: &Path) -> Result<File> {
    let opened = File::options().read(true).custom_flags(WITHOUT_WAITING).open(path);
    // A socket cannot even be opened.
    let found = opened.as_ref().map_or_else(|_| path.metadata(), File::metadata);
    match found.map(|found| found.file_type()) {
        Ok(kind) if !kind.is_file() => Err(Error::other(format!("it is {}, not a regular file", spelled_out(kind)))),
        _ => opened,
    }
}

/// Whether a file can be put there: there is none yet, or a regular one.
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

/// Writes a file whole, or leaves what was there before. Of the permissions the process's mask takes away what it must.
///
/// # Errors
/// When it cannot be written.
pub fn replace(path: &Path, mode: u32, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    stage(path, mode, write)?.persist(path)?;
    File::open(folder_of(path))?.sync_all()
}

/// The same, but never over another file.
///
/// # Errors
/// As [`replace`]; `AlreadyExists` where there is one.
pub fn create(path: &Path, mode: u32, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    stage(path, mode, write)?.persist_noclobber(path)?;
    File::open(folder_of(path))?.sync_all()
}

/// A file beside its place, written and flushed. It is gone if it is not put there.
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
