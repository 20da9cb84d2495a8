//! Firing: from open panes to results, in order of window end.
//!
//! | windows | a firing merges |
//! |---|---|
//! | TUMBLE, attached windows | nothing: the pane's table is the window |
//! | HOP | the runs of its panes; for long hops merged [`Blocks`] of them |
//! | CUMULATE | one running merge for each longest window, and what came since |
//!
//! Laws:
//!
//! 1. windows fire in ascending order of their end, each at most once, all before the watermark
//!    that completes them is passed on;
//! 2. a window fires if one of its panes has a row, even an old one: a cumulating window repeats
//!    its last result until the longest one has fired;
//! 3. time without rows costs nothing: the next window is found from the oldest pane, not by
//!    counting up.

use arrow::array::RecordBatch;
use millstream_state::EventTime;

use super::blocks::{Blocks, RunStore};
use super::open::OpenPanes;
use super::pane::{Pane, Panes};
use super::results::{Results, Window};
use super::{WindowKind, Windows};
use crate::aggregate::GroupTable;
use crate::error::Result;
use crate::{OperatorMetrics, Output};

/// Open panes and how they become windows.
pub(crate) struct Firing {
    pub open: OpenPanes,
    results: Results,
    shared: Shared,
}

/// What helps to merge panes that several windows share. Computed from sealed panes.
enum Shared {
    /// Every pane is one window.
    No,
    Hop {
        blocks: Blocks,
        numbers: Numbers,
    },
    Cumulate {
        running: Option<Running>,
        size_ms: i64,
    },
}

/// The merged panes of a longest cumulating window, from its start to the last end that fired.
struct Running {
    start_ms: i64,
    runs: Vec<RecordBatch>,
}

impl Firing {
    /// Takes over what is open; the helpers are brought up to date with panes that were sealed
    /// before a restart.
    pub(crate) fn restored(open: OpenPanes, results: Results) -> Result<Self> {
        let mut shared = match open.panes() {
            panes if !panes.are_shared() => Shared::No,
            Panes::Cut { windows: Windows { kind, offset_ms }, length_ms } => match kind {
                WindowKind::Hop { size_ms, .. } => Shared::Hop {
                    blocks: Blocks::new(size_ms / length_ms),
                    numbers: Numbers { length_ms, origin_ms: offset_ms.rem_euclid(length_ms) },
                },
                WindowKind::Cumulate { size_ms, .. } => Shared::Cumulate { running: None, size_ms },
                WindowKind::Tumble { .. } => Shared::No,
            },
            Panes::Attached => Shared::No,
        };
        if let Shared::Hop { blocks, numbers } = &mut shared {
            for pane in open.sealed() {
                for run in open.runs_of(pane)? {
                    blocks.add(numbers.of(pane.at_ms), &run);
                }
            }
        }
        Ok(Firing { open, results, shared })
    }

    /// Fires what the watermark completes, then passes the watermark on.
    pub(crate) fn advance(&mut self, watermark: EventTime, out: &mut Output) -> Result<()> {
        let passed_ms = self.results.clock().passed(watermark);
        while let Some(pane) = self.open.oldest() {
            let panes = self.open.panes();
            let next_ms = panes.next_end(pane, self.open.passed_ms());
            let end_ms = next_ms.expect("a pane is dropped with its last window");
            if end_ms > passed_ms {
                break;
            }
            let window = Window { start_ms: panes.start_of(pane, end_ms), end_ms };
            self.fire(pane, window, out)?;
        }
        self.results.flush(out)?;
        self.open.set_fired(watermark, passed_ms)?;
        out.watermark(watermark);
        Ok(())
    }

    /// Shows what is held.
    pub(crate) fn report(&self, metrics: &OperatorMetrics) {
        let size = self.open.size();
        let helper_bytes = match &self.shared {
            Shared::No => 0,
            Shared::Hop { blocks, .. } => blocks.bytes(),
            Shared::Cumulate { running, .. } => running.iter().map(Running::bytes).sum(),
        };
        metrics.state_keys.set(size.keys as u64);
        metrics.state_bytes.set((size.bytes + helper_bytes) as u64);
    }

