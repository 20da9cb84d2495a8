//! Settings: what `SET 'key' = 'value'` and `--set key=value` can say.
//!
//! A SQL file is one job, so a setting holds for all of it, wherever it stands. Flink's keys that
//! have no meaning here, but change no result either, are accepted, so that a file runs on both.

mod emit;
mod restart;

use chrono_tz::Tz;
use millstream_operators::window::Emission;

use crate::diagnostic::{Diagnostic, Span};
use crate::plan::codes;
use crate::suggest;

use emit::Emit;
use restart::Strategy;
pub use restart::{Backoff, Restart};

/// The settings of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `parallelism.default`: number of subtasks, at least 1.
    pub parallelism: usize,
    /// `table.local-time-zone`: an IANA name.
    pub zone: String,
    /// `table.exec.source.idle-timeout` in milliseconds, 0 for never; `None` if not set.
    pub idle_timeout_ms: Option<u64>,
    /// `pipeline.name`: what deciders and state directories know the job by; `None` if not set.
    /// Letters, digits, `-`, `_` and `.`.
    pub name: Option<String>,
    /// `execution.checkpointing.interval`: time between epochs; 0 switches them off.
    pub checkpoint_interval_ms: u64,
    /// `execution.checkpointing.num-retained`: checkpoints that are kept, at least 3.
    pub retained: usize,
    /// `execution.checkpointing.dir`: a directory or URL that gets a copy of each checkpoint.
    pub checkpoint_dir: Option<String>,
    restart: Strategy,
    emit: Emit,
}

const PARALLELISM: &str = "parallelism.default";
const RESOURCE_PARALLELISM: &str = "table.exec.resource.default-parallelism";
const ZONE: &str = "table.local-time-zone";
pub(crate) const IDLE_TIMEOUT: &str = "table.exec.source.idle-timeout";
const NAME: &str = "pipeline.name";
const INTERVAL: &str = "execution.checkpointing.interval";
const MODE: &str = "execution.checkpointing.mode";
const RETAINED: [&str; 2] =
    ["execution.checkpointing.num-retained", "state.checkpoints.num-retained"];
const DIRECTORY: [&str; 2] = ["execution.checkpointing.dir", "state.checkpoints.dir"];

/// Time between epochs where nothing is said.
pub const CHECKPOINT_INTERVAL_MS: u64 = 1_000;
/// The shortest time between epochs: below it a job would do little else.
const LEAST_INTERVAL_MS: u64 = 10;
/// Recovery may have to go back: the decider may have lost its last epoch (a broker its tail).
const LEAST_RETAINED: usize = 3;

/// Keys of Flink that are accepted and do nothing: they tune Flink's own machinery. A key that
/// ends in `.` or `-` stands for all that begin with it.
const WITHOUT_EFFECT: &[&str] = &[
    "execution.runtime-mode",
    "pipeline.object-reuse",
    "sql-client.execution.result-mode",
    "sql-client.verbose",
    "table.dml-sync",
    "table.dynamic-table-options.enabled",
    "table.exec.async-",
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
    "execution.checkpointing.aligned-checkpoint-timeout",
    "execution.checkpointing.checkpoints-after-tasks-finish",
    "execution.checkpointing.cleaner.",
    "execution.checkpointing.create-subdir",
    "execution.checkpointing.data-inline-threshold",
    "execution.checkpointing.externalized-checkpoint-retention",
    "execution.checkpointing.file-merging.",
    "execution.checkpointing.force-unaligned",
    "execution.checkpointing.incremental",
    "execution.checkpointing.interval-during-backlog",
    "execution.checkpointing.local-backup.",
    "execution.checkpointing.max-concurrent-checkpoints",
    "execution.checkpointing.min-pause",
    "execution.checkpointing.savepoint-dir",
    "execution.checkpointing.snapshot-compression",
    "execution.checkpointing.storage",
    "execution.checkpointing.timeout",
    "execution.checkpointing.tolerable-failed-checkpoints",
    "execution.checkpointing.unaligned",
    "execution.checkpointing.unaligned.",
    "execution.checkpointing.write-buffer-size",
    "state.backend.",
    "state.savepoints.dir",
];

impl Settings {
    /// The settings before anything is set.
    pub fn new(parallelism: usize, zone: &str) -> Self {
        Settings {
            parallelism: parallelism.max(1),
            zone: zone.to_owned(),
            idle_timeout_ms: None,
            name: None,
            checkpoint_interval_ms: CHECKPOINT_INTERVAL_MS,
            retained: LEAST_RETAINED,
            checkpoint_dir: None,
            restart: Strategy::default(),
            emit: Emit::default(),
        }
    }

    /// `restart-strategy.*`: what is done after a failure that may pass.
    pub fn restart(&self) -> Restart {
        self.restart.restart()
    }

    /// `table.exec.emit.*`: how windowed aggregations emit that do not say it themselves.
    ///
    /// # Errors
    /// If a setting that is on lacks another that it needs.
    pub fn emission(&self) -> Result<Emission, Diagnostic> {
        self.emit.emission()
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
        let key = key.trim();
        let trimmed = value.trim();
        let found = self.restart.set(key, trimmed).or_else(|| self.emit.set(key, trimmed));
        let found = match found.or_else(|| self.set_own(key, trimmed)) {
            Some(found) => found,
            None if has_no_effect(key) => Ok(()),
            None => return Err(unknown(key).at_if_known(key_span)),
        };
        found.map_err(|wanted| {
            let message = format!("`{value}` is no value for `{key}`");
            let diagnostic = Diagnostic::error(codes::BAD_SETTING, message);
            diagnostic.at_if_known(value_span).hint(wanted)
        })
    }

