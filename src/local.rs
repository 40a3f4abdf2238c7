//! Private PostgreSQL servers, one as production and one as warehouse, for trying out and for tests. They use the
//! machine's own PostgreSQL, and can be reached only by Unix socket.
//!
//! ```text
//! .kalends/
//!   start.lock       held by the command that starts or stops the servers
//!   users.lock       shared by every command that uses them
//!   kept             there while the servers stay until `kalends local stop`
//!   data/            a link to /var/lib/kalends/… if the servers' user cannot reach this folder
//!     access.conf, users.conf       who may log in: the user that runs the servers, and root
//!     production/, .conf, .log, .lock
//!     warehouse/,  .conf, .log, .lock
//!     socket/        or /tmp/kalends-…, if this path is too long for a socket
//! ```
//!
//! Each server has its `.lock` open as standard input, locked, and so do all its processes. So only the kernel says
//! whether it runs: no pid file has to be trusted, and none can be stale.
//!
//! This room is not a way to run PostgreSQL for others. If you have servers, name them in the settings.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use serde::Serialize;

use crate::error::Result;
use folder::{Folder, Lock};
use server::Server;
use side::ROLE;
pub use side::Side;

mod binaries;
mod folder;
mod os_user;
mod server;
mod side;
mod traces;

/// Where the private servers are, and where to look for PostgreSQL.
#[derive(Debug, Clone)]
pub struct Location {
    /// The folder of the servers, absolute. It is created if it is missing.
    pub folder: PathBuf,
    /// `PATH`, from the environment.
    pub search_path: Option<OsString>,
}

/// How to reach one of the servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The folder of the Unix socket: PostgreSQL's `host`.
    pub socket_folder: PathBuf,
    /// The number in the socket's name.
    pub port: u16,
    /// The role to log in as, without a password.
    pub user: String,
    /// The database.
    pub database: String,
}

impl Address {
    fn new(folder: &Folder, side: Side) -> Self {
        Self {
            socket_folder: folder.sockets().to_owned(),
            port: side.port(),
            user: ROLE.to_owned(),
            database: side.database().to_owned(),
        }
    }

    /// A URL that psql and every PostgreSQL library understand.
    pub fn url(&self) -> String {
        let mut host = String::new();
        for byte in self.socket_folder.as_os_str().as_encoded_bytes() {
            match byte {
                b'/' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => host.push(char::from(*byte)),
                other => host.push_str(&format!("%{other:02X}")),
            }
        }
        format!("postgresql://{}@/{}?host={host}&port={}", self.user, self.database, self.port)
    }
}

/// The two servers. They run for as long as this value lives.
///
/// Release them with [`Servers::give_back`]. Dropping them does the same, but ignores errors.
#[derive(Debug)]
pub struct Servers {
    folder: Folder,
    search_path: Option<OsString>,
    production: Address,
    warehouse: Address,
    /// The lock that all commands share that use the servers; `None` once released.
    using: Option<Lock>,
}

/// Starts the servers that do not run, for one command.
///
/// # Errors
///
/// If there is no PostgreSQL on the machine, if a server does not start (with its own message), or if the folder
/// belongs to another user.
pub fn borrow(location: &Location) -> Result<Servers> {
    let (folder, _starting) = Folder::open(&location.folder)?;
    let using = folder.share_users()?;
    start_both(&folder, location)?;
    Ok(Servers {
        production: Address::new(&folder, Side::Production),
        warehouse: Address::new(&folder, Side::Warehouse),
        search_path: location.search_path.clone(),
        folder,
        using: Some(using),
    })
}

impl Servers {
    /// The address of production.
    pub fn production(&self) -> &Address {
        &self.production
    }

    /// The address of the warehouse.
    pub fn warehouse(&self) -> &Address {
        &self.warehouse
    }

