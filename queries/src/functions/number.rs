//! Functions of numbers. Those of exact numbers keep their type; what is irrational is DOUBLE.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Float64Type, Int64Type};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::index::{Body, functions, rows};
use super::rewrite::{Meaning, Rewrite};
use super::rows::{Given, Gives, Outcome, RowFunction, Take, Value, check_count};
use crate::types::flink_name;

const ONE: &[Take] = &[Take::Double];
const TWO: &[Take] = &[Take::Double, Take::Double];

const fn double(takes: &'static [Take], least: usize, each: fn(&[Value<'_>]) -> Outcome) -> Body {
    rows(takes, least, Gives::Double, each)
}

/// A function of one DOUBLE.
macro_rules! of_double {
    ($function:expr) => {
        double(ONE, 1, |a| {
            let function: fn(f64) -> f64 = $function;
            Ok(function(a[0].double()).into())
        })
    };
}

const RAND: Body = Body::Rows(RowFunction::new(&[Take::Int], 0, Gives::Double, rand).volatile());
const RAND_INTEGER: Body =
    Body::Rows(RowFunction::new(&[Take::Int, Take::Int], 1, Gives::Int, rand_integer).volatile());

functions! { FUNCTIONS, Number:
    "ABS", "ABS(x) → type of x", "Without its sign.",
        "ABS(-1.50)", "1.50", Body::Own(|_| exact("abs", Exact::Abs));
    "SIGN", "SIGN(x) → type of x", "-1, 0 or 1.",
        "SIGN(-7)", "-1", Body::Own(|_| exact("sign", Exact::Sign));
    "MOD", "MOD(a, b) → type of a % b", "The rest of a division, with the sign of a.",
        "MOD(-7, 3)", "-1", Body::Rewrite(Rewrite::new(Meaning::Modulo, 2, 2));
    "CEIL", "CEIL(x) → type of x, a DECIMAL without fraction", "The least whole number that is not less. Of times: CEIL(t TO unit).",
        "CEIL(2.1)", "3", Body::Own(|_| exact("ceil", Exact::Ceil));
    "CEILING", "CEILING(x) → type of x, a DECIMAL without fraction", "The same as CEIL.",
        "CEILING(-2.1)", "-2", Body::Own(|_| exact("ceiling", Exact::Ceil));
    "FLOOR", "FLOOR(x) → type of x, a DECIMAL without fraction", "The greatest whole number that is not greater. Of times: FLOOR(t TO unit).",
        "FLOOR(-2.1)", "-3", Body::Own(|_| exact("floor", Exact::Floor));
    "ROUND", "ROUND(x[, digits]) → type of x, a DECIMAL with so many digits",
        "Rounded to so many digits behind the point, or with a negative number before it; halves away from 0.",
        "ROUND(2.345, 2)", "2.35", Body::Own(|_| exact("round", Exact::Round));
    "TRUNCATE", "TRUNCATE(x[, digits]) → type of x, a DECIMAL with so many digits",
        "Cut off behind so many digits behind the point, or with a negative number before it.",
        "TRUNCATE(42.324, 2)", "42.32", Body::Own(|_| exact("truncate", Exact::Truncate));
    "POWER", "POWER(x, y) → DOUBLE", "x to the power of y.",
        "POWER(2, 10)", "1024.0", double(TWO, 2, |a| Ok(a[0].double().powf(a[1].double()).into()));
    "SQRT", "SQRT(x) → DOUBLE", "The square root.", "SQRT(2)", "1.4142135623730951", of_double!(f64::sqrt);
    "CBRT", "CBRT(x) → DOUBLE", "The cube root. Flink does not have it.", "CBRT(27)", "3.0", of_double!(f64::cbrt);
    "EXP", "EXP(x) → DOUBLE", "e to the power of x.", "EXP(1)", "2.718281828459045", of_double!(f64::exp);
    "LN", "LN(x) → DOUBLE", "The natural logarithm.", "LN(10)", "2.302585092994046", of_double!(f64::ln);
    "LOG", "LOG([base,] x) → DOUBLE", "The logarithm to this base, or the natural one.",
        "LOG(2, 8)", "3.0", double(TWO, 1, log);
    "LOG10", "LOG10(x) → DOUBLE", "The logarithm to the base of 10.", "LOG10(1000)", "3.0", of_double!(f64::log10);
    "LOG2", "LOG2(x) → DOUBLE", "The logarithm to the base of 2.", "LOG2(1024)", "10.0", of_double!(f64::log2);
    "SIN", "SIN(x) → DOUBLE", "The sine.", "SIN(0)", "0.0", of_double!(f64::sin);
    "SINH", "SINH(x) → DOUBLE", "The hyperbolic sine.", "SINH(0)", "0.0", of_double!(f64::sinh);
    "COS", "COS(x) → DOUBLE", "The cosine.", "COS(0)", "1.0", of_double!(f64::cos);
    "COSH", "COSH(x) → DOUBLE", "The hyperbolic cosine.", "COSH(0)", "1.0", of_double!(f64::cosh);
    "TAN", "TAN(x) → DOUBLE", "The tangent.", "TAN(0)", "0.0", of_double!(f64::tan);
    "TANH", "TANH(x) → DOUBLE", "The hyperbolic tangent.", "TANH(0)", "0.0", of_double!(f64::tanh);
    "COT", "COT(x) → DOUBLE", "The cotangent.", "ROUND(COT(1), 6)", "0.642093", of_double!(|x| 1.0 / x.tan());
    "ASIN", "ASIN(x) → DOUBLE", "The arc sine.", "ASIN(0)", "0.0", of_double!(f64::asin);
    "ACOS", "ACOS(x) → DOUBLE", "The arc cosine.", "ACOS(1)", "0.0", of_double!(f64::acos);
    "ATAN", "ATAN(x) → DOUBLE", "The arc tangent.", "ROUND(ATAN(1), 6)", "0.785398", of_double!(f64::atan);
    "ATAN2", "ATAN2(y, x) → DOUBLE", "The angle of the point (x, y).",
        "ROUND(ATAN2(1, -1), 6)", "2.356194", double(TWO, 2, |a| Ok(a[0].double().atan2(a[1].double()).into()));
    "DEGREES", "DEGREES(x) → DOUBLE", "Radians as degrees.", "DEGREES(PI())", "180.0", of_double!(f64::to_degrees);
    "RADIANS", "RADIANS(x) → DOUBLE", "Degrees as radians.", "RADIANS(180)", "3.141592653589793", of_double!(f64::to_radians);
    "PI", "PI() → DOUBLE", "The number pi.", "PI()", "3.141592653589793", double(&[], 0, |_| Ok(std::f64::consts::PI.into()));
    "E", "E() → DOUBLE", "The number e.", "E()", "2.718281828459045", double(&[], 0, |_| Ok(std::f64::consts::E.into()));
    "RAND", "RAND([seed]) → DOUBLE", "A random number from 0 to below 1. With a seed, Java's sequence of it in every subtask.",
        "RAND(42)", "0.7275636800328681", RAND;
    "RAND_INTEGER", "RAND_INTEGER([seed,] n) → INT", "A random integer from 0 to n - 1. With a seed, Java's sequence of it in every subtask.",
        "RAND_INTEGER(7, 1000000)", "164236", RAND_INTEGER;
    "BIN", "BIN(n) → STRING", "In binary digits; a negative number as its 64 bits.",
        "BIN(12)", "1100", rows(&[Take::Int], 1, Gives::Text, |a| Ok(format!("{:b}", a[0].int()).into()));
}

