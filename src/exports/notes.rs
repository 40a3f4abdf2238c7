//! The warehouse's notes of what was published.

use tokio_postgres::types::Type;

use super::content::Scope;
use super::due::Due;
use super::entries::Entry;
use super::manifest::Manifest;
use super::state;
use super::wanted::Target;
use crate::db::Parameter;
use crate::error::Result;
use crate::sql::Statement;
use crate::statement;
use crate::warehouse::Warehouse;

const NOTE_FILES: Statement = statement!("exports/note_files.sql");
const NOTE_REMOVED: Statement = statement!("exports/note_removed.sql");

/// Notes in the warehouse what is published, if that is not noted yet, for example because of a crash. Returns the
/// versions that all notes have then, unless somebody else has changed some meanwhile.
pub(super) async fn note(
    warehouse: &mut Warehouse,
    manifest: &Manifest,
    (wanted, due): (&Target, &Due),
    scope: Scope,
) -> Result<Option<(i64, i64)>> {
    let before = wanted.unmoved.now.as_ref().and_then(|(_, now)| now.noted);
    let unmoved = match wanted.unmoved.recorded(manifest) {
        // They are noted.
        Some(_) => Vec::new(),
        None => wanted.unmoved.of(scope).filter_map(|(_, _, path)| Some((path, manifest.files.get(path)?))).collect(),
    };
    let considered = wanted.files.iter().map(|(path, file)| (path.as_str(), &file.entry));
    let news: Vec<(&str, &Entry)> = considered
        .chain(unmoved.iter().map(|(path, entry)| (*path, entry)))
        .filter(|(path, _)| !due.open.contains(*path))
        .filter(|(path, entry)| wanted.recorded.get(*path) != Some(&entry.sha256))
        .collect();
    let is_gone = |path: &&String| scope.covers(path) && !wanted.files.contains_key(*path) && !wanted.unmoved.has(path);
    let removed: Vec<&String> = wanted.recorded.keys().filter(is_gone).collect();
    if news.is_empty() && removed.is_empty() {
        return Ok(before);
    }
    let locked = warehouse.lock_for_notes().await?;
    let paths: Vec<&str> = news.iter().map(|(path, _)| *path).collect();
    let touched: Vec<&str> = paths.iter().copied().chain(removed.iter().map(|path| path.as_str())).collect();
    let replaced = state::noted(locked.work(), Some(&touched)).await?;
    locked.work().execute(NOTE_REMOVED, &[(&removed, Type::TEXT_ARRAY)]).await?;
    let entities: Vec<&str> = news.iter().map(|(_, entry)| entry.entity.as_str()).collect();
    let levels: Vec<&str> = news.iter().map(|(_, entry)| entry.level.word()).collect();
    let periods: Vec<&str> = news.iter().map(|(_, entry)| entry.period.as_str()).collect();
    let rows: Vec<i64> = news.iter().map(|(_, entry)| entry.entity_rows).collect();
    let bytes: Vec<i64> = news.iter().map(|(_, entry)| entry.bytes.cast_signed()).collect();
    let hashes: Vec<&str> = news.iter().map(|(_, entry)| entry.sha256.as_str()).collect();
    let parameters: [Parameter<'_>; 7] = [
        (&paths, Type::TEXT_ARRAY),
        (&entities, Type::TEXT_ARRAY),
        (&levels, Type::TEXT_ARRAY),
        (&periods, Type::TEXT_ARRAY),
        (&rows, Type::INT8_ARRAY),
        (&bytes, Type::INT8_ARRAY),
        (&hashes, Type::TEXT_ARRAY),
    ];
    locked.work().execute(NOTE_FILES, &parameters).await?;
    let written = state::noted(locked.work(), Some(&touched)).await?;
    locked.commit().await?;
    let after = |(files, digest)| (files - replaced.0 + written.0, digest ^ replaced.1 ^ written.1);
    Ok(before.map(after))
}
