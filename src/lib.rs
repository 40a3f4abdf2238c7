//! Kalends settles the accounts of a production PostgreSQL by day, month and year in a warehouse PostgreSQL, and
//! publishes them as CSV files.
//!
//! ```text
//!  PRODUCTION (read only)                WAREHOUSE                                        DISK
//!  entity ──survey──► accounts of days ──compare──► days to reload
//!     └────COPY (binary)──► rows of those days ──settle──► day ─► month ─► year ──publish──► CSV files
//!                                               (one transaction a month)      (only what changed)
//! ```
//!
//! `ARCHITECTURE.md` lists the rooms in reading order, with their purposes. Each may use those below it in the list.

#![warn(missing_docs)]

mod accounts;
mod adopt;
pub mod calendar;
mod checks;
pub mod cli;
// Help is for people who write TOML: an [[entity]] in it is no link.
#[allow(rustdoc::broken_intra_doc_links)]
mod commands;
pub mod db;
mod diff;
pub mod entity;
pub mod error;
mod exports;
mod files;
mod flags;
mod guard;
mod history;
mod local;
pub mod look;
mod pages;
mod production;
mod progress;
pub mod report;
mod runtime;
pub mod settings;
mod show;
pub mod simulate;
pub mod sql;
mod steps;
mod survey;
mod sync;
mod warehouse;
mod world;
