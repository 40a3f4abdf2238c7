//! `forget`: an entity's rows, accounts and history out of the warehouse.

use serde::Serialize;

use super::World;
use crate::error::{Exit, Result};
use crate::report::Outcome;

#[derive(Serialize)]
struct Forgotten<'a> {
    entity: &'a str,
    in_settings: bool,
}

pub(super) async fn run(world: &World<'_>, name: &str) -> Result<Outcome> {
    let mut warehouse = world.warehouse().await?;
    world.manner.patiently(async || warehouse.forget(name).await).await?;
    let in_settings = world.settings.entities.iter().any(|entity| entity.name.name() == name);
    let next = if in_settings {
        "it is still in the settings, and the next `kalends run` settles it anew"
    } else {
        "its files go with the next `kalends export`"
    };
    let text = format!("forgotten   {name}; {next}");
    Ok(Outcome::new(Exit::Done, text, &Forgotten { entity: name, in_settings }))
}
