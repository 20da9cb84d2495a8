//! A failure at every step of a checkpoint and of a recovery: the last committed epoch can always
//! be gone on from, and nothing of the attempt is taken for a checkpoint.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{key, manifest, put, table};
use millstream_state::checkpoint::{Checkpoints, DirectoryCheckpoints, DirectoryOptions, Manifest};
use millstream_state::{Epoch, GroupRange, StateDelta, StateError, StateStore};

const SEALING: [&str; 8] = [
    "snapshot.applied",
    "snapshot.flushed",
    "snapshot.linked",
    "snapshot.files-synced",
    "snapshot.manifest-written",
    "snapshot.manifest-synced",
    "snapshot.renamed",
    "snapshot.durable",
];
const RECOVERING: [&str; 5] = [
    "recover.locked",
    "recover.quarantined",
    "recover.verified",
    "recover.linked",
    "recover.opened",
];

type Live = (DirectoryCheckpoints, Arc<dyn StateStore>);

/// What a start does: lock, quarantine, restore.
fn start(path: &Path, copy: &Path, committed: u64) -> Result<Live, StateError> {
    let copy_to = Some(copy.display().to_string());
    let options = DirectoryOptions { copy_to, ..DirectoryOptions::default() };
    let mut checkpoints = DirectoryCheckpoints::open(path, options)?;
    let committed = (committed > 0).then_some(Epoch(committed));
    checkpoints.quarantine_after(committed)?;
    let store = checkpoints.restore(committed)?;
    Ok((checkpoints, store))
}

fn apply((_, store): &Live, epoch: u64) {
    let mut delta = StateDelta::default();
    put(&mut delta, &table(0), key(0, &epoch.to_be_bytes()), Some(vec![1]));
    store.apply(Epoch(epoch), &[Arc::new(delta)]).expect("applies");
}

fn holds((checkpoints, store): &Live, committed: u64) {
    assert_eq!(store.applied(), Epoch(committed));
    let rows = store.scan(&table(0), GroupRange::ALL, None, 1000).expect("scans");
    assert_eq!(rows.len() as u64, committed);
    assert_eq!(checkpoints.list().expect("lists").last(), Some(&Epoch(committed)));
}

/// One test, for the points are those of the process.
#[test]
fn a_failure_at_any_step_loses_nothing_that_was_committed() {
    let (folder, copy) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("copy"));
    let start = |committed| start(folder.path(), copy.path(), committed);
    let mut live = start(0).expect("starts");
    let mut committed = 0;
    for round in 0..2 {
        for point in SEALING {
            // One good epoch, so that there is something to lose.
            apply(&live, committed + 1);
            live.0.seal(manifest(committed + 1)).expect("seals");
            committed += 1;
            live.0.retain(Epoch(committed)).expect("collects");
            // One that fails: it is not committed, whatever of it there is.
            apply(&live, committed + 1);
            fail::cfg(point, "1*return(asked for)").expect("sets");
            let error = live.0.seal(manifest(committed + 1)).expect_err(point).to_string();
            assert!(error.contains("asked for") && error.contains(point), "{error}");
            drop(live);
            // And a start that fails, one step further every time.
            let recovering = RECOVERING[(round + committed as usize) % RECOVERING.len()];
            fail::cfg(recovering, "1*return(asked for)").expect("sets");
            assert!(start(committed).is_err(), "{recovering}");
            live = start(committed).expect("starts");
            holds(&live, committed);
        }
    }
    fail::cfg("collect.garbage", "1*return(asked for)").expect("sets");
    apply(&live, committed + 1);
    live.0.seal(Manifest { finished: true, ..manifest(committed + 1) }).expect("seals");
    assert!(live.0.retain(Epoch(committed + 1)).is_err());
    drop(live);
    let live = start(committed + 1).expect("starts");
    holds(&live, committed + 1);
    let left = std::fs::read_dir(folder.path().join("checkpoints")).expect("folder").count();
    assert_eq!(left, 3);
}
