//! Where files are published, and in which form.

use std::collections::BTreeMap;

use super::Destination;
use super::entities::ordered;
use super::file::TypedEntity;
use crate::entity::{Entity, Form, Format};
use crate::error::{Refusal, Result};

/// Where files are published, and in which form.
#[derive(Debug)]
pub struct Exports {
    /// Where.
    pub to: Destination,
    /// By entity.
    forms: BTreeMap<String, Form>,
}

impl Exports {
    /// The form of an entity's files; `None` if the settings do not have the entity.
    pub fn form(&self, entity: &str) -> Option<&Form> {
        self.forms.get(entity)
    }

    pub(super) fn of(to: Destination, typed: &[TypedEntity]) -> Result<Self> {
        let mut forms: BTreeMap<String, Form> =
            typed.iter().map(|one| Ok((one.name.clone(), form(one)?))).collect::<Result<_>>()?;
        if forms.is_empty() {
            forms.insert(Entity::default_table()?.name.name().to_string(), Form::default());
        }
        Ok(Self { to, forms })
    }
}

fn form(typed: &TypedEntity) -> Result<Form> {
    let default = Form::default();
    let formats = typed.formats.clone().unwrap_or(default.formats);
    if formats.contains(&Format::Parquet) && cfg!(not(feature = "parquet")) {
        return Err(Refusal::usage(
            format!("entity \"{}\" has the format \"parquet\", and this Kalends was built without it", typed.name),
            "Build it with the feature parquet, as `cargo install --locked --path .` does, or remove \"parquet\".",
        ));
    }
    Ok(Form { layout: typed.layout.unwrap_or(default.layout), formats: ordered(&typed.name, "formats", formats)? })
}
