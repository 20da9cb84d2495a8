//! The store on disk: RocksDB below, the bytes of [`keys`] and [`values`] in it.
//!
//! ```text
//!  apply(n) ─▶ write buffers ─▶ directory ─▶ applied = n
//!                    │ flush, at the latest when n is sealed
//!                    ▼
//!                SST files ◀── runs(): looked up by the directory, rows(): by key
//! ```
//!
//! Why it is so:
//!
//! - What is on disk between two checkpoints is worth nothing: no write-ahead log, no sync. A crash
//!   goes back to a checkpoint, always.
//! - The [`Directory`] of panes and runs is in memory, so that listing panes reads no rows and a run
//!   is looked up by its full key.
//! - An epoch is written in chunks of 16 MiB, not in one batch of any size: the thread that applies
//!   also makes checkpoints, so none can see half an epoch, and a task that reads meanwhile has what
//!   it wrote in its own layers, over whatever the store holds.
//! - What is deleted leaves the disk by compaction, and what compaction does not get to see by
//!   itself (an old pane below a quiet job) by a [`Sweeper`].

mod apply;
mod directory;
pub(crate) mod keys;
mod options;
mod sweep;
mod values;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use arrow::buffer::Buffer;
use rocksdb::{ColumnFamily, DB, FlushOptions, IteratorMode, ReadOptions};

use crate::error::{Result, StateError};
use crate::key::GroupRange;
use crate::store::{PaneKey, RowKey, Run, RunId, RunInfo, StateDelta, StateStore, TableSize};
use crate::{Epoch, TableId};

use directory::{Directory, Entry};
use keys::{META, MetaKey, PANES, ROWS, RUNS};
pub use options::Memory;
use sweep::Sweeper;
use values::Schemas;

/// State in a RocksDB database.
pub struct RocksStore {
    // PROPERTIES
    path: PathBuf,
    memory: Memory,
    db: Arc<DB>,
    // STATE
    applied: AtomicU64,
    directory: RwLock<Directory>,
    schemas: RwLock<Schemas>,
    /// Held while an epoch is applied.
    writer: Mutex<()>,
    sweeper: Sweeper,
}

impl RocksStore {
    /// Opens the database in `path`; a new one if there is none.
    ///
    /// # Errors
    /// If it cannot be read or is of another layout.
    pub fn open(path: &Path, cache_bytes: u64) -> Result<Self> {
        let memory = Memory::new(cache_bytes);
        let (options, families) = (options::database(&memory), options::families(&memory));
        let db = DB::open_cf_descriptors(&options, path, families);
        RocksStore::load(path, db, memory)
    }

    /// Opens a database that nothing writes to, such as a checkpoint, and leaves it as it is.
    ///
    /// # Errors
    /// If it cannot be read or is of another layout.
    pub fn open_read_only(path: &Path, cache_bytes: u64) -> Result<Self> {
        let memory = Memory::new(cache_bytes);
        let (options, families) = (options::database(&memory), options::families(&memory));
        let db = DB::open_cf_descriptors_read_only(&options, path, families, false);
        RocksStore::load(path, db, memory)
    }

    fn load(
        path: &Path,
        db: std::result::Result<DB, rocksdb::Error>,
        memory: Memory,
    ) -> Result<Self> {
        let place = path.display().to_string();
        let db = db.map_err(|error| StateError::Database {
            place: place.clone(),
            reason: error.into_string(),
        })?;
        let mut store = RocksStore {
            path: path.to_owned(),
            memory,
            db: Arc::new(db),
            applied: AtomicU64::new(0),
            directory: RwLock::default(),
            schemas: RwLock::default(),
            writer: Mutex::default(),
            sweeper: Sweeper::default(),
        };
        let (mut directory, mut schemas) = (Directory::default(), Schemas::default());
        store.load_meta(&mut directory, &mut schemas)?;
        store.load_panes(&mut directory)?;
        store.sweeper.open(&store.db, directory.stored_bytes());
        store.directory = RwLock::new(directory);
        store.schemas = RwLock::new(schemas);
        Ok(store)
    }

    fn load_meta(&mut self, directory: &mut Directory, schemas: &mut Schemas) -> Result<()> {
        for row in self.db.iterator_cf(self.family(META), IteratorMode::Start) {
            let (key, value) = row.map_err(|error| self.failed(error))?;
            let number = keys::read_u32(&value);
            match (keys::read_meta(&key), number) {
                (Some(MetaKey::Applied), _) if value.len() == 8 => {
                    self.applied = AtomicU64::new(keys::read_u64(&value).unwrap_or_default());
                }
                (Some(MetaKey::Layout), Some(keys::LAYOUT)) => {}
                (Some(MetaKey::Layout), Some(other)) => {
                    let known = keys::LAYOUT;
                    let reason = format!("it has layout {other}; this version reads {known}");
                    return Err(self.corrupt(META, reason));
                }
                (Some(MetaKey::Table(name)), Some(number)) => {
                    directory.add_table(TableId::from_full_name(name), number);
                }
                (Some(MetaKey::Schema(number)), _) => {
                    let read = schemas.read(number, &value);
                    read.map_err(|error| self.corrupt(META, error.to_string()))?;
                }
                _ => return Err(self.corrupt(META, format!("a row under {key:02x?}"))),
            }
        }
        Ok(())
    }

