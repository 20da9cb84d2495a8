//! Simulation: a whole job on one thread, its tasks and the epoch thread stepped in a random order
//! from a seed; crashes, restarts and rescales included.
//!
//! The same seed gives the same run, to the envelope. Results must not depend on the seed: a test
//! runs many, and a failure is repeated with the seed that it names. Time is manual: it moves a
//! microsecond a step, and ten milliseconds when nothing else can move.
//!
//! ```text
//! let world = MemoryCheckpoints::default();              // what survives a crash
//! let kept = Kept::of(move || Durability { checkpoints: Box::new(world.clone()), … });
//! let mut job = Simulation::durable(&graph, RunOptions::new(2), components, kept, seed)?;
//! job.settle()?;            // what can be read is read and processed
//! job.end_epoch()?;         // barrier, snapshot, commit, publish: all of it is visible now
//! job.crash();              // everything is dropped but what `kept` and the tables hold
//! job.restart(4)?;          // recovery, with another parallelism
//! job.run()?;
//! ```
//!
//! | call | what |
//! |---|---|
//! | `step` | one step of one task, or of the epoch worker (seal, commit and publish are one each) |
//! | `settle`, `let_pass(ms)` | steps until nothing moves; lets time pass |
//! | `request_epoch` | asks for an epoch, which then goes on step by step with everything else |
//! | `end_epoch` | asks for one and steps until it is over |
//! | `stop`, `run` | asks for a graceful end; steps to the end |
//! | `crash`, `restart(parallelism)` | as `kill -9`; then a start from what was committed |
//!
//! Failures are injected by the tables, the checkpoints and the committer that a test brings: an
//! error of theirs comes out of `step`, and then the job can only be crashed and restarted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use millstream_operators::JobGraph;
use millstream_state::{Epoch, MemoryBudget};

use crate::assemble::Assembly;
use crate::clock::Clock;
use crate::components::Components;
use crate::durability::{Durability, Keeping};
use crate::epoch::protocol::Phase;
use crate::epoch::{EpochWorker, Notice};
use crate::error::{EngineError, Result};
use crate::incarnation::{Incarnation, Plan, begin};
use crate::job::{JobSummary, Outcome, RunOptions};
use crate::metrics::JobMetrics;
use crate::recovery::Recovery;
use crate::task::Step;

/// Rounds in which nothing moved before a job counts as stuck: 100 s of its time.
const STUCK_AFTER: usize = 10_000;

/// What a simulated job keeps, and what it may take of memory.
pub struct Kept {
    /// Opens what is kept, at every start.
    pub open: Box<dyn FnMut() -> Durability + Send>,
    /// As [`crate::JobConfig::memory`].
    pub memory: Arc<MemoryBudget>,
}

impl Kept {
    /// What is opened like this, and unlimited memory.
    pub fn of(open: impl FnMut() -> Durability + Send + 'static) -> Self {
        Kept { open: Box::new(open), memory: MemoryBudget::unlimited() }
    }
}

/// A job under a seeded scheduler.
pub struct Simulation {
    // PROPERTIES
    graph: JobGraph,
    options: RunOptions,
    components: Arc<dyn Components>,
    kept: Option<Kept>,
    memory: Arc<MemoryBudget>,
    now_ns: Arc<AtomicU64>,
    // STATE
    metrics: Option<Arc<JobMetrics>>,
    running: Option<Running>,
    recovery: Recovery,
    /// The job had finished when it was started.
    over: bool,
    starts: u64,
    random: u64,
    trace: u64,
}

/// An incarnation that runs.
struct Running {
    assembly: Assembly,
    /// Tasks that are not done.
    runnable: Vec<usize>,
    /// For each task whether it was found unable to move since something last moved.
    resting: Vec<bool>,
    fruitless: usize,
}

