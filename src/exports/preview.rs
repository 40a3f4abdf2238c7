//! Which files will be due once a plan is carried out, found by the same comparison as publishing uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::content::{self, Content, Scope, Which};
use super::csv::{self, Field};
use super::due::{Due, Fault};
use super::folder::Folder;
use super::manifest::Manifest;
use super::preflight::Intended;
use super::wanted::{Claim, RECORDED, Target, compared, known};
use crate::calendar::{Day, Period};
use crate::entity::Model;
use crate::error::Result;
use crate::warehouse::Reading;

/// An entity as it will be settled.
#[derive(Debug)]
pub struct Preview {
    /// The model that its files will have.
    pub model: Model,
    /// What the files of its periods will contain.
    pub lines: Vec<Line>,
    /// The days that will be settled. Files of periods without such a day, and without a planned line, stay as they
    /// follow from the warehouse now. `None`: all accounts will be replaced.
    pub settled: Option<BTreeSet<Day>>,
}

/// What a file of one line will contain.
#[derive(Debug)]
pub struct Line {
    /// Its period.
    pub period: Period,
    /// Rows that it will account for.
    pub rows: i64,
    /// Its fields; `None` with dimensions, whose lines are known only after loading.
    pub fields: Option<Vec<Option<String>>>,
}

/// The files that will be due, and the refusal, if publishing them would be refused. Reads only.
///
/// # Errors
/// As [`super::due()`].
pub async fn preview(
    reading: &Reading<'_>,
    path: &Path,
    previews: &[Preview],
    claim: Claim,
) -> Result<(Due, Option<anyhow::Error>)> {
    let folder = Folder::open(path)?;
    let found = folder.as_ref().map_or(Ok(None), Folder::manifest)?;
    let mut manifest = found.clone().unwrap_or_default();
    // What is planned is newer than anything that was published of it.
    manifest.settled.retain(|entity, _| previews.iter().all(|one| one.model.name() != entity));
    let wanted = wanted(reading, folder.as_ref(), &manifest, previews).await?;
    let everything = (Scope::Everything, Which::All);
    let intended = Intended::of(manifest, wanted, folder.as_ref(), everything)?;
    let allowed = folder.map_or(Ok(()), |folder| intended.check((&folder, path), found.as_ref(), everything.0, claim));
    Ok((intended.due, allowed.err()))
}

async fn wanted(
    reading: &Reading<'_>,
    folder: Option<&Folder>,
    manifest: &Manifest,
    previews: &[Preview],
) -> Result<Target> {
    let models = reading.entities().await?;
    let of = |model: &Model| previews.iter().find(|one| one.model.name() == model.name());
    let mut files = BTreeMap::new();
    for one in previews {
        for line in &one.lines {
            let path = one.model.path(line.period);
            let content = content_of(&one.model, line)?;
            let mut file = compared(folder, manifest, &path, content)?;
            if line.fields.is_none() && file.fault != Some(Fault::Missing) {
                file.fault = Some(Fault::MayDiffer);
            }
            files.insert(path, file);
        }
    }
    // The files that are to stay as the warehouse has them: of other entities, and of periods that nothing happens to.
    let mut staying: Vec<Model> = models.iter().filter(|model| of(model).is_none()).cloned().collect();
    staying.extend(previews.iter().filter(|one| one.settled.is_some()).map(|one| one.model.clone()));
    content::each(reading, &staying, Scope::Everything, |model, content| {
        let path = model.path(content.period);
        let happens = |day: &Day| content.period.span().contains(*day);
        let settled = of(model).and_then(|one| one.settled.as_ref());
        if !files.contains_key(&path) && !settled.is_some_and(|days| days.iter().any(happens)) {
            let file = compared(folder, manifest, &path, content)?;
            files.insert(path, file);
        }
        Ok(())
    })
    .await?;
    let recorded = if reading.prepared { reading.work().query(RECORDED, &[]).await? } else { Vec::new() };
    Ok(Target {
        warehouse: reading.name().await?,
        models,
        files,
        recorded: recorded.iter().map(|row| Ok((row.get("path")?, row.get("sha256")?))).collect::<Result<_>>()?,
        production_as_of: None,
        complete_through: BTreeMap::new(),
        fresh: reading.freshness().await?,
        known: known(reading, manifest).await?,
    })
}

fn content_of(model: &Model, line: &Line) -> Result<Content> {
    let columns = model.file_columns(line.period.level())?;
    let mut bytes = Vec::new();
    csv::write_line(&mut bytes, columns.iter().map(|column| Field::Text(Some(&column.header))));
    if let Some(fields) = &line.fields {
        csv::write_line(&mut bytes, fields.iter().map(|field| Field::Plain(field.as_deref())));
    }
    // What is closed does not say whether a file is due.
    let (entity, closed) = (model.name().to_string(), false);
    Ok(Content { entity, period: line.period, lines: 1, entity_rows: line.rows, closed, bytes })
}
