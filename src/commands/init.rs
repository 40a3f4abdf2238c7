//! `init`: writes a settings file with an entity for each suitable table of production.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::entity::{Draft, SourceTable, Taken};
use crate::error::{Exit, Refusal, Result};
use crate::files;
use crate::production::Holdings;
use crate::report::{Form, Outcome, counted};
use crate::settings::{self, Drafted, Servers, Settings, Target};
use crate::sql::Ident;
use crate::world::{Invocation, World};

const EXAMPLES: &str = "\
Examples:
  kalends init                                  write kalends.toml, if there is none yet
  kalends init --out -                          print it
  kalends init --table shop.orders --out -      print one [[entity]], to add to a file";

/// Write a settings file with an [[entity]] for each suitable table of production
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only this table, `schema.table` or `table` of schema public; repeatable
    #[arg(long, value_name = "NAME")]
    table: Vec<String>,
    /// The file to write; - prints it [default: the settings file]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is to be written, and where.
struct Selection {
    target: Target,
    /// Schema and name of the requested tables; none means all.
    tables: Vec<(Ident, Ident)>,
}

#[derive(Serialize)]
struct Written<'a> {
    /// `None` if the text was printed.
    file: Option<String>,
    /// The file's text, if it was printed.
    text: Option<&'a str>,
    entities: Vec<Proposed<'a>>,
    left_out: Vec<LeftOut<'a>>,
}

#[derive(Serialize)]
struct Proposed<'a> {
    name: &'a str,
    table: String,
    time: &'a str,
    time_zone: Option<&'a str>,
    measures: Vec<&'a str>,
    dimensions: &'a [String],
}

#[derive(Serialize)]
struct LeftOut<'a> {
    table: &'a str,
    reason: &'a str,
}

impl Selection {
    /// From the arguments. The file must not exist yet.
    fn new(target: Target, tables: &[String]) -> Result<Self> {
        if let Target::Settings(path) | Target::Other(path) = &target {
            // A link that leads nowhere counts as existing.
            match std::fs::symlink_metadata(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Ok(_) => return Err(is_there(path)),
                Err(error) => return Err(error).with_context(|| format!("could not look for \"{}\"", path.display())),
            }
        }
        let tables = tables.iter().map(|name| settings::table_name(name)).collect::<Result<_>>()?;
        Ok(Self { target, tables })
    }
}

fn is_there(path: &Path) -> anyhow::Error {
    Refusal::refused(
        format!("\"{}\" already exists, and is not overwritten", path.display()),
        "Write another file with --out FILE, or look at the proposal with --out -.",
    )
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let Invocation { flags, environment, .. } = invocation;
    let target = Target::of(args.out, flags, environment);
    let mut settings = Settings::read_to_write(flags, environment, &target)?;
    // Entities are only proposed, so none may be looked up to explain a failure.
    settings.entities.clear();
    let selection = Selection::new(target, &args.table)?;
    invocation.ready_with(settings).work(async |world| init(world, &selection).await)
}

async fn init(world: &World<'_>, selection: &Selection) -> Result<Outcome> {
    let holdings = world.production().await?.holdings().await?;
    let drafted = propose(world, selection, holdings)?;
    let text = settings::written(&drafted);
    let file = match &selection.target {
        Target::Print => None,
        Target::Settings(path) | Target::Other(path) => {
            write(path, &text)?;
            Some(path.display().to_string())
        }
    };
    let said = match &file {
        None => text.trim_end().to_string(),
        Some(file) => told(file, &drafted),
    };
    let printed = file.is_none().then_some(text.as_str());
    let form = if file.is_none() { Form::Verbatim } else { Form::Told };
    Ok(Outcome { form, ..Outcome::new(Exit::Done, said, &written(file, printed, &drafted)) })
}

