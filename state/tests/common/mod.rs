//! What tests of stores share: deltas and batches of little sense.
#![allow(dead_code)]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use millstream_state::checkpoint::{FORMAT, Manifest};
use millstream_state::store::PaneDelta;
use millstream_state::{
    Epoch, EventTime, GroupRange, KeyGroup, PaneKey, RowKey, Run, RunId, RunInfo, StateDelta,
    TableId,
};

pub fn table(number: u8) -> TableId {
    TableId::new("operator", &format!("table-{number}"))
}

pub fn pane(at: i64) -> PaneKey {
    PaneKey { at: EventTime::from_ms(at), start: EventTime::from_ms(at - 7) }
}

pub fn groups(first: u8, last: u8) -> GroupRange {
    GroupRange { first: KeyGroup::from_number(first), last: KeyGroup::from_number(last) }
}

pub fn key(group: u8, key: &[u8]) -> RowKey {
    RowKey { group: KeyGroup::from_number(group), key: key.to_vec() }
}

/// Rows of one of two schemas.
pub fn rows(count: usize, seed: i64) -> RecordBatch {
    let numbers: Int64Array = (0..count as i64).map(|n| (n % 3 != 1).then_some(n * seed)).collect();
    let numbers: ArrayRef = Arc::new(numbers);
    if seed % 2 == 0 {
        return RecordBatch::try_from_iter_with_nullable([("n", numbers, true)]).expect("batch");
    }
    let words: StringArray = (0..count).map(|n| Some("word".repeat(n % 5))).collect();
    let words: ArrayRef = Arc::new(words);
    let columns = [("n", numbers, true), ("w", words, true)];
    RecordBatch::try_from_iter_with_nullable(columns).expect("batch")
}

pub fn run(epoch: u64, task: u32, number: u32, groups: GroupRange, rows: RecordBatch) -> Run {
    let id = RunId { epoch: Epoch(epoch), task, number };
    let bytes = rows.get_array_memory_size() as u64;
    Run { info: RunInfo { id, groups, rows: rows.num_rows() as u64, bytes }, rows }
}

pub fn append(delta: &mut StateDelta, table: &TableId, pane: PaneKey, run: Run) {
    change(delta, table, pane).appended.push(run);
}

pub fn change<'a>(delta: &'a mut StateDelta, table: &TableId, pane: PaneKey) -> &'a mut PaneDelta {
    delta.panes.entry(table.clone()).or_default().entry(pane).or_default()
}

pub fn put(delta: &mut StateDelta, table: &TableId, key: RowKey, value: Option<Vec<u8>>) {
    delta.rows.entry(table.clone()).or_default().insert(key, value);
}

pub fn manifest(epoch: u64) -> Manifest {
    Manifest {
        format: FORMAT,
        job: "job".into(),
        epoch: Epoch(epoch),
        parallelism: 1,
        ..Manifest::default()
    }
}
