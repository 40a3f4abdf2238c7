//! Opening an entity: reads what both servers know of it before production's snapshot is taken, and checks that they
//! are the right servers.

use crate::accounts::Accounts;
use crate::db::Identity;
use crate::entity::{Entity, Model};
use crate::error::{Refusal, Result};
use crate::guard::{Before, Noted};
use crate::production::{Production, Snapshot, Watch};
use crate::progress::Talk;
use crate::warehouse::{Ledger, Reading, Rebuild, Warehouse};

/// The two servers, connected.
pub struct Connections {
    /// Where rows come from.
    pub production: Production,
    /// Where rows, accounts and notes are stored.
    pub warehouse: Warehouse,
    /// Gives way if a session of production waits for a snapshot of ours.
    pub watch: Watch,
    /// Whether progress is shown.
    pub talk: Talk,
}

/// What the warehouse knows of an entity, and the types that production has for it.
pub struct Known {
    /// The entity, with the types that production has.
    pub model: Model,
    /// The definition that its tables were created for; `None` if it has none yet.
    pub settled_as: Option<Model>,
    /// What was settled.
    pub ledger: Ledger,
    /// What earlier runs have noted.
    pub before: Before,
    /// What the tables hold now, if they are about to be created again with other rows.
    pub replaced: Option<Accounts>,
}

/// Looks an entity up in production, once the warehouse is free. Creates nothing.
///
/// # Errors
/// Busy while another run is at work; refuses what [`Production::identity`] does, and production and warehouse in each
/// other's place.
pub async fn find(connections: &mut Connections, entity: &Entity) -> Result<(Identity, Model)> {
    let Connections { production, warehouse, .. } = connections;
    warehouse.read().await?.check_is_free().await?;
    let found = production.identity(entity).await?;
    check_not_exchanged(production, warehouse, entity).await?;
    Ok(found)
}

/// Opens an entity that was found: brings its tables up to date and reads what they hold. If another run settles
/// something after that, the ledger's generation shows it.
///
/// # Errors
/// As [`Warehouse::make_ready`] and [`Reading::ledger`].
pub async fn open(warehouse: &mut Warehouse, (source, model): (Identity, Model)) -> Result<Known> {
    warehouse.make_ready(&source, &model).await?;
    Known::read(&warehouse.read().await?, model).await
}

impl Known {
    /// Reads what the warehouse knows, which is nothing if the entity was never settled. Creates nothing.
    ///
    /// # Errors
    /// Refuses what a run would refuse: an entity of another definition, schemas of a newer Kalends.
    pub async fn read(reading: &Reading<'_>, model: Model) -> Result<Self> {
        reading.is_current().await?;
        let settled_as = reading.settled_as(model.name()).await?;
        let ledger = match &settled_as {
            Some(known) => reading.ledger(known.clone(), &model).await?,
            None => {
                reading.beginning(&model).await?;
                Ledger::default()
            }
        };
        let replaced = match &ledger.rebuild {
            Some(Rebuild { known, keeps_rows: false, .. }) => Some(reading.accounts(known).await?),
            _ => None,
        };
        let before = reading.before(model.name()).await?;
        Ok(Self { model, settled_as, ledger, before, replaced })
    }

    /// The accounts of what the tables hold now.
    pub fn stored(&self) -> &Accounts {
        self.replaced.as_ref().unwrap_or(&self.ledger.accounts)
    }

    /// A snapshot of production. If the table has changed since it was found, the run refuses now, as the next run
    /// would.
    ///
    /// # Errors
    /// As [`Production::snapshot`].
    pub async fn snapshot<'a>(&self, production: &'a mut Production) -> Result<Snapshot<'a>> {
        let snapshot = production.snapshot(&self.model.entity).await?;
        self.model.change_to(snapshot.model())?;
        Ok(snapshot)
    }

    /// Notes what is left as it was settled, unless the same is noted already.
    pub async fn note(&self, warehouse: &mut Warehouse, noted: &[Noted]) -> Result<()> {
        if self.before.noted == noted {
            return Ok(());
        }
        warehouse.note_held(self.model.name(), noted).await
    }

    /// Notes that the entity is equal to production, if nobody has settled anything since.
    pub async fn confirm(&self, warehouse: &mut Warehouse, as_of_us: i64) -> Result<()> {
        warehouse.confirm(self.model.name(), self.ledger.generation, as_of_us).await
    }
}

/// Compares a snapshot of production with the warehouse. The warehouse is read after the snapshot is taken, so that a
/// run that settles in between is seen completely. Returns the moment of production's data and what was found.
///
/// # Errors
/// Those of the comparison; busy if it gave way to a session of production.
pub async fn compare<T>(
    connections: &mut Connections,
    entity: &Entity,
    comparing: impl AsyncFnOnce(&Snapshot<'_>, &Reading<'_>) -> Result<T>,
) -> Result<(String, T)> {
    let Connections { production, warehouse, watch, .. } = connections;
    let snapshot = production.snapshot(entity).await?;
    let reading = warehouse.read().await?;
    reading.check_is_not(&snapshot.identity)?;
    let found = watch.over(&snapshot, comparing(&snapshot, &reading)).await?;
    let as_of = snapshot.as_of.clone();
    snapshot.release().await;
    Ok((as_of, found))
}

/// Checks, before anything is created in a warehouse without Kalends' schemas, that it is the warehouse and not
/// production.
///
/// # Errors
/// Refuses if production has the schemas, and the warehouse has the entity's table.
pub async fn check_not_exchanged(
    production: &mut Production,
    warehouse: &mut Warehouse,
    entity: &Entity,
) -> Result<()> {
    if warehouse.read().await?.prepared {
        return Ok(());
    }
    let (there, here) = (production.seen(entity).await?, warehouse.seen(entity).await?);
    if !(there.is_warehouse && here.has_table) {
        return Ok(());
    }
    Err(Refusal::refused(
        format!("production holds Kalends' schemas, and the warehouse table {entity}: their URLs seem to be swapped"),
        "Swap KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL; nothing was changed.",
    ))
}
