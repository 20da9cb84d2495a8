//! A batch: Arrow rows, and for changelogs the kind of each row.

use arrow::array::{Array, BooleanArray, Int8Array, RecordBatch};
use arrow::compute::{filter, filter_record_batch};
use arrow::error::ArrowError;

/// What a row does to the table that the stream describes (Flink's `RowKind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i8)]
pub enum RowKind {
    /// `+I`: a new row.
    Insert = 0,
    /// `-U`: takes back the old version of an updated row.
    UpdateBefore = 1,
    /// `+U`: the new version of an updated row.
    UpdateAfter = 2,
    /// `-D`: takes a row back for good.
    Delete = 3,
}

impl RowKind {
    /// The kind with this number, as stored in [`Batch::kinds`].
    pub fn from_i8(kind: i8) -> Option<RowKind> {
        match kind {
            0 => Some(RowKind::Insert),
            1 => Some(RowKind::UpdateBefore),
            2 => Some(RowKind::UpdateAfter),
            3 => Some(RowKind::Delete),
            _ => None,
        }
    }

    /// The kind that Flink writes as `+I`, `-U`, `+U` or `-D`.
    pub fn parse(text: &str) -> Option<RowKind> {
        match text {
            "+I" => Some(RowKind::Insert),
            "-U" => Some(RowKind::UpdateBefore),
            "+U" => Some(RowKind::UpdateAfter),
            "-D" => Some(RowKind::Delete),
            _ => None,
        }
    }

    /// `+I`, `-U`, `+U` or `-D`.
    pub fn as_str(self) -> &'static str {
        match self {
            RowKind::Insert => "+I",
            RowKind::UpdateBefore => "-U",
            RowKind::UpdateAfter => "+U",
            RowKind::Delete => "-D",
        }
    }
}

/// Rows on an edge.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The columns, as the edge's schema says.
    pub rows: RecordBatch,
    /// [`RowKind`] of each row as its number, without nulls; `None` means that all are inserts.
    pub kinds: Option<Int8Array>,
}

impl Batch {
    /// A batch of inserts.
    pub fn inserts(rows: RecordBatch) -> Self {
        Batch { rows, kinds: None }
    }

    /// Number of rows.
    pub fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    /// The kind of row `row`.
    ///
    /// # Panics
    /// If `row` is out of range.
    pub fn kind(&self, row: usize) -> RowKind {
        match &self.kinds {
            None => RowKind::Insert,
            Some(kinds) => RowKind::from_i8(kinds.value(row)).expect("kinds hold RowKind numbers"),
        }
    }

    /// The same rows with other columns; kinds stay with their rows.
    pub fn with_rows(&self, rows: RecordBatch) -> Self {
        assert_eq!(rows.num_rows(), self.num_rows(), "kinds belong to rows");
        Batch { rows, kinds: self.kinds.clone() }
    }

    /// Rows `offset..offset + length`, without copying.
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        let kinds = self.kinds.as_ref().map(|kinds| kinds.slice(offset, length));
        Batch { rows: self.rows.slice(offset, length), kinds }
    }

    /// The rows for which `keep` is true (null counts as false).
    pub fn filter(&self, keep: &BooleanArray) -> Result<Self, ArrowError> {
        let rows = filter_record_batch(&self.rows, keep)?;
        let kinds = match &self.kinds {
            None => None,
            Some(kinds) => Some(Int8Array::from(filter(kinds, keep)?.to_data())),
        };
        Ok(Batch { rows, kinds })
    }
}
