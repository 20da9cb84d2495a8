//! PRINTF: the part of Java's `String.format` that makes sense for values of SQL.

use super::rows::{Given, Outcome, Value};
use super::shown::double_text;

/// One `%…` of a format.
#[derive(Clone, Copy, Debug, Default)]
struct Directive {
    /// `n$`: the n-th argument from 1.
    argument: Option<usize>,
    is_left: bool,
    has_plus: bool,
    has_blank: bool,
    has_zeros: bool,
    has_commas: bool,
    is_alternate: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

/// Widths and precisions beyond this are a mistake.
const MOST: usize = 10_000;

/// `PRINTF(format, …)`; NULL if the format is wrong for its arguments.
pub(super) fn printf(a: &[Value<'_>]) -> Outcome {
    let Value::Text(format) = a[0] else { return Ok(Given::Null) };
    Ok(formatted(format, &a[1..]).into())
}

fn formatted(format: &str, arguments: &[Value<'_>]) -> Option<String> {
    let mut out = String::new();
    let (mut rest, mut next) = (format, 0);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (directive, behind) = directive(&rest[at + 1..])?;
        rest = behind;
        match directive.conversion {
            '%' => out.push_str(&padded("%".to_owned(), &directive)),
            'n' => out.push('\n'),
            _ => {
                let place = directive.argument.map_or(next, |place| place - 1);
                if directive.argument.is_none() {
                    next += 1;
                }
                out.push_str(&converted(&directive, *arguments.get(place)?)?);
            }
        }
    }
    out.push_str(rest);
    Some(out)
}

/// Reads what stands behind a `%`.
fn directive(text: &str) -> Option<(Directive, &str)> {
    let mut found = Directive::default();
    let mut rest = text;
    let (digits, behind) = number(rest);
    if let (Some(place @ 1..), Some(behind)) = (digits, behind.strip_prefix('$')) {
        found.argument = Some(place);
        rest = behind;
    }
    loop {
        match rest.chars().next()? {
            '-' => found.is_left = true,
            '+' => found.has_plus = true,
            ' ' => found.has_blank = true,
            '0' => found.has_zeros = true,
            ',' => found.has_commas = true,
            '#' => found.is_alternate = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    let (width, behind) = number(rest);
    found.width = width.unwrap_or(0);
    rest = behind;
    if let Some(behind) = rest.strip_prefix('.') {
        let (precision, behind) = number(behind);
        found.precision = Some(precision?);
        rest = behind;
    }
    found.conversion = rest.chars().next()?;
    let fits = found.width <= MOST && found.precision.unwrap_or(0) <= MOST;
    fits.then(|| (found, &rest[found.conversion.len_utf8()..]))
}

fn number(text: &str) -> (Option<usize>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (text[..digits].parse().ok(), &text[digits..])
}

fn converted(directive: &Directive, value: Value<'_>) -> Option<String> {
    let lower = directive.conversion.to_ascii_lowercase();
    let text = match (lower, value) {
        ('b', Value::Bool(truth)) => truth.to_string(),
        ('b', value) => (value != Value::Null).to_string(),
        (_, Value::Null) => cut("null".to_owned(), directive),
        ('s', value) => cut(shown(value)?, directive),
        ('c', Value::Text(text)) => {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())?.to_string()
        }
        ('c', Value::Int(number)) => char::from_u32(u32::try_from(number).ok()?)?.to_string(),
        ('d', Value::Int(number)) => {
            signed(number < 0, grouped(number.unsigned_abs().to_string(), directive), directive)
        }
        ('x', Value::Int(number)) => {
            zeroed(format!("{}{number:x}", prefix("0x", directive)), directive)
        }
        ('o', Value::Int(number)) => {
            zeroed(format!("{}{number:o}", prefix("0", directive)), directive)
        }
        ('f', Value::Double(number)) => {
            let digits = directive.precision.unwrap_or(6);
            let text = super::number::half_up_text(number.abs(), digits);
            signed(number.is_sign_negative(), grouped(text, directive), directive)
        }
        ('e', Value::Double(number)) => {
            let text = format!("{:.*e}", directive.precision.unwrap_or(6), number.abs());
            let (digits, exponent) = text.split_once('e')?;
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            signed(number.is_sign_negative(), format!("{digits}e{sign}{exponent:0>2}"), directive)
        }
        _ => return None,
    };
    let text = padded(text, directive);
    Some(if directive.conversion.is_ascii_uppercase() { text.to_uppercase() } else { text })
}

fn shown(value: Value<'_>) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => double_text(number),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Bytes(_) => return None,
    })
}

fn prefix(text: &'static str, directive: &Directive) -> &'static str {
    if directive.is_alternate { text } else { "" }
}

fn cut(text: String, directive: &Directive) -> String {
    match directive.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    }
}

/// With commas between groups of three digits, if they are wanted.
fn grouped(text: String, directive: &Directive) -> String {
    if !directive.has_commas {
        return text;
    }
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

fn signed(is_negative: bool, digits: String, directive: &Directive) -> String {
    let sign = match (is_negative, directive.has_plus, directive.has_blank) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    };
    let zeros = if directive.has_zeros && !directive.is_left {
        directive.width.saturating_sub(sign.len() + digits.len())
    } else {
        0
    };
    format!("{sign}{}{digits}", "0".repeat(zeros))
}

fn zeroed(digits: String, directive: &Directive) -> String {
    signed(false, digits, &Directive { has_plus: false, has_blank: false, ..*directive })
}

fn padded(text: String, directive: &Directive) -> String {
    let blanks = " ".repeat(directive.width.saturating_sub(text.chars().count()));
    if directive.is_left { text + &blanks } else { blanks + &text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_java_does() {
        let of = |format: &str, arguments: &[Value<'_>]| formatted(format, arguments);
        for (format, argument, expected) in [
            ("%d", Value::Int(-7), "-7"),
            ("%+,d", Value::Int(1_234_567), "+1,234,567"),
            ("%08.2f", Value::Double(-3.005), "-0003.01"),
            ("%.0f", Value::Double(2.5), "3"),
            ("%e", Value::Double(12345.678), "1.234568e+04"),
            ("%X", Value::Int(255), "FF"),
            ("%#x", Value::Int(255), "0xff"),
            ("%5s|", Value::Text("ab"), "   ab|"),
            ("%.1s", Value::Text("ab"), "a"),
            ("%s %<s", Value::Null, ""),
            ("100%%", Value::Null, "100%"),
            ("%s", Value::Null, "null"),
            ("%b", Value::Null, "false"),
            ("%S", Value::Bool(true), "TRUE"),
        ] {
            let expected = (!expected.is_empty()).then(|| expected.to_owned());
            assert_eq!(of(format, &[argument]), expected, "{format}");
        }
        assert_eq!(of("%2$s %1$s", &[Value::Int(1), Value::Int(2)]).as_deref(), Some("2 1"));
        for wrong in ["%d", "%", "%99999999s", "%q", "%5$s"] {
            assert_eq!(of(wrong, &[Value::Text("x")]), None, "{wrong}");
        }
    }
}
