//! One file a command, in terms of the rooms; here what was typed becomes what is meant.

mod adopt;
mod check;
mod combinations;
mod diff;
mod exchanged;
mod export;
mod failures;
mod figures;
mod forget;
mod history;
mod init;
mod left;
mod local;
mod manner;
mod metrics;
mod plan;
mod prepare;
mod run;
mod simulate;
mod status;
mod verify;

use std::time::Duration;

use anyhow::Context as _;
use clap::CommandFactory as _;
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio_postgres::error::SqlState;

use self::manner::Manner;
use crate::cli::{Closed, Command, Typed};
use crate::db::{Address, Limits, Methods, Protection, StatementFailure, sql_state};
use crate::entity::Entity;
use crate::error::{Exit, Refusal, Result, one_line};
use crate::exports::{Claim, Scope, Which};
use crate::guard::Accepted;
use crate::local::Servers as PrivateServers;
use crate::production::{Production, Watch};
use crate::progress::{self, Committed, Talk};
use crate::report::{self, Form, Outcome, counted};
use crate::settings::{Environment, Flags, Servers, Settings, Target};
use crate::warehouse::Warehouse;

/// Said where private servers are made, because nothing is configured.
const PRIVATE: &str = "no server is set, so Kalends makes two private ones; for your own set \
                       KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL";

/// What a command that uses the servers is to do. All that was typed has been checked.
enum Task {
    Simulate(simulate::Month),
    Prepare(Accepted),
    Export(Scope, Which, Claim),
    Run(Accepted, Which, Claim),
    Plan(plan::Wanted),
    Verify(verify::How, Which, verify::Listing),
    Adopt(adopt::Asked),
    Status(Which, Option<Duration>),
    History(history::Args),
    Diff(diff::Wanted),
    Check,
    Forget(forget::Asked),
    Init(init::Wish),
}

/// What every task works with.
struct World<'a> {
    settings: &'a Settings,
    production: Address,
    /// `None` where the task has no use for it and none is set.
    warehouse: Option<Address>,
    talk: Talk,
    manner: Manner,
    /// The plan that a run is held to.
    planned: Option<plan::Expected>,
}

/// Does what was typed.
///
/// # Errors
/// A refusal or a failure, with its exit code; see [`crate::error`].
pub fn run(typed: Typed) -> Result<Outcome> {
    let flags = Flags { config: typed.common.config, exports: typed.common.exports };
    let environment = Environment::of_process();
    let json = typed.common.json;
    let talk = if typed.common.quiet { Talk::Quiet } else { Talk::Normal };
    let manner = Manner::of(&typed.command)?;
    let mut planned = None;
    let target = |out: &Option<_>| Target::of(out.clone(), &flags, &environment);
    let settings = match &typed.command {
        Command::Init { out, .. } => Settings::read_to_write(&flags, &environment, &target(out))?,
        _ => Settings::read(&flags, &environment)?,
    };
    if talk == Talk::Normal {
        settings.notes.iter().for_each(|note| report::talk(&format!("note: {}", one_line(note))));
    }
    let task = match typed.command {
        Command::Completions { shell } => return Ok(completions(shell)),
        Command::Local(command) => return local::run(command, &settings),
        Command::Simulate { year, month, mark } => Task::Simulate(simulate::Month::new(year, month, mark, &settings)?),
        Command::Prepare { accept_loss, plan, .. } => {
            planned = plan.as_deref().map(plan::Expected::read).transpose()?;
            Task::Prepare(plan::accepted(accept_loss, planned.as_ref()))
        }
        Command::Export { year, month, take_over, closed, .. } => {
            Task::Export(export::scope(year.zip(month))?, which(closed), claim(take_over))
        }
        Command::Run { accept_loss, take_over, closed, plan, .. } => {
            planned = plan.as_deref().map(plan::Expected::read).transpose()?;
            Task::Run(plan::accepted(accept_loss, planned.as_ref()), which(closed), claim(take_over))
        }
        Command::Plan { check, out, accept_loss, take_over, .. } => {
            Task::Plan(plan::Wanted { check, json, out, accept_loss, claim: claim(take_over) })
        }
        Command::Verify { repair, accept_loss, exact, sample, list, closed, .. } => {
            let how = verify::How::new(repair, Accepted::of(accept_loss), exact, sample);
            Task::Verify(how, which(closed), if list { verify::Listing::All } else { verify::Listing::SummedUp })
        }
        Command::Adopt { from, columns, entity, check, .. } => {
            Task::Adopt(adopt::Asked::new(&from, columns, entity, check)?)
        }
        Command::Status { closed, max_age, .. } => Task::Status(which(closed), max_age),
        Command::History { period, entity, all } => Task::History(history::Args { period, entity, all }),
        Command::Diff { day, entity, limit } => Task::Diff(diff::Wanted::new(day, entity, limit)?),
        Command::Check => Task::Check,
        Command::Forget { name, yes, .. } => Task::Forget(forget::Asked { name, yes }),
        Command::Init { table, out } => Task::Init(init::Wish::new(target(&out), &table)?),
    };
    with_servers(task, &settings, talk, manner, planned)
}

fn claim(take_over: bool) -> Claim {
    if take_over { Claim::TakeOver } else { Claim::Own }
}

fn which(closed: Closed) -> Which {
    if closed.closed_only { Which::Closed } else { Which::All }
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Typed::command(), "kalends", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Outcome { form: Form::Verbatim, ..Outcome::new(Exit::Done, script.trim_end(), &script) }
}

