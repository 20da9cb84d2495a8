//! How a job begins: every case of what was committed and what is kept, and each refusal with its
//! way out.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex};

use common::broker::Fate;
use common::durable::{durability, sums};
use common::{After, Event, Graph, Row, TestSource, World, by_key};
use millstream_connectors::commit::Committed;
use millstream_engine::epoch::protocol::Phase;
use millstream_engine::job::RunOptions;
use millstream_engine::recovery::{Beginning, decide};
use millstream_engine::sim::{Kept, Simulation};
use millstream_engine::{Durability, EngineError, ErrorKind, Outcome};
use millstream_operators::graph::WatermarkEmit;
use millstream_operators::{JobGraph, Partitioning};
use millstream_state::Epoch;
use millstream_state::checkpoint::{Checkpoints, MemoryCheckpoints, OperatorState};

use Partitioning::Forward;

fn committed(epoch: u64, finished: bool) -> Committed {
    Committed { epoch: Epoch(epoch), snapshot_crc: 1, finished }
}

/// What was committed, the snapshots there are, `--fresh`, and what is to be done.
type Case = (Option<Committed>, &'static [u64], bool, Option<Beginning>);

#[test]
fn every_combination_is_decided() {
    let epochs = |numbers: &[u64]| numbers.iter().copied().map(Epoch).collect::<Vec<_>>();
    let genesis = |epoch| Some(Beginning::Genesis(Epoch(epoch)));
    let cases: Vec<Case> = vec![
        (None, &[], false, genesis(0)),
        (None, &[0], false, Some(Beginning::Pinned(Epoch(0)))),
        (None, &[0, 1], false, None),
        (None, &[4, 5], false, None),
        (None, &[4, 5], true, genesis(0)),
        (Some(committed(5, false)), &[4, 5], false, Some(Beginning::Snapshot(committed(5, false)))),
        (
            Some(committed(5, false)),
            &[4, 5, 6],
            false,
            Some(Beginning::Snapshot(committed(5, false))),
        ),
        (Some(committed(5, false)), &[4, 6], false, None),
        (Some(committed(5, false)), &[], false, None),
        (Some(committed(5, false)), &[], true, genesis(6)),
        (Some(committed(5, false)), &[5], true, genesis(6)),
        (Some(committed(5, true)), &[], false, genesis(6)),
        (Some(committed(5, true)), &[5], false, Some(Beginning::Finished(committed(5, true)))),
        (Some(committed(5, true)), &[3], false, Some(Beginning::Finished(committed(5, true)))),
        (Some(committed(5, true)), &[5], true, genesis(6)),
        (Some(committed(5, true)), &[6], false, Some(Beginning::Pinned(Epoch(6)))),
        (Some(committed(5, true)), &[6, 7], false, None),
    ];
    for (pointer, snapshots, fresh, expected) in cases {
        let said = decide(pointer.clone(), &epochs(snapshots), fresh);
        let case = format!("{pointer:?} with {snapshots:?}, fresh {fresh}");
        match (said, expected) {
            (Ok(said), Some(expected)) => assert_eq!(said, expected, "{case}"),
            (Err(error), None) => refused(&error, "--fresh"),
            (said, _) => panic!("{case}: {said:?}"),
        }
    }
}

fn refused(error: &EngineError, hint: &str) {
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.hint().is_some_and(|text| text.contains(hint)), "{error}: {:?}", error.hint());
    assert!(!error.is_retriable());
}

/// A job that has committed two epochs and was crashed in a third.
struct Job {
    world: World,
    source: TestSource,
    snapshots: MemoryCheckpoints,
    job: Simulation,
    change: Arc<Mutex<Change>>,
}

type Change = Box<dyn FnMut(&mut Durability) + Send>;

fn graph(operator: &str) -> JobGraph {
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let sums = graph.operator(operator, &[(source, by_key())]);
    graph.sink("broker", &[(sums, Forward)]);
    graph.sink("folder", &[(source, Forward)]);
    graph.0
}

