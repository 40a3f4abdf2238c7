//! The pages of the report beside the files: which of them are due.

use std::collections::BTreeMap;

use super::age;
use super::content::{Scope, Which, sha256};
use super::known;
pub use super::listed::{BEGINS, FIRST, Listed, Mark, path};
use super::listed::{Known, is_page};
use super::manifest::Manifest;
use super::place::Place;
use super::wanted::Target;
use crate::error::{Refusal, Result};
use crate::settings::Destination;
use crate::warehouse::Reading;

/// A page as it should be.
pub struct Page {
    /// Its path in the export folder.
    pub path: String,
    /// Its entity; `None` for the page that leads to all others.
    pub entity: Option<String>,
    /// How far the entity is settled.
    pub mark: Mark,
    /// The whole page.
    pub bytes: Vec<u8>,
}

/// Renders the pages of the report.
pub trait Pages {
    /// Whether there are to be pages, if there are some or not. Those that were published are removed if not.
    fn is_on(&self, are_there: bool) -> bool;

    /// All pages as they should be; none if nothing was settled yet. What was published is known `before`, by entity.
    fn render(
        &self,
        reading: &Reading<'_>,
        before: &BTreeMap<String, Mark>,
        which: Which,
    ) -> impl Future<Output = Result<Vec<Page>>>;
}

/// The pages that are due.
#[derive(Default)]
pub(super) struct Due {
    /// All pages, as the manifest should list them.
    pub(super) listed: BTreeMap<String, Listed>,
    /// Those that are missing or differ, by path.
    pub(super) write: BTreeMap<String, Vec<u8>>,
    /// Those that are to be there no more.
    pub(super) remove: Vec<String>,
    /// Whether the manifest lists others.
    relist: bool,
    /// Whether pages were looked at: not for a single month.
    looked: bool,
}

/// How far entities were settled when their pages were written, if it is this warehouse that has settled them. Of
/// another one, it is not known what moved.
async fn marks(reading: &Reading<'_>, listed: &BTreeMap<String, Listed>) -> Result<BTreeMap<String, Mark>> {
    let marks = listed.values().filter_map(|page| Some((page.entity.as_ref()?, &page.mark)));
    let marks: Vec<(&String, &Mark)> = marks.collect();
    let moments = marks.iter().filter_map(|(entity, mark)| Some((entity.as_str(), mark.as_of.as_deref()?)));
    let known = known::of(reading, moments).await?;
    let is_ours = |entity: &str, mark: &Mark| known.get(entity).is_some_and(|last| *last >= mark.settlement);
    Ok(marks.into_iter().filter(|(name, mark)| is_ours(name, mark)).map(|(a, b)| (a.clone(), b.clone())).collect())
}

/// What is due of the pages.
pub(super) async fn due(
    pages: &impl Pages,
    reading: &Reading<'_>,
    folder: Option<&Place>,
    (listed, pending): Known<'_>,
    scope: Scope,
    which: Which,
) -> Result<Due> {
    let mut due = Due { looked: matches!(scope, Scope::Everything), ..Due::default() };
    if !due.looked {
        return Ok(due);
    }
    let marks = marks(reading, listed).await?;
    let is_on = pages.is_on(!listed.is_empty());
    let wanted = if is_on { pages.render(reading, &marks, which).await? } else { Vec::new() };
    for Page { path, entity, mark, bytes } in wanted {
        let mut page = Listed { entity, bytes: bytes.len() as u64, sha256: sha256(&bytes), etag: None, mark };
        let put = listed.get(&path).filter(|listed| listed.sha256 == page.sha256).and_then(|put| put.etag.as_deref());
        let is_there = match folder {
            Some(folder) => folder.is_as_put(&path, put) || folder.read(&path)?.as_ref() == Some(&bytes),
            None => false,
        };
        page.etag = folder.and_then(|folder| folder.etag(&path));
        due.relist |= listed.get(&path) != Some(&page);
        if !is_there {
            due.write.insert(path.clone(), bytes);
        }
        due.listed.insert(path, page);
    }
    let begun = pending.keys().filter(|path| is_page(path));
    due.remove = listed.keys().chain(begun).filter(|path| !due.listed.contains_key(*path)).cloned().collect();
    due.remove.iter().try_for_each(|path| folder.map_or(Ok(()), |folder| folder.check(path)))?;
    Ok(due)
}

impl Due {
    /// Whether the folder and the manifest are as they should be.
    pub(super) fn is_nothing(&self) -> bool {
        self.write.is_empty() && self.remove.is_empty() && !self.relist
    }

    /// Checks, before anything is written, that no page would replace somebody else's file, or a newer page.
    ///
    /// # Errors
    /// Refuses it if one would.
    pub(super) fn check(
        &self,
        (folder, to): (&Place, &Destination),
        manifest: &Manifest,
        wanted: &Target,
    ) -> Result<()> {
        if !self.is_nothing() && manifest.warehouse.is_some() && manifest.warehouse == wanted.warehouse {
            age::check_no_entity_is_older(to, manifest, wanted)?;
        }
        for page in self.write.keys() {
            folder.check_staged(page)?;
            let is_listed = manifest.pages.contains_key(page) || manifest.pending.contains_key(page);
            if !is_listed && folder.read(page)?.is_some_and(|bytes| !bytes.starts_with(BEGINS.as_bytes())) {
                return Err(Refusal::refused(
                    format!("\"{}\" is in the way, and Kalends did not write it", to.at(page)),
                    "Move it away, name another folder with --exports, or remove `report` from the settings.",
                ));
            }
        }
        Ok(())
    }

    /// Writes to the manifest what is about to be done.
    pub(super) fn begin(&self, manifest: &mut Manifest) {
        for path in self.write.keys() {
            manifest.pending.insert(path.clone(), Some(self.listed[path].sha256.clone()));
        }
        for path in &self.remove {
            manifest.pages.remove(path);
            manifest.pending.insert(path.clone(), None);
        }
    }

    /// Writes to the manifest what is there now.
    pub(super) fn list(&self, manifest: &mut Manifest, folder: &Place) {
        if self.looked {
            let now =
                |(path, page): (&String, &Listed)| (path.clone(), Listed { etag: folder.etag(path), ..page.clone() });
            manifest.pages = self.listed.iter().map(now).collect();
        }
    }
}
