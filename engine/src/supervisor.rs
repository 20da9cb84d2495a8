//! The life of a job over its incarnations: run, and after a failure that may go away wait, recover
//! and run again.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use millstream_operators::JobGraph;
use millstream_state::MemoryBudget;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::components::Components;
use crate::coordinator::coordinate;
use crate::durability::{Keeping, RestartPolicy};
use crate::error::{EngineError, Result};
use crate::incarnation::{Incarnation, Plan, begin};
use crate::job::{JobSummary, Outcome, RunOptions};
use crate::metrics::JobMetrics;
use crate::recovery::Recovery;
use crate::steering::Steering;

/// Everything of a job that outlives an incarnation.
pub(crate) struct Supervisor {
    // PROPERTIES
    pub graph: JobGraph,
    pub options: RunOptions,
    pub components: Arc<dyn Components>,
    pub memory: Arc<MemoryBudget>,
    pub clock: Clock,
    pub steering: Arc<Steering>,
    pub seen: watch::Sender<Recovery>,
    // STATE
    pub keeping: Option<Keeping>,
    /// Made by the first start.
    pub metrics: Option<Arc<JobMetrics>>,
    /// Starts so far.
    pub starts: u64,
}

impl Supervisor {
    /// The job's figures; there are some from the first start on.
    pub fn metrics(&self) -> Arc<JobMetrics> {
        self.metrics.clone().expect("a start that went well made them")
    }

    /// Makes the next start.
    pub fn begin(&mut self) -> Result<Incarnation> {
        let plan = Plan {
            graph: &self.graph,
            options: self.options,
            components: &*self.components,
            memory: &self.memory,
            clock: &self.clock,
        };
        let number = self.starts;
        self.starts += 1;
        begin(&plan, self.keeping.as_mut(), number, &mut self.metrics)
    }

    /// Runs to the end of the job.
    pub fn run(mut self, first: Incarnation) -> Result<JobSummary> {
        let mut incarnation = first;
        // Restarts since the last epoch that was committed.
        let (mut failures, mut epochs) = (0, 0);
        loop {
            let mut error = match self.run_once(incarnation) {
                Ok(outcome) => return Ok(self.summary(outcome)),
                Err(error) => error,
            };
            incarnation = loop {
                let committed = self.metrics().epochs.count();
                if committed > epochs {
                    (failures, epochs) = (0, committed);
                }
                self.wait(error, failures)?;
                failures += 1;
                match self.begin() {
                    Ok(incarnation) => break incarnation,
                    Err(next) => error = next,
                }
            };
        }
    }

    fn run_once(&mut self, incarnation: Incarnation) -> Result<Outcome> {
        let (assembly, recovery) = match incarnation {
            Incarnation::Finished(recovery) => {
                self.seen.send_replace(recovery);
                return Ok(Outcome::Finished);
            }
            Incarnation::Ready(assembly, recovery) => (assembly, recovery),
        };
        self.seen.send_replace(recovery);
        self.steering.attach(assembly.control.clone(), assembly.notify.clone());
        let ended = coordinate(*assembly);
        self.steering.detach();
        if let Some(keeping) = &mut self.keeping {
            keeping.checkpoints = ended.checkpoints;
        }
        match ended.result {
            Err(_) if self.steering.is_aborted() => Ok(Outcome::Aborted),
            result => result,
        }
    }

    /// Waits until the job may be tried again; gives the error back if it may not.
    fn wait(&self, error: EngineError, failures: u32) -> Result<()> {
        let policy = match &self.keeping {
            // Without the snapshots there is nothing to go on from.
            Some(Keeping { checkpoints: Some(_), durable: Some(durable) }) => durable.restart,
            _ => RestartPolicy::NONE,
        };
        let random = RandomState::new().hash_one(failures);
        let delay = policy.delay(&error, failures, random);
        let Some(delay) = delay.filter(|_| !self.steering.is_ending()) else { return Err(error) };
        self.seen.send_modify(|recovery| {
            recovery.failure = Some(error.to_string());
            recovery.retry_in_ms = Some(delay.as_millis() as u64);
        });
        if self.steering.wait(delay) {
            return Err(error);
        }
        self.metrics().epochs.restarted();
        Ok(())
    }

    fn summary(&self, outcome: Outcome) -> JobSummary {
        JobSummary { outcome, figures: self.metrics().snapshot() }
    }
}
