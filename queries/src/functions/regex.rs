//! Regular expressions, as Java writes them.
//!
//! Java's differ from Rust's in what `\d`, `\w` and `\s` stand for (ASCII), in names of classes
//! (`\p{Alpha}`) and in quoting (`\Q…\E`), which is [translated](translated). They also have
//! look-around, back-references and possessive quantifiers; these are refused, and matching takes
//! linear time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::Regex;

use super::index::{functions, rows};
use super::rows::{Given, Gives, Outcome, Take, Value};

const TWO: &[Take] = &[Take::Text, Take::Text];
const WITH_GROUP: &[Take] = &[Take::Text, Take::Text, Take::Int];

functions! { FUNCTIONS, Regex:
    "REGEXP", "REGEXP(s, regex) → BOOLEAN",
        "Whether a part of the text matches. Never of an empty expression.",
        "REGEXP('foobar', 'o{2}b')", "true", rows(TWO, 2, Gives::Bool, regexp);
    "REGEXP_LIKE", "REGEXP_LIKE(s, regex) → BOOLEAN", "The same as REGEXP. Flink does not have it.",
        "REGEXP_LIKE('foobar', '^bar')", "false", rows(TWO, 2, Gives::Bool, regexp);
    "REGEXP_EXTRACT", "REGEXP_EXTRACT(s, regex[, group]) → STRING",
        "The first match, or this group of it; NULL if nothing matches.",
        "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar", rows(WITH_GROUP, 2, Gives::Text, extract);
    "REGEXP_EXTRACT_ALL", "REGEXP_EXTRACT_ALL(s, regex[, group]) → ARRAY<STRING>",
        "Group 1, or this group, of every match; group 0 is the whole match.",
        "REGEXP_EXTRACT_ALL('a1b22', '[a-z](\\d+)')", "[1, 22]", rows(WITH_GROUP, 2, Gives::Texts, extract_all);
    "REGEXP_REPLACE", "REGEXP_REPLACE(s, regex, new) → STRING",
        "With every match replaced. In `new` no sign has a meaning of its own.",
        "REGEXP_REPLACE('foobar', 'oo|ar', '$')", "f$b$",
        rows(&[Take::Text, Take::Text, Take::Text], 3, Gives::Text, replace);
    "REGEXP_COUNT", "REGEXP_COUNT(s, regex) → INT", "The number of matches.",
        "REGEXP_COUNT('banana', 'an')", "2", rows(TWO, 2, Gives::Int, count);
    "REGEXP_INSTR", "REGEXP_INSTR(s, regex) → INT", "Where the first match begins; 0 if there is none.",
        "REGEXP_INSTR('stream', '[aeiou]+')", "4", rows(TWO, 2, Gives::Int, instr);
    "REGEXP_SUBSTR", "REGEXP_SUBSTR(s, regex) → STRING", "The first match; NULL if there is none.",
        "REGEXP_SUBSTR('stream', '[aeiou]+')", "ea", rows(TWO, 2, Gives::Text, |a| extract(&a[..2]));
}

/// Functions whose second argument is a regular expression.
pub(super) const WITH_PATTERN: &[&str] = &[
    "regexp",
    "regexp_like",
    "regexp_extract",
    "regexp_extract_all",
    "regexp_replace",
    "regexp_count",
    "regexp_instr",
    "regexp_substr",
];

/// How many expressions a thread remembers.
const REMEMBERED: usize = 256;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Option<Rc<Regex>>>> = RefCell::default();
}

/// Says what is wrong with a regular expression.
///
/// # Errors
/// As it says.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    compile(pattern).map(drop)
}

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translated(pattern)?).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default();
        last.trim_start_matches("error: ").to_owned()
    })
}

