//! Fragments: the parts of a job graph that run fused, without a queue in between.
//!
//! Nodes joined by `Forward` edges run in one task, where a batch goes from operator to operator
//! by a function call. A fragment starts (at its **head**) wherever rows change task:
//!
//! ```text
//!   bids ──▶ project ─┬─▶ local window ──hash──▶ global window ──▶ results
//!                     └─▶ archive
//!   ╰──────────── fragment 0 ───────────╯        ╰──── fragment 1 ────────╯
//!
//!   a ──▶ filter ──▶ union ──▶ out        the inputs of `union` come from two fragments,
//!   b ───────────────▲                    so it is the head of a third
//!   ╰ 0: a, filter ╯ ╰ 1: b ╯ ╰ 2: union, out ╯
//! ```
//!
//! Laws: every node is in one fragment; only the head of a fragment has inputs from outside; all
//! nodes of a fragment have its number of subtasks. A node with two consumers is computed once,
//! for it is one node of one fragment.

use std::fmt;

use millstream_operators::graph::{Edge, JobGraph, NodeId, NodeKind, Partitioning};
use millstream_state::KEY_GROUPS;

/// Nodes that run fused in one task, for each subtask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Head first, then in topological order.
    pub nodes: Vec<NodeId>,
    /// Number of subtasks: the fragment runs as that many tasks.
    pub parallelism: usize,
}

/// A job graph cut into fragments.
#[derive(Clone, Debug)]
pub struct Fragments {
    /// Ordered by their heads.
    pub fragments: Vec<Fragment>,
    fragment_of: Vec<usize>,
}

impl Fragments {
    /// Cuts a graph whose nodes have these numbers of subtasks.
    pub fn new(graph: &JobGraph, parallelism: &[usize]) -> Self {
        let mut fragments: Vec<Fragment> = Vec::new();
        let mut fragment_of = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let joined = upstream(graph, node.id, &fragment_of)
                .filter(|fragment| fragments[*fragment].parallelism == parallelism[node.id.0]);
            let fragment = joined.unwrap_or(fragments.len());
            if joined.is_none() {
                let parallelism = parallelism[node.id.0];
                fragments.push(Fragment { nodes: Vec::new(), parallelism });
            }
            fragments[fragment].nodes.push(node.id);
            fragment_of.push(fragment);
        }
        Fragments { fragments, fragment_of }
    }

    /// Index of the fragment of a node.
    pub fn of(&self, node: NodeId) -> usize {
        self.fragment_of[node.0]
    }

    /// True if the edge's ends run in one task.
    pub fn is_local(&self, edge: &Edge) -> bool {
        self.of(edge.from) == self.of(edge.to)
    }
}

/// The one fragment that all inputs of a node come from by `Forward` edges, if there is one.
fn upstream(graph: &JobGraph, node: NodeId, fragment_of: &[usize]) -> Option<usize> {
    let mut inputs = graph.inputs(node);
    let first = inputs.next()?;
    let fragment = fragment_of[first.from.0];
    let same = |edge: &Edge| {
        edge.partitioning == Partitioning::Forward && fragment_of[edge.from.0] == fragment
    };
    (same(first) && inputs.all(same)).then_some(fragment)
}

/// How many subtasks each node has: what the plan fixed, else `default`, but never more than its
/// input or its sink can use.
pub fn subtasks(
    graph: &JobGraph,
    default: usize,
    sink_limit: impl Fn(NodeId) -> Option<usize>,
) -> Vec<usize> {
    let of_node = |node: &millstream_operators::graph::Node| {
        let mut subtasks = node.parallelism.unwrap_or(default).max(1);
        for edge in graph.inputs(node.id) {
            subtasks = match edge.partitioning {
                Partitioning::Forward => subtasks,
                Partitioning::Hash(_) => subtasks.min(usize::from(KEY_GROUPS)),
                Partitioning::Single => 1,
            };
        }
        match node.kind {
            NodeKind::Sink(_) => sink_limit(node.id).map_or(subtasks, |limit| subtasks.min(limit)),
            _ => subtasks,
        }
    };
    // At least one subtask, whatever limit a sink may claim.
    graph.nodes.iter().map(|node| of_node(node).max(1)).collect()
}

/// Shows fragments with their graph, one a line: `0 ×2: bids → project, project → late`.
pub struct DisplayFragments<'a>(pub &'a Fragments, pub &'a JobGraph);

impl fmt::Display for DisplayFragments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DisplayFragments(cut, graph) = self;
        for (index, fragment) in cut.fragments.iter().enumerate() {
            write!(f, "{index} ×{}:", fragment.parallelism)?;
            for node in &fragment.nodes {
                let inputs: Vec<String> = graph
                    .inputs(*node)
                    .map(|edge| {
                        let from = &graph.node(edge.from).name;
                        match (&edge.partitioning, cut.is_local(edge)) {
                            (Partitioning::Forward, true) => format!("{from} →"),
                            (Partitioning::Forward, false) => format!("{from} ⇒"),
                            (Partitioning::Hash(_), _) => format!("{from} hash ⇒"),
                            (Partitioning::Single, _) => format!("{from} single ⇒"),
                        }
                    })
                    .collect();
                let inputs = inputs.join(" ");
                let space = if inputs.is_empty() { "" } else { " " };
                write!(f, " [{inputs}{space}{}]", graph.node(*node).name)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
