//! Functions that are another spelling of an expression. They exist by name and type while SQL is
//! bound; the typing pass then puts the expression in their place.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::{Result, ScalarValue, internal_err, plan_err};
use datafusion_expr::expr::{Case, ScalarFunction};
use datafusion_expr::{
    BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, cast, lit,
};

use super::nested;
use super::rows::check_count;

/// What a function stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Meaning {
    /// `MOD(a, b)`: `a % b`.
    Modulo,
    /// `IF(c, a, b)`: CASE.
    If,
    /// `COALESCE(a, …)`: CASE, so that only what is needed is computed.
    Coalesce,
    /// `TYPEOF(x)`: a literal.
    TypeOf,
    /// `CONCAT(a, …)`: `a || …`, null if one is null, unlike DataFusion's.
    Concat,
    /// `HOUR(t)` and its like: EXTRACT of this field.
    Extract(&'static str),
    /// `TO_TIMESTAMP_LTZ(number[, 0 or 3])`: a cast.
    TimestampLtz,
}

/// An entry of the index that the typing pass replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rewrite {
    meaning: Meaning,
    least: usize,
    most: usize,
}

impl Rewrite {
    /// What stands for a call with so many arguments at least and at most.
    pub(super) const fn new(meaning: Meaning, least: usize, most: usize) -> Self {
        Rewrite { meaning, least, most }
    }

    /// As a function of DataFusion; `zone` is the session's.
    pub(super) fn udf(self, name: &'static str, zone: &str) -> ScalarUDF {
        let signature = Signature::user_defined(Volatility::Immutable);
        let (name, zone) = (name.to_lowercase(), zone.to_owned());
        ScalarUDF::from(Replaced { name, rewrite: self, zone, signature })
    }
}

/// A function that the typing pass replaces.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Replaced {
    name: String,
    rewrite: Rewrite,
    zone: String,
    signature: Signature,
}

/// The expression that a call stands for, or the call itself if it is no such function.
/// `first` is the type of the first argument.
pub fn expand(call: ScalarFunction, first: Option<&DataType>) -> Result<Expr> {
    let inner: &dyn std::any::Any = call.func.inner().as_ref();
    let Some(replaced) = inner.downcast_ref::<Replaced>() else {
        return Ok(Expr::ScalarFunction(call));
    };
    let (meaning, zone) = (replaced.rewrite.meaning, replaced.zone.clone());
    if meaning == Meaning::Coalesce {
        return Ok(coalesce(call.args));
    }
    let mut args = call.args.into_iter();
    let mut next = || args.next().expect("the number of arguments was checked");
    Ok(match meaning {
        Meaning::Modulo => {
            let (left, right) = (Box::new(next()), Box::new(next()));
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Modulo, right })
        }
        Meaning::If => {
            let when_then_expr = vec![(Box::new(next()), Box::new(next()))];
            let else_expr = Some(Box::new(next()));
            Expr::Case(Case { expr: None, when_then_expr, else_expr })
        }
        Meaning::Concat => {
            let first = cast(next(), DataType::Utf8);
            args.fold(first, |left, right| {
                let right = Box::new(cast(right, DataType::Utf8));
                Expr::BinaryExpr(BinaryExpr {
                    left: Box::new(left),
                    op: Operator::StringConcat,
                    right,
                })
            })
        }
        Meaning::Coalesce => next(),
        Meaning::TypeOf => lit(first.map(crate::types::flink_name).unwrap_or_default()),
        Meaning::Extract(field) => extract(field, next()),
        Meaning::TimestampLtz => {
            let number = next();
            match first {
                Some(DataType::Utf8) => ltz_of_text(number, args.collect(), &zone)?,
                _ => timestamp_ltz(number, args.next(), first, &zone)?,
            }
        }
    })
}

/// The first that is not null.
fn coalesce(mut args: Vec<Expr>) -> Expr {
    let Some(last) = args.pop() else { return lit(ScalarValue::Null) };
    if args.is_empty() {
        return last;
    }
    let when_then_expr =
        args.into_iter().map(|arg| (Box::new(arg.clone().is_not_null()), Box::new(arg))).collect();
    Expr::Case(Case { expr: None, when_then_expr, else_expr: Some(Box::new(last)) })
}

