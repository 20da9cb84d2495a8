//! Second stage of a windowed aggregation: partials of all local stages in, results out.
//!
//! The SQL is that of [`aggregate`](super::aggregate); the planner splits it where rows of a key
//! are spread over subtasks.
//!
//! ```text
//!  local 0   p0: a=2 b=1 ──┐ exchange     w = min(w0, w1)
//!  local 1   p0: a=1 ──────┴─▶ p0: a=3 b=1 ─▶ fires [0, 10)
//! ```
//!
//! State is that of [`open`](super::open): deltas, bases, `panes` and `fired`.
//! Input → output: append partials ([`partial`](super::partial)) → append.
//!
//! Laws: those of the one-stage aggregation, plus
//!
//! 1. a local stage sends the partials of a pane before the watermark that completes the pane's
//!    next window, so that nothing is late here that was not late there;
//! 2. lateness is decided here alone: what is late for one local stage may be in time for the
//!    minimum of all watermarks.
//!
//! Late rows: local stages send them one by one, so counting late partials counts late rows. Their
//! columns are gone by then: a plan that reads `LATE(view)` uses the one-stage form.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use millstream_state::EventTime;

use super::WindowAggregateSpec;
use super::fire::Firing;
use super::partial::PartialFormat;
use super::place::Placer;
use crate::error::Result;
use crate::{Batch, Operator, OperatorContext, OperatorMetrics, Output};

/// A running second stage.
pub struct GlobalWindowAggregate {
    // PROPERTIES
    spec: WindowAggregateSpec,
    schema: SchemaRef,
    format: PartialFormat,
    metrics: Arc<OperatorMetrics>,
    // STATE, from `open` on
    firing: Option<Firing>,
}

impl GlobalWindowAggregate {
    /// A second stage with results of schema `output`.
    ///
    /// # Errors
    /// If an aggregate function has no implementation for its arguments or the zone is unknown.
    pub fn new(spec: &WindowAggregateSpec, output: SchemaRef) -> Result<Self> {
        Ok(GlobalWindowAggregate {
            spec: spec.clone(),
            schema: output,
            format: PartialFormat::new(spec)?,
            metrics: Arc::default(),
            firing: None,
        })
    }
}

impl Operator for GlobalWindowAggregate {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        let (schema, panes) = (self.schema.clone(), Placer::new(&self.spec.time)?.panes());
        let layout = Arc::new(self.spec.layout()?);
        self.firing = Some(Firing::restored(&self.spec, schema, panes, layout, context)?);
        self.metrics = context.metrics.clone();
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, _out: &mut Output) -> Result<()> {
        let firing = self.firing.as_mut().expect("opened before the first row");
        for (pane, (keys, partials)) in self.format.read(&batch.rows) {
            let pane = firing.pane_for(pane);
            if firing.open.is_late(pane) {
                let rows = keys.iter().chain(&partials).next().map_or(0, |column| column.len());
                self.metrics.late_rows.add(rows as u64);
            } else {
                firing.open.fill(pane, |table| table.merge(&keys, &partials))?;
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
