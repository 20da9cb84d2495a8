//! `print`: shows rows on the console, in the format that the command line chose.

use millstream_operators::Batch;
use std::sync::Arc;

use crate::console::{ConsoleSink, Stream};
use crate::error::Result;
use crate::format::Encoder;
use crate::options::{OptionInfo, OptionKind, Options};
use crate::registry::{ConnectorInfo, Direction, Environment, no_metadata};
use crate::{Sink, TableSpec, Writer};

/// The connector as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "print",
    summary: "Shows rows on standard output, in the format that `-o` chooses.",
    options: &[
        OptionInfo {
            name: "print-identifier",
            kind: OptionKind::Text,
            default: None,
            required: false,
            description: "Text before every row, to tell several tables apart; only where rows are \
                          shown as a table, not in formats that programs read.",
        },
        OptionInfo {
            name: "standard-error",
            kind: OptionKind::Bool,
            default: Some("false"),
            required: false,
            description: "Whether rows go to standard error instead.",
        },
    ],
    formatted: false,
    metadata: no_metadata,
    check: |_: &TableSpec, _: Direction| Ok(()),
    source: None,
    sink: Some(open_sink),
};

fn open_sink(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Sink>> {
    let options = Options::new(table, &INFO);
    let stream = if options.bool("standard-error")? { Stream::Error } else { Stream::Output };
    let prefix = options.text("print-identifier").unwrap_or("");
    let sink = environment.console.sink(&table.schema, stream, prefix);
    Ok(Box::new(PrintSink { sink: Arc::new(sink) }))
}

struct PrintSink {
    sink: Arc<ConsoleSink>,
}

impl Sink for PrintSink {
    fn writer(&self, _subtask: usize) -> Result<Box<dyn Writer>> {
        Ok(Box::new(PrintWriter { encoder: self.sink.encoder(), sink: self.sink.clone() }))
    }

    /// A console has one order.
    fn max_parallelism(&self) -> Option<usize> {
        Some(1)
    }
}

struct PrintWriter {
    sink: Arc<ConsoleSink>,
    encoder: Option<Box<dyn Encoder>>,
}

impl Writer for PrintWriter {
    fn write(&mut self, batch: &Batch) -> Result<u64> {
        // Written out, because `as_deref_mut` would tie the encoder's lifetime to `'static`.
        match &mut self.encoder {
            Some(encoder) => self.sink.show(batch, Some(&mut **encoder)),
            None => self.sink.show(batch, None),
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.sink.flush()
    }

    fn finish(&mut self) -> Result<()> {
        self.sink.flush()
    }
}
