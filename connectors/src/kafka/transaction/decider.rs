//! The protocol: what a job does at the start, and at the end of every epoch.
//!
//! ```text
//! recover   fence predecessors · read the pointer · open T_{m+1}
//! check     the snapshot is there, and positions are as it says · claim the pointer
//! commit    close T_n · drain · positions and pointer into T_n · commit · open T_{n+1}
//! ```
//!
//! 1. *Fence before reading.* Until predecessors are fenced, what is committed last may change.
//! 2. *Claim.* Before the first row the pointer is committed again, with this start's name. So
//!    whoever is fenced can tell a new instance, to which it must give way, from a broker that ended
//!    a transaction which had taken too long, after which it goes on from the last epoch. An instance
//!    that cannot go on itself, for want of the snapshot, claims nothing: who it fenced comes back.
//! 3. *Renew when dirty.* A request to end a transaction that got lost on a broken connection may
//!    arrive late and end the next one (KAFKA-17754; librdkafka has no other protection). So after
//!    anything that could have left one behind, the producer is replaced: fencing it fences its
//!    requests. Why not after every epoch: `docs/decisions/0005-renew-when-dirty.md`.
//! 4. *Audit.* Now and then the pointer is read back; nobody but us may have moved it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use millstream_state::{Epoch, fault};
use rdkafka::{Offset, TopicPartitionList};

use super::Cluster;
use super::failure::Failure;
use super::groups::Found;
use super::lane::Lane;
use super::pointer::Pointer;
use super::producer::{self, Producer};
use crate::commit::{Committed, Committer, EpochCommit, Position};
use crate::error::{ConnectorError, Result};
use crate::kafka::offsets::Partition;
use crate::kafka::source::partition_of;

/// How often the pointer is read back.
const AUDIT_INTERVAL: Duration = Duration::from_secs(10);
/// Least time between two renewals: every one costs the id an epoch of its own.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(1);

/// Positions by consumer group and partition.
type Offsets = BTreeMap<String, BTreeMap<Partition, i64>>;

/// Commits the epochs of a job to a cluster.
pub(super) struct Decider {
    cluster: Arc<Cluster>,
    /// The producer that has fenced all others.
    producer: Option<Arc<Producer>>,
    /// What we know to be committed.
    committed: Option<Pointer>,
    audited: Instant,
    renewed: Option<Instant>,
}

impl Decider {
    pub(super) fn new(cluster: Arc<Cluster>) -> Self {
        let audited = Instant::now();
        Decider { cluster, producer: None, committed: None, audited, renewed: None }
    }

    /// The producer that recovery made.
    fn producer(&self) -> Result<Arc<Producer>> {
        self.producer.clone().ok_or_else(|| ConnectorError::Aborted {
            message: "an epoch is to be committed before recovery".to_owned(),
            hint: None,
        })
    }

    fn pointer(&self, commit: &EpochCommit) -> Pointer {
        Pointer {
            job: self.cluster.job.name.clone(),
            epoch: commit.epoch,
            snapshot_crc: commit.snapshot_crc,
            incarnation: self.cluster.job.incarnation.clone(),
            finished: commit.finished,
        }
    }

    /// Makes positions and pointer part of the open transaction.
    fn point(&self, producer: &Producer, pointer: &Pointer, mut offsets: Offsets) -> Result<()> {
        let cluster = &self.cluster;
        let explain = |failure: Failure| cluster.explain(failure);
        let epoch = i64::try_from(pointer.epoch.0).expect("epochs are counted up from 0");
        let carriers = cluster.carriers().into_iter().map(|carrier| (carrier, epoch));
        offsets.entry(cluster.pointer_group()).or_default().extend(carriers);
        let metadata = pointer.to_string();
        for (group, partitions) in &offsets {
            let list = list_of(partitions, &metadata).map_err(explain)?;
            if fault::mutant("M1") {
                cluster.groups.commit_outside(group, &list)?;
                continue;
            }
            let group_metadata = || cluster.groups.metadata(group);
            producer.send_offsets(group, &list, group_metadata).map_err(explain)?;
        }
        Ok(())
    }

