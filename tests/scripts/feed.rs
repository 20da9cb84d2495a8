//! Tables that a script feeds: sources whose records come from `$ feed`, everything else as usual.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millstream::connectors::error::{ConnectorError, Result};
use millstream::connectors::format::Decoder;
use millstream::connectors::format::json;
use millstream::connectors::registry::Environment;
use millstream::connectors::{Polled, Reader, Sink, Source, Split, SplitBatch, TableSpec};
use millstream::engine::components::{Components, Registry};

use super::script::{Script, Step};

/// The tables of a running script.
pub struct Fed {
    registry: Registry,
    tables: BTreeMap<String, Arc<Table>>,
}

#[derive(Default)]
struct Table {
    splits: Vec<Mutex<Queue>>,
}

/// Records of a split that were fed and not read yet: a step's records are one batch.
#[derive(Default)]
struct Queue {
    batches: VecDeque<Vec<String>>,
    ended: bool,
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
        let queues = |size| (0..size).map(|_| Mutex::default()).collect();
        let tables =
            sizes.into_iter().map(|(name, size)| (name, Arc::new(Table { splits: queues(size) })));
        Fed { registry: Registry::new(environment), tables: tables.collect() }
    }

    /// Makes records readable.
    pub fn feed(&self, table: &str, split: usize, records: &[String]) {
        let mut queue = self.tables[table].splits[split].lock().expect("not poisoned");
        queue.batches.push_back(records.to_vec());
    }

    /// Ends every split.
    pub fn end(&self) {
        for table in self.tables.values() {
            for split in &table.splits {
                split.lock().expect("not poisoned").ended = true;
            }
        }
    }
}

impl Components for Fed {
    fn source(&self, table: &TableSpec) -> Result<Box<dyn Source>> {
        if table.connector() != "memory" {
            return self.registry.source(table);
        }
        let fed =
            self.tables.get(&table.name).cloned().ok_or_else(|| ConnectorError::Unavailable {
                message: format!("the script feeds no table `{}`", table.name),
                hint: None,
            })?;
        Ok(Box::new(FedSource { table: fed, spec: table.clone() }))
    }

    fn sink(&self, table: &TableSpec) -> Result<Box<dyn Sink>> {
        self.registry.sink(table)
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
    /// Number of each split given, and whether its end was reported.
    splits: Vec<(usize, bool)>,
}

impl Reader for FedReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.splits.extend(splits.iter().map(|split| (split.id.parse().expect("a number"), false)));
        Ok(())
    }

    fn poll(&mut self, _timeout: Duration) -> Result<Polled> {
        for (position, (number, finished)) in self.splits.iter_mut().enumerate() {
            let mut queue = self.table.splits[*number].lock().expect("not poisoned");
            if let Some(records) = queue.batches.pop_front() {
                for record in &records {
                    self.decoder.decode(record.as_bytes()).expect("scripts feed good records");
                }
                let batch = self.decoder.finish().expect("a batch");
                return Ok(Polled::Rows(SplitBatch {
                    split: position,
                    batch,
                    next_offset: 0,
                    bytes: records.iter().map(|record| record.len() as u64).sum(),
                    skipped: 0,
                    lag: None,
                    overdue_ns: 0,
                }));
            }
            if queue.ended && !*finished {
                *finished = true;
                return Ok(Polled::Finished { split: position });
            }
        }
        Ok(Polled::Nothing)
    }
}
