//! `run`: prepare, then publish everything that is due.

use std::time::Instant;

use serde::Serialize;

use super::failures::Ended;
use super::{World, export, prepare};
use crate::exports::{Claim, Newest, Published, Scope, Which};
use crate::guard::Accepted;
use crate::report::{self, Outcome};

#[derive(Serialize)]
struct Ran {
    #[serde(flatten)]
    prepared: prepare::All,
    #[serde(flatten)]
    files: export::Files,
}

pub(super) async fn run(world: &World<'_>, accepted: &Accepted, which: Which, claim: Claim) -> Ended {
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let mut prepared = prepare::all(world, &mut warehouse, &mut production, accepted).await?;
    let started = Instant::now();
    let published = export::publish(world, &mut warehouse, Scope::Everything, which, claim).await?;
    let text = if prepared.nothing_to_do() && published.written + published.listed + published.removed == 0 {
        let relisted = published.relisted.then(export::relisted);
        report::list_lines([prepared.text()].into_iter().chain(relisted))
    } else {
        let line = export::line(world, &published, started.elapsed().as_secs_f64());
        report::list_lines([prepared.done_text(), line].into_iter().chain(where_to_look(world, &published)))
    };
    let (exit, failures) = (prepared.exit, std::mem::take(&mut prepared.failures));
    let json = Ran { prepared, files: export::Files::of(&published) };
    Ok((Outcome::new(exit, text, &json), failures))
}

/// The newest file that was written, and the view that says the same.
fn where_to_look(world: &World<'_>, published: &Published) -> Option<String> {
    let Newest { path, view } = published.newest.as_ref()?;
    Some(format!("newest      {}, view {view}", world.settings.exports.join(path).display()))
}
