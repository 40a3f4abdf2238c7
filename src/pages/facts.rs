//! What the pages are about, read from one snapshot of the warehouse.

use std::collections::BTreeMap;

use anyhow::Context as _;
use tokio_postgres::types::Type;

use crate::accounts::Said;
use crate::calendar::{Day, Level, Period, Span};
use crate::db::Parameter;
use crate::entity::{Model, Split};
use crate::error::Result;
use crate::exports::Which;
use crate::exports::pages::Mark;
use crate::guard::Noted;
use crate::history::{self, Restatement};
use crate::show::{self, Shown};
use crate::sql::{Filling, Statement};
use crate::statement;
use crate::warehouse::notes::Failure;
use crate::warehouse::{Freshness, Reading};

const PROOF: Statement = statement!("pages/proof.sql");
const RESTATED: Statement = statement!("pages/restated.sql");
const VALUES: Statement = statement!("pages/values.sql");
const COMBINATIONS: Statement = statement!("pages/combinations.sql");

/// Hours are shown of so many days.
pub(super) const DAYS_OF_HOURS: i32 = 31;

/// So many values of a dimension stand by themselves.
pub(super) const VALUES_SHOWN: i32 = 12;

/// Months of a dimension's values.
pub(super) const MONTHS_OF_VALUES: usize = 24;

/// So many combinations have their days in the page.
const COMBINATIONS_SHOWN: i32 = 50;

/// An entity as its page shows it.
pub(super) struct Facts {
    pub(super) model: Model,
    pub(super) fresh: Option<Freshness>,
    pub(super) complete_through: Option<Day>,
    /// What the guard has left as it was settled.
    pub(super) left: Vec<Noted>,
    /// Failures that are dated after the proof, the newest first.
    pub(super) failures: Vec<Failure>,
    pub(super) mark: Mark,
    /// What moved since the page before, newest run first.
    pub(super) moved: Vec<Restatement>,
    /// How often each day was restated.
    pub(super) restated: BTreeMap<Day, i64>,
    /// The accounts of each level that is kept, in order.
    pub(super) levels: BTreeMap<Level, Vec<Shown>>,
    pub(super) proof: Proof,
    /// The months of the dimensions' values.
    pub(super) months: Option<Span>,
    /// Each dimension by name, with its values.
    pub(super) dimensions: Vec<(String, Vec<Value>)>,
    pub(super) combinations: Vec<Combination>,
    /// How many combinations there are.
    pub(super) of_combinations: i64,
}

/// What is proven, in a few figures.
pub(super) struct Proof {
    pub(super) rows: i64,
    pub(super) days: i64,
    pub(super) first: Option<Day>,
    pub(super) last: Option<Day>,
    pub(super) digest: String,
    /// The statement that computes the digest again.
    pub(super) sql: String,
}

/// A value of a dimension, or all values beyond the first ones together.
pub(super) struct Value {
    /// As text; `None` is NULL.
    pub(super) name: Option<String>,
    /// How many values these are, if they are all beyond the first ones.
    pub(super) rest: Option<i64>,
    /// By month.
    pub(super) months: BTreeMap<Period, Said>,
}

/// A combination of dimensions.
pub(super) struct Combination {
    pub(super) names: Vec<Option<String>>,
    /// A line for each day, as `sql/pages/combinations.sql` writes it.
    pub(super) days: String,
}

impl Facts {
    /// Reads them.
    ///
    /// # Errors
    /// If the warehouse does not answer.
    pub(super) async fn read(
        reading: &Reading<'_>,
        model: Model,
        before: &BTreeMap<String, Mark>,
        which: Which,
    ) -> Result<Self> {
        let name = model.name().to_string();
        let fresh = reading.freshness().await?.remove(&name);
        let complete_through = reading.complete_through().await?.remove(&name);
        let left = reading.noted().await?.into_iter().filter(|(entity, _)| *entity == name);
        let (restated, mut mark) = restated(reading, &name).await?;
        if let Some(fresh) = &fresh {
            mark = Mark { as_of: fresh.settled_as_of.clone(), settlement: fresh.settlement, ..mark };
        }
        let mark = Mark::after(before.get(&name), mark);
        let moved = match mark.since {
            Some(since) => history::restatements(reading, Some(&name), None, Some(since)).await?,
            None => Vec::new(),
        };
        let is_shown = |period: Period| which == Which::All || is_closed(complete_through, period);
        let mut levels = BTreeMap::new();
        for level in Level::ALL.into_iter().filter(|&level| model.keeps(level) && level != Level::Hour) {
            levels.insert(level, show::periods(reading, &model, level, None).await?);
        }
        if let (true, Some(last)) = (model.keeps(Level::Hour), levels[&Level::Day].last()) {
            let last = last.period.first();
            let span = Span { from: last.plus(1 - DAYS_OF_HOURS), until: last.next() };
            levels.insert(Level::Hour, show::periods(reading, &model, Level::Hour, Some(span)).await?);
        }
        levels.values_mut().for_each(|shown| shown.retain(|one| is_shown(one.period)));
        let closed = |shown: &&Shown| is_closed(complete_through, shown.period);
        let of_months = &levels[&Level::Month];
        let last_closed = of_months.iter().rev().find(closed).map(|shown| shown.period);
        let months = months(of_months, last_closed);
        let mut dimensions = Vec::new();
        for (at, dimension) in model.dimension_names().into_iter().enumerate() {
            dimensions.push((dimension, values(reading, &model, at, months).await?));
        }
        // Combinations are not told by closed days.
        let (combinations, of_combinations) = match which {
            Which::All => combinations(reading, &model).await?,
            Which::Closed => (Vec::new(), 0),
        };
        Ok(Self {
            failures: failures(reading, &name, fresh.as_ref()).await?,
            left: left.map(|(_, noted)| noted).collect(),
            proof: Proof::read(reading, &model).await?,
            model,
            fresh,
            months,
            complete_through,
            mark,
            moved,
            restated,
            levels,
            dimensions,
            combinations,
            of_combinations,
        })
    }

