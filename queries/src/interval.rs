//! Interval literals as Flink reads them: months, or milliseconds.
//!
//! Flink has two kinds of interval. One of years and months is a count of months; one of days to
//! seconds is a count of milliseconds, in which a day has 24 hours whatever the time zone says.

/// The value of an interval literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalValue {
    /// YEAR, QUARTER, MONTH: a count of months.
    Months(i64),
    /// WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND: a count of milliseconds.
    Millis(i64),
}

/// A unit of an interval, from the longest to the shortest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Unit {
    /// The unit by its name, in singular or plural, whatever the case.
    pub(crate) fn from_name(name: &str) -> Option<Unit> {
        let upper = name.to_uppercase();
        Some(match upper.strip_suffix('S').unwrap_or(&upper) {
            "YEAR" => Unit::Year,
            "QUARTER" => Unit::Quarter,
            "MONTH" => Unit::Month,
            "WEEK" => Unit::Week,
            "DAY" => Unit::Day,
            "HOUR" => Unit::Hour,
            "MINUTE" => Unit::Minute,
            "SECOND" => Unit::Second,
            "MILLISECOND" => Unit::Millisecond,
            _ => return None,
        })
    }

    /// The names of all units.
    pub(crate) const NAMES: [&'static str; 9] =
        ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND"];

    /// True for units of a count of months.
    fn is_months(self) -> bool {
        self <= Unit::Month
    }

    /// How many months or milliseconds it has.
    fn length(self) -> i64 {
        match self {
            Unit::Year => 12,
            Unit::Quarter => 3,
            Unit::Month | Unit::Millisecond => 1,
            Unit::Week => 7 * 86_400_000,
            Unit::Day => 86_400_000,
            Unit::Hour => 3_600_000,
            Unit::Minute => 60_000,
            Unit::Second => 1_000,
        }
    }
}

/// A literal of so many milliseconds, in the longest unit that has no fraction.
pub(crate) fn literal(ms: i64) -> String {
    let units = [("DAY", 86_400_000), ("HOUR", 3_600_000), ("MINUTE", 60_000), ("SECOND", 1_000)];
    let fits = units.iter().find(|(_, length)| ms % length == 0);
    let (unit, length) = fits.copied().unwrap_or(("MILLISECOND", 1));
    format!("INTERVAL '{}' {unit}", ms / length)
}

/// Reads the text of `INTERVAL 'text' first [TO last]`.
///
/// # Errors
/// Says what is wrong with the text or the units, as a sentence without a full stop.
pub(crate) fn parse(text: &str, first: Unit, last: Option<Unit>) -> Result<IntervalValue, String> {
    let trimmed = text.trim();
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let magnitude = match last {
        None => single(digits, first),
        Some(last) => compound(digits, first, last),
    }?;
    let value = sign * magnitude;
    Ok(if first.is_months() { IntervalValue::Months(value) } else { IntervalValue::Millis(value) })
}

/// `10`, or `1.5` of seconds.
fn single(digits: &str, unit: Unit) -> Result<i64, String> {
    if unit == Unit::Second {
        return seconds(digits);
    }
    integer(digits)?.checked_mul(unit.length()).ok_or_else(|| too_long(digits))
}

/// `1-2` for YEAR TO MONTH; `1 02:03:04.5` and parts of it for DAY TO SECOND.
fn compound(digits: &str, first: Unit, last: Unit) -> Result<i64, String> {
    if (first, last) == (Unit::Year, Unit::Month) {
        let (years, months) =
            digits.split_once('-').ok_or_else(|| format!("`{digits}` is not `years-months`"))?;
        let months = bounded(integer(months)?, 12, "months")?;
        return integer(years)?
            .checked_mul(12)
            .and_then(|y| y.checked_add(months))
            .ok_or_else(|| too_long(digits));
    }
    const CLOCK: [Unit; 4] = [Unit::Day, Unit::Hour, Unit::Minute, Unit::Second];
    let place = |unit| CLOCK.iter().position(|&u| u == unit);
    let units = match (place(first), place(last)) {
        (Some(from), Some(to)) if from < to => &CLOCK[from..=to],
        _ => return Err("these two units do not make an interval".to_owned()),
    };
    let parts = clock_parts(digits, units)?;
    let mut total = 0_i64;
    for (index, (&unit, part)) in units.iter().zip(parts).enumerate() {
        let millis = single(part, unit)?;
        if index > 0 {
            // Below the first unit, 24 hours are a day and 60 minutes an hour.
            let (bound, name) = match unit {
                Unit::Hour => (24, "hours"),
                Unit::Minute => (60, "minutes"),
                _ => (60, "seconds"),
            };
            bounded(millis / unit.length(), bound, name)?;
        }
        total = total.checked_add(millis).ok_or_else(|| too_long(digits))?;
    }
    Ok(total)
}

