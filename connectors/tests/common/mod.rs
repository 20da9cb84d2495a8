//! What the suites of connectors share: tables from a few words, and rows as text.

#![allow(dead_code)] // each suite uses a part

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use millstream_connectors::clock::Clock;
use millstream_connectors::console::{Console, ConsoleFormat};
use millstream_connectors::registry::Environment;
use millstream_connectors::{Polled, Reader, Source, Split, TableSpec};
use millstream_operators::Batch;

/// TIMESTAMP(3).
pub const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// A table with these WITH options and columns.
pub fn table(options: &[(&str, &str)], columns: &[(&str, DataType)]) -> TableSpec {
    let fields = columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    TableSpec {
        name: "t".into(),
        options: options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        schema: schema.clone(),
        metadata: BTreeMap::new(),
        primary_key: Vec::new(),
        partition_keys: Vec::new(),
        declared: schema,
    }
}

/// The table partitioned by these of its columns.
pub fn partitioned(mut table: TableSpec, keys: &[&str]) -> TableSpec {
    let payload =
        table.schema.fields().iter().filter(|field| !keys.contains(&field.name().as_str()));
    table.declared = Arc::new(Schema::new(payload.cloned().collect::<Vec<_>>()));
    table.partition_keys = keys.iter().map(|key| (*key).to_owned()).collect();
    table
}

/// The table with only these columns read, in this order.
pub fn project(table: &TableSpec, columns: &[usize]) -> TableSpec {
    let schema = Arc::new(table.schema.project(columns).unwrap());
    let metadata = columns
        .iter()
        .enumerate()
        .filter_map(|(new, old)| table.metadata.get(old).map(|key| (new, key.clone())));
    TableSpec { schema, metadata: metadata.collect(), ..table.clone() }
}

/// A directory to write to, in memory where that can be had: nothing here cuts the power, and
/// thousands of fsyncs take their time on a disk.
pub fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::tempdir_in(place).unwrap()
}

/// An environment in this directory, with a clock that stands still.
pub fn environment(directory: &Path) -> Environment {
    let console = Console::new(Box::new(io::sink()), ConsoleFormat::None, None);
    let mut environment = Environment::new(directory, "Europe/Berlin", 2, Arc::new(console));
    environment.clock = Clock::manual();
    environment
}

/// The rows of a batch as text, with their kinds.
pub fn rows(batch: &Batch) -> Vec<String> {
    let options = FormatOptions::new().with_null("∅");
    let columns: Vec<_> = batch.rows.columns().iter().collect();
    let formatters: Vec<_> =
        columns.iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
    (0..batch.num_rows())
        .map(|row| {
            let cells = formatters.iter().map(|f| f.value(row).to_string());
            format!("{} {}", batch.kind(row).as_str(), cells.collect::<Vec<_>>().join("|"))
        })
        .collect()
}

/// One step of reading: which split, its rows, and where it goes on.
pub struct Step {
    pub split: usize,
    pub rows: Vec<String>,
    pub next_offset: u64,
    pub skipped: u64,
    pub batch: RecordBatch,
}

/// Polls until all splits have ended; panics if one ends twice or delivers after its end.
pub fn drain(reader: &mut dyn Reader, splits: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut finished = vec![false; splits];
    let mut silent = 0;
    while finished.contains(&false) {
        match reader.poll(Duration::from_millis(10)).unwrap() {
            Polled::Rows(found) => {
                assert!(!finished[found.split], "split {} delivers after its end", found.split);
                silent = 0;
                steps.push(Step {
                    split: found.split,
                    rows: rows(&found.batch),
                    next_offset: found.next_offset,
                    skipped: found.skipped,
                    batch: found.batch.rows,
                });
            }
            Polled::Finished { split } => {
                assert!(!finished[split], "split {split} ends twice");
                finished[split] = true;
            }
            Polled::Nothing => silent += 1,
        }
        assert!(silent < 1_000_000, "the reader neither delivers nor ends");
    }
    for _ in 0..3 {
        assert!(matches!(reader.poll(Duration::ZERO).unwrap(), Polled::Nothing));
    }
    steps
}

/// All rows of a source, sorted.
pub fn read_sorted(source: &dyn Source) -> Vec<String> {
    let splits = source.splits().unwrap();
    let mut all = read_splits(source, splits);
    all.sort();
    all
}

/// The rows of some splits by one reader, in the order of delivery.
pub fn read_splits(source: &dyn Source, splits: Vec<Split>) -> Vec<String> {
    let count = splits.len();
    let mut reader = source.reader(splits).unwrap();
    drain(&mut *reader, count).into_iter().flat_map(|step| step.rows).collect()
}

/// A place to write to that can be looked at.
#[derive(Clone, Default)]
pub struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
