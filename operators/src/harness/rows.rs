//! Rows as text: `a, 1, null`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int8Array, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit, TimestampMillisecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::{Batch, RowKind};

/// How timestamps are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    Ms,
    Iso,
}

/// A batch from lines of values, each with a row kind in front if it is no insert.
pub(super) fn parse(lines: &[&str], schema: &SchemaRef, times: Times) -> Batch {
    let mut kinds = Vec::new();
    let mut cells: Vec<Vec<Option<String>>> = vec![Vec::new(); schema.fields().len()];
    for line in lines {
        let kind = line.get(..2).and_then(RowKind::parse);
        let values = if kind.is_some() { line[2..].trim() } else { line };
        kinds.push(kind.unwrap_or(RowKind::Insert) as i8);
        let values: Vec<&str> = values.split(',').map(str::trim).collect();
        assert_eq!(values.len(), cells.len(), "a value for each column in `{line}`");
        for (column, value) in cells.iter_mut().zip(values) {
            column.push((value != "null").then(|| value.to_owned()));
        }
    }
    let columns = cells.into_iter().zip(schema.fields());
    let columns = columns.map(|(values, field)| column(values, field.data_type(), times)).collect();
    let rows = RecordBatch::try_new(schema.clone(), columns).expect("columns fit the schema");
    let are_inserts = kinds.iter().all(|kind| *kind == RowKind::Insert as i8);
    let kinds = (!are_inserts).then(|| Int8Array::from(kinds));
    Batch { rows, kinds }
}

fn column(values: Vec<Option<String>>, data_type: &DataType, times: Times) -> ArrayRef {
    let read = |array: &ArrayRef, to: &DataType| {
        let options = CastOptions { safe: false, ..Default::default() };
        cast_with_options(array, to, &options).expect("values fit their column")
    };
    let text: ArrayRef = Arc::new(StringArray::from(values));
    match (data_type, times) {
        (DataType::Timestamp(TimeUnit::Millisecond, zone), Times::Ms) => {
            let plain = DataType::Timestamp(TimeUnit::Millisecond, None);
            let moments = read(&read(&text, &DataType::Int64), &plain);
            // Setting the zone keeps the number; a cast would take it for a wall-clock time.
            let moments = moments.as_primitive::<TimestampMillisecondType>().clone();
            Arc::new(moments.with_timezone_opt(zone.clone()))
        }
        _ => read(&text, data_type),
    }
}

/// The rows of a batch as lines, with kinds.
pub(super) fn show(batch: &Batch, times: Times) -> Vec<String> {
    let columns: Vec<ArrayRef> = batch.rows.columns().iter().map(|c| shown(c, times)).collect();
    let options = FormatOptions::new().with_null("null").with_timestamp_format(None);
    let formatters: Vec<ArrayFormatter<'_>> = columns
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).expect("shown"))
        .collect();
    let line = |row: usize| {
        let values: Vec<String> =
            formatters.iter().map(|column| column.value(row).to_string()).collect();
        format!("{} {}", batch.kind(row).as_str(), values.join(", "))
    };
    (0..batch.num_rows()).map(line).collect()
}

fn shown(column: &ArrayRef, times: Times) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(..) if times == Times::Ms => {
            let ms = cast(column, &DataType::Timestamp(TimeUnit::Millisecond, None));
            let numbers = cast(&ms.expect("timestamps have milliseconds"), &DataType::Int64);
            let numbers = numbers.expect("milliseconds are numbers");
            Arc::new(numbers.as_primitive::<Int64Type>().clone())
        }
        _ => column.clone(),
    }
}
