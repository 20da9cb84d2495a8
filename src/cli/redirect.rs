//! All tables of a job written to files of one directory instead: what `millstream verify` runs.
//!
//! Sources stay what they are, except that a Kafka source shows its progress in a consumer group
//! of its own, so that a test never moves the offsets of a group that somebody relies on.

use std::collections::BTreeMap;
use std::path::Path;

use millstream::operators::graph::{Changelog, JobGraph, NodeKind};

/// Replaces every sink by files of JSON lines in `directory/NODE`.
pub fn redirect(graph: &mut JobGraph, directory: &Path, group: &str) {
    let retracts: Vec<bool> =
        graph.nodes.iter().map(|node| takes_retractions(graph, node.id.0)).collect();
    for node in &mut graph.nodes {
        let path = directory.join(&node.name).display().to_string();
        match &mut node.kind {
            NodeKind::Sink(table) => {
                let format = if retracts[node.id.0] { "changelog-json" } else { "json" };
                let option = |key: &str, value: &str| (key.to_owned(), value.to_owned());
                table.options = BTreeMap::from([
                    option("connector", "filesystem"),
                    option("path", &path),
                    option("format", format),
                ]);
                table.metadata.clear();
                table.primary_key.clear();
                table.declared = table.schema.clone();
            }
            NodeKind::Source(source) if source.table.connector() == "kafka" => {
                let key = "properties.group.id".to_owned();
                source.table.options.insert(key, group.to_owned());
            }
            NodeKind::Source(_) | NodeKind::Operator(_) => {}
        }
    }
}

fn takes_retractions(graph: &JobGraph, node: usize) -> bool {
    let mut inputs = graph.inputs(graph.nodes[node].id);
    inputs.any(|edge| graph.node(edge.from).changelog == Changelog::Retract)
}
