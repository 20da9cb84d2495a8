//! Flink's types, put into a plan that DataFusion made.
//!
//! DataFusion reads `1` as BIGINT, mixes decimals with doubles into decimals, and has its own
//! result types for decimals. This pass goes through a plan from its leaves, node by node, gives
//! literals Flink's types and puts casts where an operation's type would differ, so that
//! DataFusion's own type coercion, which runs afterwards, finds nothing left to decide.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, Result, ScalarValue};
use datafusion_expr::expr::{Cast, InList, ScalarFunction, TryCast};
use datafusion_expr::expr_rewriter::NamePreserver;
use datafusion_expr::utils::merge_schema;
use datafusion_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, cast, lit};
use datafusion_optimizer::AnalyzerRule;
use datafusion_optimizer::analyzer::type_coercion::TypeCoercion;

use super::codes;
use super::context::Session;
use super::error::refuse;
use super::numbers::{Arithmetic, as_decimal, decimal_result};
use super::{positions, values};
use crate::diagnostic::Diagnostic;
use crate::functions::{check_constants, nested, rewrite, shown, syntax};
use crate::types::flink_name;

/// The plan with Flink's types, all coercions written out.
pub(crate) fn apply(plan: LogicalPlan, session: &Session) -> Result<LogicalPlan> {
    let typed = plan.transform_up(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        let node = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let typed =
                expr.transform_up(|expr| typed(expr, &schema, session).map(Transformed::yes))?;
            Ok(Transformed::yes(name.restore(typed.data)))
        })?;
        node.map_data(|node| match node {
            // Constants have their types only now; rows of one column may have different ones.
            LogicalPlan::Values(values) => values::typed(values),
            LogicalPlan::Union(union) => positions::aligned_union(union),
            node => node.recompute_schema(),
        })
    })?;
    TypeCoercion::new().analyze(typed.data, &session.config)
}

/// One expression whose parts are typed.
fn typed(expr: Expr, schema: &DFSchema, session: &Session) -> Result<Expr> {
    match positions::aligned(expr, schema)? {
        Expr::Literal(value, metadata) => Ok(Expr::Literal(literal(value), metadata)),
        Expr::BinaryExpr(binary) => self::binary(binary, schema),
        Expr::InList(list) => in_list(list, schema),
        Expr::Cast(Cast { expr, field }) => {
            let from = expr.get_type(schema)?;
            check_cast(&from, field.data_type())?;
            if from.is_nested() && field.data_type().is_nested() {
                return Ok(nested::conform(*expr, field.data_type().clone()));
            }
            let expr = wall_clock(*expr, &from, field.data_type());
            let to = field.data_type().clone();
            let cast = to_text(Cast { expr: Box::new(expr), field }, schema, session)?;
            Ok(exact_if_it_loses(cast, &from, &to))
        }
        Expr::TryCast(TryCast { expr, field }) => {
            let from = expr.get_type(schema)?;
            check_cast(&from, field.data_type())?;
            if field.data_type().is_nested() {
                let message =
                    format!("TRY_CAST to {} is not supported", flink_name(field.data_type()));
                let hint = "use CAST, or TRY_CAST of the parts";
                return Err(refuse(Diagnostic::error(codes::CAST_REFUSED, message).hint(hint)));
            }
            let expr = wall_clock(*expr, &from, field.data_type());
            if field.data_type() == &DataType::Utf8 {
                return to_text(Cast { expr: Box::new(expr), field }, schema, session);
            }
            let to = field.data_type().clone();
            let cast = Expr::TryCast(TryCast { expr: Box::new(expr), field });
            Ok(exact_if_it_loses(cast, &from, &to))
        }
        Expr::ScalarFunction(mut call) if call.func.name() == syntax::TOLD_APART => {
            Ok(call.args.remove(0))
        }
        Expr::ScalarFunction(call) => {
            check_constants(&call)?;
            let first = call.args.first().and_then(|first| first.get_type(schema).ok());
            let expr = match rewrite::expand(call, first.as_ref())? {
                Expr::BinaryExpr(binary) => self::binary(binary, schema)?,
                case @ Expr::Case(_) => positions::aligned(case, schema)?,
                other => other,
            };
            Ok(in_table_type(expr, schema))
        }
        other => Ok(other),
    }
}

/// A cast that no comparison moves to its other side if it loses digits.
fn exact_if_it_loses(expr: Expr, from: &DataType, to: &DataType) -> Expr {
    let loses = match (from, to) {
        (DataType::Decimal128(_, scale), to) if to.is_integer() => *scale > 0,
        (DataType::Decimal128(_, from), DataType::Decimal128(_, to)) => to < from,
        (DataType::Timestamp(from, _), DataType::Timestamp(to, _)) => to < from,
        _ => false,
    };
    if !loses {
        return expr;
    }
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(syntax::exact()), vec![expr]))
}

