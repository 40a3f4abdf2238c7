//! The address of a server: a PostgreSQL URL, completed from the `PG*` variables and the password file, as libpq does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host};

use super::Environment;
use crate::db::{Address, Methods, Protection, Server, is_on_this_machine};
use crate::error::{Refusal, Result};
use crate::files;

/// Reads a URL. No part of it is ever shown: it may contain a password, and after a misplaced `@` or `?` any part may
/// be the password.
pub(super) fn parse(server: Server, url: &str, environment: &Environment) -> Result<Address> {
    let name = server.setting();
    let unreadable = || {
        Refusal::usage(
            format!("{name} is not a PostgreSQL URL"),
            "Write postgresql://role@host:5432/database, with special characters of a password percent-encoded (@ is \
            %40).",
        )
    };
    if !url.starts_with("postgresql://") && !url.starts_with("postgres://") {
        return Err(unreadable());
    }
    // A second @ means that the password was not encoded. The driver would take what follows the first for the host.
    if url.split('?').next().is_some_and(|address| address.matches('@').count() > 1) {
        return Err(unreadable());
    }
    let (url, [mode, roots, methods, binding]) = without_ours(url);
    let mut config: Config = url.parse().map_err(|_| unreadable())?;
    complete(&mut config, environment)?;
    let mode = mode.or(environment.text("PGSSLMODE")?);
    let roots = roots.map(PathBuf::from).or_else(|| environment.path("PGSSLROOTCERT"));
    let methods = methods.or(environment.text("PGREQUIREAUTH")?);
    let binding = binding.or(environment.text("PGCHANNELBINDING")?);
    let local = is_on_this_machine(&config);
    let protection = protection(name, mode.as_deref(), roots, local)?;
    let methods = accepted(name, methods.as_deref(), &config, &protection, local)?;
    if let Some(binding) = binding {
        config.channel_binding(bound(name, &binding, &config, &protection)?);
    }
    if config.get_password().is_none()
        && let Some(password) = password_from_file(&config, environment)?
    {
        config.password(password);
    }
    Ok(Address { config, protection, methods })
}

/// Takes `sslmode`, `sslrootcert`, `require_auth` and `channel_binding` out of a URL, in this order. The driver
/// supports neither verify-full, nor certificate files, nor refused methods, and does not say what is wrong.
fn without_ours(url: &str) -> (String, [Option<String>; 4]) {
    let mut ours = [None, None, None, None];
    let Some((base, query)) = url.split_once('?') else { return (url.to_string(), ours) };
    let mut rest = Vec::new();
    for pair in query.split('&') {
        let [mode, roots, methods, binding] = &mut ours;
        match pair.split_once('=') {
            Some(("sslmode", value)) => *mode = Some(percent_decoded(value)),
            Some(("sslrootcert", value)) => *roots = Some(percent_decoded(value)),
            Some(("require_auth", value)) => *methods = Some(percent_decoded(value)),
            Some(("channel_binding", value)) => *binding = Some(percent_decoded(value)),
            _ => rest.push(pair),
        }
    }
    (format!("{base}?{}", rest.join("&")), ours)
}

/// Which authentication methods the server may use. Without a setting: those that do not reveal the password, if
/// somebody else could answer or read along.
fn accepted(
    name: &str,
    written: Option<&str>,
    config: &Config,
    protection: &Protection,
    local: bool,
) -> Result<Methods> {
    let sockets = config.get_hosts().iter().filter(|host| matches!(host, Host::Unix(_))).count();
    if sockets > 0 && (written.is_some() || sockets < config.get_hosts().len()) {
        return Err(Refusal::usage(
            format!("{name} names a Unix socket together with require_auth or a host"),
            "Remove require_auth (also PGREQUIREAUTH), or name hosts only: nobody is in between on a Unix socket.",
        ));
    }
    let Some(written) = written else {
        let proven = local || matches!(protection, Protection::VerifyFull { .. });
        return Ok(if proven { Methods::any() } else { Methods::that_keep_the_password() });
    };
    written.parse().map_err(|()| {
        Refusal::usage(
            format!("{name} has an unknown require_auth"),
            "Use scram-sha-256, md5, password or none, several separated by commas, or !password for all but this one.",
        )
    })
}

