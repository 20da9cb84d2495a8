//! A second copy of checkpoints in an object store, for when the disk or the machine is gone.
//!
//! ```text
//!  URL/files/000012.sst-1048576-0123abcd    a file: its name, size and checksum
//!  URL/checkpoints/000000000042.json        the manifest, which is written last
//! ```
//!
//! A file travels once, with the first checkpoint that has it; its size and checksum are in its
//! name because another life of the database may give the same number to another file. A checkpoint
//! is there once its manifest is; that is before its epoch is committed, so whatever a sink has
//! committed can be restored from the copy alone. One URL is for one job.
//!
//! The URL is a directory or whatever `object_store` knows by the features it is built with: here
//! `fs`, so `file://…`. For `s3://…` build it with the feature `aws` and run the calls below in a
//! tokio runtime, which its HTTP client needs; nothing else would change. A directory on a local
//! disk is not synced: it guards against losing the state directory, not against a power cut.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use futures::executor::block_on;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{Error as ObjectError, ObjectStore, ObjectStoreExt, PutPayload};
use url::Url;

use super::directory::{epoch_name, read_epoch};
use super::files::{self, MANIFEST};
use super::{FileEntry, Manifest};
use crate::Epoch;
use crate::error::{Result, StateError};

/// Objects that are sent at a time.
const IN_FLIGHT: usize = 8;

/// Copies of checkpoints in an object store.
pub struct Copy {
    // PROPERTIES
    place: String,
    store: Arc<dyn ObjectStore>,
    base: ObjectPath,
    // STATE
    /// Names of the files that are there, once they were listed.
    present: Option<HashSet<String>>,
}

impl Copy {
    /// The copy at a URL or in a directory, which is made if there is none.
    pub fn open(place: &str) -> Result<Self> {
        let failed = |error: ObjectError| failure(place, &error);
        let (store, base): (Arc<dyn ObjectStore>, ObjectPath) = if place.contains("://") {
            let url = Url::parse(place).map_err(|error| StateError::Copy {
                place: place.to_owned(),
                reason: error.to_string(),
            })?;
            let (store, base) = object_store::parse_url(&url).map_err(failed)?;
            (store.into(), base)
        } else {
            files::make_dir(Path::new(place))?;
            let store = LocalFileSystem::new_with_prefix(place).map_err(failed)?;
            (Arc::new(store), ObjectPath::default())
        };
        Ok(Copy { place: place.to_owned(), store, base, present: None })
    }

    /// The complete checkpoints, ascending.
    pub fn list(&self) -> Result<Vec<Epoch>> {
        let names = self.names("checkpoints")?;
        let epochs = names.iter().filter_map(|name| read_epoch(name.strip_suffix(".json")?));
        let mut epochs: Vec<Epoch> = epochs.collect();
        epochs.sort();
        Ok(epochs)
    }

    /// The manifest of a checkpoint, and its checksum.
    pub fn manifest(&self, epoch: Epoch) -> Result<(Manifest, u32)> {
        let path = self.manifest_path(epoch);
        let bytes = match self.get(&path) {
            Err(ObjectError::NotFound { .. }) => {
                return Err(StateError::Missing { epoch, place: self.place.clone() });
            }
            bytes => bytes.map_err(|error| failure(&self.place_of(&path), &error))?,
        };
        let place = self.place_of(&path);
        Manifest::from_bytes(&bytes).map_err(|reason| StateError::Damaged { place, reason })
    }

