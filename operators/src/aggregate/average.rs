//! AVG: a sum and a count, divided when the result is taken.
//!
//! Partial state: the sum (BIGINT, DOUBLE or DECIMAL(38, s); null without values), then the count
//! (BIGINT). Division follows Flink: integers truncate toward zero, decimals round half up (away
//! from zero) to the result's scale, floats divide as DOUBLE. No values, no average: null.

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{ArrowNativeType, DataType};
use std::sync::Arc;

use super::accumulator::{Accumulator, Groups};
use super::count::CountAccumulator;
use super::fold::{DecimalSum, Fold, FoldAccumulator, OVERFLOWN, Sum, decimal_array};
use crate::error::Result;

/// Turns sums and counts into averages of the type that is asked for.
type Divide<N> = fn(Vec<N>, Vec<i64>, Option<NullBuffer>, &AverageTypes) -> Result<ArrayRef>;

/// The two types of an average.
pub(super) struct AverageTypes {
    /// Type of the arguments and of the sum.
    pub sum: DataType,
    /// Type of the result.
    pub result: DataType,
}

/// An average for each group, with sums of type `N`.
pub(super) struct AverageAccumulator<N, F> {
    // PROPERTIES
    types: AverageTypes,
    divide: Divide<N>,
    // STATE
    sums: FoldAccumulator<N, F>,
    counts: CountAccumulator,
}

impl<N: ArrowNativeType, F: Fold<N>> AverageAccumulator<N, F> {
    fn with(types: AverageTypes, divide: Divide<N>) -> Self {
        let sums = FoldAccumulator::new(types.sum.clone());
        AverageAccumulator { types, divide, sums, counts: CountAccumulator::default() }
    }
}

/// The accumulator for sums of `types.sum`, which is Int64, Float64 or a Decimal128.
pub(super) fn average(types: AverageTypes) -> Box<dyn Accumulator> {
    match &types.sum {
        DataType::Int64 => Box::new(AverageAccumulator::<i64, Sum>::with(types, divide_integers)),
        DataType::Float64 => Box::new(AverageAccumulator::<f64, Sum>::with(types, divide_floats)),
        _ => Box::new(AverageAccumulator::<i128, DecimalSum>::with(types, divide_decimals)),
    }
}

impl<N: ArrowNativeType, F: Fold<N>> Accumulator for AverageAccumulator<N, F> {
    fn update(&mut self, groups: &Groups<'_>, args: &[ArrayRef]) -> Result<()> {
        self.sums.update(groups, args)?;
        self.counts.update(groups, args)
    }

    fn merge(&mut self, groups: &Groups<'_>, partials: &[ArrayRef]) -> Result<()> {
        self.sums.merge(groups, &partials[..1])?;
        self.counts.merge(groups, &partials[1..])
    }

    fn take_partials(&mut self, groups: usize) -> Result<Vec<ArrayRef>> {
        let mut partials = self.sums.take_partials(groups)?;
        partials.extend(self.counts.take_partials(groups)?);
        Ok(partials)
    }

    fn take_result(&mut self, groups: usize) -> Result<ArrayRef> {
        let (sums, nulls) = self.sums.take(groups);
        let counts = self.counts.take(groups);
        (self.divide)(sums, counts, nulls, &self.types)
    }

    fn bytes(&self) -> usize {
        self.sums.bytes() + self.counts.bytes()
    }
}

/// Averages of integers. A group without values has count 0 and is null: any divisor will do.
fn divide_integers(
    sums: Vec<i64>,
    counts: Vec<i64>,
    nulls: Option<NullBuffer>,
    types: &AverageTypes,
) -> Result<ArrayRef> {
    let quotients = sums.iter().zip(counts).map(|(&sum, count)| sum.wrapping_div(count.max(1)));
    let averages = Int64Array::new(quotients.collect(), nulls);
    Ok(cast(&averages, &types.result)?)
}

fn divide_floats(
    sums: Vec<f64>,
    counts: Vec<i64>,
    nulls: Option<NullBuffer>,
    types: &AverageTypes,
) -> Result<ArrayRef> {
    let quotients = sums.iter().zip(counts).map(|(&sum, count)| sum / count as f64);
    let averages = Float64Array::new(quotients.collect(), nulls);
    Ok(cast(&(Arc::new(averages) as ArrayRef), &types.result)?)
}

fn divide_decimals(
    sums: Vec<i128>,
    counts: Vec<i64>,
    nulls: Option<NullBuffer>,
    types: &AverageTypes,
) -> Result<ArrayRef> {
    let (DataType::Decimal128(_, from), DataType::Decimal128(_, to)) = (&types.sum, &types.result)
    else {
        unreachable!("averages of decimals are decimals: checked when the layout is made");
    };
    let digits = to - from;
    let quotients = sums
        .iter()
        .zip(counts)
        .map(|(&sum, count)| divide_decimal(sum, count.max(1), digits).unwrap_or(OVERFLOWN));
    decimal_array(&types.result, quotients.collect(), nulls)
}

/// `sum / count` with `digits` more digits than `sum` has, rounded half away from zero; `None` if
/// that leaves 128 bits.
fn divide_decimal(sum: i128, count: i64, digits: i8) -> Option<i128> {
    if sum == OVERFLOWN {
        return None;
    }
    let count = i128::from(count);
    let power = 10i128.checked_pow(u32::from(digits.unsigned_abs()))?;
    if digits < 0 {
        return Some(divide_half_up(sum, count.checked_mul(power)?));
    }
    // The remainder is below 2^63, so that it can be scaled where the sum could not.
    let whole = (sum / count).checked_mul(power)?;
    let rest = divide_half_up((sum % count).checked_mul(power)?, count);
    whole.checked_add(rest)
}

/// Division by a positive number that rounds half away from zero.
fn divide_half_up(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    if rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs() {
        quotient + dividend.signum()
    } else {
        quotient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_half_away_from_zero() {
        assert_eq!(divide_decimal(5, 2, 0), Some(3));
        assert_eq!(divide_decimal(-5, 2, 0), Some(-3));
        assert_eq!(divide_decimal(4, 3, 0), Some(1));
        assert_eq!(divide_decimal(10, 3, 6), Some(3_333_333));
        assert_eq!(divide_decimal(-20, 3, 6), Some(-6_666_667));
        assert_eq!(divide_decimal(1255, 1, -1), Some(126));
    }

    #[test]
    fn decimals_that_leave_the_type_are_none() {
        assert_eq!(divide_decimal(OVERFLOWN, 1, 0), None);
        assert_eq!(divide_decimal(i128::MAX, 1, 6), None);
        assert_eq!(divide_decimal(i128::MAX, i64::MAX, 6).map(|v| v > 0), Some(true));
    }
}
