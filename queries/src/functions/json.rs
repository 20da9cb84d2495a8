//! JSON: values out of texts, and texts of values.
//!
//! Their syntax (`RETURNING INT NULL ON EMPTY`, `KEY k VALUE v`) is read by `parse/json.rs`, which puts
//! the clauses into a text among the arguments, the specification:
//!
//! | call | arguments |
//! |---|---|
//! | JSON_EXISTS | json, path, on error |
//! | JSON_VALUE | json, path, `type|on empty|on error`, default on empty, default on error |
//! | JSON_QUERY | json, path, `type|wrapper|on empty|on error` |
//! | JSON_OBJECT | `NULL` or `ABSENT`, then for each value `|v` or (of JSON) `|j`; key, value, … |
//! | JSON_ARRAY | the same; value, … |
//! | `IS JSON` | json, `VALUE`, `SCALAR`, `ARRAY` or `OBJECT` |

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListBuilder, StringArray, StringBuilder,
};
use arrow::compute::{CastOptions, cast, cast_with_options, interleave};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use serde_json::Value;

use super::index::{Body, functions, rows};
use super::json_path::{Found, Path, compiled};
use super::json_text::{fragment, object, quote, rewritten, scalar_text};
use super::rows::{Gives, Outcome, Take, Value as Given};
use crate::parse::type_from_text;
use crate::types::flink_name;

