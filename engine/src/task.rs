//! The heart: one subtask of a fragment, from its input through its chain of operators.
//!
//! ```text
//!            ┌────────────────────── task ──────────────────────┐
//!  splits or │  Input ──envelope──▶ Chain (operators, sinks)    │ bounded
//!  queues ══▶│    ▲                   │                         ├═══▶ queues
//!            │    └── taken if every queue behind has room ─┘   │
//!            └──────────────────────────────────────────────────┘
//!                      barrier or end: state, positions ───▶ coordinator
//! ```
//!
//! A task is a value; [`Task::step`] moves one envelope and never waits. [`Task::run`] is the loop
//! around it on a thread of its own, which rests when a step has nothing to do. The simulation
//! calls `step` on all tasks of a job from one thread, in any order, and must see the same results.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use millstream_state::{Epoch, MemoryUse, SharedState, StateStore};

use crate::chain::Chain;
use crate::channel::Envelope;
use crate::clock::Clock;
use crate::control::Control;
use crate::epoch::worker::reach;
use crate::epoch::{EpochPart, Notice, TaskEnd};
use crate::error::{EngineError, Result};
use crate::input::Input;
use crate::waker::{Waker, lock};

/// Longest rest of a task that waits for a sink, which wakes nobody.
const SINK_REST: Duration = Duration::from_millis(2);

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It moved an envelope.
    Progress,
    /// There is no input now; what sinks had taken is visible.
    Idle,
    /// A queue behind the task or a sink in it is full, so it takes no input.
    Backpressured,
    /// The task has ended and passed its end on.
    Done,
}

/// One subtask of a fragment.
pub struct Task {
    name: String,
    input: Input,
    chain: Chain,
    context: TaskContext,
    /// The barrier or end that is on its way through the chain.
    mark: Option<Mark>,
    done: bool,
}

#[derive(Clone, Copy)]
enum Mark {
    Barrier(Epoch),
    End,
}

/// What a task shares with the rest of its job.
pub struct TaskContext {
    /// Number of the task within its job.
    pub number: usize,
    /// Wakes this task.
    pub waker: Arc<Waker>,
    /// Tells it to stop.
    pub control: Arc<Control>,
    /// Tells it the time.
    pub clock: Clock,
    /// Takes its news.
    pub notices: Sender<Notice>,
    /// What it needs to end epochs, if the job has them.
    pub epochs: Option<TaskEpochs>,
}

/// The task's side of epochs.
pub struct TaskEpochs {
    /// The state of the task's operators.
    pub state: SharedState,
    /// Where it is applied.
    pub store: Arc<dyn StateStore>,
    /// The last epoch that the task has ended.
    pub acknowledged: Epoch,
    /// What the task has handed over and the store does not have yet, in bytes by epoch.
    pub unapplied: VecDeque<(Epoch, u64)>,
    /// Counts that.
    pub memory: MemoryUse,
}

impl TaskEpochs {
    /// Forgets what the store has by now.
    fn release_applied(&mut self) {
        let Some((oldest, _)) = self.unapplied.front() else { return };
        let applied = self.store.applied();
        if *oldest <= applied {
            self.unapplied.retain(|(epoch, _)| *epoch > applied);
            lock(&self.state).forget_applied();
            self.count_unapplied();
        }
    }

    fn count_unapplied(&mut self) {
        self.memory.set(self.unapplied.iter().map(|(_, bytes)| bytes).sum());
    }
}

