//! The profile of Amazon's tools: keys, region and endpoint from `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::Context as _;

use super::Environment;
use super::options::Options;
use crate::error::{Refusal, Result};
use crate::files;

/// What is taken from a profile, by its name there, and its name as an option.
const KEYS: [(&str, &str); 3] = [
    ("aws_access_key_id", "aws_access_key_id"),
    ("aws_secret_access_key", "aws_secret_access_key"),
    ("aws_session_token", "aws_session_token"),
];
const OTHERS: [(&str, &str); 2] = [("region", "aws_region"), ("endpoint_url", "aws_endpoint_url")];

/// The variables that say where credentials come from if not from a profile.
const SOURCES: [&str; 4] = [
    "aws_access_key_id",
    "aws_web_identity_token_file",
    "aws_container_credentials_relative_uri",
    "aws_container_credentials_full_uri",
];

/// Adds what the environment does not say and the profile does.
///
/// # Errors
/// Refuses (usage) a profile that was named and has no keys that Kalends can use.
pub(super) fn complete(options: &mut Options, environment: &Environment) -> Result<()> {
    let named = environment.text("AWS_PROFILE")?;
    let name = named.as_deref().unwrap_or("default");
    let mut found = BTreeMap::new();
    for (variable, usual) in [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
        let home = || Some(environment.path("HOME")?.join(".aws").join(usual));
        let Some(path) = environment.path(variable).or_else(home) else { continue };
        found.extend(section(&read(path)?, name));
    }
    let has_keys = found.contains_key("aws_access_key_id") && found.contains_key("aws_secret_access_key");
    let has_source = SOURCES.iter().any(|source| options.get(&[source]).is_some());
    if !has_source && has_keys {
        take(options, &found, &KEYS);
    } else if !has_source && named.is_some() {
        return Err(Refusal::usage(
            format!("the profile \"{name}\" of AWS_PROFILE has no aws_access_key_id and aws_secret_access_key"),
            "Run `eval \"$(aws configure export-credentials --format env)\"` before, which sets them for any profile.",
        ));
    }
    if options.get(&["aws_region", "aws_default_region"]).is_none() {
        take(options, &found, &OTHERS[..1]);
    }
    if options.get(&["aws_endpoint_url_s3", "aws_endpoint_url", "aws_endpoint"]).is_none() {
        take(options, &found, &OTHERS[1..]);
    }
    Ok(())
}

fn take(options: &mut Options, found: &BTreeMap<String, String>, names: &[(&str, &str)]) {
    let values = names.iter().filter_map(|(name, option)| Some(((*option).to_string(), found.get(*name)?.clone())));
    options.0.extend(values);
}

fn read(path: PathBuf) -> Result<String> {
    match files::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        // What is in the file is never shown.
        read => read.with_context(|| format!("could not read \"{}\"", path.display())),
    }
}

/// The values of a profile, whose section is `[name]` or `[profile name]`. Nested values, which are indented, are none
/// of them.
fn section(text: &str, name: &str) -> BTreeMap<String, String> {
    let (mut is_in, mut found) = (false, BTreeMap::new());
    for line in text.lines() {
        if let Some(title) = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let title = title.trim();
            is_in = title == name || title.strip_prefix("profile").is_some_and(|rest| rest.trim_start() == name);
        } else if is_in
            && !line.starts_with([' ', '\t', '#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            found.insert(key.trim().to_ascii_lowercase(), value.trim().to_string());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# keys
[default]
aws_access_key_id = A
aws_secret_access_key=a=b/c
[profile other]
region = eu-central-1
s3 =
  endpoint_url = http://nested
# region = no
[other]
aws_access_key_id = O
";

    #[test]
    fn a_profile_is_its_section_in_either_form() {
        let of = |name| section(FILE, name).into_iter().map(|(a, b)| format!("{a}:{b}")).collect::<Vec<_>>();
        assert_eq!(of("default"), ["aws_access_key_id:A", "aws_secret_access_key:a=b/c"]);
        assert_eq!(of("other"), ["aws_access_key_id:O", "region:eu-central-1", "s3:"]);
        assert!(of("none").is_empty());
    }

    #[test]
    fn what_the_environment_says_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        std::fs::write(&path, FILE).unwrap();
        let file = path.to_str().unwrap();
        let completed = |set: &[(&str, &str)], variables: [(&str, &str); 2]| {
            let mut options = Options(set.iter().map(|(a, b)| ((*a).to_string(), (*b).to_string())).collect());
            complete(&mut options, &Environment::of(variables)).map(|()| options)
        };
        let nobody = ("AWS_CONFIG_FILE", "/nowhere");
        let options = completed(&[], [("AWS_SHARED_CREDENTIALS_FILE", file), nobody]).unwrap();
        assert_eq!(options.get(&["aws_secret_access_key"]), Some("a=b/c"));
        let set = [("aws_access_key_id", "E"), ("aws_secret_access_key", "e")];
        let options = completed(&set, [("AWS_SHARED_CREDENTIALS_FILE", file), nobody]).unwrap();
        assert_eq!(options.0.len(), 2);
        let named = completed(&[], [("AWS_SHARED_CREDENTIALS_FILE", file), ("AWS_PROFILE", "other")]);
        assert!(named.unwrap_err().to_string().contains("profile \"other\""));
    }
}
