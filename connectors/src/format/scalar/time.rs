//! Dates, times and timestamps: text ↔ days, milliseconds and seconds.

use super::Mismatch;

/// How timestamps are written: `json.timestamp-format.standard`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampStandard {
    /// `2024-01-31 12:34:56.789`, with a `Z` behind it for TIMESTAMP_LTZ.
    #[default]
    Sql,
    /// `2024-01-31T12:34:56.789`, with a `Z` behind it for TIMESTAMP_LTZ.
    Iso8601,
}

impl TimestampStandard {
    /// What stands between date and time.
    pub(crate) fn separator(self) -> u8 {
        match self {
            TimestampStandard::Sql => b' ',
            TimestampStandard::Iso8601 => b'T',
        }
    }
}

/// A moment, in seconds since the epoch and nanoseconds within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub seconds: i64,
    pub nanos: u32,
}

/// Reads timestamps of one column.
///
/// Neighbouring rows are mostly of the same minute, so the last `YYYY-MM-DD HH:MM` is kept with
/// what it came to: one compare of 16 bytes then stands for the calendar arithmetic.
#[derive(Debug)]
pub(crate) struct TimestampParser {
    standard: TimestampStandard,
    /// Whether a zone must follow (TIMESTAMP_LTZ).
    zoned: bool,
    minute: [u8; 16],
    minute_seconds: i64,
}

impl TimestampParser {
    pub(crate) fn new(standard: TimestampStandard, zoned: bool) -> Self {
        TimestampParser { standard, zoned, minute: [0; 16], minute_seconds: 0 }
    }

    /// The moment that `text` names; of columns without a zone, as if their wall clock were UTC.
    #[inline]
    pub(crate) fn parse(&mut self, text: &[u8]) -> Result<Moment, Mismatch> {
        let Some((minute, rest)) = text.split_first_chunk::<16>() else {
            return Err(NOT_A_TIMESTAMP);
        };
        if *minute != self.minute {
            self.minute_seconds = self.minute(minute)?;
            self.minute = *minute;
        }
        let (second, nanos, zone) = match rest {
            [b':', tens, ones, rest @ ..] => {
                let second = two_digits(*tens, *ones).filter(|second| *second < 60);
                let (nanos, zone) = fraction(rest)?;
                (second.ok_or(NOT_A_TIMESTAMP)?, nanos, zone)
            }
            _ if self.standard == TimestampStandard::Iso8601 => (0, 0, rest),
            _ => return Err(NOT_A_TIMESTAMP),
        };
        let seconds = self.minute_seconds + i64::from(second) - self.offset(zone)?;
        Ok(Moment { seconds, nanos })
    }

    /// Seconds since the epoch of `YYYY-MM-DD HH:MM`.
    fn minute(&self, text: &[u8; 16]) -> Result<i64, Mismatch> {
        let [date @ .., separator, h1, h2, colon, m1, m2] = text;
        let days = date_days(date).ok_or(NOT_A_TIMESTAMP)?;
        let hour = two_digits(*h1, *h2).filter(|hour| *hour < 24);
        let minute = two_digits(*m1, *m2).filter(|minute| *minute < 60);
        match (hour, minute) {
            (Some(hour), Some(minute))
                if *separator == self.standard.separator() && *colon == b':' =>
            {
                Ok(i64::from(days) * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60)
            }
            _ => Err(NOT_A_TIMESTAMP),
        }
    }

    /// Seconds by which the zone that ends a timestamp is ahead of UTC.
    #[inline]
    fn offset(&self, zone: &[u8]) -> Result<i64, Mismatch> {
        let iso = self.standard == TimestampStandard::Iso8601;
        match (zone, self.zoned) {
            ([], false) | ([b'Z'], true) => Ok(0),
            ([b'Z'], false) if iso => Ok(0),
            ([], true) => Err(Mismatch("it lacks the 'Z' of a TIMESTAMP_LTZ")),
            ([b'Z'], false) => Err(Mismatch("it ends in 'Z', so declare TIMESTAMP_LTZ")),
            ([sign @ (b'+' | b'-'), h1, h2, b':', m1, m2], true) if iso => {
                let hours = two_digits(*h1, *h2).filter(|hours| *hours <= 18);
                let minutes = two_digits(*m1, *m2).filter(|minutes| *minutes < 60);
                let (hours, minutes) = hours.zip(minutes).ok_or(NOT_A_TIMESTAMP)?;
                let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
                Ok(if *sign == b'-' { -seconds } else { seconds })
            }
            _ => Err(NOT_A_TIMESTAMP),
        }
    }
}

