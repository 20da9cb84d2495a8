//! Windows that are larger than memory, and windows that live for many epochs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::Int64Type;
use millstream_operators::harness::Header;
use millstream_operators::{Batch, Message, Operator, OperatorContext, OperatorMetrics, Output};
use millstream_state::{
    EventTime, GroupRange, MemoryBudget, MemoryStore, PaneRuns, SharedState, StateStore, TableId,
    TaskState,
};

/// Count and sum by window end and key.
type Groups = BTreeMap<(i64, i64), (i64, i64)>;

/// A windowed COUNT(*) and SUM by key, its store, and what ends its epochs.
struct Job {
    header: Header,
    operator: Box<dyn Operator>,
    store: Arc<MemoryStore>,
    state: SharedState,
    memory: Arc<MemoryBudget>,
    out: Output,
}

impl Job {
    fn new(window: &str, memory_bytes: u64) -> Self {
        let header = Header::parse(&format!(
            "operator: window_aggregate\ncolumns: at timestamp, k bigint\n\
             window: {window}\ntime: at\nkeys: k\naggregates: count(*), sum(k)"
        ));
        let operator = header.spec().build(header.input(), header.output()).expect("built");
        let (store, memory) = (Arc::new(MemoryStore::default()), MemoryBudget::new(memory_bytes));
        let state = Arc::new(Mutex::new(TaskState::new(store.clone(), 0)));
        let mut job = Job { header, operator, store, state, memory, out: Output::new() };
        let context = OperatorContext {
            clock: Default::default(),
            name: "w".to_owned(),
            subtask: 0,
            parallelism: 1,
            state: job.state.clone(),
            groups: GroupRange::ALL,
            memory: job.memory.clone(),
            metrics: Arc::new(OperatorMetrics::default()),
        };
        job.operator.open(&context).expect("opened");
        job
    }

    fn rows(&mut self, at_ms: i64, keys: impl IntoIterator<Item = i64>) {
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(keys));
        let at: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![at_ms; keys.len()]));
        let rows = RecordBatch::try_new(self.header.input(), vec![at, keys]).expect("columns fit");
        self.operator.on_batch(Batch::inserts(rows), &mut self.out).expect("rows");
    }

    fn epoch(&mut self) {
        self.operator.on_epoch_end(&mut self.out).expect("epoch ends");
        let epoch = self.store.applied().next();
        let delta = self.state.lock().expect("one thread").end_epoch(epoch);
        self.store.apply(epoch, &[delta]).expect("applied");
    }

    /// The groups that a watermark lets fire, and the number of rows in each portion.
    fn fire(&mut self, watermark_ms: i64) -> (Groups, Vec<usize>) {
        let (mut results, mut portions) = (Groups::new(), Vec::new());
        let watermark = EventTime::from_ms(watermark_ms);
        self.operator.on_watermark(watermark, &mut self.out).expect("time passes");
        let mut has_more = true;
        while has_more {
            let mut rows = 0;
            while let Some((_, message)) = self.out.pop() {
                let batch = match message {
                    Message::Batch(batch) => batch,
                    Message::Watermark(passed) => {
                        has_more = false;
                        assert_eq!(passed, watermark);
                        continue;
                    }
                };
                assert!(has_more, "the watermark comes after all rows");
                rows += batch.num_rows();
                let column = |index: usize| batch.rows.column(index);
                let ends = arrow::compute::cast(column(2), &arrow::datatypes::DataType::Int64);
                let ends = ends.expect("milliseconds");
                let number = |column: &ArrayRef, row| column.as_primitive::<Int64Type>().value(row);
                for row in 0..batch.num_rows() {
                    let key = (number(&ends, row), number(column(0), row));
                    let before =
                        results.insert(key, (number(column(3), row), number(column(4), row)));
                    assert_eq!(before, None, "a group fires once");
                }
            }
            portions.push(rows);
            let said = self.operator.resume(&mut self.out).expect("goes on");
            assert!(has_more || !said, "nothing is left behind a watermark");
        }
        (results, portions)
    }

    /// Number of runs of the panes.
    fn runs(&self) -> usize {
        let runs = PaneRuns::new(self.state.clone(), TableId::new("w", "panes"));
        runs.panes(GroupRange::ALL).expect("read").values().map(Vec::len).sum()
    }
}

#[test]
fn a_window_larger_than_memory_fires_in_bounded_parts() {
    const LIMIT: u64 = 8 << 20;
    let run = |window: &str, limit: u64| {
        let mut job = Job::new(window, limit);
        let mut most_bytes = 0;
        for batch in 0..60i64 {
            // 600,000 keys, each in two batches.
            job.rows(batch % 20, (batch / 2 * 20_000..).take(20_000));
            most_bytes = most_bytes.max(job.memory.used_bytes());
            if job.memory.is_over() {
                job.epoch();
                assert!(!job.memory.is_over(), "after an epoch {}", job.memory.used_bytes());
            }
        }
        let mut results = BTreeMap::new();
        for watermark_ms in [9, 19, 29] {
            let (more, portions) = job.fire(watermark_ms);
            assert!(portions.iter().all(|rows| *rows <= 1 << 16), "{portions:?}");
            results.extend(more);
        }
        job.epoch();
        job.epoch();
        assert_eq!((job.runs(), job.memory.used_bytes()), (0, 0), "nothing stays behind");
        (results, most_bytes)
    };
    for window in ["tumble size 10", "hop size 20 slide 10", "cumulate size 20 step 10"] {
        let (expected, _) = run(window, u64::MAX);
        let (found, most_bytes) = run(window, LIMIT);
        assert!(expected.len() >= 600_000, "{window}");
        assert!(found == expected, "{window}: {} and {} groups", found.len(), expected.len());
        assert!(most_bytes < LIMIT * 3 / 2, "{window}: {most_bytes}");
    }
}

#[test]
fn a_pane_that_lives_for_thousands_of_epochs_has_few_runs() {
    for window in ["tumble size 100000", "hop size 100000 slide 50000"] {
        let mut job = Job::new(window, u64::MAX);
        for epoch in 0..3000 {
            job.rows(epoch, [epoch % 10, 100 + epoch]);
            job.epoch();
        }
        assert!(job.runs() <= 7 * 5, "{window}: {} runs", job.runs());
        let (results, _) = job.fire(99_999);
        let expected = |key: i64| if key < 10 { (300, 300 * key) } else { (1, key) };
        let last = results.iter().filter(|((end, _), _)| *end == 100_000);
        assert_eq!(last.clone().count(), 3010, "{window}");
        for ((_, key), found) in last {
            assert_eq!(*found, expected(*key), "{window}, key {key}");
        }
    }
}
