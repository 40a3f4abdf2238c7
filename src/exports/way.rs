//! The way to files, where there are many: their folder is opened once for all that come one after the other, because
//! the way takes longer than what is done at its end, and several threads go side by side.

use std::io::Result;
use std::panic::resume_unwind;

use cap_std::fs::Dir;

/// More would not be faster: the kernel's cache of names is one.
const MOST_THREADS: usize = 4;

/// The way from the export folder to a file, and the folder that it led to last. No link in it leads out of the folder.
pub(super) struct Way<'a> {
    from: &'a Dir,
    opened: Option<(String, Dir)>,
}

impl<'a> Way<'a> {
    pub(super) fn from(from: &'a Dir) -> Self {
        Self { from, opened: None }
    }

    /// The folder of a path, and the file's name in it.
    pub(super) fn open<'p>(&mut self, path: &'p str) -> Result<(&Dir, &'p str)> {
        let Some((folder, name)) = path.rsplit_once('/') else { return Ok((self.from, path)) };
        let kept = self.opened.take().filter(|(of, _)| of == folder);
        let opened = match kept {
            Some(kept) => kept,
            None => (folder.to_string(), self.from.open_dir(folder)?),
        };
        Ok((&self.opened.insert(opened).1, name))
    }

    /// The same. A folder that is not there is made.
    pub(super) fn make<'p>(&mut self, path: &'p str) -> Result<(&Dir, &'p str)> {
        // An error that this does not mend comes again.
        if let (Err(_), Some((folder, _))) = (self.open(path), path.rsplit_once('/')) {
            self.from.create_dir_all(folder)?;
        }
        self.open(path)
    }
}

/// Does the same with each part of a list, in a thread of its own if it has so many, and returns what came of them, in
/// order.
pub(super) fn side_by_side<T: Sync, R: Send>(all: &[T], each: usize, act: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (all.len() / each).clamp(1, cores.min(MOST_THREADS));
    if threads == 1 {
        return vec![act(all)];
    }
    std::thread::scope(|scope| {
        let parts = all.chunks(all.len().div_ceil(threads));
        let parts: Vec<_> = parts.map(|part| scope.spawn(|| act(part))).collect();
        parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn each_path_leads_to_its_own_folder_and_none_out_of_the_first() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let dir = Dir::open_ambient_dir(inside.path(), ambient_authority()).unwrap();
        let mut way = Way::from(&dir);
        for path in ["a/b/1", "a/b/2", "a/3", "a/c/4", "a/b/5", "6"] {
            let (folder, name) = way.make(path).unwrap();
            folder.write(name, path).unwrap();
        }
        for path in ["a/b/1", "a/b/2", "a/b/5", "a/3", "a/c/4", "6"] {
            assert_eq!(std::fs::read_to_string(inside.path().join(path)).unwrap(), path);
            let (folder, name) = way.open(path).unwrap();
            assert_eq!(folder.read_to_string(name).unwrap(), path);
        }
        std::os::unix::fs::symlink(outside.path(), inside.path().join("out")).unwrap();
        for path in ["x/1", "out/1", "out/x/1", "6/1"] {
            assert!(way.open(path).is_err(), "{path}");
        }
        for path in ["out/1", "out/x/1", "6/1"] {
            assert!(way.make(path).is_err(), "{path}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn all_of_a_list_is_done_and_comes_back_in_order() {
        let most = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        for length in [0, 1, 9, 10, 19, 20, 29, 30, 31, 1_000] {
            let all: Vec<usize> = (0..length).collect();
            let parts = side_by_side(&all, 10, <[usize]>::to_vec);
            assert_eq!(parts.len(), (length / 10).clamp(1, most), "{length}");
            assert_eq!(parts.concat(), all);
        }
    }

    #[test]
    fn whoever_fails_is_heard() {
        let all: Vec<usize> = (0..100).collect();
        let failed = std::panic::catch_unwind(|| side_by_side(&all, 10, |part| assert!(!part.contains(&99))));
        assert!(failed.is_err());
        let done: std::result::Result<Vec<()>, usize> =
            side_by_side(&all, 10, |part| part.iter().try_for_each(|&n| if n % 50 == 49 { Err(n) } else { Ok(()) }))
                .into_iter()
                .collect();
        assert_eq!(done, Err(49));
    }
}
