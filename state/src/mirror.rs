//! Two stores as one: everything is written to both, and every read is compared. How the store on
//! disk is held to the model by whatever runs on it.

use std::fmt::Debug;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use arrow::array::RecordBatch;

use crate::error::Result;
use crate::key::GroupRange;
use crate::store::{PaneKey, RowKey, Run, RunId, RunInfo, StateDelta, StateStore, TableSize};
use crate::{Epoch, TableId};

/// A store and its model.
///
/// # Panics
/// Every read panics if the two differ.
pub struct MirrorStore {
    store: Arc<dyn StateStore>,
    model: Arc<dyn StateStore>,
    /// Readers see both at the same epoch.
    applying: RwLock<()>,
}

impl MirrorStore {
    /// Of two stores that hold the same.
    pub fn new(store: Arc<dyn StateStore>, model: Arc<dyn StateStore>) -> Self {
        assert_eq!(store.applied(), model.applied(), "the stores are at the same epoch");
        MirrorStore { store, model, applying: RwLock::default() }
    }

    fn reading(&self) -> RwLockReadGuard<'_, ()> {
        self.applying.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn compare<T: PartialEq + Debug>(
        &self,
        what: &str,
        read: impl Fn(&dyn StateStore) -> Result<T>,
    ) -> Result<T> {
        let _reading = self.reading();
        let (found, expected) = (read(&*self.store)?, read(&*self.model)?);
        assert_eq!(found, expected, "{what}: the store differs from its model");
        Ok(found)
    }
}

impl StateStore for MirrorStore {
    fn apply(&self, epoch: Epoch, deltas: &[Arc<StateDelta>]) -> Result<()> {
        let _applying = self.applying.write().unwrap_or_else(PoisonError::into_inner);
        self.store.apply(epoch, deltas)?;
        self.model.apply(epoch, deltas)
    }

    fn applied(&self) -> Epoch {
        let _reading = self.reading();
        self.store.applied()
    }

    fn panes(&self, table: &TableId, groups: GroupRange) -> Result<Vec<(PaneKey, Vec<RunInfo>)>> {
        self.compare("panes", |store| store.panes(table, groups))
    }

    fn runs(&self, table: &TableId, pane: PaneKey, wanted: &[RunId]) -> Result<Vec<Run>> {
        let read = |store: &dyn StateStore| {
            let runs = store.runs(table, pane, wanted)?;
            let runs = runs.into_iter().map(|run| (run.info, run.rows));
            Ok(runs.collect::<Vec<(RunInfo, RecordBatch)>>())
        };
        let runs = self.compare("runs", read)?;
        Ok(runs.into_iter().map(|(info, rows)| Run { info, rows }).collect())
    }

    fn get_many(&self, table: &TableId, keys: &[RowKey]) -> Result<Vec<Option<Vec<u8>>>> {
        self.compare("rows", |store| store.get_many(table, keys))
    }

    fn scan(
        &self,
        table: &TableId,
        groups: GroupRange,
        after: Option<&RowKey>,
        limit: usize,
    ) -> Result<Vec<(RowKey, Vec<u8>)>> {
        self.compare("scan", |store| store.scan(table, groups, after, limit))
    }

    fn tables(&self) -> Result<Vec<TableSize>> {
        self.compare("tables", |store| store.tables())
    }
}
