//! Production's counters of rows, and whether the rows of some days are found without reading the whole table.

use tokio_postgres::types::{Oid, Type};

use super::Production;
use crate::calendar::Day;
use crate::db::{Access, AnyDate, Parameter, Row};
use crate::entity::Entity;
use crate::error::Result;
use crate::look::{Counters, Leaf};
use crate::sql::Statement;
use crate::statement;

const COUNTERS: Statement = statement!("production/counters.sql");

/// What production's catalogue says of an entity's table.
#[derive(Debug, Default)]
pub struct Counted {
    /// Its counters.
    pub counters: Counters,
    /// Whether the rows of some days are found without reading the whole table.
    pub by_time: bool,
    /// The day in the entity's time zone and the moment that production's data are as of, in microseconds since 1970
    /// UTC; `None` if the catalogue did not say.
    pub now: Option<(Day, i64)>,
}

impl Production {
    /// What the catalogue says of an entity's table, before a snapshot is taken: it then holds all that the counters
    /// count. Nothing if the table is not there. As this is only a hint, a failure is not one of the run.
    pub async fn counted(&mut self, entity: &Entity) -> Counted {
        let counted = self.look_at_counters(entity).await;
        counted.unwrap_or_else(|error| {
            tracing::warn!("could not read production's counters of {entity}: {error:#}");
            Counted::default()
        })
    }

    /// Rests as long as the pace asks for all that was read so far, while no snapshot is held.
    pub async fn rest(&self) {
        self.pace.wait().await;
    }

    async fn look_at_counters(&mut self, entity: &Entity) -> Result<Counted> {
        let of_standby = self.data_moment().await?;
        let work = self.session.begin(Access::ReadSnapshot, &[]).await?;
        let (schema, table, time) = (entity.schema.name(), entity.table.name(), entity.time.name());
        let zone = entity.time_zone.as_deref().unwrap_or("UTC");
        let parameters: [Parameter<'_>; 4] =
            [(&schema, Type::TEXT), (&table, Type::TEXT), (&time, Type::TEXT), (&zone, Type::TEXT)];
        let rows = work.query(COUNTERS, &parameters).await?;
        let Some(first) = rows.first() else { return Ok(Counted::default()) };
        let leaves = rows.iter().map(leaf).collect::<Result<_>>()?;
        let now_us = of_standby.map_or_else(|| first.get("now_us"), |replayed| Ok(replayed.us))?;
        Ok(Counted {
            counters: Counters { since: first.get("since")?, leaves },
            by_time: first.get("by_time")?,
            now: Some((first.get("today")?, now_us)),
        })
    }
}

fn leaf(row: &Row) -> Result<(u32, Leaf)> {
    let day = |column| -> Result<Option<i32>> {
        let date: Option<AnyDate> = row.get(column)?;
        Ok(date.and_then(AnyDate::day).map(Day::to_postgres))
    };
    let rows = [row.get("inserted")?, row.get("updated")?, row.get("deleted")?];
    let leaf = Leaf { file: row.get::<Oid>("file")?, rows, days: (day("from_day")?, day("until_day")?) };
    Ok((row.get::<Oid>("leaf")?, leaf))
}
