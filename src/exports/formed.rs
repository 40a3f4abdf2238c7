//! Entities of the warehouse in the form in which their files are published.

use super::folder::Folder;
use super::manifest::Manifest;
use crate::calendar::Period;
use crate::entity::{Form, Format, Model};
use crate::error::Result;
use crate::settings::Exports;
use crate::warehouse::Reading;

/// An entity, and the form of its files.
#[derive(Debug, Clone)]
pub(super) struct Formed {
    pub(super) model: Model,
    pub(super) form: Form,
}

impl Formed {
    /// The entities of the warehouse. The files of one that is no longer in the settings keep the form in which the
    /// manifest lists them.
    pub(super) async fn all(reading: &Reading<'_>, exports: &Exports, manifest: &Manifest) -> Result<Vec<Self>> {
        let models = reading.entities().await?.into_iter();
        Ok(models.map(|model| Self::of(model, exports, manifest)).collect())
    }

    /// The same, for a folder whose manifest was not read yet. It is read only if it is needed.
    pub(super) async fn all_in(reading: &Reading<'_>, exports: &Exports, folder: &Folder) -> Result<Vec<Self>> {
        let models = reading.entities().await?;
        let manifest = match models.iter().all(|model| exports.form(model.name()).is_some()) {
            true => None,
            false => folder.manifest(None)?,
        };
        let manifest = manifest.unwrap_or_default();
        Ok(models.into_iter().map(|model| Self::of(model, exports, &manifest)).collect())
    }

    /// One entity.
    pub(super) fn of(model: Model, exports: &Exports, manifest: &Manifest) -> Self {
        let listed = || manifest.files.all().filter(|(_, entry)| entry.entity == model.name());
        let form = match exports.form(model.name()) {
            Some(form) => form.clone(),
            None => Form::of(listed().map(|(path, _)| path.as_str())).unwrap_or_default(),
        };
        Self { model, form }
    }

    /// The path of a period's file.
    pub(super) fn path(&self, period: Period, format: Format) -> String {
        self.model.path(period, self.form.layout, format)
    }
}
