//! Keys of several columns: each column's values get ids of their own, and pairs of ids get ids.
//!
//! ```text
//!  country  "de" "fr" "de"   ids 0 1 0 ─┐
//!                                       ├─ pairs (0,0) (1,0) (0,1)   ids 0 1 2 ─┐
//!  year     2024 2024 2025   ids 0 0 1 ─┘                                       ├─ …
//!  month    …                                                                  ─┘
//! ```
//!
//! Integer lookups take the place of building and comparing a row of bytes for each row, and a
//! string that many keys share is held once. The price is a table for each column and each pair.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;

use super::int_index::{IntIndex, pack, unpack};
use super::keys::Keys;
use crate::error::Result;

/// Keys of two columns or more.
pub(super) struct CompositeKeys {
    /// The values of each column.
    columns: Vec<Keys>,
    /// `pairs[i]` combines ids of columns `0..=i` with those of column `i + 1`; the ids of the last
    /// are those of the keys.
    pairs: Vec<IntIndex>,
    /// Ids of one column of the current batch.
    ids: Vec<u32>,
    /// Packed pairs of the current batch.
    packed: Vec<i64>,
}

impl CompositeKeys {
    /// Without keys. Fails if a type has no equality.
    pub fn new(types: &[DataType]) -> Result<Self> {
        let columns = types.iter().map(|one| Keys::new(std::slice::from_ref(one)));
        Ok(CompositeKeys {
            columns: columns.collect::<Result<_>>()?,
            pairs: types[1..].iter().map(|_| IntIndex::default()).collect(),
            ids: Vec::new(),
            packed: Vec::new(),
        })
    }

    /// Number of different keys.
    pub fn len(&self) -> usize {
        self.pairs.last().map_or(0, IntIndex::len)
    }

    /// The ids of `rows` rows; `ids` is overwritten.
    pub fn intern(&mut self, columns: &[ArrayRef], rows: usize, ids: &mut Vec<u32>) -> Result<()> {
        self.columns[0].intern(&columns[..1], rows, ids)?;
        for (i, pairs) in self.pairs.iter_mut().enumerate() {
            let next = i + 1;
            self.columns[next].intern(&columns[next..=next], rows, &mut self.ids)?;
            self.packed.clear();
            let both = ids.iter().zip(&self.ids);
            self.packed.extend(both.map(|(&first, &second)| pack(first, second)));
            ids.clear();
            pairs.intern_all(&self.packed, ids);
        }
        Ok(())
    }

    /// The keys in the order of their ids.
    pub fn columns(&self) -> Result<Vec<ArrayRef>> {
        let mut reversed = Vec::with_capacity(self.columns.len());
        let mut ids: Vec<u32> = (0..self.len() as u32).collect();
        for (column, pairs) in self.columns[1..].iter().zip(&self.pairs).rev() {
            let pair = |&id: &u32| unpack(pairs.keys()[id as usize]);
            let (left, right): (Vec<u32>, Vec<u32>) = ids.iter().map(pair).unzip();
            reversed.push(take(&column.columns()?[0], &UInt32Array::from(right), None)?);
            ids = left;
        }
        reversed.push(take(&self.columns[0].columns()?[0], &UInt32Array::from(ids), None)?);
        reversed.reverse();
        Ok(reversed)
    }

    /// Forgets all keys and keeps the memory.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Keys::clear);
        self.pairs.iter_mut().for_each(IntIndex::clear);
    }

    /// Allocated memory in bytes.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Keys::bytes).sum();
        let pairs: usize = self.pairs.iter().map(IntIndex::bytes).sum();
        let scratch =
            self.ids.capacity() * size_of::<u32>() + self.packed.capacity() * size_of::<i64>();
        columns + pairs + scratch
    }
}
