//! What a run would do with an entity: which days it would settle and why, which accounts would change, and what the
//! files would then contain.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tokio_postgres::types::{ToSql, Type};

use super::account::{self, PlannedAccount};
use super::combinations::OfDay;
use super::day::{PlannedDay, days};
use crate::accounts::{self, SetAside};
use crate::calendar::{Day, Level, Period};
use crate::db::{Identity, Parameter, Start};
use crate::entity::{Model, Split};
use crate::error::Result;
use crate::exports::{Line, Preview};
use crate::guard::{self, Judged, Kind, Noted};
use crate::production::{Snapshot, Survey};
use crate::sql::{Filling, Statement};
use crate::statement;
use crate::sync::due::PlannedLook;
use crate::sync::open::Known;
use crate::warehouse::Reading;

const ACCOUNTS: Statement = statement!("plan/accounts.sql");
const STORED: Statement = statement!("plan/stored.sql");
const HOURS: Statement = statement!("plan/hours.sql");

/// What a run would do with an entity.
#[derive(Debug, Serialize)]
pub struct OfEntity {
    /// Its name.
    pub entity: String,
    /// The moment of the snapshot that was surveyed, UTC.
    pub production_as_of: String,
    /// Which production that was.
    pub production: Identity,
    /// The definition that its tables would have.
    pub definition: Model,
    /// SHA-256 of the accounts of all days that production has.
    pub survey: String,
    /// Rows in production that belong to a day, on the days that were looked at.
    pub surveyed_rows: i64,
    /// Days in production, of those that were looked at.
    pub surveyed_days: usize,
    /// What a run would look at of the older days, and this plan does not; `None` if it looks at all days.
    pub older: Option<PlannedLook>,
    /// Rows that belong to none.
    pub set_aside: SetAside,
    /// If the settings changed what is settled: what is added and removed. Then everything is settled again.
    pub settled_anew: Vec<String>,
    /// The days that would be loaded and settled.
    pub days: Vec<PlannedDay>,
    /// The accounts of days, weeks, months, quarters and years that would change.
    pub accounts: Vec<PlannedAccount>,
    /// The combinations of dimensions that would change, on days that would be settled again.
    pub combinations: Vec<OfDay>,
    /// Days that were not searched for such combinations.
    pub not_looked_into_days: usize,
    /// Periods whose accounts somebody edited: they would be rebuilt.
    pub mended_periods: Vec<Period>,
    /// What would be held because it looks like a loss.
    pub held: Vec<Noted>,
    /// The command that accepts it.
    pub accept: Option<String>,
    /// What would be left because it is still changing.
    pub changing: Vec<Noted>,
}

impl OfEntity {
    /// Whether a run would change nothing of the entity, and nothing of it is held or changing.
    pub(super) fn nothing_to_do(&self) -> bool {
        let is_left = !self.held.is_empty() || !self.changing.is_empty();
        !is_left && self.days.is_empty() && self.settled_anew.is_empty() && self.mended_periods.is_empty()
    }
}

/// What would be done with an entity after the guard's judgement, and with its files. These are `None` if they stay as
/// they follow from the warehouse now.
///
/// # Errors
/// If a server does not answer.
pub async fn of_entity(
    snapshot: &Snapshot<'_>,
    reading: &Reading<'_>,
    known: &Known,
    survey: &Survey,
    judged: Judged,
) -> Result<(OfEntity, Option<Preview>)> {
    let model = snapshot.model();
    let (changing, held) = judged.noted.into_iter().partition::<Vec<_>, _>(|noted| noted.kind == Kind::Changing);
    let mut planned = OfEntity {
        entity: model.name().to_string(),
        production_as_of: snapshot.as_of.clone(),
        production: snapshot.identity.clone(),
        definition: model.clone(),
        survey: accounts::digest(&survey.accounts),
        surveyed_rows: survey.looked_at().map(|(_, account)| account.rows).sum(),
        surveyed_days: survey.looked_at().count(),
        older: None,
        set_aside: survey.set_aside,
        settled_anew: Vec::new(),
        days: Vec::new(),
        accounts: Vec::new(),
        combinations: Vec::new(),
        not_looked_into_days: 0,
        mended_periods: known.ledger.inconsistent.clone(),
        accept: guard::accepting(held.iter()),
        held,
        changing,
    };
    // Tables that are made anew hold a part of nothing: where anything is left, all is.
    if known.ledger.rebuild.is_some() && !judged.left.is_empty() {
        return Ok((planned, None));
    }
    let target = &judged.target;
    let changes = accounts::compare(target, &known.ledger.accounts);
    planned.days = days(&changes, &survey.accounts, &known.ledger.accounts);
    let stays = known.settled_as.is_some() && known.ledger.rebuild.is_none();
    planned.settled_anew = known.ledger.rebuild.as_ref().map(|rebuild| rebuild.what.clone()).unwrap_or_default();

    let mut lines = Vec::new();
    for level in Level::ALL.into_iter().filter(|&level| level != Level::Hour && model.keeps(level)) {
        let days: Vec<Day> = target.keys().copied().collect();
        let rows: Vec<i64> = target.values().map(|account| account.rows).collect();
        let columns = accounts::columns(target.values().map(|account| account.statistics()));
        let mut fresh = ask(reading, model, level, (&days, Type::DATE_ARRAY), (&rows, &columns)).await?;
        let stored = match known.settled_as.as_ref().filter(|known| known.keeps(level)) {
            Some(known) => stored(reading, known, level).await?,
            None => Told::new(),
        };
        planned.accounts.extend(account::differing(level, stored, &mut fresh)?);
        lines.extend(fresh.into_iter().map(|(period, told)| told.line(period)));
    }
    let settled: BTreeSet<Day> =
        if stays { changes.keys().copied().collect() } else { target.keys().copied().collect() };
    if model.keeps(Level::Hour) {
        lines.extend(hours(snapshot, reading, &settled).await?);
    }
    // Levels are stored that are not published. Where a file has lines by dimension, one of a period to which nothing
    // happens is as the warehouse has it.
    let happens = |period: Period| settled.iter().any(|day| period.span().contains(*day));
    lines.retain(|line| {
        model.entity.levels.contains(&line.period.level()) && (line.fields.is_some() || happens(line.period))
    });
    let preview = Preview { model: model.clone(), lines, settled: stays.then_some(settled) };
    Ok((planned, Some(preview)))
}

