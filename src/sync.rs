//! The engine: makes the warehouse's rows and accounts of an entity equal to one snapshot of production.
//!
//! Opening an entity reads what both servers know of it. Judging decides which of the days that differ are settled.
//! Then each month is loaded, proven and settled in one transaction. [`prepare()`], [`repair()`], [`adopt()`] and
//! [`plan`] are short functions over these steps. Nothing here knows a command's arguments or its output.

pub mod plan;

mod adopt;
mod judge;
mod load;
mod month;
mod months;
mod open;
mod prepare;
mod rebuild;
mod repair;
mod settle;
mod settling;
mod zones;

pub use adopt::adopt;
pub use judge::Terms;
pub use load::Loaded;
pub use open::{Connections, check_not_exchanged, compare};
pub use prepare::{Prepared, prepare};
pub use repair::{Repaired, repair};
