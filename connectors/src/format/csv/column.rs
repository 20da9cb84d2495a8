//! Columns that are filled from CSV fields: single values, and ARRAYs and ROWs of them, which lie
//! in one field with the array delimiter between their elements.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, NullBufferBuilder, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use arrow::error::ArrowError;
use memchr::memmem;

use super::Options;
use super::record::Field;
use crate::format::scalar::time::TimestampStandard;
use crate::format::scalar::{Mismatch, ScalarColumn};

/// A column that is being filled.
///
/// A value that is refused may leave elements behind; [`Column::truncate`] takes them away.
pub(super) enum Column {
    Scalar(ScalarColumn),
    Array(Array),
    Row(Row),
}

pub(super) struct Array {
    validity: NullBufferBuilder,
    ends: Vec<i32>,
    field: FieldRef,
    items: ScalarColumn,
}

pub(super) struct Row {
    validity: NullBufferBuilder,
    fields: Fields,
    columns: Vec<ScalarColumn>,
}

impl Column {
    /// An empty column; `None` if CSV has no values of this type.
    pub(super) fn new(data_type: &DataType) -> Option<Self> {
        let scalar = |data_type: &DataType| ScalarColumn::new(data_type, TimestampStandard::Sql);
        let validity = NullBufferBuilder::new(0);
        Some(match data_type {
            DataType::List(field) => Column::Array(Array {
                validity,
                ends: Vec::new(),
                field: field.clone(),
                items: scalar(field.data_type())?,
            }),
            DataType::Struct(fields) => Column::Row(Row {
                validity,
                fields: fields.clone(),
                columns: fields
                    .iter()
                    .map(|field| scalar(field.data_type()))
                    .collect::<Option<_>>()?,
            }),
            _ => Column::Scalar(scalar(data_type)?),
        })
    }

    /// Adds a field of a record.
    pub(super) fn push(&mut self, value: Field<'_>, options: &Options) -> Result<(), Mismatch> {
        let is_null = options.null.as_deref().is_some_and(|null| value.text == null);
        match self {
            Column::Scalar(column) => push(column, value, options),
            Column::Array(_) | Column::Row(_) if is_null => {
                self.push_null();
                Ok(())
            }
            Column::Array(array) => array.push(value.text, options),
            Column::Row(_) if value.text.is_empty() => {
                self.push_null();
                Ok(())
            }
            Column::Row(row) => row.push(value.text, options),
        }
    }

    pub(super) fn push_null(&mut self) {
        match self {
            Column::Scalar(column) => column.push_null(),
            Column::Array(array) => {
                array.validity.append_null();
                array.ends.push(array.ends.last().copied().unwrap_or(0));
            }
            Column::Row(row) => {
                row.validity.append_null();
                row.columns.iter_mut().for_each(ScalarColumn::push_null);
            }
        }
    }

    pub(super) fn last_is_null(&self) -> bool {
        let last = |validity: &NullBufferBuilder| {
            validity.len().checked_sub(1).is_some_and(|last| !validity.is_valid(last))
        };
        match self {
            Column::Scalar(column) => column.last_is_null(),
            Column::Array(array) => last(&array.validity),
            Column::Row(row) => last(&row.validity),
        }
    }

    /// Forgets all values from row `rows` on, and what is left of one that was refused.
    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            Column::Scalar(column) => column.truncate(rows),
            Column::Array(array) => {
                array.validity.truncate(rows);
                array.ends.truncate(rows);
                array.items.truncate(array.ends.last().map_or(0, |end| *end as usize));
            }
            Column::Row(row) => {
                row.validity.truncate(rows);
                row.columns.iter_mut().for_each(|column| column.truncate(rows));
            }
        }
    }

    /// Takes the values and leaves the column empty.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        match self {
            Column::Scalar(column) => column.finish(),
            Column::Array(array) => {
                let items = array.items.finish()?;
                let mut offsets = Vec::with_capacity(array.ends.len() + 1);
                offsets.push(0);
                offsets.append(&mut array.ends);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                let nulls = array.validity.finish();
                Ok(Arc::new(ListArray::try_new(array.field.clone(), offsets, items, nulls)?))
            }
            Column::Row(row) => {
                let rows = row.validity.len();
                let nulls = row.validity.finish();
                let columns = row.columns.iter_mut().map(ScalarColumn::finish);
                let columns = columns.collect::<Result<Vec<_>, _>>()?;
                let fields = row.fields.clone();
                Ok(Arc::new(StructArray::try_new_with_length(fields, columns, nulls, rows)?))
            }
        }
    }
}

impl Array {
    fn push(&mut self, text: &[u8], options: &Options) -> Result<(), Mismatch> {
        let before = self.items.len();
        // A blank field is an array without elements, as in Flink.
        if !text.trim_ascii().is_empty() {
            for element in elements(text, &options.array_delimiter) {
                if let Err(mismatch) = push_element(&mut self.items, element, options) {
                    self.items.truncate(before);
                    return Err(mismatch);
                }
                if !self.field.is_nullable() && self.items.last_is_null() {
                    self.items.truncate(before);
                    return Err(Mismatch("an element is empty, and its type is NOT NULL"));
                }
            }
        }
        // No batch gets this far: 2^31 elements would need more payload than a batch may have.
        self.ends.push(i32::try_from(self.items.len()).unwrap_or(i32::MAX));
        self.validity.append_non_null();
        Ok(())
    }
}

impl Row {
    fn push(&mut self, text: &[u8], options: &Options) -> Result<(), Mismatch> {
        let rows = self.validity.len();
        let result = self.push_elements(text, options);
        match result {
            Ok(()) => self.validity.append_non_null(),
            Err(_) => self.columns.iter_mut().for_each(|column| column.truncate(rows)),
        }
        result
    }

    fn push_elements(&mut self, text: &[u8], options: &Options) -> Result<(), Mismatch> {
        let mut elements = elements(text, &options.array_delimiter);
        for (field, column) in self.fields.iter().zip(&mut self.columns) {
            match elements.next() {
                Some(element) => push_element(column, element, options)?,
                None if options.ignore_errors => column.push_null(),
                None => return Err(Mismatch("it has too few elements")),
            }
            if !field.is_nullable() && column.last_is_null() {
                return Err(Mismatch("an element is empty, and its type is NOT NULL"));
            }
        }
        match elements.next() {
            Some(_) if !options.ignore_errors => Err(Mismatch("it has too many elements")),
            _ => Ok(()),
        }
    }
}

/// The texts between the delimiters, which is not empty.
fn elements<'a>(text: &'a [u8], delimiter: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (element, after) = match memmem::find(text, delimiter) {
            Some(at) => (&text[..at], Some(&text[at + delimiter.len()..])),
            None => (text, None),
        };
        rest = after;
        Some(element)
    })
}

/// Adds an element; one that is of the wrong type is NULL where errors are ignored.
fn push_element(column: &mut ScalarColumn, text: &[u8], options: &Options) -> Result<(), Mismatch> {
    match push(column, Field { text, quoted: false }, options) {
        Err(_) if options.ignore_errors => {
            column.push_null();
            Ok(())
        }
        result => result,
    }
}

fn push(column: &mut ScalarColumn, value: Field<'_>, options: &Options) -> Result<(), Mismatch> {
    // A quoted empty field is an empty text, for every type.
    let empty_text = value.quoted && value.text.is_empty() && options.null.is_none();
    if !empty_text && options.is_null(value.text, column.is_text()) {
        column.push_null();
        return Ok(());
    }
    column.push_text(value.text)
}
