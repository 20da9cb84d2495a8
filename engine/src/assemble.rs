//! From a job graph and open tables to tasks that are wired up and ready to run.
//!
//! Everything that can fail on the way in fails before the first row is read: unknown options,
//! missing files, unreachable brokers, state that does not fit.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use arrow::datatypes::SchemaRef;
use crossbeam_channel::{Receiver, Sender as NoticeSender, unbounded};
use millstream_operators::graph::{Edge, Node};
use millstream_operators::{
    JobGraph, NodeId, NodeKind, OperatorContext, OperatorError, OperatorSpec, Output, Partitioning,
    Port, ProcessingClock,
};
use millstream_state::{GroupRange, MemoryBudget, MemoryUse, SharedState, StateStore, TaskState};

use crate::align::Align;
use crate::alignment::Groups;
use crate::chain::{Chain, ChainNode, Destination, SinkWork, Target, Work};
use crate::channel::{Inbox, Sender};
use crate::clock::Clock;
use crate::components::Components;
use crate::control::Control;
use crate::discovery::{Discovery, Mailbox, SplitStart};
use crate::epoch::driver::{DriverParts, EpochDriver};
use crate::epoch::worker::Request;
use crate::epoch::{EpochWorker, Notice};
use crate::error::{EngineError, Result};
use crate::exchange::Outlet;
use crate::input::{ExchangeInput, Input};
use crate::metrics::JobMetrics;
use crate::open::Opened;
use crate::recovery::Resumed;
use crate::source_task::{Activity, Alignment, SourceInput, SourceParts};
use crate::task::{Task, TaskContext, TaskEpochs};
use crate::waker::Waker;

/// An incarnation of a job that is ready to run, on threads or in a simulation.
pub struct Assembly {
    /// The tasks: fragments × subtasks, upstream first.
    pub tasks: Vec<Task>,
    /// One for each source whose splits are not final.
    pub discoveries: Vec<Discovery>,
    /// Steers the tasks.
    pub control: Arc<Control>,
    /// The tasks' counters.
    pub metrics: Arc<JobMetrics>,
    /// Decides about epochs and the end.
    pub driver: EpochDriver,
    /// Does the blocking work of epochs, for jobs that have them.
    pub worker: Option<EpochWorker>,
    /// What the worker is asked for.
    pub requests: Receiver<Request>,
    /// What tasks and worker say.
    pub notices: Receiver<Notice>,
    /// For others who have to say something.
    pub notify: NoticeSender<Notice>,
}

/// What is assembled.
pub(crate) struct Parts<'a> {
    pub graph: &'a JobGraph,
    pub edge_capacity_bytes: usize,
    pub components: &'a dyn Components,
    pub clock: Clock,
    pub memory: Arc<MemoryBudget>,
    pub metrics: Arc<JobMetrics>,
    pub interval_ms: u64,
    pub opened: Opened,
}

/// Builds operators and connects tasks. The worker is left to the caller, who has the snapshots.
///
/// # Errors
/// If a reader cannot be opened or an operator cannot be built.
pub(crate) fn assemble(parts: Parts<'_>, resumed: &mut Resumed) -> Result<Assembly> {
    let Parts { graph, components, clock, memory, metrics, opened, .. } = parts;
    let control = Arc::new(Control::default());
    let places = opened.fragments.fragments.iter().map(|fragment| {
        (0..fragment.parallelism).map(|_| Place::new(&control)).collect::<Vec<_>>()
    });
    let (notify, notices) = unbounded();
    let mut assembler = Assembler {
        graph,
        components,
        edge_capacity_bytes: parts.edge_capacity_bytes,
        places: places.collect(),
        opened,
        store: resumed.store.clone(),
        starts: std::mem::take(&mut resumed.starts),
        discoveries: Vec::new(),
        notify: notify.clone(),
        metrics,
        memory,
        control,
        clock,
    };
    let mut tasks = assembler.tasks(resumed)?;
    tasks.iter_mut().try_for_each(Task::announce_no_split)?;
    let Assembler { mut discoveries, control, metrics, clock, memory, .. } = assembler;
    discoveries.retain(|discovery| discovery.interval().is_some());
    let (request, requests) = unbounded();
    let driver = EpochDriver::new(DriverParts {
        facts: resumed.facts.take(),
        epoch: resumed.epoch,
        tasks: tasks.len(),
        interval_ms: parts.interval_ms,
        control: control.clone(),
        clock,
        memory,
        metrics: metrics.clone(),
        requests: request,
    });
    let worker = None;
    Ok(Assembly { tasks, discoveries, control, metrics, driver, worker, requests, notices, notify })
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
    /// By fragment and subtask.
    places: Vec<Vec<Place>>,
    opened: Opened,
    /// The job's state, if it has epochs.
    store: Option<Arc<dyn StateStore>>,
    starts: BTreeMap<NodeId, Vec<SplitStart>>,
    discoveries: Vec<Discovery>,
    notify: NoticeSender<Notice>,
    metrics: Arc<JobMetrics>,
    memory: Arc<MemoryBudget>,
    control: Arc<Control>,
    clock: Clock,
}