const fn of_text(each: fn(&[Given<'_>]) -> Outcome) -> Body {
    rows(&[Take::Text], 1, Gives::Text, each)
}

functions! { FUNCTIONS, Json:
    "IS JSON", "s IS [NOT] JSON [VALUE | SCALAR | ARRAY | OBJECT] → BOOLEAN", "Whether the text is JSON, or JSON of this kind.",
        "'[1]' IS JSON ARRAY", "true", Body::Own(|_| json(IS_JSON, Kind::IsJson));
    "JSON_EXISTS", "JSON_EXISTS(json, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR]) → BOOLEAN",
        "Whether the path leads to something. FALSE on error, if nothing is said.",
        "JSON_EXISTS('{\"a\": [{\"b\": 1}]}', '$.a[0].b')", "true", Body::Own(|_| json("json_exists", Kind::Exists));
    "JSON_VALUE", "JSON_VALUE(json, path [RETURNING TYPE] [{NULL | ERROR | DEFAULT x} ON EMPTY] [{NULL | ERROR | DEFAULT x} ON ERROR]) → STRING or TYPE",
        "The text, number or truth value that the path leads to. NULL, if nothing is said, where it leads nowhere. A path is strict unless it begins with `lax`: nowhere is an error.",
        "JSON_VALUE('{\"a\": {\"b\": 0.5}}', 'lax $.a.b' RETURNING DOUBLE DEFAULT 0 ON EMPTY)", "0.5", Body::Own(|_| json("json_value", Kind::Value));
    "JSON_QUERY", "JSON_QUERY(json, path [RETURNING {STRING | ARRAY<STRING>}] [{WITHOUT | WITH [CONDITIONAL | UNCONDITIONAL]} [ARRAY] WRAPPER] [{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON EMPTY] [… ON ERROR]) → STRING or ARRAY<STRING>",
        "The object or array that the path leads to, as JSON; of a path with `*` all that it leads to. NULL, if nothing is said, where it is none.",
        "JSON_QUERY('{\"a\": [{\"c\": 1}, {\"c\": 2}]}', '$.a[*].c')", "[1,2]", Body::Own(|_| json("json_query", Kind::Query));
    "JSON_OBJECT", "JSON_OBJECT([[KEY] k VALUE v, …] [{NULL | ABSENT} ON NULL]) → STRING",
        "An object, its members in the order of their names. Calls of JSON_OBJECT and JSON_ARRAY in it are JSON, not text.",
        "JSON_OBJECT(KEY 'k' VALUE JSON_ARRAY(1, 'x'), 'a' VALUE NULL)", "{\"a\":null,\"k\":[1,\"x\"]}", Body::Own(|_| json("json_object", Kind::Object));
    "JSON_ARRAY", "JSON_ARRAY([v, …] [{NULL | ABSENT} ON NULL]) → STRING", "An array; without its NULLs, if nothing is said.",
        "JSON_ARRAY(1, NULL, 'x', TRUE)", "[1,\"x\",true]", Body::Own(|_| json("json_array", Kind::Array));
    "JSON_STRING", "JSON_STRING(x) → STRING", "Any value as JSON.",
        "JSON_STRING(SPLIT('a,b', ','))", "[\"a\",\"b\"]", Body::Own(|_| json("json_string", Kind::Text));
    "JSON_QUOTE", "JSON_QUOTE(s) → STRING", "The text as a string of JSON.",
        "JSON_QUOTE('say \"hi\"')", "\"say \\\"hi\\\"\"", of_text(quoted);
    "JSON_UNQUOTE", "JSON_UNQUOTE(s) → STRING", "The text of a string of JSON; anything else as it is.",
        "JSON_UNQUOTE('\"a\\u0041\"')", "aA", of_text(unquoted);
}

/// Name of the function behind `IS JSON`.
pub const IS_JSON: &str = "is json";

/// Functions whose second argument is a path.
pub(super) const WITH_PATH: &[&str] = &["json_exists", "json_value", "json_query"];

/// Says what is wrong with a path.
///
/// # Errors
/// As it says.
pub(super) fn check_path(path: &str) -> std::result::Result<(), String> {
    Path::parse(path).map(drop)
}

fn quoted(a: &[Given<'_>]) -> Outcome {
    let mut out = String::new();
    quote(a[0].text(), &mut out);
    Ok(out.replace('/', "\\/").into())
}

fn unquoted(a: &[Given<'_>]) -> Outcome {
    let text = a[0].text();
    Ok(match serde_json::from_str(text) {
        Ok(Value::String(inner)) if text.starts_with('"') && text.ends_with('"') => inner,
        _ => text.to_owned(),
    }
    .into())
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    IsJson,
    Exists,
    Value,
    Query,
    Object,
    Array,
    Text,
}

impl Kind {
    /// Which argument is the specification.
    fn specification(self) -> usize {
        match self {
            Kind::Object | Kind::Array => 0,
            Kind::IsJson => 1,
            _ => 2,
        }
    }

    /// Whether the specification and the number of arguments are as the parser makes them.
    fn check(self, words: &[String], arguments: usize) -> std::result::Result<(), ()> {
        let says_nulls = words.first().is_some_and(|word| word == "NULL" || word == "ABSENT");
        let is_made = match self {
            Kind::IsJson => (words.len(), arguments) == (1, 2),
            Kind::Exists => (words.len(), arguments) == (1, 3),
            Kind::Value => (words.len(), arguments) == (3, 5),
            Kind::Query => (words.len(), arguments) == (4, 3),
            Kind::Object => says_nulls && arguments == 2 * words.len() - 1,
            Kind::Array => says_nulls && arguments == words.len(),
            Kind::Text => true,
        };
        if is_made { Ok(()) } else { Err(()) }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonFunction {
    name: &'static str,
    kind: Kind,
    signature: Signature,
}

fn json(name: &'static str, kind: Kind) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(JsonFunction { name, kind, signature })
}

/// The parts of a specification, which is a literal.
fn specification(argument: Option<&ScalarValue>) -> Vec<String> {
    let text = argument.and_then(|value| value.try_as_str().flatten()).unwrap_or_default();
    text.split('|').map(str::to_owned).collect()
}

fn as_text(value: &ColumnarValue) -> Option<&ScalarValue> {
    match value {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(_) => None,
    }
}

impl JsonFunction {
    /// The type that RETURNING says.
    fn returning(&self, specification: &[String]) -> Result<DataType> {
        let name = specification.first().map_or("STRING", String::as_str);
        let Ok(returned) = type_from_text(name) else { return plan_err!("{name} is no type") };
        let data_type = returned.data_type;
        let fits = match self.kind {
            Kind::Query => {
                data_type == DataType::Utf8 || data_type == DataType::new_list(DataType::Utf8, true)
            }
            _ => matches!(data_type, DataType::Utf8 | DataType::Boolean) || data_type.is_numeric(),
        };
        if fits {
            return Ok(data_type);
        }
        let wanted = match self.kind {
            Kind::Query => "STRING or ARRAY<STRING>",
            _ => "STRING, BOOLEAN or a number",
        };
        let (function, found) = (self.name.to_uppercase(), flink_name(&data_type));
        plan_err!("{function} wants RETURNING {wanted}, not {found}")
    }
}

impl ScalarUDFImpl for JsonFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let texts = match self.kind {
            Kind::IsJson => 1,
            Kind::Exists | Kind::Value | Kind::Query => 2,
            Kind::Object => {
                let keys = arguments.iter().skip(1).step_by(2);
                if let Some(key) = keys.clone().find(|key| **key != DataType::Utf8) {
                    return plan_err!("JSON_OBJECT wants text as a key, not {}", flink_name(key));
                }
                0
            }
            Kind::Text if arguments.len() != 1 => {
                return plan_err!("JSON_STRING takes 1 argument, not {}", arguments.len());
            }
            Kind::Array | Kind::Text => 0,
        };
        let name = self.name.to_uppercase();
        for given in arguments.iter().take(texts) {
            if !matches!(given, DataType::Utf8 | DataType::Null) {
                return plan_err!("{name} wants text, not {}", flink_name(given));
            }
        }
        let coerced = arguments.iter().enumerate();
        Ok(coerced
            .map(|(place, given)| if place < texts { DataType::Utf8 } else { given.clone() })
            .collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::IsJson | Kind::Exists => DataType::Boolean,
            _ => DataType::Utf8,
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let place = self.kind.specification();
        let words = specification(args.scalar_arguments.get(place).copied().flatten());
        self.kind.check(&words, args.scalar_arguments.len()).or_else(|()| {
            let name = self.name.to_uppercase();
            plan_err!("{name} has a syntax of its own: write it without quotes around its name")
        })?;
        let data_type = match self.kind {
            Kind::Value | Kind::Query => self.returning(&words)?,
            _ => self.return_type(&[])?,
        };
        Ok(Arc::new(Field::new(self.name, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let specification =
            specification(args.args.get(self.kind.specification()).and_then(as_text));
        let rows = args.number_rows;
        let result = args.return_type().clone();
        let arrays = args
            .args
            .into_iter()
            .map(|arg| arg.into_array(rows))
            .collect::<Result<Vec<ArrayRef>>>()?;
        let words: Vec<&str> = specification.iter().map(String::as_str).collect();
        Ok(ColumnarValue::Array(match self.kind {
            Kind::IsJson => is_json(arrays[0].as_string(), words[0]),
            Kind::Exists => exists(&arrays, words[0])?,
            Kind::Value => value(&arrays, &words, &result)?,
            Kind::Query => query(&arrays, &words, &result)?,
            Kind::Object | Kind::Array => built(self.kind, &arrays, &words, rows)?,
            Kind::Text => {
                let mut out = StringBuilder::new();
                for row in 0..rows {
                    let is_null = arrays[0].is_null(row) || arrays[0].data_type().is_null();
                    out.append_option(if is_null {
                        None
                    } else {
                        Some(fragment(&arrays[0], row)?)
                    });
                }
                Arc::new(out.finish())
            }
        }))
    }
}

fn is_json(texts: &StringArray, kind: &str) -> ArrayRef {
    let answer = |text: Option<&str>| {
        let value = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        match (kind, value) {
            (_, None) => false,
            ("ARRAY", Some(value)) => value.is_array(),
            ("OBJECT", Some(value)) => value.is_object(),
            ("SCALAR", Some(value)) => !value.is_array() && !value.is_object(),
            _ => true,
        }
    };
    Arc::new(texts.iter().map(|text| Some(answer(text))).collect::<BooleanArray>())
}

/// What the path of a row leads to in its JSON; `None` if one of them is NULL.
fn found(arrays: &[ArrayRef], row: usize) -> Option<(Found, bool)> {
    let (texts, paths) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
    if texts.is_null(row) || paths.is_null(row) {
        return None;
    }
    match compiled(paths.value(row)) {
        Some(path) => Some((path.read(texts.value(row)), path.is_lax)),
        None => Some((Found::Error(format!("`{}` is no path", paths.value(row))), false)),
    }
}

fn exists(arrays: &[ArrayRef], on_error: &str) -> Result<ArrayRef> {
    let mut out = Vec::with_capacity(arrays[0].len());
    for row in 0..arrays[0].len() {
        out.push(match found(arrays, row) {
            None => None,
            Some((Found::Value(_), _)) => Some(true),
            Some((Found::Nothing, _)) => Some(false),
            Some((Found::Error(reason), _)) => match on_error {
                "TRUE" => Some(true),
                "UNKNOWN" => None,
                "ERROR" => return exec_err!("JSON_EXISTS: {reason}"),
                _ => Some(false),
            },
        });
    }
    Ok(Arc::new(BooleanArray::from(out)))
}

/// What becomes of a row: its own value, or what a clause says.
enum Scalar {
    Text(String),
    Null,
    Empty,
    Error(String),
}

fn value(arrays: &[ArrayRef], words: &[&str], to: &DataType) -> Result<ArrayRef> {
    let rows = arrays[0].len();
    let mut scalars: Vec<Scalar> = (0..rows)
        .map(|row| match found(arrays, row) {
            None => Scalar::Null,
            Some((Found::Value(value), is_lax)) => {
                if !value.is_array() && !value.is_object() {
                    Scalar::Text(scalar_text(&value))
                } else if is_lax {
                    Scalar::Empty
                } else {
                    Scalar::Error("an object or array is no scalar".to_owned())
                }
            }
            Some((Found::Nothing, _)) => Scalar::Empty,
            Some((Found::Error(reason), _)) => Scalar::Error(reason),
        })
        .collect();
    let texts: StringArray = scalars
        .iter()
        .map(|scalar| if let Scalar::Text(text) = scalar { Some(text.as_str()) } else { None })
        .collect();
    let values = converted(&texts, to)?;
    for (row, scalar) in scalars.iter_mut().enumerate() {
        if let Scalar::Text(text) = scalar
            && values.is_null(row)
        {
            *scalar = Scalar::Error(format!("`{text}` is no {}", flink_name(to)));
        }
    }
    let default = |argument: usize| cast(&arrays[argument], to);
    let (on_empty, on_error) = (default(3)?, default(4)?);
    let nothing = arrow::array::new_null_array(to, 1);
    let mut places = Vec::with_capacity(rows);
    for (row, scalar) in scalars.iter().enumerate() {
        let (clause, reason, other) = match scalar {
            Scalar::Text(_) => {
                places.push((0, row));
                continue;
            }
            Scalar::Null => ("NULL", "", 1),
            Scalar::Empty => (words[1], "the path leads to nothing", 1),
            Scalar::Error(reason) => (words[2], reason.as_str(), 2),
        };
        places.push(match clause {
            "DEFAULT" => (other, row),
            "ERROR" => return exec_err!("JSON_VALUE: {reason}"),
            _ => (3, 0),
        });
    }
    Ok(interleave(&[&values, &on_empty, &on_error, &nothing], &places)?)
}

/// Texts as values of a type; NULL where one is none.
fn converted(texts: &StringArray, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    if !to.is_integer() {
        return Ok(cast_with_options(texts, to, &options)?);
    }
    // The fraction of a number is cut off.
    let whole = |text: &str| {
        let cut = || text.parse::<f64>().ok().filter(|number| number.abs() < 9e18);
        text.parse().ok().or_else(|| cut().map(|number| number as i64))
    };
    let numbers: Int64Array = texts.iter().map(|text| text.and_then(whole)).collect();
    Ok(cast_with_options(&numbers, to, &options)?)
}

/// An object or array, or what a clause says.
enum Queried {
    Null,
    Value(Value),
    EmptyArray,
    EmptyObject,
}

fn query(arrays: &[ArrayRef], words: &[&str], to: &DataType) -> Result<ArrayRef> {
    let is_list = *to != DataType::Utf8;
    let (mut texts, mut lists) = (StringBuilder::new(), ListBuilder::new(StringBuilder::new()));
    for row in 0..arrays[0].len() {
        let queried = match found(arrays, row) {
            None => Queried::Null,
            Some((Found::Value(value), is_lax)) => {
                let value = match words[1] {
                    "UNCONDITIONAL" => Value::Array(vec![value]),
                    "CONDITIONAL" if !value.is_array() => Value::Array(vec![value]),
                    _ => value,
                };
                let is_scalar = !value.is_array() && !value.is_object();
                match (is_scalar, is_lax, is_list && !value.is_array()) {
                    (true, true, _) => clause(words[2], "the path leads to a scalar")?,
                    (true, false, _) => clause(words[3], "the path leads to a scalar")?,
                    (false, _, true) => clause(words[3], "an object is no array")?,
                    _ => Queried::Value(value),
                }
            }
            Some((Found::Nothing, _)) => clause(words[2], "the path leads to nothing")?,
            Some((Found::Error(reason), _)) => clause(words[3], &reason)?,
        };
        match (is_list, queried) {
            (false, Queried::Null) => texts.append_null(),
            (false, Queried::Value(value)) => texts.append_value(rewritten(&value)),
            (false, Queried::EmptyArray) => texts.append_value("[]"),
            (false, Queried::EmptyObject) => texts.append_value("{}"),
            (true, Queried::Value(Value::Array(elements))) => {
                lists.append_value(elements.iter().map(element_text));
            }
            (true, Queried::EmptyArray) => lists.append_value(Vec::<Option<String>>::new()),
            (true, Queried::EmptyObject) => return exec_err!("JSON_QUERY: an object is no array"),
            (true, _) => lists.append_null(),
        }
    }
    Ok(if is_list { Arc::new(lists.finish()) } else { Arc::new(texts.finish()) })
}

fn element_text(element: &Value) -> Option<String> {
    match element {
        Value::Null => None,
        Value::Array(_) | Value::Object(_) => Some(rewritten(element)),
        scalar => Some(scalar_text(scalar)),
    }
}

fn clause(clause: &str, reason: &str) -> Result<Queried> {
    Ok(match clause {
        "ERROR" => return exec_err!("JSON_QUERY: {reason}"),
        "EMPTY ARRAY" => Queried::EmptyArray,
        "EMPTY OBJECT" => Queried::EmptyObject,
        _ => Queried::Null,
    })
}

/// JSON_OBJECT and JSON_ARRAY.
fn built(kind: Kind, arrays: &[ArrayRef], words: &[&str], rows: usize) -> Result<ArrayRef> {
    let absent = words[0] == "ABSENT";
    let mut out = StringBuilder::new();
    let step = if kind == Kind::Object { 2 } else { 1 };
    for row in 0..rows {
        let mut members = Vec::new();
        for (place, entry) in arrays[1..].chunks(step).enumerate() {
            let value = &entry[step - 1];
            let is_null = value.is_null(row) || value.data_type().is_null();
            if is_null && absent {
                continue;
            }
            let is_json = words.get(place + 1) == Some(&"j") && !is_null;
            let value = match value.as_string_opt::<i32>() {
                Some(texts) if is_json => texts.value(row).to_owned(),
                _ => fragment(value, row)?,
            };
            let key =
                if kind == Kind::Object { entry[0].as_string::<i32>().value(row) } else { "" };
            members.push((key.to_owned(), value));
        }
        let mut text = String::new();
        if kind == Kind::Object {
            object(members, &mut text);
        } else {
            let values: Vec<String> = members.into_iter().map(|(_, value)| value).collect();
            text = format!("[{}]", values.join(","));
        }
        out.append_value(text);
    }
    Ok(Arc::new(out.finish()))
}
