//! `filesystem`: reads files, globs and directories; writes directories of parts.
//!
//! ```text
//! listing   path option → files, sorted
//! split     file → splits: one each, or 16 interleaved stripes of a large file of lines
//! lines     bytes of a split → chunks of whole records → decoder
//! parquet   row groups of a split → batches
//! reader    splits of one subtask, in file order; rate → how fast; columns → metadata
//! partition names of directories ↔ columns; compression: bytes of packed files
//! sink      rows → hidden parts → rename, in a job with epochs after the commit
//! ```

mod columns;
mod compression;
mod lines;
mod listing;
mod parquet;
mod partition;
mod rate;
mod reader;
mod sink;
mod split;

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use arrow::datatypes::{DataType, TimeUnit};

use crate::error::{ConnectorError, Result};
use crate::format::{self, Framing};
use crate::options::{OptionInfo, OptionKind, Options, option};
use crate::registry::{ConnectorInfo, Direction, Environment};
use crate::{Sink, Source, TableSpec};

/// The connector as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "filesystem",
    summary: "Reads files to their end, or a directory as files come, and writes directories of files.",
    options: OPTIONS,
    formatted: true,
    metadata,
    check,
    source: Some(open_source),
    sink: Some(open_sink),
};

const OPTIONS: &[OptionInfo] = &[
    OptionInfo {
        name: "path",
        kind: OptionKind::Text,
        default: None,
        required: true,
        description: "A file, a directory (read with all below it, except names that start with \
                      `.` or `_`) or a glob such as `logs/*.json`; relative to where the process \
                      was started. A sink writes into it as a directory.",
    },
    option(
        "source.path.regex-pattern",
        OptionKind::Text,
        None,
        "Only files whose whole absolute path matches are read.",
    ),
    option(
        MONITOR,
        OptionKind::Duration,
        None,
        "How often to look for new files, in a table that then never ends; left out, the files that \
         are there at the start are read. A file is read once, as it is when its turn comes: move \
         files in when they are whole.",
    ),
    compression::OPTION,
    partition::OPTION,
    option(
        "source.max-line-size",
        OptionKind::Bytes,
        Some("64 mb"),
        "A record that is longer is an error, so that memory stays bounded.",
    ),
    option(
        "scan.rate",
        OptionKind::Text,
        None,
        "How fast to replay: `1000` or `1000/s` rows a second over the whole table, or `2x` for \
         twice the speed of event time; as fast as possible if left out.",
    ),
    option(
        "scan.rate.time-column",
        OptionKind::Text,
        None,
        "The timestamp column that a `scan.rate` such as `2x` goes by.",
    ),
    option(
        "sink.rolling-policy.file-size",
        OptionKind::Bytes,
        Some("128 mb"),
        "A part that reaches this size is whole: it is made visible, in a job with epochs with the \
         commit of its last one, and the next part is begun. Parquet parts end with every epoch, too.",
    ),
    option(
        "sink.rolling-policy.rollover-interval",
        OptionKind::Duration,
        Some("30 min"),
        "A part that has been open for so long is whole. So is every part at the end of the job, \
         and what is committed of it after a crash.",
    ),
];

/// How often to look for new files.
const MONITOR: &str = "source.monitor-interval";

fn metadata() -> Vec<(&'static str, DataType, &'static str)> {
    let moment = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    vec![
        ("file.path", DataType::Utf8, "Full path of the file."),
        ("file.name", DataType::Utf8, "Name of the file, without directories."),
        ("file.size", DataType::Int64, "Bytes of the file."),
        ("file.modification-time", moment, "When the file was changed last."),
    ]
}

fn check(table: &TableSpec, direction: Direction) -> Result<()> {
    let options = Options::new(table, &INFO);
    options.bytes("source.max-line-size")?;
    listing::pattern(&options)?;
    rate::RateOption::new(table, &options)?;
    columns::check(table)?;
    partition::Partitions::of(table, &options)?;
    let framing = format::framing(table)?;
    compression::check(table, &options, framing)?;
    check_interval(&options)?;
    if direction == Direction::Sink {
        sink::check(table, &options)?;
    }
    if framing == Framing::WholeFile {
        parquet::check(table)?;
    }
    check_raw(table)
}

/// Whether the path can be watched as the option says.
fn check_interval(options: &Options<'_>) -> Result<()> {
    let Some(interval) = options.duration(MONITOR)? else { return Ok(()) };
    if interval.is_zero() {
        let hint = "leave the option out to read the files that are there".to_owned();
        return Err(options.error(MONITOR, "it must be longer than 0".to_owned(), Some(hint)));
    }
    if options.is_set("scan.rate") {
        let reason = "`scan.rate` replays files that are there, not those that come".to_owned();
        let hint = format!("leave out one of `{MONITOR}` and `scan.rate`");
        return Err(options.error(MONITOR, reason, Some(hint)));
    }
    Ok(())
}

/// Whether records of `raw` can be lines.
fn check_raw(table: &TableSpec) -> Result<()> {
    let (info, options) = format::of_table(table)?;
    if info.name != format::raw::INFO.name {
        return Ok(());
    }
    let columns =
        format::Columns { wanted: format::payload_schema(table), declared: table.declared.clone() };
    match format::raw::refuse_in_lines(&options, &columns)? {
        None => Ok(()),
        Some(message) => Err(ConnectorError::Options {
            message,
            option: Some("format".to_owned()),
            hint: Some("a topic of `kafka` can hold such records; or use format `csv`".to_owned()),
        }),
    }
}

fn open_source(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Source>> {
    Ok(Box::new(split::FileSource::open(table, environment)?))
}

fn open_sink(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Sink>> {
    Ok(Box::new(sink::FileSink::open(table, environment)?))
}

/// The option `path` as an absolute path, which may still be a glob.
fn absolute_path(options: &Options<'_>, environment: &Environment) -> Result<PathBuf> {
    let path = options.required("path")?;
    let path = path.strip_prefix("file://").unwrap_or(path);
    if path.is_empty() {
        return Err(options.error("path", "it is empty".to_owned(), None));
    }
    let joined = environment.directory.join(path);
    Ok(std::path::absolute(&joined).unwrap_or(joined))
}

fn io_error(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> ConnectorError + '_ {
    |source| ConnectorError::Io { place: path.display().to_string(), source }
}

/// What the readers of a table share.
struct Shared {
    /// The table, with the columns that `scan.rate` needs at the end of its schema.
    table: TableSpec,
    /// Columns of `table.schema` that the reader delivers: the first so many.
    delivered: usize,
    framing: Framing,
    max_record_bytes: usize,
    rate: Option<rate::Rate>,
    /// Files that a reader has open at once.
    open_files: usize,
    partitions: Option<partition::Partitions>,
    /// A split keeps its number.
    splits: RwLock<Vec<Arc<split::FileSplit>>>,
}

type SharedRef = Arc<Shared>;
