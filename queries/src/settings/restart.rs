//! `restart-strategy.*`: what a job does after a failure that may pass, by Flink's names.
//!
//! Whatever the strategy, mistakes in the SQL or its options, records that cannot be read and
//! being replaced by another instance end the job at once: trying again would not help.

use super::duration_ms;

/// What is done after a failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Nothing: the job ends.
    Never,
    /// Start again after the same time each time.
    FixedDelay {
        /// How often; `None` without end.
        attempts: Option<u32>,
        /// How long to wait before each start.
        delay_ms: u64,
    },
    /// Start again after longer and longer times, without end unless `attempts` says so.
    ExponentialDelay(Backoff),
}

/// Waits that grow: each is twice the one before. An epoch that was committed begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How often in a row; `None` without end.
    pub attempts: Option<u32>,
    /// The first wait.
    pub initial_ms: u64,
    /// The longest wait.
    pub max_ms: u64,
}

const TYPE: [&str; 2] = ["restart-strategy.type", "restart-strategy"];
const FIXED_ATTEMPTS: &str = "restart-strategy.fixed-delay.attempts";
const FIXED_DELAY: &str = "restart-strategy.fixed-delay.delay";
const ATTEMPTS: &str = "restart-strategy.exponential-delay.attempts-before-reset-backoff";
const INITIAL: &str = "restart-strategy.exponential-delay.initial-backoff";
const MAX: &str = "restart-strategy.exponential-delay.max-backoff";
/// How Flink's waits grow, when they begin anew and how they are spread: ours do in their own way,
/// and what a job computes does not go by it.
const WITHOUT_EFFECT: [&str; 3] = [
    "restart-strategy.exponential-delay.backoff-multiplier",
    "restart-strategy.exponential-delay.reset-backoff-threshold",
    "restart-strategy.exponential-delay.jitter-factor",
];

/// All keys.
pub(super) const KEYS: &[&str] = &[
    TYPE[0],
    TYPE[1],
    FIXED_ATTEMPTS,
    FIXED_DELAY,
    ATTEMPTS,
    INITIAL,
    MAX,
    WITHOUT_EFFECT[0],
    WITHOUT_EFFECT[1],
    WITHOUT_EFFECT[2],
];

impl Default for Backoff {
    /// 1 s to 5 s. Flink's are up to 1 min, for which a job would often wait long after what failed is
    /// back: starting costs Flink a cluster's work, and us a few milliseconds.
    fn default() -> Self {
        Backoff { attempts: None, initial_ms: 1_000, max_ms: 5_000 }
    }
}

/// The strategy's type, and the values of all types: those of the others do nothing, as in Flink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strategy {
    kind: Kind,
    attempts: Option<u32>,
    delay_ms: u64,
    backoff: Backoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    FixedDelay,
    ExponentialDelay,
}

impl Default for Strategy {
    /// Flink's for jobs with checkpoints.
    fn default() -> Self {
        Strategy {
            kind: Kind::ExponentialDelay,
            attempts: Some(1),
            delay_ms: 1_000,
            backoff: Backoff::default(),
        }
    }
}

impl Strategy {
    /// What is done after a failure that may pass.
    pub(super) fn restart(&self) -> Restart {
        match self.kind {
            Kind::None => Restart::Never,
            Kind::FixedDelay => {
                Restart::FixedDelay { attempts: self.attempts, delay_ms: self.delay_ms }
            }
            Kind::ExponentialDelay => Restart::ExponentialDelay(self.backoff),
        }
    }

    /// Sets a key of a strategy; an error is what values the key can have. `None` if there is no
    /// such key.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let wanted = match key {
            FIXED_ATTEMPTS | ATTEMPTS => "a whole number, or `infinite`",
            FIXED_DELAY | INITIAL | MAX => "a span of time such as `10 s`",
            _ if TYPE.contains(&key) => "`none`, `fixed-delay` or `exponential-delay`",
            _ if WITHOUT_EFFECT.contains(&key) => return Some(Ok(())),
            _ => return None,
        };
        Some(self.try_set(key, value).ok_or_else(|| wanted.to_owned()))
    }

    fn try_set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            FIXED_ATTEMPTS => self.attempts = count(value)?,
            FIXED_DELAY => self.delay_ms = duration_ms(value)?,
            ATTEMPTS => self.backoff.attempts = count(value)?,
            INITIAL => self.backoff.initial_ms = duration_ms(value).filter(|ms| *ms > 0)?,
            MAX => self.backoff.max_ms = duration_ms(value).filter(|ms| *ms > 0)?,
            _ => {
                self.kind = match value.to_lowercase().as_str() {
                    "none" | "off" | "disable" => Kind::None,
                    "fixed-delay" | "fixeddelay" => Kind::FixedDelay,
                    "exponential-delay" | "exponentialdelay" => Kind::ExponentialDelay,
                    _ => return None,
                };
            }
        }
        Some(())
    }
}

/// A count of attempts; `None` inside for no end. Flink writes its greatest integer for that.
fn count(value: &str) -> Option<Option<u32>> {
    if value.eq_ignore_ascii_case("infinite") {
        return Some(None);
    }
    let number: u32 = value.parse().ok()?;
    Some((number < i32::MAX.cast_unsigned()).then_some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(settings: &[(&str, &str)]) -> Result<Restart, String> {
        let mut strategy = Strategy::default();
        for (key, value) in settings {
            strategy.set(key, value).expect("a key of a strategy")?;
        }
        Ok(strategy.restart())
    }

    #[test]
    fn strategies_by_flinks_names() {
        assert_eq!(after(&[]), Ok(Restart::ExponentialDelay(Backoff::default())));
        assert_eq!(after(&[(TYPE[0], "none"), (FIXED_DELAY, "1 s")]), Ok(Restart::Never));
        let fixed = [(TYPE[1], "fixed-delay"), (FIXED_ATTEMPTS, "3"), (FIXED_DELAY, "10 s")];
        let expected = Restart::FixedDelay { attempts: Some(3), delay_ms: 10_000 };
        assert_eq!(after(&fixed), Ok(expected));
        assert_eq!(after(&[fixed[2], fixed[1], fixed[0]]), Ok(expected), "in any order");
        let grown = [(INITIAL, "50 ms"), (WITHOUT_EFFECT[0], "2.0"), (ATTEMPTS, "2147483647")];
        let grown = after(&grown);
        let expected = Backoff { initial_ms: 50, ..Backoff::default() };
        assert_eq!(grown, Ok(Restart::ExponentialDelay(expected)));
    }

    #[test]
    fn what_a_strategy_cannot_be_is_said() {
        let error = after(&[(TYPE[0], "failure-rate")]).expect_err("not there");
        assert!(error.contains("`exponential-delay`"), "{error}");
        for (key, value) in [(FIXED_ATTEMPTS, "-1"), (MAX, "soon"), (INITIAL, "0")] {
            assert!(after(&[(key, value)]).is_err(), "{key} {value}");
        }
        assert_eq!(Strategy::default().set("restart-strategy.fixed-delay.dealy", "1 s"), None);
    }
}
