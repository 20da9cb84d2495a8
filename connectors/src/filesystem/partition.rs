//! Partitioned directories: `PARTITIONED BY (day, hour)` is `day=2024-01-01/hour=10/part-0-0.json`.
//!
//! The values of the partition columns stand in the names of the directories and not in the files.
//! Names and values are escaped as in Flink and Hive: `/` is `%2F`. A value that is NULL or an empty
//! text has the name that `partition.default-name` says, and is read as NULL.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use arrow::array::types::Int8Type;
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{take, take_record_batch};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use millstream_operators::Batch;

use crate::TableSpec;
use crate::error::{ConnectorError, Result};
use crate::format::scalar::ScalarColumn;
use crate::format::scalar::name::sql_name;
use crate::format::scalar::time::TimestampStandard;
use crate::format::write::{self, Decimals, Style};
use crate::options::{OptionInfo, OptionKind, Options, option};

/// The option's entry among those of the connector.
pub(super) const OPTION: OptionInfo = option(
    NAME,
    OptionKind::Text,
    Some("__DEFAULT_PARTITION__"),
    "The value in the name of a partition's directory that stands for NULL.",
);

const NAME: &str = "partition.default-name";

/// Bytes that the name of a directory can have, on every file system in use.
const NAME_BYTES: usize = 255;

/// How values stand in names: as Java writes them.
const STYLE: Style = Style { timestamp: TimestampStandard::Iso8601, decimals: Decimals::Plain };

/// The partitions of a table that has some.
#[derive(Clone, Debug)]
pub(super) struct Partitions {
    keys: Vec<String>,
    /// For each key its column in the table's schema, if it is there.
    columns: Vec<Option<usize>>,
    default_name: String,
}

impl Partitions {
    /// The partitions of a table; `None` if it has none.
    ///
    /// # Errors
    /// If values of a column cannot stand in a name, or no column is left for the files.
    pub(super) fn of(table: &TableSpec, options: &Options<'_>) -> Result<Option<Self>> {
        if table.partition_keys.is_empty() {
            return match options.is_set(NAME) {
                true => {
                    let hint = "write PARTITIONED BY (…) behind the columns, or leave it out";
                    let reason = "the table has no partitions".to_owned();
                    Err(options.error(NAME, reason, Some(hint.to_owned())))
                }
                false => Ok(None),
            };
        }
        let fail = |message: String, hint: &str| ConnectorError::Options {
            message,
            option: Some("connector".to_owned()),
            hint: Some(hint.to_owned()),
        };
        if table.declared.fields().is_empty() {
            let message = "all columns are in PARTITIONED BY, and none is left for the files";
            return Err(fail(message.to_owned(), "leave one out of PARTITIONED BY"));
        }
        let mut columns = Vec::new();
        for key in &table.partition_keys {
            if key.starts_with(['_', '.']) {
                let message = format!("`{key}` cannot be a partition column");
                let hint = "directories whose names begin with `_` or `.` are left out by readers";
                return Err(fail(message, hint));
            }
            let column = table.schema.index_of(key).ok();
            columns.push(column);
            let Some(column) = column else { continue };
            let data_type = table.schema.field(column).data_type();
            if !can_be_name(data_type) {
                let message =
                    format!("partition column `{key}` cannot be of type {}", sql_name(data_type));
                let hint = "STRING, BOOLEAN, numbers, DATE and TIMESTAMP can";
                return Err(fail(message, hint));
            }
        }
        let default_name = options.text(NAME).unwrap_or_default().to_owned();
        Ok(Some(Partitions { keys: table.partition_keys.clone(), columns, default_name }))
    }

    /// The columns of the table's schema that the path of a file gives a value: column, and an
    /// array of that one value.
    ///
    /// # Errors
    /// If the file is not in directories of all keys, or a value is not of the column's type.
    pub(super) fn values_in(
        &self,
        path: &Path,
        table: &TableSpec,
    ) -> Result<BTreeMap<usize, ArrayRef>> {
        let bad = |reason: String| ConnectorError::Data {
            place: path.display().to_string(),
            reason,
            hint: Some(format!(
                "the table is PARTITIONED BY ({}), so its files are in {}",
                self.keys.join(", "),
                self.keys.iter().map(|key| format!("{key}=…/")).collect::<String>()
            )),
        };
        let mut values = BTreeMap::new();
        for (key, column) in self.keys.iter().zip(&self.columns) {
            let value = value_in(path, key)
                .ok_or_else(|| bad(format!("it is not in a directory `{key}=…`")))?;
            let Some(column) = *column else { continue };
            let field = table.schema.field(column);
            let data_type = field.data_type();
            let wrong = || bad(format!("`{key}={value}` is no {}", sql_name(data_type)));
            let mut parsed =
                ScalarColumn::new(data_type, TimestampStandard::Iso8601).ok_or_else(wrong)?;
            if value == self.default_name {
                if !field.is_nullable() {
                    return Err(bad(format!("column `{key}` is NOT NULL, and `{value}` is")));
                }
                parsed.push_null();
            } else {
                parsed.push_text(value.as_bytes()).map_err(|_| wrong())?;
            }
            let array = parsed.finish().map_err(|error| bad(error.to_string()))?;
            values.insert(column, array);
        }
        Ok(values)
    }

