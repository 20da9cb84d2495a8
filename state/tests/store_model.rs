//! The store on disk against the model: random epochs, checkpoints, crashes and restarts; after
//! every step everything that can be read is compared (by `MirrorStore`).

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{append, change, groups, key, manifest, pane, put, rows, run, table};
use millstream_state::checkpoint::{
    Checkpoints, DirectoryCheckpoints, DirectoryOptions, MemoryCheckpoints, MirrorCheckpoints,
};
use millstream_state::{Epoch, GroupRange, RunId, StateDelta, StateStore};
use proptest::prelude::*;

const TABLES: u8 = 3;
const PANES: i64 = 4;

/// What a task does in an epoch.
#[derive(Clone, Debug)]
enum Change {
    Append {
        table: u8,
        pane: i64,
        first: u8,
        width: u8,
        rows: usize,
        seed: i64,
    },
    /// Removes the run with this index.
    Remove {
        table: u8,
        pane: i64,
        index: usize,
    },
    DropPane {
        table: u8,
        pane: i64,
    },
    Put {
        table: u8,
        group: u8,
        key: Vec<u8>,
        value: Option<Vec<u8>>,
    },
    DropTable {
        table: u8,
    },
}

#[derive(Clone, Debug)]
enum Step {
    /// An epoch, with the changes of two tasks.
    Apply(Vec<Change>, Vec<Change>),
    /// A checkpoint.
    Seal,
    /// The process dies and goes on from the last checkpoint.
    Restart,
}

fn change_strategy() -> impl Strategy<Value = Change> {
    let (tables, panes) = (0..TABLES, -1..PANES - 1);
    let at = (tables.clone(), panes);
    let text = prop::collection::vec(prop::sample::select(vec![0u8, 1, 254, 255]), 0..3);
    let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
    prop_oneof![
        6 => (at.clone(), any::<u8>(), any::<u8>(), 0..50usize, -3..4i64).prop_map(
            |((table, pane), first, width, rows, seed)| Change::Append {
                table, pane, first, width, rows, seed
            }
        ),
        2 => (at.clone(), 0..3usize)
            .prop_map(|((table, pane), index)| Change::Remove { table, pane, index }),
        1 => at.prop_map(|(table, pane)| Change::DropPane { table, pane }),
        8 => (tables.clone(), prop::sample::select(vec![0u8, 1, 128, 255]), text, value)
            .prop_map(|(table, group, key, value)| Change::Put { table, group, key, value }),
        1 => tables.prop_map(|table| Change::DropTable { table }),
    ]
}

fn step_strategy() -> impl Strategy<Value = Step> {
    let changes = || prop::collection::vec(change_strategy(), 0..8);
    prop_oneof![
        6 => (changes(), changes()).prop_map(|(one, other)| Step::Apply(one, other)),
        2 => Just(Step::Seal),
        1 => Just(Step::Restart),
    ]
}

fn delta(store: &dyn StateStore, epoch: u64, task: u32, changes: &[Change]) -> Arc<StateDelta> {
    let mut delta = StateDelta::default();
    for (number, change_) in changes.iter().enumerate() {
        match change_.clone() {
            Change::Append { table: t, pane: p, first, width, rows: count, seed } => {
                let groups = groups(first, first.saturating_add(width));
                let run = run(epoch, task, number as u32, groups, rows(count, seed));
                append(&mut delta, &table(t), pane(p), run);
            }
            Change::Remove { table: t, pane: p, index } => {
                let known = store.panes(&table(t), GroupRange::ALL).expect("panes");
                let runs = known.iter().find(|(other, _)| *other == pane(p));
                if let Some(run) = runs.and_then(|(_, runs)| runs.get(index)) {
                    change(&mut delta, &table(t), pane(p)).removed.insert(run.id);
                }
            }
            Change::DropPane { table: t, pane: p } => {
                let change = change(&mut delta, &table(t), pane(p));
                change.dropped = true;
                change.appended.clear();
            }
            Change::Put { table: t, group, key: k, value } => {
                put(&mut delta, &table(t), key(group, &k), value);
            }
            Change::DropTable { table: t } => {
                delta.dropped_tables.insert(table(t));
            }
        }
    }
    Arc::new(delta)
}

/// Reads all there is; the mirror compares.
fn read_all(store: &dyn StateStore) {
    for number in 0..TABLES {
        let table = table(number);
        for range in [GroupRange::ALL, groups(0, 0), groups(1, 127), groups(255, 255)] {
            store.panes(&table, range).expect("panes");
            let mut after = None;
            loop {
                let page = store.scan(&table, range, after.as_ref(), 3).expect("scan");
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
            }
        }
        for (pane, runs) in store.panes(&table, GroupRange::ALL).expect("panes") {
            let mut ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
            ids.push(RunId { epoch: Epoch(u64::MAX), task: 0, number: 0 });
            ids.reverse();
            let found = store.runs(&table, pane, &ids).expect("runs");
            assert_eq!(found.len() + 1, ids.len());
        }
        let keys: BTreeSet<_> = [0u8, 1, 128, 255]
            .into_iter()
            .flat_map(|group| [vec![], vec![0], vec![255, 255], vec![1]].map(|k| key(group, &k)))
            .collect();
        store.get_many(&table, &keys.into_iter().collect::<Vec<_>>()).expect("rows");
    }
    store.tables().expect("tables");
}

fn open(path: &std::path::Path, model: &MemoryCheckpoints) -> MirrorCheckpoints {
    let disk = DirectoryCheckpoints::open(path, DirectoryOptions::default()).expect("opens");
    MirrorCheckpoints::new(disk, model.clone())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_on_disk_is_the_model(steps in prop::collection::vec(step_strategy(), 1..14)) {
        let folder = tempfile::tempdir().expect("folder");
        let model = MemoryCheckpoints::default();
        let mut checkpoints = open(folder.path(), &model);
        let mut store = checkpoints.restore(None).expect("empty");
        let (mut epoch, mut sealed) = (0, None);
        for step in &steps {
            match step {
                Step::Apply(one, other) => {
                    epoch += 1;
                    let deltas =
                        [delta(&*store, epoch, 0, one), delta(&*store, epoch, 1, other)];
                    store.apply(Epoch(epoch), &deltas).expect("applies");
                }
                Step::Seal if epoch > 0 && sealed != Some(Epoch(epoch)) => {
                    checkpoints.seal(manifest(epoch)).expect("seals");
                    sealed = Some(Epoch(epoch));
                    checkpoints.retain(Epoch(epoch)).expect("collects");
                }
                Step::Seal => {}
                Step::Restart => {
                    drop(store);
                    drop(checkpoints);
                    checkpoints = open(folder.path(), &model);
                    checkpoints.quarantine_after(sealed).expect("quarantines");
                    store = checkpoints.restore(sealed).expect("restores");
                    epoch = store.applied().0;
                }
            }
            prop_assert_eq!(store.applied(), Epoch(epoch));
            prop_assert_eq!(checkpoints.list().expect("lists").last().copied(), sealed);
            read_all(&*store);
        }
    }
}
