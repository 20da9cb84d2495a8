//! Processing time: PROCTIME() as a column, and as the time that windows follow.
//!
//! ```sql
//! SELECT window_end, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(pt), INTERVAL '10' SECOND)   -- pt AS PROCTIME()
//! GROUP BY window_start, window_end
//! ```
//!
//! ```text
//!  clock      …07.000     …07.020     …07.040
//!  rows          a    b                  c             a, 07.003   b, 07.009   c, 07.043
//!  followed          w=07.019    w=07.039              says how far the clock has come, rows or none
//! ```
//!
//! The operator that windows follow makes event time out of processing time: every row has the time of
//! the clock, and watermarks go by the clock. So a window over processing time is kept, fired,
//! restored and spread over subtasks like any other.
//!
//! | | |
//! |---|---|
//! | state | none: after a restart rows that are read again have a later time, as on Flink |
//! | input → output | append → append, retract → retract (kinds stay with their rows) |
//!
//! Laws:
//!
//! 1. the time of a row is not before any watermark that was passed on: no row is late here. It may
//!    be late behind a slower exchange; then the window operator puts it into the next window;
//! 2. followed, it passes no watermark of its input on but the final one, after which it is silent;
//! 3. no clock is read here: the task says what the clock shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use arrow::datatypes::SchemaRef;
use millstream_state::EventTime;

use crate::error::Result;
use crate::project::with_schema;
use crate::window::results::constant;
use crate::{Batch, Operator, OperatorContext, Output};

/// How often operators behind it hear how far the clock has come: the most by which a window fires
/// late.
const TICK_MS: u64 = 20;

/// What the clock of a task shows, in milliseconds since 1970; clones show the same. The task sets
/// it before it calls its operators.
#[derive(Clone, Debug, Default)]
pub struct ProcessingClock(Arc<AtomicI64>);

impl ProcessingClock {
    /// What it shows.
    pub fn now_ms(&self) -> i64 {
        self.0.load(Relaxed)
    }

    /// Sets it forward. A machine's clock may be set back, processing time stands still then.
    pub fn set(&self, now_ms: i64) {
        self.0.fetch_max(now_ms, Relaxed);
    }
}

/// A running reader of the clock.
pub struct ProcessingTime {
    // PROPERTIES
    is_followed: bool,
    schema: SchemaRef,
    clock: ProcessingClock,
    // STATE
    has_ended: bool,
}

impl ProcessingTime {
    /// A reader of the clock with the columns of `output`: those of the input, then the time.
    /// `is_followed`: what comes after it goes by the clock.
    pub fn new(is_followed: bool, output: SchemaRef) -> Self {
        let clock = ProcessingClock::default();
        ProcessingTime { is_followed, schema: output, clock, has_ended: false }
    }
}

impl Operator for ProcessingTime {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        self.clock = context.clock.clone();
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        let rows = batch.num_rows();
        let time = self.schema.field(self.schema.fields().len() - 1).data_type();
        let mut columns = batch.rows.columns().to_vec();
        columns.push(constant(self.clock.now_ms(), time, rows));
        let rows = with_schema(&self.schema, columns, rows)?;
        out.batch(batch.with_rows(rows));
        Ok(())
    }

    fn on_watermark(&mut self, watermark: EventTime, out: &mut Output) -> Result<()> {
        self.has_ended = watermark == EventTime::MAX;
        if self.has_ended || !self.is_followed {
            out.watermark(watermark);
        }
        Ok(())
    }

    fn reminder_ms(&self) -> Option<u64> {
        (self.is_followed && !self.has_ended).then_some(TICK_MS)
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        if self.is_followed && !self.has_ended {
            // Rows of this millisecond may still come.
            out.watermark(EventTime::from_ms(self.clock.now_ms() - 1));
        }
        Ok(())
    }
}
