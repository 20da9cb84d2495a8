//! Flink's functions between text and time: TO_TIMESTAMP, DATE_FORMAT, and what the cast of a
//! timestamp to text writes. Text that is no timestamp becomes null, as in Flink.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, StringArray, StringBuilder, TimestampMillisecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use datafusion_common::{Result, exec_datafusion_err, internal_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::index::{Body, functions};
use super::pattern::{Pattern, parse_standard};
use super::rewrite::{Meaning, Rewrite};
use super::rows::check_count;

functions! { FUNCTIONS, Time:
    "TO_TIMESTAMP", "TO_TIMESTAMP(s[, pattern]) → TIMESTAMP(3)",
        "The time that the text says; NULL if it says none. The pattern is Java's, `yyyy-MM-dd HH:mm:ss[.SSS]` if it is left out.",
        "TO_TIMESTAMP('31.1.2024 8:05', 'd.M.yyyy H:mm')", "2024-01-31 08:05:00",
        Body::Own(|zone| time_function(Kind::ToTimestamp, zone));
    "TO_TIMESTAMP_LTZ", "TO_TIMESTAMP_LTZ(n[, 0 or 3]), TO_TIMESTAMP_LTZ(s[, pattern[, zone]]) → TIMESTAMP_LTZ(3)",
        "The moment n seconds (0) or milliseconds (3) after 1970-01-01 in UTC, or that the clock of a zone (UTC) shows this text.",
        "TO_TIMESTAMP_LTZ(1706688300, 0)", "2024-01-31 08:05:00Z",
        Body::Rewrite(Rewrite::new(Meaning::TimestampLtz, 1, 3));
    "DATE_FORMAT", "DATE_FORMAT(t or s, pattern) → STRING", "The time in a pattern of Java's.",
        "DATE_FORMAT(TIMESTAMP '2024-01-31 08:05:00', 'd MMM yyyy, HH:mm')", "31 Jan 2024, 08:05",
        Body::Own(|zone| time_function(Kind::DateFormat, zone));
    "FROM_UNIXTIME", "FROM_UNIXTIME(seconds[, pattern]) → STRING",
        "What the session's clock showed so many seconds after 1970-01-01 in UTC.",
        "FROM_UNIXTIME(44)", "1970-01-01 00:00:44",
        Body::Own(|zone| time_function(Kind::FromUnixtime, zone));
    "PROCTIME", "PROCTIME() → TIMESTAMP_LTZ(3)",
        "Processing time: the moment at which a row is looked at. Windows can be put over it, under a name.",
        "EXTRACT(YEAR FROM PROCTIME()) > 2000", "true", Body::Own(super::proctime::function);
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// `TO_TIMESTAMP(text[, pattern])`: TIMESTAMP(3).
    ToTimestamp,
    /// `DATE_FORMAT(time, pattern)`; the time may be text in standard form.
    DateFormat,
    /// `FROM_UNIXTIME(seconds[, pattern])`: text in the session's zone.
    FromUnixtime,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TimeFunction {
    kind: Kind,
    zone: String,
    signature: Signature,
}

/// `zone` is where TIMESTAMP_LTZ values are shown.
fn time_function(kind: Kind, zone: &str) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(TimeFunction { kind, zone: zone.to_owned(), signature })
}

/// TO_TIMESTAMP, which others are made of.
pub(super) fn to_timestamp_function(zone: &str) -> ScalarUDF {
    time_function(Kind::ToTimestamp, zone)
}

