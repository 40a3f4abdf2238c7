//! What can be typed. No logic: what it means is decided in [`crate::commands`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::calendar::Period;
use crate::settings::nearest;

const EXAMPLES: &str = "\
Examples:
  kalends init                     propose settings for the tables of production
  kalends check                    tell whether a run can go
  kalends run                      make warehouse and files equal to production
  kalends verify                   prove that they are equal, and change nothing
  kalends simulate 2023 3          write a month of simulated production data
  kalends prepare && kalends export 2023 3
  kalends local psql warehouse -- -c 'SELECT * FROM kalends_stats.entity_stats_yearly'

Exit codes: 0 done or nothing to do, 1 failed, 2 usage, 3 a difference was found, 4 refused, 75 busy: try again.
Servers: set KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL. If neither is set, private servers are used.";

const INIT_EXAMPLES: &str = "\
Examples:
  kalends init                                  write kalends.toml, if there is none yet
  kalends init --out -                          print it
  kalends init --table shop.orders --out -      print one [[entity]], to add to a file";

/// Keeps exact totals of production PostgreSQL tables in a warehouse, and publishes them as CSV files.
#[derive(Debug, Parser)]
#[command(name = "kalends", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Typed {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
}

/// What was typed. Ends the process with help, or with an error and the command that was probably meant: letters that
/// changed places are not near enough for the library.
pub fn typed() -> Typed {
    Typed::try_parse().unwrap_or_else(|mut error| {
        let meant = match error.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(command)) if error.get(ContextKind::SuggestedSubcommand).is_none() => {
                near(command)
            }
            _ => None,
        };
        if let Some(meant) = meant {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![meant]));
        }
        error.exit()
    })
}

