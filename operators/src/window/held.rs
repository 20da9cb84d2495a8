//! What is held in memory of one pane.

use arrow::array::RecordBatch;

use crate::aggregate::GroupTable;

/// What is held of a pane beside its runs in the store.
#[derive(Default)]
pub(crate) struct Held {
    /// Rows of this epoch: neither in the base nor in a run.
    pub delta: Option<GroupTable>,
    /// Partials that were sealed in this epoch: part of the base, but in no run yet.
    pub unwritten: Vec<RecordBatch>,
    /// Runs and unwritten partials, merged.
    pub base: Base,
    /// What all of this takes, as of the last [`Held::measure`].
    pub size: Size,
}

/// The rows of a pane that are not in its delta.
#[derive(Default)]
pub(crate) enum Base {
    /// There are none.
    #[default]
    Empty,
    /// Merged, and still being filled.
    Table(GroupTable),
    /// Sealed: partials that windows share.
    Sealed(Vec<RecordBatch>),
    /// Not in memory: to be read from the runs when a window fires.
    Stored,
}

/// Keys and bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub keys: usize,
    pub bytes: usize,
}

impl Size {
    pub(crate) fn add(&mut self, other: Size) {
        self.keys += other.keys;
        self.bytes += other.bytes;
    }

    pub(crate) fn remove(&mut self, other: Size) {
        self.keys -= other.keys;
        self.bytes -= other.bytes;
    }

    fn of_table(table: &GroupTable) -> Self {
        Size { keys: table.len(), bytes: table.bytes() }
    }

    fn of_partials(partials: &[RecordBatch]) -> Self {
        Size {
            keys: partials.iter().map(RecordBatch::num_rows).sum(),
            bytes: partials.iter().map(RecordBatch::get_array_memory_size).sum(),
        }
    }
}

impl Held {
    /// A pane that only the store has.
    pub(crate) fn stored() -> Self {
        Held { base: Base::Stored, ..Held::default() }
    }

    /// Measures anew; `stored_rows` counts the rows of the runs.
    pub(crate) fn measure(&mut self, stored_rows: impl FnOnce() -> usize) {
        let unwritten = Size::of_partials(&self.unwritten);
        let mut size = match &self.base {
            Base::Empty => Size::default(),
            Base::Table(table) => Size::of_table(table),
            Base::Sealed(partials) => Size::of_partials(partials),
            Base::Stored => Size { keys: stored_rows() + unwritten.keys, bytes: 0 },
        };
        size.bytes += unwritten.bytes;
        if let Some(delta) = &self.delta {
            size.add(Size::of_table(delta));
        }
        self.size = size;
    }
}
