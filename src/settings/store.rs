//! A place in an object store, with what the environment says about it.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::options::Options;
use super::{Environment, profile};
use crate::error::{Refusal, Result};

/// The kinds of object stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Amazon S3, and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Gs,
    /// Azure Blob Storage.
    Az,
}

/// A place in an object store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Which kind it is.
    pub scheme: Scheme,
    /// The bucket; with Azure the container.
    pub bucket: String,
    /// What all names there begin with, without a slash at its ends; empty: the whole bucket.
    pub prefix: String,
    /// What the environment says.
    pub options: Options,
    /// How long to wait for a connection.
    pub connect: Duration,
}

impl Scheme {
    pub(super) fn of(word: &str) -> Option<Self> {
        [Self::S3, Self::Gs, Self::Az].into_iter().find(|scheme| scheme.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gs => "gs",
            Self::Az => "az",
        }
    }

    /// How a URL is written.
    pub(super) fn form(self) -> &'static str {
        match self {
            Self::S3 => "s3://bucket/prefix",
            Self::Gs => "gs://bucket/prefix",
            Self::Az => "az://container/prefix",
        }
    }

    /// How the variables begin that are about it.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::S3 => &["AWS_"],
            Self::Gs => &["GOOGLE_", "SERVICE_ACCOUNT"],
            Self::Az => &["AZURE_"],
        }
    }
}

impl Store {
    pub(super) fn new(
        scheme: Scheme,
        bucket: String,
        prefix: String,
        environment: &Environment,
        connect: Duration,
    ) -> Result<Self> {
        let mut store = Self { scheme, bucket, prefix, options: Options::default(), connect };
        if cfg!(not(feature = "stores")) {
            return Err(store.is_not_built_in());
        }
        for begins in scheme.variables() {
            let set = environment.beginning(begins)?.into_iter();
            store.options.0.extend(set.map(|(name, value)| (name.to_ascii_lowercase(), value)));
        }
        if scheme == Scheme::S3 {
            profile::complete(&mut store.options, environment)?;
            store.options.check_endpoint()?;
        }
        Ok(store)
    }

    /// The refusal of a build that has no object stores.
    pub fn is_not_built_in(&self) -> anyhow::Error {
        Refusal::usage(
            format!("the exports are \"{self}\", and this Kalends was built without object stores"),
            "Build it with the feature stores, as `cargo install --locked --path . --features stores` does, or use \
             a package.",
        )
    }
}

impl Display for Store {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(out, "{}://{}{slash}{}", self.scheme.word(), self.bucket, self.prefix)
    }
}

#[cfg(test)]
#[cfg(feature = "stores")]
mod tests {
    use super::*;

    fn of<const N: usize>(variables: [(&str, &str); N]) -> Result<Store> {
        let environment = Environment::of(variables);
        Store::new(Scheme::S3, "b".into(), String::new(), &environment, Duration::from_secs(1))
    }

    #[test]
    fn a_server_without_tls_is_one_of_this_machine() {
        for (url, allowed) in [
            ("http://127.0.0.1:9000", true),
            ("http://localhost", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.7:9000", false),
            ("https://10.0.0.7:9000", true),
        ] {
            assert_eq!(of([("AWS_ENDPOINT_URL", url)]).is_ok(), allowed, "{url}");
        }
        assert!(of([("AWS_ENDPOINT_URL", "http://10.0.0.7:9000"), ("AWS_ALLOW_HTTP", "true")]).is_ok());
    }

    #[test]
    fn options_are_shown_without_their_values() {
        let store = of([("AWS_SECRET_ACCESS_KEY", "s3cret"), ("AWS_REGION", "eu"), ("OTHER", "y")]).unwrap();
        let shown = format!("{store:?}");
        assert!(shown.contains("aws_region") && !shown.contains("s3cret") && !shown.contains("other"), "{shown}");
        assert_eq!(store.options.secrets().collect::<Vec<_>>(), ["s3cret"]);
    }
}