    /// Commits the pointer that was found once more, as ours. Nothing was written yet.
    fn claim(&mut self) -> Result<()> {
        let ours = &self.cluster.job.incarnation;
        let Some(found) = self.committed.clone().filter(|found| found.incarnation != *ours) else {
            return Ok(());
        };
        let pointer = Pointer { incarnation: ours.clone(), ..found };
        let next = pointer.epoch.next();
        let producer = self.producer()?;
        self.point(&producer, &pointer, Offsets::new())?;
        producer.commit().map_err(|failure| self.cluster.explain(failure))?;
        self.committed = Some(pointer);
        self.cluster.remember_claim();
        let producer = if producer.is_dirty() { self.renew(producer)? } else { producer };
        self.open(producer, next)
    }

    /// Replaces a producer that may have left requests behind.
    fn renew(&mut self, old: Arc<Producer>) -> Result<Arc<Producer>> {
        if let Some(pause) =
            self.renewed.and_then(|last| RENEWAL_INTERVAL.checked_sub(last.elapsed()))
        {
            thread::sleep(pause);
        }
        self.renewed = Some(Instant::now());
        let producer = self.cluster.new_producer()?;
        producer.init().map_err(|failure| self.cluster.explain(failure))?;
        // With the lanes closed, ours is the last handle; nobody waits for its end.
        self.cluster.shut();
        self.producer = None;
        producer::discard(old);
        self.audit()?;
        Ok(producer)
    }

    /// The pointer must be what we committed.
    fn audit(&mut self) -> Result<()> {
        self.audited = Instant::now();
        let cluster = &self.cluster;
        let found = cluster.newest_pointer(true)?;
        match (&found, &self.committed) {
            (found, committed) if found == committed => Ok(()),
            (Some(found), _) if found.incarnation != cluster.job.incarnation => {
                Err(cluster.fenced_by(found))
            }
            (found, committed) => {
                let text = |pointer: &Option<Pointer>| {
                    pointer
                        .as_ref()
                        .map_or("nothing".to_owned(), |at| format!("epoch {}", at.epoch))
                };
                Err(ConnectorError::Refused {
                    message: format!(
                        "torn transaction: {} was committed by job `{}`, but Kafka at {} has {}",
                        text(committed),
                        cluster.job.name,
                        cluster.options.servers(),
                        text(found)
                    ),
                    hint: Some(
                        "did somebody reset the offsets of the job's consumer group, or did a \
                         broker lose data? Start the job again: it goes on from what Kafka has"
                            .to_owned(),
                    ),
                })
            }
        }
    }

    /// Opens the transaction of `epoch`: what writers held back goes there first.
    fn open(&mut self, producer: Arc<Producer>, epoch: Epoch) -> Result<()> {
        producer.begin().map_err(|failure| self.cluster.explain(failure))?;
        self.cluster.open(&producer, epoch)?;
        self.producer = Some(producer);
        Ok(())
    }

    /// [`Committer::commit`]; after an error, nothing more is to be expected of the producer.
    fn commit_epoch(&mut self, commit: &EpochCommit) -> Result<()> {
        reach("commit.begun")?;
        if self.committed.is_some() && self.audited.elapsed() > AUDIT_INTERVAL {
            self.audit()?;
        }
        let producer = self.producer()?;
        let cluster = self.cluster.clone();
        cluster.close(commit.epoch)?;
        producer.drain().map_err(|failure| cluster.explain(failure))?;
        reach("commit.flushed")?;
        let pointer = self.pointer(commit);
        self.point(&producer, &pointer, cluster.offsets_of(&commit.positions)?)?;
        reach("commit.offsets-sent")?;
        producer.commit().map_err(|failure| cluster.explain(failure))?;
        reach("commit.sent")?;
        self.committed = Some(pointer);
        cluster.remember_claim();
        // Not a failure: as if a connection had broken during the commit.
        if reach("commit.disturbed").is_err() {
            producer.disturb();
        }
        if commit.finished {
            return Ok(());
        }
        let producer = match producer.is_dirty() && !fault::mutant("M6") {
            true => self.renew(producer)?,
            false => producer,
        };
        self.open(producer, commit.epoch.next())
    }
}

