//! Window assignment: the window function without an aggregation.
//!
//! ```sql
//! SELECT *, window_start, window_end, window_time
//! FROM HOP(TABLE bids, DESCRIPTOR(at), INTERVAL '5' SECOND, INTERVAL '10' SECOND)
//! ```
//!
//! ```text
//!  event time  0        5        10       15
//!  row               ×7
//!  windows     |──── [0, 10) ────|                 ×7, 0, 10, 9.999
//!                       |──── [5, 15) ────|        ×7, 5, 15, 14.999
//! ```
//!
//! | | |
//! |---|---|
//! | state | none |
//! | input → output | append → append, retract → retract (kinds are copied with their rows) |
//!
//! Laws:
//!
//! 1. a row comes out once for each window that contains it, in order of window end; the input's
//!    order is kept;
//! 2. `window_time` is never before the row's time, so watermarks pass unchanged;
//! 3. nothing waits: rows leave in the call that brought them.
//!
//! Late rows: a row is not late here, whatever the watermark: it is the operator after this one
//! that keeps windows. Rows without event time are counted and dropped, as in Flink.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int8Array, RecordBatch, UInt32Array};
use arrow::compute::{take, take_record_batch};
use arrow::datatypes::SchemaRef;

use super::WindowAssignSpec;
use super::clock::WallClock;
use super::pane::Panes;
use super::place::Moments;
use super::results::{BATCH_ROWS, Window, moments};
use crate::error::Result;
use crate::project::with_schema;
use crate::{Batch, Operator, OperatorContext, OperatorMetrics, Output};

/// A running window assignment.
pub struct WindowAssign {
    // PROPERTIES
    panes: Panes,
    clock: WallClock,
    column: usize,
    schema: SchemaRef,
    metrics: Arc<OperatorMetrics>,
}

impl WindowAssign {
    /// An assignment to the node's schema `output`: the input's columns, then start, end and time.
    ///
    /// # Errors
    /// If the zone is unknown.
    pub fn new(spec: &WindowAssignSpec, output: SchemaRef) -> Result<Self> {
        Ok(WindowAssign {
            panes: Panes::cut(spec.windows),
            clock: WallClock::new(spec.zone.as_deref())?,
            column: spec.column,
            schema: output,
            metrics: Arc::default(),
        })
    }

    /// Passes on a part of the copies: `rows[i]` of the input in `windows[i]`.
    fn emit(
        &self,
        batch: &Batch,
        rows: Vec<u32>,
        windows: &[Window],
        out: &mut Output,
    ) -> Result<()> {
        let rows = UInt32Array::from(rows);
        // Tumbling windows copy nothing: each row is there once, in its place.
        let same = rows.len() == batch.num_rows()
            && rows.values().iter().enumerate().all(|(at, row)| at == *row as usize);
        let (copies, kinds) = if same {
            (batch.rows.clone(), batch.kinds.clone())
        } else {
            let kinds = match &batch.kinds {
                None => None,
                Some(kinds) => Some(Int8Array::from(take(kinds, &rows, None)?.to_data())),
            };
            (take_record_batch(&batch.rows, &rows)?, kinds)
        };
        let rows = self.append(copies, windows)?;
        out.batch(Batch { rows, kinds });
        Ok(())
    }

    fn append(&self, copies: RecordBatch, windows: &[Window]) -> Result<RecordBatch> {
        let mut columns = copies.columns().to_vec();
        let types = &self.schema.fields()[columns.len()..];
        let window_columns: [ArrayRef; 3] = [
            moments(windows.iter().map(|window| window.start_ms), types[0].data_type()),
            moments(windows.iter().map(|window| window.end_ms), types[1].data_type()),
            moments(self.times(windows), types[2].data_type()),
        ];
        columns.extend(window_columns);
        with_schema(&self.schema, columns, windows.len())
    }

    /// The event time of each window; neighbours mostly share it and a zone is slow to ask.
    fn times(&self, windows: &[Window]) -> impl Iterator<Item = i64> {
        let mut last = None;
        windows.iter().map(move |window| match last {
            Some((end_ms, time_ms)) if end_ms == window.end_ms => time_ms,
            _ => {
                let time_ms = self.clock.last_moment(window.end_ms.saturating_sub(1));
                last = Some((window.end_ms, time_ms));
                time_ms
            }
        })
    }
}

impl Operator for WindowAssign {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        self.metrics = context.metrics.clone();
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        let column = batch.rows.column(self.column).clone();
        let times = Moments::new(&column);
        self.metrics.null_time_rows.add(times.null_count() as u64);
        let offset_ms = times.bounds().and_then(|(min, max)| self.clock.offset_over(min, max));
        let (mut rows, mut windows) = (Vec::new(), Vec::new());
        let mut here = Here::default();
        for row in 0..times.len() {
            let Some(ms) = times.ms(row) else { continue };
            let wall_ms = ms.saturating_add(offset_ms.unwrap_or_else(|| self.clock.offset_at(ms)));
            for window in here.windows_at(wall_ms, &self.panes) {
                rows.push(row as u32);
                windows.push(*window);
                // A row may have thousands of windows: copies leave as they fill a batch.
                if rows.len() == BATCH_ROWS {
                    self.emit(&batch, std::mem::take(&mut rows), &windows, out)?;
                    windows.clear();
                }
            }
        }
        if !rows.is_empty() {
            self.emit(&batch, rows, &windows, out)?;
        }
        Ok(())
    }
}

/// The windows of the last row, which the next row mostly shares.
#[derive(Default)]
struct Here {
    start_ms: i64,
    end_ms: i64,
    windows: Vec<Window>,
}

impl Here {
    fn windows_at(&mut self, ms: i64, panes: &Panes) -> &[Window] {
        if ms < self.start_ms || self.end_ms <= ms {
            let pane = panes.pane_of(ms);
            (self.start_ms, self.end_ms) = (pane.at_ms, panes.end_of(pane));
            let windows = panes.windows_of(pane);
            self.windows.clear();
            self.windows.extend(windows.map(|(start_ms, end_ms)| Window { start_ms, end_ms }));
        }
        &self.windows
    }
}
