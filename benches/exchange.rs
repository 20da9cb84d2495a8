//! What the exchange costs a row: hash of the key, key group, and a copy for each destination.
//!
//! Batches of 8192 rows with three more columns, as the local stage of a window sends them. Rows
//! a second are printed; the method is in README.md.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millstream::engine::exchange::Partitioner;
use millstream::operators::Batch;

const ROWS: i64 = 8192;

fn batch() -> Batch {
    let key = |row: i64| row.wrapping_mul(2_654_435_761) % 10_000;
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..ROWS).map(key)));
    let texts = (0..ROWS).map(|row| format!("channel-{}", key(row)));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let times: ArrayRef = Arc::new(TimestampMillisecondArray::from_iter_values(0..ROWS));
    let prices: ArrayRef = Arc::new(Int64Array::from_iter_values(0..ROWS));
    let columns = [("auction", numbers), ("channel", texts), ("at", times), ("price", prices)];
    Batch::inserts(RecordBatch::try_from_iter(columns).expect("columns of one length"))
}

fn exchange(criterion: &mut Criterion) {
    let batch = batch();
    let mut group = criterion.benchmark_group("exchange");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, keys) in [("int64", vec![0]), ("utf8", vec![1]), ("int64+utf8", vec![0, 1])] {
        for destinations in [1, 2, 8] {
            let mut partitioner = Partitioner::new(keys.clone(), destinations);
            group.bench_function(BenchmarkId::new(name, destinations), |bencher| {
                bencher.iter(|| {
                    let send = |to, part: Batch| {
                        black_box((to, part));
                    };
                    partitioner.split(black_box(batch.clone()), send).expect("splits");
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, exchange);
criterion_main!(benches);
