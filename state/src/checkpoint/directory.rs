//! Checkpoints in a directory, by hard links.
//!
//! ```text
//!  DIR/LOCK                       held by the process that runs the job; its number is in it
//!  DIR/live/<n>/                  the database; never trusted, remade from a checkpoint at every start
//!  DIR/checkpoints/000000000042/  a checkpoint: files of the database, MANIFEST.json
//!  DIR/checkpoints/….tmp          one that is being made or removed; removed at the next start
//!  DIR/savepoints/<name>/         a checkpoint with a name, which only a person removes
//!  DIR/quarantine/000000000043/   the newest checkpoint that was never committed, for diagnosis
//! ```
//!
//! How one is made, each step before the next: flush the database; link its files into `….tmp`;
//! sync the files and the directory; write and sync the manifest; rename; sync the parent. Only then
//! may the epoch be committed. Checksums are taken of new files only: files of the database are
//! never changed and never get a name again, within one life of `live`.
//!
//! A linked file is one file: when a disk damages it, it is damaged in every checkpoint that has
//! it. Checkpoints in a directory guard against crashes; against the loss of the disk there is the
//! [copy](super::copy).

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::copy::Copy;
use super::files::{self, MANIFEST, PARTIAL, at, pass};
use super::{Checkpoints, FileEntry, Manifest, Sealed};
use crate::error::{Result, StateError};
use crate::{Epoch, RocksStore, StateStore, fault};

/// Options of [`DirectoryCheckpoints`].
#[derive(Clone, Debug)]
pub struct DirectoryOptions {
    /// Committed checkpoints that stay; 3 at least.
    pub keep: usize,
    /// Directory or object-store URL of a second copy.
    pub copy_to: Option<String>,
    /// Bytes for the database's block cache and write buffers.
    pub cache_bytes: u64,
}

impl Default for DirectoryOptions {
    fn default() -> Self {
        DirectoryOptions { keep: 3, copy_to: None, cache_bytes: 64 << 20 }
    }
}

/// Checkpoints of a [`RocksStore`] in a directory that this process has locked.
pub struct DirectoryCheckpoints {
    // PROPERTIES
    dir: PathBuf,
    keep: usize,
    cache_bytes: u64,
    copy: Option<Copy>,
    /// Locked until it is closed.
    _lock: File,
    // STATE
    live: Option<Arc<RocksStore>>,
    /// Files of the checkpoint that was sealed or restored last.
    known: HashMap<String, FileEntry>,
}

impl DirectoryCheckpoints {
    /// Takes the lock of `dir`, which is made if there is none.
    ///
    /// # Errors
    /// If another process holds the lock, or the directory or the copy cannot be used.
    pub fn open(dir: &Path, options: DirectoryOptions) -> Result<Self> {
        files::make_dir(dir)?;
        let lock = lock(dir)?;
        pass("recover.locked", dir)?;
        files::make_dir(&dir.join("checkpoints"))?;
        let copy = options.copy_to.as_deref().map(Copy::open).transpose()?;
        Ok(DirectoryCheckpoints {
            dir: dir.to_owned(),
            keep: options.keep.max(3),
            cache_bytes: options.cache_bytes,
            copy,
            _lock: lock,
            live: None,
            known: HashMap::new(),
        })
    }

    /// The state directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The store that was restored last, to ask it for its figures.
    pub fn live(&self) -> Option<&Arc<RocksStore>> {
        self.live.as_ref()
    }

    /// Makes a savepoint, or any checkpoint at `path`, a checkpoint of this job, of the same epoch.
    ///
    /// # Errors
    /// If it is damaged, or there is a checkpoint of that epoch already.
    pub fn adopt(&mut self, path: &Path) -> Result<Epoch> {
        let (manifest, _) = read_manifest(path)?;
        files::verify(path, &manifest.files)?;
        let target = checkpoint_path(&self.dir, manifest.epoch);
        super::savepoint::link(path, &manifest, &target)?;
        Ok(manifest.epoch)
    }

    fn folder(&self) -> PathBuf {
        self.dir.join("checkpoints")
    }

    fn local(&self) -> Result<Vec<Epoch>> {
        let names = files::names(&self.folder())?;
        Ok(names.iter().filter_map(|name| read_epoch(name)).collect())
    }

    /// A checkpoint whose files are as they were written, fetched from the copy if need be.
    fn verified(&mut self, epoch: Epoch) -> Result<Manifest> {
        let path = checkpoint_path(&self.dir, epoch);
        let local = if path.exists() {
            read_manifest(&path).and_then(|(manifest, _)| {
                files::verify(&path, &manifest.files)?;
                Ok(manifest)
            })
        } else {
            let place = self.folder().display().to_string();
            Err(StateError::Missing { epoch, place })
        };
        let Err(error) = local else { return local };
        let Some(copy) = &mut self.copy else { return Err(error) };
        if !copy.list()?.contains(&epoch) {
            return Err(error);
        }
        let partial = partial(&path);
        files::remove_dir(&partial)?;
        copy.fetch(epoch, &partial)?;
        let (manifest, _) = read_manifest(&partial)?;
        files::verify(&partial, &manifest.files)?;
        if path.exists() {
            self.set_aside(epoch)?;
        }
        finish(&partial, &path)?;
        Ok(manifest)
    }