/// Takes `1 02:03:04.5` apart: a blank after the days, colons between the rest.
fn clock_parts<'a>(digits: &'a str, units: &[Unit]) -> Result<Vec<&'a str>, String> {
    let mut parts = Vec::new();
    let mut clock = digits;
    if units[0] == Unit::Day {
        let (days, rest) = digits
            .split_once(' ')
            .ok_or_else(|| format!("`{digits}` has no blank between days and hours"))?;
        parts.push(days);
        clock = rest.trim_start();
    }
    parts.extend(clock.split(':'));
    if parts.len() != units.len() {
        let (found, wanted) = (parts.len(), units.len());
        return Err(format!("`{digits}` has {found} parts, the units ask for {wanted}"));
    }
    Ok(parts)
}

/// Seconds with up to three decimals, in milliseconds.
fn seconds(digits: &str) -> Result<i64, String> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let whole = if whole.is_empty() { 0 } else { integer(whole)? };
    integer(fraction)?;
    let (millis, rest) = fraction.split_at(fraction.len().min(3));
    if rest.bytes().any(|b| b != b'0') {
        return Err(format!("`{digits}` has more than the milliseconds that can be counted"));
    }
    // `5` behind the point are 500 milliseconds.
    let millis = integer(millis)? * 10_i64.pow(3 - millis.len() as u32);
    whole.checked_mul(1_000).and_then(|w| w.checked_add(millis)).ok_or_else(|| too_long(digits))
}

/// A count without sign.
fn integer(digits: &str) -> Result<i64, String> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{digits}` is not a whole number"));
    }
    digits.parse().map_err(|_| too_long(digits))
}

/// A part below the first unit.
fn bounded(value: i64, bound: i64, name: &str) -> Result<i64, String> {
    if value < bound {
        Ok(value)
    } else {
        Err(format!("{value} {name} are more than {}", bound - 1))
    }
}

fn too_long(digits: &str) -> String {
    format!("`{digits}` is too long an interval")
}

#[cfg(test)]
mod tests {
    use super::IntervalValue::{Millis, Months};
    use super::*;

    #[test]
    fn values_are_months_or_milliseconds() {
        let of = |text, first, last| parse(text, first, last).expect(text);
        assert_eq!(of("10", Unit::Minute, None), Millis(600_000));
        assert_eq!(of("-8", Unit::Hour, None), Millis(-8 * 3_600_000));
        assert_eq!(of("0.004", Unit::Second, None), Millis(4));
        assert_eq!(of("1.5", Unit::Second, None), Millis(1_500));
        assert_eq!(of("1:30", Unit::Minute, Some(Unit::Second)), Millis(90_000));
        assert_eq!(of("1 00:00:00", Unit::Day, Some(Unit::Second)), Millis(86_400_000));
        assert_eq!(of("-1 02:03:04.5", Unit::Day, Some(Unit::Second)), Millis(-93_784_500));
        assert_eq!(of("2", Unit::Week, None), Millis(14 * 86_400_000));
        assert_eq!(of("1-6", Unit::Year, Some(Unit::Month)), Months(18));
        assert_eq!(of("3", Unit::Quarter, None), Months(9));
    }

    #[test]
    fn what_is_not_an_interval_says_why() {
        let why = |text, first, last| parse(text, first, last).expect_err(text);
        assert_eq!(why("ten", Unit::Minute, None), "`ten` is not a whole number");
        assert_eq!(why("", Unit::Day, None), "`` is not a whole number");
        assert_eq!(why("1:75", Unit::Minute, Some(Unit::Second)), "75 seconds are more than 59");
        assert_eq!(
            why("1", Unit::Second, Some(Unit::Day)),
            "these two units do not make an interval"
        );
        assert_eq!(
            why("0.0001", Unit::Second, None),
            "`0.0001` has more than the milliseconds that can be counted"
        );
        assert_eq!(
            why("99999999999999999999", Unit::Day, None),
            "`99999999999999999999` is too long an interval"
        );
    }
}
