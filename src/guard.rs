//! The guard: leaves days as they were settled, although production differs, if the difference looks like a loss or is
//! still changing. Pure: it reads no clock and no server.

mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

pub use rules::{Accepted, Loss, Rules};

use crate::accounts::{self, Accounts};
use crate::calendar::{Day, Level, Period};
use crate::db::Identity;
use crate::report::{count, counted};

/// Which production was settled, and the position of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Cluster and database.
    pub identity: Identity,
    /// The position in the write-ahead log, in bytes: flushed, or replayed on a standby. It only grows. The snapshot
    /// contains nothing of what follows it.
    pub position: u64,
    /// A position up to which the snapshot contains everything. A standby replays on while a snapshot is taken.
    pub at_least: u64,
    /// The moment of the snapshot, UTC, as text.
    pub as_of: String,
}

/// A moment in microseconds since 1970, UTC, by production's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

/// Why a unit is left as it was settled, the gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It has not been the same for long enough.
    Changing,
    /// Its month lost more rows than is allowed without consent.
    Loss,
    /// Production holds no rows at all.
    Empty,
    /// Production is an older state of the one that was settled.
    Earlier,
    /// Production is another database than the one that was settled.
    Other,
}

/// A unit that is left as it was settled: a month, or, with `settle_after`, a day of a month that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// The month or day.
    #[serde(rename = "period")]
    pub unit: Period,
    /// Why, in one word.
    pub kind: Kind,
    /// Why, for people.
    pub reason: String,
    /// Rows of the unit as it was settled.
    pub rows_before: i64,
    /// Rows of the unit in production.
    pub rows_now: i64,
    /// The first survey that found the unit in this state.
    pub since: Moment,
    /// SHA-256 of the unit's accounts in that survey, if `settle_after` is set.
    #[serde(skip)]
    pub digest: Option<String>,
}

/// What the warehouse knows from earlier runs.
#[derive(Debug, Default)]
pub struct Before {
    /// Which production was settled; `None` if nothing was.
    pub source: Option<Source>,
    /// What was left as it was settled.
    pub noted: Vec<Noted>,
}

impl Before {
    /// How production is not the one that was settled, or is an earlier state of it.
    pub fn unlike(&self, source: &Source) -> Option<Kind> {
        let known = self.source.as_ref()?;
        if known.identity != source.identity {
            return Some(Kind::Other);
        }
        (source.at_least < known.position).then_some(Kind::Earlier)
    }
}

/// One snapshot of production, compared with what was settled.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Production's accounts of days.
    pub survey: &'a Accounts,
    /// The settled ones, of the same days.
    pub ledger: &'a Accounts,
    /// Whether these are all days that there are.
    pub is_all: bool,
    /// Which production this is.
    pub source: &'a Source,
    /// What is known from earlier runs.
    pub before: &'a Before,
    /// The moment of the snapshot.
    pub now: Moment,
    /// The day of that moment in the entity's time zone; required if `settle_after` is set.
    pub today: Option<Day>,
}

/// What is to be settled, and what is not.
#[derive(Debug)]
pub struct Judged {
    /// The accounts that the warehouse should have: production's, except that days in `left` keep their settled ones.
    pub target: Accounts,
    /// The days that differ from production and are left as they were settled.
    pub left: BTreeSet<Day>,
    /// The units of these days, by first day.
    pub noted: Vec<Noted>,
    /// Whether the settled accounts come from this production from now on, so that nobody has to consent to it again.
    pub is_source: bool,
}

