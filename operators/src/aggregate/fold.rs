//! SUM, MIN and MAX over fixed-width values: one value a group, folded with each row.
//!
//! Partial state: one column of the result's type, null where the group has had no value. It is
//! merged like raw rows. Decimal sums are kept in 128 bits; past those the sum is [`OVERFLOWN`],
//! which sticks, and past the result's precision it is null, as in Flink.

use std::marker::PhantomData;

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;
use arrow::datatypes::{ArrowNativeType, ArrowNativeTypeOp, DataType};

use super::accumulator::{
    Accumulator, GroupIds, Groups, Seen, native_array, native_values, nulls_of, take_values,
};
use crate::error::Result;

/// A decimal sum that has left 128 bits; no decimal has this value.
pub(super) const OVERFLOWN: i128 = i128::MIN;

/// A commutative, associative way to combine two values.
pub(super) trait Fold<N>: Send {
    /// Combining with this changes nothing.
    const EMPTY: N;
    /// Combines two values.
    fn fold(a: N, b: N) -> N;
}

/// Sums that wrap (integers) or round (floats).
pub(super) struct Sum;
/// Sums of decimals.
pub(super) struct DecimalSum;
/// The least value; floats in total order.
pub(super) struct Min;
/// The greatest value; floats in total order.
pub(super) struct Max;

impl<N: ArrowNativeTypeOp> Fold<N> for Sum {
    const EMPTY: N = N::ZERO;
    #[inline(always)]
    fn fold(a: N, b: N) -> N {
        a.add_wrapping(b)
    }
}

impl Fold<i128> for DecimalSum {
    const EMPTY: i128 = 0;
    #[inline(always)]
    fn fold(a: i128, b: i128) -> i128 {
        match a.checked_add(b) {
            Some(sum) if a != OVERFLOWN && b != OVERFLOWN => sum,
            _ => OVERFLOWN,
        }
    }
}

impl<N: ArrowNativeTypeOp> Fold<N> for Min {
    const EMPTY: N = N::MAX_TOTAL_ORDER;
    #[inline(always)]
    fn fold(a: N, b: N) -> N {
        if b.is_lt(a) { b } else { a }
    }
}

impl<N: ArrowNativeTypeOp> Fold<N> for Max {
    const EMPTY: N = N::MIN_TOTAL_ORDER;
    #[inline(always)]
    fn fold(a: N, b: N) -> N {
        if b.is_gt(a) { b } else { a }
    }
}

/// A folded value for each group.
pub(super) struct FoldAccumulator<N, F> {
    // PROPERTIES
    /// Type of the arguments, the partial column and the result; as wide as `N`.
    data_type: DataType,
    fold: PhantomData<F>,
    // STATE
    values: Vec<N>,
    seen: Seen,
}

impl<N: ArrowNativeType, F: Fold<N>> FoldAccumulator<N, F> {
    /// Without groups. `data_type` must be as wide as `N`.
    pub fn new(data_type: DataType) -> Self {
        FoldAccumulator { data_type, fold: PhantomData, values: Vec::new(), seen: Seen::default() }
    }

    /// Values of all groups and which of them are valid; starts anew.
    pub fn take(&mut self, groups: usize) -> (Vec<N>, Option<NullBuffer>) {
        let nulls = self.seen.take(groups);
        (take_values(&mut self.values, groups, F::EMPTY), nulls)
    }

    fn fold_rows(&mut self, groups: &Groups<'_>, values: &[N], nulls: Option<&NullBuffer>) {
        self.values.resize(groups.total, F::EMPTY);
        let slots = self.values.as_mut_slice();
        match (groups.ids, nulls) {
            (GroupIds::Each(ids), None) => {
                for (&id, &value) in ids.iter().zip(values) {
                    let slot = &mut slots[id as usize];
                    *slot = F::fold(*slot, value);
                }
            }
            (GroupIds::Each(ids), Some(nulls)) => {
                for row in nulls.valid_indices() {
                    let slot = &mut slots[ids[row] as usize];
                    *slot = F::fold(*slot, values[row]);
                }
            }
            (GroupIds::Global(0), _) => {}
            // In a register: a chain through memory would cost a store and a load for each row.
            (GroupIds::Global(_), None) => {
                slots[0] = values.iter().fold(slots[0], |a, &b| F::fold(a, b));
            }
            (GroupIds::Global(_), Some(nulls)) => {
                slots[0] = nulls.valid_indices().fold(slots[0], |a, row| F::fold(a, values[row]));
            }
        }
    }
}

impl<N: ArrowNativeType, F: Fold<N>> Accumulator for FoldAccumulator<N, F> {
    fn update(&mut self, groups: &Groups<'_>, args: &[ArrayRef]) -> Result<()> {
        let nulls = nulls_of(&args[0]);
        self.fold_rows(groups, &native_values::<N>(&args[0]), nulls);
        self.seen.mark(groups, nulls);
        Ok(())
    }

    fn merge(&mut self, groups: &Groups<'_>, partials: &[ArrayRef]) -> Result<()> {
        self.update(groups, partials)
    }

    fn take_partials(&mut self, groups: usize) -> Result<Vec<ArrayRef>> {
        let (values, nulls) = self.take(groups);
        Ok(vec![native_array(&self.data_type, values, nulls)?])
    }

    fn take_result(&mut self, groups: usize) -> Result<ArrayRef> {
        let (values, nulls) = self.take(groups);
        native_array(&self.data_type, values, nulls)
    }

    fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<N>() + self.seen.bytes()
    }
}

/// SUM of decimals: a fold whose result must fit its precision.
pub(super) struct DecimalSumAccumulator {
    sums: FoldAccumulator<i128, DecimalSum>,
}

impl DecimalSumAccumulator {
    /// Without groups; `data_type` is the Decimal128 of arguments, partials and result.
    pub fn new(data_type: DataType) -> Self {
        DecimalSumAccumulator { sums: FoldAccumulator::new(data_type) }
    }
}

impl Accumulator for DecimalSumAccumulator {
    fn update(&mut self, groups: &Groups<'_>, args: &[ArrayRef]) -> Result<()> {
        self.sums.update(groups, args)
    }

    fn merge(&mut self, groups: &Groups<'_>, partials: &[ArrayRef]) -> Result<()> {
        self.sums.merge(groups, partials)
    }

    fn take_partials(&mut self, groups: usize) -> Result<Vec<ArrayRef>> {
        self.sums.take_partials(groups)
    }

    fn take_result(&mut self, groups: usize) -> Result<ArrayRef> {
        let data_type = self.sums.data_type.clone();
        let (values, nulls) = self.sums.take(groups);
        decimal_array(&data_type, values, nulls)
    }

    fn bytes(&self) -> usize {
        self.sums.bytes()
    }
}

/// A Decimal128 array in which values beyond the precision are null.
pub(super) fn decimal_array(
    data_type: &DataType,
    values: Vec<i128>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::Decimal128(precision, _) = data_type else {
        unreachable!("decimal accumulators are made for Decimal128 only");
    };
    // 10^38 fits, and no Decimal128 is more precise.
    let bound = 10u128.pow(u32::from(*precision));
    let fits: NullBuffer = values.iter().map(|value| value.unsigned_abs() < bound).collect();
    let nulls = NullBuffer::union(nulls.as_ref(), Some(&fits)).filter(|all| all.null_count() > 0);
    native_array(data_type, values, nulls)
}