    /// A psql command for one of the servers; `arguments` follow those of the connection.
    ///
    /// The caller should ignore Ctrl-C meanwhile, because in psql it cancels a statement.
    ///
    /// # Errors
    ///
    /// If there is no psql on the machine.
    pub fn psql(&self, side: Side, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Command> {
        let address = match side {
            Side::Production => &self.production,
            Side::Warehouse => &self.warehouse,
        };
        let mut psql = Command::new(binaries::psql(self.search_path.as_deref())?);
        psql.arg("--host").arg(&address.socket_folder).args(["--port", &address.port.to_string()]);
        psql.args(["--username", &address.user, "--dbname", &address.database]).args(arguments);
        Ok(psql)
    }

    /// Stops the servers, unless another command still uses them or they were started with [`start`].
    ///
    /// # Errors
    ///
    /// If a server does not stop.
    pub fn give_back(mut self) -> Result<()> {
        self.return_once()
    }

    fn return_once(&mut self) -> Result<()> {
        let Some(using) = self.using.take() else { return Ok(()) };
        let _starting = self.folder.lock_start()?;
        drop(using);
        if self.folder.is_left_running() || !self.folder.is_unused()? {
            return Ok(());
        }
        stop_both(&self.folder)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.return_once();
    }
}

/// Starts the two servers. They run until [`stop`].
///
/// # Errors
///
/// As [`borrow`].
pub fn start(location: &Location) -> Result<Status> {
    let (folder, _starting) = Folder::open(&location.folder)?;
    start_both(&folder, location)?;
    folder.keep()?;
    Status::of(&folder)
}

/// Stops the two servers. If another command uses them, they stop when it ends.
///
/// # Errors
///
/// If a server does not stop.
pub fn stop(location: &Location) -> Result<Status> {
    let Some(folder) = Folder::find(&location.folder)? else { return Ok(Status::nowhere(location)) };
    let _starting = folder.lock_start()?;
    folder.keep_no_longer()?;
    if folder.is_unused()? {
        stop_both(&folder)?;
    }
    Status::of(&folder)
}

/// Which servers run, and where. Changes nothing.
///
/// # Errors
///
/// If the folder belongs to another user.
pub fn status(location: &Location) -> Result<Status> {
    match Folder::find(&location.folder)? {
        Some(folder) => Status::of(&folder),
        None => Ok(Status::nowhere(location)),
    }
}

/// The present state of the private servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The folder of their data.
    pub folder: String,
    /// Whether they run until `kalends local stop`, instead of stopping with the command that uses them.
    pub kept: bool,
    /// Production.
    pub production: ServerStatus,
    /// The warehouse.
    pub warehouse: ServerStatus,
}

/// The present state of a private server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerStatus {
    /// Whether it runs and accepts connections.
    pub running: bool,
    /// Its address while it runs.
    pub url: String,
}

impl Status {
    /// Whether both servers run.
    pub fn is_running(&self) -> bool {
        self.production.running && self.warehouse.running
    }

    fn of(folder: &Folder) -> Result<Self> {
        let server = |side| -> Result<ServerStatus> {
            let running = Server::new(folder, side).is_ready()?;
            Ok(ServerStatus { running, url: Address::new(folder, side).url() })
        };
        Ok(Self {
            folder: folder.data.display().to_string(),
            kept: folder.is_left_running(),
            production: server(Side::Production)?,
            warehouse: server(Side::Warehouse)?,
        })
    }

    fn nowhere(location: &Location) -> Self {
        let server = ServerStatus { running: false, url: String::new() };
        let folder = location.folder.display().to_string();
        Self { folder, kept: false, production: server.clone(), warehouse: server }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, server) in [("production", &self.production), ("warehouse", &self.warehouse)] {
            match server.running {
                true => writeln!(out, "{name:<11} runs      {}", server.url)?,
                false => writeln!(out, "{name:<11} is down")?,
            }
        }
        write!(out, "data        in        {}", self.folder)
    }
}

/// Starts the servers that are down. The caller must hold the start lock.
fn start_both(folder: &Folder, location: &Location) -> Result<()> {
    let mut down = Vec::new();
    for server in Side::BOTH.map(|side| Server::new(folder, side)) {
        if !server.is_ready()? {
            down.push(server);
        }
    }
    if down.is_empty() {
        return Ok(());
    }
    if down.len() == Side::BOTH.len() {
        // The servers that were to keep running are gone: the machine was restarted.
        folder.keep_no_longer()?;
    }
    folder.prepare()?;
    let installed = binaries::find(location.search_path.as_deref(), &folder.os_user)?;
    at_once(&down, |server| server.start(&installed)).inspect_err(|_| {
        // One without the other is useless, and nobody would stop it.
        let _ = at_once(&down, Server::stop);
    })
}

fn stop_both(folder: &Folder) -> Result<()> {
    at_once(&Side::BOTH.map(|side| Server::new(folder, side)), Server::stop)?;
    folder.forget_sockets();
    Ok(())
}

/// Acts on each server in a thread of its own: most of a start or stop is waiting.
fn at_once<'a>(servers: &[Server<'a>], act: impl Fn(&Server<'a>) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = servers.iter().map(|server| scope.spawn(|| act(server))).collect();
        let ends: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        ends.into_iter().try_for_each(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
