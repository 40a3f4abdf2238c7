//! `forget`: removes an entity's rows, accounts and history from the warehouse, or shows what that would remove.

use serde::Serialize;

use crate::error::{Exit, Refusal, Result};
use crate::flags::{Measured, Waiting};
use crate::report::{self, Outcome, counted};
use crate::warehouse::{Forgettable, Warehouse};
use crate::world::{Invocation, World};

/// Remove an entity's rows, accounts and history from the warehouse
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kalends forget orders                           say what would be lost, and change nothing
  kalends forget orders --yes && kalends export   remove it, and then its files")]
pub(crate) struct Args {
    /// As in the settings, or as `kalends status` names it
    name: String,
    /// Remove it; without this, only say what would be lost
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Serialize)]
struct Forgotten<'a> {
    entity: &'a str,
    in_settings: bool,
    #[serde(flatten)]
    what: Forgettable,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, Measured::default())?;
    ready.work(async |world| forget(world, &args).await)
}

async fn forget(world: &World<'_>, asked: &Args) -> Result<Outcome> {
    let name = asked.name.as_str();
    let mut warehouse = world.warehouse().await?;
    if warehouse.is_half_forgotten(name).await? {
        return go_on(world, &mut warehouse, asked).await;
    }
    let what = warehouse.forgettable(name).await?;
    if !asked.yes {
        return Err(Refusal::refused(
            format!("forgetting \"{name}\" would lose {}", told(&what)),
            format!("To do it, run `kalends forget {name} --yes`; nothing was changed."),
        ));
    }
    world.patiently(async || warehouse.forget(name).await).await?;
    let in_settings = world.settings.has(name);
    let next = if in_settings {
        "it is still in the settings, and the next `kalends run` settles it again"
    } else {
        "its files go with the next `kalends export`"
    };
    let text = format!("forgotten   {name}: {}; {next}", told(&what));
    Ok(Outcome::new(Exit::Done, text, &Forgotten { entity: name, in_settings, what }))
}

/// Continues to forget an entity after an interruption.
async fn go_on(world: &World<'_>, warehouse: &mut Warehouse, asked: &Args) -> Result<Outcome> {
    let name = asked.name.as_str();
    if !asked.yes {
        return Err(Refusal::refused(
            format!("\"{name}\" is forgotten, and some of its rows have not been dropped yet"),
            format!("The next `kalends run` drops them, or `kalends forget {name} --yes`; nothing was changed."),
        ));
    }
    world.patiently(async || warehouse.forget(name).await).await?;
    let in_settings = world.settings.has(name);
    let text = format!("forgotten   {name}: what was left of its rows");
    Ok(Outcome::new(Exit::Done, text, &Forgotten { entity: name, in_settings, what: Forgettable::default() }))
}

/// `742,784 rows of 365 days, 378 accounts, 12 restatements, and with the next export 378 files`.
fn told(what: &Forgettable) -> String {
    let history = [counted(what.accounts, "account"), counted(what.restatements, "restatement")];
    format!(
        "{} of {}, {}, and with the next export {}",
        counted(what.rows, "row"),
        counted(what.days, "day"),
        report::list(history.into_iter()),
        counted(what.files, "file")
    )
}
