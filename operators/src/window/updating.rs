//! Windowed aggregation whose results are updated: EMIT EVERY, EMIT ON UPDATE, ALLOW LATENESS.
//!
//! ```sql
//! SELECT window_end, k, SUM(v) FROM TUMBLE(TABLE t, DESCRIPTOR(at), INTERVAL '10' SECOND)
//! GROUP BY window_start, window_end, k
//! EMIT EVERY INTERVAL '5' SECOND ALLOW LATENESS INTERVAL '1' MINUTE
//! ```
//!
//! ```text
//!  rows a=1       a=2    b=1                    a=4 (late)
//!  ─────────────────────────────┬───────────────────────────┬──────────▶
//!            every 5 s    every 5 s     w=9.999          w=69.999
//!            +I a 1       -U a 1 +U a 3  +I b 1           dropped: from
//!                                               -U a 3    here on rows
//!                                               +U a 7    are late
//! ```
//!
//! Rows gather in **fresh** panes, as in the aggregation that emits once. When it is time, and at the
//! end of an epoch, fresh panes are merged into all their windows ([`Told`]), which know what was
//! emitted last.
//!
//! | state | key → value | created | dropped |
//! |---|---|---|---|
//! | fresh | pane → groups since it was last merged (working set) | a row of the pane | merged |
//! | `told` | see [`told`](super::told): aggregate and last result of each window and key | merged | lateness has passed |
//! | `fired` ([`Value`]) | the watermark up to which windows are complete | first watermark | never |
//!
//! Input → output: append → retract (−U before its +U; nothing is deleted).
//!
//! Laws:
//!
//! 1. after the watermark that completes a window, its changes add up to what the aggregation that
//!    emits once would have said;
//! 2. a change of a complete window leaves at once; of an open one never, every interval, or at
//!    once;
//! 3. only keys that were touched leave, and only if their result is another;
//! 4. what is emitted and the note that it was are of the same epoch: no change is repeated or lost.
//!
//! Late rows: a row is late if the last window of its pane is complete and the allowed lateness has
//! passed too. It is counted and leaves by [`Port::LATE`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow::array::{Int8Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use millstream_state::{EventTime, MemoryUse, TableId, Value};

use super::aggregate::pick;
use super::pane::{Pane, Panes};
use super::place::Placer;
use super::results::{BATCH_ROWS, Results, Window};
use super::tables::Tables;
use super::told::{Changes, Told};
use super::{Early, Emission, WindowAggregateSpec};
use crate::aggregate::{AggregateLayout, GroupTable};
use crate::error::Result;
use crate::{Batch, Operator, OperatorContext, OperatorMetrics, Output, Port, RowKind};

/// Result rows after which the task gets to pass them on.
const PORTION_ROWS: usize = 1 << 16;
/// The part of the memory budget that fresh panes may take before they are merged, as a divisor.
const FRESH_PART: u64 = 8;

/// A running windowed aggregation with updates.
pub struct UpdatingWindowAggregate {
    // PROPERTIES
    spec: WindowAggregateSpec,
    schema: SchemaRef,
    placer: Placer,
    layout: Arc<AggregateLayout>,
    metrics: Arc<OperatorMetrics>,
    // STATE, from `open` on
    windows: Option<Updating>,
}

impl UpdatingWindowAggregate {
    /// An aggregation with results of schema `output`.
    ///
    /// # Errors
    /// If an aggregate function has no implementation for its arguments or the zone is unknown.
    pub fn new(spec: &WindowAggregateSpec, output: SchemaRef) -> Result<Self> {
        Ok(UpdatingWindowAggregate {
            spec: spec.clone(),
            schema: output,
            placer: Placer::new(&spec.time)?,
            layout: Arc::new(spec.layout()?),
            metrics: Arc::default(),
            windows: None,
        })
    }

    fn windows(&mut self) -> &mut Updating {
        self.windows.as_mut().expect("opened before anything else")
    }
}

