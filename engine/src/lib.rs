//! Who runs it: a job graph becomes running tasks.
//!
//! This crate may know operators and connectors, never SQL: it runs any
//! [`JobGraph`](millstream_operators::JobGraph), whoever wrote it. The life of a job:
//!
//! 1. [`job::start`] opens the tables and fixes how many subtasks each node has;
//! 2. [`fragment`] fuses nodes that pass rows straight on; a fragment × subtask is a task;
//! 3. [`assemble`] builds the operators and connects the tasks by bounded edges ([`channel`]);
//! 4. each [`task`] runs on a thread of its own: take from the input, push through the
//!    [`chain`] of operators, rest when there is nothing to do or no room;
//! 5. [`coordinator`] looks for new splits, and ends the job when its tasks have ended.
//!
//! No task blocks inside its logic and none reads a clock but through [`clock::Clock`], so the
//! same tasks also run on one thread in any order: [`sim`] does that with a seed, and tests hold
//! every schedule to the same results.
//!
//! Start reading at [`fragment`], then [`channel`] (what travels between tasks), then [`task`].

pub mod align;
pub mod assemble;
pub mod chain;
pub mod channel;
pub mod clock;
pub mod components;
pub mod control;
pub mod coordinator;
pub mod discovery;
pub mod error;
pub mod exchange;
pub mod fragment;
pub mod input;
pub mod job;
pub mod key_hash;
pub mod metrics;
pub mod report;
pub mod sim;
pub mod source_task;
pub mod task;
pub mod waker;

pub use components::{Components, Registry};
pub use error::{EngineError, ErrorKind};
pub use job::{JobConfig, JobControl, JobHandle, JobSummary, Outcome, start, start_with};
pub use metrics::{Figures, JobMetrics, JobSnapshot, NodeSnapshot};
