//! What is in an export folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What a run remembers of the folder.
pub const INDEX: &str = ".kalends_index";

/// A file as its folder has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub inode: u64,
    pub modified_ns: i64,
    pub bytes: Vec<u8>,
}

pub fn tree(root: &Path) -> BTreeMap<String, File> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = Vec::new();
            // A link to a folder is a thing of its own.
            if !path.is_dir() {
                fs::File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
            }
            let modified_ns = metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if name != INDEX {
                files.insert(name, File { inode: metadata.ino(), modified_ns, bytes });
            }
        }
    }
    files
}
