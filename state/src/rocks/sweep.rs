//! Nothing stays behind: what is deleted leaves the disk.
//!
//! In an LSM tree a deletion is a mark, and the bytes go when compaction happens to bring both
//! together. For a job that falls quiet, or whose panes are large and whose marks are small, that
//! may be never. So deletions are counted, and once more is deleted than is held, everything is
//! compacted in the background. That rewrites at most as much as was deleted: each byte is paid for
//! once. A store that is opened counts what it finds, for the one before may have been closed just
//! before its turn.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rocksdb::{BottommostLevelCompaction, CompactOptions, DB};

use super::keys::{META, PANES, ROWS, RUNS};

/// Below this much garbage a sweep is not worth its start.
const FLOOR_BYTES: u64 = 1 << 20;
/// The same, in rows of keyed tables.
const FLOOR_ROWS: u64 = 5_000;

/// Counts what is deleted, and compacts.
#[derive(Debug, Default)]
pub struct Sweeper {
    deleted_bytes: AtomicU64,
    deleted_rows: AtomicU64,
    running: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Sweeper {
    /// Counts what is deleted in the files of a store that is opened; `held_bytes` of its runs are
    /// not.
    pub fn open(&self, db: &DB, held_bytes: u64) {
        let values = table_property(db, RUNS, "raw value size");
        self.deleted(values.saturating_sub(held_bytes), table_property(db, ROWS, "# deletions"));
    }

    /// Counts bytes of runs and numbers of rows.
    pub fn deleted(&self, bytes: u64, rows: u64) {
        let sum = self.deleted_bytes.load(Relaxed).saturating_add(bytes);
        self.deleted_bytes.store(sum, Relaxed);
        self.deleted_rows.fetch_add(rows, Relaxed);
    }

    /// Starts a sweep if one is due.
    pub fn look(&self, db: &Arc<DB>, held_bytes: u64) {
        let bytes = self.deleted_bytes.load(Relaxed);
        let rows = self.deleted_rows.load(Relaxed);
        // With nothing held a sweep reads garbage only.
        let floor_bytes = if held_bytes == 0 { FLOOR_BYTES / 16 } else { FLOOR_BYTES };
        let runs_due = bytes >= floor_bytes && bytes > held_bytes;
        let rows_due = rows >= FLOOR_ROWS && rows > held_rows(db);
        if !(runs_due || rows_due) || self.running.swap(true, Relaxed) {
            return;
        }
        self.deleted_bytes.store(0, Relaxed);
        self.deleted_rows.store(0, Relaxed);
        self.wait();
        let (db, running) = (db.clone(), self.running.clone());
        let sweep = move || {
            compact_all(&db);
            running.store(false, Relaxed);
        };
        let thread = std::thread::Builder::new().name("state-sweep".to_owned()).spawn(sweep);
        // Without a thread there is no sweep, and the next deletions ask for one again.
        if thread.is_err() {
            self.running.store(false, Relaxed);
        }
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = thread.ok();
    }

    /// Waits for a running sweep.
    pub fn wait(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has nothing to say: a failed compaction shows at the next write.
            drop(thread.join());
        }
    }
}

/// Entries of rows that are not known to be deleted, as far as the files tell.
fn held_rows(db: &DB) -> u64 {
    let family = db.cf_handle(ROWS).expect("all families are made at open");
    let count = db.property_int_value_cf(family, "rocksdb.estimate-num-keys");
    count.ok().flatten().unwrap_or_default()
}

/// A sum over all files of a column family, by the name that RocksDB prints it with.
fn table_property(db: &DB, family: &str, name: &str) -> u64 {
    let family = db.cf_handle(family).expect("all families are made at open");
    let all = db.property_value_cf(family, "rocksdb.aggregated-table-properties");
    let all = all.ok().flatten().unwrap_or_default();
    let mut values = all.split(';').filter_map(|property| property.trim().split_once('='));
    values.find(|(key, _)| *key == name).and_then(|(_, sum)| sum.parse().ok()).unwrap_or_default()
}

/// Brings every deletion and what it deletes together.
pub fn compact_all(db: &DB) {
    let mut options = CompactOptions::default();
    options.set_exclusive_manual_compaction(false);
    options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
    for family in [META, PANES, RUNS, ROWS] {
        let family = db.cf_handle(family).expect("all families are made at open");
        db.compact_range_cf_opt(family, None::<&[u8]>, None::<&[u8]>, &options);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rocks::RocksStore;
    use crate::store::{RowKey, StateDelta, StateStore};
    use crate::{Epoch, KeyGroup, TableId};

    #[test]
    fn what_is_deleted_in_files_is_found() {
        let folder = tempfile::tempdir().expect("folder");
        let store = RocksStore::open(folder.path(), 0).expect("opens");
        for (epoch, value) in [(1, Some(vec![7; 10])), (2, None)] {
            let keys = (0..100u8).map(|n| RowKey { group: KeyGroup::FIRST, key: vec![n] });
            let rows = keys.map(|key| (key, value.clone())).collect();
            let rows = [(TableId::new("o", "t"), rows)].into();
            let delta = StateDelta { rows, ..StateDelta::default() };
            store.apply(Epoch(epoch), &[Arc::new(delta)]).expect("applies");
            store.flush().expect("flushes");
        }
        assert_eq!(table_property(&store.db, ROWS, "# deletions"), 100);
        assert_eq!(table_property(&store.db, ROWS, "raw value size"), 1000);
        store.sweep();
        assert_eq!(table_property(&store.db, ROWS, "# deletions"), 0);
        assert_eq!(table_property(&store.db, ROWS, "# entries"), 0);
    }
}
