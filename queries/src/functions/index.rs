//! The index of built-in functions: one entry each, with what it does, an example and its result.
//!
//! An entry is also where a function comes from: a name that is not here does not exist, and a
//! function cannot be here without an example, whose result a test checks. Entries stand beside
//! their implementations, in the order in which people read them.

use std::fmt::Write;
use std::sync::Arc;

use datafusion_expr::{AggregateUDF, ScalarUDF};
use serde_json::json;

use super::rewrite::Rewrite;
use super::rows::{Gives, Outcome, RowFunction, Take, Value};
use super::{
    aggregate, bytes, calendar, choice, collected, collection, json as json_functions, map, nested,
    number, regex, syntax, text, time,
};

/// What a function is about: a heading of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Numbers.
    Number,
    /// Text.
    Text,
    /// Regular expressions.
    Regex,
    /// Hashes, encodings, URLs.
    Bytes,
    /// Dates and times.
    Time,
    /// Choice between values.
    Choice,
    /// Conversions and types.
    Type,
    /// Arrays.
    Array,
    /// Maps.
    Map,
    /// JSON.
    Json,
    /// Aggregates.
    Aggregate,
}

impl Group {
    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::Number => "Numbers",
            Group::Text => "Text",
            Group::Regex => "Regular expressions",
            Group::Bytes => "Hashes, encodings, URLs",
            Group::Time => "Dates and times",
            Group::Choice => "Choice",
            Group::Type => "Types",
            Group::Array => "Arrays",
            Group::Map => "Maps",
            Group::Json => "JSON",
            Group::Aggregate => "Aggregates",
        }
    }
}

/// How a function is run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// By a function of DataFusion.
    Theirs(fn() -> Arc<ScalarUDF>),
    /// Row by row.
    Rows(RowFunction),
    /// By an implementation of our own; in the session's zone (an IANA name).
    Own(fn(&str) -> ScalarUDF),
    /// By an expression in its place.
    Rewrite(Rewrite),
    /// By an aggregate.
    Aggregate(fn(&'static str) -> AggregateUDF),
    /// It is syntax: other parts of the planner know it.
    Syntax,
}

/// A function of rows without further properties: see [`RowFunction::new`].
pub(super) const fn rows(
    takes: &'static [Take],
    least: usize,
    gives: Gives,
    each: fn(&[Value<'_>]) -> Outcome,
) -> Body {
    Body::Rows(RowFunction::new(takes, least, gives, each))
}

/// A built-in function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name, in capitals.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// How it is called, and the type of its result.
    pub signature: &'static str,
    /// What it does.
    pub does: &'static str,
    /// An expression. One of an aggregate is over the rows of [`AGGREGATE_ROWS`].
    pub example: &'static str,
    /// What the example is worth, as text.
    pub result: &'static str,
    pub(crate) body: Body,
}

/// The rows that the examples of aggregates are over, one window: JSON lines.
pub const AGGREGATE_ROWS: &[&str] = &[
    r#"{"name":"ada","n":3,"x":1.5}"#,
    r#"{"name":"bob","n":1,"x":2.5}"#,
    r#"{"name":"ada","n":4,"x":null}"#,
];

/// Declares entries: name, signature, what it does, example, result, body.
macro_rules! functions {
    ($list:ident, $group:ident: $($name:literal, $signature:literal, $does:literal,
        $example:literal, $result:literal, $body:expr;)*) => {
        /// The functions of this file.
        pub(super) const $list: &[$crate::functions::index::Function] =
            &[$($crate::functions::index::Function {
                name: $name,
                group: $crate::functions::index::Group::$group,
                signature: $signature,
                does: $does,
                example: $example,
                result: $result,
                body: $body,
            }),*];
    };
}
pub(super) use functions;

const LISTS: &[&[Function]] = &[
    number::FUNCTIONS,
    text::FUNCTIONS,
    regex::FUNCTIONS,
    bytes::FUNCTIONS,
    time::FUNCTIONS,
    calendar::FUNCTIONS,
    choice::FUNCTIONS,
    syntax::TYPES,
    nested::ROWS,
    nested::ARRAYS,
    collection::FUNCTIONS,
    nested::MAPS,
    map::FUNCTIONS,
    json_functions::FUNCTIONS,
    aggregate::FUNCTIONS,
    collected::FUNCTIONS,
];

/// All built-in functions, by group.
pub fn all() -> impl Iterator<Item = &'static Function> {
    LISTS.iter().flat_map(|list| list.iter())
}

/// The function of this name, in any case.
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name.eq_ignore_ascii_case(name))
}

