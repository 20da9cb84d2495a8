//! Constants as a relation: `VALUES (…), (…)`, and `SELECT` without `FROM`, which has one row.
//!
//! They become a source of numbered rows (the connector `values`), and every column a lookup by
//! number, so that a position in them can be kept like that in any source.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::take;
use arrow::datatypes::{DataType, Schema};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DFSchema, Result, ScalarValue};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Values, Volatility,
};
use datafusion_physical_expr::create_physical_expr;
use datafusion_sql::sqlparser::ast;

use super::codes;
use super::error::{refuse, unsupported};
use crate::diagnostic::Diagnostic;
use crate::parse::span_of;

/// Checks that all rows have the same number of columns.
pub(crate) fn check<'r>(
    mut rows: impl Iterator<Item = &'r [ast::Expr]>,
) -> std::result::Result<(), Diagnostic> {
    let Some(first) = rows.next() else {
        return Err(unsupported("VALUES without rows", None, "write VALUES (1, 'a')"));
    };
    match rows.find(|row| row.len() != first.len()) {
        None => Ok(()),
        Some(row) => {
            let message =
                format!("a row of VALUES has {} column(s), the first {}", row.len(), first.len());
            Err(Diagnostic::error(codes::BAD_VALUES, message)
                .at_if_known(row.first().and_then(span_of))
                .label("this row")
                .hint("all rows have the same columns; write NULL where there is no value"))
        }
    }
}

/// The constants in the types that their columns have together.
pub(crate) fn typed(values: Values) -> Result<LogicalPlan> {
    LogicalPlanBuilder::values(values.values)?.build()
}

/// A column of constants as a function of the row's number.
///
/// # Errors
/// If a value cannot be computed, such as `1 / 0`.
pub(crate) fn column<'e>(
    cells: impl Iterator<Item = &'e Expr>,
    data_type: &DataType,
    config: &Arc<ConfigOptions>,
) -> Result<ScalarUDF> {
    let mut values = Vec::new();
    for cell in cells {
        values.push(value(cell, config).map_err(|error| {
            let message = format!("a constant cannot be computed: {}", error.strip_backtrace());
            refuse(Diagnostic::error(codes::BAD_VALUES, message))
        })?);
    }
    let values = ScalarValue::iter_to_array(values)?;
    let values = if values.data_type() == data_type {
        values
    } else {
        arrow::compute::cast(&values, data_type)?
    };
    let signature = Signature::any(1, Volatility::Immutable);
    Ok(ScalarUDF::from(Constants { values, signature }))
}

/// What an expression without columns is worth.
fn value(expr: &Expr, config: &Arc<ConfigOptions>) -> Result<ScalarValue> {
    let mut props = ExecutionProps::new();
    props.config_options = Some(Arc::clone(config));
    let expr = create_physical_expr(expr, &DFSchema::empty(), &props, &Default::default())?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    let array = expr.evaluate(&row)?.into_array(1)?;
    ScalarValue::try_from_array(&array, 0)
}

/// Constants by their number.
#[derive(Debug)]
struct Constants {
    values: ArrayRef,
    signature: Signature,
}

impl PartialEq for Constants {
    fn eq(&self, other: &Self) -> bool {
        self.values.as_ref() == other.values.as_ref()
    }
}

impl Eq for Constants {}

impl Hash for Constants {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.data_type().hash(state);
        self.values.len().hash(state);
    }
}

impl ScalarUDFImpl for Constants {
    fn name(&self) -> &str {
        "constant"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.values.data_type().clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let numbers = args.args[0].to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(take(&self.values, &numbers, None)?))
    }
}
