//! The reading side: partitions as splits, and where each starts and ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, Context};
use super::layout::Layout;
use super::offsets::{Lookup, Offsets, Partition};
use super::options::{Bounded, SourceOptions};
use super::reader::KafkaReader;
use crate::commit::{Job, OffsetHome, Position};
use crate::error::{ConnectorError, Result};
use crate::source::{Reader, Source, Split};
use crate::{TableSpec, registry::Environment};

/// A table that is read; makes readers. Nothing is connected before [`Source::splits`].
pub(super) struct KafkaSource {
    shared: Arc<Shared>,
}

/// What the source and its readers share.
pub(super) struct Shared {
    pub(super) table: TableSpec,
    pub(super) options: SourceOptions,
    pub(super) layout: Layout,
    /// The session's time zone.
    pub(super) zone: String,
    /// The job whose epochs say when offsets are committed; without one, readers do it themselves.
    pub(super) job: Option<Job>,
    found: Mutex<Found>,
    /// Commits offsets for others to see.
    shower: Mutex<Option<BaseConsumer<Context>>>,
}

/// What the cluster said so far.
#[derive(Default)]
struct Found {
    /// Asks for partitions and offsets; reads no records.
    consumer: Option<Arc<BaseConsumer<Context>>>,
    /// The partitions, and where they start.
    starts: Offsets,
    /// Where partitions end, for those that do.
    ends: Offsets,
    /// Partitions whose end was looked up.
    bounded: std::collections::BTreeSet<Partition>,
    /// Whether the partitions that were there at the start are known.
    started: bool,
}

impl KafkaSource {
    pub(super) fn new(table: &TableSpec, environment: &Environment) -> Result<Self> {
        let shared = Shared {
            table: table.clone(),
            options: SourceOptions::new(table)?,
            layout: Layout::of_source(table)?,
            zone: environment.zone.clone(),
            job: environment.job.clone(),
            found: Mutex::default(),
            shower: Mutex::default(),
        };
        Ok(KafkaSource { shared: Arc::new(shared) })
    }
}

impl Source for KafkaSource {
    fn splits(&self) -> Result<Vec<Split>> {
        let mut found = self.shared.found();
        self.shared.discover(&mut found)?;
        let split = |(partition, offset): (&Partition, &i64)| Split {
            id: id_of(partition),
            offset: u64::try_from(*offset).ok(),
        };
        Ok(found.starts.iter().map(split).collect())
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.shared.options.discovery_interval
    }

    fn offset_home(&self) -> Option<OffsetHome> {
        self.shared.job.as_ref()?;
        let common = &self.shared.options.common;
        Some(OffsetHome { system: common.system(), group: common.group().map(str::to_owned) })
    }

