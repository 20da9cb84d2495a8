//! Random values by type, a column at a time.

use std::sync::Arc;

use arrow::array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, ListArray, MapArray, PrimitiveArray, StringBuilder,
    StructArray, timezone::Tz,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use chrono::{DateTime, Offset, TimeZone};

use super::field::{Field, Scope};
use crate::error::Result;
use crate::random::{Random, below, mix, unit};

const DAY_MS: i64 = 86_400_000;

/// What random values of a type look like.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Boolean,
    /// Whole numbers, of decimals the unscaled ones, both ends included.
    Whole {
        min: i128,
        max: i128,
    },
    Real {
        min: f64,
        max: f64,
    },
    Text {
        length: u64,
        variable: bool,
    },
    Bytes {
        length: u64,
        variable: bool,
    },
    /// The date or the time of day now.
    Clock,
    /// At most so long before now.
    Past {
        max_past_ms: u64,
    },
    Row(Vec<Field>),
    List {
        element: Box<Field>,
        length: u64,
        variable: bool,
    },
    Map {
        key: Box<Field>,
        value: Box<Field>,
        length: u64,
        variable: bool,
    },
}

/// The time, as rows see it.
pub(super) struct Now<'a> {
    /// When a row is due, in milliseconds since the Unix epoch.
    pub(super) due_ms: &'a dyn Fn(u64) -> i64,
    /// Whose wall clock TIMESTAMP columns show; UTC if `None`.
    pub(super) zone: Option<Tz>,
}

impl Now<'_> {
    /// The session's wall clock when row `number` is due, as milliseconds since the epoch.
    fn wall_ms(&self, number: u64) -> i64 {
        let ms = (self.due_ms)(number);
        let moment = DateTime::from_timestamp_millis(ms);
        let offset = self.zone.zip(moment).map_or(0, |(zone, moment)| {
            zone.offset_from_utc_datetime(&moment.naive_utc()).fix().local_minus_utc()
        });
        ms + i64::from(offset) * 1000
    }
}

impl Shape {
    pub(super) fn new(kind: &DataType, random: Random, scope: &mut Scope<'_, '_>) -> Result<Self> {
        Ok(match kind {
            DataType::Boolean => Shape::Boolean,
            DataType::Int8 => whole(scope, i8::MIN.into(), i8::MAX.into())?,
            DataType::Int16 => whole(scope, i16::MIN.into(), i16::MAX.into())?,
            DataType::Int32 => whole(scope, i32::MIN.into(), i32::MAX.into())?,
            DataType::Int64 => whole(scope, i64::MIN.into(), i64::MAX.into())?,
            DataType::Decimal128(precision, scale) => decimal(scope, *precision, *scale)?,
            DataType::Float32 => real(scope, f32::MIN.into(), f32::MAX.into())?,
            DataType::Float64 => real(scope, f64::MIN, f64::MAX)?,
            DataType::Utf8 => {
                let (length, variable) = length(scope, 100)?;
                Shape::Text { length, variable }
            }
            DataType::Binary => {
                let (length, variable) = length(scope, 100)?;
                Shape::Bytes { length, variable }
            }
            DataType::Date32 | DataType::Time32(TimeUnit::Millisecond) => Shape::Clock,
            DataType::Timestamp(..) => {
                let key = scope.declare("max-past");
                let past = scope.options().duration(&key)?.unwrap_or_default();
                Shape::Past { max_past_ms: u64::try_from(past.as_millis()).unwrap_or(u64::MAX) }
            }
            DataType::Struct(fields) => Shape::Row(
                fields
                    .iter()
                    .map(|field| scope.part(field.name(), field.data_type(), random))
                    .collect::<Result<_>>()?,
            ),
            DataType::List(element) => {
                let (length, variable) = length(scope, 3)?;
                let element = Box::new(scope.part("element", element.data_type(), random)?);
                Shape::List { element, length, variable }
            }
            DataType::Map(entries, _) => map(entries.data_type(), random, scope)?,
            other => {
                let key = scope.declare("kind");
                let reason = format!("values of type {other} cannot be made up");
                return Err(scope.options().error(&key, reason, None));
            }
        })
    }
}

fn whole(scope: &mut Scope<'_, '_>, least: i128, greatest: i128) -> Result<Shape> {
    let parse = |text: &str| text.trim().parse::<i128>().ok();
    let (min, max) = range(scope, least, greatest, "a whole number of the type", parse)?;
    Ok(Shape::Whole { min, max })
}

fn decimal(scope: &mut Scope<'_, '_>, precision: u8, scale: i8) -> Result<Shape> {
    let greatest = 10i128.pow(u32::from(precision)) - 1;
    let factor = 10f64.powi(i32::from(scale));
    let parse = |text: &str| {
        let value: f64 = text.trim().parse().ok()?;
        value.is_finite().then(|| (value * factor).round() as i128)
    };
    let (min, max) = range(scope, -greatest, greatest, "a number of the type", parse)?;
    Ok(Shape::Whole { min, max })
}

