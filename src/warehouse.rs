//! The warehouse: a connection; only a [`Locked`] one can write, and [`Warehouse::lock`] is the only way to one.

mod checksums;
mod cluster;
mod forget;
mod freshness;
mod lasting;
mod lock;
mod lock_limit;
mod looks;
pub mod notes;
mod partition;
mod preflight;
mod rights;
mod schemas;
mod spread;
mod sums;
mod tables;

use anyhow::Context as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::accounts::Accounts;
use crate::calendar::Period;
use crate::db::{Access, Address, Identity, Limits, Parameter, Row, Server, Session, Work, sql_state};
use crate::entity::{Change, Model};
use crate::error::{Refusal, Result};
use crate::look::{Sight, Stretch};
use crate::settings::Cluster;
use crate::sql::{Ident, Sql, Statement};
use crate::statement;
use crate::survey;
pub use cluster::Node;
pub use forget::Forgettable;
pub use freshness::{Freshness, Proof, Recent};
pub use lock::PlaceLock;
pub use looks::Looks;
pub use partition::Partition;
pub use preflight::Beginning;
pub use spread::{Spread, Spreadable};

const IDENTITY: Statement = statement!("warehouse/identity.sql");
const STATE: Statement = statement!("warehouse/state.sql");
const LAST_RUN: Statement = statement!("warehouse/last_run.sql");
const STORED: Statement = statement!("accounts/stored.sql");
const ENTITIES: Statement = statement!("warehouse/entities.sql");
const MARK_PROVEN: Statement = statement!("warehouse/mark_proven.sql");
const BACK_TO_PROVEN: Statement = statement!("warehouse/back_to_proven.sql");
const LOCK_TABLES: Statement = statement!("warehouse/lock_tables.sql");
const LOCK_REPLACING: Statement = statement!("warehouse/lock_replacing.sql");

/// The accounts of an entity's days in a stretch, as they are in the warehouse.
pub(crate) async fn stored(work: &Work<'_>, model: &Model, stretch: Stretch) -> Result<Accounts> {
    let parameters: [Parameter<'_>; 2] = [(&stretch.from, Type::DATE), (&stretch.until, Type::DATE)];
    let sql = STORED.of(&model.shape()?)?;
    let (mut answer, mut reader) = (work.stream(&sql, &parameters).await?, survey::Reader::default());
    while let Some(row) = answer.next().await? {
        reader.take(&row)?;
    }
    Ok(reader.all().0)
}

/// A connection to the warehouse.
pub struct Warehouse {
    session: Session,
    /// Whether the schemas were there when they were looked for last.
    prepared: bool,
    /// What the settings say that it is spread over.
    cluster: Option<Cluster>,
}

/// One snapshot of the warehouse.
pub struct Reading<'a> {
    work: Work<'a>,
    /// Which database this is.
    pub identity: Identity,
    /// Whether the schemas are there.
    pub prepared: bool,
    /// What the settings say that the warehouse is spread over.
    cluster: Option<Cluster>,
    /// Whether the database has Citus.
    has_citus: bool,
}

/// A transaction that holds the warehouse: the only one that writes.
pub struct Locked<'a> {
    work: Work<'a>,
    cluster: Option<Cluster>,
}

/// A run that changed something.
#[derive(Debug, serde::Serialize)]
pub struct LastRun {
    /// Its number.
    pub run: i64,
    /// The moment of the production snapshot that it settled, UTC.
    pub production_as_of: String,
    /// When it settled its last month, UTC, by the warehouse's clock.
    pub settled_at: String,
    /// Days that it settled.
    pub days: i64,
    /// Rows that it loaded.
    pub rows: i64,
}

/// What was settled, read before production's snapshot is taken.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The accounts of the days that a run looks at.
    pub accounts: Accounts,
    /// These days.
    pub sight: Sight,
    /// Counts settlements: it tells whether another run has settled something since.
    pub generation: i64,
    /// Periods whose accounts do not add up: somebody changed them.
    pub inconsistent: Vec<Period>,
    /// Whether the days' checksums have an earlier form than today's. `accounts` then have none.
    pub renews_checksums: bool,
    /// Set if the settings changed what is settled. `accounts` are then those of the rows that can be used again.
    pub rebuild: Option<Rebuild>,
}