/// Separates the tables that are proposed from those that are left out.
fn propose(world: &World<'_>, selection: &Selection, holdings: Holdings) -> Result<Drafted> {
    let Holdings { tables, time_zone } = holdings;
    let (drafts, left_out) = match selection.tables.as_slice() {
        [] => all(&tables)?,
        wanted => (these(&tables, wanted)?, Vec::new()),
    };
    if drafts.is_empty() {
        let first = left_out.first().map(|(table, reason)| format!(": \"{table}\" is not, {reason}"));
        let hint = match world.settings.servers {
            Servers::Private => "No server is set, so a private one was asked: set KALENDS_PRODUCTION_URL to yours.",
            Servers::Configured { .. } => {
                "Grant SELECT on your tables, or check that KALENDS_PRODUCTION_URL names the right database."
            }
        };
        return Err(Refusal::refused(
            format!("production shows no table that Kalends can use{}", first.unwrap_or_default()),
            hint,
        ));
    }
    Ok(Drafted { production: world.production.to_string(), time_zone, drafts, left_out })
}

type Sorted = (Vec<Draft>, Vec<(String, String)>);

fn all(tables: &[SourceTable]) -> Result<Sorted> {
    let (mut taken, mut drafts, mut left_out) = (Taken::default(), Vec::new(), Vec::new());
    for table in tables {
        match table.unusable() {
            None => drafts.push(table.draft(&mut taken)?),
            Some(reason) => left_out.push((table.place(), reason)),
        }
    }
    Ok((drafts, left_out))
}

/// Proposals for the named tables. An unsuitable one is refused, because it was requested.
fn these(tables: &[SourceTable], wanted: &[(Ident, Ident)]) -> Result<Vec<Draft>> {
    let (mut taken, mut drafts, mut seen) = (Taken::default(), Vec::new(), Vec::new());
    for (schema, name) in wanted {
        let place = format!("{}.{}", schema.name(), name.name());
        let is_it = |table: &&SourceTable| table.schema == schema.name() && table.name == name.name();
        let Some(table) = tables.iter().find(is_it) else {
            let places: Vec<String> = tables.iter().map(SourceTable::place).collect();
            let hint = match settings::nearest(&place, &places) {
                Some(near) => format!("Did you mean \"{near}\"?"),
                None => "`kalends init --out -` shows those that there are.".to_string(),
            };
            return Err(Refusal::refused(format!("production shows no table \"{place}\""), hint));
        };
        // Its parent also shows its rows, but it was requested by name.
        if let Some(reason) = table.unusable().filter(|_| table.parent.is_none()) {
            return Err(Refusal::refused(
                format!("table \"{place}\" of production cannot be used: {reason}"),
                "Name another table.",
            ));
        }
        if !seen.contains(&place) {
            drafts.push(table.draft(&mut taken)?);
            seen.push(place);
        }
    }
    Ok(drafts)
}

/// Writes the file. Never replaces one.
fn write(path: &Path, text: &str) -> Result<()> {
    match files::create(path, 0o666, |file| file.write_all(text.as_bytes())) {
        Err(refused) if refused.kind() == ErrorKind::AlreadyExists => Err(is_there(path)),
        written => written.with_context(|| format!("could not write \"{}\"", path.display())),
    }
}

fn told(file: &str, drafted: &Drafted) -> String {
    let (entities, left_out) = (counted(drafted.drafts.len(), "table"), drafted.left_out.len());
    let without = match left_out {
        0 => String::new(),
        left_out => format!(", {left_out} skipped, reasons in the file"),
    };
    let zoneless = drafted.drafts.iter().filter(|draft| draft.needs_zone() && drafted.zone(draft).is_none()).count();
    let zoneless = match zoneless {
        0 => String::new(),
        zoneless => format!("\nmissing     the time_zone of {}", counted(zoneless, "table")),
    };
    format!("written     {file}: {entities}{without}{zoneless}\nnext        read it, then run `kalends check`")
}

fn written<'a>(file: Option<String>, text: Option<&'a str>, drafted: &'a Drafted) -> Written<'a> {
    let proposed = |draft: &'a Draft| Proposed {
        name: draft.entity.name.name(),
        table: format!("{}.{}", draft.entity.schema.name(), draft.entity.table.name()),
        time: draft.entity.time.name(),
        time_zone: drafted.zone(draft),
        measures: draft.entity.measures.iter().map(Ident::name).collect(),
        dimensions: &draft.dimensions,
    };
    Written {
        file,
        text,
        entities: drafted.drafts.iter().map(proposed).collect(),
        left_out: drafted.left_out.iter().map(|(table, reason)| LeftOut { table, reason }).collect(),
    }
}
