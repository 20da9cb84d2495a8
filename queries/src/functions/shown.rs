//! Values as text, the way that CAST to STRING shows them in Flink.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion_common::{Result, exec_datafusion_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::time::timestamp_text;

/// Name under which casts to text are planned; no query can call it.
pub const CAST_TO_TEXT: &str = "cast to text";

/// The function behind [`CAST_TO_TEXT`].
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(CastToText { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CastToText {
    signature: Signature,
}

impl ScalarUDFImpl for CastToText {
    fn name(&self) -> &str {
        CAST_TO_TEXT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        Ok(ColumnarValue::Array(texts(&arrays[0])?))
    }
}

/// Each value as text.
///
/// # Errors
/// If bytes are not UTF-8.
pub(crate) fn texts(array: &ArrayRef) -> Result<ArrayRef> {
    let text: ArrayRef = match array.data_type() {
        DataType::Utf8 => Arc::clone(array),
        DataType::Boolean => Arc::new(
            array
                .as_boolean()
                .iter()
                .map(|value| value.map(|value| if value { "TRUE" } else { "FALSE" }))
                .collect::<StringArray>(),
        ),
        DataType::Float64 => {
            let numbers = array.as_primitive::<Float64Type>().iter();
            Arc::new(numbers.map(|number| number.map(double_text)).collect::<StringArray>())
        }
        DataType::Float32 => {
            let numbers = array.as_primitive::<Float32Type>().iter();
            Arc::new(numbers.map(|number| number.map(float_text)).collect::<StringArray>())
        }
        DataType::Timestamp(..) => timestamp_text(array)?,
        DataType::List(_) | DataType::Map(..) | DataType::Struct(_) => nested(array)?,
        _ => cast(array, &DataType::Utf8)?,
    };
    Ok(text)
}

/// `[1, 2]`, `{a=1, b=2}`, `(1, a)`.
fn nested(array: &ArrayRef) -> Result<ArrayRef> {
    let mut out = StringBuilder::new();
    match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let values = texts(list.values())?;
            let values = values.as_string::<i32>();
            for row in 0..list.len() {
                let range =
                    list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize;
                let shown = format!(
                    "[{}]",
                    range.map(|i| or_null(values, i)).collect::<Vec<_>>().join(", ")
                );
                out.append_option(list.is_valid(row).then_some(shown));
            }
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let (keys, values) = (texts(map.keys())?, texts(map.values())?);
            let (keys, values) = (keys.as_string::<i32>(), values.as_string::<i32>());
            for row in 0..map.len() {
                let range =
                    map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
                let entry = |i| format!("{}={}", or_null(keys, i), or_null(values, i));
                let shown = format!("{{{}}}", range.map(entry).collect::<Vec<_>>().join(", "));
                out.append_option(map.is_valid(row).then_some(shown));
            }
        }
        _ => {
            let row_array = array
                .as_struct_opt()
                .ok_or_else(|| exec_datafusion_err!("{} has no text", array.data_type()))?;
            let columns =
                row_array.columns().iter().map(texts).collect::<Result<Vec<ArrayRef>>>()?;
            for row in 0..row_array.len() {
                let values = columns.iter().map(|column| or_null(column.as_string::<i32>(), row));
                let shown = format!("({})", values.collect::<Vec<_>>().join(", "));
                out.append_option(row_array.is_valid(row).then_some(shown));
            }
        }
    }
    Ok(Arc::new(out.finish()))
}

fn or_null(texts: &StringArray, row: usize) -> &str {
    if texts.is_valid(row) { texts.value(row) } else { "NULL" }
}

/// A DOUBLE as Java writes it: `2.5`, `1.0E10`, `1.0E-5`.
pub(crate) fn double_text(number: f64) -> String {
    java_float(
        number.abs() >= 1e-3 && number.abs() < 1e7,
        number.to_string(),
        format!("{number:e}"),
    )
}

/// A FLOAT as Java writes it.
pub(crate) fn float_text(number: f32) -> String {
    java_float(
        number.abs() >= 1e-3 && number.abs() < 1e7,
        number.to_string(),
        format!("{number:e}"),
    )
}

/// Of the shortest digits that name a number: with a point if it is of common size, else with an
/// exponent.
fn java_float(is_common: bool, plain: String, exponential: String) -> String {
    match plain.as_str() {
        "NaN" => return plain,
        "inf" => return "Infinity".to_owned(),
        "-inf" => return "-Infinity".to_owned(),
        "0" | "-0" => return plain + ".0",
        _ => {}
    }
    if is_common {
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let (digits, exponent) = exponential.split_once('e').unwrap_or((&exponential, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_look_as_in_java() {
        for (number, text) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (2.5, "2.5"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (1.5e-5, "1.5E-5"),
            (0.001, "0.001"),
            (1e300, "1.0E300"),
            (f64::INFINITY, "Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(double_text(number), text);
        }
        assert_eq!(float_text(0.1), "0.1");
        assert_eq!(float_text(1e10), "1.0E10");
    }
}
