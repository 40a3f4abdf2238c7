//! Whether the accounts add up, checked without reading the rows.

use std::collections::BTreeSet;

use anyhow::Context as _;
use tokio_postgres::types::Type;

use super::Reading;
use crate::calendar::{Level, Period};
use crate::db::Start;
use crate::entity::{Model, Split};
use crate::error::Result;
use crate::look::Stretch;
use crate::sql::Statement;
use crate::statement;

const SUMS: Statement = statement!("checks/sums.sql");

impl Reading<'_> {
    /// Periods whose account is not the sum of their parts', in either direction; a day's parts are its hours and the
    /// combinations of dimensions in it. Only periods with a day of the stretch.
    pub async fn inconsistent(&self, model: &Model, stretch: Stretch) -> Result<Vec<Period>> {
        let mut inconsistent = BTreeSet::new();
        for (part, whole) in pairs(model)? {
            let (source, target) = (model.accounts(part.0, part.1)?, model.accounts(whole.0, whole.1)?);
            // Where both have combinations, they are compared one by one.
            let split = if part.1 == whole.1 { whole.1 } else { Split::Whole };
            let sql =
                SUMS.of(&model.shape_of(whole.0, part.0, split)?.with(&[("source", &source), ("target", &target)]))?;
            let since = stretch.from.map(|from| from.period(whole.0).span().from);
            let until = stretch.until.map(|until| until.plus(-1).period(whole.0).span().until);
            for row in self.work.query(sql, &[(&since, Type::DATE), (&until, Type::DATE)]).await? {
                inconsistent.insert(row.get::<Start>("period")?.period(whole.0)?);
            }
        }
        Ok(inconsistent.into_iter().collect())
    }
}

type Accounts = (Level, Split);

/// Which accounts must be the sums of which others, parts first.
fn pairs(model: &Model) -> Result<Vec<(Accounts, Accounts)>> {
    let mut pairs = Vec::new();
    for (level, split) in model.details() {
        let whole = if level == Level::Hour { split } else { Split::Whole };
        pairs.push(((level, split), (Level::Day, whole)));
    }
    for (level, split) in model.sums() {
        pairs.push(((level.part().context("a sum has parts")?, split), (level, split)));
    }
    Ok(pairs)
}
