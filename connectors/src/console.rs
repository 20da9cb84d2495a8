//! The console: where `print` tables and bare SELECTs show their rows.
//!
//! One value is shared by all sinks of a job, so that rows of several tables do not mix within a
//! line, `--limit` counts over all of them, and a reader that went away (`… | head`) ends the job
//! once and cleanly.

mod table;

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::SchemaRef;
use millstream_operators::Batch;

use crate::error::{ConnectorError, DecodeError, Result};
use crate::format::Encoder;
use crate::format::changelog_json::ChangelogEncoder;
use crate::format::csv::CsvEncoder;
use crate::format::json::{EncodeOptions, JsonEncoder};
use table::TableLayout;

/// How rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleFormat {
    /// Aligned columns under their names.
    Table,
    /// A JSON object a line.
    Ndjson,
    /// Comma-separated values under their names.
    Csv,
    /// A line `{"op":"+I","data":{…}}` for each change.
    Changelog,
    /// Not at all; rows are counted.
    None,
}

impl ConsoleFormat {
    /// The names, as on the command line.
    pub const NAMES: [&'static str; 5] = ["table", "ndjson", "csv", "changelog", "none"];

    /// The format with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "table" => Some(ConsoleFormat::Table),
            "ndjson" => Some(ConsoleFormat::Ndjson),
            "csv" => Some(ConsoleFormat::Csv),
            "changelog" => Some(ConsoleFormat::Changelog),
            "none" => Some(ConsoleFormat::None),
            _ => None,
        }
    }
}

/// Which stream of the console a sink writes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    #[default]
    Output,
    /// Standard error.
    Error,
}

/// The shared writer of all sinks that print.
pub struct Console {
    format: ConsoleFormat,
    limit: Option<u64>,
    rows: AtomicU64,
    closed: AtomicBool,
    state: Mutex<State>,
}

struct State {
    output: Box<dyn Write + Send>,
    error: Box<dyn Write + Send>,
    /// Number for the next sink.
    next_sink: usize,
    /// Sink whose rows were shown last: a table's heading is repeated when it changes.
    last_sink: Option<usize>,
    /// Sinks that have shown their heading, and whether with the column `op`.
    headed: BTreeSet<(usize, bool)>,
    /// Lines of the batch in hand, reused.
    lines: Vec<u8>,
}

/// What a sink needs to show its rows: made once a sink, shared by its subtasks.
pub struct ConsoleSink {
    console: Arc<Console>,
    number: usize,
    stream: Stream,
    prefix: String,
    columns: SchemaRef,
    /// Widths are the sink's, so that its subtasks' rows line up.
    layout: Mutex<TableLayout>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("format", &self.format).field("limit", &self.limit).finish()
    }
}

impl Console {
    /// A console that shows at most `limit` rows on standard output.
    pub fn stdout(format: ConsoleFormat, limit: Option<u64>) -> Self {
        Console::new(Box::new(io::stdout()), format, limit)
    }

    /// A console that shows at most `limit` rows on `output`.
    pub fn new(output: Box<dyn Write + Send>, format: ConsoleFormat, limit: Option<u64>) -> Self {
        let state = State {
            output,
            error: Box::new(io::stderr()),
            next_sink: 0,
            last_sink: None,
            headed: BTreeSet::new(),
            lines: Vec::new(),
        };
        Console {
            format,
            limit,
            rows: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// True once the limit is reached or the reader of the output has gone: the job may stop.
    pub fn is_full(&self) -> bool {
        self.is_closed() || self.limit.is_some_and(|limit| self.rows() >= limit)
    }

    /// True once the reader of the output has gone.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Rows shown so far, by all sinks.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// A place to show the rows of one table. `prefix` stands before every row of a table format.
    pub fn sink(self: &Arc<Self>, schema: &SchemaRef, stream: Stream, prefix: &str) -> ConsoleSink {
        let mut state = self.lock();
        let number = state.next_sink;
        state.next_sink += 1;
        ConsoleSink {
            console: self.clone(),
            number,
            stream,
            prefix: prefix.to_owned(),
            columns: schema.clone(),
            layout: Mutex::new(TableLayout::new(schema)),
        }
    }

    /// Shows rows that belong to no sink, at once.
    ///
    /// # Errors
    /// If they cannot be written for another reason than that the reader has gone.
    pub fn show(self: &Arc<Self>, rows: &Batch) -> Result<()> {
        let sink = self.sink(&rows.rows.schema(), Stream::Output, "");
        match sink.encoder() {
            Some(mut encoder) => sink.show(rows, Some(&mut *encoder))?,
            None => sink.show(rows, None)?,
        };
        sink.flush()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Lines are written whole, so a panic of another sink leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that nobody reads any more; other failures are errors.
    fn note(&self, result: io::Result<()>) -> Result<()> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Relaxed);
                Ok(())
            }
            Err(source) => Err(ConnectorError::Io { place: "standard output".into(), source }),
            Ok(()) => Ok(()),
        }
    }

    fn flush(&self, stream: Stream) -> Result<()> {
        let mut state = self.lock();
        let result = state.stream(stream).flush();
        self.note(result)
    }
}

