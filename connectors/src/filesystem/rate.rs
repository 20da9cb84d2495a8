//! `'scan.rate'`: how fast files are replayed, by rows a second or by event time.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type, Schema, TimeUnit};

use crate::TableSpec;
use crate::clock::Clock;
use crate::error::{ConnectorError, Result};
use crate::options::{Options, did_you_mean};
use crate::pace::Pace;

const RATE: &str = "scan.rate";
const TIME_COLUMN: &str = "scan.rate.time-column";

/// The options, read and checked.
#[derive(Clone, Debug)]
pub(super) enum RateOption {
    RowsPerSecond(f64),
    EventTime { factor: f64, column: FieldRef },
}

impl RateOption {
    /// # Errors
    /// If the rate cannot be read, or it goes by event time and there is no time column.
    pub(super) fn new(table: &TableSpec, options: &Options<'_>) -> Result<Option<Self>> {
        let Some(text) = options.text(RATE) else { return Ok(None) };
        let text = text.trim();
        let (number, by_time) = match text.strip_suffix(['x', 'X']) {
            Some(factor) => (factor, true),
            None => (text.strip_suffix("/s").unwrap_or(text), false),
        };
        let number: Option<f64> = number.trim().parse().ok();
        let Some(number) = number.filter(|number| number.is_finite() && *number > 0.0) else {
            let hint = "write `1000` or `1000/s` for rows a second, `2x` for twice event time";
            return Err(options.error(RATE, format!("`{text}` is no rate"), Some(hint.into())));
        };
        if !by_time {
            return Ok(Some(RateOption::RowsPerSecond(number)));
        }
        Ok(Some(RateOption::EventTime { factor: number, column: time_column(table, options)? }))
    }
}

fn time_column(table: &TableSpec, options: &Options<'_>) -> Result<FieldRef> {
    let is_time = |field: &&FieldRef| matches!(field.data_type(), DataType::Timestamp(..));
    let times =
        || table.declared.fields().iter().filter(is_time).map(|field| field.name().as_str());
    let Some(name) = options.text(TIME_COLUMN) else {
        let first = times().next().unwrap_or("ts");
        let hint = format!("add '{TIME_COLUMN}' = '{first}' to the WITH clause");
        let reason = "a multiple of event time needs to know the time column".to_owned();
        return Err(options.error(RATE, reason, Some(hint)));
    };
    match table.declared.fields().iter().find(|field| field.name() == name) {
        Some(field) if is_time(&field) => Ok(field.clone()),
        Some(field) => {
            let reason = format!("column `{name}` is no timestamp but {}", field.data_type());
            Err(options.error(TIME_COLUMN, reason, None))
        }
        None => {
            let hint = did_you_mean(name, times());
            let reason = format!("the files have no column `{name}`");
            Err(options.error(TIME_COLUMN, reason, hint))
        }
    }
}

/// Releases rows to the readers of a table.
pub(super) struct Rate {
    kind: Kind,
    /// Columns that were added to the table's schema for the rate: 0 or 1.
    extra: usize,
    /// Whether a reader was given the table's first split; all are before any is polled. A job that
    /// is restarted does not read again what had ended.
    has_first_split: AtomicBool,
}

enum Kind {
    Rows { pace: Pace, released: Mutex<u64> },
    Time { factor: f64, column: usize, clock: Clock, start: Mutex<Start> },
}

/// Which event time corresponds to which time of the clock.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// The first row of the first split will tell.
    FirstSplit,
    /// The first split has no rows: any row may tell.
    AnySplit,
    /// Event time in milliseconds, and the clock's.
    Set { event_ms: i64, elapsed: Duration },
}

impl Rate {
    /// The rate, and the table with the columns that it needs.
    pub(super) fn new(option: RateOption, table: &TableSpec, clock: Clock) -> (TableSpec, Self) {
        let mut table = table.clone();
        match option {
            RateOption::RowsPerSecond(rate) => {
                let kind = Kind::Rows { pace: Pace::new(clock, rate), released: Mutex::default() };
                (table, Rate { kind, extra: 0, has_first_split: AtomicBool::new(false) })
            }
            RateOption::EventTime { factor, column } => {
                let before = table.schema.fields().len();
                let index = table.schema.index_of(column.name()).unwrap_or(before);
                let extra = usize::from(index == before);
                if extra == 1 {
                    let fields = table.schema.fields().iter().cloned().chain([column]);
                    table.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
                }
                let start = Mutex::new(Start::FirstSplit);
                let kind = Kind::Time { factor, column: index, clock, start };
                (table, Rate { kind, extra, has_first_split: AtomicBool::new(false) })
            }
        }
    }

