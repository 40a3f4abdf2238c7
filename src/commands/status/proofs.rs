//! As of when entities are proven equal to production.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::calendar::Day;
use crate::entity::Model;
use crate::error::Result;
use crate::guard::Moment;
use crate::look::{self, Look, Looked, Part};
use crate::report::{self, count, counted};
use crate::warehouse::{Freshness, Reading, Recent};
use crate::world::World;

/// How long ago a proof may be.
#[derive(Clone, Copy)]
pub(super) struct Ages {
    /// That of the recent days, or of all days if they were proven together.
    pub(super) recent: Option<Duration>,
    /// Those of all days.
    pub(super) all: Option<Duration>,
}

/// As of when the entities of the settings are proven.
#[derive(Serialize)]
pub(super) struct Proofs {
    /// The moment of production's data that every entity of the settings was proven equal to, or a later one, UTC; null
    /// if one was never proven. Of an entity with `recent_from`, only these days.
    pub(super) proven_as_of: Option<String>,
    /// How long ago that was, by the warehouse's clock.
    age_seconds: Option<f64>,
    /// The moment that all days of every entity were looked at as of, or later; null if one was never proven.
    oldest_as_of: Option<String>,
    oldest_age_seconds: Option<f64>,
    /// The same for each entity of the settings.
    #[serde(rename = "proofs")]
    pub(super) of_entities: BTreeMap<String, Proof>,
}

/// As of when an entity is proven equal to production.
#[derive(Serialize)]
pub(super) struct Proof {
    proven_as_of: Option<String>,
    age_seconds: Option<f64>,
    /// Whether nothing has been settled since then.
    whole: bool,
    /// The moment of production's data that was settled last.
    settled_as_of: Option<String>,
    /// The first of the days that the proof is of; null: of all.
    recent_from: Option<Day>,
    /// The moment that all days were looked at as of, or later.
    oldest_as_of: Option<String>,
    oldest_age_seconds: Option<f64>,
    /// The days before, each stretch with the moment that it was looked at as of.
    older: Vec<Older>,
    /// Their rows, and those of the days that are due by the warehouse's clock.
    older_rows: i64,
    due_rows: i64,
}

/// Days that were looked at together.
#[derive(Serialize)]
struct Older {
    /// The first; null: the first of all.
    from: Option<Day>,
    /// The day after the last.
    until: Day,
    as_of: Moment,
}

impl Proofs {
    /// Reads them from the warehouse.
    pub(super) async fn read(
        world: &World<'_>,
        reading: &Reading<'_>,
        models: &[Model],
        mut fresh: BTreeMap<String, Freshness>,
    ) -> Result<Self> {
        let (mut of_entities, mut proofs, mut oldest) = (BTreeMap::new(), Vec::new(), Vec::new());
        for entity in &world.settings.entities {
            let name = entity.name.name();
            let known = fresh.remove(name);
            proofs.push(known.as_ref().and_then(|known| known.proof.clone()));
            oldest.push(known.as_ref().and_then(|known| known.oldest().cloned()));
            let mut proof = Proof::of(known.as_ref());
            let recent = known.as_ref().and_then(|known| known.recent.as_ref());
            if let Some((recent, model)) = recent.zip(models.iter().find(|model| model.name() == name)) {
                proof.look(reading, model, recent, world.settings.look(entity)).await?;
            }
            of_entities.insert(name.to_string(), proof);
        }
        let first = |proofs: Vec<Option<crate::warehouse::Proof>>| {
            let all: Option<Vec<_>> = proofs.into_iter().collect();
            let first =
                all.into_iter().flatten().min_by(|one, other| one.as_of_seconds.total_cmp(&other.as_of_seconds));
            first.map(|first| (first.as_of, first.age_seconds)).unzip()
        };
        let ((proven_as_of, age_seconds), (oldest_as_of, oldest_age_seconds)) = (first(proofs), first(oldest));
        Ok(Self { proven_as_of, age_seconds, oldest_as_of, oldest_age_seconds, of_entities })
    }

    /// Whether one is older than allowed, or was never made.
    pub(super) fn exceed(&self, most: Ages) -> bool {
        exceeds(self.age_seconds, most.recent) || exceeds(self.oldest_age_seconds, most.all)
    }