    /// Whether a period had ended when the entity was proven equal to production.
    pub(super) fn is_closed(&self, period: Period) -> bool {
        is_closed(self.complete_through, period)
    }

    /// The accounts of a level; none if it is not kept.
    pub(super) fn of(&self, level: Level) -> &[Shown] {
        self.levels.get(&level).map_or(&[], Vec::as_slice)
    }
}

fn is_closed(complete_through: Option<Day>, period: Period) -> bool {
    complete_through.is_some_and(|day| period.span().until <= day.next())
}

/// The last months, with those that have no rows. The last closed one is among them: if many are later, it is the last.
fn months(shown: &[Shown], closed: Option<Period>) -> Option<Span> {
    let first_of = |last: Period| (1..MONTHS_OF_VALUES).fold(last, |month, _| month.first().plus(-1).month()).first();
    let last = shown.last()?.period;
    let last = closed.filter(|month| month.first() < first_of(last)).unwrap_or(last);
    Some(Span { from: first_of(last), until: last.span().until })
}

/// How often each day was restated; which entity it is, and the last run that restated one.
async fn restated(reading: &Reading<'_>, entity: &str) -> Result<(BTreeMap<Day, i64>, Mark)> {
    let (mut times, mut mark) = (BTreeMap::new(), Mark::default());
    for row in &reading.work().query(RESTATED, &[(&entity, Type::TEXT)]).await? {
        mark.number = row.get("number")?;
        mark.restated = mark.restated.max(row.get("run")?);
        if let Some(day) = row.get::<Option<Day>>("period")? {
            times.insert(day, row.get("times")?);
        }
    }
    Ok((times, mark))
}

/// Failures of the entity, or of a run as a whole, dated after the moment that the entity was proven as of.
async fn failures(reading: &Reading<'_>, entity: &str, fresh: Option<&Freshness>) -> Result<Vec<Failure>> {
    let second = |moment: &str| moment.get(..19).unwrap_or_default().to_string();
    let proven = fresh.and_then(|fresh| fresh.proof.as_ref()).map(|proof| second(&proof.as_of));
    let mut failures = reading.failures().await?;
    failures.retain(|failure| {
        let is_of = failure.entity.as_deref().is_none_or(|name| name == entity);
        is_of && proven.as_ref().is_none_or(|proven| second(&failure.at) >= *proven)
    });
    Ok(failures)
}

async fn values(reading: &Reading<'_>, model: &Model, at: usize, months: Option<Span>) -> Result<Vec<Value>> {
    let Some(months) = months else { return Ok(Vec::new()) };
    let column = model.dimension_column(at).context("a dimension has a column")?;
    let source = model.accounts(Level::Month, Split::Combinations)?;
    let names: [(&str, &dyn Filling); 2] = [("source", &source), ("dimension", &column)];
    let sql = VALUES.of(&model.shape_of(Level::Month, Level::Month, Split::Combinations)?.with(&names))?;
    let parameters: [Parameter<'_>; 3] =
        [(&months.from, Type::DATE), (&months.until, Type::DATE), (&VALUES_SHOWN, Type::INT4)];
    let mut values: Vec<(i32, Value)> = Vec::new();
    for row in &reading.work().query(sql, &parameters).await? {
        let place: i32 = row.get("place")?;
        if values.last().is_none_or(|(last, _)| *last != place) {
            let is_rest: bool = row.get("is_rest")?;
            let rest = if is_rest { Some(row.get("from_here")?) } else { None };
            values.push((place, Value { name: row.get("value")?, rest, months: BTreeMap::new() }));
        }
        if let Some((_, value)) = values.last_mut() {
            value.months.insert(row.get::<Day>("month")?.month(), Said::parse(row.get("said")?)?);
        }
    }
    Ok(values.into_iter().map(|(_, value)| value).collect())
}

async fn combinations(reading: &Reading<'_>, model: &Model) -> Result<(Vec<Combination>, i64)> {
    if model.dimension_names().is_empty() {
        return Ok((Vec::new(), 0));
    }
    let source = model.accounts(Level::Day, Split::Combinations)?;
    let sql = COMBINATIONS.of(&model.shape()?.with(&[("source", &source)]))?;
    let (mut found, mut of_all) = (Vec::new(), 0);
    for row in &reading.work().query(sql, &[(&COMBINATIONS_SHOWN, Type::INT4)]).await? {
        of_all = row.get("of_all")?;
        let names = serde_json::from_str(row.get("names")?).context("a combination has names of an unknown form")?;
        found.push(Combination { names, days: row.get("days")? });
    }
    Ok((found, of_all))
}

impl Proof {
    async fn read(reading: &Reading<'_>, model: &Model) -> Result<Self> {
        let sql = PROOF.of(&model.shape()?)?;
        let text = sql.text().trim().to_string();
        let row = reading.work().query_one(sql, &[]).await?.context("the ledger did not say what it holds")?;
        let statement = text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        Ok(Self {
            rows: row.get("rows")?,
            days: row.get("days")?,
            first: row.get("first")?,
            last: row.get("last")?,
            digest: row.get("digest")?,
            sql: statement.trim().to_string(),
        })
    }
}
