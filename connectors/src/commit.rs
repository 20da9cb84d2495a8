//! Exactly once: how the epochs of a job become visible, and who says which did.
//!
//! ```text
//!  barrier n reaches every writer   Writer::end_epoch(n)       what was written before is epoch n
//!  snapshot n is durable            Committer::commit(n)       its outputs, the positions of its
//!                                                              sources and "n": all or nothing
//!  …crash…                          Committer::recover()       fences predecessors, then reads n
//! ```
//!
//! Of all that a job writes to, one system decides: the **decider**. Its commit of epoch `n` is the
//! one durable fact that says that `n` happened; recovery loads exactly that snapshot. A sink with
//! transactions of its own (Kafka) is the decider; a job without one decides by a file in its state
//! directory, which the engine brings along. Sinks that publish (files) **follow**: what they staged
//! for an epoch is durable before the decider commits, and is made visible after; recovery does
//! again what a crash left undone.
//!
//! Laws of a [`Committer`], checked by the contract suite:
//!
//! 1. `recover` comes first. Once it has returned, no predecessor with the same [`Job::name`] can
//!    commit any more, and the answer is final;
//! 2. `commit(n)` returns `Ok` only if all of epoch `n` is visible, all at once where the system
//!    can; after any error nobody knows, and the incarnation ends: `recover` of the next one does;
//! 3. what was written after `end_epoch(n)` is not part of epoch `n`, also while it commits.

use std::sync::Arc;

use millstream_state::Epoch;

use crate::error::Result;

/// Who commits: what deciders know a job by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Stable name: the same over restarts, and no other job's. Letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// Name of this start of the job; no other start has it.
    pub incarnation: String,
    /// Time between epochs, in milliseconds.
    pub interval_ms: u64,
}

/// How far a split was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Name of the source's node in the job graph.
    pub source: String,
    /// Where the offsets of this source can be committed, if anywhere.
    pub home: Option<OffsetHome>,
    /// [`crate::Split::id`].
    pub split: String,
    /// Where reading goes on.
    pub next_offset: u64,
}

/// A place that keeps offsets, such as a consumer group of a Kafka cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OffsetHome {
    /// The system: equal to [`CommitterKey`] if both are the same cluster.
    pub system: CommitterKey,
    /// The group that the user named; the job's own if none.
    pub group: Option<String>,
}

/// Names the system that a committer commits to. Sinks with equal keys share one committer, and so
/// one transaction; sinks with different keys cannot commit together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitterKey(pub String);

/// An epoch that is to be committed.
#[derive(Clone, Debug)]
pub struct EpochCommit {
    /// Its number.
    pub epoch: Epoch,
    /// Checksum of its snapshot's manifest.
    pub snapshot_crc: u32,
    /// Positions of all splits, also of those that did not move.
    pub positions: Arc<[Position]>,
    /// True for the last epoch of a job whose inputs have ended.
    pub finished: bool,
}

/// What the decider says was committed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Number of the epoch.
    pub epoch: Epoch,
    /// Checksum of its snapshot's manifest.
    pub snapshot_crc: u32,
    /// [`EpochCommit::finished`].
    pub finished: bool,
}

/// Commits epochs, as decider or as follower; used from one thread, which may block.
pub trait Committer: Send {
    /// Fences predecessors and says what was committed last; `None` if nothing ever was.
    ///
    /// # Errors
    /// If the system does not answer, or what it says makes no sense: then nothing may run.
    fn recover(&mut self) -> Result<Option<Committed>>;

    /// Compares what the system holds of source positions with those of the snapshot that the job
    /// is about to go on from. Called between `recover` and the first row, once it is known that the
    /// snapshot is there: from here on this start is the one that goes on.
    ///
    /// # Errors
    /// If they differ: somebody else has moved them, and going on would lose or repeat records.
    fn check_positions(&mut self, _committed: &Committed, _positions: &[Position]) -> Result<()> {
        Ok(())
    }

    /// Makes an epoch visible; blocks until that is certain.
    ///
    /// # Errors
    /// If it failed or its outcome is unknown; the incarnation ends.
    fn commit(&mut self, commit: &EpochCommit) -> Result<()>;
}

/// How a sink takes part in epochs.
pub enum Participation {
    /// Not at all: rows are visible when written, and are written again after a restart. Writers
    /// must have delivered what was written before `end_epoch` when it returns.
    None,
    /// As decider.
    Decider {
        /// Sinks with the same key share what `committer` makes.
        key: CommitterKey,
        /// Its committer; any of the sinks with the same key may be asked.
        committer: Box<dyn Committer>,
    },
    /// As follower. `recover` of a follower is given what the decider said by
    /// [`Follower::recover`].
    Follower(Box<dyn Follower>),
}

/// Publishes what writers have staged, after the decider has committed; used from one thread.
pub trait Follower: Send {
    /// Brings what is visible to exactly the epochs up to `committed` (`None`: to none of this
    /// job's): publishes what is staged of them, and removes what is staged or visible of later
    /// ones. Comes before any row is written, also when the job had finished and begins anew: then
    /// first with what was committed, and again with `None`.
    ///
    /// # Errors
    /// If that is impossible, for example because other epochs were made visible than were decided.
    fn recover(&mut self, committed: Option<&Committed>) -> Result<()>;

    /// Makes an epoch visible that the decider has committed; `finished` is
    /// [`EpochCommit::finished`]. Doing it twice does no harm.
    ///
    /// # Errors
    /// If it cannot; the incarnation ends and the next one does it.
    fn publish(&mut self, epoch: Epoch, finished: bool) -> Result<()>;
}
