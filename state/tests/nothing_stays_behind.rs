//! What comes and goes leaves nothing: bytes on disk, memory and the time to open a store are in
//! the end where they were in the beginning.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use common::{append, change, manifest, pane, put, run, table};
use millstream_state::checkpoint::{Checkpoints, DirectoryCheckpoints, DirectoryOptions};
use millstream_state::{
    Epoch, GroupRange, KeyGroup, RowKey, StateDelta, StateStore, resident_bytes,
};

/// Epochs that a key lives for.
const LIFE: u64 = 5;

struct Figures {
    state_bytes: u64,
    memory_bytes: u64,
    opened_in: Duration,
}

fn directory_bytes(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let sizes = entries.filter_map(Result::ok).map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => directory_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

fn open(path: &Path) -> DirectoryCheckpoints {
    let options = DirectoryOptions { cache_bytes: 32 << 20, ..DirectoryOptions::default() };
    DirectoryCheckpoints::open(path, options).expect("opens")
}

/// A restart at `epoch`, and what the state takes then.
fn restart(path: &Path, epoch: u64) -> (DirectoryCheckpoints, Arc<dyn StateStore>, Figures) {
    let begun = Instant::now();
    let mut checkpoints = open(path);
    let store = checkpoints.restore(Some(Epoch(epoch))).expect("restores");
    let opened_in = begun.elapsed();
    let newest = path.join("checkpoints").join(format!("{epoch:012}"));
    let figures = Figures {
        state_bytes: directory_bytes(&newest),
        memory_bytes: resident_bytes().expect("Linux says"),
        opened_in,
    };
    (checkpoints, store, figures)
}

/// One epoch: `count` new keys as rows, and as one run of a pane; those of `LIFE` epochs ago go.
fn delta(epoch: u64, count: u64, adds: bool) -> StateDelta {
    let mut delta = StateDelta::default();
    // Spread over the groups and over the key space, as hashes are.
    let key = |epoch: u64, number: u64| {
        let hash = (epoch * count + number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        RowKey { group: KeyGroup::of_hash(hash), key: hash.to_be_bytes().to_vec() }
    };
    for number in 0..count {
        if adds {
            put(&mut delta, &table(0), key(epoch, number), Some(vec![number as u8; 32]));
        }
        if let Some(gone) = epoch.checked_sub(LIFE) {
            put(&mut delta, &table(0), key(gone, number), None);
        }
    }
    if adds {
        let keys: Int64Array = (0..count).map(|n| (n.wrapping_mul(epoch) << 20) as i64).collect();
        let rows = RecordBatch::try_from_iter([("key", Arc::new(keys) as ArrayRef)]).expect("rows");
        let run = run(epoch, 0, 0, GroupRange::ALL, rows);
        append(&mut delta, &table(1), pane(epoch as i64), run);
    }
    if let Some(gone) = epoch.checked_sub(LIFE) {
        change(&mut delta, &table(1), pane(gone as i64)).dropped = true;
    }
    delta
}

/// `total` keys come and go; returns what the state took before, on the way, and takes after.
fn come_and_go(path: &Path, total: u64, keys_an_epoch: u64) -> (Figures, Vec<u64>, Figures) {
    let mut checkpoints = open(path);
    let store = checkpoints.restore(None).expect("empty");
    let last = total / keys_an_epoch;
    store.apply(Epoch(1), &[]).expect("applies");
    checkpoints.seal(manifest(1)).expect("seals");
    drop((store, checkpoints));
    let (mut checkpoints, store, before) = restart(path, 1);
    let mut resident = Vec::new();
    for epoch in 2..=last + LIFE {
        let delta = delta(epoch, keys_an_epoch, epoch <= last);
        store.apply(Epoch(epoch), &[Arc::new(delta)]).expect("applies");
        checkpoints.seal(manifest(epoch)).expect("seals");
        checkpoints.retain(Epoch(epoch)).expect("collects");
        if epoch % (last / 5) == 0 {
            resident.push(resident_bytes().expect("Linux says"));
        }
    }
    assert_eq!(store.tables().expect("tables"), []);
    // The job goes on, with epochs in which nothing happens; a sweep may have been under way when
    // the last keys went.
    let quiet = last + LIFE + 3;
    for epoch in quiet - 2..=quiet {
        store.apply(Epoch(epoch), &[]).expect("applies");
        checkpoints.live().expect("restored").wait_for_sweep();
        checkpoints.seal(manifest(epoch)).expect("seals");
    }
    drop((store, checkpoints));
    let (_checkpoints, _store, after) = restart(path, quiet);
    (before, resident, after)
}

#[test]
fn half_a_million_keys_come_and_go() {
    let folder = tempfile::tempdir().expect("folder");
    let (before, _, after) = come_and_go(folder.path(), 500_000, 20_000);
    // 42 MB have passed through.
    let grown = after.state_bytes.saturating_sub(before.state_bytes);
    assert!(grown < 256 << 10, "{grown} bytes stayed");
}

/// The figures of issue 4: `cargo test --release -p millstream-state --test nothing_stays_behind --
/// --ignored --nocapture`; about two minutes.
#[test]
#[ignore = "minutes; run before a release"]
#[allow(clippy::print_stderr, reason = "it is run for its figures")]
fn twenty_million_keys_come_and_go() {
    let folder = tempfile::tempdir().expect("folder");
    let (before, resident, after) = come_and_go(folder.path(), 20_000_000, 100_000);
    let resident: Vec<u64> = resident.iter().map(|bytes| bytes >> 20).collect();
    eprintln!("resident on the way, at each fifth: {resident:?} MiB");
    for (when, figures) in [("before", &before), ("after", &after)] {
        eprintln!(
            "{when}: state {} KiB, resident {} MiB, opened in {:?}",
            figures.state_bytes >> 10,
            figures.memory_bytes >> 20,
            figures.opened_in,
        );
    }
    assert!(after.state_bytes < before.state_bytes + (256 << 10));
}
