//! The clock that paces sources: the machine's, or one that tests turn by hand.
//!
//! This is the only place of the crate that reads the time or sleeps, apart from clients that do so
//! themselves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// 2024-01-01T00:00:00Z: where hand-turned clocks start, in milliseconds since the epoch.
const MANUAL_START_MS: i64 = 1_704_067_200_000;

/// A clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System { start: Instant },
    Manual { elapsed: Arc<Mutex<Duration>> },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Clock(Kind::System { start: Instant::now() })
    }

    /// A clock that stands still unless someone advances it or sleeps by it.
    pub fn manual() -> Self {
        Clock(Kind::Manual { elapsed: Arc::default() })
    }

    /// Time since the clock was made; it never goes back.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Kind::System { start } => start.elapsed(),
            Kind::Manual { elapsed } => *elapsed.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Milliseconds since the Unix epoch, UTC.
    pub fn unix_ms(&self) -> i64 {
        match &self.0 {
            Kind::System { .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Kind::Manual { .. } => {
                let elapsed = i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX);
                MANUAL_START_MS.saturating_add(elapsed)
            }
        }
    }

    /// Waits. A hand-turned clock does not wait: it advances.
    pub fn sleep(&self, duration: Duration) {
        match &self.0 {
            Kind::System { .. } => std::thread::sleep(duration),
            Kind::Manual { .. } => self.advance(duration),
        }
    }

    /// Turns a hand-turned clock.
    ///
    /// # Panics
    /// If it is the machine's clock.
    pub fn advance(&self, duration: Duration) {
        let Kind::Manual { elapsed } = &self.0 else {
            panic!("the machine's clock cannot be turned");
        };
        *elapsed.lock().unwrap_or_else(PoisonError::into_inner) += duration;
    }
}
