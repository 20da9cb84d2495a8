//! The state store of a job: two shapes of state behind one trait.
//!
//! - **pane runs**: columnar partial aggregates, `[table][pane][run] → Arrow batch`. Runs of a pane
//!   are mergeable in any order. Dropping a pane drops its runs at once, never key by key.
//! - **rows**: `[table][key group][key] → bytes`, for keyed tables and single values.
//!
//! ```text
//!  task 0   TaskState ── delta of epoch n ──┐
//!  task 1   TaskState ── delta of epoch n ──┴─▶ StateStore::apply ─▶ checkpoint n
//!               │ reads: own layers over the store
//! ```
//!
//! Tasks never write here. What a task changes in an epoch is its [`StateDelta`]; the deltas of all
//! tasks are applied together, in the order of epochs, by the one thread that makes checkpoints.
//! So the store holds a whole epoch at any time, and tasks work on in the next one meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::error::Result;
use crate::key::GroupRange;
use crate::{Epoch, EventTime, KeyGroup};

/// Names one state table of one operator, such as `revenue/panes`. Names are stable over
/// restarts: they are what a checkpoint is matched by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(Arc<str>);

impl TableId {
    /// The table `name` of operator `operator`.
    pub fn new(operator: &str, name: &str) -> Self {
        TableId(format!("{operator}/{name}").into())
    }

    /// The table with this full name.
    pub fn from_full_name(name: impl Into<String>) -> Self {
        TableId(name.into().into())
    }

    /// The full name, `operator/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Name of the operator: all before the last slash.
    pub fn operator(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(operator, _)| operator)
    }
}

/// Which pane: two moments of window time, ordered by the first. What they mean is the operator's
/// business; for cut panes both are the start of the pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaneKey {
    /// Start of the pane, or end of an attached window.
    pub at: EventTime,
    /// Start of an attached window.
    pub start: EventTime,
}

/// Name of a run: unique for good within its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    /// The epoch that wrote it.
    pub epoch: Epoch,
    /// The task that wrote it.
    pub task: u32,
    /// Count within epoch and task.
    pub number: u32,
}

/// What is known of a run without reading its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// Its name.
    pub id: RunId,
    /// Key groups of its rows.
    pub groups: GroupRange,
    /// Number of its rows.
    pub rows: u64,
    /// Bytes of its rows in memory.
    pub bytes: u64,
}

/// A run with its rows, which are sorted by key group.
#[derive(Clone, Debug)]
pub struct Run {
    /// What is known of it.
    pub info: RunInfo,
    /// The partial aggregates.
    pub rows: RecordBatch,
}

/// Key of a row of a keyed table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// Group of the key: rows are laid out by it, so that a rescale reads its part.
    pub group: KeyGroup,
    /// The key, and the sub key behind it if there is one; ordered as bytes.
    pub key: Vec<u8>,
}

/// What changed in one pane during one epoch.
#[derive(Clone, Debug, Default)]
pub struct PaneDelta {
    /// All runs from before the epoch are gone.
    pub dropped: bool,
    /// Single runs from before that are gone: compaction replaced them.
    pub removed: BTreeSet<RunId>,
    /// New runs.
    pub appended: Vec<Run>,
}

/// All that one task changed in one epoch.
#[derive(Clone, Debug, Default)]
pub struct StateDelta {
    /// By table and pane.
    pub panes: BTreeMap<TableId, BTreeMap<PaneKey, PaneDelta>>,
    /// By table and key; `None` deletes the row.
    pub rows: BTreeMap<TableId, BTreeMap<RowKey, Option<Vec<u8>>>>,
    /// Tables that are gone with all they held: no operator uses them any more.
    pub dropped_tables: BTreeSet<TableId>,
}

impl StateDelta {
    /// True if nothing changed.
    pub fn is_empty(&self) -> bool {
        self.panes.is_empty() && self.rows.is_empty() && self.dropped_tables.is_empty()
    }

    /// Bytes of its runs and rows in memory.
    pub fn bytes(&self) -> u64 {
        let panes = self.panes.values().flat_map(BTreeMap::values);
        let runs = panes.flat_map(|pane| &pane.appended).map(|run| run.info.bytes);
        let rows = self
            .rows
            .values()
            .flatten()
            .map(|(key, value)| (key.key.len() + value.as_ref().map_or(0, Vec::len)) as u64);
        runs.sum::<u64>() + rows.sum::<u64>()
    }
}

/// Size of one table, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// The table.
    pub table: TableId,
    /// Panes with runs.
    pub panes: u64,
    /// Rows: of runs (a key counts once a run), or of a keyed table.
    pub rows: u64,
    /// Bytes, as far as the store can tell without reading all.
    pub bytes: u64,
}

/// Where the state of a job lives. One thread applies, many read. Laws, checked by the model
/// tests:
///
/// 1. `apply` is atomic: a checkpoint holds all of an epoch's deltas or none;
/// 2. a pane has the runs that were appended to it since it was last dropped and were not removed;
///    `runs` returns those that are asked for by name and are there, ordered by [`RunId`], so that
///    a compaction reads what it replaces and nothing else;
/// 3. `panes` lists the panes that have runs, ascending;
/// 4. tables do not see each other;
/// 5. every call sees an epoch that was applied before the call began, and may see a later one.
pub trait StateStore: Send + Sync {
    /// Applies what all tasks changed in `epoch`: first all that is dropped or removed, then all
    /// that is new, for after a rescale a run may belong to several tasks.
    fn apply(&self, epoch: Epoch, deltas: &[Arc<StateDelta>]) -> Result<()>;

    /// The last epoch that was applied.
    fn applied(&self) -> Epoch;

    /// The panes of a table, each with what is known of those runs that have rows in `groups`.
    fn panes(&self, table: &TableId, groups: GroupRange) -> Result<Vec<(PaneKey, Vec<RunInfo>)>>;

    /// Those of the runs `wanted` of a pane that there are.
    fn runs(&self, table: &TableId, pane: PaneKey, wanted: &[RunId]) -> Result<Vec<Run>>;

    /// The values of these rows, in the order of `keys`.
    fn get_many(&self, table: &TableId, keys: &[RowKey]) -> Result<Vec<Option<Vec<u8>>>>;

    /// Up to `limit` rows of `groups` behind `after` (from the first if `None`), in key order.
    fn scan(
        &self,
        table: &TableId,
        groups: GroupRange,
        after: Option<&RowKey>,
        limit: usize,
    ) -> Result<Vec<(RowKey, Vec<u8>)>>;

    /// The tables that there are, with their sizes.
    fn tables(&self) -> Result<Vec<TableSize>>;
}