    fn fire(&mut self, pane: Pane, window: Window, out: &mut Output) -> Result<()> {
        let mut table = match &mut self.shared {
            Shared::No => self.open.take_live(pane).expect("a pane of one window is not sealed"),
            Shared::Hop { blocks, numbers } => hop(&mut self.open, blocks, *numbers, window)?,
            Shared::Cumulate { running, size_ms } => {
                cumulate(&mut self.open, running, *size_ms, window)?
            }
        };
        self.results.add(window, table.take_results()?, out)?;
        self.open.recycle(table);
        // Attached windows may have the same end: the next one has not passed yet.
        if !matches!(self.open.panes(), Panes::Attached) {
            self.open.pass(window.end_ms)?;
        }
        if let Shared::Hop { blocks, numbers } = &mut self.shared {
            let oldest = self.open.oldest().map(|pane| numbers.of(pane.at_ms));
            blocks.forget_before(oldest.unwrap_or(i64::MAX));
        }
        Ok(())
    }
}

fn hop(
    open: &mut OpenPanes,
    blocks: &mut Blocks,
    numbers: Numbers,
    window: Window,
) -> Result<GroupTable> {
    for (pane, run) in open.seal(window.start_ms, window.end_ms)? {
        blocks.add(numbers.of(pane.at_ms), &run);
    }
    let range = numbers.of(window.start_ms)..numbers.of(window.end_ms);
    let runs = blocks.cover(range, &mut SealedPanes { open, numbers })?;
    open.merged(&runs)
}

fn cumulate(
    open: &mut OpenPanes,
    running: &mut Option<Running>,
    size_ms: i64,
    window: Window,
) -> Result<GroupTable> {
    let mut current = match running.take() {
        Some(running) if running.start_ms == window.start_ms => running,
        // The first firing of this longest window, or the first after a restart.
        _ => Running { start_ms: window.start_ms, runs: sealed_runs(open, window)? },
    };
    let sealed = open.seal(window.start_ms, window.end_ms)?;
    current.runs.extend(sealed.into_iter().map(|(_, run)| run));
    let mut table = open.merged(&current.runs)?;
    let is_longest = window.end_ms == window.start_ms.saturating_add(size_ms);
    if is_longest {
        return Ok(table);
    }
    if current.runs.len() > 1 {
        current.runs = vec![open.run(table.take_partials()?)?];
        open.recycle(table);
        table = open.merged(&current.runs)?;
    }
    *running = Some(current);
    Ok(table)
}

fn sealed_runs(open: &OpenPanes, window: Window) -> Result<Vec<RecordBatch>> {
    let mut runs = Vec::new();
    let within = |pane: &Pane| window.start_ms <= pane.at_ms && pane.at_ms < window.end_ms;
    for pane in open.sealed().filter(within) {
        runs.extend(open.runs_of(pane)?);
    }
    Ok(runs)
}

impl Running {
    fn bytes(&self) -> usize {
        self.runs.iter().map(RecordBatch::get_array_memory_size).sum()
    }
}

/// Numbers panes in order, without gaps.
#[derive(Clone, Copy)]
struct Numbers {
    length_ms: i64,
    /// Start of the pane with number 0.
    origin_ms: i64,
}

impl Numbers {
    /// The number of the pane that starts at `start_ms`.
    fn of(self, start_ms: i64) -> i64 {
        // The origin is below one length, so rounding down takes it off without overflow.
        start_ms.div_euclid(self.length_ms)
    }

    fn pane(self, number: i64) -> Pane {
        let start_ms = number.saturating_mul(self.length_ms).saturating_add(self.origin_ms);
        Pane { at_ms: start_ms, start_ms }
    }
}

/// Sealed panes by their number.
struct SealedPanes<'a> {
    open: &'a mut OpenPanes,
    numbers: Numbers,
}

impl RunStore for SealedPanes<'_> {
    fn runs(&self, number: i64) -> Result<Vec<RecordBatch>> {
        self.open.runs_of(self.numbers.pane(number))
    }

    fn merge(&mut self, runs: &[RecordBatch]) -> Result<RecordBatch> {
        let mut table = self.open.merged(runs)?;
        let run = self.open.run(table.take_partials()?)?;
        self.open.recycle(table);
        Ok(run)
    }
}