/// The command of the nearest name.
fn near(command: &str) -> Option<String> {
    let known: Vec<String> = Typed::command().get_subcommands().map(|known| known.get_name().to_string()).collect();
    nearest(command, &known).map(str::to_string)
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// The settings file [default: kalends.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of the published files [default: exports]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub exports: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log each step on stderr; -vv logs more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// For the commands that take the warehouse or the export folder.
#[derive(Debug, Clone, Copy, Args)]
pub struct Waiting {
    /// Wait up to this long for another run to end, such as 60s or 10m [default: end with 75 at once]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
}

/// For the commands that monitoring wants to know of.
#[derive(Debug, Clone, Args)]
pub struct Measured {
    /// Write the outcome and its figures to a file as OpenMetrics text
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}

/// For the commands that look at files.
#[derive(Debug, Clone, Copy, Args)]
pub struct Closed {
    /// Only files of periods that had ended when they were proven; leave the others as they are
    #[arg(long)]
    pub closed_only: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a settings file with an [[entity]] for each suitable table of production
    #[command(after_help = INIT_EXAMPLES)]
    Init {
        /// Only this table, `schema.table` or `table` of schema public; repeatable
        #[arg(long, value_name = "NAME")]
        table: Vec<String>,
        /// The file to write; - prints it [default: the settings file]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Tell whether a run can go, and what to do if not; writes nothing
    #[command(after_help = "Example: kalends check --json | jq '.findings[] | select(.verdict != \"ok\")'")]
    Check,
    /// Write a month of simulated production data, replacing the month's rows
    #[command(
        visible_alias = "insert-monthly-data",
        after_help = "Example: RANDOM_MAIN_CONTROLLER=1 kalends simulate 2023 6"
    )]
    Simulate {
        /// 1 to 9999
        year: i32,
        /// 1 to 12
        month: u8,
        /// Mark the database as a test source, so that its rows may be replaced
        #[arg(long)]
        mark: bool,
    },
    /// Make the warehouse's rows and accounts equal to production
    #[command(visible_alias = "data-preparation", after_help = "Example: kalends prepare --json")]
    Prepare {
        /// Accept lost rows and settle what is held: in these periods (2024, 2024-03, 2024-03-05), or everywhere
        #[arg(long, value_name = "PERIOD", num_args = 0..)]
        accept_loss: Option<Vec<Period>>,
        /// Do exactly what this plan says; refuse if production or the warehouse has changed since
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
        /// Whether to wait.
        #[command(flatten)]
        waiting: Waiting,
        /// Where figures go.
        #[command(flatten)]
        measured: Measured,
    },
    /// Publish the files of a month and its year, or without a month all that are due
    #[command(visible_alias = "data-export", after_help = "Example: kalends export 2023 6 --exports /srv/exports")]
    Export {
        /// The year; negative before Christ
        #[arg(allow_negative_numbers = true, requires = "month", value_parser = year)]
        year: Option<i32>,
        /// 1 to 12
        #[arg(value_parser = month)]
        month: Option<u8>,
        /// Replace and remove files that another warehouse published
        #[arg(long)]
        take_over: bool,
        /// Whether to wait.
        #[command(flatten)]
        waiting: Waiting,
        /// Which periods.
        #[command(flatten)]
        closed: Closed,
    },
    /// Prepare, then publish all files that are due
    #[command(after_help = "Example: kalends run --quiet || echo \"kalends ended with $?\"")]
    Run {
        /// Accept lost rows and settle what is held: in these periods (2024, 2024-03, 2024-03-05), or everywhere
        #[arg(long, value_name = "PERIOD", num_args = 0..)]
        accept_loss: Option<Vec<Period>>,
        /// Replace and remove files that another warehouse published
        #[arg(long)]
        take_over: bool,
        /// Do exactly what this plan says; refuse if production or the warehouse has changed since
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
        /// Whether to wait.
        #[command(flatten)]
        waiting: Waiting,
        /// Which periods.
        #[command(flatten)]
        closed: Closed,
        /// Where figures go.
        #[command(flatten)]
        measured: Measured,
    },
    /// Show what a run would do, and change nothing
    #[command(after_help = "Example: kalends plan --out plan.json && kalends run --plan plan.json")]
    Plan {
        /// End with 3 if there is something to do
        #[arg(long)]
        check: bool,
        /// Write the plan to this file, for `run --plan`
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Plan a run that accepts lost rows: in these periods, or everywhere
        #[arg(long, value_name = "PERIOD", num_args = 0..)]
        accept_loss: Option<Vec<Period>>,
        /// Plan a run that may replace and remove files that another warehouse published
        #[arg(long)]
        take_over: bool,
        /// Whether to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Prove that production, rows, accounts and files are equal; list what differs
    #[command(after_help = "Example: kalends verify --json | jq '.differences[].what'")]
    Verify {
        /// Load, settle and publish what differs
        #[arg(long, conflicts_with = "sample")]
        repair: bool,
        /// Accept lost rows and settle what is held: in these periods (2024, 2024-03, 2024-03-05), or everywhere
        #[arg(long, value_name = "PERIOD", num_args = 0.., requires = "repair")]
        accept_loss: Option<Vec<Period>>,
        /// Compare only this share of the rows, the same on both servers
        #[arg(long, value_name = "SHARE%", value_parser = share)]
        sample: Option<u32>,
        /// Also compare the rows themselves: a proof that does not depend on checksums
        #[arg(long, conflicts_with_all = ["sample", "repair"])]
        exact: bool,
        /// List each difference, also where many days or files differ in the same way
        #[arg(long)]
        list: bool,
        /// Whether to wait.
        #[command(flatten)]
        waiting: Waiting,
        /// Which periods.
        #[command(flatten)]
        closed: Closed,
    },
    /// Compare another tool's table in the warehouse with production, or take it over
    #[command(
        after_help = "Example: kalends adopt --check --from analytics.entity --column created_at=created --column value=amount"
    )]
    Adopt {
        /// The other tool's table or view in the warehouse
        #[arg(long, value_name = "SCHEMA.TABLE")]
        from: String,
        /// The name there of a column of production, if it differs; repeatable
        #[arg(long = "column", value_name = "PRODUCTION=THEIRS", value_parser = column)]
        columns: Vec<(String, String)>,
        /// Which entity of the settings, if there are several
        #[arg(long, value_name = "NAME")]
        entity: Option<String>,
        /// Change nothing; list what differs from production, and end with 3 if anything does
        #[arg(long)]
        check: bool,
        /// Whether to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Show how fresh the figures are, the last run that changed something, and what is due
    #[command(after_help = "Example: kalends status --json | jq .due")]
    Status {
        /// End with 3 if everything was last proven equal to production longer ago, such as 26h
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        max_age: Option<Duration>,
        /// Whether to wait.
        #[command(flatten)]
        waiting: Waiting,
        /// Which periods.
        #[command(flatten)]
        closed: Closed,
        /// Where figures go.
        #[command(flatten)]
        measured: Measured,
    },
    /// Show which settled periods changed, when, why, and their values before and after
    #[command(after_help = "Example: kalends history 2024-01")]
    History {
        /// A year, month or day, with what is inside it: 2024, 2024-01 or 2024-01-05 [default: all]
        #[arg(allow_hyphen_values = true)]
        period: Option<Period>,
        /// Only this entity
        #[arg(long, value_name = "NAME")]
        entity: Option<String>,
        /// Show all figures of each period, also those that did not change
        #[arg(long)]
        all: bool,
    },
    /// List the rows of a day that production and the warehouse do not share
    #[command(after_help = "Example: kalends diff 2024-01-05 --limit 10")]
    Diff {
        /// The day: 2024-01-05
        #[arg(allow_hyphen_values = true)]
        day: Period,
        /// Only this entity
        #[arg(long, value_name = "NAME")]
        entity: Option<String>,
        /// List up to N different rows of each entity; all are counted
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Remove an entity's rows, accounts and history from the warehouse
    #[command(after_help = "\
Examples:
  kalends forget orders                           say what would be lost, and change nothing
  kalends forget orders --yes && kalends export   remove it, and then its files")]
    Forget {
        /// As in the settings, or as `kalends status` names it
        name: String,
        /// Remove it; without this, only say what would be lost
        #[arg(long)]
        yes: bool,
        /// Whether to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Start, stop or use the private PostgreSQL servers
    #[command(subcommand, after_help = "Example: kalends local start && kalends local psql production")]
    Local(Local),
    /// Print shell completions
    #[command(after_help = "Example: kalends completions bash > /etc/bash_completion.d/kalends")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What can be done with the private servers.
#[derive(Debug, Subcommand)]
pub enum Local {
    /// Start them, and leave them running
    Start,
    /// Stop them; their data stay
    Stop,
    /// Show where they are and whether they run; end with 3 if not
    Status,
    /// Open psql on one of them
    Psql {
        /// Which one
        side: Side,
        /// Arguments for psql, after --
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
}

/// One of the two private servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Where the rows come from
    Production,
    /// Where rows, accounts and notes are stored
    Warehouse,
}

fn year(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| "year and month are two numbers, such as 2025 3".to_string())
}

fn month(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| "a month is a number from 1 to 12".to_string())
}

/// Two names with a `=` between.
fn column(text: &str) -> Result<(String, String), String> {
    let named = text.split_once('=').filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty());
    let (ours, theirs) = named.ok_or("a column is written PRODUCTION=THEIRS")?;
    Ok((ours.to_string(), theirs.to_string()))
}

/// A length of time, as people write it.
fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "a duration is written 90s, 10m or 26h".to_string())
}

/// A share in percent, as so many of a million.
fn share(text: &str) -> Result<u32, String> {
    const FORM: &str = "a percentage is written 5% or 0.1%, from 0.0001% to 100%";
    let number = text.strip_suffix('%').ok_or(FORM)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return Err(FORM.to_string());
    }
    let of_a_million: u32 = format!("{whole}{part:0<4}").parse().map_err(|_| FORM)?;
    if (1..=1_000_000).contains(&of_a_million) { Ok(of_a_million) } else { Err(FORM.to_string()) }
}
