//! Arithmetic of dates and times by the calendar.
//!
//! A TIMESTAMP_LTZ is taken by the session's wall clock where a unit is one of the calendar (days and
//! longer), and as the moment that it is where hours and shorter units are counted.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int32Array, Int64Array, StringArray, StringBuilder,
    Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
    Timelike,
};
use chrono_tz::Tz;
use datafusion_common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::clock::{Now, clock, now_ms};
use super::index::{Body, functions};
use super::rewrite::{Meaning, Rewrite};
use super::rows::check_count;
use super::time::{LastPattern, WallClock, parse_text};
use crate::types::flink_name;

const fn part(field: &'static str) -> Body {
    Body::Rewrite(Rewrite::new(Meaning::Extract(field), 1, 1))
}

functions! { FUNCTIONS, Time:
    "TO_DATE", "TO_DATE(s[, pattern]) → DATE", "The date that the text says; NULL if it says none. The pattern is Java's.",
        "TO_DATE('31.01.2024', 'dd.MM.yyyy')", "2024-01-31", Body::Own(|zone| calendar("to_date", Kind::ToDate, zone));
    "UNIX_TIMESTAMP", "UNIX_TIMESTAMP([s[, pattern]]) → BIGINT",
        "Seconds since 1970 of the text by the session's clock, or of now; -9223372036854775808 if the text says no time.",
        "UNIX_TIMESTAMP('1970-01-02 00:00:00')", "86400",
        Body::Own(|zone| calendar("unix_timestamp", Kind::UnixTimestamp, zone));
    "CONVERT_TZ", "CONVERT_TZ(s, from zone, to zone) → STRING", "What the clock of one zone shows, as that of another.",
        "CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')", "1969-12-31 16:00:00",
        Body::Own(|zone| calendar("convert_tz", Kind::ConvertTz, zone));
    "TIMESTAMPADD", "TIMESTAMPADD(unit, n, t) → type of t",
        "n units later. The units are SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER and YEAR.",
        "TIMESTAMPADD(MONTH, 1, DATE '2024-01-31')", "2024-02-29",
        Body::Own(|zone| calendar("timestampadd", Kind::Add, zone));
    "TIMESTAMPDIFF", "TIMESTAMPDIFF(unit, from, to) → INT", "The whole units between two times.",
        "TIMESTAMPDIFF(HOUR, TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-02 01:59:59')", "25",
        Body::Own(|zone| calendar("timestampdiff", Kind::Difference, zone));
    "FLOOR TO", "FLOOR(t TO unit) → type of t", "The start of the unit that the time is in, up to MILLENNIUM.",
        "FLOOR(TIMESTAMP '2024-05-17 10:42:31' TO MONTH)", "2024-05-01 00:00:00", Body::Own(|zone| calendar(FLOOR_TO, Kind::Floor, zone));
    "CEIL TO", "CEIL(t TO unit) → type of t", "The start of the next unit, unless the time is one.",
        "CEIL(TIME '12:44:31' TO MINUTE)", "12:45:00", Body::Own(|zone| calendar(CEIL_TO, Kind::Ceil, zone));
    "DATE_TRUNC", "DATE_TRUNC('unit', t) → type of t", "As FLOOR(t TO unit), whose spelling is Flink's.",
        "DATE_TRUNC('hour', TIMESTAMP '2024-05-17 10:42:31')", "2024-05-17 10:00:00", Body::Theirs(datafusion_functions::datetime::date_trunc);
    "EXTRACT", "EXTRACT(unit FROM t) → BIGINT",
        "A part of a time: MILLENNIUM, CENTURY, DECADE, YEAR, QUARTER, MONTH, WEEK, DAY, DOY, DOW (1 is Sunday), HOUR, MINUTE, SECOND, EPOCH, ISOYEAR, ISODOW (1 is Monday).",
        "EXTRACT(CENTURY FROM DATE '2024-01-31')", "21", Body::Syntax;
    "YEAR", "YEAR(t) → BIGINT", "The year.", "YEAR(DATE '1994-09-27')", "1994", part("year");
    "QUARTER", "QUARTER(t) → BIGINT", "The quarter, from 1 to 4.", "QUARTER(DATE '1994-09-27')", "3", part("quarter");
    "MONTH", "MONTH(t) → BIGINT", "The month, from 1 to 12.", "MONTH(DATE '1994-09-27')", "9", part("month");
    "WEEK", "WEEK(t) → BIGINT", "The week by ISO 8601, from 1 to 53.", "WEEK(DATE '1994-09-27')", "39", part("week");
    "DAYOFYEAR", "DAYOFYEAR(t) → BIGINT", "The day of the year, from 1 to 366.", "DAYOFYEAR(DATE '1994-09-27')", "270", part("doy");
    "DAYOFMONTH", "DAYOFMONTH(t) → BIGINT", "The day of the month, from 1 to 31.", "DAYOFMONTH(DATE '1994-09-27')", "27", part("day");
    "DAYOFWEEK", "DAYOFWEEK(t) → BIGINT", "The day of the week; 1 is Sunday.", "DAYOFWEEK(DATE '1994-09-27')", "3", part("dow");
    "HOUR", "HOUR(t) → BIGINT", "The hour, from 0 to 23.", "HOUR(TIMESTAMP '1994-09-27 13:14:15')", "13", part("hour");
    "MINUTE", "MINUTE(t) → BIGINT", "The minute, from 0 to 59.", "MINUTE(TIMESTAMP '1994-09-27 13:14:15')", "14", part("minute");
    "SECOND", "SECOND(t) → BIGINT", "The second, from 0 to 59.", "SECOND(TIMESTAMP '1994-09-27 13:14:15')", "15", part("second");
    "OVERLAPS", "(t1, t2 or interval) OVERLAPS (t3, t4 or interval) → BOOLEAN", "Whether two spans of time have a moment in common.",
        "(TIME '02:55:00', INTERVAL '1' HOUR) OVERLAPS (TIME '03:30:00', INTERVAL '2' HOUR)", "true", Body::Syntax;
    "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP → TIMESTAMP_LTZ(3)", "Now, by the clock. Not the same when rows are read again after a failure.",
        "CURRENT_TIMESTAMP > TIMESTAMP '2024-01-01 00:00:00'", "true", Body::Own(|zone| clock("current_timestamp", Now::Moment, zone));
    "NOW", "NOW() → TIMESTAMP_LTZ(3)", "The same as CURRENT_TIMESTAMP.",
        "NOW() > TIMESTAMP '2024-01-01 00:00:00'", "true", Body::Own(|zone| clock("now", Now::Moment, zone));
    "CURRENT_ROW_TIMESTAMP", "CURRENT_ROW_TIMESTAMP() → TIMESTAMP_LTZ(3)", "The same as CURRENT_TIMESTAMP.",
        "TYPEOF(CURRENT_ROW_TIMESTAMP())", "TIMESTAMP_LTZ(3)", Body::Own(|zone| clock("current_row_timestamp", Now::Moment, zone));
    "LOCALTIMESTAMP", "LOCALTIMESTAMP → TIMESTAMP(3)", "What the session's clock shows.",
        "LOCALTIMESTAMP > TIMESTAMP '2024-01-01 00:00:00'", "true", Body::Own(|zone| clock("localtimestamp", Now::Local, zone));
    "CURRENT_DATE", "CURRENT_DATE → DATE", "Today, by the session's clock.",
        "CURRENT_DATE > DATE '2024-01-01'", "true", Body::Own(|zone| clock("current_date", Now::Date, zone));
    "CURRENT_TIME", "CURRENT_TIME → TIME", "The time of day, by the session's clock.",
        "CURRENT_TIME >= TIME '00:00:00'", "true", Body::Own(|zone| clock("current_time", Now::Time, zone));
    "LOCALTIME", "LOCALTIME → TIME", "The same as CURRENT_TIME.",
        "LOCALTIME >= TIME '00:00:00'", "true", Body::Own(|zone| clock("localtime", Now::Time, zone));
}

