//! Columns that are filled from JSON values, nested ones among them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, NullBufferBuilder, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use arrow::error::ArrowError;

use super::Options;
use super::object::{Context, Object};
use super::scan::{Kind, Span, SyntaxError, check, key, skip_blanks, value};
use super::text::{compact, unescape};
use crate::error::DecodeError;
use crate::format::scalar::name::sql_name;
use crate::format::scalar::{Mismatch, ScalarColumn};

/// Why a record cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not JSON.
    Syntax(SyntaxError),
    /// It is not what the table says.
    Record(DecodeError),
}

impl From<SyntaxError> for Fault {
    fn from(error: SyntaxError) -> Self {
        Fault::Syntax(error)
    }
}

/// A column that is being filled.
pub(super) struct Column {
    // PROPERTIES
    /// Names that lead to it, for messages.
    path: String,
    data_type: DataType,
    nullable: bool,
    // STATE
    values: Values,
}

enum Values {
    Scalar(ScalarColumn),
    List(Box<List>),
    Map(Box<Map>),
    Row(Box<Row>),
}

struct List {
    validity: NullBufferBuilder,
    ends: Vec<i32>,
    field: FieldRef,
    items: Column,
}

struct Map {
    validity: NullBufferBuilder,
    ends: Vec<i32>,
    entries: FieldRef,
    keys: ScalarColumn,
    values: Column,
}

struct Row {
    validity: NullBufferBuilder,
    fields: Fields,
    object: Object,
}

impl Column {
    /// An empty column, or why there is none of this type.
    pub(super) fn new(
        path: String,
        data_type: &DataType,
        nullable: bool,
        options: &Options,
    ) -> Result<Self, String> {
        let validity = NullBufferBuilder::new(0);
        let values = match data_type {
            DataType::List(field) => {
                let item = format!("{path}[]");
                let items = Column::new(item, field.data_type(), field.is_nullable(), options)?;
                let field = field.clone();
                Values::List(Box::new(List { validity, ends: Vec::new(), field, items }))
            }
            DataType::Map(entries, _) => {
                Values::Map(Box::new(Map::new(&path, entries, validity, options)?))
            }
            DataType::Struct(fields) => {
                let object = Object::new(fields, &format!("{path}."), options)?;
                Values::Row(Box::new(Row { validity, fields: fields.clone(), object }))
            }
            _ => match ScalarColumn::new(data_type, options.timestamp) {
                Some(column) => Values::Scalar(column),
                None => {
                    return Err(format!("column `{path}` has type {data_type}, unknown to JSON"));
                }
            },
        };
        Ok(Column { path, data_type: data_type.clone(), nullable, values })
    }

    /// Adds what an object has for this column.
    #[inline]
    pub(super) fn append_member(
        &mut self,
        span: Span,
        context: &mut Context<'_>,
    ) -> Result<(), Fault> {
        match span.kind {
            Kind::Missing if context.options.fail_on_missing_field => {
                let reason = format!("column `{}` is missing in the record", self.path);
                Err(Fault::Record(DecodeError::new(reason)))
            }
            Kind::Missing | Kind::Null => self.append_checked_null(span.start),
            _ => self.append(span, context),
        }
    }

    /// Adds a value that is there and not null.
    #[inline]
    fn append(&mut self, span: Span, context: &mut Context<'_>) -> Result<(), Fault> {
        let result = match &mut self.values {
            Values::Scalar(column) => append_scalar(column, span, context)?,
            Values::List(list) if span.kind == Kind::Array => list.append(span, context)?,
            Values::Map(map) if span.kind == Kind::Object => map.append(span, context)?,
            Values::Row(row) if span.kind == Kind::Object => row.append(span, context)?,
            Values::List(_) | Values::Map(_) | Values::Row(_) => Err(Mismatch("")),
        };
        match result {
            Ok(()) if self.nullable => Ok(()),
            Ok(()) => self.check_not_null(span.start),
            Err(_) if context.options.ignore_parse_errors => self.append_checked_null(span.start),
            Err(mismatch) => Err(Fault::Record(self.refusal(span, context.record, mismatch))),
        }
    }

    /// Adds a null, if the column takes one.
    fn append_checked_null(&mut self, at: usize) -> Result<(), Fault> {
        self.append_null();
        if self.nullable { Ok(()) } else { self.check_not_null(at) }
    }

    /// Adds a null below a value that is null itself, where NOT NULL does not count.
    pub(super) fn append_null(&mut self) {
        match &mut self.values {
            Values::Scalar(column) => column.push_null(),
            Values::List(list) => {
                list.validity.append_null();
                list.ends.push(list.ends.last().copied().unwrap_or(0));
            }
            Values::Map(map) => {
                map.validity.append_null();
                map.ends.push(map.ends.last().copied().unwrap_or(0));
            }
            Values::Row(row) => {
                row.validity.append_null();
                row.object.append_nulls();
            }
        }
    }

