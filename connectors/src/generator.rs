//! What generators have in common: rows by number, cut into interleaved splits, released at a rate.
//!
//! ```text
//! number   0 … B-1 | B … 2B-1 | 2B … 3B-1 | 3B … 4B-1 | …        B = rows of a block
//! split    s0      | s1       | s0        | s1        | …        with two splits
//! ```
//!
//! The number of splits never depends on the parallelism and a row is a function of its number, so
//! any parallelism yields the same rows. An offset is the number of the next row to look at.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use millstream_operators::Batch;

use crate::clock::Clock;
use crate::error::{ConnectorError, Result};
use crate::pace::Pace;
use crate::{Polled, Reader, Source, Split, SplitBatch};

/// Rows of a batch when nothing holds the generator back.
const BATCH_ROWS: u64 = 8192;

/// Makes rows from their numbers.
pub(crate) trait Generate: Send + Sync {
    /// Leaves those numbers that yield a row of this table.
    fn select(&self, _numbers: &mut Vec<u64>) {}

    /// The rows with these numbers; `due_ms` gives the moment at which a row is due, in
    /// milliseconds since the Unix epoch.
    fn rows(&self, numbers: &[u64], due_ms: &dyn Fn(u64) -> i64) -> Result<RecordBatch>;
}

/// A generated table.
pub(crate) struct Generator {
    /// Makes its rows.
    pub(crate) rows: Arc<dyn Generate>,
    /// How many numbers there are; `None` means no end.
    pub(crate) end: Option<u64>,
    /// How many splits there are, at least one.
    pub(crate) splits: u64,
    /// Consecutive numbers that go to one split.
    pub(crate) block: u64,
    /// When rows are due; `None` means at once.
    pub(crate) pace: Option<Arc<Pace>>,
    /// Tells the time where there is no pace.
    pub(crate) clock: Clock,
}

impl Source for Generator {
    fn splits(&self) -> Result<Vec<Split>> {
        Ok((0..self.splits).map(|split| Split { id: split.to_string(), offset: None }).collect())
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn Reader>> {
        let mut reader = GeneratorReader {
            rows: self.rows.clone(),
            end: self.end.unwrap_or(u64::MAX),
            split_count: self.splits,
            block: self.block,
            pace: self.pace.clone(),
            clock: self.clock.clone(),
            positions: Vec::new(),
            numbers: Vec::new(),
        };
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

struct GeneratorReader {
    // PROPERTIES (constant)
    rows: Arc<dyn Generate>,
    end: u64,
    split_count: u64,
    block: u64,
    pace: Option<Arc<Pace>>,
    clock: Clock,
    // STATE (changes)
    positions: Vec<Position>,
    /// Numbers of the batch in hand, reused.
    numbers: Vec<u64>,
}

/// Where one split stands.
struct Position {
    split: u64,
    /// Next number of the split, or what is at or after the end.
    next: u64,
    /// Whether its end was reported.
    finished: bool,
    /// Whether it is left alone.
    held: bool,
}

impl Reader for GeneratorReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in splits {
            let number = split.id.parse().ok().filter(|number| *number < self.split_count);
            let number = number.ok_or_else(|| ConnectorError::Unavailable {
                message: format!("the generator has no split `{}`", split.id),
                hint: Some("its options were changed since the position was recorded".into()),
            })?;
            let next = self.align(number, split.offset.unwrap_or(0));
            self.positions.push(Position { split: number, next, finished: false, held: false });
        }
        Ok(())
    }

    fn hold(&mut self, split: usize, held: bool) -> Result<()> {
        self.positions[split].held = held;
        Ok(())
    }

    fn poll(&mut self, timeout: Duration) -> Result<Polled> {
        // The split that is furthest behind goes first, so that event time stays aligned.
        let is_read = |(_, position): &(usize, &Position)| !(position.finished || position.held);
        let open = self.positions.iter().enumerate().filter(is_read);
        let Some((index, position)) = open.min_by_key(|(_, position)| position.next) else {
            return Ok(Polled::Nothing);
        };
        let (split, from) = (position.split, position.next);
        if from >= self.end {
            self.positions[index].finished = true;
            return Ok(Polled::Finished { split: index });
        }
        let due = match &self.pace {
            Some(pace) => pace.wait(from, timeout).min(self.end),
            None => self.end,
        };
        if from >= due {
            return Ok(Polled::Nothing);
        }
        let next = self.fill(split, from, due);
        self.positions[index].next = next;
        self.rows.select(&mut self.numbers);
        if self.numbers.is_empty() {
            return Ok(Polled::Nothing);
        }
        let (batch, bytes) = self.generate()?;
        let left = (self.end != u64::MAX).then(|| self.end.saturating_sub(next) / self.split_count);
        let overdue_ns = self.pace.as_ref().map_or(0, |pace| pace.overdue_ns(from));
        Ok(Polled::Rows(SplitBatch {
            split: index,
            batch,
            next_offset: next,
            bytes,
            skipped: 0,
            lag: left,
            overdue_ns,
        }))
    }
}

impl GeneratorReader {
    /// The first number of `split` that is not before `number`.
    fn align(&self, split: u64, number: u64) -> u64 {
        let block = number / self.block;
        let ahead = (split + self.split_count - block % self.split_count) % self.split_count;
        if ahead == 0 { number } else { (block + ahead).saturating_mul(self.block) }
    }

    /// Collects the next numbers of `split` from `from` until `due`; returns where it goes on.
    fn fill(&mut self, split: u64, from: u64, due: u64) -> u64 {
        self.numbers.clear();
        let mut next = from;
        while (self.numbers.len() as u64) < BATCH_ROWS && next < due {
            let block_end = (next / self.block + 1).saturating_mul(self.block);
            let room = BATCH_ROWS - self.numbers.len() as u64;
            let end = block_end.min(due).min(next.saturating_add(room));
            self.numbers.extend(next..end);
            next = self.align(split, end);
        }
        next
    }

    fn generate(&self) -> Result<(Batch, u64)> {
        // Without a pace rows are due when they are made.
        let now_ms = if self.pace.is_none() { self.clock.unix_ms() } else { 0 };
        let due_ms = |number| self.pace.as_ref().map_or(now_ms, |pace| pace.due_unix_ms(number));
        let rows = self.rows.rows(&self.numbers, &due_ms)?;
        let bytes = rows.get_array_memory_size() as u64;
        Ok((Batch::inserts(rows), bytes))
    }
}
