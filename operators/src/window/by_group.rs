//! Partials by key group: how a run is laid out, and how a part of it is found.
//!
//! Rows of a run are sorted by the key group of their key, so that after a rescale a task finds
//! its rows by bisection, and so that a pane that does not fit into memory is fired a range of key
//! groups at a time. Large runs are cut into pieces of neighbouring groups, which are read alone:
//!
//! ```text
//!  rows    a  b  c  d  e  f           order   c  f  a  e  b  d
//!  group   9  40 2  40 9  2    sort ▶         2  2  9  9  40 40
//!                                     pieces  [0..=31] [32..=63]     halves of halves of all groups
//! ```
//!
//! Pieces are cut at halves of halves, so that pieces of different epochs cover the same groups
//! and are compacted together.

use std::ops::Range;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use millstream_state::{GroupRange, KEY_GROUPS, KeyGroup};

use crate::error::Result;
use crate::key_hash::hash_keys;

/// The part that two ranges of groups share.
pub(crate) fn shared(one: GroupRange, other: GroupRange) -> GroupRange {
    GroupRange { first: one.first.max(other.first), last: one.last.min(other.last) }
}

/// The group with this number.
pub(crate) fn group(number: u16) -> KeyGroup {
    assert!(number < KEY_GROUPS, "groups are numbered from 0 to 255");
    KeyGroup::from_number(number as u8)
}

/// Number of groups in a range.
pub(crate) fn width(groups: GroupRange) -> u16 {
    groups.last.number() - groups.first.number() + 1
}

/// Sorts partials whose first columns are the keys.
#[derive(Debug)]
pub(crate) struct ByGroup {
    // PROPERTIES
    keys: usize,
    // STATE: scratch, kept to save allocations
    hashes: Vec<u64>,
}

impl ByGroup {
    /// For rows that begin with `keys` key columns.
    pub(crate) fn new(keys: usize) -> Self {
        ByGroup { keys, hashes: Vec::new() }
    }

    /// The rows in the order of their groups; nothing is moved yet.
    pub(crate) fn sort(&mut self, rows: RecordBatch) -> Result<Sorted> {
        self.hash(&rows)?;
        let group_of = |hash: &u64| usize::from(KeyGroup::of_hash(*hash).number());
        let mut ends = vec![0u32; usize::from(KEY_GROUPS) + 1];
        for hash in &self.hashes {
            ends[group_of(hash) + 1] += 1;
        }
        for number in 1..ends.len() {
            ends[number] += ends[number - 1];
        }
        let mut next = ends.clone();
        let mut order = vec![0u32; self.hashes.len()];
        for (row, hash) in self.hashes.iter().enumerate() {
            let place = &mut next[group_of(hash)];
            order[*place as usize] = row as u32;
            *place += 1;
        }
        Ok(Sorted { rows, order: UInt32Array::from(order), ends })
    }

    /// The rows of `groups` of a run that is sorted, found by bisection.
    pub(crate) fn part(&mut self, run: &RecordBatch, groups: GroupRange) -> Result<RecordBatch> {
        let from = self.first_not(run, |group| group < groups.first)?;
        let to = self.first_not(run, |group| group <= groups.last)?;
        Ok(run.slice(from, to.saturating_sub(from)))
    }

    /// The first row for whose group a condition no longer holds.
    fn first_not(&mut self, run: &RecordBatch, holds: impl Fn(KeyGroup) -> bool) -> Result<usize> {
        let (mut from, mut to) = (0, run.num_rows());
        while from < to {
            let middle = from + (to - from) / 2;
            self.hash(&run.slice(middle, 1))?;
            if holds(KeyGroup::of_hash(self.hashes[0])) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(from)
    }

    fn hash(&mut self, rows: &RecordBatch) -> Result<()> {
        let keys: Vec<&ArrayRef> = rows.columns()[..self.keys].iter().collect();
        Ok(hash_keys(&keys, rows.num_rows(), &mut self.hashes)?)
    }
}

/// Rows and their order by group.
#[derive(Debug)]
pub(crate) struct Sorted {
    rows: RecordBatch,
    order: UInt32Array,
    /// Where the rows of each group begin, and at last where all end.
    ends: Vec<u32>,
}

impl Sorted {
    /// The rows of these groups.
    pub(crate) fn part(&self, groups: GroupRange) -> Result<RecordBatch> {
        let range = self.range(groups);
        Ok(take_record_batch(&self.rows, &self.order.slice(range.start, range.len()))?)
    }

