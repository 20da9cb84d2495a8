//! `csv`: fields by position, or by the names in a file's first line.
//!
//! Options and defaults are Flink's, with one relief: without a `csv.null-literal`, an empty field
//! is NULL for every type but STRING, where Flink refuses the record.

mod column;
mod encode;
mod record;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use millstream_operators::Batch;

use self::column::Column;
pub(crate) use self::encode::CsvEncoder;
use self::record::Fields;
use super::lines::LinesRead;
use super::scalar::Mismatch;
use super::scalar::name::sql_name;
use super::{Columns, Decoder, Encoder, FormatInfo, FormatOptions, Framing, OnError};
use crate::error::{ConnectorError, DecodeError, Result};
use crate::options::{OptionInfo, OptionKind, option};

/// The format's entry in the registry.
pub const INFO: FormatInfo = FormatInfo {
    name: "csv",
    summary: "Fields with commas between them, in the order of the declared columns.",
    options: OPTIONS,
    decoder: Some(|options, columns| {
        Ok(Box::new(CsvDecoder::new(columns, Options::of(options)?)?) as Box<dyn Decoder>)
    }),
    encoder: Some(|options, columns| {
        check_types(columns)?;
        Ok(Box::new(CsvEncoder::new(Options::of(options)?)) as Box<dyn Encoder>)
    }),
    framing: |options| Ok(Options::of(options)?.framing()),
};

/// Options, as Flink names them, and `csv.header`.
pub static OPTIONS: &[OptionInfo] = &[
    option("csv.field-delimiter", OptionKind::Text, Some(","), "What stands between fields."),
    option(
        "csv.quote-character",
        OptionKind::Text,
        Some("\""),
        "What stands around fields that hold a delimiter, a quote or a newline.",
    ),
    option(
        "csv.disable-quote-character",
        OptionKind::Bool,
        Some("false"),
        "Whether quotes are characters like any other.",
    ),
    option(
        "csv.allow-comments",
        OptionKind::Bool,
        Some("false"),
        "Whether lines that begin with '#' are skipped.",
    ),
    option(
        "csv.ignore-parse-errors",
        OptionKind::Bool,
        Some("false"),
        "Whether to skip records that are not CSV, and to read values of the wrong type as NULL.",
    ),
    option(
        "csv.escape-character",
        OptionKind::Text,
        None,
        "What makes the next character lose its meaning.",
    ),
    option("csv.null-literal", OptionKind::Text, None, "The text that stands for NULL."),
    option(
        "csv.array-element-delimiter",
        OptionKind::Text,
        Some(";"),
        "What stands between the elements of an ARRAY or ROW, which are one field.",
    ),
    option(
        "csv.write-bigdecimal-in-scientific-notation",
        OptionKind::Bool,
        Some("true"),
        "Whether DECIMALs are written as Flink does, 100.00 as 1E+2 and 1.50 as 1.5; otherwise \
         with all digits of their type.",
    ),
    option(
        "csv.header",
        OptionKind::Bool,
        Some("false"),
        "Whether a file begins with a line of column names, by which columns are then found.",
    ),
];

/// How CSV is read and written.
#[derive(Clone, Debug)]
struct Options {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    comments: bool,
    ignore_errors: bool,
    null: Option<Vec<u8>>,
    array_delimiter: Vec<u8>,
    scientific: bool,
    header: bool,
}

impl Options {
    fn of(options: &FormatOptions<'_>) -> Result<Self> {
        let quote = options.character("csv.quote-character")?.unwrap_or(b'"');
        let unquoted = options.bool("csv.disable-quote-character", false)?;
        let read = Options {
            delimiter: options.character("csv.field-delimiter")?.unwrap_or(b','),
            quote: (!unquoted).then_some(quote),
            escape: options.character("csv.escape-character")?,
            comments: options.bool("csv.allow-comments", false)?,
            ignore_errors: options.bool("csv.ignore-parse-errors", false)?,
            null: options.text("csv.null-literal").map(|text| text.as_bytes().to_vec()),
            array_delimiter: options
                .text("csv.array-element-delimiter")
                .unwrap_or(";")
                .replace("\\t", "\t")
                .into_bytes(),
            scientific: options.bool("csv.write-bigdecimal-in-scientific-notation", true)?,
            header: options.bool("csv.header", false)?,
        };
        read.check(options)?;
        Ok(read)
    }

