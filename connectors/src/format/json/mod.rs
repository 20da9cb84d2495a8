//! `json`: an object a record.
//!
//! The decoder goes straight from the payload's bytes to Arrow columns, reads only the columns
//! that are asked for, and expects every record to have its keys where the last one had them:
//! [`layout`] is where the speed comes from, [`scan`] is the grammar, [`object`] puts members into
//! slots and slots into columns. No input makes it panic, and a bad record leaves no trace.
//!
//! Which value is taken for which type follows Flink's JSON format. Values of columns that nobody
//! reads are checked for their structure only.

mod column;
mod encode;
mod layout;
mod object;
mod scan;
mod text;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use memchr::memchr;
use millstream_operators::Batch;

pub(crate) use self::column::excerpt;
use self::column::{Fault, next_in};
pub(crate) use self::encode::write_value;
pub use self::encode::{EncodeOptions, JsonEncoder};
use self::object::{Context, Object};
use self::scan::{SyntaxError, skip_blanks};
use super::lines::next_line;
pub use super::scalar::time::TimestampStandard;
use super::{Columns, Decoder, Encoder, FormatInfo, FormatOptions, Framing, LinesRead, OnError};
use crate::error::{ConnectorError, DecodeError, Result};
use crate::options::{OptionInfo, OptionKind};

/// The format's entry in the registry.
pub const INFO: FormatInfo = FormatInfo {
    name: "json",
    summary: "A JSON object a record; columns are found by their exact names.",
    options: OPTIONS,
    decoder: Some(decoder),
    encoder: Some(encoder),
    framing: |_| Ok(Framing::Lines),
};

/// Options, as Flink names them.
pub static OPTIONS: &[OptionInfo] = &[
    OptionInfo {
        name: "json.fail-on-missing-field",
        kind: OptionKind::Bool,
        default: Some("false"),
        required: false,
        description: "Whether a record without one of the columns is bad; otherwise it is NULL.",
    },
    OptionInfo {
        name: "json.ignore-parse-errors",
        kind: OptionKind::Bool,
        default: Some("false"),
        required: false,
        description: "Whether to skip records that are not JSON, and to read values of the wrong type as NULL.",
    },
    OptionInfo {
        name: "json.timestamp-format.standard",
        kind: OptionKind::OneOf(&["SQL", "ISO-8601"]),
        default: Some("SQL"),
        required: false,
        description: "Whether a space or a 'T' stands between date and time; TIMESTAMP_LTZ ends in 'Z'.",
    },
    OptionInfo {
        name: "json.encode.decimal-as-plain-number",
        kind: OptionKind::Bool,
        default: Some("true"),
        required: false,
        description: "Whether DECIMALs are written without an exponent, such as 0.00000001.",
    },
    OptionInfo {
        name: "json.encode.ignore-null-fields",
        kind: OptionKind::Bool,
        default: Some("false"),
        required: false,
        description: "Whether to leave out fields that are NULL.",
    },
    OptionInfo {
        name: "json.map-null-key.mode",
        kind: OptionKind::OneOf(&["FAIL", "DROP", "LITERAL"]),
        default: Some("FAIL"),
        required: false,
        description: "What Flink does with an entry of a MAP whose key is NULL. Here a MAP has no such \
                      entries, and all values write the same rows.",
    },
    OptionInfo {
        name: "json.map-null-key.literal",
        kind: OptionKind::Text,
        default: Some("null"),
        required: false,
        description: "The key that stands for NULL in Flink where `json.map-null-key.mode` is LITERAL.",
    },
    OptionInfo {
        name: "json.exact-types",
        kind: OptionKind::Bool,
        default: Some("false"),
        required: false,
        description: "Whether a number with a fraction is an error in a column of whole numbers, where Flink cuts it, \
                      and all but true and false in a BOOLEAN, where Flink takes it for false.",
    },
    OptionInfo {
        name: "json.decode.json-parser.enabled",
        kind: OptionKind::Bool,
        default: Some("true"),
        required: false,
        description: "Which of two parsers Flink uses. Here there is one, and both values read the same rows.",
    },
];

/// How JSON is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether a record without one of the columns is bad; otherwise the column is null.
    pub fail_on_missing_field: bool,
    /// Whether records that are not JSON are skipped and values of a wrong type become null.
    pub ignore_parse_errors: bool,
    /// Whether fractions in columns of whole numbers, and all but true and false in those of
    /// truth values, are values of a wrong type.
    pub exact_types: bool,
    /// How timestamps are written.
    pub timestamp: TimestampStandard,
}

