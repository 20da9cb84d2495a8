//! Pane maths: which pane a moment falls into, and which windows a pane belongs to.
//!
//! Everything here is in **window time**: milliseconds of event time, or for a zoned time
//! attribute of the zone's wall clock. A window's end is exclusive; `passed` is the largest end
//! that the watermark completes, so a window has fired exactly if its end is `<= passed`.
//!
//! ```text
//!  HOP(slide 2, size 6), pane length 2        CUMULATE(step 2, size 6), pane length 2
//!  panes    |p0|p2|p4|p6|p8|                  panes    |p0|p2|p4|p6|p8|
//!  windows  |── 0..6 ──|                      windows  |0.2|
//!              |── 2..8 ──|                            |─ 0..4|
//!                 |── 4..10 ─|                         |── 0..6 ──|
//!  p4: first end 6, last end 10               p2: first end 4, last end 6
//! ```
//!
//! Laws (checked below against enumeration):
//!
//! 1. the ends of the windows that cover a pane are `first_end(p), + interval, …, last_end(p)`;
//! 2. `first_end` and `last_end` grow with the pane: the oldest pane decides what fires next and
//!    what is dropped first;
//! 3. nothing overflows: a moment more than 73 million years away counts as that far away.

use millstream_state::{EventTime, PaneKey};

use super::{WindowKind, Windows};

/// Moments are read as within this distance of the epoch, so that windows around them stay far
/// from the ends of `i64`. A broken record may hold any number, and must not stop the job.
const FARTHEST_MS: i64 = i64::MAX / 4;

/// A pane of window time, or one attached window. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pane {
    /// What orders panes, in window time: the pane's start; of an attached window its end.
    pub at_ms: i64,
    /// Of an attached window its start, otherwise the same as `at_ms`.
    pub start_ms: i64,
}

impl Pane {
    /// What the pane is called in state.
    pub(crate) fn key(self) -> PaneKey {
        PaneKey { at: EventTime::from_ms(self.at_ms), start: EventTime::from_ms(self.start_ms) }
    }

    /// The pane that state calls so.
    pub(crate) fn of_key(key: PaneKey) -> Self {
        Pane { at_ms: key.at.as_ms(), start_ms: key.start.as_ms() }
    }
}

/// Which panes there are and which windows cover them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panes {
    /// Windows cut from event time.
    Cut {
        /// The windows.
        windows: Windows,
        /// Length of a pane in milliseconds.
        length_ms: i64,
    },
    /// Windows that rows bring with them: each is a pane of its own.
    Attached,
}

impl Panes {
    /// The panes of `windows`.
    ///
    /// # Panics
    /// If a length is not positive or exceeds 73 million years, a hop is wider than its window
    /// (rows between the windows would belong to none), or a cumulating window is not a multiple
    /// of its step. The planner refuses these.
    pub fn cut(windows: Windows) -> Self {
        let length_ms = match windows.kind {
            WindowKind::Tumble { size_ms } => size_ms,
            WindowKind::Hop { size_ms, slide_ms } => {
                assert!(slide_ms <= size_ms, "hopping windows leave no gaps");
                gcd(size_ms, slide_ms)
            }
            WindowKind::Cumulate { size_ms, step_ms } => {
                assert!(step_ms > 0 && size_ms % step_ms == 0, "steps fill a cumulating window");
                step_ms
            }
        };
        assert!(length_ms > 0, "window lengths are positive");
        assert!(windows.size_ms() <= FARTHEST_MS, "windows are shorter than time");
        Panes::Cut { windows, length_ms }
    }

    /// The pane of a moment; of one that is absurdly far away, the farthest pane.
    ///
    /// # Panics
    /// For attached windows, which do not come from a moment.
    pub fn pane_of(&self, ms: i64) -> Pane {
        let Panes::Cut { windows, length_ms } = self else {
            unreachable!("attached windows are read, not computed")
        };
        let ms = ms.clamp(-FARTHEST_MS, FARTHEST_MS);
        let start_ms = floor(ms, *length_ms, windows.offset_ms);
        Pane { at_ms: start_ms, start_ms }
    }

    /// Exclusive end of a pane.
    pub fn end_of(&self, pane: Pane) -> i64 {
        match self {
            Panes::Cut { length_ms, .. } => pane.at_ms.saturating_add(*length_ms),
            Panes::Attached => pane.at_ms,
        }
    }

    /// True if a pane may belong to several windows.
    pub fn are_shared(&self) -> bool {
        match self {
            Panes::Cut { windows, length_ms } => windows.size_ms() != *length_ms,
            Panes::Attached => false,
        }
    }

    /// End of the earliest window that covers a pane.
    pub fn first_end(&self, pane: Pane) -> i64 {
        let Panes::Cut { windows, length_ms } = self else { return pane.at_ms };
        match windows.kind {
            WindowKind::Tumble { .. } | WindowKind::Cumulate { .. } => {
                pane.at_ms.saturating_add(*length_ms)
            }
            WindowKind::Hop { size_ms, slide_ms } => {
                let before = floor(pane.at_ms.saturating_sub(size_ms), slide_ms, windows.offset_ms);
                before.saturating_add(slide_ms).saturating_add(size_ms)
            }
        }
    }

    /// End of the last window that covers a pane: once it has fired, the pane is dropped and rows
    /// of the pane are late.
    pub fn last_end(&self, pane: Pane) -> i64 {
        let Panes::Cut { windows, .. } = self else { return pane.at_ms };
        let interval_ms = match windows.kind {
            WindowKind::Hop { slide_ms, .. } => slide_ms,
            WindowKind::Tumble { size_ms } | WindowKind::Cumulate { size_ms, .. } => size_ms,
        };
        let start_ms = floor(pane.at_ms, interval_ms, windows.offset_ms);
        start_ms.saturating_add(windows.size_ms())
    }

