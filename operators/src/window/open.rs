//! Open panes: all that a window operator keeps, until the last window of a pane has fired.
//!
//! ```text
//!                 passed (ends up to here have fired)
//!                   │
//!  panes   p0   p5  │p10  p15  p20        HOP(slide 5, size 10)
//!  kept    ×    run │run+table table      p0: dropped with window [0, 10), its last
//!                                         p5: sealed by [0, 10), still needed by [5, 15)
//! ```
//!
//! | state | key → value | created | dropped |
//! |---|---|---|---|
//! | live tables | pane → groups being filled (working set) | first row of a pane | sealed or fired |
//! | `panes` ([`PaneRuns`]) | pane → runs of partials | pane sealed by its first window | last window fired |
//! | `fired` ([`Value`]) | the watermark up to which windows have fired | first watermark | never |
//!
//! Laws:
//!
//! 1. a pane is here exactly while it has rows and a window that has not fired;
//! 2. a row that comes after its pane was sealed starts a new table, which becomes another run;
//! 3. emptied tables are used again, so that steady windows do not allocate.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use millstream_state::{EventTime, PaneRuns, TableId, Value};

use super::clock::WallClock;
use super::pane::{Pane, Panes};
use super::partial::Columns;
use crate::OperatorContext;
use crate::aggregate::{AggregateLayout, GroupTable};
use crate::error::Result;

/// Most emptied tables that are kept for the next pane.
const SPARE_TABLES: usize = 4;

/// The panes that some window still needs.
pub(crate) struct OpenPanes {
    // PROPERTIES
    panes: Panes,
    layout: Arc<AggregateLayout>,
    run_schema: SchemaRef,
    // STATE
    live: BTreeMap<Pane, GroupTable>,
    sealed: BTreeMap<Pane, Size>,
    runs: PaneRuns,
    fired: Value,
    passed_ms: i64,
    // Working memory and the size of it all.
    spare: Vec<GroupTable>,
    size: Size,
}

/// Keys and bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub keys: usize,
    pub bytes: usize,
}

impl Size {
    fn of_table(table: &GroupTable) -> Self {
        Size { keys: table.len(), bytes: table.bytes() }
    }

    fn of_run(run: &RecordBatch) -> Self {
        Size { keys: run.num_rows(), bytes: run.get_array_memory_size() }
    }

    fn add(&mut self, other: Size) {
        self.keys += other.keys;
        self.bytes += other.bytes;
    }

    fn remove(&mut self, other: Size) {
        self.keys -= other.keys;
        self.bytes -= other.bytes;
    }
}

