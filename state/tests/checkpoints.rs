//! Checkpoints in a directory: what survives, what is recognised as damaged, what is cleaned up.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{append, groups, key, manifest, pane, put, rows, run, table};
use millstream_state::checkpoint::{
    Checkpoints, DirectoryCheckpoints, DirectoryOptions, Manifest, savepoint,
};
use millstream_state::{Epoch, RocksStore, StateDelta, StateError, StateStore, inspect};
use tempfile::TempDir;

fn open(path: &Path) -> DirectoryCheckpoints {
    DirectoryCheckpoints::open(path, DirectoryOptions::default()).expect("opens")
}

fn with_copy(path: &Path, copy: &Path) -> DirectoryCheckpoints {
    let copy_to = Some(copy.display().to_string());
    let options = DirectoryOptions { copy_to, ..DirectoryOptions::default() };
    DirectoryCheckpoints::open(path, options).expect("opens")
}

/// Adds a row and a run and seals.
fn epoch(checkpoints: &mut DirectoryCheckpoints, store: &dyn StateStore, epoch: u64) {
    let mut delta = StateDelta::default();
    put(&mut delta, &table(0), key(3, &epoch.to_be_bytes()), Some(vec![7; 100]));
    append(&mut delta, &table(1), pane(1), run(epoch, 0, 0, groups(0, 9), rows(50, epoch as i64)));
    store.apply(Epoch(epoch), &[Arc::new(delta)]).expect("applies");
    checkpoints.seal(manifest(epoch)).expect("seals");
}

fn made(folder: &TempDir, epochs: u64) -> DirectoryCheckpoints {
    let mut checkpoints = open(folder.path());
    let store = checkpoints.restore(None).expect("empty");
    (1..=epochs).for_each(|number| epoch(&mut checkpoints, &*store, number));
    checkpoints
}

fn holds(store: &dyn StateStore, epochs: u64) {
    assert_eq!(store.applied(), Epoch(epochs));
    let rows = store.scan(&table(0), groups(0, 255), None, 1000).expect("scans");
    assert_eq!(rows.len() as u64, epochs);
    let panes = store.panes(&table(1), groups(0, 255)).expect("panes");
    let ids: Vec<_> = panes[0].1.iter().map(|run| run.id).collect();
    assert_eq!(store.runs(&table(1), pane(1), &ids).expect("runs").len() as u64, epochs);
}

fn checkpoint(folder: &TempDir, epoch: u64) -> PathBuf {
    folder.path().join("checkpoints").join(format!("{epoch:012}"))
}

fn files(path: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(path).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    files
}

#[test]
fn any_sealed_epoch_can_be_gone_on_from() {
    let folder = TempDir::new().expect("folder");
    drop(made(&folder, 4));
    let mut checkpoints = open(folder.path());
    assert_eq!(checkpoints.list().expect("lists"), [1, 2, 3, 4].map(Epoch));
    assert_eq!(checkpoints.quarantine_after(Some(Epoch(2))).expect("moves"), [3, 4].map(Epoch));
    let store = checkpoints.restore(Some(Epoch(2))).expect("restores");
    holds(&*store, 2);
    epoch(&mut checkpoints, &*store, 3);
    let store = checkpoints.restore(Some(Epoch(3))).expect("restores");
    holds(&*store, 3);
    assert!(folder.path().join("quarantine/000000000004").exists());
}

#[test]
fn what_was_applied_and_not_sealed_is_gone() {
    let folder = TempDir::new().expect("folder");
    let mut checkpoints = made(&folder, 1);
    let store = checkpoints.restore(Some(Epoch(1))).expect("restores");
    let mut delta = StateDelta::default();
    put(&mut delta, &table(0), key(9, b"lost"), Some(vec![1]));
    store.apply(Epoch(2), &[Arc::new(delta)]).expect("applies");
    holds(&*checkpoints.restore(Some(Epoch(1))).expect("restores"), 1);
}

#[test]
fn a_state_directory_has_one_owner() {
    let folder = TempDir::new().expect("folder");
    let _owner = open(folder.path());
    let error = DirectoryCheckpoints::open(folder.path(), DirectoryOptions::default()).err();
    let error = error.expect("is locked").to_string();
    assert!(error.contains(&format!("in use by process {}", std::process::id())), "{error}");
}

