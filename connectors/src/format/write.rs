//! Single values as text, the way Flink's text formats write them.

use std::io::Write;

use arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, TimeUnit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::scalar::time::{TimestampStandard, civil};

/// How values are written where there is a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub timestamp: TimestampStandard,
    pub decimals: Decimals,
}

/// How DECIMALs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Decimals {
    /// All digits of the type and no exponent: `100.00`.
    #[default]
    Plain,
    /// As Flink writes them: without trailing zeros, and with an exponent where that is shorter or
    /// more than six zeros would lead: `1E+2`, `1E-8`.
    Stripped,
}

/// Why writing a value cannot fail.
const IN_MEMORY: &str = "writing to memory cannot fail";

/// Appends the value of row `row`, which is not null, as bare text; false if values of this type
/// are not single.
pub(crate) fn value(array: &dyn Array, row: usize, style: Style, out: &mut Vec<u8>) -> bool {
    match array.data_type() {
        DataType::Boolean if array.as_boolean().value(row) => out.extend_from_slice(b"true"),
        DataType::Boolean => out.extend_from_slice(b"false"),
        DataType::Int8 => integer(array.as_primitive::<Int8Type>().value(row).into(), out),
        DataType::Int16 => integer(array.as_primitive::<Int16Type>().value(row).into(), out),
        DataType::Int32 => integer(array.as_primitive::<Int32Type>().value(row).into(), out),
        DataType::Int64 => integer(array.as_primitive::<Int64Type>().value(row), out),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            float(f64::from(value), &format!("{value:e}"), out);
        }
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            float(value, &format!("{value:e}"), out);
        }
        DataType::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            decimal(value, *scale, style.decimals, out);
        }
        DataType::Date32 => date(array.as_primitive::<Date32Type>().value(row).into(), out),
        DataType::Time32(TimeUnit::Millisecond) => {
            let millis = array.as_primitive::<Time32MillisecondType>().value(row);
            time_of_day(i64::from(millis) * 1_000_000, out);
        }
        DataType::Timestamp(unit, zone) => {
            timestamp(array, row, *unit, style.timestamp, out);
            if zone.is_some() {
                out.push(b'Z');
            }
        }
        DataType::Utf8 => out.extend_from_slice(array.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => {
            let encoded = BASE64.encode(array.as_binary::<i32>().value(row));
            out.extend_from_slice(encoded.as_bytes());
        }
        _ => return false,
    }
    true
}

/// Whether a value is a number or truth value in JSON, which stands there without quotes.
pub(crate) fn is_bare(array: &dyn Array, row: usize) -> bool {
    match array.data_type() {
        DataType::Boolean | DataType::Int8 | DataType::Int16 | DataType::Int32 => true,
        DataType::Int64 | DataType::Decimal128(_, _) => true,
        // JSON has no word for them, so they are strings, as in Flink.
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).is_finite(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).is_finite(),
        _ => false,
    }
}

fn integer(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut from = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        from -= 1;
        digits[from] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[from..]);
}

/// Java's spelling: `1.0`, `0.001`, `1.0E7`, `1.0E-4`, `NaN`, `Infinity`. `shortest` is the value
/// as `1.5e3`, with the fewest digits that read back the same.
fn float(value: f64, shortest: &str, out: &mut Vec<u8>) {
    if !value.is_finite() {
        let text = match (value.is_nan(), value < 0.0) {
            (true, _) => "NaN",
            (false, true) => "-Infinity",
            (false, false) => "Infinity",
        };
        return out.extend_from_slice(text.as_bytes());
    }
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    out.extend_from_slice(sign.as_bytes());
    match exponent {
        0..7 => {
            let whole = exponent as usize + 1;
            for i in 0..whole {
                out.push(digits.get(i).copied().unwrap_or(b'0'));
            }
            out.push(b'.');
            out.extend_from_slice(
                digits.get(whole..).filter(|rest| !rest.is_empty()).unwrap_or(b"0"),
            );
        }
        -3..0 => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', (-exponent - 1) as usize));
            out.extend_from_slice(&digits);
        }
        _ => {
            out.extend_from_slice(&[digits[0], b'.']);
            out.extend_from_slice(digits.get(1..).filter(|rest| !rest.is_empty()).unwrap_or(b"0"));
            write!(out, "E{exponent}").expect(IN_MEMORY);
        }
    }
}

