//! What has changed in an entity since it was settled: nothing, something that requires a rebuild, or something to
//! refuse.

use super::{Entity, Model};
use crate::error::{Refusal, Result};
use crate::sql::Ident;

/// How a model differs from the one that the warehouse's tables were created from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Not at all.
    Same,
    /// Only in the form of the checksums, which another version of Kalends wrote.
    Checksums,
    /// In what is accounted for of the same table: what was added and removed, in words. Rows, accounts and files are
    /// rebuilt.
    Rebuild(Vec<String>),
}

impl Model {
    /// Compares this model, which was settled, with `asked`, which is to be settled now.
    ///
    /// # Errors
    /// Refuses another table, another time column or zone, and a column of another type: they are more likely mistakes
    /// than intended, and the stored rows would be replaced by others.
    pub fn change_to(&self, asked: &Self) -> Result<Change> {
        // What numeric columns declare decides about types in files alone: values are stored whatever it is.
        let asked = &Self { declared: self.declared.clone(), ..asked.clone() };
        if self == asked {
            return Ok(Change::Same);
        }
        let (was, is) = (&self.entity, &asked.entity);
        if (&was.schema, &was.table, &was.time, &was.time_zone) != (&is.schema, &is.table, &is.time, &is.time_zone) {
            let what =
                format!("entity \"{}\" was settled from {} and is now {}", asked.name(), source(was), source(is));
            return Err(refused(what, asked.name()));
        }
        if let Some((column, was, is)) = self.retyped(asked) {
            let what =
                format!("column \"{column}\" of table {} is of type {is}, and was settled as {was}", asked.entity);
            return Err(refused(what, asked.name()));
        }
        if was == is && (Self { checksum: asked.checksum, ..self.clone() }) == *asked {
            return Ok(Change::Checksums);
        }
        Ok(Change::Rebuild(difference(was, is)))
    }

    /// This model with what the columns of `asked` declare; `None` if that is the same, or if these are other columns,
    /// for which a rebuild notes it.
    pub fn declared_as(&self, asked: &Self) -> Option<Self> {
        let same = (&self.entity.measures, &self.measures) == (&asked.entity.measures, &asked.measures);
        (same && self.declared != asked.declared).then(|| Self { declared: asked.declared.clone(), ..self.clone() })
    }

    /// Whether equal rows have equal checksums in the accounts of both.
    pub fn hashes_as(&self, other: &Self) -> bool {
        (self.checksum, self.hours_follow_zone()) == (other.checksum, other.hours_follow_zone())
    }

    /// Whether both have the same columns, so that the warehouse's rows serve both.
    pub fn has_rows_of(&self, other: &Self) -> bool {
        let (one, other) = (&self.entity, &other.entity);
        (&one.measures, &one.dimensions) == (&other.measures, &other.dimensions)
    }

    /// The first column of both whose type differs, with both types.
    fn retyped<'a>(&'a self, asked: &'a Self) -> Option<(&'a str, &'a str, &'a str)> {
        if self.time != asked.time {
            return Some((self.entity.time.name(), self.time.kind(), asked.time.kind()));
        }
        let mut columns = self.columns();
        columns.find_map(|(name, was)| {
            let (_, is) = asked.columns().find(|(other, _)| *other == name)?;
            (was != is).then_some((name, was, is))
        })
    }

    /// Measures and dimensions with their types, as production spells them.
    fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let measures = self.measures.iter().map(|number| number.word());
        let dimensions = self.dimensions.iter().map(|dimension| dimension.written.as_str());
        let types = measures.chain(dimensions);
        self.entity.columns().skip(1).map(Ident::name).zip(types)
    }
}

fn refused(what: String, name: &str) -> anyhow::Error {
    Refusal::refused(
        what,
        format!(
            "Change it back, or settle the entity again after `kalends forget {name} --yes`, which also drops its \
            history; nothing was changed."
        ),
    )
}

fn source(entity: &Entity) -> String {
    let zone = entity.time_zone.as_ref().map_or(String::new(), |zone| format!(" in {zone}"));
    format!("{entity} by \"{}\"{zone}", entity.time.name())
}

fn difference(was: &Entity, is: &Entity) -> Vec<String> {
    let quoted = |columns: &[Ident]| columns.iter().map(|column| format!("\"{}\"", column.name())).collect();
    let words = |words: &[&'static str]| words.iter().map(|word| (*word).to_string()).collect();
    let statistics = |entity: &Entity| words(&entity.statistics.iter().map(|one| one.word()).collect::<Vec<_>>());
    let levels = |entity: &Entity| words(&entity.levels.iter().map(|one| one.word()).collect::<Vec<_>>());
    let lists: [(&str, Vec<String>, Vec<String>); 4] = [
        ("measure", quoted(&was.measures), quoted(&is.measures)),
        ("dimension", quoted(&was.dimensions), quoted(&is.dimensions)),
        ("statistic", statistics(was), statistics(is)),
        ("level", levels(was), levels(is)),
    ];
    let mut said = Vec::new();
    for (kind, was, is) in lists {
        let added = is.iter().filter(|one| !was.contains(one)).map(|one| format!("{kind} {one} added"));
        let gone = was.iter().filter(|one| !is.contains(one)).map(|one| format!("{kind} {one} removed"));
        let before = said.len();
        said.extend(added.chain(gone));
        if said.len() == before && was != is {
            said.push(format!("{kind}s in another order"));
        }
    }
    said
}