/// Judges every day that differs. If nothing differs, nothing is left.
pub fn judge(seen: &Seen<'_>, rules: &Rules, accepted: &Accepted) -> Judged {
    let changed: BTreeSet<Day> = accounts::compare(seen.survey, seen.ledger).into_keys().collect();
    let mut units = BTreeMap::<Period, BTreeSet<Day>>::new();
    for &day in &changed {
        units.entry(seen.unit(day, rules)).or_default().insert(day);
    }
    let followed: BTreeMap<Period, Followed> = units.keys().map(|&unit| (unit, seen.follow(unit, rules))).collect();
    let mut left = BTreeMap::<Day, Kind>::new();
    let source = seen.of_source();
    for (unit, days) in &units {
        for &day in days {
            match source.filter(|_| !accepted.covers(day)) {
                Some(kind) => drop(left.insert(day, kind)),
                None if !followed[unit].is_stable => drop(left.insert(day, Kind::Changing)),
                None => {}
            }
        }
    }
    seen.hold_losses(&changed, &mut left, rules.loss, accepted);

    let noted = units.into_iter().filter_map(|(unit, days)| {
        let kind = *days.iter().filter_map(|day| left.get(day)).max()?;
        Some(seen.note(unit, kind, followed[&unit].clone()))
    });
    let mut noted: Vec<Noted> = noted.collect();
    noted.sort_by_key(|noted| noted.unit.first());
    Judged {
        is_source: !left.values().any(|kind| matches!(kind, Kind::Other | Kind::Earlier)),
        left: left.into_keys().collect(),
        noted,
        target: Accounts::new(),
    }
    .with_target(seen)
}

/// How long a unit has been in its present state.
#[derive(Debug, Clone)]
struct Followed {
    digest: Option<String>,
    since: Moment,
    is_stable: bool,
}

impl Seen<'_> {
    /// The unit that a day is settled with: its month, or the day itself if the month has not ended and `settle_after`
    /// is set.
    fn unit(&self, day: Day, rules: &Rules) -> Period {
        let month = day.month();
        let has_ended = self.today.is_some_and(|today| month.span().until <= today);
        let waits_by_day = rules.settle_after.is_some() && !has_ended;
        Period::new(Level::Day, day).filter(|_| waits_by_day).unwrap_or(month)
    }

    fn follow(&self, unit: Period, rules: &Rules) -> Followed {
        let Some(settle_after) = rules.settle_after else {
            return Followed { digest: None, since: self.now, is_stable: true };
        };
        let span = unit.span();
        let digest = Some(accounts::digest(self.survey.range(span.from..span.until)));
        let known = self.before.noted.iter().find(|known| known.unit == unit && known.digest == digest);
        let since = known.map_or(self.now, |known| known.since);
        let is_stable = i128::from(self.now.0) - i128::from(since.0) >= settle_after.as_micros().cast_signed();
        Followed { digest, since, is_stable }
    }

    fn of_source(&self) -> Option<Kind> {
        self.before.unlike(self.source)
    }

    /// Leaves the days of months that would lose too much, except accepted ones. Accepted days are settled, so the rest
    /// of a month is judged by what it holds then.
    fn hold_losses(&self, changed: &BTreeSet<Day>, left: &mut BTreeMap<Day, Kind>, loss: Loss, accepted: &Accepted) {
        let mut months = BTreeMap::<Period, Vec<Day>>::new();
        for &day in changed.iter().filter(|day| !left.contains_key(day) && !accepted.covers(**day)) {
            months.entry(day.month()).or_default().push(day);
        }
        let is_empty = self.is_all && self.survey.is_empty();
        for (month, days) in months {
            let settled = |day: &Day| !left.contains_key(day) && changed.contains(day) && accepted.covers(*day);
            let base = self.month_rows(month, settled);
            let proposed = self.month_rows(month, |day| settled(day) || days.contains(day));
            if is_empty {
                left.extend(days.iter().map(|&day| (day, Kind::Empty)));
            } else if loss.is_exceeded(base, proposed) {
                left.extend(days.iter().map(|&day| (day, Kind::Loss)));
            }
        }
    }

    /// Rows of a month, if some of its days become equal to production.
    fn month_rows(&self, month: Period, becomes: impl Fn(&Day) -> bool) -> i64 {
        let span = month.span();
        let fresh = self.survey.range(span.from..span.until).filter(|(day, _)| becomes(day));
        let ledger = self.ledger.range(span.from..span.until).filter(|(day, _)| !becomes(day));
        fresh.chain(ledger).map(|(_, account)| account.rows).sum()
    }

    fn note(&self, unit: Period, kind: Kind, followed: Followed) -> Noted {
        let (before, now) = (rows(self.ledger, unit), rows(self.survey, unit));
        // Without settle_after, a unit is held since a run first held it.
        let held_before = self.before.noted.iter().find(|known| known.unit == unit && known.kind == kind);
        let since = match (&followed.digest, held_before) {
            (None, Some(known)) => known.since,
            _ => followed.since,
        };
        Noted {
            unit,
            kind,
            reason: self.reason(unit, kind),
            rows_before: before,
            rows_now: now,
            since,
            digest: followed.digest,
        }
    }

    fn reason(&self, unit: Period, kind: Kind) -> String {
        match kind {
            Kind::Changing => "is changing".to_string(),
            Kind::Loss => {
                let month = unit.first().month();
                let of = if unit == month { String::new() } else { format!(" in {month}") };
                let before = counted(rows(self.ledger, month), "row");
                match rows(self.survey, month) {
                    0 => format!("none of {before} is left{of}"),
                    now => format!("{} of {before} are left{of}", count(now)),
                }
            }
            Kind::Empty => "production holds no rows".to_string(),
            Kind::Earlier => {
                let as_of = self.before.source.as_ref().map_or("", |known| &known.as_of);
                format!("production is older than what was settled of it, as of {as_of}")
            }
            Kind::Other => "production is another database than the one that was settled".to_string(),
        }
    }
}