fn log(a: &[Value<'_>]) -> Outcome {
    Ok(match a {
        [base, x] => (x.double().ln() / base.double().ln()).into(),
        _ => a[0].double().ln().into(),
    })
}

/// Java's generator of random numbers: 48 bits, so that a seed gives what it gives in Flink.
struct Random(i64);

impl Random {
    const MASK: i64 = (1 << 48) - 1;

    fn new(seed: i64) -> Random {
        Random((seed ^ 0x5_DEEC_E66D) & Self::MASK)
    }

    fn bits(&mut self, bits: u32) -> i32 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & Self::MASK;
        (self.0 >> (48 - bits)) as i32
    }

    fn double(&mut self) -> f64 {
        let high = i64::from(self.bits(26)) << 27;
        (high + i64::from(self.bits(27))) as f64 / (1_i64 << 53) as f64
    }

    /// From 0 to below `bound`, which is positive.
    fn below(&mut self, bound: i32) -> i32 {
        if bound & (bound - 1) == 0 {
            return ((i64::from(bound) * i64::from(self.bits(31))) >> 31) as i32;
        }
        loop {
            let bits = self.bits(31);
            let value = bits % bound;
            if bits.wrapping_sub(value).wrapping_add(bound - 1) >= 0 {
                return value;
            }
        }
    }
}

thread_local! {
    /// Generators by seed; without one, by nobody knows which.
    static RANDOM: RefCell<HashMap<Option<i64>, Random>> = RefCell::default();
}

fn random<T>(seed: Option<i64>, draw: impl FnOnce(&mut Random) -> T) -> T {
    RANDOM.with_borrow_mut(|generators| {
        // Seeds are constants; a column of them must not fill the memory.
        if generators.len() > 1024 {
            generators.clear();
        }
        draw(generators.entry(seed).or_insert_with(|| {
            // The standard library seeds its hashers at random.
            let unknown = || RandomState::new().build_hasher().finish().cast_signed();
            Random::new(seed.unwrap_or_else(unknown))
        }))
    })
}

