//! What all accumulators share: which rows go to which group, and which groups have a value.
//!
//! An accumulator holds one aggregate of a whole table as flat columns indexed by group id. It is
//! chosen once a table and called once a batch, so that its loops are free of dispatch.

use arrow::array::{Array, ArrayRef, BooleanArray, make_array};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::{FilterBuilder, FilterPredicate, prep_null_mask_filter};
use arrow::datatypes::{ArrowNativeType, DataType};
use arrow::error::ArrowError;

use crate::error::Result;

/// One aggregate of all groups of a table.
///
/// Laws, which the tests of this crate check:
/// 1. merging what `take_partials` returned has the effect of the updates themselves, in any order
///    and grouping (floats: up to rounding);
/// 2. both `take_` methods return one row for each of `groups` groups and leave the accumulator as
///    new, with its memory kept for the next use;
/// 3. rows come with the number of groups that exist, so that a group without a row of its own
///    still has its empty value.
pub(super) trait Accumulator: Send {
    /// Adds raw rows: one array for each argument, of the types in
    /// [`AggregateArgs`](super::AggregateArgs).
    fn update(&mut self, groups: &Groups<'_>, args: &[ArrayRef]) -> Result<()>;

    /// Adds partial states, in the shape of `take_partials`.
    fn merge(&mut self, groups: &Groups<'_>, partials: &[ArrayRef]) -> Result<()>;

    /// The state of the first `groups` groups, which are all.
    fn take_partials(&mut self, groups: usize) -> Result<Vec<ArrayRef>>;

    /// The result for the first `groups` groups, which are all.
    fn take_result(&mut self, groups: usize) -> Result<ArrayRef>;

    /// Allocated memory in bytes.
    fn bytes(&self) -> usize;
}

/// To which group each row of a batch belongs.
#[derive(Clone, Copy)]
pub(super) struct Groups<'a> {
    /// The group of each row.
    pub ids: GroupIds<'a>,
    /// Number of groups in the table, new ones included.
    pub total: usize,
    /// Whether each group that this batch created has a row in it; false after a FILTER.
    pub covers_new: bool,
}

/// Group ids of rows; a table without keys has no need to write them out.
#[derive(Clone, Copy)]
pub(super) enum GroupIds<'a> {
    /// One id a row.
    Each(&'a [u32]),
    /// Group 0 for this number of rows.
    Global(usize),
}

impl Groups<'_> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self.ids {
            GroupIds::Each(ids) => ids.len(),
            GroupIds::Global(rows) => rows,
        }
    }
}

/// The rows of a batch that pass one FILTER, shared by all aggregates that have it.
pub(super) struct Kept {
    predicate: FilterPredicate,
    ids: Vec<u32>,
}

impl Kept {
    /// Applies a condition of as many rows as `groups`; null is as good as false.
    pub fn new(groups: &Groups<'_>, condition: &BooleanArray) -> Self {
        let mask = match nulls_of(condition) {
            None => condition.clone(),
            Some(_) => prep_null_mask_filter(condition),
        };
        let ids = match groups.ids {
            GroupIds::Global(_) => Vec::new(),
            GroupIds::Each(ids) => mask.values().set_indices().map(|row| ids[row]).collect(),
        };
        Kept { predicate: FilterBuilder::new(&mask).optimize().build(), ids }
    }

    /// The groups of the rows that pass.
    pub fn groups(&self, all: &Groups<'_>) -> Groups<'_> {
        let ids = match all.ids {
            GroupIds::Global(_) => GroupIds::Global(self.predicate.count()),
            GroupIds::Each(_) => GroupIds::Each(&self.ids),
        };
        Groups { ids, total: all.total, covers_new: false }
    }

    /// The rows of `columns` that pass.
    pub fn columns(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        let kept = columns.iter().map(|column| self.predicate.filter(column));
        Ok(kept.collect::<std::result::Result<_, ArrowError>>()?)
    }
}

/// Which groups have had a value that is not null.
///
/// As long as every batch has a value for each group that it creates, which is the rule where
/// nothing is null and nothing is filtered, no flags are kept at all.
#[derive(Default)]
pub(super) struct Seen {
    /// One flag a group; `None`: all groups have a value.
    flags: Option<Vec<bool>>,
    /// Number of groups so far.
    groups: usize,
}

impl Seen {
    /// Notes values for the groups of all rows, or of those that `nulls` says are valid.
    pub fn mark(&mut self, groups: &Groups<'_>, nulls: Option<&NullBuffer>) {
        let all_have_values = nulls.is_none() && groups.covers_new;
        if self.flags.is_none() && !all_have_values {
            self.flags = Some(vec![true; self.groups]);
        }
        self.groups = groups.total;
        let Some(flags) = &mut self.flags else { return };
        flags.resize(groups.total, false);
        match (groups.ids, nulls) {
            (GroupIds::Each(ids), None) => {
                ids.iter().for_each(|&id| flags[id as usize] = true);
            }
            (GroupIds::Each(ids), Some(nulls)) => {
                nulls.valid_indices().for_each(|row| flags[ids[row] as usize] = true);
            }
            (GroupIds::Global(rows), nulls) => {
                let valid = rows - nulls.map_or(0, NullBuffer::null_count);
                if valid > 0 {
                    flags[0] = true;
                }
            }
        }
    }

    /// The flags as validity of `groups` groups; starts anew.
    pub fn take(&mut self, groups: usize) -> Option<NullBuffer> {
        let flags = self.flags.take();
        self.groups = 0;
        let mut flags = flags?;
        flags.resize(groups, false);
        Some(NullBuffer::from(flags)).filter(|nulls| nulls.null_count() > 0)
    }

    /// Allocated memory in bytes.
    pub fn bytes(&self) -> usize {
        self.flags.as_ref().map_or(0, Vec::capacity)
    }
}

/// The nulls of an array if there are any, so that loops without nulls need not look.
pub(super) fn nulls_of(array: &dyn Array) -> Option<&NullBuffer> {
    array.nulls().filter(|nulls| nulls.null_count() > 0)
}

/// The values of a fixed-width array as `N`, without a copy; `N` must have the array's width.
pub(super) fn native_values<N: ArrowNativeType>(array: &dyn Array) -> ScalarBuffer<N> {
    let data = array.to_data();
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

/// An array of `data_type` over values of its width.
pub(super) fn native_array<N: ArrowNativeType>(
    data_type: &DataType,
    values: Vec<N>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let data = arrow::array::ArrayData::builder(data_type.clone())
        .len(values.len())
        .add_buffer(Buffer::from_vec(values))
        .nulls(nulls)
        .build()?;
    Ok(make_array(data))
}

/// The first `groups` values, padded with `empty`, as an exact copy; `values` is cleared.
///
/// A copy, because the table goes on to the next pane with the memory it has; unless that is far
/// more than was used, so that one huge pane does not hold its memory forever.
pub(super) fn take_values<N: Copy>(values: &mut Vec<N>, groups: usize, empty: N) -> Vec<N> {
    values.resize(groups, empty);
    let taken = values.to_vec();
    values.clear();
    if is_oversized(values.capacity(), groups) {
        values.shrink_to(groups);
    }
    taken
}

/// Whether room for `capacity` groups is too much to keep after a pane with `used` groups.
pub(super) fn is_oversized(capacity: usize, used: usize) -> bool {
    const ALWAYS_KEPT: usize = 4096;
    capacity > ALWAYS_KEPT && capacity / 8 > used
}
