//! JSON strings: taking escapes out and putting them in, and JSON values as text.

use std::io::Write;

use super::scan::{SyntaxError, string_end};

/// Appends what the content of a JSON string stands for; `at` is where it starts in the record,
/// for messages. Control characters may stand in it only as escapes.
pub(super) fn unescape(content: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    if let Some(control) = content.iter().position(|byte| *byte < b' ') {
        let reason = "a control character in a string must be escaped";
        return Err(SyntaxError { at: at + control, reason });
    }
    let mut position = 0;
    while let Some(backslash) = memchr::memchr(b'\\', &content[position..]) {
        let backslash = position + backslash;
        out.extend_from_slice(&content[position..backslash]);
        let error = SyntaxError { at: at + backslash, reason: "this escape is not JSON's" };
        let byte = match content.get(backslash + 1).ok_or(error)? {
            byte @ (b'"' | b'\\' | b'/') => *byte,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (character, length) = unicode(&content[backslash..]).ok_or(error)?;
                let mut utf8 = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                position = backslash + length;
                continue;
            }
            _ => return Err(error),
        };
        out.push(byte);
        position = backslash + 2;
    }
    out.extend_from_slice(&content[position..]);
    Ok(())
}

/// The character that `\uXXXX`, or a pair of them, at the start of `text` stands for, and the
/// length of it. Half of a surrogate pair is no character.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let first = unit(text)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = unit(&text[6..])?;
    if !(0xD800..0xDC00).contains(&first) || !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    let combined = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    char::from_u32(combined).map(|character| (character, 12))
}

/// The number in `\uXXXX` at the start of `text`.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// Appends `text` as a JSON string, quotes included.
pub(crate) fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut written = 0;
    for (i, byte) in text.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0C => b"\\f",
            0..0x20 => &[],
            _ => continue,
        };
        out.extend_from_slice(&text[written..i]);
        written = i + 1;
        if escape.is_empty() {
            write!(out, "\\u{byte:04x}").expect("writing to memory cannot fail");
        } else {
            out.extend_from_slice(escape);
        }
    }
    out.extend_from_slice(&text[written..]);
    out.push(b'"');
}

/// Appends a JSON value that has been checked, without the white space around its tokens and with
/// no more escapes than needed: what a STRING column has for an object or array.
///
/// `at` is where it starts in the record, for messages.
pub(super) fn compact(value: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let mut plain = Vec::new();
    let mut position = 0;
    while let Some(byte) = value.get(position) {
        match byte {
            b'"' => {
                let start = position + 1;
                let (end, _) = string_end(value, start)?;
                plain.clear();
                unescape(&value[start..end], at + start, &mut plain)?;
                write_string(&plain, out);
                position = end;
            }
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => out.push(*byte),
        }
        position += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(content: &str) -> Option<String> {
        let mut out = Vec::new();
        unescape(content.as_bytes(), 0, &mut out).ok()?;
        Some(String::from_utf8(out).expect("UTF-8 in, UTF-8 out"))
    }

    #[test]
    fn escapes_stand_for_characters() {
        assert_eq!(unescaped(r#"a\"\\\/\b\f\n\r\tz"#).as_deref(), Some("a\"\\/\u{8}\u{c}\n\r\tz"));
        assert_eq!(unescaped(r"\u00e9\u20AC\ud83d\ude00").as_deref(), Some("é€😀"));
        for wrong in
            [r"\x", r"\u12", r"\u12g4", r"\ud83d", r"\ud83dx", r"\ude00", r"\ud83d\u0041", r"\"]
        {
            assert_eq!(unescaped(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn written_strings_read_back() {
        let text: String = (0..0x200).filter_map(char::from_u32).chain("\"\\😀".chars()).collect();
        let mut written = Vec::new();
        write_string(text.as_bytes(), &mut written);
        let read: String = serde_json::from_slice(&written).expect("it is JSON");
        assert_eq!(read, text);
    }
}
