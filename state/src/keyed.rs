//! Keyed tables: a row of bytes for each key, with hot rows in memory and rows that expire.
//!
//! ```text
//!  get ──▶ hot rows ──▶ what this task wrote and is not applied ──▶ StateStore
//!  put ──▶ hot rows and what this task wrote; many writes of a key in an epoch are one at its end
//! ```
//!
//! With a time to live, a row expires when the watermark reaches the latest event time it was
//! written with plus that time: it is not seen from that watermark on, and deleted by
//! [`KeyedTable::advance`]. Stored bytes of a row then are the moment it expires, 8 bytes
//! big-endian with the sign bit flipped, and the value; without one they are the value. Which rows
//! are due is known by [`Timers`] in a table of the same name with `.expiry` behind it: one a row,
//! set when the row appears and, if the row lives longer by then, set anew when it fires. So a row
//! that is written a thousand times costs two timers, not a thousand.

use std::collections::HashMap;

use crate::budget::MemoryUse;
use crate::error::{Result, StateError};
use crate::handle::lock;
use crate::key::GroupRange;
use crate::rocks::keys::{moment, read_moment};
use crate::task::SharedState;
use crate::{EventTime, MemoryBudget, RowKey, TableId, Timers};

/// Rows that are deleted at a time.
const CHUNK: usize = 1024;
/// Bytes of hot rows, unless told.
const HOT_BYTES: u64 = 16 << 20;
/// Bytes of a hot row besides its key and value.
const ROW_BYTES: u64 = 96;

/// Rows of bytes by key.
pub struct KeyedTable {
    // PROPERTIES
    table: TableId,
    state: SharedState,
    // STATE
    hot: HotRows,
    expiry: Option<Expiry>,
}

struct Expiry {
    ttl_ms: i64,
    timers: Timers,
    watermark: EventTime,
}

impl KeyedTable {
    /// The handle of `table`, whose rows live until they are deleted.
    pub fn new(state: SharedState, table: TableId) -> Self {
        let hot = HotRows::new(HOT_BYTES, MemoryUse::new(MemoryBudget::unlimited()));
        KeyedTable { table, state, hot, expiry: None }
    }

    /// The same, with rows of the groups `groups` that expire `ttl_ms` milliseconds of event time
    /// after they were last written. A table has a time to live for good or never.
    pub fn with_ttl(mut self, groups: GroupRange, ttl_ms: i64) -> Self {
        let timers = TableId::from_full_name(format!("{}.expiry", self.table.as_str()));
        let timers = Timers::new(self.state.clone(), timers, groups);
        self.expiry = Some(Expiry { ttl_ms, timers, watermark: EventTime::MIN });
        self
    }

    /// The same, with up to `bytes` of hot rows, which are reported to `memory`. While the budget
    /// is exceeded, half as many are kept.
    pub fn with_hot_rows(mut self, bytes: u64, memory: MemoryUse) -> Self {
        self.hot = HotRows::new(bytes, memory);
        self
    }

