//! Functions that choose between values. What is not chosen is not computed.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::NullBuffer;
use arrow::compute::kernels::cmp::{gt, lt};
use arrow::compute::kernels::zip::zip;
use arrow::compute::nullif;
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_datafusion_err, plan_err};
use datafusion_expr::type_coercion::binary::type_union_resolution;
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::index::{Body, functions};
use super::rewrite::{Meaning, Rewrite};
use super::rows::check_count;
use crate::types::flink_name;

functions! { FUNCTIONS, Choice:
    "IF", "IF(condition, a, b) → common type of a and b", "a if the condition is true, else b.",
        "IF(5 > 3, 'more', 'less')", "more", Body::Rewrite(Rewrite::new(Meaning::If, 3, 3));
    "COALESCE", "COALESCE(a, …) → common type", "The first that is not NULL.",
        "COALESCE(NULL, 7, 1 / 0)", "7", Body::Rewrite(Rewrite::new(Meaning::Coalesce, 1, usize::MAX));
    "IFNULL", "IFNULL(a, b) → common type", "a if it is not NULL, else b.",
        "IFNULL(NULL, 'none')", "none", Body::Rewrite(Rewrite::new(Meaning::Coalesce, 2, 2));
    "NULLIF", "NULLIF(a, b) → type of a", "NULL if a = b, else a.",
        "NULLIF(5, 0)", "5", Body::Theirs(datafusion_functions::core::nullif);
    "GREATEST", "GREATEST(a, …) → common type", "The greatest; NULL if one is NULL.",
        "GREATEST(1, 2.5, 2)", "2.5", Body::Own(|_| extreme("greatest", true));
    "LEAST", "LEAST(a, …) → common type", "The least; NULL if one is NULL.",
        "LEAST('b', 'a')", "a", Body::Own(|_| extreme("least", false));
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme {
    name: &'static str,
    is_greatest: bool,
    signature: Signature,
}

fn extreme(name: &'static str, is_greatest: bool) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(Extreme { name, is_greatest, signature })
}

impl ScalarUDFImpl for Extreme {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        check_count(self.name, arguments.len(), 1, usize::MAX)?;
        let name = self.name.to_uppercase();
        if let Some(nested) = arguments.iter().find(|argument| argument.is_nested()) {
            return plan_err!("{name} wants values that have an order, not {}", flink_name(nested));
        }
        match type_union_resolution(arguments) {
            Some(common) => Ok(vec![common; arguments.len()]),
            None => {
                let names: Vec<String> = arguments.iter().map(flink_name).collect();
                plan_err!("{name} wants values of one type, not {}", names.join(" and "))
            }
        }
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let mut arrays = arrays.into_iter();
        let first = arrays.next().ok_or_else(|| exec_datafusion_err!("without arguments"))?;
        let (mut best, mut valid) = (Arc::clone(&first), first.logical_nulls());
        for other in arrays {
            let is_better = if self.is_greatest { gt(&other, &best)? } else { lt(&other, &best)? };
            best = zip(&is_better, &other, &best)?;
            valid = NullBuffer::union(valid.as_ref(), other.logical_nulls().as_ref());
        }
        Ok(ColumnarValue::Array(with_nulls(best, valid)?))
    }
}

/// The values, NULL where `valid` says so.
fn with_nulls(values: ArrayRef, valid: Option<NullBuffer>) -> Result<ArrayRef> {
    let Some(valid) = valid.filter(|valid| valid.null_count() > 0) else { return Ok(values) };
    let is_null = BooleanArray::new(!valid.inner(), None);
    Ok(nullif(&values, &is_null)?)
}
