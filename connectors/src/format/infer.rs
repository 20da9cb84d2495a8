//! Columns and types out of a few records, for input that nobody has declared.
//!
//! The types are those that hold every value of the sample, and no narrower than they must be for
//! values like them: a whole number is a BIGINT, any other number a DOUBLE.

use serde_json::Value;

use super::csv::split_record;
use super::lines::next_line;
use super::scalar::time::{TimestampParser, TimestampStandard};

/// Columns as they would be declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inferred {
    /// Names and SQL types, in the order of the records.
    pub columns: Vec<(String, String)>,
    /// Options of the format that the records need.
    pub options: Vec<(&'static str, &'static str)>,
    /// Records that were looked at.
    pub records: usize,
}

/// Formats whose columns can be inferred.
pub const FORMATS: [&str; 3] = ["json", "csv", "raw"];

/// The columns of the whole lines in `sample`, of one of [`FORMATS`]; lines that are no records of
/// the format are passed over. CSV has its names in the first line. No columns mean that there is
/// no record to go by.
pub fn infer(format: &str, sample: &[u8]) -> Inferred {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    match format {
        "json" => json(sample),
        "csv" => csv(sample),
        _ => Inferred {
            columns: vec![("line".to_owned(), "STRING".to_owned())],
            options: Vec::new(),
            records: lines(sample).count(),
        },
    }
}

fn lines(sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = sample;
    std::iter::from_fn(move || {
        let (line, length) = next_line(rest);
        rest = &rest[length..];
        (length > 0).then_some(line)
    })
    .filter(|line| !line.trim_ascii().is_empty())
}

fn json(sample: &[u8]) -> Inferred {
    let mut fields = Vec::new();
    let mut records = 0;
    for value in lines(sample).filter_map(|line| serde_json::from_slice(line).ok()) {
        let rows = match value {
            Value::Array(rows) => rows,
            row => vec![row],
        };
        for row in rows {
            if let Value::Object(members) = row {
                let found = members.iter().map(|(name, value)| (name.clone(), Guess::of(value)));
                merge_fields(&mut fields, found);
                records += 1;
            }
        }
    }
    let standards = Standards::of(&fields);
    let columns = columns(fields, standards);
    // Nobody has said that a column has this type: what is not of it must not be bent to it.
    let mut options = vec![("json.exact-types", "true")];
    if standards == Standards::Iso {
        options.push(("json.timestamp-format.standard", "ISO-8601"));
    }
    Inferred { columns, options, records }
}

fn csv(sample: &[u8]) -> Inferred {
    let mut lines = lines(sample).filter_map(split_record);
    let Some(names) = lines.next() else { return Inferred::default() };
    let names = names.iter().map(|name| name.trim().to_owned());
    let mut fields: Vec<(String, Guess)> = names.map(|name| (name, Guess::Nothing)).collect();
    let (mut records, width) = (0, fields.len());
    for record in lines.filter(|record| record.len() == width) {
        for ((_, guess), text) in fields.iter_mut().zip(&record) {
            *guess = std::mem::replace(guess, Guess::Nothing).merge(Guess::of_text(text));
        }
        records += 1;
    }
    // CSV has one way to write a timestamp.
    let options = vec![("csv.header", "true")];
    Inferred { columns: columns(fields, Standards::Sql), options, records }
}

fn columns(fields: Vec<(String, Guess)>, standards: Standards) -> Vec<(String, String)> {
    fields.into_iter().map(|(name, guess)| (name, guess.sql(standards))).collect()
}

/// What the values of a column have in common.
#[derive(Clone, Debug, PartialEq)]
enum Guess {
    /// No value yet.
    Nothing,
    Bool,
    Whole,
    Number,
    Time {
        iso: bool,
        /// More than three digits of a second.
        fine: bool,
    },
    Text,
    List(Box<Guess>),
    Object(Vec<(String, Guess)>),
}