fn real(scope: &mut Scope<'_, '_>, least: f64, greatest: f64) -> Result<Shape> {
    let parse = |text: &str| text.trim().parse().ok().filter(|value: &f64| value.is_finite());
    let (min, max) = range(scope, least, greatest, "a number of the type", parse)?;
    Ok(Shape::Real { min, max })
}

/// The options `min` and `max`.
fn range<T: PartialOrd + Copy + std::fmt::Display>(
    scope: &mut Scope<'_, '_>,
    least: T,
    greatest: T,
    noun: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<(T, T)> {
    let (min_key, max_key) = (scope.declare("min"), scope.declare("max"));
    let options = scope.options();
    let read = |key: &str, default: T| {
        let Some(text) = options.text(key) else { return Ok(default) };
        let inside = parse(text).filter(|value| *value >= least && *value <= greatest);
        inside.ok_or_else(|| options.error(key, format!("`{text}` is not {noun}"), None))
    };
    let (min, max) = (read(&min_key, least)?, read(&max_key, greatest)?);
    if min > max {
        let reason = format!("the least value {min} is above the greatest {max}");
        return Err(options.error(&min_key, reason, None));
    }
    Ok((min, max))
}

/// The options `length` and `var-len`.
fn length(scope: &mut Scope<'_, '_>, default: u64) -> Result<(u64, bool)> {
    let (length_key, variable_key) = (scope.declare("length"), scope.declare("var-len"));
    let options = scope.options();
    // The default of the options' table is that of strings; collections are shorter.
    let length = if options.is_set(&length_key) { options.at_least(&length_key, 1)? } else { None };
    let length = length.unwrap_or(default);
    if length > 1 << 24 {
        let reason = format!("{length} is more than 16777216");
        return Err(options.error(&length_key, reason, None));
    }
    Ok((length, options.bool(&variable_key)?))
}

fn map(entries: &DataType, random: Random, scope: &mut Scope<'_, '_>) -> Result<Shape> {
    let DataType::Struct(fields) = entries else {
        unreachable!("entries of an Arrow map are a struct")
    };
    let (length, variable) = length(scope, 3)?;
    let key = Box::new(scope.part("key", fields[0].data_type(), random)?);
    let value = Box::new(scope.part("value", fields[1].data_type(), random)?);
    Ok(Shape::Map { key, value, length, variable })
}

/// Random values of Arrow type `kind` for the rows with these numbers.
pub(super) fn random(
    shape: &Shape,
    kind: &DataType,
    random: Random,
    numbers: &[u64],
    now: &Now<'_>,
) -> std::result::Result<ArrayRef, ArrowError> {
    Ok(match shape {
        Shape::Boolean => {
            Arc::new(BooleanArray::from_iter(numbers.iter().map(|n| Some(random.at(*n) & 1 == 1))))
        }
        Shape::Whole { min, max } => whole_array(kind, *min, *max, random, numbers),
        Shape::Real { min, max } => real_array(kind, *min, *max, random, numbers),
        Shape::Text { length, variable } => {
            let mut text = StringBuilder::new();
            for n in numbers {
                let seed = random.at(*n);
                text.append_value(hexadecimal(seed, sized(seed, *length, *variable)));
            }
            Arc::new(text.finish())
        }
        Shape::Bytes { length, variable } => {
            let mut bytes = BinaryBuilder::new();
            for n in numbers {
                let seed = random.at(*n);
                let length = sized(seed, *length, *variable);
                bytes.append_value((0..length).map(|i| mix(seed ^ i) as u8).collect::<Vec<_>>());
            }
            Arc::new(bytes.finish())
        }
        Shape::Clock if *kind == DataType::Date32 => {
            primitive::<Date32Type>(numbers, |n| now.wall_ms(n).div_euclid(DAY_MS) as i32)
        }
        Shape::Clock => primitive::<Time32MillisecondType>(numbers, |n| {
            now.wall_ms(n).rem_euclid(DAY_MS) as i32
        }),
        Shape::Past { max_past_ms } => {
            let past = |n| below(random.at(n), max_past_ms.saturating_add(1)) as i64;
            timestamps(kind, numbers, now, &past)
        }
        Shape::Row(fields) => {
            let DataType::Struct(columns) = kind else { unreachable!("a row is a struct") };
            let arrays =
                fields.iter().zip(columns).map(|(f, c)| f.array(c.data_type(), numbers, now));
            let arrays = arrays.collect::<std::result::Result<Vec<_>, _>>()?;
            Arc::new(StructArray::try_new(columns.clone(), arrays, None)?)
        }
        Shape::List { element, length, variable } => {
            let DataType::List(item) = kind else { unreachable!("an array is a list") };
            let (inner, offsets) = inner_numbers(random, numbers, *length, *variable);
            let values = element.array(item.data_type(), &inner, now)?;
            Arc::new(ListArray::try_new(item.clone(), offsets, values, None)?)
        }
        Shape::Map { key, value, length, variable } => {
            let DataType::Map(entries, sorted) = kind else { unreachable!("a map is a map") };
            let DataType::Struct(columns) = entries.data_type() else {
                unreachable!("entries of an Arrow map are a struct")
            };
            let (inner, offsets) = inner_numbers(random, numbers, *length, *variable);
            let keys = key.array(columns[0].data_type(), &inner, now)?;
            let values = value.array(columns[1].data_type(), &inner, now)?;
            let pairs = StructArray::try_new(columns.clone(), vec![keys, values], None)?;
            Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, None, *sorted)?)
        }
    })
}