impl OpenPanes {
    /// Takes the state of operator `context.name` from its store.
    pub(crate) fn new(
        panes: Panes,
        layout: Arc<AggregateLayout>,
        clock: &WallClock,
        context: &OperatorContext,
    ) -> Result<Self> {
        let table = |name| TableId::new(&context.name, name);
        let runs = PaneRuns::new(context.store.clone(), table("panes"));
        let fired = Value::new(context.store.clone(), table("fired"));
        let passed_ms = clock.passed(fired.get()?.unwrap_or(EventTime::MIN));
        let run_schema = Arc::new(Schema::new(layout.partial_fields()));
        let (live, sealed) = (BTreeMap::new(), BTreeMap::new());
        let (spare, size) = (Vec::new(), Size::default());
        let mut open = OpenPanes {
            panes,
            layout,
            run_schema,
            live,
            sealed,
            runs,
            fired,
            passed_ms,
            spare,
            size,
        };
        for at in open.runs.panes()? {
            let pane = Pane { at_ms: at.as_ms(), start_ms: at.as_ms() };
            for run in open.runs_of(pane)? {
                open.count_run(pane, &run);
            }
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

    /// True if all windows of a pane have fired.
    pub(crate) fn is_late(&self, pane: Pane) -> bool {
        self.panes.last_end(pane) <= self.passed_ms
    }

    /// Puts rows into the live table of a pane.
    pub(crate) fn fill(
        &mut self,
        pane: Pane,
        rows: impl FnOnce(&mut GroupTable) -> Result<()>,
    ) -> Result<()> {
        if !self.live.contains_key(&pane) {
            let table = self.empty_table()?;
            self.size.add(Size::of_table(&table));
            self.live.insert(pane, table);
        }
        let table = self.live.get_mut(&pane).expect("inserted above");
        self.size.remove(Size::of_table(table));
        let filled = rows(table);
        self.size.add(Size::of_table(table));
        filled
    }

    /// The earliest pane.
    pub(crate) fn oldest(&self) -> Option<Pane> {
        let oldest = [self.live.keys().next(), self.sealed.keys().next()];
        oldest.into_iter().flatten().min().copied()
    }

    /// The sealed panes, ascending.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = Pane> {
        self.sealed.keys().copied()
    }

    /// Takes the live table of a pane, to be handed back by [`Self::recycle`].
    pub(crate) fn take_live(&mut self, pane: Pane) -> Option<GroupTable> {
        let table = self.live.remove(&pane)?;
        self.size.remove(Size::of_table(&table));
        Some(table)
    }

    /// Seals the live tables of panes that start in `start_ms..end_ms`; returns their runs.
    pub(crate) fn seal(&mut self, start_ms: i64, end_ms: i64) -> Result<Vec<(Pane, RecordBatch)>> {
        let from = Pane { at_ms: start_ms, start_ms: i64::MIN };
        let to = Pane { at_ms: end_ms, start_ms: i64::MIN };
        let panes: Vec<Pane> = self.live.range(from..to).map(|(pane, _)| *pane).collect();
        let mut sealed = Vec::with_capacity(panes.len());
        for pane in panes {
            let mut table = self.take_live(pane).expect("listed above");
            let run = self.run(table.take_partials()?)?;
            self.recycle(table);
            self.runs.append(EventTime::from_ms(pane.at_ms), run.clone())?;
            self.count_run(pane, &run);
            sealed.push((pane, run));
        }
        Ok(sealed)
    }

    /// The runs of a sealed pane.
    pub(crate) fn runs_of(&self, pane: Pane) -> Result<Vec<RecordBatch>> {
        Ok(self.runs.runs(EventTime::from_ms(pane.at_ms))?)
    }

    /// Takes note that windows up to `end_ms` have fired, and drops panes with no other.
    pub(crate) fn pass(&mut self, end_ms: i64) -> Result<()> {
        self.passed_ms = end_ms;
        while let Some((pane, size)) = self.sealed.first_key_value() {
            let (pane, size) = (*pane, *size);
            if !self.is_late(pane) {
                break;
            }
            self.sealed.remove(&pane);
            self.size.remove(size);
            self.runs.drop_pane(EventTime::from_ms(pane.at_ms))?;
        }
        Ok(())
    }

    /// Takes note of a watermark all of whose windows have fired.
    pub(crate) fn set_fired(&mut self, watermark: EventTime, passed_ms: i64) -> Result<()> {
        assert!(passed_ms >= self.passed_ms, "windows that fired stay fired");
        self.passed_ms = passed_ms;
        Ok(self.fired.set(watermark)?)
    }

    /// A run of what was taken from a table.
    pub(crate) fn run(&self, (keys, partials): Columns) -> Result<RecordBatch> {
        let columns = keys.into_iter().chain(partials).collect();
        Ok(RecordBatch::try_new(self.run_schema.clone(), columns)?)
    }

    /// A table with the groups of `runs`.
    pub(crate) fn merged(&mut self, runs: &[RecordBatch]) -> Result<GroupTable> {
        let mut table = self.empty_table()?;
        for run in runs {
            let (keys, partials) = run.columns().split_at(self.layout.key_count());
            table.merge(keys, partials)?;
        }
        Ok(table)
    }

    /// An empty table, used before if there is one.
    pub(crate) fn empty_table(&mut self) -> Result<GroupTable> {
        match self.spare.pop() {
            Some(table) => Ok(table),
            None => GroupTable::new(self.layout.clone()),
        }
    }

    /// Keeps an emptied table for the next pane.
    pub(crate) fn recycle(&mut self, table: GroupTable) {
        debug_assert!(table.is_empty(), "taken tables are empty");
        if self.spare.len() < SPARE_TABLES {
            self.spare.push(table);
        }
    }

    /// What is held, without spare tables.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    fn count_run(&mut self, pane: Pane, run: &RecordBatch) {
        let size = Size::of_run(run);
        self.size.add(size);
        self.sealed.entry(pane).or_default().add(size);
    }
}