    /// All rows, cut where groups are halved until a piece has at most `most_rows` or one group.
    /// Each comes with the groups from its first to its last.
    pub(crate) fn pieces(
        &self,
        most_rows: usize,
    ) -> impl Iterator<Item = Result<(GroupRange, RecordBatch)>> {
        let mut ranges = Vec::new();
        self.halve(GroupRange::ALL, most_rows, &mut ranges);
        ranges.into_iter().map(|groups| Ok((groups, self.part(groups)?)))
    }

    fn halve(&self, groups: GroupRange, most_rows: usize, ranges: &mut Vec<GroupRange>) {
        let Some(occupied) = self.occupied(groups) else { return };
        if self.range(groups).len() <= most_rows || width(groups) == 1 {
            ranges.push(occupied);
            return;
        }
        let middle = groups.first.number() + width(groups) / 2;
        let lower = GroupRange { first: groups.first, last: group(middle - 1) };
        self.halve(lower, most_rows, ranges);
        self.halve(GroupRange { first: group(middle), last: groups.last }, most_rows, ranges);
    }

    /// From the first to the last of these groups that has a row.
    fn occupied(&self, groups: GroupRange) -> Option<GroupRange> {
        let has_rows = |number: &u16| {
            let number = usize::from(*number);
            self.ends[number] < self.ends[number + 1]
        };
        let numbers = groups.first.number()..=groups.last.number();
        let first = numbers.clone().find(has_rows)?;
        let last = numbers.rev().find(has_rows)?;
        Some(GroupRange { first: group(first), last: group(last) })
    }

    fn range(&self, groups: GroupRange) -> Range<usize> {
        let at = |number: u16| self.ends[usize::from(number)] as usize;
        at(groups.first.number())..at(groups.last.number() + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::compute::concat_batches;
    use arrow::datatypes::Int64Type;

    use super::*;

    fn keys(keys: impl IntoIterator<Item = i64>) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(keys));
        RecordBatch::try_from_iter([("k", column)]).expect("one column")
    }

    fn values(rows: &RecordBatch) -> Vec<i64> {
        let mut values = rows.column(0).as_primitive::<Int64Type>().values().to_vec();
        values.sort_unstable();
        values
    }

    #[test]
    fn every_row_is_in_the_part_of_its_group_and_in_one_piece() {
        let rows = keys(0..10_000);
        let mut by_group = ByGroup::new(1);
        let sorted = by_group.sort(rows.clone()).expect("sorted");
        let run = sorted.part(GroupRange::ALL).expect("all");
        let mut found = Vec::new();
        for number in 0..KEY_GROUPS {
            let only = GroupRange { first: group(number), last: group(number) };
            let part = by_group.part(&run, only).expect("part");
            assert_eq!(part, sorted.part(only).expect("part"));
            by_group.hash(&part).expect("hashes");
            assert!(by_group.hashes.iter().all(|hash| KeyGroup::of_hash(*hash) == group(number)));
            found.push(part);
        }
        assert_eq!(values(&concat_batches(&rows.schema(), &found).expect("rows")), values(&rows));

        let pieces = sorted.pieces(1000).collect::<Result<Vec<_>>>().expect("pieces");
        assert_eq!(pieces.len(), 16);
        for (groups, piece) in &pieces {
            assert!(piece.num_rows() <= 1000);
            assert_eq!(&by_group.part(&run, *groups).expect("part"), piece);
        }
        assert_eq!(sorted.pieces(10_000).count(), 1);
        let one = by_group.sort(keys(std::iter::repeat_n(7, 50))).expect("sorted");
        assert_eq!(one.pieces(10).count(), 1, "a group is not cut");
    }

    #[test]
    fn rows_without_keys_are_of_one_group() {
        let mut by_group = ByGroup::new(0);
        let sorted = by_group.sort(keys([1, 2, 3])).expect("sorted");
        let pieces = sorted.pieces(2).collect::<Result<Vec<_>>>().expect("pieces");
        assert_eq!((pieces.len(), pieces[0].1.num_rows()), (1, 3));
    }
}
