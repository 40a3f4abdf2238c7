//! Works on several entities, one after the other. If one fails, the others are still worked on.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::World;
use crate::entity::Entity;
use crate::error::{self, Exit, Result};
use crate::report;
use crate::warehouse::notes::Failure;

/// An entity of several that failed.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// Its name.
    pub entity: String,
    /// Why.
    pub error: String,
    /// The exit code that the command would have had with this entity alone.
    pub exit_code: u8,
}

/// The result of each entity.
#[derive(Debug)]
pub struct Each<T> {
    /// In the order of the settings.
    pub all: Vec<Result<T, Failed>>,
    /// The most serious exit code of one.
    pub exit: Exit,
    /// What is to be noted of it.
    pub failures: Vec<Failure>,
}

/// The result of a single entity is not put into a list.
impl<T: Serialize> Serialize for Each<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Of<'a, T> {
            Done(&'a T),
            Failed(&'a Failed),
        }
        if let [Ok(only)] = self.all.as_slice() {
            return only.serialize(serializer);
        }
        let all: Vec<Of<'_, T>> = self.all.iter().map(|one| one.as_ref().map_or_else(Of::Failed, Of::Done)).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("entities", &all)?;
        map.end()
    }
}

impl World<'_> {
    /// Does something with each entity. It returns the result, and perhaps a reason why the command must still end with
    /// an exit code other than 0. Failures and such reasons are printed at once.
    ///
    /// # Errors
    /// If the only entity fails. With several, the exit code is the most serious one.
    pub async fn each<T>(
        &self,
        mut work: impl AsyncFnMut(&Entity) -> Result<(T, Option<anyhow::Error>)>,
    ) -> Result<Each<T>> {
        let mut each = Each { all: Vec::new(), exit: Exit::Done, failures: Vec::new() };
        for entity in &self.settings.entities {
            let name = entity.name.name();
            let (done, error) = match self.explaining(std::slice::from_ref(entity), work(entity)).await {
                Ok((done, refused)) => (Ok(done), refused),
                Err(error) if self.settings.entities.len() == 1 => return Err(error),
                // It would be in the way of the others as well, and has settled a part of what would be published.
                Err(error) if each.all.is_empty() && error::waits_for_a_run(&error) => return Err(error),
                Err(error) => {
                    let (entity, exit_code) = (name.to_string(), error::exit_code(&error) as u8);
                    (Err(Failed { entity, error: error.to_string(), exit_code }), Some(error))
                }
            };
            if let Some(error) = error {
                each.exit = each.exit.graver(error::exit_code(&error));
                each.failures.push(self.failure(Some(name), &error));
                report::talk(&error::render(&error));
            }
            each.all.push(done);
        }
        Ok(each)
    }

    /// A failure to be noted, of an entity or of the whole run.
    pub(super) fn failure(&self, entity: Option<&str>, error: &anyhow::Error) -> Failure {
        Failure {
            at: String::new(),
            command: self.command.to_string(),
            entity: entity.map(str::to_string),
            exit_code: error::exit_code(error) as i32,
            message: error::in_one_line(error),
        }
    }
}
