//! Merges two sorted answers, production's and the warehouse's, as they arrive. Only one row of each is in memory.

use std::cmp::Ordering;

use super::{Parameter, Row, Rows, Work};
use crate::error::Result;
use crate::sql::Sql;

/// A row of a sorted answer.
pub trait Sortable: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// If the row cannot be read.
    fn read(row: &Row) -> Result<Self>;

    /// Compares two rows in the order in which both servers sort.
    fn order(&self, other: &Self) -> Ordering;
}

/// The transaction and the statement; without a statement there are no rows.
pub type Query<'a> = (&'a Work<'a>, Option<Sql>, &'a [Parameter<'a>]);

/// Both sides.
pub struct Pairs<T> {
    production: Sorted<T>,
    warehouse: Sorted<T>,
}

impl<T: Sortable> Pairs<T> {
    /// Starts both statements, so that both servers sort at the same time.
    ///
    /// # Errors
    /// If a server does not answer.
    pub async fn open(production: Query<'_>, warehouse: Query<'_>) -> Result<Self> {
        let (production, warehouse) = tokio::try_join!(Sorted::open(production), Sorted::open(warehouse))?;
        Ok(Self { production, warehouse })
    }

    /// The next row in order, from the sides that have it: production's, then the warehouse's.
    ///
    /// # Errors
    /// If a server breaks off.
    pub async fn next(&mut self) -> Result<Option<(Option<T>, Option<T>)>> {
        let order = match (&self.production.next, &self.warehouse.next) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.order(other),
        };
        let production = if order.is_le() { self.production.take().await? } else { None };
        let warehouse = if order.is_ge() { self.warehouse.take().await? } else { None };
        Ok(Some((production, warehouse)))
    }
}

struct Sorted<T> {
    next: Option<T>,
    rest: Option<Rows>,
}

impl<T: Sortable> Sorted<T> {
    /// Runs the statement, and waits for the first row.
    async fn open((work, sql, parameters): Query<'_>) -> Result<Self> {
        let mut sorted = Self { next: None, rest: None };
        if let Some(sql) = sql {
            sorted.rest = Some(work.stream(&sql, parameters).await?);
            sorted.take().await?;
        }
        Ok(sorted)
    }

    /// Returns the buffered row, and buffers the next one.
    async fn take(&mut self) -> Result<Option<T>> {
        let Some(rest) = &mut self.rest else { return Ok(self.next.take()) };
        let next = rest.next().await?.map(|row| T::read(&row)).transpose()?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}
