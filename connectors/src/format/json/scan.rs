//! Where JSON values begin and end: the one look that every byte of a record gets.
//!
//! What is only skipped is checked for its structure (strings end and hold no newlines, brackets
//! match, numbers and literals are spelled right at the top level); what a column reads is checked
//! in full when it is read ([`check`]).

use std::hint::cold_path;

use memchr::memchr3;

/// Brackets within brackets that are followed; deeper records are refused, so that no input can
/// make the decoder recurse without end.
pub(super) const MAX_DEPTH: usize = 64;

/// One in each byte of a word, and the top bit of each.
const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = ONES << 7;

/// A byte at which a record stops being JSON, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub at: usize,
    pub reason: &'static str,
}

fn fault<T>(at: usize, reason: &'static str) -> Result<T, SyntaxError> {
    cold_path();
    Err(SyntaxError { at, reason })
}

/// What kind of value a [`Span`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No value: the key did not occur.
    Missing,
    Null,
    True,
    False,
    Number,
    /// A string without escapes; the span is what is between the quotes.
    Text,
    /// A string with escapes; the span is what is between the quotes.
    EscapedText,
    Object,
    Array,
}

/// A value in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub(super) const MISSING: Span = Span { kind: Kind::Missing, start: 0, end: 0 };

    /// The bytes of the value as they stand in the record, quotes left out.
    pub(super) fn of(self, record: &[u8]) -> &[u8] {
        &record[self.start..self.end]
    }
}

/// The value that starts at `at`, and the position behind it.
///
/// With `ONE_LINE`, a newline is an error even where JSON has it as white space.
#[inline(always)]
pub(super) fn value<const ONE_LINE: bool>(
    bytes: &[u8],
    at: usize,
) -> Result<(Span, usize), SyntaxError> {
    match bytes.get(at) {
        Some(b'"') => {
            let (end, kind) = string_end(bytes, at + 1)?;
            Ok((Span { kind, start: at + 1, end }, end + 1))
        }
        Some(b'0'..=b'9' | b'-') => {
            let end = number_end(bytes, at)?;
            Ok((Span { kind: Kind::Number, start: at, end }, end))
        }
        _ => other_value::<ONE_LINE>(bytes, at),
    }
}

/// The less frequent values: objects, arrays and literals.
fn other_value<const ONE_LINE: bool>(
    bytes: &[u8],
    at: usize,
) -> Result<(Span, usize), SyntaxError> {
    let rest = bytes.get(at..).unwrap_or_default();
    let (kind, end) = match rest {
        [b'{', ..] => (Kind::Object, nested_end::<ONE_LINE>(bytes, at)?),
        [b'[', ..] => (Kind::Array, nested_end::<ONE_LINE>(bytes, at)?),
        [b't', b'r', b'u', b'e', ..] => (Kind::True, at + 4),
        [b'f', b'a', b'l', b's', b'e', ..] => (Kind::False, at + 5),
        [b'n', b'u', b'l', b'l', ..] => (Kind::Null, at + 4),
        [] => return fault(at, "it ends where a value should stand"),
        _ => return fault(at, "this is no JSON value"),
    };
    Ok((Span { kind, start: at, end }, end))
}

/// Where the string ends whose content starts at `at`: the position of the closing quote.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], at: usize) -> Result<(usize, Kind), SyntaxError> {
    let end = special(bytes, at);
    if let Some(b'"') = bytes.get(end) {
        return Ok((end, Kind::Text));
    }
    escaped_string_end(bytes, end)
}

/// Goes on where a string has its first backslash, or something that may not be in a string.
fn escaped_string_end(bytes: &[u8], mut at: usize) -> Result<(usize, Kind), SyntaxError> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok((at, Kind::EscapedText)),
            // Whatever is escaped, it does not end the string; a newline is never escaped so.
            Some(b'\\') if bytes.get(at + 1).is_some_and(|byte| *byte != b'\n') => at += 2,
            Some(b'\\') => at += 1,
            Some(_) => return fault(at, "a newline in a string must be escaped"),
            None => return fault(at, "a string lacks its closing quote"),
        }
        at = special(bytes, at);
    }
}

