//! A small world for jobs under test: tables that are fed and read by the test, and an operator
//! that counts rows by key and window.
#![allow(dead_code, clippy::unwrap_used, clippy::type_complexity)] // each test uses its part

pub mod broker;
pub mod durable;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMillisecondType,
};
use datafusion_physical_expr::expressions::Column;
use millstream_connectors::commit::{Job, OffsetHome, Position};
use millstream_connectors::error::Result as ConnectorResult;
use millstream_connectors::{
    ConnectorError, Polled, Reader, Sink, Source, Split, SplitBatch, TableSpec, Writer,
};
use millstream_engine::Components;
use millstream_operators::error::Result as OperatorResult;
use millstream_operators::graph::{Changelog, SourceSpec, WatermarkEmit, WatermarkSpec};
use millstream_operators::{
    Batch, JobGraph, NodeId, NodeKind, Operator, OperatorContext, OperatorSpec, Output,
    Partitioning, Port,
};
use millstream_state::EventTime;

pub use broker::{Broker, Folder};
pub use durable::{DurableSums, Holding};

/// Key, value, event time in ms.
pub type Row = (i64, i64, i64);

pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Int64, true),
        Field::new("n", DataType::Int64, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Millisecond, None), true),
    ]))
}

pub fn batch(rows: &[Row]) -> Batch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.2))),
    ];
    Batch::inserts(RecordBatch::try_new(schema(), columns).expect("columns fit the schema"))
}

pub fn rows(batch: &Batch) -> Vec<Row> {
    let keys = batch.rows.column(0).as_primitive::<Int64Type>();
    let values = batch.rows.column(1).as_primitive::<Int64Type>();
    let times = batch.rows.column(2).as_primitive::<TimestampMillisecondType>();
    (0..batch.num_rows()).map(|i| (keys.value(i), values.value(i), times.value(i))).collect()
}

/// What a split does at one poll.
#[derive(Clone, Debug)]
pub enum Event {
    Rows(Vec<Row>),
    Fail,
    Panic,
    /// Does not answer, so many times over all readers.
    Away(Arc<AtomicUsize>),
}

/// What happens after a split's last event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum After {
    Finish,
    Silence,
}

/// A table whose splits follow a script, or are added to while the job runs.
#[derive(Clone)]
pub struct TestSource {
    splits: Arc<Mutex<Vec<(String, Vec<Event>, After)>>>,
    pub discovers: bool,
    /// All rows that readers have handed over.
    pub read: Arc<Mutex<Vec<Row>>>,
    /// Readers that exist.
    pub open_readers: Arc<()>,
    pub home: Option<OffsetHome>,
    /// A bug: reading goes on so many events too far.
    pub skips: u64,
    /// Positions that were shown.
    pub shown: Arc<Mutex<Vec<Position>>>,
}

impl TestSource {
    pub fn new(splits: Vec<Vec<Event>>, after: After) -> Self {
        let name = |(i, events)| (format!("split-{i}"), events, after);
        TestSource {
            splits: Arc::new(Mutex::new(splits.into_iter().enumerate().map(name).collect())),
            discovers: false,
            read: Arc::default(),
            open_readers: Arc::new(()),
            home: None,
            skips: 0,
            shown: Arc::default(),
        }
    }

    /// Splits of one batch of rows a poll, that finish.
    pub fn of_rows(splits: Vec<Vec<Row>>, batch_rows: usize) -> Self {
        let cut =
            |rows: Vec<Row>| rows.chunks(batch_rows).map(|c| Event::Rows(c.to_vec())).collect();
        TestSource::new(splits.into_iter().map(cut).collect(), After::Finish)
    }

    pub fn discovering(mut self) -> Self {
        self.discovers = true;
        self
    }

    pub fn add_split(&self, events: Vec<Event>, after: After) {
        let mut splits = self.splits.lock().unwrap();
        let name = format!("split-{}", splits.len());
        splits.push((name, events, after));
    }

    /// Splits end after what they have.
    pub fn end_all(&self) {
        self.splits.lock().unwrap().iter_mut().for_each(|split| split.2 = After::Finish);
    }

    pub fn remove_split(&self, name: &str) {
        self.splits.lock().unwrap().retain(|(of, ..)| of != name);
    }

    pub fn feed(&self, split: usize, event: Event) {
        self.splits.lock().unwrap()[split].1.push(event);
    }
}

