//! COUNT(*) and COUNT(x, …): rows without a null argument.
//!
//! Partial state: one BIGINT column without nulls, added up when merged.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, cast::AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Int64Type;

use super::accumulator::{Accumulator, GroupIds, Groups, take_values};
use crate::error::Result;

/// A count for each group.
#[derive(Default)]
pub(super) struct CountAccumulator {
    counts: Vec<i64>,
}

impl CountAccumulator {
    /// The counts of all groups; starts anew.
    pub fn take(&mut self, groups: usize) -> Vec<i64> {
        take_values(&mut self.counts, groups, 0)
    }
}

impl Accumulator for CountAccumulator {
    fn update(&mut self, groups: &Groups<'_>, args: &[ArrayRef]) -> Result<()> {
        self.counts.resize(groups.total, 0);
        let nulls: Vec<_> = args.iter().map(|arg| arg.logical_nulls()).collect();
        let nulls = NullBuffer::union_many(nulls.iter().map(Option::as_ref));
        let counts = self.counts.as_mut_slice();
        match (groups.ids, nulls) {
            (GroupIds::Each(ids), None) => ids.iter().for_each(|&id| counts[id as usize] += 1),
            (GroupIds::Each(ids), Some(nulls)) => {
                nulls.valid_indices().for_each(|row| counts[ids[row] as usize] += 1);
            }
            (GroupIds::Global(0), _) => {}
            (GroupIds::Global(rows), nulls) => {
                counts[0] += (rows - nulls.map_or(0, |nulls| nulls.null_count())) as i64;
            }
        }
        Ok(())
    }

    fn merge(&mut self, groups: &Groups<'_>, partials: &[ArrayRef]) -> Result<()> {
        self.counts.resize(groups.total, 0);
        let added = partials[0].as_primitive::<Int64Type>().values();
        match groups.ids {
            GroupIds::Each(ids) => {
                for (&id, &count) in ids.iter().zip(added) {
                    self.counts[id as usize] += count;
                }
            }
            GroupIds::Global(0) => {}
            GroupIds::Global(_) => self.counts[0] += added.iter().sum::<i64>(),
        }
        Ok(())
    }

    fn take_partials(&mut self, groups: usize) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take_result(groups)?])
    }

    fn take_result(&mut self, groups: usize) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(self.take(groups))))
    }

    fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}
