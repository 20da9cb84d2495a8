//! Small graphs and the fragments that they are cut into.

mod common;

use common::{Graph, by_key};
use millstream_engine::fragment::{DisplayFragments, Fragments, subtasks};
use millstream_operators::graph::WatermarkEmit;
use millstream_operators::{JobGraph, NodeId, Partitioning};

use Partitioning::{Forward, Single};

fn cut(graph: &JobGraph, parallelism: usize, sink_limit: Option<usize>) -> String {
    graph.check();
    let parallelism = subtasks(graph, parallelism, |_| sink_limit);
    DisplayFragments(&Fragments::new(graph, &parallelism), graph).to_string()
}

fn source(graph: &mut Graph, name: &str) -> NodeId {
    graph.source(name, WatermarkEmit::OnPeriodic, None)
}

#[test]
fn forward_edges_fuse() {
    let mut graph = Graph::default();
    let bids = source(&mut graph, "bids");
    let project = graph.operator("project", &[(bids, Forward)]);
    graph.sink("out", &[(project, Forward)]);
    assert_eq!(cut(&graph.0, 4, None), "0 ×4: [bids] [bids → project] [project → out]\n");
}

#[test]
fn a_hash_edge_starts_a_fragment() {
    let graph = common::windowed(WatermarkEmit::OnPeriodic, None);
    assert_eq!(cut(&graph, 2, None), "0 ×2: [in]\n1 ×2: [in hash ⇒ window] [window → out]\n");
}

#[test]
fn a_sink_of_one_subtask_is_not_fused_with_several() {
    let graph = common::windowed(WatermarkEmit::OnPeriodic, None);
    let expected = "0 ×2: [in]\n1 ×2: [in hash ⇒ window]\n2 ×1: [window ⇒ out]\n";
    assert_eq!(cut(&graph, 2, Some(1)), expected);
    let expected = "0 ×1: [in]\n1 ×1: [in hash ⇒ window] [window → out]\n";
    assert_eq!(cut(&graph, 1, Some(1)), expected);
}

#[test]
fn a_single_edge_leads_to_one_subtask() {
    let mut graph = Graph::default();
    let bids = source(&mut graph, "bids");
    let total = graph.operator("total", &[(bids, Single)]);
    graph.sink("out", &[(total, Forward)]);
    let expected = "0 ×3: [bids]\n1 ×1: [bids single ⇒ total]\n2 ×3: [total ⇒ out]\n";
    assert_eq!(cut(&graph.0, 3, None), expected);
}

#[test]
fn a_node_with_two_consumers_is_computed_once() {
    let mut graph = Graph::default();
    let bids = source(&mut graph, "bids");
    let view = graph.operator("view", &[(bids, Forward)]);
    graph.sink("archive", &[(view, Forward)]);
    let window = graph.operator("window", &[(view, by_key())]);
    graph.sink("out", &[(window, Forward)]);
    let expected = "0 ×2: [bids] [bids → view] [view → archive]\n\
                    1 ×2: [view hash ⇒ window] [window → out]\n";
    assert_eq!(cut(&graph.0, 2, None), expected);
}

#[test]
fn a_union_of_two_sources_is_a_fragment_of_its_own() {
    let mut graph = Graph::default();
    let (a, b) = (source(&mut graph, "a"), source(&mut graph, "b"));
    let union = graph.operator("union", &[(a, Forward), (b, Forward)]);
    graph.sink("out", &[(union, Forward)]);
    assert_eq!(
        cut(&graph.0, 2, None),
        "0 ×2: [a]\n1 ×2: [b]\n2 ×2: [a ⇒ b ⇒ union] [union → out]\n"
    );
}

#[test]
fn a_union_of_two_branches_of_one_source_fuses() {
    let mut graph = Graph::default();
    let bids = source(&mut graph, "bids");
    let left = graph.operator("left", &[(bids, Forward)]);
    let right = graph.operator("right", &[(bids, Forward)]);
    let union = graph.operator("union", &[(left, Forward), (right, Forward)]);
    graph.sink("out", &[(union, Forward)]);
    let expected =
        "0 ×2: [bids] [bids → left] [bids → right] [left → right → union] [union → out]\n";
    assert_eq!(cut(&graph.0, 2, None), expected);
}

#[test]
fn parallelism_is_bounded_by_the_key_groups() {
    let graph = common::windowed(WatermarkEmit::OnPeriodic, None);
    assert_eq!(subtasks(&graph, 1000, |_| None), [1000, 256, 1000]);
}
