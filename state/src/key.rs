//! Key hash → key group → subtask.
//!
//! Keys are spread over [`KEY_GROUPS`] groups once and for all; a subtask owns a contiguous range
//! of groups. A rescale moves whole groups and never looks at a key again, so the laws are:
//!
//! 1. the group of a key depends on the key's hash alone, not on the parallelism;
//! 2. every group has exactly one owner at any parallelism from 1 to `KEY_GROUPS`;
//! 3. owners are monotone in the group: subtask ranges are contiguous and in order.

/// Number of key groups of every job: the highest useful parallelism of a keyed stage.
pub const KEY_GROUPS: u16 = 256;

/// A fixed range of key hashes: the unit of state ownership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyGroup(u16);

impl KeyGroup {
    /// The group of a key with this hash. The high bits decide: hash tables use the low ones, and
    /// a subtask's tables would fill badly if all their keys agreed in those.
    pub const fn of_hash(hash: u64) -> Self {
        KeyGroup((hash >> 56) as u16)
    }

    /// The first group: that of state that has no key.
    pub const FIRST: KeyGroup = KeyGroup(0);

    /// The group with this number, which is taken modulo [`KEY_GROUPS`].
    pub const fn from_number(number: u8) -> Self {
        KeyGroup(number as u16)
    }

    /// The group's number, `0..KEY_GROUPS`.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The subtask (`0..parallelism`) that owns this group.
    ///
    /// # Panics
    /// If `parallelism` is zero.
    pub fn owner(self, parallelism: usize) -> usize {
        assert!(parallelism > 0, "a stage has at least one subtask");
        self.0 as usize * parallelism.min(KEY_GROUPS as usize) / KEY_GROUPS as usize
    }
}

/// A contiguous range of key groups, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupRange {
    /// First group.
    pub first: KeyGroup,
    /// Last group.
    pub last: KeyGroup,
}

impl GroupRange {
    /// All groups.
    pub const ALL: GroupRange = GroupRange { first: KeyGroup(0), last: KeyGroup(KEY_GROUPS - 1) };

    /// The groups that subtask `subtask` of `parallelism` owns; none if there are more subtasks
    /// than groups.
    pub fn owned(subtask: usize, parallelism: usize) -> Option<Self> {
        let owned = |group: &u16| KeyGroup(*group).owner(parallelism) == subtask;
        let first = (0..KEY_GROUPS).find(owned)?;
        let last = (0..KEY_GROUPS).rev().find(owned)?;
        Some(GroupRange { first: KeyGroup(first), last: KeyGroup(last) })
    }

    /// True if the group is in the range.
    pub fn contains(self, group: KeyGroup) -> bool {
        self.first <= group && group <= self.last
    }

    /// True if the ranges share a group.
    pub fn overlaps(self, other: GroupRange) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// True if every group of `other` is in this range.
    pub fn covers(self, other: GroupRange) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_one_owner_and_ranges_are_contiguous() {
        for parallelism in [1, 2, 3, 4, 7, 255, 256, 1000] {
            let owners: Vec<usize> =
                (0..KEY_GROUPS).map(|group| KeyGroup(group).owner(parallelism)).collect();
            assert!(owners.is_sorted(), "parallelism {parallelism}");
            assert_eq!(owners[0], 0);
            assert_eq!(owners[255], parallelism.min(256) - 1);
        }
    }
}
