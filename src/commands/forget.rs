//! `forget`: an entity's rows, accounts and history out of the warehouse, after a look at what that is.

use serde::Serialize;

use super::World;
use crate::error::{Exit, Refusal, Result};
use crate::report::{self, Outcome, counted};
use crate::warehouse::{Forgettable, Warehouse};

/// What was typed.
pub(super) struct Asked {
    /// The entity.
    pub(super) name: String,
    /// `--yes`: what is gone then was seen before.
    pub(super) yes: bool,
}

#[derive(Serialize)]
struct Forgotten<'a> {
    entity: &'a str,
    in_settings: bool,
    #[serde(flatten)]
    what: Forgettable,
}

pub(super) async fn run(world: &World<'_>, asked: &Asked) -> Result<Outcome> {
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
    world.manner.patiently(async || warehouse.forget(name).await).await?;
    let in_settings = is_in_settings(world, name);
    let next = if in_settings {
        "it is still in the settings, and the next `kalends run` settles it again"
    } else {
        "its files go with the next `kalends export`"
    };
    let text = format!("forgotten   {name}: {}; {next}", told(&what));
    Ok(Outcome::new(Exit::Done, text, &Forgotten { entity: name, in_settings, what }))
}

/// Goes on with forgetting an entity where that was interrupted.
async fn go_on(world: &World<'_>, warehouse: &mut Warehouse, asked: &Asked) -> Result<Outcome> {
    let name = asked.name.as_str();
    if !asked.yes {
        return Err(Refusal::refused(
            format!("\"{name}\" is forgotten, and some of its rows have not been dropped yet"),
            format!("The next `kalends run` drops them, or `kalends forget {name} --yes`; nothing was changed."),
        ));
    }
    world.manner.patiently(async || warehouse.forget(name).await).await?;
    let in_settings = is_in_settings(world, name);
    let text = format!("forgotten   {name}: what was left of its rows");
    Ok(Outcome::new(Exit::Done, text, &Forgotten { entity: name, in_settings, what: Forgettable::default() }))
}

fn is_in_settings(world: &World<'_>, name: &str) -> bool {
    world.settings.entities.iter().any(|entity| entity.name.name() == name)
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
