//! Whole jobs on threads: starting, stopping, failing and waiting, without any timing.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{
    After, Event, Graph, TestSink, TestSource, World, by_key, count_windows, passed, splits,
    windowed, world,
};
use millstream_engine::job::{JobHandle, RunOptions, start_with};
use millstream_engine::{ErrorKind, Outcome};
use millstream_operators::graph::WatermarkEmit;
use millstream_operators::{JobGraph, Partitioning};

fn start(graph: &JobGraph, world: &World, parallelism: usize) -> JobHandle {
    start_with(graph.clone(), RunOptions::new(parallelism), Arc::new(world.clone()))
        .expect("starts")
}

/// Waits until a condition holds: the job gets there by itself, or the test hangs visibly.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}

#[test]
fn a_bounded_job_runs_to_its_end() {
    let input = splits(8, 2_000);
    for parallelism in [1, 2, 4] {
        let (source, sink) = (TestSource::of_rows(input.clone(), 64), TestSink::default());
        let graph = windowed(WatermarkEmit::OnPeriodic, None);
        let job = start(&graph, &world(&source, &sink), parallelism);
        let summary = job.wait_blocking().expect("runs");
        assert_eq!(summary.outcome, Outcome::Finished);
        assert_eq!(sink.sorted(), count_windows(&input.concat()));
        assert_eq!(summary.figures.rows_read(), 16_000);
        let text = summary.to_string();
        assert!(text.contains("operator") && text.contains("latency p50"), "{text}");
    }
}

#[test]
fn tiny_queues_only_slow_a_job_down() {
    let input = splits(4, 3_000);
    let (source, sink) = (TestSource::of_rows(input.clone(), 10), TestSink::default());
    let options = RunOptions { parallelism: 2, edge_capacity_bytes: 1 };
    let graph = windowed(WatermarkEmit::OnEvent, None);
    let job = start_with(graph, options, Arc::new(world(&source, &sink))).expect("starts");
    job.wait_blocking().expect("runs");
    assert_eq!(sink.sorted(), count_windows(&input.concat()));
}

#[tokio::test]
async fn waiting_does_not_need_a_thread() {
    let (source, sink) = (TestSource::of_rows(splits(2, 100), 10), TestSink::default());
    let job = start(&passed(), &world(&source, &sink), 2);
    let metrics = job.metrics().clone();
    job.wait().await.expect("runs");
    assert_eq!(metrics.snapshot().rows_written(), 200, "figures outlive the job");
}

#[test]
fn a_stop_while_idle_ends_the_job() {
    let source = TestSource::new(vec![vec![Event::Rows(vec![(1, 1, 1)])]], After::Silence);
    let sink = TestSink::default();
    let job = start(&passed(), &world(&source, &sink), 3);
    until(|| *sink.flushed.lock().unwrap() > 0);
    job.stop();
    job.stop();
    let summary = job.wait_blocking().expect("stops");
    assert_eq!(summary.outcome, Outcome::Stopped);
    assert_eq!((sink.sorted().len(), *sink.finished.lock().unwrap()), (1, 3));
}

#[test]
fn a_stop_right_after_the_start_ends_the_job() {
    let (source, sink) = (TestSource::of_rows(splits(4, 10_000), 10), TestSink::default());
    let job = start(&passed(), &world(&source, &sink), 2);
    job.control().stop();
    job.wait_blocking().expect("stops");
    assert_eq!(sink.written.lock().unwrap().len(), source.read.lock().unwrap().len());
}

#[test]
fn a_stop_while_backpressured_loses_nothing_that_was_read() {
    let (source, sink) = (TestSource::of_rows(splits(2, 5_000), 10), TestSink::default());
    let gate = sink.gate.clone();
    let closed = gate.lock().unwrap();
    let options = RunOptions { parallelism: 1, edge_capacity_bytes: 1_000 };
    let job = start_with(passed(), options, Arc::new(world(&source, &sink))).expect("starts");
    let queue = job.metrics().nodes[1].subtasks[0].clone();
    until(|| queue.queue_capacity_bytes.get() == 1_000 && source.read.lock().unwrap().len() >= 30);
    job.stop();
    drop(closed);
    job.wait_blocking().expect("stops");
    let read = source.read.lock().unwrap().len();
    assert!(read < 10_000, "the source was held back");
    assert_eq!(sink.written.lock().unwrap().len(), read);
}

