//! What a task sees of its state, against plain maps: its own writes at once, whatever was applied
//! meanwhile; after a restart exactly what the last checkpoint holds. On the store on disk and the
//! model at once.

mod common;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use common::{groups, key, manifest, pane, rows, table};
use millstream_state::checkpoint::{
    Checkpoints, DirectoryCheckpoints, DirectoryOptions, MemoryCheckpoints, MirrorCheckpoints,
};
use millstream_state::timers::Due;
use millstream_state::{
    Epoch, EventTime, GroupRange, KeyedTable, MemoryBudget, MemoryUse, PaneKey, PaneRuns, RowKey,
    RunId, StateDelta, StateStore, TaskState, Timers,
};
use proptest::prelude::*;

const TTL_MS: i64 = 20;

#[derive(Clone, Debug)]
enum Step {
    Append {
        pane: i64,
        rows: usize,
        seed: i64,
    },
    RemoveOldest {
        pane: i64,
    },
    DropPane {
        pane: i64,
    },
    Put {
        key: RowKey,
        value: u8,
    },
    Delete {
        key: RowKey,
    },
    PutShort {
        key: RowKey,
        value: u8,
        at: i64,
    },
    DeleteShort {
        key: RowKey,
    },
    Advance {
        by: i64,
    },
    SetTimer {
        key: RowKey,
        at: i64,
    },
    DeleteTimer {
        key: RowKey,
        at: i64,
    },
    TakeDue {
        at: i64,
        limit: usize,
    },
    EndEpoch,
    /// The oldest epoch that was ended is applied and sealed.
    Apply,
    Restart,
}

fn step_strategy() -> impl Strategy<Value = Step> {
    let keys = prop::sample::select(vec![0u8, 5, 255]);
    let key = (keys, prop::sample::select(vec!["", "a", "b"]))
        .prop_map(|(group, text)| key(group, text.as_bytes()));
    let (pane, at) = (-1..2i64, -30..60i64);
    prop_oneof![
        3 => (pane.clone(), 0..9usize, 1..5i64)
            .prop_map(|(pane, rows, seed)| Step::Append { pane, rows, seed }),
        1 => pane.clone().prop_map(|pane| Step::RemoveOldest { pane }),
        1 => pane.prop_map(|pane| Step::DropPane { pane }),
        3 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Put { key, value }),
        1 => key.clone().prop_map(|key| Step::Delete { key }),
        4 => (key.clone(), any::<u8>(), at.clone())
            .prop_map(|(key, value, at)| Step::PutShort { key, value, at }),
        1 => key.clone().prop_map(|key| Step::DeleteShort { key }),
        3 => (0..15i64).prop_map(|by| Step::Advance { by }),
        3 => (key.clone(), at.clone()).prop_map(|(key, at)| Step::SetTimer { key, at }),
        1 => (key, at.clone()).prop_map(|(key, at)| Step::DeleteTimer { key, at }),
        2 => (at, 0..4usize).prop_map(|(at, limit)| Step::TakeDue { at, limit }),
        3 => Just(Step::EndEpoch),
        3 => Just(Step::Apply),
        1 => Just(Step::Restart),
    ]
}

/// What the task should see.
#[derive(Clone, Default)]
struct Expected {
    runs: BTreeMap<PaneKey, BTreeMap<RunId, RecordBatch>>,
    rows: BTreeMap<RowKey, u8>,
    short: BTreeMap<RowKey, (i64, u8)>,
    timers: BTreeSet<Due>,
    watermark: i64,
}

struct Handles {
    state: Arc<Mutex<TaskState>>,
    runs: PaneRuns,
    rows: KeyedTable,
    short: KeyedTable,
    timers: Timers,
}

impl Handles {
    fn new(store: Arc<dyn StateStore>, watermark: i64) -> Self {
        let state = Arc::new(Mutex::new(TaskState::new(store, 0)));
        let memory = || MemoryUse::new(MemoryBudget::new(150));
        let short = KeyedTable::new(state.clone(), table(2)).with_ttl(GroupRange::ALL, TTL_MS);
        let mut short = short.with_hot_rows(300, memory());
        short.advance(EventTime::from_ms(watermark)).expect("advances");
        Handles {
            runs: PaneRuns::new(state.clone(), table(0)),
            rows: KeyedTable::new(state.clone(), table(1)).with_hot_rows(300, memory()),
            short,
            timers: Timers::new(state.clone(), table(3), GroupRange::ALL),
            state,
        }
    }
}

struct World<'a> {
    folder: &'a Path,
    model: MemoryCheckpoints,
    checkpoints: Option<MirrorCheckpoints>,
    store: Arc<dyn StateStore>,
    handles: Handles,
    expected: Expected,
    epoch: u64,
    ended: VecDeque<(u64, Arc<StateDelta>, Expected)>,
    applied: Expected,
}

