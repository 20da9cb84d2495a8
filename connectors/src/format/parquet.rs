//! `parquet`: whole files of columns, read and written by `filesystem`.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{FieldRef, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::scalar::name::sql_name;
use super::{FormatInfo, FormatOptions, Framing};
use crate::error::{ConnectorError, Result};
use crate::options::{OptionInfo, OptionKind};

/// The format's entry in the registry.
pub const INFO: FormatInfo = FormatInfo {
    name: "parquet",
    summary: "Apache Parquet files; columns are found by their exact names.",
    options: OPTIONS,
    decoder: None,
    encoder: None,
    framing: |_| Ok(Framing::WholeFile),
};

/// Options, as Flink names them.
pub static OPTIONS: &[OptionInfo] = &[OptionInfo {
    name: "parquet.compression",
    kind: OptionKind::OneOf(&["SNAPPY", "ZSTD", "UNCOMPRESSED"]),
    default: Some("SNAPPY"),
    required: false,
    description: "How pages of files that are written are compressed.",
}];

/// Rows of a batch that is read.
const BATCH_ROWS: usize = 8192;

/// The rows of one file, in the columns and types of a table.
pub struct ParquetRows {
    place: String,
    schema: SchemaRef,
    /// Rows in the file.
    total: u64,
    reader: ParquetRecordBatchReader,
}

/// Opens a file to read the columns of `schema`, found by name and cast to its types.
///
/// A column that the file lacks is NULL, as in Flink; a file that has none of them is an error.
/// Errors name the file: it is missing, no Parquet, or has values that the type cannot have.
pub fn read(path: &Path, schema: &SchemaRef) -> Result<ParquetRows> {
    let place = path.display().to_string();
    let file =
        File::open(path).map_err(|source| ConnectorError::Io { place: place.clone(), source })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| bad(&place, &error.to_string()))?;
    let in_file = builder.schema().clone();
    let wanted: Vec<usize> =
        schema.fields().iter().filter_map(|field| in_file.index_of(field.name()).ok()).collect();
    if wanted.is_empty() && !schema.fields().is_empty() {
        let names: Vec<&str> = in_file.fields().iter().map(|field| field.name().as_str()).collect();
        let reason = format!("it has none of the table's columns, but {}", names.join(", "));
        return Err(bad(&place, &reason));
    }
    let total = builder.metadata().file_metadata().num_rows().try_into().unwrap_or(0);
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| bad(&place, &error.to_string()))?;
    Ok(ParquetRows { place, schema: schema.clone(), total, reader })
}

impl ParquetRows {
    /// Rows in the file, read or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    fn convert(&self, read: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.schema.fields().iter().map(|field| self.column(read, field));
        let options = RecordBatchOptions::new().with_row_count(Some(read.num_rows()));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| bad(&self.place, &error.to_string()))
    }

    fn column(&self, read: &RecordBatch, field: &FieldRef) -> Result<ArrayRef> {
        let Some(column) = read.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), read.num_rows()));
        };
        // Not `safe`: a value that does not fit is an error, never silently NULL.
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(column, field.data_type(), &strict).map_err(|error| {
            let (name, expected) = (field.name(), sql_name(field.data_type()));
            let reason = format!("column `{name}` cannot be read as {expected}: {error}");
            bad(&self.place, &reason)
        })
    }
}

impl Iterator for ParquetRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.reader.next()?;
        Some(match read {
            Ok(read) => self.convert(&read),
            Err(error) => Err(bad(&self.place, &error.to_string())),
        })
    }
}

/// Writes one file; nothing is readable before [`ParquetFile::finish`].
pub struct ParquetFile<W: Write + Send> {
    place: String,
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// A writer of rows of `schema` to `out`; `place` names it in errors.
    pub fn new(
        out: W,
        place: impl Into<String>,
        schema: &SchemaRef,
        options: &FormatOptions<'_>,
    ) -> Result<Self> {
        let place = place.into();
        let compression =
            match options.one_of("parquet.compression", &["SNAPPY", "ZSTD", "UNCOMPRESSED"])? {
                "ZSTD" => Compression::ZSTD(ZstdLevel::default()),
                "UNCOMPRESSED" => Compression::UNCOMPRESSED,
                _ => Compression::SNAPPY,
            };
        let properties = WriterProperties::builder().set_compression(compression).build();
        let writer = ArrowWriter::try_new(out, schema.clone(), Some(properties))
            .map_err(|error| io(&place, error))?;
        Ok(ParquetFile { place, writer })
    }

    /// Adds rows.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.writer.write(rows).map_err(|error| io(&self.place, error))
    }

    /// Bytes written so far and waiting to be written.
    pub fn bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// Writes the rest and the footer; returns what it wrote to.
    pub fn finish(self) -> Result<W> {
        let place = self.place;
        self.writer.into_inner().map_err(|error| io(&place, error))
    }
}

fn bad(place: &str, reason: &str) -> ConnectorError {
    ConnectorError::Data { place: place.to_owned(), reason: reason.to_owned(), hint: None }
}

fn io(place: &str, error: ParquetError) -> ConnectorError {
    ConnectorError::Io { place: place.to_owned(), source: std::io::Error::other(error) }
}
