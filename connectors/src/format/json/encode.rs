//! Rows → JSON objects, in Flink's output forms.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use millstream_operators::Batch;

use super::TimestampStandard;
use super::text::write_string;
use crate::error::DecodeError;
use crate::format::Encoder;
use crate::format::scalar::name::sql_name;
use crate::format::write::{self, Decimals, Style};

/// How JSON is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// How timestamps are written.
    pub timestamp: TimestampStandard,
    /// Whether DECIMALs never have an exponent, and keep the zeros at their end.
    pub plain_decimals: bool,
    /// Whether fields that are null are left out.
    pub ignore_null_fields: bool,
    /// Whether keys of a MAP may be of any type of single values, and are written as text.
    pub any_key: bool,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        EncodeOptions {
            timestamp: TimestampStandard::default(),
            plain_decimals: true,
            ignore_null_fields: false,
            any_key: false,
        }
    }
}

impl EncodeOptions {
    /// For people: whatever a row holds can be shown.
    pub(crate) fn for_console() -> Self {
        EncodeOptions { any_key: true, ..EncodeOptions::default() }
    }

    fn style(&self) -> Style {
        let decimals = if self.plain_decimals { Decimals::Plain } else { Decimals::Stripped };
        Style { timestamp: self.timestamp, decimals }
    }
}

/// Why columns of this type cannot be written, if they cannot; `path` names the column.
pub(super) fn refuse(path: &str, data_type: &DataType, options: &EncodeOptions) -> Option<String> {
    match data_type {
        DataType::List(item) => refuse(&format!("{path}[]"), item.data_type(), options),
        DataType::Struct(fields) => fields.iter().find_map(|field| {
            refuse(&format!("{path}.{}", field.name()), field.data_type(), options)
        }),
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return None };
            let [key, value] = fields.as_ref() else { return None };
            if *key.data_type() != DataType::Utf8 && !options.any_key {
                let found = sql_name(key.data_type());
                return Some(format!(
                    "column `{path}`: keys of JSON objects are STRINGs, not {found}"
                ));
            }
            refuse(&format!("{path}[]"), value.data_type(), options)
        }
        _ => None,
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
            write_value(column, row, &self.options, out)?;
            separator = b",";
        }
        out.push(b'}');
        Ok(())
    }
}

/// Appends the value of row `row`.
pub(crate) fn write_value(
    array: &dyn Array,
    row: usize,
    options: &EncodeOptions,
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
                write_value(&items, item, options, out)?;
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
    options: &EncodeOptions,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let quote: &[u8] = if write::is_bare(array, row) { b"" } else { b"\"" };
    out.extend_from_slice(quote);
    // None of the texts that are quoted here has a character that would need an escape.
    if !write::value(array, row, options.style(), out) {
        let reason = format!("values of type {} cannot be written as JSON", array.data_type());
        return Err(DecodeError::new(reason));
    }
    out.extend_from_slice(quote);
    Ok(())
}

fn object(
    array: &dyn Array,
    row: usize,
    options: &EncodeOptions,
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
        write_value(column, row, options, out)?;
        separator = b",";
    }
    out.extend_from_slice(if separator == b"{" { b"{}" } else { b"}" });
    Ok(())
}

fn map(
    array: &dyn Array,
    row: usize,
    options: &EncodeOptions,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let entries = array.as_map().value(row);
    let (keys, values) = (entries.column(0), entries.column(1));
    let mut separator: &[u8] = b"{";
    let mut text = Vec::new();
    for entry in 0..entries.len() {
        text.clear();
        // Keys are never null: arrow has no such maps.
        if !write::value(keys, entry, options.style(), &mut text) {
            let reason = "a MAP needs keys of single values to be written as JSON";
            return Err(DecodeError::new(reason));
        }
        out.extend_from_slice(separator);
        write_string(&text, out);
        out.push(b':');
        write_value(values, entry, options, out)?;
        separator = b",";
    }
    out.extend_from_slice(if separator == b"{" { b"{}" } else { b"}" });
    Ok(())
}
