//! Watermarks of a source subtask: one generator for each split, combined by their minimum.
//!
//! ```sql
//! CREATE TABLE bids (…, WATERMARK FOR at AS at - INTERVAL '4' SECOND)
//! ```
//!
//! ```text
//!  split 0   ──a──b──────c──▶   max of the expression: 7
//!  split 1   ────d──e───────▶                          5   ─┐
//!  split 2   ──f── (silent)     idle: left out              ├─▶ subtask: min = 5
//!  split 3   ──g─┤  (finished): left out                   ─┘
//! ```
//!
//! | state | value | created | dropped |
//! |---|---|---|---|
//! | splits | highest implied watermark, last activity | `add_splits` | never: indexes are stable |
//! | current | watermark that was passed on last | first row of every split | never |
//! | silence | since when nobody has heard a row of the source | first look | never |
//!
//! Laws:
//!
//! 1. the subtask's watermark never goes back, even if an idle split returns with older rows (they
//!    are late then) or a split is added;
//! 2. a split that has said nothing holds the watermark back until it is idle or finished;
//! 3. when all splits have finished, and only then, the watermark is [`EventTime::MAX`];
//! 4. when all unfinished splits are idle, the watermark stands and the subtask says so;
//! 5. with [`WatermarkSpec::idle_advance_ms`], once the whole source has been silent for so long, all
//!    splits are idle and the watermark follows the clock: it is the highest of theirs, as it is
//!    wherever all inputs are idle, plus the length of the silence, however far event time is from
//!    the clock's. The next row ends that, and time stays where it has come to;
//! 6. no clock is read here: the caller passes the processing time in.
//!
//! ```text
//!  rows        a b c                                      d
//!  clock       0 1 2 ─── silence ─── 12 ── 13 ── 14 ──── 15
//!  watermark   0 1 2                 12    13    14       max(14, what d implies)
//! ```
//!
//! Late rows: they are not this place's business; a row behind the watermark leaves it unchanged.

use arrow::array::{AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::{cast, max};
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use millstream_state::EventTime;

use crate::error::Result;
use crate::expression::evaluate;
use crate::graph::{WatermarkEmit, WatermarkSpec};

/// What one split has said about time.
#[derive(Clone, Debug)]
struct Split {
    /// Highest watermark that a row of the split implied; `None` before the first.
    watermark: Option<EventTime>,
    /// Processing time of the last row, or of the first look at the split.
    active_ms: Option<u64>,
    idle: bool,
    finished: bool,
    /// Nobody reads it: it is not silent.
    held: bool,
}

/// What must come back of a split after a restart, so that time goes on where it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SplitTime {
    /// Highest watermark that a row of the split implied.
    pub watermark: Option<EventTime>,
    /// The watermark that the split's subtask had passed on.
    pub current: Option<EventTime>,
    /// The split was silent for longer than the timeout.
    pub idle: bool,
    /// The split was at its end.
    pub finished: bool,
}

/// A part of a batch: the rows from the previous cut up to this one, then a watermark.
pub type Cut = (usize, Option<EventTime>);

/// Watermark generators of the splits of one source subtask.
pub struct SplitWatermarks {
    // PROPERTIES
    spec: WatermarkSpec,
    // STATE
    splits: Vec<Split>,
    current: Option<EventTime>,
    silence: Silence,
}

/// How long nobody has heard a row of the source.
#[derive(Clone, Copy, Debug, Default)]
struct Silence {
    /// Processing time of the last row, or of the first look.
    since_ms: Option<u64>,
    /// The watermark when the clock was first followed.
    from: Option<EventTime>,
}

/// A watermark that follows the clock moves in steps of so much, lest it be passed on at every look.
const STEP_MS: u64 = 100;

impl SplitWatermarks {
    /// Generators for splits `0..splits`.
    pub fn new(spec: &WatermarkSpec, splits: usize) -> Self {
        let mut watermarks = SplitWatermarks {
            spec: spec.clone(),
            splits: Vec::new(),
            current: None,
            silence: Silence::default(),
        };
        watermarks.add_splits(splits);
        watermarks
    }

