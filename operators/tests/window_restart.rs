//! What a window operator hands to its state handles is enough to go on from.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::Int64Type;
use millstream_operators::harness::Header;
use millstream_operators::{
    Batch, Message, Operator, OperatorContext, OperatorMetrics, Output, Port,
};
use millstream_state::{EventTime, GroupRange, MemoryBudget, SharedState, TaskState};

fn header(window: &str) -> Header {
    Header::parse(&format!(
        "operator: window_aggregate\ncolumns: at timestamp, k bigint\n\
         window: {window}\ntime: at\nkeys: k\naggregates: count(*)"
    ))
}

fn opened(header: &Header, store: &SharedState) -> (Box<dyn Operator>, Arc<OperatorMetrics>) {
    let mut operator =
        header.spec().build(header.input(), header.output()).expect("operator is built");
    let metrics = Arc::new(OperatorMetrics::default());
    let context = OperatorContext {
        clock: Default::default(),
        name: "w".to_owned(),
        subtask: 0,
        parallelism: 1,
        state: store.clone(),
        groups: GroupRange::ALL,
        memory: MemoryBudget::unlimited(),
        metrics: metrics.clone(),
    };
    operator.open(&context).expect("operator is opened");
    (operator, metrics)
}

fn rows(header: &Header, at_ms: impl IntoIterator<Item = i64>, key: impl Fn(i64) -> i64) -> Batch {
    let at_ms: Vec<i64> = at_ms.into_iter().collect();
    let keys: ArrayRef = Arc::new(at_ms.iter().map(|ms| Some(key(*ms))).collect::<Int64Array>());
    let at: ArrayRef = Arc::new(TimestampMillisecondArray::from(at_ms));
    Batch::inserts(RecordBatch::try_new(header.input(), vec![at, keys]).expect("columns fit"))
}

/// Row counts and total of COUNT(*) of the batches up to a watermark.
fn fired(operator: &mut dyn Operator, watermark_ms: i64) -> (Vec<usize>, i64) {
    let mut out = Output::new();
    operator.on_watermark(EventTime::from_ms(watermark_ms), &mut out).expect("time passes");
    let (mut sizes, mut total) = (Vec::new(), 0);
    while let Some((port, message)) = out.pop() {
        assert_eq!(port, Port::MAIN);
        if let Message::Batch(batch) = message {
            sizes.push(batch.num_rows());
            total += batch.rows.column(3).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        }
    }
    (sizes, total)
}

#[test]
fn sealed_panes_and_the_moment_of_firing_survive() {
    for (window, left) in [
        ("hop size 10 slide 5", vec![5, 0]),
        ("hop size 40 slide 2", vec![10, 10, 10]),
        ("cumulate size 20 step 5", vec![10, 10, 0]),
    ] {
        let (header, store) = (header(window), TaskState::in_memory());
        let (mut before, _) = opened(&header, &store);
        let mut out = Output::new();
        before.on_batch(rows(&header, 0..10, |_| 1), &mut out).expect("rows");
        assert!(fired(before.as_mut(), 9).1 > 0, "{window}");
        before.on_epoch_end(&mut out).expect("epoch ends");
        drop(before);

        let (mut after, metrics) = opened(&header, &store);
        let step = if window.contains("slide 2") { 2 } else { 5 };
        for (number, expected) in left.into_iter().enumerate() {
            let watermark = 9 + step * (number as i64 + 1);
            assert_eq!(fired(after.as_mut(), watermark).1, expected, "{window} at {watermark}");
        }
        after.on_batch(rows(&header, [-35], |_| 1), &mut out).expect("rows");
        assert_eq!(metrics.late_rows.get(), 1, "{window} remembers what has fired");
    }
}

#[test]
fn a_query_with_fewer_aggregates_goes_on_from_the_state_of_the_larger_one() {
    let header = |aggregates: &str| {
        Header::parse(&format!(
            "operator: window_aggregate\ncolumns: at timestamp, k bigint\n\
             window: tumble size 10\ntime: at\nkeys: k\naggregates: {aggregates}"
        ))
    };
    let store = TaskState::in_memory();
    let large = header("sum(k), count(*), max(k)");
    let (mut before, _) = opened(&large, &store);
    let mut out = Output::new();
    before.on_batch(rows(&large, 0..10, |_| 7), &mut out).expect("rows");
    before.on_epoch_end(&mut out).expect("epoch ends");
    let (mut other, _) = opened(&header("min(k)"), &store);
    let failed = other.on_watermark(EventTime::from_ms(9), &mut out).expect_err("no such state");
    assert!(failed.to_string().contains("no column min(k).min"), "{failed}");

    let small = header("count(*), sum(k)");
    let (mut after, _) = opened(&small, &store);
    after.on_batch(rows(&small, 0..5, |_| 7), &mut out).expect("rows");
    after.on_watermark(EventTime::from_ms(9), &mut out).expect("time passes");
    let Some((_, Message::Batch(batch))) = out.pop() else { panic!("a window fires") };
    let column = |index: usize| batch.rows.column(index).as_primitive::<Int64Type>().value(0);
    assert_eq!((column(0), column(3), column(4)), (7, 15, 105));
}

#[test]
fn results_come_in_batches_of_usual_size() {
    let (header, store) = (header("tumble size 10"), TaskState::in_memory());
    let (mut operator, metrics) = opened(&header, &store);
    let mut out = Output::new();
    let many = rows(&header, std::iter::repeat_n(5, 20_000), |_| 1);
    operator.on_batch(many, &mut out).expect("rows");
    // A thousand windows of one key, then one of 20,000 keys.
    operator.on_batch(rows(&header, (0..1000).map(|n| 10 * n), |_| 2), &mut out).expect("rows");
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20_000));
    let at: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![10_000; 20_000]));
    let wide = RecordBatch::try_new(header.input(), vec![at, keys]).expect("columns fit");
    operator.on_batch(Batch::inserts(wide), &mut out).expect("rows");
    let (sizes, total) = fired(operator.as_mut(), 20_000);
    assert_eq!(total, 41_000);
    assert_eq!(sizes.iter().sum::<usize>(), 1001 + 20_000);
    assert!(sizes.len() <= 4 && sizes.iter().all(|rows| *rows <= 8192), "{sizes:?}");
    assert_eq!(metrics.state_keys.get(), 0);
}
