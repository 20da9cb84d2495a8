//! Tables of a script: sources whose records come from `$ feed`, sinks that show what is committed,
//! everything else as usual.
//!
//! What is fed is a log: it outlives a crash, and a reader goes on at any offset. What sinks have
//! written outlives a crash, too, as far as its epoch was committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use millstream::connectors::error::{ConnectorError, Result};
use millstream::connectors::format::Decoder;
use millstream::connectors::format::json;
use millstream::connectors::memory::MemoryTables;
use millstream::connectors::registry::Environment;
use millstream::connectors::{Job, Polled, Reader, Sink, Source, Split, SplitBatch, TableSpec};
use millstream::engine::components::{Components, Registry};

use super::script::{Script, Step};

/// The tables of a running script.
pub struct Fed {
    registry: Registry,
    fed: BTreeMap<String, Arc<Table>>,
    /// Where sinks write to in a job with epochs.
    memory: MemoryTables,
    opened: Mutex<Opened>,
    shown: Mutex<BTreeMap<String, Shown>>,
}

/// What an incarnation has opened.
#[derive(Default)]
struct Opened {
    has_epochs: bool,
    /// Sinks: two queries may go by one name.
    sinks: usize,
}

/// A table that is written, and how many of its batches were shown.
struct Shown {
    spec: TableSpec,
    batches: usize,
}

#[derive(Default)]
struct Table {
    splits: Vec<Mutex<Log>>,
}

/// All records of a split: a step's records are one batch.
#[derive(Default)]
struct Log {
    batches: Vec<Vec<String>>,
    ended: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("not poisoned")
}

impl Fed {
    /// The tables that the script feeds, empty.
    pub fn new(script: &Script, environment: Environment) -> Self {
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        for step in &script.steps {
            if let Step::Feed { table, split, .. } = step {
                let size = sizes.entry(table.clone()).or_default();
                *size = (*size).max(split + 1);
            }
        }
        let logs = |size| (0..size).map(|_| Mutex::default()).collect();
        let fed =
            sizes.into_iter().map(|(name, size)| (name, Arc::new(Table { splits: logs(size) })));
        Fed {
            memory: environment.memory.clone(),
            registry: Registry::new(environment),
            fed: fed.collect(),
            opened: Mutex::default(),
            shown: Mutex::default(),
        }
    }

    /// Makes records readable.
    pub fn feed(&self, table: &str, split: usize, records: &[String]) {
        lock(&self.fed[table].splits[split]).batches.push(records.to_vec());
    }

    /// Ends every split.
    pub fn end(&self) {
        for table in self.fed.values() {
            for split in &table.splits {
                lock(split).ended = true;
            }
        }
    }

    /// Puts what was committed since the last call on the console.
    pub fn show_committed(&self) -> Result<()> {
        for (name, shown) in &mut *lock(&self.shown) {
            for batch in self.memory.written(name).iter().skip(shown.batches) {
                let mut writer = self.registry.sink(&shown.spec)?.writer(0)?;
                writer.write(batch)?;
                writer.finish()?;
                shown.batches += 1;
            }
        }
        Ok(())
    }
}

impl Components for Fed {
    fn begin(&self, job: Option<&Job>) {
        *lock(&self.opened) = Opened { has_epochs: job.is_some(), sinks: 0 };
        self.registry.begin(job);
    }

    fn source(&self, table: &TableSpec) -> Result<Box<dyn Source>> {
        if table.connector() != "memory" {
            return self.registry.source(table);
        }
        let fed =
            self.fed.get(&table.name).cloned().ok_or_else(|| ConnectorError::Unavailable {
                message: format!("the script feeds no table `{}`", table.name),
                hint: None,
            })?;
        Ok(Box::new(FedSource { table: fed, spec: table.clone() }))
    }

    /// In a job with epochs, what would be printed is kept until its epoch is committed.
    fn sink(&self, table: &TableSpec) -> Result<Box<dyn Sink>> {
        let mut opened = lock(&self.opened);
        if table.connector() != "print" || !opened.has_epochs {
            return self.registry.sink(table);
        }
        opened.sinks += 1;
        let name = format!("{}/{}", table.name, opened.sinks);
        let spec = table.clone();
        lock(&self.shown).entry(name.clone()).or_insert(Shown { spec, batches: 0 });
        let options = [("connector", "memory"), ("name", &name)];
        let options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        self.registry.sink(&TableSpec { options, ..table.clone() })
    }
}

struct FedSource {
    table: Arc<Table>,
    spec: TableSpec,
}

impl Source for FedSource {
    fn splits(&self) -> Result<Vec<Split>> {
        let numbers = 0..self.table.splits.len();
        Ok(numbers.map(|number| Split { id: number.to_string(), offset: None }).collect())
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn Reader>> {
        let decoder = json::JsonDecoder::new(self.spec.schema.clone(), json::Options::default())?;
        let mut reader = FedReader { table: self.table.clone(), decoder, splits: Vec::new() };
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

struct FedReader {
    table: Arc<Table>,
    decoder: json::JsonDecoder,
    splits: Vec<Position>,
}

struct Position {
    split: usize,
    /// The batch to read next.
    next: usize,
    /// Whether its end was reported.
    finished: bool,
    /// Whether it is left alone.
    held: bool,
}

impl Reader for FedReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.splits.extend(splits.iter().map(|split| Position {
            split: split.id.parse().expect("a number"),
            next: split.offset.unwrap_or(0) as usize,
            finished: false,
            held: false,
        }));
        Ok(())
    }

    fn hold(&mut self, split: usize, held: bool) -> Result<()> {
        self.splits[split].held = held;
        Ok(())
    }

    fn poll(&mut self, _timeout: Duration) -> Result<Polled> {
        let read = self.splits.iter_mut().enumerate().filter(|(_, position)| !position.held);
        for (number, position) in read {
            let log = lock(&self.table.splits[position.split]);
            if let Some(records) = log.batches.get(position.next) {
                position.next += 1;
                for record in records {
                    self.decoder.decode(record.as_bytes()).expect("scripts feed good records");
                }
                let batch = self.decoder.finish().expect("a batch");
                return Ok(Polled::Rows(SplitBatch {
                    split: number,
                    batch,
                    next_offset: position.next as u64,
                    bytes: records.iter().map(|record| record.len() as u64).sum(),
                    skipped: 0,
                    lag: None,
                    overdue_ns: 0,
                }));
            }
            if log.ended && !position.finished {
                position.finished = true;
                return Ok(Polled::Finished { split: number });
            }
        }
        Ok(Polled::Nothing)
    }
}
