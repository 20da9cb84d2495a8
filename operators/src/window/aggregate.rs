//! Windowed aggregation in one stage: rows in, results out.
//!
//! ```sql
//! SELECT window_start, window_end, auction, COUNT(*), MAX(price)
//! FROM HOP(TABLE bids, DESCRIPTOR(at), INTERVAL '5' SECOND, INTERVAL '10' SECOND)
//! GROUP BY window_start, window_end, auction
//! ```
//!
//! ```text
//!  event time   0        5        10       15       20
//!  rows           a  b     a           b ·late a
//!  panes        |── p0 ──|── p5 ──|── p10 ─|── p15 ─|     a row is aggregated once, in its pane
//!  watermark                        w=9.999     w=14.999
//!  fires                            [0, 10)     [5, 15)   = p5 + p10 + what came late for p5
//!  drops                            p0          p5
//! ```
//!
//! State is that of [`open`](super::open): deltas, bases, `panes` and `fired`.
//! Input → output: append → append.
//!
//! Laws:
//!
//! 1. the result of a window holds exactly the rows that came before the watermark that completed
//!    it;
//! 2. a window without rows has no result;
//! 3. results leave before the watermark that completed them, in order of window end.
//!
//! Late rows: a row is late if the last window of its pane has fired. It is counted and leaves by
//! [`Port::LATE`]. A row whose first windows have fired still counts in those that have not. Rows
//! without event time are counted and dropped.

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use millstream_state::EventTime;

use super::WindowAggregateSpec;
use super::fire::Firing;
use super::place::Placer;
use crate::aggregate::{AggregateLayout, Rows};
use crate::error::Result;
use crate::{Batch, Operator, OperatorContext, OperatorMetrics, Output, Port};

/// A running windowed aggregation.
pub struct WindowAggregate {
    // PROPERTIES
    spec: WindowAggregateSpec,
    schema: SchemaRef,
    placer: Placer,
    layout: Arc<AggregateLayout>,
    metrics: Arc<OperatorMetrics>,
    // STATE, from `open` on
    firing: Option<Firing>,
}

impl WindowAggregate {
    /// An aggregation with results of schema `output`.
    ///
    /// # Errors
    /// If an aggregate function has no implementation for its arguments or the zone is unknown.
    pub fn new(spec: &WindowAggregateSpec, output: SchemaRef) -> Result<Self> {
        Ok(WindowAggregate {
            spec: spec.clone(),
            schema: output,
            placer: Placer::new(&spec.time)?,
            layout: Arc::new(spec.layout()?),
            metrics: Arc::default(),
            firing: None,
        })
    }
}

impl Operator for WindowAggregate {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        let (schema, panes, layout) =
            (self.schema.clone(), self.placer.panes(), self.layout.clone());
        self.firing = Some(Firing::restored(&self.spec, schema, panes, layout, context)?);
        self.metrics = context.metrics.clone();
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        assert!(batch.kinds.is_none(), "the planner refuses windows over a changelog");
        let firing = self.firing.as_mut().expect("opened before the first row");
        let keys = self.spec.key_columns(&batch.rows);
        let args = self.layout.evaluate_args(&batch.rows)?;
        let placed = self.placer.place(&batch.rows);
        self.metrics.null_time_rows.add(placed.null_rows as u64);
        for (pane, rows) in placed.panes() {
            let pane = firing.pane_for(pane);
            if firing.open.is_late(pane) {
                let late = pick(&batch, &rows)?;
                self.metrics.late_rows.add(late.num_rows() as u64);
                out.batch_to(Port::LATE, late);
            } else {
                firing.open.fill(pane, |table| table.update(&keys, &args, rows))?;
            }
        }
        firing.measure();
        Ok(())
    }

    fn on_watermark(&mut self, watermark: EventTime, out: &mut Output) -> Result<()> {
        let firing = self.firing.as_mut().expect("opened before the first watermark");
        firing.advance(watermark, out).map(drop)
    }

    fn resume(&mut self, out: &mut Output) -> Result<bool> {
        let firing = self.firing.as_mut().expect("opened before the first watermark");
        firing.resume(out)
    }

    fn on_epoch_end(&mut self, _out: &mut Output) -> Result<()> {
        let firing = self.firing.as_mut().expect("opened before the first epoch");
        firing.end_epoch()
    }
}

/// The chosen rows of a batch.
pub(super) fn pick(batch: &Batch, rows: &Rows<'_>) -> Result<Batch> {
    Ok(match rows {
        Rows::All => batch.clone(),
        Rows::Range(range) => batch.slice(range.start, range.len()),
        Rows::Indices(rows) => {
            let rows = UInt32Array::from_iter_values(rows.iter().copied());
            Batch::inserts(take_record_batch(&batch.rows, &rows)?)
        }
    })
}