    /// End of the earliest window that covers a pane and has not fired yet; `None` if all have.
    pub fn next_end(&self, pane: Pane, passed_ms: i64) -> Option<i64> {
        let first_ms = self.first_end(pane);
        if passed_ms < first_ms {
            return Some(first_ms);
        }
        let Panes::Cut { windows, .. } = self else { return None };
        let (interval_ms, origin_ms) = match windows.kind {
            WindowKind::Tumble { .. } => return None,
            WindowKind::Hop { slide_ms, .. } => (slide_ms, first_ms),
            WindowKind::Cumulate { step_ms, .. } => (step_ms, first_ms),
        };
        let next_ms = floor(passed_ms, interval_ms, origin_ms).saturating_add(interval_ms);
        (passed_ms < next_ms && next_ms <= self.last_end(pane)).then_some(next_ms)
    }

    /// Start of the window of `pane` that ends at `end_ms`.
    pub fn start_of(&self, pane: Pane, end_ms: i64) -> i64 {
        match self {
            Panes::Attached => pane.start_ms,
            Panes::Cut { windows, .. } => match windows.kind {
                WindowKind::Tumble { size_ms } | WindowKind::Hop { size_ms, .. } => {
                    end_ms.saturating_sub(size_ms)
                }
                WindowKind::Cumulate { size_ms, .. } => {
                    floor(pane.at_ms, size_ms, windows.offset_ms)
                }
            },
        }
    }

    /// All windows of a pane as (start, end), ascending.
    pub fn windows_of(&self, pane: Pane) -> impl Iterator<Item = (i64, i64)> {
        let panes = *self;
        let ends = std::iter::successors(Some(self.first_end(pane)), move |end_ms| {
            panes.next_end(pane, *end_ms)
        });
        ends.map(move |end_ms| (panes.start_of(pane, end_ms), end_ms))
    }
}

impl Windows {
    /// Length of the (longest) window.
    pub fn size_ms(&self) -> i64 {
        match self.kind {
            WindowKind::Tumble { size_ms }
            | WindowKind::Hop { size_ms, .. }
            | WindowKind::Cumulate { size_ms, .. } => size_ms,
        }
    }
}

/// The last multiple of `step`, counted from `origin`, that is not after `ms`.
fn floor(ms: i64, step: i64, origin: i64) -> i64 {
    // Both remainders are below `step`, so their difference cannot overflow as `ms - origin` could.
    let past = (ms.rem_euclid(step) - origin.rem_euclid(step)).rem_euclid(step);
    ms.saturating_sub(past)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All windows of small size around zero that contain `ms`, by definition.
    fn by_definition(windows: Windows, ms: i64) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        for start in -60..60 {
            for end in start + 1..=start + 30 {
                let aligned = |x: i64, step: i64| (x - windows.offset_ms).rem_euclid(step) == 0;
                let is_window = match windows.kind {
                    WindowKind::Tumble { size_ms } => {
                        end - start == size_ms && aligned(start, size_ms)
                    }
                    WindowKind::Hop { size_ms, slide_ms } => {
                        end - start == size_ms && aligned(start, slide_ms)
                    }
                    WindowKind::Cumulate { size_ms, step_ms } => {
                        end - start <= size_ms && aligned(start, size_ms) && aligned(end, step_ms)
                    }
                };
                if is_window && start <= ms && ms < end {
                    found.push((start, end));
                }
            }
        }
        found.sort_by_key(|(_, end)| *end);
        found
    }

    #[test]
    fn windows_of_a_pane_are_those_of_the_definition() {
        let kinds = [
            WindowKind::Tumble { size_ms: 7 },
            WindowKind::Hop { size_ms: 10, slide_ms: 5 },
            WindowKind::Hop { size_ms: 10, slide_ms: 4 },
            WindowKind::Hop { size_ms: 9, slide_ms: 9 },
            WindowKind::Cumulate { size_ms: 12, step_ms: 3 },
        ];
        for (kind, offset_ms) in kinds.iter().flat_map(|kind| [(kind, 0), (kind, 2), (kind, -3)]) {
            let windows = Windows { kind: *kind, offset_ms };
            let panes = Panes::cut(windows);
            for ms in -25..25 {
                let expected = by_definition(windows, ms);
                let pane = panes.pane_of(ms);
                assert!(pane.at_ms <= ms && ms < panes.end_of(pane), "{windows:?} at {ms}");
                assert_eq!(
                    panes.windows_of(pane).collect::<Vec<_>>(),
                    expected,
                    "{windows:?} {ms}"
                );
                assert_eq!(panes.last_end(pane), expected[expected.len() - 1].1);
                for passed_ms in -40..40 {
                    let next = expected.iter().map(|window| window.1).find(|end| *end > passed_ms);
                    assert_eq!(
                        panes.next_end(pane, passed_ms),
                        next,
                        "{windows:?} {ms} {passed_ms}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let windows =
            Windows { kind: WindowKind::Hop { size_ms: 10, slide_ms: 5 }, offset_ms: i64::MIN };
        for ms in [i64::MIN, i64::MAX] {
            let panes = Panes::cut(windows);
            assert_eq!(panes.windows_of(panes.pane_of(ms)).count(), 2);
        }
    }
}
