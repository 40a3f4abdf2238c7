//! The entity that `init` proposes for a table, from what production says about it. Pure.

use serde::Deserialize;

use super::{Entity, Taken};
use crate::error::Result;
use crate::sql::Ident;

/// Figures are split only by a column with at most this many values.
const FEW_VALUES: f64 = 100.0;

/// At most this many measures are proposed. The settings allow a few more columns in all.
const MOST_MEASURES: usize = 50;

/// Kinds of keys, as `sql/production/tables.sql` names them.
const PRIMARY: &str = "primary key";
const FOREIGN: &str = "foreign key";

/// A table of production, or something like a table.
#[derive(Debug)]
pub struct SourceTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `pg_class.relkind`
    pub kind: String,
    /// Whether the role may read it.
    pub readable: bool,
    /// Whether row-level security hides rows of it from the role.
    pub hides_rows: bool,
    /// The extension that it belongs to, if any.
    pub extension: Option<String>,
    /// The table that it inherits from, if any. That table shows its rows as well.
    pub parent: Option<String>,
    /// In the table's order.
    pub columns: Vec<SourceColumn>,
}

/// A column of such a table, as `sql/production/tables.sql` returns it.
#[derive(Debug, Default, Deserialize)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// Its type, as PostgreSQL names it; `enum` for any enum.
    pub kind: String,
    /// Whether it is NOT NULL.
    pub required: bool,
    /// Whether its default is the current time.
    pub defaults_to_now: bool,
    /// The kind of key that it belongs to, in words.
    pub key: Option<String>,
    /// Whether the table is partitioned by it.
    pub divides: bool,
    /// How many values it has. Below 0: the number of values as a share of the rows; 0: unknown.
    pub values: f64,
}

/// A proposal.
#[derive(Debug)]
pub struct Draft {
    /// The entity, without a time zone.
    pub entity: Entity,
    /// Type of the time column.
    pub time_kind: String,
    /// Other columns that could determine the day.
    pub other_times: Vec<String>,
    /// Measures whose sums may be meaningless, judging by their names.
    pub doubtful: Vec<String>,
    /// Numeric columns that are left out, and why.
    pub not_summed: Vec<(String, String)>,
    /// Columns that figures could be split by.
    pub dimensions: Vec<String>,
}

impl Draft {
    /// Whether its days depend on a time zone.
    pub fn needs_zone(&self) -> bool {
        self.time_kind == "timestamp with time zone"
    }
}

