//! The blocking half of an epoch: apply, seal, commit, publish, clean up.
//!
//! On threads it runs beside the coordinator while tasks work on in the next epoch; in a
//! simulation each of its steps is one that the scheduler may put anywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use millstream_connectors::Source;
use millstream_connectors::commit::{Committer, EpochCommit, Follower, Position};
use millstream_state::checkpoint::{self, Checkpoints, Manifest, Sealed};
use millstream_state::{Epoch, StateDelta, StateStore, fault};

use crate::error::{EngineError, Result};
use crate::task::panic_message;

/// What is to be done.
#[derive(Debug)]
pub enum Request {
    /// Apply what the tasks changed, and make a snapshot of it.
    Seal {
        /// What is written of the epoch besides its state.
        manifest: Box<Manifest>,
        /// The changes, of all tasks.
        deltas: Vec<Arc<StateDelta>>,
        /// Names under which the snapshot is to be kept, too.
        savepoints: Vec<String>,
    },
    /// Let the decider commit.
    Commit(EpochCommit),
    /// Let followers publish, show how far sources were read, remove what is not needed.
    Publish(EpochCommit),
}

/// What was done.
#[derive(Debug)]
pub enum Finished {
    /// The snapshot is durable.
    Sealed(Sealed),
    /// The decider has committed.
    Committed,
    /// All that follows the commit is done.
    Published,
}

/// A follower and the table that it publishes.
pub struct NamedFollower {
    /// Name of the table, for errors.
    pub table: String,
    /// Who publishes.
    pub follower: Box<dyn Follower>,
}

/// Who shows positions that are not part of the decider's commit: the node of a source, and it.
pub type Shower = (String, Arc<dyn Source>);

/// Does what the driver requests, one after the other; see the head of this file.
pub struct EpochWorker {
    /// Makes the snapshots.
    pub checkpoints: Box<dyn Checkpoints>,
    /// The job's state.
    pub store: Arc<dyn StateStore>,
    /// The decider; without one an epoch counts once it is sealed.
    pub decider: Option<Box<dyn Committer>>,
    /// Who publishes after it.
    pub followers: Vec<NamedFollower>,
    /// Who shows positions after it.
    pub showers: Vec<Shower>,
    /// Where savepoints go.
    pub state_dir: Option<PathBuf>,
}

impl EpochWorker {
    /// Does one thing, and turns a panic into an error: the snapshots must outlive it.
    ///
    /// # Errors
    /// If it failed, or nobody knows whether it did.
    pub fn perform(&mut self, request: Request) -> Result<Finished> {
        let done = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Seal { manifest, deltas, savepoints } => {
                self.seal(*manifest, &deltas, &savepoints).map(Finished::Sealed)
            }
            Request::Commit(commit) => self.commit(&commit).map(|()| Finished::Committed),
            Request::Publish(commit) => self.publish(&commit).map(|()| Finished::Published),
        }));
        done.unwrap_or_else(|panic| {
            let message = panic_message(panic.as_ref());
            Err(EngineError::Bug { operator: "epochs".to_owned(), message })
        })
    }

    fn seal(
        &mut self,
        manifest: Manifest,
        deltas: &[Arc<StateDelta>],
        savepoints: &[String],
    ) -> Result<Sealed> {
        self.store.apply(manifest.epoch, deltas)?;
        let sealed = self.checkpoints.seal(manifest)?;
        for name in savepoints {
            self.save(sealed.epoch, name)?;
        }
        Ok(sealed)
    }

    /// Gives the snapshot a name. One that has the name already is left as it is: the request was
    /// made twice.
    fn save(&self, epoch: Epoch, name: &str) -> Result<()> {
        let dir = self.state_dir.as_deref().expect("asked for only where there is a directory");
        if !dir.join("savepoints").join(name).exists() {
            checkpoint::savepoint(dir, epoch, name)?;
        }
        Ok(())
    }

    fn commit(&mut self, commit: &EpochCommit) -> Result<()> {
        if fault::mutant("M5") {
            self.checkpoints.retain(commit.epoch)?;
        }
        if let Some(decider) = &mut self.decider {
            let epoch = commit.epoch;
            decider.commit(commit).map_err(|source| EngineError::Commit { epoch, source })?;
        }
        reach("commit.decided")
    }

    fn publish(&mut self, commit: &EpochCommit) -> Result<()> {
        for NamedFollower { table, follower } in &mut self.followers {
            let published = follower.publish(commit.epoch, commit.finished);
            published.map_err(EngineError::table(table))?;
        }
        reach("commit.published")?;
        for (name, source) in &self.showers {
            let of_source = |position: &&Position| position.source == *name;
            let positions: Vec<Position> =
                commit.positions.iter().filter(of_source).cloned().collect();
            source.show_positions(&positions);
        }
        reach("commit.released")?;
        let retained = self.checkpoints.retain(commit.epoch);
        // A job that has finished has done so whether or not this goes well. Its last snapshot stays:
        // it tells a start after a kill that nothing is left to do. Who started the job removes it as
        // the last act before the process ends.
        if commit.finished { Ok(()) } else { Ok(retained?) }
    }
}

/// Passes a fault point of the engine.
pub(crate) fn reach(point: &'static str) -> Result<()> {
    fault::reach(point).map_err(|source| EngineError::Fault { source })
}
