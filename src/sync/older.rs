//! The older days of an entity that is not looked at as a whole by every run: a share of them, in slices.
//!
//! A slice is a short snapshot of some days. Days that are equal in it are noted as looked at. Months in which a day
//! differs are settled afterwards, from a snapshot in which they are whole: here nothing is settled.

use std::time::{Duration, Instant};

use super::due::beginning;
use super::open::{Connections, Known};
use super::round::{Older, Prepared, Round};
use crate::accounts::{self, Accounts};
use crate::calendar::Day;
use crate::db::both;
use crate::entity::Entity;
use crate::error::{Exit, Result, exit_code};
use crate::guard::Judged;
use crate::look::{self, Hint, Look, Looked, Noted, Part, Shown, Sight, Stretch};
use crate::production::Counted;

/// How long a slice is to take. The first one goes by what the survey of the recent days took.
const SLICE: Duration = Duration::from_millis(500);

/// Rows of the first slice if nothing was surveyed yet.
const FIRST_SLICE_ROWS: i64 = 50_000;

/// A look at the older days.
pub(super) struct Looking {
    pub(super) look: Look,
    /// What production's catalogue said before the snapshot.
    pub(super) counted: Counted,
    /// Whether nothing more is looked at.
    pub(super) only_note: bool,
}

/// What was seen, and is to be noted.
pub(super) struct Seen {
    pub(super) older: Option<Older>,
    /// Months in which a day differs.
    pub(super) differing: Vec<Stretch>,
    looked: Looked,
    noted: Option<Noted>,
}

/// Notes that all days were looked at together, if something else was noted.
pub(super) async fn forget(connections: &mut Connections, round: &Round) -> Result<()> {
    let known = &round.known;
    if (known.looks.looked.recent_from.is_some() || known.looks.counted.is_some()) && round.judged.left.is_empty() {
        let (name, generation) = (known.model.name(), known.ledger.generation);
        connections.warehouse.note_looks(name, generation, Some(&Looked::default()), None).await?;
    }
    Ok(())
}

impl Looking {
    /// Looks at the share of the older days that is due, and at those that counters point to, after a round that looked
    /// at the recent ones. Notes what was looked at.
    pub(super) async fn at(
        &self,
        connections: &mut Connections,
        entity: &Entity,
        round: Round,
    ) -> Result<(Prepared, Seen)> {
        let Round { prepared, known, judged, as_of_us } = round;
        let Some((today, _)) = self.counted.now else { return Ok((prepared, Seen::nothing(&known))) };
        let mut seen = self.recent(&known, today, as_of_us, judged.left.is_empty());
        let shown = |stretch| shown(&known, &prepared.survey.accounts, &judged, stretch);
        if known.sight.is_all() {
            let counters = connections.production.counted(entity).await.counters;
            seen.noted = Some(Noted::after_all(counters, None, shown));
            self.note(connections, &known, &seen).await?;
            return Ok((prepared, seen));
        }
        let mut older = Older { recent_from: seen.looked.recent_from, ..Older::default() };
        if let Some(counted) = &known.looks.counted {
            let (hints, noted) = counted.hints(self.counted.counters.clone(), &known.sight, as_of_us, shown);
            (older.hints, seen.noted) = (hints, Some(noted));
        } else {
            seen.noted = Some(Noted::after_all(self.counted.counters.clone(), None, shown));
        }
        if !self.only_note {
            let parts = self.chosen(connections, &known, &seen.looked, &older.hints, as_of_us).await?;
            let rate = accounts::rows(&prepared.survey.accounts) as f64 / prepared.survey.took.as_secs_f64().max(1e-3);
            self.slices(connections, &known, &parts, rate, (&mut older, &mut seen)).await?;
        }
        if older.left_parts > 0 || self.only_note {
            // What counters point to is left to the next run as well.
            seen.noted = seen.noted.filter(|_| older.hints.is_empty());
        } else if !older.hints.is_empty() {
            let counters = connections.production.counted(entity).await.counters;
            let quiet = seen.differing.is_empty().then_some((as_of_us, self.look.prove_all_every));
            seen.noted = Some(Noted::after_all(counters, quiet, shown));
        }
        older.oldest_us = seen.looked.oldest_us();
        self.note(connections, &known, &seen).await?;
        seen.older = Some(older);
        Ok((prepared, seen))
    }

