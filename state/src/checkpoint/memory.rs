//! Checkpoints in memory: the model of `DirectoryCheckpoints`, and
//! what tests and simulations run on. Clones share what is sealed, so it survives a crash that is
//! played by dropping everything else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Checkpoints, Manifest, Sealed};
use crate::error::{Result, StateError};
use crate::{Epoch, MemoryStore, StateStore};

/// Checkpoints of a [`MemoryStore`].
#[derive(Clone, Default)]
pub struct MemoryCheckpoints {
    sealed: Arc<Mutex<BTreeMap<Epoch, Snapshot>>>,
    live: Option<Arc<MemoryStore>>,
}

struct Snapshot {
    manifest: Vec<u8>,
    store: MemoryStore,
}

impl MemoryCheckpoints {
    /// How many committed checkpoints stay.
    pub const KEPT: usize = 3;

    fn sealed(&self) -> MutexGuard<'_, BTreeMap<Epoch, Snapshot>> {
        self.sealed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(epoch: Epoch) -> StateError {
    StateError::Missing { epoch, place: "memory".to_owned() }
}

impl Checkpoints for MemoryCheckpoints {
    fn list(&self) -> Result<Vec<Epoch>> {
        Ok(self.sealed().keys().copied().collect())
    }

    fn manifest(&self, epoch: Epoch) -> Result<(Manifest, u32)> {
        let sealed = self.sealed();
        let snapshot = sealed.get(&epoch).ok_or_else(|| missing(epoch))?;
        Manifest::from_bytes(&snapshot.manifest).map_err(|reason| StateError::Damaged {
            place: format!("memory, epoch {epoch}"),
            reason,
        })
    }

    fn restore(&mut self, epoch: Option<Epoch>) -> Result<Arc<dyn StateStore>> {
        let store = match epoch {
            None => MemoryStore::default(),
            Some(epoch) => self.sealed().get(&epoch).ok_or_else(|| missing(epoch))?.store.clone(),
        };
        let store = Arc::new(store);
        self.live = Some(store.clone());
        Ok(store)
    }

    fn seal(&mut self, manifest: Manifest) -> Result<Sealed> {
        let live = self.live.as_ref().expect("a store is restored before it is sealed");
        let epoch = manifest.epoch;
        assert_eq!(live.applied(), epoch, "the store has applied what is sealed");
        let (bytes, crc) = manifest.to_bytes();
        let size = bytes.len() as u64;
        let snapshot = Snapshot { manifest: bytes, store: live.as_ref().clone() };
        self.sealed().insert(epoch, snapshot);
        Ok(Sealed { epoch, crc, bytes: size, new_bytes: size })
    }

    fn quarantine_after(&mut self, epoch: Option<Epoch>) -> Result<Vec<Epoch>> {
        let mut sealed = self.sealed();
        let later = match epoch {
            Some(epoch) => sealed.split_off(&epoch.next()),
            None => std::mem::take(&mut *sealed),
        };
        Ok(later.into_keys().collect())
    }

    fn retain(&mut self, committed: Epoch) -> Result<()> {
        let mut sealed = self.sealed();
        let kept = sealed.range(..=committed).rev().nth(Self::KEPT - 1).map(|(epoch, _)| *epoch);
        if let Some(oldest) = kept {
            sealed.retain(|epoch, _| *epoch >= oldest);
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<()> {
        self.sealed().clear();
        Ok(())
    }
}
