//! The bytes of a split as chunks of whole records, out of one buffer that is used again.
//!
//! ```text
//! file      …ccc\n|aaaa\nbbbbbb\ncc|cccc\nddd\n…       | chunk boundary
//! owned           |aaaa\nbbbbbb\ncc|cccc\n             lines that start in the chunk
//! ```
//!
//! A position is a byte of the file, unpacked if it is compressed. Reading goes on at a position by
//! one rule, wherever it came from: a record starts there if the byte before is a newline or there
//! is none; otherwise the rest of the line belongs to whoever owns its start and is skipped.

use std::ops::ControlFlow;
use std::sync::Arc;

use memchr::{memchr, memchr_iter};

use super::compression::FileBytes;
use super::listing::FileEntry;
use super::split::{CHUNK_BYTES, FileSplit};
use crate::error::{ConnectorError, DecodeError, Result};
use crate::format::{Decoder, Framing};
use crate::options::format_bytes;

/// Bytes of one read: they stay in the processor's cache until they are decoded.
const READ_BYTES: usize = 256 << 10;
/// Bytes read past a chunk's end at first, for the rest of its last line.
const OVERREAD_BYTES: usize = 4 << 10;
/// Rows of a batch.
pub(super) const BATCH_ROWS: usize = 8192;
/// A batch ends after so many bytes even if its rows are few.
const BATCH_BYTES: usize = 4 << 20;
/// A mark that some editors put before the first record.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the records of one split.
pub(super) struct RecordFile {
    // PROPERTIES (constant)
    entry: Arc<FileEntry>,
    file: FileBytes,
    framing: Framing,
    max_record_bytes: usize,
    stripe: u64,
    stripes: u64,
    // STATE (changes)
    /// Next byte of the file to hand over; it starts a record unless `at_boundary`.
    position: u64,
    /// Whether `position` may be inside a line of another stripe.
    at_boundary: bool,
    /// Records that start here or later are not of the present chunk.
    chunk_end: u64,
    /// `buffer[start..filled]` are the file's bytes from `position` on.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    /// Nothing follows after the buffer.
    at_eof: bool,
    /// How much to hand to the decoder at once, by the rows that came of it before.
    piece_bytes: usize,
}

/// What reading a batch came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) bytes: u64,
    /// There is nothing more in the split.
    pub(super) ended: bool,
}

impl RecordFile {
    /// Opens a split at `offset` and lets the decoder see the file's first record.
    pub(super) fn open(
        split: &FileSplit,
        offset: Option<u64>,
        framing: Framing,
        max_record_bytes: usize,
        decoder: &mut dyn Decoder,
    ) -> Result<Self> {
        let file = FileBytes::open(&split.file.path, split.compression)?;
        let position = offset.unwrap_or(split.stripe * CHUNK_BYTES);
        let mut records = RecordFile {
            entry: split.file.clone(),
            file,
            framing,
            max_record_bytes,
            stripe: split.stripe,
            stripes: split.stripes,
            position: 0,
            at_boundary: false,
            chunk_end: u64::MAX,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            at_eof: false,
            piece_bytes: 64 << 10,
        };
        records.offer_header(decoder)?;
        if position > records.position {
            records.seek(position);
        }
        records.chunk_end = records.end_of_chunk(records.position);
        Ok(records)
    }