fn rows(from: i64, to: i64) -> Vec<Row> {
    (from..to).map(|i| (i % 3, i, i)).collect()
}

impl Job {
    fn new() -> Self {
        let splits = vec![vec![Event::Rows(rows(0, 25))], vec![Event::Rows(rows(0, 25))]];
        let source = TestSource::new(splits, After::Silence);
        let mut world = World::default();
        world.sources.insert("in".into(), source.clone());
        let snapshots = MemoryCheckpoints::default();
        let change = Arc::new(Mutex::new(Box::new(|_: &mut Durability| {}) as Change));
        let kept = {
            let (snapshots, change) = (snapshots.clone(), change.clone());
            Kept::of(move || {
                let mut durability = durability(snapshots.clone());
                change.lock().unwrap()(&mut durability);
                durability
            })
        };
        let components = Arc::new(world.clone());
        let options = RunOptions::new(2);
        let mut job =
            Simulation::durable(&graph("sums"), options, components, kept, 1).expect("starts");
        for _ in 0..2 {
            job.settle().unwrap();
            job.end_epoch().unwrap();
        }
        source.feed(0, Event::Rows(rows(25, 31)));
        job.settle().unwrap();
        job.crash();
        Job { world, source, snapshots, job, change }
    }

    fn change(&self, change: impl FnMut(&mut Durability) + Send + 'static) {
        *self.change.lock().unwrap() = Box::new(change);
    }

    fn finish(&mut self) -> Vec<Row> {
        self.source.feed(1, Event::Rows(rows(25, 31)));
        self.job.settle().unwrap();
        self.job.end_epoch().unwrap();
        let mut got = self.world.broker.rows("broker");
        got.sort_unstable();
        got
    }
}

fn expected() -> Vec<Row> {
    sums(&[rows(0, 30), rows(0, 30)].concat())
}

#[test]
fn it_goes_on_from_the_last_committed_epoch() {
    let mut job = Job::new();
    job.job.restart(3).unwrap();
    let recovery = job.job.recovery().clone();
    assert_eq!((recovery.restored, recovery.parallelism), (Some(Epoch(2)), 2));
    assert_eq!(recovery.incarnation, "test.1");
    assert_eq!(job.finish(), expected());
    let calls = job.world.folder.calls();
    assert_eq!(calls[..3], ["recover None", "publish 1", "publish 2"]);
    assert_eq!(calls[3..], ["recover Some(Epoch(2))", "publish 3"]);
    assert_eq!(job.world.jobs.lock().unwrap().len(), 2, "tables were opened for each start");
}

#[test]
fn later_snapshots_are_moved_away() {
    let mut job = Job::new();
    // A snapshot that was sealed and never committed.
    let mut snapshots = job.snapshots.clone();
    let (mut manifest, _) = snapshots.manifest(Epoch(2)).unwrap();
    let store = snapshots.restore(Some(Epoch(2))).unwrap();
    store.apply(Epoch(3), &[]).unwrap();
    manifest.epoch = Epoch(3);
    snapshots.seal(manifest).unwrap();
    job.job.restart(2).unwrap();
    assert_eq!(job.job.recovery().quarantined, [Epoch(3)]);
    assert_eq!(job.finish(), expected());
}

#[test]
fn a_pointer_that_is_gone_stops_the_job() {
    let mut job = Job::new();
    job.world.broker.forget();
    refused(&job.job.restart(2).unwrap_err(), "--fresh");
}

#[test]
fn a_snapshot_that_is_gone_stops_the_job() {
    let mut job = Job::new();
    job.snapshots.clear().unwrap();
    let error = job.job.restart(2).unwrap_err();
    refused(&error, "checkpoint copy");
    assert!(error.to_string().contains("epoch 2 was committed"), "{error}");
}

#[test]
fn a_snapshot_of_another_run_stops_the_job() {
    let mut job = Job::new();
    job.world.broker.lie(|pointer| pointer.snapshot_crc ^= 1);
    let error = job.job.restart(2).unwrap_err();
    refused(&error, "--fresh");
    assert!(error.to_string().contains("not the one that was committed"), "{error}");
}

