//! Project: computes the columns of a SELECT list.
//!
//! ```sql
//! SELECT auction, price * 0.9 AS reduced FROM bids
//! ```
//!
//! | | |
//! |---|---|
//! | state | none |
//! | input → output | append → append, retract → retract (kinds stay with their rows) |
//!
//! Laws:
//!
//! 1. one row out for each row in, in the same order;
//! 2. names, types and nullability are those of the node's schema;
//! 3. watermarks pass unchanged; late rows are rows like any other.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;

use crate::error::Result;
use crate::expression::evaluate;
use crate::graph::NamedExpr;
use crate::{Batch, Operator, OperatorContext, Output};

/// A running projection.
pub struct Project {
    // PROPERTIES
    columns: Vec<NamedExpr>,
    schema: SchemaRef,
    name: String,
}

impl Project {
    /// A projection to `columns`, which have the types of `schema`.
    pub fn new(columns: Vec<NamedExpr>, schema: SchemaRef) -> Self {
        assert_eq!(columns.len(), schema.fields().len(), "a column for every field");
        Project { columns, schema, name: "project".to_owned() }
    }
}

impl Operator for Project {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        self.name.clone_from(&context.name);
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            columns.push(evaluate(&self.name, &column.expr, &batch.rows)?);
        }
        let rows = with_schema(&self.schema, columns, batch.num_rows())?;
        out.batch(batch.with_rows(rows));
        Ok(())
    }
}

/// A batch of `columns` under the names and types of `schema`.
///
/// The planner's types and those that DataFusion's kernels return agree but for details such as a
/// timestamp's zone, so a cast is the rare case. The row count is explicit because a projection
/// below `COUNT(*)` may have no column at all.
pub(crate) fn with_schema(
    schema: &SchemaRef,
    mut columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch> {
    for (column, field) in columns.iter_mut().zip(schema.fields()) {
        if column.data_type() != field.data_type() {
            *column = cast(column, field.data_type())?;
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}