/// Whether the password must be bound to the certificate that we see. Somebody in between has another certificate than
/// the server.
fn bound(name: &str, written: &str, config: &Config, protection: &Protection) -> Result<ChannelBinding> {
    let over_socket = config.get_hosts().iter().any(|host| matches!(host, Host::Unix(_)));
    match written {
        "disable" => Ok(ChannelBinding::Disable),
        "prefer" => Ok(ChannelBinding::Prefer),
        "require" if over_socket || *protection == Protection::Disable => Err(Refusal::usage(
            format!("{name} requires channel_binding of a connection without TLS"),
            "Set channel_binding=prefer in the URL (PGCHANNELBINDING is for both servers), or use TLS: \
             sslmode=verify-full.",
        )),
        "require" => Ok(ChannelBinding::Require),
        _ => Err(Refusal::usage(
            format!("{name} has an unknown channel_binding"),
            "Use require, prefer or disable, also in PGCHANNELBINDING.",
        )),
    }
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn complete(config: &mut Config, environment: &Environment) -> Result<()> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        let standard = ["/var/run/postgresql", "/tmp"].into_iter().find(|folder| Path::new(folder).is_dir());
        let host = environment.text("PGHOST")?.unwrap_or_else(|| standard.unwrap_or("localhost").to_string());
        config.host(host);
    }
    if config.get_ports().is_empty()
        && let Some(port) = environment.text("PGPORT")?
    {
        config.port(port.parse().map_err(|_| Refusal::usage("PGPORT is not a port", "Set it to 1 to 65535."))?);
    }
    if config.get_user().is_none()
        && let Some(user) = environment.text("PGUSER")?
    {
        config.user(user);
    }
    if config.get_dbname().is_none()
        && let Some(database) = environment.text("PGDATABASE")?
    {
        config.dbname(database);
    }
    if config.get_password().is_none()
        && let Some(password) = environment.text("PGPASSWORD")?
    {
        config.password(password);
    }
    Ok(())
}

fn protection(name: &str, mode: Option<&str>, roots: Option<PathBuf>, local: bool) -> Result<Protection> {
    Ok(match mode {
        None if local => Protection::Prefer,
        Some("disable") => Protection::Disable,
        Some("prefer" | "allow") if local => Protection::Prefer,
        Some("require") => Protection::Require,
        None | Some("verify-full" | "verify-ca") => Protection::VerifyFull { roots },
        Some("prefer" | "allow") => {
            return Err(Refusal::usage(
                format!("sslmode=prefer of {name} protects nothing: anyone on the way can turn it off"),
                "Use verify-full, require, or disable if you mean it.",
            ));
        }
        Some(_) => {
            return Err(Refusal::usage(
                format!("{name} has an sslmode that does not exist"),
                "Use verify-full, require or disable.",
            ));
        }
    })
}

