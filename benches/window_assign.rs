//! What windows cost beside aggregation: one million rows placed, aggregated and fired.
//!
//! `tumble` is the usual case (a batch lies in one pane), `disorder` the case where every batch
//! touches several panes, `hop_60` sixty panes a window (the case that blocks are for), `assign`
//! the window function alone.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millstream::operators::harness::Header;
use millstream::operators::{Batch, Operator, OperatorContext, OperatorMetrics, Output};
use millstream::state::{EventTime, GroupRange, MemoryBudget, TaskState};

const ROWS: usize = 1 << 20;
const BATCH_ROWS: usize = 8192;
const KEYS: u64 = 10_000;

/// A hundred thousand rows a second of event time, each up to `disorder_ms` late.
fn batches(header: &Header, disorder_ms: u64) -> Vec<RecordBatch> {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (random >> 33) % below
    };
    let batch = |from: usize| {
        let (mut at, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
        for row in from..from + BATCH_ROWS {
            at.push((row / 100) as i64 - next(disorder_ms + 1) as i64);
            key.push(next(KEYS) as i64);
            value.push(next(1000) as i64);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampMillisecondArray::from(at)),
            Arc::new(Int64Array::from(key)),
            Arc::new(Int64Array::from(value)),
        ];
        RecordBatch::try_new(header.input(), columns).expect("columns fit")
    };
    (0..ROWS).step_by(BATCH_ROWS).map(batch).collect()
}

fn run(header: &Header, batches: &[RecordBatch], lag_ms: i64) -> usize {
    let mut operator: Box<dyn Operator> =
        header.spec().build(header.input(), header.output()).expect("built");
    let context = OperatorContext {
        clock: Default::default(),
        name: "bench".to_owned(),
        subtask: 0,
        parallelism: 1,
        state: TaskState::in_memory(),
        groups: GroupRange::ALL,
        memory: MemoryBudget::unlimited(),
        metrics: Arc::new(OperatorMetrics::default()),
    };
    operator.open(&context).expect("opened");
    let mut out = Output::new();
    let mut rows = 0;
    for (number, batch) in batches.iter().enumerate() {
        operator.on_batch(Batch::inserts(batch.clone()), &mut out).expect("rows");
        let newest_ms = ((number + 1) * BATCH_ROWS / 100) as i64;
        operator.on_watermark(EventTime::from_ms(newest_ms - lag_ms), &mut out).expect("time");
        let mut has_more = true;
        while has_more {
            has_more = operator.resume(&mut out).expect("goes on");
            while let Some((_, message)) = out.pop() {
                if let millstream::operators::Message::Batch(batch) = black_box(message) {
                    rows += batch.num_rows();
                }
            }
        }
    }
    rows
}

fn windows(criterion: &mut Criterion) {
    let aggregate = |window: &str| {
        Header::parse(&format!(
            "operator: window_aggregate\ncolumns: at timestamp, k bigint, v bigint\n\
             window: {window}\ntime: at\nkeys: k\naggregates: count(*), max(v)"
        ))
    };
    let assign = Header::parse(
        "operator: window_assign\ncolumns: at timestamp, k bigint, v bigint\n\
         window: tumble size 1000\ntime: at",
    );
    let cases = [
        ("tumble", aggregate("tumble size 1000"), 0),
        ("disorder", aggregate("tumble size 1000"), 2000),
        ("hop_5", aggregate("hop size 1000 slide 200"), 0),
        ("hop_60", aggregate("hop size 6000 slide 100"), 0),
        ("cumulate_10", aggregate("cumulate size 1000 step 100"), 0),
        ("assign", assign, 0),
    ];
    let mut group = criterion.benchmark_group("window");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    for (name, header, disorder_ms) in cases {
        let batches = batches(&header, disorder_ms);
        let lag_ms = disorder_ms as i64 + 1;
        group.bench_function(name, |bench| bench.iter(|| run(&header, &batches, lag_ms)));
    }
    group.finish();
}

criterion_group!(benches, windows);
criterion_main!(benches);
