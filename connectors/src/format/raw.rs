//! `raw`: the record's bytes are the value of the one column.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use millstream_operators::Batch;

use super::scalar::ScalarColumn;
use super::scalar::name::sql_name;
use super::scalar::time::TimestampStandard;
use super::{Columns, Decoder, Encoder, FormatInfo, FormatOptions, Framing};
use crate::error::{ConnectorError, DecodeError, Result};

/// The format's entry in the registry.
pub const INFO: FormatInfo = FormatInfo {
    name: "raw",
    summary: "The record's bytes as the value of the table's one STRING or BYTES column.",
    options: &[],
    decoder: Some(decoder),
    encoder: Some(encoder),
    framing: |_| Ok(Framing::Lines),
};

fn decoder(_: &FormatOptions<'_>, columns: &Columns) -> Result<Box<dyn Decoder>> {
    let column = check(columns)?;
    Ok(Box::new(RawDecoder { schema: columns.wanted.clone(), column, rows: 0 }))
}

fn encoder(_: &FormatOptions<'_>, columns: &Columns) -> Result<Box<dyn Encoder>> {
    check(columns)?;
    Ok(Box::new(RawEncoder))
}

/// The one column, if it is one of those that this format can have; none if it is not read.
fn check(columns: &Columns) -> Result<Option<ScalarColumn>> {
    let fail = |message: String| {
        let option = Some("format".to_owned());
        let hint = Some("declare one column, of type STRING or BYTES".to_owned());
        Err(ConnectorError::Options { message, option, hint })
    };
    let [field] = columns.declared.fields().as_ref() else {
        let count = columns.declared.fields().len();
        return fail(format!("format `raw` is for one column, and the table has {count}"));
    };
    if !matches!(field.data_type(), DataType::Utf8 | DataType::Binary) {
        let name = sql_name(field.data_type());
        return fail(format!("format `raw` cannot have a column of type {name}"));
    }
    let wanted = columns.wanted.fields().first();
    Ok(wanted.and_then(|_| ScalarColumn::new(field.data_type(), TimestampStandard::Sql)))
}

struct RawDecoder {
    schema: SchemaRef,
    column: Option<ScalarColumn>,
    rows: usize,
}

impl Decoder for RawDecoder {
    fn decode(&mut self, record: &[u8]) -> Result<usize, DecodeError> {
        if let Some(column) = &mut self.column {
            let push =
                if column.is_text() { ScalarColumn::push_text } else { ScalarColumn::push_bytes };
            push(column, record).map_err(|mismatch| {
                let name = self.schema.field(0).name();
                DecodeError::new(format!("column `{name}`: {}", mismatch.0))
            })?;
        }
        self.rows += 1;
        Ok(1)
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Batch, DecodeError> {
        let columns = self.column.iter_mut().map(ScalarColumn::finish).collect::<Result<_, _>>();
        let rows = std::mem::take(&mut self.rows);
        super::batch(&self.schema, columns, rows).map(Batch::inserts)
    }
}

struct RawEncoder;

impl Encoder for RawEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let column: &Arc<dyn Array> = batch.rows.column(0);
        if column.is_null(row) {
            return Ok(());
        }
        match column.data_type() {
            DataType::Utf8 => {
                out.extend_from_slice(column.as_string::<i32>().value(row).as_bytes())
            }
            _ => out.extend_from_slice(column.as_binary::<i32>().value(row)),
        }
        Ok(())
    }
}