/// The names by group, for a person who looks around.
pub fn list() -> String {
    let mut text = String::new();
    for (group, functions) in by_group() {
        let names: Vec<&str> = functions.iter().map(|function| function.name).collect();
        let _ = writeln!(text, "{}", group.title());
        for line in wrapped(&names.join(", "), 96) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text.push_str("\n`millstream functions NAME` shows one of them.\n");
    text
}

/// One function for a person.
pub fn describe(function: &Function) -> String {
    let Function { signature, does, example, result, .. } = function;
    let mut text = format!("{signature}\n");
    for line in wrapped(does, 96) {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "\n  {example}\n  is {result}");
    if function.group == Group::Aggregate {
        let _ = writeln!(text, "  over the rows");
        for row in AGGREGATE_ROWS {
            let _ = writeln!(text, "    {row}");
        }
    }
    text
}

/// Functions as JSON, one object a line.
pub fn json_lines<'a>(functions: impl IntoIterator<Item = &'a Function>) -> String {
    let line = |function: &Function| {
        json!({
            "name": function.name,
            "group": function.group.title(),
            "kind": if function.group == Group::Aggregate { "aggregate" } else { "scalar" },
            "signature": function.signature,
            "description": function.does,
            "example": function.example,
            "result": function.result,
        })
        .to_string()
            + "\n"
    };
    functions.into_iter().map(line).collect()
}

/// The page of docs.
pub fn page() -> String {
    let mut page = String::from(HEAD);
    for (group, functions) in by_group() {
        let _ = write!(page, "\n## {}\n\n", group.title());
        if group == Group::Aggregate {
            page.push_str("The examples are over one window with these rows:\n\n```json\n");
            AGGREGATE_ROWS.iter().for_each(|row| {
                let _ = writeln!(page, "{row}");
            });
            page.push_str("```\n\n");
        }
        page.push_str("| Function | What it does | Example | Result |\n|---|---|---|---|\n");
        for function in functions {
            let cells = [function.signature, function.example, function.result].map(code);
            let [signature, example, result] = cells;
            let _ = writeln!(page, "| {signature} | {} | {example} | {result} |", function.does);
        }
    }
    page
}

const HEAD: &str = "# Functions

<!-- Made from the index in queries/src/functions by
     `BLESS=1 cargo nextest run --release -p millstream-queries --test functions`. -->

Every function that a query can call, by Flink's names and meanings. The examples are run by the tests, in UTC.
`millstream functions [NAME]` prints the same. Unless something else is said, a function of `NULL` is `NULL`.
Names have no case. Operators, casts and literals are in [sql.md](sql.md#operators).
";

/// Code in a cell of a table.
fn code(text: &str) -> String {
    let text = text.replace('|', "&#124;");
    if text.is_empty() {
        String::new()
    } else if text.contains("&#124;") || text.contains('`') {
        format!("<code>{}</code>", text.replace('<', "&lt;"))
    } else {
        format!("`{text}`")
    }
}

/// Groups in the order of their first functions, with all of theirs.
fn by_group() -> Vec<(Group, Vec<&'static Function>)> {
    let mut groups: Vec<(Group, Vec<&'static Function>)> = Vec::new();
    for function in all() {
        match groups.iter_mut().find(|(group, _)| *group == function.group) {
            Some((_, functions)) => functions.push(function),
            None => groups.push((function.group, vec![function])),
        }
    }
    groups
}

/// A text in lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_there_once_and_explained() {
        let mut names = BTreeSet::new();
        for function in all() {
            assert!(names.insert(function.name), "{} is listed twice", function.name);
            assert_eq!(function.name, function.name.to_uppercase());
            assert!(function.does.ends_with('.'), "{}: a sentence", function.name);
            assert!(!function.example.is_empty(), "{}: an example", function.name);
            assert!(function.signature.contains('→'), "{}: a result type", function.name);
        }
    }
}
