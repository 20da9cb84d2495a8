//! From a job graph to tasks that are wired up and ready to run.
//!
//! Everything that can fail on the way in fails here, before the first row is read: unknown
//! options, missing files, unreachable brokers.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millstream_connectors::{Sink, Source};
use millstream_operators::graph::{Edge, Node, SourceSpec};
use millstream_operators::{
    JobGraph, NodeId, NodeKind, OperatorContext, OperatorError, OperatorSpec, Output, Partitioning,
    Port,
};
use millstream_state::{MemoryStore, SharedStore};

use crate::align::Align;
use crate::chain::{Chain, ChainNode, Destination, SinkWork, Target, Work};
use crate::channel::{Inbox, Sender};
use crate::clock::Clock;
use crate::components::Components;
use crate::control::Control;
use crate::discovery::{Discovery, Mailbox};
use crate::error::{EngineError, Result};
use crate::exchange::Outlet;
use crate::fragment::{Fragments, subtasks};
use crate::input::{ExchangeInput, Input};
use crate::job::RunOptions;
use crate::metrics::JobMetrics;
use crate::source_task::{SourceInput, SourceParts};
use crate::task::{Task, TaskContext};
use crate::waker::Waker;

/// A job that is ready to run, on threads or in a simulation.
pub struct Assembly {
    /// The tasks: fragments × subtasks, upstream first.
    pub tasks: Vec<Task>,
    /// One for each source whose splits are not final.
    pub discoveries: Vec<Discovery>,
    /// Stops and aborts the tasks.
    pub control: Arc<Control>,
    /// The tasks' counters.
    pub metrics: Arc<JobMetrics>,
}

/// Opens tables, builds operators and connects tasks.
///
/// # Errors
/// If a table cannot be opened or an operator cannot be built.
///
/// # Panics
/// If the graph breaks its laws: a bug of the planner.
pub fn assemble(
    graph: &JobGraph,
    options: &RunOptions,
    components: &dyn Components,
    clock: Clock,
) -> Result<Assembly> {
    graph.check();
    let (sources, sinks) = open_tables(graph, components)?;
    let limit = |node: NodeId| sinks.get(&node).and_then(|sink| sink.max_parallelism());
    let parallelism = subtasks(graph, options.parallelism, limit);
    let fragments = Fragments::new(graph, &parallelism);
    let control = Arc::new(Control::default());
    let places = fragments.fragments.iter().map(|fragment| {
        (0..fragment.parallelism).map(|_| Place::new(&control)).collect::<Vec<_>>()
    });
    let mut assembler = Assembler {
        graph,
        components,
        edge_capacity_bytes: options.edge_capacity_bytes,
        places: places.collect(),
        fragments,
        sources,
        sinks,
        discoveries: Vec::new(),
        metrics: Arc::new(JobMetrics::new(graph, &parallelism, clock.clone())),
        control,
        clock,
    };
    let mut tasks = assembler.tasks()?;
    tasks.iter_mut().try_for_each(Task::announce_no_split)?;
    let Assembler { mut discoveries, control, metrics, .. } = assembler;
    discoveries.retain(|discovery| discovery.interval().is_some());
    Ok(Assembly { tasks, discoveries, control, metrics })
}

type Sources = BTreeMap<NodeId, Arc<dyn Source>>;
type Sinks = BTreeMap<NodeId, Box<dyn Sink>>;

fn open_tables(graph: &JobGraph, components: &dyn Components) -> Result<(Sources, Sinks)> {
    let (mut sources, mut sinks) = (Sources::new(), Sinks::new());
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
    Ok((sources, sinks))
}

/// Where a task will be: what others must know of it before it exists.
struct Place {
    waker: Arc<Waker>,
    inbox: Arc<Inbox>,
}

impl Place {
    fn new(control: &Control) -> Self {
        let waker = Arc::new(Waker::default());
        control.register(waker.clone());
        Place { inbox: Inbox::new(waker.clone()), waker }
    }
}

