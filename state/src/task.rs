//! The state of one task: what it changed and the store does not have yet, over the store.
//!
//! ```text
//!  reads ──▶ current    epoch n+1, being written      ┐ layers: deltas of this task
//!            sealed     epoch n, on its way            ┘
//!            StateStore epochs up to the last applied
//! ```
//!
//! Laws:
//!
//! 1. a read sees this task's writes at once, whether or not they were applied meanwhile: a layer
//!    is left out only once the store has it, and a run in both is taken once, by its [`RunId`];
//! 2. what was written before [`TaskState::end_epoch`] is in that epoch's delta, all else is not;
//! 3. a task sees and keeps the rows of its own key groups only.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;

use crate::error::Result;
use crate::key::GroupRange;
use crate::store::{PaneDelta, PaneKey, Run, RunId, RunInfo, StateDelta, StateStore};
use crate::{Epoch, MemoryStore, RowKey, TableId};

/// A task's view of its job's state.
pub struct TaskState {
    // PROPERTIES
    store: Arc<dyn StateStore>,
    task: u32,
    // STATE
    /// The epoch that is being written.
    epoch: Epoch,
    current: StateDelta,
    sealed: VecDeque<(Epoch, Arc<StateDelta>)>,
    next_run: u32,
}

/// A task's state, shared by its operators' handles. Used from one thread at a time, so the lock
/// is never contended.
pub type SharedState = Arc<Mutex<TaskState>>;

impl TaskState {
    /// The view of task number `task`, which goes on after what `store` has applied.
    pub fn new(store: Arc<dyn StateStore>, task: u32) -> Self {
        let epoch = store.applied().next();
        TaskState {
            store,
            task,
            epoch,
            current: StateDelta::default(),
            sealed: VecDeque::new(),
            next_run: 0,
        }
    }

    /// An empty state in memory, for tests and for operators without state.
    pub fn in_memory() -> SharedState {
        Arc::new(Mutex::new(TaskState::new(Arc::new(MemoryStore::default()), 0)))
    }

    /// Ends the epoch that is being written and begins the next; returns what changed in it.
    ///
    /// # Panics
    /// If `epoch` is not later than the last one that was ended.
    pub fn end_epoch(&mut self, epoch: Epoch) -> Arc<StateDelta> {
        assert!(epoch >= self.epoch, "epoch {epoch} ended before {}", self.epoch);
        self.forget_applied();
        let delta = Arc::new(std::mem::take(&mut self.current));
        if !delta.is_empty() {
            self.sealed.push_back((epoch, delta.clone()));
        }
        self.epoch = epoch.next();
        self.next_run = 0;
        delta
    }

    pub(crate) fn append_run(
        &mut self,
        table: &TableId,
        pane: PaneKey,
        groups: GroupRange,
        rows: RecordBatch,
    ) -> RunInfo {
        let id = RunId { epoch: self.epoch, task: self.task, number: self.next_run };
        self.next_run += 1;
        let (count, bytes) = (rows.num_rows() as u64, rows.get_array_memory_size() as u64);
        let info = RunInfo { id, groups, rows: count, bytes };
        let delta = self.change(table, pane);
        delta.appended.push(Run { info, rows });
        info
    }

    pub(crate) fn remove_runs(&mut self, table: &TableId, pane: PaneKey, runs: &[RunId]) {
        let epoch = self.epoch;
        let delta = self.change(table, pane);
        delta.appended.retain(|run| !runs.contains(&run.info.id));
        delta.removed.extend(runs.iter().filter(|run| run.epoch < epoch));
    }

    pub(crate) fn drop_pane(&mut self, table: &TableId, pane: PaneKey) {
        let delta = self.change(table, pane);
        delta.dropped = true;
        delta.appended.clear();
        delta.removed.clear();
    }

    pub(crate) fn runs(
        &mut self,
        table: &TableId,
        pane: PaneKey,
        wanted: &[RunId],
    ) -> Result<Vec<Run>> {
        // Layers first: one that is applied between the two reads is seen twice, never missed.
        self.forget_applied();
        let stored = self.store.runs(table, pane, wanted)?;
        let mut runs: BTreeMap<RunId, Run> =
            stored.into_iter().map(|run| (run.info.id, run)).collect();
        for delta in self.layers().filter_map(|layer| layer.panes.get(table)?.get(&pane)) {
            if delta.dropped {
                runs.clear();
            }
            runs.retain(|id, _| !delta.removed.contains(id));
            let new = delta.appended.iter().filter(|run| wanted.contains(&run.info.id));
            runs.extend(new.map(|run| (run.info.id, run.clone())));
        }
        Ok(runs.into_values().collect())
    }