impl Committer for Decider {
    fn recover(&mut self) -> Result<Option<Committed>> {
        let cluster = self.cluster.clone();
        cluster.check_topics()?;
        cluster.check_ancestry()?;
        let producer = cluster.fresh_producer()?;
        // At this point being fenced says nothing about who is newer.
        producer.init().map_err(|failure| failure.explain(&cluster.id, &cluster.options))?;
        reach("recover.fenced")?;
        let found = cluster.newest_pointer(true)?;
        let first = found.as_ref().map_or(Epoch::GENESIS, |found| found.epoch).next();
        for lane in cluster.lanes() {
            lane.start(first);
        }
        self.open(producer, first)?;
        self.committed = found;
        Ok(self.committed.as_ref().map(Pointer::committed))
    }

    fn check_positions(&mut self, committed: &Committed, positions: &[Position]) -> Result<()> {
        for (group, expected) in self.cluster.offsets_of(positions)? {
            let partitions: Vec<Partition> = expected.keys().cloned().collect();
            let found = self.cluster.groups.committed(&group, &partitions, true)?;
            for (partition, offset) in expected {
                let found = found.get(&partition);
                if found.is_some_and(|found| is_ours(found, offset, committed)) {
                    continue;
                }
                return Err(moved(&group, &partition, offset, found, committed.epoch));
            }
        }
        self.claim()
    }

    fn commit(&mut self, commit: &EpochCommit) -> Result<()> {
        let committed = self.commit_epoch(commit);
        if let (Err(_), Some(producer)) = (&committed, &self.producer) {
            producer.give_up();
        }
        committed
    }
}

impl Cluster {
    /// The group that has the pointer.
    fn pointer_group(&self) -> String {
        format!("millstream.{}", self.job.name)
    }

    /// The partitions that carry the pointer.
    fn carriers(&self) -> Vec<Partition> {
        self.state().topics.iter().map(|topic| (topic.clone(), 0)).collect()
    }

    fn lanes(&self) -> Vec<Arc<Lane>> {
        self.state().lanes.clone()
    }

    /// What was committed last. A stable answer waits for transactions that are being ended; one
    /// that is not is right about who committed last.
    pub(super) fn newest_pointer(&self, stable: bool) -> Result<Option<Pointer>> {
        let group = self.pointer_group();
        let found = self.groups.committed(&group, &self.carriers(), stable)?;
        let mut newest: Option<Pointer> = None;
        for ((topic, partition), found) in found {
            let ours = |pointer: &Pointer| {
                pointer.job == self.job.name && i64::try_from(pointer.epoch.0) == Ok(found.offset)
            };
            let Some(pointer) = found.pointer.filter(ours) else {
                return Err(ConnectorError::Refused {
                    message: format!(
                        "consumer group `{group}` has offset {} for partition {partition} of topic \
                         `{topic}`, which job `{}` has not committed",
                        found.offset, self.job.name
                    ),
                    hint: Some(
                        "this group is the job's memory of what it has written: it must not be \
                         used or reset by anybody else. Delete the group and start with --fresh, \
                         or give the job another name"
                            .to_owned(),
                    ),
                });
            };
            if newest.as_ref().is_none_or(|newest| newest.epoch < pointer.epoch) {
                newest = Some(pointer);
            }
        }
        Ok(newest)
    }

    /// All topics must be there, and the broker must answer, before anything is fenced.
    fn check_topics(&self) -> Result<()> {
        let topics = self.state().topics.clone();
        topics.iter().try_for_each(|topic| self.partitions(topic).map(drop))
    }

    /// A start after a failure, in the same process, must not take back what another instance has
    /// taken over meanwhile.
    fn check_ancestry(&self) -> Result<()> {
        let ancestors = self.ancestors();
        if ancestors.is_empty() {
            return Ok(());
        }
        match self.newest_pointer(false)? {
            Some(pointer) if !ancestors.contains(&pointer.incarnation) => {
                Err(self.fenced_by(&pointer))
            }
            _ => Ok(()),
        }
    }

    /// The producer that looked for the topics, or a new one.
    fn fresh_producer(&self) -> Result<Arc<Producer>> {
        let fresh = self.state().fresh.take();
        fresh.map_or_else(|| self.new_producer(), Ok)
    }

