//! DISTINCT around any aggregate: each value of the arguments counts once a group.
//!
//! Values are interned once a table, so that a value that many groups share is stored once; what
//! is kept a group are pairs (group id, value id). The aggregate itself runs when the result is
//! taken, over the pairs.
//!
//! Partial state: for each argument a list of its different values in the group, in any order; of
//! several arguments the lists run in parallel. Merging adds the pairs that are new.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, UInt32Array, cast::AsArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;

use super::accumulator::{Accumulator, GroupIds, Groups};
use super::int_index::{IntIndex, pack, unpack};
use super::keys::Keys;
use crate::error::Result;

/// Different values of each group, and the aggregate that will see them.
pub(super) struct DistinctAccumulator {
    // PROPERTIES
    arg_types: Vec<DataType>,
    // STATE
    /// Different values of all groups.
    values: Keys,
    /// Packed pairs of group id and value id.
    pairs: IntIndex,
    /// The aggregate over the pairs; empty until a result is taken.
    aggregate: Box<dyn Accumulator>,
    /// Ids of the current batch.
    ids: Vec<u32>,
}

/// The type of a partial column that lists values of `data_type`.
pub(super) fn list_of(data_type: &DataType) -> DataType {
    DataType::List(item_field(data_type))
}

fn item_field(data_type: &DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(data_type.clone(), true))
}

impl DistinctAccumulator {
    /// Without groups; `aggregate` takes arguments of `arg_types`.
    pub fn new(arg_types: Vec<DataType>, aggregate: Box<dyn Accumulator>) -> Result<Self> {
        let values = Keys::new(&arg_types)?;
        let (pairs, ids) = (IntIndex::default(), Vec::new());
        Ok(DistinctAccumulator { arg_types, values, pairs, aggregate, ids })
    }

    /// Adds `values[i]` to the group `group(i)`.
    fn insert(&mut self, values: &[ArrayRef], group: impl Fn(usize) -> u32) -> Result<()> {
        let rows = values[0].len();
        if let GroupIds::Each(ids) = self.values.intern(values, rows, &mut self.ids)? {
            for (row, &value) in ids.iter().enumerate() {
                self.pairs.intern(pack(group(row), value));
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.values.clear();
        self.pairs.clear();
    }

    /// Rows of `pairs` sorted by group, and where each group starts.
    fn by_group(&self, groups: usize) -> (Vec<i64>, Vec<usize>) {
        let mut starts = vec![0; groups + 1];
        for &pair in self.pairs.keys() {
            starts[unpack(pair).0 as usize + 1] += 1;
        }
        for group in 0..groups {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut sorted = vec![0; self.pairs.len()];
        for &pair in self.pairs.keys() {
            let place = &mut next[unpack(pair).0 as usize];
            sorted[*place] = pair;
            *place += 1;
        }
        (sorted, starts)
    }

    /// The values of these pairs, a column for each argument.
    fn values_of(&self, pairs: &[i64]) -> Result<Vec<ArrayRef>> {
        let value_ids: UInt32Array = pairs.iter().map(|&pair| unpack(pair).1).collect();
        let columns = self.values.columns()?;
        let taken = columns.iter().map(|column| take(column, &value_ids, None));
        Ok(taken.collect::<std::result::Result<_, ArrowError>>()?)
    }
}

impl Accumulator for DistinctAccumulator {
    fn update(&mut self, groups: &Groups<'_>, args: &[ArrayRef]) -> Result<()> {
        match groups.ids {
            GroupIds::Each(ids) => self.insert(args, |row| ids[row]),
            GroupIds::Global(_) => self.insert(args, |_| 0),
        }
    }

    fn merge(&mut self, groups: &Groups<'_>, partials: &[ArrayRef]) -> Result<()> {
        let lists: Vec<&ListArray> = partials.iter().map(|list| list.as_list::<i32>()).collect();
        let offsets = lists[0].value_offsets();
        let owners: Vec<u32> = (0..groups.rows())
            .flat_map(|row| {
                let group = match groups.ids {
                    GroupIds::Each(ids) => ids[row],
                    GroupIds::Global(_) => 0,
                };
                std::iter::repeat_n(group, (offsets[row + 1] - offsets[row]) as usize)
            })
            .collect();
        let values: Vec<ArrayRef> = lists
            .iter()
            .map(|list| {
                let first = list.value_offsets()[0] as usize;
                list.values().slice(first, owners.len())
            })
            .collect();
        self.insert(&values, |row| owners[row])
    }

    fn take_partials(&mut self, groups: usize) -> Result<Vec<ArrayRef>> {
        let (pairs, starts) = self.by_group(groups);
        let offsets: Vec<i32> = starts
            .iter()
            .map(|&start| i32::try_from(start))
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| ArrowError::OffsetOverflowError(pairs.len()))?;
        let offsets = OffsetBuffer::new(offsets.into());
        let values = self.values_of(&pairs)?;
        self.clear();
        let lists = values.into_iter().zip(&self.arg_types).map(|(values, data_type)| {
            let list = ListArray::try_new(item_field(data_type), offsets.clone(), values, None)?;
            Ok(Arc::new(list) as ArrayRef)
        });
        lists.collect()
    }

    fn take_result(&mut self, groups: usize) -> Result<ArrayRef> {
        let owners: Vec<u32> = self.pairs.keys().iter().map(|&pair| unpack(pair).0).collect();
        let values = self.values_of(self.pairs.keys())?;
        self.clear();
        let ids = GroupIds::Each(&owners);
        self.aggregate.update(&Groups { ids, total: groups, covers_new: false }, &values)?;
        self.aggregate.take_result(groups)
    }

    fn bytes(&self) -> usize {
        let ids = self.ids.capacity() * size_of::<u32>();
        self.values.bytes() + self.pairs.bytes() + self.aggregate.bytes() + ids
    }
}