    /// Generators that go on from what [`Self::state`] said of each split before a restart; `None`
    /// for a split that was not there. Pass [`Self::current`] on before any row.
    ///
    /// Splits may come from different subtasks. Their least `current` is the most that every
    /// operator behind this one is sure to have seen, so time goes on from there, or from further
    /// on if the splits imply it.
    pub fn restored(spec: &WatermarkSpec, splits: &[Option<SplitTime>]) -> Self {
        let mut watermarks = SplitWatermarks::new(spec, splits.len());
        for (split, state) in watermarks.splits.iter_mut().zip(splits) {
            let SplitTime { watermark, idle, finished, .. } = state.unwrap_or_default();
            *split = Split { watermark, active_ms: None, idle, finished, held: false };
        }
        // A subtask that was at its end may be followed by one that is not.
        let currents = splits.iter().flatten().map(|state| state.current);
        watermarks.current =
            currents.filter(|current| *current != Some(EventTime::MAX)).min().flatten();
        watermarks.advance();
        watermarks
    }

    /// What must survive of a split.
    ///
    /// # Panics
    /// If there is no such split.
    pub fn state(&self, split: usize) -> SplitTime {
        let Split { watermark, idle, finished, .. } = self.splits[split];
        SplitTime { watermark, current: self.current, idle, finished }
    }

    /// Adds `count` splits with the next indexes, as partition discovery does.
    pub fn add_splits(&mut self, count: usize) {
        let (idle, finished, held) = (false, false, false);
        let split = Split { watermark: None, active_ms: None, idle, finished, held };
        self.splits.resize(self.splits.len() + count, split);
    }

    /// Takes note of rows of a split, in the node's output columns, that arrived at processing
    /// time `now_ms`.
    ///
    /// Returns where to cut the batch: `(end, watermark)` for each part `previous end..end`, the
    /// last of which ends with the batch. After a part with a watermark, the subtask's watermark
    /// is to be passed on. With the periodic strategy there is one part.
    ///
    /// # Errors
    /// If the watermark expression fails.
    ///
    /// # Panics
    /// If there is no such split, or it has finished.
    pub fn observe(&mut self, split: usize, rows: &RecordBatch, now_ms: u64) -> Result<Vec<Cut>> {
        assert!(!self.splits[split].finished, "rows after the end of split {split}");
        let implied = evaluate("watermark", &self.spec.expr, rows)?;
        let implied = cast(&implied, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
        let implied = implied.as_primitive::<TimestampMillisecondType>();
        self.splits[split].active_ms = Some(now_ms);
        self.splits[split].idle = false;
        self.end_silence(now_ms);
        let mut cuts = match self.spec.emit {
            WatermarkEmit::OnPeriodic => {
                vec![(rows.num_rows(), self.raise(split, max(implied)))]
            }
            WatermarkEmit::OnEvent => self.cut_at_every_advance(split, implied),
        };
        if cuts.last().is_none_or(|(end, _)| *end < rows.num_rows()) {
            cuts.push((rows.num_rows(), None));
        }
        Ok(cuts)
    }

    fn cut_at_every_advance(
        &mut self,
        split: usize,
        implied: &PrimitiveArray<TimestampMillisecondType>,
    ) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for (row, implied_ms) in implied.iter().enumerate() {
            if let Some(watermark) = self.raise(split, implied_ms) {
                cuts.push((row + 1, Some(watermark)));
            }
        }
        cuts
    }

    /// Says that a split is at its end. Returns the subtask's watermark if that advanced it.
    pub fn finish(&mut self, split: usize) -> Option<EventTime> {
        self.splits[split].finished = true;
        self.advance()
    }

    /// Takes note that another subtask of the source had rows: the source is not silent.
    pub fn end_silence(&mut self, now_ms: u64) {
        self.silence = Silence { since_ms: Some(now_ms), from: None };
    }

    /// Looks at the clock: splits that were silent for longer than the timeout become idle.
    /// Returns the subtask's watermark if that advanced it; ask [`Self::is_idle`] afterwards.
    pub fn tick(&mut self, now_ms: u64) -> Option<EventTime> {
        let mut advanced = None;
        for split in self.splits.iter_mut().filter(|split| split.held) {
            split.active_ms = Some(now_ms);
        }
        if self.splits.iter().any(|split| split.held) {
            self.end_silence(now_ms);
        }
        if let Some(timeout_ms) = self.spec.idle_timeout_ms {
            for split in &mut self.splits {
                let active_ms = *split.active_ms.get_or_insert(now_ms);
                split.idle |= now_ms.saturating_sub(active_ms) >= timeout_ms;
            }
            advanced = self.advance();
        }
        self.follow(now_ms).or(advanced)
    }

