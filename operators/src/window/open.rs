//! Open panes: all that a window operator keeps, until the last window of a pane has fired.
//!
//! ```text
//!                   epoch 1        epoch 2           epoch 3
//!  rows             a b            a     c           b
//!  delta            a=1 b=1 ─┐     a=1 c=1 ─┐        b=1
//!  runs (store)              ├▶ r1          ├▶ r1 r2
//!  base (memory)             └▶ a=1 b=1     └▶ a=2 b=1 c=1
//!  fires                                                   base + delta
//! ```
//!
//! | state | key → value | created | dropped |
//! |---|---|---|---|
//! | delta | pane → groups of this epoch (working set) | a row of the pane | epoch ends, or fired |
//! | base | pane → all else, merged | epoch ends | fired, or memory is short |
//! | `panes` ([`StoredPanes`]) | pane → runs of partials | epoch ends | last window fired |
//! | `fired` ([`Value`]) | the watermark up to which windows have fired | first watermark | never |
//!
//! A pane that opens and fires within an epoch is one table and never touches the store. When the
//! first of several windows of a pane fires the pane is **sealed**: from then on it is held as
//! partials, which windows share; what comes late is added to them.
//!
//! Laws:
//!
//! 1. a pane's rows are its runs, its unwritten partials and its delta, each row in one of them;
//!    the base is a cache of the first two and may go at any time. After a restart all panes are
//!    without base, so being short of memory and coming back are the same case;
//! 2. a pane is here exactly while it has rows and a window that has not fired;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use millstream_state::{EventTime, MemoryBudget, TableId, Value, fault};

use super::clock::WallClock;
use super::held::{Base, Held, Size};
use super::pane::{Pane, Panes};
use super::scattered::Scattered;
use super::stored::{StoredPanes, Tier};
use super::tables::Tables;
use crate::OperatorContext;
use crate::aggregate::{AggregateLayout, GroupTable};
use crate::error::Result;

/// The part of the memory budget that a spare table may hold for nothing, and that a task may use
/// to fire a part of a pane, as a divisor.
const SMALL_PART: u64 = 16;
/// What is merged in an epoch is at most what is written in it, divided by this, or a small part of
/// the budget.
const MERGED_PART: u64 = 2;

/// The panes that some window still needs.
pub(crate) struct OpenPanes {
    // PROPERTIES
    panes: Panes,
    budget: Arc<MemoryBudget>,
    /// Bytes of `budget` that are small for one instance.
    small_bytes: u64,
    // STATE
    held: BTreeMap<Pane, Held>,
    stored: StoredPanes,
    fired: Value,
    /// The watermark up to which windows have fired, and whether it has moved in this epoch.
    watermark: Option<EventTime>,
    has_fired: bool,
    passed_ms: i64,
    // Working memory and the size of it all.
    pub tables: Tables,
    size: Size,
}

/// What a window is merged from.
pub(crate) enum Source {
    /// One table has it.
    Table(GroupTable),
    /// It is in partials, some of them in the store only.
    Scattered(Scattered),
}

impl OpenPanes {
    /// Takes the state of operator `context.name` from its store.
    pub(crate) fn new(
        panes: Panes,
        layout: Arc<AggregateLayout>,
        clock: &WallClock,
        context: &OperatorContext,
    ) -> Result<Self> {
        let budget = context.memory.clone();
        let small_bytes = budget.limit_bytes() / SMALL_PART / context.parallelism.max(1) as u64;
        let tables = Tables::new(layout, small_bytes);
        let stored = StoredPanes::open(tables.schema().clone(), tables.key_count(), context)?;
        let fired = Value::new(context.state.clone(), TableId::new(&context.name, "fired"));
        let watermark = fired.get()?.filter(|_| !fault::mutant("M4"));
        let mut open = OpenPanes {
            panes,
            budget,
            small_bytes,
            held: stored.panes().map(|pane| (pane, Held::stored())).collect(),
            stored,
            fired,
            watermark,
            has_fired: false,
            passed_ms: clock.passed(watermark.unwrap_or(EventTime::MIN)),
            tables,
            size: Size::default(),
        };
        for pane in open.stored.panes().collect::<Vec<_>>() {
            open.measure(pane);
        }
        Ok(open)
    }

