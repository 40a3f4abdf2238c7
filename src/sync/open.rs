//! Opening an entity: reads what both servers know of it before production's snapshot is taken, and checks that they
//! are the right servers.

use crate::accounts::Accounts;
use crate::calendar::Day;
use crate::db::Identity;
use crate::entity::{Entity, Model};
use crate::error::{Refusal, Result};
use crate::guard::{Before, Noted};
use crate::look::{Look, Sight, Stretch};
use crate::production::{Production, Snapshot, Survey, Watch};
use crate::progress::Talk;
use crate::warehouse::{Ledger, Looks, Reading, Rebuild, Warehouse};

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
    /// What is known of earlier looks at it.
    pub looks: Looks,
    /// The days that this run looks at.
    pub sight: Sight,
}

/// How far a run wants to look.
#[derive(Clone, Copy, Default)]
pub struct Wish<'a> {
    /// The settings, and the day that it is in production; `None`: look at everything.
    pub recent: Option<(Look, Day)>,
    /// Days that are to be looked at besides.
    pub more: &'a [Stretch],
    /// Whether the accounts of all days are read, also those that are not looked at.
    pub whole_ledger: bool,
}

impl Wish<'_> {
    /// The days that a run looks at: from the recent ones on, and those that are held or changing. Everything, if there
    /// is no proof yet, or a part of it is missing, or a run was interrupted since, or production is another database.
    fn sight(&self, looks: &Looks, before: &Before, source: &Identity) -> Sight {
        // Of an entity without rows, nothing was settled from anywhere.
        let is_same = before.source.as_ref().is_none_or(|known| known.identity == *source);
        let interrupted = !looks.whole && before.noted.is_empty();
        let is_known = looks.proven_us.is_some() && looks.looked.is_whole();
        let recent = self.recent.filter(|_| is_same && !interrupted && is_known);
        let recent = recent.zip(looks.open_from);
        let Some(recent) = recent.and_then(|((look, today), open_from)| look.recent_from(today, open_from)) else {
            return Sight::all();
        };
        let first = looks.looked.recent_from.map_or(recent, |known| known.min(recent));
        let noted = before.noted.iter().map(|noted| Stretch::from(noted.unit).in_whole_months());
        let more = self.more.iter().map(|stretch| stretch.in_whole_months());
        Sight::of([Stretch { from: Some(first), until: None }].into_iter().chain(noted).chain(more))
    }
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
pub async fn open(warehouse: &mut Warehouse, found: (Identity, Model), wish: Wish<'_>) -> Result<Known> {
    warehouse.make_ready(&found.0, &found.1).await?;
    Known::read(&warehouse.read().await?, found, wish).await
}

impl Known {
    /// Reads what the warehouse knows, which is nothing if the entity was never settled. Creates nothing.
    ///
    /// # Errors
    /// Refuses what a run would refuse: an entity of another definition, schemas of a newer Kalends.
    pub async fn read(reading: &Reading<'_>, (source, model): (Identity, Model), wish: Wish<'_>) -> Result<Self> {
        let is_current = reading.is_current().await?;
        let settled_as = reading.settled_as(model.name()).await?;
        let before = reading.before(model.name()).await?;
        let Some(known) = settled_as.clone() else {
            reading.beginning(&model).await?;
            let (ledger, looks) = (Ledger::default(), Looks::default());
            return Ok(Self { model, settled_as, ledger, before, replaced: None, looks, sight: Sight::all() });
        };
        // A plan creates nothing, so it may meet schemas of an earlier version.
        let looks = if is_current { reading.looks(&model).await? } else { Looks::default() };
        let sight = wish.sight(&looks, &before, &source);
        let mut ledger = reading.ledger(known, &model, &sight).await?;
        let replaced = match &ledger.rebuild {
            Some(Rebuild { known, keeps_rows: false, .. }) => Some(reading.accounts(known).await?),
            _ => None,
        };
        let sight = ledger.sight.clone();
        if wish.whole_ledger && !sight.is_all() {
            ledger.accounts = reading.accounts(&model).await?;
        }
        Ok(Self { model, settled_as, ledger, before, replaced, looks, sight })
    }

    /// Surveys the days that this run looks at. If the ledger has all days, the others are taken from it.
    ///
    /// # Errors
    /// As [`Snapshot::survey`].
    pub async fn survey(&self, snapshot: &Snapshot<'_>) -> Result<Survey> {
        let mut survey = snapshot.survey_days(&self.sight).await?;
        let others = self.ledger.accounts.iter().filter(|(day, _)| !self.sight.contains(**day));
        let others: Vec<_> = others.map(|(&day, account)| (day, account.clone())).collect();
        survey.accounts.extend(others);
        Ok(survey)
    }

    /// Whether the entity may have been settled before.
    pub fn has_past(&self) -> bool {
        !(self.looks.is_unsettled && self.stored().is_empty())
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
    pub async fn confirm(&mut self, warehouse: &mut Warehouse, as_of_us: i64) -> Result<()> {
        self.ledger.generation = warehouse.confirm(self.model.name(), self.ledger.generation, as_of_us).await?;
        Ok(())
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
