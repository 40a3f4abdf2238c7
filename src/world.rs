//! What a command works with: its settings, the two servers, how long it waits for other runs, and where it notes how
//! it ended. What commands do is in [`crate::commands`], and how they do it in the rooms below.

mod each;
mod failures;
mod invocation;
mod metrics;
mod patience;
mod servers;
mod signals;

use anyhow::Context as _;
use tokio_postgres::error::SqlState;

pub use each::{Each, Failed};
pub use failures::Ended;
pub use invocation::Invocation;
pub use signals::unheeding_interrupts;

use crate::db::{Address, StatementFailure, sql_state};
use crate::entity::Entity;
use crate::error::{Refusal, Result};
use crate::pages::Report;
use crate::production::{Production, Watch};
use crate::progress::Talk;
use crate::settings::Settings;
use crate::sync::Connections;
use crate::warehouse::Warehouse;
use patience::Patience;

/// What a command works with.
pub struct World<'a> {
    /// Its name, as in metrics and notes.
    pub command: &'static str,
    /// The settings.
    pub settings: &'a Settings,
    /// Where rows come from.
    pub production: Address,
    /// Where rows, accounts and notes are stored; `None` if the command does not need it and none is set.
    pub warehouse: Option<Address>,
    /// Whether progress is shown.
    pub talk: Talk,
    patience: Patience,
}

impl World<'_> {
    /// The pages of the report, as the settings ask for them.
    pub fn pages(&self) -> Report {
        Report { is_on: self.settings.report }
    }

    /// Connects to production.
    ///
    /// # Errors
    /// As [`Production::connect`].
    pub async fn production(&self) -> Result<Production> {
        let settings = self.settings;
        Production::connect(&self.production, settings.production_limits, settings.max_rows_per_second).await
    }

    /// Connects to the warehouse.
    ///
    /// # Errors
    /// As [`Warehouse::connect`].
    pub async fn warehouse(&self) -> Result<Warehouse> {
        let address = self.warehouse.as_ref().context("no warehouse is set")?;
        Warehouse::connect(address, self.settings.limits, self.settings.cluster).await
    }

    /// Connects to both.
    ///
    /// # Errors
    /// As the two.
    pub async fn connect(&self) -> Result<Connections> {
        let (warehouse, production) = tokio::try_join!(self.warehouse(), self.production())?;
        let watch = Watch::new(&self.production, self.settings.production_limits);
        Ok(Connections { production, warehouse, watch, talk: self.talk })
    }

    /// Does something. If another run is at work, tries again until it has ended or the time is over.
    ///
    /// # Errors
    /// Those of the last attempt.
    pub async fn patiently<T>(&self, attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        self.patience.with(attempt).await
    }

    /// The outcome of some work. If it failed because something is missing or not allowed, the error says what. That is
    /// looked up afterwards, because not everything is checked before, and anything may have changed during the run.
    ///
    /// # Errors
    /// Those of the work, explained.
    pub async fn explaining<T>(&self, entities: &[Entity], work: impl Future<Output = Result<T>>) -> Result<T> {
        let error = match work.await {
            Err(error) if is_drift(&error) => error,
            done => return done,
        };
        let mut production = self.production().await?;
        for entity in entities {
            production.identity(entity).await?;
        }
        if sql_state(&error) != Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
            return Err(error);
        }
        if self.warehouse.is_some()
            && let Some(lacking) = self.warehouse().await?.lacking().await?
        {
            return Err(lacking);
        }
        let said = error.downcast_ref::<StatementFailure>().map(ToString::to_string).unwrap_or_default();
        Err(Refusal::refused(
            format!("a server does not allow something that a run does: {said}"),
            "Grant the right, or make the role the owner; docs/grants.sql grants all that a run needs.",
        ))
    }
}

/// Whether a server says that something is missing, of another kind, or not allowed.
fn is_drift(error: &anyhow::Error) -> bool {
    matches!(
        sql_state(error),
        Some(
            &SqlState::INSUFFICIENT_PRIVILEGE
                | &SqlState::UNDEFINED_TABLE
                | &SqlState::INVALID_SCHEMA_NAME
                | &SqlState::UNDEFINED_COLUMN
                | &SqlState::WRONG_OBJECT_TYPE
        )
    )
}