    fn load_panes(&self, directory: &mut Directory) -> Result<()> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        options.set_readahead_size(2 << 20);
        let rows = self.db.iterator_cf_opt(self.family(PANES), options, IteratorMode::Start);
        for row in rows {
            let (key, value) = row.map_err(|error| self.failed(error))?;
            let (Some((table, pane, groups, id)), Some((rows, bytes, stored_bytes))) =
                (keys::read_run_key(&key), keys::read_info_value(&value))
            else {
                return Err(self.corrupt(PANES, format!("a run under {key:02x?}")));
            };
            let info = RunInfo { id, groups, rows, bytes };
            directory.add(table, pane, Entry { info, stored_bytes });
        }
        Ok(())
    }

    /// Directory of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the database's cache and write buffers in memory.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.used_bytes()
    }

    /// Bytes of the database's files on disk that are in use, without those of older checkpoints.
    pub fn disk_bytes(&self) -> u64 {
        let bytes = |name: &&str| self.property(name, "rocksdb.total-sst-files-size");
        [META, PANES, RUNS, ROWS].iter().map(bytes).sum()
    }

    /// Writes all that is applied to files: nothing of it is in memory only.
    ///
    /// # Errors
    /// If it cannot be written; nothing more can be then.
    pub fn flush(&self) -> Result<()> {
        let families = ["default", META, PANES, RUNS, ROWS].map(|name| self.family(name));
        let families: Vec<&_> = families.iter().collect();
        let mut options = FlushOptions::default();
        options.set_wait(true);
        self.db.flush_cfs_opt(&families, &options).map_err(|error| self.failed(error))
    }

    /// Makes a directory with hard links to all files, which is the database as it is now.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn link_to(&self, path: &Path) -> Result<()> {
        let checkpoint = rocksdb::checkpoint::Checkpoint::new(&*self.db);
        let made = checkpoint.and_then(|checkpoint| checkpoint.create_checkpoint(path));
        made.map_err(|error| self.failed(error))
    }

    /// Frees the disk of all that is deleted, now. A store does so by itself, in the background,
    /// once more is deleted than is held.
    pub fn sweep(&self) {
        self.sweeper.wait();
        sweep::compact_all(&self.db);
    }

    /// Waits for what the store frees by itself at the moment.
    pub fn wait_for_sweep(&self) {
        self.sweeper.wait();
    }

    fn family(&self, name: &str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("all families are made at open")
    }

    fn property(&self, family: &str, name: &str) -> u64 {
        let value = self.db.property_int_value_cf(self.family(family), name);
        value.ok().flatten().unwrap_or_default()
    }

    fn failed(&self, error: rocksdb::Error) -> StateError {
        StateError::Database { place: self.path.display().to_string(), reason: error.into_string() }
    }

    fn corrupt(&self, family: &str, reason: String) -> StateError {
        let place = format!("{}, {family}", self.path.display());
        StateError::Damaged { place, reason }
    }

    /// A panic while these are held ends the job, so poison says nothing new.
    fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The values of these runs; `None` if one is gone.
    fn values(&self, pane: PaneKey, runs: &[(u32, RunInfo)]) -> Result<Option<Vec<Buffer>>> {
        let keys: Vec<_> =
            runs.iter().map(|(table, info)| keys::run_key(*table, pane, info)).collect();
        // A run is read once, when its pane fires or is merged; the cache is for rows.
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        let family = self.family(RUNS);
        let values = self.db.batched_multi_get_cf_opt(family, &keys, false, &options);
        let values = values.into_iter().map(|value| match value {
            Ok(value) => Ok(value.map(|value| Buffer::from(&*value))),
            Err(error) => Err(self.failed(error)),
        });
        values.collect()
    }

    fn decode(&self, table: &TableId, info: RunInfo, value: &Buffer) -> Result<Run> {
        let corrupt = |reason: String| StateError::Corrupt {
            table: table.as_str().to_owned(),
            reason: format!("run {:?}: {reason}", info.id),
        };
        let number = values::schema_number(value)
            .ok_or_else(|| corrupt("its head is not known".to_owned()))?;
        let schema = self.schemas.read().unwrap_or_else(PoisonError::into_inner).get(number);
        let schema = schema.ok_or_else(|| corrupt(format!("there is no schema {number}")))?;
        let rows = values::read(value, schema).map_err(|error| corrupt(error.to_string()))?;
        Ok(Run { info, rows })
    }

    /// Calls `visit` for the rows of these groups behind `after`, in order, until it says `false`.
    fn visit_rows(
        &self,
        table: u32,
        groups: GroupRange,
        after: Option<&RowKey>,
        mut visit: impl FnMut(RowKey, &[u8]) -> bool,
    ) -> Result<()> {
        let (mut from, to) = keys::rows_range(table, groups);
        let after = after.map(|after| keys::row_key(table, after)).filter(|after| *after >= from);
        if let Some(after) = &after {
            from.clone_from(after);
        }
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(from);
        options.set_iterate_upper_bound(to);
        let mut rows = self.db.raw_iterator_cf_opt(self.family(ROWS), options);
        rows.seek_to_first();
        while let Some((key, value)) = rows.item() {
            if after.as_deref() != Some(key) {
                let Some((_, row)) = keys::read_row_key(key) else {
                    return Err(self.corrupt(ROWS, format!("a row under {key:02x?}")));
                };
                if !visit(row, value) {
                    return Ok(());
                }
            }
            rows.next();
        }
        rows.status().map_err(|error| self.failed(error))
    }
}

