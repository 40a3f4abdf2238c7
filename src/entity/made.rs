//! What follows from a model and is made once, because statements ask for it again and again.

use std::sync::OnceLock;

use crate::error::Result;
use crate::sql::Shape;

/// The shape of a model, once it was made. Models are not compared by it.
#[derive(Debug, Default)]
pub(super) struct Made(OnceLock<Shape>);

impl Made {
    /// The shape, which is made if it was not yet.
    pub(super) fn shape(&self, make: impl FnOnce() -> Result<Shape>) -> Result<Shape> {
        match self.0.get() {
            Some(shape) => Ok(shape.clone()),
            None => make().map(|shape| self.0.get_or_init(|| shape).clone()),
        }
    }
}

/// A clone makes its own, because it may become another model.
impl Clone for Made {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Made {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Made {}
