//! `report`: pages for people. Reads only the warehouse.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::checks;
use crate::error::{Exit, Refusal, Result};
use crate::exports::pages::{BEGINS, FIRST, Pages as _};
use crate::exports::{Scope, Which};
use crate::files;
use crate::flags::{Closed, Measured, TakeOver, Waiting};
use crate::pages::Report;
use crate::report::{Outcome, counted};
use crate::steps::{self, Files};
use crate::world::{Invocation, World};

/// Write pages for people: what was proven, what moved, and the figures with pictures
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends report --out /srv/www/figures")]
pub(crate) struct Args {
    /// Write them there, and nothing else [default: beside the files, where later runs keep them up to date]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    take_over: TakeOver,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    closed: Closed,
}

#[derive(Serialize)]
struct Written {
    folder: String,
    /// Where to begin to read; null: nothing was settled yet.
    first: Option<String>,
    /// Those whose bytes were written.
    pages: usize,
    /// The files that were published together with the pages.
    #[serde(flatten)]
    files: Option<Files>,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, Measured::default())?;
    let which = args.closed.which();
    ready.work(async |world| match &args.out {
        Some(out) => write(world, out, which).await,
        None => publish(world, which, &args.take_over).await,
    })
}

/// Publishes the pages beside the files.
async fn publish(world: &World<'_>, which: Which, take_over: &TakeOver) -> Result<Outcome> {
    if world.settings.report == Some(false) {
        return Err(Refusal::usage(
            "the settings say that there are no pages beside the files",
            "Remove `report = false` from them, or name another folder with --out.",
        ));
    }
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    reading.check_lasting().await?;
    checks::settled_as_set(&reading, &world.settings.entities).await?;
    drop(reading);
    let report = Report { is_on: Some(true) };
    let claim = take_over.claim();
    let published = steps::publish_with(world, &mut warehouse, (Scope::Everything, which), claim, &report).await?;
    let to = &world.settings.exports.to;
    let (folder, first) = (to.to_string(), published.has_pages.then(|| to.at(FIRST)));
    let text = told(first.as_deref(), published.written_pages, published.removed_pages);
    let files = Some(Files::of(&published));
    Ok(Outcome::new(Exit::Done, text, &Written { folder, first, pages: published.written_pages, files }))
}

/// Writes the pages into a folder of their own.
async fn write(world: &World<'_>, out: &Path, which: Which) -> Result<Outcome> {
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    let pages = Report { is_on: Some(true) }.render(&reading, &BTreeMap::new(), which).await?;
    drop(reading);
    let due = pages.iter().filter_map(|page| is_due(&out.join(&page.path), &page.bytes).transpose());
    let due = due.collect::<Result<Vec<_>>>()?;
    for (path, bytes) in &due {
        let writing = || format!("could not write \"{}\"", path.display());
        std::fs::create_dir_all(files::folder_of(path)).with_context(writing)?;
        files::replace(path, 0o666, |file| file.write_all(bytes)).with_context(writing)?;
    }
    let first = (!pages.is_empty()).then(|| out.join(FIRST).display().to_string());
    let (folder, text) = (out.display().to_string(), told(first.as_deref(), due.len(), 0));
    Ok(Outcome::new(Exit::Done, text, &Written { folder, first, pages: due.len(), files: None }))
}

/// A page that is to be written there; `None` if it is there already.
///
/// # Errors
/// Refuses to replace what is no page of Kalends.
fn is_due(path: &Path, bytes: &[u8]) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let reading = || format!("could not read \"{}\"", path.display());
    let found = match files::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        found => Some(found.with_context(reading)?),
    };
    if found.as_ref().is_some_and(|found| !found.starts_with(BEGINS.as_bytes())) {
        return Err(Refusal::refused(
            format!("\"{}\" is in the way, and Kalends did not write it", path.display()),
            "Move it away, or name another folder with --out; nothing was written.",
        ));
    }
    Ok((found.as_deref() != Some(bytes)).then(|| (path.to_path_buf(), bytes.to_vec())))
}

fn told(first: Option<&str>, written: usize, removed: usize) -> String {
    let removed = if removed > 0 { format!(", {} removed", counted(removed, "page")) } else { String::new() };
    match first {
        None => format!("nothing was settled yet, so there is nothing to report{removed}"),
        Some(first) if written == 0 && removed.is_empty() => {
            format!("nothing to do: the pages are as they should be; open {first}")
        }
        Some(first) => format!("report      {} written{removed}; open {first}", counted(written, "page")),
    }
}
