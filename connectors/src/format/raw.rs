//! `raw`: the record's bytes are the value of the one column.
//!
//! Texts have a charset, numbers an endianness; a BOOLEAN is one byte, 0 for false.

mod charset;

use std::sync::Arc;

use arrow::array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, PrimitiveArray, PrimitiveBuilder,
    StringBuilder,
};
use arrow::datatypes::{DataType, SchemaRef};
use millstream_operators::Batch;

use self::charset::Charset;
use super::scalar::name::sql_name;
use super::{Columns, Decoder, Encoder, FormatInfo, FormatOptions, Framing};
use crate::error::{ConnectorError, DecodeError, Result};
use crate::options::{OptionInfo, OptionKind, option};

/// The format's entry in the registry.
pub const INFO: FormatInfo = FormatInfo {
    name: "raw",
    summary: "The record's bytes as the value of the table's one column.",
    options: OPTIONS,
    decoder: Some(decoder),
    encoder: Some(encoder),
    framing: |_| Ok(Framing::Lines),
};

/// Options, as Flink names them.
pub static OPTIONS: &[OptionInfo] = &[
    option(
        "raw.charset",
        OptionKind::Text,
        Some("UTF-8"),
        "How the bytes of a STRING are written: UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, \
         UTF-16LE, or another that the Encoding Standard names, such as windows-1252, Shift_JIS \
         or GBK.",
    ),
    option(
        "raw.endianness",
        OptionKind::OneOf(&["big-endian", "little-endian"]),
        Some("big-endian"),
        "Which byte of a number comes first, the highest or the lowest.",
    ),
];

/// How values are written.
#[derive(Clone, Copy)]
struct Options {
    charset: Charset,
    little_endian: bool,
}

impl Options {
    fn of(options: &FormatOptions<'_>) -> Result<Self> {
        let name = options.text("raw.charset").unwrap_or("UTF-8");
        let charset = Charset::named(name).ok_or_else(|| {
            let expected = "a charset such as `UTF-8`, `ISO-8859-1`, `UTF-16` or `windows-1252`";
            options.invalid("raw.charset", name, expected)
        })?;
        let words = ["big-endian", "little-endian"];
        let little_endian = options.one_of("raw.endianness", &words)? == words[1];
        Ok(Options { charset, little_endian })
    }
}

fn decoder(options: &FormatOptions<'_>, columns: &Columns) -> Result<Box<dyn Decoder>> {
    check(columns)?;
    let options = Options::of(options)?;
    let values = columns.wanted.fields().first().map(|field| Values::new(field.data_type()));
    Ok(Box::new(RawDecoder { schema: columns.wanted.clone(), options, values, rows: 0 }))
}

fn encoder(options: &FormatOptions<'_>, columns: &Columns) -> Result<Box<dyn Encoder>> {
    check(columns)?;
    Ok(Box::new(RawEncoder { options: Options::of(options)? }))
}

/// Whether the one column is of a type that this format can have.
fn check(columns: &Columns) -> Result<()> {
    let fail = |message: String| {
        let option = Some("format".to_owned());
        let hint = "declare one column: STRING, BYTES, BOOLEAN, or a number but DECIMAL";
        Err(ConnectorError::Options { message, option, hint: Some(hint.to_owned()) })
    };
    let [field] = columns.declared.fields().as_ref() else {
        let count = columns.declared.fields().len();
        return fail(format!("format `raw` is for one column, and the table has {count}"));
    };
    match field.data_type() {
        DataType::Utf8 | DataType::Binary => Ok(()),
        data_type if width(data_type).is_some() => Ok(()),
        data_type => {
            let name = sql_name(data_type);
            fail(format!("format `raw` cannot have a column of type {name}"))
        }
    }
}

/// Why a file cannot hold records of this table, if it cannot: there they are lines, and what has
/// no lines of its own would be torn apart at bytes that look like a line's end.
pub(crate) fn refuse_in_lines(
    options: &FormatOptions<'_>,
    columns: &Columns,
) -> Result<Option<String>> {
    let charset = Options::of(options)?.charset;
    let Some(field) = columns.declared.fields().first() else { return Ok(None) };
    Ok(match field.data_type() {
        DataType::Utf8 if !charset.has_ascii_line_ends() => {
            let name = options.text("raw.charset").unwrap_or_default();
            Some(format!("lines of a file cannot be told apart in the charset {name}"))
        }
        data_type if width(data_type).is_some() => Some(format!(
            "`raw` values of type {} have no line ends, so a file of them cannot be read back",
            sql_name(data_type)
        )),
        _ => None,
    })
}

/// Bytes of a value of this type; `None` if they differ in length.
fn width(data_type: &DataType) -> Option<usize> {
    Some(match data_type {
        DataType::Boolean | DataType::Int8 => 1,
        DataType::Int16 => 2,
        DataType::Int32 | DataType::Float32 => 4,
        DataType::Int64 | DataType::Float64 => 8,
        _ => return None,
    })
}

/// The values of the column, being filled.
enum Values {
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Boolean(BooleanBuilder),
    Int8(PrimitiveBuilder<Int8Type>),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
}

