//! Formats: bytes of a record ↔ Arrow columns.
//!
//! A connector that carries records asks [`for_table_decoder`] or [`for_table_encoder`] and knows
//! nothing else about formats; one that carries files also asks [`framing()`], which says how records
//! lie in a file. Parquet has no records: `filesystem` reads and writes whole files with
//! [`parquet`].
//!
//! To write a format: a file with its `OPTIONS`, its [`Decoder`] or [`Encoder`], and one line in
//! [`FORMATS`].

pub mod changelog_json;
pub mod csv;
mod framing;
pub mod infer;
pub mod json;
mod lines;
mod options;
pub mod parquet;
pub mod raw;
pub(crate) mod scalar;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use millstream_operators::Batch;
use millstream_operators::graph::TableSpec;

use crate::error::{ConnectorError, DecodeError, Result};
use crate::options::OptionInfo;
pub use framing::Framing;
pub use lines::LinesRead;
pub use options::FormatOptions;

/// Turns records into a batch, record by record, only the columns that are asked for.
///
/// A decoder keeps the rows it has read until [`Decoder::finish`] takes them.
pub trait Decoder: Send {
    /// Reads one record.
    ///
    /// Returns the number of rows it added: 0 for a record that is blank, or that is bad and may
    /// be left out (see [`Decoder::take_skipped`]). After an error the decoder holds exactly the
    /// rows it held before: a bad record harms no other.
    fn decode(&mut self, record: &[u8]) -> Result<usize, DecodeError>;

    /// Rows read since the last `finish`.
    fn rows(&self) -> usize;

    /// Takes the rows read so far, possibly none.
    fn finish(&mut self) -> Result<Batch, DecodeError>;

    /// Reads a chunk of a file that starts at a record and ends after one (see
    /// [`Framing::complete`]); only the file's last record may lack its newline.
    ///
    /// `on_error` is told the line within the chunk, from 0, of every record that is an error, and
    /// decides whether reading goes on behind it.
    fn decode_lines(&mut self, chunk: &[u8], on_error: &mut OnError<'_>) -> LinesRead {
        lines::decode(self, chunk, on_error)
    }

    /// Records that were bad and left out, as `ignore-parse-errors` allows, since the last call.
    fn take_skipped(&mut self) -> u64 {
        0
    }

    /// Offers the first record of a file, also when reading starts further on. True means that it
    /// was a header and is no row.
    fn header(&mut self, _first_record: &[u8]) -> Result<bool, DecodeError> {
        Ok(false)
    }
}

/// What [`Decoder::decode_lines`] calls for a bad record: its line, and what is wrong.
pub type OnError<'a> = dyn FnMut(usize, DecodeError) -> ControlFlow<()> + 'a;

/// Turns rows into records.
pub trait Encoder: Send {
    /// Appends the record of row `row` to `out`, without a separator.
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), DecodeError>;

    /// A line that a file of this format starts with, such as CSV's column names.
    fn header(&self, _schema: &SchemaRef) -> Option<Vec<u8>> {
        None
    }
}

/// Makes a decoder or encoder from its options, for these columns.
pub type Make<T> = fn(&FormatOptions<'_>, &Columns) -> Result<Box<T>>;

/// What a format is, as data.
pub struct FormatInfo {
    /// Value of the option `format`.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// Its options, with the format's name in front, as in `json.ignore-parse-errors`.
    pub options: &'static [OptionInfo],
    /// Makes a decoder; `None` if records of it cannot be read one by one.
    pub decoder: Option<Make<dyn Decoder>>,
    /// Makes an encoder; `None` if records of it cannot be written one by one.
    pub encoder: Option<Make<dyn Encoder>>,
    /// How its records lie in a file.
    pub framing: fn(&FormatOptions<'_>) -> Result<Framing>,
}

/// The columns of a record.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Columns to read or write, in the order of the batch.
    pub wanted: SchemaRef,
    /// All columns of the record as declared; formats that go by position need them.
    pub declared: SchemaRef,
}

/// Every format there is.
pub static FORMATS: &[FormatInfo] =
    &[json::INFO, csv::INFO, parquet::INFO, changelog_json::INFO, raw::INFO];

/// The format with this name.
pub fn info(name: &str) -> Result<&'static FormatInfo> {
    FORMATS.iter().find(|format| format.name == name).ok_or_else(|| {
        let names = FORMATS.iter().map(|format| format.name);
        ConnectorError::Options {
            message: format!("there is no format `{name}`"),
            option: Some("format".to_owned()),
            hint: Some(options::suggestion(name, names)),
        }
    })
}

