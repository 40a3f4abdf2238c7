//! The engine: makes the warehouse's rows and accounts of an entity equal to one snapshot of production.
//!
//! Opening an entity reads what both servers know of it. Judging decides which of the days that differ are settled.
//! Then each month is loaded, proven and settled in one transaction. [`prepare()`], [`repair()`], [`adopt()`] and
//! [`plan`] are short functions over these steps. Nothing here knows a command's arguments or its output.

pub mod plan;

mod adopt;
mod due;
mod judge;
mod load;
mod month;
mod months;
mod older;
mod open;
mod prepare;
mod rebuild;
mod repair;
mod round;
mod settle;
mod settling;
mod zones;

pub use adopt::adopt;
pub use judge::Terms;
pub use open::{Connections, check_not_exchanged, compare};
pub use prepare::prepare;
pub use repair::{Repaired, repair};
pub use round::{Older, Prepared};