    /// Copies the checkpoint in `folder`: files that are not there yet, then the manifest.
    pub fn put(&mut self, folder: &Path, manifest: &Manifest, bytes: &[u8]) -> Result<()> {
        let present = self.present()?;
        let is_new = |file: &&FileEntry| !present.contains(&object_name(file));
        let new: Vec<&FileEntry> = manifest.files.iter().filter(is_new).collect();
        let send = async |file: &FileEntry| {
            let source = folder.join(&file.name);
            let bytes = files::at(&source, std::fs::read(&source))?;
            let path = self.file_path(file);
            let sent = self.store.put(&path, PutPayload::from(bytes)).await;
            sent.map(drop).map_err(|error| failure(&self.place_of(&path), &error))
        };
        let sends = futures::stream::iter(new.iter().map(|file| send(file)));
        block_on(sends.buffer_unordered(IN_FLIGHT).try_collect::<Vec<()>>())?;
        let path = self.manifest_path(manifest.epoch);
        let sent = block_on(self.store.put(&path, PutPayload::from(bytes.to_vec())));
        sent.map_err(|error| failure(&self.place_of(&path), &error))?;
        let names: Vec<String> = new.into_iter().map(object_name).collect();
        self.present.get_or_insert_default().extend(names);
        Ok(())
    }

    /// Fetches a checkpoint into `folder`. What comes is not verified.
    pub fn fetch(&self, epoch: Epoch, folder: &Path) -> Result<()> {
        let (manifest, _) = self.manifest(epoch)?;
        files::make_dir(folder)?;
        for file in &manifest.files {
            let path = self.file_path(file);
            let bytes = self.get(&path).map_err(|error| failure(&self.place_of(&path), &error))?;
            files::write(&folder.join(&file.name), &bytes)?;
            files::sync(&folder.join(&file.name))?;
        }
        files::write(&folder.join(MANIFEST), &manifest.to_bytes().0)?;
        files::sync(&folder.join(MANIFEST))?;
        files::sync(folder)
    }

    /// Removes checkpoints and the files that no other one has.
    pub fn remove(&mut self, epochs: &[Epoch]) -> Result<()> {
        if epochs.is_empty() {
            return Ok(());
        }
        for epoch in epochs {
            self.delete(&self.manifest_path(*epoch))?;
        }
        let mut used = HashSet::new();
        for epoch in self.list()? {
            used.extend(self.manifest(epoch)?.0.files.iter().map(object_name));
        }
        for name in self.present()?.clone().difference(&used) {
            self.delete(&self.base.clone().join("files").join(name.as_str()))?;
        }
        self.present = Some(used);
        Ok(())
    }

    fn present(&mut self) -> Result<&HashSet<String>> {
        if self.present.is_none() {
            self.present = Some(self.names("files")?.into_iter().collect());
        }
        Ok(self.present.get_or_insert_default())
    }

    fn names(&self, folder: &str) -> Result<Vec<String>> {
        let prefix = self.base.clone().join(folder);
        let objects = block_on(self.store.list(Some(&prefix)).try_collect::<Vec<_>>());
        let objects = objects.map_err(|error| failure(&self.place_of(&prefix), &error))?;
        let names = objects.iter().filter_map(|object| object.location.filename());
        Ok(names.map(str::to_owned).collect())
    }

    fn get(&self, path: &ObjectPath) -> std::result::Result<Vec<u8>, ObjectError> {
        let bytes = block_on(async { self.store.get(path).await?.bytes().await })?;
        Ok(bytes.to_vec())
    }

    fn delete(&self, path: &ObjectPath) -> Result<()> {
        match block_on(self.store.delete(path)) {
            Ok(()) | Err(ObjectError::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure(&self.place_of(path), &error)),
        }
    }

    fn manifest_path(&self, epoch: Epoch) -> ObjectPath {
        self.base.clone().join("checkpoints").join(format!("{}.json", epoch_name(epoch)))
    }

    fn file_path(&self, file: &FileEntry) -> ObjectPath {
        self.base.clone().join("files").join(object_name(file))
    }

    fn place_of(&self, path: &ObjectPath) -> String {
        format!("{} ({path})", self.place)
    }
}

fn object_name(file: &FileEntry) -> String {
    format!("{}-{}-{:08x}", file.name, file.size, file.crc32)
}

fn failure(place: &str, error: &ObjectError) -> StateError {
    StateError::Copy { place: place.to_owned(), reason: error.to_string() }
}
