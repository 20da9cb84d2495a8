//! Checkpoints: whole epochs of a job's state, from which it goes on after a crash.
//!
//! ```text
//!  StateStore::apply(n) ─▶ seal(manifest of n) ─▶ the sink commits n ─▶ retain(n)
//!                              ▲ durable before this returns
//!  start, crash, abort: what did the sink commit? m ─▶ quarantine_after(m) ─▶ restore(m)
//! ```
//!
//! Laws:
//!
//! 1. once `seal` has returned, the checkpoint survives the process and, on a disk, the machine;
//! 2. a checkpoint that was cut short by a crash is never listed and never restored;
//! 3. `restore` yields the store exactly as it was when the epoch was sealed, or an error that
//!    names what is damaged: checksums are compared before anything is opened;
//! 4. which checkpoint counts is said by who calls, never by the newest directory.

pub mod copy;
mod directory;
mod files;
mod manifest;
mod memory;
mod mirror;
mod savepoint;

use std::sync::Arc;

pub use directory::{DirectoryCheckpoints, DirectoryOptions};
pub use manifest::{FORMAT, FileEntry, Manifest, OperatorState, SourceState, SplitState};
pub use memory::MemoryCheckpoints;
pub use mirror::MirrorCheckpoints;
pub use savepoint::savepoint;

pub(crate) use directory::read_manifest;
pub(crate) use files::verify as verify_files;

use crate::error::Result;
use crate::{Epoch, StateStore};

/// What `seal` made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its epoch.
    pub epoch: Epoch,
    /// Checksum of its manifest: what the decider remembers of it.
    pub crc: u32,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Bytes of those files that the checkpoint before does not have.
    pub new_bytes: u64,
}

/// Snapshots of a job's store, by epoch.
pub trait Checkpoints: Send {
    /// The complete ones, ascending.
    fn list(&self) -> Result<Vec<Epoch>>;

    /// What is written about a checkpoint, and the checksum of that.
    fn manifest(&self, epoch: Epoch) -> Result<(Manifest, u32)>;

    /// Verifies a checkpoint and makes a fresh live store of it; an empty store for `None`. The
    /// store that was live before must not be used any more.
    fn restore(&mut self, epoch: Option<Epoch>) -> Result<Arc<dyn StateStore>>;

    /// Makes a checkpoint of the live store, which has applied exactly the manifest's epoch.
    fn seal(&mut self, manifest: Manifest) -> Result<Sealed>;

    /// Moves checkpoints later than `epoch` (all, for `None`) away, for they were never
    /// committed, and removes what a crash left half made. Returns what was moved.
    fn quarantine_after(&mut self, epoch: Option<Epoch>) -> Result<Vec<Epoch>>;

    /// Removes checkpoints that nobody will ask for now that `committed` is: the last three
    /// committed ones stay, for a sink may lose what it had acknowledged.
    fn retain(&mut self, committed: Epoch) -> Result<()>;

    /// Forgets all checkpoints: the job has finished, or is to begin anew.
    fn clear(&mut self) -> Result<()>;
}
