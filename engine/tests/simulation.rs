//! Whole jobs under a seeded scheduler: results do not depend on who runs when.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{
    After, Event, Graph, Row, TestSink, TestSource, World, by_key, count_windows, passed, splits,
    windowed, world,
};
use millstream_engine::job::RunOptions;
use millstream_engine::sim::Simulation;
use millstream_engine::{ErrorKind, JobSummary, Outcome};
use millstream_operators::graph::WatermarkEmit;
use millstream_operators::{JobGraph, Partitioning, Port};
use millstream_state::EventTime;

use Partitioning::Forward;

fn simulation(graph: &JobGraph, world: &World, parallelism: usize, seed: u64) -> Simulation {
    Simulation::new(graph, RunOptions::new(parallelism), Arc::new(world.clone()), seed)
        .expect("assembles")
}

fn run(graph: &JobGraph, world: &World, parallelism: usize, seed: u64) -> JobSummary {
    let summary = simulation(graph, world, parallelism, seed).run();
    summary.unwrap_or_else(|error| panic!("seed {seed}, parallelism {parallelism}: {error}"))
}

#[test]
fn results_depend_neither_on_schedule_nor_on_parallelism() {
    let input = splits(5, 40);
    let expected = count_windows(&input.concat());
    for emit in [WatermarkEmit::OnPeriodic, WatermarkEmit::OnEvent] {
        for (parallelism, seed) in [1, 2, 4].into_iter().flat_map(|p| (0..40).map(move |s| (p, s)))
        {
            let (source, sink) = (TestSource::of_rows(input.clone(), 6), TestSink::default());
            // Splits are read at different speeds, so only rows that wait for the minimum over
            // subtasks are in time: `CountWindows` fails on any other.
            let summary = run(&windowed(emit, None), &world(&source, &sink), parallelism, seed);
            assert_eq!(sink.sorted(), expected, "seed {seed}, parallelism {parallelism}");
            assert_eq!(summary.outcome, Outcome::Finished);
            assert_eq!(*sink.finished.lock().unwrap(), parallelism);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let trace = |seed| {
        let sink = TestSink::default();
        run(&passed(), &world(&TestSource::of_rows(splits(4, 50), 3), &sink), 3, seed);
        sink.rows()
    };
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8), "seeds make a difference");
}

#[test]
fn figures_add_up() {
    let input = splits(4, 50);
    let (source, sink) = (TestSource::of_rows(input.clone(), 10), TestSink::default());
    let figures = run(&passed(), &world(&source, &sink), 2, 1).figures;
    let [read, passed, written] = [0, 1, 2].map(|node: usize| figures.nodes[node].total.clone());
    assert_eq!((read.rows_in, read.rows_out, read.bytes_in), (200, 200, 2000));
    assert_eq!((passed.rows_in, passed.rows_out, passed.bytes_in), (200, 200, 200 * 24));
    assert_eq!((written.rows_in, written.rows_out, written.bytes_out), (200, 200, 200));
    assert_eq!(written.watermark, EventTime::MAX);
    assert_eq!((figures.rows_read(), figures.rows_written()), (200, 200));
    assert_eq!(figures.latency.map(|latency| latency.rows), Some(200));
}

#[test]
fn a_stop_at_any_moment_loses_nothing_that_was_read() {
    for seed in 0..200 {
        let (source, sink) = (TestSource::of_rows(splits(3, 60), 4), TestSink::default());
        let mut job = simulation(&passed(), &world(&source, &sink), 2, seed);
        for _ in 0..seed {
            job.step().expect("runs");
        }
        job.stop();
        job.run().expect("stops");
        let mut read = source.read.lock().unwrap().clone();
        read.sort_unstable();
        assert_eq!(sink.sorted(), read, "seed {seed}");
        assert_eq!(*sink.finished.lock().unwrap(), 2);
    }
}

