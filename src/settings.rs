//! The settings: file, environment and flags, each overriding the one before. Nothing else reads the environment.

mod address;
mod cluster;
mod destination;
mod draft;
mod duration;
mod entities;
mod environment;
mod exports;
mod file;
mod guard;
mod limits;
mod look;
mod misspelt;
mod options;
mod profile;
mod reading;
mod store;

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::PathBuf;

pub use cluster::Cluster;
pub use destination::Destination;
pub use draft::{Drafted, written};
pub use entities::table_name;
pub use environment::Environment;
pub use exports::Exports;
use file::File;
pub use misspelt::nearest;
pub use options::Options;
pub use store::{Scheme, Store};

use crate::db::{Address, Limits, Server};
use crate::entity::Entity;
use crate::error::{Refusal, Result};
use crate::guard::Rules;
use crate::local::Location;
use crate::look::Look;

/// The file that is read if it exists and no other is named.
const FILE: &str = "kalends.toml";

/// The controller of the pretend production system if none is set.
const CONTROLLER: &str = "100";

/// The flags that the settings depend on.
#[derive(Debug, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--exports`
    pub exports: Option<PathBuf>,
}

impl Flags {
    /// The settings file that was named.
    fn file(&self, environment: &Environment) -> Option<PathBuf> {
        self.config.clone().or_else(|| environment.path("KALENDS_CONFIG"))
    }
}

/// Where a settings file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The file that other commands read.
    Settings(PathBuf),
    /// Another file, named with the flag.
    Other(PathBuf),
    /// Standard output.
    Print,
}

impl Target {
    /// From `out` as it was typed; without it, the settings file.
    pub fn of(out: Option<PathBuf>, flags: &Flags, environment: &Environment) -> Self {
        match out {
            Some(path) if path.as_os_str() == "-" => Self::Print,
            Some(path) => Self::Other(path),
            None => Self::Settings(flags.file(environment).unwrap_or_else(|| FILE.into())),
        }
    }
}

/// All settings, with their defaults.
#[derive(Debug)]
pub struct Settings {
    /// The two servers.
    pub servers: Servers,
    /// The tables that are accounted for, by name.
    pub entities: Vec<Entity>,
    /// What a run looks at, by entity; everything if it is not listed.
    looks: BTreeMap<String, Look>,
    /// Where files are published, and in which form.
    pub exports: Exports,
    /// Whether the report's pages are published beside the files; `None`: if there are some already.
    pub report: Option<bool>,
    /// How long to wait for the warehouse, and how much of it to take.
    pub limits: Limits,
    /// The same for production.
    pub production_limits: Limits,
    /// How many rows per second may be read from production; `None`: no limit.
    pub max_rows_per_second: Option<NonZeroU64>,
    /// What the warehouse is spread over; `None`: it is one server.
    pub cluster: Option<Cluster>,
    /// The guard's rules.
    pub guard: Rules,
    /// Where private servers are, whether they are used or not.
    pub local: Location,
    /// Notes for whoever wrote the file.
    pub notes: Vec<String>,
    controller: String,
}

/// Which servers to use.
#[derive(Debug)]
pub enum Servers {
    /// Private servers: none is configured.
    Private,
    /// The servers of the URLs.
    Configured {
        /// Where rows come from.
        production: Box<Address>,
        /// Where rows, accounts and notes are stored; `None` if it is not set and [`Need::Production`] was enough.
        warehouse: Option<Box<Address>>,
    },
}

/// Which servers must be set, if any are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Both.
    Both,
    /// Production. The warehouse may be set as well.
    Production,
}

impl Settings {
    /// Reads file and environment, and applies the flags.
    ///
    /// # Errors
    /// Refuses (usage) a file with an unknown key or a wrong value, one URL without the other, and a URL that does not
    /// parse. Never shows a password.
    pub fn read(flags: &Flags, environment: &Environment) -> Result<Self> {
        let file = match flags.file(environment) {
            Some(path) => reading::read(&path)?,
            None => reading::read_if_there(FILE.as_ref())?,
        };
        Self::of(file, flags, environment, Need::Both)
    }

    /// The settings for a command that writes a settings file. If that is the file which commands read, it does not
    /// exist yet, so only the environment counts.
    ///
    /// # Errors
    /// As [`Settings::read`], except that production alone may be set.
    pub fn read_to_write(flags: &Flags, environment: &Environment, target: &Target) -> Result<Self> {
        let file = match (target, flags.file(environment)) {
            (Target::Settings(_), _) => File::default(),
            (Target::Other(_) | Target::Print, Some(path)) => reading::read(&path)?,
            (Target::Other(_) | Target::Print, None) => reading::read_if_there(FILE.as_ref())?,
        };
        Self::of(file, flags, environment, Need::Production)
    }

