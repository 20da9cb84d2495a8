//! Windows whose partials are not all in memory: fired a range of key groups at a time.
//!
//! ```text
//!  groups        0 … 40        41 … 90       91 … 255      as many as fit into a part of the budget
//!  in memory     ▪▪▪▪▪▪        ▪▪▪           ▪▪▪▪▪
//!  runs          ▪▪▪▪▪▪▪▪      ▪▪▪▪▪▪        ▪▪▪▪▪▪▪▪▪
//!                merge, emit   merge, emit   merge, emit
//! ```
//!
//! A key is in one group, so each range is a whole part of the window's result.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use millstream_state::{GroupRange, KEY_GROUPS};

use super::by_group::{Sorted, group, shared, width};
use super::open::OpenPanes;
use super::pane::Pane;
use crate::aggregate::GroupTable;
use crate::error::Result;

/// A table takes about so many times the bytes of the partials in it, its results included.
const BYTES_OF_TABLE: u64 = 4;

/// Where the rows of a window are.
#[derive(Default)]
pub(crate) struct Scattered {
    /// Those in memory.
    pub partials: Vec<RecordBatch>,
    /// Panes whose runs have the others.
    pub panes: Vec<Pane>,
}

/// The parts of a window that have not been merged yet.
pub(crate) struct Parts {
    memory: Memory,
    panes: Vec<Pane>,
    ranges: VecDeque<GroupRange>,
}

/// The rows in memory. Only several parts are worth sorting for.
enum Memory {
    Whole(Vec<RecordBatch>),
    Sorted(Vec<Sorted>),
}

impl Parts {
    /// Plans the parts of a window.
    pub(crate) fn new(window: Scattered, open: &mut OpenPanes) -> Result<Self> {
        let ranges = ranges(&window, open);
        let memory = if ranges.len() == 1 {
            Memory::Whole(window.partials)
        } else {
            let by_group = open.stored().by_group();
            let sorted = window.partials.into_iter().map(|partials| by_group.sort(partials));
            Memory::Sorted(sorted.collect::<Result<_>>()?)
        };
        Ok(Parts { memory, panes: window.panes, ranges })
    }

    /// Merges the next part.
    pub(crate) fn next(&mut self, open: &mut OpenPanes) -> Result<Option<GroupTable>> {
        let Some(groups) = self.ranges.pop_front() else { return Ok(None) };
        let mut table = match &mut self.memory {
            Memory::Whole(partials) => open.tables.table_of(&std::mem::take(partials))?,
            Memory::Sorted(sorted) => {
                let parts = sorted.iter().map(|partials| partials.part(groups));
                open.tables.table_of(&parts.collect::<Result<Vec<_>>>()?)?
            }
        };
        for pane in &self.panes {
            let (stored, tables) = open.stored_and_tables();
            stored.each_run(*pane, groups, |run| tables.add(&mut table, run))?;
        }
        Ok(Some(table))
    }
}

/// Ranges of groups whose tables each fit into a part of the budget, as far as can be told: the
/// rows of a run are taken to be spread evenly over its groups.
fn ranges(window: &Scattered, open: &mut OpenPanes) -> VecDeque<GroupRange> {
    let most_bytes = open.part_bytes() / BYTES_OF_TABLE;
    let owned = open.stored().owned();
    let mut bytes_of_group = vec![0; usize::from(KEY_GROUPS)];
    let mut spread = |bytes: u64, groups: GroupRange| {
        let each = bytes / u64::from(width(groups));
        let own = shared(groups, owned);
        for number in own.first.number()..=own.last.number() {
            bytes_of_group[usize::from(number)] += each;
        }
    };
    for partials in &window.partials {
        spread(partials.get_array_memory_size() as u64, owned);
    }
    for run in window.panes.iter().flat_map(|pane| open.stored().known(*pane).to_vec()) {
        spread(run.bytes, run.groups);
    }
    let mut ranges = VecDeque::new();
    let (mut first, mut bytes) = (owned.first, 0);
    for number in owned.first.number()..=owned.last.number() {
        let more = bytes_of_group[usize::from(number)];
        if bytes > 0 && bytes + more > most_bytes {
            ranges.push_back(GroupRange { first, last: group(number - 1) });
            (first, bytes) = (group(number), 0);
        }
        bytes += more;
    }
    ranges.push_back(GroupRange { first, last: owned.last });
    ranges
}
