//! The columns of a level's files.

use crate::calendar::Level;
use crate::entity::{Kind, Model};
use crate::error::Result;

/// The columns of a level's files, in all formats.
pub(super) struct Columns {
    pub(super) entity: String,
    pub(super) headers: Vec<String>,
    pub(super) kinds: Vec<Kind>,
    /// The name of the column with the beginning of the period, in formats that have dates.
    #[cfg(feature = "parquet")]
    pub(super) start: String,
}

impl Columns {
    pub(super) fn of(model: &Model, level: Level) -> Result<Self> {
        let columns = model.file_columns(level)?;
        Ok(Self {
            entity: model.name().to_string(),
            kinds: columns.iter().map(|column| model.kind(column)).collect(),
            headers: columns.into_iter().map(|column| column.header).collect(),
            #[cfg(feature = "parquet")]
            start: model.start_column(level)?,
        })
    }
}
