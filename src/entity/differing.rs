//! Why the warehouse's values may differ from those that production sent.

use super::Model;
use crate::error::Refusal;

impl Model {
    /// The error of days whose values differ from what production sent. What some types print depends on the version of
    /// PostgreSQL: infinite intervals, `"char"` beyond ASCII.
    pub fn not_kept(&self, days: usize) -> anyhow::Error {
        let depends = |written: &str| written == "interval" || written == "\"char\"" || written.ends_with("multirange");
        let columns = self.entity.dimensions.iter().zip(&self.dimensions);
        let depending = columns.filter(|(_, dimension)| depends(&dimension.written));
        let named: Vec<String> =
            depending.map(|(column, dimension)| format!("\"{}\" ({})", column.name(), dimension.written)).collect();
        let hint = match named.as_slice() {
            [] => {
                "Compare versions and extensions of the two servers: they read the same values differently.".to_string()
            }
            named => format!(
                "Servers of different versions can read dimension {} differently: use one version, or leave it out.",
                named.join(", ")
            ),
        };
        let days = if days == 1 { "1 day".to_string() } else { format!("{days} days") };
        let message =
            format!("the warehouse does not keep {days} of entity \"{}\" as production sent them", self.name());
        Refusal::failed(message, hint)
    }
}
