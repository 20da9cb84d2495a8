//! Aggregate functions as the planner sees them: names, argument types and Flink's result types.
//!
//! They are never run: lowering turns each into an [`Operation`] of the operators, with
//! casts around it where the implementation works in another type.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, Result, ScalarValue, internal_err, plan_err};
use datafusion_expr::expr::{AggregateFunction, AggregateFunctionParams, NullTreatment};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility};
use datafusion_functions_aggregate::{approx_distinct, approx_percentile_cont, stddev, variance};
use millstream_operators::window::AggregateFunction as Operation;

use super::index::{Body, functions};

/// The kinds of aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// COUNT(*) or COUNT(x).
    Count,
    /// SUM(x).
    Sum,
    /// AVG(x).
    Avg,
    /// MIN(x).
    Min,
    /// MAX(x).
    Max,
    /// STDDEV_POP(x).
    StddevPop,
    /// STDDEV_SAMP(x), also STDDEV.
    StddevSamp,
    /// VAR_POP(x).
    VarPop,
    /// VAR_SAMP(x), also VARIANCE.
    VarSamp,
    /// APPROX_COUNT_DISTINCT(x).
    ApproxCountDistinct,
    /// APPROX_PERCENTILE(x, p).
    ApproxPercentile,
    /// GROUPING(key) and GROUPING_ID(key, …): a constant of each grouping set.
    Grouping,
}

const fn body(kind: fn(&'static str) -> AggregateUDF) -> Body {
    Body::Aggregate(kind)
}

/// An aggregate of this kind.
macro_rules! of {
    ($kind:ident) => {
        body(|name| planned(name, Kind::$kind))
    };
}

functions! { FUNCTIONS, Aggregate:
    "COUNT", "COUNT(*), COUNT([DISTINCT] x) → BIGINT", "The number of rows, or of values that are not NULL; never NULL.",
        "COUNT(DISTINCT name)", "2", of!(Count);
    "SUM", "SUM([DISTINCT] x) → type of x", "The sum, which wraps at the ends of an integer's type. Of DECIMAL(p, s) it is DECIMAL(38, s).",
        "SUM(n)", "8", of!(Sum);
    "AVG", "AVG([DISTINCT] x) → type of x", "The mean; of integers cut off towards 0. Of DECIMAL(p, s) it is DECIMAL(38, max(s, 6)).",
        "AVG(n)", "2", of!(Avg);
    "MIN", "MIN(x) → type of x", "The least number, time, text or truth value.", "MIN(name)", "ada", of!(Min);
    "MAX", "MAX(x) → type of x", "The greatest number, time, text or truth value.", "MAX(n)", "4", of!(Max);
    "STDDEV_POP", "STDDEV_POP(x) → type of x", "The standard deviation of all values, computed as DOUBLE.",
        "STDDEV_POP(x)", "0.5", of!(StddevPop);
    "STDDEV_SAMP", "STDDEV_SAMP(x) → type of x", "The standard deviation of a sample, computed as DOUBLE.",
        "STDDEV_SAMP(n)", "1", of!(StddevSamp);
    "STDDEV", "STDDEV(x) → type of x", "The same as STDDEV_SAMP.", "STDDEV(n)", "1", of!(StddevSamp);
    "VAR_POP", "VAR_POP(x) → type of x", "The variance of all values, computed as DOUBLE.", "VAR_POP(x)", "0.25", of!(VarPop);
    "VAR_SAMP", "VAR_SAMP(x) → type of x", "The variance of a sample, computed as DOUBLE.", "VAR_SAMP(x)", "0.5", of!(VarSamp);
    "VARIANCE", "VARIANCE(x) → type of x", "The same as VAR_SAMP.", "VARIANCE(x)", "0.5", of!(VarSamp);
    "APPROX_COUNT_DISTINCT", "APPROX_COUNT_DISTINCT(x) → BIGINT", "The number of different values, about; never NULL.",
        "APPROX_COUNT_DISTINCT(name)", "2", of!(ApproxCountDistinct);
    "APPROX_PERCENTILE", "APPROX_PERCENTILE(x, p) → DOUBLE", "The value that so many of the others do not exceed, about; p is from 0 to 1. Flink does not have it.",
        "APPROX_PERCENTILE(n, 1.0)", "4.0", of!(ApproxPercentile);
    "GROUPING", "GROUPING(key) → BIGINT", "1 in rows of grouping sets without the key, and 0 in the others.", "GROUPING(window_end)", "0", of!(Grouping);
    "GROUPING_ID", "GROUPING_ID(key, …) → BIGINT", "GROUPING of each key as a binary digit, the first the highest.",
        "GROUPING_ID(window_start, window_end)", "0", of!(Grouping);
}

/// An aggregate function with Flink's types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FlinkAggregate {
    name: String,
    kind: Kind,
    signature: Signature,
}

