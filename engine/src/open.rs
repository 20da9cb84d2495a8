//! Tables, opened: the first half of a start, before anything is restored or fenced.

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream_connectors::commit::Participation;
use millstream_connectors::{Sink, Source, Writer};
use millstream_operators::graph::SourceSpec;
use millstream_operators::{JobGraph, NodeId, NodeKind};

use crate::components::Components;
use crate::error::{EngineError, Result};
use crate::fragment::{Fragments, subtasks};
use crate::job::RunOptions;

/// The tables of a job.
pub struct Opened {
    /// By node.
    pub sources: BTreeMap<NodeId, Arc<dyn Source>>,
    /// By node and subtask.
    pub writers: BTreeMap<(NodeId, usize), Box<dyn Writer>>,
    /// How sinks take part in epochs: name of the table, and how. Empty for jobs that commit
    /// nothing.
    pub participations: Vec<(String, Participation)>,
    /// Subtasks of each node.
    pub parallelism: Vec<usize>,
    /// What runs fused.
    pub fragments: Fragments,
}

/// Opens the tables of a graph.
///
/// # Errors
/// If one cannot be opened, with its name.
pub fn open(
    graph: &JobGraph,
    options: &RunOptions,
    components: &dyn Components,
    commits: bool,
) -> Result<Opened> {
    let (mut sources, mut sinks) = (BTreeMap::new(), BTreeMap::<NodeId, Box<dyn Sink>>::new());
    for node in &graph.nodes {
        match &node.kind {
            NodeKind::Source(SourceSpec { table, .. }) => {
                let source = components.source(table).map_err(EngineError::table(&table.name))?;
                sources.insert(node.id, Arc::from(source));
            }
            NodeKind::Sink(table) => {
                let sink = components.sink(table).map_err(EngineError::table(&table.name))?;
                sinks.insert(node.id, sink);
            }
            NodeKind::Operator(_) => {}
        }
    }
    let limit = |node: NodeId| sinks.get(&node).and_then(|sink| sink.max_parallelism());
    let parallelism = subtasks(graph, options.parallelism, limit);
    let (mut writers, mut participations) = (BTreeMap::new(), Vec::new());
    for (node, sink) in &sinks {
        let NodeKind::Sink(table) = &graph.node(*node).kind else {
            unreachable!("only sinks were opened for writing")
        };
        for subtask in 0..parallelism[node.0] {
            let writer = sink.writer(subtask).map_err(EngineError::table(&table.name))?;
            writers.insert((*node, subtask), writer);
        }
        if commits {
            let participation = sink.participation().map_err(EngineError::table(&table.name))?;
            participations.push((table.name.clone(), participation));
        }
    }
    let fragments = Fragments::new(graph, &parallelism);
    Ok(Opened { sources, writers, participations, parallelism, fragments })
}
