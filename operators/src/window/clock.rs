//! The wall clock that windows follow: none (event time itself), or that of the session's zone.
//!
//! A TIMESTAMP_LTZ is a moment; its windows are cut from the local wall clock, as in Flink. Around
//! a change of the clock the two are not one to one:
//!
//! ```text
//!  Europe/Berlin, end of March            end of October
//!  moment  …59:59│01:00 UTC               …59:59│01:00 UTC
//!  wall    01:59 │03:00                   02:59 │02:00          (an hour comes twice)
//!                └ 02:00–03:00 is skipped       └ 02:00–03:00 is ambiguous
//! ```
//!
//! Laws:
//!
//! 1. a wall-clock time has passed when its **last** moment has: an hour that comes twice belongs
//!    to the same windows both times, so they wait for the second;
//! 2. a wall-clock time that is skipped passes at the moment of the change;
//! 3. `passed` never goes back as the watermark grows.

use arrow::array::timezone::Tz;
use arrow::error::ArrowError;
use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone};
use millstream_state::EventTime;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Longest stretch over which [`WallClock::offset_over`] looks for changes, one look a day.
const PROBED_DAYS: i64 = 32;

/// How event time becomes window time.
#[derive(Clone, Copy, Debug)]
pub enum WallClock {
    /// Window time is event time: TIMESTAMP columns, and zones without an offset.
    Plain,
    /// Window time is the wall clock of a zone.
    Zone(Tz),
}

impl WallClock {
    /// The clock of a zone by its IANA name or as `+hh:mm`; of none, the plain one.
    ///
    /// # Errors
    /// If there is no such zone.
    pub fn new(zone: Option<&str>) -> Result<Self, ArrowError> {
        match zone {
            None | Some("UTC" | "Z" | "+00:00" | "Etc/UTC") => Ok(WallClock::Plain),
            Some(zone) => Ok(WallClock::Zone(zone.parse()?)),
        }
    }

    /// What to add to a moment to get its window time.
    pub fn offset_at(&self, moment_ms: i64) -> i64 {
        match self {
            WallClock::Plain => 0,
            WallClock::Zone(zone) => {
                let offset = zone.offset_from_utc_datetime(&datetime(moment_ms));
                i64::from(offset.fix().local_minus_utc()) * 1000
            }
        }
    }

    /// The offset that holds from `min_ms` to `max_ms`, if one does and it is cheap to know.
    pub fn offset_over(&self, min_ms: i64, max_ms: i64) -> Option<i64> {
        if matches!(self, WallClock::Plain) {
            return Some(0);
        }
        let days = max_ms.saturating_sub(min_ms) / DAY_MS;
        if days > PROBED_DAYS {
            return None;
        }
        // No zone of the tz database has changed its clock twice within three days, so a look a
        // day misses nothing.
        let offset_ms = self.offset_at(max_ms);
        let same = |day| self.offset_at(min_ms + day * DAY_MS) == offset_ms;
        (0..=days).all(same).then_some(offset_ms)
    }

    /// The last moment at which the wall clock shows `wall_ms`; of a skipped time, the moment of
    /// the change. It is the event time of a window's result.
    pub fn last_moment(&self, wall_ms: i64) -> i64 {
        let WallClock::Zone(zone) = self else { return wall_ms };
        let ms = |offset: <Tz as TimeZone>::Offset| {
            wall_ms.saturating_sub(i64::from(offset.fix().local_minus_utc()) * 1000)
        };
        match zone.offset_from_local_datetime(&datetime(wall_ms)) {
            LocalResult::Single(offset) => ms(offset),
            LocalResult::Ambiguous(one, other) => ms(one).max(ms(other)),
            LocalResult::None => self.change_that_skips(wall_ms),
        }
    }

    /// The end up to which a watermark completes windows: those with `end <= passed`.
    pub fn passed(&self, watermark: EventTime) -> i64 {
        let moment_ms = watermark.as_ms();
        if matches!(watermark, EventTime::MIN | EventTime::MAX) {
            return moment_ms;
        }
        let wall_ms = moment_ms.saturating_add(self.offset_at(moment_ms));
        let behind_ms = self.last_moment(wall_ms).saturating_sub(moment_ms);
        if behind_ms <= 0 {
            return wall_ms.saturating_add(1);
        }
        // The clock is in an hour that will come again: nothing of that hour has passed yet.
        let has_passed = |ms: i64| self.last_moment(ms) <= moment_ms;
        last_true(wall_ms - behind_ms, wall_ms, has_passed).saturating_add(1)
    }