    pub(super) fn extra(&self) -> usize {
        self.extra
    }

    /// The event times of rows in milliseconds, if the rate goes by them.
    pub(super) fn times(&self, columns: &[ArrayRef]) -> Result<Option<ArrayRef>> {
        let Kind::Time { column, .. } = &self.kind else { return Ok(None) };
        let moments = DataType::Timestamp(TimeUnit::Millisecond, None);
        let times = cast(&columns[*column], &moments).and_then(|t| cast(&t, &DataType::Int64));
        times.map(Some).map_err(|error| ConnectorError::Data {
            place: format!("option `{TIME_COLUMN}`"),
            reason: error.to_string(),
            hint: None,
        })
    }

    /// Waits at most `timeout` until row `from` of a batch may go; returns how many may, up to
    /// row `to`. `first_split` says that they are of the table's first split.
    pub(super) fn due(
        &self,
        times: Option<&ArrayRef>,
        rows: std::ops::Range<usize>,
        first_split: bool,
        timeout: Duration,
    ) -> usize {
        match (&self.kind, times) {
            (Kind::Rows { pace, released }, _) => {
                let next = *lock(released);
                pace.wait(next, timeout);
                // Another reader may have taken rows while this one waited.
                let mut released = lock(released);
                let due = pace.wait(*released, Duration::ZERO).saturating_sub(*released);
                let due = due.min(rows.len() as u64);
                *released += due;
                due as usize
            }
            (Kind::Time { factor, clock, start, .. }, Some(times)) => {
                let times = times.as_primitive::<Int64Type>();
                let at = |row: usize| times.is_valid(row).then(|| times.value(row));
                let first = rows.clone().find_map(at);
                let may_start = first_split || !self.has_first_split.load(Relaxed);
                let Some(start) = settle(start, first, may_start, clock) else {
                    clock.sleep(timeout);
                    return 0;
                };
                let now_ms = || {
                    let elapsed = clock.elapsed().saturating_sub(start.1);
                    start.0.saturating_add((elapsed.as_secs_f64() * 1000.0 * factor) as i64)
                };
                let late = |now_ms: i64| rows.clone().find(|r| at(*r).is_some_and(|t| t > now_ms));
                let count = |now_ms| late(now_ms).unwrap_or(rows.end) - rows.start;
                let now = now_ms();
                if count(now) == 0 && !rows.is_empty() {
                    let ahead_ms = at(rows.start).unwrap_or(now).saturating_sub(now) as f64;
                    let wait = Duration::try_from_secs_f64(ahead_ms / factor / 1000.0);
                    clock.sleep(timeout.min(wait.unwrap_or(timeout) + Duration::from_micros(1)));
                }
                count(now_ms())
            }
            (Kind::Time { .. }, None) => rows.len(),
        }
    }

    /// Told when a reader is given the first split: its first row starts the replay.
    pub(super) fn wait_for_first_split(&self) {
        self.has_first_split.store(true, Relaxed);
    }

    /// Told when the first split ends or is not read, so that others need not wait for its first
    /// row.
    pub(super) fn let_any_split_start(&self) {
        if let Kind::Time { start, .. } = &self.kind {
            let mut start = lock(start);
            if matches!(*start, Start::FirstSplit) {
                *start = Start::AnySplit;
            }
        }
    }
}

/// The start of the replay, which the first row sets; `None` while others must set it.
fn settle(
    start: &Mutex<Start>,
    first_ms: Option<i64>,
    may_start: bool,
    clock: &Clock,
) -> Option<(i64, Duration)> {
    let mut start = lock(start);
    let may_set = may_start || matches!(*start, Start::AnySplit);
    match *start {
        Start::Set { event_ms, elapsed } => Some((event_ms, elapsed)),
        _ if may_set => {
            let elapsed = clock.elapsed();
            // Rows without event time do not wait, and do not start the replay either.
            if let Some(event_ms) = first_ms {
                *start = Start::Set { event_ms, elapsed };
            }
            Some((first_ms.unwrap_or(i64::MIN), elapsed))
        }
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
