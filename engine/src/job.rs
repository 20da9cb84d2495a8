//! A job from the outside: start it, watch it, stop it, wait for it.
//!
//! | from | event | to |
//! |---|---|---|
//! | – | `start` fails | – (nothing runs, the error names the table) |
//! | – | `start` | running |
//! | running | every bounded input ended | finished |
//! | running | `stop` | stopped, once what was read is processed and committed |
//! | running | `abort`, or the handle is dropped | aborted |
//! | running | a failure that may go away, and the job keeps its state | waiting, then running |
//! | running | any other failure | failed, with the first error |
//!
//! Nothing here is global: jobs in one process do not know of each other, and none outlives its
//! handle.

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use millstream_connectors::registry::Environment;
use millstream_operators::JobGraph;
use millstream_state::MemoryBudget;
use tokio::sync::{oneshot, watch};

use crate::clock::Clock;
use crate::components::{Components, Registry};
use crate::durability::{Durability, Keeping};
use crate::error::{EngineError, Result};
use crate::metrics::{JobMetrics, JobSnapshot};
use crate::recovery::Recovery;
use crate::spill;
use crate::steering::Steering;
use crate::supervisor::Supervisor;
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
pub struct JobConfig {
    /// As [`RunOptions::parallelism`].
    pub parallelism: usize,
    /// As [`RunOptions::edge_capacity_bytes`].
    pub edge_capacity_bytes: usize,
    /// What connectors are given; `job` is set by the engine.
    pub environment: Environment,
    /// What the job keeps over restarts; `None` for nothing.
    pub durability: Option<Durability>,
    /// What the job's state may take of memory. What does not fit goes to disk.
    pub memory: Arc<MemoryBudget>,
}

impl JobConfig {
    /// This parallelism, default capacities, unlimited memory, and nothing that outlives the job.
    pub fn new(parallelism: usize, environment: Environment) -> Self {
        JobConfig {
            parallelism,
            edge_capacity_bytes: EDGE_CAPACITY_BYTES,
            environment,
            durability: None,
            memory: MemoryBudget::unlimited(),
        }
    }
}

/// Starts a job with the registered connectors.
///
/// # Errors
/// If a table cannot be opened, with its name, an operator cannot be built, or the job cannot go
/// on from what it has kept.
///
/// # Panics
/// If the graph breaks its laws: a bug of the planner.
pub fn start(graph: JobGraph, config: JobConfig) -> Result<JobHandle> {
    let JobConfig { parallelism, edge_capacity_bytes, environment, durability, memory } = config;
    let options = RunOptions { parallelism, edge_capacity_bytes };
    let components = Arc::new(Registry::new(environment));
    start_durable(graph, options, components, durability, memory)
}

/// Starts a job that keeps nothing, with connectors and operators of the caller's choice.
///
/// # Errors
/// As [`start`].
///
/// # Panics
/// As [`start`].
pub fn start_with(
    graph: JobGraph,
    options: RunOptions,
    components: Arc<dyn Components>,
) -> Result<JobHandle> {
    start_durable(graph, options, components, None, MemoryBudget::unlimited())
}

/// Starts a job with connectors and operators of the caller's choice.
///
/// # Errors
/// As [`start`].
///
/// # Panics
/// As [`start`].
pub fn start_durable(
    graph: JobGraph,
    options: RunOptions,
    components: Arc<dyn Components>,
    durability: Option<Durability>,
    memory: Arc<MemoryBudget>,
) -> Result<JobHandle> {
    let can_save = durability.as_ref().is_some_and(|durability| durability.state_dir.is_some());
    let keeping = match durability {
        Some(durability) => Some(Keeping::from(durability)),
        None => spill::keeping(&memory)?,
    };
    let steering = Arc::new(Steering::default());
    let (seen, recovery) = watch::channel(Recovery::default());
    let mut supervisor = Supervisor {
        graph,
        options,
        components,
        memory,
        clock: Clock::system(),
        steering: steering.clone(),
        seen,
        keeping,
        metrics: None,
        starts: 0,
    };
    let first = supervisor.begin()?;
    let metrics = supervisor.metrics();
    let (ended, end) = oneshot::channel();
    let run = move || {
        // Nobody waits if the handle was dropped.
        ended.send(supervisor.run(first)).ok();
    };
    let name = "coordinator";
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    let thread =
        thread.map_err(|source| EngineError::Thread { thread: name.to_owned(), source })?;
    let control = JobControl { steering, can_save };
    Ok(JobHandle { control, metrics, recovery, end: Some(end), thread: Some(thread) })
}

/// Steers a job from anywhere, such as a signal handler. Requests after the end do nothing.
#[derive(Clone, Debug)]
pub struct JobControl {
    steering: Arc<Steering>,
    can_save: bool,
}

impl JobControl {
    /// Asks for a graceful end: sources stop reading, what was read is processed, written and
    /// committed. Windows that are still open are not emitted, for they are not complete.
    pub fn stop(&self) {
        self.steering.stop();
    }

    /// Ends the job now; what is in flight is lost, and sinks are not finished. A job that keeps
    /// its state goes on from its last epoch when it is started again.
    pub fn abort(&self) {
        self.steering.abort();
    }

    /// Ends an epoch soon and keeps its snapshot as `savepoints/<name>` in the state directory.
    ///
    /// # Errors
    /// If the job has no state directory.
    pub fn savepoint(&self, name: &str) -> Result<()> {
        if !self.can_save {
            return Err(EngineError::incompatible(
                "the job keeps no state, so there is nothing to save",
                "run it with a state directory",
            ));
        }
        self.steering.savepoint(name);
        Ok(())
    }
}

/// A running job. Dropping the handle aborts the job and waits for its threads.
pub struct JobHandle {
    control: JobControl,
    metrics: Arc<JobMetrics>,
    recovery: watch::Receiver<Recovery>,
    end: Option<oneshot::Receiver<Result<JobSummary>>>,
    thread: Option<JoinHandle<()>>,
}

impl JobHandle {
    /// The live figures; to be read at any time, also while another owner waits for the job.
    pub fn metrics(&self) -> &Arc<JobMetrics> {
        &self.metrics
    }

    /// What the job goes on from, and news when it fails and restarts.
    pub fn recovery(&self) -> watch::Receiver<Recovery> {
        self.recovery.clone()
    }

    /// What steers the job; to be handed out before waiting for it.
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
    /// It was stopped before the end of its inputs; all that was read was processed.
    Stopped,
    /// An abort was asked for.
    Aborted,
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
