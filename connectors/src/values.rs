//! `values`: numbered rows, for constants of a query. Users write `VALUES`; the planner reads this.
//!
//! The one column is the row's number, from 0; what is in the row is computed from it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::error::{ConnectorError, Result};
use crate::generator::{Generate, Generator};
use crate::options::{OptionInfo, OptionKind, Options};
use crate::registry::{ConnectorInfo, Direction, Environment, no_metadata};
use crate::{Source, TableSpec};

/// The connector as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "values",
    summary: "Numbers rows of constants.",
    options: &[OptionInfo {
        name: ROWS,
        kind: OptionKind::Integer,
        default: None,
        required: true,
        description: "Number of rows.",
    }],
    formatted: false,
    metadata: no_metadata,
    check: |_: &TableSpec, _: Direction| Ok(()),
    source: Some(open_source),
    sink: None,
};

/// Option with the number of rows.
pub const ROWS: &str = "rows";

fn open_source(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Source>> {
    Ok(Box::new(Generator {
        rows: Arc::new(Numbers(Arc::clone(&table.schema))),
        end: Options::new(table, &INFO).at_least(ROWS, 0)?,
        // One split: constants keep their order.
        splits: 1,
        block: u64::MAX,
        pace: None,
        clock: environment.clock.clone(),
    }))
}

struct Numbers(SchemaRef);

impl Generate for Numbers {
    fn rows(&self, numbers: &[u64], _due_ms: &dyn Fn(u64) -> i64) -> Result<RecordBatch> {
        let numbers = numbers.iter().map(|number| number.cast_signed());
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
        RecordBatch::try_new(Arc::clone(&self.0), vec![column]).map_err(|error| {
            ConnectorError::Data { place: "values".into(), reason: error.to_string(), hint: None }
        })
    }
}
