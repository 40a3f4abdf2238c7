//! Whether files were published from a later state than the warehouse is in, such as one that was restored from a
//! backup.

use super::due::Due;
use super::manifest::{Manifest, Settled};
use super::wanted::Target;
use crate::error::{Refusal, Result};
use crate::settings::Destination;
use crate::warehouse::Freshness;

/// Checks that the warehouse is not older than the files that it would write, replace or remove.
///
/// # Errors
/// Refuses if it is.
pub(super) fn check_not_older(path: &Destination, manifest: &Manifest, wanted: &Target, due: &Due) -> Result<()> {
    for file in due.rewritten().map(|(file, _)| file).chain(&due.remove) {
        let listed = manifest.files.get(file).map(|listed| listed.entity);
        let entity = listed.or_else(|| Some(wanted.files.get(file)?.entry.entity.clone()));
        let older = match &entity {
            Some(entity) => older(manifest, wanted, entity),
            // What a dead run had begun does not say whose it is.
            None => manifest.settled.keys().find_map(|entity| older(manifest, wanted, entity)),
        };
        if let Some((entity, published)) = older {
            return Err(refused(path, entity, published, wanted));
        }
    }
    Ok(())
}

/// Checks that the warehouse is not older than the folder in any entity, for pages of all of them.
///
/// # Errors
/// Refuses if it is.
pub(super) fn check_no_entity_is_older(path: &Destination, manifest: &Manifest, wanted: &Target) -> Result<()> {
    let older = manifest.settled.keys().find_map(|entity| older(manifest, wanted, entity));
    older.map_or(Ok(()), |(entity, published)| Err(refused(path, entity, published, wanted)))
}

/// What was published of an entity, if the warehouse may be older: it has not made the settlement that was published,
/// and the whole entity was not proven then or later.
fn older<'a>(manifest: &'a Manifest, wanted: &Target, entity: &str) -> Option<(&'a String, &'a Settled)> {
    let (entity, published) = manifest.settled.get_key_value(entity)?;
    let has_settled = wanted.known.get(entity).is_some_and(|&settlement| settlement >= published.settlement);
    let proof = wanted.fresh.get(entity).and_then(Freshness::oldest);
    // Both are printed alike, so that they compare as texts.
    let is_proven = proof.is_some_and(|proof| proof.as_of >= published.as_of);
    (!has_settled && !is_proven).then_some((entity, published))
}

fn refused(path: &Destination, entity: &str, published: &Settled, wanted: &Target) -> anyhow::Error {
    let settled = wanted.fresh.get(entity).and_then(|fresh| fresh.settled_as_of.as_ref());
    let in_parts = wanted.fresh.get(entity).is_some_and(|fresh| fresh.recent.is_some());
    let holds =
        settled.map_or_else(|| "does not hold it".to_string(), |as_of| format!("has it as of {as_of}, by another run"));
    Refusal::refused(
        format!(
            "the files of entity \"{entity}\" in \"{path}\" are as of {}, and the warehouse {holds}",
            published.as_of
        ),
        format!(
            "Run `kalends run{}`, which brings the warehouse up to date first unless something is held; to publish its \
             older figures, add --take-over.",
            if in_parts { " --all" } else { "" }
        ),
    )
}