    /// Checks that there is such a key.
    ///
    /// # Errors
    /// If there is none; `span` is where it stands in the text, if it does.
    pub fn check_key(&self, key: &str, span: Option<Span>) -> Result<(), Diagnostic> {
        match self.clone().set(key, "", span, None) {
            Err(mistake) if mistake.code == codes::UNKNOWN_SETTING => Err(mistake),
            _ => Ok(()),
        }
    }

    /// Sets a key that is not about restarts; an error is what values the key can have. `None` if
    /// there is no such key.
    fn set_own(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let bad = |wanted: &str| Some(Err(wanted.to_owned()));
        match key {
            PARALLELISM | RESOURCE_PARALLELISM => match value.parse::<usize>() {
                Ok(number @ 1..=256) => self.parallelism = number,
                _ => return bad("a whole number from 1 to 256"),
            },
            ZONE => match zone(value) {
                Some(zone) => self.zone = zone,
                None => return bad("a zone such as `Europe/Berlin` or `UTC`"),
            },
            IDLE_TIMEOUT => match duration_ms(value) {
                Some(ms) => self.idle_timeout_ms = Some(ms),
                None => return bad("a span of time such as `30 s`"),
            },
            NAME if is_name(value) => self.name = Some(value.to_owned()),
            NAME => {
                return bad("up to 100 letters, digits, `-`, `_` and `.`, a letter or digit first");
            }
            INTERVAL => match interval_ms(value) {
                Some(ms) => self.checkpoint_interval_ms = ms,
                None => return bad("a span of time from `10 ms` on, or `0` for no epochs"),
            },
            MODE => match value.to_uppercase().replace('-', "_").as_str() {
                // What is asked for is given, and more.
                "EXACTLY_ONCE" | "AT_LEAST_ONCE" => {}
                _ => return bad("`EXACTLY_ONCE` or `AT_LEAST_ONCE`"),
            },
            _ if RETAINED.contains(&key) => match value.parse::<usize>() {
                Ok(number @ 1..=10_000) => self.retained = number.max(LEAST_RETAINED),
                _ => return bad("a whole number from 1 to 10000"),
            },
            _ if DIRECTORY.contains(&key) && value.is_empty() => {
                return bad("a directory, or a URL such as `file:///backup/orders`");
            }
            _ if DIRECTORY.contains(&key) => self.checkpoint_dir = Some(value.to_owned()),
            _ => return None,
        }
        Some(Ok(()))
    }
}

/// The diagnostic for a key that does not exist.
fn unknown(key: &str) -> Diagnostic {
    let own = [PARALLELISM, ZONE, IDLE_TIMEOUT, NAME, INTERVAL, MODE];
    let known = own.into_iter().chain(RETAINED).chain(DIRECTORY);
    let known = known.chain(restart::KEYS.iter().copied()).chain(emit::KEYS.iter().copied());
    let known = known.chain(WITHOUT_EFFECT.iter().copied());
    let message = format!("there is no setting `{key}`");
    Diagnostic::error(codes::UNKNOWN_SETTING, message)
        .hint_if_any(suggest::did_you_mean(key, known))
}

/// Names of jobs become those of directories, transactions and consumer groups.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    starts_well && text.len() <= 100 && text.chars().all(allowed)
}

/// Milliseconds between epochs, 0 for none.
fn interval_ms(value: &str) -> Option<u64> {
    if value.eq_ignore_ascii_case("disabled") {
        return Some(0);
    }
    duration_ms(value).filter(|ms| *ms == 0 || *ms >= LEAST_INTERVAL_MS)
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
        assert!(set("execution.checkpointing.min-pause", "1 s").is_ok());
        assert!(set("execution.checkpointing.unaligned.enabled", "true").is_ok());
        let error = set("execution.checkpointing.intervall", "1 s").expect_err("no such key");
        assert_eq!(error.hint.as_deref(), Some("did you mean `execution.checkpointing.interval`?"));
    }

    #[test]
    fn epochs_have_an_interval_or_are_off() {
        let interval = |text| set(INTERVAL, text).map(|settings| settings.checkpoint_interval_ms);
        assert_eq!(Settings::new(1, "UTC").checkpoint_interval_ms, 1000);
        for (text, ms) in [("100 ms", 100), ("10s", 10_000), ("0", 0), ("disabled", 0)] {
            assert_eq!(interval(text), Ok(ms), "{text}");
        }
        let error = interval("5 ms").expect_err("too short");
        assert_eq!(error.message, "`5 ms` is no value for `execution.checkpointing.interval`");
        assert!(interval("soon").is_err());
    }

    #[test]
    fn a_job_has_a_name_that_every_system_takes() {
        let name = |text| set(NAME, text).map(|settings| settings.name);
        assert_eq!(name("orders-v2.eu_1"), Ok(Some("orders-v2.eu_1".to_owned())));
        for wrong in ["", "a b", "ü", "a/b", "..", "-x", &"x".repeat(101)] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn at_least_three_checkpoints_are_kept() {
        for key in RETAINED {
            assert_eq!(set(key, "1").expect("Flink's default").retained, 3);
            assert_eq!(set(key, "10").expect("a number").retained, 10);
            assert!(set(key, "0").is_err());
        }
        let copied = set("state.checkpoints.dir", "file:///backup").expect("a URL");
        assert_eq!(copied.checkpoint_dir.as_deref(), Some("file:///backup"));
        assert!(set(DIRECTORY[0], "").is_err());
        assert!(set(MODE, "AT_LEAST_ONCE").is_ok());
        assert!(set(MODE, "AT_MOST_ONCE").is_err());
    }
}
