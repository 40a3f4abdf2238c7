//! The columns of files, views and accounts: the one place where they get their names.

use serde::Serialize;

use super::{Entity, Statistic};
use crate::calendar::Level;
use crate::db::Ident;
use crate::error::Result;

/// A column of a file, and of the view that has the file's columns.
#[derive(Debug, Serialize)]
pub struct Column {
    /// In the file.
    #[serde(skip)]
    pub header: String,
    /// In the view: the same, cut where PostgreSQL would cut it.
    pub name: Ident,
    /// What it says: `period` or a statistic.
    pub what: &'static str,
    /// Of which measure, counted from 0.
    pub measure: usize,
}

/// What a measure is called behind the name of a statistic. The only measure `value` is the brief's `values`.
pub(super) fn label(entity: &Entity, measure: &Ident) -> String {
    match measure.name() {
        "value" if entity.measures.len() == 1 => "values".to_string(),
        name => name.to_string(),
    }
}

/// The columns of a level's files, in their order.
pub(super) fn of_file(entity: &Entity, level: Level) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    let parts: &[&str] = match level {
        Level::Day => &["year", "month", "day"],
        Level::Month => &["year", "month"],
        Level::Year => &["year"],
    };
    for part in parts {
        columns.push(Column { header: (*part).to_string(), name: Ident::new(*part)?, what: "period", measure: 0 });
    }
    for (measure, column) in entity.measures.iter().enumerate() {
        for &statistic in &entity.statistics {
            let header = named(statistic, &label(entity, column));
            columns.push(Column { name: Ident::cut(&header)?, header, what: statistic.word(), measure });
        }
    }
    Ok(columns)
}

fn named(statistic: Statistic, label: &str) -> String {
    format!("{}_{label}", statistic.word())
}