    fn show_positions(&self, positions: &[Position]) {
        let mut shower = self.shared.shower.lock().unwrap_or_else(PoisonError::into_inner);
        if shower.is_none() {
            *shower = self.shared.shower().ok();
        }
        let Some(consumer) = &*shower else { return };
        while consumer.poll(Duration::ZERO).is_some() {}
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for position in positions {
            if let (Ok((topic, partition)), Ok(offset)) =
                (partition_of(&position.split), i64::try_from(position.next_offset))
            {
                let _ = list.add_partition_offset(&topic, partition, Offset::Offset(offset));
            }
        }
        // A failure is not reported: the next epoch makes up for it.
        let _ = consumer.commit(&list, CommitMode::Async);
    }

    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn Reader>> {
        let mut reader = KafkaReader::new(self.shared.clone())?;
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

/// Where a reader starts a partition and ends it.
pub(super) struct Range {
    pub(super) partition: Partition,
    pub(super) start: i64,
    /// Exclusive; `None` for no end.
    pub(super) end: Option<i64>,
}

impl Shared {
    fn found(&self) -> MutexGuard<'_, Found> {
        // A panic elsewhere leaves offsets that were looked up: they stay true.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A consumer of the user's group, or of the job's if the user named none.
    fn shower(&self) -> Result<BaseConsumer<Context>> {
        let own = self.job.as_ref().map(|job| format!("millstream.{}", job.name));
        let common = &self.options.common;
        client::consumer(common, common.group().or(own.as_deref()), false)
    }

    /// Looks which partitions there are, and where new ones start and end.
    fn discover(&self, found: &mut Found) -> Result<()> {
        let common = &self.options.common;
        let consumer = connected(found, self)?;
        let topics = client::partitions(common, &consumer)?;
        let all = topics.into_iter().flat_map(|(topic, partitions)| {
            partitions.into_iter().map(move |partition| (topic.clone(), partition))
        });
        let new: Vec<Partition> = all.filter(|id| !found.starts.contains_key(id)).collect();
        let lookup = Lookup { options: common, consumer: &consumer };
        let starts = if found.started {
            // What came into being while the job ran is read whole.
            lookup.oldest(&new)?
        } else {
            lookup.start(&self.options.startup, &new)?
        };
        found.ends.extend(lookup.end(&self.options.bounded, &new)?);
        found.bounded.extend(new);
        found.starts.extend(starts);
        found.started = true;
        Ok(())
    }

    /// Start and end of these splits.
    pub(super) fn ranges(&self, splits: &[Split]) -> Result<Vec<Range>> {
        let mut found = self.found();
        let partitions = splits.iter().map(|split| partition_of(&split.id));
        let partitions = partitions.collect::<Result<Vec<_>>>()?;
        self.look_up(&mut found, splits, &partitions)?;
        let ranges = splits.iter().zip(partitions).map(|(split, partition)| {
            let known = || found.starts.get(&partition).copied();
            let start = split.offset.and_then(|offset| i64::try_from(offset).ok()).or_else(known);
            let end = found.ends.get(&partition).copied();
            Range { start: start.unwrap_or_default(), end, partition }
        });
        Ok(ranges.collect())
    }

    /// Looks up what a reader needs to know and [`Source::splits`] has not said, as when a job goes
    /// on with splits that it remembers.
    fn look_up(&self, found: &mut Found, splits: &[Split], partitions: &[Partition]) -> Result<()> {
        let pairs = || splits.iter().zip(partitions);
        let no_start = pairs()
            .filter(|(split, id)| split.offset.is_none() && !found.starts.contains_key(*id))
            .map(|(_, id)| id.clone())
            .collect::<Vec<_>>();
        let is_bounded = self.options.bounded != Bounded::Unbounded;
        let no_end = partitions
            .iter()
            .filter(|id| is_bounded && !found.bounded.contains(*id))
            .cloned()
            .collect::<Vec<_>>();
        if no_start.is_empty() && no_end.is_empty() {
            return Ok(());
        }
        let consumer = connected(found, self)?;
        client::partitions(&self.options.common, &consumer)?;
        let lookup = Lookup { options: &self.options.common, consumer: &consumer };
        let starts = lookup.start(&self.options.startup, &no_start)?;
        let ends = lookup.end(&self.options.bounded, &no_end)?;
        found.starts.extend(starts);
        found.ends.extend(ends);
        found.bounded.extend(no_end);
        Ok(())
    }
}

/// The consumer that asks, made on first use.
fn connected(found: &mut Found, shared: &Shared) -> Result<Arc<BaseConsumer<Context>>> {
    if let Some(consumer) = &found.consumer {
        return Ok(consumer.clone());
    }
    let common = &shared.options.common;
    let consumer = Arc::new(client::consumer(common, common.group(), false)?);
    found.consumer = Some(consumer.clone());
    Ok(consumer)
}

/// `orders/3`
fn id_of((topic, partition): &Partition) -> String {
    format!("{topic}/{partition}")
}

pub(super) fn partition_of(id: &str) -> Result<Partition> {
    let parts = id.rsplit_once('/');
    parts.and_then(|(topic, number)| Some((topic.to_owned(), number.parse().ok()?))).ok_or_else(
        || ConnectorError::Options {
            message: format!("`{id}` is not a split of a Kafka table"),
            option: None,
            hint: Some("splits are called topic/partition, such as `orders/3`".to_owned()),
        },
    )
}