    pub(crate) fn panes(
        &mut self,
        table: &TableId,
        groups: GroupRange,
    ) -> Result<BTreeMap<PaneKey, Vec<RunInfo>>> {
        self.forget_applied();
        let stored = self.store.panes(table, groups)?;
        let mut panes: BTreeMap<PaneKey, BTreeMap<RunId, RunInfo>> = stored
            .into_iter()
            .map(|(pane, runs)| (pane, runs.into_iter().map(|run| (run.id, run)).collect()))
            .collect();
        for layer in self.layers() {
            for (pane, delta) in layer.panes.get(table).into_iter().flatten() {
                let runs = panes.entry(*pane).or_default();
                if delta.dropped {
                    runs.clear();
                }
                runs.retain(|id, _| !delta.removed.contains(id));
                let new = delta.appended.iter().filter(|run| run.info.groups.overlaps(groups));
                runs.extend(new.map(|run| (run.info.id, run.info)));
            }
        }
        panes.retain(|_, runs| !runs.is_empty());
        Ok(panes.into_iter().map(|(pane, runs)| (pane, runs.into_values().collect())).collect())
    }

    pub(crate) fn get_many(
        &mut self,
        table: &TableId,
        keys: &[RowKey],
    ) -> Result<Vec<Option<Vec<u8>>>> {
        self.forget_applied();
        let written =
            |key| self.layers().filter_map(|layer| layer.rows.get(table)?.get(key)).last();
        let written: Vec<Option<&Option<Vec<u8>>>> = keys.iter().map(written).collect();
        let is_stored =
            |(key, written): (&RowKey, &Option<_>)| written.is_none().then(|| key.clone());
        let stored: Vec<RowKey> = keys.iter().zip(&written).filter_map(is_stored).collect();
        let mut stored = if stored.is_empty() {
            Vec::new().into_iter()
        } else {
            self.store.get_many(table, &stored)?.into_iter()
        };
        let value = |written: Option<&Option<Vec<u8>>>| match written {
            Some(value) => value.clone(),
            None => stored.next().expect("one value a key"),
        };
        Ok(written.into_iter().map(value).collect())
    }

    /// Up to `limit` rows of `groups` behind `after`, in key order.
    pub(crate) fn scan(
        &mut self,
        table: &TableId,
        groups: GroupRange,
        after: Option<&RowKey>,
        limit: usize,
    ) -> Result<Vec<(RowKey, Vec<u8>)>> {
        self.forget_applied();
        let first = RowKey { group: groups.first, key: Vec::new() };
        let mut from = after.map_or(Bound::Included(first), |after| Bound::Excluded(after.clone()));
        let mut found = Vec::new();
        loop {
            let after = match &from {
                Bound::Excluded(after) => Some(after),
                _ => None,
            };
            let page = self.store.scan(table, groups, after, limit)?;
            // What is written is looked at as far as the page reaches, and all of it at the end.
            let horizon = page.last().filter(|_| page.len() == limit).map(|(key, _)| key.clone());
            let mut rows: BTreeMap<RowKey, Option<Vec<u8>>> =
                page.into_iter().map(|(key, value)| (key, Some(value))).collect();
            let to = horizon.clone().map_or(Bound::Unbounded, Bound::Included);
            for written in self.layers().filter_map(|layer| layer.rows.get(table)) {
                let written = written.range((from.clone(), to.clone()));
                let written = written.take_while(|(key, _)| key.group <= groups.last);
                rows.extend(written.map(|(key, value)| (key.clone(), value.clone())));
            }
            let rows = rows.into_iter().filter_map(|(key, value)| Some((key, value?)));
            found.extend(rows.take(limit - found.len()));
            let Some(horizon) = horizon.filter(|_| found.len() < limit) else { return Ok(found) };
            from = Bound::Excluded(horizon);
        }
    }

    pub(crate) fn put(&mut self, table: &TableId, key: RowKey, value: Option<Vec<u8>>) {
        // Looked up first: a clone of the name for every row would cost more than the row.
        match self.current.rows.get_mut(table) {
            Some(rows) => drop(rows.insert(key, value)),
            None => drop(self.current.rows.insert(table.clone(), [(key, value)].into())),
        }
    }

    fn change(&mut self, table: &TableId, pane: PaneKey) -> &mut PaneDelta {
        self.current.panes.entry(table.clone()).or_default().entry(pane).or_default()
    }

    /// Oldest first, the one that is being written last.
    fn layers(&self) -> impl Iterator<Item = &StateDelta> {
        self.sealed.iter().map(|(_, delta)| &**delta).chain([&self.current])
    }

    /// Lets go of what the store has by now; reads do so by themselves.
    pub fn forget_applied(&mut self) {
        let applied = self.store.applied();
        while self.sealed.front().is_some_and(|(epoch, _)| *epoch <= applied) {
            self.sealed.pop_front();
        }
    }
}
