//! Physical expressions: the one place where DataFusion evaluates something over a batch.
//!
//! An expression that fails (a cast of `'abc'`, a division by zero) fails the job with the name of
//! the operator it stands in, so both functions take that name.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;

use crate::OperatorError;
use crate::error::Result;

/// The value of `expr` for every row of `rows`; a constant is spread over all rows.
///
/// # Errors
/// [`OperatorError::Expression`] in the name of `operator` if a row has no value.
pub fn evaluate(
    operator: &str,
    expr: &Arc<dyn PhysicalExpr>,
    rows: &RecordBatch,
) -> Result<ArrayRef> {
    expr.evaluate(rows)
        .and_then(|value| value.into_array(rows.num_rows()))
        .map_err(|source| failed(operator, source))
}

/// The value of a condition for every row; null stays null, which every user reads as false.
///
/// # Errors
/// As [`evaluate`]; also if `expr` is not BOOLEAN, which the planner rules out.
pub fn evaluate_condition(
    operator: &str,
    expr: &Arc<dyn PhysicalExpr>,
    rows: &RecordBatch,
) -> Result<BooleanArray> {
    let values = evaluate(operator, expr, rows)?;
    values.as_boolean_opt().cloned().ok_or_else(|| {
        let (found, wanted) = (values.data_type(), DataType::Boolean);
        let message = format!("condition {expr} is {found}, not {wanted}");
        failed(operator, DataFusionError::Internal(message))
    })
}

fn failed(operator: &str, source: DataFusionError) -> OperatorError {
    OperatorError::Expression { operator: operator.to_owned(), source }
}
