//! A job from the outside: start it, watch it, stop it, wait for it.
//!
//! | from | event | to |
//! |---|---|---|
//! | – | `start` fails | – (nothing runs, the error names the table) |
//! | – | `start` | running |
//! | running | every bounded input ended | finished |
//! | running | `stop` | stopped, once what was read is processed |
//! | running | `abort`, or the handle is dropped | aborted |
//! | running | a task fails | failed, with the first error |
//!
//! Nothing here is global: jobs in one process do not know of each other, and none outlives its
//! handle.

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use millstream_connectors::registry::Environment;
use millstream_operators::JobGraph;
use tokio::sync::oneshot;

use crate::assemble::assemble;
use crate::clock::Clock;
use crate::components::{Components, Registry};
use crate::control::Control;
use crate::coordinator::coordinate;
use crate::error::{EngineError, Result};
use crate::metrics::{JobMetrics, JobSnapshot};
use crate::task::panic_message;

/// Default for [`RunOptions::edge_capacity_bytes`]: a few batches under load.
pub const EDGE_CAPACITY_BYTES: usize = 4 << 20;

/// How to run a graph.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// Subtasks of every node where neither plan nor table says otherwise.
    pub parallelism: usize,
    /// Room of an edge before each receiving subtask, in bytes; shared evenly by its senders. A
    /// single batch passes even if it is larger.
    pub edge_capacity_bytes: usize,
}

impl RunOptions {
    /// This parallelism and default capacities.
    pub fn new(parallelism: usize) -> Self {
        RunOptions { parallelism, edge_capacity_bytes: EDGE_CAPACITY_BYTES }
    }
}

/// How to run a graph with the connectors that Millstream brings along.
#[derive(Clone)]
pub struct JobConfig {
    /// As [`RunOptions::parallelism`].
    pub parallelism: usize,
    /// As [`RunOptions::edge_capacity_bytes`].
    pub edge_capacity_bytes: usize,
    /// What connectors are given.
    pub environment: Environment,
}

impl JobConfig {
    /// This parallelism and default capacities.
    pub fn new(parallelism: usize, environment: Environment) -> Self {
        JobConfig { parallelism, edge_capacity_bytes: EDGE_CAPACITY_BYTES, environment }
    }
}

/// Starts a job with the registered connectors.
///
/// # Errors
/// If a table cannot be opened, with its name, or an operator cannot be built.
///
/// # Panics
/// If the graph breaks its laws: a bug of the planner.
pub fn start(graph: JobGraph, config: JobConfig) -> Result<JobHandle> {
    let JobConfig { parallelism, edge_capacity_bytes, environment } = config;
    let options = RunOptions { parallelism, edge_capacity_bytes };
    start_with(&graph, options, &Registry::new(environment))
}

/// Starts a job with connectors and operators of the caller's choice.
///
/// # Errors
/// As [`start`].
///
/// # Panics
/// As [`start`].
pub fn start_with(
    graph: &JobGraph,
    options: RunOptions,
    components: &dyn Components,
) -> Result<JobHandle> {
    let assembly = assemble(graph, &options, components, Clock::system())?;
    let control = JobControl(assembly.control.clone());
    let metrics = assembly.metrics.clone();
    let (ended, end) = oneshot::channel();
    let run = move || {
        // Nobody waits if the handle was dropped.
        ended.send(coordinate(assembly)).ok();
    };
    let name = "coordinator";
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    let thread =
        thread.map_err(|source| EngineError::Thread { thread: name.to_owned(), source })?;
    Ok(JobHandle { control, metrics, end: Some(end), thread: Some(thread) })
}

/// Ends a job from anywhere, such as a signal handler. Requests after the end do nothing.
#[derive(Clone, Debug)]
pub struct JobControl(Arc<Control>);

impl JobControl {
    /// Asks for a graceful end: sources stop reading, what was read is processed and written.
    /// Windows that are still open are not emitted, for they are not complete.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Ends the job now; what is in flight is lost, and sinks are not finished.
    pub fn abort(&self) {
        self.0.abort();
    }
}

/// A running job. Dropping the handle aborts the job and waits for its threads.
pub struct JobHandle {
    control: JobControl,
    metrics: Arc<JobMetrics>,
    end: Option<oneshot::Receiver<Result<JobSummary>>>,
    thread: Option<JoinHandle<()>>,
}

impl JobHandle {
    /// The live figures; to be read at any time, also while another owner waits for the job.
    pub fn metrics(&self) -> &Arc<JobMetrics> {
        &self.metrics
    }

    /// What ends the job; to be handed out before waiting for it.
    pub fn control(&self) -> JobControl {
        self.control.clone()
    }

    /// See [`JobControl::stop`].
    pub fn stop(&self) {
        self.control.stop();
    }

    /// See [`JobControl::abort`].
    pub fn abort(&self) {
        self.control.abort();
    }

    /// Waits for the end without blocking the thread. If the future is dropped, so is the job.
    ///
    /// # Errors
    /// The first failure of a task.
    pub async fn wait(mut self) -> Result<JobSummary> {
        let end = self.end.take().expect("only waiting takes it, and that consumes the handle");
        match end.await {
            Ok(result) => result,
            Err(_) => Err(self.join_failed()),
        }
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// The first failure of a task.
    pub fn wait_blocking(mut self) -> Result<JobSummary> {
        let mut end = self.end.take().expect("only waiting takes it, and that consumes the handle");
        let error = self.join_failed();
        end.try_recv().unwrap_or(Err(error))
    }

    /// Joins the coordinator and says what it died of, in case it did.
    fn join_failed(&mut self) -> EngineError {
        let joined = self.thread.take().map(JoinHandle::join);
        let message = match joined {
            Some(Err(panic)) => panic_message(panic.as_ref()),
            _ => "it ended without a result".to_owned(),
        };
        EngineError::Bug { operator: "coordinator".to_owned(), message }
    }
}

impl Drop for JobHandle {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.control.abort();
            // A panic of the coordinator has no one left to be reported to.
            thread.join().ok();
        }
    }
}

/// How a job ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// All inputs were bounded and have ended.
    Finished,
    /// A stop was asked for; all that was read was processed.
    Stopped,
    /// An abort was asked for.
    Aborted,
}

impl Outcome {
    pub(crate) fn of(control: &Control) -> Self {
        match (control.is_aborted(), control.is_stopping()) {
            (true, _) => Outcome::Aborted,
            (false, true) => Outcome::Stopped,
            (false, false) => Outcome::Finished,
        }
    }
}

/// What a job did, after its end; its `Display` is a table of figures for each operator.
#[derive(Clone, Debug)]
pub struct JobSummary {
    /// How it ended.
    pub outcome: Outcome,
    /// The last figures.
    pub figures: JobSnapshot,
}

impl fmt::Display for JobSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.figures.fmt(f)
    }
}
