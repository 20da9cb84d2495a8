//! Paths into JSON: `$.store.book[0].title`, `lax $.a[*]['b c']`, `strict $..name`.
//!
//! A path is strict unless it says `lax`: what is not there is an error, and not nothing. One with `*`
//! or `..` in it can find several values, and always gives an array. There are no filters.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

/// A path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// What is not there is nothing, instead of an error.
    pub is_lax: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The member of this name.
    Member(String),
    /// The element at this place; from the end if it is negative.
    Index(i64),
    /// All members or elements.
    All,
    /// The value and all that is in it.
    Descend,
}

/// What a path finds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// This value, which is not `null`.
    Value(Value),
    /// Nothing, or `null`.
    Nothing,
    /// An error, as the mode of the path has it.
    Error(String),
}

thread_local! {
    static COMPILED: RefCell<HashMap<String, Option<Rc<Path>>>> = RefCell::default();
}

/// The compiled path; `None` if it is none.
pub(super) fn compiled(text: &str) -> Option<Rc<Path>> {
    const REMEMBERED: usize = 256;
    COMPILED.with_borrow_mut(|known| {
        if let Some(path) = known.get(text) {
            return path.clone();
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let path = Path::parse(text).ok().map(Rc::new);
        known.insert(text.to_owned(), path.clone());
        path
    })
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Path, String> {
        let trimmed = text.trim();
        let mode = trimmed.split_once(char::is_whitespace);
        let (is_lax, path) = match mode {
            Some((word, path)) if word.eq_ignore_ascii_case("lax") => (true, path.trim_start()),
            Some((word, path)) if word.eq_ignore_ascii_case("strict") => (false, path.trim_start()),
            _ => (false, trimmed),
        };
        let mut rest = path.strip_prefix('$').ok_or("a path begins with `$`")?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            rest = step(rest, &mut steps)?;
        }
        Ok(Path { is_lax, steps })
    }

    /// Whether it finds at most one value.
    fn is_definite(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step, Step::All | Step::Descend))
    }

    /// Reads a text of JSON.
    pub fn read(&self, json: &str) -> Found {
        match serde_json::from_str::<Value>(json) {
            Ok(root) => self.find(&root),
            Err(_) if self.is_lax => Found::Nothing,
            Err(error) => Found::Error(format!("no JSON: {error}")),
        }
    }

    fn find(&self, root: &Value) -> Found {
        let mut found = vec![root];
        let mut is_definite = true;
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                match step.take(value, &mut next) {
                    true => {}
                    // Behind `*` and `..` what does not fit is passed over.
                    false if !is_definite => {}
                    false if !self.is_lax => {
                        return Found::Error(format!("{} is not there", step.shown()));
                    }
                    false if self.is_definite() => return Found::Nothing,
                    false => {}
                }
            }
            is_definite &= !matches!(step, Step::All | Step::Descend);
            found = next;
        }
        if !self.is_definite() {
            return Found::Value(Value::Array(found.into_iter().cloned().collect()));
        }
        match found.first() {
            Some(Value::Null) | None if self.is_lax => Found::Nothing,
            Some(Value::Null) | None => Found::Error("the value is null".to_owned()),
            Some(value) => Found::Value((*value).clone()),
        }
    }
}

impl Step {
    /// Adds what the step leads to from a value; false if that is nowhere.
    fn take<'a>(&self, value: &'a Value, next: &mut Vec<&'a Value>) -> bool {
        match (self, value) {
            (Step::Member(name), Value::Object(members)) => match members.get(name) {
                Some(member) => next.push(member),
                None => return false,
            },
            (Step::Index(index), Value::Array(elements)) => {
                let place = if *index < 0 { elements.len() as i64 + index } else { *index };
                match usize::try_from(place).ok().and_then(|place| elements.get(place)) {
                    Some(element) => next.push(element),
                    None => return false,
                }
            }
            (Step::All, Value::Array(elements)) => next.extend(elements),
            (Step::All, Value::Object(members)) => next.extend(members.values()),
            (Step::Descend, value) => descend(value, next),
            _ => return false,
        }
        true
    }

    fn shown(&self) -> String {
        match self {
            Step::Member(name) => format!("`{name}`"),
            Step::Index(index) => format!("element {index}"),
            Step::All | Step::Descend => "what `*` stands for".to_owned(),
        }
    }
}

fn descend<'a>(value: &'a Value, next: &mut Vec<&'a Value>) {
    next.push(value);
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| descend(element, next)),
        Value::Object(members) => members.values().for_each(|member| descend(member, next)),
        _ => {}
    }
}

/// Reads one step; returns what is behind it.
fn step<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    if let Some(rest) = text.strip_prefix("..") {
        steps.push(Step::Descend);
        return if rest.starts_with('[') { Ok(rest) } else { member(rest, steps) };
    }
    if let Some(rest) = text.strip_prefix('.') {
        // `$.['a b']` is `$['a b']`.
        return if rest.starts_with('[') { Ok(rest) } else { member(rest, steps) };
    }
    let Some(rest) = text.strip_prefix('[') else {
        return Err(format!("`{text}` follows neither a `.` nor stands in brackets"));
    };
    let rest = rest.trim_start();
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let (name, rest) =
            rest[1..].split_once(quote).ok_or("a quote in the path is not closed")?;
        steps.push(Step::Member(name.to_owned()));
        return rest
            .trim_start()
            .strip_prefix(']')
            .ok_or("a bracket in the path is not closed".into());
    }
    let (inside, rest) = rest.split_once(']').ok_or("a bracket in the path is not closed")?;
    let inside = inside.trim();
    steps.push(match inside {
        "*" => Step::All,
        number => Step::Index(number.parse().map_err(|_| {
            format!("`[{number}]` is neither a place, a name in quotes, nor `[*]`")
        })?),
    });
    Ok(rest)
}

fn member<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    match text[..end].trim() {
        "" => return Err("a name is missing in the path".to_owned()),
        "*" => steps.push(Step::All),
        name if name.contains(['(', ')', '?', '@']) => {
            return Err(format!("`{name}`: paths have no filters and functions here"));
        }
        name => steps.push(Step::Member(name.to_owned())),
    }
    Ok(&text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: &str = r#"{"a":{"b c":[1,2,{"d":null}]},"e.f":"x","g":[{"h":1},{"i":2},{"h":3}]}"#;

    fn read(path: &str) -> String {
        match Path::parse(path).expect(path).read(STORE) {
            Found::Value(value) => value.to_string(),
            Found::Nothing => "nothing".to_owned(),
            Found::Error(_) => "error".to_owned(),
        }
    }

    #[test]
    fn paths_find_what_they_say() {
        for (path, found) in [
            ("$.a['b c'][0]", "1"),
            ("$.['e.f']", "\"x\""),
            ("$.a['b c'][-2]", "2"),
            ("$.a['b c'][2].d", "error"),
            ("lax $.a['b c'][2].d", "nothing"),
            ("$.x", "error"),
            ("lax $.x.y", "nothing"),
            ("STRICT $.x", "error"),
            ("$.g[*].h", "[1,3]"),
            ("$..h", "[1,3]"),
            ("$.x[*]", "error"),
            ("lax $.x[*]", "[]"),
            ("$.a.*", "[[1,2,{\"d\":null}]]"),
        ] {
            assert_eq!(read(path), found, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for wrong in ["a", "$a", "$.", "$[", "$['a]", "$[a]", "$[?(@.a)]", "$.a.length()"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }
}
