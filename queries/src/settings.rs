//! Settings: what `SET 'key' = 'value'` and `--set key=value` can say.
//!
//! A SQL file is one job, so a setting holds for all of it, wherever it stands. Flink's keys that
//! have no meaning here, but change no result either, are accepted, so that a file runs on both.

use chrono_tz::Tz;

use crate::diagnostic::{Diagnostic, Span};
use crate::plan::codes;
use crate::suggest;

/// The settings of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `parallelism.default`: number of subtasks, at least 1.
    pub parallelism: usize,
    /// `table.local-time-zone`: an IANA name.
    pub zone: String,
    /// `table.exec.source.idle-timeout` in milliseconds, 0 for never; `None` if not set.
    pub idle_timeout_ms: Option<u64>,
}

const PARALLELISM: &str = "parallelism.default";
const RESOURCE_PARALLELISM: &str = "table.exec.resource.default-parallelism";
const ZONE: &str = "table.local-time-zone";
const IDLE_TIMEOUT: &str = "table.exec.source.idle-timeout";

/// Keys of Flink that are accepted and do nothing: they tune Flink's own machinery. A key that
/// ends in `.` stands for all that begin with it.
const WITHOUT_EFFECT: &[&str] = &[
    "execution.runtime-mode",
    "pipeline.name",
    "pipeline.object-reuse",
    "sql-client.execution.result-mode",
    "sql-client.verbose",
    "table.dml-sync",
    "table.dynamic-table-options.enabled",
    "table.exec.async-",
    "table.exec.emit.",
    "table.exec.mini-batch.",
    "table.exec.sink.",
    "table.exec.simplify-operator-name-enabled",
    "table.exec.source.cdc-events-duplicate",
    "table.exec.spill-compression.",
    "table.exec.state.ttl",
    "table.exec.uid.",
    "table.exec.window-agg.buffer-size-limit",
    "table.optimizer.",
    "table.plan.",
    "table.sql-dialect",
    "execution.checkpointing.",
    "state.backend.",
];

impl Settings {
    /// The settings before anything is set.
    pub fn new(parallelism: usize, zone: &str) -> Self {
        Settings { parallelism: parallelism.max(1), zone: zone.to_owned(), idle_timeout_ms: None }
    }

    /// Sets a key.
    ///
    /// # Errors
    /// If the key is unknown or cannot have the value. `key_span` and `value_span` are where they
    /// stand in the text, if they do.
    pub fn set(
        &mut self,
        key: &str,
        value: &str,
        key_span: Option<Span>,
        value_span: Option<Span>,
    ) -> Result<(), Diagnostic> {
        let bad = |wanted: &str| {
            let message = format!("`{value}` is no value for `{key}`");
            Diagnostic::error(codes::BAD_SETTING, message)
                .at_if_known(value_span.clone())
                .hint(wanted.to_owned())
        };
        match key {
            PARALLELISM | RESOURCE_PARALLELISM => match value.trim().parse::<usize>() {
                Ok(number @ 1..=256) => self.parallelism = number,
                _ => return Err(bad("a whole number from 1 to 256")),
            },
            ZONE => {
                self.zone =
                    zone(value).ok_or_else(|| bad("a zone such as `Europe/Berlin` or `UTC`"))?
            }
            IDLE_TIMEOUT => {
                let ms = duration_ms(value).ok_or_else(|| bad("a span of time such as `30 s`"))?;
                self.idle_timeout_ms = Some(ms);
            }
            _ if has_no_effect(key) => {}
            _ => {
                let known = [PARALLELISM, ZONE, IDLE_TIMEOUT];
                let known = known.into_iter().chain(WITHOUT_EFFECT.iter().copied());
                let message = format!("there is no setting `{key}`");
                return Err(Diagnostic::error(codes::UNKNOWN_SETTING, message)
                    .at_if_known(key_span)
                    .hint_if_any(suggest::did_you_mean(key, known)));
            }
        }
        Ok(())
    }
}

/// True for a key of Flink that is accepted and does nothing.
fn has_no_effect(key: &str) -> bool {
    WITHOUT_EFFECT.iter().any(|known| match known.ends_with(['.', '-']) {
        true => key.starts_with(known),
        false => key == *known,
    })
}

/// An IANA zone name, as it is spelled in the database.
fn zone(value: &str) -> Option<String> {
    let zone: Tz = value.trim().parse().ok()?;
    Some(zone.name().to_owned())
}

/// Milliseconds of a span in Flink's spelling: a number and a unit, milliseconds without one.
pub(crate) fn duration_ms(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit_ms = match text[digits..].trim().to_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: &str) -> Result<Settings, Diagnostic> {
        let mut settings = Settings::new(2, "UTC");
        settings.set(key, value, None, None).map(|()| settings)
    }

    #[test]
    fn known_keys_are_typed_and_checked() {
        assert_eq!(set(PARALLELISM, "4").expect("a number").parallelism, 4);
        assert!(set(PARALLELISM, "0").is_err());
        assert_eq!(set(ZONE, "Asia/Shanghai").expect("a zone").zone, "Asia/Shanghai");
        assert!(set(ZONE, "Mars/Olympus").is_err());
        assert_eq!(set(IDLE_TIMEOUT, "5 s").expect("a span").idle_timeout_ms, Some(5000));
        assert_eq!(set(IDLE_TIMEOUT, "0").expect("a span").idle_timeout_ms, Some(0));
    }

    #[test]
    fn keys_of_flink_without_meaning_here_are_accepted_and_unknown_ones_are_not() {
        assert!(set("table.exec.mini-batch.enabled", "true").is_ok());
        assert!(set("table.optimizer.agg-phase-strategy", "TWO_PHASE").is_ok());
        let error = set("table.local-timezone", "UTC").expect_err("no such key");
        assert_eq!(error.hint.as_deref(), Some("did you mean `table.local-time-zone`?"));
    }
}