#[test]
fn a_stop_does_not_fire_windows_that_are_not_complete() {
    let rows: Vec<Row> = (0..35).map(|at| (at % 3, 0, at)).collect();
    let complete: Vec<Row> = rows.iter().copied().filter(|row| row.2 < 30).collect();
    for seed in 0..50 {
        let source = TestSource::new(vec![vec![Event::Rows(rows.clone())]], After::Silence);
        let sink = TestSink::default();
        let graph = windowed(WatermarkEmit::OnPeriodic, None);
        let mut job = simulation(&graph, &world(&source, &sink), 1, seed);
        while source.read.lock().unwrap().is_empty() {
            job.step().expect("runs");
        }
        job.stop();
        let summary = job.run().expect("stops");
        assert_eq!(sink.sorted(), count_windows(&complete), "seed {seed}");
        assert_eq!(summary.outcome, Outcome::Stopped);
        assert_eq!(summary.figures.nodes[1].total.watermark, EventTime::from_ms(34));
    }
}

#[test]
fn a_slow_sink_bounds_what_is_queued() {
    let batch_rows = 50;
    let (source, sink) = (TestSource::of_rows(splits(2, 5_000), batch_rows), TestSink::default());
    let batch_bytes = 24 * batch_rows as u64 + 64;
    let options = RunOptions { parallelism: 1, edge_capacity_bytes: 3_000 };
    let mut job =
        Simulation::new(&passed(), options, Arc::new(world(&source, &sink)), 3).expect("assembles");
    let mut most = 0;
    while job.step().expect("runs") {
        let queue = &job.metrics().nodes[1].subtasks[0];
        most = most.max(queue.queue_bytes.get());
        assert!(queue.queue_bytes.get() <= 3_000 + 2 * batch_bytes);
    }
    assert!(most >= 1_000, "the queue was used: {most}");
    assert_eq!(sink.written.lock().unwrap().len(), 10_000);
}

#[test]
fn two_consumers_of_a_node_both_get_all_rows_once() {
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let view = graph.operator("view", &[(source, Forward)]);
    graph.sink("archive", &[(view, Forward)]);
    let window = graph.operator("window", &[(view, by_key())]);
    graph.sink("out", &[(window, Forward)]);
    let input = splits(4, 30);
    for seed in 0..20 {
        let (source, out, archive) =
            (TestSource::of_rows(input.clone(), 7), TestSink::default(), TestSink::default());
        let mut world = world(&source, &out);
        world.sinks.insert("archive".into(), archive.clone());
        let summary = run(&graph.0, &world, 2, seed);
        let mut all = input.concat();
        all.sort_unstable();
        assert_eq!(archive.sorted(), all);
        assert_eq!(out.sorted(), count_windows(&all));
        assert_eq!(summary.figures.nodes[view.0].total.rows_in, 120, "computed once");
    }
}

#[test]
fn a_union_waits_for_the_slower_input() {
    let mut graph = Graph::default();
    let a = graph.source("a", WatermarkEmit::OnPeriodic, None);
    let b = graph.source("b", WatermarkEmit::OnPeriodic, None);
    let union = graph.operator("union", &[(a, Forward), (b, Forward)]);
    let window = graph.operator("window", &[(union, by_key())]);
    graph.sink("out", &[(window, Forward)]);
    let (left, right) = (splits(3, 30), splits(2, 90));
    let expected = count_windows(&[left.concat(), right.concat()].concat());
    for seed in 0..40 {
        let (mut world, sink) = (World::default(), TestSink::default());
        world.sources.insert("a".into(), TestSource::of_rows(left.clone(), 9));
        world.sources.insert("b".into(), TestSource::of_rows(right.clone(), 2));
        world.sinks.insert("out".into(), sink.clone());
        run(&graph.0, &world, 2, seed);
        assert_eq!(sink.sorted(), expected, "seed {seed}");
    }
}

#[test]
fn a_union_of_branches_in_one_task_sees_each_watermark_once() {
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let left = graph.operator("left", &[(source, Forward)]);
    let right = graph.operator("right", &[(source, Forward)]);
    // `window` fails on rows behind the watermark and on watermarks that do not ascend.
    let window = graph.operator("window", &[(left, Forward), (right, Forward)]);
    graph.sink("out", &[(window, Forward)]);
    let input = splits(1, 50);
    let (source, sink) = (TestSource::of_rows(input.clone(), 3), TestSink::default());
    run(&graph.0, &world(&source, &sink), 1, 5);
    let twice = [input.concat(), input.concat()].concat();
    assert_eq!(sink.sorted(), count_windows(&twice));
}

