//! Whether what is written to the warehouse stays there.

use tokio_postgres::types::Type;

use super::Reading;
use super::schemas::NAMES;
use crate::error::{Refusal, Result};
use crate::sql::Statement;
use crate::statement;

const LASTING: Statement = statement!("warehouse/lasting.sql");

impl Reading<'_> {
    /// Whether the warehouse can be written to, and keeps what is written. A crash empties an UNLOGGED table of rows,
    /// and its accounts stay. A run would then find the accounts equal to production and not notice that the rows are
    /// lost.
    ///
    /// # Errors
    /// Refuses a standby, and tables that somebody has set UNLOGGED.
    pub async fn check_lasting(&self) -> Result<()> {
        let Some(row) = self.work.query_one(LASTING, &[(&NAMES.as_slice(), Type::TEXT_ARRAY)]).await? else {
            return Ok(());
        };
        if row.get::<bool>("standby")? {
            return Err(Refusal::refused(
                "the warehouse is a standby, so nothing can be written to it",
                "Name its primary in KALENDS_WAREHOUSE_URL.",
            ));
        }
        let unlogged: Vec<String> = row.get("unlogged")?;
        match unlogged.first() {
            Some(first) => Err(refusal(first, unlogged.len() - 1)),
            None => Ok(()),
        }
    }
}

fn refusal(first: &str, others: usize) -> anyhow::Error {
    let which = match others {
        0 => format!("{first} is UNLOGGED"),
        1 => format!("{first} and 1 other table are UNLOGGED"),
        others => format!("{first} and {others} other tables are UNLOGGED"),
    };
    Refusal::refused(
        format!("{which}: a crash of the warehouse's server empties what is"),
        format!("Run `ALTER TABLE {first} SET LOGGED`, then run `kalends verify --repair`: rows may be gone."),
    )
}