#[test]
fn any_damaged_file_is_recognised_and_named() {
    let folder = TempDir::new().expect("folder");
    drop(made(&folder, 2));
    let mut checkpoints = open(folder.path());
    let path = checkpoint(&folder, 2);
    assert!(files(&path).len() >= 4);
    for file in files(&path) {
        let bytes = fs::read(&file).expect("reads");
        let name = file.file_name().expect("name").to_string_lossy().into_owned();
        let mut damages: Vec<Option<Vec<u8>>> = vec![None];
        // A write-ahead log is there and empty.
        damages.extend(bytes.split_last().map(|(_, cut)| Some(cut.to_vec())));
        for at in (0..bytes.len()).step_by(bytes.len().div_ceil(20).max(1)) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            damages.push(Some(flipped));
        }
        for damage in damages {
            // Removed first: a linked file is one file in all checkpoints.
            drop(fs::remove_file(&file));
            if let Some(damaged) = &damage {
                fs::write(&file, damaged).expect("writes");
            }
            let error = checkpoints.restore(Some(Epoch(2))).err().expect("is damaged").to_string();
            assert!(error.contains(&name), "{error}");
        }
        fs::write(&file, &bytes).expect("writes");
    }
    holds(&*checkpoints.restore(Some(Epoch(2))).expect("is whole again"), 2);
}

#[test]
fn a_missing_epoch_is_a_clear_error() {
    let folder = TempDir::new().expect("folder");
    let mut checkpoints = made(&folder, 1);
    let error = checkpoints.restore(Some(Epoch(9))).err().expect("is missing");
    assert!(matches!(error, StateError::Missing { epoch: Epoch(9), .. }), "{error}");
    assert!(matches!(checkpoints.manifest(Epoch(9)), Err(StateError::Missing { .. })));
}

#[test]
fn half_made_checkpoints_are_never_listed_and_go_at_the_next_start() {
    let folder = TempDir::new().expect("folder");
    drop(made(&folder, 1));
    let partial = folder.path().join("checkpoints/000000000002.tmp");
    fs::create_dir(&partial).expect("makes");
    fs::write(partial.join("MANIFEST.json"), "{").expect("writes");
    let mut checkpoints = open(folder.path());
    assert_eq!(checkpoints.list().expect("lists"), [Epoch(1)]);
    checkpoints.quarantine_after(Some(Epoch(1))).expect("cleans");
    assert!(!partial.exists());
}

#[test]
fn garbage_goes_and_three_committed_ones_stay() {
    let folder = TempDir::new().expect("folder");
    let mut checkpoints = made(&folder, 6);
    checkpoints.retain(Epoch(5)).expect("collects");
    checkpoints.retain(Epoch(5)).expect("collects again");
    assert_eq!(checkpoints.list().expect("lists"), [3, 4, 5, 6].map(Epoch));
    checkpoints.clear().expect("clears");
    assert_eq!(checkpoints.list().expect("lists"), []);
    assert_eq!(files(folder.path()), ["LOCK", "checkpoints"].map(|name| folder.path().join(name)));
}

#[test]
fn a_savepoint_outlives_its_checkpoint_and_starts_another_job() {
    let (folder, other) = (TempDir::new().expect("folder"), TempDir::new().expect("folder"));
    let mut checkpoints = made(&folder, 2);
    let path = savepoint(folder.path(), Epoch(2), "before-upgrade").expect("makes");
    assert!(savepoint(folder.path(), Epoch(2), "before-upgrade").is_err(), "the name is taken");
    for name in ["", "../x", "a/b", ".x", "x.tmp"] {
        assert!(savepoint(folder.path(), Epoch(2), name).is_err(), "{name}");
    }
    checkpoints.clear().expect("clears");
    let mut checkpoints = open(other.path());
    assert_eq!(checkpoints.adopt(&path).expect("adopts"), Epoch(2));
    holds(&*checkpoints.restore(Some(Epoch(2))).expect("restores"), 2);
}

#[test]
fn only_new_files_travel_and_an_empty_machine_restores_from_the_copy() {
    let (folder, copy) = (TempDir::new().expect("folder"), TempDir::new().expect("folder"));
    let mut checkpoints = with_copy(folder.path(), copy.path());
    let store = checkpoints.restore(None).expect("empty");
    for number in 1..=5 {
        epoch(&mut checkpoints, &*store, number);
        checkpoints.retain(Epoch(number)).expect("collects");
    }
    let expected = checkpoints.manifest(Epoch(5)).expect("manifest");
    // A file is there once: names and sizes of all manifests that are kept, and no others.
    let mut used: Vec<String> = (3..=5)
        .flat_map(|epoch| checkpoints.manifest(Epoch(epoch)).expect("manifest").0.files)
        .map(|file| format!("{}-{}-{:08x}", file.name, file.size, file.crc32))
        .collect();
    used.sort();
    used.dedup();
    let found = files(&copy.path().join("files"));
    let found: Vec<_> =
        found.iter().map(|file| file.file_name().expect("name").to_string_lossy()).collect();
    assert_eq!(found, used);

    let empty = TempDir::new().expect("folder");
    let mut checkpoints = with_copy(empty.path(), copy.path());
    assert_eq!(checkpoints.list().expect("lists"), [3, 4, 5].map(Epoch));
    assert_eq!(checkpoints.manifest(Epoch(5)).expect("manifest"), expected);
    let store = checkpoints.restore(Some(Epoch(5))).expect("restores");
    holds(&*store, 5);
    epoch(&mut checkpoints, &*store, 6);
    assert_eq!(checkpoints.quarantine_after(Some(Epoch(4))).expect("moves"), [5, 6].map(Epoch));
    assert_eq!(checkpoints.list().expect("lists"), [3, 4].map(Epoch));
}

