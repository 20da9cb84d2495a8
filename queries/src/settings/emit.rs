//! `table.exec.emit.*`: when results of windows leave, by Flink's names.
//!
//! | setting | clause |
//! |---|---|
//! | `early-fire.enabled` with `early-fire.delay` of 0 | EMIT ON UPDATE |
//! | the same with a longer delay | EMIT EVERY the delay |
//! | `allow-lateness` | ALLOW LATENESS |
//! | `late-fire.enabled` with `late-fire.delay` of 0 | what ALLOW LATENESS does anyway: corrections leave at once |
//!
//! On Flink they hold for the older `GROUP BY TUMBLE(…)` only and are refused for window functions in
//! FROM; here they hold for both, where the query has no clause of its own.

use millstream_operators::window::{Early, Emission};

use super::duration_ms;
use crate::diagnostic::Diagnostic;
use crate::plan::codes;

const EARLY: &str = "table.exec.emit.early-fire.enabled";
const EARLY_DELAY: &str = "table.exec.emit.early-fire.delay";
const LATE: &str = "table.exec.emit.late-fire.enabled";
const LATE_DELAY: &str = "table.exec.emit.late-fire.delay";
const LATENESS: &str = "table.exec.emit.allow-lateness";

/// All keys, for suggestions.
pub(super) const KEYS: &[&str] = &[EARLY, EARLY_DELAY, LATE, LATE_DELAY, LATENESS];

/// What was set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Emit {
    early: bool,
    early_delay_ms: Option<u64>,
    late: bool,
    lateness_ms: u64,
}

impl Emit {
    /// Sets a key; an error is what values it can have. `None` if there is no such key.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let wanted = match key {
            EARLY | LATE => "`true` or `false`",
            EARLY_DELAY | LATENESS => "a span of time such as `10 s`",
            LATE_DELAY => "`0 s`: corrections of complete windows leave at once",
            _ => return None,
        };
        Some(self.try_set(key, value).ok_or_else(|| wanted.to_owned()))
    }

    fn try_set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            EARLY => self.early = boolean(value)?,
            LATE => self.late = boolean(value)?,
            EARLY_DELAY => self.early_delay_ms = Some(duration_ms(value)?),
            LATENESS => self.lateness_ms = duration_ms(value)?,
            _ => return duration_ms(value).filter(|ms| *ms == 0).map(drop),
        }
        Some(())
    }

    /// What the settings say together.
    ///
    /// # Errors
    /// If one that is on lacks another that it needs, as on Flink.
    pub(super) fn emission(&self) -> Result<Emission, Diagnostic> {
        let lacks = |on: &str, needed: &str, example: &str| {
            let message = format!("`{on}` is on, but `{needed}` is not set");
            Diagnostic::error(codes::BAD_SETTING, message)
                .hint(format!("SET '{needed}' = '{example}'"))
        };
        let early = match (self.early, self.early_delay_ms) {
            (false, _) => Early::Never,
            (true, None) => return Err(lacks(EARLY, EARLY_DELAY, "10 s")),
            (true, Some(0)) => Early::OnUpdate,
            (true, Some(interval_ms)) => Early::Every { interval_ms },
        };
        if self.late && self.lateness_ms == 0 {
            return Err(lacks(LATE, LATENESS, "1 min"));
        }
        let lateness_ms = i64::try_from(self.lateness_ms).unwrap_or(i64::MAX);
        Ok(Emission { early, lateness_ms })
    }
}

fn boolean(value: &str) -> Option<bool> {
    value.to_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(settings: &[(&str, &str)]) -> Result<Emission, String> {
        let mut emit = Emit::default();
        for (key, value) in settings {
            emit.set(key, value).expect("a key")?;
        }
        emit.emission().map_err(|diagnostic| diagnostic.message)
    }

    #[test]
    fn settings_mean_what_the_clause_does() {
        assert_eq!(after(&[]), Ok(Emission::default()));
        assert_eq!(after(&[(EARLY_DELAY, "5 s")]), Ok(Emission::default()), "not enabled");
        let early = |delay| after(&[(EARLY, "TRUE"), (EARLY_DELAY, delay)]).map(|e| e.early);
        assert_eq!(early("0 s"), Ok(Early::OnUpdate));
        assert_eq!(early("5 s"), Ok(Early::Every { interval_ms: 5000 }));
        let late = after(&[(LATE, "true"), (LATE_DELAY, "0"), (LATENESS, "1 min")]);
        assert_eq!(late, Ok(Emission { early: Early::Never, lateness_ms: 60_000 }));
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        assert!(after(&[(LATE_DELAY, "5 s")]).is_err_and(|wanted| wanted.contains("at once")));
        assert!(after(&[(EARLY, "on")]).is_err());
        let alone = after(&[(EARLY, "true")]).expect_err("no delay");
        assert!(alone.contains(EARLY_DELAY), "{alone}");
        let alone = after(&[(LATE, "true")]).expect_err("no lateness");
        assert!(alone.contains(LATENESS), "{alone}");
        assert_eq!(Emit::default().set("table.exec.emit.early-fire", "true"), None);
    }
}
