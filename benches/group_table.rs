//! Group tables: cost of a row (update) and of a group (take and merge), by kind and number of keys.
//!
//! One round aggregates a million rows in batches of 8,192 and takes the results, as a pane does.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use millstream::operators::aggregate::{AggregateArgs, AggregateLayout, GroupTable, Rows};
use millstream::operators::window::{
    AggregateFunction, AggregateSpec, Emission, WindowAggregateSpec, WindowTime,
};

const ROWS: usize = 1 << 20;
const BATCH: usize = 8192;

/// Kinds of keys.
#[derive(Clone, Copy, Debug)]
enum Key {
    None,
    /// Numbers 0..n.
    Dense,
    /// Numbers from the whole range.
    Sparse,
    Text,
    Composite,
}

/// A generator that gives every run the same rows (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
}

fn key_columns(kind: Key, keys: u64, random: &mut Random) -> Vec<ArrayRef> {
    let ids: Vec<u64> = (0..BATCH).map(|_| random.next() % keys).collect();
    let dense =
        || -> ArrayRef { Arc::new(ids.iter().map(|&id| Some(id as i64)).collect::<Int64Array>()) };
    let text = || -> ArrayRef {
        Arc::new(ids.iter().map(|id| Some(format!("key-{id:08}"))).collect::<StringArray>())
    };
    match kind {
        Key::None => vec![],
        Key::Dense => vec![dense()],
        Key::Sparse => {
            let scatter = |&id: &u64| Some(Random(id).next() as i64);
            vec![Arc::new(ids.iter().map(scatter).collect::<Int64Array>())]
        }
        Key::Text => vec![text()],
        Key::Composite => vec![dense(), text()],
    }
}

fn batches(kind: Key, keys: u64) -> Vec<RecordBatch> {
    let mut random = Random(42);
    (0..ROWS / BATCH)
        .map(|_| {
            let mut columns = key_columns(kind, keys, &mut random);
            let values = (0..BATCH).map(|_| Some(random.next() as i64 % 1000));
            columns.push(Arc::new(values.collect::<Int64Array>()));
            let field = |(i, column): (usize, &ArrayRef)| {
                Field::new(format!("c{i}"), column.data_type().clone(), true)
            };
            let fields: Vec<_> = columns.iter().enumerate().map(field).collect();
            RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
                .expect("columns are as the schema says")
        })
        .collect()
}

fn aggregate(function: AggregateFunction, args: Vec<Arc<dyn PhysicalExpr>>) -> AggregateSpec {
    let (filter, distinct, data_type) = (None, false, DataType::Int64);
    AggregateSpec { name: format!("{function:?}"), function, args, filter, distinct, data_type }
}

/// COUNT(*) and MAX(value), or COUNT(DISTINCT value).
fn layout(batch: &RecordBatch, distinct: bool) -> Arc<AggregateLayout> {
    let value = batch.num_columns() - 1;
    let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new("value", value));
    let mut aggregates = vec![
        aggregate(AggregateFunction::Count, vec![]),
        aggregate(AggregateFunction::Max, vec![column.clone()]),
    ];
    if distinct {
        aggregates = vec![aggregate(AggregateFunction::Count, vec![column])];
        aggregates[0].distinct = true;
    }
    let spec = WindowAggregateSpec {
        time: WindowTime::Attached { start: 0, end: 0, zone: None, is_processing: false },
        keys: (0..value).collect(),
        aggregates,
        output: vec![],
        input: batch.schema(),
        emission: Emission::default(),
    };
    Arc::new(AggregateLayout::new(&spec).expect("COUNT and MAX take BIGINT"))
}

type Input = Vec<(Vec<ArrayRef>, AggregateArgs)>;

fn fill(table: &mut GroupTable, input: &Input) {
    for (keys, args) in input {
        table.update(keys, args, Rows::All).expect("integers do not fail");
    }
}

fn bench_updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update count+max");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    let cases = [
        (Key::None, vec![1]),
        (Key::Dense, vec![100, 10_000, 100_000, 1_000_000]),
        (Key::Sparse, vec![100, 10_000, 100_000, 1_000_000]),
        (Key::Text, vec![100, 10_000, 100_000]),
        (Key::Composite, vec![10_000, 100_000]),
    ];
    for (kind, sizes) in cases {
        for keys in sizes {
            let batches = batches(kind, keys);
            let layout = layout(&batches[0], false);
            let input = input(&layout, &batches);
            let mut table = GroupTable::new(layout).expect("keys are groupable");
            group.bench_function(format!("{kind:?}/{keys}"), |bencher| {
                bencher.iter(|| {
                    fill(&mut table, &input);
                    black_box(table.take_results().expect("results fit"))
                });
            });
        }
    }
    group.finish();
}

fn input(layout: &AggregateLayout, batches: &[RecordBatch]) -> Input {
    batches
        .iter()
        .map(|batch| {
            let keys = batch.columns()[..layout.key_count()].to_vec();
            (keys, layout.evaluate_args(batch).expect("columns are there"))
        })
        .collect()
}

fn bench_distinct(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update count distinct");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    let batches = batches(Key::Dense, 10_000);
    let layout = layout(&batches[0], true);
    let input = input(&layout, &batches);
    let mut table = GroupTable::new(layout).expect("keys are groupable");
    group.bench_function("Dense/10000", |bencher| {
        bencher.iter(|| {
            fill(&mut table, &input);
            black_box(table.take_results().expect("results fit"))
        });
    });
    group.finish();
}

/// Merging two panes of the same 100,000 keys: cost of a group.
fn bench_merge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge two panes of 100000");
    group.sample_size(20);
    for kind in [Key::Dense, Key::Sparse, Key::Text] {
        let batches = batches(kind, 100_000);
        let layout = layout(&batches[0], false);
        let input = input(&layout, &batches);
        let mut table = GroupTable::new(layout).expect("keys are groupable");
        let panes: Vec<_> = (0..2)
            .map(|_| {
                fill(&mut table, &input);
                table.take_partials().expect("partials fit")
            })
            .collect();
        group.throughput(Throughput::Elements(2 * panes[0].1[0].len() as u64));
        group.bench_function(format!("{kind:?}"), |bencher| {
            bencher.iter(|| {
                for (keys, partials) in &panes {
                    table.merge(keys, partials).expect("same layout");
                }
                black_box(table.take_results().expect("results fit"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench_updates, bench_distinct, bench_merge);
criterion_main!(benches);
