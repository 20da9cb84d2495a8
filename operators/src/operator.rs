//! The operator trait: a synchronous core that a task drives.

use std::sync::Arc;

use millstream_state::{EventTime, SharedStore};

use crate::error::Result;
use crate::{Batch, OperatorMetrics, Output};

/// What an operator is given once, before the first row.
pub struct OperatorContext {
    /// Stable name of the operator; names its state tables.
    pub name: String,
    /// Which of the parallel instances this is, from 0.
    pub subtask: usize,
    /// How many parallel instances there are.
    pub parallelism: usize,
    /// The task's state store; operators take handles from it in `open`.
    pub store: SharedStore,
    /// Counters of this instance; the task counts rows and time, the operator what only it knows
    /// (late rows, state size).
    pub metrics: Arc<OperatorMetrics>,
}

/// One instance of a node of the job graph: plain functions of (state, input) → output.
///
/// The task calls `open` once, then `on_batch` and `on_watermark` in the order of the input. Laws:
///
/// - watermarks given to `on_watermark` strictly ascend;
/// - the operator decides itself when to pass a watermark on, after the rows that it completes;
/// - no method blocks, reads a clock or does I/O.
pub trait Operator: Send {
    /// Takes state handles and restores what they hold.
    fn open(&mut self, _context: &OperatorContext) -> Result<()> {
        Ok(())
    }

    /// Handles rows. Results go to `out`.
    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()>;

    /// Handles the progress of time. Stateless operators pass the watermark on.
    fn on_watermark(&mut self, watermark: EventTime, out: &mut Output) -> Result<()> {
        out.watermark(watermark);
        Ok(())
    }

    /// Passes on what is held back only to save work, such as the partials of a local stage.
    ///
    /// Called when the operator's inputs have fallen idle: time may then move on behind it without
    /// its watermark, and what it still held would come late.
    fn flush(&mut self, _out: &mut Output) -> Result<()> {
        Ok(())
    }
}
