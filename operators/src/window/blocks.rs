//! Blocks: merged runs of neighbouring panes, so that a long hop does not merge every pane again
//! at every slide.
//!
//! Windows are covered by dyadic blocks: a block of level `l` is 2^l panes, aligned to 2^l. A
//! window of `n` panes needs at most `2 log2 n` of them, and a block is merged once, from its two
//! halves, when a window first wants it.
//!
//! ```text
//!  panes    0   1   2   3   4   5   6   7   8   9  10  11
//!  level 1 [0   1] [2   3] [4   5] [6   7] [8   9] …
//!  level 2 [0   1   2   3] [4   5   6   7] [8   …
//!  window       └─ 1, [2 3], [4 5 6 7], [8 9] ─┘            panes 1–9: 4 merges instead of 9
//! ```
//!
//! These are the base intervals of Arasu & Widom, *Resource Sharing in Continuous Sliding-Window
//! Aggregates* (VLDB 2004), built on demand. Two-stacks (Tangwongsan et al., *Low-Latency
//! Sliding-Window Aggregation in Worst-Case Constant Time*, DEBS 2017, and its de-amortised
//! sibling DABA) needs fewer merges where all panes have the same keys, but keeps a merged suffix
//! of the window for each pane: with keyed panes that is memory of panes × keys of the *window*,
//! and without DABA's bookkeeping a slide in n stalls for n merges. Blocks are never worse than
//! merging panes, and a late row patches the log2 n blocks that hold its pane.
//!
//! Laws:
//!
//! 1. what `cover` returns merges to the same as all runs of the range's panes;
//! 2. blocks are a cache: everything in them can be merged again from the panes' runs;
//! 3. a block is forgotten with its last pane.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow::array::RecordBatch;

use crate::error::Result;

/// Up to this many panes, a window merges its panes directly: about what blocks save by then, they
/// cost.
const DIRECT_PANES: i64 = 8;
/// A block that late rows have patched this often is merged again.
const PATCHES: usize = 8;

/// Where the runs of panes are and how to merge them.
pub(crate) trait RunStore {
    /// The runs of the pane with this index.
    fn runs(&self, pane: i64) -> Result<Vec<RecordBatch>>;
    /// One run out of several.
    fn merge(&mut self, runs: &[RecordBatch]) -> Result<RecordBatch>;
}

/// The merged blocks of one operator. Panes are numbered in order, without gaps.
#[derive(Debug)]
pub(crate) struct Blocks {
    // PROPERTIES
    levels: u32,
    // STATE: all of it can be computed again
    occupied: BTreeSet<i64>,
    merged: BTreeMap<(u32, i64), Vec<RecordBatch>>,
    bytes: usize,
}

impl Blocks {
    /// Blocks for windows of `panes` panes.
    pub(crate) fn new(panes: i64) -> Self {
        let levels = if panes <= DIRECT_PANES { 0 } else { panes.ilog2() };
        Blocks { levels, occupied: BTreeSet::new(), merged: BTreeMap::new(), bytes: 0 }
    }

    /// Takes note that a pane has runs.
    pub(crate) fn occupy(&mut self, pane: i64) {
        self.occupied.insert(pane);
    }

    /// Forgets what was merged; the panes themselves stay known.
    pub(crate) fn forget_merged(&mut self) {
        self.merged.clear();
        self.bytes = 0;
    }

    /// Takes note of a new run of a pane.
    pub(crate) fn add(&mut self, pane: i64, run: &RecordBatch) {
        self.occupied.insert(pane);
        for level in 1..=self.levels {
            if let Some(runs) = self.merged.get_mut(&(level, pane >> level)) {
                runs.push(run.clone());
                self.bytes += run.get_array_memory_size();
            }
        }
    }

