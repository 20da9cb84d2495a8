//! Event time: the time in the record, never of the clock.
//!
//! One unit everywhere: milliseconds since the Unix epoch, the resolution of Flink's time
//! attributes. The unit is in the type, so that no function takes a bare integer as a moment.

use std::fmt;

/// A moment in event time, in milliseconds since 1970-01-01T00:00:00 (UTC for zoned columns, wall
/// clock of the session's zone for TIMESTAMP columns).
///
/// As a **watermark** `w` it asserts: no more rows with event time `<= w` will follow on this
/// edge, except late ones. A window `[start, end)` is complete once `end - 1 <= w`. This is
/// Flink's convention, kept so that the same SQL file fires the same windows on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTime(i64);

impl EventTime {
    /// Before every row: the watermark of an input that has said nothing yet.
    pub const MIN: EventTime = EventTime(i64::MIN);
    /// After every row: the final watermark of a bounded input.
    pub const MAX: EventTime = EventTime(i64::MAX);

    /// The moment `ms` milliseconds after the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        EventTime(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// True once a watermark at this moment completes a window that ends (exclusively) at `end`.
    ///
    /// ```
    /// use millstream_state::EventTime;
    /// let end = EventTime::from_ms(10_000);
    /// assert!(!EventTime::from_ms(9_998).completes(end));
    /// assert!(EventTime::from_ms(9_999).completes(end));
    /// ```
    pub const fn completes(self, end: EventTime) -> bool {
        end.0 == i64::MIN || end.0 - 1 <= self.0
    }
}

impl fmt::Display for EventTime {
    /// `-inf`, `+inf` or the milliseconds: logs and plans stay free of time zones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            EventTime::MIN => f.write_str("-inf"),
            EventTime::MAX => f.write_str("+inf"),
            EventTime(ms) => write!(f, "{ms}ms"),
        }
    }
}