    /// What is known of the older days once the recent ones were looked at. If some of these are left as they were
    /// settled, they are not proven as of this moment, and nothing more is known.
    fn recent(&self, known: &Known, today: Day, as_of_us: i64, proven: bool) -> Seen {
        let open_from = known.looks.open_from.unwrap_or(today);
        let recent_from = self.look.recent_from(today, open_from);
        let looked = match beginning(&self.look, today, &known.looks) {
            _ if !proven => known.looks.looked.clone(),
            Some((before, _)) if !known.sight.is_all() => before.with(&known.sight, as_of_us),
            _ => Looked::default(),
        };
        let looked = if proven { looked.beginning(recent_from, as_of_us) } else { looked };
        Seen { older: None, differing: Vec::new(), looked, noted: None }
    }

    /// The parts of the older days that are looked at now: those that counters point to, and those that are due.
    async fn chosen(
        &self,
        connections: &mut Connections,
        known: &Known,
        looked: &Looked,
        hints: &[Hint],
        now_us: i64,
    ) -> Result<Vec<Part>> {
        let Some(first) = looked.recent_from else { return Ok(Vec::new()) };
        let months = connections.warehouse.read().await?.rows_of_months(&known.model, first).await?;
        let parts = look::parts(looked, &months);
        // What was looked at with the recent days is not looked at twice.
        let is_new = |part: &&Part| !known.sight.covers(part.stretch);
        let is_hinted = |part: &&Part| hints.iter().any(|hint| hint.stretch().and(part.stretch).is_some());
        let (due, others) = parts.split_at(look::due(&parts, now_us, self.look.prove_all_every));
        Ok(others.iter().filter(is_hinted).chain(due).filter(is_new).copied().collect())
    }

    /// Looks at parts, in slices. Ends early if somebody waits for what a slice holds, or another run is at work.
    async fn slices(
        &self,
        connections: &mut Connections,
        known: &Known,
        parts: &[Part],
        rate: f64,
        (older, seen): (&mut Older, &mut Seen),
    ) -> Result<()> {
        let (mut at, mut most) = (0, slice_rows(rate));
        while at < parts.len() {
            let slice = &parts[at..at + length(&parts[at..], most, self.counted.by_time)];
            let started = Instant::now();
            match self.slice(connections, known, slice, seen).await {
                Ok((rows, true)) => older.rows += rows,
                Ok((_, false)) => {
                    older.gave_way = Some("production or the warehouse became another meanwhile".to_string());
                    break;
                }
                Err(error) if exit_code(&error) == Exit::Busy => {
                    older.gave_way = Some(error.to_string());
                    break;
                }
                Err(error) => return Err(error),
            }
            let took = started.elapsed();
            let rows: i64 = slice.iter().map(|part| part.rows).sum();
            most = slice_rows(rows as f64 / took.as_secs_f64().max(1e-3)).min(most.saturating_mul(4));
            (older.slices, older.took) = (older.slices + 1, older.took + took);
            older.days.extend(slice.iter().map(|part| part.stretch));
            at += slice.len();
        }
        older.days = Sight::of(older.days.drain(..)).stretches().to_vec();
        older.left_parts = parts.len() - at;
        Ok(())
    }

