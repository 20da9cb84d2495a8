//! Reads the splits of one subtask: a round of each in turn, in the order of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch};
use millstream_operators::Batch;

use super::lines::RecordFile;
use super::listing::FileEntry;
use super::parquet::ParquetSplit;
use super::rate::Rate;
use super::{Shared, SharedRef, columns};
use crate::error::{ConnectorError, Result};
use crate::format::{self, Decoder};
use crate::{Polled, Reader, Split, SplitBatch};

/// Rows that are decoded ahead where a rate holds them back.
const PACED_ROWS: usize = 1024;

/// Rows of a Parquet file that count as much as a chunk of a file of lines.
const ROUND_ROWS: u64 = 8192;

/// Reads the splits of one subtask.
pub(super) struct FileReader {
    shared: SharedRef,
    /// The splits in the order in which they were given.
    splits: Vec<State>,
    /// Splits at the start of them that have all ended.
    ended: usize,
    /// Splits that are left alone.
    held: BTreeSet<usize>,
    /// Buffers that no split needs just now.
    spare_buffers: Vec<Vec<u8>>,
}

enum State {
    /// Not opened yet: its number, and where to start.
    Waiting(usize, Option<u64>),
    Open(Box<OpenSplit>),
    /// Its end was reported.
    Finished,
}

struct OpenSplit {
    /// Number of the split among all of the table.
    number: usize,
    /// The columns that the names of the file's directories give a value.
    partition: BTreeMap<usize, ArrayRef>,
    content: Content,
    /// There is nothing more to read from the file.
    ended: bool,
    /// Records that were skipped and that no batch has accounted for.
    skipped: u64,
    /// Rows that were read and wait for the rate.
    pending: Option<Pending>,
}

enum Content {
    Records { records: RecordFile, decoder: Box<dyn Decoder> },
    Rows(ParquetSplit),
}

/// Rows that a rate holds back.
struct Pending {
    batch: Batch,
    /// Where reading goes on after each row.
    ends: Vec<u64>,
    times: Option<ArrayRef>,
    released: usize,
    /// Bytes and skipped records that no released row has accounted for.
    bytes: u64,
    skipped: u64,
}

/// What one step of reading came to; perhaps no rows.
struct Fetched {
    batch: Batch,
    bytes: u64,
    skipped: u64,
    next_offset: u64,
}

impl FileReader {
    pub(super) fn new(shared: SharedRef) -> Self {
        FileReader {
            shared,
            splits: Vec::new(),
            ended: 0,
            held: BTreeSet::new(),
            spare_buffers: Vec::new(),
        }
    }

    /// Opens as many of the waiting splits as may be open, and chooses the one that is furthest
    /// behind.
    fn choose(&mut self) -> Result<Option<usize>> {
        let mut open = 0;
        let mut chosen: Option<(u64, usize)> = None;
        while let Some(State::Finished) = self.splits.get(self.ended) {
            self.ended += 1;
        }
        for index in self.ended..self.splits.len() {
            if open == self.shared.open_files {
                break;
            }
            if let State::Waiting(number, offset) = self.splits[index] {
                let split = OpenSplit::new(&self.shared, number, offset)?;
                self.splits[index] = State::Open(Box::new(split));
            }
            if let State::Open(split) = &self.splits[index] {
                open += 1;
                let round = split.round();
                let is_next = chosen.is_none_or(|(least, _)| round < least);
                if is_next && !self.held.contains(&index) {
                    chosen = Some((round, index));
                }
            }
        }
        Ok(chosen.map(|(_, index)| index))
    }

    fn read(&mut self, index: usize, timeout: Duration) -> Result<Polled> {
        let State::Open(split) = &mut self.splits[index] else {
            unreachable!("an open split was chosen")
        };
        let shared = &*self.shared;
        let fetched = match &shared.rate {
            None => Some(split.fetch(shared, &mut self.spare_buffers, None)?),
            Some(rate) => split.fetch_paced(shared, rate, timeout)?,
        };
        let Some(fetched) = fetched else { return Ok(Polled::Nothing) };
        // A batch without rows is handed over only lest a count of skipped records be lost.
        if fetched.batch.num_rows() > 0 || (split.ended && fetched.skipped > 0) {
            return deliver(shared, index, split.lag(), fetched);
        }
        split.skipped = fetched.skipped;
        if !split.ended {
            return Ok(Polled::Nothing);
        }
        if let (Some(rate), 0) = (&shared.rate, split.number) {
            rate.let_any_split_start();
        }
        self.splits[index] = State::Finished;
        Ok(Polled::Finished { split: index })
    }
}

impl Reader for FileReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        let found = self.shared.find(splits)?;
        if let Some(rate) = &self.shared.rate
            && found.iter().any(|(number, _)| *number == 0)
        {
            rate.wait_for_first_split();
        }
        if let Some(rate) = &self.shared.rate
            && found.iter().any(|(_, offset)| offset.is_some())
        {
            // Reading resumes: the first split may have ended long ago and nobody waits for it.
            rate.let_any_split_start();
        }
        self.splits.extend(found.into_iter().map(|(number, at)| State::Waiting(number, at)));
        Ok(())
    }

    fn hold(&mut self, split: usize, held: bool) -> Result<()> {
        if held {
            self.held.insert(split)
        } else {
            self.held.remove(&split)
        };
        Ok(())
    }

    fn poll(&mut self, timeout: Duration) -> Result<Polled> {
        match self.choose()? {
            Some(index) => self.read(index, timeout),
            None => Ok(Polled::Nothing),
        }
    }
}

