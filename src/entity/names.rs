//! The names that entities take. No two entities may share a table, a view or a file.

use std::collections::HashMap;

use super::model::endings;

/// The names that are taken so far. Case is ignored, because file systems may ignore it.
#[derive(Debug, Default)]
pub struct Taken {
    /// Of tables and views, and of the entities themselves, each with its entity.
    names: HashMap<String, String>,
    /// Of entities.
    entities: HashMap<String, String>,
    /// Names whose months could have a table with an entity's name, each with that entity.
    months: HashMap<String, String>,
}

impl Taken {
    /// Takes an entity's names, or none of them.
    ///
    /// # Errors
    /// The name of the entity that it would share tables or files with.
    pub fn take(&mut self, name: &str) -> Result<(), String> {
        let lower = name.to_lowercase();
        let named: Vec<String> =
            endings().iter().map(|ending| format!("{lower}{ending}")).chain([lower.clone()]).collect();
        let shared = named.iter().find_map(|name| self.names.get(name));
        let is_month_of = || bases(&lower).find_map(|base| self.entities.get(base));
        if let Some(other) = shared.or_else(is_month_of).or_else(|| self.months.get(&lower)) {
            return Err(other.clone());
        }
        self.names.extend(named.into_iter().map(|named| (named, name.to_string())));
        self.months.extend(bases(&lower).map(|base| (base.to_string(), name.to_string())));
        self.entities.insert(lower, name.to_string());
        Ok(())
    }
}

/// The names of entities that could have a month's table of this name: `orders` for `orders_2023_01`.
fn bases(name: &str) -> impl Iterator<Item = &str> {
    let is_month = |ending: &str| {
        let digits = ending.strip_prefix("bc").unwrap_or(ending);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    name.match_indices('_').filter(move |(at, _)| is_month(&name[at + 1..])).map(|(at, _)| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_first_keeps_its_names() {
        for (one, other) in [
            ("orders", "Orders"),
            ("orders", "orders_day"),
            ("orders_day", "orders"),
            ("orders", "orders_2023_01"),
            ("orders_2023_01", "orders"),
            ("orders_bc0044_03", "orders"),
            ("orders", "orders_stats_daily"),
            ("orders_trend", "orders_trend_daily"),
        ] {
            let mut taken = Taken::default();
            taken.take(one).unwrap();
            assert_eq!(taken.take(other), Err(one.to_string()), "{one}, {other}");
            assert_eq!(taken.take("others"), Ok(()));
        }
    }

    #[test]
    fn names_that_only_look_alike_are_apart() {
        let mut taken = Taken::default();
        for name in
            ["a", "b", "a_b", "a_trend", "a_daybook", "orders_x_2023", "orders_2023_x", "orders", "orders_trend_x"]
        {
            assert_eq!(taken.take(name), Ok(()), "{name}");
        }
    }
}
