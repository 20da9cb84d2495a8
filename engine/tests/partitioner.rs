//! The exchange on random batches: equal keys meet, in order, and nothing is lost.

mod common;

use std::collections::BTreeMap;

use arrow::array::Int8Array;
use common::{Row, batch, rows};
use millstream_engine::exchange::Partitioner;
use millstream_operators::Batch;
use proptest::prelude::*;

fn split(partitioner: &mut Partitioner, batch: Batch) -> Vec<(usize, Batch)> {
    let mut parts = Vec::new();
    partitioner.split(batch, |to, part| parts.push((to, part))).expect("splits");
    parts
}

proptest! {
    #[test]
    fn equal_keys_go_to_one_place_in_order(
        batches in prop::collection::vec(prop::collection::vec((0..20i64, any::<i64>(), 0..9i64), 1..50), 1..10),
        destinations in 1..9usize,
    ) {
        let mut partitioner = Partitioner::new(vec![0], destinations);
        let mut received: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
        for sent in &batches {
            let parts = split(&mut partitioner, batch(sent));
            prop_assert!(parts.is_sorted_by(|a, b| a.0 < b.0), "one part a destination, in order");
            for (to, part) in parts {
                prop_assert!(part.num_rows() > 0 && to < destinations);
                received.entry(to).or_default().extend(rows(&part));
            }
        }
        let sent: Vec<Row> = batches.concat();
        prop_assert_eq!(received.values().map(Vec::len).sum::<usize>(), sent.len());
        for key in 0..20 {
            let of_key = |rows: &[Row]| rows.iter().filter(|row| row.0 == key).copied().collect::<Vec<_>>();
            let places: Vec<Vec<Row>> =
                received.values().map(|rows| of_key(rows)).filter(|rows| !rows.is_empty()).collect();
            prop_assert!(places.len() <= 1, "key {} is in several places", key);
            prop_assert_eq!(places.concat(), of_key(&sent));
        }
    }
}

#[test]
fn kinds_stay_with_their_rows() {
    let keys: Vec<Row> = (0..100).map(|key| (key, key, 0)).collect();
    let kinds: Int8Array = (0..100).map(|key| Some((key % 4) as i8)).collect();
    let sent = Batch { rows: batch(&keys).rows, kinds: Some(kinds) };
    let parts = split(&mut Partitioner::new(vec![0], 3), sent);
    assert_eq!(parts.len(), 3);
    for (_, part) in parts {
        for (row, (key, ..)) in rows(&part).into_iter().enumerate() {
            assert_eq!(part.kind(row) as i64, key % 4);
        }
    }
}
