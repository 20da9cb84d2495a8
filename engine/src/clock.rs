//! The one place of the engine that reads a clock, so that a simulation can put its own there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Processing time since the start of the job; never goes back.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's monotonic clock.
    System(Instant),
    /// Nanoseconds that a simulation sets.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that starts now.
    pub fn system() -> Self {
        Clock::System(Instant::now())
    }

    /// Nanoseconds since the start of the job.
    pub fn now_ns(&self) -> u64 {
        match self {
            Clock::System(start) => start.elapsed().as_nanos() as u64,
            Clock::Manual(now_ns) => now_ns.load(Relaxed),
        }
    }

    /// Milliseconds since 1970, for people and for PROCTIME(). It may be set back.
    pub fn unix_ms(&self) -> u64 {
        match self {
            Clock::System(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as u64),
            Clock::Manual(now_ns) => now_ns.load(Relaxed) / 1_000_000,
        }
    }
}
