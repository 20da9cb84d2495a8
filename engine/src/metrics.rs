//! The view of a running job that everything draws from: progress line, summary, exports.
//!
//! Tasks write counters; [`JobMetrics::snapshot`] reads them at any time into plain numbers.

use std::sync::{Arc, Mutex};

use hdrhistogram::Histogram;
use millstream_operators::OperatorMetrics;
use millstream_operators::graph::{JobGraph, NodeId, NodeKind};
use millstream_state::EventTime;

use crate::clock::Clock;
use crate::epoch::figures::{EpochFigures, EpochMetrics, resident_bytes};
use crate::waker::lock;

/// What kind of node a row of figures belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads a table.
    Source,
    /// Changes rows.
    Operator,
    /// Writes a table.
    Sink,
}

/// How long result rows took, from the arrival of what completed them to the sink.
///
/// For a row that only passes through, that is the arrival of its batch; for a fired window, the
/// arrival of the batch whose watermark fired it. Queueing counts; waiting for the window's end
/// and for the watermark's delay, which the query asks for, does not.
#[derive(Debug)]
pub struct Latency(Mutex<Histogram<u64>>);

impl Default for Latency {
    fn default() -> Self {
        // 1 µs to an hour with 3 digits: 30 KiB a sink subtask.
        let histogram = Histogram::new_with_bounds(1_000, 3_600_000_000_000, 3);
        Latency(Mutex::new(histogram.expect("constant bounds are valid")))
    }
}

impl Latency {
    /// Records that `rows` rows took `latency_ns`.
    pub fn record(&self, latency_ns: u64, rows: u64) {
        lock(&self.0).saturating_record_n(latency_ns, rows);
    }
}

/// The live figures of one node.
#[derive(Debug)]
pub struct NodeMetrics {
    /// The node in the job graph.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// What kind of node it is.
    pub role: Role,
    /// Counters of each subtask.
    pub subtasks: Vec<Arc<OperatorMetrics>>,
    /// For a sink: the latency histogram of each subtask; otherwise empty.
    pub latency: Vec<Arc<Latency>>,
}

/// The live figures of a job.
#[derive(Debug)]
pub struct JobMetrics {
    /// In the order of the job graph.
    pub nodes: Vec<NodeMetrics>,
    /// Figures of epochs and restarts.
    pub epochs: EpochMetrics,
    clock: Clock,
}

impl JobMetrics {
    /// Zero for every subtask of every node. Counters go on over the incarnations of a job: none
    /// of them changes how many subtasks there are.
    pub(crate) fn new(graph: &JobGraph, parallelism: &[usize], clock: Clock) -> Self {
        let nodes = graph.nodes.iter().zip(parallelism).map(|(node, &subtasks)| {
            let role = match node.kind {
                NodeKind::Source(_) => Role::Source,
                NodeKind::Operator(_) => Role::Operator,
                NodeKind::Sink(_) => Role::Sink,
            };
            let histograms = if role == Role::Sink { subtasks } else { 0 };
            NodeMetrics {
                id: node.id,
                name: node.name.clone(),
                role,
                subtasks: (0..subtasks).map(|_| Arc::default()).collect(),
                latency: (0..histograms).map(|_| Arc::default()).collect(),
            }
        });
        JobMetrics { nodes: nodes.collect(), epochs: EpochMetrics::default(), clock }
    }

    /// The figures of this moment.
    pub fn snapshot(&self) -> JobSnapshot {
        let nodes = self.nodes.iter().map(NodeMetrics::snapshot).collect();
        let mut merged = Histogram::<u64>::new(3).expect("3 digits are valid");
        for latency in self.nodes.iter().flat_map(|node| &node.latency) {
            merged.add(&*lock(&latency.0)).expect("the merged histogram resizes itself");
        }
        let latency = (!merged.is_empty()).then(|| LatencyFigures {
            rows: merged.len(),
            p50_ns: merged.value_at_quantile(0.5),
            p99_ns: merged.value_at_quantile(0.99),
            max_ns: merged.max(),
        });
        JobSnapshot {
            elapsed_ns: self.clock.now_ns(),
            nodes,
            latency,
            epochs: self.epochs.snapshot(),
            resident_bytes: resident_bytes(),
        }
    }
}

/// Figures of one subtask, or of a node as the sum over its subtasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Rows taken in.
    pub rows_in: u64,
    /// Rows passed on, by any port; of a sink, rows written.
    pub rows_out: u64,
    /// Arrow bytes taken in; of a source, payload bytes read.
    pub bytes_in: u64,
    /// Arrow bytes passed on; of a sink, payload bytes written.
    pub bytes_out: u64,
    /// Time spent working, in nanoseconds.
    pub busy_ns: u64,
    /// Time spent waiting for input, in nanoseconds; of a source, with the read that ended the wait.
    pub idle_ns: u64,
    /// Time spent waiting for room in an output, in nanoseconds.
    pub backpressured_ns: u64,
    /// Bytes waiting in the input queues of the task's head.
    pub queue_bytes: u64,
    /// Room of those queues, in bytes.
    pub queue_capacity_bytes: u64,
    /// Rows that came after all their windows had fired.
    pub late_rows: u64,
    /// Rows without event time.
    pub null_time_rows: u64,
    /// Records that could not be read and were skipped.
    pub decode_errors: u64,
    /// Records between a source's position and the end of its splits.
    pub lag_records: u64,
    /// Keys held in state.
    pub state_keys: u64,
    /// Bytes held in state.
    pub state_bytes: u64,
    /// The watermark that was passed on last; of a node, the lowest of its subtasks that are not
    /// idle.
    pub watermark: EventTime,
    /// True if all inputs are idle; of a node, if all subtasks are.
    pub idle: bool,
}

