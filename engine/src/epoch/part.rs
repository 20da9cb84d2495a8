//! What tasks tell the coordinator: that they passed a barrier, that they ended, that they failed.

use std::sync::Arc;

use millstream_operators::NodeId;
use millstream_state::checkpoint::SplitState;
use millstream_state::{Epoch, StateDelta};

use crate::epoch::worker::Finished;
use crate::error::{EngineError, Result};

/// What one task contributes to an epoch.
#[derive(Debug)]
pub struct EpochPart {
    /// Number of the task within its job.
    pub task: usize,
    /// The epoch.
    pub epoch: Epoch,
    /// For a task that reads: the node of its source and how far its splits were read.
    pub splits: Option<(NodeId, Vec<SplitState>)>,
    /// What changed in the task's state.
    pub delta: Arc<StateDelta>,
}

/// The regular end of a task.
#[derive(Debug)]
pub struct TaskEnd {
    /// Number of the task within its job.
    pub task: usize,
    /// False if it is a source that was stopped before the end of its splits.
    pub complete: bool,
    /// Its last part, if the job has epochs: it belongs to the epoch after the last one that the
    /// task has acknowledged.
    pub part: Option<EpochPart>,
}

/// News for the coordinator.
#[derive(Debug)]
pub enum Notice {
    /// A task has passed a barrier.
    Part(EpochPart),
    /// A task has reached the end of its input.
    Ended(TaskEnd),
    /// A task has failed.
    Failed(EngineError),
    /// The thread of a task is gone, whatever it said before.
    Gone,
    /// The epoch thread has done what was asked of it, or failed at it.
    Worked(Result<Finished>),
    /// Somebody wants a snapshot of this name.
    Savepoint(String),
    /// Somebody has asked the job to stop or abort: look at the control.
    Steered,
}