impl SourceTable {
    /// `schema.table`, for people.
    pub fn place(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Why the table cannot be accounted for; `None` if it can.
    pub fn unusable(&self) -> Option<String> {
        let reason = match self.kind.as_str() {
            "v" => "a view: no lock protects its rows while they are read",
            "m" => "a materialized view: no lock protects its rows while they are read",
            "f" => "a foreign table: its rows are another server's",
            _ if self.extension.is_some() => {
                return self.extension.as_ref().map(|name| format!("it belongs to the extension \"{name}\""));
            }
            _ if self.parent.is_some() => {
                return self
                    .parent
                    .as_ref()
                    .map(|name| format!("its rows are shown by \"{name}\", which it inherits from"));
            }
            _ if !self.readable => "SELECT is not granted",
            _ if self.hides_rows => "row-level security hides rows from this role",
            _ if !self.columns.iter().any(SourceColumn::is_time) => "no column of type timestamp, timestamptz or date",
            _ if !self.columns.iter().any(SourceColumn::is_number) => "no column of numbers",
            _ if self.measures().is_empty() => "no column of numbers but keys",
            _ => return None,
        };
        Some(reason.to_string())
    }

    /// The proposal for a table that is not [`SourceTable::unusable`], with a name that is still free.
    ///
    /// # Errors
    /// If production has a name that PostgreSQL could not store elsewhere.
    pub fn draft(&self, taken: &mut Taken) -> Result<Draft> {
        let time = self.time().map_or("", |column| column.name.as_str());
        let measures = self.measures();
        let is_measure = |column: &SourceColumn| measures.iter().any(|measure| measure.name == column.name);
        let named = |wanted: &dyn Fn(&SourceColumn) -> bool| -> Vec<String> {
            self.columns.iter().filter(|column| wanted(column)).map(|column| column.name.clone()).collect()
        };
        let not_summed = self.columns.iter().filter(|column| column.is_number() && !is_measure(column));
        Ok(Draft {
            entity: Entity {
                name: self.free_name(taken)?,
                schema: Ident::new(self.schema.as_str())?,
                table: Ident::new(self.name.as_str())?,
                time: Ident::new(time)?,
                measures: measures.iter().map(|column| Ident::new(column.name.as_str())).collect::<Result<_>>()?,
                ..Entity::default_table()?
            },
            time_kind: self.time().map(|column| column.kind.clone()).unwrap_or_default(),
            other_times: named(&|column| column.is_time() && column.name != time),
            not_summed: not_summed
                .map(|column| (column.name.clone(), column.key().unwrap_or("too many").to_string()))
                .collect(),
            doubtful: named(&|column| is_measure(column) && column.is_doubtful()),
            dimensions: named(&|column| column.splits() && column.name != time && !is_measure(column)),
        })
    }

    /// The table's name; if another entity has it, with the schema's name in front, then with a number at the end.
    fn free_name(&self, taken: &mut Taken) -> Result<Ident> {
        let whole = format!("{}_{}", self.schema, self.name);
        let numbered = (2..).map(|number| format!("{whole}-{number}"));
        for name in [self.name.clone(), whole.clone()].into_iter().chain(numbered) {
            let name = Ident::cut(&name)?;
            if taken.take(name.name()).is_ok() {
                return Ok(name);
            }
        }
        Ident::new(self.name.as_str())
    }

    /// The column that most likely says when a row was created; the first one of several that are equally likely.
    fn time(&self) -> Option<&SourceColumn> {
        let times = self.columns.iter().filter(|column| column.is_time());
        // In reverse, because max_by_key returns the last of equals.
        times.rev().max_by_key(|column| column.likelihood())
    }

    fn measures(&self) -> Vec<&SourceColumn> {
        self.columns.iter().filter(|column| column.is_number() && column.key().is_none()).take(MOST_MEASURES).collect()
    }
}

/// Words in the names of numbers that are not amounts.
const NO_AMOUNTS: [&str; 24] = [
    "postcode",
    "postal",
    "zip",
    "zipcode",
    "plz",
    "phone",
    "telephone",
    "fax",
    "code",
    "number",
    "no",
    "nr",
    "year",
    "latitude",
    "lat",
    "longitude",
    "lon",
    "lng",
    "version",
    "rank",
    "position",
    "percent",
    "ratio",
    "rate",
];

impl SourceColumn {
    /// Whether its sum may be meaningless, judging by its name.
    fn is_doubtful(&self) -> bool {
        let name = self.name.to_lowercase();
        name.split(|c: char| !c.is_alphanumeric()).any(|word| NO_AMOUNTS.contains(&word))
    }

    fn is_time(&self) -> bool {
        matches!(self.kind.as_str(), "timestamp without time zone" | "timestamp with time zone" | "date")
    }

    fn is_number(&self) -> bool {
        matches!(self.kind.as_str(), "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision")
    }

    /// Which kind of key it is; `None` if it is none.
    fn key(&self) -> Option<&str> {
        let name = self.name.to_lowercase();
        let is_named_so = name == "id" || name.ends_with("_id") || self.name.ends_with("Id");
        self.key.as_deref().or(is_named_so.then_some("a key by its name"))
    }

    /// Whether figures could be split by it.
    fn splits(&self) -> bool {
        let is_text = matches!(self.kind.as_str(), "text" | "character varying" | "character");
        let few = self.values > 0.0 && self.values <= FEW_VALUES;
        let key = self.key.as_deref();
        match self.kind.as_str() {
            "boolean" | "enum" => key != Some(PRIMARY),
            _ => few && (is_text && key != Some(PRIMARY) || key == Some(FOREIGN)),
        }
    }

