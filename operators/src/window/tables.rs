//! Tables and partials: how one becomes the other, and the emptied tables that are used again.
//!
//! Steady windows do not allocate: an emptied table is filled again by the next pane. One that an
//! epoch had no use for is let go, so that a burst of keys does not hold its memory for good.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};

use super::partial::Columns;
use crate::aggregate::{AggregateLayout, GroupTable};
use crate::error::Result;

/// Most emptied tables that are kept for the next pane.
const SPARE_TABLES: usize = 4;

/// Makes tables and partials of one aggregation.
pub(crate) struct Tables {
    // PROPERTIES
    layout: Arc<AggregateLayout>,
    schema: SchemaRef,
    /// A spare table holds at most this for nothing.
    most_spare_bytes: u64,
    // STATE: nothing but memory
    spare: Vec<GroupTable>,
    /// Spare tables that were not needed in this epoch.
    unneeded: usize,
}

impl Tables {
    pub(crate) fn new(layout: Arc<AggregateLayout>, most_spare_bytes: u64) -> Self {
        let schema = Arc::new(Schema::new(layout.partial_fields()));
        Tables { layout, schema, most_spare_bytes, spare: Vec::new(), unneeded: 0 }
    }

    /// The columns of partials: keys, then partial states.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many of the columns are keys.
    pub(crate) fn key_count(&self) -> usize {
        self.layout.key_count()
    }

    /// An empty table, used before if there is one.
    pub(crate) fn empty(&mut self) -> Result<GroupTable> {
        let spare = self.spare.pop();
        self.unneeded = self.unneeded.min(self.spare.len());
        spare.map_or_else(|| GroupTable::new(self.layout.clone()), Ok)
    }

    /// Keeps an emptied table for the next pane.
    pub(crate) fn recycle(&mut self, table: GroupTable) {
        debug_assert!(table.is_empty(), "taken tables are empty");
        if self.spare.len() < SPARE_TABLES && (table.bytes() as u64) < self.most_spare_bytes {
            self.spare.push(table);
        }
    }

    /// Lets go of tables that were not needed since it was last called.
    pub(crate) fn let_go_of_unneeded(&mut self) {
        self.spare.drain(..self.unneeded);
        self.unneeded = self.spare.len();
    }

    /// Lets go of all spare tables.
    pub(crate) fn let_go(&mut self) {
        self.spare.clear();
        self.unneeded = 0;
    }

    /// Bytes of spare tables.
    pub(crate) fn spare_bytes(&self) -> usize {
        self.spare.iter().map(GroupTable::bytes).sum()
    }

    /// The groups of a table as partials; the table is empty then.
    pub(crate) fn take(&self, table: &mut GroupTable) -> Result<RecordBatch> {
        let (keys, partials): Columns = table.take_partials()?;
        let columns = keys.into_iter().chain(partials).collect();
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }

    /// The groups of a table that is not needed any more.
    pub(crate) fn take_all(&mut self, mut table: GroupTable) -> Result<RecordBatch> {
        let partials = self.take(&mut table)?;
        self.recycle(table);
        Ok(partials)
    }

    /// Adds partials to a table.
    pub(crate) fn add(&self, table: &mut GroupTable, partials: &RecordBatch) -> Result<()> {
        let (keys, partials) = partials.columns().split_at(self.layout.key_count());
        table.merge(keys, partials)
    }

    /// A table with the groups of all these partials.
    pub(crate) fn table_of(&mut self, partials: &[RecordBatch]) -> Result<GroupTable> {
        let mut table = self.empty()?;
        for partials in partials {
            self.add(&mut table, partials)?;
        }
        Ok(table)
    }

    /// One table out of two.
    pub(crate) fn join(&mut self, one: GroupTable, other: GroupTable) -> Result<GroupTable> {
        let (mut larger, smaller) =
            if one.len() < other.len() { (other, one) } else { (one, other) };
        let partials = self.take_all(smaller)?;
        self.add(&mut larger, &partials)?;
        Ok(larger)
    }

    /// One batch of partials out of several.
    pub(crate) fn merge(&mut self, partials: &[RecordBatch]) -> Result<RecordBatch> {
        if let [only] = partials {
            return Ok(only.clone());
        }
        let table = self.table_of(partials)?;
        self.take_all(table)
    }

    /// Adds partials to a list that stays short: neighbours of about the same size are merged.
    pub(crate) fn push(
        &mut self,
        list: &mut Vec<RecordBatch>,
        partials: RecordBatch,
    ) -> Result<()> {
        list.push(partials);
        while let [.., before, last] = list.as_slice()
            && list.len() > 2
            && before.num_rows() <= 2 * last.num_rows()
        {
            let merged = self.merge(&list[list.len() - 2..])?;
            list.truncate(list.len() - 2);
            list.push(merged);
        }
        Ok(())
    }
}