impl ScalarUDFImpl for TimeFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::ToTimestamp => "to_timestamp",
            Kind::DateFormat => "date_format",
            Kind::FromUnixtime => "from_unixtime",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name().to_uppercase();
        let least = if self.kind == Kind::DateFormat { 2 } else { 1 };
        check_count(&name, arguments.len(), least, 2)?;
        let mut wanted = vec![DataType::Utf8; arguments.len()];
        let found = crate::types::flink_name(&arguments[0]);
        match (self.kind, &arguments[0]) {
            (Kind::ToTimestamp, DataType::Utf8 | DataType::Null) => {}
            (Kind::ToTimestamp, _) => {
                return plan_err!(
                    "TO_TIMESTAMP wants text, not {found}; for a number use TO_TIMESTAMP_LTZ(number, 3)"
                );
            }
            (Kind::FromUnixtime, number) if number.is_integer() || number.is_null() => {
                wanted[0] = DataType::Int64;
            }
            (Kind::FromUnixtime, _) => {
                return plan_err!("FROM_UNIXTIME wants seconds, not {found}");
            }
            (_, DataType::Utf8 | DataType::Null) => {}
            (_, time @ DataType::Timestamp(..)) => wanted[0] = time.clone(),
            (_, DataType::Date32) => wanted[0] = DataType::Timestamp(TimeUnit::Millisecond, None),
            _ => return plan_err!("{name} wants a time, not {found}"),
        }
        if let Some(pattern) = arguments.get(1)
            && !matches!(pattern, DataType::Utf8 | DataType::Null)
        {
            return plan_err!("the second argument of {name} is a pattern such as 'yyyy-MM-dd'");
        }
        Ok(wanted)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::ToTimestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
            _ => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let patterns = arrays.get(1).map(|patterns| patterns.as_string::<i32>());
        let array: ArrayRef = match self.kind {
            Kind::ToTimestamp => to_timestamp(arrays[0].as_string(), patterns)?,
            Kind::DateFormat => match patterns {
                Some(patterns) => date_format(&arrays[0], patterns)?,
                None => return internal_err!("DATE_FORMAT has two arguments"),
            },
            Kind::FromUnixtime => {
                let seconds =
                    cast(&arrays[0], &DataType::Timestamp(TimeUnit::Second, Some("UTC".into())))?;
                let zone = Some(Arc::from(self.zone.as_str()));
                let times = cast(&seconds, &DataType::Timestamp(TimeUnit::Second, zone))?;
                let standard = StringArray::from(vec!["yyyy-MM-dd HH:mm:ss"; times.len()]);
                date_format(&times, patterns.unwrap_or(&standard))?
            }
        };
        Ok(ColumnarValue::Array(array))
    }
}

fn to_timestamp(texts: &StringArray, patterns: Option<&StringArray>) -> Result<ArrayRef> {
    let mut out = TimestampMillisecondBuilder::with_capacity(texts.len());
    let mut compiled = LastPattern::default();
    for row in 0..texts.len() {
        let time = parse_text(texts, patterns, row, &mut compiled)?;
        out.append_option(time.map(|time| time.and_utc().timestamp_millis()));
    }
    Ok(Arc::new(out.finish()))
}

/// The time that a text says, by its pattern or in the standard form.
pub(super) fn parse_text(
    texts: &StringArray,
    patterns: Option<&StringArray>,
    row: usize,
    compiled: &mut LastPattern,
) -> Result<Option<NaiveDateTime>> {
    if texts.is_null(row) {
        return Ok(None);
    }
    Ok(match patterns {
        None => parse_standard(texts.value(row)),
        Some(patterns) if patterns.is_valid(row) => {
            compiled.get(patterns.value(row))?.parse(texts.value(row))
        }
        Some(_) => None,
    })
}

fn date_format(times: &ArrayRef, patterns: &StringArray) -> Result<ArrayRef> {
    let wall = WallClock::new(times)?;
    let mut out = StringBuilder::new();
    let mut compiled = LastPattern::default();
    let mut text = String::new();
    for row in 0..times.len() {
        match wall.get(row).filter(|_| patterns.is_valid(row)) {
            None => out.append_null(),
            Some(time) => {
                text.clear();
                compiled.get(patterns.value(row))?.format(time, &mut text);
                out.append_value(&text);
            }
        }
    }
    Ok(Arc::new(out.finish()))
}

/// Timestamps in standard form, with as many digits as the type has.
pub(super) fn timestamp_text(times: &ArrayRef) -> Result<ArrayRef> {
    let pattern = match times.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Second, _) => {
            "yyyy-MM-dd HH:mm:ss.SSS"
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => "yyyy-MM-dd HH:mm:ss.SSSSSS",
        _ => "yyyy-MM-dd HH:mm:ss.SSSSSSSSS",
    };
    date_format(times, &StringArray::from(vec![pattern; times.len()]))
}