    /// Moves a checkpoint into quarantine.
    fn set_aside(&self, epoch: Epoch) -> Result<()> {
        let quarantine = self.dir.join("quarantine");
        files::make_dir(&quarantine)?;
        let target = quarantine.join(epoch_name(epoch));
        files::remove_dir(&target)?;
        let path = checkpoint_path(&self.dir, epoch);
        at(&path, fs::rename(&path, &target))
    }

    fn remove(&self, epoch: Epoch) -> Result<()> {
        // By another name first: a half removed checkpoint must not look like one.
        let path = checkpoint_path(&self.dir, epoch);
        let partial = partial(&path);
        files::remove_dir(&partial)?;
        at(&path, fs::rename(&path, &partial))?;
        pass("collect.garbage", &path)?;
        files::remove_dir(&partial)
    }

    /// What the database's files are, with checksums; hashes and syncs those that are new.
    fn entries(&self, folder: &Path) -> Result<(Vec<FileEntry>, u64)> {
        let (mut entries, mut new_bytes) = (Vec::new(), 0);
        for name in files::names(folder)? {
            let path = folder.join(&name);
            let size = at(&path, fs::metadata(&path))?.len();
            let known = self.known.get(&name).filter(|known| known.size == size);
            if let Some(known) = known.filter(|_| files::is_immutable(&name)) {
                entries.push(known.clone());
                continue;
            }
            let entry = files::hash(folder, &name)?;
            files::sync(&path)?;
            new_bytes += entry.size;
            entries.push(entry);
        }
        files::sync(folder)?;
        Ok((entries, new_bytes))
    }
}

impl Checkpoints for DirectoryCheckpoints {
    fn list(&self) -> Result<Vec<Epoch>> {
        let mut epochs = self.local()?;
        if let Some(copy) = &self.copy {
            epochs.extend(copy.list()?);
            epochs.sort();
            epochs.dedup();
        }
        Ok(epochs)
    }

    fn manifest(&self, epoch: Epoch) -> Result<(Manifest, u32)> {
        let path = checkpoint_path(&self.dir, epoch);
        let local = read_manifest(&path);
        match (&self.copy, local) {
            (Some(copy), Err(_)) => copy.manifest(epoch),
            (None, Err(_)) if !path.exists() => {
                let place = self.folder().display().to_string();
                Err(StateError::Missing { epoch, place })
            }
            (_, local) => local,
        }
    }

    fn restore(&mut self, epoch: Option<Epoch>) -> Result<Arc<dyn StateStore>> {
        self.live = None;
        let manifest = epoch.map(|epoch| self.verified(epoch)).transpose()?;
        pass("recover.verified", &self.dir)?;
        let lives = self.dir.join("live");
        files::remove_dir(&lives)?;
        files::make_dir(&lives)?;
        // Another name every time: a task of the last incarnation may still hold its database.
        static LIVES: AtomicU64 = AtomicU64::new(0);
        let live = lives.join(LIVES.fetch_add(1, Ordering::Relaxed).to_string());
        let files = manifest.as_ref().map_or(&[][..], |manifest| &manifest.files);
        if let Some(epoch) = epoch {
            files::link_all(&checkpoint_path(&self.dir, epoch), &live, files)?;
        }
        pass("recover.linked", &live)?;
        let store = Arc::new(RocksStore::open(&live, self.cache_bytes)?);
        pass("recover.opened", &live)?;
        if let Some(epoch) = epoch.filter(|epoch| *epoch != store.applied()) {
            let found = store.applied();
            let reason = format!("its database holds epoch {found}, its manifest says {epoch}");
            return Err(files::damaged(&checkpoint_path(&self.dir, epoch), reason));
        }
        self.known = files.iter().map(|file| (file.name.clone(), file.clone())).collect();
        self.live = Some(store.clone());
        Ok(store)
    }

