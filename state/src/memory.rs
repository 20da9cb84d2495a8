//! The in-memory store: ordered maps, nothing else. The model that other stores are held to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::error::Result;
use crate::key::GroupRange;
use crate::store::{PaneKey, RowKey, Run, RunId, RunInfo, StateDelta, StateStore, TableSize};
use crate::{Epoch, TableId};

/// State in this process's memory; gone when the process is.
#[derive(Debug, Default)]
pub struct MemoryStore {
    maps: RwLock<Maps>,
}

#[derive(Clone, Debug, Default)]
struct Maps {
    applied: Epoch,
    panes: BTreeMap<TableId, BTreeMap<PaneKey, BTreeMap<RunId, Run>>>,
    rows: BTreeMap<TableId, BTreeMap<RowKey, Vec<u8>>>,
}

impl Clone for MemoryStore {
    fn clone(&self) -> Self {
        MemoryStore { maps: RwLock::new(self.maps().clone()) }
    }
}

impl MemoryStore {
    /// Appliers leave the maps whole or panic the job, so a poisoned lock is as good as any.
    fn maps(&self) -> RwLockReadGuard<'_, Maps> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Maps {
    fn forget(&mut self, delta: &StateDelta) {
        for table in &delta.dropped_tables {
            self.panes.remove(table);
            self.rows.remove(table);
        }
        for (table, changes) in &delta.panes {
            let Some(panes) = self.panes.get_mut(table) else { continue };
            for (pane, change) in changes {
                if change.dropped {
                    panes.remove(pane);
                }
                if let Some(runs) = panes.get_mut(pane) {
                    runs.retain(|id, _| !change.removed.contains(id));
                }
            }
        }
    }

    fn add(&mut self, delta: &StateDelta) {
        for (table, changes) in &delta.panes {
            let panes = self.panes.entry(table.clone()).or_default();
            for (pane, change) in changes {
                let runs = change.appended.iter().map(|run| (run.info.id, run.clone()));
                panes.entry(*pane).or_default().extend(runs);
            }
        }
        for (table, changes) in &delta.rows {
            let rows = self.rows.entry(table.clone()).or_default();
            for (key, value) in changes {
                match value {
                    Some(value) => rows.insert(key.clone(), value.clone()),
                    None => rows.remove(key),
                };
            }
        }
        for panes in self.panes.values_mut() {
            panes.retain(|_, runs| !runs.is_empty());
        }
        self.panes.retain(|_, panes| !panes.is_empty());
        self.rows.retain(|_, rows| !rows.is_empty());
    }
}

impl StateStore for MemoryStore {
    fn apply(&self, epoch: Epoch, deltas: &[Arc<StateDelta>]) -> Result<()> {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        // Two tasks may share a pane's runs after a rescale: what either drops is from before.
        deltas.iter().for_each(|delta| maps.forget(delta));
        deltas.iter().for_each(|delta| maps.add(delta));
        maps.applied = epoch;
        Ok(())
    }

    fn applied(&self) -> Epoch {
        self.maps().applied
    }

    fn panes(&self, table: &TableId, groups: GroupRange) -> Result<Vec<(PaneKey, Vec<RunInfo>)>> {
        let maps = self.maps();
        let panes = maps.panes.get(table).into_iter().flatten();
        let infos = panes.map(|(pane, runs)| {
            let infos = runs.values().map(|run| run.info);
            (*pane, infos.filter(|info| info.groups.overlaps(groups)).collect::<Vec<_>>())
        });
        Ok(infos.filter(|(_, infos)| !infos.is_empty()).collect())
    }

    fn runs(&self, table: &TableId, pane: PaneKey, wanted: &[RunId]) -> Result<Vec<Run>> {
        let maps = self.maps();
        let Some(runs) = maps.panes.get(table).and_then(|panes| panes.get(&pane)) else {
            return Ok(Vec::new());
        };
        let wanted: BTreeSet<&RunId> = wanted.iter().collect();
        Ok(wanted.into_iter().filter_map(|id| runs.get(id)).cloned().collect())
    }

    fn get_many(&self, table: &TableId, keys: &[RowKey]) -> Result<Vec<Option<Vec<u8>>>> {
        let maps = self.maps();
        let rows = maps.rows.get(table);
        Ok(keys.iter().map(|key| rows.and_then(|rows| rows.get(key)).cloned()).collect())
    }

    fn scan(
        &self,
        table: &TableId,
        groups: GroupRange,
        after: Option<&RowKey>,
        limit: usize,
    ) -> Result<Vec<(RowKey, Vec<u8>)>> {
        let maps = self.maps();
        let Some(rows) = maps.rows.get(table) else { return Ok(Vec::new()) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = rows.range((from, Bound::Unbounded));
        let rows = rows.filter(|(key, _)| groups.contains(key.group)).take(limit);
        Ok(rows.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn tables(&self) -> Result<Vec<TableSize>> {
        let maps = self.maps();
        let mut sizes: BTreeMap<&TableId, TableSize> = BTreeMap::new();
        let empty =
            |table: &TableId| TableSize { table: table.clone(), panes: 0, rows: 0, bytes: 0 };
        for (table, panes) in &maps.panes {
            let size = sizes.entry(table).or_insert_with(|| empty(table));
            size.panes += panes.len() as u64;
            for run in panes.values().flat_map(BTreeMap::values) {
                size.rows += run.info.rows;
                size.bytes += run.info.bytes;
            }
        }
        for (table, rows) in &maps.rows {
            let size = sizes.entry(table).or_insert_with(|| empty(table));
            size.rows += rows.len() as u64;
            size.bytes += rows.iter().map(|(k, v)| (k.key.len() + v.len()) as u64).sum::<u64>();
        }
        Ok(sizes.into_values().collect())
    }
}