impl Task {
    /// A task that has not started.
    pub fn new(name: String, input: Input, chain: Chain, context: TaskContext) -> Self {
        Task { name, input, chain, context, mark: None, done: false }
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

    /// Moves one envelope from the input through all operators, as far as there is room; never
    /// waits.
    ///
    /// # Errors
    /// The first failure of a table or operator, after which the task must not be called again.
    pub fn step(&mut self) -> Result<Step> {
        if self.done {
            return Ok(Step::Done);
        }
        if let Some(epochs) = &mut self.context.epochs {
            epochs.release_applied();
        }
        if !self.chain.has_room() {
            self.chain.flush()?;
            return Ok(Step::Backpressured);
        }
        if self.chain.is_at_rest() && self.is_due() {
            // What is emitted now is to be committed, though no row has come.
            self.context.control.note_activity();
            self.chain.remind()?;
        } else if self.chain.is_at_rest() {
            self.chain.take_up();
            let Some(envelope) = self.input.take()? else {
                self.chain.flush()?;
                return Ok(Step::Idle);
            };
            self.push(envelope)?;
        } else {
            self.chain.go_on()?;
        }
        if self.chain.is_at_rest() {
            self.tell();
        }
        Ok(if self.done { Step::Done } else { Step::Progress })
    }

    /// True if an operator is to be reminded of something.
    fn is_due(&self) -> bool {
        let due_ns = self.chain.due_ns();
        due_ns.is_some_and(|due_ns| due_ns <= self.context.clock.now_ns())
    }

    /// How long the task may rest.
    fn rest(&self, now_ns: u64) -> Option<Duration> {
        let due_ns = self.chain.due_ns()?;
        Some(Duration::from_nanos(due_ns.saturating_sub(now_ns)))
    }

    fn push(&mut self, envelope: Envelope) -> Result<()> {
        match envelope {
            Envelope::End => {
                self.mark = Some(Mark::End);
                let last = self.context.epochs.as_ref().map(|epochs| epochs.acknowledged.next());
                self.chain.push_end(last)
            }
            Envelope::Barrier(epoch) => {
                reach("epoch.aligned")?;
                self.mark = Some(Mark::Barrier(epoch));
                self.chain.push(envelope)
            }
            Envelope::Message { .. } | Envelope::Idle { .. } => self.chain.push(envelope),
        }
    }

    /// Tells the coordinator of a barrier or an end that has passed the whole chain.
    fn tell(&mut self) {
        let number = self.context.number;
        let notice = match self.mark.take() {
            None => return,
            Some(Mark::Barrier(epoch)) => {
                let part = self.end_epoch(epoch);
                Notice::Part(part.expect("barriers reach only tasks that have epochs"))
            }
            Some(Mark::End) => {
                self.done = true;
                let acknowledged = self.context.epochs.as_ref().map(|epochs| epochs.acknowledged);
                let part = acknowledged.and_then(|epoch| self.end_epoch(epoch.next()));
                Notice::Ended(TaskEnd { task: number, complete: self.input.is_complete(), part })
            }
        };
        // Nobody listens only while the job is being dropped.
        self.context.notices.send(notice).ok();
    }

    fn end_epoch(&mut self, epoch: Epoch) -> Option<EpochPart> {
        let epochs = self.context.epochs.as_mut()?;
        let delta = lock(&epochs.state).end_epoch(epoch);
        epochs.acknowledged = epoch;
        epochs.unapplied.push_back((epoch, delta.bytes()));
        epochs.count_unapplied();
        let splits = self.input.splits();
        Some(EpochPart { task: self.context.number, epoch, splits, delta })
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
        let TaskContext { waker, control, clock, .. } = &self.context;
        let (waker, control, clock) = (waker.clone(), control.clone(), clock.clone());
        while !control.is_aborted() {
            match self.step()? {
                Step::Progress => {}
                Step::Done => break,
                Step::Idle => {
                    let started_ns = clock.now_ns();
                    let rest = self.rest(started_ns);
                    self.input.wait(&waker, rest)?;
                    self.chain.count_idle(clock.now_ns() - started_ns);
                }
                Step::Backpressured => {
                    let started_ns = clock.now_ns();
                    waker.rest((!self.chain.sinks_have_room()).then_some(SINK_REST));
                    self.chain.count_backpressured(clock.now_ns() - started_ns);
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
