//! Reading back the forms that `dialect.rs` puts into sqlparser's AST: calls in FROM, `TABLE t`,
//! `DESCRIPTOR(c)`, intervals.

use datafusion_sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectName, OrderByExpr, Query, TableAlias, TableFactor, Value, WindowType,
};
use datafusion_sql::sqlparser::tokenizer::Span as SqlSpan;

use crate::interval::{self, IntervalValue, Unit};
use crate::parse::bytes;
use crate::statement::Spanned;

/// A call in FROM: `TUMBLE(…)`, `TABLE(TUMBLE(…))`, `LATE(view)`.
#[derive(Clone, Copy, Debug)]
pub struct RelationCall<'a> {
    /// The function's name as it was written.
    pub name: &'a Ident,
    /// Its arguments.
    pub args: &'a [FunctionArg],
    /// `AS alias`.
    pub alias: Option<&'a TableAlias>,
    /// True for `TABLE(f(…))`.
    pub is_wrapped: bool,
}

/// The call that a table in FROM is, if it is one.
pub fn relation_call(factor: &TableFactor) -> Option<RelationCall<'_>> {
    match factor {
        TableFactor::Table { name, args: Some(args), alias, .. } => Some(RelationCall {
            name: simple_name(name)?,
            args: &args.args,
            alias: alias.as_ref(),
            is_wrapped: false,
        }),
        TableFactor::TableFunction { expr: Expr::Function(function), alias } => {
            Some(RelationCall {
                name: simple_name(&function.name)?,
                args: arguments(function),
                alias: alias.as_ref(),
                is_wrapped: true,
            })
        }
        _ => None,
    }
}

/// True for `UNNEST(…)` in FROM.
pub(crate) fn is_unnest(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Table { .. } => {
            relation_call(factor).is_some_and(|call| call.name.value.eq_ignore_ascii_case("UNNEST"))
        }
        _ => false,
    }
}

/// What a function of relations is given as its input.
#[derive(Clone, Debug)]
pub struct TableArgument<'a> {
    /// The relation.
    pub input: TableInput<'a>,
    /// `PARTITION BY`, empty if there is none.
    pub partition_by: &'a [Expr],
    /// `ORDER BY`, empty if there is none.
    pub order_by: &'a [OrderByExpr],
}

/// The relation of a `TABLE` argument.
#[derive(Clone, Debug)]
pub enum TableInput<'a> {
    /// `TABLE t`, and the sugar `t`: a table, view or CTE. More than one part is `database.t`.
    Named(Vec<&'a Ident>),
    /// `TABLE (SELECT …)`, and `(SELECT …)`.
    Query(&'a Query),
}

/// The relation that an argument stands for: `TABLE t [PARTITION BY …]`, `TABLE (query)`, and the
/// shorter `t` and `(query)`.
pub fn table_argument(argument: &Expr) -> Option<TableArgument<'_>> {
    let plain = |input| Some(TableArgument { input, partition_by: &[], order_by: &[] });
    match argument {
        Expr::Identifier(name) => plain(TableInput::Named(vec![name])),
        Expr::CompoundIdentifier(parts) => plain(TableInput::Named(parts.iter().collect())),
        Expr::Subquery(query) => plain(TableInput::Query(query)),
        Expr::Function(function) if is_named(function, "TABLE") => {
            let mut inner = table_argument(first_argument(function)?)?;
            if let Some(WindowType::WindowSpec(spec)) = &function.over {
                inner.partition_by = &spec.partition_by;
                inner.order_by = &spec.order_by;
            }
            Some(inner)
        }
        _ => None,
    }
}

/// Options of hints, as `parse/hint.rs` puts them into the AST: `'key' = 'value'` each. `None` for
/// anything else, which is no syntax of ours.
pub fn hint_options(exprs: &[Expr]) -> Option<Vec<(Spanned<String>, Spanned<String>)>> {
    exprs
        .iter()
        .map(|expr| match expr {
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                Some((string(left)?, string(right)?))
            }
            _ => None,
        })
        .collect()
}

/// The options of the hint behind `TABLE t`; none if there is no hint.
pub fn argument_hints(function: &Function) -> Vec<(Spanned<String>, Spanned<String>)> {
    let FunctionArguments::List(list) = &function.parameters else { return Vec::new() };
    let exprs: Option<Vec<Expr>> = list.args.iter().map(|arg| unnamed(arg).cloned()).collect();
    exprs.and_then(|exprs| hint_options(&exprs)).unwrap_or_default()
}

/// The place of the name in `TABLE name`.
pub(crate) fn table_name_place(expr: &Expr) -> Option<SqlSpan> {
    let Expr::Function(function) = expr else { return None };
    if !is_named(function, "TABLE") {
        return None;
    }
    match first_argument(function)? {
        Expr::Identifier(name) => Some(name.span),
        Expr::CompoundIdentifier(parts) => Some(SqlSpan::union_iter(parts.iter().map(|p| p.span))),
        _ => None,
    }
}

/// A string literal and its place.
fn string(expr: &Expr) -> Option<Spanned<String>> {
    let Expr::Value(value) = expr else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    Some(Spanned { node: text.clone(), span: bytes(value.span)? })
}

/// The columns of `DESCRIPTOR(c, …)`, and of the shorter `c`.
pub fn descriptor(argument: &Expr) -> Option<Vec<&Ident>> {
    match argument {
        Expr::Identifier(column) => Some(vec![column]),
        Expr::Function(function) if is_named(function, "DESCRIPTOR") => arguments(function)
            .iter()
            .map(|argument| match unnamed(argument)? {
                Expr::Identifier(column) => Some(column),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// The value of an interval literal.
pub fn interval_value(expr: &Expr) -> Option<IntervalValue> {
    let Expr::Interval(literal) = expr else { return None };
    let Expr::Value(value) = literal.value.as_ref() else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    let unit = Unit::from_name(&literal.leading_field.as_ref()?.to_string())?;
    interval::parse(text, unit, None).ok()
}

/// Names of the settings of a query that EMIT and ALLOW LATENESS become.
pub const EMIT: &str = "emit";
/// See [`EMIT`].
pub const LATENESS: &str = "lateness";

/// The milliseconds of an interval literal that is not one of months.
pub fn milliseconds(expr: &Expr) -> Option<i64> {
    match interval_value(expr)? {
        IntervalValue::Millis(ms) => Some(ms),
        IntervalValue::Months(_) => None,
    }
}

/// The text of a string literal.
pub fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The expression of an argument, named or not; nothing for `*`.
pub fn argument_expr(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. } => Some(expr),
        other => unnamed(other),
    }
}

/// The name of a `NAME => value` argument.
pub fn argument_name(argument: &FunctionArg) -> Option<&Ident> {
    match argument {
        FunctionArg::Named { name, .. } => Some(name),
        _ => None,
    }
}

/// True if it is a call of this name, whatever the case.
fn is_named(function: &Function, name: &str) -> bool {
    simple_name(&function.name).is_some_and(|n| n.value.eq_ignore_ascii_case(name))
}

/// A name of one part.
fn simple_name(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident(),
        _ => None,
    }
}

fn arguments(function: &Function) -> &[FunctionArg] {
    match &function.args {
        FunctionArguments::List(list) => &list.args,
        _ => &[],
    }
}

fn first_argument(function: &Function) -> Option<&Expr> {
    arguments(function).first().and_then(unnamed)
}

fn unnamed(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}
