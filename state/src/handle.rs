//! State handles: all that an operator sees of the store.
//!
//! A handle is bound to one table at `open` and hides locking and encoding. Operators keep
//! working copies of hot panes themselves; what they hand to a handle is what would survive.

use std::sync::MutexGuard;

use arrow::array::RecordBatch;

use crate::error::{Result, StateError};
use crate::{EventTime, SharedStore, StateStore, TableId};

fn lock(store: &SharedStore) -> Result<MutexGuard<'_, dyn StateStore + 'static>> {
    store.lock().map_err(|_| StateError::Poisoned)
}

/// Partial aggregates by pane. See [`crate::store`] for what a run is.
pub struct PaneRuns {
    table: TableId,
    store: SharedStore,
}

impl PaneRuns {
    /// The handle of `table` in `store`.
    pub fn new(store: SharedStore, table: TableId) -> Self {
        PaneRuns { table, store }
    }

    /// Adds a run to a pane.
    pub fn append(&mut self, pane: EventTime, run: RecordBatch) -> Result<()> {
        lock(&self.store)?.append_run(&self.table, pane, run)
    }

    /// The runs of a pane, oldest first.
    pub fn runs(&self, pane: EventTime) -> Result<Vec<RecordBatch>> {
        lock(&self.store)?.runs(&self.table, pane)
    }

    /// The panes that have runs, ascending.
    pub fn panes(&self) -> Result<Vec<EventTime>> {
        lock(&self.store)?.panes(&self.table)
    }

    /// Forgets a pane.
    pub fn drop_pane(&mut self, pane: EventTime) -> Result<()> {
        lock(&self.store)?.drop_pane(&self.table, pane)
    }

    /// Bytes that the store holds for these panes.
    pub fn bytes(&self) -> Result<u64> {
        Ok(lock(&self.store)?.bytes(&self.table))
    }
}

/// A single moment in event time that must come back after a restart, such as the watermark up to
/// which windows were fired.
///
/// Stored bytes: the milliseconds as a big-endian `i64`, 8 bytes.
pub struct Value {
    table: TableId,
    store: SharedStore,
}

impl Value {
    /// The handle of `table` in `store`.
    pub fn new(store: SharedStore, table: TableId) -> Self {
        Value { table, store }
    }

    /// The stored moment, if one was ever set.
    pub fn get(&self) -> Result<Option<EventTime>> {
        let Some(bytes) = lock(&self.store)?.get(&self.table, b"")? else { return Ok(None) };
        let bytes: [u8; 8] = bytes.try_into().map_err(|bytes: Vec<u8>| StateError::Corrupt {
            table: self.table.as_str().to_owned(),
            reason: format!("a moment has 8 bytes, found {}", bytes.len()),
        })?;
        Ok(Some(EventTime::from_ms(i64::from_be_bytes(bytes))))
    }

    /// Replaces the stored moment.
    pub fn set(&mut self, moment: EventTime) -> Result<()> {
        lock(&self.store)?.put(&self.table, b"", &moment.as_ms().to_be_bytes())
    }
}
