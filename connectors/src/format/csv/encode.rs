//! Rows → CSV records.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use millstream_operators::Batch;

use super::Options;
use crate::error::DecodeError;
use crate::format::json::{EncodeOptions, write_value};
use crate::format::scalar::name::sql_name;
use crate::format::scalar::time::TimestampStandard;
use crate::format::write::{self, Decimals, Style};
use crate::format::{Encoder, FormatOptions};

/// Writes rows as CSV records.
pub(crate) struct CsvEncoder {
    options: Options,
    /// Types that CSV does not have are written as JSON: for people, who read them only.
    any_type: bool,
    /// Room for one field.
    field: Vec<u8>,
}

impl CsvEncoder {
    pub(super) fn new(options: Options) -> Self {
        CsvEncoder { options, any_type: false, field: Vec::new() }
    }

    /// An encoder for the console: with a header, values of all types, and DECIMALs as they are
    /// shown elsewhere.
    pub(crate) fn for_console() -> Self {
        let none = std::collections::BTreeMap::new();
        let defaults = FormatOptions::new(&super::INFO, "", &none).and_then(|o| Options::of(&o));
        let defaults = defaults.expect("defaults are good options");
        let options = Options { header: true, scientific: false, ..defaults };
        CsvEncoder { options, any_type: true, field: Vec::new() }
    }

    fn style(&self) -> Style {
        let decimals = if self.options.scientific { Decimals::Stripped } else { Decimals::Plain };
        Style { timestamp: TimestampStandard::Sql, decimals }
    }

    /// Puts the value of row `row`, which is not null, into `self.field`.
    fn write_value(&mut self, column: &dyn Array, row: usize) -> Result<(), DecodeError> {
        self.field.clear();
        let style = self.style();
        match column.data_type() {
            DataType::List(_) | DataType::Struct(_) | DataType::Map(..) if self.any_type => {
                return write_value(column, row, &EncodeOptions::for_console(), &mut self.field);
            }
            DataType::List(_) => {
                let items = column.as_list::<i32>().value(row);
                for item in 0..items.len() {
                    self.write_element(item, &items, item, style)?;
                }
            }
            DataType::Struct(_) => {
                for (i, member) in column.as_struct().columns().iter().enumerate() {
                    self.write_element(i, member, row, style)?;
                }
            }
            _ => return self.write_single(column, row, style),
        }
        Ok(())
    }

    /// Appends an element of an ARRAY or ROW: the `number`-th.
    fn write_element(
        &mut self,
        number: usize,
        values: &dyn Array,
        row: usize,
        style: Style,
    ) -> Result<(), DecodeError> {
        if number > 0 {
            self.field.extend_from_slice(&self.options.array_delimiter);
        }
        if values.is_null(row) {
            self.field.extend_from_slice(self.options.null.as_deref().unwrap_or_default());
            return Ok(());
        }
        self.write_single(values, row, style)
    }

    fn write_single(
        &mut self,
        values: &dyn Array,
        row: usize,
        style: Style,
    ) -> Result<(), DecodeError> {
        if write::value(values, row, style, &mut self.field) {
            return Ok(());
        }
        let reason = format!("{} cannot be written as CSV", sql_name(values.data_type()));
        Err(DecodeError::new(reason))
    }

    /// Appends the field that is in `self.field`, in quotes where it needs them.
    fn write_field(&self, is_text: bool, out: &mut Vec<u8>) {
        let Options { delimiter, quote, escape, .. } = self.options;
        let special =
            |byte: &u8| *byte == delimiter || Some(*byte) == quote || matches!(byte, b'\n' | b'\r');
        // A text that would read back as NULL, or a line as a comment, is told apart by quotes.
        let ambiguous = is_text && (self.field.is_empty() || self.field[0] == b'#');
        let Some(quote) = quote.filter(|_| ambiguous || self.field.iter().any(special)) else {
            return out.extend_from_slice(&self.field);
        };
        out.push(quote);
        for byte in &self.field {
            if *byte == quote || Some(*byte) == escape {
                out.push(escape.unwrap_or(quote));
            }
            out.push(*byte);
        }
        out.push(quote);
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        for (i, column) in batch.rows.columns().iter().enumerate() {
            if i > 0 {
                out.push(self.options.delimiter);
            }
            if column.is_null(row) {
                out.extend_from_slice(self.options.null.as_deref().unwrap_or_default());
                continue;
            }
            self.write_value(column, row)?;
            self.write_field(*column.data_type() == DataType::Utf8, out);
        }
        Ok(())
    }

    fn header(&self, schema: &SchemaRef) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        for (i, field) in schema.fields().iter().enumerate() {
            if i > 0 {
                line.push(self.options.delimiter);
            }
            let field = field.name().as_bytes().to_vec();
            CsvEncoder { options: self.options.clone(), any_type: false, field }
                .write_field(true, &mut line);
        }
        self.options.header.then_some(line)
    }
}
