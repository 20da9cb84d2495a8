//! `memory`: rows handed in and collected by Rust code, for tests and for the library.
//!
//! A table is put into [`MemoryTables`] under a name, before the job starts; SQL finds it by the
//! option `name`, or by the table's own name. The connector is not in the list that users see,
//! because SQL alone cannot fill such a table.
//!
//! In a job with epochs a sink follows the decider: rows become visible with the commit of their
//! epoch. The tables outlive the job, as a disk does, so that tests can crash and restart it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use millstream_operators::Batch;
use millstream_state::Epoch;

use crate::commit::{Committed, Follower, Participation};
use crate::error::{ConnectorError, Result};
use crate::options::{OptionInfo, OptionKind, Options, did_you_mean};
use crate::registry::{ConnectorInfo, Direction, Environment, no_metadata};
use crate::{Polled, Reader, Sink, Source, Split, SplitBatch, TableSpec, Writer};

/// The connector as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "memory",
    summary: "Reads and collects rows of the same process.",
    options: &[OptionInfo {
        name: "name",
        kind: OptionKind::Text,
        default: None,
        required: false,
        description: "Name of the table in the environment; the table's own name if left out.",
    }],
    formatted: false,
    metadata: no_metadata,
    check: |_: &TableSpec, _: Direction| Ok(()),
    source: Some(open_source),
    sink: Some(open_sink),
};

/// Tables in memory by name; clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryTables {
    tables: Arc<Mutex<BTreeMap<String, Arc<Table>>>>,
}

#[derive(Debug)]
struct Table {
    /// Batches of each split; all have the columns that a reader may ask for.
    splits: Vec<Vec<Batch>>,
    written: Mutex<Written>,
}

/// What sinks have written.
#[derive(Debug, Default)]
struct Written {
    visible: Vec<Batch>,
    /// Rows of epochs that are not committed yet.
    staged: BTreeMap<Epoch, Vec<Batch>>,
    /// The last epoch that was published or recovered.
    published: Epoch,
}

impl Written {
    fn publish(&mut self, epoch: Epoch) {
        let later = self.staged.split_off(&epoch.next());
        let batches = std::mem::replace(&mut self.staged, later);
        self.visible.extend(batches.into_values().flatten());
        self.published = self.published.max(epoch);
    }
}

impl MemoryTables {
    /// Puts a table to read from: for each split its batches, in order. Writing to it collects
    /// rows apart from these.
    pub fn insert(&self, name: impl Into<String>, splits: Vec<Vec<Batch>>) {
        let table = Table { splits, written: Mutex::default() };
        lock(&self.tables).insert(name.into(), Arc::new(table));
    }

    /// The rows that sinks have made visible under this name, in the order in which they became so.
    pub fn written(&self, name: &str) -> Vec<Batch> {
        let table = lock(&self.tables).get(name).cloned();
        table.map(|table| lock(&table.written).visible.clone()).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Result<Arc<Table>> {
        let tables = lock(&self.tables);
        tables.get(name).cloned().ok_or_else(|| ConnectorError::Unavailable {
            message: format!("there is no table `{name}` in memory"),
            hint: did_you_mean(name, tables.keys().map(String::as_str))
                .or_else(|| Some("put it into `Environment::memory` before the job starts".into())),
        })
    }

    fn find_or_create(&self, name: &str) -> Arc<Table> {
        let mut tables = lock(&self.tables);
        let empty = || Arc::new(Table { splits: Vec::new(), written: Mutex::default() });
        tables.entry(name.to_owned()).or_insert_with(empty).clone()
    }
}

/// A panic elsewhere leaves these values whole, so that a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name_of(table: &TableSpec) -> &str {
    Options::new(table, &INFO).text("name").unwrap_or(&table.name)
}

