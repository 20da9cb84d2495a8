//! Columns of single values, filled from text: what all text formats have in common.
//!
//! What text is taken for which type follows Flink's JSON format, so that a file that one reads
//! the other reads with the same result.

pub(crate) mod name;
pub(crate) mod number;
pub(crate) mod time;

use std::ops::Range;
use std::str::from_utf8;
use std::sync::Arc;

use arrow::array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, BooleanBufferBuilder, NullBufferBuilder, PrimitiveArray,
    StringArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use self::number::{Decimal, decimal, integer, short_integer, trim};
use self::time::{Moment, TimestampParser, TimestampStandard, date_days, time_of_day_ms};

/// A timestamp array of a unit; each unit is a type of its own.
macro_rules! zoned {
    ($kind:ty, $values:expr, $nulls:expr, $zone:expr) => {
        Arc::new(taken::<$kind>($values, $nulls).with_timezone_opt($zone))
    };
}

/// Why a value is not one of the column's type; may be empty where the type says it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch(pub &'static str);

const OUT_OF_RANGE: Mismatch = Mismatch("it is out of range");
const OTHER: Mismatch = Mismatch("");

/// A column that is being filled.
///
/// A value that is refused leaves the column as it was.
pub(crate) struct ScalarColumn {
    validity: NullBufferBuilder,
    values: Values,
}

/// The values of a column; a null has one too, which nobody reads.
enum Values {
    Boolean(BooleanBufferBuilder),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal { values: Vec<i128>, precision: u8, scale: i8 },
    Date(Vec<i32>),
    Time(Vec<i32>),
    Timestamp { values: Vec<i64>, unit: TimeUnit, zone: Option<Arc<str>>, parser: TimestampParser },
    Text(Bytes),
    Bytes(Bytes),
}

/// Values of varying length, one behind the other; `ends[i]` is where value `i` ends.
#[derive(Default)]
struct Bytes {
    ends: Vec<i32>,
    bytes: Vec<u8>,
}

impl Bytes {
    #[inline]
    fn push(&mut self, value: &[u8]) -> Result<(), Mismatch> {
        let end = i32::try_from(self.bytes.len() + value.len())
            .map_err(|_| Mismatch("the batch would hold more than 2 GiB of it"))?;
        self.bytes.extend_from_slice(value);
        self.ends.push(end);
        Ok(())
    }

    fn push_empty(&mut self) {
        self.ends.push(self.ends.last().copied().unwrap_or(0));
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.bytes.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        let next = Vec::with_capacity(self.bytes.len());
        let bytes = std::mem::replace(&mut self.bytes, next);
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(bytes))
    }
}

impl ScalarColumn {
    /// An empty column; `None` if values of this type are not single.
    pub(crate) fn new(data_type: &DataType, standard: TimestampStandard) -> Option<Self> {
        let values = match data_type {
            DataType::Boolean => Values::Boolean(BooleanBufferBuilder::new(0)),
            DataType::Int8 => Values::Int8(Vec::new()),
            DataType::Int16 => Values::Int16(Vec::new()),
            DataType::Int32 => Values::Int32(Vec::new()),
            DataType::Int64 => Values::Int64(Vec::new()),
            DataType::Float32 => Values::Float32(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::Decimal128(precision, scale) => {
                Values::Decimal { values: Vec::new(), precision: *precision, scale: *scale }
            }
            DataType::Date32 => Values::Date(Vec::new()),
            DataType::Time32(TimeUnit::Millisecond) => Values::Time(Vec::new()),
            DataType::Timestamp(unit, zone) => Values::Timestamp {
                values: Vec::new(),
                unit: *unit,
                zone: zone.clone(),
                parser: TimestampParser::new(standard, zone.is_some()),
            },
            DataType::Utf8 => Values::Text(Bytes::default()),
            DataType::Binary => Values::Bytes(Bytes::default()),
            _ => return None,
        };
        Some(ScalarColumn { validity: NullBufferBuilder::new(0), values })
    }

    /// Number of values, nulls among them.
    pub(crate) fn len(&self) -> usize {
        self.validity.len()
    }

    /// Whether its values are STRINGs: what takes any JSON value.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.values, Values::Text(_))
    }

