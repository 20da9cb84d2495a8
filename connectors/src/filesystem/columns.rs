//! Puts the columns of a batch together: those of the payload, and metadata of the file.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMillisecondArray,
};
use arrow::compute::{can_cast_types, cast};
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

/// The payload's rows with the metadata columns that the table asks for in their places.
pub(super) fn assemble(table: &TableSpec, file: &FileEntry, payload: Batch) -> Result<Batch> {
    if table.metadata.is_empty() {
        return Ok(payload);
    }
    let rows = payload.num_rows();
    let mut columns = payload.rows.columns().iter();
    let all = (0..table.schema.fields().len()).map(|index| match table.metadata.get(&index) {
        Some(key) => constant(key, file, rows, table.schema.field(index).data_type()),
        None => Ok(columns.next().expect("the payload has all other columns").clone()),
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
