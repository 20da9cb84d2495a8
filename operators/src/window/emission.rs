//! When the results of windows leave, and for how long they are corrected.
//!
//! ```sql
//! SELECT … GROUP BY window_start, window_end, k EMIT EVERY INTERVAL '5' SECOND ALLOW LATENESS INTERVAL '1' MINUTE
//! ```
//!
//! ```text
//!  window [0, 60)          0 s    5 s   10 s  …        w=59.999         w=119.999
//!  ON WINDOW CLOSE                                     +I               dropped
//!  EVERY 5 s                      +I    -U +U          -U +U            (what was touched since)
//!  ON UPDATE               +I -U +U with every batch that touches it
//!  ALLOW LATENESS 60 s                                 ├─ late row: -U +U at once ─┤
//! ```

use std::fmt;

use super::explain::Duration;

/// EMIT … and ALLOW LATENESS of a windowed aggregation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Emission {
    /// Whether results leave before their window is complete.
    pub early: Early,
    /// For how long a complete window is kept and corrected, in milliseconds of event time.
    pub lateness_ms: i64,
}

/// Results before their window is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Early {
    /// None: EMIT ON WINDOW CLOSE.
    #[default]
    Never,
    /// EMIT EVERY: at the latest so many milliseconds of processing time after a change.
    Every {
        /// The interval.
        interval_ms: u64,
    },
    /// EMIT ON UPDATE: at once.
    OnUpdate,
}

impl Emission {
    /// True if every result leaves once and is final, so that results are inserts only.
    pub fn is_final(self) -> bool {
        self == Emission::default()
    }
}

impl fmt::Display for Emission {
    /// ` emits every 5 s, allows 1 min of lateness`; nothing for results that are final.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_final() {
            return Ok(());
        }
        match self.early {
            Early::Never => f.write_str(" emits on close")?,
            Early::OnUpdate => f.write_str(" emits on update")?,
            Early::Every { interval_ms } => {
                write!(f, " emits every {}", Duration(interval_ms as i64))?;
            }
        }
        match self.lateness_ms {
            0 => Ok(()),
            lateness_ms => write!(f, ", allows {} of lateness", Duration(lateness_ms)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explain_says_what_is_not_the_default() {
        let shown = |early, lateness_ms| Emission { early, lateness_ms }.to_string();
        assert_eq!(shown(Early::Never, 0), "");
        assert_eq!(shown(Early::Every { interval_ms: 5000 }, 0), " emits every 5 s");
        assert_eq!(shown(Early::OnUpdate, 60_000), " emits on update, allows 1 min of lateness");
    }
}
