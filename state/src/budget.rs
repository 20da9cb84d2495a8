//! The memory budget of a job: what all of its state may take, and what it takes.
//!
//! Every operator instance reports the bytes of its working set through a [`MemoryUse`]. When the
//! sum exceeds the limit an epoch is due at once: at its barrier operators write what is not
//! written yet and drop their coldest panes from memory ([`MemoryUse::is_over`]).
//!
//! The default is a share of what the machine has, or of what its container may take.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Limit and use of a job's state in memory, in bytes.
#[derive(Debug)]
pub struct MemoryBudget {
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

impl MemoryBudget {
    /// A budget of this many bytes.
    pub fn new(limit_bytes: u64) -> Arc<Self> {
        Arc::new(MemoryBudget { limit_bytes, used_bytes: AtomicU64::new(0) })
    }

    /// A budget that is never exceeded.
    pub fn unlimited() -> Arc<Self> {
        MemoryBudget::new(u64::MAX)
    }

    /// A quarter of what this process may take: the rest is for rows on their way, connectors and the
    /// cache of files.
    pub fn of_machine() -> Arc<Self> {
        MemoryBudget::new(machine_bytes(Path::new("/")) / 4)
    }

    /// The limit in bytes.
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Bytes in use.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Relaxed)
    }

    /// True while more is in use than the limit.
    pub fn is_over(&self) -> bool {
        self.used_bytes() > self.limit_bytes
    }
}

/// What one owner of memory uses of a budget; given back on drop.
#[derive(Debug)]
pub struct MemoryUse {
    budget: Arc<MemoryBudget>,
    bytes: u64,
}

impl MemoryUse {
    /// An owner that uses nothing yet.
    pub fn new(budget: Arc<MemoryBudget>) -> Self {
        MemoryUse { budget, bytes: 0 }
    }

    /// Reports the bytes that are in use now.
    pub fn set(&mut self, bytes: u64) {
        self.budget.used_bytes.fetch_add(bytes.wrapping_sub(self.bytes), Relaxed);
        self.bytes = bytes;
    }

    /// True while the budget as a whole is exceeded.
    pub fn is_over(&self) -> bool {
        self.budget.is_over()
    }

    /// The budget.
    pub fn budget(&self) -> &Arc<MemoryBudget> {
        &self.budget
    }
}

impl Drop for MemoryUse {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What a machine has that does not say.
const UNKNOWN_BYTES: u64 = 4 << 30;

/// Memory that this process may take: that of the machine, or less if its control group says so.
/// The files are looked up below `root`.
fn machine_bytes(root: &Path) -> u64 {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let machine = read("proc/meminfo");
    let machine = machine.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let machine =
        machine.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let machine = machine.map_or(UNKNOWN_BYTES, |kib| kib << 10);
    // Version 2, seen from inside of a container; version 1. Without a limit they say `max`, or a
    // number that no machine has.
    let groups = ["sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits = groups.iter().filter_map(|path| read(path).trim().parse::<u64>().ok());
    limits.fold(machine, u64::min)
}

/// Bytes of this process that are in memory now; `None` where the system does not say.
pub fn resident_bytes() -> Option<u64> {
    // In pages, of 4 KiB on every system that runs this.
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: u64 = pages.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(resident * 4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_says_less_than_the_machine() {
        let root = tempfile::tempdir().expect("folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("makes");
            std::fs::write(path, text).expect("writes");
        };
        assert_eq!(machine_bytes(root.path()), UNKNOWN_BYTES);
        write("proc/meminfo", "MemTotal:       24675180 kB\nMemFree:  1 kB\n");
        assert_eq!(machine_bytes(root.path()), 24_675_180 << 10);
        write("sys/fs/cgroup/memory.max", "max\n");
        assert_eq!(machine_bytes(root.path()), 24_675_180 << 10);
        write("sys/fs/cgroup/memory.max", "536870912\n");
        assert_eq!(machine_bytes(root.path()), 512 << 20);
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(machine_bytes(root.path()), 512 << 20);
    }

    #[test]
    fn a_process_takes_some_memory() {
        let bytes = resident_bytes().expect("Linux says");
        assert!((1 << 20..1 << 40).contains(&bytes), "{bytes}");
        assert!(MemoryBudget::of_machine().limit_bytes() >= 64 << 20);
    }

    #[test]
    fn a_budget_is_the_sum_of_its_owners() {
        let budget = MemoryBudget::new(100);
        let (mut one, mut other) = (MemoryUse::new(budget.clone()), MemoryUse::new(budget.clone()));
        one.set(80);
        other.set(30);
        assert!(one.is_over());
        one.set(10);
        assert_eq!(budget.used_bytes(), 40);
        drop(other);
        assert_eq!((budget.used_bytes(), budget.is_over()), (10, false));
    }
}