fn decimal(mut value: i128, scale: i8, decimals: Decimals, out: &mut Vec<u8>) {
    let mut scale = i64::from(scale);
    if decimals == Decimals::Stripped {
        if value == 0 {
            scale = 0;
        }
        while value != 0 && value % 10 == 0 {
            value /= 10;
            scale -= 1;
        }
    }
    let digits = value.unsigned_abs().to_string();
    if value < 0 {
        out.push(b'-');
    }
    // BigDecimal's rule: an exponent for whole numbers that end in zeros, and once more than six
    // zeros would lead.
    let exponent = digits.len() as i64 - 1 - scale;
    if decimals == Decimals::Stripped && (scale < 0 || exponent < -6) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return write!(out, "{first}{point}{rest}E{exponent:+}").expect(IN_MEMORY);
    }
    let scale = usize::try_from(scale).unwrap_or(0);
    if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        out.extend_from_slice(whole.as_bytes());
        if scale > 0 {
            out.push(b'.');
            out.extend_from_slice(fraction.as_bytes());
        }
    } else {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', scale - digits.len()));
        out.extend_from_slice(digits.as_bytes());
    }
}

fn timestamp(
    array: &dyn Array,
    row: usize,
    unit: TimeUnit,
    standard: TimestampStandard,
    out: &mut Vec<u8>,
) {
    let (value, per_second) = match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(row), 1),
        TimeUnit::Millisecond => {
            (array.as_primitive::<TimestampMillisecondType>().value(row), 1000)
        }
        TimeUnit::Microsecond => {
            (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000)
        }
        TimeUnit::Nanosecond => {
            (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000)
        }
    };
    let seconds = value.div_euclid(per_second);
    let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    date(seconds.div_euclid(86_400), out);
    out.push(standard.separator());
    time_of_day(seconds.rem_euclid(86_400) * 1_000_000_000 + nanos, out);
}

/// `2024-01-31`; years beyond four digits have a sign, as ISO-8601 wants it.
fn date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    match year {
        0..=9999 => two(year / 100, out),
        _ => write!(out, "{}{}", if year < 0 { '-' } else { '+' }, year.abs() / 100)
            .expect(IN_MEMORY),
    }
    two(year.abs() % 100, out);
    out.push(b'-');
    two(month.into(), out);
    out.push(b'-');
    two(day.into(), out);
}

/// `12:34:56.789`, with as many digits of the second as it has, and no trailing zeros.
fn time_of_day(nanos: i64, out: &mut Vec<u8>) {
    let seconds = nanos / 1_000_000_000;
    two(seconds / 3600, out);
    out.push(b':');
    two(seconds / 60 % 60, out);
    out.push(b':');
    two(seconds % 60, out);
    let fraction = nanos % 1_000_000_000;
    if fraction != 0 {
        let mut digits = 9;
        let mut rest = fraction;
        while rest % 10 == 0 {
            rest /= 10;
            digits -= 1;
        }
        write!(out, ".{rest:0digits$}").expect(IN_MEMORY);
    }
}

fn two(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn floats_as_java_has_them() {
        let cases = [(0.0, "0.0"), (-1.5, "-1.5"), (1e7, "1.0E7"), (9_999_999.5, "9999999.5")];
        let small = [(0.001, "0.001"), (0.000_12, "1.2E-4"), (123.0, "123.0"), (1e300, "1.0E300")];
        for (value, expected) in cases.into_iter().chain(small) {
            assert_eq!(written(|out| float(value, &format!("{value:e}"), out)), expected);
        }
        assert_eq!(written(|out| float(f64::NAN, "NaN", out)), "NaN");
    }

    #[test]
    fn decimals_plain_and_not() {
        use Decimals::{Plain, Stripped};
        for (value, scale, decimals, expected) in [
            (12345, 2, Plain, "123.45"),
            (-5, 2, Plain, "-0.05"),
            (7, 0, Plain, "7"),
            (1, 8, Plain, "0.00000001"),
            (0, 2, Plain, "0.00"),
            (1, 8, Stripped, "1E-8"),
            (-125, 10, Stripped, "-1.25E-8"),
            (100_000, 0, Stripped, "1E+5"),
            (-12_300, 2, Stripped, "-123"),
            (12_000, 2, Stripped, "1.2E+2"),
            (150, 2, Stripped, "1.5"),
            (1, 6, Stripped, "0.000001"),
            (0, 2, Stripped, "0"),
        ] {
            assert_eq!(written(|out| decimal(value, scale, decimals, out)), expected);
        }
    }

    #[test]
    fn times_have_no_trailing_zeros() {
        assert_eq!(written(|out| time_of_day(3_600_000_000_000, out)), "01:00:00");
        assert_eq!(written(|out| time_of_day(123_000_000, out)), "00:00:00.123");
        assert_eq!(written(|out| time_of_day(120_000, out)), "00:00:00.00012");
        assert_eq!(written(|out| date(-1, out)), "1969-12-31");
        assert_eq!(written(|out| integer(i64::MIN, out)), i64::MIN.to_string());
    }
}