fn open_source(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Source>> {
    let stored = environment.memory.find(name_of(table))?;
    Ok(Box::new(MemorySource { table: stored, schema: table.schema.clone() }))
}

fn open_sink(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Sink>> {
    let stored = environment.memory.find_or_create(name_of(table));
    Ok(Box::new(MemorySink { table: stored, has_epochs: environment.job.is_some() }))
}

struct MemorySource {
    table: Arc<Table>,
    schema: SchemaRef,
}

impl Source for MemorySource {
    fn splits(&self) -> Result<Vec<Split>> {
        let numbers = 0..self.table.splits.len();
        Ok(numbers.map(|number| Split { id: number.to_string(), offset: None }).collect())
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn Reader>> {
        let table = self.table.clone();
        let (schema, positions) = (self.schema.clone(), Vec::new());
        let mut reader = MemoryReader { table, schema, positions, held: BTreeSet::new(), turn: 0 };
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

struct MemoryReader {
    table: Arc<Table>,
    schema: SchemaRef,
    /// For each split given: its number and its next batch; `None` once its end was reported.
    positions: Vec<(usize, Option<usize>)>,
    /// Splits that are left alone.
    held: BTreeSet<usize>,
    /// Split to look at next: they take turns.
    turn: usize,
}

impl Reader for MemoryReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in splits {
            let number = split.id.parse().ok().filter(|number| *number < self.table.splits.len());
            let number = number.ok_or_else(|| ConnectorError::Unavailable {
                message: format!("the table in memory has no split `{}`", split.id),
                hint: None,
            })?;
            let next = split.offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0);
            self.positions.push((number, Some(next)));
        }
        Ok(())
    }

    fn hold(&mut self, split: usize, held: bool) -> Result<()> {
        if held {
            self.held.insert(split)
        } else {
            self.held.remove(&split)
        };
        Ok(())
    }

    fn poll(&mut self, _timeout: Duration) -> Result<Polled> {
        for step in 0..self.positions.len() {
            let split = (self.turn + step) % self.positions.len();
            if self.held.contains(&split) {
                continue;
            }
            let (number, Some(next)) = self.positions[split] else { continue };
            self.turn = split + 1;
            let batches = &self.table.splits[number];
            let Some(batch) = batches.get(next) else {
                self.positions[split].1 = None;
                return Ok(Polled::Finished { split });
            };
            self.positions[split].1 = Some(next + 1);
            let left = batches[next + 1..].iter().map(|batch| batch.num_rows() as u64).sum();
            return Ok(Polled::Rows(SplitBatch {
                split,
                batch: self.project(batch)?,
                next_offset: next as u64 + 1,
                bytes: batch.rows.get_array_memory_size() as u64,
                skipped: 0,
                lag: Some(left),
                overdue_ns: 0,
            }));
        }
        Ok(Polled::Nothing)
    }
}

impl MemoryReader {
    fn project(&self, batch: &Batch) -> Result<Batch> {
        let columns = self.schema.fields().iter().map(|field| {
            let column = batch.rows.column_by_name(field.name());
            let column = column.filter(|column| column.data_type() == field.data_type());
            column.cloned().ok_or_else(|| ConnectorError::Data {
                place: "table in memory".into(),
                reason: format!("no column `{}` of type {}", field.name(), field.data_type()),
                hint: Some("batches must have the columns of the table".into()),
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options =
            arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let rows = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| ConnectorError::Data {
                place: "table in memory".into(),
                reason: error.to_string(),
                hint: None,
            })?;
        Ok(batch.with_rows(rows))
    }
}

struct MemorySink {
    table: Arc<Table>,
    has_epochs: bool,
}

impl Sink for MemorySink {
    fn writer(&self, _subtask: usize) -> Result<Box<dyn Writer>> {
        let (table, has_epochs) = (self.table.clone(), self.has_epochs);
        Ok(Box::new(MemoryWriter { table, has_epochs, ended: None, pending: Vec::new() }))
    }

    fn participation(&self) -> Result<Participation> {
        if !self.has_epochs {
            return Ok(Participation::None);
        }
        Ok(Participation::Follower(Box::new(MemoryFollower { table: self.table.clone() })))
    }
}

struct MemoryWriter {
    // PROPERTIES (constant)
    table: Arc<Table>,
    has_epochs: bool,
    // STATE (changes)
    /// The last epoch that was ended.
    ended: Option<Epoch>,
    pending: Vec<Batch>,
}

impl MemoryWriter {
    fn stage(&mut self, epoch: Epoch) {
        let mut written = lock(&self.table.written);
        written.staged.entry(epoch).or_default().append(&mut self.pending);
    }
}

impl Writer for MemoryWriter {
    fn write(&mut self, batch: &Batch) -> Result<u64> {
        self.pending.push(batch.clone());
        Ok(batch.rows.get_array_memory_size() as u64)
    }

    fn flush(&mut self) -> Result<()> {
        if !self.has_epochs {
            lock(&self.table.written).visible.append(&mut self.pending);
        }
        Ok(())
    }

    fn end_epoch(&mut self, epoch: Epoch) -> Result<()> {
        self.flush()?;
        self.stage(epoch);
        self.ended = Some(epoch);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.flush()?;
        if !self.pending.is_empty() {
            let ended = self.ended.unwrap_or_else(|| lock(&self.table.written).published);
            self.stage(ended.next());
        }
        Ok(())
    }
}

struct MemoryFollower {
    table: Arc<Table>,
}

impl Follower for MemoryFollower {
    fn recover(&mut self, committed: Option<&Committed>) -> Result<()> {
        let mut written = lock(&self.table.written);
        let epoch = committed.map_or(Epoch::GENESIS, |committed| committed.epoch);
        // A job that begins anew adds to its tables, as to any.
        if committed.is_some() && written.published > epoch {
            return Err(ConnectorError::Refused {
                message: format!(
                    "the table in memory shows rows of epoch {}, but the last committed one is \
                     {epoch}",
                    written.published
                ),
                hint: None,
            });
        }
        drop(written.staged.split_off(&epoch.next()));
        written.publish(epoch);
        written.published = epoch;
        Ok(())
    }

    fn publish(&mut self, epoch: Epoch, _finished: bool) -> Result<()> {
        lock(&self.table.written).publish(epoch);
        Ok(())
    }
}
