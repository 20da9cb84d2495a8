//! Releases numbered rows at a rate, for sources that play at a speed.
//!
//! The schedule is an open loop: row `n` is due `n / rate` seconds after the first, whether or not
//! earlier rows were taken in time, so that a stall is followed by a burst and not by a drift.

use std::sync::OnceLock;
use std::time::Duration;

use crate::clock::Clock;

/// A schedule of rows, shared by the readers of a source.
#[derive(Debug)]
pub(crate) struct Pace {
    clock: Clock,
    rows_per_second: f64,
    /// When the schedule began, by the clock, and with which row.
    start: OnceLock<Start>,
}

#[derive(Clone, Copy, Debug)]
struct Start {
    elapsed: Duration,
    unix_ms: i64,
    row: u64,
}

impl Pace {
    pub(crate) fn new(clock: Clock, rows_per_second: f64) -> Self {
        Pace { clock, rows_per_second, start: OnceLock::new() }
    }

    /// Waits at most `timeout` until row `row` is due; returns the first row that is not due.
    ///
    /// The first call starts the schedule with its row, so that a source which resumes at row
    /// 1,000,000 does not first catch up with a million rows.
    pub(crate) fn wait(&self, row: u64, timeout: Duration) -> u64 {
        let start = self.start(row);
        let due_s = row.saturating_sub(start.row) as f64 / self.rows_per_second;
        let now_s = self.seconds_since(start);
        if due_s > now_s {
            let wait = Duration::try_from_secs_f64(due_s - now_s).unwrap_or(Duration::MAX);
            // A clock's granularity must not make the caller spin just before the row is due.
            self.clock.sleep(timeout.min(wait + Duration::from_nanos(1)));
        }
        let due_rows = self.seconds_since(start) * self.rows_per_second;
        start.row.saturating_add(due_rows as u64).saturating_add(1)
    }

    /// The moment at which a row is due, in milliseconds since the Unix epoch.
    pub(crate) fn due_unix_ms(&self, row: u64) -> i64 {
        let start = self.start(row);
        let after_ms = row.saturating_sub(start.row) as f64 * 1000.0 / self.rows_per_second;
        start.unix_ms.saturating_add(after_ms as i64)
    }

    /// How long row `row` has been due, in nanoseconds; 0 if it is not due.
    pub(crate) fn overdue_ns(&self, row: u64) -> u64 {
        let start = self.start(row);
        let due_s = row.saturating_sub(start.row) as f64 / self.rows_per_second;
        ((self.seconds_since(start) - due_s) * 1e9).round() as u64
    }

    fn start(&self, row: u64) -> Start {
        *self.start.get_or_init(|| Start {
            elapsed: self.clock.elapsed(),
            unix_ms: self.clock.unix_ms(),
            row,
        })
    }

    fn seconds_since(&self, start: Start) -> f64 {
        self.clock.elapsed().saturating_sub(start.elapsed).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_due_by_the_clock() {
        let clock = Clock::manual();
        let pace = Pace::new(clock.clone(), 10.0);
        assert_eq!(pace.wait(0, Duration::ZERO), 1, "the first row is due at once");
        clock.advance(Duration::from_millis(250));
        assert_eq!(pace.wait(1, Duration::ZERO), 3);
        assert_eq!(pace.wait(3, Duration::from_secs(1)), 4, "waits for row 3 only");
        assert_eq!(clock.elapsed().as_millis(), 300);
        assert_eq!(pace.wait(100, Duration::from_millis(50)), 4, "waits no longer than told");
        assert_eq!(pace.due_unix_ms(20) - pace.due_unix_ms(0), 2000);
        let overdue_ms = |row| pace.overdue_ns(row) / 1_000_000;
        assert_eq!((overdue_ms(3), overdue_ms(1)), (50, 250));
        assert_eq!(pace.overdue_ns(100), 0, "not due yet");
    }

    #[test]
    fn a_resumed_source_starts_where_it_resumes() {
        let pace = Pace::new(Clock::manual(), 10.0);
        assert_eq!(pace.wait(1_000, Duration::ZERO), 1_001);
    }
}
