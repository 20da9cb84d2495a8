//! Applying an epoch: what is dropped first, then what is new, then the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use rocksdb::{WriteBatch, WriteOptions};

use super::directory::Entry;
use super::keys::{self, META, PANES, ROWS, RUNS};
use super::{RocksStore, values};
use crate::error::{Result, StateError};
use crate::store::{PaneKey, Run, RunId, StateDelta, StateStore};
use crate::{Epoch, TableId};

/// An epoch is written in chunks of about this size, so that its bytes are not held three times.
const CHUNK_BYTES: usize = 16 << 20;

/// Writes to the database, chunk by chunk, and what they do to the directory.
struct Changes<'a> {
    store: &'a RocksStore,
    batch: WriteBatch,
    numbers: BTreeMap<TableId, u32>,
    new_tables: Vec<(TableId, u32)>,
    dropped_tables: BTreeSet<TableId>,
    added: Vec<(u32, PaneKey, Entry)>,
    removed: BTreeSet<(u32, PaneKey, RunId)>,
    deleted_bytes: u64,
    deleted_rows: u64,
}

impl RocksStore {
    /// Applies an epoch; the caller holds `writer`.
    pub(super) fn apply_all(&self, epoch: Epoch, deltas: &[Arc<StateDelta>]) -> Result<()> {
        assert!(epoch >= self.applied(), "epoch {epoch} is applied after {}", self.applied());
        let mut changes = Changes {
            store: self,
            batch: WriteBatch::default(),
            numbers: self.directory().tables(),
            new_tables: Vec::new(),
            dropped_tables: BTreeSet::new(),
            added: Vec::new(),
            removed: BTreeSet::new(),
            deleted_bytes: 0,
            deleted_rows: 0,
        };
        for delta in deltas {
            changes.forget(delta)?;
        }
        for delta in deltas {
            changes.add(delta)?;
        }
        let meta = self.family(META);
        changes.batch.put_cf(meta, keys::LAYOUT_KEY, keys::LAYOUT.to_be_bytes());
        changes.batch.put_cf(meta, keys::APPLIED, epoch.0.to_be_bytes());
        changes.write()?;
        changes.enter();
        self.applied.store(epoch.0, Ordering::Release);
        Ok(())
    }
}

impl Changes<'_> {
    fn forget(&mut self, delta: &StateDelta) -> Result<()> {
        for table in &delta.dropped_tables {
            self.drop_table(table);
        }
        let directory = self.store.directory();
        for (table, changes) in &delta.panes {
            let Some(number) = self.numbers.get(table).copied() else { continue };
            for (pane, change) in changes {
                for entry in directory.runs(number, *pane) {
                    if change.dropped || change.removed.contains(&entry.info.id) {
                        self.remove(number, *pane, entry);
                    }
                }
            }
        }
        drop(directory);
        self.write_if_large()
    }

    fn remove(&mut self, table: u32, pane: PaneKey, entry: &Entry) {
        // After a rescale two tasks may remove the same run.
        if self.removed.insert((table, pane, entry.info.id)) {
            let key = keys::run_key(table, pane, &entry.info);
            self.batch.delete_cf(self.store.family(PANES), key);
            self.batch.delete_cf(self.store.family(RUNS), key);
            self.deleted_bytes += entry.stored_bytes;
        }
    }

    fn drop_table(&mut self, table: &TableId) {
        let Some(number) = self.numbers.remove(table) else { return };
        let (from, to) = (keys::table_prefix(number), keys::table_prefix(number + 1));
        for family in [PANES, RUNS, ROWS] {
            self.batch.delete_range_cf(self.store.family(family), from, to);
        }
        self.batch.delete_cf(self.store.family(META), keys::table_key(table.as_str()));
        self.dropped_tables.insert(table.clone());
        // More than any threshold: the table may have been all there was.
        self.deleted_bytes = u64::MAX / 2;
    }

    fn add(&mut self, delta: &StateDelta) -> Result<()> {
        for (table, changes) in &delta.panes {
            for (pane, change) in changes {
                for run in &change.appended {
                    self.add_run(table, *pane, run)?;
                }
            }
        }
        for (table, rows) in &delta.rows {
            let number = self.number(table);
            for (key, value) in rows {
                let key = keys::row_key(number, key);
                let family = self.store.family(ROWS);
                match value {
                    Some(value) => self.batch.put_cf(family, key, value),
                    None => {
                        self.batch.delete_cf(family, key);
                        self.deleted_rows += 1;
                    }
                }
                self.write_if_large()?;
            }
        }
        Ok(())
    }

    fn add_run(&mut self, table: &TableId, pane: PaneKey, run: &Run) -> Result<()> {
        let number = self.number(table);
        let schema = self.schema(run);
        let value = values::write(&run.rows, schema).map_err(|error| StateError::Corrupt {
            table: table.as_str().to_owned(),
            reason: format!("run {:?} cannot be encoded: {error}", run.info.id),
        })?;
        let stored_bytes = value.len() as u64;
        let key = keys::run_key(number, pane, &run.info);
        let info = keys::info_value(&run.info, stored_bytes);
        self.batch.put_cf(self.store.family(PANES), key, info);
        self.batch.put_cf(self.store.family(RUNS), key, value);
        self.added.push((number, pane, Entry { info: run.info, stored_bytes }));
        self.write_if_large()
    }

    fn number(&mut self, table: &TableId) -> u32 {
        if let Some(number) = self.numbers.get(table) {
            return *number;
        }
        let number = self.store.directory().free_number() + self.new_tables.len() as u32;
        let key = keys::table_key(table.as_str());
        self.batch.put_cf(self.store.family(META), key, number.to_be_bytes());
        self.numbers.insert(table.clone(), number);
        self.new_tables.push((table.clone(), number));
        number
    }

    fn schema(&mut self, run: &Run) -> u32 {
        let mut schemas = self.store.schemas.write().unwrap_or_else(PoisonError::into_inner);
        let (number, new) = schemas.number(&run.rows.schema());
        if let Some(bytes) = new {
            self.batch.put_cf(self.store.family(META), keys::schema_key(number), bytes);
        }
        number
    }

    fn write_if_large(&mut self) -> Result<()> {
        if self.batch.size_in_bytes() >= CHUNK_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        let batch = std::mem::take(&mut self.batch);
        self.store.db.write_opt(batch, &options).map_err(|error| self.store.failed(error))
    }

    /// Makes the directory agree with what is written.
    fn enter(self) {
        let store = self.store;
        let mut directory = store.directory.write().unwrap_or_else(PoisonError::into_inner);
        for table in &self.dropped_tables {
            directory.drop_table(table);
        }
        for (table, pane, id) in self.removed {
            directory.remove(table, pane, id);
        }
        for (table, number) in self.new_tables {
            directory.add_table(table, number);
        }
        for (table, pane, entry) in self.added {
            directory.add(table, pane, entry);
        }
        store.sweeper.deleted(self.deleted_bytes, self.deleted_rows);
    }
}
