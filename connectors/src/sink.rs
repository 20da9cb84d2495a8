//! Sinks: tables that can be written.

use millstream_operators::Batch;
use millstream_state::Epoch;

use crate::commit::Participation;
use crate::error::Result;

/// The writing side of one table, shared by its subtasks.
pub trait Sink: Send + Sync {
    /// A writer for subtask `subtask`.
    fn writer(&self, subtask: usize) -> Result<Box<dyn Writer>>;

    /// How the sink takes part in epochs. Asked once, after the writers were made; `Environment::job`
    /// says for whom.
    fn participation(&self) -> Result<Participation> {
        Ok(Participation::None)
    }

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

    /// True if the writer can take a batch now without waiting. A sink holds rows of the next epoch
    /// back while one commits, and must not hold back without bound.
    fn has_room(&self) -> bool {
        true
    }

    /// Ends an epoch: all that was written before belongs to it and all that follows does not.
    /// When it returns, what a follower staged is durable, and what a sink without participation
    /// took is delivered.
    fn end_epoch(&mut self, _epoch: Epoch) -> Result<()> {
        self.flush()
    }

    /// Ends writing: nothing is written after it. A sink that takes part in epochs leaves making
    /// rows visible to the last epoch's commit; any other has delivered everything.
    fn finish(&mut self) -> Result<()>;
}
