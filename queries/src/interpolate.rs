//! `${NAME}` in the strings of WITH and SET.
//!
//! Values are put in after the text has been parsed, into one string: whatever stands in a
//! variable, it cannot become SQL. Messages name the variable and never show its value.
//!
//! | written | becomes |
//! |---|---|
//! | `${NAME}` | the variable; an error if it is not set |
//! | `${NAME:-default}` | the variable; the default if it is not set or empty |
//! | `${file:/run/secrets/x}` | what is in the file, without the line end behind it |
//! | `$${` | `${` |

use std::io::Read;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::statement::Spanned;

/// A file that is larger is not meant as the value of an option.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Puts values into a string literal.
///
/// # Errors
/// If a variable is not set, a file cannot be read, or a `${…}` is malformed; about the whole
/// literal, since quotes inside of it make places in the value and in the text differ.
pub(crate) fn literal(
    literal: Spanned<String>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Spanned<String>, Box<Diagnostic>> {
    match interpolate(&literal.node, env) {
        Ok(node) => Ok(Spanned { node, span: literal.span }),
        Err(diagnostic) => Err(Box::new(diagnostic.at(literal.span))),
    }
}

fn interpolate(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Diagnostic> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        if rest[..dollar].ends_with('$') {
            result.push_str(&rest[..dollar - 1]);
            result.push_str("${");
            rest = &rest[dollar + 2..];
            continue;
        }
        result.push_str(&rest[..dollar]);
        let Some(length) = rest[dollar..].find('}') else {
            let diagnostic = Diagnostic::error(codes::BAD_VARIABLE, "`${` is not closed");
            return Err(diagnostic.hint("close it with `}`; `$${` stands for a plain `${`"));
        };
        result.push_str(&value_of(&rest[dollar + 2..dollar + length], env)?);
        rest = &rest[dollar + length + 1..];
    }
    result.push_str(rest);
    Ok(result)
}

/// The value of what stands in the braces.
fn value_of(inside: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Diagnostic> {
    if let Some(path) = inside.strip_prefix("file:") {
        return file(path);
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let is_name = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.starts_with(|c: char| !c.is_ascii_digit())
    };
    if !is_name(name) {
        let message = format!("`{name}` is not the name of a variable");
        return Err(Diagnostic::error(codes::BAD_VARIABLE, message)
            .hint("write ${NAME}, ${NAME:-default} or ${file:/path}"));
    }
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => {
            let message = format!("the variable `{name}` is not set");
            Err(Diagnostic::error(codes::VARIABLE_UNSET, message)
                .hint(format!("set it, or give a default: ${{{name}:-default}}")))
        }
    }
}

/// What is in a file, without the line end behind it.
fn file(path: &str) -> Result<String, Diagnostic> {
    let unreadable = |why: String| {
        Diagnostic::error(codes::FILE_UNREADABLE, format!("cannot read `{path}`: {why}"))
    };
    let open = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    // One byte more shows that there is more.
    open.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(unreadable(format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("kafka:9092".to_owned()),
            "EMPTY" => Some(String::new()),
            "QUOTE" => Some("' OR ${HOST}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn values_are_put_in_once() {
        let of = |text| interpolate(text, &env).expect(text);
        assert_eq!(of("${HOST},x ${HOST}"), "kafka:9092,x kafka:9092");
        assert_eq!(of("${NONE:-a b} ${EMPTY:-c}|${EMPTY}|"), "a b c||");
        assert_eq!(of("${QUOTE}"), "' OR ${HOST}");
        assert_eq!(of("$${HOST} costs $5 {}"), "${HOST} costs $5 {}");
        assert_eq!(of("ü${HOST}€"), "ükafka:9092€");
    }

    #[test]
    fn what_cannot_be_put_in_is_an_error() {
        let code = |text| interpolate(text, &env).expect_err(text).code;
        assert_eq!(code("${NONE}"), codes::VARIABLE_UNSET);
        assert_eq!(code("${HOST"), codes::BAD_VARIABLE);
        assert_eq!(code("${}"), codes::BAD_VARIABLE);
        assert_eq!(code("${a b}"), codes::BAD_VARIABLE);
        assert_eq!(code("${file:/does/not/exist}"), codes::FILE_UNREADABLE);
    }
}
