//! Gathers what the tasks contribute to an epoch, until it is sealed.
//!
//! Parts of two epochs can be here at once: a task that has passed barrier `n` and then ends sends
//! a part of `n + 1` while others still work on `n`.

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream_connectors::commit::{EpochCommit, OffsetHome, Position};
use millstream_operators::NodeId;
use millstream_state::checkpoint::{FORMAT, Manifest, OperatorState, SourceState, SplitState};
use millstream_state::{Epoch, StateDelta};

use crate::epoch::part::EpochPart;

/// What stays the same in all manifests of an incarnation.
#[derive(Clone, Debug, Default)]
pub struct JobFacts {
    /// Name of the job.
    pub job: String,
    /// Name of this start of it.
    pub incarnation: String,
    /// Parallelism of the job.
    pub parallelism: usize,
    /// Fingerprint of the plan.
    pub plan_hash: String,
    /// The operators that have state.
    pub operators: Vec<OperatorState>,
    /// The sources, in the order of the job graph.
    pub sources: Vec<SourceFacts>,
}

/// What stays the same of a source.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    /// Its node in the job graph.
    pub node: NodeId,
    /// Name of the node.
    pub name: String,
    /// Name of the table.
    pub table: String,
    /// Where its offsets can be committed.
    pub home: Option<OffsetHome>,
}

impl JobFacts {
    /// The manifest of an epoch in which sources were read so far; without files.
    pub fn manifest(
        &self,
        epoch: Epoch,
        finished: bool,
        created_ms: u64,
        splits: impl Fn(NodeId) -> Vec<SplitState>,
    ) -> Manifest {
        let source = |facts: &SourceFacts| SourceState {
            name: facts.name.clone(),
            table: facts.table.clone(),
            splits: splits(facts.node),
        };
        Manifest {
            format: FORMAT,
            job: self.job.clone(),
            incarnation: self.incarnation.clone(),
            epoch,
            created_ms,
            finished,
            parallelism: self.parallelism as u32,
            plan_hash: self.plan_hash.clone(),
            sources: self.sources.iter().map(source).collect(),
            operators: self.operators.clone(),
            files: Vec::new(),
        }
    }

    /// Positions of all splits that were given one, as deciders take them.
    pub fn positions(&self, manifest: &Manifest) -> Arc<[Position]> {
        let of_source = |source: &SourceState| {
            let facts = self.sources.iter().find(|facts| facts.name == source.name);
            let home = facts.and_then(|facts| facts.home.clone());
            let name = source.name.clone();
            let position = move |split: &SplitState| {
                let (source, home, split_id) = (name.clone(), home.clone(), split.id.clone());
                let next_offset = split.next_offset?;
                Some(Position { source, home, split: split_id, next_offset })
            };
            source.splits.iter().filter_map(position).collect::<Vec<_>>()
        };
        manifest.sources.iter().flat_map(of_source).collect()
    }

    /// What is to be committed of a sealed manifest.
    pub fn commit(&self, manifest: &Manifest, snapshot_crc: u32) -> EpochCommit {
        EpochCommit {
            epoch: manifest.epoch,
            snapshot_crc,
            positions: self.positions(manifest),
            finished: manifest.finished,
        }
    }
}

/// Gathers parts; see the head of this file.
#[derive(Debug, Default)]
pub struct Collector {
    /// How far each task's splits were read at its last barrier.
    splits: BTreeMap<(NodeId, usize), Vec<SplitState>>,
    parts: Vec<EpochPart>,
}

impl Collector {
    /// Takes a part.
    pub fn add(&mut self, part: EpochPart) {
        self.parts.push(part);
    }

    /// Takes out what belongs to an epoch: the changes of all tasks. From then on the splits are
    /// where they were at its end.
    pub fn take(&mut self, epoch: Epoch) -> Vec<Arc<StateDelta>> {
        let of_epoch = |part: &mut EpochPart| part.epoch <= epoch;
        let mut deltas = Vec::new();
        for part in self.parts.extract_if(.., of_epoch) {
            if let Some((node, splits)) = part.splits {
                self.splits.insert((node, part.task), splits);
            }
            if !part.delta.is_empty() {
                deltas.push(part.delta);
            }
        }
        deltas
    }

    /// How far the splits of a source were read.
    pub fn splits(&self, node: NodeId) -> Vec<SplitState> {
        let of_node = self.splits.iter().filter(|((of, _), _)| *of == node);
        let mut splits: Vec<SplitState> = of_node.flat_map(|(_, splits)| splits).cloned().collect();
        splits.sort_by(|a, b| a.id.cmp(&b.id));
        splits
    }
}
