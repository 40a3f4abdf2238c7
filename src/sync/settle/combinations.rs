//! Notes, for the history, which combinations of dimensions changed on restated days.

use tokio_postgres::types::Type;

use super::run::Run;
use crate::accounts::{Cause, LISTED, Month};
use crate::calendar::{Day, Level};
use crate::db::Parameter;
use crate::entity::{Model, Split};
use crate::error::Result;
use crate::sql::{Filling, Ident, Statement};
use crate::statement;
use crate::warehouse::Locked;

const NOTE_COMBINATIONS: Statement = statement!("warehouse/note_combinations.sql");
const RESTATEMENT_COMBINATIONS: Statement = statement!("warehouse/restatement_combinations.sql");

/// Notes the combinations that changed on days whose restatement is noted, from the `table` of the month's rows. Call
/// it after the rows are loaded and before their accounts are computed.
pub(super) async fn note(
    locked: &Locked<'_>,
    model: &Model,
    run: &Run,
    (month, table): (&Month, &Ident),
) -> Result<()> {
    // A day that is new had none.
    let settled = month.changes.iter().filter(|(_, cause)| **cause != Cause::New);
    let days: Vec<Day> = settled.map(|(&day, _)| day).collect();
    let Some((&first, final_day)) = days.first().zip(days.last()) else { return Ok(()) };
    if model.entity.dimensions.is_empty() {
        return Ok(());
    }
    let source = model.accounts(Level::Day, Split::Combinations)?;
    let shape = model.shape_of(Level::Day, Level::Day, Split::Combinations)?;
    let schema = Ident::new("kalends_raw")?;
    let names: [(&str, &dyn Filling); 3] = [("schema", &schema), ("table", table), ("source", &source)];
    let sql = RESTATEMENT_COMBINATIONS.of(&shape.with(&names))?;
    let (until, listed) = (final_day.next(), i64::try_from(LISTED)?);
    let parameters: [Parameter<'_>; 5] = [
        (&days, Type::DATE_ARRAY),
        (&first, Type::DATE),
        (&until, Type::DATE),
        (&model.dimension_names(), Type::TEXT_ARRAY),
        (&listed, Type::INT8),
    ];
    let found = locked.work().query(sql, &parameters).await?;
    let days = found.iter().map(|row| row.get("day")).collect::<Result<Vec<Day>>>()?;
    let texts = found.iter().map(|row| row.get("combinations")).collect::<Result<Vec<String>>>()?;
    let parameters: [Parameter<'_>; 4] =
        [(&run.number, Type::INT8), (&model.name(), Type::TEXT), (&days, Type::DATE_ARRAY), (&texts, Type::TEXT_ARRAY)];
    locked.work().execute(NOTE_COMBINATIONS, &parameters).await?;
    Ok(())
}