fn rand(a: &[Value<'_>]) -> Outcome {
    Ok(random(a.first().map(Value::int), Random::double).into())
}

fn rand_integer(a: &[Value<'_>]) -> Outcome {
    let (seed, bound) = match a {
        [seed, bound] => (Some(seed.int()), bound.int()),
        _ => (None, a[0].int()),
    };
    match i32::try_from(bound) {
        Ok(bound @ 1..) => Ok(Given::Int(random(seed, |random| random.below(bound)).into())),
        _ => Err(format!("the bound is an INT above 0, not {bound}")),
    }
}

/// Functions that exist for every type of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Exact {
    Abs,
    Sign,
    Ceil,
    Floor,
    Round,
    Truncate,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactFunction {
    name: &'static str,
    kind: Exact,
    signature: Signature,
}

fn exact(name: &'static str, kind: Exact) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(ExactFunction { name, kind, signature })
}

impl Exact {
    /// Digits behind the point of the result if they are not those of the argument.
    fn scale(self, digits: Option<i64>, scale: i8) -> Option<i8> {
        match self {
            Exact::Ceil | Exact::Floor => Some(0),
            Exact::Round | Exact::Truncate => {
                let digits = i8::try_from(digits?.clamp(0, 38)).unwrap_or(38);
                (digits < scale).then_some(digits)
            }
            Exact::Abs | Exact::Sign => None,
        }
    }

    /// The type of the result; `digits` if they are a constant.
    fn result(self, given: &DataType, digits: Option<i64>) -> DataType {
        let DataType::Decimal128(precision, scale) = *given else { return given.clone() };
        let Some(new) = self.scale(digits, scale) else { return given.clone() };
        if matches!(self, Exact::Ceil | Exact::Floor) {
            return DataType::Decimal128(precision, 0);
        }
        // Rounding may add a digit in front.
        let whole = i16::from(precision) - i16::from(scale) + 1 + i16::from(new);
        DataType::Decimal128(u8::try_from(whole.clamp(1, 38)).unwrap_or(38), new)
    }

    /// A number of `unit` = 10^scale parts, as whole multiples of 10^-digits in the same parts.
    fn on_integer(self, value: i128, scale: i8, digits: i64) -> i128 {
        let dropped = match self {
            Exact::Abs => return value.wrapping_abs(),
            Exact::Sign => return value.signum() * power_of_ten(i64::from(scale)),
            Exact::Ceil | Exact::Floor => i64::from(scale),
            Exact::Round | Exact::Truncate => i64::from(scale) - digits,
        };
        if dropped <= 0 {
            return value;
        }
        if dropped > 38 {
            return 0;
        }
        let step = power_of_ten(dropped);
        let multiple = match self {
            Exact::Ceil => value.div_euclid(step) + i128::from(value.rem_euclid(step) > 0),
            Exact::Floor => value.div_euclid(step),
            Exact::Truncate => value / step,
            _ => {
                let up = (value % step).unsigned_abs() >= step.unsigned_abs().div_ceil(2);
                value / step + if up { value.signum() } else { 0 }
            }
        };
        multiple.saturating_mul(step)
    }

    fn on_double(self, value: f64, digits: i64) -> f64 {
        match self {
            Exact::Abs => value.abs(),
            Exact::Sign if value == 0.0 || value.is_nan() => value,
            Exact::Sign => value.signum(),
            Exact::Ceil => value.ceil(),
            Exact::Floor => value.floor(),
            Exact::Round => decimal_places(value, digits, true),
            Exact::Truncate => decimal_places(value, digits, false),
        }
    }
}

fn power_of_ten(exponent: i64) -> i128 {
    10_i128.pow(u32::try_from(exponent.clamp(0, 38)).unwrap_or(38))
}

/// The shortest decimal digits of a number, and the exponent of the last one.
fn decimal_digits(value: f64) -> (i128, i64) {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i64);
    let exponent = exponent.parse::<i64>().unwrap_or(0) - fraction;
    (digits.replace('.', "").parse().unwrap_or(0), exponent)
}

/// Rounded half up, or cut off, as decimal digits: 2.675 is nearer to 2.68 than its bits are.
fn decimal_places(value: f64, digits: i64, rounds: bool) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let (number, exponent) = decimal_digits(value);
    let dropped = -exponent - digits;
    if dropped <= 0 {
        return value;
    }
    if dropped > 30 {
        return 0.0_f64.copysign(value);
    }
    let step = power_of_ten(dropped);
    let up = rounds && (number % step).unsigned_abs() * 2 >= step.unsigned_abs();
    let kept = number / step + if up { number.signum() } else { 0 };
    format!("{kept}e{}", -digits).parse().unwrap_or(value)
}

