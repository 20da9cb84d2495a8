//! The heart: one subtask of a fragment, from its input through its chain of operators.
//!
//! ```text
//!            ┌────────────────────── task ──────────────────────┐
//!  splits or │  Input ──envelope──▶ Chain (operators, sinks)    │ bounded
//!  queues ══▶│    ▲                   │                         ├═══▶ queues
//!            │    └── taken if every queue behind has room ─┘   │
//!            └──────────────────────────────────────────────────┘
//! ```
//!
//! A task is a value; [`Task::step`] moves one envelope and never waits. [`Task::run`] is the loop
//! around it on a thread of its own, which rests when a step has nothing to do. The simulation
//! calls `step` on all tasks of a job from one thread, in any order, and must see the same results.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::chain::Chain;
use crate::channel::Envelope;
use crate::clock::Clock;
use crate::control::Control;
use crate::error::{EngineError, Result};
use crate::input::Input;
use crate::waker::Waker;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It moved an envelope.
    Progress,
    /// There is no input now; what sinks had taken is visible.
    Idle,
    /// A queue behind the task is full, so it takes no input.
    Backpressured,
    /// The task has ended and passed its end on.
    Done,
}

/// One subtask of a fragment.
pub struct Task {
    name: String,
    input: Input,
    chain: Chain,
    waker: Arc<Waker>,
    control: Arc<Control>,
    clock: Clock,
    done: bool,
}

/// What a task shares with the rest of its job.
pub struct TaskContext {
    /// Wakes this task.
    pub waker: Arc<Waker>,
    /// Tells it to stop.
    pub control: Arc<Control>,
    /// Tells it the time.
    pub clock: Clock,
}

impl Task {
    /// A task that has not started.
    pub fn new(name: String, input: Input, chain: Chain, context: TaskContext) -> Self {
        let TaskContext { waker, control, clock } = context;
        Task { name, input, chain, waker, control, clock, done: false }
    }

    /// Head of the fragment and number of the subtask, such as `bids/0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets a source subtask without splits say that it is idle or has ended, before any other
    /// task runs. Said later, rows of the others would be late or not by who was quicker.
    ///
    /// # Errors
    /// As [`Task::step`].
    pub fn announce_no_split(&mut self) -> Result<()> {
        while self.input.has_no_split() && self.step()? == Step::Progress {}
        Ok(())
    }

    /// Moves one envelope from the input through all operators; never waits.
    ///
    /// # Errors
    /// The first failure of a table or operator, after which the task must not be called again.
    pub fn step(&mut self) -> Result<Step> {
        if self.done {
            return Ok(Step::Done);
        }
        if !self.chain.has_room() {
            self.chain.flush()?;
            return Ok(Step::Backpressured);
        }
        self.chain.take_up();
        match self.input.take()? {
            None => {
                self.chain.flush()?;
                Ok(Step::Idle)
            }
            Some(envelope) => {
                self.done = matches!(envelope, Envelope::End);
                self.chain.push(envelope)?;
                Ok(if self.done { Step::Done } else { Step::Progress })
            }
        }
    }

    /// Runs to the end of the input, or until the job is aborted.
    ///
    /// # Errors
    /// The first failure of a table or operator; a panic is one too, and names who panicked.
    pub fn run(mut self) -> Result<()> {
        match catch_unwind(AssertUnwindSafe(|| self.run_to_end())) {
            Ok(result) => result,
            Err(panic) => Err(EngineError::Bug {
                operator: self.chain.at_work().to_owned(),
                message: panic_message(panic.as_ref()),
            }),
        }
    }

    fn run_to_end(&mut self) -> Result<()> {
        while !self.control.is_aborted() {
            match self.step()? {
                Step::Progress => {}
                Step::Done => break,
                Step::Idle => {
                    let started_ns = self.clock.now_ns();
                    self.input.wait(&self.waker)?;
                    self.chain.count_idle(self.clock.now_ns() - started_ns);
                }
                Step::Backpressured => {
                    let started_ns = self.clock.now_ns();
                    self.waker.rest(None);
                    self.chain.count_backpressured(self.clock.now_ns() - started_ns);
                }
            }
        }
        Ok(())
    }
}

/// What a panic said: panics carry a text, in one of two types.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "panic without a message".to_owned())
}
