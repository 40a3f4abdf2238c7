//! The random numbers of Python's `random` module, bit for bit.
//!
//! Only `seed` and `randint`, which are all that the pretend production system uses. The generator itself, MT19937, is
//! from [`rand_mt`]; implemented here is how Python makes the key from a seed, and a number of a range from the words.

use rand_mt::Mt;

/// A `random.Random` of Python 3.2 or later; earlier versions draw from a range differently.
#[derive(Debug)]
pub(super) struct PythonRandom(Mt);

impl PythonRandom {
    /// The state after `random.seed(seed)`.
    ///
    /// The key is the seed's 32-bit words, least significant first, without leading zeros but never empty
    /// (`random_seed` in Python's `Modules/_randommodule.c`).
    #[expect(clippy::cast_possible_truncation, reason = "a word of the seed at a time")]
    pub(super) fn seeded(seed: u64) -> Self {
        let low = seed as u32;
        let high = (seed >> 32) as u32;
        let words = if high == 0 { 1 } else { 2 };
        Self(Mt::new_with_key([low, high].into_iter().take(words)))
    }

    /// Returns what `random.randint(low, high)` returns: an integer from `low` to `high`, both included.
    ///
    /// Draws as many bits as the count of the range's numbers has, until the result is below the count
    /// (`_randbelow_with_getrandbits` in Python's `Lib/random.py`).
    ///
    /// # Panics
    ///
    /// If the range is empty or has 2^32 numbers or more, for which Python joins words.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let count = high.checked_sub(low).and_then(|width| u32::try_from(width).ok()?.checked_add(1));
        let count = count.expect("the range counts 1 to 2^32 - 1 numbers");
        // The shift leaves as many bits as the count has. A count of 1 also has one, and is drawn until it is 0.
        let shift = count.leading_zeros();
        loop {
            let drawn = self.0.next_u32() >> shift;
            if drawn < count {
                return low + i64::from(drawn);
            }
        }
    }
}

// CPython 3.11 printed every expected number, for the same seed and calls.
#[cfg(test)]
mod tests {
    use super::*;

    fn six_from_100_to_200(seed: u64) -> [i64; 6] {
        let mut random = PythonRandom::seeded(seed);
        std::array::from_fn(|_| random.between(100, 200))
    }

    #[test]
    fn a_seed_of_one_word_draws_as_python() {
        assert_eq!(six_from_100_to_200(0), [149, 197, 153, 105, 133, 165]);
        assert_eq!(six_from_100_to_200(1), [117, 172, 197, 108, 132, 115]);
        assert_eq!(six_from_100_to_200(2024), [160, 123, 193, 174, 138, 125]);
        assert_eq!(six_from_100_to_200(0xffff_ffff), [181, 179, 126, 127, 177, 166]);
    }

    #[test]
    fn a_seed_of_two_words_draws_as_python() {
        assert_eq!(six_from_100_to_200(1 << 32), [114, 144, 153, 102, 102, 178]);
        assert_eq!(six_from_100_to_200(u64::MAX), [102, 131, 143, 179, 127, 158]);
    }

    #[test]
    fn the_widest_range_is_a_whole_word() {
        let mut random = PythonRandom::seeded(0);
        let widest = i64::from(u32::MAX) - 1;
        assert_eq!([(); 3].map(|()| random.between(0, widest)), [3_626_764_237, 1_654_615_998, 3_255_389_356]);
    }

    #[test]
    fn a_range_of_one_number_still_costs_draws() {
        let mut random = PythonRandom::seeded(2024);
        assert_eq!([(); 3].map(|()| random.between(7, 7)), [7, 7, 7]);
        // Python's numbers after the same three calls.
        assert_eq!(random.between(0, i64::from(u32::MAX) - 1), 859_859_908);
        assert_eq!(random.between(-5, 5), 1);
        assert_eq!(random.between(1, 1000), 776);
    }

    #[test]
    #[should_panic(expected = "the range counts 1 to 2^32 - 1 numbers")]
    fn an_empty_range_is_a_mistake_of_the_caller() {
        PythonRandom::seeded(0).between(1, 0);
    }
}
