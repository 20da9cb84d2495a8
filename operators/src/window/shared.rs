//! What helps to merge panes that several windows share. All of it is computed from sealed panes
//! and may be forgotten at any time.
//!
//! ```text
//!  CUMULATE(step 5, size 15)     HOP(slide 5, size 40)
//!  |p0|p5|p10|                   |p0|p5|p10|p15|p20|p25|p30|p35|
//!  running: p0 + p5 + …          blocks: [p0 p5] [p10 p15] [p0 p5 p10 p15] …
//! ```

use arrow::array::RecordBatch;

use super::blocks::{Blocks, RunStore};
use super::open::{OpenPanes, Source};
use super::pane::{Pane, Panes};
use super::results::Window;
use super::{WindowKind, Windows};
use crate::error::Result;

/// Merged panes.
pub(crate) enum Shared {
    /// Every pane is one window.
    No,
    /// Blocks of neighbouring panes.
    Hop { blocks: Blocks, numbers: Numbers },
    /// The longest window so far.
    Cumulate { running: Option<Running>, size_ms: i64 },
}

/// The merged panes of a longest cumulating window, from its start to the last end that fired.
pub(crate) struct Running {
    start_ms: i64,
    /// Panes before this are in it.
    end_ms: i64,
    partials: Vec<RecordBatch>,
}

impl Shared {
    /// What windows over these panes need.
    pub(crate) fn of(panes: Panes) -> Self {
        match panes {
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
        }
    }

    /// Takes what a window is made of from its panes, the oldest of which is `pane`.
    pub(crate) fn merge(
        &mut self,
        pane: Pane,
        window: Window,
        open: &mut OpenPanes,
    ) -> Result<Source> {
        match self {
            Shared::No => Ok(open.take(pane)?.expect("the oldest pane has rows")),
            Shared::Hop { blocks, numbers } => hop(open, blocks, *numbers, window),
            Shared::Cumulate { running, size_ms } => cumulate(open, running, *size_ms, window),
        }
    }

    /// Adds partials that came to a pane after its first window had fired.
    pub(crate) fn add(
        &mut self,
        pane: Pane,
        partials: &RecordBatch,
        open: &mut OpenPanes,
    ) -> Result<()> {
        match self {
            Shared::No => {}
            Shared::Hop { blocks, numbers } => blocks.add(numbers.of(pane.at_ms), partials),
            Shared::Cumulate { running, .. } => {
                open.release(pane);
                if let Some(running) = running
                    && running.start_ms <= pane.at_ms
                    && pane.at_ms < running.end_ms
                {
                    open.tables.push(&mut running.partials, partials.clone())?;
                }
            }
        }
        Ok(())
    }

    /// Forgets all that can be computed again.
    pub(crate) fn forget(&mut self) {
        match self {
            Shared::No => {}
            Shared::Hop { blocks, .. } => blocks.forget_merged(),
            Shared::Cumulate { running, .. } => *running = None,
        }
    }

    /// Forgets panes before the oldest one that is open.
    pub(crate) fn forget_before(&mut self, oldest: Option<Pane>) {
        if let Shared::Hop { blocks, numbers } = self {
            blocks.forget_before(oldest.map_or(i64::MAX, |pane| numbers.of(pane.at_ms)));
        }
    }

    /// Bytes of it.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Shared::No | Shared::Cumulate { running: None, .. } => 0,
            Shared::Hop { blocks, .. } => blocks.bytes(),
            Shared::Cumulate { running: Some(running), .. } => {
                running.partials.iter().map(RecordBatch::get_array_memory_size).sum()
            }
        }
    }
}

fn hop(
    open: &mut OpenPanes,
    blocks: &mut Blocks,
    numbers: Numbers,
    Window { start_ms, end_ms }: Window,
) -> Result<Source> {
    for (pane, partials) in open.seal(start_ms, end_ms)? {
        blocks.add(numbers.of(pane.at_ms), &partials);
    }
    if !open.warm(start_ms, end_ms)? {
        return Ok(Source::Scattered(open.scattered(start_ms, end_ms)));
    }
    for pane in open.within(start_ms, end_ms) {
        blocks.occupy(numbers.of(pane.at_ms));
    }
    let range = numbers.of(start_ms)..numbers.of(end_ms);
    let runs = blocks.cover(range, &mut SealedPanes { open, numbers })?;
    Ok(Source::Table(open.tables.table_of(&runs)?))
}

fn cumulate(
    open: &mut OpenPanes,
    running: &mut Option<Running>,
    size_ms: i64,
    window: Window,
) -> Result<Source> {
    let Window { start_ms, end_ms } = window;
    let new = open.seal(start_ms, end_ms)?;
    let mut current = match running.take() {
        Some(running) if running.start_ms == start_ms => running,
        // The first firing of this longest window, or the first since memory was short or the job
        // came back.
        _ => Running { start_ms, end_ms: start_ms, partials: Vec::new() },
    };
    let rest: Vec<Pane> = open.within(current.end_ms, end_ms).collect();
    let is_in_memory = open.fit(&rest);
    for (pane, partials) in new.into_iter().filter(|(pane, _)| pane.at_ms < current.end_ms) {
        current.partials.push(partials);
        // What the running merge holds need not be held twice.
        open.release(pane);
    }
    for pane in rest {
        if is_in_memory {
            current.partials.extend(open.load(pane)?);
        }
        open.release(pane);
    }
    if !is_in_memory {
        return Ok(Source::Scattered(open.scattered(start_ms, end_ms)));
    }
    let is_longest = end_ms == start_ms.saturating_add(size_ms);
    if is_longest {
        return Ok(Source::Table(open.tables.table_of(&current.partials)?));
    }
    current.partials = vec![open.tables.merge(&current.partials)?];
    let table = open.tables.table_of(&current.partials)?;
    *running = Some(Running { end_ms, ..current });
    Ok(Source::Table(table))
}

/// Numbers panes in order, without gaps.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
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
        Ok(self.open.sealed(self.numbers.pane(number)))
    }

    fn merge(&mut self, runs: &[RecordBatch]) -> Result<RecordBatch> {
        self.open.tables.merge(runs)
    }
}