    /// The entity with a name.
    ///
    /// # Errors
    /// Refuses (usage) a name that no entity has.
    pub fn entity(&self, name: &str) -> Result<&Entity> {
        self.entities.iter().find(|entity| entity.name.name() == name).ok_or_else(|| {
            Refusal::usage(format!("the settings have no entity \"{name}\""), format!("They have {}.", self.names()))
        })
    }

    /// Whether an entity has this name.
    pub fn has(&self, name: &str) -> bool {
        self.entities.iter().any(|entity| entity.name.name() == name)
    }

    /// What a run looks at of an entity; `None`: everything.
    pub fn look(&self, entity: &Entity) -> Option<Look> {
        self.looks.get(entity.name.name()).copied()
    }

    /// The names of all entities, quoted.
    pub fn names(&self) -> String {
        self.entities.iter().map(|one| format!("\"{}\"", one.name.name())).collect::<Vec<_>>().join(", ")
    }

    fn of(file: File, flags: &Flags, environment: &Environment, need: Need) -> Result<Self> {
        let url =
            |server: Server, in_file: Option<String>| environment.text(server.setting()).map(|url| url.or(in_file));
        let production = url(Server::Production, file.production_url)?;
        let warehouse = url(Server::Warehouse, file.warehouse_url)?;
        let exports = flags.exports.clone().or_else(|| environment.path("KALENDS_EXPORTS")).unwrap_or(file.exports);
        let folder = environment.path("KALENDS_LOCAL").unwrap_or(file.local);
        let (limits, notes) = file.limits.read()?;
        let exports = Exports::of(Destination::of(exports, environment, limits.connect)?, &file.entity)?;
        let looks = file.entity.iter().map(|typed| {
            let look = look::read(&typed.name, typed.recent.as_deref(), typed.prove_all_every.as_deref())?;
            Ok(look.map(|look| (typed.name.clone(), look)))
        });
        let looks = looks.filter_map(Result::transpose).collect::<Result<_>>()?;
        Ok(Self {
            servers: servers(production, warehouse, environment, need)?,
            entities: entities::read(file.entity)?,
            looks,
            exports,
            report: file.report,
            limits: Limits { workers: file.warehouse.workers.map(|workers| workers.0), ..limits },
            production_limits: Limits {
                lock: file.production.lock_timeout.map_or(limits.lock, |written| written.0),
                statement: file.production.statement_timeout.map_or(limits.statement, |written| written.0),
                workers: file.production.workers.map(|workers| workers.0),
                ..limits
            },
            max_rows_per_second: file.production.max_rows_per_second,
            cluster: file.warehouse.cluster,
            guard: file.guard.read()?,
            local: Location { folder: environment.absolute(&folder)?, search_path: environment.search_path() },
            notes,
            controller: environment.text("RANDOM_MAIN_CONTROLLER")?.unwrap_or_else(|| CONTROLLER.to_string()),
        })
    }

    /// The controller of the pretend production system: it scales the number of rows and their values.
    ///
    /// # Errors
    /// Refuses (usage) anything but a positive whole number.
    pub fn controller(&self) -> Result<u64> {
        let digits = !self.controller.is_empty() && self.controller.bytes().all(|byte| byte.is_ascii_digit());
        // All numbers beyond 64 bits are too large.
        let controller =
            digits.then(|| self.controller.parse().unwrap_or(u64::MAX)).filter(|&controller| controller > 0);
        controller.ok_or_else(|| {
            Refusal::usage(
                format!("RANDOM_MAIN_CONTROLLER is \"{}\", not a positive whole number", self.controller),
                "Set it to 1 or more; more gives more rows, and larger values.",
            )
        })
    }
}

fn servers(
    production: Option<String>,
    warehouse: Option<String>,
    environment: &Environment,
    need: Need,
) -> Result<Servers> {
    let missing = |there: Server, missing: Server| {
        Refusal::usage(
            format!("{} is set and {} is not", there.setting(), missing.setting()),
            "Set both, or neither to use private servers.",
        )
    };
    match (production, warehouse) {
        (None, None) => Ok(Servers::Private),
        (Some(_), None) if need == Need::Both => Err(missing(Server::Production, Server::Warehouse)),
        (None, Some(_)) => Err(missing(Server::Warehouse, Server::Production)),
        (Some(production), warehouse) => {
            let warehouse = warehouse.map(|url| address::parse(Server::Warehouse, &url, environment)).transpose()?;
            let production = Box::new(address::parse(Server::Production, &production, environment)?);
            Ok(Servers::Configured { production, warehouse: warehouse.map(Box::new) })
        }
    }
}