impl Assembler<'_> {
    /// Chains first, since they connect the queues; then the inputs, which count them.
    fn tasks(&mut self, resumed: &Resumed) -> Result<Vec<Task>> {
        let mut chains = Vec::new();
        for fragment in 0..self.opened.fragments.fragments.len() {
            for subtask in 0..self.opened.fragments.fragments[fragment].parallelism {
                let state = self.state(chains.len());
                let chain = self.chain(fragment, subtask, &state)?;
                chains.push((fragment, subtask, chain, state));
            }
        }
        let mut mailboxes = BTreeMap::new();
        for node in self.opened.sources.keys().copied().collect::<Vec<_>>() {
            mailboxes.insert(node, self.first_splits(node));
        }
        let mut groups = Groups::default();
        let mut activities: BTreeMap<NodeId, Arc<Activity>> = BTreeMap::new();
        let mut tasks = Vec::new();
        for (number, (fragment, subtask, chain, state)) in chains.into_iter().enumerate() {
            let head = self.opened.fragments.fragments[fragment].nodes[0];
            let input = match mailboxes.get(&head) {
                Some(mailboxes) => {
                    let activity = activities.entry(head).or_default().clone();
                    let mailbox = mailboxes[subtask].clone();
                    self.source_input(head, subtask, mailbox, activity, &mut groups)?
                }
                None => {
                    let inbox = self.places[fragment][subtask].inbox.clone();
                    let metrics = self.metrics.nodes[head.0].subtasks[subtask].clone();
                    Input::Exchange(ExchangeInput::new(inbox, metrics))
                }
            };
            let epochs = self.store.clone().map(|store| TaskEpochs {
                state,
                store,
                acknowledged: resumed.epoch,
                unapplied: VecDeque::new(),
                memory: MemoryUse::new(self.memory.clone()),
            });
            let context = TaskContext {
                number,
                waker: self.places[fragment][subtask].waker.clone(),
                control: self.control.clone(),
                clock: self.clock.clone(),
                notices: self.notify.clone(),
                epochs,
            };
            let name = format!("{}/{subtask}", self.graph.node(head).name);
            tasks.push(Task::new(name, input, chain, context));
        }
        Ok(tasks)
    }

    /// The state of task number `task`; without a store it is forgotten with the task.
    fn state(&self, task: usize) -> SharedState {
        match &self.store {
            None => TaskState::in_memory(),
            Some(store) => Arc::new(Mutex::new(TaskState::new(store.clone(), task as u32))),
        }
    }

    fn first_splits(&mut self, node: NodeId) -> Vec<Arc<Mailbox>> {
        let NodeKind::Source(spec) = &self.graph.node(node).kind else {
            unreachable!("only sources have splits")
        };
        let places = &self.places[self.opened.fragments.of(node)];
        let mailboxes: Vec<Arc<Mailbox>> =
            places.iter().map(|place| Mailbox::new(place.waker.clone())).collect();
        let source = self.opened.sources[&node].clone();
        let mut discovery = Discovery::new(&spec.table.name, source, mailboxes.clone());
        discovery.assign(self.starts.remove(&node).unwrap_or_default());
        self.discoveries.push(discovery);
        mailboxes
    }

    fn source_input(
        &self,
        id: NodeId,
        subtask: usize,
        mailbox: Arc<Mailbox>,
        activity: Arc<Activity>,
        groups: &mut Groups,
    ) -> Result<Input> {
        let node = self.graph.node(id);
        let NodeKind::Source(spec) = &node.kind else { unreachable!("only sources have splits") };
        let source = self.opened.sources[&id].clone();
        let computed = match &spec.computed {
            None => None,
            Some(columns) => {
                let spec = OperatorSpec::Project(columns.clone());
                let clock = ProcessingClock::default();
                Some(self.operator(node, &spec, source_schema(node), subtask, None, &clock)?)
            }
        };
        let parts = SourceParts {
            node: id,
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
            activity,
            alignment: spec.watermark.as_ref().and_then(|watermark| {
                let spec = watermark.alignment.clone()?;
                Some(Alignment { group: groups.named(&spec.group), spec, member: (id, subtask) })
            }),
        };
        Ok(Input::Source(Box::new(SourceInput::open(parts)?)))
    }

    fn chain(&mut self, fragment: usize, subtask: usize, state: &SharedState) -> Result<Chain> {
        let nodes = self.opened.fragments.fragments[fragment].nodes.clone();
        let clock = ProcessingClock::default();
        let nodes = nodes.into_iter().map(|node| self.chain_node(node, subtask, state, &clock));
        let nodes = nodes.collect::<Result<Vec<_>>>()?;
        Ok(Chain::new(nodes, self.clock.clone(), clock))
    }

    fn chain_node(
        &mut self,
        id: NodeId,
        subtask: usize,
        state: &SharedState,
        clock: &ProcessingClock,
    ) -> Result<ChainNode> {
        let writer = self.opened.writers.remove(&(id, subtask));
        let node = self.graph.node(id);
        let metrics = &self.metrics.nodes[id.0];
        let work = match &node.kind {
            NodeKind::Source(_) => Work::Source,
            NodeKind::Operator(spec) => {
                let input = input_schema(self.graph, id);
                Work::Operator(self.operator(node, spec, input, subtask, Some(state), clock)?)
            }
            NodeKind::Sink(table) => Work::Sink(SinkWork {
                table: table.name.clone(),
                writer: writer.expect("a writer was opened for each subtask of a sink"),
                latency: metrics.latency[subtask].clone(),
                dirty: false,
            }),
        };
        let fragments = &self.opened.fragments;
        let is_head = fragments.fragments[fragments.of(id)].nodes[0] == id;
        let inputs = self.graph.inputs(id).count();
        Ok(ChainNode {
            name: node.name.clone(),
            work,
            align: (!is_head && inputs > 1).then(|| Align::new(inputs)),
            targets: self.graph.outputs(id).map(|edge| self.target(edge, subtask)).collect(),
            metrics: metrics.subtasks[subtask].clone(),
            output: Output::new(),
            due_ns: None,
            goes_by_clock: self.goes_by_clock(id),
        })
    }

    /// True if time at a node is the clock's, so that it goes on while the task's input is idle.
    fn goes_by_clock(&self, id: NodeId) -> bool {
        let reads_clock = match &self.graph.node(id).kind {
            NodeKind::Operator(OperatorSpec::ProcessingTime { is_followed }) => *is_followed,
            _ => false,
        };
        let local = |edge: &&Edge| self.opened.fragments.is_local(edge);
        reads_clock || self.graph.inputs(id).filter(local).any(|edge| self.goes_by_clock(edge.from))
    }

    /// Builds and opens an operator; computed columns of a source have no state.
    fn operator(
        &self,
        node: &Node,
        spec: &OperatorSpec,
        input: SchemaRef,
        subtask: usize,
        state: Option<&SharedState>,
        clock: &ProcessingClock,
    ) -> Result<Box<dyn millstream_operators::Operator>> {
        let build = || -> std::result::Result<_, OperatorError> {
            let mut operator =
                self.components.operator(&node.name, spec, input, node.schema.clone())?;
            let parallelism = self.metrics.nodes[node.id.0].subtasks.len();
            operator.open(&OperatorContext {
                name: node.name.clone(),
                subtask,
                parallelism,
                state: state.cloned().unwrap_or_else(TaskState::in_memory),
                // More subtasks than groups exist only where rows have no key.
                groups: GroupRange::owned(subtask, parallelism).unwrap_or(GroupRange::ALL),
                memory: self.memory.clone(),
                metrics: self.metrics.nodes[node.id.0].subtasks[subtask].clone(),
                clock: clock.clone(),
            })?;
            Ok(operator)
        };
        build().map_err(EngineError::operator(&node.name))
    }

    fn target(&self, edge: &Edge, subtask: usize) -> Target {
        let fragments = &self.opened.fragments;
        let to_fragment = fragments.of(edge.to);
        if fragments.is_local(edge) {
            let nodes = &fragments.fragments[to_fragment].nodes;
            let node = nodes.iter().position(|node| *node == edge.to);
            let mut inputs = self.graph.inputs(edge.to);
            let input = inputs.position(|other| std::ptr::eq(other, edge));
            let to = Destination::Local {
                node: node.expect("the fragment of a node contains it"),
                input: input.expect("an edge is an input of the node at its end"),
            };
            return Target { port: edge.port, to };
        }
        let from = &self.places[fragments.of(edge.from)];
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
