//! `millstream state …`: reads what jobs have kept, without running them and without the lock.
//!
//! A checkpoint is never changed once it is there, so it can be read while its job runs; one that
//! the job removes in between is told like any other missing file.

mod diff;
mod scan;

use std::path::{Path, PathBuf};

use millstream::state::checkpoint::{Manifest, SplitState};
use millstream::state::{RocksStore, StateError, StateStore, inspect};

use super::args::{CheckpointArguments, OutputFormat, StateArguments, StateCommand};
use super::failure::Failure;
use super::listing::{Cell, Listing, is_for_people};
use super::print;

/// Cache of a database that is only looked at.
const CACHE_BYTES: u64 = 16 << 20;
/// The file that makes a directory a checkpoint.
const MANIFEST: &str = "MANIFEST.json";

/// Runs the command that the arguments name.
pub fn state(command: StateCommand, colour: bool) -> Result<(), Failure> {
    match command {
        StateCommand::Ls(arguments) => list(&arguments),
        StateCommand::Show(arguments) => show(&arguments),
        StateCommand::Scan(arguments) => scan::scan(&arguments),
        StateCommand::Size(arguments) => size(&arguments),
        StateCommand::Verify(arguments) => verify(&arguments),
        StateCommand::Diff(arguments) => diff::diff(&arguments, colour),
    }
}

/// A checkpoint or a savepoint on disk.
struct Place {
    kind: &'static str,
    /// Its epoch, or its name.
    name: String,
    path: PathBuf,
}

/// Savepoints and what was set aside by name, then checkpoints by epoch: the last one is the newest checkpoint.
fn places(directory: &Path) -> Result<Vec<Place>, Failure> {
    if !directory.is_dir() {
        let hint = "it is beside the SQL file: orders.sql has orders.state".to_owned();
        let message = format!("{}: there is no state directory", directory.display());
        return Err(Failure::usage(message, Some(hint)));
    }
    let mut places = Vec::new();
    for (folder, kind) in
        [("quarantine", "set aside"), ("savepoints", "savepoint"), ("checkpoints", "checkpoint")]
    {
        let folder = directory.join(folder);
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut paths: Vec<PathBuf> =
            paths.filter(|path| path.join(MANIFEST).exists() && !is_partial(path)).collect();
        paths.sort();
        places.extend(paths.into_iter().map(|path| Place { kind, name: file_name(&path), path }));
    }
    Ok(places)
}