impl Source for TestSource {
    fn splits(&self) -> ConnectorResult<Vec<Split>> {
        let splits = self.splits.lock().unwrap();
        Ok(splits.iter().map(|(id, ..)| Split { id: id.clone(), offset: None }).collect())
    }

    fn offset_home(&self) -> Option<OffsetHome> {
        self.home.clone()
    }

    fn show_positions(&self, positions: &[Position]) {
        *self.shown.lock().unwrap() = positions.to_vec();
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.discovers.then_some(Duration::from_millis(1))
    }

    fn reader(&self, splits: Vec<Split>) -> ConnectorResult<Box<dyn Reader>> {
        let mut reader = TestReader { source: self.clone(), splits: Vec::new(), next: 0 };
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

struct TestReader {
    source: TestSource,
    /// Index in the source's script, events done, finished.
    splits: Vec<(usize, usize, bool)>,
    next: usize,
}

impl TestReader {
    fn poll_split(&mut self, split: usize) -> ConnectorResult<Polled> {
        let (index, done, finished) = &mut self.splits[split];
        if *finished {
            return Ok(Polled::Nothing);
        }
        let script = self.source.splits.lock().unwrap();
        let (_, events, after) = &script[*index];
        let Some(event) = events.get(*done).cloned() else {
            *finished = *after == After::Finish;
            return Ok(if *finished { Polled::Finished { split } } else { Polled::Nothing });
        };
        drop(script);
        *done += 1;
        match event {
            Event::Fail => Err(ConnectorError::Data {
                place: format!("split-{index}, record {done}"),
                reason: "not a number".into(),
                hint: Some("let it be skipped".into()),
            }),
            Event::Panic => panic!("reader fell over"),
            Event::Away(times) => {
                let left = times.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
                match left {
                    Ok(_) => Err(ConnectorError::Unavailable {
                        message: "the broker is away".into(),
                        hint: None,
                    }),
                    Err(_) => Ok(Polled::Nothing),
                }
            }
            Event::Rows(rows) => {
                self.source.read.lock().unwrap().extend(&rows);
                let next_offset = *done as u64;
                Ok(Polled::Rows(SplitBatch {
                    split,
                    batch: batch(&rows),
                    next_offset,
                    bytes: 10 * rows.len() as u64,
                    skipped: 0,
                    lag: None,
                    overdue_ns: 0,
                }))
            }
        }
    }
}

impl Reader for TestReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> ConnectorResult<()> {
        for split in splits {
            let index = split.id.trim_start_matches("split-").parse().expect("our own name");
            let offset = split.offset.map_or(0, |offset| offset + self.source.skips);
            self.splits.push((index, offset as usize, false));
        }
        Ok(())
    }

    fn poll(&mut self, _timeout: Duration) -> ConnectorResult<Polled> {
        for _ in 0..self.splits.len() {
            let split = self.next % self.splits.len();
            self.next += 1;
            match self.poll_split(split)? {
                Polled::Nothing => {}
                found => return Ok(found),
            }
        }
        Ok(Polled::Nothing)
    }
}

/// A table that keeps what is written.
#[derive(Clone, Default)]
pub struct TestSink {
    pub written: Arc<Mutex<Vec<Row>>>,
    pub flushed: Arc<Mutex<usize>>,
    pub finished: Arc<Mutex<usize>>,
    pub limit: Option<usize>,
    /// Held by the test to make writers wait.
    pub gate: Arc<Mutex<()>>,
    pub fails: bool,
}

impl TestSink {
    pub fn rows(&self) -> Vec<Row> {
        self.written.lock().unwrap().clone()
    }

    pub fn sorted(&self) -> Vec<Row> {
        let mut rows = self.rows();
        rows.sort_unstable();
        rows
    }
}

impl Sink for TestSink {
    fn writer(&self, _subtask: usize) -> ConnectorResult<Box<dyn Writer>> {
        Ok(Box::new(self.clone()))
    }

    fn max_parallelism(&self) -> Option<usize> {
        self.limit
    }
}

impl Writer for TestSink {
    fn write(&mut self, batch: &Batch) -> ConnectorResult<u64> {
        drop(self.gate.lock().unwrap());
        if self.fails {
            return Err(ConnectorError::Unavailable { message: "disk full".into(), hint: None });
        }
        let rows = rows(batch);
        self.written.lock().unwrap().extend(&rows);
        Ok(rows.len() as u64)
    }

    fn flush(&mut self) -> ConnectorResult<()> {
        *self.flushed.lock().unwrap() += 1;
        Ok(())
    }

