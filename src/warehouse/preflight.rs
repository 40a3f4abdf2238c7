//! What `check` looks at in the warehouse: all that a run does there before it writes.

use tokio_postgres::types::Type;

use super::{ENTITIES, Reading, Warehouse, named};
use crate::db::{self, Facts, Seen, Work, knows_zone};
use crate::entity::{Change, Entity, Model, Taken};
use crate::error::{Refusal, Result};
use crate::settings::nearest;
use crate::sql::Statement;
use crate::statement;

const TAKEN: Statement = statement!("warehouse/taken.sql");

/// What a run would begin with for an entity.
#[derive(Debug)]
pub enum Beginning {
    /// It was never settled: its tables are created.
    New,
    /// It continues as it was settled.
    Settled,
    /// It is rebuilt because of these changes.
    Rebuild(Vec<String>),
}

impl Warehouse {
    /// Whether it is a warehouse, and whether it has an entity's table.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub async fn seen(&mut self, entity: &Entity) -> Result<Seen> {
        self.session.seen(&entity.schema, &entity.table).await
    }

    /// What the server says of itself.
    ///
    /// # Errors
    /// As [`crate::db::Session::facts`].
    pub async fn facts(&mut self) -> Result<Facts> {
        self.session.facts().await
    }

    /// Whether the schemas exist or can be created, the role may change all that they contain, and no table loses its
    /// rows in a crash.
    ///
    /// # Errors
    /// Those that a run ends with: as [`Warehouse::make_ready`] and [`Warehouse::lacking`].
    pub async fn check_rights(&mut self) -> Result<()> {
        // What may not be read may be the very table that says the version.
        if self.is_prepared().await?
            && let Some(lacking) = self.lacking().await?
        {
            return Err(lacking);
        }
        let reading = self.read().await?;
        reading.check_lasting().await?;
        reading.check_schemas().await
    }
}

impl Reading<'_> {
    /// What a run would begin with for an entity.
    ///
    /// # Errors
    /// Those that a run ends with: as [`Warehouse::make_ready`] and [`Reading::ledger`].
    pub async fn beginning(&self, model: &Model) -> Result<Beginning> {
        self.check_cluster(model).await?;
        if let Some(known) = self.settled_as(model.name()).await? {
            return Ok(match known.change_to(model)? {
                Change::Same | Change::Checksums => Beginning::Settled,
                Change::Rebuild(what) => {
                    self.check_locks(&known, model.has_rows_of(&known)).await?;
                    Beginning::Rebuild(what)
                }
            });
        }
        check_new(&self.work, model).await?;
        if self.prepared {
            check_apart(&self.work, model).await?;
        }
        Ok(Beginning::New)
    }
}

/// Whether an entity's tables can be created: no table of another owner has their names, and the warehouse can compute
/// the bounds of days.
pub(super) async fn check_new(work: &Work<'_>, model: &Model) -> Result<()> {
    if let Some(zone) = &model.entity.time_zone
        && !knows_zone(work, zone).await?
    {
        let hint = match nearest(zone, &db::zones(work).await?) {
            Some(near) => format!("Did you mean \"{near}\"?{}", model.entity.lines.place("time_zone")),
            None => "Use a name of the IANA database, such as \"Europe/Paris\".".to_string(),
        };
        return Err(Refusal::refused(format!("the warehouse knows no time zone \"{zone}\""), hint));
    }
    let taken = work.query_one(TAKEN, &[(&model.name(), Type::TEXT)]).await?;
    if taken.map_or(Ok(false), |row| row.get("taken"))? {
        return Err(Refusal::refused(
            format!("the warehouse has a table \"kalends_raw.{}\" that Kalends did not make", model.name()),
            "Move it to another schema, or give the entity another name.",
        ));
    }
    Ok(())
}

/// Checks that a new entity shares no tables or files with entities of another settings file.
pub(super) async fn check_apart(work: &Work<'_>, model: &Model) -> Result<()> {
    let mut taken = Taken::default();
    for row in work.query(ENTITIES, &[]).await? {
        // Entities that share names are not to be parted here; they are refused where they meet.
        let _ = taken.take(named(&row)?.name());
    }
    taken.take(model.name()).map_err(|other| {
        Refusal::refused(
            format!("entity \"{}\" would share tables or files with \"{other}\" of the warehouse", model.name()),
            format!("Give it another name, or `kalends forget {other} --yes` first; nothing was changed."),
        )
    })
}
