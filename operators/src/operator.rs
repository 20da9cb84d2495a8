//! The operator trait: a synchronous core that a task drives.

use std::sync::Arc;

use millstream_state::{EventTime, GroupRange, MemoryBudget, SharedState};

use crate::error::Result;
use crate::{Batch, OperatorMetrics, Output, ProcessingClock};

/// What an operator is given once, before the first row.
pub struct OperatorContext {
    /// Stable name of the operator; names its state tables.
    pub name: String,
    /// Which of the parallel instances this is, from 0.
    pub subtask: usize,
    /// How many parallel instances there are.
    pub parallelism: usize,
    /// The task's state; operators take handles from it in `open`.
    pub state: SharedState,
    /// The key groups that this instance owns: what it may take from a pane's runs.
    pub groups: GroupRange,
    /// What all state of the job may take.
    pub memory: Arc<MemoryBudget>,
    /// Counters of this instance; the task counts rows and time, the operator what only it knows
    /// (late rows, state size).
    pub metrics: Arc<OperatorMetrics>,
    /// Processing time, which the task sets before each call.
    pub clock: ProcessingClock,
}

/// One instance of a node of the job graph: plain functions of (state, input) → output.
///
/// The task calls `open` once, then `on_batch`, `on_watermark` and `on_epoch_end` in the order of
/// the input, and after `on_watermark` and `flush` `resume` while there is more. Laws:
///
/// - watermarks given to `on_watermark` strictly ascend; after a restart they may begin below what
///   the operator's state has seen, and it must not go back;
/// - the operator decides itself when to pass a watermark on, after the rows that it completes;
/// - no method blocks or reads a clock, and none does I/O but through its state handles.
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

    /// Goes on with what `on_watermark` has begun and not finished, because its results are many.
    /// Returns true if there is still more; until then the task gives the operator nothing else.
    fn resume(&mut self, _out: &mut Output) -> Result<bool> {
        Ok(false)
    }

    /// How long after now, in milliseconds of processing time, the operator wants to be reminded by a
    /// call of [`Self::flush`]; `None` if there is nothing to remind it of.
    ///
    /// The task asks after every call of the operator. The time runs from the first answer that is
    /// `Some` on, until `flush` was called or the answer is `None`.
    fn reminder_ms(&self) -> Option<u64> {
        None
    }

    /// Ends an epoch: passes on what is held back, and hands to its state handles all that was not
    /// handed to them yet. After a crash the operator is built anew and opened on exactly that.
    fn on_epoch_end(&mut self, out: &mut Output) -> Result<()> {
        self.flush(out)
    }

    /// Passes on what is held back: to save work, such as the partials of a local stage, or until
    /// the operator is reminded. The task then calls `resume` while there is more.
    ///
    /// Called when the time of a reminder has come, and when the operator's inputs have fallen idle:
    /// time may then move on behind it without its watermark, what it still held would come late, and
    /// it may not emit before they come back.
    fn flush(&mut self, _out: &mut Output) -> Result<()> {
        Ok(())
    }
}
