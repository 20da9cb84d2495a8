//! Functions that are computed row by row: from values to a value.
//!
//! Most of Flink's functions of text are of this kind. A function is plain Rust, `fn(&[Value]) ->
//! Outcome`; what it takes and gives is data, from which come the checks of a call, the casts of its
//! arguments and the loops over columns. What a function compiles of its arguments (a regular
//! expression, a path) it keeps in the thread: a task is one thread, and the argument is nearly
//! always one literal.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, BooleanBuilder,
    Float64Array, Float64Builder, Int32Builder, Int64Array, ListBuilder, StringArray,
    StringBuilder,
};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion_common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::types::flink_name;

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// STRING.
    Text,
    /// BYTES.
    Bytes,
    /// STRING or BYTES.
    TextOrBytes,
    /// Any integer, as BIGINT.
    Int,
    /// Any integer or text.
    IntOrText,
    /// Any number, as DOUBLE.
    Double,
    /// A number, text or BOOLEAN: decimals come as DOUBLE.
    Plain,
}

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// STRING.
    Text,
    /// BYTES.
    Bytes,
    /// BOOLEAN.
    Bool,
    /// INT.
    Int,
    /// DOUBLE.
    Double,
    /// `ARRAY<STRING>`.
    Texts,
}

/// The value of an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// STRING.
    Text(&'a str),
    /// BYTES.
    Bytes(&'a [u8]),
    /// An integer.
    Int(i64),
    /// DOUBLE.
    Double(f64),
    /// BOOLEAN.
    Bool(bool),
}

impl<'a> Value<'a> {
    /// The text; empty if it is none, which the types rule out.
    pub fn text(&self) -> &'a str {
        if let Value::Text(text) = self { text } else { "" }
    }

    /// The integer; 0 if it is none, which the types rule out.
    pub fn int(&self) -> i64 {
        if let Value::Int(number) = self { *number } else { 0 }
    }

    /// The number; 0 if it is none, which the types rule out.
    pub fn double(&self) -> f64 {
        match self {
            Value::Double(number) => *number,
            Value::Int(number) => *number as f64,
            _ => 0.0,
        }
    }

    /// The bytes, or those of the text.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Value::Bytes(bytes) => bytes,
            Value::Text(text) => text.as_bytes(),
            _ => &[],
        }
    }
}

/// What a function makes of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// NULL.
    Null,
    /// STRING.
    Text(String),
    /// BYTES.
    Bytes(Vec<u8>),
    /// BOOLEAN.
    Bool(bool),
    /// INT or BIGINT.
    Int(i64),
    /// DOUBLE.
    Double(f64),
    /// `ARRAY<STRING>`.
    Texts(Vec<Option<String>>),
}

/// A value, or why the job fails.
pub type Outcome = std::result::Result<Given, String>;

impl From<&str> for Given {
    fn from(text: &str) -> Given {
        Given::Text(text.to_owned())
    }
}

impl From<String> for Given {
    fn from(text: String) -> Given {
        Given::Text(text)
    }
}

impl From<Vec<u8>> for Given {
    fn from(bytes: Vec<u8>) -> Given {
        Given::Bytes(bytes)
    }
}

impl From<bool> for Given {
    fn from(value: bool) -> Given {
        Given::Bool(value)
    }
}

impl From<i64> for Given {
    fn from(number: i64) -> Given {
        Given::Int(number)
    }
}