impl Figures {
    fn of(metrics: &OperatorMetrics) -> Self {
        Figures {
            rows_in: metrics.rows_in.get(),
            rows_out: metrics.rows_out.get(),
            bytes_in: metrics.bytes_in.get(),
            bytes_out: metrics.bytes_out.get(),
            busy_ns: metrics.busy_ns.get(),
            idle_ns: metrics.idle_ns.get(),
            backpressured_ns: metrics.backpressured_ns.get(),
            queue_bytes: metrics.queue_bytes.get(),
            queue_capacity_bytes: metrics.queue_capacity_bytes.get(),
            late_rows: metrics.late_rows.get(),
            null_time_rows: metrics.null_time_rows.get(),
            decode_errors: metrics.decode_errors.get(),
            lag_records: metrics.lag_records.get(),
            state_keys: metrics.state_keys.get(),
            state_bytes: metrics.state_bytes.get(),
            watermark: EventTime::from_ms(metrics.watermark_ms()),
            idle: metrics.is_idle(),
        }
    }

    fn sum(subtasks: &[Figures]) -> Self {
        let sum = |figure: fn(&Figures) -> u64| subtasks.iter().map(figure).sum();
        let lowest = |idle: bool| {
            let of_kind = subtasks.iter().filter(|subtask| idle || !subtask.idle);
            of_kind.map(|subtask| subtask.watermark).min()
        };
        Figures {
            rows_in: sum(|f| f.rows_in),
            rows_out: sum(|f| f.rows_out),
            bytes_in: sum(|f| f.bytes_in),
            bytes_out: sum(|f| f.bytes_out),
            busy_ns: sum(|f| f.busy_ns),
            idle_ns: sum(|f| f.idle_ns),
            backpressured_ns: sum(|f| f.backpressured_ns),
            queue_bytes: sum(|f| f.queue_bytes),
            queue_capacity_bytes: sum(|f| f.queue_capacity_bytes),
            late_rows: sum(|f| f.late_rows),
            null_time_rows: sum(|f| f.null_time_rows),
            decode_errors: sum(|f| f.decode_errors),
            lag_records: sum(|f| f.lag_records),
            state_keys: sum(|f| f.state_keys),
            state_bytes: sum(|f| f.state_bytes),
            watermark: lowest(false).or_else(|| lowest(true)).unwrap_or(EventTime::MIN),
            idle: subtasks.iter().all(|subtask| subtask.idle),
        }
    }
}

impl NodeMetrics {
    fn snapshot(&self) -> NodeSnapshot {
        let subtasks: Vec<Figures> =
            self.subtasks.iter().map(|metrics| Figures::of(metrics)).collect();
        let total = Figures::sum(&subtasks);
        NodeSnapshot { id: self.id, name: self.name.clone(), role: self.role, total, subtasks }
    }
}

/// Figures of one node at one moment.
#[derive(Clone, Debug)]
pub struct NodeSnapshot {
    /// The node in the job graph.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// What kind of node it is.
    pub role: Role,
    /// Sums over the subtasks.
    pub total: Figures,
    /// Each subtask by itself.
    pub subtasks: Vec<Figures>,
}

/// Quantiles of the latency of result rows; see [`Latency`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyFigures {
    /// Rows written.
    pub rows: u64,
    /// Half of the rows took no longer, in nanoseconds.
    pub p50_ns: u64,
    /// 99 % of the rows took no longer, in nanoseconds.
    pub p99_ns: u64,
    /// No row took longer, in nanoseconds.
    pub max_ns: u64,
}

/// Figures of a job at one moment, as plain numbers; its `Display` is the summary of a run.
#[derive(Clone, Debug)]
pub struct JobSnapshot {
    /// Nanoseconds since the start.
    pub elapsed_ns: u64,
    /// In the order of the job graph.
    pub nodes: Vec<NodeSnapshot>,
    /// `None` until the first row reached a sink.
    pub latency: Option<LatencyFigures>,
    /// Epochs and restarts; all zero for a job without.
    pub epochs: EpochFigures,
    /// Memory that the process takes, in bytes, where the system says it.
    pub resident_bytes: Option<u64>,
}

impl JobSnapshot {
    /// Rows read by all sources.
    pub fn rows_read(&self) -> u64 {
        self.sum(Role::Source, |figures| figures.rows_in)
    }

    /// Rows written by all sinks.
    pub fn rows_written(&self) -> u64 {
        self.sum(Role::Sink, |figures| figures.rows_out)
    }

    fn sum(&self, role: Role, figure: fn(&Figures) -> u64) -> u64 {
        self.nodes.iter().filter(|node| node.role == role).map(|node| figure(&node.total)).sum()
    }
}