    /// The values from `from` on of a STRING column.
    pub(crate) fn texts_from(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        let text = match &self.values {
            Values::Text(text) => Some(text),
            _ => None,
        };
        text.into_iter().flat_map(move |text| {
            (from..text.ends.len()).map(move |i| {
                let start = i.checked_sub(1).map_or(0, |before| text.ends[before] as usize);
                &text.bytes[start..text.ends[i] as usize]
            })
        })
    }

    /// Adds a null.
    pub(crate) fn push_null(&mut self) {
        self.validity.append_null();
        match &mut self.values {
            Values::Boolean(values) => values.append(false),
            Values::Int8(values) => values.push(0),
            Values::Int16(values) => values.push(0),
            Values::Int32(values) | Values::Date(values) | Values::Time(values) => values.push(0),
            Values::Int64(values) | Values::Timestamp { values, .. } => values.push(0),
            Values::Float32(values) => values.push(0.0),
            Values::Float64(values) => values.push(0.0),
            Values::Decimal { values, .. } => values.push(0),
            Values::Text(bytes) | Values::Bytes(bytes) => bytes.push_empty(),
        }
    }

    /// Adds a value that is text: a JSON string without its quotes and escapes, or a CSV field.
    #[inline]
    pub(crate) fn push_text(&mut self, text: &[u8]) -> Result<(), Mismatch> {
        match &mut self.values {
            Values::Text(values) => {
                from_utf8(text).map_err(|_| Mismatch("it is not valid UTF-8"))?;
                values.push(text)?;
            }
            Values::Timestamp { values, unit, parser, .. } => {
                values.push(in_unit(parser.parse(text)?, *unit)?);
            }
            Values::Bytes(values) => {
                let decoded = BASE64.decode(text).map_err(|_| Mismatch("it is not base64"))?;
                values.push(&decoded)?;
            }
            Values::Date(values) => values.push(date_days(text).ok_or(OTHER)?),
            Values::Time(values) => values.push(time_of_day_ms(text).ok_or(OTHER)?),
            // Java's parseBoolean: what is not "true" is false.
            Values::Boolean(values) => values.append(trim(text).eq_ignore_ascii_case(b"true")),
            Values::Decimal { .. } => return self.push_decimal(trim(text)),
            Values::Int8(_) | Values::Int16(_) | Values::Int32(_) | Values::Int64(_) => {
                let text = trim(text);
                return self.push_integer(text.strip_prefix(b"+").unwrap_or(text));
            }
            Values::Float32(_) | Values::Float64(_) => return self.push_float(trim(text)),
        }
        self.validity.append_non_null();
        Ok(())
    }

    /// Adds the text of a JSON string without escapes, which has no control characters.
    #[inline]
    pub(crate) fn push_json_text(&mut self, text: &[u8]) -> Result<(), Mismatch> {
        let Values::Text(values) = &mut self.values else {
            return self.push_text(text);
        };
        if !is_printable_ascii(text) {
            if text.iter().any(|byte| *byte < b' ') {
                return Err(Mismatch("a control character in a string must be escaped"));
            }
            return self.push_text(text);
        }
        values.push(text)?;
        self.validity.append_non_null();
        Ok(())
    }

    /// Adds a value that is a JSON number: the bytes `place` of `record`.
    #[inline]
    pub(crate) fn push_number(
        &mut self,
        record: &[u8],
        place: Range<usize>,
    ) -> Result<(), Mismatch> {
        // The common case first: an integer of a few digits, which goes faster in its place.
        if let Some(value) = short_integer(record, &place)
            && self.push_i64(value).is_ok()
        {
            return Ok(());
        }
        let text = &record[place];
        match &self.values {
            Values::Int64(_) | Values::Int32(_) => match self.push_integer(text) {
                Ok(()) => Ok(()),
                // A fraction is cut off, as in Flink; narrower types refuse it, as in Flink.
                Err(refusal) => self.push_integer_of_float(text, refusal),
            },
            Values::Int8(_) | Values::Int16(_) => self.push_integer(text),
            Values::Float32(_) | Values::Float64(_) => self.push_float(text),
            Values::Decimal { .. } => self.push_decimal(text),
            Values::Text(_) | Values::Boolean(_) => self.push_text(text),
            Values::Timestamp { .. } | Values::Date(_) | Values::Time(_) | Values::Bytes(_) => {
                Err(Mismatch("a number is not one"))
            }
        }
    }

