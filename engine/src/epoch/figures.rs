//! Figures of epochs, for the summary and for exports. They outlive incarnations.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use millstream_state::Epoch;
use millstream_state::checkpoint::Sealed;

/// Written by the coordinator, read by anybody.
#[derive(Debug, Default)]
pub struct EpochMetrics {
    epochs: AtomicU64,
    last_epoch: AtomicU64,
    align_ns: AtomicU64,
    seal_ns: AtomicU64,
    commit_ns: AtomicU64,
    max_ns: AtomicU64,
    snapshot_bytes: AtomicU64,
    new_bytes: AtomicU64,
    restarts: AtomicU64,
}

/// The figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpochFigures {
    /// Epochs that were committed since the start of the process.
    pub epochs: u64,
    /// The last of them.
    pub last_epoch: Epoch,
    /// From the request to the last task's acknowledgement, of the last epoch, in nanoseconds.
    pub align_ns: u64,
    /// From there to a durable snapshot, in nanoseconds.
    pub seal_ns: u64,
    /// From there to the decider's answer, in nanoseconds.
    pub commit_ns: u64,
    /// The longest that any epoch took from request to commit, in nanoseconds.
    pub max_ns: u64,
    /// Bytes of the last snapshot.
    pub snapshot_bytes: u64,
    /// Bytes that it did not share with the one before.
    pub new_bytes: u64,
    /// How often the job was restarted inside the process.
    pub restarts: u64,
}

impl EpochMetrics {
    pub(crate) fn aligned(&self, took_ns: u64) {
        self.align_ns.store(took_ns, Relaxed);
    }

    pub(crate) fn sealed(&self, sealed: &Sealed, took_ns: u64) {
        self.seal_ns.store(took_ns, Relaxed);
        self.snapshot_bytes.store(sealed.bytes, Relaxed);
        self.new_bytes.store(sealed.new_bytes, Relaxed);
    }

    pub(crate) fn committed(&self, epoch: Epoch, took_ns: u64) {
        self.commit_ns.store(took_ns, Relaxed);
        self.last_epoch.store(epoch.0, Relaxed);
        let all_ns = self.align_ns.load(Relaxed) + self.seal_ns.load(Relaxed) + took_ns;
        self.max_ns.fetch_max(all_ns, Relaxed);
        self.epochs.fetch_add(1, Relaxed);
    }

    pub(crate) fn restarted(&self) {
        self.restarts.fetch_add(1, Relaxed);
    }

    /// The last committed epoch and how many there were, for who watches progress.
    pub(crate) fn count(&self) -> u64 {
        self.epochs.load(Relaxed)
    }

    /// The figures of this moment.
    pub fn snapshot(&self) -> EpochFigures {
        EpochFigures {
            epochs: self.epochs.load(Relaxed),
            last_epoch: Epoch(self.last_epoch.load(Relaxed)),
            align_ns: self.align_ns.load(Relaxed),
            seal_ns: self.seal_ns.load(Relaxed),
            commit_ns: self.commit_ns.load(Relaxed),
            max_ns: self.max_ns.load(Relaxed),
            snapshot_bytes: self.snapshot_bytes.load(Relaxed),
            new_bytes: self.new_bytes.load(Relaxed),
            restarts: self.restarts.load(Relaxed),
        }
    }
}

/// Bytes of memory that the process takes, as the system counts them; `None` where it does not say.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