/// How an aggregate is run.
pub struct Lowered {
    /// The operators' function.
    pub function: Operation,
    /// Cast the first argument to this type, if it is given.
    pub argument_type: Option<DataType>,
    /// What the function returns; cast to the planner's type if that is another.
    pub returns: DataType,
}

fn planned(name: &'static str, kind: Kind) -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    AggregateUDF::from(FlinkAggregate { name: name.to_lowercase(), kind, signature })
}

/// The kind of a planned function; `None` if it runs as it is planned.
pub fn kind(function: &AggregateUDF) -> Option<Kind> {
    let inner: &dyn std::any::Any = function.inner().as_ref();
    inner.downcast_ref::<FlinkAggregate>().map(|aggregate| aggregate.kind)
}

/// How a call that returns `flink` is run.
pub fn lower_call(call: &AggregateFunction, flink: &DataType) -> Lowered {
    match kind(&call.func) {
        Some(kind) => lower(kind, flink),
        None => {
            let ignores = call.params.null_treatment == Some(NullTreatment::IgnoreNulls);
            let function = match ignores {
                true => super::collected::ignoring_nulls(&call.func),
                false => Arc::clone(&call.func),
            };
            let function = Operation::Udaf(function);
            Lowered { function, argument_type: None, returns: flink.clone() }
        }
    }
}

/// How an aggregate that returns `flink` is run.
fn lower(kind: Kind, flink: &DataType) -> Lowered {
    let own = |function| Lowered { function, argument_type: None, returns: flink.clone() };
    let float = |udaf: Arc<AggregateUDF>| Lowered {
        function: Operation::Udaf(udaf),
        argument_type: Some(DataType::Float64),
        returns: DataType::Float64,
    };
    match kind {
        Kind::Count => own(Operation::Count),
        Kind::Sum => own(Operation::Sum),
        Kind::Avg => own(Operation::Avg),
        Kind::Min => own(Operation::Min),
        Kind::Max => own(Operation::Max),
        Kind::StddevPop => float(stddev::stddev_pop_udaf()),
        Kind::StddevSamp => float(stddev::stddev_udaf()),
        Kind::VarPop => float(variance::var_pop_udaf()),
        Kind::VarSamp => float(variance::var_samp_udaf()),
        Kind::ApproxPercentile => float(approx_percentile_cont::approx_percentile_cont_udaf()),
        Kind::ApproxCountDistinct => Lowered {
            function: Operation::Udaf(approx_distinct::approx_distinct_udaf()),
            argument_type: None,
            returns: DataType::UInt64,
        },
        Kind::Grouping => unreachable!("GROUPING is a constant of its grouping set by now"),
    }
}

/// A call as EXPLAIN shows it and state is named after it: `COUNT(*)`, `SUM(price)`.
pub fn shown(call: &AggregateFunction) -> String {
    let expr = Expr::AggregateFunction(call.clone());
    let text = unqualified(&expr);
    let (name, rest) = text.split_once('(').unwrap_or((&text, ""));
    let star = kind(&call.func) == Some(Kind::Count) && rest.starts_with("1)");
    let rest = if star { format!("*{}", &rest[1..]) } else { rest.to_owned() };
    format!("{}({rest}", name.to_uppercase())
}