impl Values {
    /// No values, of a type that [`check`] let pass.
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Utf8 => Values::Text(StringBuilder::new()),
            DataType::Boolean => Values::Boolean(BooleanBuilder::new()),
            DataType::Int8 => Values::Int8(PrimitiveBuilder::new()),
            DataType::Int16 => Values::Int16(PrimitiveBuilder::new()),
            DataType::Int32 => Values::Int32(PrimitiveBuilder::new()),
            DataType::Int64 => Values::Int64(PrimitiveBuilder::new()),
            DataType::Float32 => Values::Float32(PrimitiveBuilder::new()),
            DataType::Float64 => Values::Float64(PrimitiveBuilder::new()),
            _ => Values::Bytes(BinaryBuilder::new()),
        }
    }

    fn push(&mut self, record: &[u8], options: Options) -> Result<(), String> {
        let little = options.little_endian;
        match self {
            Values::Text(values) => values.append_value(options.charset.decode(record)?),
            Values::Bytes(values) => values.append_value(record),
            Values::Boolean(values) => {
                values.append_value(ordered::<1>(record, "BOOLEAN", little)?[0] != 0);
            }
            Values::Int8(values) => {
                values.append_value(i8::from_be_bytes(ordered(record, "TINYINT", little)?));
            }
            Values::Int16(values) => {
                values.append_value(i16::from_be_bytes(ordered(record, "SMALLINT", little)?));
            }
            Values::Int32(values) => {
                values.append_value(i32::from_be_bytes(ordered(record, "INT", little)?));
            }
            Values::Int64(values) => {
                values.append_value(i64::from_be_bytes(ordered(record, "BIGINT", little)?));
            }
            Values::Float32(values) => {
                values.append_value(f32::from_be_bytes(ordered(record, "FLOAT", little)?));
            }
            Values::Float64(values) => {
                values.append_value(f64::from_be_bytes(ordered(record, "DOUBLE", little)?));
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Values::Text(values) => Arc::new(values.finish()),
            Values::Bytes(values) => Arc::new(values.finish()),
            Values::Boolean(values) => Arc::new(values.finish()),
            Values::Int8(values) => Arc::new(values.finish()),
            Values::Int16(values) => Arc::new(values.finish()),
            Values::Int32(values) => Arc::new(values.finish()),
            Values::Int64(values) => Arc::new(values.finish()),
            Values::Float32(values) => Arc::new(values.finish()),
            Values::Float64(values) => Arc::new(values.finish()),
        }
    }
}

/// The bytes of a number, the highest first.
fn ordered<const N: usize>(record: &[u8], name: &str, little: bool) -> Result<[u8; N], String> {
    let Ok(mut bytes) = <[u8; N]>::try_from(record) else {
        let (found, plural) = (record.len(), if N == 1 { "" } else { "s" });
        return Err(format!("a {name} is {N} byte{plural}, and the record has {found}"));
    };
    if little {
        bytes.reverse();
    }
    Ok(bytes)
}

struct RawDecoder {
    schema: SchemaRef,
    options: Options,
    /// None if the column is not read.
    values: Option<Values>,
    rows: usize,
}

impl Decoder for RawDecoder {
    fn decode(&mut self, record: &[u8]) -> Result<usize, DecodeError> {
        if let Some(values) = &mut self.values {
            values.push(record, self.options).map_err(|reason| {
                let name = self.schema.field(0).name();
                DecodeError::new(format!("column `{name}`: {reason}"))
            })?;
        }
        self.rows += 1;
        Ok(1)
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Batch, DecodeError> {
        let columns = self.values.iter_mut().map(Values::finish).collect();
        let rows = std::mem::take(&mut self.rows);
        super::batch(&self.schema, Ok(columns), rows).map(Batch::inserts)
    }
}

struct RawEncoder {
    options: Options,
}

impl Encoder for RawEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let column: &ArrayRef = batch.rows.column(0);
        if column.is_null(row) {
            return Ok(());
        }
        let start = out.len();
        match column.data_type() {
            DataType::Utf8 => {
                let text = column.as_string::<i32>().value(row);
                return self.options.charset.encode(text, out).map_err(DecodeError::new);
            }
            DataType::Boolean => out.push(u8::from(column.as_boolean().value(row))),
            DataType::Int8 => out.extend(value::<Int8Type>(column, row).to_be_bytes()),
            DataType::Int16 => out.extend(value::<Int16Type>(column, row).to_be_bytes()),
            DataType::Int32 => out.extend(value::<Int32Type>(column, row).to_be_bytes()),
            DataType::Int64 => out.extend(value::<Int64Type>(column, row).to_be_bytes()),
            DataType::Float32 => out.extend(value::<Float32Type>(column, row).to_be_bytes()),
            DataType::Float64 => out.extend(value::<Float64Type>(column, row).to_be_bytes()),
            _ => {
                out.extend_from_slice(column.as_binary::<i32>().value(row));
                return Ok(());
            }
        }
        if self.options.little_endian {
            out[start..].reverse();
        }
        Ok(())
    }
}

fn value<T: ArrowPrimitiveType>(column: &ArrayRef, row: usize) -> T::Native {
    let values: &PrimitiveArray<T> = column.as_primitive();
    values.value(row)
}
