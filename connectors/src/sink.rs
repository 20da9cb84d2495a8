//! Sinks: tables that can be written.

use millstream_operators::Batch;

use crate::error::Result;

/// The writing side of one table, shared by its subtasks.
pub trait Sink: Send + Sync {
    /// A writer for subtask `subtask`.
    fn writer(&self, subtask: usize) -> Result<Box<dyn Writer>>;

    /// Highest useful parallelism, for sinks whose output has one order.
    fn max_parallelism(&self) -> Option<usize> {
        None
    }
}

/// Writes the rows of one subtask; used from one thread.
pub trait Writer: Send {
    /// Takes rows; returns the payload bytes that they became. They need not be visible yet.
    fn write(&mut self, batch: &Batch) -> Result<u64>;

    /// Makes visible what was written, where that is cheap. The task calls it when no more input
    /// is waiting, so that an idle stream shows its rows at once and a busy one writes in bulk.
    fn flush(&mut self) -> Result<()>;

    /// Makes everything visible and releases what is held. Nothing is written after it.
    fn finish(&mut self) -> Result<()>;
}
