//! The writing side: rows become records of one topic, at least once.
//!
//! The producer is idempotent and waits for all replicas in sync, so that what it retries neither
//! duplicates nor reorders. Its queue is bounded: a broker that is slower than the job holds the
//! job back.

use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use millstream_operators::{Batch, RowKind};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::client::{self, Context};
use super::columns::check_type;
use super::layout::{Layout, key_indexes, project};
use super::options::{Partitioner, SinkOptions};
use super::{info, native};
use crate::TableSpec;
use crate::error::{ConnectorError, Result};
use crate::format::Encoder;
use crate::sink::{Sink, Writer};

/// How long to wait at a time for the broker before looking for errors.
const WAIT_STEP: Duration = Duration::from_millis(100);

/// Metadata columns that can be written.
const WRITABLE: [&str; 2] = ["timestamp", "headers"];

/// A table that is written; makes writers. Nothing is connected before [`Sink::writer`].
pub(super) struct KafkaSink {
    table: TableSpec,
    options: SinkOptions,
    layout: Layout,
}

impl KafkaSink {
    pub(super) fn new(table: &TableSpec) -> Result<Self> {
        let layout = Layout::of_sink(table)?;
        for (index, key) in &table.metadata {
            let field = table.schema.field(*index);
            if !WRITABLE.contains(&key.as_str()) {
                return Err(ConnectorError::Options {
                    message: format!("column `{}`: metadata `{key}` is read-only", field.name()),
                    option: None,
                    hint: Some("declare the column VIRTUAL, so that it is left out here".into()),
                });
            }
            check_type(key, field.data_type())?;
        }
        Ok(KafkaSink { table: table.clone(), options: SinkOptions::new(table)?, layout })
    }
}

impl Sink for KafkaSink {
    fn writer(&self, subtask: usize) -> Result<Box<dyn Writer>> {
        let common = &self.options.common;
        let producer = client::producer(common)?;
        let partitions = client::producer_partitions(common, &producer, &self.options.topic)?;
        let key = self.layout.key_encoder(&self.table)?.map(|encoder| Part {
            encoder,
            indexes: key_indexes(&self.table),
            null_is_none: self.layout.is_raw(true),
            bytes: Vec::new(),
        });
        let value = Part {
            encoder: self.layout.value_encoder(&self.table)?,
            indexes: self.layout.value_indexes(),
            null_is_none: self.layout.is_raw(false),
            bytes: Vec::new(),
        };
        Ok(Box::new(KafkaWriter {
            options: self.options.clone(),
            layout: self.layout.clone(),
            partitions: Partitions {
                count: partitions,
                next: first_partition(subtask, partitions),
            },
            producer,
            key,
            value,
        }))
    }
}

/// Writes the rows of one subtask.
struct KafkaWriter {
    options: SinkOptions,
    layout: Layout,
    producer: BaseProducer<Context>,
    partitions: Partitions,
    key: Option<Part>,
    value: Part,
}

/// The key or the value of records: how rows become its bytes.
struct Part {
    encoder: Box<dyn Encoder>,
    /// Its columns in the table.
    indexes: Vec<usize>,
    /// Whether a null in its only column means that there is none.
    null_is_none: bool,
    /// The bytes of the current row; kept so that rows share one allocation.
    bytes: Vec<u8>,
}

/// Which partition comes next, where the key does not decide.
struct Partitions {
    count: i32,
    next: i32,
}

fn first_partition(subtask: usize, partitions: i32) -> i32 {
    let partitions = usize::try_from(partitions).expect("a topic has partitions");
    i32::try_from(subtask % partitions).expect("Kafka counts partitions in 32 bits")
}

impl Part {
    /// Encodes a row into [`Part::bytes`]; false if the part is null.
    fn encode(&mut self, batch: &Batch, row: usize) -> std::result::Result<bool, String> {
        self.bytes.clear();
        if self.null_is_none && batch.rows.columns().iter().all(|column| column.is_null(row)) {
            return Ok(false);
        }
        let encoded = self.encoder.encode(batch, row, &mut self.bytes);
        encoded.map(|()| true).map_err(|error| error.reason)
    }
}

impl KafkaWriter {
    fn partition(&mut self) -> Option<i32> {
        match self.options.partitioner {
            Partitioner::Default => None,
            Partitioner::Fixed => Some(self.partitions.next),
            Partitioner::RoundRobin => {
                let partition = self.partitions.next;
                self.partitions.next = (partition + 1) % self.partitions.count;
                Some(partition)
            }
        }
    }

