//! In which state the warehouse's accounts are, told without rendering them: which version of each account's row is
//! there, and what the views and functions are that files are rendered by.
//!
//! A version of a row is its writing transaction and its place (`xmin` and `ctid`). Any change gives it another one,
//! whoever makes it. Both could be the same by chance in a warehouse that was restored from a backup and went on
//! differently; this is told by the settlements that it has made.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::Type;

use super::formed::Formed;
use crate::calendar::Level;
use crate::db::{AnyDate, Parameter, Start, Work};
use crate::entity::{Form, Model, Split};
use crate::error::Result;
use crate::sql::{Filling, Statement};
use crate::statement;
use crate::warehouse::Reading;

const STATE: Statement = statement!("exports/state.sql");
const RENDERED_BY: Statement = statement!("exports/rendered_by.sql");
const NOTED: Statement = statement!("exports/noted.sql");

/// The state of a warehouse's accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Which warehouse and database this is.
    pub(super) warehouse: String,
    /// The final closed day of each entity.
    pub(super) complete_through: BTreeMap<String, String>,
    /// The versions of the notes of published files; `None` if not known.
    pub(super) noted: Option<(i64, i64)>,
    pub(super) entities: Vec<Accounts>,
}

/// The state of an entity's accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Accounts {
    pub(super) entity: String,
    /// SHA-256 of its definition, of its views and the functions that they use, and of the form of its files.
    pub(super) rendered_by: String,
    /// What was settled last: the moment of production's data, and the number of the settlement.
    pub(super) settled: Option<(String, i64)>,
    pub(super) levels: Vec<Versions>,
}

/// The versions of a level's accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Versions {
    pub(super) level: Level,
    /// The last closed period: its first day, and its hour.
    pub(super) closed: Option<(i32, u8)>,
    /// In order.
    pub(super) parts: Vec<Part>,
}

/// A period, or the hours of a day: its first day since 2000-01-01, how many accounts it has, and a digest of their
/// versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part(pub(super) i32, pub(super) i64, pub(super) i64);

impl State {
    /// Reads the state; `None` if versions do not tell of all changes: files are rendered by views that somebody
    /// replaced and that read something else, or accounts are not in tables as Kalends makes them.
    pub(super) async fn read(reading: &Reading<'_>, entities: &[Formed]) -> Result<Option<Self>> {
        if !reading.is_current().await? {
            return Ok(None);
        }
        let fresh = reading.freshness().await?;
        let mut accounts = Vec::new();
        for entity in entities {
            let model = &entity.model;
            let Some(rendered_by) = rendered_by(reading, entity).await? else { return Ok(None) };
            let mut levels = Vec::new();
            for &level in &model.entity.levels {
                levels.push(versions(reading, model, level).await?);
            }
            let fresh = fresh.get(model.name());
            let settled = fresh.and_then(|fresh| Some((fresh.settled_as_of.clone()?, fresh.settlement)));
            accounts.push(Accounts { entity: model.name().to_string(), rendered_by, settled, levels });
        }
        let (name, identity) = (reading.name().await?.unwrap_or_default(), &reading.identity);
        let complete_through = reading.complete_through().await?;
        let noted = noted(reading.work(), None).await?;
        Ok(Some(Self {
            warehouse: format!("{name} {identity:?}"),
            complete_through: complete_through.into_iter().map(|(entity, day)| (entity, day.to_string())).collect(),
            noted: Some(noted),
            entities: accounts,
        }))
    }

    /// The number of an entity.
    pub(super) fn number(&self, entity: &str) -> Option<usize> {
        self.entities.iter().position(|accounts| accounts.entity == entity)
    }

    /// An entity's accounts.
    pub(super) fn of(&self, entity: &str) -> Option<&Accounts> {
        self.entities.iter().find(|accounts| accounts.entity == entity)
    }
}

impl Accounts {
    /// A level's versions.
    pub(super) fn versions(&self, level: Level) -> Option<&Versions> {
        self.levels.iter().find(|versions| versions.level == level)
    }
}

impl Versions {
    /// Whether a period is closed in one of this and an earlier state and open in the other.
    pub(super) fn turned_since(&self, earlier: &Self, part: &Part) -> bool {
        let (low, high) = (self.closed.min(earlier.closed), self.closed.max(earlier.closed));
        // Of the day in which the last closed hour lies, other hours may have been open.
        let is_beyond = |(day, _)| part.0 > day || part.0 == day && self.level == Level::Hour;
        low != high && low.is_none_or(is_beyond) && high.is_some_and(|(day, _)| part.0 <= day)
    }

    /// The first days of the parts that differ from an earlier state, or whose periods are closed by now or no longer.
    pub(super) fn moved_since<'a>(&'a self, earlier: &'a Self) -> impl Iterator<Item = i32> + 'a {
        let of = |versions: &'a Self| versions.parts.iter().map(|part| (part.0, part)).collect::<BTreeMap<_, _>>();
        let (now, then) = (of(self), of(earlier));
        let moved = move |part: &&'a Part| self.turned_since(earlier, part) || now.get(&part.0) != then.get(&part.0);
        self.parts.iter().chain(&earlier.parts).filter(moved).map(|part| part.0)
    }
}