    fn seal(&mut self, mut manifest: Manifest) -> Result<Sealed> {
        let live = self.live.clone().expect("a store is restored before it is sealed");
        let epoch = manifest.epoch;
        assert_eq!(live.applied(), epoch, "the store has applied what is sealed");
        let path = checkpoint_path(&self.dir, epoch);
        let partial = partial(&path);
        if path.exists() {
            // Sealed before a crash and never committed, such as a genesis: this one counts.
            self.remove(epoch)?;
        }
        pass("snapshot.applied", &path)?;
        live.flush()?;
        pass("snapshot.flushed", &path)?;
        files::remove_dir(&partial)?;
        live.link_to(&partial)?;
        pass("snapshot.linked", &path)?;
        let (entries, new_bytes) = self.entries(&partial)?;
        pass("snapshot.files-synced", &path)?;
        manifest.files = entries;
        let (bytes, crc) = manifest.to_bytes();
        files::write(&partial.join(MANIFEST), &bytes)?;
        pass("snapshot.manifest-written", &path)?;
        files::sync(&partial.join(MANIFEST))?;
        files::sync(&partial)?;
        pass("snapshot.manifest-synced", &path)?;
        if fault::mutant("M3") {
            let (partial, path) = (partial.clone(), path.clone());
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                finish(&partial, &path)
            });
        } else {
            finish(&partial, &path)?;
        }
        pass("snapshot.renamed", &path)?;
        if let Some(copy) = &mut self.copy {
            copy.put(&path, &manifest, &bytes)?;
        }
        pass("snapshot.durable", &path)?;
        let sealed = Sealed { epoch, crc, bytes: manifest.bytes(), new_bytes };
        self.known = manifest.files.into_iter().map(|file| (file.name.clone(), file)).collect();
        Ok(sealed)
    }

    fn quarantine_after(&mut self, epoch: Option<Epoch>) -> Result<Vec<Epoch>> {
        let folder = self.folder();
        for name in files::names(&folder)?.iter().filter(|name| name.ends_with(PARTIAL)) {
            files::remove_dir(&folder.join(name))?;
        }
        let is_later = |other: &Epoch| epoch.is_none_or(|epoch| *other > epoch);
        let mut later: Vec<Epoch> = self.local()?.into_iter().filter(is_later).collect();
        if let Some((newest, older)) = later.split_last() {
            // One is enough to see what went wrong.
            files::remove_dir(&self.dir.join("quarantine"))?;
            self.set_aside(*newest)?;
            older.iter().try_for_each(|epoch| self.remove(*epoch))?;
        }
        if let Some(copy) = &mut self.copy {
            let copied: Vec<Epoch> = copy.list()?.into_iter().filter(is_later).collect();
            copy.remove(&copied)?;
            later.extend(copied);
            later.sort();
            later.dedup();
        }
        pass("recover.quarantined", &folder)?;
        Ok(later)
    }

    fn retain(&mut self, committed: Epoch) -> Result<()> {
        let old = |epochs: Vec<Epoch>| {
            let committed: Vec<Epoch> = epochs.into_iter().filter(|e| *e <= committed).collect();
            let keep = if fault::mutant("M5") { 1 } else { self.keep };
            committed[..committed.len().saturating_sub(keep)].to_vec()
        };
        for epoch in old(self.local()?) {
            self.remove(epoch)?;
        }
        if let Some(copy) = &mut self.copy {
            let old = old(copy.list()?);
            copy.remove(&old)?;
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<()> {
        self.live = None;
        self.known.clear();
        // Oldest first: while one is left it is the last, which says that the job has finished.
        for epoch in self.local()? {
            self.remove(epoch)?;
        }
        if let Some(copy) = &mut self.copy {
            let all = copy.list()?;
            copy.remove(&all)?;
        }
        for name in ["live", "quarantine"] {
            files::remove_dir(&self.dir.join(name))?;
        }
        Ok(())
    }
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("LOCK");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = at(&path, file)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // The holder may be about to write it.
            let read = file.read_to_string(&mut pid);
            let pid = match read {
                Ok(_) if !pid.trim().is_empty() => pid.trim().to_owned(),
                _ => "(unknown)".to_owned(),
            };
            return Err(StateError::Locked { place: dir.display().to_string(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(StateError::io(&path, error)),
    }
    at(&path, file.set_len(0))?;
    at(&path, writeln!(file, "{}", std::process::id()))?;
    Ok(file)
}

/// Name of a checkpoint's directory: 12 digits, so that names sort as epochs do.
pub(super) fn epoch_name(epoch: Epoch) -> String {
    format!("{:012}", epoch.0)
}

/// Reads a name that [`epoch_name`] made.
pub(super) fn read_epoch(name: &str) -> Option<Epoch> {
    let is_name = name.len() >= 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    name.parse().ok().filter(|_| is_name).map(Epoch)
}

/// Directory of a checkpoint.
pub(super) fn checkpoint_path(dir: &Path, epoch: Epoch) -> PathBuf {
    dir.join("checkpoints").join(epoch_name(epoch))
}

/// Name of a checkpoint while it is not complete.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PARTIAL);
    PathBuf::from(name)
}

/// Gives a complete checkpoint its name, durably.
pub(super) fn finish(partial: &Path, path: &Path) -> Result<()> {
    at(path, fs::rename(partial, path))?;
    files::sync(path.parent().unwrap_or(Path::new(".")))
}

/// Reads the manifest of the checkpoint at `path`.
pub(crate) fn read_manifest(path: &Path) -> Result<(Manifest, u32)> {
    let path = path.join(MANIFEST);
    let bytes = at(&path, fs::read(&path))?;
    Manifest::from_bytes(&bytes).map_err(|reason| files::damaged(&path, reason))
}
