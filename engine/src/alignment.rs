//! Watermark alignment: splits that have run ahead of the slowest of their group wait for it.
//!
//! ```text
//!  group `g`, max-drift 1 min
//!  orders/0    ──────────── 12:00:10
//!  orders/1    ──────────────────────── 12:01:05  ┐ further than 12:00:10 + 1 min?
//!  clicks/0    ──────────────────────────── 12:01:30 ┘ yes: not read until orders/0 has come up
//! ```
//!
//! Every subtask of a source in the group says now and then how far its slowest split is, and
//! learns how far any split may be. What is read ahead is bounded by that: windows and joins over
//! sources of unequal speed, and replays of partitions of unequal age, need state for the drift and
//! not for the difference.
//!
//! Laws:
//!
//! 1. the slowest split is never held back, so the group moves on;
//! 2. splits that are idle, have ended or have said nothing of time hold nobody back;
//! 3. a split that is held back is not idle: it is not silent, nobody listens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use millstream_operators::NodeId;
use millstream_state::EventTime;

use crate::waker::lock;

/// A subtask of a source.
pub type Member = (NodeId, usize);

/// All alignment groups of a job, by name.
#[derive(Debug, Default)]
pub struct Groups(BTreeMap<String, Arc<Group>>);

impl Groups {
    /// The group with this name.
    pub fn named(&mut self, name: &str) -> Arc<Group> {
        self.0.entry(name.to_owned()).or_default().clone()
    }
}

/// The subtasks of one group, and how far the slowest split of each is.
#[derive(Debug, Default)]
pub struct Group(Mutex<BTreeMap<Member, EventTime>>);

impl Group {
    /// Says how far the slowest split of a member is, `None` if none of its splits counts. Returns
    /// how far the slowest of the group is.
    pub fn report(&self, member: Member, slowest: Option<EventTime>) -> Option<EventTime> {
        let mut members = lock(&self.0);
        match slowest {
            Some(slowest) => members.insert(member, slowest),
            None => members.remove(&member),
        };
        members.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_that_counts_decides() {
        let mut groups = Groups::default();
        let group = groups.named("g");
        let at = |ms| Some(EventTime::from_ms(ms));
        let (orders, clicks) = ((NodeId(0), 0), (NodeId(1), 3));
        assert_eq!(group.report(orders, None), None);
        assert_eq!(group.report(orders, at(10)), at(10));
        assert_eq!(groups.named("g").report(clicks, at(90)), at(10));
        assert_eq!(group.report(orders, at(95)), at(90));
        assert_eq!(group.report(clicks, None), at(95), "it has ended");
        assert_eq!(groups.named("h").report(clicks, at(1)), at(1), "another group");
    }
}
