//! The state store: two shapes of state behind one trait.
//!
//! - **pane runs**: columnar partial aggregates, `[table][pane] → runs`. A run is one Arrow batch;
//!   runs of a pane are mergeable in any order. Dropping a pane drops its runs at once, never key
//!   by key.
//! - **values**: small single values, `[table][key] → bytes`, such as "last fired".
//!
//! A store belongs to one task; operators of the task share it through [`SharedStore`]. It is
//! used from one thread at a time, so the lock is never contended.

use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;

use crate::{EventTime, error::Result};

/// Names one state table of one operator, such as `revenue/panes`. Names are stable over
/// restarts: they are what a checkpoint is matched by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(String);

impl TableId {
    /// The table `name` of operator `operator`.
    pub fn new(operator: &str, name: &str) -> Self {
        TableId(format!("{operator}/{name}"))
    }

    /// The full name, `operator/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where state lives. Laws, checked by the model tests:
///
/// 1. `runs` returns what was appended to that pane since it was last dropped, oldest first;
/// 2. `panes` lists the panes that have runs, in ascending order;
/// 3. tables do not see each other.
pub trait StateStore: Send {
    /// Adds a run of partial aggregates to a pane.
    fn append_run(&mut self, table: &TableId, pane: EventTime, run: RecordBatch) -> Result<()>;
    /// The runs of a pane, oldest first; none if the pane is unknown.
    fn runs(&self, table: &TableId, pane: EventTime) -> Result<Vec<RecordBatch>>;
    /// The panes that have runs, ascending.
    fn panes(&self, table: &TableId) -> Result<Vec<EventTime>>;
    /// Forgets a pane and all its runs; no-op if the pane is unknown.
    fn drop_pane(&mut self, table: &TableId, pane: EventTime) -> Result<()>;
    /// Reads a value.
    fn get(&self, table: &TableId, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Writes a value.
    fn put(&mut self, table: &TableId, key: &[u8], value: &[u8]) -> Result<()>;
    /// Bytes held for a table, as far as the store can tell without reading it.
    fn bytes(&self, table: &TableId) -> u64;
}

/// A store shared by the operators of one task.
pub type SharedStore = Arc<Mutex<dyn StateStore>>;
