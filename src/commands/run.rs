//! `run`: prepare, then publish everything that is due.

use std::time::Instant;

use serde::Serialize;

use super::{World, export, prepare};
use crate::error::{Exit, Result};
use crate::exports::{self, Claim, Scope};
use crate::report::Outcome;

#[derive(Serialize)]
struct Ran {
    #[serde(flatten)]
    prepared: prepare::Prepared,
    written_files: usize,
    removed_files: usize,
    unchanged_files: usize,
}

pub(super) async fn run(world: &World<'_>, claim: Claim) -> Result<Outcome> {
    let (mut warehouse, production) = tokio::try_join!(world.warehouse(), world.production())?;
    let prepared = prepare::prepare(world, &mut warehouse, production).await?;
    let started = Instant::now();
    let published = exports::publish(&mut warehouse, &world.settings.exports, Scope::Everything, claim).await?;
    let text = if prepared.nothing_to_do() && published.written + published.removed == 0 {
        prepared.nothing_to_do_text()
    } else {
        let mut lines = prepared.lines();
        lines.push(export::line(world, &published, started.elapsed().as_secs_f64()));
        lines.join("\n")
    };
    let json = Ran {
        prepared,
        written_files: published.written,
        removed_files: published.removed,
        unchanged_files: published.unchanged,
    };
    Ok(Outcome::new(Exit::Done, text, &json))
}
