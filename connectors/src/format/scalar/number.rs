//! Integers and decimals from digits, without a detour through floating point.

use std::ops::Range;

/// The integer that `text` is: an optional minus and digits, nothing else. `None` if it is not, or
/// does not fit.
#[inline]
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, text),
    };
    // 18 digits always fit; the rare longer ones take the checked road.
    if digits.is_empty() || digits.len() > 18 {
        return integer_checked(negative, digits);
    }
    let (eights, rest) = digits.as_chunks::<8>();
    let mut value = 0_u64;
    for eight in eights {
        value = value * 100_000_000 + eight_digits(*eight)?;
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    let value = value as i64;
    Some(if negative { -value } else { value })
}

/// The integer at `place`, if it has at most eight digits and no sign. It takes the bytes behind
/// it along, so it needs the record and not only the number.
#[inline]
pub(crate) fn short_integer(record: &[u8], place: &Range<usize>) -> Option<i64> {
    let length = place.end.wrapping_sub(place.start);
    if length.wrapping_sub(1) >= 8 {
        return None;
    }
    let word = record.get(place.start..)?.first_chunk::<8>()?;
    // Shifted up, what does not belong to it falls out, and noughts come in before its digits.
    let digits = (u64::from_le_bytes(*word) ^ 0x3030_3030_3030_3030) << (64 - 8 * length);
    sum_digits(digits).map(|value| value as i64)
}

#[cold]
fn integer_checked(negative: bool, digits: &[u8]) -> Option<i64> {
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Counted downwards, because the smallest number has no positive twin.
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    match (digits.is_empty(), negative) {
        (true, _) => None,
        (false, true) => Some(value),
        (false, false) => value.checked_neg(),
    }
}

#[inline]
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    sum_digits(u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030)
}

/// Eight digits at once, one a byte from the lowest: pairs, then quads, then the whole, each by
/// one multiplication. `None` if a byte is no digit.
#[inline]
fn sum_digits(digits: u64) -> Option<u64> {
    // A byte above 9 carries into its top bit when 0x76 is added, or has it already.
    let above = digits.wrapping_add(0x7676_7676_7676_7676) | digits;
    if above & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let quads = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((quads * 10_000 + (quads >> 32)) & 0xFFFF_FFFF)
}

/// What a text is as a DECIMAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decimal {
    /// The number, times ten to the scale.
    Value(i128),
    /// A number with more digits before the point than the type has: NULL, as in Flink.
    TooLarge,
}

/// The number that `text` is, rounded half up to `scale` digits; `None` if it is no number.
///
/// Exact for any number of digits: they are never a float on the way.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: i8) -> Option<Decimal> {
    let parts = Parts::of(text)?;
    let first = match parts.digits().position(|digit| digit != 0) {
        Some(first) => first,
        None => return Some(Decimal::Value(0)),
    };
    // How many digits, from the first that counts, stand left of the last one to keep.
    let before_point = parts.whole.len() as i64 + parts.exponent;
    let keep = before_point.saturating_add(i64::from(scale)) - first as i64;
    if keep > i64::from(precision) {
        return Some(Decimal::TooLarge);
    }
    if keep < 0 {
        return Some(Decimal::Value(0));
    }
    let keep = keep as usize;
    let mut digits = parts.digits().skip(first).chain(std::iter::repeat(0));
    let mut value = 0_i128;
    for digit in digits.by_ref().take(keep) {
        value = value * 10 + i128::from(digit);
    }
    if digits.next().is_some_and(|digit| digit >= 5) {
        value += 1;
    }
    if value >= 10_i128.pow(u32::from(precision)) {
        return Some(Decimal::TooLarge);
    }
    Some(Decimal::Value(if parts.negative { -value } else { value }))
}

/// A number's text, taken apart.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = signed(text);
        let (mantissa, exponent) = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            None => (rest, 0),
            Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
        };
        let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
            None => (mantissa, &mantissa[..0]),
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        };
        let digits = whole.iter().chain(fraction);
        if whole.len() + fraction.len() == 0 || !digits.clone().all(u8::is_ascii_digit) {
            return None;
        }
        Some(Parts { negative, whole, fraction, exponent })
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).map(|byte| byte - b'0')
    }
}

fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

/// An exponent; beyond any that matters it is cut off, so that sums with it cannot overflow.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = signed(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let fold = |value: i64, byte: &u8| (value * 10 + i64::from(byte - b'0')).min(1 << 40);
    let value = digits.iter().fold(0, fold);
    Some(if negative { -value } else { value })
}

/// `text` without ASCII blanks and control characters around it: Java's `trim`.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| *byte > b' ').unwrap_or(text.len());
    let end = text.iter().rposition(|byte| *byte > b' ').map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_length() {
        for text in ["0", "-1", "12345678", "-1234567890123", "9223372036854775807"] {
            assert_eq!(integer(text.as_bytes()), text.parse().ok(), "{text}");
        }
        assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
        for text in ["", "-", "+1", "1.0", "1234567x", "12345678x", "9223372036854775808"] {
            assert_eq!(integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact_and_rounded_half_up() {
        let value = |text: &str| decimal(text.as_bytes(), 10, 2);
        assert_eq!(value("12.345"), Some(Decimal::Value(1235)));
        assert_eq!(value("-12.345"), Some(Decimal::Value(-1235)));
        assert_eq!(value("1e3"), Some(Decimal::Value(100_000)));
        assert_eq!(value("0.005"), Some(Decimal::Value(1)));
        assert_eq!(value("0.0049"), Some(Decimal::Value(0)));
        assert_eq!(value("1e-999999999999999999999"), Some(Decimal::Value(0)));
        assert_eq!(value("000012345678.995"), Some(Decimal::Value(1_234_567_900)));
        assert_eq!(value("99999999.995"), Some(Decimal::TooLarge));
        assert_eq!(value("1e99999999999999999999"), Some(Decimal::TooLarge));
        for text in ["", ".", "-", "1e", "1.2.3", "abc", "1 2"] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