#[test]
fn late_rows_leave_by_their_own_port() {
    let mut graph = Graph::default();
    let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let side = graph.operator("side", &[(source, Forward)]);
    graph.sink("out", &[(side, Forward)]);
    let late = graph.sink("late", &[]);
    graph.0.connect_port(side, Port::LATE, late, by_key());
    let input: Vec<Row> = (0..20).map(|i| (i, if i % 5 == 0 { -1 } else { 1 }, i)).collect();
    let (source, out, late) =
        (TestSource::of_rows(vec![input], 6), TestSink::default(), TestSink::default());
    let mut world = world(&source, &out);
    world.sinks.insert("late".into(), late.clone());
    run(&graph.0, &world, 2, 1);
    assert_eq!((out.sorted().len(), late.sorted().len()), (16, 4));
}

#[test]
fn a_silent_source_does_not_hold_others_back_once_it_is_idle() {
    let mut graph = Graph::default();
    let talking = graph.source("talking", WatermarkEmit::OnPeriodic, Some(50));
    let silent = graph.source("silent", WatermarkEmit::OnPeriodic, Some(50));
    let union = graph.operator("union", &[(talking, Forward), (silent, Forward)]);
    let window = graph.operator("tolerant", &[(union, by_key())]);
    graph.sink("out", &[(window, Forward)]);
    for (parallelism, seed) in [(1, 1), (1, 2), (2, 3), (3, 4)] {
        let (mut world, sink) = (World::default(), TestSink::default());
        let rows: Vec<Row> = (0..100).map(|at| (at % 4, 0, at)).collect();
        let events = rows.chunks(10).map(|rows| Event::Rows(rows.to_vec())).collect();
        world.sources.insert("talking".into(), TestSource::new(vec![events], After::Silence));
        world.sources.insert("silent".into(), TestSource::new(vec![vec![]], After::Silence));
        world.sinks.insert("out".into(), sink.clone());
        let mut job = simulation(&graph.0, &world, parallelism, seed);
        for _ in 0..20_000 {
            job.step().expect("runs");
        }
        assert_eq!(sink.sorted(), count_windows(&rows), "parallelism {parallelism}");
        assert!(job.metrics().nodes[silent.0].subtasks[0].is_idle());
        job.stop();
        job.run().expect("stops");
    }
}

#[test]
fn a_source_that_wakes_up_holds_the_watermark_again() {
    let (source, sink) =
        (TestSource::new(vec![vec![], vec![]], After::Silence), TestSink::default());
    let graph = windowed(WatermarkEmit::OnPeriodic, Some(50));
    let mut job = simulation(&graph, &world(&source, &sink), 2, 9);
    let settle = |job: &mut Simulation| (0..5_000).for_each(|_| assert!(job.step().expect("runs")));
    source.feed(0, Event::Rows(vec![(1, 0, 9)]));
    settle(&mut job);
    assert_eq!(sink.sorted(), [(1, 1, 0)], "the silent split was left out");
    source.feed(1, Event::Rows(vec![(1, 0, 15)]));
    settle(&mut job);
    // Split 0 is silent again by now, split 1 is at 15: the window 10..20 stays open.
    source.feed(1, Event::Rows(vec![(1, 0, 16)]));
    settle(&mut job);
    assert_eq!(sink.sorted(), [(1, 1, 0)]);
    source.feed(0, Event::Rows(vec![(2, 0, 30)]));
    settle(&mut job);
    assert_eq!(sink.sorted(), [(1, 1, 0), (1, 2, 10)], "split 1 fell silent, split 0 is ahead");
    job.stop();
    job.run().expect("stops");
}

