//! PROCTIME(): the moment at which a row is looked at.
//!
//! It is a function by name and type only. What reads a column `pt AS PROCTIME()`, or calls it,
//! gets a column from an operator that the planner puts before it; a window over it follows the
//! clock. As time goes on, a call is never folded into a constant.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::tree_node::TreeNode;
use datafusion_common::{Result, internal_err};
use datafusion_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Name of the function, as plans have it.
const NAME: &str = "proctime";

#[derive(Debug, PartialEq, Eq, Hash)]
struct Proctime {
    zone: String,
    signature: Signature,
}

/// The function, in the session's zone.
pub fn function(zone: &str) -> ScalarUDF {
    let signature = Signature::nullary(Volatility::Volatile);
    ScalarUDF::from(Proctime { zone: zone.to_owned(), signature })
}

/// The type of processing time: TIMESTAMP_LTZ(3).
pub fn data_type(zone: &str) -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some(Arc::from(zone)))
}

/// True for `PROCTIME()` and nothing around it.
pub fn is_call(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if is_function(&call.func))
}

/// True for the function.
pub fn is_function(function: &ScalarUDF) -> bool {
    let inner: &dyn std::any::Any = function.inner().as_ref();
    inner.is::<Proctime>()
}

/// True if an expression calls it anywhere.
pub fn is_called_in(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(is_call(expr))).unwrap_or(false)
}

impl ScalarUDFImpl for Proctime {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(data_type(&self.zone))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("PROCTIME is replaced while planning")
    }
}
