//! A plan as JSON, with its digest. It is written piece by piece, because the whole JSON takes several times the memory
//! of the plan.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem::take;

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::account::PlannedAccount;
use super::contents::{File, Plan};
use super::day::PlannedDay;
use crate::error::Result;

/// A plan whose keys are in the order of [`Value`], because whoever reads the file computes the digest in that order.
pub struct Written {
    /// All but the long lists, which are empty here.
    rest: Value,
    /// The long lists, by where they belong.
    lists: BTreeMap<String, List>,
}

enum List {
    Days(Vec<PlannedDay>),
    Accounts(Vec<PlannedAccount>),
    Files(Vec<File>),
    Paths(Vec<String>),
}

impl Written {
    /// The plan with the digest of everything else in it.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn sealed(mut plan: Plan) -> Result<Self> {
        let mut lists = BTreeMap::new();
        for (at, entity) in plan.entities.iter_mut().enumerate() {
            lists.insert(format!("/entities/{at}/days"), List::Days(take(&mut entity.days)));
            lists.insert(format!("/entities/{at}/accounts"), List::Accounts(take(&mut entity.accounts)));
        }
        lists.insert("/files/write".to_string(), List::Files(take(&mut plan.files.write)));
        lists.insert("/files/list".to_string(), List::Paths(take(&mut plan.files.list)));
        lists.insert("/files/remove".to_string(), List::Paths(take(&mut plan.files.remove)));
        let mut written = Self { rest: serde_json::to_value(&plan)?, lists };
        let mut digest = Digesting(Sha256::new());
        serde_json::to_writer(&mut digest, &written)?;
        let digest: String = digest.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(fields) = written.rest.as_object_mut() {
            fields.insert("digest".to_string(), json!(digest));
        }
        Ok(written)
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        At { value: &self.rest, path: String::new(), lists: &self.lists }.serialize(serializer)
    }
}

/// A part of the JSON, and where it belongs.
struct At<'a> {
    value: &'a Value,
    path: String,
    lists: &'a BTreeMap<String, List>,
}

impl At<'_> {
    fn below<'a>(&'a self, key: &str, value: &'a Value) -> At<'a> {
        At { value, path: format!("{}/{key}", self.path), lists: self.lists }
    }
}

impl Serialize for At<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(list) = self.lists.get(&self.path) {
            return list.serialize(serializer);
        }
        match self.value {
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, &self.below(key, value))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for (at, item) in items.iter().enumerate() {
                    sequence.serialize_element(&self.below(&at.to_string(), item))?;
                }
                sequence.end()
            }
            value => value.serialize(serializer),
        }
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Days(days) => each(days, serializer),
            Self::Accounts(accounts) => each(accounts, serializer),
            Self::Files(files) => each(files, serializer),
            Self::Paths(paths) => each(paths, serializer),
        }
    }
}

/// A list, written item by item, each with its keys in order.
fn each<S: Serializer>(items: &[impl Serialize], serializer: S) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(items.len()))?;
    for item in items {
        sequence.serialize_element(&serde_json::to_value(item).map_err(S::Error::custom)?)?;
    }
    sequence.end()
}

/// A writer that stores nothing and computes a digest.
struct Digesting(Sha256);

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
