//! Partial aggregates on the edge between the two stages of a windowed aggregation.
//!
//! ```text
//!  $pane   $start (attached windows only)   keys …   partial columns of each aggregate …
//!  Int64   Int64
//! ```
//!
//! `$pane` is [`Pane::at_ms`]: in window time, the start of the pane or the end of the attached
//! window. Partials of a key and pane merge in any order.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::pane::Pane;
use super::{AggregateFunction, AggregateSpec, WindowAggregateSpec, WindowTime};
use crate::aggregate::AggregateLayout;
use crate::error::Result;

/// Name of the column that holds the pane of a partial.
pub const PANE: &str = "$pane";
/// Name of the column that holds the start of an attached window.
pub const START: &str = "$start";

impl WindowAggregateSpec {
    /// Columns between the local and the global stage.
    ///
    /// # Errors
    /// If an aggregate function has no implementation for its arguments.
    pub fn partial_schema(&self) -> Result<SchemaRef> {
        let layout = self.layout()?;
        let mut fields = vec![Field::new(PANE, DataType::Int64, false)];
        if self.is_attached() {
            fields.push(Field::new(START, DataType::Int64, false));
        }
        fields.extend(layout.partial_fields());
        Ok(Arc::new(Schema::new(fields)))
    }

    /// Where the keys are in [`Self::partial_schema`]: what the exchange hashes.
    pub fn partial_keys(&self) -> Vec<usize> {
        let before = self.pane_columns();
        (before..before + self.keys.len()).collect()
    }

    /// How groups are kept. `GROUP BY window_start, window_end` alone has neither keys nor
    /// aggregates, hence no column that could say that there was a row: it counts rows.
    pub(crate) fn layout(&self) -> Result<AggregateLayout> {
        if !(self.keys.is_empty() && self.aggregates.is_empty()) {
            return AggregateLayout::new(self);
        }
        let mut counted = self.clone();
        counted.aggregates.push(AggregateSpec {
            name: "$rows".to_owned(),
            function: AggregateFunction::Count,
            args: Vec::new(),
            filter: None,
            distinct: false,
            data_type: DataType::Int64,
        });
        AggregateLayout::new(&counted)
    }

    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.time, WindowTime::Attached { .. })
    }

    /// The key columns of the rows that are aggregated.
    pub(crate) fn key_columns(&self, rows: &RecordBatch) -> Vec<ArrayRef> {
        self.keys.iter().map(|key| rows.column(*key).clone()).collect()
    }

    fn pane_columns(&self) -> usize {
        1 + usize::from(self.is_attached())
    }
}

/// Writes and reads batches of partials.
#[derive(Clone, Debug)]
pub(crate) struct PartialFormat {
    schema: SchemaRef,
    pane_columns: usize,
    keys: usize,
}

/// Columns of a batch of partials: keys, then partial states.
pub(crate) type Columns = (Vec<ArrayRef>, Vec<ArrayRef>);

impl PartialFormat {
    pub(crate) fn new(spec: &WindowAggregateSpec) -> Result<Self> {
        Ok(PartialFormat {
            schema: spec.partial_schema()?,
            pane_columns: spec.pane_columns(),
            keys: spec.keys.len(),
        })
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// A batch of partials of one pane; `None` if there are none.
    pub(crate) fn write(
        &self,
        pane: Pane,
        (keys, partials): Columns,
    ) -> Result<Option<RecordBatch>> {
        let rows = keys.iter().chain(&partials).next().map_or(0, |column| column.len());
        if rows == 0 {
            return Ok(None);
        }
        let constant = |ms| Arc::new(Int64Array::from_value(ms, rows)) as ArrayRef;
        let mut columns = vec![constant(pane.at_ms)];
        if self.pane_columns > 1 {
            columns.push(constant(pane.start_ms));
        }
        columns.extend(keys);
        columns.extend(partials);
        Ok(Some(RecordBatch::try_new(self.schema.clone(), columns)?))
    }

    /// Splits a batch into runs of rows of the same pane, in order; after an exchange that
    /// gathered by key, a run is as long as what one local flush sent here.
    pub(crate) fn read(&self, rows: &RecordBatch) -> Vec<(Pane, Columns)> {
        let panes = rows.column(0).as_primitive::<Int64Type>().values();
        let starts = rows.column(self.pane_columns - 1).as_primitive::<Int64Type>().values();
        let pane = |row: usize| Pane { at_ms: panes[row], start_ms: starts[row] };
        let mut runs = Vec::new();
        let mut from = 0;
        while from < rows.num_rows() {
            let this = pane(from);
            let to = (from..rows.num_rows()).find(|row| pane(*row) != this);
            let to = to.unwrap_or(rows.num_rows());
            runs.push((this, self.columns(&rows.slice(from, to - from))));
            from = to;
        }
        runs
    }

    fn columns(&self, rows: &RecordBatch) -> Columns {
        let (keys, partials) = rows.columns()[self.pane_columns..].split_at(self.keys);
        (keys.to_vec(), partials.to_vec())
    }
}