    fn check_not_null(&self, at: usize) -> Result<(), Fault> {
        let is_null = match &self.values {
            Values::Scalar(column) => column.last_is_null(),
            Values::List(list) => last_is_null(&list.validity),
            Values::Map(map) => last_is_null(&map.validity),
            Values::Row(row) => last_is_null(&row.validity),
        };
        if !is_null {
            return Ok(());
        }
        let reason = format!("column `{}` is NOT NULL and the record has no value", self.path);
        Err(Fault::Record(DecodeError::at(at, reason)))
    }

    #[cold]
    fn refusal(&self, span: Span, record: &[u8], mismatch: Mismatch) -> DecodeError {
        let quote = if matches!(span.kind, Kind::Text | Kind::EscapedText) { "\"" } else { "" };
        let found = excerpt(span.of(record));
        let (path, expected) = (&self.path, sql_name(&self.data_type));
        let detail = if mismatch.0.is_empty() { "" } else { ": " };
        let why = mismatch.0;
        DecodeError::at(
            span.start,
            format!(
                "column `{path}`: expected {expected}, found {quote}{found}{quote}{detail}{why}"
            ),
        )
    }

    fn len(&self) -> usize {
        match &self.values {
            Values::Scalar(column) => column.len(),
            Values::List(list) => list.validity.len(),
            Values::Map(map) => map.validity.len(),
            Values::Row(row) => row.validity.len(),
        }
    }

    /// The texts from row `from` on, of a STRING column.
    pub(super) fn texts_from(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        let scalar = match &self.values {
            Values::Scalar(column) => Some(column),
            _ => None,
        };
        scalar.into_iter().flat_map(move |column| column.texts_from(from))
    }

    /// Forgets all rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::Scalar(column) => column.truncate(rows),
            Values::List(list) => {
                list.validity.truncate(rows);
                list.ends.truncate(rows);
                list.items.truncate(last_end(&list.ends));
            }
            Values::Map(map) => {
                map.validity.truncate(rows);
                map.ends.truncate(rows);
                map.keys.truncate(last_end(&map.ends));
                map.values.truncate(last_end(&map.ends));
            }
            Values::Row(row) => {
                row.validity.truncate(rows);
                row.object.truncate(rows);
            }
        }
    }

    /// Takes the rows.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        match &mut self.values {
            Values::Scalar(column) => column.finish(),
            Values::List(list) => list.finish(),
            Values::Map(map) => map.finish(),
            Values::Row(row) => row.finish(),
        }
    }
}

#[inline]
fn append_scalar(
    column: &mut ScalarColumn,
    span: Span,
    context: &mut Context<'_>,
) -> Result<Result<(), Mismatch>, Fault> {
    let text = span.of(context.record);
    if context.options.exact_types && !column.is_exact(text) {
        return Ok(Err(Mismatch("")));
    }
    Ok(match span.kind {
        Kind::Text => column.push_json_text(text),
        Kind::Number => column.push_number(context.record, span.start..span.end),
        Kind::EscapedText => {
            context.scratch.clear();
            unescape(text, span.start, context.scratch)?;
            column.push_text(context.scratch)
        }
        Kind::True | Kind::False => column.push_bool(span.kind == Kind::True),
        // A STRING column takes objects and arrays as the JSON text that they are.
        Kind::Object | Kind::Array if column.is_text() => {
            check(context.record, span.start, 0)?;
            context.scratch.clear();
            compact(text, span.start, context.scratch)?;
            column.push_text(context.scratch)
        }
        Kind::Object | Kind::Array | Kind::Null | Kind::Missing => Err(Mismatch("")),
    })
}

impl List {
    /// Adds the array at `span`; if it is refused, nothing has been added.
    fn append(
        &mut self,
        span: Span,
        context: &mut Context<'_>,
    ) -> Result<Result<(), Mismatch>, Fault> {
        let record = context.record;
        let mut at = skip_blanks(record, span.start + 1);
        let mut more = record.get(at) != Some(&b']');
        while more {
            let (item, end) = value::<false>(record, at)?;
            self.items.append_member(item, context)?;
            (at, more) = next_in(record, end, b']')?;
        }
        Ok(push_end(&mut self.ends, &mut self.validity, self.items.len()))
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let items = self.items.finish()?;
        let (offsets, nulls) = (take_offsets(&mut self.ends), self.validity.finish());
        Ok(Arc::new(ListArray::try_new(self.field.clone(), offsets, items, nulls)?))
    }
}

