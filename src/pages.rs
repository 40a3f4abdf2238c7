//! The report: pages for people, of what was settled and published.
//!
//! A page follows from the warehouse alone, so a run that finds nothing to do renders the bytes that are there already.
//! It says what was proven of its entity, and no more: as of the moment of the last settlement, which later runs
//! confirm without a change to the page.

mod assets;
mod dimensions;
mod draw;
mod facts;
mod figures;
mod moved;
mod page;
mod series;
mod tables;
mod verdict;

use std::collections::BTreeMap;

use facts::Facts;
use page::{Card, entity_page, first_page};

use crate::error::Result;
use crate::exports::Which;
use crate::exports::pages::{self, Mark, Page, Pages};
use crate::warehouse::Reading;

/// The report of all entities that the warehouse has.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// Whether there is to be one; `None`: if there is one already.
    pub is_on: Option<bool>,
}

impl Pages for Report {
    fn is_on(&self, are_there: bool) -> bool {
        self.is_on.unwrap_or(are_there)
    }

    async fn render(&self, reading: &Reading<'_>, before: &BTreeMap<String, Mark>, which: Which) -> Result<Vec<Page>> {
        let (mut pages, mut cards) = (Vec::new(), Vec::new());
        for model in reading.entities().await? {
            let facts = Facts::read(reading, model, before, which).await?;
            let path = pages::path(&facts.model.file_name());
            cards.push(Card::of(&facts, &path));
            let (mark, bytes) = (facts.mark.clone(), entity_page(&facts)?);
            pages.push(Page { path, entity: Some(facts.model.name().to_string()), mark, bytes });
        }
        if !pages.is_empty() {
            let (path, bytes) = (pages::FIRST.to_string(), first_page(&cards)?);
            pages.push(Page { path, entity: None, mark: Mark::default(), bytes });
        }
        Ok(pages)
    }
}
