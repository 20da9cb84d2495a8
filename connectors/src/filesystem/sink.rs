//! The sink: a directory of parts, each of them invisible until it is whole.
//!
//! Without epochs:
//!
//! ```text
//! .part-0-3.json.inprogress   being written by subtask 0; readers leave hidden names out
//!        │ size or age reached, or end of the job
//!        ▼ flushed to the disk, then renamed
//! part-0-3.json               never changed again
//! ```
//!
//! With epochs the sink is exactly once: what is visible are rows of committed epochs, each once.
//!
//! ```text
//! .staged/part-0-3.json       being written; may go on over many epochs
//! .staged/0.log               how far each part of subtask 0 was at the end of each epoch
//!        │ whole (size, age, end of the job), and the epoch in which it became so is committed
//!        ▼
//! part-0-3.json               never changed again
//! _commits/1-000000000012.json   what became visible with epoch 12, written after it has
//! ```
//!
//! 1. At the end of an epoch what was written is synced, then the log. A part may stay open: one
//!    part an epoch would be 86,400 small files a day. Parquet cannot be cut, so there it is one.
//! 2. After the commit the whole parts are renamed, then recorded. See [`follow`] for both.
//! 3. After a crash every part is cut to where it was at the last committed epoch and becomes
//!    visible; what was begun later is removed. Nobody goes on with a part of a predecessor, so
//!    that any number of subtasks can follow.
//!
//! A partitioned table has a part for each partition that rows came for lately, in a directory of its
//! own: `day=2024-01-01/part-0-3.json`. Staged, they lie side by side: numbers are a subtask's, not
//! a directory's. Files of more parts than may be open are opened to write to them only. A
//! compressed part is cut where an epoch ended, as any other.
//!
//! Readers that list the directory see rows of whole epochs only, but may catch an epoch's parts
//! half renamed; those that must not take the parts that `_commits` lists.

mod follow;
mod part;
mod stage;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use millstream_operators::{Batch, RowKind};
use millstream_state::Epoch;

use super::compression::{self, Compression};
use super::partition::Partitions;
use super::{INFO, absolute_path, io_error};
use crate::clock::Clock;
use crate::commit::{Job, Participation};
use crate::error::{ConnectorError, Result};
use crate::format::{self, Framing, payload_schema};
use crate::options::Options;
use crate::registry::Environment;
use crate::{Sink, TableSpec, Writer};
use follow::FileFollower;
use part::Part;
use stage::{STAGE, Stage, StageWriter};

/// Whether the options of the sink are right.
pub(super) fn check(table: &TableSpec, options: &Options<'_>) -> Result<()> {
    Rolling::new(options)?;
    compression::of_sink(options)?;
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

/// Parts that a subtask has open at once. If there are more, each is opened for the moment of
/// writing; where the format needs it open, the one that was begun first is completed instead.
const OPEN_PARTS: usize = 64;
/// Parts that a subtask has at once, open or not.
const PARTS: usize = 10_000;
/// Bytes of records that are collected for a part before they are written to its file.
const WRITE_BYTES: usize = 64 << 10;
/// The same for all parts of a subtask together, as far as [`LEAST_WRITE_BYTES`] allow it.
const COLLECTED_BYTES: usize = 16 << 20;
const LEAST_WRITE_BYTES: usize = 4 << 10;

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
    /// What is written and not visible; `None` for jobs without epochs.
    stage: Option<Arc<Stage>>,
}

struct Config {
    directory: PathBuf,
    table: TableSpec,
    schema: SchemaRef,
    /// Ending of the parts' names.
    extension: String,
    framing: Framing,
    compression: Compression,
    partitions: Option<Partitions>,
    /// Whether the format can say that a row is taken back.
    carries_changes: bool,
    rolling: Rolling,
    clock: Clock,
    job: Option<Job>,
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
        let kind = if format == "changelog-json" { "json" } else { format };
        let compression = compression::of_sink(&options)?;
        let stage = environment.job.as_ref().map(|_| Arc::new(Stage::new(directory.join(STAGE))));
        let config = Config {
            directory,
            schema: payload_schema(table),
            table: table.clone(),
            extension: format!("{kind}{}", compression.extension()),
            framing: format::framing(table)?,
            compression,
            partitions: Partitions::of(table, &options)?,
            carries_changes: format == "changelog-json",
            rolling: Rolling::new(&options)?,
            clock: environment.clock.clone(),
            job: environment.job.clone(),
        };
        Ok(FileSink { config: Arc::new(config), stage })
    }
}

impl Sink for FileSink {
    fn writer(&self, subtask: usize) -> Result<Box<dyn Writer>> {
        let config = self.config.clone();
        let directory = &config.directory;
        fs::create_dir_all(directory).map_err(io_error(directory))?;
        let stage = self.stage.clone().map(|stage| StageWriter::new(stage, subtask));
        let parts = BTreeMap::new();
        Ok(Box::new(FileWriter { config, subtask, stage, next_number: None, parts }))
    }

    fn participation(&self) -> Result<Participation> {
        let (Some(job), Some(stage)) = (&self.config.job, &self.stage) else {
            return Ok(Participation::None);
        };
        let directory = self.config.directory.clone();
        let follower = FileFollower::new(directory, job.clone(), stage.clone());
        Ok(Participation::Follower(Box::new(follower)))
    }
}