    /// Follows the clock while the whole source is silent.
    fn follow(&mut self, now_ms: u64) -> Option<EventTime> {
        let advance_ms = self.spec.idle_advance_ms?;
        let silent_ms = now_ms.saturating_sub(*self.silence.since_ms.get_or_insert(now_ms));
        if silent_ms < advance_ms || self.splits.iter().all(|split| split.finished) {
            return None;
        }
        let from = self.silence.from.or_else(|| {
            let open = self.splits.iter().filter(|split| !split.finished);
            self.current.max(open.filter_map(|split| split.watermark).max())
        });
        self.splits.iter_mut().for_each(|split| split.idle = true);
        self.silence.from = from;
        let step_ms = i64::try_from(silent_ms / STEP_MS * STEP_MS).unwrap_or(i64::MAX);
        // The last moment but one: the last says that there is no other.
        let moment_ms = from?.as_ms().saturating_add(step_ms).min(i64::MAX - 1);
        let watermark = Some(EventTime::from_ms(moment_ms));
        if watermark <= self.current {
            return None;
        }
        self.current = watermark;
        watermark
    }

    /// The least watermark of the splits that count: neither idle nor finished, and with a watermark.
    pub fn slowest(&self) -> Option<EventTime> {
        let active = self.splits.iter().filter(|split| !split.idle && !split.finished);
        active.filter_map(|split| split.watermark).min()
    }

    /// Holds the splits that are ahead of `limit`, and no others. Returns those for which that is
    /// new, and whether they are held now.
    pub fn hold_ahead_of(&mut self, limit: Option<EventTime>) -> Vec<(usize, bool)> {
        let mut changed = Vec::new();
        for (number, split) in self.splits.iter_mut().enumerate() {
            let ahead = limit.is_some_and(|limit| split.watermark > Some(limit));
            let held = ahead && !split.finished;
            if held != split.held {
                split.held = held;
                changed.push((number, held));
            }
        }
        changed
    }

    /// True if no split is read, because all that are not finished are held.
    pub fn are_all_held(&self) -> bool {
        let mut open = self.splits.iter().filter(|split| !split.finished).peekable();
        open.peek().is_some() && open.all(|split| split.held)
    }

    /// True while no unfinished split is active, so that nothing here moves the watermark. Also
    /// true of a subtask without splits; false once the final watermark was reached.
    pub fn is_idle(&self) -> bool {
        self.current != Some(EventTime::MAX)
            && self.splits.iter().all(|split| split.idle || split.finished)
    }

    /// The subtask's watermark, if there is one yet.
    pub fn current(&self) -> Option<EventTime> {
        self.current
    }

    fn raise(&mut self, split: usize, implied_ms: Option<i64>) -> Option<EventTime> {
        let implied = EventTime::from_ms(implied_ms?);
        let split = &mut self.splits[split];
        if split.watermark.is_some_and(|watermark| watermark >= implied) {
            return None;
        }
        split.watermark = Some(implied);
        self.advance()
    }

    /// Recomputes the minimum; returns it if it is an advance.
    fn advance(&mut self) -> Option<EventTime> {
        let combined = self.combined()?;
        if self.current.is_some_and(|current| combined <= current) {
            return None;
        }
        self.current = Some(combined);
        Some(combined)
    }

    /// The minimum over active splits; `None` if one of them has said nothing or all are idle.
    fn combined(&self) -> Option<EventTime> {
        if self.splits.is_empty() {
            return None;
        }
        if self.splits.iter().all(|split| split.finished) {
            return Some(EventTime::MAX);
        }
        // `None < Some(_)`: a split that has said nothing is the minimum.
        let active = self.splits.iter().filter(|split| !split.idle && !split.finished);
        active.map(|split| split.watermark).min().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, TimestampMillisecondArray};
    use datafusion_physical_expr::expressions::Column;

    use super::*;

