//! Tasks read while an epoch is applied, checkpoints are made and garbage is compacted: a reader
//! sees an epoch that was applied before, or a later one, and never a run without its rows.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use common::{append, change, key, manifest, pane, put, rows, run, table};
use millstream_state::checkpoint::{Checkpoints, DirectoryCheckpoints, DirectoryOptions};
use millstream_state::{Epoch, GroupRange, RunId, StateDelta, StateStore};

/// Epoch `n` has one run, of `n`, and one row, that says `n`.
fn delta(epoch: u64) -> StateDelta {
    let mut delta = StateDelta::default();
    let new = run(epoch, 0, 0, GroupRange::ALL, rows(2000, epoch as i64 | 1));
    append(&mut delta, &table(0), pane(0), new);
    if epoch > 1 {
        let old = RunId { epoch: Epoch(epoch - 1), task: 0, number: 0 };
        change(&mut delta, &table(0), pane(0)).removed.insert(old);
    }
    put(&mut delta, &table(1), key(0, b"epoch"), Some(epoch.to_be_bytes().to_vec()));
    // Some epochs are several writes, so that readers come in between.
    if epoch % 10 == 5 {
        for number in 0..3 {
            put(&mut delta, &table(1), key(1, &[number]), Some(vec![epoch as u8; 17 << 20]));
        }
    }
    delta
}

fn read(store: &dyn StateStore) {
    let applied = store.applied();
    if applied.0 == 0 {
        return;
    }
    let panes = store.panes(&table(0), GroupRange::ALL).expect("panes");
    let known = panes[0].1[0];
    assert!(panes.len() == 1 && panes[0].1.len() == 1 && known.id.epoch >= applied);
    // Gone by now, or there with its rows.
    for run in store.runs(&table(0), pane(0), &[known.id]).expect("runs") {
        assert_eq!(run.rows, rows(2000, known.id.epoch.0 as i64 | 1));
    }
    let value = store.get_many(&table(1), &[key(0, b"epoch")]).expect("row").pop().flatten();
    let epoch = u64::from_be_bytes(value.expect("there").try_into().expect("8 bytes"));
    assert!(epoch >= applied.0, "{epoch} is read after {applied} was applied");
}

#[test]
fn readers_see_whole_epochs() {
    let folder = tempfile::tempdir().expect("folder");
    let options = DirectoryOptions::default();
    let mut checkpoints = DirectoryCheckpoints::open(folder.path(), options).expect("opens");
    let store = checkpoints.restore(None).expect("empty");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    read(&*store);
                }
            });
        }
        for epoch in 1..=40 {
            store.apply(Epoch(epoch), &[Arc::new(delta(epoch))]).expect("applies");
            if epoch % 10 == 0 {
                checkpoints.seal(manifest(epoch)).expect("seals");
                checkpoints.retain(Epoch(epoch)).expect("collects");
            }
        }
        done.store(true, Relaxed);
    });
    read(&*store);
}
