//! Timers of keys in event time: what an operator wants to be reminded of.
//!
//! A timer is a row of a table, so it comes back after a restart as it was, and fires in the same
//! order: by moment, key group and key. Stored bytes, within the group: the moment, 8 bytes
//! big-endian with its sign bit flipped, then the key; no value.
//!
//! In memory is one moment a key group, before which nothing is due: a watermark that nothing is
//! due at costs 256 comparisons and no read. Reading begins where firing has ended, for before it
//! the database is full of the marks of timers that are gone.

use crate::error::{Result, StateError};
use crate::handle::lock;
use crate::key::GroupRange;
use crate::rocks::keys::{moment, read_moment};
use crate::task::SharedState;
use crate::{EventTime, KEY_GROUPS, KeyGroup, RowKey, TableId};

/// Rows that are read at a time.
const PAGE: usize = 256;

/// Timers of the keys in some key groups.
pub struct Timers {
    // PROPERTIES
    table: TableId,
    state: SharedState,
    groups: GroupRange,
    // STATE
    /// By group; empty until something is asked.
    marks: Vec<Mark>,
}

/// What is known of the timers of a group.
#[derive(Clone, Debug, Default)]
struct Mark {
    /// None is due before it; `None` if there are none.
    head: Option<EventTime>,
    /// None is at or before it.
    fired: Option<RowKey>,
}

/// A timer that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When it is due.
    pub at: EventTime,
    /// Whose it is.
    pub key: RowKey,
}

impl Timers {
    /// The handle of `table`, for keys in `groups`.
    pub fn new(state: SharedState, table: TableId, groups: GroupRange) -> Self {
        Timers { table, state, groups, marks: Vec::new() }
    }

    /// Sets a timer of a key. A key may have several, at different moments.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn set(&mut self, key: &RowKey, at: EventTime) -> Result<()> {
        debug_assert!(self.groups.contains(key.group), "the key belongs to another task");
        self.load()?;
        let row = row(key, at);
        let mark = &mut self.marks[usize::from(key.group.number())];
        mark.head = Some(mark.head.map_or(at, |head| head.min(at)));
        if mark.fired.as_ref().is_some_and(|fired| row <= *fired) {
            mark.fired = None;
        }
        lock(&self.state).put(&self.table, row, Some(Vec::new()));
        Ok(())
    }

    /// Deletes a timer of a key, if it has one at that moment.
    pub fn delete(&mut self, key: &RowKey, at: EventTime) {
        lock(&self.state).put(&self.table, row(key, at), None);
    }

    /// A moment before which no timer is due; `None` if there are no timers.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn first(&mut self) -> Result<Option<EventTime>> {
        self.load()?;
        Ok(self.marks.iter().filter_map(|mark| mark.head).min())
    }

    /// Takes up to `limit` timers that are due at `watermark`, in order. Fewer than `limit` are all.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn take_due(&mut self, watermark: EventTime, limit: usize) -> Result<Vec<Due>> {
        self.load()?;
        let is_due = |mark: &Mark| mark.head.is_some_and(|head| head <= watermark);
        let numbers = (0..=u8::MAX).filter(|n| is_due(&self.marks[usize::from(*n)]));
        let numbers: Vec<u8> = numbers.collect();
        let mut due = Vec::new();
        for number in &numbers {
            due.extend(self.due_in(*number, watermark, limit)?);
        }
        due.sort();
        // Every group gave its first `limit`, so the first `limit` of all are among them.
        let later = due.split_off(limit.min(due.len()));
        for timer in &due {
            let row = row(&timer.key, timer.at);
            self.marks[usize::from(timer.key.group.number())].fired = Some(row.clone());
            lock(&self.state).put(&self.table, row, None);
        }
        for timer in later.into_iter().rev() {
            self.marks[usize::from(timer.key.group.number())].head = Some(timer.at);
        }
        Ok(due)
    }

    /// Up to `limit` due timers of a group; its mark then says what is behind them.
    fn due_in(&mut self, number: u8, watermark: EventTime, limit: usize) -> Result<Vec<Due>> {
        let group = KeyGroup::from_number(number);
        let mut after = self.marks[usize::from(number)].fired.clone();
        let mut due = Vec::new();
        let head = loop {
            let (range, size) = (GroupRange { first: group, last: group }, PAGE.min(limit.max(1)));
            let page = lock(&self.state).scan(&self.table, range, after.as_ref(), size)?;
            let is_last = page.len() < size;
            let mut behind = None;
            for (row, _) in page {
                let timer = self.read(&row)?;
                after = Some(row);
                if timer.at > watermark || due.len() == limit {
                    behind = Some(timer.at);
                    break;
                }
                due.push(timer);
            }
            if behind.is_some() || is_last {
                break behind;
            }
        };
        self.marks[usize::from(number)].head = head;
        Ok(due)
    }

    /// Finds the first timer of each group, once.
    fn load(&mut self) -> Result<()> {
        if !self.marks.is_empty() {
            return Ok(());
        }
        let mut marks = vec![Mark::default(); usize::from(KEY_GROUPS)];
        for number in self.groups.first.number()..=self.groups.last.number() {
            let group = KeyGroup::from_number(number as u8);
            let range = GroupRange { first: group, last: group };
            let first = lock(&self.state).scan(&self.table, range, None, 1)?;
            if let Some((row, _)) = first.first() {
                marks[usize::from(number)].head = Some(self.read(row)?.at);
            }
        }
        self.marks = marks;
        Ok(())
    }

    fn read(&self, row: &RowKey) -> Result<Due> {
        let timer = row.key.split_at_checked(8).and_then(|(at, key)| {
            let key = RowKey { group: row.group, key: key.to_vec() };
            Some(Due { at: read_moment(at)?, key })
        });
        timer.ok_or_else(|| StateError::Corrupt {
            table: self.table.as_str().to_owned(),
            reason: format!("a timer has at least 8 bytes, found {}", row.key.len()),
        })
    }
}

fn row(key: &RowKey, at: EventTime) -> RowKey {
    RowKey { group: key.group, key: [&moment(at)[..], &key.key].concat() }
}
