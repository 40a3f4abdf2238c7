//! Files that are as the accounts have them, told without rendering or reading them: neither their accounts nor the
//! files have changed since they were published and found right. All others are rendered and read.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd as _;

use super::content::{Scope, Which};
use super::folder::Folder;
use super::formed::Formed;
use super::index::{self, Index, Indexed};
use super::known;
use super::manifest::{self, Manifest};
use super::stat::{self, Moment};
use super::state::{Accounts, State};
use crate::calendar::{Day, Level, Span};
use crate::entity::Model;
use crate::error::Result;
use crate::settings::Exports;
use crate::warehouse::Reading;

/// So many questions about single days cost as much as one about all.
const MOST_SPANS: usize = 100;

/// What is known without rendering and reading.
#[derive(Default)]
pub(super) struct Unmoved {
    /// The file system's time when it was looked at first. What is read later and was changed before is past.
    pub(super) begun: Option<Moment>,
    /// Which program this is, and the present state of the accounts; `None` if they do not tell.
    pub(super) now: Option<(String, State)>,
    /// What was known of the folder. `None` if nothing is.
    pub(super) index: Option<Index>,
    /// Whether each file of the index is known to be right.
    pub(super) right: Vec<bool>,
    /// By the index's entities and by level, the first days of what has to be rendered. Of others everything has.
    moved: Vec<[Option<BTreeSet<i32>>; Level::ALL.len()]>,
}

impl Unmoved {
    /// Compares accounts and files with what was noted of them.
    ///
    /// # Errors
    /// If the warehouse does not answer.
    pub(super) async fn look(reading: &Reading<'_>, folder: &Folder, exports: &Exports) -> Result<Self> {
        let (begun, program) = (stat::now(), index::program());
        let Some(program) = program.filter(|_| begun.is_some() && stat::is_reliable(folder.as_fd())) else {
            return Ok(Self::default());
        };
        let found = Index::read(folder).filter(|index| {
            let manifest = stat::of_paths(folder.as_fd(), &[manifest::NAME]);
            index.head.program == program && manifest == [Some(index.head.manifest)]
        });
        let (mut looked, mut looking) = (None, None);
        if let Some(index) = found {
            let (handle, is_large) = (folder.as_fd().try_clone_to_owned(), index.files.len() > stat::FILES_OF_A_THREAD);
            let look = move || {
                let stats = stat::of_paths(handle.ok()?.as_fd(), &index.paths());
                Some((index, stats))
            };
            // Many files are looked at while the warehouse answers.
            match is_large {
                true => looking = Some(std::thread::spawn(look)),
                false => looked = look(),
            }
        }
        let entities = Formed::all_in(reading, exports, folder).await?;
        let state = State::read(reading, &entities).await?;
        looked = looking.map_or(looked, |looking| looking.join().ok().flatten());
        let Some(state) = state else { return Ok(Self { begun, ..Self::default() }) };
        let mut unmoved = Self { begun, now: Some((program, state)), ..Self::default() };
        if let Some((index, stats)) = looked
            && unmoved.follows(reading, &index).await?
        {
            unmoved.compare(index, &stats);
        }
        Ok(unmoved)
    }

    /// The same as if nothing were known of the folder.
    pub(super) fn without_index(self) -> Self {
        Self { begun: self.begun, now: self.now, ..Self::default() }
    }

    /// Whether the warehouse has made the settlements that the files were published from, and went on from there.
    async fn follows(&self, reading: &Reading<'_>, index: &Index) -> Result<bool> {
        let Some((_, state)) = &self.now else { return Ok(false) };
        if state.warehouse != index.head.state.warehouse {
            return Ok(false);
        }
        let settled = index.head.state.entities.iter();
        let settled = settled.filter_map(|known| Some((known.entity.as_str(), known.settled.as_ref()?)));
        let settled: Vec<_> = settled.map(|(entity, (as_of, number))| (entity, as_of.as_str(), *number)).collect();
        let known = known::of(reading, settled.iter().map(|&(entity, as_of, _)| (entity, as_of))).await?;
        Ok(settled.iter().all(|(entity, _, number)| known.get(*entity).is_some_and(|known| known >= number)))
    }