/// A number of at least 0 with so many digits behind the point, rounded half up.
pub(super) fn half_up_text(value: f64, digits: usize) -> String {
    let places = i64::try_from(digits).unwrap_or(i64::MAX);
    format!("{:.*}", digits, decimal_places(value, places, true))
}

impl ScalarUDFImpl for ExactFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let most = if matches!(self.kind, Exact::Round | Exact::Truncate) { 2 } else { 1 };
        check_count(self.name, arguments.len(), 1, most)?;
        let name = self.name.to_uppercase();
        let first = match &arguments[0] {
            DataType::Null => DataType::Int32,
            number if number.is_numeric() => number.clone(),
            other => return plan_err!("{name} wants a number, not {}", flink_name(other)),
        };
        let mut types = vec![first];
        if let Some(digits) = arguments.get(1) {
            if !(digits.is_integer() || digits.is_null()) {
                return plan_err!("{name} wants a number of digits, not {}", flink_name(digits));
            }
            types.push(DataType::Int64);
        }
        Ok(types)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(self.kind.result(&arguments[0], (arguments.len() == 1).then_some(0)))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let digits = match args.scalar_arguments.get(1) {
            None => Some(0),
            Some(Some(value)) => match value.cast_to(&DataType::Int64)? {
                ScalarValue::Int64(digits) => digits,
                _ => None,
            },
            Some(None) => None,
        };
        let data_type = self.kind.result(args.arg_fields[0].data_type(), digits);
        Ok(Arc::new(Field::new(self.name, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let result = args.return_type().clone();
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let digits = arrays.get(1).map(|digits| digits.as_primitive::<Int64Type>());
        let digits = |row: usize| match digits {
            None => Some(0),
            Some(digits) => digits.is_valid(row).then(|| digits.value(row)),
        };
        Ok(ColumnarValue::Array(self.kind.evaluate(&arrays[0], &digits, &result)?))
    }
}

impl Exact {
    fn evaluate(
        self,
        numbers: &ArrayRef,
        digits: &dyn Fn(usize) -> Option<i64>,
        result: &DataType,
    ) -> Result<ArrayRef> {
        match numbers.data_type() {
            DataType::Decimal128(_, scale) => {
                let (scale, to) = match result {
                    DataType::Decimal128(_, to) => (*scale, *to),
                    other => return exec_err!("a DECIMAL became {other}"),
                };
                let numbers = numbers.as_primitive::<Decimal128Type>();
                let values = numbers.iter().enumerate().map(|(row, value)| {
                    let kept = self.on_integer(value?, scale, digits(row)?);
                    Some(kept / power_of_ten(i64::from(scale) - i64::from(to)))
                });
                let values: Decimal128Array = values.collect();
                Ok(Arc::new(values.with_data_type(result.clone())))
            }
            kind if kind.is_integer() => {
                let wide = cast(numbers, &DataType::Int64)?;
                let wide = wide.as_primitive::<Int64Type>();
                let values: Int64Array = wide
                    .iter()
                    .enumerate()
                    .map(
                        |(row, value)| Some(self.on_integer(value?.into(), 0, digits(row)?) as i64),
                    )
                    .collect();
                Ok(cast(&values, result)?)
            }
            _ => {
                let wide = cast(numbers, &DataType::Float64)?;
                let wide = wide.as_primitive::<Float64Type>();
                let values: Float64Array = wide
                    .iter()
                    .enumerate()
                    .map(|(row, value)| Some(self.on_double(value?, digits(row)?)))
                    .collect();
                Ok(cast(&values, result)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (value, digits, expected) in [
            (2.5, 0, 3.0),
            (-2.5, 0, -3.0),
            (2.675, 2, 2.68),
            (1234.5, -2, 1200.0),
            (0.05, 1, 0.1),
            (1e300, 2, 1e300),
            (1e-300, 2, 0.0),
        ] {
            assert_eq!(Exact::Round.on_double(value, digits), expected, "{value}");
        }
        assert_eq!(Exact::Round.on_integer(-150, 0, -2), -200);
        assert_eq!(Exact::Round.on_integer(149, 0, -2), 100);
        assert_eq!(Exact::Ceil.on_integer(-201, 2, 0), -200);
        assert_eq!(Exact::Floor.on_integer(-201, 2, 0), -300);
        assert_eq!(Exact::Truncate.on_double(-42.329, 2), -42.32);
    }

    /// The first numbers of `new java.util.Random(42)`.
    #[test]
    fn random_numbers_are_javas() {
        let mut random = Random::new(42);
        assert_eq!([(); 5].map(|()| random.below(100)), [30, 63, 48, 84, 70]);
        assert_eq!(Random::new(42).double(), 0.727_563_680_032_868_1);
    }
}
