//! Flink's functions between text and time: TO_TIMESTAMP, DATE_FORMAT, and the cast of a timestamp
//! to text. Text that is no timestamp becomes null, as in Flink.

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

use super::pattern::{Pattern, parse_standard};

/// Name under which casts of timestamps to text are planned; no query can call it.
pub const TIMESTAMP_TEXT: &str = "cast timestamp to text";

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// `TO_TIMESTAMP(text[, pattern])`: TIMESTAMP(3).
    ToTimestamp,
    /// `DATE_FORMAT(time, pattern)`; the time may be text in standard form.
    DateFormat,
    /// `FROM_UNIXTIME(seconds[, pattern])`: text in the session's zone.
    FromUnixtime,
    /// `CAST(time AS STRING)`: standard form with as many digits as the type has.
    Text,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TimeFunction {
    kind: Kind,
    zone: String,
    signature: Signature,
}

/// All functions of this file; `zone` is where TIMESTAMP_LTZ values are shown.
pub fn functions(zone: &str) -> Vec<ScalarUDF> {
    [Kind::ToTimestamp, Kind::DateFormat, Kind::FromUnixtime, Kind::Text]
        .into_iter()
        .map(|kind| {
            let signature = Signature::user_defined(Volatility::Immutable);
            ScalarUDF::from(TimeFunction { kind, zone: zone.to_owned(), signature })
        })
        .collect()
}

impl ScalarUDFImpl for TimeFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::ToTimestamp => "to_timestamp",
            Kind::DateFormat => "date_format",
            Kind::FromUnixtime => "from_unixtime",
            Kind::Text => TIMESTAMP_TEXT,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name().to_uppercase();
        let most = if self.kind == Kind::Text { 1 } else { 2 };
        let least = if self.kind == Kind::DateFormat { 2 } else { 1 };
        if arguments.len() < least || arguments.len() > most {
            return plan_err!("{name} takes {most} argument(s), not {}", arguments.len());
        }
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
            Kind::Text => timestamp_text(&arrays[0])?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

fn to_timestamp(texts: &StringArray, patterns: Option<&StringArray>) -> Result<ArrayRef> {
    let mut out = TimestampMillisecondBuilder::with_capacity(texts.len());
    let mut compiled = LastPattern::default();
    for row in 0..texts.len() {
        let pattern = match patterns {
            None => None,
            Some(patterns) if patterns.is_valid(row) => Some(compiled.get(patterns.value(row))?),
            Some(_) => {
                out.append_null();
                continue;
            }
        };
        let text = texts.is_valid(row).then(|| texts.value(row));
        let time = text.and_then(|text| match pattern {
            None => parse_standard(text),
            Some(pattern) => pattern.parse(text),
        });
        out.append_option(time.map(|time| time.and_utc().timestamp_millis()));
    }
    Ok(Arc::new(out.finish()))
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

fn timestamp_text(times: &ArrayRef) -> Result<ArrayRef> {
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
struct LastPattern(Option<(String, Pattern)>);

impl LastPattern {
    fn get(&mut self, text: &str) -> Result<&Pattern> {
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
enum WallClock {
    Text(StringArray),
    Nanos(arrow::array::TimestampNanosecondArray, Option<Tz>),
    Micros(arrow::array::TimestampMicrosecondArray, Option<Tz>),
}

impl WallClock {
    fn new(times: &ArrayRef) -> Result<WallClock> {
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

    fn get(&self, row: usize) -> Option<NaiveDateTime> {
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