    /// Finds what has moved, in the accounts and in the folder.
    fn compare(&mut self, index: Index, stats: &[Option<stat::Stat>]) {
        let Some((_, state)) = &self.now else { return };
        self.moved = index.head.state.entities.iter().map(|then| moved_since(then, state)).collect();
        let mut touched = Vec::new();
        for (file, found) in index.files.iter().zip(stats) {
            let moved =
                self.moved.get(usize::from(file.entity)).and_then(|levels| levels[file.level as usize].as_ref());
            let stays = moved.is_some_and(|moved| !moved.contains(&file.day));
            let is_untouched = file.stat.is_some() && file.stat == *found;
            self.right.push(stays && is_untouched);
            if stays && !is_untouched {
                touched.push((usize::from(file.entity), file.level, file.day));
            }
        }
        for (entity, level, day) in touched {
            self.moved[entity][level as usize].get_or_insert_default().insert(day);
        }
        // Files of which the index does not know keep nothing from being looked at.
        self.index = (stats.len() == index.files.len()).then_some(index);
    }

    /// Whether a file is known to be as the accounts have it.
    pub(super) fn has(&self, path: &str) -> bool {
        self.index.as_ref().and_then(|index| index.find(path)).is_some_and(|number| self.right[number])
    }

    /// The paths, in order, that are not known to be as the accounts have them.
    pub(super) fn doubted<'a>(
        &'a self,
        paths: impl Iterator<Item = &'a String> + 'a,
    ) -> impl Iterator<Item = &'a String> {
        let mut next = 0;
        paths.filter(move |path| {
            let Some(index) = &self.index else { return true };
            while next < index.files.len() && index.path(next) < path.as_str() {
                next += 1;
            }
            !(next < index.files.len() && index.path(next) == path.as_str() && self.right[next])
        })
    }

    /// Whether the index has a file. One that it does not have can be known by no means.
    pub(super) fn knows(&self, path: &str) -> bool {
        self.index.as_ref().is_none_or(|index| index.find(path).is_some())
    }

    /// The spans of a level's periods that have to be rendered; `None` stands for all periods.
    pub(super) fn spans(&self, model: &Model, level: Level, scope: Scope) -> Vec<Option<Span>> {
        let within = scope.span(level);
        let entity = self.index.as_ref().and_then(|index| index.head.state.number(model.name()));
        let Some(moved) = entity.and_then(|entity| self.moved[entity][level as usize].as_ref()) else {
            return vec![within];
        };
        let mut spans: Vec<Span> = Vec::new();
        for &first in moved {
            let Some(day) = Day::from_postgres(first) else { return vec![within] };
            match spans.last_mut() {
                _ if within.is_some_and(|within| !within.contains(day)) => {}
                Some(span) if span.until == day => span.until = day.next(),
                _ => spans.push(Span { from: day, until: day.next() }),
            }
        }
        match spans.as_slice() {
            [first, .., last] if spans.len() > MOST_SPANS => vec![Some(Span { from: first.from, until: last.until })],
            _ => spans.into_iter().map(Some).collect(),
        }
    }

    /// What the warehouse has noted of the files that are not known to be right, by path; `None` if it has to be asked.
    /// As long as the notes are as they were, they are what the manifest says.
    pub(super) fn recorded(&self, manifest: &Manifest) -> Option<BTreeMap<String, String>> {
        let (index, _) = self.index.as_ref().zip(self.now.as_ref()).filter(|(index, (_, now))| {
            let noted = index.head.state.noted;
            noted.is_some() && noted == now.noted
        })?;
        let doubted = (0..index.files.len()).filter(|&number| !self.right[number]).map(|number| index.path(number));
        let recorded = doubted.filter_map(|path| Some((path.to_string(), manifest.files.get(path)?.sha256)));
        Some(recorded.collect())
    }

    /// Whether all files are known to be right, and the manifest lists them and no others.
    pub(super) fn is_everything(&self) -> bool {
        let (Some((_, now)), Some(index)) = (&self.now, &self.index) else { return false };
        let then = &index.head.state;
        let stays = |accounts: &Accounts| {
            let moved = then.number(&accounts.entity).map(|entity| &self.moved[entity]);
            moved.is_some_and(|moved| {
                let mut levels = accounts.levels.iter().map(|versions| moved[versions.level as usize].as_ref());
                levels.all(|moved| moved.is_some_and(BTreeSet::is_empty))
            })
        };
        self.right.iter().all(|right| *right)
            && now.entities.iter().all(stays)
            && now.entities.len() == then.entities.len()
            && (now.noted, &now.complete_through) == (then.noted, &then.complete_through)
            && index.head.listed == index.files.len()
    }

    /// The files of a scope that are known to be right: level, whether it is closed, and path.
    pub(super) fn of(&self, scope: Scope) -> impl Iterator<Item = (Level, bool, &str)> {
        let right = self.within(scope).filter(|(number, _)| self.right[*number]);
        right.filter_map(|(number, file)| Some((file.level, file.closed, self.index.as_ref()?.path(number))))
    }

    /// The files of a scope that the index has, with their numbers.
    fn within(&self, scope: Scope) -> impl Iterator<Item = (usize, &Indexed)> {
        let is_in = move |file: &Indexed| {
            scope.span(file.level).is_none_or(|span| Day::from_postgres(file.day).is_some_and(|day| span.contains(day)))
        };
        let files = self.index.iter().flat_map(|index| index.files.iter().enumerate());
        files.filter(move |(_, file)| is_in(file))
    }

    /// The levels that are published.
    pub(super) fn levels(&self) -> impl Iterator<Item = Level> {
        let entities = self.now.iter().flat_map(|(_, now)| &now.entities);
        entities.flat_map(|accounts| accounts.levels.iter().map(|versions| versions.level))
    }

    /// How many files are known to be right and meant, and the paths of those that are not meant because they are open.
    pub(super) fn counted(&self, scope: Scope, which: Which) -> (usize, BTreeSet<String>) {
        let (mut unchanged, mut open) = (0, BTreeSet::new());
        for (_, closed, path) in self.of(scope) {
            match which == Which::All || closed {
                true => unchanged += 1,
                false => drop(open.insert(path.to_string())),
            }
        }
        (unchanged, open)
    }

    /// Whether much had to be read that the index could have told, or everything because there is none, or the notes
    /// because somebody else has changed some.
    pub(super) fn is_worn(&self, scope: Scope, which: Which) -> bool {
        let is_all = matches!(scope, Scope::Everything) && which == Which::All;
        let doubted = self.within(scope).filter(|(number, _)| !self.right[*number]).count();
        let Some((_, now)) = &self.now else { return false };
        self.index.as_ref().is_none_or(|index| {
            is_all && index.head.state.noted != now.noted || doubted > 100 && doubted > self.right.len() / 20
        })
    }
}