    /// Adds a value that is a JSON truth value.
    pub(crate) fn push_bool(&mut self, value: bool) -> Result<(), Mismatch> {
        match &mut self.values {
            Values::Boolean(values) => {
                values.append(value);
                self.validity.append_non_null();
                Ok(())
            }
            Values::Text(_) => self.push_text(if value { b"true" } else { b"false" }),
            _ => Err(OTHER),
        }
    }

    /// Whether the text is a value of the column's type as it stands, if it is one at all: whole
    /// numbers have no fraction, and truth values are `true` and `false`.
    pub(crate) fn is_exact(&self, text: &[u8]) -> bool {
        match &self.values {
            Values::Int8(_) | Values::Int16(_) | Values::Int32(_) | Values::Int64(_) => {
                !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
            }
            Values::Boolean(_) => matches!(text, b"true" | b"false"),
            _ => true,
        }
    }

    fn push_integer(&mut self, text: &[u8]) -> Result<(), Mismatch> {
        match integer(text) {
            Some(value) => self.push_i64(value),
            None => {
                let whole = text.strip_prefix(b"-").unwrap_or(text);
                let digits = !whole.is_empty() && whole.iter().all(u8::is_ascii_digit);
                Err(if digits { OUT_OF_RANGE } else { OTHER })
            }
        }
    }

    /// Adds an integer to a column of integers.
    #[inline]
    fn push_i64(&mut self, value: i64) -> Result<(), Mismatch> {
        match &mut self.values {
            Values::Int64(values) => values.push(value),
            Values::Int32(values) => values.push(value.try_into().map_err(|_| OUT_OF_RANGE)?),
            Values::Int16(values) => values.push(value.try_into().map_err(|_| OUT_OF_RANGE)?),
            Values::Int8(values) => values.push(value.try_into().map_err(|_| OUT_OF_RANGE)?),
            _ => return Err(OTHER),
        }
        self.validity.append_non_null();
        Ok(())
    }

