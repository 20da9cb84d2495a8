//! Files of checkpoints: made durable, hashed, verified, linked.
//!
//! An error of `fsync` is never tried again: after one, Linux may have dropped the pages and would
//! report success for data that is gone. It ends the incarnation, which goes back to a checkpoint.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::FileEntry;
use crate::error::{Result, StateError};
use crate::fault;

/// Name of the manifest in a checkpoint.
pub const MANIFEST: &str = "MANIFEST.json";
/// Ending of what is not complete, or is being removed.
pub const PARTIAL: &str = ".tmp";

/// Turns an I/O error into one that names the file.
pub fn at<T>(path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|error| StateError::io(path, error))
}

/// Passes a fault point while working on `path`.
pub fn pass(point: &'static str, path: &Path) -> Result<()> {
    at(path, fault::reach(point))
}

/// Makes a directory that only its owner may look into, and its parents.
pub fn make_dir(path: &Path) -> Result<()> {
    at(path, fs::DirBuilder::new().recursive(true).mode(0o700).create(path))
}

/// Makes a file's bytes, or a directory's entries, durable.
pub fn sync(path: &Path) -> Result<()> {
    at(path, File::open(path).and_then(|file| file.sync_all()))
}

/// Writes a file; it is not durable before [`sync`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    at(path, File::create(path).and_then(|mut file| file.write_all(bytes)))
}

/// Removes a directory with all in it, if there is one.
pub fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => at(path, result),
    }
}

/// Names in a directory, sorted; none if there is no such directory.
pub fn names(path: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => at(path, entries)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(at(path, entry)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// True for files that are never changed once they are written, so that a link is a copy.
pub fn is_immutable(name: &str) -> bool {
    name.ends_with(".sst")
}

/// Size and checksum of a file, read now.
pub fn hash(folder: &Path, name: &str) -> Result<FileEntry> {
    let path = folder.join(name);
    let mut file = at(&path, File::open(&path))?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    let mut size = 0;
    loop {
        let count = at(&path, file.read(&mut buffer))?;
        if count == 0 {
            return Ok(FileEntry { name: name.to_owned(), size, crc32: hasher.finalize() });
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
}

/// Compares files with what their manifest says of them; sizes first, for that is quick.
///
/// # Errors
/// The first file that differs.
pub fn verify(folder: &Path, files: &[FileEntry]) -> Result<()> {
    for file in files {
        let path = folder.join(&file.name);
        let size = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(&path, "it is missing".to_owned()));
            }
            metadata => at(&path, metadata)?.len(),
        };
        if size != file.size {
            let reason = format!("it has {size} bytes; {} were written", file.size);
            return Err(damaged(&path, reason));
        }
    }
    in_parallel(files, |file| {
        if hash(folder, &file.name)? == *file {
            return Ok(());
        }
        let reason = "its checksum does not match what was written".to_owned();
        Err(damaged(&folder.join(&file.name), reason))
    })
}

/// The error for a file that is not what was written.
pub fn damaged(path: &Path, reason: String) -> StateError {
    StateError::Damaged { place: path.display().to_string(), reason }
}

/// Does `work` for each item, on all cores; returns the error of one that failed.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    let run = || {
        while let Some(item) = items.get(next.fetch_add(1, Relaxed)) {
            if let Err(error) = work(item) {
                next.store(items.len(), Relaxed);
                let mut failure = failure.lock().expect("nobody panics while it is held");
                failure.get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            scope.spawn(run);
        }
        run();
    });
    failure.into_inner().expect("nobody panics while it is held").map_or(Ok(()), Err)
}

/// Makes a directory with the same files: links to those that never change, copies of the others.
pub fn link_all(from: &Path, to: &Path, files: &[FileEntry]) -> Result<()> {
    make_dir(to)?;
    for file in files {
        let (source, target) = (from.join(&file.name), to.join(&file.name));
        if is_immutable(&file.name) {
            at(&target, fs::hard_link(&source, &target))?;
        } else {
            at(&target, fs::copy(&source, &target))?;
        }
    }
    Ok(())
}
