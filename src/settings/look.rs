//! What a run looks at of an entity, as the settings file says it.

use std::time::Duration;

use crate::error::{Refusal, Result};
use crate::look::Look;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Longer than any table's history that is looked at in parts.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// How often everything is looked at once, if that is not set.
const USUALLY: Duration = DAY;

/// From `recent` and `prove_all_every`; `None` if every run looks at everything.
///
/// # Errors
/// Refuses (usage) a length of time that is none, too short or too long, and the second without the first.
pub(super) fn read(name: &str, recent: Option<&str>, prove_all_every: Option<&str>) -> Result<Option<Look>> {
    let Some(recent) = recent else {
        return match prove_all_every {
            None => Ok(None),
            Some(_) => Err(Refusal::usage(
                format!("entity \"{name}\" has prove_all_every and no recent"),
                "Add recent, such as recent = \"45 days\", or remove prove_all_every: then each run looks at all days.",
            )),
        };
    };
    let recent = length(name, "recent", recent, DAY)?;
    let every = prove_all_every.map(|every| length(name, "prove_all_every", every, Duration::from_secs(60)));
    let recent_days = i32::try_from(recent.as_secs().div_ceil(DAY.as_secs())).unwrap_or(i32::MAX);
    Ok(Some(Look { recent_days, prove_all_every: every.transpose()?.unwrap_or(USUALLY) }))
}

fn length(name: &str, key: &str, text: &str, least: Duration) -> Result<Duration> {
    let length = humantime::parse_duration(text).ok().filter(|length| (least..=LONGEST).contains(length));
    length.ok_or_else(|| {
        let least = humantime::format_duration(least);
        Refusal::usage(
            format!("{key} of entity \"{name}\" is not a length of time"),
            format!("Write a number and its unit, such as \"45 days\" or \"24h\", from {least} to 100 years."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_up_to_days_and_the_interval_is_a_day() {
        let look = |recent, every| read("a", recent, every).unwrap();
        let of =
            |recent_days, hours: u64| Some(Look { recent_days, prove_all_every: Duration::from_secs(60 * 60 * hours) });
        assert_eq!(look(None, None), None);
        assert_eq!(look(Some("45 days"), None), of(45, 24));
        assert_eq!(look(Some("25h"), Some("1w")), of(2, 168));
        for (recent, every) in [(None, Some("1h")), (Some("23h"), None), (Some("x"), None), (Some("2d"), Some("0s"))] {
            assert!(read("a", recent, every).is_err(), "{recent:?} {every:?}");
        }
    }
}
