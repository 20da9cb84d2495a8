//! Results: from the groups of fired windows to rows of the node's schema.
//!
//! Windows with few keys share a batch and windows with many are cut, so that downstream sees
//! batches of a usual size, ordered by window end.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, RecordBatch, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};

use super::clock::WallClock;
use super::partial::Columns;
use super::{WindowAggregateSpec, WindowColumn, WindowTime};
use crate::error::Result;
use crate::project::with_schema;
use crate::{Batch, Output};

/// Most rows of one batch of results.
pub(crate) const BATCH_ROWS: usize = 8192;

/// A window in window time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub start_ms: i64,
    pub end_ms: i64,
}

/// Collects the rows of fired windows.
pub(crate) struct Results {
    // PROPERTIES
    columns: Vec<WindowColumn>,
    schema: SchemaRef,
    clock: WallClock,
    // STATE: rows on their way out, empty between calls of the operator
    pending: Vec<RecordBatch>,
    pending_rows: usize,
}

impl Results {
    pub(crate) fn new(spec: &WindowAggregateSpec, schema: SchemaRef) -> Result<Self> {
        assert_eq!(spec.output.len(), schema.fields().len(), "a column for every field");
        Ok(Results {
            columns: spec.output.clone(),
            schema,
            clock: spec.clock()?,
            pending: Vec::new(),
            pending_rows: 0,
        })
    }

    pub(crate) fn clock(&self) -> &WallClock {
        &self.clock
    }

    /// Adds the groups of a window.
    pub(crate) fn add(
        &mut self,
        window: Window,
        columns: &Columns,
        out: &mut Output,
    ) -> Result<()> {
        let batch = self.rows(window, columns)?;
        let rows = batch.num_rows();
        if self.pending_rows + rows > BATCH_ROWS {
            self.flush(out)?;
        }
        for from in (0..rows).step_by(BATCH_ROWS) {
            let part = batch.slice(from, BATCH_ROWS.min(rows - from));
            self.pending_rows += part.num_rows();
            self.pending.push(part);
            if self.pending_rows >= BATCH_ROWS {
                self.flush(out)?;
            }
        }
        Ok(())
    }

    /// The groups of a window as rows of the node's schema.
    pub(crate) fn rows(&self, window: Window, (keys, values): &Columns) -> Result<RecordBatch> {
        let rows = keys.iter().chain(values).next().map_or(0, |column| column.len());
        let columns: Vec<ArrayRef> = self
            .columns
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| match column {
                WindowColumn::Key(key) => keys[*key].clone(),
                WindowColumn::Aggregate(aggregate) => values[*aggregate].clone(),
                WindowColumn::Start => constant(window.start_ms, field.data_type(), rows),
                WindowColumn::End => constant(window.end_ms, field.data_type(), rows),
                WindowColumn::Time => {
                    let moment_ms = self.clock.last_moment(window.end_ms.saturating_sub(1));
                    constant(moment_ms, field.data_type(), rows)
                }
            })
            .collect();
        with_schema(&self.schema, columns, rows)
    }

    /// Passes on what was added.
    pub(crate) fn flush(&mut self, out: &mut Output) -> Result<()> {
        self.pending_rows = 0;
        match self.pending.as_slice() {
            [] => return Ok(()),
            [only] => out.batch(Batch::inserts(only.clone())),
            many => out.batch(Batch::inserts(concat_batches(&self.schema, many)?)),
        }
        self.pending.clear();
        Ok(())
    }
}

impl WindowAggregateSpec {
    /// The clock that these windows follow.
    pub(crate) fn clock(&self) -> Result<WallClock> {
        let (WindowTime::Assign { zone, .. } | WindowTime::Attached { zone, .. }) = &self.time;
        Ok(WallClock::new(zone.as_deref())?)
    }
}

/// A column of `rows` times the same moment.
pub(crate) fn constant(ms: i64, data_type: &DataType, rows: usize) -> ArrayRef {
    moments(std::iter::repeat_n(ms, rows), data_type)
}

/// A timestamp column from milliseconds.
///
/// # Panics
/// If the type is no timestamp: window columns always are.
pub(crate) fn moments(values_ms: impl Iterator<Item = i64>, data_type: &DataType) -> ArrayRef {
    let DataType::Timestamp(unit, zone) = data_type else {
        unreachable!("window columns are timestamps, not {data_type}")
    };
    let zone = zone.clone();
    match unit {
        TimeUnit::Second => Arc::new(
            TimestampSecondArray::from_iter_values(values_ms.map(|ms| ms.div_euclid(1000)))
                .with_timezone_opt(zone),
        ),
        TimeUnit::Millisecond => {
            Arc::new(TimestampMillisecondArray::from_iter_values(values_ms).with_timezone_opt(zone))
        }
        TimeUnit::Microsecond => Arc::new(
            TimestampMicrosecondArray::from_iter_values(
                values_ms.map(|ms| ms.saturating_mul(1000)),
            )
            .with_timezone_opt(zone),
        ),
        TimeUnit::Nanosecond => Arc::new(
            TimestampNanosecondArray::from_iter_values(
                values_ms.map(|ms| ms.saturating_mul(1_000_000)),
            )
            .with_timezone_opt(zone),
        ),
    }
}