    /// From here on nothing is sent but what belongs to `epoch`.
    fn close(&self, epoch: Epoch) -> Result<()> {
        self.state().open = None;
        let lanes = self.lanes();
        // A genesis is committed before anything is written, and takes the number of the epoch that
        // the lanes were about to start with.
        if lanes.iter().all(|lane| lane.is_untouched()) {
            lanes.iter().for_each(|lane| lane.start(epoch.next()));
        }
        let closed = lanes.iter().try_for_each(|lane| lane.close(epoch));
        closed.map_err(|failure| self.explain(failure))
    }

    /// No transaction is open for now.
    fn shut(&self) {
        self.state().open = None;
        self.lanes().iter().for_each(|lane| lane.shut());
    }

    /// The transaction of `epoch` is open.
    fn open(&self, producer: &Arc<Producer>, epoch: Epoch) -> Result<()> {
        for lane in self.lanes() {
            lane.open(epoch, producer).map_err(|failure| self.explain(failure))?;
        }
        self.state().open = Some((epoch, producer.clone()));
        Ok(())
    }

    /// The positions whose offsets this cluster keeps. Two tables may read a topic as one group:
    /// the offset is then that of the slower one.
    fn offsets_of(&self, positions: &[Position]) -> Result<Offsets> {
        let mut offsets = Offsets::new();
        let carriers = self.carriers();
        for position in positions {
            let Some(home) = position.home.as_ref().filter(|home| home.system == self.key) else {
                continue;
            };
            let group = home.group.clone().unwrap_or_else(|| self.pointer_group());
            let partition = partition_of(&position.split)?;
            // The pointer goes before the offset of a topic that a job both reads and writes.
            if group == self.pointer_group() && carriers.contains(&partition) {
                continue;
            }
            let next = i64::try_from(position.next_offset).expect("Kafka's offsets have 63 bits");
            let offset = offsets.entry(group).or_default().entry(partition).or_insert(next);
            *offset = next.min(*offset);
        }
        Ok(offsets)
    }
}

impl Drop for Decider {
    /// Ends the producer, if this is the committer that was used: writers may live on for a while.
    fn drop(&mut self) {
        let Some(producer) = self.producer.take() else { return };
        producer.give_up();
        self.cluster.shut();
        producer::bury(producer);
    }
}

/// Whether an offset is what was committed with the epoch that the job goes on from.
fn is_ours(found: &Found, offset: i64, committed: &Committed) -> bool {
    let of_this_epoch = |pointer: &Pointer| {
        pointer.epoch == committed.epoch && pointer.snapshot_crc == committed.snapshot_crc
    };
    found.offset == offset && found.pointer.as_ref().is_some_and(of_this_epoch)
}

fn moved(
    group: &str,
    (topic, partition): &Partition,
    expected: i64,
    found: Option<&Found>,
    epoch: Epoch,
) -> ConnectorError {
    let place = format!("consumer group `{group}`, topic {topic}, partition {partition}");
    let (what, hint) = match found {
        None => (
            "has no offset any more".to_owned(),
            "offsets expire, by default after 7 days in which a job did not run, and go with a \
             group that is deleted. To go on at the job's own position, where nothing is lost: \
             --accept-external-offsets; to start anew: --fresh",
        ),
        Some(Found { offset, .. }) => (
            format!("is at offset {offset}"),
            "somebody else has committed offsets to the job's group, such as another consumer or a \
             tool. To go on at the job's own position: --accept-external-offsets; to start anew: \
             --fresh",
        ),
    };
    ConnectorError::Refused {
        message: format!("{place}: {what}, but epoch {epoch} ended at offset {expected}"),
        hint: Some(hint.to_owned()),
    }
}

/// Partitions with their offsets, each with the pointer's text.
fn list_of(
    offsets: &BTreeMap<Partition, i64>,
    metadata: &str,
) -> Result<TopicPartitionList, Failure> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for ((topic, partition), offset) in offsets {
        let mut element = list.add_partition(topic, *partition);
        element.set_offset(Offset::Offset(*offset)).map_err(Failure::client)?;
        element.set_metadata(metadata);
    }
    Ok(list)
}

fn reach(point: &'static str) -> Result<()> {
    fault::reach(point).map_err(|source| ConnectorError::Io { place: point.to_owned(), source })
}