/// By level, the first days of what has moved since an entity's accounts were in an earlier state; `None` if everything
/// has to be rendered.
fn moved_since(then: &Accounts, now: &State) -> [Option<BTreeSet<i32>>; Level::ALL.len()] {
    let now = now.of(&then.entity).filter(|now| now.rendered_by == then.rendered_by);
    Level::ALL.map(|level| Some(now?.versions(level)?.moved_since(then.versions(level)?).collect()))
}

#[cfg(test)]
mod tests {
    use super::super::index::tests::example;
    use super::*;

    #[test]
    fn what_the_index_does_not_have_or_does_not_know_to_be_right_is_doubted() {
        let unmoved = Unmoved { index: Some(example()), right: vec![true, false, true, true], ..Unmoved::default() };
        let others = ["a.csv", "year=2023/b.csv", "year=2024/a.csv"];
        let all: BTreeSet<String> = example().paths().into_iter().chain(others).map(str::to_string).collect();
        let doubted: Vec<&String> = unmoved.doubted(all.iter()).collect();
        assert_eq!(doubted, ["a.csv", "year=2023/a.csv", "year=2023/b.csv", "year=2024/a.csv"]);
        for path in &all {
            assert_eq!(unmoved.has(path), !doubted.contains(&path), "{path}");
            assert_eq!(unmoved.knows(path), !others.contains(&path.as_str()), "{path}");
        }
        let nothing = Unmoved::default();
        assert_eq!(nothing.doubted(all.iter()).count(), all.len());
        assert!(all.iter().all(|path| nothing.knows(path) && !nothing.has(path)));
    }
}
