//! The writing side: rows become records of one topic.
//!
//! A writer encodes; where its records go is the [`Outlet`]'s business: into the transaction that the
//! job's sinks share, or to a producer of its own.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use millstream_operators::{Batch, RowKind};
use millstream_state::{Epoch, fault};
use rdkafka::message::{Header, OwnedHeaders};

use super::columns::check_type;
use super::direct::Direct;
use super::info;
use super::layout::{Layout, key_indexes, project};
use super::options::{Guarantee, Partitioner, SinkOptions};
use super::transaction::{Cluster, Entry, Inlet, Outgoing};
use crate::TableSpec;
use crate::commit::Participation;
use crate::error::{ConnectorError, Result};
use crate::format::Encoder;
use crate::registry::Environment;
use crate::sink::{Sink, Writer};

/// Metadata columns that can be written.
const WRITABLE: [&str; 2] = ["timestamp", "headers"];

/// A table that is written; makes writers. Nothing is connected before [`Sink::writer`].
pub(super) struct KafkaSink {
    table: TableSpec,
    options: SinkOptions,
    layout: Layout,
    guarantee: Guarantee,
    /// Where it takes part in epochs, if it does.
    cluster: Option<Arc<Cluster>>,
}

impl KafkaSink {
    /// Reads the options of a table; what they mean for the job comes when it is opened.
    pub(super) fn options(table: &TableSpec) -> Result<(SinkOptions, Layout)> {
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
        Ok((SinkOptions::new(table)?, layout))
    }

    pub(super) fn new(table: &TableSpec, environment: &Environment) -> Result<Self> {
        let (options, layout) = Self::options(table)?;
        let guarantee = options.guarantee_in(environment.job.is_some())?;
        let cluster = match &environment.job {
            Some(job) if guarantee == Guarantee::ExactlyOnce => {
                Some(environment.transactions.join(&options, job)?)
            }
            _ => None,
        };
        Ok(KafkaSink { table: table.clone(), options, layout, guarantee, cluster })
    }
}

impl Sink for KafkaSink {
    fn writer(&self, subtask: usize) -> Result<Box<dyn Writer>> {
        let SinkOptions { common, topic, audit_headers, .. } = &self.options;
        let (outlet, partitions) = match &self.cluster {
            Some(cluster) => {
                let partitions = cluster.partitions(topic)?;
                let inlet = cluster.lane(topic, *audit_headers)?;
                (Outlet::Transaction(inlet), partitions)
            }
            None => {
                let (direct, partitions) = Direct::new(common, topic)?;
                let waits = self.guarantee != Guarantee::None;
                (Outlet::Direct { direct: Box::new(direct), waits }, partitions)
            }
        };
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
            rows: Rows {
                topic: topic.clone(),
                layout: self.layout.clone(),
                partitions: Partitions {
                    partitioner: self.options.partitioner,
                    count: partitions,
                    next: first_partition(subtask, partitions),
                },
                key,
                value,
            },
            outlet,
        }))
    }

    fn participation(&self) -> Result<Participation> {
        Ok(match &self.cluster {
            Some(cluster) => {
                Participation::Decider { key: cluster.key(), committer: cluster.committer() }
            }
            None => Participation::None,
        })
    }
}

/// Writes the rows of one subtask.
struct KafkaWriter {
    rows: Rows,
    outlet: Outlet,
}

/// Where records go.
enum Outlet {
    /// Into the epoch's transaction.
    Transaction(Inlet),
    /// To a producer of the writer's own; whether a flush waits for the broker.
    Direct { direct: Box<Direct>, waits: bool },
}

/// An outlet for as long as a batch is written.
enum Way<'a> {
    Transaction(Entry<'a>),
    Direct(&'a mut Direct),
}

impl Outlet {
    fn open(&mut self) -> Way<'_> {
        match self {
            Outlet::Transaction(inlet) => Way::Transaction(inlet.enter()),
            Outlet::Direct { direct, .. } => Way::Direct(direct),
        }
    }
}

impl Way<'_> {
    fn put(&mut self, record: Outgoing<'_>) -> Result<()> {
        match self {
            Way::Transaction(entry) => entry.put(record),
            Way::Direct(direct) => direct.send(record),
        }
    }

    /// An error if a record did not arrive.
    fn check(&mut self) -> Result<()> {
        match self {
            Way::Transaction(entry) => entry.check(),
            Way::Direct(direct) => direct.serve(),
        }
    }
}

/// How rows become records.
struct Rows {
    topic: String,
    layout: Layout,
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
    partitioner: Partitioner,
    count: i32,
    next: i32,
}

impl Partitions {
    fn next(&mut self) -> Option<i32> {
        match self.partitioner {
            Partitioner::Default => None,
            Partitioner::Fixed => Some(self.next),
            Partitioner::RoundRobin => {
                let partition = self.next;
                self.next = (partition + 1) % self.count;
                Some(partition)
            }
        }
    }
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

impl Rows {
    /// Sends the rows of a batch on their way; returns the bytes of their records.
    fn write(&mut self, batch: &Batch, way: &mut Way<'_>) -> Result<u64> {
        let topic = self.topic.clone();
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
            let key = self.key.as_ref().map(|key| key.bytes.as_slice());
            for _ in 0..fault::copies() {
                way.put(Outgoing {
                    topic: &topic,
                    partition: self.partitions.next(),
                    key: key.filter(|_| has_key),
                    value: has_value.then_some(self.value.bytes.as_slice()),
                    timestamp_ms: metadata.timestamp(row),
                    headers: metadata.headers(row),
                })?;
            }
            bytes += (self.value.bytes.len() + key.map_or(0, <[u8]>::len)) as u64;
        }
        Ok(bytes)
    }
}

impl Writer for KafkaWriter {
    fn write(&mut self, batch: &Batch) -> Result<u64> {
        let mut way = self.outlet.open();
        let bytes = self.rows.write(batch, &mut way)?;
        way.check()?;
        Ok(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.outlet {
            // The epoch's commit makes rows visible.
            Outlet::Transaction(inlet) => inlet.enter().check(),
            Outlet::Direct { direct, waits: true } => direct.wait_for_deliveries(),
            Outlet::Direct { direct, waits: false } => direct.serve(),
        }
    }

    fn has_room(&self) -> bool {
        match &self.outlet {
            Outlet::Transaction(inlet) => inlet.has_room(),
            Outlet::Direct { .. } => true,
        }
    }

    fn end_epoch(&mut self, epoch: Epoch) -> Result<()> {
        if let Outlet::Transaction(inlet) = &self.outlet {
            inlet.end_epoch(epoch);
        }
        self.flush()
    }

    fn finish(&mut self) -> Result<()> {
        match &mut self.outlet {
            Outlet::Transaction(inlet) => {
                inlet.finish();
                Ok(())
            }
            Outlet::Direct { direct, .. } => direct.wait_for_deliveries(),
        }
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
