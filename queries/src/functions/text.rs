//! Functions of text, as Flink means them. Positions count characters from 1.

use super::index::{Body, functions, rows};
use super::printf::printf;
use super::rewrite::{Meaning, Rewrite};
use super::rows::{Given, Gives, Outcome, RowFunction, Take, Value};

/// A question about a value, which may be NULL.
const fn seeing_nulls(takes: &'static [Take], each: fn(&[Value<'_>]) -> Outcome) -> Body {
    Body::Rows(RowFunction::new(takes, 1, Gives::Bool, each).with_nulls())
}

const ONE: &[Take] = &[Take::Text];
const TWO: &[Take] = &[Take::Text, Take::Text];
const THREE: &[Take] = &[Take::Text, Take::Text, Take::Text];
const TEXT_INT: &[Take] = &[Take::Text, Take::Int];
const SUBSTRING: Body = rows(&[Take::Text, Take::Int, Take::Int], 2, Gives::Text, substring);
const CONCAT_WS: Body =
    Body::Rows(RowFunction::new(TWO, 1, Gives::Text, concat_ws).variadic().with_nulls());
const PRINTF: Body = Body::Rows(
    RowFunction::new(&[Take::Text, Take::Plain], 1, Gives::Text, printf).variadic().with_nulls(),
);
const ELT: Body = Body::Rows(
    RowFunction::new(&[Take::Int, Take::Text], 2, Gives::Text, elt).variadic().with_nulls(),
);