impl Operator for UpdatingWindowAggregate {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        let (panes, layout) = (self.placer.panes(), self.layout.clone());
        self.windows = Some(Updating::restored(&self.spec, &self.schema, panes, layout, context)?);
        self.metrics = context.metrics.clone();
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        assert!(batch.kinds.is_none(), "the planner refuses windows over a changelog");
        let windows = self.windows.as_mut().expect("opened before the first row");
        let keys = self.spec.key_columns(&batch.rows);
        let args = self.layout.evaluate_args(&batch.rows)?;
        let placed = self.placer.place(&batch.rows);
        self.metrics.null_time_rows.add(placed.null_rows as u64);
        for (pane, rows) in placed.panes() {
            if windows.is_late(pane) {
                let late = pick(&batch, &rows)?;
                self.metrics.late_rows.add(late.num_rows() as u64);
                out.batch_to(Port::LATE, late);
            } else {
                windows.fill(pane, |table| table.update(&keys, &args, rows))?;
            }
        }
        windows.after_rows(out)
    }

    fn on_watermark(&mut self, watermark: EventTime, out: &mut Output) -> Result<()> {
        self.windows().advance(watermark, out)
    }

    fn resume(&mut self, out: &mut Output) -> Result<bool> {
        self.windows().resume(out)
    }

    fn reminder_ms(&self) -> Option<u64> {
        let windows = self.windows.as_ref()?;
        match self.spec.emission.early {
            Early::Every { interval_ms } if windows.has_news() => Some(interval_ms),
            _ => None,
        }
    }

    fn on_epoch_end(&mut self, out: &mut Output) -> Result<()> {
        self.windows().end_epoch(out)
    }

    /// The interval has passed, or the inputs are idle and nothing may be emitted for a while.
    fn flush(&mut self, out: &mut Output) -> Result<()> {
        match self.spec.emission.early {
            Early::Every { .. } => self.windows().emit_all(out),
            Early::Never | Early::OnUpdate => Ok(()),
        }
    }
}

/// Fresh panes, windows, and the way from the ones to the others.
struct Updating {
    // PROPERTIES
    emission: Emission,
    panes: Panes,
    most_bytes: u64,
    // STATE
    fresh: BTreeMap<Pane, GroupTable>,
    told: Told,
    fired: Value,
    /// The watermark up to which windows are complete, and whether it has moved in this epoch.
    watermark: Option<EventTime>,
    has_fired: bool,
    passed_ms: i64,
    /// What is still to be emitted; empty between calls of the task.
    work: VecDeque<Work>,
    /// The watermark to pass on when it is done.
    advancing: Option<(EventTime, i64)>,
    pending: Pending,
    // Working memory and the size of it all.
    results: Results,
    tables: Tables,
    memory: MemoryUse,
    metrics: Arc<OperatorMetrics>,
}

/// What leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Windows that are complete.
    Complete,
    /// All windows.
    All,
}

enum Work {
    /// Merge these partials into a window.
    Merge { window: Window, partials: RecordBatch, emit: bool },
    /// Emit what is out of date of a window.
    Refresh(Window),
}

/// Rows on their way out.
#[derive(Default)]
struct Pending {
    batches: Vec<RecordBatch>,
    kinds: Vec<i8>,
}

impl Updating {
    fn restored(
        spec: &WindowAggregateSpec,
        schema: &SchemaRef,
        panes: Panes,
        layout: Arc<AggregateLayout>,
        context: &OperatorContext,
    ) -> Result<Self> {
        let results = Results::new(spec, schema.clone())?;
        let instances = context.parallelism.max(1) as u64;
        let most_bytes = context.memory.limit_bytes() / FRESH_PART / instances;
        let mut tables = Tables::new(layout, most_bytes);
        let told = Told::open(&mut tables, spec.aggregates.len(), context)?;
        let fired = Value::new(context.state.clone(), TableId::new(&context.name, "fired"));
        let watermark = fired.get()?;
        Ok(Updating {
            emission: spec.emission,
            panes,
            most_bytes,
            fresh: BTreeMap::new(),
            told,
            fired,
            watermark,
            has_fired: false,
            passed_ms: results.clock().passed(watermark.unwrap_or(EventTime::MIN)),
            work: VecDeque::new(),
            advancing: None,
            pending: Pending::default(),
            results,
            tables,
            memory: MemoryUse::new(context.memory.clone()),
            metrics: context.metrics.clone(),
        })
    }

