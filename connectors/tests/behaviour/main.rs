//! What users rely on, connector by connector; the contracts that all keep are in their own suites.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failed test may panic and tell

#[path = "../common/mod.rs"]
mod common;
mod console;
mod filesystem;
mod generators;
mod options;
mod reference;
