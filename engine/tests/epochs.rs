//! Epochs under a seeded scheduler: what a barrier waits for and what it does not, when an epoch
//! begins, and what holds a task back.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::broker::home;
use common::durable::{durability, kept, sums};
use common::{After, Event, Graph, Row, TestSink, TestSource, World, by_key, splits};
use millstream_engine::Outcome;
use millstream_engine::epoch::protocol::Phase;
use millstream_engine::job::RunOptions;
use millstream_engine::sim::{Kept, Simulation};
use millstream_operators::graph::WatermarkEmit;
use millstream_operators::{JobGraph, Partitioning};
use millstream_state::checkpoint::MemoryCheckpoints;
use millstream_state::{Epoch, MemoryBudget};

use Partitioning::Forward;

/// `in` → sums by key → `broker`.
fn summed(operator: &str) -> JobGraph {
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let sums = graph.operator(operator, &[(source, by_key())]);
    graph.sink("broker", &[(sums, Forward)]);
    graph.0
}

fn world(source: &TestSource) -> World {
    let mut world = World::default();
    world.sources.insert("in".into(), source.clone());
    world
}

fn start(graph: &JobGraph, world: &World, kept: Kept, parallelism: usize) -> Simulation {
    let options = RunOptions::new(parallelism);
    Simulation::durable(graph, options, Arc::new(world.clone()), kept, 7).expect("starts")
}

fn every_ms(interval_ms: u64, snapshots: &MemoryCheckpoints) -> Kept {
    let snapshots = snapshots.clone();
    Kept::of(move || {
        let mut durability = durability(snapshots.clone());
        durability.interval = std::time::Duration::from_millis(interval_ms);
        durability
    })
}

fn rows(count: i64) -> Vec<Row> {
    (0..count).map(|i| (i % 7, i, i)).collect()
}

#[test]
fn results_are_visible_once_their_epoch_is_committed() {
    let source = TestSource::new(vec![vec![Event::Rows(rows(25))]], After::Silence);
    let world = world(&source);
    let mut job = start(&summed("sums"), &world, kept(&MemoryCheckpoints::default()), 2);
    job.settle().unwrap();
    assert_eq!(world.broker.rows("broker"), []);
    assert_eq!(world.broker.epochs(), [Epoch(0)], "the genesis");
    job.end_epoch().unwrap();
    let mut got = world.broker.rows("broker");
    got.sort_unstable();
    assert_eq!(got, sums(&rows(20)), "the window at 20 is open");
    assert_eq!(job.epoch(), Some((Epoch(1), Phase::Idle)));
}

#[test]
fn an_epoch_in_which_nothing_happened_is_left_out() {
    let source = TestSource::new(vec![vec![Event::Rows(rows(5))]], After::Silence);
    let world = world(&source);
    let mut job = start(&summed("sums"), &world, every_ms(100, &MemoryCheckpoints::default()), 2);
    job.let_pass(2_000).unwrap();
    assert_eq!(world.broker.epochs(), [Epoch(0), Epoch(1)]);
    source.feed(0, Event::Rows(vec![(1, 1, 6)]));
    job.let_pass(2_000).unwrap();
    assert_eq!(world.broker.epochs(), [Epoch(0), Epoch(1), Epoch(2)], "contiguous all the same");
}

#[test]
fn barriers_pass_inputs_that_are_silent_idle_or_at_their_end() {
    let mut graph = Graph::default();
    let inputs: Vec<_> = ["talking", "silent", "ending"]
        .map(|name| (graph.source(name, WatermarkEmit::OnPeriodic, Some(50)), Forward))
        .into();
    let union = graph.operator("union", &inputs);
    let summed = graph.operator("sums", &[(union, by_key())]);
    graph.sink("broker", &[(summed, Forward)]);
    let mut world = World::default();
    let talking = TestSource::new(vec![vec![Event::Rows(rows(5))]], After::Silence);
    world.sources.insert("talking".into(), talking.clone());
    world.sources.insert("silent".into(), TestSource::new(vec![vec![]], After::Silence));
    world.sources.insert("ending".into(), TestSource::of_rows(vec![rows(3)], 2));
    let mut job = start(&graph.0, &world, kept(&MemoryCheckpoints::default()), 2);
    for epoch in 1..=4 {
        talking.feed(0, Event::Rows(vec![(1, 1, 10 * epoch)]));
        job.let_pass(60).unwrap();
        job.end_epoch().unwrap();
        assert_eq!(world.broker.pointer().unwrap().epoch, Epoch(epoch as u64));
    }
    job.crash();
    job.restart(3).unwrap();
    talking.feed(0, Event::Rows(vec![(1, 1, 100)]));
    job.let_pass(200).unwrap();
    job.stop();
    assert_eq!(job.run_to_end().unwrap().outcome, Outcome::Stopped);
    // 0 … 4 and 0 … 2 in the first window; then one row in each of four.
    let mut all = [rows(5), rows(3)].concat();
    all.extend((1..=4).map(|epoch| (1, 1, 10 * epoch)));
    let mut got = world.broker.rows("broker");
    got.sort_unstable();
    assert_eq!(got, sums(&all));
}

