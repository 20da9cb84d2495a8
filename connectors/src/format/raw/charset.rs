//! Charsets by Java's names: those that every Java has are written out here, all others are left
//! to the Encoding Standard, which reads a few of the former differently.

use std::borrow::Cow;

use encoding_rs::Encoding;

/// How a text is written as bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Charset {
    Utf8,
    Ascii,
    Latin1,
    /// Two bytes a unit; without an order it is read by the mark in front, or big-endian, and
    /// written big-endian behind a mark.
    Utf16(Option<Order>),
    Other(&'static Encoding),
}

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

const NOT_IN_CHARSET: &str = "it is not valid in the charset";

impl Charset {
    /// The charset with this name; upper and lower case do not matter.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Charset::Utf8,
            "US-ASCII" | "ASCII" => Charset::Ascii,
            "ISO-8859-1" | "ISO8859_1" | "LATIN1" => Charset::Latin1,
            "UTF-16" | "UTF16" => Charset::Utf16(None),
            "UTF-16BE" => Charset::Utf16(Some(Order::Big)),
            "UTF-16LE" => Charset::Utf16(Some(Order::Little)),
            _ => Charset::Other(Encoding::for_label_no_replacement(name.as_bytes())?),
        })
    }

    /// Whether a newline is one byte, which stands for nothing else.
    pub(super) fn has_ascii_line_ends(self) -> bool {
        match self {
            Charset::Utf16(_) => false,
            Charset::Other(encoding) => encoding.is_ascii_compatible(),
            _ => true,
        }
    }

    /// The text that the bytes stand for, or why there is none.
    pub(super) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, String> {
        let wrong = || NOT_IN_CHARSET.to_owned();
        Ok(match self {
            Charset::Utf8 => {
                Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| "it is not valid UTF-8")?)
            }
            Charset::Ascii if !bytes.is_ascii() => return Err(wrong()),
            Charset::Ascii | Charset::Latin1 => bytes.iter().copied().map(char::from).collect(),
            Charset::Utf16(order) => Cow::Owned(utf16(bytes, order).ok_or_else(wrong)?),
            Charset::Other(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(bytes)
                .ok_or_else(wrong)?,
        })
    }

    /// Appends the bytes of a text; a character that the charset lacks is an error.
    pub(super) fn encode(self, text: &str, out: &mut Vec<u8>) -> Result<(), String> {
        let lacks = || Err(format!("the charset has no way to write \"{}\"", excerpt(text)));
        match self {
            Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
            Charset::Ascii if !text.is_ascii() => return lacks(),
            Charset::Ascii => out.extend_from_slice(text.as_bytes()),
            Charset::Latin1 => {
                let start = out.len();
                for character in text.chars() {
                    let Ok(byte) = u8::try_from(u32::from(character)) else {
                        out.truncate(start);
                        return lacks();
                    };
                    out.push(byte);
                }
            }
            Charset::Utf16(order) => {
                if order.is_none() && !text.is_empty() {
                    out.extend([0xFE, 0xFF]);
                }
                for unit in text.encode_utf16() {
                    match order {
                        Some(Order::Little) => out.extend(unit.to_le_bytes()),
                        _ => out.extend(unit.to_be_bytes()),
                    }
                }
            }
            Charset::Other(encoding) => {
                let (bytes, _, had_unmappable) = encoding.encode(text);
                if had_unmappable {
                    return lacks();
                }
                out.extend_from_slice(&bytes);
            }
        }
        Ok(())
    }
}

fn utf16(bytes: &[u8], order: Option<Order>) -> Option<String> {
    let (bytes, order) = match (order, bytes) {
        (None, [0xFF, 0xFE, rest @ ..]) => (rest, Order::Little),
        (None, [0xFE, 0xFF, rest @ ..]) => (rest, Order::Big),
        (order, bytes) => (bytes, order.unwrap_or(Order::Big)),
    };
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    let units = units.iter().map(|unit| match order {
        Order::Big => u16::from_be_bytes(*unit),
        Order::Little => u16::from_le_bytes(*unit),
    });
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_and_read_back() {
        for (name, text, bytes) in [
            ("UTF-8", "é", &b"\xC3\xA9"[..]),
            ("iso-8859-1", "é\u{80}", b"\xE9\x80"),
            ("windows-1252", "€", b"\x80"),
            ("UTF-16", "é", b"\xFE\xFF\x00\xE9"),
            ("UTF-16LE", "😀", b"\x3D\xD8\x00\xDE"),
            ("UTF-16BE", "a", b"\x00a"),
            ("Shift_JIS", "日", b"\x93\xFA"),
            ("US-ASCII", "a", b"a"),
        ] {
            let charset = Charset::named(name).expect(name);
            let mut out = Vec::new();
            charset.encode(text, &mut out).expect(name);
            assert_eq!(out, bytes, "{name}");
            assert_eq!(charset.decode(bytes).expect(name), text, "{name}");
        }
        assert_eq!(Charset::named("no-such"), None);
        let utf16 = Charset::Utf16(None);
        assert_eq!(utf16.decode(b"\xFF\xFEa\x00").expect("by its mark"), "a");
    }

    #[test]
    fn what_is_not_in_the_charset_is_an_error() {
        for (name, bytes) in [
            ("UTF-8", &b"\xFF"[..]),
            ("US-ASCII", b"\x80"),
            ("UTF-16BE", b"\x00"),
            ("UTF-16BE", b"\xD8\x00"),
            ("Shift_JIS", b"\x93"),
        ] {
            Charset::named(name).expect(name).decode(bytes).expect_err(name);
        }
        for (name, text) in [("ISO-8859-1", "€"), ("US-ASCII", "é"), ("windows-1252", "日")] {
            let mut out = b"before".to_vec();
            Charset::named(name).expect(name).encode(text, &mut out).expect_err(name);
            assert_eq!(out, b"before", "{name}");
        }
    }
}