    pub(crate) fn panes(&self) -> Panes {
        self.panes
    }

    /// The end up to which windows have fired.
    pub(crate) fn passed_ms(&self) -> i64 {
        self.passed_ms
    }

    /// The watermark up to which windows have fired.
    pub(crate) fn fired(&self) -> Option<EventTime> {
        self.watermark
    }

    /// True if all windows of a pane have fired.
    pub(crate) fn is_late(&self, pane: Pane) -> bool {
        self.panes.last_end(pane) <= self.passed_ms
    }

    /// Puts rows into the delta of a pane.
    pub(crate) fn fill(
        &mut self,
        pane: Pane,
        rows: impl FnOnce(&mut GroupTable) -> Result<()>,
    ) -> Result<()> {
        let held = self.held.entry(pane).or_default();
        if held.delta.is_none() {
            held.delta = Some(self.tables.empty()?);
        }
        let filled = rows(held.delta.as_mut().expect("made above"));
        self.measure(pane);
        filled
    }

    /// The earliest pane.
    pub(crate) fn oldest(&self) -> Option<Pane> {
        self.held.keys().next().copied()
    }

    /// The panes that start in `start_ms..end_ms`, ascending.
    pub(crate) fn within(&self, start_ms: i64, end_ms: i64) -> impl Iterator<Item = Pane> {
        let from = Pane { at_ms: start_ms, start_ms: i64::MIN };
        let to = Pane { at_ms: end_ms, start_ms: i64::MIN };
        self.held.range(from..to).map(|(pane, _)| *pane)
    }

    /// Takes out a pane that is one window; its runs stay until [`Self::drop_runs`].
    pub(crate) fn take(&mut self, pane: Pane) -> Result<Option<Source>> {
        let Some(mut held) = self.held.remove(&pane) else { return Ok(None) };
        self.size.remove(held.size);
        let delta = held.delta.take();
        let table = match (held.base, delta) {
            (Base::Empty, None) => return Ok(None),
            (Base::Empty, Some(delta)) => delta,
            (Base::Table(base), None) => base,
            (Base::Table(base), Some(delta)) => self.tables.join(base, delta)?,
            (base, delta) => {
                let mut partials = held.unwritten;
                if let Base::Sealed(sealed) = base {
                    partials = sealed;
                }
                if let Some(delta) = delta {
                    partials.push(self.tables.take_all(delta)?);
                }
                return Ok(Some(Source::Scattered(Scattered { partials, panes: vec![pane] })));
            }
        };
        Ok(Some(Source::Table(table)))
    }

    /// Seals the panes that start in `start_ms..end_ms`; returns what is new to their windows.
    pub(crate) fn seal(&mut self, start_ms: i64, end_ms: i64) -> Result<Vec<(Pane, RecordBatch)>> {
        let mut new = Vec::new();
        for pane in self.within(start_ms, end_ms).collect::<Vec<_>>() {
            let held = self.held.get_mut(&pane).expect("listed above");
            if held.delta.is_none() && !matches!(held.base, Base::Table(_)) {
                continue;
            }
            let mut held = std::mem::take(held);
            if let Some(partials) = self.seal_held(&mut held)? {
                new.push((pane, partials));
            }
            self.held.insert(pane, held);
            self.measure(pane);
        }
        Ok(new)
    }

    fn seal_held(&mut self, held: &mut Held) -> Result<Option<RecordBatch>> {
        let mut new = None;
        if let Some(delta) = held.delta.take() {
            let partials = self.tables.take_all(delta)?;
            self.tables.push(&mut held.unwritten, partials.clone())?;
            new = Some(partials);
        }
        match std::mem::take(&mut held.base) {
            Base::Table(mut base) => {
                if let Some(partials) = &new {
                    self.tables.add(&mut base, partials)?;
                }
                let all = self.tables.take_all(base)?;
                held.base = Base::Sealed(vec![all.clone()]);
                return Ok(Some(all));
            }
            Base::Empty => held.base = Base::Sealed(new.iter().cloned().collect()),
            Base::Sealed(mut sealed) => {
                if let Some(partials) = &new {
                    self.tables.push(&mut sealed, partials.clone())?;
                }
                held.base = Base::Sealed(sealed);
            }
            Base::Stored => held.base = Base::Stored,
        }
        Ok(new)
    }