#[test]
fn a_barrier_splits_the_rows_of_all_inputs_alike() {
    // Rows that a fast input sends behind its barrier wait until the slow one has sent its own.
    let input = splits(4, 200);
    for seed in 0..30 {
        let source = TestSource::of_rows(input.clone(), 3);
        let world = world(&source);
        let mut graph = Graph::default();
        let from = graph.source("in", WatermarkEmit::OnPeriodic, None);
        let pass = graph.operator("pass", &[(from, by_key())]);
        graph.sink("broker", &[(pass, Partitioning::Single)]);
        let options = RunOptions { parallelism: 3, edge_capacity_bytes: 1 };
        let snapshots = kept(&MemoryCheckpoints::default());
        let components = Arc::new(world.clone());
        let mut job = Simulation::durable(&graph.0, options, components, snapshots, seed).unwrap();
        for _ in 0..5 {
            (0..50 + 10 * seed).for_each(|_| _ = job.step().unwrap());
            job.end_epoch().unwrap();
            let committed: u64 =
                world.broker.positions().iter().map(|position| position.next_offset).sum();
            let visible = world.broker.rows("broker").len() as u64;
            // A batch is 3 rows, the last of a split 2.
            let missing = 3 * committed - visible;
            assert!(visible <= 3 * committed && missing <= 4, "{visible} rows, {committed} read");
        }
        job.run().unwrap();
        assert_eq!(world.broker.rows("broker").len(), 800);
    }
}

#[test]
fn memory_that_is_short_begins_an_epoch_at_once() {
    let source = TestSource::of_rows(splits(2, 500), 5);
    let world = world(&source);
    let memory = MemoryBudget::new(500);
    let snapshots = MemoryCheckpoints::default();
    let kept = Kept { memory, ..kept(&snapshots) };
    let job = start(&summed("sums"), &world, kept, 2);
    let summary = job.run().unwrap();
    assert!(summary.figures.epochs.epochs > 1, "nobody asked for any");
    let mut got = world.broker.rows("broker");
    got.sort_unstable();
    assert_eq!(got, sums(&splits(2, 500).concat()), "too little memory only costs time");
}

#[test]
fn results_that_are_many_come_bit_by_bit_while_there_is_room() {
    let many: Vec<Row> = (0..2_000).map(|key| (key, 1, 0)).collect();
    let events = vec![Event::Rows(many.clone()), Event::Rows(vec![(0, 1, 50)])];
    let mut graph = Graph::default();
    let from = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let slow = graph.operator("slow", &[(from, Forward)]);
    let pass = graph.operator("pass", &[(slow, by_key())]);
    graph.sink("out", &[(pass, Forward)]);
    let source = TestSource::new(vec![events], After::Finish);
    let sink = TestSink::default();
    let mut world = world(&source);
    world.sinks.insert("out".into(), sink.clone());
    let options = RunOptions { parallelism: 1, edge_capacity_bytes: 1_000 };
    let snapshots = kept(&MemoryCheckpoints::default());
    let components = Arc::new(world.clone());
    let mut job = Simulation::durable(&graph.0, options, components, snapshots, 3).unwrap();
    let mut most = 0;
    while job.step().unwrap() {
        most = most.max(job.metrics().nodes[pass.0].subtasks[0].queue_bytes.get());
        if sink.rows().len() == 1_000 && matches!(job.epoch(), Some((_, Phase::Idle))) {
            // A barrier waits for the end of the results: half a window is no epoch.
            job.request_epoch().unwrap();
        }
    }
    assert!(most > 500 && most <= 1_000 + 200, "{most} bytes were queued");
    assert_eq!(sink.sorted(), sums(&[many, vec![(0, 1, 50)]].concat()));
}

#[test]
fn positions_are_shown_where_the_decider_does_not_keep_them() {
    for (system, shown) in [("elsewhere", 2), ("broker", 0)] {
        let mut source = TestSource::new(vec![vec![Event::Rows(rows(5))], vec![]], After::Silence);
        source.home = Some(home(system));
        let world = world(&source);
        let snapshots = kept(&MemoryCheckpoints::default());
        let mut job = start(&summed("sums"), &world, snapshots, 1);
        source.feed(1, Event::Rows(rows(1)));
        job.settle().unwrap();
        job.end_epoch().unwrap();
        assert_eq!(source.shown.lock().unwrap().len(), shown, "{system}");
        assert_eq!(world.broker.positions().len(), 2, "they are part of the commit all the same");
    }
}

#[test]
fn figures_tell_of_epochs() {
    let source = TestSource::of_rows(vec![rows(50)], 5);
    let world = world(&source);
    let mut job = start(&summed("sums"), &world, kept(&MemoryCheckpoints::default()), 2);
    job.end_epoch().unwrap();
    let summary = job.run().unwrap();
    let epochs = summary.figures.epochs;
    assert_eq!(Some(epochs.last_epoch), world.broker.pointer().map(|pointer| pointer.epoch));
    assert!(epochs.epochs >= 2 && epochs.snapshot_bytes > 0 && epochs.max_ns > 0);
    assert!(summary.to_string().contains("epochs, the last is"), "{summary}");
}