/// `x IN (1, 2, y)` as `x IN (1, 2) OR x = y`: DataFusion takes what comes to one value for no rows,
/// such as a CASE, for a constant, and computes it once.
fn in_list(list: InList, schema: &DFSchema) -> Result<Expr> {
    let InList { expr, list, negated } = list;
    let is_constant = |value: &Expr| value.column_refs().is_empty() && !value.is_volatile();
    if list.iter().all(is_constant) || expr.is_volatile() {
        return Ok(Expr::InList(InList { expr, list, negated }));
    }
    let (constants, computed): (Vec<Expr>, Vec<Expr>) = list.into_iter().partition(is_constant);
    let mut parts = Vec::new();
    if !constants.is_empty() {
        parts.push(Expr::InList(InList::new(expr.clone(), constants, false)));
    }
    for value in computed {
        let equal = BinaryExpr::new(expr.clone(), Operator::Eq, Box::new(value));
        parts.push(binary(equal, schema)?);
    }
    // As a tree that is no deeper than it must be: a list may be long.
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        let mut halved = Vec::new();
        while let Some(part) = pairs.next() {
            halved.push(match pairs.next() {
                Some(other) => part.or(other),
                None => part,
            });
        }
        parts = halved;
    }
    let any = parts.into_iter().next().unwrap_or_else(|| lit(false));
    Ok(if negated { Expr::Not(Box::new(any)) } else { any })
}

/// Some of DataFusion's functions return types that no column of ours has, such as string views:
/// their values continue in the type that tables keep them in.
fn in_table_type(expr: Expr, schema: &DFSchema) -> Expr {
    // Before coercion some calls have no type yet; those return what they were given.
    let kept = match expr.get_type(schema) {
        Ok(DataType::Utf8View | DataType::LargeUtf8) => DataType::Utf8,
        Ok(DataType::BinaryView | DataType::LargeBinary) => DataType::Binary,
        Ok(DataType::Time32(TimeUnit::Second) | DataType::Time64(_)) => {
            DataType::Time32(TimeUnit::Millisecond)
        }
        _ => return expr,
    };
    cast(expr, kept)
}

/// INT where it fits, else BIGINT, else DECIMAL; a decimal counts the digit before its point.
fn literal(value: ScalarValue) -> ScalarValue {
    match value {
        ScalarValue::Int64(Some(number)) => match i32::try_from(number) {
            Ok(small) => ScalarValue::Int32(Some(small)),
            Err(_) => ScalarValue::Int64(Some(number)),
        },
        ScalarValue::UInt64(Some(number)) => {
            ScalarValue::Decimal128(Some(i128::from(number)), 20, 0)
        }
        ScalarValue::Decimal128(Some(number), precision, scale) if scale >= 0 => {
            let precision = precision.max(scale.unsigned_abs() + 1).min(38);
            ScalarValue::Decimal128(Some(number), precision, scale)
        }
        other => other,
    }
}

fn binary(binary: BinaryExpr, schema: &DFSchema) -> Result<Expr> {
    let types = (binary.left.get_type(schema)?, binary.right.get_type(schema)?);
    let binary = shift(binary, &types.0);
    let is_decimal = |data_type: &DataType| matches!(data_type, DataType::Decimal128(..));
    if !is_decimal(&types.0) && !is_decimal(&types.1) {
        return Ok(Expr::BinaryExpr(binary));
    }
    let BinaryExpr { left, op, right } = binary;
    if types.0.is_floating() || types.1.is_floating() {
        // An approximate number makes the whole approximate.
        let (left, right) = (cast(*left, DataType::Float64), cast(*right, DataType::Float64));
        return Ok(Expr::BinaryExpr(BinaryExpr {
            left: Box::new(left),
            op,
            right: Box::new(right),
        }));
    }
    let arithmetic = match op {
        Operator::Plus | Operator::Minus => Arithmetic::Add,
        Operator::Multiply => Arithmetic::Multiply,
        Operator::Divide => Arithmetic::Divide,
        Operator::Modulo => Arithmetic::Modulo,
        _ => return Ok(Expr::BinaryExpr(BinaryExpr { left, op, right })),
    };
    match (as_decimal(&types.0), as_decimal(&types.1)) {
        (Some(l), Some(r)) => Ok(decimal(arithmetic, op, (*left, l), (*right, r))),
        _ => Ok(Expr::BinaryExpr(BinaryExpr { left, op, right })),
    }
}

