//! Files as splits. A file is one split, except that a large file of lines is cut into stripes:
//!
//! ```text
//! chunk    0   1   2   3  … 15  16  17  …      each 1 MiB
//! stripe   s0  s1  s2  s3 … s15 s0  s1  …
//! ```
//!
//! A stripe owns the lines that start in its chunks. All stripes advance through the file
//! together, however few readers they have, so event time stays aligned between them; cutting the
//! file into 16 long ranges instead would make every watermark wait for the last range. The number
//! of stripes is fixed: splits must not depend on the parallelism.
//!
//! A path that is watched is listed again and again. A file is taken once, by its path, and is one
//! split whatever its size, for the size may have been another when it was first seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use regex::Regex;

use super::compression::{Compression, Reading};
use super::listing::{self, FileEntry};
use super::partition::Partitions;
use super::rate::{Rate, RateOption};
use super::reader::FileReader;
use super::{INFO, Shared, SharedRef, absolute_path};
use crate::error::{ConnectorError, Result};
use crate::format::{self, Framing};
use crate::options::Options;
use crate::registry::Environment;
use crate::{Reader, Source, Split, TableSpec};

/// Bytes of a chunk.
pub(super) const CHUNK_BYTES: u64 = 1 << 20;
/// Stripes of a large file.
const STRIPES: u64 = 16;
/// Files up to this size are not cut: the gain would be small.
const LARGE_BYTES: u64 = 32 << 20;
/// Files that a reader advances through together.
const OPEN_FILES: usize = 64;

/// A file, or a stripe of one.
#[derive(Clone, Debug)]
pub(super) struct FileSplit {
    /// Name of the split: the path relative to where the process runs, and the stripe.
    pub(super) id: String,
    pub(super) file: Arc<FileEntry>,
    pub(super) compression: Compression,
    /// Which stripe this is, of how many; 0 of 1 is the whole file.
    pub(super) stripe: u64,
    pub(super) stripes: u64,
}

/// A table over files.
pub(super) struct FileSource {
    shared: SharedRef,
    /// Looks for files.
    watch: Watch,
    /// How often to look again.
    interval: Option<Duration>,
}

/// Where files are looked for, and what is made of them.
struct Watch {
    path: PathBuf,
    pattern: Option<Regex>,
    /// Where the process runs.
    directory: PathBuf,
    reading: Reading,
    /// Whether large files are cut.
    striped: bool,
    /// Whether there may be none as yet.
    watched: bool,
}

impl Watch {
    /// All splits that there are now.
    fn look(&self) -> Result<Vec<Arc<FileSplit>>> {
        let mut splits = Vec::new();
        for file in listing::list(&self.path, self.pattern.as_ref(), self.watched)? {
            let compression = self.reading.of(&file.path)?;
            let whole = compression == Compression::None && file.size_bytes > LARGE_BYTES;
            let stripes = if self.striped && whole { STRIPES } else { 1 };
            self.cut(Arc::new(file), compression, stripes, &mut splits);
        }
        Ok(splits)
    }

    fn cut(
        &self,
        file: Arc<FileEntry>,
        compression: Compression,
        stripes: u64,
        splits: &mut Vec<Arc<FileSplit>>,
    ) {
        let path = file.path.strip_prefix(&self.directory).unwrap_or(&file.path);
        let path = path.display().to_string();
        for stripe in 0..stripes {
            let id = if stripes == 1 { path.clone() } else { format!("{path}#{stripe}/{stripes}") };
            let file = file.clone();
            splits.push(Arc::new(FileSplit { id, file, compression, stripe, stripes }));
        }
    }
}

impl FileSource {
    pub(super) fn open(table: &TableSpec, environment: &Environment) -> Result<Self> {
        let options = Options::new(table, &INFO);
        let framing = format::framing(table)?;
        let rate_option = RateOption::new(table, &options)?;
        let interval = options.duration(super::MONITOR)?;
        // Rows after another in exactly the file's order: where the plan needs every row's
        // watermark, and where a replay should look like the original.
        let ordered = rate_option.is_some()
            || table.options.get("scan.watermark.emit.strategy").is_some_and(|s| s == "on-event");
        let directory = &environment.directory;
        let watch = Watch {
            path: absolute_path(&options, environment)?,
            pattern: listing::pattern(&options)?,
            directory: std::path::absolute(directory).unwrap_or_else(|_| directory.clone()),
            reading: Reading::new(&options, framing)?,
            striped: framing.can_start_at_newline() && !ordered && interval.is_none(),
            watched: interval.is_some(),
        };
        let (table, rate) = match rate_option {
            Some(option) => {
                let (table, rate) = Rate::new(option, table, environment.clock.clone());
                (table, Some(rate))
            }
            None => (table.clone(), None),
        };
        let shared = Shared {
            delivered: table.schema.fields().len() - rate.as_ref().map_or(0, Rate::extra),
            partitions: Partitions::of(&table, &options)?,
            framing,
            max_record_bytes: max_record_bytes(&options)?,
            rate,
            open_files: if ordered { 1 } else { OPEN_FILES },
            splits: RwLock::new(watch.look()?),
            table,
        };
        Ok(FileSource { shared: Arc::new(shared), watch, interval })
    }
}

fn max_record_bytes(options: &Options<'_>) -> Result<usize> {
    let bytes = options.bytes("source.max-line-size")?.unwrap_or(u64::MAX);
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

impl Source for FileSource {
    fn splits(&self) -> Result<Vec<Split>> {
        if self.interval.is_some() {
            self.shared.add(self.watch.look()?);
        }
        let split = |split: &Arc<FileSplit>| Split { id: split.id.clone(), offset: None };
        Ok(self.shared.splits().iter().map(split).collect())
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.interval
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn Reader>> {
        let mut reader = FileReader::new(self.shared.clone());
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

impl Shared {
    /// The splits that are known.
    fn splits(&self) -> Vec<Arc<FileSplit>> {
        // A panic elsewhere leaves the list whole.
        self.splits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds those of the splits that are new; a file that was changed since is not.
    fn add(&self, found: Vec<Arc<FileSplit>>) {
        let mut splits = self.splits.write().unwrap_or_else(PoisonError::into_inner);
        let known: BTreeSet<String> = splits.iter().map(|split| split.id.clone()).collect();
        splits.extend(found.into_iter().filter(|split| !known.contains(&split.id)));
    }

    /// The split with this number.
    pub(super) fn split(&self, number: usize) -> Arc<FileSplit> {
        self.splits.read().unwrap_or_else(PoisonError::into_inner)[number].clone()
    }

    /// The splits with these names, with their offsets.
    pub(super) fn find(&self, splits: Vec<Split>) -> Result<Vec<(usize, Option<u64>)>> {
        let all = self.splits();
        let known: BTreeMap<&str, usize> =
            all.iter().enumerate().map(|(i, split)| (split.id.as_str(), i)).collect();
        let find = |split: Split| match known.get(split.id.as_str()) {
            Some(index) => Ok((*index, split.offset)),
            None => Err(ConnectorError::Unavailable {
                message: format!("the split `{}` is no more", split.id),
                hint: Some("a file was removed or replaced since reading it began".into()),
            }),
        };
        splits.into_iter().map(find).collect()
    }

    pub(super) fn is_whole_file(&self) -> bool {
        self.framing == Framing::WholeFile
    }
}
