//! Random numbers from a seed: `KALENDS_SEED` gives it, and what was drawn can be drawn again.

use std::hash::{BuildHasher as _, RandomState};

/// `KALENDS_SEED`, if it is set.
pub fn given() -> Option<u64> {
    std::env::var("KALENDS_SEED").ok().map(|seed| seed.parse().unwrap())
}

/// `KALENDS_SEED`, or another seed each time. It is printed, with what is drawn from it.
pub fn seed(what: &str) -> u64 {
    let seed = given().unwrap_or_else(|| RandomState::new().hash_one(0));
    eprintln!("{what}: KALENDS_SEED={seed}");
    seed
}

/// Steele's SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below the limit; 0 if there is none.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }
}