/// The compiled expression; `None` if it is none.
pub(super) fn compiled(pattern: &str) -> Option<Rc<Regex>> {
    COMPILED.with_borrow_mut(|known| {
        if let Some(regex) = known.get(pattern) {
            return regex.clone();
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let regex = compile(pattern).ok().map(Rc::new);
        known.insert(pattern.to_owned(), regex.clone());
        regex
    })
}

fn regexp(a: &[Value<'_>]) -> Outcome {
    let pattern = a[1].text();
    match compiled(pattern) {
        Some(regex) if !pattern.is_empty() => Ok(regex.is_match(a[0].text()).into()),
        _ => Ok(false.into()),
    }
}

fn extract(a: &[Value<'_>]) -> Outcome {
    let Some(regex) = compiled(a[1].text()) else { return Ok(Given::Null) };
    let Ok(group) = usize::try_from(a.get(2).map_or(0, Value::int)) else {
        return Ok(Given::Null);
    };
    let found = regex.captures(a[0].text());
    Ok(found.and_then(|found| found.get(group).map(|group| group.as_str().to_owned())).into())
}

fn extract_all(a: &[Value<'_>]) -> Outcome {
    let Some(regex) = compiled(a[1].text()) else { return Ok(Given::Null) };
    let group = usize::try_from(a.get(2).map_or(1, Value::int)).unwrap_or(usize::MAX);
    if group >= regex.captures_len() {
        return Ok(Given::Null);
    }
    let texts = regex
        .captures_iter(a[0].text())
        .map(|found| found.get(group).map(|group| group.as_str().to_owned()));
    Ok(Given::Texts(texts.collect()))
}

fn replace(a: &[Value<'_>]) -> Outcome {
    let Some(regex) = compiled(a[1].text()) else { return Ok(Given::Null) };
    let (text, new) = (a[0].text(), a[2].text());
    let (mut out, mut end) = (String::with_capacity(text.len()), 0);
    for found in regex.find_iter(text) {
        out.push_str(&text[end..found.start()]);
        out.push_str(new);
        end = found.end();
    }
    Ok((out + &text[end..]).into())
}

fn count(a: &[Value<'_>]) -> Outcome {
    let Some(regex) = compiled(a[1].text()) else { return Ok(Given::Null) };
    Ok(regex.find_iter(a[0].text()).count().into())
}

fn instr(a: &[Value<'_>]) -> Outcome {
    let Some(regex) = compiled(a[1].text()) else { return Ok(Given::Null) };
    let found = regex.find(a[0].text());
    Ok(found.map_or(0, |found| a[0].text()[..found.start()].chars().count() + 1).into())
}

/// A text split at every match, as Java's `String.split` does: parts at the end that are empty are
/// left out. `None` if the expression is none.
pub(super) fn split<'t>(text: &'t str, pattern: &str, most: usize) -> Option<Vec<&'t str>> {
    let regex = compiled(pattern)?;
    let (mut parts, mut start) = (Vec::new(), 0);
    for found in regex.find_iter(text) {
        if parts.len() + 1 == most {
            break;
        }
        // An empty match at the start splits nothing off.
        if found.end() == 0 {
            continue;
        }
        parts.push(&text[start..found.start()]);
        start = found.end();
    }
    parts.push(&text[start..]);
    if most == usize::MAX {
        while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
    }
    Some(parts)
}

/// Java's regular expression as Rust's.
///
/// # Errors
/// For what Rust reads as something else: a quantifier that never gives back, such as `a++`.
fn translated(java: &str) -> Result<String, String> {
    let mut out = String::with_capacity(java.len() + 16);
    let mut rest = java;
    let mut depth = 0_usize;
    let mut is_quantified = false;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if depth == 0 && c == '+' && is_quantified {
            return Err("possessive quantifiers are not supported".into());
        }
        is_quantified = depth == 0 && matches!(c, '*' | '+' | '?' | '}');
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '\\' => {
                rest = escape(rest, depth > 0, &mut out);
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    Ok(out)
}

/// Translates what stands behind a backslash; returns what is behind that.
fn escape<'a>(rest: &'a str, in_class: bool, out: &mut String) -> &'a str {
    let Some(letter) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let behind = &rest[letter.len_utf8()..];
    match letter {
        'Q' => {
            let (quoted, behind) = behind.split_once("\\E").unwrap_or((behind, ""));
            out.push_str(&regex::escape(quoted));
            return behind;
        }
        'p' | 'P' => {
            if let Some((name, behind)) = behind.strip_prefix('{').and_then(|b| b.split_once('}')) {
                class(name, letter == 'P', in_class, out);
                return behind;
            }
            out.push('\\');
            out.push(letter);
        }
        other => match ascii_class(other) {
            Some(class) => {
                let is_negated = other.is_ascii_uppercase();
                match (in_class, is_negated) {
                    (true, false) => out.push_str(class),
                    (_, true) => out.push_str(&format!("[^{class}]")),
                    (false, false) => out.push_str(&format!("[{class}]")),
                }
            }
            None => {
                out.push('\\');
                out.push(other);
            }
        },
    }
    behind
}

/// What `\d` and its like stand for in Java.
fn ascii_class(letter: char) -> Option<&'static str> {
    Some(match letter.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "a-zA-Z0-9_",
        's' => " \\t\\n\\x0B\\f\\r",
        'h' => " \\t\\u{A0}\\u{2000}-\\u{200A}\\u{3000}",
        _ => return None,
    })
}

fn class(name: &str, is_negated: bool, in_class: bool, out: &mut String) {
    let posix = match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => "\\x00-\\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => "!-/:-@\\[-`{-~",
        "Graph" => "!-~",
        "Print" => " -~",
        "Blank" => " \\t",
        "Cntrl" => "\\x00-\\x1F\\x7F",
        "XDigit" => "0-9a-fA-F",
        "Space" => " \\t\\n\\x0B\\f\\r",
        other => {
            let name = other.strip_prefix("Is").unwrap_or(other);
            let letter = if is_negated { 'P' } else { 'p' };
            out.push_str(&format!("\\{letter}{{{name}}}"));
            return;
        }
    };
    match (in_class, is_negated) {
        (true, false) => out.push_str(posix),
        (_, true) => out.push_str(&format!("[^{posix}]")),
        (false, false) => out.push_str(&format!("[{posix}]")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Option<String> {
        match extract(&[Value::Text(text), Value::Text(pattern)]) {
            Ok(Given::Text(text)) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn expressions_mean_what_they_mean_in_java() {
        for (pattern, text, expected) in [
            (r"\d+", "٣ 42", Some("42")),
            (r"[\d.]+", "v1.5", Some("1.5")),
            (r"[^\s]+", "\u{a0}x y", Some("\u{a0}x")),
            (r"\Qa.b\E+", "aab a.bb", Some("a.bb")),
            (r"\p{Alpha}+", "1ä2bc", Some("bc")),
            (r"\p{IsAlphabetic}+", "1ä2", Some("ä")),
            (r"[+*]+", "a*+", Some("*+")),
            (r"\++", "a++", Some("++")),
            (r"(?i)KÖLN", "köln", Some("köln")),
            (r"[a-z&&[^aeiou]]+", "aeixyz", Some("xyz")),
            (r"\bfoo\b", "a foo", Some("foo")),
            (r"(", "(", None),
        ] {
            assert_eq!(found(pattern, text).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn parts_are_those_of_java() {
        assert_eq!(split("a,b,,", ",", usize::MAX), Some(vec!["a", "b"]));
        assert_eq!(split(",a", ",", usize::MAX), Some(vec!["", "a"]));
        assert_eq!(split("k=v=w", "=", 2), Some(vec!["k", "v=w"]));
        assert_eq!(split("abc", "", usize::MAX), Some(vec!["a", "b", "c"]));
        assert_eq!(split("a", "(", usize::MAX), None);
    }

    /// Some of it would mean something else in Rust.
    #[test]
    fn what_rust_does_not_have_is_refused() {
        for pattern in [r"(?<=a)b", r"a(?=b)", r"(\w)\1", r"(?>a)b", "a++b", "a{2}+", r"a\Z"] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