    fn finish(&mut self) -> ConnectorResult<()> {
        *self.finished.lock().unwrap() += 1;
        Ok(())
    }
}

/// Counts rows by key in tumbling windows of 10 ms: `(key, count, window start)` when a window
/// fires. Fails the test if a row comes to a window that has fired.
#[derive(Default)]
pub struct CountWindows {
    counts: BTreeMap<(i64, i64), i64>,
    watermark: Option<EventTime>,
    tolerates_late: bool,
}

pub const WINDOW_MS: i64 = 10;

impl Operator for CountWindows {
    fn on_batch(&mut self, batch: Batch, _out: &mut Output) -> OperatorResult<()> {
        for (key, _, at) in rows(&batch) {
            let start = at - at.rem_euclid(WINDOW_MS);
            let end = EventTime::from_ms(start + WINDOW_MS);
            let late = self.watermark.is_some_and(|watermark| watermark.completes(end));
            assert!(!late || self.tolerates_late, "row at {at} is late for {:?}", self.watermark);
            *self.counts.entry((start, key)).or_default() += 1;
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: EventTime, out: &mut Output) -> OperatorResult<()> {
        assert!(self.watermark.is_none_or(|last| last < watermark), "strictly ascending");
        self.watermark = Some(watermark);
        let complete = |start: i64| watermark.completes(EventTime::from_ms(start + WINDOW_MS));
        let fired: Vec<Row> = self
            .counts
            .iter()
            .filter(|((start, _), _)| complete(*start))
            .map(|((start, key), count)| (*key, *count, *start))
            .collect();
        self.counts.retain(|(start, _), _| !complete(*start));
        if !fired.is_empty() {
            out.batch(batch(&fired));
        }
        out.watermark(watermark);
        Ok(())
    }
}

/// What [`CountWindows`] must have put out at the end, computed at once.
pub fn count_windows(rows: &[Row]) -> Vec<Row> {
    let mut counts = BTreeMap::new();
    for (key, _, at) in rows {
        *counts.entry((*key, at - at.rem_euclid(WINDOW_MS))).or_insert(0) += 1;
    }
    let mut rows: Vec<Row> =
        counts.into_iter().map(|((key, start), count)| (key, count, start)).collect();
    rows.sort_unstable();
    rows
}

/// Passes rows on, negative values through the port for late rows.
#[derive(Default)]
pub struct SideOutput;

impl Operator for SideOutput {
    fn on_batch(&mut self, input: Batch, out: &mut Output) -> OperatorResult<()> {
        let (late, rows): (Vec<Row>, Vec<Row>) = rows(&input).into_iter().partition(|r| r.1 < 0);
        out.batch(batch(&rows));
        out.batch_to(Port::LATE, batch(&late));
        Ok(())
    }
}

/// Panics at the value 13.
struct Superstitious;

impl Operator for Superstitious {
    fn on_batch(&mut self, input: Batch, out: &mut Output) -> OperatorResult<()> {
        assert!(rows(&input).iter().all(|row| row.1 != 13), "thirteen!");
        out.batch(input);
        Ok(())
    }
}

/// Passes everything on and counts how often it was built.
struct Pass;

impl Operator for Pass {
    fn open(&mut self, context: &OperatorContext) -> OperatorResult<()> {
        assert!(context.subtask < context.parallelism);
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> OperatorResult<()> {
        out.batch(batch);
        Ok(())
    }
}

/// The world: tables by name, operators by the first word of their node's name.
#[derive(Clone, Default)]
pub struct World {
    pub sources: BTreeMap<String, TestSource>,
    pub sinks: BTreeMap<String, TestSink>,
    /// Its tables are those whose names begin with `broker`.
    pub broker: Broker,
    /// Keys of tables that are on another cluster.
    pub keys: BTreeMap<String, String>,
    /// It is the table `folder`.
    pub folder: Folder,
    /// For whom tables were opened.
    pub jobs: Arc<Mutex<Vec<Option<Job>>>>,
}

impl Components for World {
    fn begin(&self, job: Option<&Job>) {
        self.jobs.lock().unwrap().push(job.cloned());
    }

    fn source(&self, table: &TableSpec) -> ConnectorResult<Box<dyn Source>> {
        match self.sources.get(&table.name) {
            Some(source) => Ok(Box::new(source.clone())),
            None => Err(ConnectorError::Options {
                message: "there is no such table".into(),
                option: None,
                hint: Some("create it".into()),
            }),
        }
    }

