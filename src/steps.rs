//! The two steps of a run, prepare the warehouse and publish its files, and their results as the commands print them;
//! also other lines that several commands print.

pub mod combinations;
pub mod held;
pub mod moved;
mod older;

mod prepare;
mod publish;

pub use prepare::{Prepared, prepare};
pub use publish::{Files, line, publish, publish_with, relisted};
