//! Offsets to start at and to end before, looked up once per partition.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, Context, PATIENCE};
use super::options::{Bounded, CommonOptions, Startup};
use super::properties::OffsetReset;
use crate::error::{ConnectorError, Result};

/// A topic and one of its partitions.
pub(super) type Partition = (String, i32);

/// Offsets by partition.
pub(super) type Offsets = BTreeMap<Partition, i64>;

/// ListOffsets takes a timestamp; these two are not times but the two ends.
const OLDEST: Offset = Offset::Beginning;
const NEWEST: Offset = Offset::End;

/// Asks a cluster for offsets.
pub(super) struct Lookup<'a> {
    pub(super) options: &'a CommonOptions,
    pub(super) consumer: &'a BaseConsumer<Context>,
}

impl Lookup<'_> {
    /// Where to start each of these partitions.
    pub(super) fn start(&self, startup: &Startup, partitions: &[Partition]) -> Result<Offsets> {
        match startup {
            Startup::Earliest => self.at(partitions, OLDEST),
            Startup::Latest => self.at(partitions, NEWEST),
            Startup::Timestamp(ms) => self.at_or_end(partitions, *ms),
            Startup::Group => {
                let mut offsets = self.committed(partitions)?;
                let missing = without(partitions, &offsets);
                offsets.extend(self.reset(&missing)?);
                Ok(offsets)
            }
            Startup::Specific(given) => {
                let mut offsets: Offsets = self.given(partitions, given);
                if self.options.group().is_some() {
                    offsets.extend(self.committed(&without(partitions, &offsets))?);
                }
                offsets.extend(self.at(&without(partitions, &offsets), OLDEST)?);
                Ok(offsets)
            }
        }
    }

    /// The oldest record of each of these partitions: where those start that are found later.
    pub(super) fn oldest(&self, partitions: &[Partition]) -> Result<Offsets> {
        self.at(partitions, OLDEST)
    }

    /// Where to end each of these partitions; those that are missing have no end.
    pub(super) fn end(&self, bounded: &Bounded, partitions: &[Partition]) -> Result<Offsets> {
        match bounded {
            Bounded::Unbounded => Ok(Offsets::new()),
            Bounded::Latest => self.at(partitions, NEWEST),
            Bounded::Timestamp(ms) => self.at_or_end(partitions, *ms),
            Bounded::Specific(given) => Ok(self.given(partitions, given)),
            Bounded::Group => {
                let offsets = self.committed(partitions)?;
                match without(partitions, &offsets).first() {
                    None => Ok(offsets),
                    Some(partition) => Err(self.nothing_committed("scan.bounded.mode", partition)),
                }
            }
        }
    }

    fn given(&self, partitions: &[Partition], given: &BTreeMap<i32, i64>) -> Offsets {
        let found = partitions.iter().filter_map(|partition| {
            given.get(&partition.1).map(|offset| (partition.clone(), *offset))
        });
        found.collect()
    }

    /// For partitions to which the group has committed nothing.
    fn reset(&self, partitions: &[Partition]) -> Result<Offsets> {
        match (partitions.first(), self.options.properties.reset) {
            (None, _) => Ok(Offsets::new()),
            (_, Some(OffsetReset::Earliest)) => self.at(partitions, OLDEST),
            (_, Some(OffsetReset::Latest)) => self.at(partitions, NEWEST),
            (Some(first), None) => Err(self.nothing_committed("scan.startup.mode", first)),
        }
    }

    fn nothing_committed(&self, mode: &str, (topic, partition): &Partition) -> ConnectorError {
        let group = self.options.group().unwrap_or_default();
        let hint = if mode == "scan.startup.mode" {
            "set 'properties.auto.offset.reset' = 'earliest' to start at the oldest record then, \
             or 'scan.startup.mode' = 'earliest-offset'"
        } else {
            "choose another 'scan.bounded.mode', such as 'latest-offset'"
        };
        ConnectorError::Unavailable {
            message: format!(
                "consumer group `{group}` has no offset for partition {partition} of topic \
                 `{topic}`, which '{mode}' = 'group-offsets' needs"
            ),
            hint: Some(hint.to_owned()),
        }
    }

    /// The first record with at least this timestamp, or the end where there is none.
    fn at_or_end(&self, partitions: &[Partition], timestamp_ms: i64) -> Result<Offsets> {
        let mut offsets = self.at(partitions, Offset::Offset(timestamp_ms))?;
        offsets.extend(self.at(&without(partitions, &offsets), NEWEST)?);
        Ok(offsets)
    }

    /// Offsets at a timestamp or an end; a timestamp after the last record has none.
    fn at(&self, partitions: &[Partition], at: Offset) -> Result<Offsets> {
        self.query(partitions, at, |list, timeout| self.consumer.offsets_for_times(list, timeout))
    }

    fn committed(&self, partitions: &[Partition]) -> Result<Offsets> {
        self.query(partitions, Offset::Invalid, |list, timeout| {
            self.consumer.committed_offsets(list, timeout)
        })
    }

    fn query(
        &self,
        partitions: &[Partition],
        at: Offset,
        ask: impl FnOnce(TopicPartitionList, Duration) -> KafkaResult<TopicPartitionList>,
    ) -> Result<Offsets> {
        if partitions.is_empty() {
            return Ok(Offsets::new());
        }
        let failed = |error| {
            while self.consumer.poll(Duration::ZERO).is_some() {}
            client::unreachable(self.options, self.consumer.context(), &error)
        };
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for (topic, partition) in partitions {
            list.add_partition_offset(topic, *partition, at).map_err(failed)?;
        }
        let mut offsets = Offsets::new();
        for element in ask(list, PATIENCE).map_err(failed)?.elements() {
            element.error().map_err(failed)?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert((element.topic().to_owned(), element.partition()), offset);
            }
        }
        Ok(offsets)
    }
}

fn without(partitions: &[Partition], found: &Offsets) -> Vec<Partition> {
    partitions.iter().filter(|partition| !found.contains_key(*partition)).cloned().collect()
}