    fn change_that_skips(&self, wall_ms: i64) -> i64 {
        let before_ms = self.offset_at(wall_ms.saturating_sub(2 * DAY_MS));
        let after_ms = self.offset_at(wall_ms.saturating_add(2 * DAY_MS));
        let still_before = |ms: i64| self.offset_at(ms) == before_ms;
        last_true(wall_ms - after_ms, wall_ms - before_ms, still_before) + 1
    }
}

/// The last number for which a condition holds that holds at `holds` and not at `fails`.
fn last_true(mut holds: i64, mut fails: i64, condition: impl Fn(i64) -> bool) -> i64 {
    while fails - holds > 1 {
        let middle = holds + (fails - holds) / 2;
        *(if condition(middle) { &mut holds } else { &mut fails }) = middle;
    }
    holds
}

/// A moment or wall-clock time for chrono, whose calendar ends in the year 262,142: beyond, the
/// zone has the offset that it has there.
fn datetime(ms: i64) -> NaiveDateTime {
    let (min, max) = (NaiveDateTime::MIN.and_utc(), NaiveDateTime::MAX.and_utc());
    let ms = ms.clamp(min.timestamp_millis() + DAY_MS, max.timestamp_millis() - DAY_MS);
    DateTime::from_timestamp_millis(ms).expect("clamped to chrono's calendar").naive_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn ms(text: &str) -> i64 {
        let time: NaiveDateTime = text.parse().expect("a date and time");
        time.and_utc().timestamp_millis()
    }

    #[test]
    fn the_hour_that_comes_twice_passes_with_its_second_time() {
        let berlin = WallClock::new(Some("Europe/Berlin")).expect("known zone");
        let change = ms("2024-10-27T01:00:00");
        let end = ms("2024-10-27T03:00:00");
        assert_eq!(berlin.last_moment(end - 1), change + HOUR_MS - 1);
        assert_eq!(berlin.passed(EventTime::from_ms(change - 1)), ms("2024-10-27T02:00:00"));
        assert_eq!(berlin.passed(EventTime::from_ms(change + HOUR_MS - 1)), end);
    }

    #[test]
    fn the_skipped_hour_passes_at_the_change() {
        let berlin = WallClock::new(Some("Europe/Berlin")).expect("known zone");
        let change = ms("2024-03-31T01:00:00");
        assert_eq!(berlin.last_moment(ms("2024-03-31T02:30:00")), change);
        assert_eq!(berlin.passed(EventTime::from_ms(change - 1)), ms("2024-03-31T02:00:00"));
        assert_eq!(berlin.passed(EventTime::from_ms(change)), ms("2024-03-31T03:00:00") + 1);
    }

    #[test]
    fn passed_is_the_inverse_of_last_moment_and_never_goes_back() {
        for zone in ["America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "+05:30"] {
            let clock = WallClock::new(Some(zone)).expect("known zone");
            let mut last = i64::MIN;
            for step in 0..3 * 365 * 24 * 4 {
                let moment = ms("2010-11-01T00:00:00") + step * HOUR_MS / 4;
                let passed = clock.passed(EventTime::from_ms(moment));
                assert!(passed >= last, "{zone} went back at {moment}");
                assert!(clock.last_moment(passed - 1) <= moment, "{zone} too early at {moment}");
                assert!(clock.last_moment(passed) > moment, "{zone} too late at {moment}");
                last = passed;
            }
        }
    }

    #[test]
    fn the_ends_of_time_have_offsets() {
        let tokyo = WallClock::new(Some("Asia/Tokyo")).expect("known zone");
        assert_eq!(tokyo.offset_at(i64::MAX), 9 * HOUR_MS);
        assert_eq!(tokyo.passed(EventTime::MAX), i64::MAX);
        assert_eq!(tokyo.offset_over(i64::MIN, i64::MAX), None);
    }
}