impl Judged {
    fn with_target(mut self, seen: &Seen<'_>) -> Self {
        let fresh = seen.survey.iter().filter(|(day, _)| !self.left.contains(day));
        let ledger = seen.ledger.iter().filter(|(day, _)| self.left.contains(day));
        self.target = fresh.chain(ledger).map(|(&day, account)| (day, account.clone())).collect();
        self
    }
}

fn rows(accounts: &Accounts, unit: Period) -> i64 {
    let span = unit.span();
    accounts.range(span.from..span.until).map(|(_, account)| account.rows).sum()
}

/// The command that accepts what is held; `None` if nothing is.
pub fn accepting<'a>(noted: impl Iterator<Item = &'a Noted>) -> Option<String> {
    let held: Vec<&Noted> = noted.filter(|noted| noted.kind != Kind::Changing).collect();
    let command = "kalends run --accept-loss";
    if held.iter().any(|noted| noted.kind != Kind::Loss) {
        return Some(command.to_string());
    }
    let months: BTreeSet<Period> = held.iter().map(|noted| noted.unit.first().month()).collect();
    // The sign of a year would be taken for the beginning of a flag.
    let (before_christ, others): (Vec<String>, Vec<String>) =
        months.iter().map(Period::to_string).partition(|month| month.starts_with('-'));
    let flags = (!others.is_empty()).then(|| format!("--accept-loss {}", others.join(" ")));
    let flags: Vec<String> =
        flags.into_iter().chain(before_christ.iter().map(|month| format!("--accept-loss={month}"))).collect();
    (!flags.is_empty()).then(|| format!("kalends run {}", flags.join(" ")))
}

impl Kind {
    /// The kind as one word, as in the warehouse.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changing => "changing",
            Self::Loss => "loss",
            Self::Empty => "empty",
            Self::Earlier => "earlier",
            Self::Other => "other",
        }
    }

    /// The kind that a word names; `None` for any other word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Changing, Self::Loss, Self::Empty, Self::Earlier, Self::Other]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// `2026-11-23 14:03:11 UTC`
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1_000_000)).map_err(|_| fmt::Error)?;
        let (hour, minute, second) = at.to_hms();
        let month = u8::from(at.month());
        write!(f, "{:04}-{month:02}-{:02} {hour:02}:{minute:02}:{second:02} UTC", at.year(), at.day())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
