//! What users rely on, connector by connector; the contracts that all keep are in their own suites.

#[path = "../common/mod.rs"]
mod common;
mod console;
mod filesystem;
mod generators;
mod options;
mod reference;
