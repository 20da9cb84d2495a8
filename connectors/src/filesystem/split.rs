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

use std::collections::BTreeMap;
use std::sync::Arc;

use super::listing::{self, FileEntry};
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
    /// Which stripe this is, of how many; 0 of 1 is the whole file.
    pub(super) stripe: u64,
    pub(super) stripes: u64,
}

/// A table over files.
pub(super) struct FileSource {
    shared: SharedRef,
}

impl FileSource {
    pub(super) fn open(table: &TableSpec, environment: &Environment) -> Result<Self> {
        let options = Options::new(table, &INFO);
        let path = absolute_path(&options, environment)?;
        let files = listing::list(&path, listing::pattern(&options)?.as_ref())?;
        let framing = format::framing(table)?;
        let rate_option = RateOption::new(table, &options)?;
        // Rows after another in exactly the file's order: where the plan needs every row's
        // watermark, and where a replay should look like the original.
        let ordered = rate_option.is_some()
            || table.options.get("scan.watermark.emit.strategy").is_some_and(|s| s == "on-event");
        let striped = framing.can_start_at_newline() && !ordered;
        let mut splits = Vec::new();
        for file in files {
            let large = file.size_bytes > LARGE_BYTES;
            let stripes = if striped && large { STRIPES } else { 1 };
            cut(Arc::new(file), stripes, environment, &mut splits);
        }
        let (table, rate) = match rate_option {
            Some(option) => {
                let (table, rate) = Rate::new(option, table, environment.clock.clone());
                (table, Some(rate))
            }
            None => (table.clone(), None),
        };
        Ok(FileSource {
            shared: Arc::new(Shared {
                delivered: table.schema.fields().len() - rate.as_ref().map_or(0, Rate::extra),
                table,
                framing,
                max_record_bytes: max_record_bytes(&options)?,
                rate,
                open_files: if ordered { 1 } else { OPEN_FILES },
                splits,
            }),
        })
    }
}

fn cut(file: Arc<FileEntry>, stripes: u64, env: &Environment, splits: &mut Vec<FileSplit>) {
    let directory = std::path::absolute(&env.directory).unwrap_or_else(|_| env.directory.clone());
    let path = file.path.strip_prefix(directory).unwrap_or(&file.path).display().to_string();
    for stripe in 0..stripes {
        let id = if stripes == 1 { path.clone() } else { format!("{path}#{stripe}/{stripes}") };
        splits.push(FileSplit { id, file: file.clone(), stripe, stripes });
    }
}

fn max_record_bytes(options: &Options<'_>) -> Result<usize> {
    let bytes = options.bytes("source.max-line-size")?.unwrap_or(u64::MAX);
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

impl Source for FileSource {
    fn splits(&self) -> Result<Vec<Split>> {
        let splits = self.shared.splits.iter();
        Ok(splits.map(|split| Split { id: split.id.clone(), offset: None }).collect())
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn Reader>> {
        let mut reader = FileReader::new(self.shared.clone());
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

impl Shared {
    /// The splits with these names, with their offsets.
    pub(super) fn find(&self, splits: Vec<Split>) -> Result<Vec<(usize, Option<u64>)>> {
        let known: BTreeMap<&str, usize> =
            self.splits.iter().enumerate().map(|(i, split)| (split.id.as_str(), i)).collect();
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