impl StateStore for RocksStore {
    fn apply(&self, epoch: Epoch, deltas: &[Arc<StateDelta>]) -> Result<()> {
        let writer = self.writer();
        self.apply_all(epoch, deltas)?;
        drop(writer);
        self.sweeper.look(&self.db, self.directory().stored_bytes());
        Ok(())
    }

    fn applied(&self) -> Epoch {
        Epoch(self.applied.load(Ordering::Acquire))
    }

    fn panes(&self, table: &TableId, groups: GroupRange) -> Result<Vec<(PaneKey, Vec<RunInfo>)>> {
        let directory = self.directory();
        let panes = directory.number(table).and_then(|number| directory.panes(number));
        let panes = panes.into_iter().flatten().map(|(pane, runs)| {
            let infos = runs.iter().map(|entry| entry.info);
            (*pane, infos.filter(|info| info.groups.overlaps(groups)).collect::<Vec<_>>())
        });
        Ok(panes.filter(|(_, infos)| !infos.is_empty()).collect())
    }

    fn runs(&self, table: &TableId, pane: PaneKey, wanted: &[RunId]) -> Result<Vec<Run>> {
        let mut runs = self.directory().find(table, pane, wanted);
        let mut values = self.values(pane, &runs)?;
        if values.is_none() {
            // An epoch is being applied and has removed one; after it the directory says so, too.
            let _writer = self.writer();
            runs = self.directory().find(table, pane, wanted);
            values = self.values(pane, &runs)?;
        }
        let values = values.ok_or_else(|| StateError::Corrupt {
            table: table.as_str().to_owned(),
            reason: format!("a run of pane {pane:?} has no rows"),
        })?;
        let runs = runs.into_iter().zip(&values);
        runs.map(|((_, info), value)| self.decode(table, info, value)).collect()
    }

    fn get_many(&self, table: &TableId, keys: &[RowKey]) -> Result<Vec<Option<Vec<u8>>>> {
        let Some(number) = self.directory().number(table) else {
            return Ok(vec![None; keys.len()]);
        };
        let keys: Vec<_> = keys.iter().map(|key| keys::row_key(number, key)).collect();
        let values = self.db.batched_multi_get_cf(self.family(ROWS), &keys, false);
        let values = values.into_iter().map(|value| match value {
            Ok(value) => Ok(value.map(|value| value.to_vec())),
            Err(error) => Err(self.failed(error)),
        });
        values.collect()
    }

    fn scan(
        &self,
        table: &TableId,
        groups: GroupRange,
        after: Option<&RowKey>,
        limit: usize,
    ) -> Result<Vec<(RowKey, Vec<u8>)>> {
        let mut found = Vec::new();
        let Some(number) = self.directory().number(table).filter(|_| limit > 0) else {
            return Ok(found);
        };
        self.visit_rows(number, groups, after, |key, value| {
            found.push((key, value.to_vec()));
            found.len() < limit
        })?;
        Ok(found)
    }

    fn tables(&self) -> Result<Vec<TableSize>> {
        let directory = self.directory();
        let mut sizes = Vec::new();
        for (table, number) in directory.tables() {
            let mut size = TableSize { table, panes: 0, rows: 0, bytes: 0 };
            for runs in directory.panes(number).into_iter().flat_map(|panes| panes.values()) {
                size.panes += 1;
                size.rows += runs.iter().map(|entry| entry.info.rows).sum::<u64>();
                size.bytes += runs.iter().map(|entry| entry.info.bytes).sum::<u64>();
            }
            self.visit_rows(number, GroupRange::ALL, None, |key, value| {
                size.rows += 1;
                size.bytes += (key.key.len() + value.len()) as u64;
                true
            })?;
            if size.rows > 0 || size.panes > 0 {
                sizes.push(size);
            }
        }
        Ok(sizes)
    }
}

impl Drop for RocksStore {
    fn drop(&mut self) {
        // A sweep would go on for minutes over a database that nobody wants any more.
        self.db.cancel_all_background_work(true);
        self.sweeper.wait();
    }
}