/// The password of the first line that matches in PGPASSFILE or ~/.pgpass, as in libpq.
fn password_from_file(config: &Config, environment: &Environment) -> Result<Option<String>> {
    let named = environment.path("PGPASSFILE");
    let is_named = named.is_some();
    let Some(path) = named.or_else(|| environment.path("HOME").map(|home| home.join(".pgpass"))) else {
        return Ok(None);
    };
    let unreadable = |error: std::io::Error| {
        Refusal::usage(
            format!("the password file \"{}\" of PGPASSFILE cannot be read: {error}", path.display()),
            "Name an existing file, or unset PGPASSFILE to use ~/.pgpass or no password.",
        )
    };
    let metadata = match std::fs::metadata(&path) {
        Err(error) if is_named => return Err(unreadable(error)),
        Err(_) => return Ok(None),
        Ok(metadata) => metadata,
    };
    if !metadata.is_file() {
        let kind = files::spelled_out(metadata.file_type());
        return Err(Refusal::refused(
            format!("the password file \"{}\" is {kind}, not a regular file", path.display()),
            "Name a regular file in PGPASSFILE, which only its owner may read.",
        ));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(Refusal::refused(
            format!("the password file \"{}\" may be read by others", path.display()),
            format!("Run `chmod 0600 {}`.", path.display()),
        ));
    }
    let bytes = match files::read(&path) {
        Err(error) if is_named => return Err(unreadable(error)),
        Err(_) => return Ok(None),
        Ok(bytes) => bytes,
    };
    // Names and passwords are compared and sent as UTF-8; a line in another encoding matches no server.
    let text = String::from_utf8_lossy(&bytes);
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        _ => "localhost".to_string(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let asked = [host.as_str(), &port, database, user];
    let fits = |line: &Vec<String>| {
        line.len() == 5 && line.iter().zip(asked).all(|(field, asked)| field == "*" || field == asked)
    };
    Ok(text.lines().map(pass_line).find(fits).and_then(|line| line.into_iter().nth(4)))
}

/// The fields of a line, with `\:` and `\\` unescaped.
fn pass_line(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut().into_iter().for_each(|field| field.extend(characters.next())),
            _ => fields.last_mut().into_iter().for_each(|field| field.push(character)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Address> {
        parse(Server::Production, url, &Environment::default())
    }

    #[test]
    fn a_remote_server_has_to_prove_who_it_is_and_a_local_one_has_not() {
        let protection = |url: &str| read(url).unwrap().protection;
        assert_eq!(protection("postgresql://a@db.example.com/b"), Protection::VerifyFull { roots: None });
        assert_eq!(protection("postgresql://a@localhost/b"), Protection::Prefer);
        assert_eq!(protection("postgresql://a@127.0.0.1/b"), Protection::Prefer);
        assert_eq!(protection("postgresql://a@%2Frun%2Fpg/b"), Protection::Prefer);
        assert_eq!(protection("postgresql://a@db.example.com/b?sslmode=disable"), Protection::Disable);
        assert_eq!(
            protection("postgresql://a@db/b?sslmode=verify-full&sslrootcert=%2Fca.pem&connect_timeout=3"),
            Protection::VerifyFull { roots: Some("/ca.pem".into()) }
        );
        assert!(read("postgresql://a@db/b?sslmode=prefer").is_err());
    }

    #[test]
    fn what_does_not_parse_is_never_shown() {
        for url in [
            "postgresql://a:s3cret@b:port/c",
            "postgresql://a:s3?cret=b/c",
            "postgresql://a:p@s3cret@b/c",
            "mysql://a:s3cret@b",
            "a:s3cret@b",
        ] {
            let message = crate::error::render(&read(url).unwrap_err());
            assert!(message.contains("KALENDS_PRODUCTION_URL") && !message.contains("cret"), "{message}");
        }
        for url in ["postgresql://a:s3cret@b/c", "postgresql://a:s3?cret@b/c"] {
            let address = read(url).unwrap();
            assert!(!format!("{address:?} {address}").contains("cret"));
        }
    }

    #[test]
    fn what_the_url_leaves_open_comes_from_the_environment() {
        let environment = Environment::of([("PGHOST", "h"), ("PGPORT", "6"), ("PGUSER", "u"), ("PGDATABASE", "d")]);
        let address = parse(Server::Warehouse, "postgresql://", &environment).unwrap();
        assert_eq!(address.to_string(), "\"h:6/d\" as role \"u\"");
    }

    #[test]
    fn a_password_file_line_is_split_at_bare_colons() {
        assert_eq!(pass_line(r"h:5:d:u:a\:b\\c:d"), ["h", "5", "d", "u", r"a:b\c:d"]);
    }
}
