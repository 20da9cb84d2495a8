//! State handles: all that an operator sees of its state.
//!
//! A handle is bound to one table at `open` and hides locking and encoding. Operators keep
//! working copies of hot panes themselves; what they hand to a handle is what survives.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use arrow::array::RecordBatch;

use crate::error::{Result, StateError};
use crate::key::GroupRange;
use crate::store::{PaneKey, Run, RunId, RunInfo};
use crate::task::{SharedState, TaskState};
use crate::{EventTime, KeyGroup, RowKey, TableId};

/// A panic elsewhere ends the job; its state is dropped with it, so poison says nothing new.
pub(crate) fn lock(state: &SharedState) -> MutexGuard<'_, TaskState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Partial aggregates by pane. See [`crate::store`] for what a run is.
pub struct PaneRuns {
    table: TableId,
    state: SharedState,
}

impl PaneRuns {
    /// The handle of `table`.
    pub fn new(state: SharedState, table: TableId) -> Self {
        PaneRuns { table, state }
    }

    /// Adds a run to a pane: rows sorted by key group, all of them in `groups`.
    pub fn append(&mut self, pane: PaneKey, groups: GroupRange, rows: RecordBatch) -> RunInfo {
        lock(&self.state).append_run(&self.table, pane, groups, rows)
    }

    /// Forgets single runs, which another run holds now.
    pub fn remove(&mut self, pane: PaneKey, runs: &[RunId]) {
        lock(&self.state).remove_runs(&self.table, pane, runs);
    }

    /// These runs of a pane, oldest first. They may have rows of groups that the task does not
    /// own: after a rescale a run belongs to several tasks.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn runs(&self, pane: PaneKey, wanted: &[RunId]) -> Result<Vec<Run>> {
        lock(&self.state).runs(&self.table, pane, wanted)
    }

    /// The panes that have runs with rows in `groups`, ascending.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn panes(&self, groups: GroupRange) -> Result<BTreeMap<PaneKey, Vec<RunInfo>>> {
        lock(&self.state).panes(&self.table, groups)
    }

    /// Forgets a pane and all its runs.
    pub fn drop_pane(&mut self, pane: PaneKey) {
        lock(&self.state).drop_pane(&self.table, pane);
    }
}

/// A single moment in event time that must come back after a restart, such as the watermark up to
/// which windows were fired. All subtasks of an operator hold the same one at a barrier, so it
/// needs no key group of its own.
///
/// Stored bytes: the milliseconds as a big-endian `i64`, 8 bytes.
pub struct Value {
    table: TableId,
    state: SharedState,
}

impl Value {
    /// The handle of `table`.
    pub fn new(state: SharedState, table: TableId) -> Self {
        Value { table, state }
    }

    /// The stored moment, if one was ever set.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn get(&self) -> Result<Option<EventTime>> {
        let mut values = lock(&self.state).get_many(&self.table, &[Self::key()])?;
        let Some(bytes) = values.pop().flatten() else { return Ok(None) };
        let bytes: [u8; 8] = bytes.try_into().map_err(|bytes: Vec<u8>| StateError::Corrupt {
            table: self.table.as_str().to_owned(),
            reason: format!("a moment has 8 bytes, found {}", bytes.len()),
        })?;
        Ok(Some(EventTime::from_ms(i64::from_be_bytes(bytes))))
    }

    /// Replaces the stored moment.
    pub fn set(&mut self, moment: EventTime) {
        let bytes = moment.as_ms().to_be_bytes().to_vec();
        lock(&self.state).put(&self.table, Self::key(), Some(bytes));
    }

    fn key() -> RowKey {
        RowKey { group: KeyGroup::FIRST, key: Vec::new() }
    }
}
