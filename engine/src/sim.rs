//! Simulation: a whole job on one thread, its tasks stepped in a random order from a seed.
//!
//! The same seed gives the same run, to the envelope. Results must not depend on the seed: a test
//! runs many, and a failure is repeated with the seed that it names. Time is manual: it moves a
//! microsecond a step, and ten milliseconds when nothing else can move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use millstream_operators::JobGraph;

use crate::assemble::{Assembly, assemble};
use crate::clock::Clock;
use crate::components::Components;
use crate::error::{EngineError, Result};
use crate::job::{JobSummary, Outcome, RunOptions};
use crate::metrics::JobMetrics;
use crate::task::Step;

/// Rounds in which nothing moved before a job counts as stuck: 100 s of its time.
const STUCK_AFTER: usize = 10_000;

/// A job under a seeded scheduler.
pub struct Simulation {
    assembly: Assembly,
    /// Tasks that are not done.
    runnable: Vec<usize>,
    /// For each task whether it was found unable to move since something last moved.
    resting: Vec<bool>,
    now_ns: Arc<AtomicU64>,
    random: u64,
    fruitless: usize,
}

impl Simulation {
    /// Assembles a job; nothing runs yet.
    ///
    /// # Errors
    /// If a table cannot be opened or an operator cannot be built.
    ///
    /// # Panics
    /// If the graph breaks its laws.
    pub fn new(
        graph: &JobGraph,
        options: RunOptions,
        components: &dyn Components,
        seed: u64,
    ) -> Result<Self> {
        let now_ns = Arc::new(AtomicU64::new(0));
        let assembly = assemble(graph, &options, components, Clock::Manual(now_ns.clone()))?;
        let runnable: Vec<usize> = (0..assembly.tasks.len()).collect();
        let resting = vec![false; runnable.len()];
        Ok(Simulation { assembly, runnable, resting, now_ns, random: seed, fruitless: 0 })
    }

    /// The job's live figures.
    pub fn metrics(&self) -> &Arc<JobMetrics> {
        &self.assembly.metrics
    }

    /// Asks for a graceful end.
    pub fn stop(&mut self) {
        self.assembly.control.stop();
        self.resting.fill(false);
    }

    /// Steps one task. Returns false once all are done.
    ///
    /// # Errors
    /// The first failure, which ends the job; also if the job is stuck: tasks wait for each other.
    pub fn step(&mut self) -> Result<bool> {
        if self.runnable.is_empty() {
            return Ok(false);
        }
        self.now_ns.fetch_add(1_000, Relaxed);
        let awake: Vec<usize> =
            self.runnable.iter().copied().filter(|task| !self.resting[*task]).collect();
        if awake.is_empty() {
            return self.let_time_pass().map(|()| true);
        }
        let task = awake[self.random(awake.len())];
        match self.assembly.tasks[task].step()? {
            Step::Progress => self.moved(),
            Step::Done => {
                self.moved();
                self.runnable.retain(|other| *other != task);
            }
            Step::Idle | Step::Backpressured => self.resting[task] = true,
        }
        Ok(!self.runnable.is_empty())
    }

    /// Steps until nothing moves, without letting time pass: what was readable has been processed
    /// and is visible.
    ///
    /// # Errors
    /// As [`Simulation::step`].
    pub fn settle(&mut self) -> Result<()> {
        self.resting.fill(false);
        while self.runnable.iter().any(|task| !self.resting[*task]) {
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
        }
        self.settle()
    }

    /// Steps until all tasks are done.
    ///
    /// # Errors
    /// As [`Simulation::step`].
    pub fn run(mut self) -> Result<JobSummary> {
        while self.step()? {}
        let figures = self.assembly.metrics.snapshot();
        Ok(JobSummary { outcome: Outcome::of(&self.assembly.control), figures })
    }

    /// Something moved, so everyone may be able to move.
    fn moved(&mut self) {
        self.resting.fill(false);
        self.fruitless = 0;
    }

    fn let_time_pass(&mut self) -> Result<()> {
        self.now_ns.fetch_add(10_000_000, Relaxed);
        for discovery in &mut self.assembly.discoveries {
            discovery.look_again()?;
        }
        self.resting.fill(false);
        self.fruitless += 1;
        if self.fruitless < STUCK_AFTER {
            return Ok(());
        }
        let waiting = self.runnable.iter().map(|task| self.assembly.tasks[*task].name());
        Err(EngineError::Bug {
            operator: waiting.collect::<Vec<_>>().join(", "),
            message: "no task of the job can move".to_owned(),
        })
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
