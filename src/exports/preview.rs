//! Which files will be due once a plan is carried out, found by the same comparison as publishing uses.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::Columns;
use super::content::{self, Content, Scope, Which};
use super::due::{Due, Fault};
use super::formed::Formed;
use super::lock;
use super::manifest::Manifest;
use super::place::Place;
use super::preflight::Intended;
use super::rendering::Rendering;
use super::trust::Trust;
use super::unmoved::Unmoved;
use super::wanted::{Claim, Target, compared, recorded, settled};
use crate::calendar::{Day, Period};
use crate::entity::{Format, Model};
use crate::error::Result;
use crate::settings::Exports;
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
    exports: &Exports,
    previews: &[Preview],
    claim: Claim,
) -> Result<(Due, Option<anyhow::Error>)> {
    let to = &exports.to;
    lock::share(reading, to).await?;
    let folder = Place::open(to, Trust::ETags)?;
    let found = folder.as_ref().map_or(Ok(None), Place::manifest)?;
    let (is_published, mut manifest) = (found.is_some(), found.unwrap_or_default());
    // What is planned is newer than anything that was published of it.
    manifest.settled.retain(|entity, _| previews.iter().all(|one| one.model.name() != entity));
    let wanted = wanted(reading, (folder.as_ref(), &manifest), exports, previews).await?;
    let everything = (Scope::Everything, Which::All);
    let intended = Intended::of(manifest, wanted, folder.as_ref(), everything)?;
    let allowed = folder.map_or(Ok(()), |folder| intended.check((&folder, to), is_published, everything.0, claim));
    Ok((intended.due, allowed.err()))
}

async fn wanted(
    reading: &Reading<'_>,
    (folder, manifest): (Option<&Place>, &Manifest),
    exports: &Exports,
    previews: &[Preview],
) -> Result<Target> {
    let entities = Formed::all(reading, exports, manifest).await?;
    let of = |model: &Model| previews.iter().find(|one| one.model.name() == model.name());
    let mut files = BTreeMap::new();
    for one in previews {
        let entity = Formed::of(one.model.clone(), exports, manifest);
        let formats = || entity.form.formats.iter().copied();
        for (line, format) in one.lines.iter().flat_map(|line| formats().map(move |format| (line, format))) {
            let path = entity.path(line.period, format);
            let content = content_of(&one.model, line, format)?;
            let mut file = compared(folder, manifest, &path, content, None)?;
            if line.fields.is_none() && file.fault != Some(Fault::Missing) {
                file.fault = Some(Fault::MayDiffer);
            }
            files.insert(path, file);
        }
    }
    // The files that are to stay as the warehouse has them: of other entities, and of periods that nothing happens to.
    let mut staying: Vec<Formed> = entities.iter().filter(|entity| of(&entity.model).is_none()).cloned().collect();
    let partly = previews.iter().filter(|one| one.settled.is_some());
    staying.extend(partly.map(|one| Formed::of(one.model.clone(), exports, manifest)));
    content::each(
        reading,
        &staying,
        |_, _| vec![None],
        |entity, content| {
            let path = entity.path(content.period, content.format);
            let happens = |day: &Day| content.period.span().contains(*day);
            let settled = of(&entity.model).and_then(|one| one.settled.as_ref());
            if !files.contains_key(&path) && !settled.is_some_and(|days| days.iter().any(happens)) {
                let file = compared(folder, manifest, &path, content, None)?;
                files.insert(path, file);
            }
            Ok(())
        },
    )
    .await?;
    Ok(Target {
        warehouse: reading.name().await?,
        entities,
        files,
        recorded: recorded(reading).await?,
        production_as_of: None,
        complete_through: BTreeMap::new(),
        fresh: reading.freshness().await?,
        known: settled(reading, manifest).await?,
        unmoved: Unmoved::default(),
    })
}

fn content_of(model: &Model, line: &Line, format: Format) -> Result<Content> {
    let columns = Columns::of(model, line.period.level())?;
    let mut file = Rendering::begin(format, &columns, line.period)?;
    if let Some(fields) = &line.fields {
        file.line(&columns, &fields.iter().map(Option::as_deref).collect::<Vec<_>>())?;
    }
    let bytes = file.end()?;
    // What is closed does not say whether a file is due.
    let (entity, closed) = (model.name().to_string(), false);
    Ok(Content { entity, period: line.period, format, lines: 1, entity_rows: line.rows, closed, bytes })
}
