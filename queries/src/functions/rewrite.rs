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

/// What a function stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Meaning {
    /// `MOD(a, b)`: `a % b`.
    Modulo,
    /// `IF(c, a, b)`: CASE.
    If,
    /// `CONCAT(a, …)`: `a || …`, null if one is null, unlike DataFusion's.
    Concat,
    /// `HOUR(t)` and its like: EXTRACT of this field.
    Extract(&'static str),
    /// `TO_TIMESTAMP_LTZ(number[, 0 or 3])`: a cast.
    TimestampLtz,
}

/// Name, meaning, and how many arguments at least and at most.
const NAMES: &[(&str, Meaning, usize, usize)] = &[
    ("mod", Meaning::Modulo, 2, 2),
    ("if", Meaning::If, 3, 3),
    ("concat", Meaning::Concat, 1, usize::MAX),
    ("to_timestamp_ltz", Meaning::TimestampLtz, 1, 2),
    ("year", Meaning::Extract("year"), 1, 1),
    ("quarter", Meaning::Extract("quarter"), 1, 1),
    ("month", Meaning::Extract("month"), 1, 1),
    ("week", Meaning::Extract("week"), 1, 1),
    ("dayofyear", Meaning::Extract("doy"), 1, 1),
    ("dayofmonth", Meaning::Extract("day"), 1, 1),
    ("dayofweek", Meaning::Extract("dow"), 1, 1),
    ("hour", Meaning::Extract("hour"), 1, 1),
    ("minute", Meaning::Extract("minute"), 1, 1),
    ("second", Meaning::Extract("second"), 1, 1),
];

/// A function that the typing pass replaces.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Rewrite {
    name: &'static str,
    meaning: Meaning,
    least: usize,
    most: usize,
    zone: String,
    signature: Signature,
}

/// All such functions.
pub fn functions(zone: &str) -> Vec<ScalarUDF> {
    NAMES
        .iter()
        .map(|&(name, meaning, least, most)| {
            let signature = Signature::user_defined(Volatility::Immutable);
            let zone = zone.to_owned();
            ScalarUDF::from(Rewrite { name, meaning, least, most, zone, signature })
        })
        .collect()
}

/// The expression that a call stands for, or the call itself if it is no such function.
/// `first` is the type of the first argument.
pub fn expand(call: ScalarFunction, first: Option<&DataType>) -> Result<Expr> {
    let inner: &dyn std::any::Any = call.func.inner().as_ref();
    let Some(rewrite) = inner.downcast_ref::<Rewrite>() else {
        return Ok(Expr::ScalarFunction(call));
    };
    let (meaning, zone) = (rewrite.meaning, rewrite.zone.clone());
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
        Meaning::Extract(field) => extract(field, next()),
        Meaning::TimestampLtz => {
            let number = next();
            timestamp_ltz(number, args.next(), first, &zone)?
        }
    })
}

/// EXTRACT of a field, as Flink's BIGINT. Flink counts days of the week from 1 for Sunday.
pub fn extract(field: &str, from: Expr) -> Expr {
    let part = datafusion_functions::datetime::date_part();
    let value = cast(
        Expr::ScalarFunction(ScalarFunction::new_udf(part, vec![lit(field), from])),
        DataType::Int64,
    );
    if field.eq_ignore_ascii_case("dow") { value + lit(1_i64) } else { value }
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

impl ScalarUDFImpl for Rewrite {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        if arguments.len() < self.least || arguments.len() > self.most {
            let name = self.name.to_uppercase();
            return plan_err!("{name} takes {} argument(s), not {}", self.least, arguments.len());
        }
        if let Meaning::Extract(_) = self.meaning
            && !(arguments[0].is_temporal() || arguments[0].is_null())
        {
            let found = crate::types::flink_name(&arguments[0]);
            return plan_err!("{} wants a date or time, not {found}", self.name.to_uppercase());
        }
        Ok(arguments.to_vec())
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.meaning {
            Meaning::Modulo | Meaning::If => arguments[1].clone(),
            Meaning::Concat => DataType::Utf8,
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