fn primitive<T: ArrowPrimitiveType>(numbers: &[u64], value: impl Fn(u64) -> T::Native) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::from_iter_values(numbers.iter().map(|n| value(*n))))
}

fn whole_array(kind: &DataType, min: i128, max: i128, random: Random, numbers: &[u64]) -> ArrayRef {
    // The width of the range fits, because both ends fit into the type and decimals have at most
    // 38 digits; a range of all 64-bit numbers needs one bit more than a number has.
    let width = max.wrapping_sub(min).cast_unsigned().saturating_add(1);
    let value = |n: u64| {
        let high = random.at(n);
        let offset = if width <= u128::from(u64::MAX) {
            u128::from(below(high, width as u64))
        } else {
            (u128::from(high) << 64 | u128::from(mix(high))) % width
        };
        min.wrapping_add_unsigned(offset)
    };
    match kind {
        DataType::Int8 => primitive::<Int8Type>(numbers, |n| value(n) as i8),
        DataType::Int16 => primitive::<Int16Type>(numbers, |n| value(n) as i16),
        DataType::Int32 => primitive::<Int32Type>(numbers, |n| value(n) as i32),
        DataType::Decimal128(..) => {
            let values = numbers.iter().map(|n| value(*n));
            let array = PrimitiveArray::<Decimal128Type>::from_iter_values(values);
            Arc::new(array.with_data_type(kind.clone()))
        }
        _ => primitive::<Int64Type>(numbers, |n| value(n) as i64),
    }
}

fn real_array(kind: &DataType, min: f64, max: f64, random: Random, numbers: &[u64]) -> ArrayRef {
    // Weighted ends instead of a width, which would overflow for the whole range of a type.
    let value = |n: u64| {
        let share = unit(random.at(n));
        min * (1.0 - share) + max * share
    };
    match kind {
        DataType::Float32 => primitive::<Float32Type>(numbers, |n| value(n) as f32),
        _ => primitive::<Float64Type>(numbers, value),
    }
}

fn timestamps(
    kind: &DataType,
    numbers: &[u64],
    now: &Now<'_>,
    past_ms: &dyn Fn(u64) -> i64,
) -> ArrayRef {
    let DataType::Timestamp(unit, zone) = kind else { unreachable!("the caller checked the type") };
    // A zoned column holds moments, one without a zone what a clock on the wall shows.
    let at_ms = |n: u64| {
        let now_ms = if zone.is_some() { (now.due_ms)(n) } else { now.wall_ms(n) };
        now_ms.saturating_sub(past_ms(n))
    };
    fn array<T>(numbers: &[u64], zone: &Option<Arc<str>>, at: impl Fn(u64) -> i64) -> ArrayRef
    where
        T: arrow::array::types::ArrowTimestampType,
    {
        let values = numbers.iter().map(|n| at(*n));
        let array = PrimitiveArray::<T>::from_iter_values(values);
        Arc::new(array.with_timezone_opt(zone.clone()))
    }
    match unit {
        TimeUnit::Second => {
            array::<TimestampSecondType>(numbers, zone, |n| at_ms(n).div_euclid(1000))
        }
        TimeUnit::Millisecond => array::<TimestampMillisecondType>(numbers, zone, at_ms),
        TimeUnit::Microsecond => {
            array::<TimestampMicrosecondType>(numbers, zone, |n| at_ms(n).saturating_mul(1000))
        }
        TimeUnit::Nanosecond => {
            array::<TimestampNanosecondType>(numbers, zone, |n| at_ms(n).saturating_mul(1_000_000))
        }
    }
}

fn sized(seed: u64, length: u64, variable: bool) -> u64 {
    if variable { 1 + below(mix(seed ^ length), length) } else { length }
}

fn hexadecimal(seed: u64, length: u64) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |i: u64| {
        let word = mix(seed.wrapping_add(i / 16));
        char::from(DIGITS[(word >> (i % 16 * 4) & 15) as usize])
    };
    (0..length).map(digit).collect()
}

/// Numbers of the elements of collections, and where each collection ends.
fn inner_numbers(
    random: Random,
    numbers: &[u64],
    length: u64,
    variable: bool,
) -> (Vec<u64>, OffsetBuffer<i32>) {
    let mut inner = Vec::new();
    let lengths: Vec<usize> = numbers
        .iter()
        .map(|n| {
            let seed = random.at(*n);
            let count = sized(seed, length, variable);
            inner.extend((0..count).map(|i| mix(seed.wrapping_add(i))));
            count as usize
        })
        .collect();
    (inner, OffsetBuffer::from_lengths(lengths))
}
