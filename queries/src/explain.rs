//! EXPLAIN: a job graph as text.
//!
//! The text is the graph's own `Display`: one line a node, sinks first, inputs below them, with
//! the exchange before and the changelog kind behind each.

use millstream_operators::graph::JobGraph;

/// The text of `millstream explain FILE`.
pub fn explain(graph: &JobGraph) -> String {
    graph.to_string()
}