/// Numbers go on after those of earlier runs: a job adds to a directory. With `deep`, the directories
/// of partitions below it count, too.
fn next_number(directory: &Path, subtask: usize, deep: bool) -> io::Result<u64> {
    let prefix = format!("part-{subtask}-");
    let mut next = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if deep && name.contains('=') && entry.file_type()?.is_dir() {
            next = next.max(next_number(&entry.path(), subtask, deep)?);
        }
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
    /// Where whole parts wait for their epoch's commit; without epochs they do not wait.
    stage: Option<StageWriter>,
    /// Number of the next part; looked up for the first one, when recovery has cleaned up.
    next_number: Option<u64>,
    /// The parts in the making by the directory of their partition, `""` without partitions; none
    /// as long as there are no rows for it.
    parts: BTreeMap<String, Part>,
}

impl FileWriter {
    /// Begins a part for the rows of a partition, if there is none.
    fn ensure_part(&mut self, partition: &str) -> Result<()> {
        if self.parts.contains_key(partition) {
            return Ok(());
        }
        self.make_room()?;
        let part = self.begin_part(partition)?;
        self.parts.insert(partition.to_owned(), part);
        if self.parts.len() == OPEN_PARTS + 1 {
            self.parts.values_mut().try_for_each(Part::rest)?;
        }
        Ok(())
    }

    fn begin_part(&mut self, partition: &str) -> Result<Part> {
        let config = &self.config;
        let directory = &config.directory;
        let number = match self.next_number {
            Some(number) => number,
            None => next_number(directory, self.subtask, config.partitions.is_some())
                .map_err(io_error(directory))?,
        };
        self.next_number = Some(number + 1);
        let base = format!("part-{}-{number}.{}", self.subtask, config.extension);
        let path = match &mut self.stage {
            Some(stage) => stage.begin(&base)?,
            None => directory.join(partition).join(format!(".{base}.inprogress")),
        };
        let name = if partition.is_empty() { base } else { format!("{partition}/{base}") };
        Part::create(config, name, path, self.stage.is_none())
    }

    /// Whether parts rest while nothing is written to them.
    fn are_many(&self) -> bool {
        self.parts.len() > OPEN_PARTS
    }

    /// Completes the part that was begun first, if there are too many.
    fn make_room(&mut self) -> Result<()> {
        let most = if self.config.framing == Framing::WholeFile { OPEN_PARTS } else { PARTS };
        if self.parts.len() < most {
            return Ok(());
        }
        let first = self.parts.iter().min_by_key(|(_, part)| part.opened());
        match first.map(|(partition, _)| partition.clone()) {
            Some(partition) => self.end_part(&partition),
            None => Ok(()),
        }
    }

    /// Ends the parts that are large or old enough.
    fn roll(&mut self) -> Result<()> {
        let (now, rolling) = (self.config.clock.elapsed(), self.config.rolling);
        self.end_parts(|part| {
            part.bytes() >= rolling.size_bytes
                || now.saturating_sub(part.opened()) >= rolling.interval
        })
    }

    fn end_parts(&mut self, which: impl Fn(&Part) -> bool) -> Result<()> {
        let ended = self.parts.iter().filter(|(_, part)| which(part));
        let ended: Vec<String> = ended.map(|(partition, _)| partition.clone()).collect();
        ended.iter().try_for_each(|partition| self.end_part(partition))
    }

    /// Completes a part: it becomes visible, now or with its epoch.
    fn end_part(&mut self, partition: &str) -> Result<()> {
        let Some(part) = self.parts.remove(partition) else { return Ok(()) };
        match &mut self.stage {
            None => part.publish(&self.config.directory),
            Some(stage) => {
                stage.add_whole(part.complete()?);
                Ok(())
            }
        }
    }

    fn write_to(&mut self, partition: &str, batch: &Batch) -> Result<u64> {
        self.ensure_part(partition)?;
        let are_many = self.are_many();
        let share = (COLLECTED_BYTES / self.parts.len()).clamp(LEAST_WRITE_BYTES, WRITE_BYTES);
        let part = self.parts.get_mut(partition).expect("it was just put there");
        let before = part.bytes();
        part.write(batch, share)?;
        let written = part.bytes().saturating_sub(before);
        if are_many {
            part.rest()?;
        }
        Ok(written)
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
        let config = self.config.clone();
        let mut written = 0;
        match &config.partitions {
            None => written += self.write_to("", batch)?,
            Some(partitions) => {
                let rows = partitions.split(batch).map_err(|reason| ConnectorError::Data {
                    place: format!("table `{}`", config.table.name),
                    reason,
                    hint: None,
                })?;
                for (partition, rows) in rows {
                    written += self.write_to(&partition, &rows)?;
                }
            }
        }
        if let Some(stage) = &mut self.stage {
            stage.note_rows();
        }
        self.roll()?;
        Ok(written)
    }

    /// Hands the bytes to the system. Parts stay hidden until they are rolled: many small files
    /// would be worse than waiting.
    fn flush(&mut self) -> Result<()> {
        let are_many = self.are_many();
        for part in self.parts.values_mut() {
            part.flush()?;
            if are_many {
                part.rest()?;
            }
        }
        self.roll()
    }

    fn end_epoch(&mut self, epoch: Epoch) -> Result<()> {
        self.flush()?;
        if self.stage.is_some() {
            self.end_parts(|part| !part.can_be_cut())?;
        }
        let Some(stage) = &mut self.stage else { return Ok(()) };
        stage.end_epoch(epoch, self.parts.values_mut())
    }

    fn finish(&mut self) -> Result<()> {
        self.end_parts(|_| true)?;
        self.stage.as_mut().map_or(Ok(()), StageWriter::finish)
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