#[test]
fn the_state_of_another_job_stops_it() {
    let mut job = Job::new();
    job.change(|durability| durability.job.name = "other".into());
    refused(&job.job.restart(2).unwrap_err(), "--name");
}

#[test]
fn offsets_that_somebody_moved_stop_the_job_unless_they_are_accepted() {
    let mut job = Job::new();
    job.world.broker.move_offsets();
    refused(&job.job.restart(2).unwrap_err(), "--accept-external-offsets");
    job.change(|durability| durability.accept_external_offsets = true);
    job.job.restart(2).unwrap();
    assert_eq!(job.finish(), expected(), "from the state's own positions");
}

#[test]
fn state_without_a_use_stops_the_job_unless_it_may_be_dropped() {
    let mut job = Job::new();
    // A snapshot whose operator the job does not have: the test's own operators have no signature.
    let mut snapshots = job.snapshots.clone();
    let (mut manifest, _) = snapshots.manifest(Epoch(2)).unwrap();
    let signature = serde_json::json!({"kind": "sums"});
    manifest.operators.push(OperatorState { name: "sums".into(), signature });
    snapshots.restore(Some(Epoch(2))).unwrap();
    let sealed = snapshots.seal(manifest).unwrap();
    job.world.broker.lie(|pointer| pointer.snapshot_crc = sealed.crc);
    let error = job.job.restart(2).unwrap_err();
    refused(&error, "--allow-dropped-state");
    assert!(error.to_string().contains("sums: dropped ("), "{error}");

    job.change(|durability| durability.allow_dropped_state = true);
    job.job.restart(2).unwrap();
    assert!(job.job.recovery().changes[0].change.loses_state());
    let committed = sums(&[rows(0, 20), rows(0, 20)].concat());
    let rest = sums(&[rows(25, 30), rows(25, 30)].concat());
    let mut all = [committed, rest].concat();
    all.sort_unstable();
    assert_eq!(job.finish(), all, "the open window has lost what it had");
}

#[test]
fn a_split_that_went_unread_stops_the_job() {
    let mut job = Job::new();
    job.source.remove_split("split-1");
    let error = job.job.restart(2).unwrap_err();
    refused(&error, "bring it back");
    assert!(error.to_string().contains("`split-1`"), "{error}");
}

#[test]
fn a_split_that_is_new_is_read_from_its_beginning() {
    let mut job = Job::new();
    job.source.add_split(vec![Event::Rows(rows(25, 31))], After::Silence);
    job.job.restart(2).unwrap();
    let mut got = job.finish();
    got.sort_unstable();
    assert_eq!(got, sums(&[rows(0, 30), rows(0, 30), rows(25, 30)].concat()));
}

#[test]
fn two_systems_cannot_decide() {
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    graph.sink("broker", &[(source, Forward)]);
    graph.sink("broker-b", &[(source, Forward)]);
    let mut world = World::default();
    world.sources.insert("in".into(), TestSource::of_rows(vec![rows(0, 5)], 2));
    let start = |world: &World| {
        let kept = common::durable::kept(&MemoryCheckpoints::default());
        let components = Arc::new(world.clone());
        Simulation::durable(&graph.0, RunOptions::new(1), components, kept, 1)
    };
    assert_eq!(start(&world).unwrap().run().unwrap().outcome, Outcome::Finished);
    assert_eq!(world.broker.rows("broker"), world.broker.rows("broker-b"), "one transaction");
    world.keys.insert("broker-b".into(), "other:9092".into());
    let Err(error) = start(&world) else { panic!("two deciders") };
    assert_eq!(error.kind(), ErrorKind::User);
    assert!(error.to_string().contains("two systems cannot commit an epoch together"), "{error}");
}

