//! `check`: whether everything that a run needs is there. Checks like a run, but writes nothing.

mod cluster;
mod findings;
mod reading;

use std::path::Path;

use serde::Serialize;

use self::findings::{Finding, Findings, Verdict, size};
use crate::db::{Address, Facts, Protection, Server};
use crate::entity::{Entity, Model};
use crate::error::{self, Exit, Result};
use crate::exports;
use crate::flags::{Measured, Waiting};
use crate::production::Production;
use crate::report::{self, Outcome, counted};
use crate::settings::Destination;
use crate::sync;
use crate::warehouse::{self, Beginning, Warehouse};
use crate::world::{Invocation, World};

/// Tell whether a run can start, and what to do if not; writes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends check --json | jq '.findings[] | select(.verdict != \"ok\")'")]
pub(crate) struct Args {}

/// With less free space, the files of a few entities may not fit: each takes a block of 4 KiB, about 400 files a year.
const LITTLE_ROOM_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Serialize)]
struct Checked {
    ready: bool,
    exit_code: u8,
    problems: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

pub(crate) fn run(Args {}: Args, invocation: &Invocation) -> Result<Outcome> {
    invocation.ready(Waiting::default(), Measured::default())?.work(async |world| check(world).await)
}

async fn check(world: &World<'_>) -> Result<Outcome> {
    let mut findings = Findings { list: Vec::new(), exit: Exit::Done };
    let (production, warehouse) = tokio::join!(world.production(), world.warehouse());
    let mut production = findings.keep("production", production);
    let mut warehouse = findings.keep("warehouse", warehouse);
    let servers = servers(world, &mut findings, production.as_mut(), warehouse.as_mut()).await;
    if let Some((of_production, of_warehouse)) = servers
        && let Some(()) =
            findings.keep("warehouse", warehouse::check_are_two(&of_production.identity, &of_warehouse.identity))
    {
        findings.ok("warehouse", "is another database than production");
    }
    if let Some(there) = &mut warehouse {
        let rights = there.check_rights().await;
        match findings.keep("warehouse", rights) {
            Some(()) => {
                findings.ok("warehouse", "its schemas exist or can be created, and belong to the role");
                cluster::nodes(&mut findings, there).await;
            }
            // If it may not be read, or its form is unknown, it is not used any further.
            None => warehouse = None,
        }
    }
    let mut bytes = 0;
    for entity in &world.settings.entities {
        bytes += one(world, &mut findings, entity, production.as_mut(), warehouse.as_mut()).await.unwrap_or_default();
    }
    files(world, &mut findings, warehouse.as_mut(), bytes).await;
    Ok(outcome(findings))
}

/// What each of the two servers says about itself. Returns the facts if both answer.
async fn servers(
    world: &World<'_>,
    findings: &mut Findings,
    production: Option<&mut Production>,
    warehouse: Option<&mut Warehouse>,
) -> Option<(Facts, Facts)> {
    let of_production = match production {
        Some(production) => findings.keep("production", production.facts().await),
        None => None,
    };
    if let Some(facts) = &of_production {
        server(findings, Server::Production, &world.production, facts);
        if facts.standby {
            findings.warning(
                "production",
                "is a standby: a run sees what it has replayed, and its snapshot may be cancelled by the replay",
                "If that happens, set hot_standby_feedback there, or use the primary.",
            );
        }
    }
    let of_warehouse = match warehouse {
        Some(warehouse) => findings.keep("warehouse", warehouse.facts().await),
        None => None,
    };
    if let (Some(facts), Some(address)) = (&of_warehouse, &world.warehouse) {
        server(findings, Server::Warehouse, address, facts);
    }
    of_production.zip(of_warehouse)
}

/// A server's version, and how the connection to it is protected.
fn server(findings: &mut Findings, server: Server, address: &Address, facts: &Facts) {
    let about = word(server);
    let setting = server.setting();
    findings.ok(about, format!("PostgreSQL {} at {address}", facts.version));
    let protocol = facts.protocol.as_deref();
    match (&address.protection, protocol) {
        _ if address.is_on_this_machine() => {
            findings.ok(about, format!("is on this machine, {}", protocol.unwrap_or("not encrypted")));
        }
        (Protection::VerifyFull { .. }, _) => {
            let protocol = protocol.unwrap_or("as far as the server that answers, which itself is not");
            findings.ok(
                about,
                format!("is on another machine, encrypted ({protocol}), and its certificate proves its name"),
            );
        }
        (Protection::Require, _) => findings.warning(
            about,
            "is on another machine, encrypted, but nothing proves that the right server answers",
            format!("Set sslmode=verify-full in {setting}."),
        ),
        (Protection::Disable | Protection::Prefer, _) => findings.warning(
            about,
            "is on another machine, not encrypted: anyone on the way can read passwords and rows",
            format!("Set sslmode=verify-full in {setting}."),
        ),
    }
}

/// An entity on both sides. Returns the size of its table, if known.
async fn one(
    world: &World<'_>,
    findings: &mut Findings,
    entity: &Entity,
    production: Option<&mut Production>,
    warehouse: Option<&mut Warehouse>,
) -> Option<u64> {
    let about = format!("entity {}", entity.name.name());
    let production = production?;
    let (_, model) = findings.keep(&about, production.identity(entity).await)?;
    let rehearsing = production.rehearse(entity, &model);
    let effort = findings.keep(&about, world.explaining(std::slice::from_ref(entity), rehearsing).await);
    if let Some(effort) = &effort {
        findings.ok(&about, format!("table {entity} of production: columns, types and rights are right"));
        reading::of(findings, &about, entity, effort);
        if world.settings.look(entity).is_some() {
            let by_time = production.counted(entity).await.by_time;
            reading::recent(findings, &about, entity, effort, by_time);
        }
    }
    if let Some(warehouse) = warehouse {
        findings.keep(&about, sync::check_not_exchanged(production, warehouse, entity).await)?;
        beginning(findings, &about, &model, warehouse).await;
    }
    effort.map(|effort| effort.bytes)
}

/// What a run would start with in the warehouse.
async fn beginning(findings: &mut Findings, about: &str, model: &Model, warehouse: &mut Warehouse) {
    let Some(reading) = findings.keep(about, warehouse.read().await) else { return };
    match findings.keep(about, reading.beginning(model).await) {
        Some(Beginning::New) => findings.ok(about, "is new to the warehouse; a run creates its tables"),
        Some(Beginning::Settled) => findings.ok(about, "was settled before, with the same definition"),
        Some(Beginning::Rebuild(what)) => findings.warning(
            about,
            format!("its settings have changed, and a run settles it again: {}", report::list(what.iter())),
            "Change the settings back if you do not want that.",
        ),
        None => {}
    }
}

/// The export folder, and the free space on disk, if known.
async fn files(world: &World<'_>, findings: &mut Findings, warehouse: Option<&mut Warehouse>, bytes: u64) {
    let exports = &world.settings.exports;
    let to = &exports.to;
    let ready = match warehouse {
        Some(warehouse) => match warehouse.read().await {
            Ok(reading) => exports::ready(&reading, exports).await.map(|()| true),
            Err(_) => Ok(false),
        },
        None => Ok(false),
    };
    match findings.keep("exports", ready) {
        Some(true) => findings.ok("exports", ready_for(to)),
        Some(false) => findings.warning(
            "exports",
            format!("the files in \"{to}\" were not checked, because the warehouse does not answer"),
            "Check again when it does.",
        ),
        None => {}
    }
    // A store has room.
    if let Some(path) = to.folder() {
        room(findings, path);
    }
    if bytes > 0 {
        let what = format!(
            "needs about {}, the size of the tables in production without indexes; its free space cannot be checked",
            size(bytes)
        );
        findings.ok("warehouse", what);
    }
}

/// The free space at the export folder.
fn room(findings: &mut Findings, path: &Path) {
    let Some(room) = findings.keep("exports", exports::room(path)) else { return };
    let free = format!("{} free at \"{}\"", size(room.free_bytes), room.at.display());
    match room.free_bytes {
        ..LITTLE_ROOM_BYTES => findings.warning("exports", free, "A file takes some 4 kB, a year some 400 files."),
        _ => findings.ok("exports", free),
    }
}

/// What was found of where files are published, if nothing is in the way.
fn ready_for(to: &Destination) -> String {
    match to {
        Destination::Folder(_) => format!("nothing is in the way of publishing into \"{to}\""),
        Destination::Store(_) => format!("\"{to}\" can be listed; what may be read and written there, a run shows"),
    }
}

fn outcome(findings: Findings) -> Outcome {
    let Findings { list, exit } = findings;
    let with = |verdict| list.iter().filter(|finding| finding.verdict == verdict).count();
    let (problems, warnings) = (with(Verdict::Problem), with(Verdict::Warning));
    let checked = Checked { ready: problems == 0, exit_code: exit as u8, problems, warnings, findings: list };
    Outcome::new(exit, text(&checked), &checked)
}

fn text(checked: &Checked) -> String {
    let lines = checked.findings.iter().map(|finding| {
        let Finding { verdict, about, what, next } = finding;
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "problem",
        };
        let next = next.as_ref().map_or(String::new(), |next| format!("\n            {}", error::one_line(next)));
        format!("{word:<11} {about}: {}{next}", error::one_line(what))
    });
    let (problems, warnings) = (counted(checked.problems, "problem"), counted(checked.warnings, "warning"));
    let sum = match checked.ready {
        true => format!("ready       a run can start; {warnings}"),
        false => format!("not ready   {problems}, {warnings}"),
    };
    report::list_lines(lines.chain([sum]))
}

