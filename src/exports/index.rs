//! `.kalends_index`: what is known of the folder since it was published, so that the next run need not read it again.
//! As git's index, it has the stat data of each file; also which state of the accounts the files were published from.
//!
//! It is a cache. Without it, or if anything about it is in doubt, everything is rendered and read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::folder::Folder;
use super::listed::Listed;
use super::stat::{Moment, Stat};
use super::state::State;
use crate::calendar::Level;
use crate::error::Result;

/// The index's name in the export folder.
pub(super) const NAME: &str = ".kalends_index";

/// The first bytes. The number goes up with the form.
const MAGIC: &[u8] = b"kalends index 1\n";

/// The bytes of a SHA-256, at the end.
const SEAL: usize = 32;

/// What is known of a folder.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) head: Head,
    /// Sorted by path.
    pub(super) files: Vec<Indexed>,
    /// The paths, one after the other.
    paths: String,
}

/// What the files were published from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// Which program rendered the files.
    pub(super) program: String,
    /// The manifest as it was written last.
    pub(super) manifest: Stat,
    /// How many files it lists.
    pub(super) listed: usize,
    /// The pages that it lists.
    pub(super) pages: BTreeMap<String, Listed>,
    /// The state of the accounts that the files follow from.
    pub(super) state: State,
}

/// A file as it was published.
#[derive(Debug, Clone)]
pub(super) struct Indexed {
    /// Where its path ends in [`Index::paths`]; it begins where that of the file before ends.
    end: usize,
    /// Which of the state's entities it is of.
    pub(super) entity: u16,
    pub(super) level: Level,
    /// The first day of its period.
    pub(super) day: i32,
    pub(super) closed: bool,
    /// Its stat data when its content was read and right; `None` if it is to be read again in any case.
    pub(super) stat: Option<Stat>,
}

/// The program that renders files: its version, and the size and time of its file, because programs of one version can
/// be built from different sources. `None` if the system does not tell.
pub(super) fn program() -> Option<String> {
    let file = std::fs::File::open(std::env::current_exe().ok()?).ok()?;
    let Stat { bytes, modified: Moment(seconds, nanoseconds), .. } = Stat::of(&file)?;
    Some(format!("{} {bytes} {seconds}.{nanoseconds:09}", env!("CARGO_PKG_VERSION")))
}

impl Index {
    pub(super) fn new(head: Head) -> Self {
        Self { head, files: Vec::new(), paths: String::new() }
    }

    /// Adds a file. Paths must come in order.
    pub(super) fn add(&mut self, path: &str, mut file: Indexed) {
        self.paths.push_str(path);
        file.end = self.paths.len();
        self.files.push(file);
    }

    /// The path of the file with this number.
    pub(super) fn path(&self, number: usize) -> &str {
        let begin = number.checked_sub(1).map_or(0, |before| self.files[before].end);
        &self.paths[begin..self.files[number].end]
    }

    /// All paths.
    pub(super) fn paths(&self) -> Vec<&str> {
        (0..self.files.len()).map(|number| self.path(number)).collect()
    }

    /// The number of the file with this path.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.files.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.path(middle).cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Reads a folder's index; `None` if it has none that can be used.
    pub(super) fn read(folder: &Folder) -> Option<Self> {
        let (bytes, _) = folder.read_seen(NAME).ok()??;
        let read = Self::from_bytes(&bytes);
        if read.is_none() {
            tracing::debug!("the index of the export folder cannot be used");
        }
        read
    }

    /// Writes the index, whole or not at all. It is not flushed: what a power cut leaves of it does not match its seal,
    /// or is an earlier index, which does not match manifest and files.
    ///
    /// # Errors
    /// If it cannot be written. Something else than a file in its place stays.
    pub(super) fn write(&self, folder: &Folder) -> Result<()> {
        // Refuses what is no file.
        folder.check(NAME)?;
        folder.stage(NAME, &self.to_bytes()?)?;
        folder.place(&[NAME])
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let head = serde_json::to_vec(&self.head)?;
        let mut out = Writer(Vec::with_capacity(MAGIC.len() + head.len() + self.files.len() * 96 + SEAL));
        out.0.extend_from_slice(MAGIC);
        out.number(head.len() as u64);
        out.0.extend_from_slice(&head);
        out.number(self.files.len() as u64);
        let mut before = "";
        for (number, file) in self.files.iter().enumerate() {
            let path = self.path(number);
            let alike = before.bytes().zip(path.bytes()).take_while(|(one, other)| one == other).count();
            // A path is cut between characters.
            let alike = (0..=alike.min(usize::from(u8::MAX))).rev().find(|&at| path.is_char_boundary(at)).unwrap_or(0);
            out.0.push(u8::try_from(alike)?);
            out.0.extend(u16::try_from(path.len() - alike)?.to_le_bytes());
            out.0.extend_from_slice(&path.as_bytes()[alike..]);
            out.file(file);
            before = path;
        }
        let seal = Sha256::digest(&out.0);
        out.0.extend_from_slice(&seal);
        Ok(out.0)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (sealed, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL)?)?;
        let rest = sealed.strip_prefix(MAGIC)?;
        (Sha256::digest(sealed).as_slice() == seal).then_some(())?;
        let mut from = Reader(rest);
        let head = from.number()?;
        let mut index = Self::new(serde_json::from_slice(from.take(usize::try_from(head).ok()?)?).ok()?);
        let files = usize::try_from(from.number()?).ok()?;
        // A file takes more than a byte.
        index.files.reserve(files.min(rest.len()));
        for number in 0..files {
            let alike = usize::from(from.byte()?);
            let length = usize::from(u16::from_le_bytes(from.array()?));
            let begin = number.checked_sub(1).map_or(0, |before| index.path(before).len());
            (alike <= begin).then_some(())?;
            let before = index.paths.len() - begin;
            index.paths.extend_from_within(before..before + alike);
            index.paths.push_str(std::str::from_utf8(from.take(length)?).ok()?);
            let end = index.paths.len();
            let file = from.file(end)?;
            index.files.push(file);
        }
        from.0.is_empty().then_some(index)
    }
}