/// The first position from `at` on of a quote, a backslash or a newline; the length of `bytes` if
/// there is none.
///
/// The first word settles short strings. Trying more words before the call was not faster, nor
/// were blocks of 16 bytes: without intrinsics, getting a position out of a vector is slow.
#[inline(always)]
fn special(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let mut near = 0;
    if let Some(word) = rest.first_chunk::<8>() {
        let bits = special_bits(u64::from_le_bytes(*word));
        if bits != 0 {
            return at + (bits.trailing_zeros() / 8) as usize;
        }
        near = 8;
    }
    memchr3(b'"', b'\\', b'\n', &rest[near..]).map_or(bytes.len(), |far| at + near + far)
}

/// The top bit of each byte of `word` that is a quote, a backslash or a newline, from the lowest
/// on; bits above the first one mean nothing.
#[inline(always)]
fn special_bits(word: u64) -> u64 {
    // Subtracting one borrows into the top bit of bytes that are zero, unless they had it already;
    // a borrow can only spoil bytes above one that is found.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * b'"' as u64));
    let backslashes = zeros(word ^ (ONES * b'\\' as u64));
    let newlines = zeros(word ^ (ONES * b'\n' as u64));
    (quotes | backslashes | newlines) & TOPS
}

/// Where the number ends that starts at `at`, by JSON's grammar.
#[inline(always)]
pub(super) fn number_end(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    let digits_from = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    let end = digits_end(bytes, digits_from);
    if end == digits_from || (bytes[digits_from] == b'0' && end > digits_from + 1) {
        return fault(at, "a number is not spelled as JSON has it");
    }
    match bytes.get(end) {
        Some(b'.' | b'e' | b'E') => float_end(bytes, end),
        _ => Ok(end),
    }
}

fn float_end(bytes: &[u8], mut at: usize) -> Result<usize, SyntaxError> {
    if bytes.get(at) == Some(&b'.') {
        let end = digits_end(bytes, at + 1);
        if end == at + 1 {
            return fault(at, "a number ends in its point");
        }
        at = end;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        let from = at + 1 + usize::from(signed);
        let end = digits_end(bytes, from);
        if end == from {
            return fault(at, "a number lacks its exponent");
        }
        at = end;
    }
    Ok(at)
}