/// What `FLOOR(t TO unit)` is called with once it is read: `(unit, t)`.
pub const FLOOR_TO: &str = "floor to";
/// What `CEIL(t TO unit)` is called with once it is read: `(unit, t)`.
pub const CEIL_TO: &str = "ceil to";

/// Units of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    /// So many months: MONTH, QUARTER, YEAR, DECADE.
    Months(u32),
    /// So many years, counted from year 1: CENTURY, MILLENNIUM.
    Years(i32),
}

impl Unit {
    fn from_name(name: &str) -> Option<Unit> {
        let name = name.to_ascii_uppercase();
        Some(match name.strip_prefix("SQL_TSI_").unwrap_or(&name) {
            "MILLISECOND" => Unit::Millisecond,
            "SECOND" => Unit::Second,
            "MINUTE" => Unit::Minute,
            "HOUR" => Unit::Hour,
            "DAY" => Unit::Day,
            "WEEK" => Unit::Week,
            "MONTH" => Unit::Months(1),
            "QUARTER" => Unit::Months(3),
            "YEAR" => Unit::Months(12),
            "DECADE" => Unit::Months(120),
            "CENTURY" => Unit::Years(100),
            "MILLENNIUM" => Unit::Years(1000),
            _ => return None,
        })
    }

    /// Milliseconds, if each unit has the same.
    fn millis(self) -> Option<i64> {
        Some(match self {
            Unit::Millisecond => 1,
            Unit::Second => 1_000,
            Unit::Minute => 60_000,
            Unit::Hour => 3_600_000,
            Unit::Day => 86_400_000,
            Unit::Week => 7 * 86_400_000,
            Unit::Months(_) | Unit::Years(_) => return None,
        })
    }

