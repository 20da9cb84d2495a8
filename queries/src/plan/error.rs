//! From DataFusion's errors to diagnostics: every error gets a code, a place and a hint.
//!
//! Our own checks that run inside DataFusion's planner travel through it as [`Refusal`]s. Its own
//! errors have a place where they are about a column; for the others the smallest part of the
//! query is looked for that brings the error about (see [`super::culprit`]).

use std::fmt;

use arrow::datatypes::DataType;
use datafusion_common::{Column, DataFusionError, SchemaError, TableReference};

use super::codes;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::functions;
use crate::parse::byte;
use crate::suggest;
use crate::types::flink_name;

/// A diagnostic on its way through DataFusion.
#[derive(Debug)]
pub(crate) struct Refusal(pub Diagnostic);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Refusal {}

/// Wraps a diagnostic for a function that returns DataFusion's errors.
pub(crate) fn refuse(diagnostic: Diagnostic) -> DataFusionError {
    DataFusionError::External(Box::new(Refusal(diagnostic)))
}

/// A diagnostic that says that something is not supported yet.
pub(crate) fn unsupported(what: &str, span: Option<Span>, hint: &str) -> Diagnostic {
    Diagnostic::error(codes::NOT_SUPPORTED, format!("{what} is not supported yet"))
        .at_if_known(span)
        .hint(hint)
}

/// Names that an error may have been meant to say.
pub(crate) struct Names {
    /// Tables and views.
    pub tables: Vec<String>,
    /// Functions of all kinds.
    pub functions: Vec<String>,
}

/// The diagnostic for an error of DataFusion. Its span is missing if DataFusion does not say.
pub(crate) fn diagnose(error: &DataFusionError, names: &Names) -> Diagnostic {
    if let Some(refusal) = find_refusal(error) {
        return refusal.clone();
    }
    let span = error.diagnostic().and_then(|d| d.span).and_then(|span| {
        let start = byte(span.start.line, span.start.column)?;
        Some(start..byte(span.end.line, span.end.column)?.max(start))
    });
    let root = error.find_root();
    let diagnostic = match root {
        DataFusionError::SchemaError(error, _) => schema_error(error),
        _ => other_error(&plain_message(root), names),
    };
    diagnostic.at_if_known(span)
}

fn find_refusal(error: &DataFusionError) -> Option<&Diagnostic> {
    match error {
        DataFusionError::External(inner) => inner.downcast_ref::<Refusal>().map(|r| &r.0),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
            find_refusal(inner)
        }
        DataFusionError::Collection(errors) => errors.iter().find_map(find_refusal),
        DataFusionError::Shared(inner) => find_refusal(inner),
        _ => None,
    }
}

fn schema_error(error: &SchemaError) -> Diagnostic {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            if let Some(diagnostic) = unknown_relation(field, valid_fields) {
                return diagnostic;
            }
            let names: Vec<&str> = valid_fields.iter().map(|column| column.name.as_str()).collect();
            let message = match &field.relation {
                Some(relation) => format!("`{relation}` has no column `{}`", field.name),
                None => format!("there is no column `{}`", field.name),
            };
            let hint = (!names.is_empty()).then(|| suggest::one_of(&field.name, &names));
            Diagnostic::error(codes::UNKNOWN_COLUMN, message)
                .label("unknown column")
                .hint_if_any(hint)
        }
        SchemaError::AmbiguousReference { field } => {
            let message = format!("`{}` could be one of several columns", field.name);
            Diagnostic::error(codes::AMBIGUOUS_COLUMN, message)
                .hint(format!("write the relation before it: `relation.{}`", field.name))
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            let message = format!("there would be two columns `{name}`");
            Diagnostic::error(codes::DUPLICATE_NAME, message)
                .hint("give one of them another name with AS")
        }
    }
}