const NOT_A_TIMESTAMP: Mismatch = Mismatch("it is not written as a timestamp");

/// Nanoseconds of an optional `.` and up to nine digits, and what follows.
#[inline]
fn fraction(text: &[u8]) -> Result<(u32, &[u8]), Mismatch> {
    let Some((b'.', digits)) = text.split_first() else {
        return Ok((0, text));
    };
    let mut nanos = 0;
    let mut count = 0;
    while let Some(digit) = digits.get(count).map(|byte| byte.wrapping_sub(b'0'))
        && digit <= 9
    {
        if count == 9 {
            return Err(Mismatch("it has more than nine digits of a second"));
        }
        nanos = nanos * 10 + u32::from(digit);
        count += 1;
    }
    if count == 0 {
        return Err(NOT_A_TIMESTAMP);
    }
    Ok((nanos * TENS[9 - count], &digits[count..]))
}

const TENS: [u32; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// Days since the epoch of `YYYY-MM-DD`.
pub(crate) fn date_days(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = two_digits(*y1, *y2)? * 100 + two_digits(*y3, *y4)?;
    let month = two_digits(*m1, *m2).filter(|month| (1..=12).contains(month))?;
    let day = two_digits(*d1, *d2)?;
    if day == 0 || day > days_in_month(year, month) {
        return None;
    }
    Some(days_of(i64::from(year), month, day))
}

/// Milliseconds of the day of `HH:MM:SS[.fraction]`; seconds may be left out.
pub(crate) fn time_of_day_ms(text: &[u8]) -> Option<i32> {
    let (seconds, rest) = match text {
        [h1, h2, b':', m1, m2, rest @ ..] => {
            let hour = two_digits(*h1, *h2).filter(|hour| *hour < 24)?;
            let minute = two_digits(*m1, *m2).filter(|minute| *minute < 60)?;
            (hour * 3600 + minute * 60, rest)
        }
        _ => return None,
    };
    let (second, nanos) = match rest {
        [] => (0, 0),
        [b':', s1, s2, rest @ ..] => match fraction(rest) {
            Ok((nanos, [])) => (two_digits(*s1, *s2).filter(|second| *second < 60)?, nanos),
            _ => return None,
        },
        _ => return None,
    };
    Some(((seconds + second) * 1000 + nanos / 1_000_000) as i32)
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a day in the proleptic Gregorian calendar. Years begin in March, so
/// that the leap day is the last of its year and months have a closed form.
fn days_of(year: i64, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as i32
}

/// Year, month and day of a day since the epoch: the inverse of `days_of`.
pub(crate) fn civil(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = ((month_from_march + 2) % 12 + 1) as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(standard: TimestampStandard, zoned: bool, text: &str) -> Option<i64> {
        let moment = TimestampParser::new(standard, zoned).parse(text.as_bytes()).ok()?;
        Some(moment.seconds * 1000 + i64::from(moment.nanos) / 1_000_000)
    }

    #[test]
    fn calendar_agrees_with_chrono() {
        for days in (-719_162..800_000).step_by(17) {
            let date = chrono::NaiveDate::from_epoch_days(days).expect("within chrono's range");
            let text = date.to_string();
            assert_eq!(civil(i64::from(days)).2, chrono::Datelike::day(&date));
            if text.len() == 10 {
                assert_eq!(date_days(text.as_bytes()), Some(days), "{text}");
            }
        }
        assert_eq!(date_days(b"2023-02-29"), None);
        assert_eq!(date_days(b"2024-02-29"), Some(19_782));
    }

    #[test]
    fn timestamps_by_standard_and_zone() {
        use TimestampStandard::{Iso8601, Sql};
        assert_eq!(millis(Sql, false, "1970-01-01 00:00:01.5"), Some(1500));
        assert_eq!(millis(Sql, true, "1970-01-01 00:00:01Z"), Some(1000));
        assert_eq!(millis(Iso8601, false, "1970-01-01T00:01"), Some(60_000));
        assert_eq!(millis(Iso8601, true, "1970-01-01T01:00:00.000+01:00"), Some(0));
        for wrong in
            ["1970-01-01", "1970-01-01 00:00", "1970-01-01T00:00:00", "1970-01-01 24:00:00"]
        {
            assert_eq!(millis(Sql, false, wrong), None, "{wrong}");
        }
        assert_eq!(millis(Sql, true, "1970-01-01 00:00:00"), None);
        assert_eq!(millis(Sql, false, "1970-01-01 00:00:00Z"), None);
        assert_eq!(time_of_day_ms(b"23:59:59.999"), Some(86_399_999));
    }
}
