//! Cost of an epoch to the state: applying it and making its checkpoint durable, by how many keys
//! the store holds and with the same number of keys touched. It should depend on the latter.
//!
//! `rows`: 10,000 rows of a keyed table are replaced, spread over all keys. `runs`: a run of 10,000
//! partial aggregates is appended to the pane that holds all keys, and the one before is removed,
//! as a window's pane does. Of 1,000 rows held only 1,000 can be touched.
//!
//! Every epoch's checkpoint is collected three later, as in a running job. Compaction runs in the
//! background meanwhile, as it does there.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use criterion::{Criterion, criterion_group, criterion_main};
use millstream::state::checkpoint::{
    Checkpoints, DirectoryCheckpoints, DirectoryOptions, FORMAT, Manifest,
};
use millstream::state::{
    Epoch, EventTime, GroupRange, KeyGroup, PaneKey, RowKey, Run, RunId, RunInfo, StateDelta,
    StateStore, TableId,
};

const TOUCHED: u64 = 10_000;
/// Keys that are written an epoch while a store is filled.
const FILLED: u64 = 200_000;
const PANE: PaneKey = PaneKey { at: EventTime::from_ms(0), start: EventTime::from_ms(0) };

#[derive(Clone, Copy, Debug)]
enum Shape {
    Rows,
    Runs,
}

/// A job's state that epochs can be applied to.
struct Job {
    checkpoints: DirectoryCheckpoints,
    store: Arc<dyn StateStore>,
    shape: Shape,
    held: u64,
    epoch: u64,
}

impl Job {
    fn new(path: &Path, shape: Shape, held: u64) -> Self {
        let options = DirectoryOptions { cache_bytes: 256 << 20, ..DirectoryOptions::default() };
        let mut checkpoints = DirectoryCheckpoints::open(path, options).expect("opens");
        let store = checkpoints.restore(None).expect("empty");
        let mut job = Job { checkpoints, store, shape, held, epoch: 0 };
        for first in (0..held).step_by(FILLED as usize) {
            job.epoch += 1;
            let delta = match shape {
                Shape::Rows => job.rows(first..(first + FILLED).min(held)),
                Shape::Runs => job.run(FILLED.min(held - first), None),
            };
            job.store.apply(Epoch(job.epoch), &[Arc::new(delta)]).expect("applies");
        }
        // What the filling left to compaction is not a cost of the epochs that follow.
        job.checkpoints.live().expect("restored").sweep();
        job.seal();
        job
    }

    /// Replaces these keys' rows.
    fn rows(&self, numbers: impl Iterator<Item = u64>) -> StateDelta {
        let rows = numbers.map(|number| {
            let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let key = RowKey { group: KeyGroup::of_hash(hash), key: hash.to_be_bytes().to_vec() };
            (key, Some([self.epoch.to_be_bytes(), number.to_be_bytes()].concat()))
        });
        let rows = [(TableId::new("join", "rows"), rows.collect())];
        StateDelta { rows: rows.into(), ..StateDelta::default() }
    }

    /// Appends a run of so many keys.
    fn run(&self, count: u64, removed: Option<RunId>) -> StateDelta {
        let column = |seed: u64| {
            let numbers = (0..count).map(|n| (n.wrapping_mul(seed) >> 20) as i64);
            Arc::new(numbers.collect::<Int64Array>()) as ArrayRef
        };
        let columns =
            [("key", column(self.epoch << 32)), ("sum", column(77)), ("count", column(3))];
        let rows = RecordBatch::try_from_iter(columns).expect("batch");
        let bytes = rows.get_array_memory_size() as u64;
        let id = RunId { epoch: Epoch(self.epoch), task: 0, number: 0 };
        let info = RunInfo { id, groups: GroupRange::ALL, rows: count, bytes };
        let mut delta = StateDelta::default();
        let pane = delta.panes.entry(TableId::new("window", "panes")).or_default();
        let pane = pane.entry(PANE).or_default();
        pane.appended.push(Run { info, rows });
        pane.removed.extend(removed);
        delta
    }

    /// An epoch that touches [`TOUCHED`] keys; what it costs.
    fn epoch(&mut self) -> Duration {
        self.epoch += 1;
        let stride = (self.held / TOUCHED).max(1);
        let last = RunId { epoch: Epoch(self.epoch - 1), task: 0, number: 0 };
        let delta = match self.shape {
            Shape::Rows => {
                let first = self.epoch % stride;
                let numbers = (0..TOUCHED).map(|n| (first + n * stride) % self.held);
                self.rows(numbers)
            }
            Shape::Runs => self.run(TOUCHED, Some(last)),
        };
        let begun = Instant::now();
        self.store.apply(Epoch(self.epoch), &[Arc::new(delta)]).expect("applies");
        self.seal();
        let cost = begun.elapsed();
        self.checkpoints.retain(Epoch(self.epoch)).expect("collects");
        cost
    }

    fn seal(&mut self) {
        let epoch = Epoch(self.epoch);
        let manifest = Manifest { format: FORMAT, epoch, ..Manifest::default() };
        self.checkpoints.seal(manifest).expect("seals");
    }
}

fn epoch_cost(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("epoch_cost");
    group.sample_size(20);
    group.measurement_time(Duration::from_secs(10));
    for shape in [Shape::Rows, Shape::Runs] {
        for held in [1_000, 100_000, 10_000_000] {
            let folder = tempfile::tempdir().expect("folder");
            let mut job = Job::new(folder.path(), shape, held);
            let name = format!("{shape:?}/{held} held").to_lowercase();
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|count| (0..count).map(|_| job.epoch()).sum());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, epoch_cost);
criterion_main!(benches);