    /// The end up to which windows are gone.
    fn gone_ms(&self) -> i64 {
        match self.passed_ms {
            // The end of time: nothing comes late any more.
            i64::MAX => i64::MAX,
            passed_ms => passed_ms.saturating_sub(self.emission.lateness_ms),
        }
    }

    fn is_late(&self, pane: Pane) -> bool {
        self.panes.last_end(pane) <= self.gone_ms()
    }

    /// True if something waits to be emitted.
    fn has_news(&self) -> bool {
        !self.fresh.is_empty() || self.told.is_stale()
    }

    /// Puts rows into a fresh pane.
    fn fill(&mut self, pane: Pane, rows: impl FnOnce(&mut GroupTable) -> Result<()>) -> Result<()> {
        if !self.fresh.contains_key(&pane) {
            self.fresh.insert(pane, self.tables.empty()?);
        }
        rows(self.fresh.get_mut(&pane).expect("inserted above"))
    }

    /// Emits what need not wait: of complete windows, and all with EMIT ON UPDATE.
    fn after_rows(&mut self, out: &mut Output) -> Result<()> {
        let is_short = self.fresh_bytes() > self.most_bytes || self.memory.is_over();
        if self.emission.early == Early::OnUpdate {
            self.merge(i64::MAX, self.passed_ms, Scope::All)?;
        } else {
            let until_ms = if is_short { i64::MAX } else { self.passed_ms };
            self.merge(until_ms, self.passed_ms, Scope::Complete)?;
        }
        while self.resume(out)? {}
        Ok(())
    }

    /// Emits all that is new.
    fn emit_all(&mut self, out: &mut Output) -> Result<()> {
        self.merge(i64::MAX, self.passed_ms, Scope::All)?;
        self.refresh(i64::MAX);
        self.resume(out).map(drop)
    }

    fn advance(&mut self, watermark: EventTime, out: &mut Output) -> Result<()> {
        assert!(self.advancing.is_none(), "a watermark is worked off before the next one");
        let watermark = self.watermark.map_or(watermark, |fired| fired.max(watermark));
        let passed_ms = self.results.clock().passed(watermark);
        self.merge(passed_ms, passed_ms, Scope::Complete)?;
        self.refresh(passed_ms);
        self.advancing = Some((watermark, passed_ms));
        self.resume(out).map(drop)
    }

    /// Plans to merge the fresh panes a window of which ends at `until_ms` or before into all
    /// their windows, and to emit of these what `scope` says; those that end at `passed_ms` or
    /// before are complete.
    fn merge(&mut self, until_ms: i64, passed_ms: i64, scope: Scope) -> Result<()> {
        let gone_ms = self.gone_ms();
        let mut windows: BTreeMap<(i64, i64), Vec<RecordBatch>> = BTreeMap::new();
        while let Some(entry) = self.fresh.first_entry()
            && self.panes.first_end(*entry.key()) <= until_ms
        {
            let (pane, table) = entry.remove_entry();
            let partials = self.tables.take_all(table)?;
            for (start_ms, end_ms) in self.panes.windows_of(pane) {
                if end_ms > gone_ms {
                    windows.entry((end_ms, start_ms)).or_default().push(partials.clone());
                }
            }
        }
        for ((end_ms, start_ms), partials) in windows {
            let window = Window { start_ms, end_ms };
            let emit = scope == Scope::All || end_ms <= passed_ms;
            let merged = self.tables.merge(&partials)?;
            for from in (0..merged.num_rows()).step_by(BATCH_ROWS) {
                let partials = merged.slice(from, BATCH_ROWS.min(merged.num_rows() - from));
                self.work.push_back(Work::Merge { window, partials, emit });
            }
        }
        Ok(())
    }

