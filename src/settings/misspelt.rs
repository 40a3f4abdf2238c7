//! Explains an unknown key or word in a settings file: which table it is in, and what was probably meant.

use serde::Deserialize;
use serde::de::value::{Error as Unread, MapDeserializer, StrDeserializer};

use super::cluster::Cluster;
use super::file::{File, Production, TypedEntity, Warehouse};
use super::guard::Guard;
use super::limits::{FORMER, Limits};
use crate::calendar::{Layout, Level};
use crate::entity::{Format, Statistic};

/// A key that no table of the file has, and a word that no list has.
const NOTHING: &str = "?";

/// Where to look everything up.
const EXAMPLE: &str = "kalends.example.toml shows every setting.";

/// What is wrong with a file, and the next step, in the words of its tables and keys. Made from the first line of the
/// library's message.
pub(super) fn explain(said: &str) -> (String, String) {
    if let Some((key, known)) = unknown(said, "unknown field `") {
        return unknown_key(key, &known);
    }
    if let Some((word, known)) = unknown(said, "unknown variant `") {
        let lists = [
            ("statistics", words::<Statistic>()),
            ("levels", words::<Level>()),
            ("formats", words::<Format>()),
            ("layout", words::<Layout>()),
            ("cluster", words::<Cluster>()),
        ];
        let place = lists.iter().find(|(_, list)| *list == known).map_or("the list", |(place, _)| place);
        return (format!("{place} knows no \"{word}\""), did_you_mean(word, &known));
    }
    match said {
        "invalid type: map, expected a sequence" => (
            "a section in one bracket stands where there may be several".to_string(),
            "Write [[entity]], in two brackets, for each table.".to_string(),
        ),
        "duplicate key" => (
            "a key or section stands there for the second time".to_string(),
            "Keep one of them. Of entities there may be several: write [[entity]], in two brackets.".to_string(),
        ),
        _ => (without_value(said), EXAMPLE.to_string()),
    }
}

fn unknown_key(key: &str, known: &[String]) -> (String, String) {
    let tables = [
        ("", keys::<File>()),
        ("[limits]", keys::<Limits>()),
        ("[production]", keys::<Production>()),
        ("[warehouse]", keys::<Warehouse>()),
        ("[guard]", keys::<Guard>()),
        ("[[entity]]", keys::<TypedEntity>()),
    ];
    let here = tables.iter().find(|(_, keys)| *keys == known).map_or("", |(name, _)| name);
    let what = match here {
        "" => format!("there is no key \"{key}\" outside of a section"),
        section => format!("{section} has no key \"{key}\""),
    };
    let today = |keys: &[String]| keys.iter().filter(|key| !key.ends_with(FORMER)).cloned().collect::<Vec<_>>();
    if nearest(key, &today(known)).is_some() {
        return (what, did_you_mean(key, known));
    }
    let elsewhere = tables.iter().filter(|(name, _)| *name != here);
    let meant = elsewhere.filter_map(|(name, keys)| Some((name, nearest(key, keys)?))).next();
    let hint = match meant {
        Some((&"", found)) if found == key => format!("Write \"{key}\" above the first section."),
        Some((&"", found)) => format!("Did you mean \"{found}\"? It is written above the first section."),
        Some((section, found)) if found == key => format!("It belongs below {section}."),
        Some((section, found)) => format!("Did you mean \"{found}\"? It is written below {section}."),
        None => did_you_mean(key, known),
    };
    (what, hint)
}

/// The nearest word, or all of them if none is near.
fn did_you_mean(word: &str, known: &[String]) -> String {
    let known: Vec<String> = known.iter().filter(|word| !word.ends_with(FORMER)).cloned().collect();
    match nearest(word, &known) {
        Some(found) => format!("Did you mean \"{found}\"? {EXAMPLE}"),
        None => {
            let quoted: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
            format!("Known are {}; {EXAMPLE}", quoted.join(", "))
        }
    }
}

/// The known word that differs least, by letters that were added, left out, changed or swapped. At most a third of the
/// letters may differ, so that nothing is guessed from words that have little in common.
pub fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    let typed = word.to_lowercase();
    let apart = |known: &str| strsim::damerau_levenshtein(&typed, &known.to_lowercase());
    let close = |known: &&String| apart(known) <= known.chars().count().max(typed.chars().count()).max(3) / 3;
    known.iter().filter(close).min_by_key(|known| apart(known)).map(String::as_str)
}

/// The unknown word and the known ones, from a message of serde that begins like this.
fn unknown<'a>(said: &'a str, begins: &str) -> Option<(&'a str, Vec<String>)> {
    let (word, known) = said.strip_prefix(begins)?.rsplit_once("`, expected ")?;
    Some((word, known.split('`').skip(1).step_by(2).map(str::to_string).collect()))
}

/// The keys of a table, from its own refusal of an unknown one, so that the list is always the table's.
fn keys<'de, T: Deserialize<'de>>() -> Vec<String> {
    listed(T::deserialize(MapDeserializer::<_, Unread>::new([(NOTHING, 0)].into_iter())).err(), "unknown field `")
}

/// The words of a list, in the same way.
fn words<'de, T: Deserialize<'de>>() -> Vec<String> {
    listed(T::deserialize(StrDeserializer::<Unread>::new(NOTHING)).err(), "unknown variant `")
}

fn listed(refused: Option<Unread>, begins: &str) -> Vec<String> {
    refused.and_then(|said| Some(unknown(&said.to_string(), begins)?.1)).unwrap_or_default()
}

/// The message without a misplaced text, which may be a URL with a password.
fn without_value(said: &str) -> String {
    for kind in ["invalid type: string ", "invalid value: string "] {
        if let Some((_, expected)) = said.strip_prefix(kind).and_then(|rest| rest.rsplit_once(", expected ")) {
            return format!("{}, expected {expected}", kind.trim_end());
        }
    }
    said.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["lock_timeout", "connect_timeout", "time", "time_zone"].map(str::to_string);
        for (typed, meant) in [
            ("look_timeout", Some("lock_timeout")),
            ("Lock_Timeout", Some("lock_timeout")),
            ("conect_timeot", Some("connect_timeout")),
            ("timezone", Some("time_zone")),
            ("tmie", Some("time")),
            ("seconds", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
    }

    #[test]
    fn tables_and_lists_say_themselves_what_they_know() {
        let limits: Vec<String> = keys::<Limits>().into_iter().filter(|key| !key.ends_with(FORMER)).collect();
        assert_eq!(limits, ["connect_timeout", "lock_timeout", "statement_timeout", "idle_timeout"]);
        // Every section that a key can belong to.
        let sections = ["limits", "production", "warehouse", "guard", "entity"].map(str::to_string);
        let plain = ["production_url", "warehouse_url", "exports", "report", "local"].map(str::to_string);
        assert_eq!(keys::<File>().len(), sections.len() + plain.len());
        assert!(keys::<File>().iter().all(|key| sections.contains(key) || plain.contains(key)));
        assert!(keys::<File>().contains(&"entity".to_string()));
        assert!(keys::<TypedEntity>().contains(&"time_zone".to_string()));
        assert!(words::<Statistic>().contains(&"mean".to_string()));
        assert!(words::<Level>().contains(&"day".to_string()));
        assert!(words::<Format>().contains(&"csv.gz".to_string()));
        assert!(words::<Layout>().contains(&"hive".to_string()));
    }
}