impl State {
    fn stream(&mut self, stream: Stream) -> &mut (dyn Write + Send) {
        match stream {
            Stream::Output => &mut *self.output,
            Stream::Error => &mut *self.error,
        }
    }
}

impl ConsoleSink {
    /// The encoder for a writer's rows; `None` for formats that need none.
    pub(crate) fn encoder(&self) -> Option<Box<dyn Encoder>> {
        let schema = &self.columns;
        match self.console.format {
            ConsoleFormat::Table | ConsoleFormat::None => None,
            ConsoleFormat::Ndjson => {
                Some(Box::new(JsonEncoder::new(schema, EncodeOptions::for_console())))
            }
            ConsoleFormat::Csv => Some(Box::new(CsvEncoder::for_console())),
            ConsoleFormat::Changelog => {
                Some(Box::new(ChangelogEncoder::new(schema, EncodeOptions::for_console())))
            }
        }
    }

    /// Shows rows, as many as the limit allows; returns the bytes that they became.
    ///
    /// # Errors
    /// If writing fails for another reason than that the reader has gone.
    pub(crate) fn show(&self, batch: &Batch, encoder: Option<&mut dyn Encoder>) -> Result<u64> {
        let console = &*self.console;
        let mut state = console.lock();
        let shown = console.rows.load(Relaxed);
        let room = console.limit.map_or(u64::MAX, |limit| limit.saturating_sub(shown));
        let rows = batch.num_rows().min(usize::try_from(room).unwrap_or(usize::MAX));
        if rows == 0 || console.is_closed() {
            return Ok(0);
        }
        let batch = batch.slice(0, rows);
        let mut lines = std::mem::take(&mut state.lines);
        lines.clear();
        match (console.format, encoder) {
            (ConsoleFormat::None, _) => {}
            (_, Some(encoder)) => self.encode(&mut state, &batch, encoder, &mut lines)?,
            (_, None) => self.tabulate(&mut state, &batch, &mut lines)?,
        }
        let result = state.stream(self.stream).write_all(&lines);
        let bytes = lines.len() as u64;
        state.lines = lines;
        console.rows.store(shown + rows as u64, Relaxed);
        console.note(result)?;
        Ok(bytes)
    }

    pub(crate) fn flush(&self) -> Result<()> {
        self.console.flush(self.stream)
    }

    fn encode(
        &self,
        state: &mut State,
        batch: &Batch,
        encoder: &mut dyn Encoder,
        lines: &mut Vec<u8>,
    ) -> Result<()> {
        // Formats that describe rows, not changes, get the kind as a first column, and only where
        // there are kinds: an append-only query shows exactly its columns.
        let format = self.console.format;
        let with_op = batch.kinds.is_some() && format != ConsoleFormat::Changelog;
        if format == ConsoleFormat::Csv
            && state.headed.insert((self.number, with_op))
            && let Some(header) = encoder.header(&self.columns)
        {
            lines.extend_from_slice(if with_op { b"op," } else { b"" });
            lines.extend_from_slice(&header);
            lines.push(b'\n');
        }
        for row in 0..batch.num_rows() {
            let start = lines.len();
            if with_op && format == ConsoleFormat::Csv {
                lines.extend_from_slice(batch.kind(row).as_str().as_bytes());
                lines.push(b',');
            }
            encoder.encode(batch, row, lines).map_err(unprintable)?;
            if with_op && format == ConsoleFormat::Ndjson {
                let first_column = if batch.rows.num_columns() == 0 { "" } else { "," };
                let op = format!("{{\"op\":\"{}\"{first_column}", batch.kind(row).as_str());
                lines.splice(start..=start, op.into_bytes());
            }
            lines.push(b'\n');
        }
        Ok(())
    }

    fn tabulate(&self, state: &mut State, batch: &Batch, lines: &mut Vec<u8>) -> Result<()> {
        let mut layout = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        let turned = state.last_sink.replace(self.number) != Some(self.number);
        layout
            .append(batch, turned, &self.prefix, lines)
            .map_err(|error| unprintable(DecodeError::new(error.to_string())))
    }
}

fn unprintable(error: DecodeError) -> ConnectorError {
    ConnectorError::Data { place: "console".into(), reason: error.reason, hint: None }
}