    #[cold]
    fn push_integer_of_float(&mut self, text: &[u8], refusal: Mismatch) -> Result<(), Mismatch> {
        if !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            return Err(refusal);
        }
        let value = float::<f64>(text)?.trunc();
        match &mut self.values {
            // 2^63 itself is out, and -2^63 is in.
            Values::Int64(values) if (-TWO_TO_63..TWO_TO_63).contains(&value) => {
                values.push(value as i64);
            }
            Values::Int32(values)
                if (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value) =>
            {
                values.push(value as i32);
            }
            _ => return Err(OUT_OF_RANGE),
        }
        self.validity.append_non_null();
        Ok(())
    }

    fn push_float(&mut self, text: &[u8]) -> Result<(), Mismatch> {
        match &mut self.values {
            Values::Float64(values) => values.push(float(text)?),
            Values::Float32(values) => values.push(float(text)?),
            _ => return Err(OTHER),
        }
        self.validity.append_non_null();
        Ok(())
    }

    fn push_decimal(&mut self, text: &[u8]) -> Result<(), Mismatch> {
        let Values::Decimal { values, precision, scale } = &mut self.values else {
            return Err(OTHER);
        };
        match decimal(text, *precision, *scale).ok_or(OTHER)? {
            Decimal::Value(value) => {
                values.push(value);
                self.validity.append_non_null();
            }
            // Flink's rule: a number that does not fit into a DECIMAL is NULL.
            Decimal::TooLarge => self.push_null(),
        }
        Ok(())
    }

    /// Whether the last value is null.
    pub(crate) fn last_is_null(&self) -> bool {
        self.len().checked_sub(1).is_some_and(|last| !self.validity.is_valid(last))
    }

    /// Forgets all values from row `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.validity.truncate(rows);
        match &mut self.values {
            Values::Boolean(values) => values.truncate(rows),
            Values::Int8(values) => values.truncate(rows),
            Values::Int16(values) => values.truncate(rows),
            Values::Int32(values) | Values::Date(values) | Values::Time(values) => {
                values.truncate(rows);
            }
            Values::Int64(values) | Values::Timestamp { values, .. } => values.truncate(rows),
            Values::Float32(values) => values.truncate(rows),
            Values::Float64(values) => values.truncate(rows),
            Values::Decimal { values, .. } => values.truncate(rows),
            Values::Text(bytes) | Values::Bytes(bytes) => bytes.truncate(rows),
        }
    }

    /// Takes the values and leaves the column empty.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish();
        Ok(match &mut self.values {
            Values::Boolean(values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Int8(values) => primitive::<Int8Type>(values, nulls),
            Values::Int16(values) => primitive::<Int16Type>(values, nulls),
            Values::Int32(values) => primitive::<Int32Type>(values, nulls),
            Values::Int64(values) => primitive::<Int64Type>(values, nulls),
            Values::Float32(values) => primitive::<Float32Type>(values, nulls),
            Values::Float64(values) => primitive::<Float64Type>(values, nulls),
            Values::Decimal { values, precision, scale } => Arc::new(
                taken::<Decimal128Type>(values, nulls)
                    .with_precision_and_scale(*precision, *scale)?,
            ),
            Values::Date(values) => primitive::<Date32Type>(values, nulls),
            Values::Time(values) => primitive::<Time32MillisecondType>(values, nulls),
            Values::Timestamp { values, unit, zone, .. } => {
                let zone = zone.clone();
                match unit {
                    TimeUnit::Second => zoned!(TimestampSecondType, values, nulls, zone),
                    TimeUnit::Millisecond => zoned!(TimestampMillisecondType, values, nulls, zone),
                    TimeUnit::Microsecond => zoned!(TimestampMicrosecondType, values, nulls, zone),
                    TimeUnit::Nanosecond => zoned!(TimestampNanosecondType, values, nulls, zone),
                }
            }
            Values::Text(text) => {
                let (offsets, bytes) = text.take();
                Arc::new(StringArray::try_new(offsets, bytes, nulls)?)
            }
            Values::Bytes(bytes) => {
                let (offsets, bytes) = bytes.take();
                Arc::new(BinaryArray::try_new(offsets, bytes, nulls)?)
            }
        })
    }
}

/// Whether all bytes are printable ASCII, and so UTF-8 without control characters. Blocks of fixed
/// size become vector instructions; the last one overlaps the one before.
#[inline]
fn is_printable_ascii(text: &[u8]) -> bool {
    fn all<const N: usize>(block: &[u8; N]) -> bool {
        !block.iter().fold(false, |other, byte| other | (byte.wrapping_sub(b' ') > b'~' - b' '))
    }
    if let Some(last) = text.last_chunk::<16>() {
        return all(last) && text.as_chunks::<16>().0.iter().all(all);
    }
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => all(first) && all(last),
        _ => text.iter().all(|byte| matches!(byte, b' '..=b'~')),
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

fn float<F: std::str::FromStr>(text: &[u8]) -> Result<F, Mismatch> {
    from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(OTHER)
}

#[inline]
fn in_unit(moment: Moment, unit: TimeUnit) -> Result<i64, Mismatch> {
    let Moment { seconds, nanos } = moment;
    let nanos = i64::from(nanos);
    match unit {
        TimeUnit::Second => Ok(seconds),
        TimeUnit::Millisecond => Ok(seconds * 1000 + nanos / 1_000_000),
        TimeUnit::Microsecond => Ok(seconds * 1_000_000 + nanos / 1000),
        TimeUnit::Nanosecond => seconds
            .checked_mul(1_000_000_000)
            .and_then(|seconds| seconds.checked_add(nanos))
            .ok_or(Mismatch("nanoseconds reach from 1677 to 2262 only")),
    }
}

fn taken<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> PrimitiveArray<T> {
    // The next batch will be about as long as this one.
    let next = Vec::with_capacity(values.len());
    PrimitiveArray::new(ScalarBuffer::from(std::mem::replace(values, next)), nulls)
}

fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    Arc::new(taken::<T>(values, nulls))
}
