//! A group table: the groups of one pane and their aggregates.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, cast::AsArray};

use super::accumulator::{Accumulator, Groups, Kept};
use super::keys::Keys;
use super::layout::{AggregateArgs, AggregateLayout, Rows};
use crate::error::Result;

/// Groups by key, with one accumulator for each aggregate.
///
/// After an error a table holds a part of a batch and must not be used on.
pub struct GroupTable {
    // PROPERTIES
    layout: Arc<AggregateLayout>,
    // STATE
    keys: Keys,
    /// In the order of the layout's aggregates.
    accumulators: Vec<Box<dyn Accumulator>>,
    /// Group ids of the current batch.
    ids: Vec<u32>,
}

impl fmt::Debug for GroupTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupTable").field("groups", &self.len()).finish_non_exhaustive()
    }
}

impl GroupTable {
    /// An empty table. Fails if a key type cannot be grouped by.
    pub fn new(layout: Arc<AggregateLayout>) -> Result<Self> {
        let keys = Keys::new(&layout.key_types())?;
        let accumulators = layout.aggregates.iter().map(|aggregate| aggregate.plan.build());
        let accumulators = accumulators.collect::<Result<_>>()?;
        Ok(GroupTable { layout, keys, accumulators, ids: Vec::new() })
    }

    /// Adds raw rows of a batch: its key columns, and its arguments from
    /// [`AggregateLayout::evaluate_args`], both of the whole batch.
    ///
    /// # Panics
    /// If keys are not of the layout's types, or rows are out of range.
    pub fn update(
        &mut self,
        keys: &[ArrayRef],
        args: &AggregateArgs,
        rows: Rows<'_>,
    ) -> Result<()> {
        let count = rows.count(args.rows);
        if count == 0 {
            return Ok(());
        }
        let (keys, columns) = (rows.select(keys)?, rows.select(&args.columns)?);
        let ids = self.keys.intern(&keys, count, &mut self.ids)?;
        let groups = Groups { ids, total: self.keys.len(), covers_new: true };
        let filters = self.layout.filters.iter();
        let filters: Vec<Kept> =
            filters.map(|&filter| Kept::new(&groups, columns[filter].as_boolean())).collect();
        for (aggregate, accumulator) in self.layout.aggregates.iter().zip(&mut self.accumulators) {
            let args: Vec<ArrayRef> = aggregate.args.iter().map(|&i| columns[i].clone()).collect();
            match aggregate.filter.map(|filter| &filters[filter]) {
                None => accumulator.update(&groups, &args)?,
                Some(kept) => accumulator.update(&kept.groups(&groups), &kept.columns(&args)?)?,
            }
        }
        Ok(())
    }

    /// Adds partial results, as [`take_partials`](Self::take_partials) of this or another table of
    /// the same layout returned them.
    ///
    /// # Panics
    /// If the columns are not those of [`AggregateLayout::partial_fields`].
    pub fn merge(&mut self, keys: &[ArrayRef], partials: &[ArrayRef]) -> Result<()> {
        let Some(count) = keys.iter().chain(partials).next().map(|column| column.len()) else {
            return Ok(());
        };
        let ids = self.keys.intern(keys, count, &mut self.ids)?;
        let groups = Groups { ids, total: self.keys.len(), covers_new: true };
        let mut rest = partials;
        for (aggregate, accumulator) in self.layout.aggregates.iter().zip(&mut self.accumulators) {
            let (own, others) = rest.split_at(aggregate.partials.len());
            accumulator.merge(&groups, own)?;
            rest = others;
        }
        Ok(())
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no groups.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Allocated memory in bytes; that of DataFusion's accumulators is their own estimate.
    pub fn bytes(&self) -> usize {
        let accumulators: usize = self.accumulators.iter().map(|held| held.bytes()).sum();
        self.keys.bytes() + accumulators + self.ids.capacity() * size_of::<u32>()
    }

    /// The keys of all groups, in the order of their ids; the table stays as it is.
    pub fn keys(&self) -> Result<Vec<ArrayRef>> {
        self.keys.columns()
    }

    /// Keys and partial results of all groups, in the shape of
    /// [`AggregateLayout::partial_fields`]. The table is empty afterwards and keeps its memory.
    pub fn take_partials(&mut self) -> Result<(Vec<ArrayRef>, Vec<ArrayRef>)> {
        let groups = self.len();
        let keys = self.keys.columns()?;
        let mut partials = Vec::new();
        for accumulator in &mut self.accumulators {
            partials.extend(accumulator.take_partials(groups)?);
        }
        self.keys.clear();
        Ok((keys, partials))
    }

    /// Keys and results of all groups, a column for each aggregate. The table is empty afterwards
    /// and keeps its memory.
    pub fn take_results(&mut self) -> Result<(Vec<ArrayRef>, Vec<ArrayRef>)> {
        let groups = self.len();
        let keys = self.keys.columns()?;
        let results = self.accumulators.iter_mut().map(|held| held.take_result(groups));
        let results = results.collect::<Result<_>>()?;
        self.keys.clear();
        Ok((keys, results))
    }
}