/// Hands rows over without the columns that only the rate needed.
fn deliver(shared: &Shared, split: usize, lag: Option<u64>, fetched: Fetched) -> Result<Polled> {
    let Fetched { mut batch, bytes, skipped, next_offset } = fetched;
    if shared.delivered < batch.rows.num_columns() {
        let wanted: Vec<usize> = (0..shared.delivered).collect();
        let rows = batch.rows.project(&wanted).expect("the first columns are there");
        batch = batch.with_rows(rows);
    }
    Ok(Polled::Rows(SplitBatch { split, batch, next_offset, bytes, skipped, lag, overdue_ns: 0 }))
}

impl OpenSplit {
    fn new(shared: &Shared, number: usize, offset: Option<u64>) -> Result<Self> {
        let split = shared.split(number);
        let partition = match &shared.partitions {
            Some(partitions) => partitions.values_in(&split.file.path, &shared.table)?,
            None => BTreeMap::new(),
        };
        let content = if shared.is_whole_file() {
            Content::Rows(ParquetSplit::open(&split, offset, &shared.table)?)
        } else {
            let mut decoder = format::for_table_decoder(&shared.table)?;
            let (framing, limit) = (shared.framing, shared.max_record_bytes);
            let records = RecordFile::open(&split, offset, framing, limit, &mut *decoder)?;
            Content::Records { records, decoder }
        };
        Ok(OpenSplit { number, partition, content, ended: false, skipped: 0, pending: None })
    }

    /// The split that is least ahead is read next.
    fn round(&self) -> u64 {
        match &self.content {
            Content::Records { records, .. } => records.round(),
            Content::Rows(rows) => rows.position() / ROUND_ROWS,
        }
    }

    /// Records that are left, where the format knows it.
    fn lag(&self) -> Option<u64> {
        match &self.content {
            Content::Records { .. } => None,
            Content::Rows(rows) => Some(rows.left()),
        }
    }

    /// The next rows. With `ends`, few at a time, and the position after each is pushed to it.
    fn fetch(
        &mut self,
        shared: &Shared,
        spare: &mut Vec<Vec<u8>>,
        ends: Option<&mut Vec<u64>>,
    ) -> Result<Fetched> {
        let mut skipped = std::mem::take(&mut self.skipped);
        match &mut self.content {
            Content::Records { records, decoder } => {
                records.lend_buffer(spare);
                let progress = match ends {
                    None => records.read_batch(&mut **decoder)?,
                    Some(ends) => records.read_rows(&mut **decoder, PACED_ROWS, ends)?,
                };
                spare.extend(records.take_idle_buffer());
                self.ended = progress.ended;
                skipped += decoder.take_skipped();
                let payload = finish(records.file(), &mut **decoder)?;
                let batch =
                    columns::assemble(&shared.table, records.file(), &self.partition, payload)?;
                let (bytes, next_offset) = (progress.bytes, records.position());
                Ok(Fetched { batch, bytes, skipped, next_offset })
            }
            Content::Rows(rows) => {
                let start = rows.position();
                let read = rows.read_batch()?;
                self.ended = read.is_none();
                let schema = || format::payload_schema(&shared.table);
                let payload = read.unwrap_or_else(|| RecordBatch::new_empty(schema()));
                if let Some(ends) = ends {
                    ends.extend((start..rows.position()).map(|row| row + 1));
                }
                let bytes = payload.get_array_memory_size() as u64;
                let payload = Batch::inserts(payload);
                let batch =
                    columns::assemble(&shared.table, rows.file(), &self.partition, payload)?;
                Ok(Fetched { batch, bytes, skipped, next_offset: rows.position() })
            }
        }
    }

    /// The next rows that are due by the rate; `None` if none are within `timeout`.
    fn fetch_paced(
        &mut self,
        shared: &Shared,
        rate: &Rate,
        timeout: Duration,
    ) -> Result<Option<Fetched>> {
        let mut pending = match self.pending.take() {
            Some(pending) => pending,
            None => {
                let mut ends = Vec::with_capacity(PACED_ROWS);
                let fetched = self.fetch(shared, &mut Vec::new(), Some(&mut ends))?;
                if fetched.batch.num_rows() == 0 {
                    return Ok(Some(fetched));
                }
                let times = rate.times(fetched.batch.rows.columns())?;
                let Fetched { batch, bytes, skipped, .. } = fetched;
                Pending { batch, ends, times, released: 0, bytes, skipped }
            }
        };
        let rows = pending.released..pending.batch.num_rows();
        let due = rate.due(pending.times.as_ref(), rows, self.number == 0, timeout);
        let fetched = (due > 0).then(|| pending.release(due));
        if pending.released < pending.batch.num_rows() {
            self.pending = Some(pending);
        }
        Ok(fetched)
    }
}

impl Pending {
    fn release(&mut self, rows: usize) -> Fetched {
        let batch = self.batch.slice(self.released, rows);
        self.released += rows;
        Fetched {
            batch,
            bytes: std::mem::take(&mut self.bytes),
            skipped: std::mem::take(&mut self.skipped),
            next_offset: self.ends[self.released - 1],
        }
    }
}

fn finish(file: &FileEntry, decoder: &mut dyn Decoder) -> Result<Batch> {
    decoder.finish().map_err(|error| ConnectorError::Data {
        place: file.path.display().to_string(),
        reason: error.reason,
        hint: None,
    })
}