/// A column of a relation that FROM does not have, such as one that has an alias there.
fn unknown_relation(field: &Column, valid_fields: &[Column]) -> Option<Diagnostic> {
    let relation = field.relation.as_ref()?;
    let mut relations: Vec<&TableReference> =
        valid_fields.iter().filter_map(|column| column.relation.as_ref()).collect();
    relations.dedup();
    if relations.is_empty() || relations.contains(&relation) {
        return None;
    }
    let owner = valid_fields.iter().find(|column| column.name == field.name);
    let names: Vec<String> = relations.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = match owner.and_then(|column| column.relation.as_ref()) {
        Some(owner) => format!("write `{owner}.{}`: in FROM it is called `{owner}`", field.name),
        None => suggest::one_of(&relation.to_string(), &names),
    };
    let message = format!("there is no relation `{relation}` in FROM");
    Some(Diagnostic::error(codes::UNKNOWN_COLUMN, message).label("unknown relation").hint(hint))
}

/// How to have a table of that name.
const STDIN: &str = "`millstream run -i json` makes a table of standard input, as do `-i csv` and \
                     `-i raw`; or declare one with 'connector' = 'stdin'";

/// How our own answer to DataFusion begins when it asks for a table that is not there.
pub(crate) const NO_TABLE: &str = "there is no table or view `";

/// Beginnings and pieces of DataFusion's messages, and what they mean for us. The list is held
/// against DataFusion by the error cases of queries/tests: a message that changes there shows up
/// as another code.
const KINDS: &[(&str, Code)] = &[
    ("`[…]`", codes::BAD_ACCESS),
    ("elements of an ARRAY begin", codes::BAD_ACCESS),
    ("the ROW has no field", codes::BAD_ACCESS),
    ("takes a ROW, not", codes::BAD_ACCESS),
    ("Inconsistent data type across values list", codes::BAD_VALUES),
    ("Invalid function", codes::UNKNOWN_FUNCTION),
    ("HAVING clause references", codes::NOT_GROUPED),
    ("must appear in the GROUP BY", codes::NOT_GROUPED),
    ("different number of columns", codes::COLUMN_COUNT),
    ("non-boolean predicate", codes::WRONG_TYPE),
    ("Projections require unique expression names", codes::DUPLICATE_NAME),
    ("coerc", codes::WRONG_TYPE),
    ("Cannot infer common argument type", codes::WRONG_TYPE),
    ("Cannot automatically convert", codes::WRONG_TYPE),
    ("Unsupported CAST", codes::WRONG_TYPE),
    ("No function matches", codes::WRONG_TYPE),
    ("Failed to coerce arguments", codes::WRONG_TYPE),
    (" wants ", codes::WRONG_TYPE),
    (" takes ", codes::WRONG_TYPE),
    ("incompatible types", codes::WRONG_TYPE),
    ("Cannot cast", codes::WRONG_TYPE),
    ("not supported", codes::NOT_SUPPORTED),
    ("not implemented", codes::NOT_SUPPORTED),
    ("Unsupported", codes::NOT_SUPPORTED),
];