impl Guess {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Guess::Nothing,
            Value::Bool(_) => Guess::Bool,
            Value::Number(number) if number.is_i64() => Guess::Whole,
            Value::Number(_) => Guess::Number,
            Value::String(text) => Guess::of_string(text),
            Value::Array(items) => {
                let items = items.iter().map(Guess::of);
                Guess::List(Box::new(items.fold(Guess::Nothing, Guess::merge)))
            }
            Value::Object(members) => Guess::Object(
                members.iter().map(|(name, value)| (name.clone(), Guess::of(value))).collect(),
            ),
        }
    }

    fn of_string(text: &str) -> Self {
        let is =
            |standard, zoned| TimestampParser::new(standard, zoned).parse(text.as_bytes()).is_ok();
        let fine = text.trim_end_matches('Z').len() > "2024-01-01 00:00:00.000".len();
        match text.len() {
            0..16 => Guess::Text,
            _ if is(TimestampStandard::Sql, false) => Guess::Time { iso: false, fine },
            _ if is(TimestampStandard::Iso8601, false) => Guess::Time { iso: true, fine },
            _ => Guess::Text,
        }
    }

    /// A field of CSV, where everything is text. Truth values stay so: CSV takes any other word
    /// for false.
    fn of_text(text: &str) -> Self {
        let number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
        let digits =
            |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        match text {
            "" => Guess::Nothing,
            // What begins with a zero is a code, and would not come back as it was.
            text if text.len() > 1 && text.starts_with('0') && !text.starts_with("0.") => {
                Guess::of_string(text)
            }
            text if text.parse::<i64>().is_ok() => Guess::Whole,
            text if digits(text) && number(text) => Guess::Number,
            text => match Guess::of_string(text) {
                Guess::Time { iso: true, .. } => Guess::Text,
                guess => guess,
            },
        }
    }

    fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Guess::Nothing, guess) | (guess, Guess::Nothing) => guess,
            (Guess::Whole | Guess::Number, Guess::Number) | (Guess::Number, Guess::Whole) => {
                Guess::Number
            }
            (Guess::Time { iso, fine }, Guess::Time { iso: same, fine: other }) if iso == same => {
                Guess::Time { iso, fine: fine || other }
            }
            (Guess::List(a), Guess::List(b)) => Guess::List(Box::new(a.merge(*b))),
            (Guess::Object(mut fields), Guess::Object(others)) => {
                merge_fields(&mut fields, others.into_iter());
                Guess::Object(fields)
            }
            (a, b) if a == b => a,
            _ => Guess::Text,
        }
    }

    /// The type's name. A format has one way to write timestamps, so of two the other is text.
    fn sql(self, standards: Standards) -> String {
        match self {
            Guess::Bool => "BOOLEAN".to_owned(),
            Guess::Whole => "BIGINT".to_owned(),
            Guess::Number => "DOUBLE".to_owned(),
            Guess::Time { iso, fine } if iso == (standards == Standards::Iso) => {
                if fine { "TIMESTAMP(9)" } else { "TIMESTAMP(3)" }.to_owned()
            }
            Guess::List(item) => format!("ARRAY<{}>", item.sql(standards)),
            Guess::Object(fields) if !fields.is_empty() => {
                let field = |(name, guess): (String, Guess)| {
                    format!("`{}` {}", name.replace('`', "``"), guess.sql(standards))
                };
                format!("ROW<{}>", fields.into_iter().map(field).collect::<Vec<_>>().join(", "))
            }
            _ => "STRING".to_owned(),
        }
    }
}

fn merge_fields(fields: &mut Vec<(String, Guess)>, found: impl Iterator<Item = (String, Guess)>) {
    for (name, guess) in found {
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => {
                *known = std::mem::replace(known, Guess::Nothing).merge(guess);
            }
            None => fields.push((name, guess)),
        }
    }
}

/// Which way timestamps are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standards {
    Sql,
    Iso,
}

impl Standards {
    /// ISO-8601 if no timestamp is written otherwise.
    fn of(fields: &[(String, Guess)]) -> Self {
        let (mut sql, mut iso) = (false, false);
        let mut open: Vec<&Guess> = fields.iter().map(|(_, guess)| guess).collect();
        while let Some(guess) = open.pop() {
            match guess {
                Guess::Time { iso: true, .. } => iso = true,
                Guess::Time { iso: false, .. } => sql = true,
                Guess::List(item) => open.push(item),
                Guess::Object(fields) => open.extend(fields.iter().map(|(_, guess)| guess)),
                _ => {}
            }
        }
        if iso && !sql { Standards::Iso } else { Standards::Sql }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(format: &str, sample: &str) -> String {
        let inferred = infer(format, sample.as_bytes());
        let columns = inferred.columns.iter().map(|(name, kind)| format!("{name} {kind}"));
        columns.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn json_types_hold_every_value() {
        for (sample, expected) in [
            (r#"{"a":1,"b":"x","c":true,"d":null}"#, "a BIGINT, b STRING, c BOOLEAN, d STRING"),
            ("{\"a\":1}\nnonsense\n{\"a\":1.5,\"b\":2}\n", "a DOUBLE, b BIGINT"),
            ("{\"a\":1}\n{\"a\":\"x\"}", "a STRING"),
            (r#"{"a":[1,null,2.5],"b":[]}"#, "a ARRAY<DOUBLE>, b ARRAY<STRING>"),
            ("{\"u\":{\"id\":1}}\n{\"u\":{\"x`y\":\"z\"}}", "u ROW<`id` BIGINT, `x``y` STRING>"),
            (r#"{"t":"2024-01-01 00:00:00"}"#, "t TIMESTAMP(3)"),
            (r#"{"t":"2024-01-01T00:00:00.123456Z"}"#, "t TIMESTAMP(9)"),
            (
                r#"{"t":"2024-01-01 00:00:00","u":"2024-01-01T00:00:00"}"#,
                "t TIMESTAMP(3), u STRING",
            ),
            ("[{\"a\":1},{\"a\":2}]", "a BIGINT"),
            (r#"{"a":18446744073709551615}"#, "a DOUBLE"),
            ("", ""),
        ] {
            assert_eq!(columns("json", sample), expected);
        }
        let iso = infer("json", br#"{"t":"2024-01-01T00:00:00"}"#);
        let standard = ("json.timestamp-format.standard", "ISO-8601");
        assert_eq!(iso.options, [("json.exact-types", "true"), standard]);
    }

    #[test]
    fn csv_has_its_names_in_front() {
        let sample =
            "id,name,code,at,x,ok\n1,\"a,b\",007,2024-01-01 00:00:00,,true\n2,,01,,1e3,false\n";
        let expected = "id BIGINT, name STRING, code STRING, at TIMESTAMP(3), x DOUBLE, ok STRING";
        assert_eq!(columns("csv", sample), expected);
        assert_eq!(columns("csv", "a,b"), "a STRING, b STRING");
        assert_eq!(columns("raw", "x\ny"), "line STRING");
    }
}
