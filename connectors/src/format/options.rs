//! The options of a format in a WITH clause.

use std::collections::BTreeMap;

use super::FormatInfo;
use crate::error::{ConnectorError, Result};
use crate::options::OptionInfo;

/// The options of one format, checked to be options that it has.
#[derive(Debug)]
pub struct FormatOptions<'a> {
    /// What stands in front of the format's options: `""`, `"value."` or `"key."`.
    prefix: String,
    all: &'a BTreeMap<String, String>,
}

impl<'a> FormatOptions<'a> {
    /// The options of `info` among `all`; one that the format does not have is an error.
    pub fn new(
        info: &'static FormatInfo,
        prefix: &str,
        all: &'a BTreeMap<String, String>,
    ) -> Result<Self> {
        let family = format!("{prefix}{}.", info.name);
        for key in all.keys().filter(|key| key.starts_with(&family)) {
            let name = &key[prefix.len()..];
            if !info.options.iter().any(|option| option.name == name) {
                return Err(unknown(key, prefix, info.options));
            }
        }
        Ok(FormatOptions { prefix: prefix.to_owned(), all })
    }

    /// The value of option `name`, such as `json.ignore-parse-errors`, if it was given.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.all.get(&self.full(name)).map(String::as_str)
    }

    /// A truth value; `default` if it was not given.
    pub fn bool(&self, name: &str, default: bool) -> Result<bool> {
        match self.text(name) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(self.invalid(name, text, "`true` or `false`")),
        }
    }

    /// One ASCII character, or one written as `\t` or `\u0001`; `None` if it was not given.
    pub fn character(&self, name: &str) -> Result<Option<u8>> {
        let code = |text: &str| u8::from_str_radix(text.strip_prefix("\\u00")?, 16).ok();
        match self.text(name) {
            None => Ok(None),
            Some("\\t") => Ok(Some(b'\t')),
            Some(text) if text.len() == 6 && code(text).is_some_and(|code| code < 128) => {
                Ok(code(text))
            }
            Some(text) if text.len() == 1 => Ok(Some(text.as_bytes()[0])),
            Some(text) => Err(self.invalid(name, text, "one ASCII character")),
        }
    }

    /// One of these words; the first is the default.
    pub fn one_of(&self, name: &str, words: &[&'static str]) -> Result<&'static str> {
        let Some(text) = self.text(name) else {
            return Ok(words[0]);
        };
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
        found
            .copied()
            .ok_or_else(|| self.invalid(name, text, &format!("`{}`", words.join("` or `"))))
    }

    /// An error that option `name` may not have this value.
    pub fn invalid(&self, name: &str, value: &str, expected: &str) -> ConnectorError {
        let full = self.full(name);
        ConnectorError::Options {
            message: format!("option `{full}` is `{value}`, expected {expected}"),
            option: Some(full),
            hint: None,
        }
    }

    /// An error that options `name` and `other` cannot both be given.
    pub fn conflict(&self, name: &str, other: &str) -> ConnectorError {
        let (full, other) = (self.full(name), self.full(other));
        ConnectorError::Options {
            message: format!("`{full}` has no meaning together with `{other}`"),
            hint: Some(format!("leave out one of `{full}` and `{other}`")),
            option: Some(full),
        }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

fn unknown(key: &str, prefix: &str, options: &[OptionInfo]) -> ConnectorError {
    let names: Vec<String> = options.iter().map(|o| format!("{prefix}{}", o.name)).collect();
    ConnectorError::Options {
        message: format!("there is no option `{key}`"),
        option: Some(key.to_owned()),
        hint: Some(suggestion(key, names.iter().map(String::as_str))),
    }
}

/// "did you mean", or all there is to choose from.
pub(super) fn suggestion<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let distance = |name: &&&str| strsim::damerau_levenshtein(given, name);
    match names.iter().min_by_key(distance) {
        None => "it has no options".to_owned(),
        Some(near) if distance(&near) <= 1 + given.len() / 4 => format!("did you mean `{near}`?"),
        Some(_) => format!("choose one of {}", names.join(", ")),
    }
}
