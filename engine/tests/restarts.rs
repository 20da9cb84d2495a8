//! Jobs on threads that keep their state on disk, with a file as decider: they stop and go on, fail
//! and try again, and give up when that is no use.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use common::durable::{durability, sums};
use common::{After, Event, Folder, Graph, Row, TestSource, World, by_key, splits};
use millstream_connectors::commit::Committer;
use millstream_engine::job::{JobHandle, RunOptions, start_durable};
use millstream_engine::local_decider::LocalDecider;
use millstream_engine::{Durability, EngineError, ErrorKind, Outcome, RestartPolicy};
use millstream_operators::graph::WatermarkEmit;
use millstream_operators::{JobGraph, Partitioning};
use millstream_state::checkpoint::{DirectoryCheckpoints, DirectoryOptions};
use millstream_state::{Epoch, MemoryBudget};

/// `in` → sums by key → `folder`.
fn graph() -> JobGraph {
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let sums = graph.operator("sums", &[(source, by_key())]);
    graph.sink("folder", &[(sums, Partitioning::Forward)]);
    graph.0
}

fn world(source: &TestSource) -> World {
    let mut world = World::default();
    world.sources.insert("in".into(), source.clone());
    world
}

/// State in a directory, an epoch every 5 ms, restarts at once.
fn on_disk(directory: &Path) -> Durability {
    let checkpoints = DirectoryCheckpoints::open(directory, DirectoryOptions::default());
    Durability {
        state_dir: Some(directory.to_owned()),
        interval: Duration::from_millis(5),
        restart: RestartPolicy {
            attempts: Some(10),
            first_delay: Duration::from_millis(1),
            longest_delay: Duration::from_millis(1),
        },
        ..durability(checkpoints.expect("opens"))
    }
}

fn start(world: &World, directory: &Path, parallelism: usize) -> JobHandle {
    try_start(world, on_disk(directory), parallelism).expect("starts")
}

fn try_start(
    world: &World,
    durability: Durability,
    parallelism: usize,
) -> Result<JobHandle, EngineError> {
    let options = RunOptions::new(parallelism);
    let components = Arc::new(world.clone());
    let memory = MemoryBudget::unlimited();
    start_durable(graph(), options, components, Some(durability), memory)
}

fn until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}

fn sorted(folder: &Folder) -> Vec<Row> {
    let mut rows = folder.rows();
    rows.sort_unstable();
    rows
}

/// Cuts the rows of each split into batches.
fn batches(splits: &[Vec<Row>]) -> Vec<Vec<Event>> {
    let cut = |rows: &Vec<Row>| rows.chunks(10).map(|rows| Event::Rows(rows.to_vec())).collect();
    splits.iter().map(cut).collect()
}

#[test]
fn a_job_that_was_stopped_goes_on_with_another_parallelism() {
    let directory = tempfile::tempdir().unwrap();
    let input = splits(4, 300);
    let half: Vec<Vec<Row>> = input.iter().map(|rows| rows[..150].to_vec()).collect();
    let source = TestSource::new(batches(&half), After::Silence);
    let world = world(&source);
    let job = start(&world, directory.path(), 1);
    until(|| source.read.lock().unwrap().len() == 600);
    job.stop();
    assert_eq!(job.wait_blocking().unwrap().outcome, Outcome::Stopped);

    for (split, rows) in input.iter().enumerate() {
        rows[150..].chunks(10).for_each(|rows| source.feed(split, Event::Rows(rows.to_vec())));
    }
    source.end_all();
    let job = start(&world, directory.path(), 3);
    assert_eq!(job.wait_blocking().unwrap().outcome, Outcome::Finished);
    assert_eq!(source.read.lock().unwrap().len(), 1_200, "no row was read twice");
    assert_eq!(sorted(&world.folder), sums(&input.concat()));
    // What it has left says to the next start that nothing is left to do, and is gone after that.
    let job = start(&world, directory.path(), 2);
    assert_eq!(job.wait_blocking().unwrap().outcome, Outcome::Finished);
    assert_eq!(sorted(&world.folder), sums(&input.concat()), "nothing is repeated");
    let snapshots = std::fs::read_dir(directory.path().join("checkpoints")).unwrap();
    assert_eq!(snapshots.count(), 0);
}

#[test]
fn an_abort_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let input = splits(3, 400);
    let source = TestSource::new(batches(&input), After::Finish);
    let world = world(&source);
    for attempt in 0..5 {
        let job = start(&world, directory.path(), 2);
        until(|| source.read.lock().unwrap().len() > attempt * 50);
        job.abort();
        match job.wait_blocking().unwrap().outcome {
            Outcome::Finished => break,
            outcome => assert_eq!(outcome, Outcome::Aborted),
        }
    }
    start(&world, directory.path(), 2).wait_blocking().unwrap();
    let mut rows = sorted(&world.folder);
    rows.dedup();
    assert_eq!(rows, sums(&input.concat()));
}

