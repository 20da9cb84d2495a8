//! Hashes, encodings and URLs.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::index::{Body, functions, rows};
use super::rows::{Given, Gives, Outcome, Take, Value};

const ONE: &[Take] = &[Take::Text];
const TEXT_OR_BYTES: &[Take] = &[Take::TextOrBytes];

const fn hash(each: fn(&[Value<'_>]) -> Outcome) -> Body {
    rows(TEXT_OR_BYTES, 1, Gives::Text, each)
}

functions! { FUNCTIONS, Bytes:
    "MD5", "MD5(s) → STRING", "The MD5 hash in hexadecimal digits.",
        "MD5('abc')", "900150983cd24fb0d6963f7d28e17f72", hash(|a| Ok(digits::<Md5>(a[0].bytes()).into()));
    "SHA1", "SHA1(s) → STRING", "The SHA-1 hash in hexadecimal digits.",
        "SHA1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d", hash(|a| Ok(digits::<Sha1>(a[0].bytes()).into()));
    "SHA224", "SHA224(s) → STRING", "The SHA-224 hash in hexadecimal digits.",
        "SHA224('abc')", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        hash(|a| Ok(digits::<Sha224>(a[0].bytes()).into()));
    "SHA256", "SHA256(s) → STRING", "The SHA-256 hash in hexadecimal digits.",
        "SHA256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        hash(|a| Ok(digits::<Sha256>(a[0].bytes()).into()));
    "SHA384", "SHA384(s) → STRING", "The SHA-384 hash in hexadecimal digits.",
        "LEFT(SHA384('abc'), 16)", "cb00753f45a35e8b", hash(|a| Ok(digits::<Sha384>(a[0].bytes()).into()));
    "SHA512", "SHA512(s) → STRING", "The SHA-512 hash in hexadecimal digits.",
        "LEFT(SHA512('abc'), 16)", "ddaf35a193617aba", hash(|a| Ok(digits::<Sha512>(a[0].bytes()).into()));
    "SHA2", "SHA2(s, bits) → STRING", "The hash of the SHA-2 family with 224, 256, 384 or 512 bits.",
        "SHA2('abc', 256) = SHA256('abc')", "true", rows(&[Take::TextOrBytes, Take::Int], 2, Gives::Text, sha2);
    "HEX", "HEX(n or s) → STRING", "An integer, or the bytes of a text, in hexadecimal digits.",
        "HEX('hello')", "68656C6C6F", rows(&[Take::IntOrText], 1, Gives::Text, hex);
    "UNHEX", "UNHEX(s) → BYTES",
        "The bytes of hexadecimal digits; NULL if there are other signs. The first of an odd number of digits counts as 0.",
        "DECODE(UNHEX('466C'), 'UTF-8')", "Fl", rows(ONE, 1, Gives::Bytes, unhex);
    "TO_BASE64", "TO_BASE64(s) → STRING", "The bytes of the text in base64.",
        "TO_BASE64('hello world')", "aGVsbG8gd29ybGQ=", hash(|a| Ok(BASE64.encode(a[0].bytes()).into()));
    "FROM_BASE64", "FROM_BASE64(s) → STRING", "The text that the base64 stands for.",
        "FROM_BASE64('aGVsbG8gd29ybGQ=')", "hello world", rows(ONE, 1, Gives::Text, from_base64);
    "ENCODE", "ENCODE(s, charset) → BYTES",
        "The text as bytes of US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE or UTF-16LE.",
        "OCTET_LENGTH(ENCODE('Köln', 'UTF-16LE'))", "8", rows(&[Take::Text, Take::Text], 2, Gives::Bytes, encode);
    "DECODE", "DECODE(bytes, charset) → STRING", "Bytes as text; the charsets are those of ENCODE.",
        "DECODE(ENCODE('Köln', 'UTF-16'), 'UTF-16')", "Köln", rows(&[Take::Bytes, Take::Text], 2, Gives::Text, decode);
    "URL_ENCODE", "URL_ENCODE(s) → STRING", "As application/x-www-form-urlencoded.",
        "URL_ENCODE('a b&c=ü')", "a+b%26c%3D%C3%BC", rows(ONE, 1, Gives::Text, url_encode);
    "URL_DECODE", "URL_DECODE(s) → STRING", "What URL_ENCODE made; NULL if it is none.",
        "URL_DECODE('a+b%26c')", "a b&c", rows(ONE, 1, Gives::Text, url_decode);
    "PARSE_URL", "PARSE_URL(url, part[, key]) → STRING",
        "HOST, PATH, QUERY, REF, PROTOCOL, AUTHORITY, FILE or USERINFO of a URL; of QUERY the value of a key. NULL if there is none.",
        "PARSE_URL('http://a.org/p?k=v&l=w#r', 'QUERY', 'l')", "w",
        rows(&[Take::Text, Take::Text, Take::Text], 2, Gives::Text, parse_url);
    "UUID", "UUID() → STRING", "A random UUID (version 4).",
        "CHAR_LENGTH(UUID())", "36", Body::Theirs(datafusion_functions::string::uuid);
}

fn hex_text(bytes: &[u8], capitals: bool) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = if capitals { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
        text
    })
}

