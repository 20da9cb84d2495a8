//! The sink: a directory of parts, each of them invisible until it is whole.
//!
//! ```text
//! .part-0-3.json.inprogress   being written by subtask 0; readers leave hidden names out
//!        │ size or age reached, or end of the job
//!        ▼ flushed to the disk, then renamed
//! part-0-3.json               never changed again
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use millstream_operators::{Batch, RowKind};

use super::{INFO, absolute_path, io_error};
use crate::clock::Clock;
use crate::error::{ConnectorError, Result};
use crate::format::parquet::ParquetFile;
use crate::format::{self, Encoder, FormatOptions, Framing, payload_schema};
use crate::options::Options;
use crate::registry::Environment;
use crate::{Sink, TableSpec, Writer};

/// Bytes of records that are collected before they are written to the file.
const WRITE_BYTES: usize = 64 << 10;

/// Whether the options of the sink are right.
pub(super) fn check(table: &TableSpec, options: &Options<'_>) -> Result<()> {
    Rolling::new(options)?;
    if options.text("path").is_some_and(|path| path.contains(['*', '?'])) {
        let hint = "name a directory; parts get their names by themselves".to_owned();
        return Err(options.error("path", "a glob cannot be written to".into(), Some(hint)));
    }
    if let Some((column, key)) = table.metadata.first_key_value() {
        let column = table.schema.field(*column).name();
        return Err(ConnectorError::Options {
            message: format!("column `{column}`: metadata `{key}` cannot be written"),
            option: Some("connector".into()),
            hint: Some("declare the column as METADATA VIRTUAL, or leave it out".into()),
        });
    }
    Ok(())
}

/// When a part is made visible and the next one begun.
#[derive(Clone, Copy, Debug)]
struct Rolling {
    size_bytes: u64,
    interval: Duration,
}

impl Rolling {
    fn new(options: &Options<'_>) -> Result<Self> {
        let size = options.bytes("sink.rolling-policy.file-size")?;
        let interval = options.duration("sink.rolling-policy.rollover-interval")?;
        Ok(Rolling {
            size_bytes: size.unwrap_or(u64::MAX).max(1),
            interval: interval.unwrap_or(Duration::MAX),
        })
    }
}

/// A directory that is written.
pub(super) struct FileSink {
    config: Arc<Config>,
}

struct Config {
    directory: PathBuf,
    table: TableSpec,
    schema: SchemaRef,
    /// Ending of the parts' names.
    extension: String,
    framing: Framing,
    /// Whether the format can say that a row is taken back.
    carries_changes: bool,
    rolling: Rolling,
    clock: Clock,
}

impl FileSink {
    pub(super) fn open(table: &TableSpec, environment: &Environment) -> Result<Self> {
        let options = Options::new(table, &INFO);
        let directory = absolute_path(&options, environment)?;
        if directory.exists() && !directory.is_dir() {
            return Err(ConnectorError::Unavailable {
                message: format!("{} is a file", directory.display()),
                hint: Some("a sink writes a directory; name another path".into()),
            });
        }
        let format = table.options.get("format").map_or("", String::as_str);
        Ok(FileSink {
            config: Arc::new(Config {
                directory,
                schema: payload_schema(table),
                table: table.clone(),
                extension: if format == "changelog-json" { "json" } else { format }.to_owned(),
                framing: format::framing(table)?,
                carries_changes: format == "changelog-json",
                rolling: Rolling::new(&options)?,
                clock: environment.clock.clone(),
            }),
        })
    }
}

impl Sink for FileSink {
    fn writer(&self, subtask: usize) -> Result<Box<dyn Writer>> {
        let config = self.config.clone();
        let directory = &config.directory;
        fs::create_dir_all(directory).map_err(io_error(directory))?;
        let next_number = next_number(directory, subtask).map_err(io_error(directory))?;
        Ok(Box::new(FileWriter { config, subtask, next_number, part: None }))
    }
}

/// Numbers go on after those of earlier runs: a job adds to a directory.
fn next_number(directory: &Path, subtask: usize) -> io::Result<u64> {
    let prefix = format!("part-{subtask}-");
    let mut next = 0;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let rest = name.trim_start_matches('.').strip_prefix(&prefix);
        let digits = rest.map(|rest| rest.split('.').next().unwrap_or(rest));
        if let Some(Ok(number)) = digits.map(str::parse::<u64>) {
            next = next.max(number.saturating_add(1));
        }
    }
    Ok(next)
}

struct FileWriter {
    // PROPERTIES (constant)
    config: Arc<Config>,
    subtask: usize,
    // STATE (changes)
    next_number: u64,
    /// The part in the making; none as long as there are no rows for it.
    part: Option<Part>,
}

impl FileWriter {
    fn part(&mut self) -> Result<&mut Part> {
        if self.part.is_none() {
            let name =
                format!("part-{}-{}.{}", self.subtask, self.next_number, self.config.extension);
            self.next_number += 1;
            self.part = Some(Part::create(&self.config, &name)?);
        }
        Ok(self.part.as_mut().expect("it was just put there"))
    }

