//! A place for state that does not fit into memory, for jobs that keep nothing else: a store in a
//! temporary directory, gone with the job.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use millstream_state::checkpoint::{
    Checkpoints, DirectoryCheckpoints, DirectoryOptions, Manifest, Sealed,
};
use millstream_state::{Epoch, MemoryBudget, StateError, StateStore};

use crate::durability::Keeping;
use crate::error::Result;

type StateResult<T> = std::result::Result<T, StateError>;

/// What a job with this budget needs that keeps nothing over restarts; `None` if memory is
/// unlimited, for then there are no epochs and no cost.
///
/// # Errors
/// If the directory cannot be made.
pub(crate) fn keeping(memory: &MemoryBudget) -> Result<Option<Keeping>> {
    static JOBS: AtomicU64 = AtomicU64::new(0);
    if memory.limit_bytes() == u64::MAX {
        return Ok(None);
    }
    let number = JOBS.fetch_add(1, Relaxed);
    let name = format!("millstream-{}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let checkpoints = DirectoryCheckpoints::open(&directory, DirectoryOptions::default())?;
    Ok(Some(Keeping::for_memory(Box::new(Spill { checkpoints: Some(checkpoints), directory }))))
}

/// A store without snapshots: nobody would ever restore them, so sealing costs nothing.
struct Spill {
    /// Taken only by the drop.
    checkpoints: Option<DirectoryCheckpoints>,
    directory: PathBuf,
}

impl Spill {
    fn open(&mut self) -> &mut DirectoryCheckpoints {
        self.checkpoints.as_mut().expect("open until it is dropped")
    }
}

impl Checkpoints for Spill {
    fn list(&self) -> StateResult<Vec<Epoch>> {
        Ok(Vec::new())
    }

    fn manifest(&self, epoch: Epoch) -> StateResult<(Manifest, u32)> {
        Err(StateError::Missing { epoch, place: self.directory.display().to_string() })
    }

    fn restore(&mut self, epoch: Option<Epoch>) -> StateResult<Arc<dyn StateStore>> {
        self.open().restore(epoch)
    }

    fn seal(&mut self, manifest: Manifest) -> StateResult<Sealed> {
        Ok(Sealed { epoch: manifest.epoch, crc: 0, bytes: 0, new_bytes: 0 })
    }

    fn quarantine_after(&mut self, _epoch: Option<Epoch>) -> StateResult<Vec<Epoch>> {
        Ok(Vec::new())
    }

    fn retain(&mut self, _committed: Epoch) -> StateResult<()> {
        Ok(())
    }

    fn clear(&mut self) -> StateResult<()> {
        self.open().clear()
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        self.checkpoints = None;
        // What cannot be removed is left to the system's own cleaning.
        std::fs::remove_dir_all(&self.directory).ok();
    }
}