#[test]
fn it_can_go_back_to_a_snapshot_and_what_was_committed_since_stays() {
    let mut job = Job::new();
    job.change(|durability| durability.begin_with = Some(Epoch::GENESIS));
    job.job.restart(2).unwrap();
    assert_eq!(job.job.recovery().restored, Some(Epoch::GENESIS));
    assert_eq!(job.world.broker.pointer().unwrap().epoch, Epoch(3), "a new epoch, for positions");
    let mut twice = [expected(), sums(&[rows(0, 20), rows(0, 20)].concat())].concat();
    twice.sort_unstable();
    assert_eq!(job.finish(), twice);
}

#[test]
fn fresh_begins_anew_and_epochs_go_on() {
    let mut job = Job::new();
    job.change(|durability| durability.fresh = true);
    job.job.restart(2).unwrap();
    assert_eq!(job.job.recovery().restored, None);
    assert_eq!(job.world.broker.pointer().unwrap().epoch, Epoch(3), "the new genesis");
    job.job.settle().unwrap();
    job.job.end_epoch().unwrap();
    assert_eq!(job.world.broker.pointer().unwrap().epoch, Epoch(4));
}

#[test]
fn a_job_that_finished_is_cleaned_up_and_can_begin_anew() {
    let source = TestSource::of_rows(vec![rows(0, 25)], 4);
    let mut world = World::default();
    world.sources.insert("in".into(), source);
    let snapshots = MemoryCheckpoints::default();
    let idle = || {
        let components = Arc::new(world.clone());
        let kept = common::durable::kept(&snapshots);
        Simulation::idle(&graph("sums"), RunOptions::new(2), components, kept, 1)
    };
    let mut job = idle();
    job.restart(2).unwrap();
    // Up to the commit of the last epoch, and no further.
    while world.broker.pointer().is_none_or(|pointer| !pointer.finished) {
        assert!(job.step().unwrap());
    }
    job.crash();
    assert_eq!(world.folder.rows(), [], "a follower comes after the decider");
    job.restart(1).unwrap();
    assert!(job.recovery().had_finished && job.is_over());
    assert_eq!(job.run_to_end().unwrap().outcome, Outcome::Finished);
    assert_eq!(world.folder.rows().len(), 25);
    assert_eq!(snapshots.list().unwrap(), []);

    let last = world.broker.pointer().unwrap().epoch;
    world.broker.plan(vec![Fate::Lost]);
    let mut job = idle();
    job.restart(2).unwrap_err();
    assert_eq!(snapshots.list().unwrap(), [last.next()], "a genesis that is not committed");
    job.restart(2).unwrap();
    assert_eq!(world.broker.pointer().unwrap().epoch, last.next());
    job.run_to_end().unwrap();
    let written = 2 * sums(&rows(0, 25)).len();
    assert_eq!(world.broker.rows("broker").len(), written);

    // Killed after all was done and before the process ended: nothing is repeated.
    job.crash();
    job.restart(2).unwrap();
    assert!(job.recovery().had_finished && job.is_over());
    assert_eq!(world.broker.rows("broker").len(), written);
    assert_eq!(snapshots.list().unwrap(), [], "that was told, and the next start begins anew");
}

#[test]
fn a_predecessor_that_still_lives_is_fenced_and_adds_nothing() {
    let mut job = Job::new();
    job.job.restart(2).unwrap();
    job.job.settle().unwrap();
    job.job.request_epoch().unwrap();
    while !matches!(job.job.epoch(), Some((_, Phase::Committing))) {
        job.job.step().unwrap();
    }
    // It is held up just before its commit, and somebody starts the job elsewhere.
    let kept = common::durable::kept(&job.snapshots);
    let components = Arc::new(job.world.clone());
    let next = Simulation::durable(&graph("sums"), RunOptions::new(1), components, kept, 2);
    let mut zombie = std::mem::replace(&mut job.job, next.unwrap());
    assert_eq!(job.job.recovery().restored, Some(Epoch(2)));
    let error = loop {
        match zombie.step() {
            Ok(more) => assert!(more, "it must not come to an end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    assert!(!error.is_retriable());
    assert_eq!(job.finish(), expected());
}