fn other_error(message: &str, names: &Names) -> Diagnostic {
    if let Some(name) = message.strip_prefix(NO_TABLE) {
        let name = name.trim_end_matches('`');
        let hint = match name.eq_ignore_ascii_case("stdin") {
            true => Some(STDIN.to_owned()),
            false => suggest::did_you_mean(name, names.tables.iter().map(String::as_str)),
        };
        return Diagnostic::error(codes::UNKNOWN_TABLE, format!("{NO_TABLE}{name}`"))
            .label("unknown table")
            .hint_if_any(hint);
    }
    let kind = KINDS.iter().find(|(piece, _)| message.contains(piece));
    let code = kind.map_or(codes::INVALID_QUERY, |(_, code)| *code);
    if code == codes::UNKNOWN_FUNCTION {
        let name = message.split('\'').nth(1).unwrap_or_default();
        return unknown_function(name, names);
    }
    let (message, hint) = match code {
        codes::BAD_ACCESS => {
            (type_message(message), "`DESCRIBE table;` shows the types of its columns")
        }
        codes::BAD_VALUES => (
            "a column of VALUES has values of types that do not go together".to_owned(),
            "convert one of them to the other's type: CAST(x AS TYPE)",
        ),
        codes::WRONG_TYPE if message.contains(" takes ") => {
            let message = type_message(message);
            let name = message.split(' ').next().unwrap_or_default();
            let hint = functions::index::find(name)
                .map(|function| format!("it is called as {}", function.signature));
            return Diagnostic::error(code, message).hint_if_any(hint);
        }
        codes::WRONG_TYPE => {
            let message = type_message(message);
            let is_joined = message.starts_with("`+`") && message.contains("STRING");
            let hint = match is_joined {
                true => "`||` puts texts together; to add, convert: CAST(x AS INT)",
                false => "convert a value to the type that is wanted: CAST(x AS TYPE)",
            };
            (message, hint)
        }
        codes::NOT_GROUPED if message.starts_with("HAVING") => (
            "HAVING is about groups, and nothing is grouped".to_owned(),
            "a condition for rows stands behind WHERE",
        ),
        codes::NOT_GROUPED => {
            let column = message.split('"').nth(1).unwrap_or_default();
            let column = column.rsplit('.').next().unwrap_or(column);
            let message = format!("`{column}` is neither in GROUP BY nor in an aggregate");
            (message, "add the column to GROUP BY, or put it into an aggregate such as MAX(column)")
        }
        codes::DUPLICATE_NAME => (
            "two columns of the query have the same name".to_owned(),
            "give one of them another name with AS",
        ),
        codes::COLUMN_COUNT => {
            let message = "the queries of UNION ALL have different numbers of columns";
            (message.to_owned(), "select the same columns in both, NULL where one has none")
        }
        _ => match in_our_words(message) {
            Some(found) => found,
            None => return Diagnostic::error(code, message),
        },
    };
    Diagnostic::error(code, message).hint(hint)
}

/// What else DataFusion says, as we say it, with a hint.
fn in_our_words(message: &str) -> Option<(String, &'static str)> {
    if message.starts_with("Aggregate function calls cannot be nested") {
        let hint = "aggregate in a view or subquery, and its result again";
        return Some(("an aggregate stands inside another one".to_owned(), hint));
    }
    if message.starts_with("Aggregate functions are not allowed in the WHERE") {
        let hint =
            "WHERE sees single rows; a condition for groups stands in HAVING, behind GROUP BY";
        return Some(("an aggregate cannot stand in WHERE".to_owned(), hint));
    }
    None
}

/// DataFusion's messages about types with Flink's names of types.
fn type_message(message: &str) -> String {
    if message.contains("non-boolean predicate") {
        let found = message.rsplit("returning ").next().map(flink).unwrap_or_default();
        return format!("a condition must be BOOLEAN, not {found}");
    }
    let operation = message
        .strip_prefix("Cannot coerce arithmetic expression ")
        .and_then(|rest| rest.strip_suffix(" to valid types"));
    if let Some([left, op, right]) = operation.map(|o| o.split(' ').collect::<Vec<_>>()).as_deref()
    {
        return format!("`{op}` has no meaning for {} and {}", flink(left), flink(right));
    }
    let branches = message.strip_prefix("Failed to coerce then (").and_then(|rest| {
        let (then, rest) = rest.split_once(") and else (")?;
        Some((then, rest.split_once(") to common types")?.0))
    });
    if let Some((then, other)) = branches {
        return format!("CASE has one type: THEN is {}, ELSE {}", flink(then), flink(other));
    }
    // Our own functions' words, out of what DataFusion puts around them.
    let own =
        message.rsplit_once("coercion failed with: Error during planning: ").map(|(_, own)| own);
    match own {
        Some(own) => {
            own.split(" No function matches").next().unwrap_or(own).trim_end_matches('.').to_owned()
        }
        None => message.to_owned(),
    }
}

/// Flink's name of a type by Arrow's name.
fn flink(arrow: &str) -> String {
    arrow.parse::<DataType>().map_or_else(|_| arrow.to_owned(), |data_type| flink_name(&data_type))
}