    /// Makes the part visible if it is large or old enough.
    fn roll(&mut self) -> Result<()> {
        let Some(part) = &self.part else { return Ok(()) };
        let age = self.config.clock.elapsed().saturating_sub(part.opened);
        if part.bytes() >= self.config.rolling.size_bytes || age >= self.config.rolling.interval {
            return self.publish();
        }
        Ok(())
    }

    fn publish(&mut self) -> Result<()> {
        self.part.take().map_or(Ok(()), Part::publish)
    }
}

impl Writer for FileWriter {
    fn write(&mut self, batch: &Batch) -> Result<u64> {
        if batch.num_rows() == 0 {
            return Ok(0);
        }
        if !self.config.carries_changes {
            refuse_changes(batch, &self.config.table)?;
        }
        let part = self.part()?;
        let before = part.bytes();
        part.write(batch)?;
        let written = part.bytes().saturating_sub(before);
        self.roll()?;
        Ok(written)
    }

    /// Hands the bytes to the system. Parts stay hidden until they are rolled: many small files
    /// would be worse than waiting.
    fn flush(&mut self) -> Result<()> {
        if let Some(part) = &mut self.part {
            part.flush()?;
        }
        self.roll()
    }

    fn finish(&mut self) -> Result<()> {
        self.publish()
    }
}

fn refuse_changes(batch: &Batch, table: &TableSpec) -> Result<()> {
    let Some(kinds) = &batch.kinds else { return Ok(()) };
    if kinds.values().iter().all(|kind| *kind == RowKind::Insert as i8) {
        return Ok(());
    }
    Err(ConnectorError::Data {
        place: format!("table `{}`", table.name),
        reason: "its format cannot carry updates and deletes".into(),
        hint: Some("use 'format' = 'changelog-json'".into()),
    })
}

/// A file in the making.
struct Part {
    hidden: PathBuf,
    visible: PathBuf,
    opened: Duration,
    content: Content,
    /// Set once the hidden file is no more ours to remove.
    published: bool,
}

enum Content {
    Records {
        file: File,
        encoder: Box<dyn Encoder>,
        buffer: Vec<u8>,
        written: u64,
    },
    Rows(Box<ParquetFile<File>>),
    /// The file was handed over to be made visible.
    Closed,
}

impl Part {
    fn create(config: &Config, name: &str) -> Result<Self> {
        let hidden = config.directory.join(format!(".{name}.inprogress"));
        let file = File::create_new(&hidden).map_err(io_error(&hidden))?;
        let content = if config.framing == Framing::WholeFile {
            let options = FormatOptions::new(&format::parquet::INFO, "", &config.table.options)?;
            let place = hidden.display().to_string();
            Content::Rows(Box::new(ParquetFile::new(file, place, &config.schema, &options)?))
        } else {
            let encoder = format::for_table_encoder(&config.table)?;
            let mut buffer = encoder.header(&config.schema).unwrap_or_default();
            if !buffer.is_empty() {
                buffer.push(b'\n');
            }
            Content::Records { file, encoder, buffer, written: 0 }
        };
        let visible = config.directory.join(name);
        Ok(Part { hidden, visible, opened: config.clock.elapsed(), content, published: false })
    }

    fn bytes(&self) -> u64 {
        match &self.content {
            Content::Records { buffer, written, .. } => written + buffer.len() as u64,
            Content::Rows(file) => file.bytes(),
            Content::Closed => 0,
        }
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        match &mut self.content {
            Content::Rows(file) => file.write(&batch.rows),
            Content::Records { encoder, buffer, .. } => {
                for row in 0..batch.num_rows() {
                    encoder.encode(batch, row, buffer).map_err(|error| ConnectorError::Data {
                        place: self.visible.display().to_string(),
                        reason: error.reason,
                        hint: None,
                    })?;
                    buffer.push(b'\n');
                }
                if buffer.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
            }
            Content::Closed => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        if let Content::Records { file, buffer, written, .. } = &mut self.content {
            file.write_all(buffer).map_err(io_error(&self.hidden))?;
            *written += buffer.len() as u64;
            buffer.clear();
        }
        Ok(())
    }

    /// Completes the file, brings it to the disk and gives it its visible name.
    fn publish(mut self) -> Result<()> {
        self.flush()?;
        let file = match std::mem::replace(&mut self.content, Content::Closed) {
            Content::Records { file, .. } => file,
            Content::Rows(file) => file.finish()?,
            Content::Closed => return Ok(()),
        };
        file.sync_all().map_err(io_error(&self.hidden))?;
        fs::rename(&self.hidden, &self.visible).map_err(io_error(&self.visible))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Part {
    /// What a failed job leaves unfinished is of no use to anyone.
    fn drop(&mut self) {
        if !self.published {
            // The job already reports its own failure; a file that stays behind is hidden.
            let _ = fs::remove_file(&self.hidden);
        }
    }
}
