//! Options of connectors and formats as data: what `millstream connectors` prints, what the docs
//! are generated from, and what WITH clauses are checked against are one table.
//!
//! A connector lists its options in a `const` table of [`OptionInfo`] and reads them through
//! [`Options`], by kind. [`crate::registry::check`] finds every mistake of a WITH clause at once,
//! without touching the network or the disk, so that `millstream check` can show them all.

mod check;
mod job;
mod spelling;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::TableSpec;
use crate::error::{ConnectorError, Result};

pub use check::{COMMON, Direction, FORMAT, OptionError, check};
pub use job::{GUARANTEE, JobError, check_job};
pub use spelling::{did_you_mean, format_bytes, parse_bytes, parse_duration};

/// What a connector or format accepts in WITH.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Full name, such as `scan.startup.mode`; ends in `.*` for a family such as `properties.*`,
    /// and has `#` for a column's name, as in `fields.#.kind`.
    pub name: &'static str,
    /// Kind of value.
    pub kind: OptionKind,
    /// Value if it is left out, as it would be written.
    pub default: Option<&'static str>,
    /// True if it must be given.
    pub required: bool,
    /// One sentence for the reference.
    pub description: &'static str,
}

/// An option that may be left out, as most may.
pub(crate) const fn option(
    name: &'static str,
    kind: OptionKind,
    default: Option<&'static str>,
    description: &'static str,
) -> OptionInfo {
    OptionInfo { name, kind, default, required: false, description }
}

/// Kinds of option values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// A span of time in Flink's spelling, such as `5 s`, `200 ms` or `1 min`.
    Duration,
    /// A size in Flink's spelling, such as `64 mb`.
    Bytes,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl OptionInfo {
    /// True if `key` is this option, or a member of this family.
    pub fn matches(&self, key: &str) -> bool {
        if let Some(prefix) = self.name.strip_suffix('*') {
            return key.len() > prefix.len() && key.starts_with(prefix);
        }
        match self.name.split_once('#') {
            None => self.name == key,
            Some((before, after)) => key
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|column| !column.is_empty()),
        }
    }
}

impl OptionKind {
    /// What a value of this kind is called in a message.
    pub fn noun(self) -> &'static str {
        match self {
            OptionKind::Text => "text",
            OptionKind::Bool => "`true` or `false`",
            OptionKind::Integer => "a whole number",
            OptionKind::Number => "a number",
            OptionKind::Duration => "a duration such as `5 s` or `200 ms`",
            OptionKind::Bytes => "a size such as `64 mb`",
            OptionKind::OneOf(_) => "one of its words",
        }
    }

    /// Why `value` is not of this kind: the end of a sentence and perhaps a hint.
    fn refuse(self, value: &str) -> Option<(String, Option<String>)> {
        let good = match self {
            OptionKind::Text => true,
            OptionKind::Bool => parse_bool(value).is_some(),
            OptionKind::Integer => value.trim().parse::<i64>().is_ok(),
            OptionKind::Number => value.trim().parse::<f64>().is_ok_and(f64::is_finite),
            OptionKind::Duration => parse_duration(value).is_some(),
            OptionKind::Bytes => parse_bytes(value).is_some(),
            OptionKind::OneOf(words) => words.contains(&value),
        };
        if good {
            return None;
        }
        if let OptionKind::OneOf(words) = self {
            let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            let hint = did_you_mean(value, words.iter().copied());
            return Some((format!("`{value}` is none of {list}"), hint));
        }
        Some((format!("`{value}` is not {}", self.noun()), None))
    }
}

/// The WITH options of one table, read by kind.
///
/// Every getter takes the default of the option's [`OptionInfo`] if the option was left out, and
/// returns `None` if there is no default either.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    table: &'a str,
    values: &'a BTreeMap<String, String>,
    infos: &'static [OptionInfo],
    prefix: &'a str,
}

impl<'a> Options<'a> {
    /// The options of a table that belong to its connector.
    pub fn new(table: &'a TableSpec, connector: &crate::registry::ConnectorInfo) -> Self {
        Options::of(table, connector.options)
    }