    /// Plans to emit what is out of date in windows that end at `until_ms` or before.
    fn refresh(&mut self, until_ms: i64) {
        self.work.extend(self.told.stale(until_ms).into_iter().map(Work::Refresh));
    }

    /// Goes on with what is planned. Returns true if there is more.
    fn resume(&mut self, out: &mut Output) -> Result<bool> {
        let mut emitted = 0;
        while let Some(work) = self.work.pop_front() {
            let (window, changes) = match work {
                Work::Merge { window, partials, emit } => {
                    (window, self.told.add(window, &partials, emit, &mut self.tables)?)
                }
                Work::Refresh(window) => {
                    let changes = self.told.refresh(window, &mut self.tables)?;
                    if self.told.has_stale(window) {
                        self.work.push_front(Work::Refresh(window));
                    }
                    (window, changes)
                }
            };
            let Some(Changes { columns, kinds }) = changes else { continue };
            let rows = self.results.rows(window, &columns)?;
            emitted += rows.num_rows();
            self.pending.add(rows, kinds.as_ref(), out)?;
            if emitted >= PORTION_ROWS && !self.work.is_empty() {
                self.pending.flush(out)?;
                return Ok(true);
            }
        }
        self.pending.flush(out)?;
        if let Some((watermark, passed_ms)) = self.advancing.take() {
            assert!(passed_ms >= self.passed_ms, "windows that are complete stay so");
            self.passed_ms = passed_ms;
            self.has_fired |= self.watermark != Some(watermark);
            self.watermark = Some(watermark);
            self.told.drop_until(self.gone_ms())?;
            out.watermark(watermark);
        }
        self.report();
        Ok(false)
    }

    /// Hands over to state what it does not have yet.
    fn end_epoch(&mut self, out: &mut Output) -> Result<()> {
        assert!(self.work.is_empty(), "what is begun is worked off before an epoch ends");
        if let Some(watermark) = self.watermark.filter(|_| self.has_fired) {
            self.fired.set(watermark);
            self.has_fired = false;
        }
        self.merge(i64::MAX, self.passed_ms, Scope::Complete)?;
        while self.resume(out)? {}
        self.tables.let_go_of_unneeded();
        Ok(())
    }

    fn fresh_bytes(&self) -> u64 {
        self.fresh.values().map(GroupTable::bytes).sum::<usize>() as u64
    }

    fn report(&mut self) {
        let bytes = self.fresh_bytes();
        let keys: usize = self.fresh.values().map(GroupTable::len).sum();
        self.memory.set(bytes + self.told.bytes() + self.tables.spare_bytes() as u64);
        self.metrics.state_keys.set((keys + self.told.count()) as u64);
        self.metrics.state_bytes.set(bytes + self.told.bytes());
    }
}

impl Pending {
    fn add(
        &mut self,
        rows: RecordBatch,
        kinds: Option<&Int8Array>,
        out: &mut Output,
    ) -> Result<()> {
        match kinds {
            Some(kinds) => self.kinds.extend_from_slice(kinds.values()),
            None => {
                let inserts = std::iter::repeat_n(RowKind::Insert as i8, rows.num_rows());
                self.kinds.extend(inserts);
            }
        }
        self.batches.push(rows);
        if self.kinds.len() >= BATCH_ROWS { self.flush(out) } else { Ok(()) }
    }

    /// Passes on what was added.
    fn flush(&mut self, out: &mut Output) -> Result<()> {
        let Some(first) = self.batches.first() else { return Ok(()) };
        let rows = concat_batches(&first.schema(), &self.batches)?;
        self.batches.clear();
        let kinds = Int8Array::from(std::mem::take(&mut self.kinds));
        let are_inserts = kinds.values().iter().all(|kind| *kind == RowKind::Insert as i8);
        out.batch(Batch { rows, kinds: (!are_inserts).then_some(kinds) });
        Ok(())
    }
}
