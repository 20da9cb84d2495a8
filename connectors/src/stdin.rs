//! `stdin`: what a pipe brings, as one split that is read once.
//!
//! A thread reads, so that waiting for a pipe never holds up the task: it stops between two reads,
//! when the job does. Nothing can be read again, so the planner lets no promise depend on it, and
//! there is no position to go on from.

use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{ConnectorError, DecodeError, Result};
use crate::format::{self, Decoder, Framing};
use crate::options::{OptionInfo, OptionKind, Options, format_bytes, option};
use crate::registry::{ConnectorInfo, Direction, Environment, no_metadata};
use crate::{Polled, Reader, Source, Split, SplitBatch, TableSpec};

/// The connector as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "stdin",
    summary: "Reads standard input as it comes, once: `tail -f x.log | millstream run …`.",
    options: OPTIONS,
    formatted: true,
    metadata: no_metadata,
    check,
    source: Some(open_source),
    sink: None,
};

const OPTIONS: &[OptionInfo] = &[option(
    MAX_RECORD,
    OptionKind::Bytes,
    Some("64 mb"),
    "A record that is longer is an error, so that memory stays bounded.",
)];

const MAX_RECORD: &str = "source.max-line-size";
/// Name of the one split.
const SPLIT: &str = "stdin";
/// Bytes of one read.
const READ_BYTES: usize = 64 << 10;
/// Reads that wait for the task.
const READS_AHEAD: usize = 4;
/// A mark that some editors put before the first record.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the process reads on standard input; it can be taken once.
#[derive(Clone)]
pub struct Input(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl Input {
    /// Standard input.
    pub fn stdin() -> Self {
        Input::of(Box::new(io::stdin()))
    }

    /// Something else, such as bytes of standard input that were looked at already and the rest.
    pub fn of(input: Box<dyn Read + Send>) -> Self {
        Input(Arc::new(Mutex::new(Some(input))))
    }

    fn take(&self) -> Option<Box<dyn Read + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn check(table: &TableSpec, _: Direction) -> Result<()> {
    let options = Options::new(table, &INFO);
    options.bytes(MAX_RECORD)?;
    if format::framing(table)? == Framing::WholeFile {
        let format = table.options.get("format").map_or("", String::as_str);
        return Err(ConnectorError::Options {
            message: format!("format `{format}` is for files and cannot be read from a pipe"),
            option: Some("format".to_owned()),
            hint: Some("use 'connector' = 'filesystem' with the file's path".to_owned()),
        });
    }
    Ok(())
}

fn open_source(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Source>> {
    Ok(Box::new(StdinSource { table: table.clone(), input: environment.input.clone() }))
}

struct StdinSource {
    table: TableSpec,
    input: Input,
}

impl Source for StdinSource {
    fn splits(&self) -> Result<Vec<Split>> {
        Ok(vec![Split { id: SPLIT.to_owned(), offset: None }])
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn Reader>> {
        let options = Options::new(&self.table, &INFO);
        let limit = options.bytes(MAX_RECORD)?.unwrap_or(u64::MAX);
        let mut reader = StdinReader {
            framing: format::framing(&self.table)?,
            max_record_bytes: usize::try_from(limit).unwrap_or(usize::MAX),
            input: self.input.clone(),
            decoder: format::for_table_decoder(&self.table)?,
            reads: None,
            buffer: Vec::new(),
            start: 0,
            position: 0,
            line: 1,
            begun: false,
            at_end: false,
            finished: false,
            held: false,
        };
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

type Reads = Receiver<io::Result<Vec<u8>>>;

struct StdinReader {
    // PROPERTIES (constant)
    framing: Framing,
    max_record_bytes: usize,
    input: Input,
    // STATE (changes)
    decoder: Box<dyn Decoder>,
    /// What was read; none as long as the reader has no split.
    reads: Option<Reads>,
    /// `buffer[start..]` is not decoded yet; it starts a record.
    buffer: Vec<u8>,
    start: usize,
    /// Bytes before `buffer[start]`.
    position: u64,
    /// Number of the line at `buffer[start]`, from 1.
    line: u64,
    /// Whether the first record was looked at.
    begun: bool,
    /// Nothing comes after the buffer.
    at_end: bool,
    finished: bool,
    /// Left alone.
    held: bool,
}

impl Reader for StdinReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in splits {
            if split.id != SPLIT || self.reads.is_some() {
                return Err(unavailable(format!("there is no split `{}`", split.id)));
            }
            if split.offset.is_some_and(|offset| offset > 0) {
                return Err(unavailable("standard input cannot be read again".to_owned()));
            }
            let input = self.input.take();
            let input = input
                .ok_or_else(|| unavailable("standard input can be read by one table".to_owned()))?;
            self.reads = Some(read_ahead(input)?);
        }
        Ok(())
    }

    fn hold(&mut self, _split: usize, held: bool) -> Result<()> {
        self.held = held;
        Ok(())
    }

    fn poll(&mut self, timeout: Duration) -> Result<Polled> {
        if self.finished || self.held || self.reads.is_none() {
            return Ok(Polled::Nothing);
        }
        let ready = self.ready()?;
        if ready == 0 {
            if self.at_end {
                self.finished = true;
                return Ok(Polled::Finished { split: 0 });
            }
            self.receive(timeout)?;
            return match self.ready()? {
                0 => Ok(Polled::Nothing),
                ready => self.decode(ready),
            };
        }
        self.decode(ready)
    }
}

impl StdinReader {
    /// Bytes of whole records in the buffer.
    fn ready(&mut self) -> Result<usize> {
        if !self.begun && !self.begin()? {
            return Ok(0);
        }
        let waiting = &self.buffer[self.start..];
        let ready = if self.at_end { waiting.len() } else { self.framing.complete(waiting) };
        let first = self.framing.record_end(&waiting[..ready]).unwrap_or(ready.max(waiting.len()));
        if first > self.max_record_bytes {
            let limit = format_bytes(self.max_record_bytes as u64);
            return Err(ConnectorError::Data {
                place: self.place(0),
                reason: format!("the record is longer than {limit}"),
                hint: Some(format!("are there line ends? Otherwise raise `{MAX_RECORD}`")),
            });
        }
        Ok(ready)
    }

    /// Looks at the first record; false if it is not there yet.
    fn begin(&mut self) -> Result<bool> {
        let first = match self.framing.record_end(&self.buffer) {
            Some(end) => end,
            None if self.at_end => self.buffer.len(),
            None if self.buffer.len() > self.max_record_bytes => self.buffer.len(),
            None => return Ok(false),
        };
        self.begun = true;
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        let record = trim_line_end(&self.buffer[self.start..first]);
        if self.decoder.header(record).map_err(|error| bad_record(self.place(0), error))? {
            self.start = first;
            self.line = 2;
        }
        self.position = self.start as u64;
        Ok(true)
    }

    /// Takes what was read, waiting for it at most so long.
    fn receive(&mut self, timeout: Duration) -> Result<()> {
        let Some(reads) = &self.reads else { return Ok(()) };
        let read = match reads.try_recv() {
            Err(TryRecvError::Empty) if !timeout.is_zero() => match reads.recv_timeout(timeout) {
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                read => read.ok(),
            },
            Err(TryRecvError::Empty) => return Ok(()),
            read => read.ok(),
        };
        match read {
            None => self.at_end = true,
            Some(Ok(bytes)) => {
                self.buffer.drain(..self.start);
                self.start = 0;
                self.buffer.extend_from_slice(&bytes);
            }
            Some(Err(source)) => {
                return Err(ConnectorError::Io { place: "standard input".to_owned(), source });
            }
        }
        Ok(())
    }

    fn decode(&mut self, ready: usize) -> Result<Polled> {
        let records = &self.buffer[self.start..self.start + ready];
        let mut failure = None;
        let read = self.decoder.decode_lines(records, &mut |line, error| {
            failure = Some((line, error));
            ControlFlow::Break(())
        });
        if let Some((line, error)) = failure {
            return Err(bad_record(self.place(line), error));
        }
        self.line += read.lines as u64;
        self.start += read.bytes;
        self.position += read.bytes as u64;
        let batch = self.decoder.finish().map_err(|error| bad_record(self.place(0), error))?;
        let skipped = self.decoder.take_skipped();
        if batch.num_rows() == 0 && skipped == 0 {
            return Ok(Polled::Nothing);
        }
        Ok(Polled::Rows(SplitBatch {
            split: 0,
            batch,
            next_offset: self.position,
            bytes: read.bytes as u64,
            skipped,
            lag: None,
            overdue_ns: 0,
        }))
    }

    /// `standard input:line` of the line that is `line` lines after the present place.
    fn place(&self, line: usize) -> String {
        format!("standard input:{}", self.line + line as u64)
    }
}

fn unavailable(message: String) -> ConnectorError {
    let hint = "what a pipe brings is there once: write it to a file or a topic to read it again";
    ConnectorError::Unavailable { message, hint: Some(hint.to_owned()) }
}

fn bad_record(place: String, error: DecodeError) -> ConnectorError {
    let reason = match error.position {
        Some(position) => format!("{} (byte {position} of the record)", error.reason),
        None => error.reason,
    };
    let hint = "mend the record, or skip such records with the format's option \
                `ignore-parse-errors`; -i takes types from the first records, and a table that is \
                declared, with 'connector' = 'stdin', can have others";
    ConnectorError::Data { place, reason, hint: Some(hint.into()) }
}

fn trim_line_end(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}

/// Reads on a thread of its own, which ends with the input or when nobody takes what it read.
fn read_ahead(input: Box<dyn Read + Send>) -> Result<Reads> {
    let (sender, reads) = sync_channel(READS_AHEAD);
    let thread = std::thread::Builder::new().name("stdin".to_owned());
    thread
        .spawn(move || read_all(input, &sender))
        .map_err(|source| ConnectorError::Io { place: "standard input".to_owned(), source })?;
    Ok(reads)
}

fn read_all(mut input: Box<dyn Read + Send>, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => Ok(buffer[..read].to_vec()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if sender.send(read).is_err() || failed {
            return;
        }
    }
}
