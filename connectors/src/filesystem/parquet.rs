//! A Parquet file as a split: its offset is the number of rows before it.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::listing::FileEntry;
use super::split::FileSplit;
use crate::TableSpec;
use crate::error::Result;
use crate::format::parquet::{self, INFO, ParquetRows};
use crate::format::{FormatOptions, payload_schema};

/// Whether the options of the format are right.
pub(super) fn check(table: &TableSpec) -> Result<()> {
    let options = FormatOptions::new(&INFO, "", &table.options)?;
    options.one_of("parquet.compression", &["SNAPPY", "ZSTD", "UNCOMPRESSED"]).map(drop)
}

/// Reads the rows of one file.
pub(super) struct ParquetSplit {
    entry: Arc<FileEntry>,
    rows: ParquetRows,
    /// Rows before the next one.
    position: u64,
    /// Rows that were read already, and are to be passed over.
    to_skip: u64,
}

impl ParquetSplit {
    pub(super) fn open(split: &FileSplit, offset: Option<u64>, table: &TableSpec) -> Result<Self> {
        let rows = parquet::read(&split.file.path, &payload_schema(table))?;
        let position = offset.unwrap_or(0);
        Ok(ParquetSplit { entry: split.file.clone(), rows, position, to_skip: position })
    }

    pub(super) fn file(&self) -> &FileEntry {
        &self.entry
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Rows that are left in the file.
    pub(super) fn left(&self) -> u64 {
        self.rows.total().saturating_sub(self.position)
    }

    /// The next rows; `None` at the end.
    pub(super) fn read_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let Some(batch) = self.rows.next() else { return Ok(None) };
            let batch = batch?;
            let skip = usize::try_from(self.to_skip).unwrap_or(usize::MAX).min(batch.num_rows());
            self.to_skip -= skip as u64;
            if skip < batch.num_rows() {
                self.position += (batch.num_rows() - skip) as u64;
                return Ok(Some(batch.slice(skip, batch.num_rows() - skip)));
            }
        }
    }
}