impl Simulation {
    /// Assembles a job that keeps nothing and has no epochs; nothing runs yet.
    ///
    /// # Errors
    /// If a table cannot be opened or an operator cannot be built.
    ///
    /// # Panics
    /// If the graph breaks its laws.
    pub fn new(
        graph: &JobGraph,
        options: RunOptions,
        components: Arc<dyn Components>,
        seed: u64,
    ) -> Result<Self> {
        let mut simulation = Self::with(graph, options, components, None, seed);
        simulation.restart(options.parallelism)?;
        Ok(simulation)
    }

    /// Begins a job that keeps what `kept` opens; recovery is done, nothing runs yet.
    ///
    /// # Errors
    /// As [`Simulation::new`], or if the job cannot go on from what is kept.
    ///
    /// # Panics
    /// If the graph breaks its laws.
    pub fn durable(
        graph: &JobGraph,
        options: RunOptions,
        components: Arc<dyn Components>,
        kept: Kept,
        seed: u64,
    ) -> Result<Self> {
        let mut simulation = Self::idle(graph, options, components, kept, seed);
        simulation.restart(options.parallelism)?;
        Ok(simulation)
    }

    /// As [`Simulation::durable`], before its first start: `restart` makes it.
    pub fn idle(
        graph: &JobGraph,
        options: RunOptions,
        components: Arc<dyn Components>,
        kept: Kept,
        seed: u64,
    ) -> Self {
        Self::with(graph, options, components, Some(kept), seed)
    }

    fn with(
        graph: &JobGraph,
        options: RunOptions,
        components: Arc<dyn Components>,
        kept: Option<Kept>,
        seed: u64,
    ) -> Self {
        let unlimited = MemoryBudget::unlimited;
        Simulation {
            graph: graph.clone(),
            options,
            components,
            memory: kept.as_ref().map_or_else(unlimited, |kept| kept.memory.clone()),
            kept,
            now_ns: Arc::new(AtomicU64::new(0)),
            metrics: None,
            running: None,
            recovery: Recovery::default(),
            over: false,
            starts: 0,
            random: seed,
            trace: 0,
        }
    }

    /// The job's live figures, of this incarnation.
    ///
    /// # Panics
    /// Before the first start that went well.
    pub fn metrics(&self) -> &Arc<JobMetrics> {
        self.metrics.as_ref().expect("the job was started")
    }

    /// What the last start found.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The epoch that is under way or was the last, and how far it is; `None` after a crash.
    pub fn epoch(&self) -> Option<(Epoch, Phase)> {
        let driver = self.running.as_ref().map(|running| &running.assembly.driver)?;
        Some((driver.epoch(), driver.phase()))
    }

    /// Nanoseconds that the clock shows.
    pub fn now_ns(&self) -> u64 {
        self.now_ns.load(Relaxed)
    }

    /// Sets the clock forward, before the first start: a process that is started later begins later.
    pub fn begin_at(&mut self, now_ns: u64) {
        self.now_ns.fetch_max(now_ns, Relaxed);
    }

    /// A fingerprint of all that the scheduler has chosen and seen so far.
    pub fn trace(&self) -> u64 {
        self.trace
    }

    /// Asks for a graceful end.
    pub fn stop(&mut self) {
        if let Some(running) = &mut self.running {
            running.assembly.control.stop();
            running.resting.fill(false);
        }
    }

    /// Drops everything, as the end of the process would.
    pub fn crash(&mut self) {
        self.running = None;
        self.mix(0xdead);
    }