    fn months(self) -> i64 {
        match self {
            Unit::Months(months) => months.into(),
            Unit::Years(years) => i64::from(years) * 12,
            _ => 0,
        }
    }

    fn add(self, time: NaiveDateTime, count: i64) -> Option<NaiveDateTime> {
        match self.millis() {
            Some(millis) => {
                time.checked_add_signed(TimeDelta::try_milliseconds(count.checked_mul(millis)?)?)
            }
            None => {
                let months = count.checked_mul(self.months())?;
                let by = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
                if months < 0 { time.checked_sub_months(by) } else { time.checked_add_months(by) }
            }
        }
    }

    /// Whole units from one time to another.
    fn between(self, from: NaiveDateTime, to: NaiveDateTime) -> i64 {
        if let Some(millis) = self.millis() {
            return (to - from).num_milliseconds() / millis;
        }
        let month = |time: &NaiveDateTime| i64::from(time.year()) * 12 + i64::from(time.month0());
        let in_month = |time: &NaiveDateTime| (time.day(), time.time());
        let mut months = month(&to) - month(&from);
        if months > 0 && in_month(&to) < in_month(&from) {
            months -= 1;
        } else if months < 0 && in_month(&to) > in_month(&from) {
            months += 1;
        }
        months / self.months()
    }

    /// The start of the unit that a time is in.
    fn floor(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let date = time.date();
        let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
        Some(match self {
            Unit::Millisecond => time.with_nanosecond(time.nanosecond() / 1_000_000 * 1_000_000)?,
            Unit::Second => time.with_nanosecond(0)?,
            Unit::Minute => date.and_hms_opt(time.hour(), time.minute(), 0)?,
            Unit::Hour => date.and_hms_opt(time.hour(), 0, 0)?,
            Unit::Day => midnight(date),
            // Weeks begin on Sundays, as Flink rounds them.
            Unit::Week => midnight(
                date.checked_sub_days(Days::new(date.weekday().num_days_from_sunday().into()))?,
            ),
            Unit::Months(120) => midnight(first_of(date.year().div_euclid(10) * 10, 1)?),
            Unit::Months(months) => {
                midnight(first_of(date.year(), date.month0() / months * months + 1)?)
            }
            Unit::Years(years) => {
                midnight(first_of((date.year() - 1).div_euclid(years) * years + 1, 1)?)
            }
        })
    }