    /// Looks at some parts in a snapshot of their own, and notes those that are equal. Returns how many rows there are,
    /// and whether it could be noted.
    async fn slice(
        &self,
        connections: &mut Connections,
        known: &Known,
        parts: &[Part],
        seen: &mut Seen,
    ) -> Result<(i64, bool)> {
        let sight = Sight::of(parts.iter().map(|part| part.stretch));
        let Connections { production, warehouse, watch, .. } = connections;
        production.rest().await;
        let snapshot = known.snapshot(production).await?;
        let surveyed = async {
            let survey = watch.over(&snapshot, snapshot.survey_days(&sight)).await?;
            let moment = (snapshot.as_of_us, known.before.unlike(&snapshot.source()));
            snapshot.release().await;
            Ok((survey, moment))
        };
        let settled = async {
            let reading = warehouse.read().await?;
            let mut inconsistent = Vec::new();
            for &stretch in sight.stretches() {
                inconsistent.extend(reading.inconsistent(&known.model, stretch).await?);
            }
            let ledger = reading.accounts_for(&known.model, &known.model, &sight).await?;
            Ok((ledger, reading.generation().await?, inconsistent))
        };
        // Neither server waits for the other.
        let surveyed_and_settled = both(surveyed, settled).await?;
        let ((survey, (as_of_us, unlike)), (ledger, generation, inconsistent)) = surveyed_and_settled;
        if generation != known.ledger.generation || unlike.is_some() {
            return Ok((0, false));
        }
        let differing = accounts::compare(&survey.accounts, &ledger);
        let months = differing.keys().map(|day| Stretch::from(day.month()));
        let edited = inconsistent.into_iter().map(|period| Stretch::from(period).in_whole_months());
        seen.differing.extend(months.chain(edited));
        // The others are equal. Those in months that differ are looked at again when these are settled.
        let equal = sight.without(seen.differing.iter().copied());
        seen.looked = seen.looked.with(&equal, as_of_us);
        let name = known.model.name();
        let noted = connections.warehouse.note_looks(name, generation, Some(&seen.looked), None).await?;
        Ok((accounts::rows(&survey.accounts), noted))
    }

    /// Notes what was looked at after months that differed were settled as well.
    pub(super) async fn settled(&self, connections: &mut Connections, seen: &Seen, round: Round) -> Result<Prepared> {
        let Round { prepared, known, judged, as_of_us } = round;
        if judged.left.is_empty() && seen.looked.recent_from.is_some() {
            let looked = seen.looked.with(&known.sight, as_of_us);
            let (name, generation) = (known.model.name(), known.ledger.generation);
            connections.warehouse.note_looks(name, generation, Some(&looked), None).await?;
        }
        Ok(prepared)
    }

    /// Notes what was looked at, and the counters, if something else is noted.
    async fn note(&self, connections: &mut Connections, known: &Known, seen: &Seen) -> Result<()> {
        let looked = (seen.looked != known.looks.looked).then_some(&seen.looked);
        let noted = seen.noted.as_ref().filter(|noted| known.looks.counted.as_ref() != Some(noted));
        if looked.is_some() || noted.is_some() {
            let (name, generation) = (known.model.name(), known.ledger.generation);
            connections.warehouse.note_looks(name, generation, looked, noted).await?;
        }
        Ok(())
    }
}

impl Seen {
    fn nothing(known: &Known) -> Self {
        Self { older: None, differing: Vec::new(), looked: known.looks.looked.clone(), noted: None }
    }
}

/// What the days that were looked at show of a stretch, compared with what was settled before.
fn shown(known: &Known, survey: &Accounts, judged: &Judged, stretch: Stretch) -> Shown {
    let ledger = &known.ledger.accounts;
    let within = |day: &Day| known.sight.contains(*day) && stretch.contains(*day);
    let rows = |accounts: &Accounts, is_counted: &dyn Fn(&Day) -> bool| -> i64 {
        accounts.iter().filter(|(day, _)| is_counted(day)).map(|(_, account)| account.rows).sum()
    };
    let more = |is_counted: &dyn Fn(&Day) -> bool| rows(survey, is_counted) - rows(ledger, is_counted);
    Shown {
        more_rows: more(&within),
        unsettled_rows: more(&|day| within(day) && judged.left.contains(day)),
        changed: accounts::compare(survey, ledger).keys().any(within),
    }
}

fn slice_rows(rate: f64) -> i64 {
    ((rate * SLICE.as_secs_f64()) as i64).max(FIRST_SLICE_ROWS / 10)
}

/// How many parts make a slice: up to so many rows, and at least one. All, if they cannot be found by their time.
fn length(parts: &[Part], most: i64, by_time: bool) -> usize {
    let mut rows = 0;
    let fits = |part: &&Part| {
        rows += part.rows;
        !by_time || rows <= most
    };
    parts.iter().take_while(fits).count().max(1)
}