impl Options {
    /// From the options `{name}.*` of a WITH clause; `name` is `json` or a format built on it.
    pub(super) fn of(options: &FormatOptions<'_>, name: &str) -> Result<Self> {
        let flag = |option: &str| options.bool(&format!("{name}.{option}"), false);
        let (missing, errors) = (flag("fail-on-missing-field")?, flag("ignore-parse-errors")?);
        if missing && errors {
            return Err(ConnectorError::Options {
                message: "records without a field cannot both fail and be ignored".to_owned(),
                option: Some(format!("{name}.fail-on-missing-field")),
                hint: Some(format!("leave out '{name}.ignore-parse-errors' or this one")),
            });
        }
        Ok(Options {
            fail_on_missing_field: missing,
            ignore_parse_errors: errors,
            exact_types: flag("exact-types")?,
            timestamp: timestamp_standard(options, name)?,
        })
    }
}

pub(super) fn timestamp_standard(
    options: &FormatOptions<'_>,
    name: &str,
) -> Result<TimestampStandard> {
    let option = format!("{name}.timestamp-format.standard");
    Ok(match options.one_of(&option, &["SQL", "ISO-8601"])? {
        "ISO-8601" => TimestampStandard::Iso8601,
        _ => TimestampStandard::Sql,
    })
}

fn decoder(options: &FormatOptions<'_>, columns: &Columns) -> Result<Box<dyn Decoder>> {
    Ok(Box::new(JsonDecoder::new(columns.wanted.clone(), Options::of(options, "json")?)?))
}

fn encoder(options: &FormatOptions<'_>, columns: &Columns) -> Result<Box<dyn Encoder>> {
    let options = EncodeOptions {
        timestamp: timestamp_standard(options, "json")?,
        plain_decimals: options.bool("json.encode.decimal-as-plain-number", true)?,
        ignore_null_fields: options.bool("json.encode.ignore-null-fields", false)?,
        any_key: false,
    };
    check_writable(columns, &options)?;
    Ok(Box::new(JsonEncoder::new(&columns.wanted, options)))
}

/// Whether columns have types that JSON can have.
pub(super) fn check_writable(columns: &Columns, options: &EncodeOptions) -> Result<()> {
    let fields = columns.wanted.fields().iter();
    let mut refused =
        fields.filter_map(|field| encode::refuse(field.name(), field.data_type(), options));
    match refused.next() {
        None => Ok(()),
        Some(message) => {
            let hint = Some("CAST the keys to STRING".to_owned());
            Err(ConnectorError::Options { message, option: Some("format".to_owned()), hint })
        }
    }
}

/// Reads JSON objects into the columns of a schema.
pub struct JsonDecoder {
    // PROPERTIES
    schema: SchemaRef,
    options: Options,
    // STATE
    object: Object,
    rows: usize,
    skipped: u64,
    scratch: Vec<u8>,
}

impl JsonDecoder {
    /// A decoder for these columns; an error if one has a type that JSON cannot have.
    pub fn new(schema: SchemaRef, options: Options) -> Result<Self> {
        let object = Object::new(schema.fields(), "", &options).map_err(|message| {
            ConnectorError::Options { message, option: Some("format".to_owned()), hint: None }
        })?;
        Ok(JsonDecoder { schema, options, object, rows: 0, skipped: 0, scratch: Vec::new() })
    }

    /// Reads a record; after an error columns may hold part of it.
    fn read(&mut self, record: &[u8]) -> Result<usize, Fault> {
        let record = record.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(record);
        let start = skip_blanks(record, 0);
        let (end, rows) = match record.get(start..).unwrap_or_default() {
            [] => return Ok(0),
            [b'{', ..] => (self.read_object(record, start)?, 1),
            [b'[', ..] => self.read_array(record, start)?,
            [b'n', b'u', b'l', b'l', ..] => (start + 4, 0),
            _ => {
                let reason = format!("expected a JSON object, found {}", excerpt(&record[start..]));
                return Err(Fault::Record(DecodeError::at(start, reason)));
            }
        };
        let behind = skip_blanks(record, end);
        if behind != record.len() {
            let reason = "something follows the record's end";
            return Err(Fault::Syntax(SyntaxError { at: behind, reason }));
        }
        Ok(rows)
    }

