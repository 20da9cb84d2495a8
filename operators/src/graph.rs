//! The job graph: a query as plain data, the meeting point of planner and engine.
//!
//! `queries` writes it, `engine` runs it; neither knows the other. Its `Display` is EXPLAIN.
//!
//! Laws, checked by [`JobGraph::check`]:
//!
//! 1. nodes are in topological order: an edge goes from a lower id to a higher one;
//! 2. a source has no input, every other node has at least one; a sink has no output;
//! 3. all inputs of a node have its input's column types in the same order;
//! 4. names are unique: they name state, metrics and errors.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use crate::OperatorSpec;

/// Index of a node in [`JobGraph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// Which output of an operator an edge starts at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u8);

impl Port {
    /// Results.
    pub const MAIN: Port = Port(0);
    /// Late rows, in the schema of the operator's input.
    pub const LATE: Port = Port(1);
}

/// How the rows of an edge are spread over the subtasks of the node at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partitioning {
    /// Subtask `i` sends to subtask `i`; the nodes run fused in one task where that is possible.
    Forward,
    /// By key group of these columns of the sending node's schema.
    Hash(Vec<usize>),
    /// Everything to the one subtask of a node with parallelism 1.
    Single,
}

/// A connection between two nodes.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The sending node.
    pub from: NodeId,
    /// Which of its outputs.
    pub port: Port,
    /// The receiving node.
    pub to: NodeId,
    /// How rows find their subtask.
    pub partitioning: Partitioning,
}

/// What an edge out of a node carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changelog {
    /// Inserts only.
    Append,
    /// Inserts, updates with −U before +U, and deletes.
    Retract,
}

/// A node of the job graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its place in [`JobGraph::nodes`].
    pub id: NodeId,
    /// Stable, unique name, such as `revenue.window`; names state, metrics and errors.
    pub name: String,
    /// What it does.
    pub kind: NodeKind,
    /// Columns of its main output; of a sink, of its input.
    pub schema: SchemaRef,
    /// What its main output carries.
    pub changelog: Changelog,
    /// Number of subtasks where the plan fixes it; otherwise the job's parallelism.
    pub parallelism: Option<usize>,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Reads a table.
    Source(SourceSpec),
    /// Changes rows.
    Operator(OperatorSpec),
    /// Writes a table.
    Sink(TableSpec),
}

/// A table as the connectors see it: names, columns and options; nothing resolved yet.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// Name in SQL, for messages.
    pub name: String,
    /// The WITH options, `connector` among them.
    pub options: BTreeMap<String, String>,
    /// Columns to read or write, in this order: for a source only those that the query needs.
    pub schema: SchemaRef,
    /// For each column of `schema` that is not in the payload: the metadata key that it stands
    /// for, such as `partition`.
    pub metadata: BTreeMap<usize, String>,
    /// Indexes into `schema` of the PRIMARY KEY … NOT ENFORCED; empty if there is none.
    pub primary_key: Vec<usize>,
    /// All payload columns of the table as declared (not only those read): formats that go by
    /// position, such as CSV, need them.
    pub declared: SchemaRef,
    /// Columns of PARTITIONED BY, in this order: their values stand in the names of directories,
    /// so they are in `schema` and not in `declared`.
    pub partition_keys: Vec<String>,
}

/// How a table is read: connector columns, then computed columns, then watermarks.
#[derive(Clone, Debug)]
pub struct SourceSpec {
    /// The table; its schema is what the connector delivers.
    pub table: TableSpec,
    /// The node's output columns as expressions over the connector's; `None` passes them as they
    /// are.
    pub computed: Option<Vec<NamedExpr>>,
    /// How event time progresses, if the table says so.
    pub watermark: Option<WatermarkSpec>,
}

/// An output column and the expression that computes it.
#[derive(Clone, Debug)]
pub struct NamedExpr {
    /// Column name.
    pub name: String,
    /// Its value, over the input's columns.
    pub expr: Arc<dyn PhysicalExpr>,
}

/// WATERMARK FOR `column` AS `expr`, one generator for each split.
#[derive(Clone, Debug)]
pub struct WatermarkSpec {
    /// Index of the event-time column in the node's output.
    pub column: usize,
    /// The watermark that a row implies, over the node's output columns: a timestamp, in
    /// milliseconds after a cast. Null implies none.
    pub expr: Arc<dyn PhysicalExpr>,
    /// When the split's watermark is passed on.
    pub emit: WatermarkEmit,
    /// A split that stays silent for this long is left out of the minimum; `None` never.
    pub idle_timeout_ms: Option<u64>,
    /// Once the whole source was silent for this long, its watermark follows the clock; `None`
    /// never.
    pub idle_advance_ms: Option<u64>,
    /// Splits that are too far ahead of others wait for them.
    pub alignment: Option<AlignmentSpec>,
}

/// `'scan.watermark.alignment.*'`: splits of all sources of a group stay close together in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignmentSpec {
    /// Name of the group.
    pub group: String,
    /// How far a split's watermark may be ahead of the group's least, in milliseconds.
    pub max_drift_ms: u64,
    /// How often that is looked at, in milliseconds of processing time.
    pub update_interval_ms: u64,
}

/// `'scan.watermark.emit.strategy'`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatermarkEmit {
    /// Once a batch: what the engine does unless asked otherwise.
    OnPeriodic,
    /// After every row that advances it; exact and slow, for tests.
    OnEvent,
}

/// A job: nodes in topological order, and the edges between them.
#[derive(Clone, Debug, Default)]
pub struct JobGraph {
    /// The nodes; `nodes[i].id == NodeId(i)`.
    pub nodes: Vec<Node>,
    /// The edges.
    pub edges: Vec<Edge>,
}