/// EXTRACT of a field, as Flink's BIGINT. Centuries count from year 1. Flink counts days of the week from 1 for Sunday.
pub fn extract(field: &str, from: Expr) -> Expr {
    let years = |count: i64, first: i64| (extract("year", from.clone()) + lit(first)) / lit(count);
    match field.to_ascii_lowercase().as_str() {
        "decade" => return years(10, 0),
        "century" => return years(100, 99),
        "millennium" => return years(1000, 999),
        _ => {}
    }
    let part = datafusion_functions::datetime::date_part();
    let value = cast(
        Expr::ScalarFunction(ScalarFunction::new_udf(part, vec![lit(field), from])),
        DataType::Int64,
    );
    if field.eq_ignore_ascii_case("dow") { value + lit(1_i64) } else { value }
}

/// A text that the clock of a zone, UTC if it is not said, showed.
fn ltz_of_text(text: Expr, others: Vec<Expr>, session: &str) -> Result<Expr> {
    let mut others = others.into_iter();
    let args = std::iter::once(text).chain(others.next()).collect();
    let zone = match others.next() {
        None => "UTC".to_owned(),
        Some(Expr::Literal(ScalarValue::Utf8(Some(zone)), _)) => zone,
        Some(_) => return plan_err!("the zone of TO_TIMESTAMP_LTZ must be a literal"),
    };
    if zone.parse::<chrono_tz::Tz>().is_err() {
        return plan_err!("there is no time zone `{zone}`");
    }
    let function = Arc::new(super::time::to_timestamp_function(session));
    let local = Expr::ScalarFunction(ScalarFunction::new_udf(function, args));
    let in_zone = |zone: &str| DataType::Timestamp(TimeUnit::Millisecond, Some(zone.into()));
    Ok(cast(cast(local, in_zone(&zone)), in_zone(session)))
}

/// A number of seconds (precision 0) or milliseconds (3) since the epoch as TIMESTAMP_LTZ(3).
fn timestamp_ltz(
    number: Expr,
    precision: Option<Expr>,
    first: Option<&DataType>,
    zone: &str,
) -> Result<Expr> {
    if first.is_some_and(|first| !first.is_numeric() && !first.is_null()) {
        return plan_err!("TO_TIMESTAMP_LTZ wants a number of seconds or milliseconds");
    }
    let to = DataType::Timestamp(TimeUnit::Millisecond, Some(zone.into()));
    let precision = match precision {
        None => 3,
        Some(Expr::Literal(value, _)) => match value.cast_to(&DataType::Int64)? {
            ScalarValue::Int64(Some(precision @ (0 | 3))) => precision,
            _ => return plan_err!("the precision of TO_TIMESTAMP_LTZ is 0 (seconds) or 3 (ms)"),
        },
        Some(_) => return plan_err!("the precision of TO_TIMESTAMP_LTZ must be a literal"),
    };
    if precision == 3 {
        return Ok(cast(cast(number, DataType::Int64), to));
    }
    // Fractional seconds keep their milliseconds.
    let ms = match first {
        Some(kind) if kind.is_integer() => cast(number, DataType::Int64) * lit(1000_i64),
        _ => cast(cast(number, DataType::Float64) * lit(1000_f64), DataType::Int64),
    };
    Ok(cast(ms, to))
}

impl ScalarUDFImpl for Replaced {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let Rewrite { meaning, least, most } = self.rewrite;
        check_count(&self.name, arguments.len(), least, most)?;
        if let Meaning::Extract(_) = meaning
            && !(arguments[0].is_temporal() || arguments[0].is_null())
        {
            let found = crate::types::flink_name(&arguments[0]);
            return plan_err!("{} wants a date or time, not {found}", self.name.to_uppercase());
        }
        if matches!(meaning, Meaning::Coalesce) && nested::unify(arguments).is_none() {
            let names: Vec<String> = arguments.iter().map(crate::types::flink_name).collect();
            let (name, names) = (self.name.to_uppercase(), names.join(" and "));
            return plan_err!("{name} wants values of one type, not {names}");
        }
        Ok(arguments.to_vec())
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.rewrite.meaning {
            Meaning::Modulo | Meaning::If => arguments[1].clone(),
            Meaning::Coalesce => nested::unify(arguments).unwrap_or_else(|| arguments[0].clone()),
            Meaning::Concat | Meaning::TypeOf => DataType::Utf8,
            Meaning::Extract(_) => DataType::Int64,
            Meaning::TimestampLtz => {
                DataType::Timestamp(TimeUnit::Millisecond, Some(Arc::from(self.zone.as_str())))
            }
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{} is replaced while planning", self.name)
    }
}
