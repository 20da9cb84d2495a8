//! Conversions and what tells types.
//!
//! CAST is syntax. Its lengths are not: types here have none (a STRING is a STRING), so that
//! `CAST(x AS CHAR(5))` becomes a call of [`FIT`] around the cast.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion_common::Result;
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::index::{Body, functions};
use super::rewrite::{Meaning, Rewrite};

functions! { TYPES, Type:
    "CAST", "CAST(x AS TYPE) → TYPE",
        "The value in another type; what cannot be converted fails the job. See the table of casts in sql.md.",
        "CAST('42' AS INT) + 1", "43", Body::Syntax;
    "TRY_CAST", "TRY_CAST(x AS TYPE) → TYPE", "As CAST, but NULL where that fails the job.",
        "COALESCE(TRY_CAST('many' AS INT), 0)", "0", Body::Syntax;
    "TYPEOF", "TYPEOF(x[, force_serializable]) → STRING",
        "The name of the type, without lengths of text and NOT NULL.",
        "TYPEOF(1.5)", "DECIMAL(2, 1)", Body::Rewrite(Rewrite::new(Meaning::TypeOf, 1, 2));
}

/// Name of the function that cuts and pads values to the length of a type: `(value, length, 1 if it
/// is fixed)`; no query can call it.
pub const FIT: &str = "cast to length";

/// The function behind [`FIT`].
pub(super) fn fit() -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(Fit { signature })
}

/// Name of the function that DataFusion is given around a value, with a text that no other value of
/// the query has: it calls `CAST(x AS INT)` and `CAST(x AS DATE)` both `x`, and takes no two columns
/// of one name. It is gone when a plan has its types.
pub const TOLD_APART: &str = "told apart";

/// The function behind [`TOLD_APART`].
pub(super) fn told_apart() -> ScalarUDF {
    ScalarUDF::from(Same { name: TOLD_APART, signature: Signature::any(2, Volatility::Immutable) })
}

/// A function that returns what it is given, around a cast that loses digits: DataFusion compares
/// `CAST(x AS INT) = 3` as `x = 3.00`, which is something else.
pub(crate) fn exact() -> ScalarUDF {
    ScalarUDF::from(Same { name: "exact", signature: Signature::any(1, Volatility::Immutable) })
}

/// Returns its first argument.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Same {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Same {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(args.args[0].clone())
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Fit {
    signature: Signature,
}

impl ScalarUDFImpl for Fit {
    fn name(&self) -> &str {
        FIT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let value = match &arguments[0] {
            DataType::Null => DataType::Utf8,
            other => other.clone(),
        };
        Ok(vec![value, DataType::Int64, DataType::Int64])
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let number = |array: &ArrayRef| {
            let array = array.as_primitive::<Int64Type>();
            if array.is_empty() { 0 } else { usize::try_from(array.value(0)).unwrap_or(0) }
        };
        let (length, is_fixed) = (number(&arrays[1]), number(&arrays[2]) == 1);
        let fitted: ArrayRef = match arrays[0].data_type() {
            DataType::Binary => {
                let values = arrays[0].as_binary::<i32>();
                let fit = |bytes: &[u8]| {
                    let mut bytes = bytes[..bytes.len().min(length)].to_vec();
                    if is_fixed {
                        bytes.resize(length, 0);
                    }
                    bytes
                };
                Arc::new(values.iter().map(|value| value.map(fit)).collect::<BinaryArray>())
            }
            _ => {
                let values = arrays[0].as_string::<i32>();
                let fit = |text: &str| {
                    let mut fitted: String = text.chars().take(length).collect();
                    if is_fixed {
                        let missing = length - fitted.chars().count();
                        fitted.extend(std::iter::repeat_n(' ', missing));
                    }
                    fitted
                };
                Arc::new(values.iter().map(|value| value.map(fit)).collect::<StringArray>())
            }
        };
        Ok(ColumnarValue::Array(fitted))
    }
}