/// What accounts and their files will contain, by period.
type Told = BTreeMap<Period, account::Told>;

/// What the accounts of a level will contain, if their parts have these rows and statistics.
async fn ask(
    reading: &Reading<'_>,
    model: &Model,
    level: Level,
    parts: Parameter<'_>,
    (rows, columns): (&Vec<i64>, &[Vec<Option<&str>>]),
) -> Result<Told> {
    if rows.is_empty() {
        return Ok(Told::new());
    }
    let mut parameters: Vec<Parameter<'_>> = vec![parts, (rows, Type::INT8_ARRAY)];
    parameters.extend(columns.iter().map(|column| (column as &(dyn ToSql + Sync), Type::TEXT_ARRAY)));
    let sql = ACCOUNTS.of(&model.shape_of(level, level, Split::Whole)?)?;
    let mut answer = reading.work().stream(&sql, &parameters).await?;
    let mut told = Told::new();
    while let Some(row) = answer.next().await? {
        let one = account::Told { rows: row.get("rows")?, said: row.get("said")?, fields: row.get("fields")? };
        told.insert(row.get::<Start>("period")?.period(level)?, one);
    }
    Ok(told)
}

/// What the accounts of a level contain now.
async fn stored(reading: &Reading<'_>, known: &Model, level: Level) -> Result<Told> {
    let source = known.accounts(level, Split::Whole)?;
    let sql = STORED.of(&known.shape_of(level, level, Split::Whole)?.with(&[("source", &source)]))?;
    let mut answer = reading.work().stream(&sql, &[]).await?;
    let mut told = Told::new();
    while let Some(row) = answer.next().await? {
        let one = account::Told { rows: 0, said: row.get("said")?, fields: None };
        told.insert(row.get::<Start>("period")?.period(level)?, one);
    }
    Ok(told)
}

/// The files of the hours of some days, from production's rows.
async fn hours(snapshot: &Snapshot<'_>, reading: &Reading<'_>, days: &BTreeSet<Day>) -> Result<Vec<Line>> {
    let model = snapshot.model();
    let days: Vec<Day> = days.iter().copied().collect();
    let names: [(&str, &dyn Filling); 2] = model.entity.table_names();
    let sql = HOURS.of(&model.shape_of(Level::Hour, Level::Hour, Split::Whole)?.with(&names))?;
    let rows = snapshot.work().query(sql, &[(&days, Type::DATE_ARRAY)]).await?;
    let starts: Vec<&str> = rows.iter().map(|row| row.get("hour")).collect::<Result<_>>()?;
    let statistics: Vec<Vec<Option<String>>> = rows.iter().map(|row| row.get("statistics")).collect::<Result<_>>()?;
    let counts: Vec<i64> = rows.iter().map(|row| row.get("rows")).collect::<Result<_>>()?;
    let columns = accounts::columns(statistics.iter().map(|of_hour| of_hour.iter().map(Option::as_deref)));
    let told = ask(reading, model, Level::Hour, (&starts, Type::TEXT_ARRAY), (&counts, &columns)).await?;
    Ok(told.into_iter().map(|(period, told)| told.line(period)).collect())
}
