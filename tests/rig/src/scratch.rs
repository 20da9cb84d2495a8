//! What a run leaves on disk: a directory, and in it a small disk for each job, if we may mount one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// What our mounts are called in the system's list of them.
const DEVICE: &str = "millstream-rig";
/// Size of a job's disk, so that it can be full.
const DISK_BYTES: u64 = 96 << 20;

/// The directory of a run; at the end it stays only if a failed round is in it.
pub struct Scratch {
    dir: PathBuf,
}

impl Scratch {
    /// Makes it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(name: &str) -> Result<Scratch> {
        unmount_orphans();
        let dir = std::env::temp_dir().join(format!("{DEVICE}-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        Ok(Scratch { dir })
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        // Only an empty directory goes: a failed round is in its lane's.
        let lanes =
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("lane-"));
        let kept = lanes.filter(|lane| std::fs::remove_dir(lane.path()).is_err()).count();
        if kept == 0 {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// Puts a small disk there; false if we may not.
pub fn mount(dir: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", &format!("size={DISK_BYTES}"), DEVICE]).arg(dir);
    mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Takes it away, even if something still has a file open.
pub fn unmount(dir: &Path) {
    let _ = Command::new("umount").arg("-l").arg(dir).stderr(Stdio::null()).status();
}

/// Disks of runs that were killed themselves.
fn unmount_orphans() {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    for mount in mounts.lines() {
        let mut fields = mount.split(' ');
        let (Some(DEVICE), Some(place)) = (fields.next(), fields.next()) else { continue };
        let run = place.split(&format!("{DEVICE}-")).nth(1).unwrap_or_default();
        let process = run.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            unmount(Path::new(place));
        }
    }
}