/// An entity whose tables are to be created again.
#[derive(Debug)]
pub struct Rebuild {
    /// The definition that its tables were created for.
    pub known: Model,
    /// Whether the warehouse's rows are used again, and only accounts and views are rebuilt.
    pub keeps_rows: bool,
    /// What was added and removed, in words.
    pub what: Vec<String>,
}

impl Warehouse {
    /// Connects.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn connect(address: &Address, limits: Limits, cluster: Option<Cluster>) -> Result<Self> {
        let mut session = Session::connect(Server::Warehouse, address, limits).await?;
        if cluster.is_some() {
            session.pin_nodes();
        }
        Ok(Self { session, prepared: false, cluster })
    }

    /// A snapshot to read from. `kalends.entity` is locked before it is taken, so that no table is replaced: a snapshot
    /// that is older than a table sees none of its rows.
    ///
    /// # Errors
    /// Busy while another run replaces tables.
    pub async fn read(&mut self) -> Result<Reading<'_>> {
        if !self.prepared {
            self.prepared = self.is_prepared().await?;
        }
        let locks: &[Sql] = if self.prepared { &[LOCK_TABLES.into()] } else { &[] };
        let work = self.session.begin(Access::ReadSnapshot, locks).await.map_err(|error| match sql_state(&error) {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => Refusal::held(
                "another run is replacing tables of the warehouse",
                "Try again when it has ended, or let this command wait with --wait 60s.",
            ),
            _ => error,
        })?;
        let Found { identity, prepared, has_citus } = identify(&work).await?;
        // Schemas that were made in between are not read: their tables are not held in place.
        Ok(Reading { identity, prepared: prepared && self.prepared, cluster: self.cluster, has_citus, work })
    }

    /// Whether the schemas are there. Needs no right on them.
    async fn is_prepared(&mut self) -> Result<bool> {
        let work = self.session.begin(Access::ReadSnapshot, &[]).await?;
        Ok(identify(&work).await?.prepared)
    }
}

/// What a database says of itself first.
struct Found {
    identity: Identity,
    prepared: bool,
    has_citus: bool,
}

/// Which database this is, and whether the schemas are there. Takes the snapshot.
async fn identify(work: &Work<'_>) -> Result<Found> {
    let row = work.query_one(IDENTITY, &[]).await?.context("the warehouse did not say who it is")?;
    Ok(Found { identity: Identity::of(&row)?, prepared: row.get("prepared")?, has_citus: row.get("has_citus")? })
}

/// The sequence that confirms the proof of the entity of a number.
fn confirmed(number: i32) -> Result<Ident> {
    Ident::new(format!("confirmed_{number}"))
}

/// Waits until nobody reads the entities' tables.
///
/// # Errors
/// Busy if somebody reads them for longer than the limit.
async fn lock_replacing(work: &Work<'_>) -> Result<()> {
    work.batch(&LOCK_REPLACING.into()).await.map_err(|error| match sql_state(&error) {
        Some(&SqlState::LOCK_NOT_AVAILABLE) => Refusal::held(
            "tables of the warehouse are to be replaced, and another command reads them",
            "Try again when it has ended, or let this command wait with --wait 60s; nothing of them was changed.",
        ),
        _ => error,
    })
}

/// Checks that production and warehouse are two databases: rows must not be loaded into the database that they are read
/// from.
///
/// # Errors
/// Refuses if they are the same.
pub fn check_are_two(production: &Identity, warehouse: &Identity) -> Result<()> {
    if production != warehouse {
        return Ok(());
    }
    Err(Refusal::refused(
        "production and the warehouse are the same database",
        "Check KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL.",
    ))
}

impl<'a> Reading<'a> {
    /// As [`check_are_two`], for the database that this is.
    ///
    /// # Errors
    /// Refuses if they are the same.
    pub fn check_is_not(&self, production: &Identity) -> Result<()> {
        check_are_two(production, &self.identity)
    }

