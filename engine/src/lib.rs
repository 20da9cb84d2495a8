//! Who runs it: a job graph becomes running tasks.
//!
//! This crate may know operators and connectors, never SQL: it runs any
//! [`JobGraph`](millstream_operators::JobGraph), whoever wrote it. The life of a job:
//!
//! 1. [`job::start`] begins an [`incarnation`]: [`open`] the tables, fix how many subtasks each
//!    node has;
//! 2. [`recovery`] fences predecessors, reads what was committed last and restores exactly that;
//! 3. [`fragment`] fuses nodes that pass rows straight on; a fragment × subtask is a task;
//! 4. [`assemble`] builds the operators and connects the tasks by bounded edges ([`channel`]);
//! 5. each [`task`] runs on a thread of its own: take from the input, push through the
//!    [`chain`] of operators, rest when there is nothing to do or no room;
//! 6. the [`coordinator`] ends [`epoch`]s: barriers flow with the rows, a snapshot is sealed, the
//!    decider commits, while tasks go on; it ends the incarnation when its tasks have ended;
//! 7. after a failure the supervisor begins the next incarnation.
//!
//! No task blocks inside its logic and none reads a clock but through [`clock::Clock`], so the
//! same tasks also run on one thread in any order: [`sim`] does that with a seed, crashes included,
//! and tests hold every schedule to the same results.
//!
//! Start reading at [`fragment`], then [`channel`] (what travels between tasks), then [`task`], then
//! [`epoch`].

pub mod align;
pub mod alignment;
pub mod assemble;
pub mod chain;
pub mod channel;
pub mod clock;
pub mod compatibility;
pub mod components;
pub mod control;
pub mod coordinator;
pub mod discovery;
pub mod durability;
pub mod epoch;
pub mod error;
pub mod exchange;
pub mod fragment;
pub mod incarnation;
pub mod input;
pub mod job;
pub mod local_decider;
pub mod metrics;
pub mod open;
pub mod recovery;
pub mod report;
pub mod sim;
pub mod source_task;
mod spill;
mod steering;
mod supervisor;
pub mod task;
pub mod waker;

pub use components::{Components, Registry};
pub use durability::{Durability, RestartPolicy};
pub use error::{EngineError, ErrorKind};
pub use job::{
    JobConfig, JobControl, JobHandle, JobSummary, Outcome, start, start_durable, start_with,
};
pub use metrics::{Figures, JobMetrics, JobSnapshot, NodeSnapshot};
pub use recovery::Recovery;