    /// As of when all is proven; with several entities, a line for each if one differs from the others.
    pub(super) fn lines(&self, most: Ages) -> Vec<String> {
        let alike = |proof: &Proof| proof.whole && proof.proven_as_of.is_some() && proof.recent_from.is_none();
        if let (true, Some(as_of), Some(age)) =
            (self.of_entities.values().all(alike), &self.proven_as_of, self.age_seconds)
        {
            let one = self.of_entities.values().all(|proof| proof.proven_as_of.as_ref() == Some(as_of));
            let or_later = if one { "" } else { " or later" };
            let old = old(Some(age), most.recent.into_iter().chain(most.all).min());
            return vec![format!("proven      {}{old}", equal(as_of, or_later, age))];
        }
        let several = self.of_entities.len() > 1;
        let of_entity = self
            .of_entities
            .iter()
            .flat_map(|(name, proof)| proof.lines(&if several { format!("{name}: ") } else { String::new() }, most));
        of_entity.collect()
    }
}

impl Proof {
    fn of(known: Option<&Freshness>) -> Self {
        let proof = known.and_then(|known| known.proof.as_ref());
        let oldest = known.and_then(Freshness::oldest);
        Self {
            proven_as_of: proof.map(|proof| proof.as_of.clone()),
            age_seconds: proof.map(|proof| proof.age_seconds),
            whole: known.is_some_and(|known| known.whole),
            settled_as_of: known.and_then(|known| known.settled_as_of.clone()),
            recent_from: known.and_then(|known| known.recent.as_ref()).map(|recent| recent.from),
            oldest_as_of: oldest.map(|oldest| oldest.as_of.clone()),
            oldest_age_seconds: oldest.map(|oldest| oldest.age_seconds),
            older: Vec::new(),
            older_rows: 0,
            due_rows: 0,
        }
    }

    /// Looks up when the older days were looked at, and how much of them is due.
    async fn look(&mut self, reading: &Reading<'_>, model: &Model, recent: &Recent, look: Option<Look>) -> Result<()> {
        let looked = Looked { recent_from: Some(recent.from), older: reading.older(model).await? };
        let parts = look::parts(&looked, &reading.rows_of_months(model, recent.from).await?);
        let now_us = recent.older.as_ref().map(|older| (older.as_of_seconds + older.age_seconds) * 1e6);
        let due = look.zip(now_us);
        let due = due.map_or(0, |(look, now_us)| look::due(&parts, now_us as i64, look.prove_all_every));
        let rows = |parts: &[Part]| parts.iter().map(|part| part.rows).sum();
        (self.older_rows, self.due_rows) = (rows(&parts), rows(&parts[..due]));
        let older = looked.older.into_iter();
        self.older = older.map(|one| Older { from: one.from, until: one.until, as_of: Moment(one.as_of_us) }).collect();
        Ok(())
    }

    fn lines(&self, name: &str, most: Ages) -> Vec<String> {
        let Some((as_of, age)) = self.proven_as_of.as_ref().zip(self.age_seconds) else {
            return vec![format!("proven      {name}never{}", old(None, most.recent.or(most.all)))];
        };
        let since = match &self.settled_as_of {
            Some(settled) if !self.whole => format!("; settled in part since, as of {}", report::seconds(settled)),
            _ => String::new(),
        };
        let from = self.recent_from.map_or(String::new(), |from| format!("{from} on: "));
        let mut lines =
            vec![format!("proven      {name}{from}{}{since}{}", equal(as_of, "", age), old(Some(age), most.recent))];
        if let (Some(_), Some(as_of), Some(age)) = (self.recent_from, &self.oldest_as_of, self.oldest_age_seconds) {
            let older = equal(as_of, " or later", age);
            let due = match self.due_rows {
                0 => String::new(),
                due => format!("; {} of {} are due", count(due), counted(self.older_rows, "row")),
            };
            lines.push(format!("            {name}days before: {older}{due}{}", old(Some(age), most.all)));
        }
        lines
    }
}

/// Whether a proof is older than allowed, or was never made.
fn exceeds(age_seconds: Option<f64>, most: Option<Duration>) -> bool {
    most.is_some_and(|most| age_seconds.is_none_or(|age| age.is_nan() || age > most.as_secs_f64()))
}

fn old(age: Option<f64>, most: Option<Duration>) -> String {
    match most {
        Some(allowed) if exceeds(age, most) => format!("; older than {}", humantime::format_duration(allowed)),
        _ => String::new(),
    }
}

/// Rounds an age to whole seconds. If it is no duration, for example because a clock was set back, the nearest one.
fn whole(age: f64) -> Duration {
    let most = if age > 0.0 { Duration::from_secs(u64::MAX) } else { Duration::ZERO };
    Duration::try_from_secs_f64(age.round()).unwrap_or(most)
}

/// `or_later`: with several entities, each has a snapshot of its own.
fn equal(as_of: &str, or_later: &str, age_seconds: f64) -> String {
    let ago = humantime::format_duration(whole(age_seconds));
    format!("equal to production as of {}{or_later}, {ago} ago", report::seconds(as_of))
}