/// A call as it was written, with the relations of its columns.
///
/// # Errors
/// If an argument has no name.
pub(super) fn call_name(name: &str, params: &AggregateFunctionParams) -> Result<String> {
    let name = name.to_uppercase();
    let distinct = if params.distinct { "DISTINCT " } else { "" };
    let args = match params.args.as_slice() {
        [Expr::Literal(value, _)] if name == "COUNT" && !value.is_null() => "*".to_owned(),
        args => {
            let args: Vec<String> = args.iter().map(|arg| arg.schema_name().to_string()).collect();
            args.join(", ")
        }
    };
    let filter = params.filter.as_ref().map(|f| format!(" FILTER (WHERE {})", f.schema_name()));
    let nulls = match params.null_treatment {
        Some(NullTreatment::IgnoreNulls) => " IGNORE NULLS",
        _ => "",
    };
    Ok(format!("{name}({distinct}{args}{nulls}){}", filter.unwrap_or_default()))
}

/// An expression as SQL, without the names of relations.
pub fn unqualified(expr: &Expr) -> String {
    let bare = expr.clone().transform(|expr| {
        Ok(match expr {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::from_name(column.name))),
            other => Transformed::no(other),
        })
    });
    bare.map_or_else(|_| expr.to_string(), |bare| bare.data.human_display().to_string())
}

/// Flink's type of an average, and of the deviations that it derives from averages: integers stay
/// what they are, decimals get at least six digits after the point.
fn average_type(argument: &DataType) -> DataType {
    match argument {
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, (*scale).max(6)),
        other => other.clone(),
    }
}

impl FlinkAggregate {
    fn argument_count(&self) -> std::ops::RangeInclusive<usize> {
        match self.kind {
            Kind::Count => 0..=1,
            Kind::ApproxPercentile => 2..=3,
            Kind::Grouping => 1..=63,
            _ => 1..=1,
        }
    }

    fn check_argument(&self, argument: &DataType) -> Result<()> {
        let numeric = matches!(
            self.kind,
            Kind::Sum
                | Kind::Avg
                | Kind::StddevPop
                | Kind::StddevSamp
                | Kind::VarPop
                | Kind::VarSamp
                | Kind::ApproxPercentile
        );
        let ordered = matches!(self.kind, Kind::Min | Kind::Max);
        let name = self.name.to_uppercase();
        if numeric && !(argument.is_numeric() || argument.is_null()) {
            let found = crate::types::flink_name(argument);
            return plan_err!("{name} wants a number, not {found}");
        }
        if ordered && argument.is_nested() {
            let found = crate::types::flink_name(argument);
            return plan_err!("{name} wants values that have an order, not {found}");
        }
        Ok(())
    }
}

impl AggregateUDFImpl for FlinkAggregate {
    fn name(&self) -> &str {
        &self.name
    }

    /// As it was written, for EXPLAIN and state: `COUNT(*)`, `MAX(bid.price)`.
    fn schema_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        call_name(&self.name, params)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let count = self.argument_count();
        if !count.contains(&arguments.len()) {
            let name = self.name.to_uppercase();
            let wanted = if count.start() == count.end() {
                format!("{} argument(s)", count.start())
            } else {
                format!("{} to {} arguments", count.start(), count.end())
            };
            return plan_err!("{name} takes {wanted}, not {}", arguments.len());
        }
        if let Some(first) = arguments.first() {
            self.check_argument(first)?;
        }
        let mut arguments = arguments.to_vec();
        if self.kind == Kind::ApproxPercentile {
            arguments[1] = DataType::Float64;
        }
        Ok(arguments)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let first = arguments.first().cloned().unwrap_or(DataType::Int64);
        Ok(match self.kind {
            Kind::Count | Kind::ApproxCountDistinct | Kind::Grouping => DataType::Int64,
            Kind::Sum => match first {
                DataType::Decimal128(_, scale) => DataType::Decimal128(38, scale),
                other => other,
            },
            Kind::Min | Kind::Max => first,
            Kind::ApproxPercentile => DataType::Float64,
            _ => average_type(&first),
        })
    }

    fn is_nullable(&self) -> bool {
        !matches!(self.kind, Kind::Count | Kind::ApproxCountDistinct | Kind::Grouping)
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.kind {
            Kind::Count | Kind::ApproxCountDistinct | Kind::Grouping => {
                Ok(ScalarValue::Int64(Some(0)))
            }
            _ => ScalarValue::try_from(data_type),
        }
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        internal_err!("{} is for planning only", self.name)
    }
}