    /// Runs that together hold what the panes of `range` hold.
    pub(crate) fn cover(
        &mut self,
        range: Range<i64>,
        store: &mut impl RunStore,
    ) -> Result<Vec<RecordBatch>> {
        let mut runs = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let fits = |level: &u32| at % (1 << level) == 0 && at + (1 << level) <= range.end;
            let level = (0..=self.levels).rev().find(fits).unwrap_or(0);
            runs.extend(self.block(level, at >> level, store)?);
            at += 1 << level;
        }
        Ok(runs)
    }

    /// Forgets panes before `first`.
    pub(crate) fn forget_before(&mut self, first: i64) {
        self.occupied = self.occupied.split_off(&first);
        for level in 1..=self.levels {
            let end = first >> level;
            while let Some((&key, _)) = self.merged.range((level, i64::MIN)..(level, end)).next() {
                let runs = self.merged.remove(&key).unwrap_or_default();
                self.bytes -= bytes_of(&runs);
            }
        }
    }

    /// Memory of merged blocks.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn block(
        &mut self,
        level: u32,
        index: i64,
        store: &mut impl RunStore,
    ) -> Result<Vec<RecordBatch>> {
        let panes = index << level..(index + 1) << level;
        if self.occupied.range(panes).next().is_none() {
            return Ok(Vec::new());
        }
        if level == 0 {
            return store.runs(index);
        }
        let known = self.merged.get(&(level, index)).cloned();
        let runs = match known {
            Some(runs) if runs.len() <= PATCHES => return Ok(runs),
            Some(runs) => runs,
            None => {
                let mut halves = self.block(level - 1, index * 2, store)?;
                halves.extend(self.block(level - 1, index * 2 + 1, store)?);
                halves
            }
        };
        // A lone run is its own block; keeping it here would only count its memory twice.
        if runs.len() <= 1 {
            return Ok(runs);
        }
        let merged = vec![store.merge(&runs)?];
        self.bytes += bytes_of(&merged);
        let before = self.merged.insert((level, index), merged.clone());
        self.bytes -= bytes_of(&before.unwrap_or_default());
        Ok(merged)
    }
}

fn bytes_of(runs: &[RecordBatch]) -> usize {
    runs.iter().map(RecordBatch::get_array_memory_size).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    /// Panes of one number each; merging adds, and is counted.
    #[derive(Default)]
    struct Numbers {
        panes: BTreeMap<i64, Vec<RecordBatch>>,
        merged_runs: usize,
    }

    fn run(number: i64) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![number]));
        RecordBatch::try_from_iter([("n", column)]).expect("one column")
    }

    fn sum(runs: &[RecordBatch]) -> i64 {
        runs.iter().map(|run| run.column(0).as_primitive::<Int64Type>().value(0)).sum()
    }

    impl RunStore for Numbers {
        fn runs(&self, pane: i64) -> Result<Vec<RecordBatch>> {
            Ok(self.panes.get(&pane).cloned().unwrap_or_default())
        }

        fn merge(&mut self, runs: &[RecordBatch]) -> Result<RecordBatch> {
            self.merged_runs += runs.len();
            Ok(run(sum(runs)))
        }
    }

    #[test]
    fn a_sliding_window_costs_logarithmic_merges_and_sees_every_pane() {
        let (mut blocks, mut store) = (Blocks::new(60), Numbers::default());
        let value = |pane: i64| if pane % 7 == 3 { 0 } else { 1000 + pane };
        let mut late = BTreeMap::new();
        for newest in -100..400 {
            let add = |blocks: &mut Blocks, store: &mut Numbers, pane: i64, number: i64| {
                store.panes.entry(pane).or_default().push(run(number));
                blocks.add(pane, &run(number));
            };
            if value(newest) != 0 {
                add(&mut blocks, &mut store, newest, value(newest));
            }
            if newest % 5 == 0 && newest > -60 {
                add(&mut blocks, &mut store, newest - 30, 7);
                late.insert(newest - 30, 7);
            }
            let oldest = newest - 59;
            let runs = blocks.cover(oldest..newest + 1, &mut store).expect("cover");
            let expected: i64 = (oldest.max(-100)..=newest)
                .map(|pane| value(pane) + late.get(&pane).copied().unwrap_or_default())
                .sum();
            assert_eq!(sum(&runs), expected, "window up to {newest}");
            assert!(runs.len() <= 40, "{} runs up to {newest}", runs.len());
            blocks.forget_before(oldest + 1);
        }
        // 500 slides: each pane is in one block a level, which had two halves and a few patches.
        assert!(store.merged_runs < 500 * 6, "{} runs merged", store.merged_runs);
        blocks.forget_before(1000);
        assert_eq!(blocks.bytes(), 0);
    }
}