    /// The values of these rows, in the order of `keys`; `None` for rows that there are not.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn get_many(&mut self, keys: &[RowKey]) -> Result<Vec<Option<Vec<u8>>>> {
        let rows = self.read_many(keys)?;
        rows.into_iter().map(|row| self.visible(row)).collect()
    }

    /// The value of a row.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn get(&mut self, key: &RowKey) -> Result<Option<Vec<u8>>> {
        Ok(self.get_many(std::slice::from_ref(key))?.pop().flatten())
    }

    /// Replaces a row. `at` is the event time of the write, from which its time to live counts; a
    /// write that is older than the last does not shorten its life.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn put(&mut self, key: RowKey, value: &[u8], at: EventTime) -> Result<()> {
        let Some(ttl_ms) = self.expiry.as_ref().map(|expiry| expiry.ttl_ms) else {
            self.write(key, Some(value.to_vec()));
            return Ok(());
        };
        let mut expires = EventTime::from_ms(at.as_ms().saturating_add(ttl_ms));
        let old = self.read_many(std::slice::from_ref(&key))?.pop().flatten();
        let expiry = self.expiry.as_mut().expect("there is a time to live");
        if expires <= expiry.watermark && old.is_none() {
            return Ok(());
        }
        match old {
            Some(old) => expires = expires.max(read_expiry(&self.table, &old)?.0),
            None => expiry.timers.set(&key, expires)?,
        }
        self.write(key, Some([&moment(expires)[..], value].concat()));
        Ok(())
    }

    /// Deletes a row.
    pub fn delete(&mut self, key: RowKey) {
        self.write(key, None);
    }

    /// Up to `limit` rows of `groups` behind `after`, in key order.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn scan(
        &mut self,
        groups: GroupRange,
        after: Option<&RowKey>,
        limit: usize,
    ) -> Result<Vec<(RowKey, Vec<u8>)>> {
        let (mut found, mut after) = (Vec::new(), after.cloned());
        loop {
            let page = lock(&self.state).scan(&self.table, groups, after.as_ref(), limit)?;
            let is_last = page.len() < limit;
            for (key, row) in page {
                after = Some(key.clone());
                if let Some(value) = self.visible(Some(row))? {
                    found.push((key, value));
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    /// Takes up the watermark: rows that expire by it are not seen any more, and are deleted.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn advance(&mut self, watermark: EventTime) -> Result<()> {
        let Some(expiry) = &mut self.expiry else { return Ok(()) };
        expiry.watermark = expiry.watermark.max(watermark);
        loop {
            let Some(expiry) = &mut self.expiry else { return Ok(()) };
            let watermark = expiry.watermark;
            let due = expiry.timers.take_due(watermark, CHUNK)?;
            let keys: Vec<RowKey> = due.into_iter().map(|due| due.key).collect();
            let count = keys.len();
            let rows = lock(&self.state).get_many(&self.table, &keys)?;
            for (key, row) in keys.into_iter().zip(rows) {
                let Some(row) = row else { continue };
                let (expires, _) = read_expiry(&self.table, &row)?;
                match &mut self.expiry {
                    Some(expiry) if expires > watermark => expiry.timers.set(&key, expires)?,
                    _ => {
                        self.hot.forget(&key);
                        lock(&self.state).put(&self.table, key, None);
                    }
                }
            }
            if count < CHUNK {
                return Ok(());
            }
        }
    }

    /// Stored rows.
    fn read_many(&mut self, keys: &[RowKey]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut rows: Vec<Option<Option<Vec<u8>>>> =
            keys.iter().map(|key| self.hot.get(key)).collect();
        let is_cold = |(key, row): (&RowKey, &Option<_>)| row.is_none().then(|| key.clone());
        let cold: Vec<RowKey> = keys.iter().zip(&rows).filter_map(is_cold).collect();
        if !cold.is_empty() {
            let read = lock(&self.state).get_many(&self.table, &cold)?;
            let places = rows.iter_mut().filter(|row| row.is_none());
            for ((place, key), row) in places.zip(cold).zip(read) {
                self.hot.put(key, row.clone());
                *place = Some(row);
            }
        }
        Ok(rows.into_iter().map(Option::flatten).collect())
    }

    fn write(&mut self, key: RowKey, row: Option<Vec<u8>>) {
        self.hot.put(key.clone(), row.clone());
        lock(&self.state).put(&self.table, key, row);
    }

    /// The value of a stored row, unless it has expired.
    fn visible(&self, row: Option<Vec<u8>>) -> Result<Option<Vec<u8>>> {
        let Some(mut row) = row else { return Ok(None) };
        let Some(expiry) = &self.expiry else { return Ok(Some(row)) };
        let (expires, value_at) = read_expiry(&self.table, &row)?;
        let is_visible = expires > expiry.watermark;
        Ok(is_visible.then(|| row.split_off(value_at)))
    }
}

/// When a stored row expires, and where its value begins.
fn read_expiry(table: &TableId, row: &[u8]) -> Result<(EventTime, usize)> {
    let expires = row.get(..8).and_then(read_moment);
    let expires = expires.ok_or_else(|| StateError::Corrupt {
        table: table.as_str().to_owned(),
        reason: format!("a row that expires has at least 8 bytes, found {}", row.len()),
    })?;
    Ok((expires, 8))
}

/// Rows in memory, also such that are known not to be; the ones not used for longest leave first.
///
/// Two generations: when the young one is full it becomes the old one, and what was old is
/// forgotten. A row that is used in time becomes young again. That is as good as a list of uses
/// for rows that are hot, and costs nothing at a use.
struct HotRows {
    limit_bytes: u64,
    memory: MemoryUse,
    young: HashMap<RowKey, Option<Vec<u8>>>,
    old: HashMap<RowKey, Option<Vec<u8>>>,
    young_bytes: u64,
    old_bytes: u64,
}

impl HotRows {
    fn new(limit_bytes: u64, memory: MemoryUse) -> Self {
        let (young, old) = (HashMap::new(), HashMap::new());
        HotRows { limit_bytes, memory, young, old, young_bytes: 0, old_bytes: 0 }
    }

    fn get(&mut self, key: &RowKey) -> Option<Option<Vec<u8>>> {
        if let Some(row) = self.young.get(key) {
            return Some(row.clone());
        }
        let row = self.old.remove(key)?;
        self.put(key.clone(), row.clone());
        Some(row)
    }

    fn put(&mut self, key: RowKey, row: Option<Vec<u8>>) {
        self.old.remove(&key);
        let bytes = row_bytes(&key, &row);
        let key_bytes = key.key.len() as u64 + ROW_BYTES;
        self.young_bytes += bytes;
        if let Some(replaced) = self.young.insert(key, row) {
            self.young_bytes -= key_bytes + replaced.map_or(0, |row| row.len() as u64);
        }
        let share = if self.memory.is_over() { 4 } else { 2 };
        if self.young_bytes > self.limit_bytes / share {
            self.old = std::mem::take(&mut self.young);
            self.old_bytes = std::mem::take(&mut self.young_bytes);
        }
        self.memory.set(self.young_bytes + self.old_bytes);
    }

    fn forget(&mut self, key: &RowKey) {
        self.old.remove(key);
        if let Some(row) = self.young.remove(key) {
            self.young_bytes -= row_bytes(key, &row);
        }
    }
}

fn row_bytes(key: &RowKey, row: &Option<Vec<u8>>) -> u64 {
    key.key.len() as u64 + ROW_BYTES + row.as_ref().map_or(0, |row| row.len() as u64)
}