#[test]
fn a_damaged_checkpoint_is_replaced_by_its_copy() {
    let (folder, copy) = (TempDir::new().expect("folder"), TempDir::new().expect("folder"));
    let mut checkpoints = with_copy(folder.path(), copy.path());
    let store = checkpoints.restore(None).expect("empty");
    epoch(&mut checkpoints, &*store, 1);
    let files = files(&checkpoint(&folder, 1));
    let sst = files.iter().rfind(|file| file.extension().is_some_and(|end| end == "sst"));
    fs::remove_file(sst.expect("has files")).expect("removes");
    holds(&*checkpoints.restore(Some(Epoch(1))).expect("fetches"), 1);
}

#[test]
fn a_copy_without_its_manifest_is_no_checkpoint() {
    let (folder, copy) = (TempDir::new().expect("folder"), TempDir::new().expect("folder"));
    let mut checkpoints = with_copy(folder.path(), copy.path());
    let store = checkpoints.restore(None).expect("empty");
    epoch(&mut checkpoints, &*store, 1);
    fs::remove_file(copy.path().join("checkpoints/000000000001.json")).expect("removes");
    let empty = TempDir::new().expect("folder");
    assert_eq!(with_copy(empty.path(), copy.path()).list().expect("lists"), []);
}

#[test]
fn what_is_written_about_an_epoch_comes_back() {
    let folder = TempDir::new().expect("folder");
    let mut checkpoints = open(folder.path());
    let store = checkpoints.restore(None).expect("empty");
    store.apply(Epoch(7), &[]).expect("applies");
    let written = Manifest { finished: true, plan_hash: "abc".into(), ..manifest(7) };
    let sealed = checkpoints.seal(written.clone()).expect("seals");
    let (read, crc) = checkpoints.manifest(Epoch(7)).expect("reads");
    assert_eq!(crc, sealed.crc);
    assert!(read.bytes() > 0 && sealed.new_bytes == sealed.bytes);
    assert_eq!(Manifest { files: Vec::new(), ..read }, written);
}

#[test]
fn a_checkpoint_is_read_and_verified_while_its_job_runs_and_stays_as_it_was() {
    let folder = TempDir::new().expect("folder");
    let mut checkpoints = made(&folder, 2);
    let store = checkpoints.restore(Some(Epoch(2))).expect("restores");
    let path = checkpoint(&folder, 2);
    let names = files(&path);
    let manifest = inspect::verify(&path).expect("is whole");
    assert_eq!(manifest.epoch, Epoch(2));
    let read = RocksStore::open_read_only(&path, 1 << 20).expect("opens");
    epoch(&mut checkpoints, &*store, 3);
    holds(&read, 2);
    drop(read);
    assert_eq!(files(&path), names, "reading leaves no files");
    inspect::verify(&path).expect("is whole still");
    fs::write(path.join("CURRENT"), "MANIFEST-000000\n").expect("writes");
    assert!(inspect::verify(&path).is_err());
}

#[test]
fn an_epoch_that_cannot_be_copied_is_not_sealed() {
    let (folder, copy) = (TempDir::new().expect("folder"), TempDir::new().expect("folder"));
    let mut checkpoints = with_copy(folder.path(), copy.path());
    let store = checkpoints.restore(None).expect("empty");
    epoch(&mut checkpoints, &*store, 1);
    fs::remove_dir_all(copy.path().join("files")).expect("removes");
    fs::write(copy.path().join("files"), "in the way").expect("writes");
    store.apply(Epoch(2), &[]).expect("applies");
    let error = checkpoints.seal(manifest(2)).expect_err("the copy fails");
    assert!(matches!(error, StateError::Copy { .. }), "{error}");
}
