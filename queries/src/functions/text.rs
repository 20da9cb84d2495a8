//! Text functions of Flink that DataFusion lacks or means differently.

use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};
use regex::Regex;

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// `SPLIT_INDEX(text, delimiter, n)`: the n-th part from 0, null if there is none.
    SplitIndex,
    /// `REGEXP_EXTRACT(text, regex[, group])`: the group of the first match, null without one.
    RegexpExtract,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TextFunction {
    kind: Kind,
    signature: Signature,
}

/// All functions of this file.
pub fn functions() -> Vec<ScalarUDF> {
    let three = TypeSignature::Exact(vec![DataType::Utf8, DataType::Utf8, DataType::Int64]);
    let two = TypeSignature::Exact(vec![DataType::Utf8, DataType::Utf8]);
    let one_of = TypeSignature::OneOf(vec![three.clone(), two]);
    [(Kind::SplitIndex, three), (Kind::RegexpExtract, one_of)]
        .into_iter()
        .map(|(kind, types)| {
            let signature = Signature::new(types, Volatility::Immutable);
            ScalarUDF::from(TextFunction { kind, signature })
        })
        .collect()
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::SplitIndex => "split_index",
            Kind::RegexpExtract => "regexp_extract",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        if arguments.is_empty() {
            plan_err!("{} wants arguments", self.name())
        } else {
            Ok(DataType::Utf8)
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let numbers: Option<&ArrayRef> = arrays.get(2);
        let (texts, patterns) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
        let numbers = numbers.map(|numbers| numbers.as_primitive::<Int64Type>());
        let regexes = RegexCache::default();
        let mut out = StringBuilder::new();
        for row in 0..texts.len() {
            let number = match numbers {
                Some(numbers) => numbers.is_valid(row).then(|| numbers.value(row)),
                None => Some(1),
            };
            let valid = texts.is_valid(row) && patterns.is_valid(row);
            let index = number.and_then(|number| usize::try_from(number).ok()).filter(|_| valid);
            let (text, pattern) = (texts.value(row), patterns.value(row));
            out.append_option(match (index, self.kind) {
                (None, _) => None,
                (Some(index), Kind::SplitIndex) => text.split(pattern).nth(index),
                (Some(index), Kind::RegexpExtract) => regexes
                    .get(pattern)?
                    .captures(text)
                    .and_then(|found| found.get(index))
                    .map(|group| group.as_str()),
            });
        }
        Ok(ColumnarValue::Array(Arc::new(out.finish())))
    }
}

/// Remembers the last expression: patterns are almost always one literal for all rows.
#[derive(Default)]
struct RegexCache(Mutex<Option<(String, Regex)>>);

impl RegexCache {
    fn get(&self, pattern: &str) -> Result<Regex> {
        let mut last = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((known, regex)) = last.as_ref()
            && known == pattern
        {
            return Ok(regex.clone());
        }
        match Regex::new(pattern) {
            Ok(regex) => {
                *last = Some((pattern.to_owned(), regex.clone()));
                Ok(regex)
            }
            Err(error) => exec_err!("`{pattern}` is not a regular expression: {error}"),
        }
    }
}
