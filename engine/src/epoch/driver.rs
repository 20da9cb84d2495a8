//! Carries out what the protocol's table says. The coordinator drives it by threads' notices, the
//! simulation by its own.

use std::sync::Arc;

use crossbeam_channel::Sender;
use millstream_connectors::commit::EpochCommit;
use millstream_state::checkpoint::{Manifest, Sealed};
use millstream_state::{Epoch, MemoryBudget};

use crate::clock::Clock;
use crate::control::Control;
use crate::epoch::collect::{Collector, JobFacts};
use crate::epoch::part::{Notice, TaskEnd};
use crate::epoch::protocol::{Action, Event, Phase, Protocol};
use crate::epoch::worker::{Finished, Request, reach};
use crate::error::Result;
use crate::job::Outcome;
use crate::metrics::JobMetrics;

/// What a driver is made of.
pub struct DriverParts {
    /// What is written of the job; `None` if it has no epochs.
    pub facts: Option<JobFacts>,
    /// The epoch that the job goes on after.
    pub epoch: Epoch,
    /// Number of tasks.
    pub tasks: usize,
    /// Milliseconds between epochs; 0 for none but those that memory asks for.
    pub interval_ms: u64,
    /// Steers the tasks.
    pub control: Arc<Control>,
    /// Tells the time.
    pub clock: Clock,
    /// What state may take.
    pub memory: Arc<MemoryBudget>,
    /// Takes the figures of epochs.
    pub metrics: Arc<JobMetrics>,
    /// Leads to the worker.
    pub requests: Sender<Request>,
}

/// The coordinator's side of epochs.
pub struct EpochDriver {
    // PROPERTIES
    parts: DriverParts,
    // STATE
    protocol: Protocol,
    collector: Collector,
    savepoints: Vec<String>,
    /// What is being sealed, then what is being committed.
    sealing: Option<Box<Manifest>>,
    committing: Option<EpochCommit>,
    begun_ns: u64,
    /// When the last epoch ended, and how long it took.
    ended_ns: u64,
    took_ns: u64,
    /// When the step under way began.
    step_ns: u64,
}

/// Longest time between epochs that are begun only because memory is short. They leave as much time
/// as the last one took, or this: tasks get work done in between, even if little can be put away.
const BREATH_NS: u64 = 20_000_000;

impl EpochDriver {
    /// A driver of tasks that have not started.
    pub fn new(parts: DriverParts) -> Self {
        let protocol = Protocol::new(parts.tasks, parts.epoch, parts.facts.is_some());
        let now_ns = parts.clock.now_ns();
        EpochDriver {
            parts,
            protocol,
            collector: Collector::default(),
            savepoints: Vec::new(),
            sealing: None,
            committing: None,
            begun_ns: now_ns,
            ended_ns: now_ns,
            took_ns: 0,
            step_ns: now_ns,
        }
    }

    /// Where the epoch under way is.
    pub fn phase(&self) -> Phase {
        self.protocol.phase()
    }

    /// The epoch under way, or the last one.
    pub fn epoch(&self) -> Epoch {
        self.protocol.epoch()
    }

    /// True if the job has epochs.
    pub fn has_epochs(&self) -> bool {
        self.parts.facts.is_some()
    }

    /// How the job ended, as far as it has.
    pub fn outcome(&self) -> Outcome {
        if self.parts.control.is_aborted() {
            Outcome::Aborted
        } else if self.protocol.is_finished() {
            Outcome::Finished
        } else {
            Outcome::Stopped
        }
    }

    /// Milliseconds until the next look at the time is worthwhile; `None` if it never is.
    pub fn due_in_ms(&self) -> Option<u64> {
        if !self.has_epochs() || self.phase() == Phase::Over {
            return None;
        }
        let limited = self.parts.memory.limit_bytes() < u64::MAX;
        let passed_ms = (self.parts.clock.now_ns() - self.begun_ns) / 1_000_000;
        let due = match (self.phase(), self.parts.interval_ms) {
            (Phase::Idle, interval_ms @ 1..) => Some(interval_ms.saturating_sub(passed_ms).max(1)),
            _ => None,
        };
        match (due, limited) {
            (due, false) => due,
            (due, true) => Some(due.unwrap_or(u64::MAX).min(10)),
        }
    }

    /// Looks at the time and at memory: begins an epoch if one is due.
    ///
    /// # Errors
    /// If a fault point asks for it.
    pub fn tick(&mut self) -> Result<()> {
        if !self.has_epochs() {
            return Ok(());
        }
        let memory = &self.parts.memory;
        let (used, limit) = (memory.used_bytes(), memory.limit_bytes());
        // Tasks may run ahead of an epoch that is being written, but not without bound.
        let short = used > limit.saturating_add(limit / 2);
        self.parts.control.hold(short && self.phase() != Phase::Idle);
        if self.phase() != Phase::Idle {
            return Ok(());
        }
        let now_ns = self.parts.clock.now_ns();
        let passed_ns = now_ns - self.begun_ns;
        let interval_ns = self.parts.interval_ms * 1_000_000;
        if used > limit && now_ns - self.ended_ns >= self.took_ns.min(BREATH_NS) {
            // Without rows since the last epoch there is nothing that could be put away.
            if self.parts.control.take_activity() {
                self.on(Event::BudgetExceeded)?;
            }
        } else if interval_ns > 0 && passed_ns >= interval_ns {
            self.begun_ns = now_ns;
            if self.parts.control.take_activity() {
                self.on(Event::Due)?;
            }
        }
        Ok(())
    }