    /// The partials of a sealed pane that is in memory.
    pub(crate) fn sealed(&self, pane: Pane) -> Vec<RecordBatch> {
        match self.held.get(&pane).map(|held| &held.base) {
            Some(Base::Sealed(partials)) => partials.clone(),
            _ => Vec::new(),
        }
    }

    /// Forgets the base of a sealed pane, because something else holds its rows in memory.
    pub(crate) fn release(&mut self, pane: Pane) {
        let Some(held) = self.held.get_mut(&pane) else { return };
        held.base = Base::Stored;
        self.measure(pane);
    }

    /// Brings the sealed panes of a window into memory. Returns false, and does nothing, if there
    /// is not enough of it.
    pub(crate) fn warm(&mut self, start_ms: i64, end_ms: i64) -> Result<bool> {
        let is_stored = |pane: &Pane| matches!(self.held[pane].base, Base::Stored);
        let cold: Vec<Pane> = self.within(start_ms, end_ms).filter(is_stored).collect();
        if !self.fit(&cold) {
            return Ok(false);
        }
        for pane in cold {
            let partials = self.load(pane)?;
            let partials = vec![self.tables.merge(&partials)?];
            self.held.get_mut(&pane).expect("listed above").base = Base::Sealed(partials);
            self.measure(pane);
        }
        Ok(true)
    }

    /// True if those of the panes that are not in memory may be brought there.
    pub(crate) fn fit(&self, panes: &[Pane]) -> bool {
        let is_stored = |pane: &&Pane| matches!(self.held[pane].base, Base::Stored);
        let stored = panes.iter().filter(is_stored);
        let bytes: u64 = stored.map(|pane| self.stored.bytes(*pane)).sum();
        let room = self.budget.limit_bytes().saturating_sub(self.budget.used_bytes());
        bytes == 0 || bytes.saturating_mul(4) <= room
    }

    /// All partials of a sealed pane.
    pub(crate) fn load(&mut self, pane: Pane) -> Result<Vec<RecordBatch>> {
        let held = &self.held[&pane];
        if let Base::Sealed(partials) = &held.base {
            return Ok(partials.clone());
        }
        let unwritten = held.unwritten.clone();
        let mut partials = self.stored.read(pane)?;
        partials.extend(unwritten);
        Ok(partials)
    }

    /// Where the partials of the sealed panes of a window are.
    pub(crate) fn scattered(&self, start_ms: i64, end_ms: i64) -> Scattered {
        let mut scattered = Scattered::default();
        for pane in self.within(start_ms, end_ms) {
            let held = &self.held[&pane];
            if let Base::Sealed(partials) = &held.base {
                scattered.partials.extend(partials.iter().cloned());
            } else {
                scattered.partials.extend(held.unwritten.iter().cloned());
                scattered.panes.push(pane);
            }
        }
        scattered
    }

    /// Takes note that windows up to `end_ms` have fired, and drops panes with no other.
    pub(crate) fn pass(&mut self, end_ms: i64) {
        self.passed_ms = end_ms;
        while let Some(pane) = self.oldest().filter(|pane| self.is_late(*pane)) {
            let held = self.held.remove(&pane).expect("the oldest is held");
            self.size.remove(held.size);
            self.stored.drop_pane(pane);
        }
    }

    /// Forgets the runs of a pane that was taken out.
    pub(crate) fn drop_runs(&mut self, pane: Pane) {
        self.stored.drop_pane(pane);
    }

    /// Takes note of a watermark all of whose windows have fired.
    pub(crate) fn set_fired(&mut self, watermark: EventTime, passed_ms: i64) {
        assert!(passed_ms >= self.passed_ms, "windows that fired stay fired");
        self.passed_ms = passed_ms;
        self.has_fired |= self.watermark != Some(watermark);
        self.watermark = Some(watermark);
    }

