//! What consumer groups of a cluster have committed.
//!
//! Nobody joins these groups: a consumer without partitions asks, and transactions commit to a
//! group by its name alone, which brokers accept. So no rebalance can get between an epoch and its
//! commit; what fences is the transactional id.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::pointer::Pointer;
use crate::error::{ConnectorError, Result};
use crate::kafka::client::{self, Context};
use crate::kafka::native;
use crate::kafka::offsets::Partition;
use crate::kafka::options::CommonOptions;

/// How long the broker may take to say what was committed. It says nothing while a transaction
/// that commits to the group is being ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// Consumers by group, and by whether their answers are stable.
type Consumers = BTreeMap<(String, bool), Arc<BaseConsumer<Context>>>;

/// Asks a cluster for committed offsets, group by group.
pub(super) struct Groups {
    options: CommonOptions,
    consumers: Mutex<Consumers>,
}

/// An offset that somebody has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) offset: i64,
    /// Of the epoch that it was committed with; `None` if it was not Millstream.
    pub(super) pointer: Option<Pointer>,
}

impl Groups {
    pub(super) fn new(options: CommonOptions) -> Self {
        Groups { options, consumers: Mutex::default() }
    }

    fn consumer(&self, group: &str, stable: bool) -> Result<Arc<BaseConsumer<Context>>> {
        let mut consumers = self.consumers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (group.to_owned(), stable);
        if let Some(consumer) = consumers.get(&key) {
            return Ok(consumer.clone());
        }
        let consumer = Arc::new(client::offset_consumer(&self.options, group, stable)?);
        consumers.insert(key, consumer.clone());
        Ok(consumer)
    }

    /// What a transaction needs to commit to a group.
    pub(super) fn metadata(&self, group: &str) -> Result<ConsumerGroupMetadata> {
        let metadata = self.consumer(group, true)?.group_metadata();
        Ok(metadata.expect("a consumer that was made with a group has its metadata"))
    }

    /// What the group has committed for these partitions, where it has. A stable answer waits
    /// while a transaction that commits to the group is being ended.
    pub(super) fn committed(
        &self,
        group: &str,
        partitions: &[Partition],
        stable: bool,
    ) -> Result<BTreeMap<Partition, Found>> {
        let consumer = self.consumer(group, stable)?;
        let failed = |error: KafkaError| {
            // By polling, the client says why; there are no partitions whose records it could take.
            while consumer.poll(Duration::ZERO).is_some() {}
            self.failure(group, consumer.context(), &error)
        };
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for (topic, partition) in partitions {
            list.add_partition_offset(topic, *partition, Offset::Invalid).map_err(failed)?;
        }
        let start = Instant::now();
        let list = loop {
            match consumer.committed_offsets(list.clone(), PATIENCE) {
                Err(error) if is_moving(&error) && start.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(50));
                }
                answer => break answer.map_err(failed)?,
            }
        };
        let mut found = BTreeMap::new();
        for element in list.elements() {
            element.error().map_err(failed)?;
            let (topic, partition) = (element.topic(), element.partition());
            if let Offset::Offset(offset) = element.offset() {
                let metadata = native::offset_metadata(&list, topic, partition);
                let pointer = metadata.and_then(|bytes| Pointer::parse(&bytes));
                found.insert((topic.to_owned(), partition), Found { offset, pointer });
            }
        }
        Ok(found)
    }

    /// Commits outside of any transaction: a planted bug that the tests of the tests look for.
    pub(super) fn commit_outside(&self, group: &str, list: &TopicPartitionList) -> Result<()> {
        let consumer = self.consumer(group, true)?;
        consumer
            .commit(list, rdkafka::consumer::CommitMode::Sync)
            .map_err(|error| self.failure(group, consumer.context(), &error))
    }

    fn failure(&self, group: &str, context: &Context, error: &KafkaError) -> ConnectorError {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::GroupAuthorizationFailed) => ConnectorError::Refused {
                message: format!(
                    "consumer group `{group}` at {}: access is denied",
                    self.options.servers()
                ),
                hint: Some(
                    "exactly-once keeps its place in consumer groups: the user needs the ACL READ \
                     for this group"
                        .to_owned(),
                ),
            },
            Some(RDKafkaErrorCode::UnstableOffsetCommit) => ConnectorError::Unavailable {
                message: format!(
                    "consumer group `{group}` at {}: a transaction is still being ended",
                    self.options.servers()
                ),
                hint: Some("look for hanging transactions with kafka-transactions.sh".to_owned()),
            },
            _ => client::unreachable(&self.options, context, error),
        }
    }
}

/// True if the group's coordinator is on its way to another broker, or to its first one: on a new
/// cluster the question itself makes it start. The client looks for it again, but does not ask again.
fn is_moving(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator};
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| {
        matches!(code, CoordinatorLoadInProgress | CoordinatorNotAvailable | NotCoordinator)
    })
}

impl Drop for Groups {
    /// A client that does not end must not keep the process: see [`super::producer::bury`].
    fn drop(&mut self) {
        let consumers = self.consumers.get_mut().unwrap_or_else(PoisonError::into_inner);
        super::producer::bury(std::mem::take(consumers));
    }
}