/// Does a task on the configured servers, or on private ones that run for as long as it takes.
fn with_servers(
    task: Task,
    settings: &Settings,
    talk: Talk,
    manner: Manner,
    planned: Option<plan::Expected>,
) -> Result<Outcome> {
    let (private, mut production, mut warehouse) = match &settings.servers {
        Servers::Configured { production, warehouse } => (None, (**production).clone(), warehouse.as_deref().cloned()),
        Servers::Private => {
            if talk == Talk::Normal && !settings.local.folder.exists() {
                report::talk(PRIVATE);
            }
            let servers = crate::local::borrow(&settings.local)?;
            let (production, warehouse) = (servers.production().into(), servers.warehouse().into());
            (Some(servers), production, Some(warehouse))
        }
    };
    for address in [Some(&mut production), warehouse.as_mut()].into_iter().flatten() {
        if address.config.get_application_name().is_none() {
            address.config.application_name(format!("kalends {}", manner.command));
        }
    }
    let world = World { settings, production, warehouse, talk, manner, planned };
    // One thread: rows pass from one socket to the other, and a second thread would only hand them over.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Without entities of its own there is nothing to look up for it.
    let entities = if matches!(task, Task::Init(_)) { &[] } else { settings.entities.as_slice() };
    let outcome = runtime.block_on(async {
        // A file that is too large for `ulimit -f` is an error to whoever writes it, and not the end without a word.
        let _too_large = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
        let outcome = tokio::select! {
            outcome = world.explaining(entities, task.run(&world)) => outcome,
            signal = told_to_stop() => signal.map(|exit| stopped(exit, talk)),
        };
        metrics::written(&world, outcome).await
    });
    // Connections end here, and what was not committed is rolled back, before the servers are stopped. A name that is
    // still being looked up is not waited for.
    runtime.shutdown_background();
    let given_back = private.map_or(Ok(()), PrivateServers::give_back);
    let outcome = outcome?;
    given_back?;
    Ok(outcome)
}

/// While this is held, Ctrl-C ends other programs of the terminal and not this one.
fn unheeding_interrupts() -> Result<impl Sized> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let interrupts = runtime.block_on(async { signal(SignalKind::interrupt()) })?;
    Ok((runtime, interrupts))
}

/// What is said when a command is told to stop.
fn stopped(exit: Exit, talk: Talk) -> Outcome {
    if talk == Talk::Normal {
        let word = if exit == Exit::Interrupted { "interrupted" } else { "told to stop" };
        let stays = match progress::committed() {
            Some(Committed { entity, months, of }) if months < of => {
                let entity = one_line(&entity);
                format!("{months} of {} of {entity} are committed, the rest is rolled back", counted(of, "month"))
            }
            _ => "what was committed stays, the rest is rolled back".to_string(),
        };
        report::talk(&format!("{word}: {stays}; run again to go on"));
    }
    Outcome::new(exit, "", &"stopped")
}

/// Ends when somebody presses Ctrl-C or sends SIGTERM; what is under way is dropped then.
async fn told_to_stop() -> Result<Exit> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => Ok(Exit::Interrupted),
        _ = terminate.recv() => Ok(Exit::Terminated),
    }
}

impl Task {
    async fn run(self, world: &World<'_>) -> Result<Outcome> {
        match self {
            Self::Simulate(month) => simulate::run(world, month).await,
            Self::Prepare(accepted) => failures::noting(world, prepare::run(world, &accepted)).await,
            Self::Export(scope, which, claim) => export::run(world, scope, which, claim).await,
            Self::Run(accepted, which, claim) => {
                failures::noting(world, run::run(world, &accepted, which, claim)).await
            }
            Self::Plan(wanted) => plan::run(world, &wanted).await,
            Self::Verify(how, which, listing) => verify::run(world, how, which, listing).await,
            Self::Adopt(asked) => adopt::run(world, asked).await,
            Self::Status(which, max_age) => status::run(world, which, max_age).await,
            Self::History(args) => history::run(world, &args).await,
            Self::Diff(wanted) => diff::run(world, &wanted).await,
            Self::Check => check::run(world).await,
            Self::Init(wish) => init::run(world, &wish).await,
            Self::Forget(asked) => forget::run(world, &asked).await,
        }
    }
}

impl World<'_> {
    fn limits(&self) -> Limits {
        self.settings.limits
    }

    /// The outcome of some work; where it ended because something is not there or not allowed, what that is. It is
    /// looked up afterwards, because only some have been looked at before, and all may have been changed in mid run.
    async fn explaining<T>(&self, entities: &[Entity], work: impl Future<Output = Result<T>>) -> Result<T> {
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

    async fn production(&self) -> Result<Production> {
        let settings = self.settings;
        Production::connect(&self.production, settings.production_limits, settings.max_rows_per_second).await
    }

    /// Gives way when somebody of production waits for a snapshot of ours.
    fn watch(&self) -> Watch {
        Watch::new(&self.production, self.settings.production_limits)
    }

    async fn warehouse(&self) -> Result<Warehouse> {
        let address = self.warehouse.as_ref().context("no warehouse is set")?;
        Warehouse::connect(address, self.limits()).await
    }
}

/// Whether a server says that something is not there, is something else, or is not allowed.
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

/// A private server as any other: its socket's folder is its host, and it asks for no password.
impl From<&crate::local::Address> for Address {
    fn from(private: &crate::local::Address) -> Self {
        let mut config = tokio_postgres::Config::new();
        config.host_path(&private.socket_folder).port(private.port).user(&private.user).dbname(&private.database);
        Self { config, protection: Protection::Disable, methods: Methods::any() }
    }
}