    /// Hands over to the store what it does not have yet. Returns what is new to the windows of
    /// panes that were sealed before.
    pub(crate) fn end_epoch(&mut self) -> Result<Vec<(Pane, RecordBatch)>> {
        if let Some(watermark) = self.watermark.filter(|_| self.has_fired) {
            self.fired.set(watermark);
            self.has_fired = false;
        }
        self.tables.let_go_of_unneeded();
        let is_unwritten = |held: &Held| held.delta.is_some() || !held.unwritten.is_empty();
        let unwritten = self.held.iter().filter(|(_, held)| is_unwritten(held));
        let unwritten: Vec<Pane> = unwritten.map(|(pane, _)| *pane).collect();
        let (mut new, written_before) = (Vec::new(), self.stored.written_bytes());
        for pane in &unwritten {
            if let Some(partials) = self.write(*pane)? {
                new.push((*pane, partials));
            }
            self.measure(*pane);
        }
        let written = self.stored.written_bytes() - written_before;
        self.merge_full_tiers(&unwritten, self.small_bytes.max(written / MERGED_PART))?;
        Ok(new)
    }

    /// Merges full tiers of these panes, until about `most_bytes` were merged. All tiers of a large
    /// pane fill in the same epoch, for each epoch adds a run to each: merged at once they would be
    /// the whole pane, in memory. What is left waits for
    /// the next epoch in which the pane gets rows.
    fn merge_full_tiers(&mut self, panes: &[Pane], most_bytes: u64) -> Result<()> {
        let before = self.stored.written_bytes();
        for pane in panes {
            while self.stored.written_bytes() - before < most_bytes
                && let Some(Tier { runs, partials }) = self.stored.full_tier(*pane)?
            {
                let merged = self.tables.merge(&partials)?;
                self.stored.replace(*pane, &runs, merged)?;
            }
        }
        Ok(())
    }

    /// Forgets bases, the largest first, until at most `bytes` are left. Deltas of panes without
    /// base are counted as gone, as they are once the epoch has ended.
    pub(crate) fn evict(&mut self, bytes: u64) {
        self.tables.let_go();
        let mut largest: Vec<(usize, Pane)> =
            self.held.iter().map(|(pane, held)| (held.size.bytes, *pane)).collect();
        largest.sort_unstable();
        let mut left = self.size.bytes as u64;
        while left > bytes
            && let Some((bytes, pane)) = largest.pop()
        {
            left = left.saturating_sub(bytes as u64);
            self.release(pane);
        }
    }

    fn write(&mut self, pane: Pane) -> Result<Option<RecordBatch>> {
        let is_passed = self.panes.are_shared() && self.panes.first_end(pane) <= self.passed_ms;
        let mut held = std::mem::take(self.held.get_mut(&pane).expect("a held pane"));
        if !held.unwritten.is_empty() {
            let merged = self.tables.merge(&std::mem::take(&mut held.unwritten))?;
            self.stored.write(pane, merged)?;
        }
        let mut new = None;
        if let Some(mut delta) = held.delta.take() {
            let partials = self.tables.take(&mut delta)?;
            match &mut held.base {
                // Its memory is what there is too little of.
                Base::Stored => drop(delta),
                Base::Empty if is_passed => {
                    held.base = Base::Sealed(vec![partials.clone()]);
                    self.tables.recycle(delta);
                }
                Base::Empty => {
                    self.tables.add(&mut delta, &partials)?;
                    held.base = Base::Table(delta);
                }
                Base::Table(base) => {
                    self.tables.add(base, &partials)?;
                    self.tables.recycle(delta);
                }
                Base::Sealed(sealed) => {
                    self.tables.push(sealed, partials.clone())?;
                    self.tables.recycle(delta);
                }
            }
            new = is_passed.then(|| partials.clone());
            self.stored.write(pane, partials)?;
        }
        self.held.insert(pane, held);
        Ok(new)
    }

    /// The runs in the store.
    pub(crate) fn stored(&mut self) -> &mut StoredPanes {
        &mut self.stored
    }

    /// The runs in the store, and what makes tables of them.
    pub(crate) fn stored_and_tables(&mut self) -> (&mut StoredPanes, &Tables) {
        (&mut self.stored, &self.tables)
    }

    /// Bytes that a part of a window may take while it fires.
    pub(crate) fn part_bytes(&self) -> u64 {
        self.small_bytes.max(1 << 12)
    }

    /// What is held: groups, and bytes of memory without spare tables.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    fn measure(&mut self, pane: Pane) {
        let Some(held) = self.held.get_mut(&pane) else { return };
        let stored_rows = || self.stored.rows(pane);
        self.size.remove(held.size);
        held.measure(stored_rows);
        self.size.add(held.size);
    }
}