    fn sink(&self, table: &TableSpec) -> ConnectorResult<Box<dyn Sink>> {
        if table.name == "folder" {
            return Ok(Box::new(self.folder.clone()));
        }
        if table.name.starts_with("broker") {
            let session = self.jobs.lock().unwrap().len() as u64;
            let mut opened = self.broker.table(&table.name, session);
            if let Some(key) = self.keys.get(&table.name) {
                opened.key = key.clone();
            }
            return Ok(Box::new(opened));
        }
        Ok(Box::new(self.sinks[&table.name].clone()))
    }

    fn operator(
        &self,
        name: &str,
        _spec: &OperatorSpec,
        _input: SchemaRef,
        _output: SchemaRef,
    ) -> OperatorResult<Box<dyn Operator>> {
        Ok(match name.split(['-', '.']).next().unwrap_or_default() {
            "window" => Box::new(CountWindows::default()),
            "tolerant" => Box::new(CountWindows { tolerates_late: true, ..Default::default() }),
            "sums" => Box::new(DurableSums::new(false)),
            "slow" => Box::new(DurableSums::new(true)),
            "holding" => Box::new(Holding::default()),
            "side" => Box::new(SideOutput),
            "superstitious" => Box::new(Superstitious),
            _ => Box::new(Pass),
        })
    }
}

pub fn table(name: &str) -> TableSpec {
    TableSpec {
        name: name.to_owned(),
        options: BTreeMap::new(),
        schema: schema(),
        metadata: BTreeMap::new(),
        primary_key: Vec::new(),
        partition_keys: Vec::new(),
        declared: schema(),
    }
}

/// Builds graphs in a line a node.
#[derive(Default)]
pub struct Graph(pub JobGraph);

impl Graph {
    /// A source whose watermark is its event time, with an idle timeout.
    pub fn source(
        &mut self,
        name: &str,
        emit: WatermarkEmit,
        idle_timeout_ms: Option<u64>,
    ) -> NodeId {
        let watermark = WatermarkSpec {
            column: 2,
            expr: Arc::new(Column::new("at", 2)),
            emit,
            idle_timeout_ms,
            idle_advance_ms: None,
            alignment: None,
        };
        let table = table(name);
        let spec = SourceSpec { table, computed: None, watermark: Some(watermark) };
        self.0.add(name, NodeKind::Source(spec), schema(), Changelog::Append)
    }

    pub fn operator(&mut self, name: &str, inputs: &[(NodeId, Partitioning)]) -> NodeId {
        self.node(name, NodeKind::Operator(OperatorSpec::Union), inputs)
    }

    pub fn sink(&mut self, name: &str, inputs: &[(NodeId, Partitioning)]) -> NodeId {
        self.node(name, NodeKind::Sink(table(name)), inputs)
    }

    fn node(&mut self, name: &str, kind: NodeKind, inputs: &[(NodeId, Partitioning)]) -> NodeId {
        let id = self.0.add(name, kind, schema(), Changelog::Append);
        for (from, partitioning) in inputs {
            self.0.connect(*from, id, partitioning.clone());
        }
        id
    }
}

pub fn by_key() -> Partitioning {
    Partitioning::Hash(vec![0])
}

/// `in` → window by key → `out`.
pub fn windowed(emit: WatermarkEmit, idle_timeout_ms: Option<u64>) -> JobGraph {
    let mut graph = Graph::default();
    let source = graph.source("in", emit, idle_timeout_ms);
    let window = graph.operator("window", &[(source, by_key())]);
    graph.sink("out", &[(window, Partitioning::Forward)]);
    graph.0
}

/// `in` → exchange by key → `out`, without time.
pub fn passed() -> JobGraph {
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let pass = graph.operator("pass", &[(source, by_key())]);
    graph.sink("out", &[(pass, Partitioning::Forward)]);
    graph.0
}

/// A world with the tables `in` and `out`.
pub fn world(source: &TestSource, sink: &TestSink) -> World {
    let mut world = World::default();
    world.sources.insert("in".into(), source.clone());
    world.sinks.insert("out".into(), sink.clone());
    world
}

/// Splits of ascending times over a few keys, `rows_per_split` each.
pub fn splits(count: i64, rows_per_split: i64) -> Vec<Vec<Row>> {
    let row = |split: i64, i: i64| ((i * 7 + split) % 11, split * 1_000_000 + i, i * 3 + split);
    (0..count).map(|split| (0..rows_per_split).map(|i| row(split, i)).collect()).collect()
}