impl Indexed {
    /// A file that is not added yet.
    pub(super) fn new(entity: u16, level: Level, day: i32, closed: bool, stat: Option<Stat>) -> Self {
        Self { end: 0, entity, level, day, closed, stat }
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn moment(&mut self, Moment(seconds, nanoseconds): Moment) {
        self.0.extend(seconds.to_le_bytes());
        self.0.extend(nanoseconds.to_le_bytes());
    }

    fn file(&mut self, file: &Indexed) {
        self.0.extend(file.entity.to_le_bytes());
        let level = Level::ALL.iter().position(|level| *level == file.level).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "there are six")]
        self.0.push(level as u8);
        self.0.extend(file.day.to_le_bytes());
        self.0.push(u8::from(file.closed) | (u8::from(file.stat.is_some()) << 1));
        let Some(stat) = file.stat else { return };
        self.number(stat.bytes);
        self.moment(stat.modified);
        self.moment(stat.changed);
        self.number(stat.inode);
        self.number(stat.device);
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn moment(&mut self) -> Option<Moment> {
        Some(Moment(self.array().map(i64::from_le_bytes)?, self.array().map(u32::from_le_bytes)?))
    }

    fn file(&mut self, end: usize) -> Option<Indexed> {
        let entity = u16::from_le_bytes(self.array()?);
        let level = *Level::ALL.get(usize::from(self.byte()?))?;
        let day = i32::from_le_bytes(self.array()?);
        let flags = self.byte()?;
        let stat = match flags & 2 {
            0 => None,
            _ => Some(Stat {
                bytes: self.number()?,
                modified: self.moment()?,
                changed: self.moment()?,
                inode: self.number()?,
                device: self.number()?,
            }),
        };
        Some(Indexed { end, entity, level, day, closed: flags & 1 != 0, stat })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Four files.
    pub(in crate::exports) fn example() -> Index {
        let stat = |inode| Stat { bytes: 7, modified: Moment(-1, 5), changed: Moment(i64::MAX, 9), inode, device: 3 };
        let state = State {
            warehouse: "one".to_string(),
            complete_through: BTreeMap::new(),
            noted: Some((3, -4)),
            entities: Vec::new(),
        };
        let mut index = Index::new(Head {
            program: "this".to_string(),
            manifest: stat(1),
            listed: 4,
            pages: BTreeMap::new(),
            state,
        });
        for (path, closed, stat) in [
            ("iso_year=2023/a.csv", true, None),
            ("year=2023/a.csv", false, Some(stat(u64::MAX))),
            ("year=2023/ä.csv", true, None),
            ("year=2023/ö.csv", true, Some(stat(0))),
        ] {
            index.add(path, Indexed::new(1, Level::Week, -8_000, closed, stat));
        }
        index
    }

    #[test]
    fn what_is_written_is_read_again() {
        let index = example();
        let read = Index::from_bytes(&index.to_bytes().unwrap()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{index:?}"));
        assert_eq!(read.paths(), ["iso_year=2023/a.csv", "year=2023/a.csv", "year=2023/ä.csv", "year=2023/ö.csv"]);
        assert_eq!(read.paths().iter().map(|path| read.find(path)).collect::<Vec<_>>(), [0, 1, 2, 3].map(Some));
        assert_eq!(read.find("year=2023/b.csv"), None);
    }

    #[test]
    fn an_index_that_is_cut_or_has_another_bit_anywhere_is_none() {
        let bytes = example().to_bytes().unwrap();
        for at in 0..bytes.len() {
            assert!(Index::from_bytes(&bytes[..at]).is_none(), "cut at {at}");
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(Index::from_bytes(&damaged).is_none(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn an_index_that_is_sealed_and_makes_no_sense_is_none() {
        let mut bytes = example().to_bytes().unwrap();
        bytes.truncate(bytes.len() - SEAL);
        for at in MAGIC.len()..bytes.len() {
            for value in [0, 1, 127, 128, 255] {
                let mut other = bytes.clone();
                other[at] = value;
                let seal = Sha256::digest(&other);
                other.extend_from_slice(&seal);
                // Whatever it is, it is no panic, and its paths can be asked for.
                if let Some(index) = Index::from_bytes(&other) {
                    index.paths();
                }
            }
        }
    }
}
