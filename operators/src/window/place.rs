//! Placing rows: from the time column of a batch to the panes of its rows.
//!
//! Nearly every batch lies within one pane, so the first thing is one pass for the least and the
//! greatest time; if both have the same pane, the batch goes on whole, without a copy, a sort or a
//! division per row. Only otherwise rows are picked per pane. (Arroyo, for one, sorts and gathers
//! all columns of every batch.)

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};

use super::clock::WallClock;
use super::pane::{Pane, Panes};
use super::{WindowTime, Windows};
use crate::aggregate::Rows;
use crate::error::Result;

/// The rows of a batch by pane.
#[derive(Debug)]
pub(crate) struct Placed {
    /// Rows without event time; they are in no pane.
    pub null_rows: usize,
    panes: Vec<(Pane, Selection)>,
}

#[derive(Debug)]
enum Selection {
    All,
    Indices(Vec<u32>),
}

impl Placed {
    /// The panes in ascending order, each with its rows.
    pub(crate) fn panes(&self) -> impl Iterator<Item = (Pane, Rows<'_>)> {
        self.panes.iter().map(|(pane, selection)| (*pane, selection.rows()))
    }
}

impl Selection {
    fn rows(&self) -> Rows<'_> {
        match self {
            Selection::All => Rows::All,
            Selection::Indices(rows) => match (rows.first(), rows.last()) {
                // Ascending numbers without a hole: no need to gather.
                (Some(first), Some(last)) if (last - first) as usize + 1 == rows.len() => {
                    Rows::Range(*first as usize..*last as usize + 1)
                }
                _ => Rows::Indices(rows),
            },
        }
    }
}

/// Finds the panes of rows.
#[derive(Clone, Debug)]
pub(crate) struct Placer {
    // PROPERTIES
    time: Time,
    panes: Panes,
}

#[derive(Clone, Debug)]
enum Time {
    Event { column: usize, clock: WallClock },
    Attached { start: usize, end: usize },
}

impl Placer {
    pub(crate) fn new(time: &WindowTime) -> Result<Self> {
        match time {
            WindowTime::Assign { windows, column, zone, .. } => {
                Placer::by_event_time(*windows, *column, zone.as_deref())
            }
            WindowTime::Attached { start, end, .. } => {
                let time = Time::Attached { start: *start, end: *end };
                Ok(Placer { time, panes: Panes::Attached })
            }
        }
    }

    pub(crate) fn by_event_time(
        windows: Windows,
        column: usize,
        zone: Option<&str>,
    ) -> Result<Self> {
        let time = Time::Event { column, clock: WallClock::new(zone)? };
        Ok(Placer { time, panes: Panes::cut(windows) })
    }

    pub(crate) fn panes(&self) -> Panes {
        self.panes
    }

    /// The panes of the rows of a batch.
    pub(crate) fn place(&self, rows: &RecordBatch) -> Placed {
        match &self.time {
            Time::Event { column, clock } => {
                self.place_moments(&Moments::new(rows.column(*column)), clock)
            }
            Time::Attached { start, end } => {
                let (start, end) = (rows.column(*start), rows.column(*end));
                place_attached(&Moments::new(start), &Moments::new(end))
            }
        }
    }

    fn place_moments(&self, moments: &Moments, clock: &WallClock) -> Placed {
        let Some((min_ms, max_ms)) = moments.bounds() else {
            return Placed { null_rows: moments.len(), panes: Vec::new() };
        };
        let offset_ms = clock.offset_over(min_ms, max_ms);
        if let (Some(offset_ms), 0) = (offset_ms, moments.null_count()) {
            let first = self.panes.pane_of(min_ms.saturating_add(offset_ms));
            if max_ms.saturating_add(offset_ms) < self.panes.end_of(first) {
                return Placed { null_rows: 0, panes: vec![(first, Selection::All)] };
            }
        }
        let mut picked = Picked::default();
        for row in 0..moments.len() {
            let Some(ms) = moments.ms(row) else { continue };
            let ms = ms.saturating_add(offset_ms.unwrap_or_else(|| clock.offset_at(ms)));
            let is_in = |pane: Pane| pane.at_ms <= ms && ms < self.panes.end_of(pane);
            picked.add(row, is_in, || self.panes.pane_of(ms));
        }
        picked.placed(moments.null_count())
    }
}

