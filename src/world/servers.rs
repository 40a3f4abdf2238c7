//! The servers that a command works on: those of the settings, or private ones that run until it ends.

use crate::db::{Address, Methods, Protection};
use crate::error::Result;
use crate::local::{self, Servers as PrivateServers};
use crate::progress::Talk;
use crate::report;
use crate::settings::{Servers, Settings};

/// Printed when private servers are created, because none is configured.
const PRIVATE: &str = "no server is set, so Kalends makes two private ones; for your own set \
                       KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL";

/// Where the two servers are.
pub(super) struct Addresses {
    pub(super) production: Address,
    pub(super) warehouse: Option<Address>,
    /// Private servers, which are to be released at the end.
    pub(super) private: Option<PrivateServers>,
}

impl Addresses {
    /// Those of the settings. If there are none, private servers are started. Each session has the command's name as
    /// its application name.
    pub(super) fn of(settings: &Settings, command: &str, talk: Talk) -> Result<Self> {
        let mut addresses = match &settings.servers {
            Servers::Configured { production, warehouse } => {
                Self { production: (**production).clone(), warehouse: warehouse.as_deref().cloned(), private: None }
            }
            Servers::Private => {
                if talk == Talk::Normal && !settings.local.folder.exists() {
                    report::talk(PRIVATE);
                }
                let servers = local::borrow(&settings.local)?;
                let (production, warehouse) = (servers.production().into(), servers.warehouse().into());
                Self { production, warehouse: Some(warehouse), private: Some(servers) }
            }
        };
        for address in [Some(&mut addresses.production), addresses.warehouse.as_mut()].into_iter().flatten() {
            if address.config.get_application_name().is_none() {
                address.config.application_name(format!("kalends {command}"));
            }
        }
        Ok(addresses)
    }
}

/// The address of a private server: its host is the folder of its socket, and it asks for no password.
impl From<&local::Address> for Address {
    fn from(private: &local::Address) -> Self {
        let mut config = tokio_postgres::Config::new();
        config.host_path(&private.socket_folder).port(private.port).user(&private.user).dbname(&private.database);
        Self { config, protection: Protection::Disable, methods: Methods::any() }
    }
}