functions! { FUNCTIONS, Text:
    "CHAR_LENGTH", "CHAR_LENGTH(s) → INT", "The number of characters.",
        "CHAR_LENGTH('Köln')", "4", rows(ONE, 1, Gives::Int, char_length);
    "CHARACTER_LENGTH", "CHARACTER_LENGTH(s) → INT", "The same as CHAR_LENGTH.",
        "CHARACTER_LENGTH('')", "0", rows(ONE, 1, Gives::Int, char_length);
    "OCTET_LENGTH", "OCTET_LENGTH(s or bytes) → INT", "The number of bytes. Flink does not have it.",
        "OCTET_LENGTH('Köln')", "5", rows(&[Take::TextOrBytes], 1, Gives::Int, octet_length);
    "UPPER", "UPPER(s) → STRING", "The text in capitals.",
        "UPPER('Köln')", "KÖLN", rows(ONE, 1, Gives::Text, |a| Ok(a[0].text().to_uppercase().into()));
    "LOWER", "LOWER(s) → STRING", "The text in small letters.",
        "LOWER('Köln')", "köln", rows(ONE, 1, Gives::Text, |a| Ok(a[0].text().to_lowercase().into()));
    "INITCAP", "INITCAP(s) → STRING",
        "Each word begins with a capital and goes on in small letters; words are of letters and digits.",
        "INITCAP('new YORK')", "New York", Body::Theirs(datafusion_functions::unicode::initcap);
    "TRIM", "TRIM([[BOTH | LEADING | TRAILING] [chars] FROM] s) → STRING",
        "Without these characters (blanks, if none are given) at its ends.",
        "TRIM(LEADING '0' FROM '0070')", "70", rows(TWO, 1, Gives::Text, |a| trim(a, true, true));
    "BTRIM", "BTRIM(s[, chars]) → STRING", "Without these characters, or blanks, at both ends.",
        "BTRIM('xyabcx', 'xy')", "abc", rows(TWO, 1, Gives::Text, |a| trim(a, true, true));
    "LTRIM", "LTRIM(s[, chars]) → STRING", "Without these characters, or blanks, at the start.",
        "LTRIM('  abc')", "abc", rows(TWO, 1, Gives::Text, |a| trim(a, true, false));
    "RTRIM", "RTRIM(s[, chars]) → STRING", "Without these characters, or blanks, at the end.",
        "RTRIM('1.500', '0')", "1.5", rows(TWO, 1, Gives::Text, |a| trim(a, false, true));
    "SUBSTRING", "SUBSTRING(s FROM n [FOR length]), SUBSTRING(s, n[, length]) → STRING",
        "From the n-th character on; a negative n counts from the end, 0 is the start. NULL if the length is negative.",
        "SUBSTRING('stream', -3, 2)", "ea", SUBSTRING;
    "SUBSTR", "SUBSTR(s, n[, length]) → STRING", "The same as SUBSTRING.",
        "SUBSTR('stream', 3)", "ream", SUBSTRING;
    "LEFT", "LEFT(s, n) → STRING", "The first n characters; empty if n is negative.",
        "LEFT('stream', 3)", "str", rows(TEXT_INT, 2, Gives::Text, left);
    "RIGHT", "RIGHT(s, n) → STRING", "The last n characters; empty if n is negative.",
        "RIGHT('stream', 3)", "eam", rows(TEXT_INT, 2, Gives::Text, right);
    "LPAD", "LPAD(s, length, pad) → STRING",
        "Filled up in front, or cut, to this length. NULL if the length is negative or the pad empty.",
        "LPAD('7', 3, '0')", "007", rows(&[Take::Text, Take::Int, Take::Text], 3, Gives::Text, |a| pad(a, true));
    "RPAD", "RPAD(s, length, pad) → STRING",
        "Filled up behind, or cut, to this length. NULL if the length is negative or the pad empty.",
        "RPAD('ab', 5, 'xy')", "abxyx", rows(&[Take::Text, Take::Int, Take::Text], 3, Gives::Text, |a| pad(a, false));
    "REPEAT", "REPEAT(s, n) → STRING", "The text n times.",
        "REPEAT('ab', 3)", "ababab", rows(TEXT_INT, 2, Gives::Text, repeat);
    "REVERSE", "REVERSE(s) → STRING", "From the last character to the first.",
        "REVERSE('abc')", "cba", rows(ONE, 1, Gives::Text, |a| Ok(a[0].text().chars().rev().collect::<String>().into()));
    "REPLACE", "REPLACE(s, old, new) → STRING", "With every `old` replaced by `new`.",
        "REPLACE('ababab', 'abab', 'z')", "zab",
        rows(THREE, 3, Gives::Text, |a| Ok(a[0].text().replace(a[1].text(), a[2].text()).into()));
    "TRANSLATE", "TRANSLATE(s, from, to) → STRING",
        "Each character of `from` becomes the one at its place in `to`, or nothing if there is none.",
        "TRANSLATE('a-b_c', '-_', '+')", "a+bc", rows(THREE, 3, Gives::Text, translate);
    "OVERLAY", "OVERLAY(s PLACING new FROM n [FOR length]) → STRING",
        "With `new` in place of so many characters (the length of `new`) from the n-th on.",
        "OVERLAY('xxxxxtest' PLACING 'xxxx' FROM 6 FOR 2)", "xxxxxxxxxst",
        rows(&[Take::Text, Take::Text, Take::Int, Take::Int], 3, Gives::Text, overlay);
    "POSITION", "POSITION(x IN s) → INT", "Where x is first found in s; 0 if it is not.",
        "POSITION('b' IN 'abcb')", "2", Body::Syntax;
    "INSTR", "INSTR(s, x) → INT", "Where x is first found in s; 0 if it is not.",
        "INSTR('stream', 'ea')", "4", rows(TWO, 2, Gives::Int, |a| Ok(find(a[1].text(), a[0].text(), 1).into()));
    "LOCATE", "LOCATE(x, s[, from]) → INT", "Where x is first found in s from this position on; 0 if it is not.",
        "LOCATE('b', 'abcb', 3)", "4", rows(&[Take::Text, Take::Text, Take::Int], 2, Gives::Int, locate);
    "CONCAT", "CONCAT(a, …) → STRING", "One text behind the other; NULL if one is NULL.",
        "CONCAT('a', '-', 1)", "a-1", Body::Rewrite(Rewrite::new(Meaning::Concat, 1, usize::MAX));
    "CONCAT_WS", "CONCAT_WS(separator, a, …) → STRING",
        "The texts that are not NULL with the separator between them; NULL if the separator is.",
        "CONCAT_WS('~', 'a', NULL, '', 'b')", "a~~b", CONCAT_WS;
    "SPLIT_INDEX", "SPLIT_INDEX(s, delimiter, n) → STRING",
        "The n-th part from 0; NULL if there is none. The delimiter may be the number of a character.",
        "SPLIT_INDEX('a,b,,c', ',', 3)", "c",
        rows(&[Take::Text, Take::IntOrText, Take::Int], 3, Gives::Text, split_index);
    "SPLIT_PART", "SPLIT_PART(s, delimiter, n) → STRING",
        "The n-th part from 1, from the end if n is negative; empty if there is none. Flink does not have it.",
        "SPLIT_PART('a/b/c', '/', 2)", "b", Body::Theirs(datafusion_functions::string::split_part);
    "SPLIT", "SPLIT(s, delimiter) → ARRAY<STRING>",
        "All parts; the characters if the delimiter is empty.",
        "SPLIT('a,b,,c', ',')", "[a, b, , c]", rows(TWO, 2, Gives::Texts, split);
    "STARTSWITH", "STARTSWITH(s, x) → BOOLEAN", "Whether s begins with x; both are text or both BYTES.",
        "STARTSWITH('stream', 'str')", "true",
        rows(&[Take::TextOrBytes, Take::TextOrBytes], 2, Gives::Bool, |a| Ok(a[0].bytes().starts_with(a[1].bytes()).into()));
    "ENDSWITH", "ENDSWITH(s, x) → BOOLEAN", "Whether s ends with x; both are text or both BYTES.",
        "ENDSWITH('stream', 'x')", "false",
        rows(&[Take::TextOrBytes, Take::TextOrBytes], 2, Gives::Bool, |a| Ok(a[0].bytes().ends_with(a[1].bytes()).into()));
    "CONTAINS", "CONTAINS(s, x) → BOOLEAN", "Whether x is in s. Flink does not have it.",
        "CONTAINS('stream', 'rea')", "true", rows(TWO, 2, Gives::Bool, |a| Ok(a[0].text().contains(a[1].text()).into()));
    "LEVENSHTEIN", "LEVENSHTEIN(a, b) → INT", "How many characters differ. Flink does not have it.",
        "LEVENSHTEIN('kitten', 'sitting')", "3", rows(TWO, 2, Gives::Int, |a| Ok(strsim::levenshtein(a[0].text(), a[1].text()).into()));
    "ASCII", "ASCII(s) → INT", "The number of the first byte, which is negative beyond 127; 0 of an empty text.",
        "ASCII('abc')", "97", rows(ONE, 1, Gives::Int, ascii);
    "CHR", "CHR(n) → STRING", "The character of this number modulo 256; empty if n is negative.",
        "CHR(353)", "a", rows(&[Take::Int], 1, Gives::Text, chr);
    "ELT", "ELT(n, a, …) → STRING", "The n-th of the texts; NULL if there is none.",
        "ELT(2, 'a', 'b')", "b", ELT;
    "PRINTF", "PRINTF(format, …) → STRING",
        "Java's String.format with %s, %d, %x, %o, %f, %e, %b, %c, %% and flags, width, precision; NULL if the format is wrong.",
        "PRINTF('%05.1f|%-4s|%d', 2.5e0, 'ab', 7)", "002.5|ab  |7", PRINTF;
    "IS_ALPHA", "IS_ALPHA(s) → BOOLEAN", "Whether all characters are letters, and there is one.",
        "IS_ALPHA('abc1')", "false", seeing_nulls(ONE, |a| all(a[0], char::is_alphabetic));
    "IS_DIGIT", "IS_DIGIT(s or integer) → BOOLEAN", "Whether all characters are digits, and there is one.",
        "IS_DIGIT('42')", "true", seeing_nulls(&[Take::Plain], is_digit);
    "IS_DECIMAL", "IS_DECIMAL(s or number) → BOOLEAN", "Whether the text can be read as a number.",
        "IS_DECIMAL('-1.5e3')", "true", seeing_nulls(&[Take::Plain], is_decimal);
}

