//! The command line: the commands, and the flags that all of them have.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};

use crate::commands;
use crate::error::Result;
use crate::progress::Talk;
use crate::report::Outcome;
use crate::settings::{Environment, Flags, nearest};
use crate::world::Invocation;

const EXAMPLES: &str = "\
Examples:
  kalends init                     propose settings for the tables of production
  kalends check                    tell whether a run can start
  kalends run                      make warehouse and files equal to production
  kalends verify                   prove that they are equal, and change nothing
  kalends show 2024                show the figures of a year's months
  kalends report                   write pages for people beside the files
  kalends simulate 2023 3          write a month of simulated production data
  kalends prepare && kalends export 2023 3
  kalends local psql warehouse -- -c 'SELECT * FROM kalends_stats.entity_stats_yearly'

Exit codes: 0 done or nothing to do, 1 failed, 2 usage, 3 a difference was found, 4 refused, 75 busy: try again.
Servers: set KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL. If neither is set, private servers are used.";

/// Keeps exact totals of production PostgreSQL tables in a warehouse, and publishes them as CSV files.
#[derive(Debug, Parser)]
#[command(name = "kalends", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Typed {
    /// What to do.
    #[command(subcommand)]
    command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
}

/// The command with the nearest name.
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
    /// The folder of the published files, or a URL such as s3://bucket/prefix [default: exports]
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

/// Each command is a file of [`crate::commands`]: its arguments, what it does, and its output.
macro_rules! commands {
    ($($variant:ident => $file:ident),* $(,)?) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($variant(commands::$file::Args),)*
        }

        impl Command {
            fn run(self, invocation: impl FnOnce(&'static str) -> Invocation) -> Result<Outcome> {
                match self {
                    $(Self::$variant(args) => commands::$file::run(args, &invocation(stringify!($file))),)*
                }
            }
        }
    };
}

commands! {
    Init => init,
    Check => check,
    Simulate => simulate,
    Prepare => prepare,
    Export => export,
    Run => run,
    Plan => plan,
    Verify => verify,
    Adopt => adopt,
    Status => status,
    History => history,
    Show => show,
    Report => report,
    Diff => diff,
    Forget => forget,
    Spread => spread,
    Local => local,
    Completions => completions,
    Man => man,
}

impl Typed {
    /// Parses the command line. Ends the process with help, or with an error and the command that was probably meant,
    /// because the library does not recognise swapped letters.
    pub fn of_process() -> Self {
        Self::try_parse().unwrap_or_else(|mut error| {
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

    /// Runs the command.
    ///
    /// # Errors
    /// A refusal or a failure, with its exit code; see [`crate::error`].
    pub fn run(self) -> Result<Outcome> {
        let Self { command, common } = self;
        command.run(|command| Invocation {
            command,
            flags: Flags { config: common.config, exports: common.exports },
            environment: Environment::of_process(),
            json: common.json,
            talk: if common.quiet { Talk::Quiet } else { Talk::Normal },
            parser: Self::command(),
        })
    }
}