/// Remembers the last pattern: it is almost always one literal for all rows.
#[derive(Default)]
pub(super) struct LastPattern(Option<(String, Pattern)>);

impl LastPattern {
    /// The compiled pattern.
    pub(super) fn get(&mut self, text: &str) -> Result<&Pattern> {
        if self.0.as_ref().is_none_or(|(known, _)| known != text) {
            let pattern =
                Pattern::compile(text).map_err(|reason| exec_datafusion_err!("{reason}"))?;
            self.0 = Some((text.to_owned(), pattern));
        }
        match &self.0 {
            Some((_, pattern)) => Ok(pattern),
            None => internal_err!("a pattern was compiled just now"),
        }
    }
}

/// Times of a column as a clock on the wall shows them.
pub(super) enum WallClock {
    /// Text in standard form.
    Text(StringArray),
    /// Nanoseconds, which end in 2262.
    Nanos(arrow::array::TimestampNanosecondArray, Option<Tz>),
    /// All others.
    Micros(arrow::array::TimestampMicrosecondArray, Option<Tz>),
}

impl WallClock {
    /// The clock of UTC for moments.
    pub(super) fn utc(times: &ArrayRef) -> Result<WallClock> {
        Ok(match WallClock::new(times)? {
            WallClock::Nanos(times, _) => WallClock::Nanos(times, None),
            WallClock::Micros(times, _) => WallClock::Micros(times, None),
            text => text,
        })
    }

    /// The clock of the type's zone for moments. A TIME is one of the first day.
    pub(super) fn new(times: &ArrayRef) -> Result<WallClock> {
        if let DataType::Date32 | DataType::Time32(_) = times.data_type() {
            // A time of day counts from midnight, as the first day of 1970 does.
            let numbers = match times.data_type() {
                DataType::Time32(_) => {
                    let millis = cast(times, &DataType::Time32(TimeUnit::Millisecond))?;
                    cast(&cast(&millis, &DataType::Int32)?, &DataType::Int64)?
                }
                _ => Arc::clone(times),
            };
            let millis = cast(&numbers, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
            return WallClock::new(&millis);
        }
        let zone = match times.data_type() {
            DataType::Utf8 => return Ok(WallClock::Text(times.as_string().clone())),
            DataType::Timestamp(_, Some(zone)) => {
                Some(zone.parse::<Tz>().map_err(|_| exec_datafusion_err!("no time zone {zone}"))?)
            }
            DataType::Timestamp(_, None) => None,
            other => return plan_err!("{other} is not a time"),
        };
        // Nanoseconds end in 2262; everything coarser goes through microseconds.
        if let DataType::Timestamp(TimeUnit::Nanosecond, _) = times.data_type() {
            let array = times.as_primitive::<TimestampNanosecondType>().clone();
            return Ok(WallClock::Nanos(array.with_timezone_opt(None::<Arc<str>>), zone));
        }
        let zone_name = zone.map(|zone| Arc::from(zone.name()));
        let micros = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, zone_name))?;
        let micros = micros.as_primitive::<arrow::datatypes::TimestampMicrosecondType>().clone();
        Ok(WallClock::Micros(micros.with_timezone_opt(None::<Arc<str>>), zone))
    }

    /// What the clock shows at the time of a row.
    pub(super) fn get(&self, row: usize) -> Option<NaiveDateTime> {
        let local = |utc: DateTime<chrono::Utc>, zone: &Option<Tz>| match zone {
            None => utc.naive_utc(),
            Some(zone) => utc.with_timezone(zone).naive_local(),
        };
        match self {
            WallClock::Text(texts) => {
                texts.is_valid(row).then(|| parse_standard(texts.value(row))).flatten()
            }
            WallClock::Nanos(times, zone) => times
                .is_valid(row)
                .then(|| local(DateTime::from_timestamp_nanos(times.value(row)), zone)),
            WallClock::Micros(times, zone) => times
                .is_valid(row)
                .then(|| DateTime::from_timestamp_micros(times.value(row)))
                .flatten()
                .map(|utc| local(utc, zone)),
        }
    }
}
