//! Epochs: how the work of all tasks becomes durable and visible in slices.
//!
//! | file | what |
//! |---|---|
//! | [`protocol`] | what happens next, as a table |
//! | [`part`] | what tasks say |
//! | [`collect`] | one epoch's parts become a manifest and a list of changes |
//! | [`worker`] | the blocking half: apply, seal, commit, publish |
//! | [`driver`] | carries the table's actions out |
//! | [`figures`] | what is measured |

pub mod collect;
pub mod driver;
pub mod figures;
pub mod part;
pub mod protocol;
pub mod worker;

pub use driver::EpochDriver;
pub use figures::{EpochFigures, EpochMetrics};
pub use part::{EpochPart, Notice, TaskEnd};
pub use worker::EpochWorker;
