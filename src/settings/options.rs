//! What the environment says about an object store.

use std::fmt::{self, Debug, Formatter};

use crate::error::{Refusal, Result};

/// Options of a store by their names in `object_store`, such as `aws_region`. Most of the values are secrets, so they
/// are not shown.
#[derive(Clone, Default)]
pub struct Options(pub Vec<(String, String)>);

impl Options {
    /// The value of an option by any of its names.
    pub fn get(&self, names: &[&str]) -> Option<&str> {
        let of = |name: &&str| self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        names.iter().find_map(of)
    }

    /// Whatever could be a secret.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let is_secret =
            |name: &str| ["key", "secret", "token", "sas", "password"].iter().any(|word| name.contains(word));
        self.0.iter().filter(move |(name, _)| is_secret(name)).map(|(_, value)| value.as_str())
    }

    /// Lets a server of this machine be asked without TLS, and no other by accident.
    pub(super) fn check_endpoint(&mut self) -> Result<()> {
        let endpoint = self.get(&["aws_endpoint_url_s3", "aws_endpoint_url", "aws_endpoint"]);
        let Some(rest) = endpoint.and_then(|url| url.strip_prefix("http://")) else { return Ok(()) };
        let host = rest.split('/').next().unwrap_or_default();
        let is_here = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
            let after = host.strip_prefix(name);
            after.is_some_and(|after| after.is_empty() || after.starts_with(':'))
        });
        if is_here && self.get(&["aws_allow_http"]).is_none() {
            self.0.push(("aws_allow_http".to_string(), "true".to_string()));
        }
        if is_here || self.get(&["aws_allow_http"]).is_some() {
            return Ok(());
        }
        Err(Refusal::usage(
            "AWS_ENDPOINT_URL is http:// on another machine: anyone on the way could read files and session tokens",
            "Use https://, or set AWS_ALLOW_HTTP=true if the network is trusted.",
        ))
    }
}

impl Debug for Options {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
