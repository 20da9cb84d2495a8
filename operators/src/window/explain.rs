//! Windows in EXPLAIN: `HOP(size 10 s, slide 2 s) of at by [auction] computes [cnt, top]`.

use std::fmt;

use super::{WindowAggregateSpec, WindowAssignSpec, WindowKind, WindowTime, Windows};

impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            WindowKind::Tumble { size_ms } => write!(f, "TUMBLE(size {}", Duration(size_ms))?,
            WindowKind::Hop { size_ms, slide_ms } => {
                write!(f, "HOP(size {}, slide {}", Duration(size_ms), Duration(slide_ms))?;
            }
            WindowKind::Cumulate { size_ms, step_ms } => {
                write!(f, "CUMULATE(size {}, step {}", Duration(size_ms), Duration(step_ms))?;
            }
        }
        if self.offset_ms != 0 {
            write!(f, ", offset {}", Duration(self.offset_ms))?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for WindowAssignSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of #{}", self.windows, self.column)?;
        fmt_zone(f, self.zone.as_deref())
    }
}

impl fmt::Display for WindowAggregateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |column: usize| self.input.field(column).name().as_str();
        match &self.time {
            WindowTime::Assign { windows, column, zone, .. } => {
                write!(f, "{windows} of {}", name(*column))?;
                fmt_zone(f, zone.as_deref())?;
            }
            WindowTime::Attached { start, end, zone, .. } => {
                write!(f, "windows [{}, {})", name(*start), name(*end))?;
                fmt_zone(f, zone.as_deref())?;
            }
        }
        let keys: Vec<&str> = self.keys.iter().map(|key| name(*key)).collect();
        let aggregates: Vec<&str> =
            self.aggregates.iter().map(|aggregate| aggregate.name.as_str()).collect();
        write!(f, " by [{}] computes [{}]{}", keys.join(", "), aggregates.join(", "), self.emission)
    }
}

fn fmt_zone(f: &mut fmt::Formatter<'_>, zone: Option<&str>) -> fmt::Result {
    match zone {
        Some(zone) => write!(f, " in {zone}"),
        None => Ok(()),
    }
}

/// A length of time in the largest unit that shows it whole.
pub(super) struct Duration(pub i64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];
        let whole = |(_, length): &(&str, i64)| self.0 % length == 0 && self.0 != 0;
        let (unit, length) = units.into_iter().find(whole).unwrap_or(("ms", 1));
        write!(f, "{} {unit}", self.0 / length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_shown_in_the_unit_that_fits() {
        let hop = WindowKind::Hop { size_ms: 86_400_000, slide_ms: 1500 };
        let windows = Windows { kind: hop, offset_ms: -7_200_000 };
        assert_eq!(windows.to_string(), "HOP(size 1 d, slide 1500 ms, offset -2 h)");
    }
}
