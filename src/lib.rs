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
//! `ARCHITECTURE.md` lists the rooms in reading order, each with what it is for; it may use those below it there.

#![warn(missing_docs)]

pub mod accounts;
pub mod adopt;
pub mod calendar;
pub mod checks;
pub mod cli;
mod commands;
pub mod db;
pub mod diff;
pub mod entity;
pub mod error;
pub mod exports;
pub mod files;
pub mod flags;
pub mod guard;
pub mod history;
pub mod local;
pub mod production;
pub mod progress;
pub mod report;
pub mod settings;
pub mod simulate;
pub mod sql;
pub mod steps;
pub mod survey;
pub mod sync;
pub mod warehouse;
pub mod world;
