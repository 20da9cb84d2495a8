//! What a query that was changed does to the state that its predecessor has kept.
//!
//! Operators are matched by name, and their state by signature: what its layout depends on.
//!
//! | name in the snapshot | name in the job | signatures | change |
//! |---|---|---|---|
//! | yes | yes | equal | kept |
//! | yes | yes | differ, readable | migrated |
//! | yes | yes | differ, not readable | rebuilt: its state is dropped, it begins empty |
//! | yes | no | | dropped |
//! | no | yes | | new |

use std::collections::BTreeMap;
use std::fmt;

use millstream_operators::signature::{StateChange, compare};
use millstream_operators::{JobGraph, NodeKind};
use millstream_state::checkpoint::{Manifest, OperatorState};
use millstream_state::store::PaneDelta;
use millstream_state::{GroupRange, StateDelta, StateStore, TableSize};

use crate::error::Result;

/// What becomes of an operator's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is used as it is.
    Kept,
    /// It is read in its old form; says how.
    Migrated(String),
    /// It cannot be used, the operator begins empty; says why.
    Rebuilt(String),
    /// The job has no such operator any more.
    Dropped,
    /// The operator is new and begins empty.
    New,
}

impl Change {
    /// True if state is lost.
    pub fn loses_state(&self) -> bool {
        matches!(self, Change::Rebuilt(_) | Change::Dropped)
    }
}

/// What becomes of the state of one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorChange {
    /// Name of the operator.
    pub name: String,
    /// What becomes of its state.
    pub change: Change,
    /// Bytes of its state in the snapshot.
    pub bytes: u64,
}

impl fmt::Display for OperatorChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = crate::report::format_bytes(self.bytes);
        match &self.change {
            Change::Kept => write!(f, "{}: kept ({bytes})", self.name),
            Change::Migrated(how) => write!(f, "{}: migrated, {how} ({bytes})", self.name),
            Change::Rebuilt(why) => write!(f, "{}: rebuilt, {why} ({bytes} dropped)", self.name),
            Change::Dropped => write!(f, "{}: dropped ({bytes})", self.name),
            Change::New => write!(f, "{}: new", self.name),
        }
    }
}

/// The operators of a job that have state, as manifests name them.
pub fn operators(graph: &JobGraph) -> Vec<OperatorState> {
    let state = |node: &millstream_operators::graph::Node| match &node.kind {
        NodeKind::Operator(spec) => spec
            .state_signature()
            .map(|signature| OperatorState { name: node.name.clone(), signature }),
        _ => None,
    };
    graph.nodes.iter().filter_map(state).collect()
}

/// Compares a snapshot with the job that is to go on from it. `sizes` are those of the snapshot's
/// tables.
pub fn diff(manifest: &Manifest, graph: &JobGraph, sizes: &[TableSize]) -> Vec<OperatorChange> {
    let mut bytes = BTreeMap::<&str, u64>::new();
    for size in sizes {
        *bytes.entry(size.table.operator()).or_default() += size.bytes;
    }
    let now: BTreeMap<String, serde_json::Value> =
        operators(graph).into_iter().map(|state| (state.name, state.signature)).collect();
    let change = |old: &OperatorState| match now.get(&old.name) {
        None => Change::Dropped,
        Some(signature) => match compare(&old.signature, signature) {
            StateChange::Kept => Change::Kept,
            StateChange::Migrated(how) => Change::Migrated(how),
            StateChange::Rebuilt(why) => Change::Rebuilt(why),
        },
    };
    let mut changes: Vec<OperatorChange> = manifest
        .operators
        .iter()
        .map(|old| OperatorChange {
            name: old.name.clone(),
            change: change(old),
            bytes: bytes.get(old.name.as_str()).copied().unwrap_or(0),
        })
        .collect();
    let known = |name: &String| manifest.operators.iter().any(|old| old.name == *name);
    let new = now.into_keys().filter(|name| !known(name));
    changes.extend(new.map(|name| OperatorChange { name, change: Change::New, bytes: 0 }));
    changes
}

/// Removes the state that is lost from a store that was just restored, so that an operator which
/// is rebuilt finds nothing. The epoch stays the same: after a crash it is done again.
///
/// # Errors
/// If the store cannot be read or written.
pub fn forget_lost(store: &dyn StateStore, changes: &[OperatorChange]) -> Result<()> {
    const CHUNK: usize = 10_000;
    let lost = |operator: &str| {
        changes.iter().any(|change| change.name == operator && change.change.loses_state())
    };
    for TableSize { table, .. } in store.tables()? {
        if !lost(table.operator()) {
            continue;
        }
        let mut delta = StateDelta::default();
        let dropped = || PaneDelta { dropped: true, ..PaneDelta::default() };
        let panes = store.panes(&table, GroupRange::ALL)?;
        let panes = panes.into_iter().map(|(pane, _)| (pane, dropped())).collect();
        delta.panes.insert(table.clone(), panes);
        store.apply(store.applied(), &[delta.into()])?;
        loop {
            let rows = store.scan(&table, GroupRange::ALL, None, CHUNK)?;
            if rows.is_empty() {
                break;
            }
            let mut delta = StateDelta::default();
            let gone = rows.into_iter().map(|(key, _)| (key, None)).collect();
            delta.rows.insert(table.clone(), gone);
            store.apply(store.applied(), &[delta.into()])?;
        }
    }
    Ok(())
}