    fn ceil(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let start = self.floor(time)?;
        if start == time { Some(time) } else { self.add(start, 1) }
    }
}

fn first_of(year: i32, month: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, 1)
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    ToDate,
    UnixTimestamp,
    ConvertTz,
    Add,
    Difference,
    Floor,
    Ceil,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CalendarFunction {
    name: &'static str,
    kind: Kind,
    zone: String,
    signature: Signature,
}

fn calendar(name: &'static str, kind: Kind, zone: &str) -> ScalarUDF {
    // Without arguments UNIX_TIMESTAMP is a clock.
    let volatility = match kind {
        Kind::UnixTimestamp => Volatility::Volatile,
        _ => Volatility::Immutable,
    };
    let signature = Signature::user_defined(volatility);
    ScalarUDF::from(CalendarFunction { name, kind, zone: zone.to_owned(), signature })
}

impl CalendarFunction {
    fn shown_name(&self) -> String {
        match self.kind {
            Kind::Floor => "FLOOR".to_owned(),
            Kind::Ceil => "CEIL".to_owned(),
            _ => self.name.to_uppercase(),
        }
    }

    /// The type that a time is taken in.
    fn time(&self, given: &DataType) -> Result<DataType> {
        match given {
            DataType::Null => Ok(DataType::Timestamp(TimeUnit::Millisecond, None)),
            DataType::Date32 | DataType::Timestamp(..) => Ok(given.clone()),
            DataType::Time32(_) => Ok(DataType::Time32(TimeUnit::Millisecond)),
            other => {
                plan_err!("{} wants a date or time, not {}", self.shown_name(), flink_name(other))
            }
        }
    }

    /// The type of TIMESTAMPADD: hours make a moment of a date.
    fn sum(&self, unit: Option<Unit>, time: &DataType) -> DataType {
        let is_short = unit.and_then(Unit::millis).is_some_and(|millis| millis < 86_400_000);
        match time {
            DataType::Date32 if is_short => DataType::Timestamp(TimeUnit::Millisecond, None),
            other => other.clone(),
        }
    }
}

fn unit_of(value: Option<&ScalarValue>) -> Option<Unit> {
    Unit::from_name(value?.try_as_str()??)
}