    /// Characters that exclude each other, and options that have no meaning together.
    fn check(&self, options: &FormatOptions<'_>) -> Result<()> {
        const QUOTE: &str = "csv.quote-character";
        let invalid = |name: &str, value: &[u8], expected: &str| {
            Err(options.invalid(name, &String::from_utf8_lossy(value), expected))
        };
        let delimiter = [self.delimiter];
        if self.quote == Some(self.delimiter) || matches!(self.delimiter, b'\n' | b'\r') {
            return invalid("csv.field-delimiter", &delimiter, "neither quote nor newline");
        }
        if self.quote.is_none() && options.text(QUOTE).is_some() {
            return Err(options.conflict(QUOTE, "csv.disable-quote-character"));
        }
        if self.escape == Some(self.delimiter) {
            return invalid(
                "csv.escape-character",
                &delimiter,
                "another than `csv.field-delimiter`",
            );
        }
        if self.array_delimiter.is_empty() {
            return invalid("csv.array-element-delimiter", b"", "at least one character");
        }
        if self.array_delimiter.contains(&self.delimiter) && self.quote.is_none() {
            let expected = "without the field delimiter where there are no quotes";
            return invalid("csv.array-element-delimiter", &self.array_delimiter, expected);
        }
        Ok(())
    }

    fn framing(&self) -> Framing {
        match self.quote {
            Some(quote) => Framing::QuotedLines { quote, escape: self.escape },
            None => Framing::Lines,
        }
    }

    /// Whether a field stands for NULL in a column that is `text` or not.
    fn is_null(&self, field: &[u8], text: bool) -> bool {
        match &self.null {
            Some(null) => field == null.as_slice(),
            None => field.is_empty() && !text,
        }
    }
}

/// Every wanted column with the position of its field.
fn check_types(columns: &Columns) -> Result<Vec<(Column, usize)>> {
    let fail = |message| {
        let hint = "it has single values, and ARRAYs and ROWs of them; format `json` has all types";
        let hint = Some(hint.to_owned());
        ConnectorError::Options { message, option: Some("format".to_owned()), hint }
    };
    let with_position = |field: &arrow::datatypes::FieldRef| {
        let (name, data_type) = (field.name(), field.data_type());
        let column = Column::new(data_type).ok_or_else(|| {
            fail(format!("column `{name}` has type {}, unknown to CSV", sql_name(data_type)))
        })?;
        let position = columns.declared.index_of(name);
        let position = position.map_err(|_| fail(format!("column `{name}` is not declared")))?;
        Ok((column, position))
    };
    columns.wanted.fields().iter().map(with_position).collect()
}

/// Reads CSV records into the columns of a schema.
struct CsvDecoder {
    // PROPERTIES
    schema: SchemaRef,
    options: Options,
    /// Number of fields of a record; with a header, that of the file's.
    width: usize,
    // STATE
    columns: Vec<Column>,
    /// Position of each column's field.
    positions: Vec<usize>,
    rows: usize,
    skipped: u64,
    fields: Fields,
}

impl CsvDecoder {
    fn new(columns: &Columns, options: Options) -> Result<Self> {
        let (filled, positions) = check_types(columns)?.into_iter().unzip();
        Ok(CsvDecoder {
            schema: columns.wanted.clone(),
            width: columns.declared.fields().len(),
            fields: Fields::default(),
            options,
            columns: filled,
            positions,
            rows: 0,
            skipped: 0,
        })
    }

