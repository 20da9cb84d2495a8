//! Savepoints: checkpoints with a name, which no garbage collection removes.
//!
//! A savepoint is a directory of hard links beside the checkpoints and needs neither the lock nor
//! the running job. It may be copied anywhere with the usual tools.

use std::path::{Path, PathBuf};

use super::Manifest;
use super::directory::{checkpoint_path, finish, partial, read_manifest};
use super::files::{self, MANIFEST, PARTIAL};
use crate::Epoch;
use crate::error::{Result, StateError};

/// Gives the checkpoint of `epoch` in state directory `dir` a name; returns its directory.
///
/// # Errors
/// If there is no such checkpoint, the name is taken, or it is not made of letters, digits, `.`,
/// `_` and `-`.
pub fn savepoint(dir: &Path, epoch: Epoch, name: &str) -> Result<PathBuf> {
    let folder = dir.join("savepoints");
    let target = folder.join(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_name = !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain);
    if !is_name || name.ends_with(PARTIAL) {
        let reason = "a name has letters, digits, `.`, `_` and `-` and begins with no dot";
        let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, reason);
        return Err(StateError::io(&target, error));
    }
    let source = checkpoint_path(dir, epoch);
    if !source.exists() {
        return Err(StateError::Missing { epoch, place: dir.display().to_string() });
    }
    let (manifest, _) = read_manifest(&source)?;
    files::make_dir(&folder)?;
    link(&source, &manifest, &target)?;
    Ok(target)
}

/// Makes `target` a checkpoint with the same files as `source`, durably.
pub(super) fn link(source: &Path, manifest: &Manifest, target: &Path) -> Result<()> {
    if target.exists() {
        let error = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(StateError::io(target, error));
    }
    let partial = partial(target);
    files::remove_dir(&partial)?;
    files::link_all(source, &partial, &manifest.files)?;
    let bytes = files::at(&source.join(MANIFEST), std::fs::read(source.join(MANIFEST)))?;
    files::write(&partial.join(MANIFEST), &bytes)?;
    for name in files::names(&partial)? {
        files::sync(&partial.join(name))?;
    }
    files::sync(&partial)?;
    finish(&partial, target)
}
