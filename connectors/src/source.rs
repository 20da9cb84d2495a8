//! Sources: tables that can be read, split by split.

use std::sync::Arc;
use std::time::Duration;

use millstream_operators::Batch;

use crate::commit::{OffsetHome, Position};
use crate::error::{ConnectorError, Result};

/// A unit of source parallelism: a Kafka partition, a file or a stripe of one, a generator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Split {
    /// Stable name within the source, such as `orders/3` or `flights.csv`.
    pub id: String,
    /// Where to start reading; `None` means where the table's options say.
    pub offset: Option<u64>,
}

/// The reading side of one table, shared by its subtasks.
pub trait Source: Send + Sync {
    /// The splits that exist now. Called at the start, and again every `discovery_interval`;
    /// later calls may return more, and never other ids for what was there.
    fn splits(&self) -> Result<Vec<Split>>;

    /// How often to look for new splits; `None` means never: the set is final.
    fn discovery_interval(&self) -> Option<Duration> {
        None
    }

    /// Where the offsets of this source's splits can be committed, for others to see.
    fn offset_home(&self) -> Option<OffsetHome> {
        None
    }

    /// Called after an epoch was committed whose positions are not part of the decider's commit,
    /// to show others how far reading got. Nothing depends on it, so it neither waits nor fails.
    fn show_positions(&self, _positions: &[Position]) {}

    /// A reader of these splits, for one subtask.
    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn Reader>>;
}

/// What a poll found.
#[derive(Debug)]
pub enum Polled {
    /// Rows of one split.
    Rows(SplitBatch),
    /// Nothing for now; there may be more later.
    Nothing,
    /// This split has ended and will deliver nothing more.
    Finished {
        /// Position of the split in the order in which the reader was given its splits.
        split: usize,
    },
}

/// Rows of one split.
#[derive(Debug)]
pub struct SplitBatch {
    /// Position of the split in the order in which the reader was given its splits.
    pub split: usize,
    /// The rows, in the order of the split. Empty only to report skipped records at its end.
    pub batch: Batch,
    /// Where reading goes on after these rows.
    pub next_offset: u64,
    /// Payload bytes that were read for these rows.
    pub bytes: u64,
    /// Records that could not be decoded and were skipped on the way, as the options allow.
    pub skipped: u64,
    /// Records between `next_offset` and the end of the split, where the source knows it.
    pub lag: Option<u64>,
    /// How long the oldest of these rows has been due, in nanoseconds, where the source has a
    /// schedule; otherwise 0. Latency counts from when a row was due, so that a source which is
    /// held up does not hide it (coordinated omission).
    pub overdue_ns: u64,
}

/// Ends the wait of a reader's `poll`, or that of its next one if it is not waiting.
pub type Interrupt = Arc<dyn Fn() + Send + Sync>;

/// Reads the splits of one subtask; used from one thread.
pub trait Reader: Send {
    /// What another thread calls if there is something else to do than to wait; `None` if the reader
    /// cannot be interrupted. It must stay harmless when the reader is gone.
    fn interrupt(&self) -> Option<Interrupt> {
        None
    }

    /// Adds splits that were discovered later.
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()>;

    /// Leaves a split (by its position) alone, or reads it again: `poll` returns no rows of a split
    /// that is held. Rows that come once it is not are those that would have come.
    ///
    /// # Errors
    /// If the reader cannot do that; then its tables cannot be aligned.
    fn hold(&mut self, _split: usize, _held: bool) -> Result<()> {
        Err(ConnectorError::Options {
            message: "this connector cannot hold splits back, so its tables cannot be aligned"
                .into(),
            option: Some("scan.watermark.alignment.group".into()),
            hint: Some("leave out 'scan.watermark.alignment.group'".into()),
        })
    }

    /// Hands over what is there. Waits for at most `timeout` if there is nothing.
    fn poll(&mut self, timeout: Duration) -> Result<Polled>;
}
