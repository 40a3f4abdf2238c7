//! The commands. Each is one file: its arguments, what it does, and its output. None knows another.

pub(crate) mod adopt;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod export;
pub(crate) mod forget;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod local;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod prepare;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod spread;
pub(crate) mod status;
pub(crate) mod verify;