#[test]
fn splits_that_are_found_later_are_read() {
    for (parallelism, seed) in [(1, 1), (2, 2), (4, 3)] {
        let source = TestSource::new(Vec::new(), After::Finish).discovering();
        let sink = TestSink::default();
        let graph = windowed(WatermarkEmit::OnPeriodic, None);
        let mut job = simulation(&graph, &world(&source, &sink), parallelism, seed);
        let settle =
            |job: &mut Simulation| (0..2_000).for_each(|_| assert!(job.step().expect("runs")));
        settle(&mut job);
        source.add_split(vec![Event::Rows(vec![(1, 0, 5), (1, 0, 12)])], After::Finish);
        settle(&mut job);
        // All splits have ended, but more may come: 12 is all that is known of time.
        assert_eq!(sink.sorted(), [(1, 1, 0)], "parallelism {parallelism}");
        source.add_split(vec![Event::Rows(vec![(1, 0, 14), (1, 0, 25)])], After::Finish);
        settle(&mut job);
        assert_eq!(sink.sorted(), [(1, 1, 0), (1, 2, 10)], "parallelism {parallelism}");
        job.stop();
        let summary = job.run().expect("stops");
        assert_eq!(summary.outcome, Outcome::Stopped);
        assert_eq!(sink.sorted().len(), 2, "the window at 20 is not complete");
    }
}

#[test]
fn more_subtasks_than_splits_change_nothing() {
    let input = splits(2, 30);
    let (source, sink) = (TestSource::of_rows(input.clone(), 5), TestSink::default());
    run(&windowed(WatermarkEmit::OnPeriodic, None), &world(&source, &sink), 7, 1);
    assert_eq!(sink.sorted(), count_windows(&input.concat()));
}

#[test]
fn a_table_without_splits_ends_at_once() {
    let (source, sink) = (TestSource::of_rows(Vec::new(), 5), TestSink::default());
    run(&windowed(WatermarkEmit::OnPeriodic, None), &world(&source, &sink), 2, 1);
    assert_eq!(*sink.finished.lock().unwrap(), 2);
}

#[test]
fn forward_edges_between_unequal_parallelism_reach_everyone() {
    for (from, to) in [(1, 3), (3, 1), (2, 3), (3, 2)] {
        let mut graph = Graph::default();
        let source = graph.source("in", WatermarkEmit::OnPeriodic, None);
        let pass = graph.operator("pass", &[(source, Forward)]);
        graph.sink("out", &[(pass, Forward)]);
        graph.0.nodes[source.0].parallelism = Some(from);
        graph.0.nodes[pass.0].parallelism = Some(to);
        let input = splits(4, 20);
        let (source, sink) = (TestSource::of_rows(input.clone(), 5), TestSink::default());
        run(&graph.0, &world(&source, &sink), to, 1);
        assert_eq!(sink.written.lock().unwrap().len(), 80, "{from} to {to}");
    }
}

#[test]
fn a_bad_record_names_table_and_place() {
    let bad = vec![Event::Rows(vec![(1, 1, 1)]), Event::Fail];
    let (source, sink) = (TestSource::new(vec![bad], After::Finish), TestSink::default());
    let job = simulation(&passed(), &world(&source, &sink), 2, 1);
    let error = job.run().expect_err("the record is bad");
    assert_eq!(error.to_string(), "table `in`: split-0, record 2: not a number");
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Data, Some("let it be skipped")));
}

#[test]
fn a_missing_table_fails_before_anything_runs() {
    let world =
        World { sinks: [("out".to_owned(), TestSink::default())].into(), ..World::default() };
    let started = Simulation::new(&passed(), RunOptions::new(2), Arc::new(world), 1);
    let Err(error) = started else { panic!("there is no table `in`") };
    assert_eq!(error.to_string(), "table `in`: there is no such table");
    assert_eq!((error.kind(), error.hint()), (ErrorKind::User, Some("create it")));
}

#[test]
fn rows_that_are_idle_in_a_sink_become_visible() {
    let source = TestSource::new(vec![vec![Event::Rows(vec![(1, 1, 1)])]], After::Silence);
    let sink = TestSink::default();
    let mut job = simulation(&passed(), &world(&source, &sink), 1, 1);
    while *sink.flushed.lock().unwrap() == 0 {
        assert!(job.step().expect("runs"));
    }
    assert_eq!(sink.sorted(), [(1, 1, 1)]);
}