impl ScalarUDFImpl for CalendarFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let (least, most) = match self.kind {
            Kind::ToDate => (1, 2),
            Kind::UnixTimestamp => (0, 2),
            Kind::ConvertTz | Kind::Add | Kind::Difference => (3, 3),
            Kind::Floor | Kind::Ceil => (2, 2),
        };
        let name = self.shown_name();
        check_count(&name, arguments.len(), least, most)?;
        let text = |given: &DataType| match given {
            DataType::Utf8 | DataType::Null => Ok(DataType::Utf8),
            other => plan_err!("{name} wants text, not {}", flink_name(other)),
        };
        match self.kind {
            Kind::ToDate | Kind::UnixTimestamp | Kind::ConvertTz => {
                arguments.iter().map(text).collect()
            }
            Kind::Floor | Kind::Ceil => Ok(vec![text(&arguments[0])?, self.time(&arguments[1])?]),
            Kind::Difference => {
                Ok(vec![text(&arguments[0])?, self.time(&arguments[1])?, self.time(&arguments[2])?])
            }
            Kind::Add => {
                if !(arguments[1].is_integer() || arguments[1].is_null()) {
                    let found = flink_name(&arguments[1]);
                    return plan_err!("{name} wants an integer number of units, not {found}");
                }
                Ok(vec![text(&arguments[0])?, DataType::Int64, self.time(&arguments[2])?])
            }
        }
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::ToDate => DataType::Date32,
            Kind::UnixTimestamp => DataType::Int64,
            Kind::ConvertTz => DataType::Utf8,
            Kind::Difference => DataType::Int32,
            Kind::Add => arguments[2].clone(),
            Kind::Floor | Kind::Ceil => arguments[1].clone(),
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<arrow::datatypes::FieldRef> {
        let types: Vec<DataType> =
            args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let mut data_type = self.return_type(&types)?;
        if matches!(self.kind, Kind::Add | Kind::Difference | Kind::Floor | Kind::Ceil) {
            let unit = unit_of(args.scalar_arguments[0]);
            if unit.is_none() {
                let units = "SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR";
                return plan_err!("{} wants a unit of time: {units}", self.shown_name());
            }
            if self.kind == Kind::Add {
                data_type = self.sum(unit, &data_type);
            }
        }
        Ok(Arc::new(arrow::datatypes::Field::new(self.name, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let unit = match args.args.first() {
            Some(ColumnarValue::Scalar(value)) => unit_of(Some(value)),
            _ => None,
        };
        let to = args.return_type().clone();
        if args.args.is_empty() {
            return Ok(ColumnarValue::Scalar(ScalarValue::Int64(Some(now_ms()?.div_euclid(1000)))));
        }
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let unit = || unit.ok_or_else(|| exec_datafusion_err!("the unit is no constant"));
        let array = match self.kind {
            Kind::ToDate => to_date(&arrays)?,
            Kind::UnixTimestamp => unix_timestamp(&arrays, &self.zone)?,
            Kind::ConvertTz => convert_tz(&arrays)?,
            Kind::Add => add(unit()?, &arrays[1], &arrays[2], &to)?,
            Kind::Difference => difference(unit()?, &arrays[1], &arrays[2])?,
            Kind::Floor => {
                let unit = unit()?;
                map(&arrays[1], &to, |time| unit.floor(time))?
            }
            Kind::Ceil => {
                let unit = unit()?;
                map(&arrays[1], &to, |time| unit.ceil(time))?
            }
        };
        Ok(ColumnarValue::Array(array))
    }
}

fn text_columns(arrays: &[ArrayRef]) -> (&StringArray, Option<&StringArray>) {
    (arrays[0].as_string(), arrays.get(1).map(|patterns| patterns.as_string()))
}

fn to_date(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, patterns) = text_columns(arrays);
    let mut compiled = LastPattern::default();
    let mut dates = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        let time = parse_text(texts, patterns, row, &mut compiled)?;
        dates.push(time.map(|time| time.date().to_epoch_days()));
    }
    Ok(Arc::new(Date32Array::from(dates)))
}

pub(super) fn zone(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| exec_datafusion_err!("there is no time zone `{name}`"))
}

/// The moment at which the clocks of a zone show this; of two the first, of none the one that an hour
/// that is left out would have been.
fn moment(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Tz>> {
    zone.from_local_datetime(&local).earliest().or_else(|| {
        let hour = TimeDelta::hours(1);
        let before = zone.from_local_datetime(&local.checked_sub_signed(hour)?).earliest()?;
        before.checked_add_signed(hour)
    })
}

fn unix_timestamp(arrays: &[ArrayRef], session: &str) -> Result<ArrayRef> {
    let (texts, patterns) = text_columns(arrays);
    let session = zone(session)?;
    let mut compiled = LastPattern::default();
    let mut seconds = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        let is_null = texts.is_null(row) || patterns.is_some_and(|patterns| patterns.is_null(row));
        let found = match patterns {
            _ if is_null => None,
            None => compiled.get("yyyy-MM-dd HH:mm:ss")?.parse_start(texts.value(row)),
            Some(patterns) => compiled.get(patterns.value(row))?.parse_start(texts.value(row)),
        };
        let found = found.and_then(|(time, offset)| match offset {
            Some(offset) => Some(time.and_utc().timestamp() - i64::from(offset)),
            None => moment(session, time).map(|time| time.timestamp()),
        });
        seconds.push(if is_null { None } else { Some(found.unwrap_or(i64::MIN)) });
    }
    Ok(Arc::new(Int64Array::from(seconds)))
}