    /// The options of a table that `infos` describes: those of a format, say.
    pub fn of(table: &'a TableSpec, infos: &'static [OptionInfo]) -> Self {
        Options { table: &table.name, values: &table.options, infos, prefix: "" }
    }

    /// The same with `prefix` before every name, as in `key.json.ignore-parse-errors`.
    pub fn with_prefix(self, prefix: &'a str) -> Self {
        Options { prefix, ..self }
    }

    /// True if the table's WITH clause has this option.
    pub fn is_set(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// The text of an option.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.given(name).or_else(|| self.infos.iter().find(|info| info.matches(name))?.default)
    }

    /// The text of an option that must be there.
    ///
    /// # Errors
    /// If it is missing.
    pub fn required(&self, name: &str) -> Result<&'a str> {
        self.text(name).ok_or_else(|| ConnectorError::Options {
            message: format!("table `{}` lacks the option `{}{name}`", self.table, self.prefix),
            option: Some(format!("{}{name}", self.prefix)),
            hint: Some(format!("add '{}{name}' = '…' to its WITH clause", self.prefix)),
        })
    }

    /// A switch; one without a default is off.
    ///
    /// # Errors
    /// If the value is neither `true` nor `false`.
    pub fn bool(&self, name: &str) -> Result<bool> {
        Ok(self.parsed(name, OptionKind::Bool, parse_bool)?.unwrap_or(false))
    }

    /// A whole number.
    ///
    /// # Errors
    /// If the value is none.
    pub fn integer(&self, name: &str) -> Result<Option<i64>> {
        self.parsed(name, OptionKind::Integer, |value| value.trim().parse().ok())
    }

    /// A whole number of at least `least`.
    ///
    /// # Errors
    /// If the value is no whole number or is less.
    pub fn at_least(&self, name: &str, least: u64) -> Result<Option<u64>> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        match u64::try_from(number) {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(self.error(name, format!("{number} is less than {least}"), None)),
        }
    }

    /// A decimal number.
    ///
    /// # Errors
    /// If the value is none.
    pub fn number(&self, name: &str) -> Result<Option<f64>> {
        self.parsed(name, OptionKind::Number, |value| {
            value.trim().parse().ok().filter(|number: &f64| number.is_finite())
        })
    }

    /// A span of time.
    ///
    /// # Errors
    /// If the value is none.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>> {
        self.parsed(name, OptionKind::Duration, parse_duration)
    }

    /// A size in bytes.
    ///
    /// # Errors
    /// If the value is none.
    pub fn bytes(&self, name: &str) -> Result<Option<u64>> {
        self.parsed(name, OptionKind::Bytes, parse_bytes)
    }

    /// A word out of the list of its [`OptionInfo`].
    ///
    /// # Errors
    /// If the value is not in the list.
    pub fn one_of(&self, name: &str) -> Result<Option<&'a str>> {
        let kind = self.infos.iter().find(|info| info.matches(name)).map(|info| info.kind);
        let Some(value) = self.text(name) else { return Ok(None) };
        match kind.and_then(|kind| kind.refuse(value)) {
            None => Ok(Some(value)),
            Some((reason, hint)) => Err(self.error(name, reason, hint)),
        }
    }

    /// An error about an option's value; `reason` ends the sentence that begins with its name.
    pub fn error(&self, name: &str, reason: String, hint: Option<String>) -> ConnectorError {
        let option = format!("{}{name}", self.prefix);
        ConnectorError::Options {
            message: format!("option `{option}` of table `{}`: {reason}", self.table),
            option: Some(option),
            hint,
        }
    }

    fn given(&self, name: &str) -> Option<&'a str> {
        let value = match self.prefix {
            "" => self.values.get(name),
            prefix => self.values.get(&format!("{prefix}{name}")),
        };
        value.map(String::as_str)
    }

    fn parsed<T>(
        &self,
        name: &str,
        kind: OptionKind,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.text(name) else { return Ok(None) };
        match parse(value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(self.error(name, format!("`{value}` is not {}", kind.noun()), None)),
        }
    }
}

fn parse_bool(value: &str) -> Option<bool> {
    match value.trim() {
        word if word.eq_ignore_ascii_case("true") => Some(true),
        word if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