/// The versions of the notes of published files, of all or of some: how many there are, and a digest in which each
/// counts by itself, so that those of some can be taken out and put in.
pub(super) async fn noted(work: &Work<'_>, paths: Option<&[&str]>) -> Result<(i64, i64)> {
    let row = work.query_one(NOTED, &[(&paths, Type::TEXT_ARRAY)]).await?;
    let row = row.context("the warehouse did not say what is noted")?;
    Ok((row.get("files")?, row.get("digest")?))
}

/// The digest of all that an entity's files are rendered by; `None` if it is not only what Kalends made.
async fn rendered_by(reading: &Reading<'_>, Formed { model, form }: &Formed) -> Result<Option<String>> {
    let (mut views, mut tables) = (Vec::new(), Vec::new());
    for &level in &model.entity.levels {
        views.push(model.view(level)?.name().to_string());
        tables.push(source(model, level)?.name().to_string());
    }
    let parameters: [Parameter<'_>; 2] = [(&views, Type::TEXT_ARRAY), (&tables, Type::TEXT_ARRAY)];
    let rows = reading.work().query(RENDERED_BY, &parameters).await?;
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(model)?);
    for row in &rows {
        if !row.get::<bool>("ours")? {
            return Ok(None);
        }
        digest.update(row.get::<&str>("definition")?);
        digest.update([0]);
    }
    if *form != Form::default() {
        digest.update(format!("{form:?}"));
    }
    Ok((rows.len() == views.len()).then(|| super::content::hexadecimal(&digest.finalize())))
}

/// The table that a level's files are rendered from.
fn source(model: &Model, level: Level) -> Result<crate::sql::Ident> {
    let split = if model.entity.dimensions.is_empty() { Split::Whole } else { Split::Combinations };
    model.accounts(level, split)
}

async fn versions(reading: &Reading<'_>, model: &Model, level: Level) -> Result<Versions> {
    let table = source(model, level)?;
    let names: [(&str, &dyn Filling); 1] = [("source", &table)];
    let sql = STATE.of(&model.shape_of(level, level, Split::Whole)?.with(&names))?;
    let row = reading.work().query_one(sql, &[]).await?.context("the warehouse did not say its accounts' versions")?;
    let firsts: Vec<AnyDate> = row.get("firsts")?;
    let (accounts, digests): (Vec<i64>, Vec<i64>) = (row.get("accounts")?, row.get("digests")?);
    let closed: Option<Start> = row.get("closed")?;
    let parts = firsts.into_iter().zip(accounts).zip(digests);
    let part = |((first, accounts), digest): ((AnyDate, i64), i64)| Ok(Part(first.days(), accounts, digest));
    Ok(Versions {
        level,
        closed: closed.map(|start| (start.days, start.hour)),
        parts: parts.map(part).collect::<Result<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(closed: Option<i32>, parts: &[Part]) -> Versions {
        Versions { level: Level::Day, closed: closed.map(|day| (day, 0)), parts: parts.to_vec() }
    }

    fn moved(now: &Versions, earlier: &Versions) -> Vec<i32> {
        let days: std::collections::BTreeSet<i32> = now.moved_since(earlier).collect();
        days.into_iter().collect()
    }

    #[test]
    fn what_is_new_changed_gone_or_closed_by_now_has_moved() {
        let earlier = days(Some(2), &[Part(1, 1, 10), Part(2, 1, 20), Part(3, 1, 30), Part(4, 1, 40)]);
        assert!(moved(&earlier, &earlier).is_empty());
        assert_eq!(
            moved(&days(Some(2), &[Part(1, 1, 10), Part(3, 1, 30), Part(4, 1, 41), Part(5, 1, 50)]), &earlier),
            [2, 4, 5]
        );
        assert_eq!(
            moved(&days(Some(2), &[Part(1, 2, 10), Part(2, 1, 20), Part(3, 1, 30), Part(4, 1, 40)]), &earlier),
            [1]
        );
        let closed = |day| Versions { closed: day, ..earlier.clone() };
        assert_eq!(moved(&closed(Some((3, 0))), &earlier), [3]);
        assert_eq!(moved(&closed(Some((1, 0))), &earlier), [2]);
        assert_eq!(moved(&closed(None), &earlier), [1, 2]);
        assert_eq!(moved(&earlier, &closed(None)), [1, 2]);
        let hours = |closed| Versions { level: Level::Hour, closed: Some(closed), ..earlier.clone() };
        assert!(moved(&hours((2, 7)), &hours((2, 7))).is_empty());
        assert_eq!(moved(&hours((2, 8)), &hours((2, 7))), [2]);
        assert_eq!(moved(&hours((2, 7)), &hours((3, 0))), [2, 3]);
    }
}