    /// Starts the job again, from what was committed last. Crashes it if it runs.
    ///
    /// # Errors
    /// As [`Simulation::durable`]; then it can be started again.
    ///
    /// # Panics
    /// If a job that keeps nothing was started before: it cannot go on.
    pub fn restart(&mut self, parallelism: usize) -> Result<()> {
        (self.running, self.over) = (None, false);
        assert!(self.starts == 0 || self.kept.is_some(), "the job keeps nothing");
        self.options.parallelism = parallelism;
        // A new process has new counters.
        self.metrics = None;
        let clock = Clock::Manual(self.now_ns.clone());
        let plan = Plan {
            graph: &self.graph,
            options: self.options,
            components: &*self.components,
            memory: &self.memory,
            clock: &clock,
        };
        let mut keeping = self.kept.as_mut().map(|kept| Keeping::from((kept.open)()));
        let number = self.starts;
        self.starts += 1;
        match begin(&plan, keeping.as_mut(), number, &mut self.metrics)? {
            Incarnation::Finished(recovery) => {
                (self.recovery, self.over) = (recovery, true);
            }
            Incarnation::Ready(assembly, recovery) => {
                let runnable: Vec<usize> = (0..assembly.tasks.len()).collect();
                let resting = vec![false; runnable.len()];
                let assembly = *assembly;
                self.running = Some(Running { assembly, runnable, resting, fruitless: 0 });
                self.recovery = recovery;
                // Tasks without input have ended while they were assembled.
                self.hear()?;
            }
        }
        Ok(())
    }

