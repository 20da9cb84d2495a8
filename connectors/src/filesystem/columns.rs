//! Puts the columns of a batch together: those of the payload, metadata of the file, and those that
//! its directories' names say.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMillisecondArray,
    UInt32Array,
};
use arrow::compute::{can_cast_types, cast, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use millstream_operators::Batch;

use super::listing::FileEntry;
use crate::TableSpec;
use crate::error::{ConnectorError, Result};

/// Whether the metadata columns can have the types that the table gives them.
pub(super) fn check(table: &TableSpec) -> Result<()> {
    for (index, key) in &table.metadata {
        let field = table.schema.field(*index);
        let natural = super::metadata().into_iter().find(|(name, ..)| name == key);
        if let Some((_, natural, _)) = natural
            && !can_cast_types(&natural, field.data_type())
        {
            return Err(ConnectorError::Options {
                message: format!(
                    "column `{}`: metadata `{key}` cannot be of type {}",
                    field.name(),
                    field.data_type()
                ),
                option: Some("connector".into()),
                hint: None,
            });
        }
    }
    Ok(())
}

/// The payload's rows with the metadata and partition columns that the table asks for in their
/// places; `partition` has one value for each of the latter.
pub(super) fn assemble(
    table: &TableSpec,
    file: &FileEntry,
    partition: &BTreeMap<usize, ArrayRef>,
    payload: Batch,
) -> Result<Batch> {
    if table.metadata.is_empty() && partition.is_empty() {
        return Ok(payload);
    }
    let rows = payload.num_rows();
    let mut columns = payload.rows.columns().iter();
    let first = UInt32Array::from_value(0, rows);
    let all = (0..table.schema.fields().len()).map(|index| {
        if let Some(key) = table.metadata.get(&index) {
            return constant(key, file, rows, table.schema.field(index).data_type());
        }
        match partition.get(&index) {
            Some(value) => take(value, &first, None),
            None => Ok(columns.next().expect("the payload has all other columns").clone()),
        }
    });
    let all = all.collect::<std::result::Result<Vec<_>, ArrowError>>();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    all.and_then(|all| RecordBatch::try_new_with_options(table.schema.clone(), all, &options))
        .map(|all| payload.with_rows(all))
        .map_err(|error| ConnectorError::Data {
            place: file.path.display().to_string(),
            reason: error.to_string(),
            hint: None,
        })
}

fn constant(
    key: &str,
    file: &FileEntry,
    rows: usize,
    kind: &DataType,
) -> std::result::Result<ArrayRef, ArrowError> {
    let text = |text: &str| Arc::new(StringArray::from_iter_values((0..rows).map(|_| text)));
    let array: ArrayRef = match key {
        "file.path" => text(&file.path.to_string_lossy()),
        "file.name" => text(&file.path.file_name().unwrap_or_default().to_string_lossy()),
        "file.size" => {
            let size = i64::try_from(file.size_bytes).unwrap_or(i64::MAX);
            Arc::new(Int64Array::from_value(size, rows))
        }
        _ => {
            let moments = TimestampMillisecondArray::from_value(file.modified_ms, rows);
            Arc::new(moments.with_timezone("UTC"))
        }
    };
    cast(&array, kind)
}
