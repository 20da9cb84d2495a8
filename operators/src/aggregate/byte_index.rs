//! Byte strings to dense ids: strings, and rows of composite keys.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::accumulator::is_oversized;

/// Different byte strings, numbered in order of arrival and stored one behind the other.
#[derive(Default)]
pub(super) struct ByteIndex {
    hasher: RandomState,
    entries: HashTable<ByteEntry>,
    /// String `id` is `data[ends[id - 1]..ends[id]]`.
    ends: Vec<usize>,
    data: Vec<u8>,
}

/// Where a string is; with its hash, so that a mismatch is seen without reading the string.
#[derive(Clone, Copy)]
struct ByteEntry {
    hash: u64,
    id: u32,
}

impl ByteIndex {
    /// Number of ids.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of `id`.
    ///
    /// # Panics
    /// If there is no such id.
    pub fn get(&self, id: usize) -> &[u8] {
        &self.data[start(&self.ends, id)..self.ends[id]]
    }

    /// Appends the id of each of `rows` strings; `bytes(row)` is one of them.
    ///
    /// In two passes. The first takes the string with the same 64-bit hash for the same string, and
    /// so reads no strings; the second reads and compares them, each independent of the next. The
    /// processor has then many cache misses under way at a time instead of one.
    pub fn intern_all<'a>(
        &mut self,
        rows: usize,
        bytes: impl Fn(usize) -> &'a [u8],
        ids: &mut Vec<u32>,
    ) {
        let first = ids.len();
        ids.reserve(rows);
        for row in 0..rows {
            let hash = self.hash(bytes(row));
            let id = match self.entries.find(hash, |entry| entry.hash == hash) {
                Some(entry) => entry.id,
                None => self.intern(bytes(row)),
            };
            ids.push(id);
        }
        for (row, id) in ids[first..].iter_mut().enumerate() {
            let bytes = bytes(row);
            if self.get(*id as usize) != bytes {
                *id = self.intern(bytes);
            }
        }
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    /// The id of `bytes`.
    fn intern(&mut self, bytes: &[u8]) -> u32 {
        let hash = self.hash(bytes);
        let (ends, data) = (&self.ends, &self.data);
        let is_same = |entry: &ByteEntry| {
            let id = entry.id as usize;
            entry.hash == hash && &data[start(ends, id)..ends[id]] == bytes
        };
        match self.entries.entry(hash, is_same, |entry| entry.hash) {
            Entry::Occupied(entry) => entry.get().id,
            Entry::Vacant(entry) => {
                let id = self.ends.len() as u32;
                entry.insert(ByteEntry { hash, id });
                self.data.extend_from_slice(bytes);
                self.ends.push(self.data.len());
                id
            }
        }
    }

    /// A new id that no bytes lead to (the caller's null); it reads as empty.
    pub fn push_unindexed(&mut self) -> u32 {
        self.ends.push(self.data.len());
        (self.ends.len() - 1) as u32
    }

    /// All strings in the form of Arrow: `len() + 1` offsets from 0, and the bytes between them.
    pub fn offsets_and_data(&self) -> (Vec<usize>, &[u8]) {
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.extend_from_slice(&self.ends);
        (offsets, &self.data)
    }

    /// Forgets all strings; keeps the memory unless it is far more than was used.
    pub fn clear(&mut self) {
        let (used, used_bytes) = (self.ends.len(), self.data.len());
        self.entries.clear();
        self.ends.clear();
        self.data.clear();
        if is_oversized(self.entries.capacity(), used) {
            self.entries.shrink_to(used, |entry| entry.hash);
            self.ends.shrink_to(used);
        }
        if is_oversized(self.data.capacity(), used_bytes) {
            self.data.shrink_to(used_bytes);
        }
    }

    /// Allocated memory in bytes.
    pub fn bytes(&self) -> usize {
        self.entries.allocation_size()
            + self.ends.capacity() * size_of::<usize>()
            + self.data.capacity()
    }
}

/// Where string `id` starts.
fn start(ends: &[usize], id: usize) -> usize {
    if id == 0 { 0 } else { ends[id - 1] }
}