#[test]
fn an_abort_leaves_sinks_unfinished() {
    let source = TestSource::new(vec![vec![]], After::Silence);
    let sink = TestSink::default();
    let job = start(&passed(), &world(&source, &sink), 2);
    job.abort();
    assert_eq!(job.wait_blocking().expect("ends").outcome, Outcome::Aborted);
    assert_eq!(*sink.finished.lock().unwrap(), 0);
}

#[test]
fn dropping_the_handle_ends_every_thread() {
    let source = TestSource::new(vec![vec![], vec![]], After::Silence);
    let sink = TestSink::default();
    drop(start(&passed(), &world(&source, &sink), 2));
    // Readers and writers hold these; the threads that held them are gone.
    assert_eq!(Arc::strong_count(&source.open_readers), 1);
    assert_eq!(Arc::strong_count(&sink.finished), 1);
}

#[test]
fn a_panic_names_the_operator_and_ends_the_job() {
    let mut graph = Graph::default();
    let from = graph.source("in", WatermarkEmit::OnPeriodic, None);
    let pass = graph.operator("pass", &[(from, by_key())]);
    let bad = graph.operator("superstitious", &[(pass, Partitioning::Forward)]);
    graph.sink("out", &[(bad, Partitioning::Forward)]);
    let events = vec![Event::Rows(vec![(1, 1, 1)]), Event::Rows(vec![(1, 13, 2)])];
    // The other split never ends: the job must.
    let source = TestSource::new(vec![events, vec![]], After::Silence);
    let job = start(&graph.0, &world(&source, &TestSink::default()), 2);
    let error = job.wait_blocking().expect_err("thirteen");
    assert_eq!(error.to_string(), "operator `superstitious` failed unexpectedly: thirteen!");
    assert_eq!(error.kind(), ErrorKind::Bug);
}

#[test]
fn a_panic_in_a_reader_names_the_source() {
    let source = TestSource::new(vec![vec![Event::Panic]], After::Silence);
    let job = start(&passed(), &world(&source, &TestSink::default()), 1);
    let error = job.wait_blocking().expect_err("panics");
    assert_eq!(error.to_string(), "operator `in` failed unexpectedly: reader fell over");
}

#[test]
fn a_failing_sink_ends_the_job() {
    let (source, mut sink) = (TestSource::of_rows(splits(4, 5_000), 10), TestSink::default());
    sink.fails = true;
    let job = start(&passed(), &world(&source, &sink), 2);
    let error = job.wait_blocking().expect_err("the disk is full");
    assert_eq!(error.to_string(), "table `out`: disk full");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn splits_are_found_while_the_job_runs() {
    let source = TestSource::new(Vec::new(), After::Finish).discovering();
    let sink = TestSink::default();
    let job = start(&passed(), &world(&source, &sink), 2);
    for count in 1..=3 {
        source.add_split(vec![Event::Rows(vec![(1, 1, 1)])], After::Finish);
        until(|| sink.written.lock().unwrap().len() == count);
    }
    job.stop();
    assert_eq!(job.wait_blocking().expect("stops").outcome, Outcome::Stopped);
}

#[test]
fn jobs_do_not_know_of_each_other() {
    let silent = TestSource::new(vec![vec![]], After::Silence);
    let other_sink = TestSink::default();
    let other = start(&passed(), &world(&silent, &other_sink), 2);
    let (source, sink) = (TestSource::of_rows(splits(2, 100), 10), TestSink::default());
    start(&passed(), &world(&source, &sink), 2).wait_blocking().expect("runs");
    let failing = TestSource::new(vec![vec![Event::Panic]], After::Finish);
    let failed = start(&passed(), &world(&failing, &TestSink::default()), 1).wait_blocking();
    failed.expect_err("panics");
    other.stop();
    assert_eq!(other.wait_blocking().expect("still ran").outcome, Outcome::Stopped);
}
