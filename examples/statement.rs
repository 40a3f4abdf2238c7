//! Prints a statement of `sql/` as it is for the default table, for psql; names and values that it asks for follow it:
//! `cargo run --example statement sql/accounts/days.sql schema=public table=entity`.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use anyhow::Context as _;
use kalends::calendar::Day;
use kalends::entity::{Entity, Found, Model};
use kalends::error::Result;
use kalends::sql::{Ctid, Filling, Ident, Statement};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let text = std::fs::read_to_string(arguments.next().context("which file?")?)?;
    let found = Found {
        time: Some("timestamp without time zone".into()),
        measures: vec![Some("integer".into())],
        ..Found::default()
    };
    let mut shape = Model::new(&Entity::default_table()?, &found)?.shape()?;
    for argument in arguments {
        let (name, value) = argument.split_once('=').context("a name is given as NAME=VALUE")?;
        shape = shape.with(&[(name.to_string().leak(), filling(value)?.as_ref())]);
    }
    let statement = Statement { path: "sql", text: text.leak() };
    println!("{}", statement.of(&shape)?);
    Ok(())
}

/// A day, a place in a table, true or false; a name otherwise.
fn filling(value: &str) -> Result<Box<dyn Filling>> {
    let day = || {
        let [year, month, day] = value.splitn(3, '-').collect::<Vec<_>>().try_into().ok()?;
        Day::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    };
    if let Some(day) = day() {
        return Ok(Box::new(day));
    }
    if let Some(ctid) = Ctid::parse(value) {
        return Ok(Box::new(ctid));
    }
    match value.parse::<bool>() {
        Ok(value) => Ok(Box::new(value)),
        Err(_) => Ok(Box::new(Ident::new(value)?)),
    }
}