    /// Where a later reader would go on.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn file(&self) -> &FileEntry {
        &self.entry
    }

    /// Rounds that this split is ahead of its start: splits of the same round go in file order.
    pub(super) fn round(&self) -> u64 {
        self.position / (CHUNK_BYTES * self.stripes)
    }

    /// Gives the buffer to others while nothing is in it.
    pub(super) fn take_idle_buffer(&mut self) -> Option<Vec<u8>> {
        (self.start == self.filled && !self.buffer.is_empty()).then(|| {
            (self.start, self.filled) = (0, 0);
            std::mem::take(&mut self.buffer)
        })
    }

    /// Lends a buffer to a split that has none.
    pub(super) fn lend_buffer(&mut self, spare: &mut Vec<Vec<u8>>) {
        if self.buffer.is_empty()
            && let Some(buffer) = spare.pop()
        {
            self.buffer = buffer;
        }
    }

    /// Decodes records until there are enough for a batch or the chunk or the file ends.
    ///
    /// # Errors
    /// If a record cannot be decoded or is too long, or the file cannot be read.
    pub(super) fn read_batch(&mut self, decoder: &mut dyn Decoder) -> Result<Progress> {
        let mut progress = Progress::default();
        while decoder.rows() < BATCH_ROWS && progress.bytes < BATCH_BYTES as u64 {
            let Some(length) = self.next_piece(self.piece_bytes)? else {
                progress.ended = self.next_chunk();
                break;
            };
            let rows_before = decoder.rows();
            let piece = &self.buffer[self.start..self.start + length];
            let mut failure = None;
            let read = decoder.decode_lines(piece, &mut |line, error| {
                failure = Some((line, error));
                ControlFlow::Break(())
            });
            if let Some((line, error)) = failure {
                return Err(self.bad_record(line, error));
            }
            progress.bytes += read.bytes as u64;
            self.consume(read.bytes);
            self.adapt(read.bytes, decoder.rows() - rows_before);
        }
        Ok(progress)
    }

    /// Decodes record by record, up to `rows`; pushes the position after each row to `ends`.
    ///
    /// # Errors
    /// As [`RecordFile::read_batch`].
    pub(super) fn read_rows(
        &mut self,
        decoder: &mut dyn Decoder,
        rows: usize,
        ends: &mut Vec<u64>,
    ) -> Result<Progress> {
        let mut progress = Progress::default();
        while ends.len() < rows {
            // One record: the least that a piece can be.
            let Some(piece) = self.next_piece(0)? else {
                progress.ended = self.next_chunk();
                break;
            };
            let bytes = &self.buffer[self.start..self.start + piece];
            let length = self.framing.record_end(bytes).unwrap_or(piece);
            let added = match decoder.decode(trim_line_end(&bytes[..length])) {
                Ok(added) => added,
                Err(error) => return Err(self.bad_record(0, error)),
            };
            self.consume(length);
            progress.bytes += length as u64;
            ends.resize(ends.len() + added, self.position);
        }
        Ok(progress)
    }

    /// Length of the next whole records, about `wanted` bytes of them, in the buffer; `None` at
    /// the end of the chunk or the file.
    fn next_piece(&mut self, wanted: usize) -> Result<Option<usize>> {
        if self.at_boundary {
            self.skip_rest_of_line()?;
        }
        loop {
            if self.position >= self.chunk_end {
                return Ok(None);
            }
            let unread = &self.buffer[self.start..self.filled];
            let length = self.whole_records(unread, wanted);
            if length > self.max_record_bytes && self.starts_too_long(&unread[..length]) {
                return Err(self.too_long());
            }
            if length > 0 {
                return Ok(Some(length));
            }
            if self.at_eof {
                return Ok((!unread.is_empty()).then_some(unread.len()));
            }
            if unread.len() >= self.max_record_bytes {
                return Err(self.too_long());
            }
            self.read_more()?;
        }
    }

    /// Whether the first of these records is longer than allowed. Reading goes in doubling steps,
    /// so such a record may be in the buffer before its length was looked at.
    fn starts_too_long(&self, records: &[u8]) -> bool {
        self.framing.record_end(records).unwrap_or(records.len()) > self.max_record_bytes
    }

    /// Bytes of whole records at the start of `unread` that belong to the chunk; 0 if there are
    /// none as yet.
    fn whole_records(&self, unread: &[u8], wanted: usize) -> usize {
        let to_end = usize::try_from(self.chunk_end - self.position).unwrap_or(usize::MAX);
        if to_end <= unread.len() && to_end <= wanted {
            // The chunk's last line is the one that its last byte is in.
            let last = to_end - 1;
            return memchr(b'\n', &unread[last..]).map_or(0, |newline| last + newline + 1);
        }
        if wanted < unread.len() {
            let length = self.framing.complete(&unread[..wanted]);
            if length > 0 {
                return length;
            }
            return self.framing.record_end(unread).unwrap_or(0);
        }
        self.framing.complete(unread)
    }

    fn skip_rest_of_line(&mut self) -> Result<()> {
        self.at_boundary = false;
        let Some(before) = self.position.checked_sub(1) else { return Ok(()) };
        // The byte before the position tells whether a line starts here.
        self.position = before;
        loop {
            if let Some(newline) = memchr(b'\n', &self.buffer[self.start..self.filled]) {
                self.consume(newline + 1);
                return Ok(());
            }
            self.consume(self.filled - self.start);
            if self.at_eof || self.position >= self.chunk_end {
                return Ok(());
            }
            self.read_more()?;
        }
    }

    /// Goes to the stripe's next chunk; true if there is none.
    fn next_chunk(&mut self) -> bool {
        if self.stripes == 1 {
            return true;
        }
        let next = self.start_of_next_chunk();
        if next >= self.entry.size_bytes {
            return true;
        }
        self.seek(next);
        self.chunk_end = self.end_of_chunk(next);
        false
    }

    fn start_of_next_chunk(&self) -> u64 {
        // The chunk in hand ends at `chunk_end`; a last line may reach far beyond it.
        self.chunk_end + (self.stripes - 1) * CHUNK_BYTES
    }

    fn end_of_chunk(&self, position: u64) -> u64 {
        if self.stripes == 1 {
            return u64::MAX;
        }
        // A position that is not in a chunk of this stripe is behind the last line of one.
        let chunk = position / CHUNK_BYTES;
        let behind = (chunk + self.stripes - self.stripe) % self.stripes;
        (chunk - behind + 1) * CHUNK_BYTES
    }

    fn seek(&mut self, position: u64) {
        self.position = position;
        self.at_boundary = position > 0;
        (self.start, self.filled) = (0, 0);
        self.at_eof = false;
    }

    fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        self.position += bytes as u64;
    }

    /// Reads on after what the buffer holds.
    fn read_more(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        let from = self.position + self.filled as u64;
        let to_end = usize::try_from(self.chunk_end.saturating_sub(from)).unwrap_or(usize::MAX);
        // Reading as much again as is held keeps the search for a long record's end linear.
        let more = READ_BYTES.min(to_end.saturating_add(OVERREAD_BYTES)).max(self.filled);
        let end = self.filled + more;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        let read = self.file.read_at(&mut self.buffer[self.filled..end], from)?;
        self.filled += read;
        self.at_eof = read == 0;
        Ok(())
    }

    /// Makes the next piece about a batch.
    fn adapt(&mut self, bytes: usize, rows: usize) {
        let row_bytes = (bytes / rows.max(1)).max(1);
        self.piece_bytes = (row_bytes * BATCH_ROWS).clamp(16 << 10, BATCH_BYTES);
    }

    fn offer_header(&mut self, decoder: &mut dyn Decoder) -> Result<()> {
        while self.filled < BYTE_ORDER_MARK.len() && !self.at_eof {
            self.read_more()?;
        }
        if self.buffer[..self.filled].starts_with(BYTE_ORDER_MARK) {
            self.consume(BYTE_ORDER_MARK.len());
        }
        let Some(piece) = self.next_piece(0)? else { return Ok(()) };
        let bytes = &self.buffer[self.start..self.start + piece];
        let length = self.framing.record_end(bytes).unwrap_or(piece);
        match decoder.header(trim_line_end(&bytes[..length])) {
            Ok(true) => self.consume(length),
            Ok(false) => {}
            Err(error) => return Err(self.bad_record(0, error)),
        }
        Ok(())
    }

    fn bad_record(&self, line: usize, error: DecodeError) -> ConnectorError {
        if let Some(damage) = self.file.damage() {
            return damage;
        }
        let place = self.place(line);
        let reason = match error.position {
            Some(position) => format!("{} (byte {position} of the record)", error.reason),
            None => error.reason,
        };
        let hint = "mend the record, or skip such records with the format's option \
                    `ignore-parse-errors`";
        ConnectorError::Data { place, reason, hint: Some(hint.into()) }
    }

    fn too_long(&self) -> ConnectorError {
        if let Some(damage) = self.file.damage() {
            return damage;
        }
        let limit = format_bytes(self.max_record_bytes as u64);
        let hint = match self.framing {
            Framing::QuotedLines { .. } => "is a quote not closed? Otherwise raise ",
            _ => "are there line ends? Otherwise raise ",
        };
        ConnectorError::Data {
            place: self.place(0),
            reason: format!("the record is longer than {limit}"),
            hint: Some(format!("{hint}`source.max-line-size`")),
        }
    }

    /// `file:line` of the line that is `line` lines after the present position.
    fn place(&self, line: usize) -> String {
        let path = self.entry.path.display();
        match lines_before(&self.file, self.position) {
            Ok(before) => format!("{path}:{}", before + line as u64 + 1),
            Err(_) => format!("{path}, byte {}", self.position),
        }
    }
}

/// Line ends before a position; counted only once something is wrong.
fn lines_before(file: &FileBytes, position: u64) -> Result<u64> {
    let mut file = file.again()?;
    let mut buffer = vec![0; READ_BYTES];
    let (mut at, mut lines) = (0, 0);
    while at < position {
        let wanted = READ_BYTES.min(usize::try_from(position - at).unwrap_or(READ_BYTES));
        let read = file.read_at(&mut buffer[..wanted], at)?;
        if read == 0 {
            break;
        }
        lines += memchr_iter(b'\n', &buffer[..read]).count() as u64;
        at += read as u64;
    }
    Ok(lines)
}

fn trim_line_end(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}
