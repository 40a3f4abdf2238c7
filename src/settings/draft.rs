//! The settings file that `init` writes: it proposes entities for people to review.

use std::fmt::Write as _;

use toml_writer::{ToTomlValue as _, TomlStringBuilder};

use super::entities::is_zone;
use crate::entity::{Draft, Entity};
use crate::error::one_line;

/// A proposal.
#[derive(Debug)]
pub struct Drafted {
    /// Production's address, without a password.
    pub production: String,
    /// Production's own time zone, whatever its form.
    pub time_zone: String,
    /// The entities.
    pub drafts: Vec<Draft>,
    /// Tables without a proposal, each with the reason.
    pub left_out: Vec<(String, String)>,
}

impl Drafted {
    /// The time zone of an entity's days; `None` if it must be written by hand, or none is needed.
    pub fn zone(&self, draft: &Draft) -> Option<&str> {
        (draft.needs_zone() && is_zone(&self.time_zone)).then_some(self.time_zone.as_str())
    }
}

/// The text of the file, ending with a newline.
pub fn written(drafted: &Drafted) -> String {
    let mut text = String::new();
    let _ = write!(text, "{}", head(&drafted.production));
    for draft in &drafted.drafts {
        entity(&mut text, drafted, draft);
    }
    if !drafted.left_out.is_empty() {
        text.push_str("\n# Skipped tables, and why:\n");
    }
    for (table, reason) in &drafted.left_out {
        comment(&mut text, &format!("{}: {reason}", string(table)));
    }
    text
}

fn head(production: &str) -> String {
    format!(
        "# Settings of Kalends, proposed by `kalends init` from the tables of production
# ({}).
# Read them before the first run: the table, time column and time zone of an entity cannot be changed later without
# `kalends forget`. Delete what you do not need. docs/reference/settings.md explains each setting.

# The two servers. No URL is written here, because it may hold a password. They come from the environment:
# KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL; passwords from PGPASSFILE or ~/.pgpass.
#production_url = \"postgresql://ROLE@HOST:5432/DATABASE\"
#warehouse_url = \"postgresql://ROLE@HOST:5432/DATABASE\"
",
        one_line(production)
    )
}

fn entity(text: &mut String, drafted: &Drafted, draft: &Draft) {
    let Entity { name, schema, table, time, measures, .. } = &draft.entity;
    let _ = writeln!(text, "\n[[entity]]\nname = {}", string(name.name()));
    let _ = writeln!(text, "table = {}", string(&format!("{}.{}", part(schema.name()), part(table.name()))));
    comment(text, &format!("{}, most likely when a row was created.{}", draft.time_kind, others(&draft.other_times)));
    let _ = writeln!(text, "time = {}", string(time.name()));
    if let Some(zone) = drafted.zone(draft) {
        comment(
            text,
            "Where a day begins and ends: production's TimeZone. Change it if your business uses another one.",
        );
        let _ = writeln!(text, "time_zone = {}", string(zone));
    } else if draft.needs_zone() {
        let zone = string(&drafted.time_zone);
        comment(
            text,
            &format!(
                "Where a day begins and ends. It has to be said: production's own TimeZone, {zone}, is not a name of \
                the IANA \
                 database. Until then a run refuses this entity."
            ),
        );
        text.push_str("#time_zone = \"Europe/Paris\"\n");
    }
    if !draft.not_summed.is_empty() {
        let left: Vec<String> =
            draft.not_summed.iter().map(|(name, why)| format!("{} ({why})", string(name))).collect();
        comment(text, &format!("Numbers that are not summed: {}.", left.join(", ")));
    }
    if !draft.doubtful.is_empty() {
        let doubtful = draft.doubtful.iter().map(|name| string(name)).collect::<Vec<_>>().join(", ");
        comment(text, &format!("Doubtful by their names: {doubtful}. Delete those whose sum would mean nothing."));
    }
    let _ = writeln!(text, "measures = {}", list(measures.iter().map(|measure| measure.name())));
    if !draft.dimensions.is_empty() {
        comment(
            text,
            "Columns of few values, which figures can be split by; a line of the files for each combination.",
        );
        let _ = writeln!(text, "#dimensions = {}", list(draft.dimensions.iter().map(String::as_str)));
    }
}

fn others(times: &[String]) -> String {
    if times.is_empty() { String::new() } else { format!(" Others: {}.", list(times.iter().map(String::as_str))) }
}

/// A comment on one line, whatever the names in it contain.
fn comment(text: &mut String, said: &str) {
    let _ = writeln!(text, "# {}", one_line(said));
}

/// A schema or table as the key `table` takes it: in double quotes if a dot or a quote would be misread.
fn part(name: &str) -> String {
    if name.contains(['.', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_string() }
}

/// A TOML string on one line.
fn string(text: &str) -> String {
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", texts.map(string).collect::<Vec<_>>().join(", "))
}
