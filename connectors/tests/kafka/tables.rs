//! Tables over the test broker, and their rows as text.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use millstream_connectors::console::{Console, ConsoleFormat};
use millstream_connectors::registry::{self, Environment};
use millstream_connectors::{ConnectorError, Polled, Reader, Sink, Source, Split, TableSpec};
use millstream_operators::Batch;

use crate::broker::Broker;

/// How long the broker may take to hand over what is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// A table of `columns` over `topic` in JSON; `options` are added or replace.
pub fn table(
    broker: &Broker,
    topic: &str,
    columns: &[(&str, DataType)],
    options: &[(&str, &str)],
) -> TableSpec {
    table_at(&broker.bootstrap, topic, columns, options)
}

/// The same at any brokers.
pub fn table_at(
    bootstrap: &str,
    topic: &str,
    columns: &[(&str, DataType)],
    options: &[(&str, &str)],
) -> TableSpec {
    let fields = columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
    let mut all: BTreeMap<String, String> = [
        ("connector", "kafka"),
        ("topic", topic),
        ("properties.bootstrap.servers", bootstrap),
        ("format", "json"),
    ]
    .into_iter()
    .chain(options.iter().copied())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    // An option of no value is left out, such as `topic` beside `topic-pattern`.
    all.retain(|_, value| !value.is_empty());
    TableSpec {
        name: "t".to_owned(),
        options: all,
        schema: schema.clone(),
        metadata: BTreeMap::new(),
        primary_key: Vec::new(),
        partition_keys: Vec::new(),
        declared: schema,
    }
}

/// The table with its last columns standing for metadata keys.
pub fn with_metadata(mut table: TableSpec, columns: &[(&str, DataType)]) -> TableSpec {
    let mut fields: Vec<_> = table.schema.fields().iter().cloned().collect();
    for (key, kind) in columns {
        table.metadata.insert(fields.len(), (*key).to_owned());
        fields.push(Arc::new(Field::new(*key, kind.clone(), true)));
    }
    table.schema = Arc::new(Schema::new(fields));
    table
}

pub fn timestamp_ltz() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("Europe/Berlin".into()))
}

pub fn headers() -> DataType {
    let entries = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Binary, true),
    ]);
    DataType::Map(Field::new("key_value", DataType::Struct(entries), false).into(), false)
}

pub fn environment() -> Environment {
    let console = Console::new(Box::new(io::sink()), ConsoleFormat::Csv, None);
    Environment::new(".", "Europe/Berlin", 2, Arc::new(console))
}

pub fn open(table: &TableSpec) -> Result<Box<dyn Source>, ConnectorError> {
    registry::open_source(table, &environment())
}

pub fn open_sink(table: &TableSpec) -> Result<Box<dyn Sink>, ConnectorError> {
    registry::open_sink(table, &environment())
}

/// Writes a batch to a table and finishes.
pub fn write(table: &TableSpec, batch: &Batch) -> Result<(), ConnectorError> {
    let mut writer = open_sink(table)?.writer(0)?;
    writer.write(batch)?;
    writer.finish()
}

/// What a reader delivered for one split.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub rows: Vec<String>,
    pub next_offset: u64,
    pub skipped: u64,
    pub finished: bool,
    pub lag: Option<u64>,
}

/// Polls until `enough`; the result has what came, by split.
pub fn poll_until(
    reader: &mut dyn Reader,
    splits: usize,
    enough: impl Fn(&[Read]) -> bool,
) -> Result<Vec<Read>, ConnectorError> {
    let mut read: Vec<Read> = (0..splits).map(|_| Read::default()).collect();
    let mut empty_polls = 0;
    while !enough(&read) {
        match reader.poll(Duration::from_millis(100))? {
            Polled::Rows(batch) => {
                let split = &mut read[batch.split];
                assert!(!split.finished, "nothing comes after the end");
                split.rows.extend(rows(&batch.batch));
                split.next_offset = batch.next_offset;
                split.skipped += batch.skipped;
                split.lag = batch.lag;
            }
            Polled::Finished { split } => read[split].finished = true,
            Polled::Nothing => {
                empty_polls += 1;
                let waited = Duration::from_millis(100) * empty_polls;
                assert!(waited < PATIENCE, "not enough came: {read:?}");
            }
        }
    }
    Ok(read)
}

/// Reads a bounded table to its end: rows by split, in the order of `splits`.
pub fn read_all(table: &TableSpec) -> Result<Vec<Read>, ConnectorError> {
    let source = open(table)?;
    let splits = source.splits()?;
    let count = splits.len();
    let mut reader = source.reader(splits)?;
    poll_until(reader.as_mut(), count, |read| read.iter().all(|split| split.finished))
}

/// The rows of a bounded table of one partition.
pub fn read_rows(table: &TableSpec) -> Result<Vec<String>, ConnectorError> {
    let mut all = read_all(table)?;
    assert_eq!(all.len(), 1);
    Ok(all.remove(0).rows)
}

/// Names and offsets of splits.
pub fn described(splits: &[Split]) -> Vec<String> {
    let split = |split: &Split| match split.offset {
        Some(offset) => format!("{}@{offset}", split.id),
        None => split.id.clone(),
    };
    splits.iter().map(split).collect()
}

/// Rows as `a|b|c`.
pub fn rows(batch: &Batch) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<_> = batch
        .rows
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    let row = |row| {
        let values = columns.iter().map(|column| column.value(row).to_string());
        values.collect::<Vec<_>>().join("|")
    };
    (0..batch.num_rows()).map(row).collect()
}