struct Assembler<'a> {
    graph: &'a JobGraph,
    components: &'a dyn Components,
    edge_capacity_bytes: usize,
    fragments: Fragments,
    /// By fragment and subtask.
    places: Vec<Vec<Place>>,
    sources: Sources,
    sinks: Sinks,
    discoveries: Vec<Discovery>,
    metrics: Arc<JobMetrics>,
    control: Arc<Control>,
    clock: Clock,
}

impl Assembler<'_> {
    /// Chains first, since they connect the queues; then the inputs, which count them.
    fn tasks(&mut self) -> Result<Vec<Task>> {
        let mut chains = Vec::new();
        for fragment in 0..self.fragments.fragments.len() {
            for subtask in 0..self.fragments.fragments[fragment].parallelism {
                chains.push((fragment, subtask, self.chain(fragment, subtask)?));
            }
        }
        let mut mailboxes = BTreeMap::new();
        for node in self.sources.keys().copied().collect::<Vec<_>>() {
            mailboxes.insert(node, self.first_splits(node)?);
        }
        let mut tasks = Vec::new();
        for (fragment, subtask, chain) in chains {
            let head = self.fragments.fragments[fragment].nodes[0];
            let input = match mailboxes.get(&head) {
                Some(mailboxes) => self.source_input(head, subtask, mailboxes[subtask].clone())?,
                None => {
                    let inbox = self.places[fragment][subtask].inbox.clone();
                    let metrics = self.metrics.nodes[head.0].subtasks[subtask].clone();
                    Input::Exchange(ExchangeInput::new(inbox, metrics))
                }
            };
            let context = TaskContext {
                waker: self.places[fragment][subtask].waker.clone(),
                control: self.control.clone(),
                clock: self.clock.clone(),
            };
            let name = format!("{}/{subtask}", self.graph.node(head).name);
            tasks.push(Task::new(name, input, chain, context));
        }
        Ok(tasks)
    }

    fn first_splits(&mut self, node: NodeId) -> Result<Vec<Arc<Mailbox>>> {
        let NodeKind::Source(spec) = &self.graph.node(node).kind else {
            unreachable!("only sources have splits")
        };
        let places = &self.places[self.fragments.of(node)];
        let mailboxes: Vec<Arc<Mailbox>> =
            places.iter().map(|place| Mailbox::new(place.waker.clone())).collect();
        let source = self.sources[&node].clone();
        let mut discovery = Discovery::new(&spec.table.name, source, mailboxes.clone());
        discovery.look()?;
        self.discoveries.push(discovery);
        Ok(mailboxes)
    }

    fn source_input(&self, id: NodeId, subtask: usize, mailbox: Arc<Mailbox>) -> Result<Input> {
        let node = self.graph.node(id);
        let NodeKind::Source(spec) = &node.kind else { unreachable!("only sources have splits") };
        let source = self.sources[&id].clone();
        let computed = match &spec.computed {
            None => None,
            Some(columns) => {
                let spec = OperatorSpec::Project(columns.clone());
                Some(self.operator(node, &spec, source_schema(node), subtask, None)?)
            }
        };
        let parts = SourceParts {
            name: node.name.clone(),
            table: spec.table.name.clone(),
            splits_are_final: source.discovery_interval().is_none(),
            source,
            computed,
            watermark: spec.watermark.clone(),
            mailbox,
            control: self.control.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.nodes[id.0].subtasks[subtask].clone(),
        };
        Ok(Input::Source(Box::new(SourceInput::open(parts)?)))
    }

    fn chain(&self, fragment: usize, subtask: usize) -> Result<Chain> {
        let store = MemoryStore::shared();
        let nodes = self.fragments.fragments[fragment].nodes.iter();
        let nodes = nodes.map(|node| self.chain_node(*node, subtask, &store));
        Ok(Chain::new(nodes.collect::<Result<Vec<_>>>()?, self.clock.clone()))
    }

    fn chain_node(&self, id: NodeId, subtask: usize, store: &SharedStore) -> Result<ChainNode> {
        let node = self.graph.node(id);
        let metrics = &self.metrics.nodes[id.0];
        let work = match &node.kind {
            NodeKind::Source(_) => Work::Source,
            NodeKind::Operator(spec) => {
                let input = input_schema(self.graph, id);
                Work::Operator(self.operator(node, spec, input, subtask, Some(store))?)
            }
            NodeKind::Sink(table) => Work::Sink(SinkWork {
                table: table.name.clone(),
                writer: self.sinks[&id].writer(subtask).map_err(EngineError::table(&table.name))?,
                latency: metrics.latency[subtask].clone(),
                dirty: false,
            }),
        };
        let is_head = self.fragments.fragments[self.fragments.of(id)].nodes[0] == id;
        let inputs = self.graph.inputs(id).count();
        Ok(ChainNode {
            name: node.name.clone(),
            work,
            align: (!is_head && inputs > 1).then(|| Align::new(inputs)),
            targets: self.graph.outputs(id).map(|edge| self.target(edge, subtask)).collect(),
            metrics: metrics.subtasks[subtask].clone(),
            output: Output::new(),
        })
    }

    /// Builds and opens an operator; computed columns of a source have no state, hence no store.
    fn operator(
        &self,
        node: &Node,
        spec: &OperatorSpec,
        input: SchemaRef,
        subtask: usize,
        store: Option<&SharedStore>,
    ) -> Result<Box<dyn millstream_operators::Operator>> {
        let build = || -> std::result::Result<_, OperatorError> {
            let mut operator =
                self.components.operator(&node.name, spec, input, node.schema.clone())?;
            operator.open(&OperatorContext {
                name: node.name.clone(),
                subtask,
                parallelism: self.metrics.nodes[node.id.0].subtasks.len(),
                store: store.cloned().unwrap_or_else(|| MemoryStore::shared()),
                metrics: self.metrics.nodes[node.id.0].subtasks[subtask].clone(),
            })?;
            Ok(operator)
        };
        build().map_err(EngineError::operator(&node.name))
    }

    fn target(&self, edge: &Edge, subtask: usize) -> Target {
        let to_fragment = self.fragments.of(edge.to);
        if self.fragments.is_local(edge) {
            let nodes = &self.fragments.fragments[to_fragment].nodes;
            let node = nodes.iter().position(|node| *node == edge.to);
            let mut inputs = self.graph.inputs(edge.to);
            let input = inputs.position(|other| std::ptr::eq(other, edge));
            let to = Destination::Local {
                node: node.expect("the fragment of a node contains it"),
                input: input.expect("an edge is an input of the node at its end"),
            };
            return Target { port: edge.port, to };
        }
        let from = &self.places[self.fragments.of(edge.from)];
        let receivers = &self.places[to_fragment];
        let capacity_bytes = (self.edge_capacity_bytes / from.len()).max(1);
        let connect = |receiver: &Place| -> Sender {
            receiver.inbox.connect(from[subtask].waker.clone(), capacity_bytes)
        };
        let outlet = match &edge.partitioning {
            Partitioning::Forward => Outlet::direct(connect(&receivers[subtask % receivers.len()])),
            Partitioning::Single => Outlet::direct(connect(&receivers[0])),
            Partitioning::Hash(keys) => {
                Outlet::by_key(keys.clone(), receivers.iter().map(connect).collect())
            }
        };
        Target { port: edge.port, to: Destination::Outlet(outlet) }
    }
}

/// Columns of what a node takes in.
fn input_schema(graph: &JobGraph, node: NodeId) -> SchemaRef {
    let edge = graph.inputs(node).next().expect("only sources have no input");
    match edge.port {
        Port::LATE => input_schema(graph, edge.from),
        _ => graph.node(edge.from).schema.clone(),
    }
}

/// Columns that the connector of a source delivers.
fn source_schema(node: &Node) -> SchemaRef {
    match &node.kind {
        NodeKind::Source(spec) => spec.table.schema.clone(),
        _ => unreachable!("only sources read tables"),
    }
}