fn convert_tz(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let columns: Vec<&StringArray> = arrays.iter().map(|array| array.as_string()).collect();
    let mut compiled = LastPattern::default();
    let pattern = compiled.get("yyyy-MM-dd HH:mm:ss")?;
    let mut out = StringBuilder::new();
    for row in 0..columns[0].len() {
        if columns.iter().any(|column| column.is_null(row)) {
            out.append_null();
            continue;
        }
        let (from, to) = (zone(columns[1].value(row))?, zone(columns[2].value(row))?);
        let moment = pattern.parse(columns[0].value(row)).and_then(|time| moment(from, time));
        out.append_option(moment.map(|moment| {
            let mut text = String::new();
            pattern.format(moment.with_timezone(&to).naive_local(), &mut text);
            text
        }));
    }
    Ok(Arc::new(out.finish()))
}

/// The same times, changed on the wall clock.
fn map(
    times: &ArrayRef,
    to: &DataType,
    change: impl Fn(NaiveDateTime) -> Option<NaiveDateTime>,
) -> Result<ArrayRef> {
    let clock = WallClock::new(times)?;
    let changed = (0..times.len()).map(|row| clock.get(row).and_then(&change));
    from_wall_clock(changed.collect(), to)
}

fn add(unit: Unit, counts: &ArrayRef, times: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let counts = counts.as_primitive::<Int64Type>();
    let clock =
        if unit.millis().is_some() { WallClock::utc(times)? } else { WallClock::new(times)? };
    let sums = (0..times.len()).map(|row| {
        counts
            .is_valid(row)
            .then(|| clock.get(row).and_then(|time| unit.add(time, counts.value(row))))?
    });
    let sums: Vec<Option<NaiveDateTime>> = sums.collect();
    match to {
        DataType::Timestamp(unit_of_type, Some(zone)) if unit.millis().is_some() => {
            let utc = DataType::Timestamp(*unit_of_type, None);
            let sums = from_wall_clock(sums, &utc)?;
            in_zone(&sums, zone)
        }
        _ => from_wall_clock(sums, to),
    }
}

/// Numbers that count from 1970 in UTC, as moments shown in a zone.
fn in_zone(times: &ArrayRef, zone: &Arc<str>) -> Result<ArrayRef> {
    let data = times.to_data();
    let data_type = match times.data_type() {
        DataType::Timestamp(unit, _) => DataType::Timestamp(*unit, Some(Arc::clone(zone))),
        other => other.clone(),
    };
    Ok(arrow::array::make_array(data.into_builder().data_type(data_type).build()?))
}

fn difference(unit: Unit, from: &ArrayRef, to: &ArrayRef) -> Result<ArrayRef> {
    let is_moment = |times: &ArrayRef| matches!(times.data_type(), DataType::Timestamp(_, Some(_)));
    let is_exact = unit.millis().is_some() && is_moment(from) && is_moment(to);
    let clock = |times| if is_exact { WallClock::utc(times) } else { WallClock::new(times) };
    let (first, second) = (clock(from)?, clock(to)?);
    let counts = (0..from.len()).map(|row| {
        // An INT, which wraps.
        Some(unit.between(first.get(row)?, second.get(row)?) as i32)
    });
    Ok(Arc::new(counts.collect::<Int32Array>()))
}