    /// The rows of a batch by the directory that they belong to, without the partition columns.
    ///
    /// # Errors
    /// If a value is too long for a name.
    pub(super) fn split(&self, batch: &Batch) -> Result<Vec<(String, Batch)>, String> {
        let columns: Vec<usize> = self.columns.iter().flatten().copied().collect();
        let payload: Vec<usize> =
            (0..batch.rows.num_columns()).filter(|column| !columns.contains(column)).collect();
        let mut rows_of: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let mut path = String::new();
        for row in 0..batch.num_rows() {
            path.clear();
            self.write_path(batch, row, &mut path)?;
            let number = u32::try_from(row).unwrap_or(u32::MAX);
            match rows_of.get_mut(&path) {
                Some(rows) => rows.push(number),
                None => drop(rows_of.insert(path.clone(), vec![number])),
            }
        }
        let rows = batch.rows.project(&payload).map(|rows| batch.with_rows(rows));
        let chosen = |rows: &Batch| {
            let of = |(path, chosen)| Ok((path, choose(rows, chosen)?));
            rows_of.into_iter().map(of).collect()
        };
        rows.and_then(|rows| chosen(&rows)).map_err(|error| error.to_string())
    }

    fn write_path(&self, batch: &Batch, row: usize, path: &mut String) -> Result<(), String> {
        let mut text = Vec::new();
        for (key, column) in self.keys.iter().zip(&self.columns) {
            let column = column.map(|column| batch.rows.column(column));
            text.clear();
            if let Some(column) = column.filter(|column| column.is_valid(row)) {
                write::value(column, row, STYLE, &mut text);
                if matches!(column.data_type(), DataType::Timestamp(..)) {
                    as_java_does(&mut text);
                }
            }
            if !path.is_empty() {
                path.push('/');
            }
            let start = path.len();
            escape(key, path);
            path.push('=');
            match std::str::from_utf8(&text) {
                Ok("") | Err(_) => escape(&self.default_name, path),
                Ok(text) => escape(text, path),
            }
            // Found out now: once the epoch is committed, it would be too late.
            let bytes = path.len() - start;
            if bytes > NAME_BYTES {
                return Err(format!(
                    "a value of partition column `{key}` is too long for a directory: its name \
                     would have {bytes} bytes, and {NAME_BYTES} is the most"
                ));
            }
        }
        Ok(())
    }
}

/// Some rows of a batch, in order.
fn choose(batch: &Batch, rows: Vec<u32>) -> Result<Batch, ArrowError> {
    if rows.len() == batch.num_rows() {
        return Ok(batch.clone());
    }
    let rows = UInt32Array::from(rows);
    let kinds = batch.kinds.as_ref().map(|kinds| take(kinds, &rows, None)).transpose()?;
    let kinds = kinds.map(|kinds| kinds.as_primitive::<Int8Type>().clone());
    Ok(Batch { rows: take_record_batch(&batch.rows, &rows)?, kinds })
}

/// Whether values of this type have one text that can stand in a name.
fn can_be_name(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::Boolean | DataType::Date32 => true,
        DataType::Timestamp(TimeUnit::Second, _) => false,
        DataType::Timestamp(_, zone) => zone.is_none(),
        DataType::Decimal128(..) => true,
        other => other.is_numeric(),
    }
}

/// `2024-01-01T10:00:00` loses seconds that are zero, and a fraction has three, six or nine digits.
fn as_java_does(timestamp: &mut Vec<u8>) {
    match timestamp.iter().position(|byte| *byte == b'.') {
        None if timestamp.ends_with(b":00") => timestamp.truncate(timestamp.len() - 3),
        None => {}
        Some(point) => {
            while !(timestamp.len() - point - 1).is_multiple_of(3) {
                timestamp.push(b'0');
            }
        }
    }
}

/// The value that a directory `key=value` on the path has; of several the innermost.
fn value_in(path: &Path, key: &str) -> Option<String> {
    let directories = path.parent()?.components().rev();
    let names = directories.filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let mut found = names.filter_map(|name| {
        let (name, value) = name.split_once('=')?;
        (unescape(name) == key).then(|| unescape(value))
    });
    found.next()
}

/// Appends a name with what paths must not hold as `%` and two digits.
fn escape(name: &str, out: &mut String) {
    for character in name.chars() {
        let special = matches!(
            character,
            '\u{0}'
                ..='\u{1f}'
                    | '\u{7f}'
                    | '"'
                    | '#'
                    | '%'
                    | '\''
                    | '*'
                    | '/'
                    | ':'
                    | '='
                    | '?'
                    | '\\'
                    | '{'
                    | '['
                    | ']'
                    | '^'
        );
        if special {
            out.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
}

/// The inverse of [`escape`]; a `%` without two digits stands for itself.
fn unescape(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some(percent) = rest.find('%') {
        out.push_str(&rest[..percent]);
        let code = rest.get(percent + 1..percent + 3);
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[percent + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[percent + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_back() {
        for (name, escaped) in
            [("plain-1.5_x", "plain-1.5_x"), ("a/b=c:d%", "a%2Fb%3Dc%3Ad%25"), ("ü \n", "ü %0A")]
        {
            let mut out = String::new();
            escape(name, &mut out);
            assert_eq!(out, escaped);
            assert_eq!(unescape(&out), name);
        }
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%zz%4"), "%zz%4");
    }

    #[test]
    fn values_are_found_on_the_path() {
        let path = Path::new("/data/day=x/t/day=2024-01-01/k%3D=a%2Fb/part-0.json");
        assert_eq!(value_in(path, "day").as_deref(), Some("2024-01-01"));
        assert_eq!(value_in(path, "k=").as_deref(), Some("a/b"));
        assert_eq!(value_in(path, "hour"), None);
    }

    #[test]
    fn timestamps_are_those_of_java() {
        for (written, java) in [
            ("2024-01-01T10:00:00", "2024-01-01T10:00"),
            ("2024-01-01T10:00:05", "2024-01-01T10:00:05"),
            ("2024-01-01T10:00:00.5", "2024-01-01T10:00:00.500"),
        ] {
            let mut text = written.as_bytes().to_vec();
            as_java_does(&mut text);
            assert_eq!(text, java.as_bytes());
        }
    }
}