    /// Reads a record; after an error columns may hold part of it.
    fn read(&mut self, record: &[u8]) -> Result<usize, DecodeError> {
        if record.is_empty() || (self.options.comments && record[0] == b'#') {
            return Ok(0);
        }
        let Options { delimiter, quote, escape, .. } = self.options;
        self.fields.split(record, delimiter, quote, escape)?;
        let (found, width) = (self.fields.len(), self.width);
        if found != width && !self.options.ignore_errors {
            return Err(DecodeError::new(format!("expected {width} fields, found {found}")));
        }
        for (i, column) in self.columns.iter_mut().enumerate() {
            let field = self.schema.field(i);
            let value = self.fields.get(self.positions[i], record);
            let result = match value {
                None => Err(Mismatch("the record has too few fields")),
                Some(value) => column.push(value, &self.options),
            };
            match result {
                Err(_) if self.options.ignore_errors => column.push_null(),
                Err(mismatch) => {
                    return Err(refusal(field, value.map(|value| value.text), mismatch));
                }
                Ok(()) => {}
            }
            if !field.is_nullable() && column.last_is_null() {
                let reason = format!("column `{}` is NOT NULL and its field is", field.name());
                return Err(DecodeError::new(reason));
            }
        }
        Ok(1)
    }

    fn take(&mut self) -> Result<RecordBatch, DecodeError> {
        let rows = std::mem::take(&mut self.rows);
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        super::batch(&self.schema, columns, rows)
    }
}

#[cold]
fn refusal(field: &arrow::datatypes::Field, value: Option<&[u8]>, why: Mismatch) -> DecodeError {
    let (name, expected) = (field.name(), sql_name(field.data_type()));
    let found = match value {
        Some(value) => format!(", found \"{}\"", super::json::excerpt(value)),
        None => String::new(),
    };
    let detail = if why.0.is_empty() { "" } else { ": " };
    DecodeError::new(format!("column `{name}`: expected {expected}{found}{detail}{}", why.0))
}

impl Decoder for CsvDecoder {
    fn decode(&mut self, record: &[u8]) -> Result<usize, DecodeError> {
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        let record = record.strip_suffix(b"\r").unwrap_or(record);
        let result = self.read(record);
        match result {
            Ok(rows) => self.rows += rows,
            Err(_) => {
                for column in &mut self.columns {
                    column.truncate(self.rows);
                }
            }
        }
        if result.is_err() && self.options.ignore_errors {
            self.skipped += 1;
            return Ok(0);
        }
        result
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Batch, DecodeError> {
        Ok(Batch::inserts(self.take()?))
    }

    fn decode_lines(&mut self, chunk: &[u8], on_error: &mut OnError<'_>) -> LinesRead {
        let framing = self.options.framing();
        let mut read = LinesRead::default();
        while read.bytes < chunk.len() {
            let rest = &chunk[read.bytes..];
            let record = &rest[..framing.record_end(rest).unwrap_or(rest.len())];
            let result = self.decode(record);
            let line = read.lines;
            let newlines = memchr::memchr_iter(b'\n', record).count();
            read.lines += newlines + usize::from(!record.ends_with(b"\n"));
            read.bytes += record.len();
            if let Err(error) = result
                && on_error(line, error).is_break()
            {
                break;
            }
        }
        read
    }

    fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    fn header(&mut self, first_record: &[u8]) -> Result<bool, DecodeError> {
        if !self.options.header {
            return Ok(false);
        }
        let line = first_record.strip_suffix(b"\n").unwrap_or(first_record);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        let Options { delimiter, quote, escape, .. } = self.options;
        self.fields.split(line, delimiter, quote, escape)?;
        let names: Vec<String> = (0..self.fields.len())
            .filter_map(|i| self.fields.get(i, line))
            .map(|field| String::from_utf8_lossy(field.text).trim().to_owned())
            .collect();
        for (position, field) in self.positions.iter_mut().zip(self.schema.fields()) {
            *position = names.iter().position(|name| name == field.name()).ok_or_else(|| {
                let names = names.join(", ");
                DecodeError::new(format!(
                    "the header has no column `{}`, but {names}",
                    field.name()
                ))
            })?;
        }
        self.width = names.len();
        Ok(true)
    }
}

/// The fields of a record with Flink's default options; `None` if it is none.
pub(super) fn split_record(record: &[u8]) -> Option<Vec<String>> {
    let mut fields = Fields::default();
    fields.split(record, b',', Some(b'"'), None).ok()?;
    let texts = (0..fields.len()).filter_map(|i| fields.get(i, record));
    Some(texts.map(|field| String::from_utf8_lossy(field.text).into_owned()).collect())
}
