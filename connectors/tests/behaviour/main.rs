//! What users rely on, connector by connector; the contracts that all keep are in their own suites.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failed test may panic and tell

mod any_bytes;
#[path = "../common/mod.rs"]
mod common;
mod console;
mod filesystem;
mod generators;
mod options;
mod packed;
mod partitions;
mod reference;
mod stdin;
mod watched;