#[inline(always)]
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    // Eight at a time: a byte that is no digit has its top bit set, or gets it from adding 0x76.
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let digits = u64::from_le_bytes(*word) ^ (ONES * b'0' as u64);
        let others = (((digits & !TOPS) + ONES * 0x76) | digits) & TOPS;
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Where the object or array ends that starts at `at`.
///
/// Follows brackets and strings only: skipping must be cheap, and what is between them is nobody's
/// value.
fn nested_end<const ONE_LINE: bool>(bytes: &[u8], mut at: usize) -> Result<usize, SyntaxError> {
    // The open brackets, the innermost in the lowest bit: 1 for an object.
    let mut open = 0_u64;
    let mut depth = 0;
    loop {
        let Some(byte) = bytes.get(at) else {
            return fault(at, "a bracket lacks its partner");
        };
        match byte {
            b'"' => at = string_end(bytes, at + 1)?.0,
            b'{' | b'[' => {
                if depth == MAX_DEPTH {
                    return fault(at, "it is nested deeper than 64 levels");
                }
                open = open << 1 | u64::from(*byte == b'{');
                depth += 1;
            }
            b'}' | b']' => {
                if open & 1 != u64::from(*byte == b'}') {
                    return fault(at, "a bracket closes what another kind opened");
                }
                open >>= 1;
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            b'\n' if ONE_LINE => return fault(at, "a bracket lacks its partner"),
            b'\t' | b'\n' | b'\r' | b' '..=0x7E => {}
            _ => return fault(at, "this may stand only in a string"),
        }
        at += 1;
    }
}

/// The first position from `at` on that is not white space.
pub(super) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Checks the value at `at` by JSON's whole grammar, escapes and UTF-8 left to whoever reads the
/// strings; returns the position behind it. `depth` is how many brackets it stands in.
pub(super) fn check(bytes: &[u8], at: usize, depth: usize) -> Result<usize, SyntaxError> {
    let close = match bytes.get(at) {
        Some(b'{') => b'}',
        Some(b'[') => b']',
        _ => return Ok(value::<false>(bytes, at)?.1),
    };
    if depth == MAX_DEPTH {
        return fault(at, "it is nested deeper than 64 levels");
    }
    let mut at = skip_blanks(bytes, at + 1);
    if bytes.get(at) == Some(&close) {
        return Ok(at + 1);
    }
    loop {
        if close == b'}' {
            at = key(bytes, at)?.1;
        }
        at = skip_blanks(bytes, check(bytes, at, depth + 1)?);
        match bytes.get(at) {
            Some(b',') => at = skip_blanks(bytes, at + 1),
            Some(byte) if *byte == close => return Ok(at + 1),
            _ => return fault(at, "',' or a closing bracket should stand here"),
        }
    }
}

/// The key that starts at `at`, and the position of its value.
pub(super) fn key(bytes: &[u8], at: usize) -> Result<(Span, usize), SyntaxError> {
    if bytes.get(at) != Some(&b'"') {
        return fault(at, "a key in quotes should stand here");
    }
    let (end, kind) = string_end(bytes, at + 1)?;
    let colon = skip_blanks(bytes, end + 1);
    if bytes.get(colon) != Some(&b':') {
        return fault(colon, "':' should stand between a key and its value");
    }
    Ok((Span { kind, start: at + 1, end }, skip_blanks(bytes, colon + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Option<usize> {
        value::<false>(text.as_bytes(), 0).ok().map(|(_, end)| end)
    }

    #[test]
    fn values_end_where_they_end() {
        for (text, expected) in [
            ("12,", Some(2)),
            ("-0.5e+3]", Some(7)),
            ("\"ab\\\"c\" ", Some(7)),
            ("{\"a\":[1,{\"b\":\"}\"}]},", Some(19)),
            ("true", Some(4)),
            ("01", None),
            ("-", None),
            ("1.", None),
            ("1e", None),
            ("\"abc", None),
            ("\"a\nb\"", None),
            ("\"a\\\nb\"", None),
            ("\"abc\\", None),
            ("[}", None),
            ("[1", None),
            ("nul", None),
            ("", None),
        ] {
            assert_eq!(end(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_of_every_length_are_scanned_alike() {
        for length in 0..70 {
            for tail in ["", "x", "longer than sixteen bytes of tail"] {
                let text = format!("{}\"{tail}", "é".repeat(length / 2) + &"a".repeat(length % 2));
                let quote = text.find('"').expect("there is one");
                assert_eq!(string_end(text.as_bytes(), 0), Ok((quote, Kind::Text)));
                assert!(string_end(&text.as_bytes()[..quote], 0).is_err());
            }
        }
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(end(&nested(64)), Some(128));
        assert_eq!(end(&nested(65)), None);
        assert!(check(nested(64).as_bytes(), 0, 0).is_ok());
        assert!(check(nested(65).as_bytes(), 0, 0).is_err());
    }

    #[test]
    fn check_knows_the_whole_grammar() {
        let ok = |text: &str| check(text.as_bytes(), 0, 0) == Ok(text.len());
        assert!(ok("{\"a\" : [1, 2, {}], \"b\": null}"));
        for wrong in ["[1,]", "[1 2]", "{\"a\"}", "{a:1}", "{\"a\":1,}", "[tru]"] {
            assert!(!ok(wrong), "{wrong}");
        }
    }
}
