//! The two steps of a run, as the commands that take them say how they went: prepare the warehouse, then publish its
//! files; and what else several commands say.

pub mod combinations;
pub mod held;
pub mod moved;

mod prepare;
mod publish;

pub use prepare::{Prepared, prepare};
pub use publish::{Files, line, publish, relisted};