#[test]
fn what_does_not_answer_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let input = splits(1, 100);
    let mut events = batches(&input);
    events[0].insert(5, Event::Away(Arc::new(AtomicUsize::new(3))));
    let world = world(&TestSource::new(events, After::Finish));
    let job = start(&world, directory.path(), 2);
    let recovery = job.recovery();
    let summary = job.wait_blocking().unwrap();
    assert_eq!((summary.outcome, summary.figures.epochs.restarts), (Outcome::Finished, 3));
    assert_eq!(recovery.borrow().restarts, 3);
    assert_eq!(sorted(&world.folder), sums(&input.concat()));
    let names: Vec<String> =
        world.jobs.lock().unwrap().iter().flatten().map(|job| job.incarnation.clone()).collect();
    assert_eq!(names, ["test", "test.1", "test.2", "test.3"], "each start has its own name");
}

#[test]
fn a_panic_is_tried_a_few_times_and_a_bad_record_never() {
    for (event, starts, kind) in
        [(Event::Panic, 1 + RestartPolicy::BUGS, ErrorKind::Bug), (Event::Fail, 1, ErrorKind::Data)]
    {
        let directory = tempfile::tempdir().unwrap();
        let world = world(&TestSource::new(vec![vec![event]], After::Silence));
        let error = start(&world, directory.path(), 1).wait_blocking().unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(world.jobs.lock().unwrap().len(), starts as usize);
    }
}

#[test]
fn a_stop_ends_the_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let events = vec![Event::Away(Arc::new(AtomicUsize::new(usize::MAX)))];
    let world = world(&TestSource::new(vec![events], After::Silence));
    let mut durability = on_disk(directory.path());
    durability.restart.first_delay = Duration::from_secs(3_600);
    durability.restart.longest_delay = Duration::from_secs(3_600);
    let job = try_start(&world, durability, 1).unwrap();
    let recovery = job.recovery();
    until(|| recovery.borrow().retry_in_ms.is_some());
    assert_eq!(recovery.borrow().failure.as_deref(), Some("table `in`: the broker is away"));
    job.stop();
    let error = job.wait_blocking().unwrap_err();
    assert_eq!(error.to_string(), "table `in`: the broker is away");
}

#[test]
fn a_savepoint_is_kept_and_epochs_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let source = TestSource::new(batches(&splits(1, 50)), After::Silence);
    let world = world(&source);
    let job = start(&world, directory.path(), 1);
    job.control().savepoint("before").unwrap();
    let savepoint = directory.path().join("savepoints/before/MANIFEST.json");
    until(|| savepoint.exists());
    source.feed(0, Event::Rows(vec![(1, 1, 10_000)]));
    until(|| world.folder.rows().len() == sums(&splits(1, 50).concat()).len());
    job.stop();
    job.wait_blocking().unwrap();
    assert!(savepoint.exists());
}

#[test]
fn only_a_job_that_keeps_state_can_be_saved() {
    let world = world(&TestSource::new(vec![vec![]], After::Silence));
    let components = Arc::new(world);
    let memory = MemoryBudget::unlimited();
    let job = start_durable(graph(), RunOptions::new(1), components, None, memory).unwrap();
    assert_eq!(job.control().savepoint("a").unwrap_err().kind(), ErrorKind::Refused);
    job.abort();
}

#[test]
fn a_decider_file_that_is_torn_stops_the_job() {
    let directory = tempfile::tempdir().unwrap();
    let source = TestSource::new(batches(&splits(1, 50)), After::Silence);
    let world = world(&source);
    let job = start(&world, directory.path(), 1);
    until(|| source.read.lock().unwrap().len() == 50);
    job.stop();
    job.wait_blocking().unwrap();
    let durability = on_disk(directory.path());
    let mut decider = LocalDecider::new(directory.path(), &durability.job);
    assert!(decider.recover().unwrap().unwrap().epoch > Epoch(0));
    let file = directory.path().join("DECIDED");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
    let Err(error) = try_start(&world, durability, 1) else { panic!("it is torn") };
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("nobody knows which epoch was committed"), "{error}");
}

#[test]
fn state_that_does_not_fit_goes_to_disk_without_any_setting() {
    let input = splits(2, 2_000);
    let world = world(&TestSource::new(batches(&input), After::Finish));
    let memory = MemoryBudget::new(20_000);
    let components = Arc::new(world.clone());
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let sums_node = graph.operator("sums", &[(source, by_key())]);
    graph.sink("out", &[(sums_node, Partitioning::Forward)]);
    let sink = common::TestSink::default();
    let mut with_sink = (*components).clone();
    with_sink.sinks.insert("out".into(), sink.clone());
    let options = RunOptions::new(2);
    let job = start_durable(graph.0, options, Arc::new(with_sink), None, memory.clone()).unwrap();
    job.wait_blocking().unwrap();
    assert_eq!(sink.sorted(), sums(&input.concat()));
    assert_eq!(memory.used_bytes(), 0, "all that was counted was given back");
}
