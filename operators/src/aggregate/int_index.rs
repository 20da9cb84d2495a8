//! Integers to dense ids: the hash table on the path of every row.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::hash::BuildHasher;

use super::accumulator::is_oversized;

/// Different integers, numbered in order of arrival.
///
/// The table's entries hold the integers themselves: to find one touches one cache line, where
/// entries that point into `keys` would touch two. Hashes are seeded at random, since whoever
/// writes the input chooses the keys; ids do not depend on them.
#[derive(Default)]
pub(super) struct IntIndex {
    hasher: RandomState,
    entries: HashTable<(i64, u32)>,
    keys: Vec<i64>,
}

impl IntIndex {
    /// Number of ids.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The integers in the order of their ids.
    pub fn keys(&self) -> &[i64] {
        &self.keys
    }

    /// The id of `key`.
    #[inline]
    pub fn intern(&mut self, key: i64) -> u32 {
        let hasher = &self.hasher;
        let hash = hasher.hash_one(key);
        let entry =
            self.entries.entry(hash, |entry| entry.0 == key, |entry| hasher.hash_one(entry.0));
        match entry {
            Entry::Occupied(entry) => entry.get().1,
            Entry::Vacant(entry) => {
                let id = self.keys.len() as u32;
                self.keys.push(key);
                entry.insert((key, id));
                id
            }
        }
    }

    /// Appends the id of each key.
    pub fn intern_all(&mut self, keys: &[i64], ids: &mut Vec<u32>) {
        ids.reserve(keys.len());
        for &key in keys {
            let hash = self.hasher.hash_one(key);
            // `find` before `entry`: most keys are known, and `entry` makes room first.
            let id = match self.entries.find(hash, |entry| entry.0 == key) {
                Some(entry) => entry.1,
                None => self.intern(key),
            };
            ids.push(id);
        }
    }

    /// A new id that no integer leads to (the caller's null); its key reads as 0.
    pub fn push_unindexed(&mut self) -> u32 {
        self.keys.push(0);
        (self.keys.len() - 1) as u32
    }

    /// Forgets all keys; keeps the memory unless it is far more than was used.
    pub fn clear(&mut self) {
        let used = self.keys.len();
        self.entries.clear();
        self.keys.clear();
        if is_oversized(self.entries.capacity(), used) {
            let hasher = &self.hasher;
            self.entries.shrink_to(used, |entry| hasher.hash_one(entry.0));
            self.keys.shrink_to(used);
        }
    }

    /// Allocated memory in bytes.
    pub fn bytes(&self) -> usize {
        self.entries.allocation_size() + self.keys.capacity() * size_of::<i64>()
    }
}

/// Two ids as one integer, to be interned in turn.
#[inline(always)]
pub(super) fn pack(first: u32, second: u32) -> i64 {
    (u64::from(first) << 32 | u64::from(second)) as i64
}

/// The two ids in a packed integer.
#[inline(always)]
pub(super) fn unpack(packed: i64) -> (u32, u32) {
    ((packed as u64 >> 32) as u32, packed as u32)
}