    /// How likely it says when a row was created, mainly judging by its name.
    fn likelihood(&self) -> i32 {
        let name = self.name.to_lowercase();
        let holds = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let by_name = if holds(&["updat", "modif", "chang", "delet", "expir", "valid", "until", "birth", "due", "end"])
        {
            -6
        } else if holds(&["creat", "insert"]) {
            8
        } else if holds(&["occur", "happen", "record", "event", "order", "book", "place", "paid", "log", "receiv"]) {
            4
        } else {
            0
        };
        // A date is coarser than a time, and often about something other than the row.
        let by_kind = if self.kind == "date" { 0 } else { 1 };
        by_name
            + by_kind
            + if self.defaults_to_now { 4 } else { 0 }
            + if self.divides { 4 } else { 0 }
            + if self.required { 3 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str) -> SourceColumn {
        SourceColumn { name: name.to_string(), kind: kind.to_string(), ..SourceColumn::default() }
    }

    fn table(columns: Vec<SourceColumn>) -> SourceTable {
        let (schema, name) = ("shop".to_string(), "order".to_string());
        let kind = "r".to_string();
        SourceTable { schema, name, kind, readable: true, hides_rows: false, extension: None, parent: None, columns }
    }

    #[test]
    fn the_time_is_when_a_row_came_to_be() {
        let chosen = |columns: Vec<SourceColumn>| table(columns).time().unwrap().name.clone();
        let (stamp, tz) = ("timestamp without time zone", "timestamp with time zone");
        assert_eq!(chosen(vec![column("updated_at", tz), column("created_at", tz)]), "created_at");
        assert_eq!(chosen(vec![column("a", stamp), column("b", stamp)]), "a");
        let required = SourceColumn { required: true, ..column("b", stamp) };
        assert_eq!(chosen(vec![column("a", stamp), required]), "b");
        let now = SourceColumn { defaults_to_now: true, required: true, ..column("updated_at", tz) };
        assert_eq!(chosen(vec![now, column("ordered_on", "date")]), "ordered_on");
        assert_eq!(chosen(vec![column("birthday", "date"), column("at", tz)]), "at");
    }

    #[test]
    fn keys_are_not_summed() {
        let made = table(vec![
            column("at", "date"),
            SourceColumn { key: Some(PRIMARY.to_string()), ..column("number", "bigint") },
            SourceColumn { key: Some(FOREIGN.to_string()), values: 7.0, ..column("shop", "integer") },
            SourceColumn { key: Some("numbered by a sequence".to_string()), ..column("serial", "integer") },
            column("customer_id", "integer"),
            column("paid", "numeric"),
            column("width", "real"),
            SourceColumn { values: 3.0, ..column("colour", "text") },
            SourceColumn { values: -1.0, ..column("remark", "text") },
        ]);
        let draft = made.draft(&mut Taken::default()).unwrap();
        assert_eq!(draft.entity.measures.iter().map(Ident::name).collect::<Vec<_>>(), ["paid", "width"]);
        assert_eq!(
            draft.not_summed.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>(),
            ["primary key", "foreign key", "numbered by a sequence", "a key by its name"]
        );
        assert_eq!(draft.dimensions, ["shop", "colour"]);
    }

    #[test]
    fn numbers_that_are_no_amounts_by_their_names_are_doubtful() {
        let names = ["amount", "postcode", "zip_code", "barcode_width", "Year", "yearly", "house_no", "notes"];
        let made = table([column("at", "date")].into_iter().chain(names.map(|name| column(name, "integer"))).collect());
        let draft = made.draft(&mut Taken::default()).unwrap();
        assert_eq!(draft.entity.measures.len(), names.len());
        assert_eq!(draft.doubtful, ["postcode", "zip_code", "Year", "house_no"]);
    }

    #[test]
    fn of_very_many_numbers_the_first_are_summed() {
        let numbers = (0..70).map(|n| column(&format!("n{n}"), "integer"));
        let draft =
            table([column("at", "date")].into_iter().chain(numbers).collect()).draft(&mut Taken::default()).unwrap();
        assert_eq!(draft.entity.measures.len(), 50);
        assert_eq!(draft.not_summed.len(), 20);
        assert_eq!(draft.not_summed[0], ("n50".to_string(), "too many".to_string()));
    }

    #[test]
    fn names_are_free() {
        let mut taken = Taken::default();
        let mut name = |schema: &str, name: &str| {
            let mut made = table(vec![column("at", "date"), column("n", "integer")]);
            (made.schema, made.name) = (schema.to_string(), name.to_string());
            made.draft(&mut taken).unwrap().entity.name.name().to_string()
        };
        assert_eq!(name("public", "orders"), "orders");
        assert_eq!(name("shop", "orders"), "shop_orders");
        assert_eq!(name("public", "Orders"), "public_Orders");
        assert_eq!(name("public", "ORDERS"), "public_ORDERS-2");
        assert_eq!(name("public", "orders_day"), "public_orders_day-2", "public_Orders has that one");
        assert_eq!(name("eu", "orders_day"), "eu_orders_day");
    }
}