impl Map {
    fn new(
        path: &str,
        entries: &FieldRef,
        validity: NullBufferBuilder,
        options: &Options,
    ) -> Result<Self, String> {
        let keys_and_values = match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Some((&fields[0], &fields[1])),
            _ => None,
        };
        let (key, value) = keys_and_values
            .filter(|(key, _)| *key.data_type() == DataType::Utf8)
            .ok_or_else(|| format!("column `{path}`: keys of JSON objects are STRINGs"))?;
        let keys = ScalarColumn::new(key.data_type(), options.timestamp)
            .expect("STRING is a type of single values");
        let path = format!("{path}[]");
        let values = Column::new(path, value.data_type(), value.is_nullable(), options)?;
        Ok(Map { validity, ends: Vec::new(), entries: entries.clone(), keys, values })
    }

    /// Adds the object at `span`; of a key that occurs twice, the last value.
    fn append(
        &mut self,
        span: Span,
        context: &mut Context<'_>,
    ) -> Result<Result<(), Mismatch>, Fault> {
        let record = context.record;
        let mut entries: Vec<Span> = Vec::new();
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut at = skip_blanks(record, span.start + 1);
        let mut more = record.get(at) != Some(&b'}');
        while more {
            let (name, value_at) = key(record, at)?;
            let (entry, end) = value::<false>(record, value_at)?;
            let mut plain = Vec::new();
            unescape(name.of(record), name.start, &mut plain)?;
            match places.entry(plain) {
                std::collections::hash_map::Entry::Occupied(place) => entries[*place.get()] = entry,
                std::collections::hash_map::Entry::Vacant(place) => {
                    if let Err(mismatch) = self.keys.push_text(place.key()) {
                        return Err(Fault::Syntax(SyntaxError {
                            at: name.start,
                            reason: mismatch.0,
                        }));
                    }
                    place.insert(entries.len());
                    entries.push(entry);
                }
            }
            (at, more) = next_in(record, end, b'}')?;
        }
        for entry in entries {
            self.values.append_member(entry, context)?;
        }
        Ok(push_end(&mut self.ends, &mut self.validity, self.keys.len()))
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let DataType::Struct(fields) = self.entries.data_type() else {
            return Err(ArrowError::SchemaError("entries of a map are a struct".to_owned()));
        };
        let columns = vec![self.keys.finish()?, self.values.finish()?];
        let entries = StructArray::try_new(fields.clone(), columns, None)?;
        let (offsets, nulls) = (take_offsets(&mut self.ends), self.validity.finish());
        let map = MapArray::try_new(self.entries.clone(), offsets, entries, nulls, false)?;
        Ok(Arc::new(map))
    }
}

impl Row {
    fn append(
        &mut self,
        span: Span,
        context: &mut Context<'_>,
    ) -> Result<Result<(), Mismatch>, Fault> {
        self.object.scan(context.record, span.start)?;
        self.object.append(context)?;
        self.validity.append_non_null();
        Ok(Ok(()))
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let rows = self.validity.len();
        let nulls = self.validity.finish();
        let columns = self.object.columns.iter_mut().map(Column::finish);
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let row = StructArray::try_new_with_length(self.fields.clone(), columns, nulls, rows)?;
        Ok(Arc::new(row))
    }
}

/// Behind an item that ends at `end`: where the next one starts, and whether there is one.
pub(super) fn next_in(record: &[u8], end: usize, close: u8) -> Result<(usize, bool), SyntaxError> {
    let at = skip_blanks(record, end);
    match record.get(at) {
        Some(b',') => Ok((skip_blanks(record, at + 1), true)),
        Some(byte) if *byte == close => Ok((at, false)),
        _ => Err(SyntaxError { at, reason: "',' or a closing bracket should stand here" }),
    }
}

/// Ends a list or map behind `length` items in all.
fn push_end(
    ends: &mut Vec<i32>,
    validity: &mut NullBufferBuilder,
    length: usize,
) -> Result<(), Mismatch> {
    // No batch gets this far: 2^31 items would need more payload than a batch may have.
    ends.push(i32::try_from(length).unwrap_or(i32::MAX));
    validity.append_non_null();
    Ok(())
}

fn last_end(ends: &[i32]) -> usize {
    ends.last().map_or(0, |end| *end as usize)
}

fn last_is_null(validity: &NullBufferBuilder) -> bool {
    validity.len().checked_sub(1).is_some_and(|last| !validity.is_valid(last))
}

fn take_offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    offsets.append(ends);
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}

/// The start of a value or record, short enough for a message.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const CHARS: usize = 60;
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * CHARS)]);
    let mut text: String = start.chars().take(CHARS).flat_map(char::escape_debug).collect();
    if bytes.len() > 4 * CHARS || start.chars().count() > CHARS {
        text.push('…');
    }
    text.replace("\\\"", "\"").replace("\\'", "'")
}
