//! Firing: from open panes to results, in order of window end.
//!
//! | windows | a firing merges |
//! |---|---|
//! | TUMBLE, attached windows | nothing, or the pane's base and delta |
//! | HOP | the partials of its panes; for long hops merged [`Blocks`](super::blocks::Blocks) of them |
//! | CUMULATE | one running merge for each longest window, and what came since |
//!
//! A window whose panes are not all in memory, and would not fit, is merged and leaves in parts
//! ([`scattered`](super::scattered)). Results leave in portions: after each the task passes them
//! on and comes back by [`Firing::resume`], so that a window of any size needs memory for a
//! portion only.
//!
//! Laws:
//!
//! 1. windows fire in ascending order of their end, each at most once, all before the watermark
//!    that completes them is passed on;
//! 2. a window fires if one of its panes has a row, even an old one: a cumulating window repeats
//!    its last result until the longest one has fired;
//! 3. time without rows costs nothing: the next window is found from the oldest pane, not by
//!    counting up;
//! 4. windows of processing time that are open when the input ends do not fire, as on Flink: the
//!    clock has not reached their end;
//! 5. after a restart watermarks may begin below what has fired: then nothing fires and the
//!    watermark that did is passed on.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use millstream_state::{EventTime, MemoryUse};

use super::WindowAggregateSpec;
use super::open::{OpenPanes, Source};
use super::pane::{Pane, Panes};
use super::partial::Columns;
use super::results::{Results, Window};
use super::scattered::Parts;
use super::shared::Shared;
use crate::aggregate::AggregateLayout;
use crate::error::Result;
use crate::{OperatorContext, OperatorMetrics, Output};

/// Result rows after which the task gets to pass them on.
const PORTION_ROWS: usize = 1 << 16;

/// Open panes and how they become windows.
pub(crate) struct Firing {
    pub open: OpenPanes,
    /// Windows follow the clock: see [`WindowTime::Assign`].
    is_processing: bool,
    results: Results,
    shared: Shared,
    /// The watermark that is being worked on; `None` between calls of the task.
    advancing: Option<Advancing>,
    memory: MemoryUse,
    metrics: Arc<OperatorMetrics>,
}

/// A watermark not all of whose windows have fired.
struct Advancing {
    watermark: EventTime,
    passed_ms: i64,
    leaving: Option<Leaving>,
}

/// A window not all of whose results have left.
struct Leaving {
    pane: Pane,
    window: Window,
    /// Results, and how many of them have left.
    columns: Option<(Columns, usize)>,
    /// What is to be merged when these have left.
    parts: Option<Parts>,
}

impl Firing {
    /// Takes over what is open of the operator that `context` names; results are of `schema`.
    ///
    /// # Errors
    /// If the zone is unknown or the state cannot be read.
    pub(crate) fn restored(
        spec: &WindowAggregateSpec,
        schema: SchemaRef,
        panes: Panes,
        layout: Arc<AggregateLayout>,
        context: &OperatorContext,
    ) -> Result<Self> {
        let results = Results::new(spec, schema)?;
        Ok(Firing {
            open: OpenPanes::new(panes, layout, results.clock(), context)?,
            is_processing: spec.time.is_processing(),
            results,
            shared: Shared::of(panes),
            advancing: None,
            memory: MemoryUse::new(context.memory.clone()),
            metrics: context.metrics.clone(),
        })
    }

    /// Fires what the watermark completes, then passes the watermark on. Returns true if there is
    /// more, for [`Self::resume`].
    pub(crate) fn advance(&mut self, watermark: EventTime, out: &mut Output) -> Result<bool> {
        assert!(self.advancing.is_none(), "a watermark is worked off before the next one");
        if self.is_processing && watermark == EventTime::MAX {
            out.watermark(watermark);
            return Ok(false);
        }
        let watermark = self.open.fired().map_or(watermark, |fired| fired.max(watermark));
        let passed_ms = self.results.clock().passed(watermark);
        self.advancing = Some(Advancing { watermark, passed_ms, leaving: None });
        self.resume(out)
    }

    /// The pane that a row goes to. In processing time a row that comes after its window has fired,
    /// because it was behind another subtask's, belongs to the window that is open now.
    pub(crate) fn pane_for(&self, pane: Pane) -> Pane {
        match self.open.panes() {
            panes @ Panes::Cut { .. } if self.is_processing && self.open.is_late(pane) => {
                panes.pane_of(self.open.passed_ms())
            }
            _ => pane,
        }
    }

    /// Goes on with the watermark. Returns true if there is still more.
    pub(crate) fn resume(&mut self, out: &mut Output) -> Result<bool> {
        let has_more = self.go_on(out)?;
        self.report();
        Ok(has_more)
    }

