//! Writes the index after files were published: what was just found right, and what was known before.

use std::collections::BTreeSet;

use super::content::{Scope, Which, sha256};
use super::due::{Due, Fault};
use super::folder::Folder;
use super::index::{self, Head, Index, Indexed};
use super::manifest::{self, Manifest};
use super::stat::{self, Moment, Stat};
use super::state::{Accounts, Part, State, Versions};
use super::unmoved::Unmoved;
use super::wanted::{File, Target};
use crate::calendar::{Day, Level};
use crate::error::Result;

/// What was done in a folder.
pub(super) struct Done<'a> {
    pub(super) folder: &'a Folder,
    /// As it is in the folder now.
    pub(super) manifest: &'a Manifest,
    /// What was written of it, if it was.
    pub(super) written: Option<Vec<u8>>,
    pub(super) wanted: &'a Target,
    pub(super) due: &'a Due,
    pub(super) scope: Scope,
    pub(super) which: Which,
    /// The versions of the warehouse's notes of published files, if they are what was published.
    pub(super) noted: Option<(i64, i64)>,
}

/// Writes the index. It is a cache, so that it cannot be written is no failure.
pub(super) fn renew(done: &Done<'_>) {
    let written = match done.manifest.files.is_empty() {
        true => done.folder.remove(index::NAME).map(drop),
        false => done.index().and_then(|index| index.map_or(Ok(()), |index| index.write(done.folder))),
    };
    if let Err(error) = written {
        tracing::debug!("could not write the index of the export folder: {error:#}");
        // What is left of it is removed by the next run at the latest.
        let _ = done.folder.unstage(index::NAME);
    }
}

impl Done<'_> {
    /// The new index; `None` if the system or the warehouse do not tell what it needs.
    fn index(&self) -> Result<Option<Index>> {
        let unmoved = &self.wanted.unmoved;
        let (Some((program, now)), true) = (&unmoved.now, self.manifest.pending.is_empty()) else { return Ok(None) };
        // All that was written before is past, and what is written from now on is not.
        let Some(begun) = stat::next() else { return Ok(None) };
        let seen = self.folder.read_seen(manifest::NAME)?;
        let seen = seen.filter(|(bytes, _)| match &self.written {
            Some(written) => written == bytes,
            None => self.manifest.to_bytes().is_ok_and(|written| written == *bytes),
        });
        let Some(manifest) = seen.and_then(|(_, seen)| seen).filter(|seen| seen.is_past(begun)) else {
            return Ok(None);
        };
        let listed = self.manifest.files.len();
        let state = self.state(now);
        let pages = self.manifest.pages.clone();
        let mut index = Index::new(Head { program: program.clone(), manifest, listed, pages, state });
        let mut known = Known::of(unmoved, &index.head.state);
        for path in self.manifest.files.paths() {
            let before = known.find(path);
            let file = match self.wanted.files.get(path) {
                Some(file) if !self.is_left(path, file) => {
                    let entry = &file.entry;
                    let Some(entity) = index.head.state.number(&entry.entity) else { continue };
                    let (first, stat) = (file.period.first().to_postgres(), self.seen(path, file, begun)?);
                    Some(Indexed::new(u16::try_from(entity)?, entry.level, first, entry.closed, stat))
                }
                _ => before,
            };
            // One that is left out is of a part that is left out of the state as well, so it is looked at.
            if let Some(file) = file {
                index.add(path, file);
            }
        }
        Ok(Some(index))
    }

    /// Whether an open file was left as it is, although it is not as it should be.
    fn is_left(&self, path: &str, file: &File) -> bool {
        file.fault.is_some() && self.due.open.contains(path)
    }

    /// The stat data of a file that is right by now, if any later change will show in them. What was just written is
    /// read again, so that a change by somebody else since then is noticed.
    fn seen(&self, path: &str, file: &File, begun: Moment) -> Result<Option<Stat>> {
        if !matches!(file.fault, Some(Fault::Missing | Fault::Differs)) {
            return Ok(file.stat);
        }
        let seen = self.folder.read_seen(path)?;
        let seen = seen.filter(|(bytes, _)| sha256(bytes) == file.entry.sha256).and_then(|(_, seen)| seen);
        Ok(seen.filter(|seen| seen.is_past(begun)))
    }

    /// The state that the files follow from: the present one in the scope, the one before outside of it.
    fn state(&self, now: &State) -> State {
        let then = self.wanted.unmoved.index.as_ref().map(|index| &index.head.state);
        let mut state = State { complete_through: self.manifest.complete_through.clone(), ..now.clone() };
        let noted_before = then.is_some_and(|then| then.noted.is_some() && then.noted == now.noted);
        let is_all = matches!(self.scope, Scope::Everything) && self.which == Which::All;
        state.noted = self.noted.filter(|_| is_all || noted_before);
        let mut left: BTreeSet<(&str, Level, i32)> = BTreeSet::new();
        for (_, file) in self.wanted.files.iter().filter(|(path, file)| self.is_left(path, file)) {
            left.insert((&file.entry.entity, file.period.level(), file.period.first().to_postgres()));
        }
        for accounts in &mut state.entities {
            let then = then.and_then(|then| then.of(&accounts.entity));
            let then = then.filter(|then| then.rendered_by == accounts.rendered_by);
            for versions in &mut accounts.levels {
                let level = versions.level;
                self.outside(versions, then.and_then(|then| then.versions(level)));
                versions.parts.retain(|part| !left.contains(&(accounts.entity.as_str(), level, part.0)));
            }
        }
        state
    }

    /// Replaces the parts outside of the scope by those from before. What is closed since then is still to be noted of
    /// its files, so it is left out. What is gone since then stays, or its file would be taken for one that is right.
    fn outside(&self, versions: &mut Versions, then: Option<&Versions>) {
        let Some(span) = self.scope.span(versions.level) else { return };
        let is_inside = |part: &Part| Day::from_postgres(part.0).is_some_and(|day| span.contains(day));
        let (inside, outside) = std::mem::take(&mut versions.parts).into_iter().partition(is_inside);
        versions.parts = inside;
        if let Some(then) = then {
            let there: BTreeSet<i32> = outside.iter().map(|part: &Part| part.0).collect();
            let stays = |part: &&Part| !(there.contains(&part.0) && versions.turned_since(then, part));
            let stay: Vec<_> = then.parts.iter().filter(|part| !is_inside(part)).filter(stays).copied().collect();
            versions.parts.extend(stay);
            versions.parts.sort_by_key(|part| part.0);
        }
    }
}

/// The files of the index before, found in the order of their paths.
struct Known<'a> {
    index: Option<&'a Index>,
    /// The entities' numbers in the new state.
    numbers: Vec<Option<u16>>,
    next: usize,
}

impl<'a> Known<'a> {
    fn of(unmoved: &'a Unmoved, state: &State) -> Self {
        let index = unmoved.index.as_ref();
        let entities = index.map_or(&[][..], |index| &index.head.state.entities);
        let number = |accounts: &Accounts| u16::try_from(state.number(&accounts.entity)?).ok();
        Self { index, numbers: entities.iter().map(number).collect(), next: 0 }
    }

    /// The file with a path that comes after those that were asked for.
    fn find(&mut self, path: &str) -> Option<Indexed> {
        let index = self.index?;
        while self.next < index.files.len() && index.path(self.next) < path {
            self.next += 1;
        }
        let file = index.files.get(self.next).filter(|_| index.path(self.next) == path)?;
        let entity = self.numbers.get(usize::from(file.entity)).copied().flatten()?;
        Some(Indexed::new(entity, file.level, file.day, file.closed, file.stat))
    }
}