fn place_attached(starts: &Moments, ends: &Moments) -> Placed {
    let mut picked = Picked::default();
    let mut null_rows = 0;
    for row in 0..ends.len() {
        let (Some(start_ms), Some(at_ms)) = (starts.ms(row), ends.ms(row)) else {
            null_rows += 1;
            continue;
        };
        let this = Pane { at_ms, start_ms };
        picked.add(row, |pane| pane == this, || this);
    }
    picked.placed(null_rows)
}

/// How many of the latest panes are tried before a pane is computed and looked up: rows out of
/// order jump between a few.
const TRIED_PANES: usize = 4;

/// Row numbers by pane.
#[derive(Default)]
struct Picked {
    places: BTreeMap<Pane, usize>,
    /// The panes in the order in which rows brought them, each with its rows.
    rows: Vec<(Pane, Vec<u32>)>,
    last: usize,
}

impl Picked {
    /// Adds a row to the pane for which `is_in` holds; `pane` computes it.
    fn add(&mut self, row: usize, is_in: impl Fn(Pane) -> bool, pane: impl Fn() -> Pane) {
        let stays = self.rows.get(self.last).is_some_and(|(pane, _)| is_in(*pane));
        if !stays {
            let latest = self.rows.iter().enumerate().rev().take(TRIED_PANES);
            let known = latest.map(|(place, (pane, _))| (place, *pane)).find(|(_, p)| is_in(*p));
            self.last = match known {
                Some((place, _)) => place,
                None => self.look_up(pane()),
            };
        }
        self.rows[self.last].1.push(row as u32);
    }

    fn look_up(&mut self, pane: Pane) -> usize {
        let next = self.rows.len();
        let place = *self.places.entry(pane).or_insert(next);
        if place == next {
            self.rows.push((pane, Vec::new()));
        }
        place
    }

    fn placed(mut self, null_rows: usize) -> Placed {
        let panes = self.places.iter().map(|(pane, place)| {
            (*pane, Selection::Indices(std::mem::take(&mut self.rows[*place].1)))
        });
        Placed { null_rows, panes: panes.collect() }
    }
}

/// A timestamp column of any unit, read in milliseconds (rounded down, as Flink does).
pub(crate) struct Moments<'a> {
    values: &'a [i64],
    array: &'a dyn Array,
    unit: TimeUnit,
}

impl<'a> Moments<'a> {
    /// # Panics
    /// If the column is no timestamp, which the planner rules out.
    pub(crate) fn new(column: &'a ArrayRef) -> Self {
        let DataType::Timestamp(unit, _) = column.data_type() else {
            unreachable!("event time is a timestamp, not {}", column.data_type())
        };
        let values: &[i64] = match unit {
            TimeUnit::Second => column.as_primitive::<TimestampSecondType>().values(),
            TimeUnit::Millisecond => column.as_primitive::<TimestampMillisecondType>().values(),
            TimeUnit::Microsecond => column.as_primitive::<TimestampMicrosecondType>().values(),
            TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().values(),
        };
        Moments { values, array: column.as_ref(), unit: *unit }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn null_count(&self) -> usize {
        self.array.null_count()
    }

    /// The moment of a row.
    pub(crate) fn ms(&self, row: usize) -> Option<i64> {
        self.array.is_valid(row).then(|| self.to_ms(self.values[row]))
    }

    /// Least and greatest moment; `None` if there is none.
    pub(crate) fn bounds(&self) -> Option<(i64, i64)> {
        let widen = |(min, max): (i64, i64), value: i64| (min.min(value), max.max(value));
        let (min, max) = if self.null_count() == 0 {
            self.values.iter().copied().fold((i64::MAX, i64::MIN), widen)
        } else {
            let valid = (0..self.len()).filter(|row| self.array.is_valid(*row));
            valid.map(|row| self.values[row]).fold((i64::MAX, i64::MIN), widen)
        };
        (min <= max).then(|| (self.to_ms(min), self.to_ms(max)))
    }

    fn to_ms(&self, value: i64) -> i64 {
        match self.unit {
            TimeUnit::Second => value.saturating_mul(1000),
            TimeUnit::Millisecond => value,
            TimeUnit::Microsecond => value.div_euclid(1000),
            TimeUnit::Nanosecond => value.div_euclid(1_000_000),
        }
    }
}