    fn watermarks(splits: usize, emit: WatermarkEmit) -> SplitWatermarks {
        let expr = Arc::new(Column::new("at", 0));
        let idle_timeout_ms = Some(100);
        let spec = WatermarkSpec {
            column: 0,
            expr,
            emit,
            idle_timeout_ms,
            idle_advance_ms: None,
            alignment: None,
        };
        SplitWatermarks::new(&spec, splits)
    }

    fn rows(at_ms: &[Option<i64>]) -> RecordBatch {
        let at: ArrayRef = Arc::new(TimestampMillisecondArray::from(at_ms.to_vec()));
        RecordBatch::try_from_iter([("at", at)]).expect("one column")
    }

    fn at(ms: i64) -> Option<EventTime> {
        Some(EventTime::from_ms(ms))
    }

    #[test]
    fn the_minimum_waits_for_every_split_and_never_goes_back() {
        let mut watermarks = watermarks(2, WatermarkEmit::OnPeriodic);
        let mut observe =
            |split, ms: &[Option<i64>]| watermarks.observe(split, &rows(ms), 0).expect("observed");
        assert_eq!(observe(0, &[Some(5), Some(9), None]), [(3, None)]);
        assert_eq!(observe(1, &[Some(7)]), [(1, at(7))]);
        assert_eq!(observe(1, &[Some(3)]), [(1, None)]);
        assert_eq!(observe(1, &[Some(20)]), [(1, at(9))]);
        watermarks.add_splits(1);
        assert_eq!(watermarks.observe(0, &rows(&[Some(30)]), 0).expect("observed"), [(1, None)]);
        assert_eq!(watermarks.observe(2, &rows(&[Some(1)]), 0).expect("observed"), [(1, None)]);
        assert_eq!(watermarks.current(), at(9));
    }

    #[test]
    fn on_event_cuts_after_every_row_that_advances() {
        let mut watermarks = watermarks(1, WatermarkEmit::OnEvent);
        let batch = rows(&[Some(5), Some(4), None, Some(8), Some(8)]);
        let cuts = watermarks.observe(0, &batch, 0).expect("observed");
        assert_eq!(cuts, [(1, at(5)), (4, at(8)), (5, None)]);
    }

    #[test]
    fn a_silent_split_is_left_out_until_it_speaks() {
        let mut watermarks = watermarks(2, WatermarkEmit::OnPeriodic);
        assert_eq!(watermarks.tick(1000), None);
        assert!(!watermarks.is_idle());
        watermarks.observe(0, &rows(&[Some(50)]), 1050).expect("observed");
        assert_eq!(watermarks.tick(1100), at(50));
        assert!(!watermarks.is_idle());
        assert_eq!(watermarks.tick(1150), None);
        assert!(watermarks.is_idle());
        let late = watermarks.observe(1, &rows(&[Some(10)]), 1160).expect("observed");
        assert_eq!((late, watermarks.is_idle()), (vec![(1, None)], false));
    }

    #[test]
    fn splits_that_are_ahead_are_held_and_are_not_idle() {
        let mut watermarks = watermarks(3, WatermarkEmit::OnPeriodic);
        watermarks.observe(0, &rows(&[Some(10)]), 0).expect("observed");
        watermarks.observe(1, &rows(&[Some(99)]), 0).expect("observed");
        assert_eq!(watermarks.slowest(), at(10), "split 2 has said nothing");
        assert_eq!(watermarks.hold_ahead_of(at(99)), []);
        assert_eq!(watermarks.hold_ahead_of(at(40)), [(1, true)]);
        assert_eq!(watermarks.hold_ahead_of(at(40)), []);
        watermarks.tick(500);
        assert_eq!(watermarks.slowest(), at(99), "splits 0 and 2 are idle, the held one is not");
        assert!(!watermarks.is_idle() && !watermarks.are_all_held());
        watermarks.finish(0);
        watermarks.finish(2);
        assert!(watermarks.are_all_held());
        assert_eq!(watermarks.hold_ahead_of(at(99)), [(1, false)]);
    }

    fn following(splits: usize) -> SplitWatermarks {
        let mut watermarks = watermarks(splits, WatermarkEmit::OnPeriodic);
        watermarks.spec.idle_advance_ms = Some(10_000);
        watermarks
    }

