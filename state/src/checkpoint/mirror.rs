//! Checkpoints in a directory, held to the model: both are made, and every read of the restored
//! store is compared.

use std::sync::Arc;

use super::{Checkpoints, DirectoryCheckpoints, Manifest, MemoryCheckpoints, Sealed};
use crate::error::Result;
use crate::{Epoch, MirrorStore, StateStore};

/// Checkpoints of a [`MirrorStore`].
///
/// # Panics
/// Whatever differs from the model.
pub struct MirrorCheckpoints {
    disk: DirectoryCheckpoints,
    model: MemoryCheckpoints,
}

impl MirrorCheckpoints {
    /// Of a directory and the model that has seen the same; the directory keeps
    /// [`MemoryCheckpoints::KEPT`] checkpoints.
    pub fn new(disk: DirectoryCheckpoints, model: MemoryCheckpoints) -> Self {
        MirrorCheckpoints { disk, model }
    }
}

impl Checkpoints for MirrorCheckpoints {
    fn list(&self) -> Result<Vec<Epoch>> {
        let epochs = self.disk.list()?;
        assert_eq!(epochs, self.model.list()?, "list: the directory differs from its model");
        Ok(epochs)
    }

    fn manifest(&self, epoch: Epoch) -> Result<(Manifest, u32)> {
        let (manifest, crc) = self.disk.manifest(epoch)?;
        let without_files = Manifest { files: Vec::new(), ..manifest.clone() };
        assert_eq!(without_files, self.model.manifest(epoch)?.0, "manifest of epoch {epoch}");
        Ok((manifest, crc))
    }

    fn restore(&mut self, epoch: Option<Epoch>) -> Result<Arc<dyn StateStore>> {
        let (disk, model) = (self.disk.restore(epoch)?, self.model.restore(epoch)?);
        Ok(Arc::new(MirrorStore::new(disk, model)))
    }

    fn seal(&mut self, manifest: Manifest) -> Result<Sealed> {
        // The directory first: if that fails, there is no such checkpoint.
        let sealed = self.disk.seal(manifest.clone())?;
        self.model.seal(manifest)?;
        Ok(sealed)
    }

    fn quarantine_after(&mut self, epoch: Option<Epoch>) -> Result<Vec<Epoch>> {
        // The directory may hold one that failed after it was given its name.
        let moved = self.disk.quarantine_after(epoch)?;
        self.model.quarantine_after(epoch)?;
        Ok(moved)
    }

    fn retain(&mut self, committed: Epoch) -> Result<()> {
        self.disk.retain(committed)?;
        self.model.retain(committed)
    }

    fn clear(&mut self) -> Result<()> {
        self.disk.clear()?;
        self.model.clear()
    }
}