impl JobGraph {
    /// Adds a node and gives it the next id. A name that is taken gets a number.
    pub fn add(
        &mut self,
        name: &str,
        kind: NodeKind,
        schema: SchemaRef,
        changelog: Changelog,
    ) -> NodeId {
        let taken = |name: &str| self.nodes.iter().any(|node| node.name == name);
        let mut unique = name.to_owned();
        for number in 2.. {
            if !taken(&unique) {
                break;
            }
            unique = format!("{name}-{number}");
        }
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { id, name: unique, kind, schema, changelog, parallelism: None });
        id
    }

    /// Connects the main output of `from` to `to`.
    pub fn connect(&mut self, from: NodeId, to: NodeId, partitioning: Partitioning) {
        self.connect_port(from, Port::MAIN, to, partitioning);
    }

    /// Connects an output of `from` to `to`.
    pub fn connect_port(
        &mut self,
        from: NodeId,
        port: Port,
        to: NodeId,
        partitioning: Partitioning,
    ) {
        self.edges.push(Edge { from, port, to, partitioning });
    }

    /// The node with this id.
    ///
    /// # Panics
    /// If the id is not of this graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The nodes that read tables.
    pub fn sources(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| matches!(node.kind, NodeKind::Source(_)))
    }

    /// The nodes that write tables.
    pub fn sinks(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| matches!(node.kind, NodeKind::Sink(_)))
    }

    /// The edges that end at a node, in the order in which they were added.
    pub fn inputs(&self, id: NodeId) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.to == id)
    }

    /// The edges that start at a node.
    pub fn outputs(&self, id: NodeId) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.from == id)
    }

    /// Checks the laws of the graph.
    ///
    /// # Panics
    /// If one is broken: a bug of the planner, never the user's fault.
    pub fn check(&self) {
        let names: BTreeSet<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names.len(), self.nodes.len(), "names of nodes are unique");
        for edge in &self.edges {
            assert!(edge.from < edge.to, "nodes are in topological order");
        }
        for node in &self.nodes {
            let is_source = matches!(node.kind, NodeKind::Source(_));
            assert_eq!(self.inputs(node.id).count() == 0, is_source, "inputs of {}", node.name);
            if matches!(node.kind, NodeKind::Sink(_)) {
                assert_eq!(self.outputs(node.id).count(), 0, "outputs of {}", node.name);
            }
        }
    }
}

impl fmt::Display for JobGraph {
    /// One line a node, sinks first, inputs indented below; a node that was shown is only named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = BTreeSet::new();
        for node in &self.nodes {
            if self.outputs(node.id).next().is_none() {
                self.fmt_node(f, node.id, "", 0, &mut shown)?;
            }
        }
        Ok(())
    }
}

impl JobGraph {
    fn fmt_node(
        &self,
        f: &mut fmt::Formatter<'_>,
        id: NodeId,
        edge: &str,
        depth: usize,
        shown: &mut BTreeSet<NodeId>,
    ) -> fmt::Result {
        let node = self.node(id);
        let indent = "  ".repeat(depth);
        if !shown.insert(id) {
            return writeln!(f, "{indent}{edge}→ {} (see above)", node.name);
        }
        write!(f, "{indent}{edge}{}: {}", node.name, node.kind)?;
        writeln!(
            f,
            "  [{}]",
            if node.changelog == Changelog::Append { "append" } else { "retract" }
        )?;
        for input in self.inputs(id) {
            let columns = &self.node(input.from).schema;
            let edge = match &input.partitioning {
                Partitioning::Forward => String::new(),
                Partitioning::Single => "single ⇐ ".to_owned(),
                Partitioning::Hash(keys) => {
                    let keys: Vec<&str> =
                        keys.iter().map(|key| columns.field(*key).name().as_str()).collect();
                    format!("hash({}) ⇐ ", keys.join(", "))
                }
            };
            let edge = if input.port == Port::LATE { format!("{edge}late rows of ") } else { edge };
            self.fmt_node(f, input.from, &edge, depth + 1, shown)?;
        }
        Ok(())
    }
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeKind::Operator(spec) => spec.fmt(f),
            NodeKind::Sink(table) => write!(f, "Sink {} ({})", table.name, table.connector()),
            NodeKind::Source(source) => {
                let table = &source.table;
                let columns: Vec<&str> =
                    table.schema.fields().iter().map(|field| field.name().as_str()).collect();
                write!(
                    f,
                    "Source {} ({}) reads [{}]",
                    table.name,
                    table.connector(),
                    columns.join(", ")
                )?;
                if let Some(computed) = &source.computed {
                    write!(f, " computes {}", DisplayExprs(computed))?;
                }
                if let Some(watermark) = &source.watermark {
                    write!(f, " watermark {}", watermark.expr)?;
                }
                Ok(())
            }
        }
    }
}

impl TableSpec {
    /// The `connector` option; empty if it is missing, which the planner refuses.
    pub fn connector(&self) -> &str {
        self.options.get("connector").map_or("", String::as_str)
    }
}

/// Shows expressions as `[a, b + 1 AS c]`.
pub(crate) struct DisplayExprs<'a>(pub(crate) &'a [NamedExpr]);

impl fmt::Display for DisplayExprs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, named) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            let expr = named.expr.to_string();
            match expr.split_once('@') {
                Some((column, index)) if column == named.name && index.parse::<usize>().is_ok() => {
                    write!(f, "{separator}{column}")?;
                }
                _ => write!(f, "{separator}{expr} AS {}", named.name)?,
            }
        }
        f.write_str("]")
    }
}