/// A time plus or minus a span without months: Arrow adds spans of its general kind by the
/// calendar, row by row, but durations as plain numbers, tens of times faster.
fn shift(mut binary: BinaryExpr, time: &DataType) -> BinaryExpr {
    let (DataType::Timestamp(unit, _), Operator::Plus | Operator::Minus) = (time, binary.op) else {
        return binary;
    };
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(span)), None) = binary.right.as_ref()
    else {
        return binary;
    };
    let nanos = span.nanoseconds;
    let (of_unit, nanos_per_unit): (fn(Option<i64>) -> ScalarValue, i64) = match unit {
        TimeUnit::Second => (ScalarValue::DurationSecond, 1_000_000_000),
        TimeUnit::Millisecond => (ScalarValue::DurationMillisecond, 1_000_000),
        TimeUnit::Microsecond => (ScalarValue::DurationMicrosecond, 1_000),
        TimeUnit::Nanosecond => (ScalarValue::DurationNanosecond, 1),
    };
    if span.months == 0 && span.days == 0 && nanos % nanos_per_unit == 0 {
        *binary.right = Expr::Literal(of_unit(Some(nanos / nanos_per_unit)), None);
    }
    binary
}

/// Arithmetic on decimals: Arrow computes in a type that is at least as wide, and a cast brings
/// it to Flink's.
fn decimal(
    arithmetic: Arithmetic,
    op: Operator,
    left: (Expr, (u8, i8)),
    right: (Expr, (u8, i8)),
) -> Expr {
    let (precision, scale) = decimal_result(arithmetic, left.1, right.1);
    let as_type = |(expr, (precision, scale)): (Expr, (u8, i8))| {
        Box::new(cast(expr, DataType::Decimal128(precision, scale)))
    };
    // Arrow's quotient has four digits more than the dividend, cut off; with as many digits as
    // the result needs in the dividend, the cast can round.
    let left = match arithmetic {
        Arithmetic::Divide => (left.0, (38, scale.max(left.1.1).min(34))),
        _ => left,
    };
    let exact = Expr::BinaryExpr(BinaryExpr { left: as_type(left), op, right: as_type(right) });
    cast(exact, DataType::Decimal128(precision, scale))
}

/// Casts to text that Flink spells differently from Arrow: times, truth values, floats, and what is
/// made of others.
fn to_text(inner: Cast, schema: &DFSchema, session: &Session) -> Result<Expr> {
    if inner.field.data_type() != &DataType::Utf8 {
        return Ok(Expr::Cast(inner));
    }
    let from = inner.expr.get_type(schema)?;
    let is_spelt = matches!(from, DataType::Timestamp(..) | DataType::Boolean)
        || from.is_floating()
        || from.is_nested();
    if !is_spelt {
        return Ok(Expr::Cast(inner));
    }
    let function = session.functions.scalar(shown::CAST_TO_TEXT).expect("it is registered");
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![*inner.expr])))
}

/// Numbers are no times and times no numbers: Flink leaves it to functions to say what is counted.
/// Values of several parts keep their shape, or become text.
fn check_cast(from: &DataType, to: &DataType) -> Result<()> {
    let is_time = |data_type: &DataType| {
        matches!(data_type, DataType::Timestamp(..) | DataType::Date32 | DataType::Time32(_))
    };
    let hint = if from.is_numeric() && is_time(to) {
        "use TO_TIMESTAMP_LTZ(n, 3) for milliseconds, TO_TIMESTAMP_LTZ(n, 0) for seconds since 1970"
    } else if is_time(from) && to.is_numeric() {
        "use EXTRACT(EPOCH FROM t) for seconds since 1970, or TIMESTAMPDIFF"
    } else {
        match (from, to) {
            (DataType::List(from), DataType::List(to))
            | (DataType::Map(from, _), DataType::Map(to, _)) => {
                return check_cast(from.data_type(), to.data_type());
            }
            (DataType::Struct(from), DataType::Struct(to)) if from.len() == to.len() => {
                let mut fields = from.iter().zip(to);
                return fields.try_for_each(|(f, t)| check_cast(f.data_type(), t.data_type()));
            }
            (DataType::Null, _) | (_, DataType::Utf8) => return Ok(()),
            (from, to) if !from.is_nested() && !to.is_nested() => return Ok(()),
            (DataType::Struct(_), DataType::Struct(_)) => {
                "fields go by position: write a type with as many fields as the row has"
            }
            _ => "parts can be cast to other types, one by one, and the whole to STRING",
        }
    };
    let message = format!("{} cannot be cast to {}", flink_name(from), flink_name(to));
    Err(refuse(Diagnostic::error(codes::CAST_REFUSED, message).hint(hint)))
}

/// A TIMESTAMP_LTZ on its way to a type without a zone shows what the session's clocks show; Arrow
/// would show UTC.
pub(crate) fn wall_clock(expr: Expr, from: &DataType, to: &DataType) -> Expr {
    if !nested::shows_wall_clock(from, to) {
        return expr;
    }
    let local = datafusion_functions::datetime::to_local_time();
    Expr::ScalarFunction(ScalarFunction::new_udf(local, vec![expr]))
}