fn word(server: Server) -> &'static str {
    match server {
        Server::Production => "production",
        Server::Warehouse => "warehouse",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verdict and text about a server at the host of this URL.
    fn of_host(host: &str, protection: Protection, protocol: Option<&str>) -> (Verdict, String) {
        let mut config = tokio_postgres::Config::new();
        config.host(host).dbname("d");
        let identity = crate::db::Identity { system_identifier: "1".to_string(), database_oid: 1 };
        let protocol = protocol.map(str::to_string);
        let facts = Facts { identity, version: "17.1".to_string(), standby: false, protocol };
        let mut findings = Findings { list: Vec::new(), exit: Exit::Done };
        server(
            &mut findings,
            Server::Production,
            &Address { config, protection, methods: crate::db::Methods::any() },
            &facts,
        );
        let Finding { verdict, what, .. } = findings.list.remove(1);
        (verdict, what)
    }

    #[test]
    fn whoever_is_on_the_way_is_warned_of() {
        let proven = Protection::VerifyFull { roots: None };
        for (host, protection, protocol, verdict, said) in [
            ("localhost", Protection::Prefer, None, Verdict::Ok, "on this machine, not encrypted"),
            ("/run/postgresql", Protection::Disable, None, Verdict::Ok, "on this machine, not encrypted"),
            ("127.0.0.1", Protection::Prefer, Some("TLSv1.3"), Verdict::Ok, "on this machine, TLSv1.3"),
            (
                "db.example.com",
                proven.clone(),
                Some("TLSv1.3"),
                Verdict::Ok,
                "encrypted (TLSv1.3), and its certificate",
            ),
            ("db.example.com", Protection::Require, Some("TLSv1.3"), Verdict::Warning, "nothing proves"),
            ("10.0.0.7", Protection::Disable, None, Verdict::Warning, "anyone on the way can read"),
        ] {
            let (found, what) = of_host(host, protection, protocol);
            assert!(found == verdict && what.contains(said), "{host}: {what}");
        }
    }

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!([size(0), size(999), size(1001), size(61_000_001)], ["0 B", "999 B", "2 kB", "62 MB"]);
    }
}
