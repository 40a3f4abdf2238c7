//! Prints a statement of `sql/` as it is for the default table, for psql:
//! `cargo run --example statement sql/accounts/days.sql`.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use kalends::db::Statement;
use kalends::entity::{Entity, Found, Model};
use kalends::error::Result;

fn main() -> Result<()> {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap_or_default())?;
    let found = Found {
        time: Some("timestamp without time zone".into()),
        measures: vec![Some("integer".into())],
        ..Found::default()
    };
    let shape = Model::new(&Entity::default_table()?, &found)?.shape()?;
    let statement = Statement { path: "sql", text: Box::leak(text.into_boxed_str()) };
    println!("{}", statement.of(&shape)?);
    Ok(())
}
