//! A checkpoint that an earlier build has written is read as it was: the bytes on disk are frozen.
//!
//! `BLESS=1 cargo nextest run -p millstream-state --run-ignored all golden` writes it anew, which is
//! right only together with a new format or layout number.

mod common;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, DictionaryArray, RecordBatch};
use arrow::datatypes::Int32Type;
use common::{groups, key, manifest, pane, rows};
use millstream_state::checkpoint::{
    Checkpoints, DirectoryCheckpoints, DirectoryOptions, Manifest, OperatorState, SourceState,
    SplitState,
};
use millstream_state::timers::Due;
use millstream_state::{
    Epoch, EventTime, GroupRange, KeyedTable, PaneRuns, SharedState, TableId, TaskState, Timers,
    Value,
};

const EPOCH: u64 = 42;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoint-1")
}

struct Handles {
    runs: PaneRuns,
    fired: Value,
    rows: KeyedTable,
    short: KeyedTable,
    timers: Timers,
}

fn handles(state: &SharedState) -> Handles {
    let table = |name| TableId::new("window-3", name);
    Handles {
        runs: PaneRuns::new(state.clone(), table("panes")),
        fired: Value::new(state.clone(), table("fired")),
        rows: KeyedTable::new(state.clone(), table("rows")),
        short: KeyedTable::new(state.clone(), table("short")).with_ttl(GroupRange::ALL, 1000),
        timers: Timers::new(state.clone(), table("timers"), GroupRange::ALL),
    }
}

fn words() -> RecordBatch {
    let words: DictionaryArray<Int32Type> = vec![Some("x"), None, Some("y")].into_iter().collect();
    RecordBatch::try_from_iter([("word", Arc::new(words) as ArrayRef)]).expect("batch")
}

fn written() -> Manifest {
    Manifest {
        incarnation: "a1b2".into(),
        created_ms: 1_790_000_000_000,
        plan_hash: "00ff".into(),
        sources: vec![SourceState {
            name: "bids-1".into(),
            table: "bids".into(),
            splits: vec![SplitState {
                id: "bids-0".into(),
                next_offset: Some(77),
                watermark_ms: Some(-5),
                current_ms: None,
                idle: true,
                finished: false,
            }],
        }],
        operators: vec![OperatorState {
            name: "window-3".into(),
            signature: serde_json::json!({"size_ms": 10_000}),
        }],
        ..manifest(EPOCH)
    }
}

#[test]
fn a_checkpoint_of_format_1_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().expect("folder");
    let options = DirectoryOptions::default();
    let mut checkpoints = DirectoryCheckpoints::open(folder.path(), options).expect("opens");
    assert_eq!(checkpoints.adopt(&golden()).expect("adopts"), Epoch(EPOCH));
    let (read, _) = checkpoints.manifest(Epoch(EPOCH)).expect("manifest");
    assert_eq!(Manifest { files: Vec::new(), ..read }, written());
    let store = checkpoints.restore(Some(Epoch(EPOCH))).expect("restores");

    let state = Arc::new(Mutex::new(TaskState::new(store, 0)));
    let mut handles = handles(&state);
    let panes = handles.runs.panes(GroupRange::ALL).expect("panes");
    let known: Vec<_> = panes.iter().map(|(pane, runs)| (*pane, runs.len())).collect();
    assert_eq!(known, [(pane(-1000), 1), (pane(0), 2)]);
    let ids: Vec<_> = panes[&pane(0)].iter().map(|run| run.id).collect();
    let runs = handles.runs.runs(pane(0), &ids).expect("runs");
    assert_eq!(runs[0].rows, rows(5, 3));
    assert_eq!(runs[1].rows, words());
    assert_eq!((runs[0].info.groups, runs[0].info.rows), (groups(3, 200), 5));
    assert_eq!(handles.fired.get().expect("value"), Some(EventTime::from_ms(-1)));
    let found = handles.rows.scan(GroupRange::ALL, None, 10).expect("rows");
    assert_eq!(found, [(key(0, b""), b"empty".to_vec()), (key(255, b"\xff"), b"last".to_vec())]);
    handles.short.advance(EventTime::from_ms(1499)).expect("advances");
    assert_eq!(handles.short.get(&key(7, b"k")).expect("row"), Some(b"short".to_vec()));
    handles.short.advance(EventTime::from_ms(1500)).expect("advances");
    assert_eq!(handles.short.get(&key(7, b"k")).expect("row"), None);
    let due = handles.timers.take_due(EventTime::MAX, 10).expect("timers");
    let expected = [-3, 9].map(|at| Due { at: EventTime::from_ms(at), key: key(9, b"t") });
    assert_eq!(due, expected);
}

/// Writes the golden checkpoint.
#[test]
#[ignore = "writes files; only with BLESS=1"]
fn write_the_golden_checkpoint() {
    assert!(std::env::var_os("BLESS").is_some(), "BLESS=1 says that it is meant");
    let folder = tempfile::tempdir().expect("folder");
    let options = DirectoryOptions::default();
    let mut checkpoints = DirectoryCheckpoints::open(folder.path(), options).expect("opens");
    let store = checkpoints.restore(None).expect("empty");
    let state = Arc::new(Mutex::new(TaskState::new(store.clone(), 1)));
    let mut handles = handles(&state);
    handles.runs.append(pane(0), groups(3, 200), rows(5, 3));
    handles.runs.append(pane(0), GroupRange::ALL, words());
    handles.runs.append(pane(-1000), GroupRange::ALL, rows(1, 2));
    handles.fired.set(EventTime::from_ms(-1));
    handles.rows.put(key(0, b""), b"empty", EventTime::MIN).expect("puts");
    handles.rows.put(key(255, b"\xff"), b"last", EventTime::MIN).expect("puts");
    handles.short.put(key(7, b"k"), b"short", EventTime::from_ms(500)).expect("puts");
    for at in [9, -3] {
        handles.timers.set(&key(9, b"t"), EventTime::from_ms(at)).expect("sets");
    }
    let delta = state.lock().expect("lock").end_epoch(Epoch(EPOCH));
    store.apply(Epoch(EPOCH), &[delta]).expect("applies");
    checkpoints.seal(written()).expect("seals");
    let source = folder.path().join("checkpoints").join(format!("{EPOCH:012}"));
    drop(std::fs::remove_dir_all(golden()));
    std::fs::create_dir_all(golden()).expect("makes");
    for entry in std::fs::read_dir(source).expect("folder") {
        let path = entry.expect("entry").path();
        std::fs::copy(&path, golden().join(path.file_name().expect("name"))).expect("copies");
    }
}