/// The diagnostic for the call of a function that does not exist.
pub(crate) fn unknown_function(name: &str, names: &Names) -> Diagnostic {
    let message = format!("there is no function `{}`", name.to_uppercase());
    let diagnostic = Diagnostic::error(codes::UNKNOWN_FUNCTION, message).label("unknown function");
    let foreign = FOREIGN_FUNCTIONS.iter().find(|(other, _)| name.eq_ignore_ascii_case(other));
    if let Some((_, ours)) = foreign {
        return diagnostic.hint(format!("in Flink SQL it is {ours}"));
    }
    let upper: Vec<String> = names.functions.iter().map(|n| n.to_uppercase()).collect();
    diagnostic.hint_if_any(suggest::did_you_mean(name, upper.iter().map(String::as_str)))
}

/// Functions of other dialects, and how Flink SQL says it.
const FOREIGN_FUNCTIONS: &[(&str, &str)] = &[
    ("length", "CHAR_LENGTH(s)"),
    ("len", "CHAR_LENGTH(s)"),
    ("strpos", "INSTR(s, x)"),
    ("charindex", "LOCATE(x, s)"),
    ("starts_with", "STARTSWITH(s, x)"),
    ("ends_with", "ENDSWITH(s, x)"),
    ("nvl", "IFNULL(a, b)"),
    ("isnull", "x IS NULL"),
    ("iff", "IF(condition, a, b)"),
    ("signum", "SIGN(x)"),
    ("trunc", "TRUNCATE(x, digits)"),
    ("pow", "POWER(x, y)"),
    ("random", "RAND()"),
    ("array_length", "CARDINALITY(array)"),
    ("array_size", "CARDINALITY(array)"),
    ("size", "CARDINALITY(array)"),
    ("string_agg", "LISTAGG(s, separator)"),
    ("group_concat", "LISTAGG(s, separator)"),
    ("string_to_array", "SPLIT(s, delimiter)"),
    ("to_char", "DATE_FORMAT(t, pattern)"),
    ("strftime", "DATE_FORMAT(t, pattern)"),
    ("date_part", "EXTRACT(unit FROM t)"),
    ("datediff", "TIMESTAMPDIFF(unit, from, to)"),
    ("date_diff", "TIMESTAMPDIFF(unit, from, to)"),
    ("date_add", "TIMESTAMPADD(unit, n, t)"),
    ("dateadd", "TIMESTAMPADD(unit, n, t)"),
    ("date_bin", "FLOOR(t TO unit)"),
    ("to_unixtime", "UNIX_TIMESTAMP(s)"),
    ("today", "CURRENT_DATE"),
    ("getdate", "CURRENT_TIMESTAMP"),
    ("sysdate", "CURRENT_TIMESTAMP"),
    ("md5_hex", "MD5(s)"),
    ("json_extract", "JSON_VALUE(json, path) or JSON_QUERY(json, path)"),
    ("get_json_object", "JSON_VALUE(json, path)"),
    ("json_extract_scalar", "JSON_VALUE(json, path)"),
    ("rlike", "REGEXP(s, regex)"),
    ("regexp_matches", "REGEXP(s, regex)"),
    ("regexp_match", "REGEXP_EXTRACT(s, regex)"),
    ("to_hex", "HEX(n)"),
    ("median", "APPROX_PERCENTILE(x, 0.5)"),
    ("approx_distinct", "APPROX_COUNT_DISTINCT(x)"),
    ("any_value", "FIRST_VALUE(x)"),
    ("arbitrary", "FIRST_VALUE(x)"),
];

/// A message without DataFusion's prefixes, full stops and backtraces: one line for a user.
fn plain_message(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let mut line = text.lines().next().unwrap_or_default().trim();
    for prefix in [
        "Error during planning: ",
        "This feature is not implemented: ",
        "Execution error: ",
        "SQL error: ",
        "Arrow error: ",
        "type_coercion caused by ",
        "Internal error: ",
    ] {
        line = line.strip_prefix(prefix).unwrap_or(line);
    }
    line.trim_end_matches('.').to_owned()
}