fn char_length(a: &[Value<'_>]) -> Outcome {
    Ok(a[0].text().chars().count().into())
}

fn octet_length(a: &[Value<'_>]) -> Outcome {
    Ok(a[0].bytes().len().into())
}

/// The characters between two positions from 0.
fn slice(text: &str, from: usize, count: usize) -> &str {
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let Some(start) = starts.nth(from) else { return "" };
    let end = if count == 0 { Some(start) } else { starts.nth(count - 1) };
    &text[start..end.unwrap_or(text.len())]
}

fn to_usize(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn substring(a: &[Value<'_>]) -> Outcome {
    let (text, from) = (a[0].text(), a[1].int());
    let count = a.get(2).map_or(i64::MAX, Value::int);
    if count < 0 {
        return Ok(Given::Null);
    }
    let start = match from {
        0 => 0,
        1.. => to_usize(from - 1),
        _ => {
            let length = text.chars().count();
            match length.checked_sub(usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX)) {
                Some(start) => start,
                None => return Ok("".into()),
            }
        }
    };
    Ok(slice(text, start, to_usize(count)).into())
}

fn left(a: &[Value<'_>]) -> Outcome {
    Ok(slice(a[0].text(), 0, to_usize(a[1].int())).into())
}

fn right(a: &[Value<'_>]) -> Outcome {
    let (text, count) = (a[0].text(), to_usize(a[1].int()));
    let length = text.chars().count();
    Ok(slice(text, length.saturating_sub(count), count.min(length)).into())
}

/// Texts of more characters than this are a mistake, and would take all memory.
const MOST_CHARACTERS: usize = 16 << 20;

fn pad(a: &[Value<'_>], in_front: bool) -> Outcome {
    let (text, length, pad) = (a[0].text(), a[1].int(), a[2].text());
    if length < 0 || pad.is_empty() {
        return Ok(Given::Null);
    }
    let length = to_usize(length);
    if length > MOST_CHARACTERS {
        return Err(format!("a text of {length} characters is too long"));
    }
    let own = text.chars().count();
    if own >= length {
        return Ok(slice(text, 0, length).into());
    }
    let filling: String = pad.chars().cycle().take(length - own).collect();
    Ok(if in_front { filling + text } else { text.to_owned() + &filling }.into())
}

fn repeat(a: &[Value<'_>]) -> Outcome {
    let (text, times) = (a[0].text(), to_usize(a[1].int()));
    match text.len().checked_mul(times) {
        Some(bytes) if bytes <= MOST_CHARACTERS => Ok(text.repeat(times).into()),
        _ => Err(format!("{times} times this text is too long")),
    }
}

fn trim(a: &[Value<'_>], start: bool, end: bool) -> Outcome {
    let chars = a.get(1).map_or(" ", Value::text);
    let mut text = a[0].text();
    if start {
        text = text.trim_start_matches(|c| chars.contains(c));
    }
    if end {
        text = text.trim_end_matches(|c| chars.contains(c));
    }
    Ok(text.into())
}

fn translate(a: &[Value<'_>]) -> Outcome {
    let (from, to): (Vec<char>, Vec<char>) =
        (a[1].text().chars().collect(), a[2].text().chars().collect());
    let translated =
        a[0].text().chars().filter_map(|c| match from.iter().position(|other| *other == c) {
            Some(place) => to.get(place).copied(),
            None => Some(c),
        });
    Ok(translated.collect::<String>().into())
}

fn overlay(a: &[Value<'_>]) -> Outcome {
    let (text, new, from) = (a[0].text(), a[1].text(), a[2].int());
    let all = text.chars().count();
    if from <= 0 || to_usize(from) > all {
        return Ok(text.into());
    }
    let start = to_usize(from) - 1;
    let count = a.get(3).map_or_else(|| new.chars().count() as i64, Value::int);
    let behind = start.saturating_add(to_usize(count));
    let rest = if count > 0 && behind < all { slice(text, behind, all - behind) } else { "" };
    Ok(format!("{}{new}{rest}", slice(text, 0, start)).into())
}

/// Where `x` is in `text` from a position on; 0 if it is not.
fn find(x: &str, text: &str, from: i64) -> usize {
    let skipped = to_usize(from - 1);
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let Some(start) = starts.nth(skipped) else { return 0 };
    match text[start..].find(x) {
        Some(at) => skipped + text[start..start + at].chars().count() + 1,
        None => 0,
    }
}

fn locate(a: &[Value<'_>]) -> Outcome {
    let from = a.get(2).map_or(1, Value::int);
    Ok(find(a[0].text(), a[1].text(), from).into())
}

fn concat_ws(a: &[Value<'_>]) -> Outcome {
    let Value::Text(separator) = a[0] else { return Ok(Given::Null) };
    let texts: Vec<&str> =
        a[1..].iter().filter(|value| **value != Value::Null).map(Value::text).collect();
    Ok(texts.join(separator).into())
}

fn split_index(a: &[Value<'_>]) -> Outcome {
    let text = a[0].text();
    let Ok(index) = usize::try_from(a[2].int()) else { return Ok(Given::Null) };
    if text.is_empty() {
        return Ok(Given::Null);
    }
    let part = match a[1] {
        Value::Int(number) => match u8::try_from(number) {
            Ok(byte @ 1..) => text.split(char::from(byte)).nth(index),
            _ => None,
        },
        // Without a delimiter Flink's parts are between blanks.
        Value::Text("") => text.split_whitespace().nth(index),
        delimiter => text.split(delimiter.text()).nth(index),
    };
    Ok(part.into())
}

fn split(a: &[Value<'_>]) -> Outcome {
    let (text, delimiter) = (a[0].text(), a[1].text());
    let parts = if delimiter.is_empty() {
        text.chars().map(|c| Some(c.to_string())).collect()
    } else {
        text.split(delimiter).map(|part| Some(part.to_owned())).collect()
    };
    Ok(Given::Texts(parts))
}

fn ascii(a: &[Value<'_>]) -> Outcome {
    let first = a[0].text().bytes().next().unwrap_or(0);
    Ok(i64::from(first.cast_signed()).into())
}

fn chr(a: &[Value<'_>]) -> Outcome {
    let number = a[0].int();
    let byte = u8::try_from(number & 0xFF).unwrap_or(0);
    Ok(if number < 0 { String::new() } else { char::from(byte).to_string() }.into())
}

fn elt(a: &[Value<'_>]) -> Outcome {
    let Value::Int(index) = a[0] else { return Ok(Given::Null) };
    Ok(
        match usize::try_from(index).ok().filter(|index| *index > 0).and_then(|index| a.get(index))
        {
            Some(Value::Text(text)) => (*text).into(),
            _ => Given::Null,
        },
    )
}

/// Whether there are characters, and all are of this kind; a NULL has none.
fn all(value: Value<'_>, is_one: fn(char) -> bool) -> Outcome {
    Ok((!value.text().is_empty() && value.text().chars().all(is_one)).into())
}

fn is_digit(a: &[Value<'_>]) -> Outcome {
    match a[0] {
        Value::Int(_) => Ok(true.into()),
        other => all(other, char::is_numeric),
    }
}

fn is_decimal(a: &[Value<'_>]) -> Outcome {
    Ok(match a[0] {
        Value::Int(_) | Value::Double(_) => true,
        // What Java's Double reads: blanks around it, but no `inf` in small letters.
        Value::Text(text) => {
            let text = text.trim();
            text.parse::<f64>().is_ok()
                && (!text.contains(['i', 'I', 'n', 'N'])
                    || matches!(text.trim_start_matches(['+', '-']), "NaN" | "Infinity"))
        }
        _ => false,
    }
    .into())
}