    /// Asks for an epoch; it goes on with every `step`.
    ///
    /// # Errors
    /// If a fault point asks for it.
    pub fn request_epoch(&mut self) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        running.resting.fill(false);
        running.assembly.driver.ask()
    }

    /// Ends an epoch that begins now: all that was read before it is committed and published when
    /// this returns.
    ///
    /// # Errors
    /// As [`Simulation::step`].
    pub fn end_epoch(&mut self) -> Result<()> {
        while self.epoch().is_some_and(|(_, phase)| !matches!(phase, Phase::Idle | Phase::Over)) {
            self.step()?;
        }
        self.request_epoch()?;
        while self.epoch().is_some_and(|(_, phase)| !matches!(phase, Phase::Idle | Phase::Over)) {
            self.step()?;
        }
        Ok(())
    }

    /// Steps one task, or the epoch worker. Returns false once the job is over.
    ///
    /// # Errors
    /// The first failure, which ends the incarnation; also if the job is stuck: tasks wait for each
    /// other.
    pub fn step(&mut self) -> Result<bool> {
        if self.is_over() {
            return Ok(false);
        }
        self.now_ns.fetch_add(1_000, Relaxed);
        let running = self.running.as_ref().expect("a job that is not over runs");
        let mut awake: Vec<usize> = running.awake().collect();
        let tasks = running.assembly.tasks.len();
        if !running.assembly.requests.is_empty() {
            awake.push(tasks);
        }
        if awake.is_empty() {
            self.let_time_pass()?;
            return Ok(true);
        }
        let chosen = awake[self.random(awake.len())];
        self.mix(chosen as u64);
        let running = self.running.as_mut().expect("a job that is not over runs");
        let moved = if chosen == tasks { running.work() } else { running.step(chosen)? };
        self.mix(u64::from(moved));
        self.hear()?;
        Ok(!self.is_over())
    }

    /// Steps until nothing moves, without letting time pass: what was readable has been processed
    /// and is visible, as far as it needs no epoch.
    ///
    /// # Errors
    /// As [`Simulation::step`].
    pub fn settle(&mut self) -> Result<()> {
        if let Some(running) = &mut self.running {
            running.resting.fill(false);
        }
        while self.running.as_ref().is_some_and(Running::can_move) {
            self.step()?;
        }
        Ok(())
    }

    /// Lets this much time pass while nothing can be read, in milliseconds.
    ///
    /// # Errors
    /// As [`Simulation::step`].
    pub fn let_pass(&mut self, ms: u64) -> Result<()> {
        let until_ns = self.now_ns.load(Relaxed) + ms * 1_000_000;
        while self.now_ns.load(Relaxed) < until_ns {
            self.settle()?;
            self.now_ns.fetch_add(10_000_000, Relaxed);
            self.hear()?;
        }
        self.settle()
    }

    /// Steps until the job is over: all tasks are done, and what they did is committed.
    ///
    /// # Errors
    /// As [`Simulation::step`].
    pub fn run(mut self) -> Result<JobSummary> {
        self.run_to_end()
    }

    /// As [`Simulation::run`]; the simulation stays, to be restarted if this fails.
    ///
    /// # Errors
    /// As [`Simulation::step`].
    pub fn run_to_end(&mut self) -> Result<JobSummary> {
        while self.step()? {}
        let outcome = self.running.as_ref().map(|running| running.assembly.driver.outcome());
        let figures = self.metrics().snapshot();
        Ok(JobSummary { outcome: outcome.unwrap_or(Outcome::Finished), figures })
    }

    /// True once all tasks are done, and what they did is committed.
    pub fn is_over(&self) -> bool {
        match &self.running {
            None => self.over,
            Some(running) => running.runnable.is_empty() && running.is_decided(),
        }
    }

    /// Lets the driver hear what tasks and worker say, and see the time.
    fn hear(&mut self) -> Result<()> {
        let Some(Running { assembly, .. }) = &mut self.running else { return Ok(()) };
        while let Ok(notice) = assembly.notices.try_recv() {
            assembly.driver.notice(notice)?;
        }
        let before = assembly.driver.phase();
        assembly.driver.tick()?;
        if assembly.driver.phase() != before {
            self.moved();
        }
        Ok(())
    }

    fn moved(&mut self) {
        if let Some(running) = &mut self.running {
            running.moved();
        }
    }

    fn let_time_pass(&mut self) -> Result<()> {
        self.now_ns.fetch_add(10_000_000, Relaxed);
        self.mix(0x71e);
        let running = self.running.as_mut().expect("time passes for a job that runs");
        for discovery in &mut running.assembly.discoveries {
            discovery.look_again()?;
        }
        running.resting.fill(false);
        running.fruitless += 1;
        if running.fruitless >= STUCK_AFTER {
            return Err(running.stuck());
        }
        self.hear()
    }

    fn mix(&mut self, seen: u64) {
        self.trace = (self.trace.rotate_left(5) ^ seen).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// A number below `bound` (SplitMix64: small, and the same on every platform for good).
    fn random(&mut self, bound: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

impl Running {
    fn awake(&self) -> impl Iterator<Item = usize> {
        self.runnable.iter().copied().filter(|task| !self.resting[*task])
    }

    fn can_move(&self) -> bool {
        self.awake().next().is_some() || !self.assembly.requests.is_empty()
    }

    fn is_decided(&self) -> bool {
        self.assembly.driver.phase() == Phase::Over
    }

    /// Steps a task; returns true if it moved.
    fn step(&mut self, task: usize) -> Result<bool> {
        match self.assembly.tasks[task].step()? {
            Step::Progress => self.moved(),
            Step::Done => {
                self.moved();
                self.runnable.retain(|other| *other != task);
            }
            Step::Idle | Step::Backpressured => {
                self.resting[task] = true;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Lets the worker do what is asked of it.
    fn work(&mut self) -> bool {
        let worker: &mut EpochWorker =
            self.assembly.worker.as_mut().expect("only jobs with epochs ask for work");
        let Ok(request) = self.assembly.requests.try_recv() else { return false };
        let done = worker.perform(request);
        self.assembly.notify.send(Notice::Worked(done)).ok();
        self.moved();
        true
    }

    /// Something moved, so everyone may be able to move.
    fn moved(&mut self) {
        self.resting.fill(false);
        self.fruitless = 0;
    }

    fn stuck(&self) -> EngineError {
        let waiting = self.runnable.iter().map(|task| self.assembly.tasks[*task].name());
        EngineError::Bug {
            operator: waiting.collect::<Vec<_>>().join(", "),
            message: "no task of the job can move".to_owned(),
        }
    }
}
