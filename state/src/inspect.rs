//! Looking at checkpoints without running their job and without its lock.
//!
//! A checkpoint is never changed once it has its name, so it may be read while the job runs; what
//! the job collects in between is missing, and said to be. Rows and runs are read with
//! [`RocksStore::open_read_only`], which writes nothing.

use std::path::Path;

use crate::checkpoint::{Manifest, read_manifest, verify_files};
use crate::error::{Result, StateError};
use crate::{RocksStore, StateStore};

/// Cache of a database that is read once.
const CACHE_BYTES: u64 = 16 << 20;

/// Verifies the checkpoint or savepoint in a directory as a restore does, without restoring it:
/// its manifest, sizes and checksums of its files, and that its database opens and holds the
/// manifest's epoch.
///
/// # Errors
/// What is damaged, by file.
pub fn verify(path: &Path) -> Result<Manifest> {
    let (manifest, _) = read_manifest(path)?;
    verify_files(path, &manifest.files)?;
    let applied = RocksStore::open_read_only(path, CACHE_BYTES)?.applied();
    if applied != manifest.epoch {
        let expected = manifest.epoch;
        let reason = format!("its database holds epoch {applied}, its manifest says {expected}");
        return Err(StateError::Damaged { place: path.display().to_string(), reason });
    }
    Ok(manifest)
}
