//! Rows → JSON objects, in Flink's output forms.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use millstream_operators::Batch;

use super::TimestampStandard;
use super::text::write_string;
use crate::error::DecodeError;
use crate::format::Encoder;
use crate::format::write::{self, Style};

/// How JSON is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// How timestamps are written.
    pub timestamp: TimestampStandard,
    /// Whether DECIMALs never have an exponent.
    pub plain_decimals: bool,
    /// Whether fields that are null are left out.
    pub ignore_null_fields: bool,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        let timestamp = TimestampStandard::default();
        EncodeOptions { timestamp, plain_decimals: true, ignore_null_fields: false }
    }
}

/// Writes rows as JSON objects whose keys have the order of the columns.
pub struct JsonEncoder {
    options: EncodeOptions,
    /// `"name":` of each column.
    keys: Vec<Vec<u8>>,
}

impl JsonEncoder {
    /// An encoder for batches with the columns of `schema`.
    pub fn new(schema: &SchemaRef, options: EncodeOptions) -> Self {
        let key = |name: &str| {
            let mut key = Vec::new();
            write_string(name.as_bytes(), &mut key);
            key.push(b':');
            key
        };
        JsonEncoder {
            options,
            keys: schema.fields().iter().map(|field| key(field.name())).collect(),
        }
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        out.push(b'{');
        let mut separator: &[u8] = b"";
        for (key, column) in self.keys.iter().zip(batch.rows.columns()) {
            if self.options.ignore_null_fields && column.is_null(row) {
                continue;
            }
            out.extend_from_slice(separator);
            out.extend_from_slice(key);
            value(column, row, self.options, out)?;
            separator = b",";
        }
        out.push(b'}');
        Ok(())
    }
}

/// Appends the value of row `row`.
fn value(
    array: &dyn Array,
    row: usize,
    options: EncodeOptions,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    if array.is_null(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match array.data_type() {
        DataType::Utf8 => write_string(array.as_string::<i32>().value(row).as_bytes(), out),
        DataType::Null => out.extend_from_slice(b"null"),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            out.push(b'[');
            for item in 0..items.len() {
                if item > 0 {
                    out.push(b',');
                }
                value(&items, item, options, out)?;
            }
            out.push(b']');
        }
        DataType::Map(_, _) => map(array, row, options, out)?,
        DataType::Struct(_) => object(array, row, options, out)?,
        _ => return scalar(array, row, options, out),
    }
    Ok(())
}

fn scalar(
    array: &dyn Array,
    row: usize,
    options: EncodeOptions,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let style = Style { timestamp: options.timestamp, plain_decimals: options.plain_decimals };
    let quote: &[u8] = if write::is_bare(array, row) { b"" } else { b"\"" };
    out.extend_from_slice(quote);
    // None of the texts that are quoted here has a character that would need an escape.
    if !write::value(array, row, style, out) {
        let reason = format!("values of type {} cannot be written as JSON", array.data_type());
        return Err(DecodeError::new(reason));
    }
    out.extend_from_slice(quote);
    Ok(())
}

fn object(
    array: &dyn Array,
    row: usize,
    options: EncodeOptions,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let members = array.as_struct();
    let mut separator: &[u8] = b"{";
    for (field, column) in members.fields().iter().zip(members.columns()) {
        if options.ignore_null_fields && column.is_null(row) {
            continue;
        }
        out.extend_from_slice(separator);
        write_string(field.name().as_bytes(), out);
        out.push(b':');
        value(column, row, options, out)?;
        separator = b",";
    }
    out.extend_from_slice(if separator == b"{" { b"{}" } else { b"}" });
    Ok(())
}

fn map(
    array: &dyn Array,
    row: usize,
    options: EncodeOptions,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let entries = array.as_map().value(row);
    let (keys, values) = (entries.column(0), entries.column(1));
    if *keys.data_type() != DataType::Utf8 {
        return Err(DecodeError::new("a MAP needs STRING keys to be written as JSON"));
    }
    out.push(b'{');
    for entry in 0..entries.len() {
        if entry > 0 {
            out.push(b',');
        }
        write_string(keys.as_string::<i32>().value(entry).as_bytes(), out);
        out.push(b':');
        value(values, entry, options, out)?;
    }
    out.push(b'}');
    Ok(())
}