    /// Hands a record to the producer; waits while its queue is full.
    fn send(&mut self, has: (bool, bool), metadata: &MetadataOut, row: usize) -> Result<()> {
        let partition = self.partition();
        let (has_key, has_value) = has;
        loop {
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.options.topic);
            record.partition = partition;
            record.key = self.key.as_ref().filter(|_| has_key).map(|key| key.bytes.as_slice());
            record.payload = has_value.then_some(self.value.bytes.as_slice());
            record.timestamp = metadata.timestamp(row);
            record.headers = metadata.headers(row);
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.producer.poll(Duration::from_millis(1));
                    self.check()?;
                }
                Err((error, _)) => return Err(self.refused(&error)),
            }
        }
    }

    fn refused(&self, error: &KafkaError) -> ConnectorError {
        let code = error.rdkafka_error_code();
        let size = self.value.bytes.len();
        let reason = match code {
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                format!("a record of {size} bytes is too large")
            }
            Some(code) => code.to_string(),
            None => error.to_string(),
        };
        ConnectorError::Unavailable {
            message: format!("topic `{}`: {reason}", self.options.topic),
            hint: code.and_then(client::hint_for),
        }
    }

    /// An error if a record did not arrive, or none can any more.
    fn check(&self) -> Result<()> {
        let context = self.producer.context();
        if let Some((code, topic)) = context.failed_delivery() {
            return Err(ConnectorError::Unavailable {
                message: format!(
                    "a record did not reach topic `{topic}` at {}: {code}",
                    self.options.common.servers()
                ),
                hint: client::hint_for(code),
            });
        }
        match context.hopeless_error() {
            Some((code, _)) => {
                let error = KafkaError::Global(code);
                Err(client::unreachable(&self.options.common, context, &error))
            }
            None => Ok(()),
        }
    }

    /// Waits until the broker has everything. This ends: a record that cannot be delivered fails
    /// after `message.timeout.ms`.
    fn wait_for_deliveries(&mut self) -> Result<()> {
        loop {
            self.producer.poll(Duration::ZERO);
            self.check()?;
            if self.producer.in_flight_count() == 0 {
                return Ok(());
            }
            native::flush(&self.producer, WAIT_STEP);
        }
    }
}

impl Writer for KafkaWriter {
    fn write(&mut self, batch: &Batch) -> Result<u64> {
        let topic = self.options.topic.clone();
        let bad = |reason: String| ConnectorError::Data {
            place: format!("topic {topic}"),
            reason,
            hint: None,
        };
        let values = project(&batch.rows, &self.value.indexes, &self.layout.value.wanted);
        let values = Batch { rows: values, kinds: batch.kinds.clone() };
        let keys = match (&self.key, &self.layout.key) {
            (Some(key), Some(columns)) => {
                Batch::inserts(project(&batch.rows, &key.indexes, &columns.wanted))
            }
            _ => Batch::inserts(RecordBatch::new_empty(values.rows.schema())),
        };
        let metadata = MetadataOut::new(&self.layout, &batch.rows).map_err(&bad)?;
        let mut bytes = 0;
        for row in 0..batch.num_rows() {
            if batch.kind(row) != RowKind::Insert && !self.layout.carries_kinds() {
                let reason =
                    format!("a row of kind {} in a topic of inserts", batch.kind(row).as_str());
                return Err(bad(reason));
            }
            let has_value = self.value.encode(&values, row).map_err(&bad)?;
            let has_key = match &mut self.key {
                Some(key) => key.encode(&keys, row).map_err(&bad)?,
                None => false,
            };
            self.send((has_key, has_value), &metadata, row)?;
            let key = self.key.as_ref().map_or(0, |key| key.bytes.len());
            bytes += (self.value.bytes.len() + key) as u64;
        }
        self.producer.poll(Duration::ZERO);
        self.check()?;
        Ok(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        if self.options.at_least_once {
            return self.wait_for_deliveries();
        }
        self.producer.poll(Duration::ZERO);
        self.check()
    }

    fn finish(&mut self) -> Result<()> {
        self.wait_for_deliveries()
    }
}

/// The metadata columns of a batch that is written.
struct MetadataOut {
    timestamps: Option<arrow::array::ArrayRef>,
    headers: Option<arrow::array::ArrayRef>,
}

impl MetadataOut {
    fn new(layout: &Layout, rows: &RecordBatch) -> std::result::Result<Self, String> {
        let column = |key: &str, target: &DataType| -> std::result::Result<_, String> {
            let Some(index) = layout.metadata_index(key) else { return Ok(None) };
            cast(rows.column(index), target).map(Some).map_err(|error| error.to_string())
        };
        let timestamps = column("timestamp", &DataType::Timestamp(TimeUnit::Millisecond, None))?;
        if let Some(times) = &timestamps {
            let times = times.as_primitive::<TimestampMillisecondType>();
            // The client takes 0 for "now", which would put the row decades away from its time.
            if let Some(ms) = times.iter().flatten().find(|ms| *ms <= 0) {
                return Err(format!(
                    "Kafka has no timestamps up to 1970-01-01T00:00:00 (here {ms} ms)"
                ));
            }
        }
        Ok(MetadataOut { timestamps, headers: column("headers", &info::headers_type())? })
    }

    fn timestamp(&self, row: usize) -> Option<i64> {
        let times = self.timestamps.as_ref()?.as_primitive::<TimestampMillisecondType>();
        times.is_valid(row).then(|| times.value(row))
    }

    fn headers(&self, row: usize) -> Option<OwnedHeaders> {
        let maps = self.headers.as_ref()?.as_map();
        if maps.is_null(row) {
            return None;
        }
        let entries = maps.value(row);
        let (names, values) = (entries.column(0), entries.column(1));
        let (names, values) = (names.as_string::<i32>(), values.as_binary::<i32>());
        let mut headers = OwnedHeaders::new_with_capacity(entries.len());
        for entry in 0..entries.len() {
            let value = values.is_valid(entry).then(|| values.value(entry));
            headers = headers.insert(Header { key: names.value(entry), value });
        }
        Some(headers)
    }
}