    /// The ledger of an entity that was settled as `known`, for the settings of today: of the days that a run looks at,
    /// or of all if what is settled has changed.
    ///
    /// # Errors
    /// Refuses another table, time column, zone or type, and a rebuild that takes more locks than the server has.
    pub async fn ledger(&self, known: Model, model: &Model, sight: &Sight) -> Result<Ledger> {
        let generation = self.generation().await?;
        let change = known.change_to(model)?;
        if let Change::Rebuild(what) = change {
            let (keeps_rows, sight) = (model.has_rows_of(&known), Sight::all());
            self.check_locks(&known, keeps_rows).await?;
            let accounts = if keeps_rows { self.accounts_for(&known, model, &sight).await? } else { Accounts::new() };
            let rebuild = Some(Rebuild { known, keeps_rows, what });
            return Ok(Ledger { accounts, sight, generation, rebuild, ..Ledger::default() });
        }
        let renews_checksums = change == Change::Checksums;
        let sight = if renews_checksums { Sight::all() } else { sight.clone() };
        let inconsistent = self.inconsistent(model, Stretch { from: sight.first(), until: None }).await?;
        // What is rebuilt must be proven, in whole months.
        let sight = sight.and(inconsistent.iter().map(|&period| Stretch::from(period).in_whole_months()));
        let accounts = self.accounts_for(&known, model, &sight).await?;
        Ok(Ledger { accounts, sight, generation, inconsistent, renews_checksums, rebuild: None })
    }

    /// The accounts of an entity's days, as they were settled.
    pub async fn accounts(&self, model: &Model) -> Result<Accounts> {
        stored(&self.work, model, Stretch::ALL).await
    }

    /// The entities that have tables here, by name.
    pub async fn entities(&self) -> Result<Vec<Model>> {
        if !self.prepared {
            return Ok(Vec::new());
        }
        self.work.query(ENTITIES, &[]).await?.iter().map(named).collect()
    }

    /// What an entity was settled as; `None` if it has no tables here.
    pub async fn settled_as(&self, name: &str) -> Result<Option<Model>> {
        Ok(self.entities().await?.into_iter().find(|known| known.name() == name))
    }

    /// The last run that changed something; `None` if none has yet.
    pub async fn last_run(&self) -> Result<Option<LastRun>> {
        if !self.prepared {
            return Ok(None);
        }
        let row = self.work.query_one(LAST_RUN, &[]).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(LastRun {
            run: row.get("run")?,
            production_as_of: row.get("production_as_of")?,
            settled_at: row.get("settled_at")?,
            days: row.get("days")?,
            rows: row.get("rows")?,
        }))
    }

    /// Which warehouse this is; a restored copy has the same answer. `None` if there are no schemas yet.
    pub async fn name(&self) -> Result<Option<String>> {
        if !self.prepared {
            return Ok(None);
        }
        Ok(Some(self.state().await?.get("warehouse")?))
    }

    /// Counts settlements.
    pub async fn generation(&self) -> Result<i64> {
        self.state().await?.get("generation")
    }

    async fn state(&self) -> Result<Row> {
        self.work.query_one(STATE, &[]).await?.ok_or_else(|| {
            Refusal::refused(
                "table kalends.state of the warehouse is empty",
                "Restore the warehouse, or drop its schemas.",
            )
        })
    }

    /// The transaction, read only.
    pub fn work(&self) -> &Work<'a> {
        &self.work
    }
}

impl<'a> Locked<'a> {
    /// The transaction, which may write.
    pub fn work(&self) -> &Work<'a> {
        &self.work
    }

    /// Sets a savepoint: rows are loaded and proven. [`Locked::back_to_proven`] rolls back to it.
    pub async fn mark_proven(&self) -> Result<()> {
        self.work.batch(&MARK_PROVEN.into()).await
    }

    /// Rolls back to the savepoint, also if a statement has failed since.
    pub async fn back_to_proven(&self) -> Result<()> {
        self.work.batch(&BACK_TO_PROVEN.into()).await
    }

    /// Commits.
    pub async fn commit(self) -> Result<()> {
        self.work.commit().await
    }
}

fn named(row: &Row) -> Result<Model> {
    serde_json::from_str(row.get("definition")?).context("kalends.entity holds a definition of an unknown form")
}
