//! Tiers: which runs of a pane are merged into one, so that a long-lived pane does not collect a
//! run for every epoch of its life.
//!
//! ```text
//!  rows of a run   < 8    < 64    < 512   < 4 Ki   < 32 Ki │ pieces of up to 64 Ki rows,
//!  tier             0       1       2       3        4     │ a tier for each range of groups
//!  runs             ▪▪▪ ─8▶ ▪ ─ 8 ▶ ▪ ─ 8 ─▶ ▪ ── 8 ─▶ ▪ ──┼▶ ▪ [0..=127]   ▪ [128..=255]
//!                                                          │   └─8▶ ▪ [0..=63] ▪ [64..=127]
//! ```
//!
//! Eight runs of a tier become one. If their keys differ it is larger and goes to the next tier;
//! if they are the same it stays, and takes the place of eight. Large runs are cut by key group
//! (see [`by_group`](super::by_group)), so a merge never holds more than eight pieces.
//!
//! Laws:
//!
//! 1. a partial is merged about once a tier, so the cost of a row grows with the logarithm of the
//!    keys that a pane holds, not with their number;
//! 2. the runs of a pane stay below eight a tier, but for merges that wait for a later epoch;
//! 3. a run with rows of another task is left alone: only its rescaled owners together could
//!    replace it.

use std::collections::BTreeMap;

use millstream_state::{GroupRange, RunInfo};

use super::by_group::{group, width};

/// Runs of a tier that become one.
const FULL_RUNS: usize = 8;
/// Runs with fewer rows are merged whatever groups they have.
const SMALL_ROWS: u64 = 1 << 15;
/// Most rows of a piece that could be cut further.
pub(crate) const PIECE_ROWS: usize = 1 << 16;
/// A run of this many rows is left alone: it is one of few.
const FINAL_ROWS: u64 = 1 << 18;

/// Name of a tier: a range of groups and a class of sizes.
type Tier = (GroupRange, u32);

/// The runs of a tier that is full.
pub(crate) fn full_tier(runs: &[RunInfo], owned: GroupRange) -> Option<Vec<RunInfo>> {
    let mut tiers: BTreeMap<(u16, u16, u32), Vec<RunInfo>> = BTreeMap::new();
    for run in runs.iter().filter(|run| owned.covers(run.groups)) {
        let Some((groups, class)) = tier_of(run) else { continue };
        let tier = tiers.entry((groups.first.number(), groups.last.number(), class)).or_default();
        tier.push(*run);
    }
    tiers.into_values().find(|tier| tier.len() >= FULL_RUNS)
}

fn tier_of(run: &RunInfo) -> Option<Tier> {
    match run.rows {
        FINAL_ROWS.. => None,
        SMALL_ROWS.. => Some((block_of(run.groups), SMALL_ROWS.ilog2() / 3)),
        rows => Some((GroupRange::ALL, rows.max(1).ilog2() / 3)),
    }
}

/// The smallest half of halves of all groups that has all of `groups`.
fn block_of(groups: GroupRange) -> GroupRange {
    let mut block = GroupRange::ALL;
    while width(block) > 1 {
        let middle = block.first.number() + width(block) / 2;
        if groups.last.number() < middle {
            block.last = group(middle - 1);
        } else if groups.first.number() >= middle {
            block.first = group(middle);
        } else {
            break;
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use millstream_state::{Epoch, KEY_GROUPS, RunId};

    use super::*;

    fn run(number: u32, groups: (u16, u16), rows: u64) -> RunInfo {
        let id = RunId { epoch: Epoch::default(), task: 0, number };
        let groups = GroupRange { first: group(groups.0), last: group(groups.1) };
        RunInfo { id, groups, rows, bytes: rows * 16 }
    }

    #[test]
    fn eight_of_a_size_are_merged_and_shared_runs_are_not() {
        let mut runs: Vec<RunInfo> = (0..7).map(|number| run(number, (3, 9), 100)).collect();
        runs.push(run(7, (0, 255), 3));
        assert_eq!(full_tier(&runs, GroupRange::ALL), None);
        runs.push(run(8, (0, 200), 500));
        let full = full_tier(&runs, GroupRange::ALL).expect("eight of one size");
        assert_eq!(full.len(), 8);
        assert!(full.iter().all(|run| run.rows >= 100));
        let half = GroupRange { first: group(0), last: group(127) };
        assert_eq!(full_tier(&runs, half), None, "a run reaches over to another task");
    }

    #[test]
    fn large_runs_are_merged_with_those_of_their_groups() {
        let lower = (0..7).map(|number| run(number, (1, 126), 40_000));
        let upper = (7..15).map(|number| run(number, (128, 255), 50_000));
        let runs: Vec<RunInfo> = lower.chain(upper).collect();
        let full = full_tier(&runs, GroupRange::ALL).expect("eight of the upper half");
        assert!(full.len() == 8 && full.iter().all(|run| run.groups.first == group(128)));
        let huge: Vec<RunInfo> = (0..9).map(|number| run(number, (5, 5), 1 << 18)).collect();
        assert_eq!(full_tier(&huge, GroupRange::ALL), None);
    }

    #[test]
    fn a_run_an_epoch_leaves_few_runs_and_logarithmic_work() {
        let (mut runs, mut merged_rows): (Vec<RunInfo>, u64) = (Vec::new(), 0);
        for epoch in 0..100_000 {
            runs.push(run(epoch, (0, 255), 10));
            while let Some(full) = full_tier(&runs, GroupRange::ALL) {
                let rows: u64 = full.iter().map(|run| run.rows).sum();
                merged_rows += rows;
                runs.retain(|run| !full.contains(run));
                // Different keys all of them; cut as `pieces` does.
                let pieces = (rows as usize).div_ceil(PIECE_ROWS).next_power_of_two() as u16;
                let groups = KEY_GROUPS / pieces;
                for piece in 0..pieces {
                    let groups = (piece * groups, (piece + 1) * groups - 1);
                    runs.push(run(
                        1_000_000 + epoch * 8 + u32::from(piece),
                        groups,
                        rows / u64::from(pieces),
                    ));
                }
            }
        }
        assert!(runs.len() < 64, "{} runs", runs.len());
        assert!(merged_rows < 8 * 1_000_000, "{merged_rows} rows merged");
    }
}