    fn go_on(&mut self, out: &mut Output) -> Result<bool> {
        let Some(mut advancing) = self.advancing.take() else { return Ok(false) };
        let mut room = PORTION_ROWS;
        loop {
            if let Some(leaving) = &mut advancing.leaving {
                if !self.emit(leaving, &mut room, out)? {
                    self.results.flush(out)?;
                    self.advancing = Some(advancing);
                    return Ok(true);
                }
                self.finish(leaving.pane, leaving.window);
            }
            advancing.leaving = self.begin_next(advancing.passed_ms)?;
            if advancing.leaving.is_none() {
                break;
            }
        }
        self.results.flush(out)?;
        self.open.set_fired(advancing.watermark, advancing.passed_ms);
        out.watermark(advancing.watermark);
        Ok(false)
    }

    /// Hands over to the store what it does not have yet; lets go of memory if it is short.
    pub(crate) fn end_epoch(&mut self) -> Result<()> {
        assert!(self.advancing.is_none(), "a watermark is worked off before an epoch ends");
        self.measure();
        if self.memory.is_over() {
            self.shared.forget();
            self.open.evict(self.used_bytes() / 2);
        }
        for (pane, partials) in self.open.end_epoch()? {
            self.shared.add(pane, &partials, &mut self.open)?;
        }
        self.report();
        Ok(())
    }

    /// Tells the budget what is held.
    pub(crate) fn measure(&mut self) {
        self.memory.set(self.used_bytes() + self.open.tables.spare_bytes() as u64);
    }

    /// Shows what is held.
    fn report(&mut self) {
        self.measure();
        self.metrics.state_keys.set(self.open.size().keys as u64);
        self.metrics.state_bytes.set(self.used_bytes());
    }

    fn used_bytes(&self) -> u64 {
        (self.open.size().bytes + self.shared.bytes()) as u64
    }

    /// Begins the next window that is complete.
    fn begin_next(&mut self, passed_ms: i64) -> Result<Option<Leaving>> {
        let Some(pane) = self.open.oldest() else { return Ok(None) };
        let panes = self.open.panes();
        let next_ms = panes.next_end(pane, self.open.passed_ms());
        let end_ms = next_ms.expect("a pane is dropped with its last window");
        if end_ms > passed_ms {
            return Ok(None);
        }
        let window = Window { start_ms: panes.start_of(pane, end_ms), end_ms };
        let mut leaving = Leaving { pane, window, columns: None, parts: None };
        match self.shared.merge(pane, window, &mut self.open)? {
            Source::Table(mut table) => {
                leaving.columns = Some((table.take_results()?, 0));
                self.open.tables.recycle(table);
            }
            Source::Scattered(scattered) => {
                leaving.parts = Some(Parts::new(scattered, &mut self.open)?);
            }
        }
        Ok(Some(leaving))
    }

    /// Emits results while there is room. Returns true once all of the window have left.
    fn emit(&mut self, leaving: &mut Leaving, room: &mut usize, out: &mut Output) -> Result<bool> {
        loop {
            if let Some((columns, from)) = &mut leaving.columns {
                let rows = rows_of(columns) - *from;
                if rows > *room {
                    self.results.add(leaving.window, &slice(columns, *from, *room), out)?;
                    *from += *room;
                    return Ok(false);
                }
                self.results.add(leaving.window, &slice(columns, *from, rows), out)?;
                *room -= rows;
                leaving.columns = None;
            }
            let Some(parts) = &mut leaving.parts else { return Ok(true) };
            if *room == 0 {
                return Ok(false);
            }
            let Some(mut table) = parts.next(&mut self.open)? else { return Ok(true) };
            leaving.columns = Some((table.take_results()?, 0));
            self.open.tables.recycle(table);
        }
    }

    fn finish(&mut self, pane: Pane, window: Window) {
        if !self.open.panes().are_shared() {
            self.open.drop_runs(pane);
        }
        // Attached windows may have the same end: the next one has not passed yet.
        if !matches!(self.open.panes(), Panes::Attached) {
            self.open.pass(window.end_ms);
        }
        self.shared.forget_before(self.open.oldest());
    }
}

fn rows_of((keys, values): &Columns) -> usize {
    keys.iter().chain(values).next().map_or(0, |column| column.len())
}

fn slice((keys, values): &Columns, from: usize, rows: usize) -> Columns {
    let slice =
        |columns: &[ArrayRef]| columns.iter().map(|column| column.slice(from, rows)).collect();
    (slice(keys), slice(values))
}
