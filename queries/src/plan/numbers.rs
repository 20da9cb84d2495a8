//! Flink's rules of types: what arithmetic on decimals returns, and what an INSERT converts.

use arrow::datatypes::DataType;

/// The DECIMAL that holds every value of an exact numeric type: precision and scale.
pub(crate) fn as_decimal(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Int8 => Some((3, 0)),
        DataType::Int16 => Some((5, 0)),
        DataType::Int32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        DataType::Decimal128(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}

/// Arithmetic on decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// `+` and `-`.
    Add,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Modulo,
}

/// Flink's result type of arithmetic on two decimals.
pub(crate) fn decimal_result(op: Arithmetic, left: (u8, i8), right: (u8, i8)) -> (u8, i8) {
    let ((p1, s1), (p2, s2)) =
        ((i32::from(left.0), i32::from(left.1)), (i32::from(right.0), i32::from(right.1)));
    let (precision, scale) = match op {
        Arithmetic::Add => {
            let scale = s1.max(s2);
            ((p1 - s1).max(p2 - s2) + scale + 1, scale)
        }
        Arithmetic::Multiply => (p1 + p2, s1 + s2),
        Arithmetic::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            (p1 - s1 + s2 + scale, scale)
        }
        Arithmetic::Modulo => {
            let scale = s1.max(s2);
            ((p1 - s1).min(p2 - s2) + scale, scale)
        }
    };
    bounded(precision, scale)
}

/// Above 38 digits the fraction gives way, but keeps 6 digits if it had them: digits before the
/// point matter more.
fn bounded(precision: i32, scale: i32) -> (u8, i8) {
    let (precision, scale) = if precision <= 38 {
        (precision, scale)
    } else {
        let whole = precision - scale;
        (38, (38 - whole).max(scale.min(6)))
    };
    let small = "a decimal has at most 38 digits";
    (u8::try_from(precision).expect(small), i8::try_from(scale).expect(small))
}

/// True if Flink converts `from` to `to` without being asked, as an INSERT does.
pub(crate) fn converts_silently(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Decimal128, Float32, Float64, Null, Time32, Timestamp};
    let rank = |data_type: &DataType| match data_type {
        DataType::Int8 => Some(0),
        DataType::Int16 => Some(1),
        DataType::Int32 => Some(2),
        DataType::Int64 => Some(3),
        Float32 => Some(4),
        Float64 => Some(5),
        _ => None,
    };
    match (from, to) {
        _ if from == to => true,
        (Null, _) => true,
        // Any number may become a decimal, as far as its digits go; Flink checks no more here.
        (Decimal128(..), Decimal128(..) | Float32 | Float64) => true,
        (from, Decimal128(..)) => from.is_numeric(),
        (Timestamp(..), Timestamp(..) | Date32) => true,
        (Time32(_), Time32(_)) => true,
        (DataType::Struct(from), DataType::Struct(to)) => {
            from.len() == to.len()
                && from.iter().zip(to).all(|(f, t)| converts_silently(f.data_type(), t.data_type()))
        }
        (DataType::List(from), DataType::List(to)) => {
            converts_silently(from.data_type(), to.data_type())
        }
        (DataType::Map(from, _), DataType::Map(to, _)) => {
            converts_silently(from.data_type(), to.data_type())
        }
        _ => matches!((rank(from), rank(to)), (Some(from), Some(to)) if from <= to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_arithmetic_has_flinks_types() {
        // Nexmark's q1: 0.908 * BIGINT.
        assert_eq!(decimal_result(Arithmetic::Multiply, (4, 3), (19, 0)), (23, 3));
        assert_eq!(decimal_result(Arithmetic::Add, (10, 2), (10, 0)), (13, 2));
        assert_eq!(decimal_result(Arithmetic::Divide, (10, 2), (10, 2)), (23, 13));
        assert_eq!(decimal_result(Arithmetic::Divide, (38, 10), (38, 10)), (38, 6));
        assert_eq!(decimal_result(Arithmetic::Modulo, (10, 2), (5, 0)), (7, 2));
    }

    #[test]
    fn inserts_widen_and_never_narrow() {
        assert!(converts_silently(&DataType::Int32, &DataType::Int64));
        assert!(converts_silently(&DataType::Int64, &DataType::Decimal128(10, 0)));
        assert!(!converts_silently(&DataType::Decimal128(10, 0), &DataType::Int64));
        assert!(!converts_silently(&DataType::Int64, &DataType::Int32));
        assert!(!converts_silently(&DataType::Utf8, &DataType::Int32));
        assert!(!converts_silently(&DataType::Int32, &DataType::Utf8));
    }
}
