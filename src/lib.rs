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
//! The rooms, in reading order. Arrows point down the list; rooms on the same line do not know each other, but for
//! what is said in `ARCHITECTURE.md`.

#![warn(missing_docs)]

// Help is for people who write TOML: an [[entity]] in it is no link.
#[allow(rustdoc::broken_intra_doc_links)]
pub mod cli;
mod commands;

pub mod steps;

pub mod world;

pub mod flags;

pub mod sync;

pub mod adopt;
pub mod checks;
pub mod diff;
pub mod exports;
pub mod history;
pub mod simulate;

pub mod production;
pub mod survey;
pub mod warehouse;

pub mod accounts;
pub mod calendar;
pub mod db;
pub mod entity;
pub mod guard;

pub mod local;
pub mod progress;
pub mod report;

pub mod error;
pub mod files;
pub mod settings;
pub mod sql;