    #[inline]
    fn read_object(&mut self, record: &[u8], at: usize) -> Result<usize, Fault> {
        let end = self.object.scan(record, at)?;
        self.append(record)?;
        Ok(end)
    }

    #[inline]
    fn append(&mut self, record: &[u8]) -> Result<(), Fault> {
        let mut context = Context { record, options: &self.options, scratch: &mut self.scratch };
        self.object.append(&mut context)
    }

    /// An array of objects is as many rows, as in Flink: all of them or none.
    fn read_array(&mut self, record: &[u8], start: usize) -> Result<(usize, usize), Fault> {
        let mut rows = 0;
        let mut at = skip_blanks(record, start + 1);
        let mut more = record.get(at) != Some(&b']');
        while more {
            if record.get(at) != Some(&b'{') {
                let reason = "the rows of an array must be objects";
                return Err(Fault::Record(DecodeError::at(at, reason)));
            }
            let end = self.read_object(record, at)?;
            rows += 1;
            (at, more) = next_in(record, end, b']')?;
        }
        Ok((at + 1, rows))
    }

    /// Adds the row at the start of `chunk` if that goes without looking closer: it follows the
    /// layout and is right. Returns its length with the line end.
    #[inline]
    fn read_expected_line(&mut self, chunk: &[u8], at: usize) -> Option<usize> {
        let end = self.object.scan_line(chunk, at)?;
        let next = match chunk.get(end..).unwrap_or_default() {
            [] => end,
            [b'\n', ..] => end + 1,
            [b'\r', b'\n', ..] => end + 2,
            _ => return None,
        };
        if self.append(chunk).is_err() {
            self.object.truncate(self.rows);
            return None;
        }
        self.rows += 1;
        Some(next)
    }

    /// The texts of a STRING column from row `from` on, for formats built on this one.
    pub(super) fn texts_from(&self, column: usize, from: usize) -> impl Iterator<Item = &[u8]> {
        self.object.columns[column].texts_from(from)
    }

    /// Takes back all rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.object.truncate(rows);
        self.rows = rows;
    }

    /// Takes the rows read so far.
    pub(super) fn take(&mut self) -> Result<RecordBatch, DecodeError> {
        let rows = std::mem::take(&mut self.rows);
        let columns = self.object.columns.iter_mut().map(column::Column::finish);
        super::batch(&self.schema, columns.collect(), rows)
    }
}

impl Decoder for JsonDecoder {
    fn decode(&mut self, record: &[u8]) -> Result<usize, DecodeError> {
        match self.read(record) {
            Ok(rows) => {
                self.rows += rows;
                Ok(rows)
            }
            Err(fault) => {
                self.object.truncate(self.rows);
                if self.options.ignore_parse_errors {
                    self.skipped += 1;
                    return Ok(0);
                }
                Err(error(fault, record))
            }
        }
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Batch, DecodeError> {
        Ok(Batch::inserts(self.take()?))
    }

    fn decode_lines(&mut self, chunk: &[u8], on_error: &mut OnError<'_>) -> LinesRead {
        let mut read = LinesRead::default();
        while read.bytes < chunk.len() {
            // While rows follow the layout not even their newlines have to be looked for.
            if let Some(next) = self.read_expected_line(chunk, read.bytes) {
                read.bytes = next;
                read.lines += 1;
                continue;
            }
            let (line, length) = next_line(&chunk[read.bytes..]);
            let result = self.decode(line);
            read.bytes += length;
            read.lines += 1;
            if let Err(error) = result
                && on_error(read.lines - 1, error).is_break()
            {
                break;
            }
        }
        read
    }

    fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }
}

/// What to tell the user.
#[cold]
fn error(fault: Fault, record: &[u8]) -> DecodeError {
    let SyntaxError { at, reason } = match fault {
        Fault::Record(error) => return error,
        Fault::Syntax(error) => error,
    };
    let rest = record.get(at..).unwrap_or_default();
    let line = memchr(b'\n', rest).map_or(rest, |newline| &rest[..newline]);
    let found = if line.is_empty() { String::new() } else { format!(", found {}", excerpt(line)) };
    DecodeError::at(at, format!("this is not valid JSON: {reason}{found}"))
}