/// One that is being made or removed.
fn is_partial(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tmp")
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The newest checkpoint of a state directory.
fn newest(directory: &Path) -> Option<PathBuf> {
    let last = places(directory).ok()?.pop()?;
    (last.kind == "checkpoint").then_some(last.path)
}

/// The directory of the checkpoint that the arguments name.
fn find(arguments: &CheckpointArguments) -> Result<PathBuf, Failure> {
    let directory = &arguments.state.directory;
    let places = places(directory)?;
    let (wanted, found) = match (&arguments.savepoint, arguments.epoch) {
        (Some(name), _) => {
            let named = |place: &&Place| place.kind == "savepoint" && place.name == *name;
            (format!("savepoint `{name}`"), places.iter().find(named))
        }
        (None, Some(epoch)) => {
            let of_epoch =
                |place: &&Place| place.name.parse() == Ok(epoch) && place.kind != "savepoint";
            (format!("checkpoint of epoch {epoch}"), places.iter().find(of_epoch))
        }
        (None, None) => {
            let last = places.iter().rev().find(|place| place.kind == "checkpoint");
            ("checkpoint".to_owned(), last)
        }
    };
    found.map(|place| place.path.clone()).ok_or_else(|| {
        let hint = format!("`millstream state ls {}` lists what there is", directory.display());
        Failure::usage(format!("{}: there is no {wanted}", directory.display()), Some(hint))
    })
}

fn open(arguments: &CheckpointArguments) -> Result<(Manifest, RocksStore), Failure> {
    open_at(&find(arguments)?)
}

fn open_at(path: &Path) -> Result<(Manifest, RocksStore), Failure> {
    let manifest = manifest(path)?;
    let store = RocksStore::open_read_only(path, CACHE_BYTES).map_err(not_read)?;
    Ok((manifest, store))
}

fn manifest(path: &Path) -> Result<Manifest, Failure> {
    let file = path.join(MANIFEST);
    let failed = |reason: String| Failure::run(format!("{}: {reason}", file.display()), None);
    let bytes = std::fs::read(&file).map_err(|error| failed(error.to_string()))?;
    Ok(Manifest::from_bytes(&bytes).map_err(failed)?.0)
}

fn not_read(error: StateError) -> Failure {
    Failure::run(error.to_string(), None).about_state(&error)
}

fn list(arguments: &StateArguments) -> Result<(), Failure> {
    let columns = &["kind", "name", "epoch", "created_ms", "operators", "splits", "size_bytes"];
    let mut listing = Listing::new(columns);
    for Place { kind, name, path } in places(&arguments.directory)? {
        let mut cells = vec![Cell::Text(kind.to_owned()), Cell::Text(name)];
        match manifest(&path) {
            Ok(manifest) => {
                let splits = manifest.sources.iter().map(|source| source.splits.len() as u64).sum();
                cells.extend([
                    Cell::Count(manifest.epoch.0),
                    Cell::Clock(manifest.created_ms),
                    Cell::Count(manifest.operators.len() as u64),
                    Cell::Count(splits),
                    Cell::Bytes(manifest.bytes()),
                ]);
            }
            // Damaged: `state verify` says how.
            Err(_) => cells.extend(std::iter::repeat_n(Cell::Nothing, 5)),
        }
        listing.row(cells);
    }
    listing.print(arguments.output)
}

/// For people: a heading, then positions, then tables. For programs: the manifest.
fn show(arguments: &CheckpointArguments) -> Result<(), Failure> {
    let path = find(arguments)?;
    let shown = manifest(&path)?;
    if !is_for_people(arguments.state.output)? {
        let text = serde_json::to_string(&shown).expect("a manifest has string keys only");
        return print(&format!("{text}\n"));
    }
    let (manifest, store) = open_at(&path)?;
    print(&heading(&manifest))?;
    let people = Some(OutputFormat::Table);
    let mut splits =
        Listing::new(&["table", "split", "next_offset", "watermark_ms", "idle", "finished"]);
    for source in &manifest.sources {
        source.splits.iter().for_each(|split| splits.row(split_cells(&source.table, split)));
    }
    splits.print(people)?;
    print("\n")?;
    sizes(&store)?.print(people)
}

fn heading(manifest: &Manifest) -> String {
    let end = if manifest.finished { ", the last one: the inputs had ended" } else { "" };
    let written = Cell::Clock(manifest.created_ms).words();
    let size = Cell::Bytes(manifest.bytes()).words();
    format!(
        "job {}, epoch {}{end}\nwritten {written} by start {}, at parallelism {}; plan {}; {} files, {size}\n\n",
        manifest.job,
        manifest.epoch,
        manifest.incarnation,
        manifest.parallelism,
        manifest.plan_hash,
        manifest.files.len(),
    )
}

fn split_cells(table: &str, split: &SplitState) -> Vec<Cell> {
    vec![
        Cell::Text(table.to_owned()),
        Cell::Text(split.id.clone()),
        split.next_offset.map_or(Cell::Nothing, Cell::Count),
        Cell::Moment(split.watermark_ms),
        Cell::Flag(split.idle),
        Cell::Flag(split.finished),
    ]
}

fn size(arguments: &CheckpointArguments) -> Result<(), Failure> {
    let (_, store) = open(arguments)?;
    sizes(&store)?.print(arguments.state.output)
}

fn sizes(store: &dyn StateStore) -> Result<Listing, Failure> {
    let mut listing = Listing::new(&["table", "panes", "rows", "size_bytes"]);
    for size in store.tables().map_err(not_read)? {
        listing.row(vec![
            Cell::Text(size.table.as_str().to_owned()),
            Cell::Count(size.panes),
            Cell::Count(size.rows),
            Cell::Bytes(size.bytes),
        ]);
    }
    Ok(listing)
}

/// Checks every checkpoint, or the one that was asked for.
fn verify(arguments: &CheckpointArguments) -> Result<(), Failure> {
    let one = arguments.epoch.is_some() || arguments.savepoint.is_some();
    let paths = match one {
        true => vec![find(arguments)?],
        false => places(&arguments.state.directory)?.into_iter().map(|place| place.path).collect(),
    };
    let mut listing = Listing::new(&["checkpoint", "files", "size_bytes", "verdict"]);
    let mut damaged = Vec::new();
    for path in &paths {
        let verdict = inspect::verify(path);
        let (files, bytes) = manifest(path).map_or((Cell::Nothing, Cell::Nothing), |manifest| {
            (Cell::Count(manifest.files.len() as u64), Cell::Bytes(manifest.bytes()))
        });
        let word = if verdict.is_ok() { "as written" } else { "damaged" };
        let name = Cell::Text(path.display().to_string());
        listing.row(vec![name, files, bytes, Cell::Text(word.to_owned())]);
        damaged.extend(verdict.err().map(|error| error.to_string()));
    }
    listing.print(arguments.state.output)?;
    match damaged.is_empty() {
        true => Ok(()),
        false => Err(Failure::run(damaged.join("\n"), None)),
    }
}
