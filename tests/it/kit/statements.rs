//! Statements of `sql/`, rendered for a test.

use kalends::entity::{Entity, Found, Model};
use kalends::sql::{Filling, Ident, Statement};

/// A statement of `sql/`, as it is for the default table.
pub fn of_default_table(text: String, names: &[(&str, &dyn Filling)]) -> String {
    let found = Found {
        time: Some("timestamp without time zone".to_string()),
        measures: vec![Some("integer".to_string())],
        ..Found::default()
    };
    let model = Model::new(&Entity::default_table().unwrap(), &found).unwrap();
    let statement = Statement { path: "sql/probe.sql", text: Box::leak(text.into_boxed_str()) };
    statement.of(&model.shape().unwrap().with(names)).unwrap().to_string()
}

/// A statement as it is for an entity, about this table.
pub fn of_table(statement: Statement, model: &Model, schema: &str, table: &str) -> String {
    let (schema, table) = (Ident::new(schema).unwrap(), Ident::new(table).unwrap());
    statement
        .of(&model.shape().unwrap().with(&[("schema", &schema), ("table", &table), ("with_ctids", &true)]))
        .unwrap()
        .to_string()
}
