//! The directory of a store: its tables, panes and runs, in memory and without rows.
//!
//! About 60 bytes a run, of which a pane has few, for operators merge small ones. Rebuilt from
//! the column family `panes` when a store is opened.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::TableId;
use crate::store::{PaneKey, RunId, RunInfo};

/// What is known of a run.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What readers are told.
    pub info: RunInfo,
    /// Bytes of its value.
    pub stored_bytes: u64,
}

/// Panes of one table.
pub type Panes = BTreeMap<PaneKey, Vec<Entry>>;

/// Tables, panes and runs.
#[derive(Debug, Default)]
pub struct Directory {
    numbers: HashMap<TableId, u32>,
    panes: BTreeMap<u32, Panes>,
    last_number: u32,
    stored_bytes: u64,
}

impl Directory {
    /// Number of a table that was ever written.
    pub fn number(&self, table: &TableId) -> Option<u32> {
        self.numbers.get(table).copied()
    }

    /// A number that no table has.
    pub fn free_number(&self) -> u32 {
        self.last_number + 1
    }

    /// All tables, by name.
    pub fn tables(&self) -> BTreeMap<TableId, u32> {
        self.numbers.iter().map(|(table, number)| (table.clone(), *number)).collect()
    }

    /// Bytes of all values.
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    /// Takes up a table.
    pub fn add_table(&mut self, table: TableId, number: u32) {
        self.last_number = self.last_number.max(number);
        self.numbers.insert(table, number);
    }

    /// Forgets a table and all of its panes.
    pub fn drop_table(&mut self, table: &TableId) {
        let Some(number) = self.numbers.remove(table) else { return };
        let runs = self.panes.remove(&number).into_iter().flat_map(BTreeMap::into_values).flatten();
        self.stored_bytes -= runs.map(|entry| entry.stored_bytes).sum::<u64>();
    }

    /// The panes of a table.
    pub fn panes(&self, table: u32) -> Option<&Panes> {
        self.panes.get(&table)
    }

    /// The runs of a pane, by name.
    pub fn runs(&self, table: u32, pane: PaneKey) -> &[Entry] {
        self.panes(table).and_then(|panes| panes.get(&pane)).map_or(&[], Vec::as_slice)
    }

    /// Those of the runs `wanted` of a pane that there are, by name.
    pub fn find(&self, table: &TableId, pane: PaneKey, wanted: &[RunId]) -> Vec<(u32, RunInfo)> {
        let Some(number) = self.number(table) else { return Vec::new() };
        let runs = self.runs(number, pane);
        let wanted: BTreeSet<&RunId> = wanted.iter().collect();
        let found = wanted.into_iter().filter_map(|id| {
            let at = runs.binary_search_by_key(id, |entry| entry.info.id).ok()?;
            Some((number, runs[at].info))
        });
        found.collect()
    }

    /// Takes up a run.
    pub fn add(&mut self, table: u32, pane: PaneKey, entry: Entry) {
        let runs = self.panes.entry(table).or_default().entry(pane).or_default();
        match runs.binary_search_by_key(&entry.info.id, |other| other.info.id) {
            Ok(_) => debug_assert!(false, "run {:?} is there already", entry.info.id),
            Err(at) => {
                runs.insert(at, entry);
                self.stored_bytes += entry.stored_bytes;
            }
        }
    }

    /// Forgets a run.
    pub fn remove(&mut self, table: u32, pane: PaneKey, id: RunId) {
        let Some(panes) = self.panes.get_mut(&table) else { return };
        let Some(runs) = panes.get_mut(&pane) else { return };
        if let Ok(at) = runs.binary_search_by_key(&id, |entry| entry.info.id) {
            self.stored_bytes -= runs.remove(at).stored_bytes;
        }
        if runs.is_empty() {
            panes.remove(&pane);
        }
        if panes.is_empty() {
            self.panes.remove(&table);
        }
    }
}