/// A decoder for the payload columns of a table, by its option `format` or `value.format`.
pub fn for_table_decoder(table: &TableSpec) -> Result<Box<dyn Decoder>> {
    let (info, options) = of_table(table)?;
    decoder(info, &options, &payload_columns(table))
}

/// An encoder for the payload columns of a table, by its option `format` or `value.format`.
///
/// Batches handed to it have exactly the columns of [`payload_schema`].
pub fn for_table_encoder(table: &TableSpec) -> Result<Box<dyn Encoder>> {
    let (info, options) = of_table(table)?;
    encoder(info, &options, &payload_columns(table))
}

/// How records of the table's format lie in a file.
pub fn framing(table: &TableSpec) -> Result<Framing> {
    let (info, options) = of_table(table)?;
    (info.framing)(&options)
}

/// A decoder for other columns than a table's payload, such as those of a Kafka key; `prefix` is
/// what stands in front of the format's options: `""`, `"value."` or `"key."`.
pub fn decoder_named(
    name: &str,
    prefix: &str,
    options: &BTreeMap<String, String>,
    columns: &Columns,
) -> Result<Box<dyn Decoder>> {
    let info = info(name)?;
    decoder(info, &FormatOptions::new(info, prefix, options)?, columns)
}

/// An encoder for other columns than a table's payload; see [`decoder_named`].
pub fn encoder_named(
    name: &str,
    prefix: &str,
    options: &BTreeMap<String, String>,
    columns: &Columns,
) -> Result<Box<dyn Encoder>> {
    let info = info(name)?;
    encoder(info, &FormatOptions::new(info, prefix, options)?, columns)
}

/// The columns of `table.schema` that are in the payload: all but the metadata columns and those
/// that the table is partitioned by.
///
/// Column `i` of it is the `i`-th column of the table's schema that is neither.
pub fn payload_schema(table: &TableSpec) -> SchemaRef {
    let fields = table.schema.fields().iter().enumerate();
    let payload = fields.filter(|(index, field)| {
        !table.metadata.contains_key(index) && !table.partition_keys.contains(field.name())
    });
    Arc::new(Schema::new(payload.map(|(_, field)| field.clone()).collect::<Vec<_>>()))
}

fn payload_columns(table: &TableSpec) -> Columns {
    Columns { wanted: payload_schema(table), declared: table.declared.clone() }
}

/// The format that the table names in `format` or `value.format`, and its options.
pub fn of_table(table: &TableSpec) -> Result<(&'static FormatInfo, FormatOptions<'_>)> {
    let given = |option: &str| table.options.get(option).map(String::as_str);
    let (name, prefix) = match (given("value.format"), given("format")) {
        (Some(name), None) => (name, "value."),
        (None, Some(name)) => (name, ""),
        (Some(_), Some(_)) => {
            return Err(ConnectorError::Options {
                message: "`format` and `value.format` are two names of one option".to_owned(),
                option: Some("value.format".to_owned()),
                hint: Some("leave one of them out".to_owned()),
            });
        }
        (None, None) => {
            return Err(ConnectorError::Options {
                message: format!("table `{}` needs a `format`", table.name),
                option: None,
                hint: Some("add 'format' = 'json' to its WITH options".to_owned()),
            });
        }
    };
    let info = info(name)?;
    Ok((info, FormatOptions::new(info, prefix, &table.options)?))
}

fn decoder(
    info: &'static FormatInfo,
    options: &FormatOptions<'_>,
    columns: &Columns,
) -> Result<Box<dyn Decoder>> {
    let make = info.decoder.ok_or_else(|| no_records(info.name))?;
    make(options, columns)
}

fn encoder(
    info: &'static FormatInfo,
    options: &FormatOptions<'_>,
    columns: &Columns,
) -> Result<Box<dyn Encoder>> {
    let make = info.encoder.ok_or_else(|| no_records(info.name))?;
    make(options, columns)
}

fn no_records(name: &str) -> ConnectorError {
    ConnectorError::Options {
        message: format!("format `{name}` is for whole files and has no single records"),
        option: Some("format".to_owned()),
        hint: Some(
            "use it with 'connector' = 'filesystem', or choose 'json' for records".to_owned(),
        ),
    }
}

/// The batch of these columns; its own function because a batch without columns has rows too.
fn batch(
    schema: &SchemaRef,
    columns: Result<Vec<ArrayRef>, ArrowError>,
    rows: usize,
) -> Result<RecordBatch, DecodeError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    columns
        .and_then(|columns| RecordBatch::try_new_with_options(schema.clone(), columns, &options))
        .map_err(|error| DecodeError::new(error.to_string()))
}
