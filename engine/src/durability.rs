//! What a job keeps over restarts, and when it restarts by itself.

use std::path::PathBuf;
use std::time::Duration;

use millstream_connectors::Job;
use millstream_state::Epoch;
use millstream_state::checkpoint::Checkpoints;

use crate::error::{EngineError, ErrorKind};

/// What a job keeps, where, and what it does about what it finds there.
pub struct Durability {
    /// The snapshots of its state.
    pub checkpoints: Box<dyn Checkpoints>,
    /// Directory of the decider's file, for jobs whose sinks do not decide, and of savepoints.
    pub state_dir: Option<PathBuf>,
    /// Who commits.
    pub job: Job,
    /// Time between epochs; zero for none but those that memory asks for.
    pub interval: Duration,
    /// Forget what is there and begin where the tables' options say.
    pub fresh: bool,
    /// Go on from the snapshot of this epoch, whatever was committed since: that stays, and is
    /// computed again.
    pub begin_with: Option<Epoch>,
    /// Go on although some of the state has no use any more.
    pub allow_dropped_state: bool,
    /// Go on although somebody has moved the committed offsets of a source.
    pub accept_external_offsets: bool,
    /// When to restart.
    pub restart: RestartPolicy,
}

/// When a job that has failed is started again from its last epoch.
///
/// A failure is tried again if it may go away by itself: something does not answer, a commit's
/// outcome is unknown. A panic is tried again, too, but only [`RestartPolicy::BUGS`] times at one
/// place, for the next attempt reads the same rows. Bad records, wrong options, state that does not
/// fit and a successor that has taken over do not go away, so they end the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Restarts in a row without an epoch between them; `None` for no limit, 0 for no restart.
    pub attempts: Option<u32>,
    /// Wait before the first restart; doubled by each that follows without an epoch between them.
    pub first_delay: Duration,
    /// Longest wait.
    pub longest_delay: Duration,
}

impl RestartPolicy {
    /// How often a panic is tried again at one place.
    pub const BUGS: u32 = 3;

    /// Never restarts.
    pub const NONE: RestartPolicy = RestartPolicy {
        attempts: Some(0),
        first_delay: Duration::ZERO,
        longest_delay: Duration::ZERO,
    };

    /// How long to wait before restart number `number` (from 0) since the last committed epoch;
    /// `None` if the job is to end with this error. `random` spreads jobs that fail together.
    pub fn delay(&self, error: &EngineError, number: u32, random: u64) -> Option<Duration> {
        let limit = match error.kind() {
            ErrorKind::Bug => Some(Self::BUGS.min(self.attempts.unwrap_or(Self::BUGS))),
            _ => self.attempts,
        };
        if !error.is_retriable() || limit.is_some_and(|limit| number >= limit) {
            return None;
        }
        let doubled = self.first_delay.saturating_mul(1u32 << number.min(16));
        let delay = doubled.min(self.longest_delay);
        // Between three quarters and the whole of it.
        Some(delay - delay.mul_f64((random % 1024) as f64 / 4096.0))
    }
}

impl Default for RestartPolicy {
    /// Without limit, after 1 s to 5 s.
    fn default() -> Self {
        RestartPolicy {
            attempts: None,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(5),
        }
    }
}

/// A job's snapshots and what is done with them; survives incarnations.
pub(crate) struct Keeping {
    /// `None` while an incarnation's worker has them.
    pub checkpoints: Option<Box<dyn Checkpoints>>,
    /// `None` for a job that only puts state away that does not fit into memory.
    pub durable: Option<Durable>,
}

/// [`Durability`] without the snapshots.
#[derive(Clone, Debug)]
pub(crate) struct Durable {
    pub state_dir: Option<PathBuf>,
    pub job: Job,
    pub interval: Duration,
    pub fresh: bool,
    pub begin_with: Option<Epoch>,
    pub allow_dropped_state: bool,
    pub accept_external_offsets: bool,
    pub restart: RestartPolicy,
}

impl Keeping {
    /// Keeps nothing over restarts.
    pub fn for_memory(checkpoints: Box<dyn Checkpoints>) -> Self {
        Keeping { checkpoints: Some(checkpoints), durable: None }
    }

    /// Milliseconds between epochs.
    pub fn interval_ms(&self) -> u64 {
        self.durable.as_ref().map_or(0, |durable| durable.interval.as_millis() as u64)
    }
}

impl From<Durability> for Keeping {
    fn from(durability: Durability) -> Self {
        let Durability { checkpoints, state_dir, job, interval, fresh, .. } = durability;
        let durable = Durable {
            state_dir,
            job,
            interval,
            fresh,
            begin_with: durability.begin_with,
            allow_dropped_state: durability.allow_dropped_state,
            accept_external_offsets: durability.accept_external_offsets,
            restart: durability.restart,
        };
        Keeping { checkpoints: Some(checkpoints), durable: Some(durable) }
    }
}

impl Durable {
    /// The job as incarnation number `number` (from 0) of this process commits.
    pub fn incarnation(&self, number: u64) -> Job {
        let mut job = self.job.clone();
        if number > 0 {
            job.incarnation = format!("{}.{number}", job.incarnation);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use millstream_connectors::ConnectorError;

    use super::*;

    fn unavailable() -> EngineError {
        let source = ConnectorError::Unavailable { message: "broker away".into(), hint: None };
        EngineError::Table { table: "t".into(), source }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = RestartPolicy::default();
        let seconds = |number| policy.delay(&unavailable(), number, 0).map(|delay| delay.as_secs());
        assert_eq!([0, 1, 2, 5, 6, 99].map(seconds), [1, 2, 4, 5, 5, 5].map(Some));
        let spread = policy.delay(&unavailable(), 0, 1023).expect("retried");
        assert!(spread < Duration::from_secs(1) && spread > Duration::from_millis(740));
    }

    #[test]
    fn what_does_not_go_away_ends_the_job() {
        let policy = RestartPolicy::default();
        let data = ConnectorError::Data { place: "p".into(), reason: "bad".into(), hint: None };
        let data = EngineError::Table { table: "t".into(), source: data };
        assert_eq!(policy.delay(&data, 0, 0), None);
        assert_eq!(policy.delay(&EngineError::incompatible("no", "yes"), 0, 0), None);
        let bug = EngineError::Bug { operator: "o".into(), message: "index".into() };
        assert!(policy.delay(&bug, 2, 0).is_some());
        assert_eq!(policy.delay(&bug, 3, 0), None, "the same rows would come again");
        assert_eq!(RestartPolicy::NONE.delay(&unavailable(), 0, 0), None);
    }
}