impl From<usize> for Given {
    fn from(number: usize) -> Given {
        Given::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Given {
    fn from(number: f64) -> Given {
        Given::Double(number)
    }
}

impl<T: Into<Given>> From<Option<T>> for Given {
    fn from(value: Option<T>) -> Given {
        value.map_or(Given::Null, Into::into)
    }
}

/// A function of values.
#[derive(Clone, Copy, Debug)]
pub struct RowFunction {
    takes: &'static [Take],
    least: usize,
    is_variadic: bool,
    gives: Gives,
    each: fn(&[Value<'_>]) -> Outcome,
    sees_nulls: bool,
    volatility: Volatility,
}

impl RowFunction {
    /// A function whose first `least` arguments are needed; NULL if one argument is.
    pub const fn new(
        takes: &'static [Take],
        least: usize,
        gives: Gives,
        each: fn(&[Value<'_>]) -> Outcome,
    ) -> Self {
        let (is_variadic, sees_nulls) = (false, false);
        let volatility = Volatility::Immutable;
        RowFunction { takes, least, is_variadic, gives, each, sees_nulls, volatility }
    }

    /// The last argument may come any number of times.
    pub const fn variadic(mut self) -> Self {
        self.is_variadic = true;
        self
    }

    /// NULLs are given to the function, too.
    pub const fn with_nulls(mut self) -> Self {
        self.sees_nulls = true;
        self
    }

    /// Each call has its own result.
    pub const fn volatile(mut self) -> Self {
        self.volatility = Volatility::Volatile;
        self
    }

    /// As a function of DataFusion.
    pub fn udf(self, name: &'static str) -> ScalarUDF {
        let signature = Signature::user_defined(self.volatility);
        ScalarUDF::from(RowUdf { name: name.to_lowercase(), function: self, signature })
    }

    fn most(&self) -> usize {
        if self.is_variadic { usize::MAX } else { self.takes.len() }
    }
}

#[derive(Debug)]
struct RowUdf {
    name: String,
    function: RowFunction,
    signature: Signature,
}

impl PartialEq for RowUdf {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for RowUdf {}

impl Hash for RowUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// Says that the number of arguments is wrong, unless it is right.
///
/// # Errors
/// As it says.
pub(super) fn check_count(name: &str, found: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    let name = name.to_uppercase();
    let s = |count: usize| if count == 1 { "argument" } else { "arguments" };
    if least == most {
        return plan_err!("{name} takes {least} {}, not {found}", s(least));
    }
    if most == usize::MAX {
        return plan_err!("{name} takes at least {least} {}, not {found}", s(least));
    }
    plan_err!("{name} takes {least} to {most} {}, not {found}", s(most))
}

/// The arguments of a call, each with a value for every row.
///
/// # Errors
/// If a constant has no array.
pub(super) fn arrays(args: ScalarFunctionArgs) -> Result<Vec<ArrayRef>> {
    args.args.into_iter().map(|arg| arg.into_array(args.number_rows)).collect()
}

impl Take {
    /// The type that an argument is cast to, if it may be given.
    fn accept(self, given: &DataType) -> Option<DataType> {
        let is_text = matches!(given, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let is_bytes =
            matches!(given, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
        let is_null = given.is_null();
        Some(match self {
            Take::Text | Take::TextOrBytes | Take::IntOrText if is_text || is_null => {
                DataType::Utf8
            }
            Take::Bytes | Take::TextOrBytes if is_bytes || is_null => DataType::Binary,
            Take::Int | Take::IntOrText if given.is_integer() || is_null => DataType::Int64,
            Take::Double if given.is_numeric() || is_null => DataType::Float64,
            Take::Plain if is_text || is_null => DataType::Utf8,
            Take::Plain if given.is_integer() => DataType::Int64,
            Take::Plain if given.is_numeric() => DataType::Float64,
            Take::Plain if *given == DataType::Boolean => DataType::Boolean,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Take::Text => "text",
            Take::Bytes => "BYTES",
            Take::TextOrBytes => "text or BYTES",
            Take::Int => "an integer",
            Take::IntOrText => "an integer or text",
            Take::Double => "a number",
            Take::Plain => "a number, text or BOOLEAN",
        }
    }
}

impl ScalarUDFImpl for RowUdf {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let function = &self.function;
        check_count(&self.name, arguments.len(), function.least, function.most())?;
        let mut types = Vec::with_capacity(arguments.len());
        for (position, given) in arguments.iter().enumerate() {
            let take = function.takes[position.min(function.takes.len() - 1)];
            match take.accept(given) {
                Some(data_type) => types.push(data_type),
                None => {
                    let (name, found) = (self.name.to_uppercase(), flink_name(given));
                    let (wanted, nth) = (take.name(), position + 1);
                    return plan_err!("{name} wants {wanted} as argument {nth}, not {found}");
                }
            }
        }
        Ok(types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.function.gives.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let function = &self.function;
        let is_constant = function.volatility == Volatility::Immutable
            && args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let columns = args.args.iter().map(Column::new).collect::<Result<Vec<Column>>>()?;
        let mut out = Builder::new(function.gives, rows);
        let mut values = Vec::with_capacity(columns.len());
        for row in 0..rows {
            values.clear();
            values.extend(columns.iter().map(|column| column.value(row)));
            if !function.sees_nulls && values.contains(&Value::Null) {
                out.push(Given::Null)?;
                continue;
            }
            let name = || self.name.to_uppercase();
            let given = (function.each)(&values)
                .map_err(|reason| exec_datafusion_err!("{}: {reason}", name()))?;
            out.push(given)?;
        }
        let array = out.finish();
        Ok(if is_constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)
        } else {
            ColumnarValue::Array(array)
        })
    }
}

/// An argument of all rows.
struct Column {
    values: Values,
    is_constant: bool,
}

enum Values {
    Null,
    Text(StringArray),
    Bytes(BinaryArray),
    Int(Int64Array),
    Double(Float64Array),
    Bool(BooleanArray),
}

impl Column {
    fn new(argument: &ColumnarValue) -> Result<Column> {
        let (array, is_constant) = match argument {
            ColumnarValue::Array(array) => (Arc::clone(array), false),
            ColumnarValue::Scalar(value) => (value.to_array_of_size(1)?, true),
        };
        let values = match array.data_type() {
            DataType::Null => Values::Null,
            DataType::Utf8 => Values::Text(array.as_string().clone()),
            DataType::Binary => Values::Bytes(array.as_binary().clone()),
            DataType::Int64 => Values::Int(array.as_primitive::<Int64Type>().clone()),
            DataType::Float64 => Values::Double(array.as_primitive::<Float64Type>().clone()),
            DataType::Boolean => Values::Bool(array.as_boolean().clone()),
            other => return exec_err!("a value of {other} was not cast"),
        };
        Ok(Column { values, is_constant })
    }

    fn value(&self, row: usize) -> Value<'_> {
        let row = if self.is_constant { 0 } else { row };
        match &self.values {
            Values::Text(array) if array.is_valid(row) => Value::Text(array.value(row)),
            Values::Bytes(array) if array.is_valid(row) => Value::Bytes(array.value(row)),
            Values::Int(array) if array.is_valid(row) => Value::Int(array.value(row)),
            Values::Double(array) if array.is_valid(row) => Value::Double(array.value(row)),
            Values::Bool(array) if array.is_valid(row) => Value::Bool(array.value(row)),
            _ => Value::Null,
        }
    }
}

impl Gives {
    fn data_type(self) -> DataType {
        match self {
            Gives::Text => DataType::Utf8,
            Gives::Bytes => DataType::Binary,
            Gives::Bool => DataType::Boolean,
            Gives::Int => DataType::Int32,
            Gives::Double => DataType::Float64,
            Gives::Texts => DataType::new_list(DataType::Utf8, true),
        }
    }
}

/// Results so far.
enum Builder {
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Double(Float64Builder),
    Texts(ListBuilder<StringBuilder>),
}

impl Builder {
    fn new(gives: Gives, rows: usize) -> Builder {
        match gives {
            Gives::Text => Builder::Text(StringBuilder::new()),
            Gives::Bytes => Builder::Bytes(BinaryBuilder::new()),
            Gives::Bool => Builder::Bool(BooleanBuilder::with_capacity(rows)),
            Gives::Int => Builder::Int(Int32Builder::with_capacity(rows)),
            Gives::Double => Builder::Double(Float64Builder::with_capacity(rows)),
            Gives::Texts => Builder::Texts(ListBuilder::new(StringBuilder::new())),
        }
    }

    fn push(&mut self, given: Given) -> Result<()> {
        match (self, given) {
            (Builder::Text(out), Given::Text(text)) => out.append_value(text),
            (Builder::Text(out), Given::Null) => out.append_null(),
            (Builder::Bytes(out), Given::Bytes(bytes)) => out.append_value(bytes),
            (Builder::Bytes(out), Given::Null) => out.append_null(),
            (Builder::Bool(out), Given::Bool(value)) => out.append_value(value),
            (Builder::Bool(out), Given::Null) => out.append_null(),
            // Flink's functions count in INT, and wrap.
            (Builder::Int(out), Given::Int(number)) => out.append_value(number as i32),
            (Builder::Int(out), Given::Null) => out.append_null(),
            (Builder::Double(out), Given::Double(number)) => out.append_value(number),
            (Builder::Double(out), Given::Null) => out.append_null(),
            (Builder::Texts(out), Given::Texts(texts)) => out.append_value(texts),
            (Builder::Texts(out), Given::Null) => out.append_null(),
            (_, given) => return exec_err!("a function gave {given:?}, which is of another type"),
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Builder::Text(mut out) => Arc::new(out.finish()),
            Builder::Bytes(mut out) => Arc::new(out.finish()),
            Builder::Bool(mut out) => Arc::new(out.finish()),
            Builder::Int(mut out) => Arc::new(out.finish()),
            Builder::Double(mut out) => Arc::new(out.finish()),
            Builder::Texts(mut out) => Arc::new(out.finish()),
        }
    }
}