fn digits<D: Digest>(bytes: &[u8]) -> String {
    hex_text(&D::digest(bytes), false)
}

fn sha2(a: &[Value<'_>]) -> Outcome {
    let bytes = a[0].bytes();
    Ok(match a[1].int() {
        224 => digits::<Sha224>(bytes),
        256 => digits::<Sha256>(bytes),
        384 => digits::<Sha384>(bytes),
        512 => digits::<Sha512>(bytes),
        other => return Err(format!("SHA-2 has 224, 256, 384 or 512 bits, not {other}")),
    }
    .into())
}

fn hex(a: &[Value<'_>]) -> Outcome {
    Ok(match a[0] {
        Value::Int(number) => format!("{number:X}"),
        text => hex_text(text.bytes(), true),
    }
    .into())
}

fn unhex(a: &[Value<'_>]) -> Outcome {
    let digits: Option<Vec<u8>> = a[0]
        .text()
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let Some(digits) = digits else { return Ok(Given::Null) };
    let (odd, pairs) = digits.split_at(digits.len() % 2);
    // Flink reads the odd digit, and forgets it.
    let mut bytes = vec![0; odd.len()];
    bytes.extend(pairs.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    Ok(bytes.into())
}

fn from_base64(a: &[Value<'_>]) -> Outcome {
    let bytes = BASE64.decode(a[0].text()).map_err(|error| format!("no base64: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}

/// The charsets of ENCODE and DECODE.
#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    Utf16(Option<Endian>),
}

#[derive(Clone, Copy)]
enum Endian {
    Big,
    Little,
}

fn charset(name: &str) -> Result<Charset, String> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "US-ASCII" | "ASCII" => Charset::Ascii,
        "ISO-8859-1" | "LATIN1" => Charset::Latin1,
        "UTF-8" | "UTF8" => Charset::Utf8,
        "UTF-16" => Charset::Utf16(None),
        "UTF-16BE" => Charset::Utf16(Some(Endian::Big)),
        "UTF-16LE" => Charset::Utf16(Some(Endian::Little)),
        _ => {
            let known = "US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE or UTF-16LE";
            return Err(format!("there is no charset `{name}`, but {known}"));
        }
    })
}

/// Says what is wrong with the name of a charset.
///
/// # Errors
/// As it says.
pub(super) fn check_charset(name: &str) -> Result<(), String> {
    charset(name).map(drop)
}

fn encode(a: &[Value<'_>]) -> Outcome {
    let text = a[0].text();
    let narrow = |last: char| {
        let byte =
            |c: char| if c <= last { u8::try_from(u32::from(c)).unwrap_or(b'?') } else { b'?' };
        text.chars().map(byte).collect::<Vec<u8>>()
    };
    Ok(match charset(a[1].text())? {
        Charset::Ascii => narrow('\x7F'),
        Charset::Latin1 => narrow('\u{FF}'),
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Utf16(Some(Endian::Little)) => {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        Charset::Utf16(endian) => {
            // As in Java, the general one begins with its byte order.
            let mark = endian.is_none().then_some(0xFEFF);
            mark.into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect()
        }
    }
    .into())
}

fn decode(a: &[Value<'_>]) -> Outcome {
    let bytes = a[0].bytes();
    Ok(match charset(a[1].text())? {
        Charset::Ascii => {
            let c = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{FFFD}' };
            bytes.iter().map(c).collect()
        }
        Charset::Latin1 => bytes.iter().copied().map(char::from).collect(),
        Charset::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Charset::Utf16(endian) => {
            let (endian, bytes) = match (endian, bytes) {
                (None, [0xFF, 0xFE, rest @ ..]) => (Endian::Little, rest),
                (None, [0xFE, 0xFF, rest @ ..]) => (Endian::Big, rest),
                (endian, bytes) => (endian.unwrap_or(Endian::Big), bytes),
            };
            let unit = |pair: &[u8]| match (endian, pair) {
                (Endian::Big, [a, b]) => u16::from_be_bytes([*a, *b]),
                (Endian::Little, [a, b]) => u16::from_le_bytes([*a, *b]),
                _ => 0xFFFD,
            };
            String::from_utf16_lossy(&bytes.chunks(2).map(unit).collect::<Vec<u16>>())
        }
    }
    .into())
}

fn url_encode(a: &[Value<'_>]) -> Outcome {
    let mut out = String::new();
    for byte in a[0].text().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    Ok(out.into())
}

fn url_decode(a: &[Value<'_>]) -> Outcome {
    let (mut out, mut rest) = (Vec::new(), a[0].text().as_bytes());
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                let byte = digits
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let Some(byte) = byte else { return Ok(Given::Null) };
                out.push(byte);
                rest = &behind[2..];
            }
            other => out.push(*other),
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned().into())
}

/// The parts of a URL as they are written; `None` if it is none.
struct Url<'a> {
    protocol: &'a str,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    reference: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Url<'a>> {
        let (protocol, rest) = text.trim().split_once(':')?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if !protocol.starts_with(|c: char| c.is_ascii_alphabetic())
            || !protocol.chars().all(is_name)
        {
            return None;
        }
        let cut = |text: &'a str, sign| match text.split_once(sign) {
            Some((before, behind)) => (before, Some(behind)),
            None => (text, None),
        };
        let (rest, reference) = cut(rest, '#');
        let (rest, query) = cut(rest, '?');
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        Some(Url { protocol, authority, path, query, reference })
    }

    fn host(&self) -> &'a str {
        let host = self.authority.rsplit_once('@').map_or(self.authority, |(_, host)| host);
        match host.find(']') {
            Some(end) => &host[..=end],
            None => host.split_once(':').map_or(host, |(host, _)| host),
        }
    }
}

fn parse_url(a: &[Value<'_>]) -> Outcome {
    let Some(url) = Url::parse(a[0].text()) else { return Ok(Given::Null) };
    if let Some(key) = a.get(2) {
        if a[1].text() != "QUERY" {
            return Ok(Given::Null);
        }
        let mut pairs = url.query.unwrap_or_default().split('&');
        let value = pairs.find_map(|pair| pair.strip_prefix(key.text())?.strip_prefix('='));
        return Ok(value.into());
    }
    Ok(match a[1].text() {
        "HOST" => url.host().into(),
        "PATH" => url.path.into(),
        "QUERY" => url.query.into(),
        "REF" => url.reference.into(),
        "PROTOCOL" => url.protocol.to_ascii_lowercase().into(),
        "AUTHORITY" => Some(url.authority).filter(|authority| !authority.is_empty()).into(),
        "FILE" => match url.query {
            Some(query) => format!("{}?{query}", url.path).into(),
            None => url.path.into(),
        },
        "USERINFO" => url.authority.rsplit_once('@').map(|(user, _)| user).into(),
        _ => Given::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        let url = "https://me:pw@a.org:8080/p/q.html?k=v&kk=w#top";
        for (part, expected) in [
            ("HOST", "a.org"),
            ("PATH", "/p/q.html"),
            ("QUERY", "k=v&kk=w"),
            ("REF", "top"),
            ("PROTOCOL", "https"),
            ("AUTHORITY", "me:pw@a.org:8080"),
            ("FILE", "/p/q.html?k=v&kk=w"),
            ("USERINFO", "me:pw"),
        ] {
            let given = parse_url(&[Value::Text(url), Value::Text(part)]);
            assert_eq!(given, Ok(expected.into()), "{part}");
        }
        for none in ["no url", "://x", ""] {
            assert_eq!(parse_url(&[Value::Text(none), Value::Text("HOST")]), Ok(Given::Null));
        }
        let key = parse_url(&[Value::Text(url), Value::Text("QUERY"), Value::Text("kk")]);
        assert_eq!(key, Ok("w".into()));
    }
}