    #[test]
    fn a_silent_source_follows_the_clock_from_where_it_was() {
        let mut watermarks = following(2);
        watermarks.spec.idle_timeout_ms = None;
        assert_eq!(watermarks.tick(0), None);
        watermarks.observe(0, &rows(&[Some(5_000)]), 1_000).expect("observed");
        watermarks.observe(1, &rows(&[Some(4_000)]), 2_000).expect("observed");
        assert_eq!(watermarks.tick(11_999), None);
        assert!(!watermarks.is_idle());
        assert_eq!((watermarks.tick(12_050), watermarks.is_idle()), (at(15_000), true));
        assert_eq!(watermarks.tick(12_099), None, "in steps");
        assert_eq!(watermarks.tick(12_100), at(15_100));
        watermarks.observe(0, &rows(&[Some(5_500)]), 12_200).expect("observed");
        assert_eq!((watermarks.tick(22_100), watermarks.current()), (None, at(15_100)));
        assert!(!watermarks.is_idle());
        watermarks.end_silence(22_150);
        assert_eq!(watermarks.tick(32_100), None, "another subtask had rows");
        assert_eq!(watermarks.tick(32_150), at(25_100));
        let restored = SplitWatermarks::restored(
            &watermarks.spec,
            &[Some(watermarks.state(0)), Some(watermarks.state(1))],
        );
        assert_eq!(restored.current(), at(25_100), "what has fired stays fired");
    }

    #[test]
    fn a_split_that_has_said_nothing_does_not_stop_the_clock() {
        let mut watermarks = following(2);
        watermarks.spec.idle_timeout_ms = None;
        watermarks.observe(1, &rows(&[Some(7)]), 0).expect("observed");
        assert_eq!(watermarks.tick(10_000), at(10_007));
        let mut nothing = following(1);
        assert_eq!((nothing.tick(0), nothing.tick(60_000)), (None, None));
        assert!(nothing.is_idle());
        let mut ended = following(1);
        ended.observe(0, &rows(&[Some(7)]), 0).expect("observed");
        ended.finish(0);
        assert_eq!((ended.tick(60_000), ended.current()), (None, Some(EventTime::MAX)));
    }

    #[test]
    fn time_goes_on_after_a_restart_even_if_splits_change_hands() {
        let (mut one, mut other) =
            (watermarks(2, WatermarkEmit::OnPeriodic), watermarks(1, WatermarkEmit::OnPeriodic));
        one.observe(0, &rows(&[Some(50)]), 0).expect("observed");
        one.tick(0);
        one.observe(0, &rows(&[Some(51)]), 100).expect("observed");
        assert_eq!(one.tick(100), at(51), "split 1 is idle");
        one.observe(1, &rows(&[Some(3)]), 100).expect("observed");
        other.observe(0, &rows(&[Some(70)]), 0).expect("observed");
        let (fast, slow, third) = (one.state(0), one.state(1), other.state(0));
        assert_eq!((slow.watermark, slow.current, slow.idle), (at(3), at(51), false));

        let spec = one.spec.clone();
        let same = SplitWatermarks::restored(&spec, &[Some(fast), Some(slow)]);
        assert_eq!((same.state(0), same.state(1), same.current()), (fast, slow, at(51)));
        let mixed = SplitWatermarks::restored(&spec, &[Some(third), Some(slow)]);
        assert_eq!(mixed.current(), at(51), "what both subtasks had reached");
        let ahead = SplitWatermarks::restored(&spec, &[Some(third), None]);
        assert_eq!(ahead.current(), at(70), "a new split does not turn time back");

        other.finish(0);
        let ended = SplitWatermarks::restored(&spec, &[Some(other.state(0))]);
        assert_eq!(ended.current(), Some(EventTime::MAX));
        let more = SplitWatermarks::restored(&spec, &[Some(other.state(0)), Some(fast)]);
        assert_eq!(more.current(), at(51), "the end is that of all splits");
    }

    #[test]
    fn finished_splits_leave_the_minimum_and_all_of_them_end_time() {
        let mut watermarks = watermarks(3, WatermarkEmit::OnPeriodic);
        watermarks.observe(0, &rows(&[Some(5)]), 0).expect("observed");
        assert_eq!(watermarks.finish(1), None);
        assert_eq!(watermarks.finish(2), at(5));
        assert_eq!(watermarks.finish(0), Some(EventTime::MAX));
        assert!(!watermarks.is_idle());
    }
}