fn open(folder: &Path, model: &MemoryCheckpoints) -> MirrorCheckpoints {
    let disk = DirectoryCheckpoints::open(folder, DirectoryOptions::default()).expect("opens");
    MirrorCheckpoints::new(disk, model.clone())
}

impl<'a> World<'a> {
    fn new(folder: &'a Path) -> Self {
        let model = MemoryCheckpoints::default();
        let mut checkpoints = open(folder, &model);
        let store = checkpoints.restore(None).expect("empty");
        let expected = Expected { watermark: -30, ..Expected::default() };
        World {
            folder,
            model,
            checkpoints: Some(checkpoints),
            handles: Handles::new(store.clone(), -30),
            store,
            applied: expected.clone(),
            expected,
            epoch: 0,
            ended: VecDeque::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match step.clone() {
            Step::EndEpoch => {
                self.epoch += 1;
                let delta = self.handles.state.lock().expect("lock").end_epoch(Epoch(self.epoch));
                self.ended.push_back((self.epoch, delta, self.expected.clone()));
            }
            Step::Apply => {
                let Some((epoch, delta, expected)) = self.ended.pop_front() else { return };
                self.store.apply(Epoch(epoch), &[delta]).expect("applies");
                let checkpoints = self.checkpoints.as_mut().expect("open");
                checkpoints.seal(manifest(epoch)).expect("seals");
                self.applied = expected;
            }
            Step::Restart => self.restart(),
            step => self.change(step),
        }
    }

    fn restart(&mut self) {
        let sealed = Some(self.store.applied()).filter(|epoch| epoch.0 > 0);
        self.checkpoints = None;
        self.expected = self.applied.clone();
        self.ended.clear();
        let mut checkpoints = open(self.folder, &self.model);
        self.store = checkpoints.restore(sealed).expect("restores");
        self.checkpoints = Some(checkpoints);
        self.epoch = self.store.applied().0;
        self.handles = Handles::new(self.store.clone(), self.expected.watermark);
    }

    fn change(&mut self, step: Step) {
        let (handles, expected) = (&mut self.handles, &mut self.expected);
        let ms = EventTime::from_ms;
        match step {
            Step::Append { pane: at, rows: count, seed } => {
                let batch = rows(count, seed);
                let info = handles.runs.append(pane(at), GroupRange::ALL, batch.clone());
                expected.runs.entry(pane(at)).or_default().insert(info.id, batch);
            }
            Step::RemoveOldest { pane: at } => {
                let Some(runs) = expected.runs.get_mut(&pane(at)) else { return };
                if let Some((id, _)) = runs.pop_first() {
                    handles.runs.remove(pane(at), &[id]);
                }
                expected.runs.retain(|_, runs| !runs.is_empty());
            }
            Step::DropPane { pane: at } => {
                handles.runs.drop_pane(pane(at));
                expected.runs.remove(&pane(at));
            }
            Step::Put { key, value } => {
                handles.rows.put(key.clone(), &[value], EventTime::MIN).expect("puts");
                expected.rows.insert(key, value);
            }
            Step::Delete { key } => {
                expected.rows.remove(&key);
                handles.rows.delete(key);
            }
            Step::PutShort { key, value, at } => {
                handles.short.put(key.clone(), &[value], ms(at)).expect("puts");
                let old = expected.short.get(&key).map_or(i64::MIN, |(expires, _)| *expires);
                expected.short.insert(key, (old.max(at + TTL_MS), value));
                let watermark = expected.watermark;
                expected.short.retain(|_, (expires, _)| *expires > watermark);
            }
            Step::DeleteShort { key } => {
                expected.short.remove(&key);
                handles.short.delete(key);
            }
            Step::Advance { by } => {
                expected.watermark += by;
                let watermark = expected.watermark;
                handles.short.advance(ms(watermark)).expect("advances");
                expected.short.retain(|_, (expires, _)| *expires > watermark);
            }
            Step::SetTimer { key, at } => {
                handles.timers.set(&key, ms(at)).expect("sets");
                expected.timers.insert(Due { at: ms(at), key });
            }
            Step::DeleteTimer { key, at } => {
                handles.timers.delete(&key, ms(at));
                expected.timers.remove(&Due { at: ms(at), key });
            }
            Step::TakeDue { at, limit } => {
                let due: Vec<Due> = expected.timers.iter().cloned().collect();
                let due = due.into_iter().take_while(|due| due.at <= ms(at)).take(limit);
                let due: Vec<Due> = due.collect();
                assert_eq!(handles.timers.take_due(ms(at), limit).expect("fires"), due);
                expected.timers.retain(|timer| !due.contains(timer));
            }
            Step::EndEpoch | Step::Apply | Step::Restart => unreachable!("not a change"),
        }
    }

    fn compare(&mut self) {
        let (handles, expected) = (&mut self.handles, &self.expected);
        let panes = handles.runs.panes(GroupRange::ALL).expect("panes");
        let ids: BTreeMap<PaneKey, Vec<RunId>> = panes
            .iter()
            .map(|(pane, runs)| (*pane, runs.iter().map(|run| run.id).collect()))
            .collect();
        let expected_ids: BTreeMap<PaneKey, Vec<RunId>> = expected
            .runs
            .iter()
            .map(|(pane, runs)| (*pane, runs.keys().copied().collect()))
            .collect();
        assert_eq!(ids, expected_ids);
        for (pane, ids) in &ids {
            let runs = handles.runs.runs(*pane, ids).expect("runs").into_iter();
            let runs: BTreeMap<RunId, RecordBatch> =
                runs.map(|run| (run.info.id, run.rows)).collect();
            assert_eq!(runs, expected.runs[pane]);
        }
        let plain: BTreeMap<RowKey, Vec<u8>> =
            expected.rows.iter().map(|(key, value)| (key.clone(), vec![*value])).collect();
        compare_rows(&mut handles.rows, &plain);
        let short: BTreeMap<RowKey, Vec<u8>> =
            expected.short.iter().map(|(key, (_, value))| (key.clone(), vec![*value])).collect();
        compare_rows(&mut handles.short, &short);
        let next = expected.timers.first().map(|due| due.at);
        let head = handles.timers.first().expect("reads");
        assert!(next.is_none_or(|next| head.is_some_and(|head| head <= next)), "{head:?} {next:?}");
    }
}

fn compare_rows(found: &mut KeyedTable, expected: &BTreeMap<RowKey, Vec<u8>>) {
    let all: Vec<RowKey> = [0u8, 5, 255]
        .into_iter()
        .flat_map(|group| ["", "a", "b"].map(|text| key(group, text.as_bytes())))
        .collect();
    let values: Vec<_> = all.iter().map(|key| expected.get(key).cloned()).collect();
    assert_eq!(found.get_many(&all).expect("rows"), values);
    for (range, limit) in [(GroupRange::ALL, 100), (groups(0, 5), 2), (groups(255, 255), 1)] {
        let in_range = |(key, _): &(&RowKey, &Vec<u8>)| range.contains(key.group);
        let expected = expected.iter().filter(in_range).take(limit);
        let expected: Vec<_> = expected.map(|(key, value)| (key.clone(), value.clone())).collect();
        assert_eq!(found.scan(range, None, limit).expect("scan"), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_task_sees_what_it_wrote(steps in prop::collection::vec(step_strategy(), 1..60)) {
        let folder = tempfile::tempdir().expect("folder");
        let mut world = World::new(folder.path());
        for step in &steps {
            world.step(step);
            world.compare();
        }
    }
}

/// Expired rows are not just hidden: nothing of them is left in the store.
#[test]
fn expired_rows_leave_the_store() {
    let folder = tempfile::tempdir().expect("folder");
    let mut world = World::new(folder.path());
    for number in 0..3000u32 {
        let key = key(number as u8, &number.to_be_bytes());
        world.handles.short.put(key, b"value", EventTime::from_ms(0)).expect("puts");
    }
    world.step(&Step::EndEpoch);
    world.step(&Step::Apply);
    let sizes = |world: &World| -> Vec<(String, u64)> {
        let tables = world.store.tables().expect("tables").into_iter();
        tables.map(|size| (size.table.as_str().to_owned(), size.rows)).collect()
    };
    let held =
        [("operator/table-2".to_owned(), 3000), ("operator/table-2.expiry".to_owned(), 3000)];
    assert_eq!(sizes(&world), held);
    world.restart();
    world.handles.short.advance(EventTime::from_ms(TTL_MS)).expect("advances");
    world.step(&Step::EndEpoch);
    world.step(&Step::Apply);
    assert_eq!(sizes(&world), []);
}

/// More timers than are taken at a time, in more groups than one.
#[test]
fn timers_fire_in_order_whatever_the_chunks() {
    let state = TaskState::in_memory();
    let mut timers = Timers::new(state, table(0), groups(10, 20));
    let timer = |number: u64| {
        let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
        let key = key(10 + (hash % 11) as u8, &(hash >> 40).to_be_bytes());
        Due { at: EventTime::from_ms((hash % 997) as i64), key }
    };
    let mut expected: Vec<Due> = (0..3000).map(timer).collect();
    for due in &expected {
        timers.set(&due.key, due.at).expect("sets");
    }
    expected.sort();
    expected.dedup();
    let mut fired = Vec::new();
    for watermark in [-1, 0, 100, 101, 600, 996] {
        let watermark = EventTime::from_ms(watermark);
        loop {
            let due = timers.take_due(watermark, 7).expect("fires");
            let is_last = due.len() < 7;
            fired.extend(due);
            let first = timers.first().expect("reads");
            let next = expected.get(fired.len()).map(|due| due.at);
            assert!(next.is_none_or(|next| first.is_some_and(|first| first <= next)));
            if is_last {
                break;
            }
        }
        let due = expected.iter().filter(|due| due.at <= watermark).count();
        assert_eq!(fired, expected[..due]);
    }
    assert_eq!(timers.first().expect("reads"), None);
}