/// Times of a wall clock in a type of time; NULL where there is no such time in it.
pub(super) fn from_wall_clock(
    times: Vec<Option<NaiveDateTime>>,
    to: &DataType,
) -> Result<ArrayRef> {
    let times = times.into_iter();
    Ok(match to {
        DataType::Date32 => {
            Arc::new(times.map(|time| Some(time?.date().to_epoch_days())).collect::<Date32Array>())
        }
        DataType::Time32(TimeUnit::Millisecond) => {
            let millis = |time: NaiveDateTime| {
                let time = time.time();
                let seconds = i32::try_from(time.num_seconds_from_midnight()).unwrap_or(0);
                seconds * 1_000 + i32::try_from(time.nanosecond() / 1_000_000).unwrap_or(0)
            };
            Arc::new(times.map(|time| time.map(millis)).collect::<Time32MillisecondArray>())
        }
        DataType::Timestamp(unit, name) => {
            let zone = name.as_ref().map(|name| zone(name)).transpose()?;
            let moments = times.map(|time| match zone {
                None => Some(time?.and_utc()),
                Some(zone) => moment(zone, time?).map(|time| time.to_utc()),
            });
            let name = name.clone();
            match unit {
                TimeUnit::Millisecond => {
                    let array: TimestampMillisecondArray =
                        moments.map(|time| Some(time?.timestamp_millis())).collect();
                    Arc::new(array.with_timezone_opt(name))
                }
                TimeUnit::Microsecond => {
                    let array: TimestampMicrosecondArray =
                        moments.map(|time| Some(time?.timestamp_micros())).collect();
                    Arc::new(array.with_timezone_opt(name))
                }
                TimeUnit::Nanosecond => {
                    let array: TimestampNanosecondArray =
                        moments.map(|time| time?.timestamp_nanos_opt()).collect();
                    Arc::new(array.with_timezone_opt(name))
                }
                TimeUnit::Second => return exec_err!("no column keeps seconds"),
            }
        }
        other => return exec_err!("{other} is not a time"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> NaiveDateTime {
        super::super::pattern::parse_standard(text).expect("a time")
    }

    #[test]
    fn units_begin_and_end_where_the_calendar_says() {
        let at = time("2024-05-17 10:42:31.5");
        for (unit, floor, ceil) in [
            ("SECOND", "2024-05-17 10:42:31", "2024-05-17 10:42:32"),
            ("MINUTE", "2024-05-17 10:42", "2024-05-17 10:43"),
            ("HOUR", "2024-05-17 10:00", "2024-05-17 11:00"),
            ("DAY", "2024-05-17", "2024-05-18"),
            ("WEEK", "2024-05-12", "2024-05-19"),
            ("MONTH", "2024-05-01", "2024-06-01"),
            ("QUARTER", "2024-04-01", "2024-07-01"),
            ("YEAR", "2024-01-01", "2025-01-01"),
            ("DECADE", "2020-01-01", "2030-01-01"),
            ("CENTURY", "2001-01-01", "2101-01-01"),
            ("MILLENNIUM", "2001-01-01", "3001-01-01"),
        ] {
            let of = Unit::from_name(unit).expect("a unit");
            assert_eq!(of.floor(at), Some(time(floor)), "{unit}");
            assert_eq!(of.ceil(at), Some(time(ceil)), "{unit}");
            assert_eq!(of.ceil(time(floor)), Some(time(floor)), "{unit}");
        }
    }

    #[test]
    fn months_are_whole() {
        for (from, to, months) in [
            ("2024-01-31", "2024-02-29", 0),
            ("2024-01-15", "2024-03-15", 2),
            ("2024-01-15 12:00", "2024-03-15 11:59", 1),
            ("2024-03-15", "2024-01-16", -1),
        ] {
            assert_eq!(Unit::Months(1).between(time(from), time(to)), months, "{from} {to}");
        }
        assert_eq!(Unit::Months(12).between(time("2020-02-29"), time("2024-02-28")), 3);
        assert_eq!(Unit::Week.between(time("2024-01-01"), time("2024-01-14")), 1);
    }
}