    /// Asks for an epoch now, also if nothing has happened since the last one.
    ///
    /// # Errors
    /// As [`EpochDriver::tick`].
    pub fn ask(&mut self) -> Result<()> {
        self.parts.control.take_activity();
        self.on(Event::SavepointAsked)
    }

    /// Takes note of what a task or the worker says.
    ///
    /// # Errors
    /// What they failed of; then all tasks were told to abort.
    pub fn notice(&mut self, notice: Notice) -> Result<()> {
        match notice {
            Notice::Part(part) => {
                let task = part.task;
                self.collector.add(part);
                self.on(Event::PartArrived { task })
            }
            Notice::Ended(TaskEnd { task, complete, part }) => {
                part.into_iter().for_each(|part| self.collector.add(part));
                self.on(Event::TaskEnded { task, complete })
            }
            Notice::Failed(error) => self.on(Event::TaskFailed).and(Err(error)),
            Notice::Worked(Ok(finished)) => self.worked(finished),
            Notice::Worked(Err(error)) => self.on(Event::EpochFailed).and(Err(error)),
            Notice::Savepoint(name) => {
                self.savepoints.push(name);
                self.ask()
            }
            Notice::Steered if self.parts.control.is_aborted() => self.on(Event::AbortAsked),
            Notice::Steered if self.parts.control.is_stopping() => self.on(Event::StopAsked),
            Notice::Steered | Notice::Gone => Ok(()),
        }
    }

    /// Ends the incarnation at once: something outside of tasks and worker has failed.
    pub fn abort(&mut self) {
        // The only thing to be done then is to tell the tasks, which cannot fail.
        self.on(Event::AbortAsked).ok();
        self.parts.control.abort();
    }

    /// True once sources were told to read no more.
    pub fn is_ending(&self) -> bool {
        self.parts.control.is_stopping() || self.phase() == Phase::Over
    }

    fn worked(&mut self, finished: Finished) -> Result<()> {
        let now_ns = self.parts.clock.now_ns();
        let took_ns = now_ns - self.step_ns;
        self.step_ns = now_ns;
        let figures = &self.parts.metrics.epochs;
        match finished {
            Finished::Sealed(sealed) => {
                figures.sealed(&sealed, took_ns);
                self.prepare_commit(&sealed);
                self.on(Event::Sealed)
            }
            Finished::Committed => {
                figures.committed(self.protocol.epoch(), took_ns);
                // Sinks that held rows back have room again.
                self.parts.control.wake_all();
                self.on(Event::Committed)
            }
            Finished::Published => {
                self.committing = None;
                (self.ended_ns, self.took_ns) = (now_ns, now_ns - self.begun_ns);
                self.on(Event::Published)?;
                self.tick()
            }
        }
    }

    fn prepare_commit(&mut self, sealed: &Sealed) {
        let manifest = self.sealing.take().expect("what is sealed was requested");
        let facts = self.parts.facts.as_ref().expect("only jobs with epochs seal");
        self.committing = Some(facts.commit(&manifest, sealed.crc));
    }

    fn on(&mut self, event: Event) -> Result<()> {
        let actions = self.protocol.on(event);
        for action in actions {
            self.act(action)?;
        }
        Ok(())
    }

    fn act(&mut self, action: Action) -> Result<()> {
        let now_ns = self.parts.clock.now_ns();
        match action {
            Action::RequestBarriers(epoch) => {
                reach("epoch.triggered")?;
                (self.begun_ns, self.step_ns) = (now_ns, now_ns);
                self.parts.control.request_epoch(epoch);
            }
            Action::Seal { epoch, finished } => {
                reach("epoch.collected")?;
                self.parts.metrics.epochs.aligned(now_ns - self.step_ns);
                self.step_ns = now_ns;
                self.seal(epoch, finished);
            }
            Action::Commit(_) => {
                let commit = self.committing.clone().expect("sealed before it is committed");
                self.request(Request::Commit(commit));
            }
            Action::Publish(_) => {
                let commit = self.committing.clone().expect("committed before it is published");
                self.request(Request::Publish(commit));
            }
            Action::StopSources => self.parts.control.stop(),
            Action::AbortTasks => self.parts.control.abort(),
        }
        Ok(())
    }

    fn seal(&mut self, epoch: Epoch, finished: bool) {
        let facts = self.parts.facts.as_ref().expect("only jobs with epochs seal");
        let deltas = self.collector.take(epoch);
        let splits = |node| self.collector.splits(node);
        let created_ms = self.parts.clock.unix_ms();
        let manifest = Box::new(facts.manifest(epoch, finished, created_ms, splits));
        self.sealing = Some(manifest.clone());
        let savepoints = std::mem::take(&mut self.savepoints);
        self.request(Request::Seal { manifest, deltas, savepoints });
    }

    /// The worker outlives the driver; if it does not, the end of its thread says why.
    fn request(&self, request: Request) {
        self.parts.requests.send(request).ok();
    }
}
