//! Reads partitions: takes records by the batch, sorts them by split, decodes split by split.
//!
//! Records are decoded straight from the client's memory. A batch is what one split had among the
//! records that were taken together: large under load, a row when little happens.

use std::collections::{HashMap, VecDeque};
use std::ffi::CString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use millstream_operators::Batch;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::client;
use super::columns::{KeyColumns, MetadataColumn};
use super::layout::Place;
use super::native::{Fetcher, Record, Records};
use super::source::{Range, Shared};
use crate::error::{ConnectorError, DecodeError, Result};
use crate::format::Decoder;
use crate::source::{Interrupt, Polled, Reader, Split, SplitBatch};

/// Most records that are taken, and so decoded, together.
const MAX_RECORDS: usize = 8192;
/// Payload after which a batch is handed over though more records are there.
const MAX_BATCH_BYTES: u64 = 4 << 20;
/// How often offsets are committed, for monitoring and `group-offsets`, in a job without epochs.
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the partitions of one subtask.
pub(super) struct KafkaReader {
    // PROPERTIES
    shared: Arc<Shared>,
    fetcher: Arc<Fetcher>,
    value: Box<dyn Decoder>,
    key: Option<KeyColumns>,
    metadata: Vec<MetadataColumn>,

    // STATE
    splits: Vec<Assigned>,
    by_partition: HashMap<(String, i32), usize>,
    /// Records that were taken and not all decoded yet.
    records: Option<Records>,
    /// Splits that have some of them, in turn.
    ready: VecDeque<usize>,
    /// Splits that have ended and were not reported.
    finished: VecDeque<usize>,
    commits: Commits,
}

/// A partition that is read.
struct Assigned {
    topic: String,
    topic_c: CString,
    partition: i32,
    /// Offset of the next record.
    next: i64,
    /// Offset to end before.
    end: Option<i64>,
    done: bool,
    /// Left alone: not assigned to the client.
    held: bool,
    /// The client has seen the partition's end at this offset.
    eof: Option<i64>,
    /// Its records among [`KafkaReader::records`], and how many of them are decoded.
    pending: Vec<usize>,
    decoded: usize,
}

/// What is committed when: only what was handed over an interval ago, so that a crash repeats rows
/// and loses none.
struct Commits {
    last: Instant,
    ripe: Vec<i64>,
    committed: Vec<i64>,
}

impl KafkaReader {
    /// A reader without splits.
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self> {
        let bounded = shared.options.bounded != super::options::Bounded::Unbounded;
        let common = &shared.options.common;
        let fetcher = Fetcher::new(client::consumer(common, common.group(), bounded)?);
        let layout = &shared.layout;
        let mut metadata = Vec::new();
        for (place, field) in layout.places.iter().zip(layout.schema.fields()) {
            if let Place::Metadata(key) = place {
                metadata.push(MetadataColumn::new(key, field.data_type(), &shared.zone)?);
            }
        }
        Ok(KafkaReader {
            fetcher: Arc::new(fetcher),
            value: layout.value_decoder(&shared.table)?,
            key: layout.key_decoder(&shared.table)?.map(KeyColumns::new),
            metadata,
            shared,
            splits: Vec::new(),
            by_partition: HashMap::new(),
            records: None,
            ready: VecDeque::new(),
            finished: VecDeque::new(),
            commits: Commits { last: Instant::now(), ripe: Vec::new(), committed: Vec::new() },
        })
    }

    fn assign(&mut self, range: Range) -> Result<()> {
        let Range { partition: (topic, partition), start, end } = range;
        let index = self.splits.len();
        let done = end.is_some_and(|end| start >= end);
        if done {
            self.finished.push_back(index);
        } else {
            let assigned = self.fetcher.assign(&topic, partition, Offset::Offset(start));
            assigned.map_err(|error| self.unavailable(&error))?;
        }
        self.by_partition.insert((topic.clone(), partition), index);
        let topic_c = CString::new(topic.as_str()).expect("the client took the name");
        self.splits.push(Assigned {
            topic,
            topic_c,
            partition,
            next: start,
            end,
            done,
            held: false,
            eof: None,
            pending: Vec::new(),
            decoded: 0,
        });
        Ok(())
    }

    /// Takes records and sorts them by split. All of the last ones must be decoded.
    fn fetch(&mut self, timeout: Duration) -> Result<()> {
        self.serve()?;
        self.records = None;
        let records = self.fetcher.fetch(MAX_RECORDS, timeout);
        // Records of a partition come in a row: look the split up when the partition changes.
        let mut last = (0, -1, None);
        for index in 0..records.len() {
            let record = records.get(index);
            if let Some(code) = record.error() {
                self.take_error(&record, code)?;
                continue;
            }
            if (record.topic_id(), record.partition()) != (last.0, last.1) {
                let split = self.split_of(&record);
                last = (record.topic_id(), record.partition(), split);
            }
            let Some(split) = last.2 else { continue };
            if self.splits[split].pending.is_empty() {
                self.ready.push_back(split);
            }
            self.splits[split].pending.push(index);
        }
        self.records = Some(records);
        for split in 0..self.splits.len() {
            self.finish_at_end(split);
        }
        Ok(())
    }

    /// The split of a record; none if it has ended or is held.
    fn split_of(&self, record: &Record<'_>) -> Option<usize> {
        let split = self.by_partition.get(&(record.topic().to_owned(), record.partition()))?;
        let assigned = &self.splits[*split];
        (!assigned.done && !assigned.held).then_some(*split)
    }

    /// Lets the client report what is not about one partition.
    fn serve(&mut self) -> Result<()> {
        let consumer = self.fetcher.consumer();
        while let Some(event) = consumer.poll(Duration::ZERO) {
            let Err(error) = event else { continue };
            match error.rdkafka_error_code() {
                // The group is only for offsets, and a missing right to it is no reason to stop.
                Some(RDKafkaErrorCode::GroupAuthorizationFailed) => {}
                // Brokers come and go; the client connects again by itself.
                Some(
                    RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::OperationTimedOut
                    | RDKafkaErrorCode::Resolve,
                ) => {}
                _ => return Err(self.unavailable(&error)),
            }
        }
        match consumer.context().hopeless_error() {
            Some((code, _)) => Err(self.unavailable(&KafkaError::Global(code))),
            None => Ok(()),
        }
    }

    fn unavailable(&self, error: &KafkaError) -> ConnectorError {
        let context = self.fetcher.consumer().context();
        client::unreachable(&self.shared.options.common, context, error)
    }

    /// What the client says about a partition.
    fn take_error(&mut self, record: &Record<'_>, code: RDKafkaErrorCode) -> Result<()> {
        let Some(split) = self.split_of(record) else { return Ok(()) };
        let assigned = &mut self.splits[split];
        if code == RDKafkaErrorCode::PartitionEOF {
            assigned.eof = Some(record.offset());
            return Ok(());
        }
        let place = assigned.place(assigned.next);
        if code == RDKafkaErrorCode::AutoOffsetReset {
            let hint = "retention or compaction deleted it before it was read, or the topic was \
                        truncated or made anew; choose another 'scan.startup.mode', such as \
                        'earliest-offset', and start a job that has state with --fresh";
            return Err(ConnectorError::Refused {
                message: format!("{place}: this offset does not exist (any more)"),
                hint: Some(hint.to_owned()),
            });
        }
        let text = record.value().map(String::from_utf8_lossy).unwrap_or_default();
        let text = self.shared.options.common.properties.redact(&text);
        Err(ConnectorError::Unavailable {
            message: format!("{place}: {code} ({text})"),
            hint: client::hint_for(code),
        })
    }

    /// Ends a split whose last record is decoded, or never comes: behind the end of a partition
    /// may be nothing but records of aborted transactions.
    fn finish_at_end(&mut self, split: usize) {
        let assigned = &mut self.splits[split];
        let Some(end) = assigned.end.filter(|_| !assigned.done) else { return };
        let seen_end = assigned.pending.is_empty() && assigned.eof.is_some_and(|eof| eof >= end);
        if assigned.next >= end || seen_end {
            assigned.next = assigned.next.max(end);
            assigned.done = true;
            assigned.pending.clear();
            assigned.decoded = 0;
            self.ready.retain(|ready| *ready != split);
            self.finished.push_back(split);
            // Records behind the end would only fill the client's queue. If this fails they do.
            let _ = self.fetcher.unassign(&assigned.topic, assigned.partition);
        }
    }

    /// Decodes what `split` has among the records at hand.
    fn decode(&mut self, split: usize) -> Result<SplitBatch> {
        let records = self.records.take().expect("a split is ready only if records are there");
        let result = self.decode_records(split, &records);
        self.records = Some(records);
        let bytes = result?;
        let batch = self.take_batch(split)?;
        let assigned = &mut self.splits[split];
        if assigned.decoded == assigned.pending.len() {
            assigned.pending.clear();
            assigned.decoded = 0;
        } else {
            self.ready.push_back(split);
        }
        let end = self.fetcher.end_offset(&assigned.topic_c, assigned.partition);
        let lag = end.map(|end| u64::try_from(end - assigned.next).unwrap_or(0));
        let next_offset = u64::try_from(assigned.next).expect("offsets are not negative");
        let key_skipped = self.key.as_mut().map_or(0, KeyColumns::take_skipped);
        let skipped = self.value.take_skipped() + key_skipped;
        self.finish_at_end(split);
        Ok(SplitBatch { split, batch, next_offset, bytes, skipped, lag, overdue_ns: 0 })
    }

    /// Decodes records of `split` until there are enough; returns their payload bytes.
    fn decode_records(&mut self, split: usize, records: &Records) -> Result<u64> {
        let assigned = &mut self.splits[split];
        let mut bytes = 0;
        while assigned.decoded < assigned.pending.len() && bytes < MAX_BATCH_BYTES {
            let record = records.get(assigned.pending[assigned.decoded]);
            assigned.decoded += 1;
            if let Some(end) = assigned.end.filter(|end| record.offset() >= *end) {
                assigned.next = end;
                assigned.decoded = assigned.pending.len();
                break;
            }
            assigned.next = record.offset() + 1;
            // A null value (a tombstone) deletes a key; for a table of inserts it is nothing.
            let Some(value) = record.value() else { continue };
            bytes += (value.len() + record.key().map_or(0, <[u8]>::len)) as u64;
            let decoded = self.value.decode(value).and_then(|rows| {
                if let Some(key) = self.key.as_mut().filter(|_| rows > 0) {
                    key.push(record.key(), rows).map_err(|mut error| {
                        error.reason = format!("key: {}", error.reason);
                        error
                    })?;
                }
                for column in &mut self.metadata {
                    column.push(&record, rows);
                }
                Ok(())
            });
            if let Err(error) = decoded {
                let place = assigned.place(record.offset());
                return Err(bad_record(place, &error, self.shared.layout.hint_for_bad_value()));
            }
        }
        Ok(bytes)
    }

    /// The rows decoded so far, in the table's columns.
    fn take_batch(&mut self, split: usize) -> Result<Batch> {
        let assigned = &self.splits[split];
        let bad = |error: String| {
            let place = assigned.place(assigned.next - 1);
            bad_record(place, &DecodeError::new(error), None)
        };
        let values = self.value.finish().map_err(|error| bad(error.reason))?;
        let keys = match &mut self.key {
            Some(key) => key.finish().map_err(|error| bad(error.reason))?,
            None => Vec::new(),
        };
        let mut metadata = self.metadata.iter_mut();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.shared.layout.places.len());
        for place in &self.shared.layout.places {
            columns.push(match place {
                Place::Value(index) => values.rows.column(*index).clone(),
                Place::Key(index) => keys[*index].clone(),
                Place::Metadata(_) => {
                    let column = metadata.next().expect("one for each metadata column");
                    column.finish().map_err(|error| bad(error.to_string()))?
                }
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(values.num_rows()));
        let schema = self.shared.layout.schema.clone();
        let rows = RecordBatch::try_new_with_options(schema, columns, &options);
        Ok(values.with_rows(rows.map_err(|error| bad(error.to_string()))?))
    }

    /// In a job with epochs, offsets are committed with them and never ahead of them.
    fn commits_by_itself(&self) -> bool {
        self.shared.job.is_none() && self.shared.options.common.group().is_some()
    }

    /// Commits, now and then, what was handed over a while ago.
    fn commit_if_due(&mut self) {
        if !self.commits_by_itself() || self.commits.last.elapsed() < COMMIT_INTERVAL {
            return;
        }
        self.commits.last = Instant::now();
        let now: Vec<i64> = self.splits.iter().map(|assigned| assigned.next).collect();
        let ripe = std::mem::replace(&mut self.commits.ripe, now);
        self.commit(ripe);
    }

    /// Commits these offsets, by split, without waiting. A failure is not reported: the next
    /// commit makes up for it, and nothing that was read depends on it.
    fn commit(&mut self, offsets: Vec<i64>) {
        if !self.commits_by_itself() {
            return;
        }
        let mut list = TopicPartitionList::new();
        for (index, offset) in offsets.iter().enumerate() {
            let assigned = &self.splits[index];
            if self.commits.committed.get(index) != Some(offset) {
                let at = Offset::Offset(*offset);
                let _ = list.add_partition_offset(&assigned.topic, assigned.partition, at);
            }
        }
        if list.count() > 0 {
            let _ = self.fetcher.consumer().commit(&list, CommitMode::Async);
            self.commits.committed = offsets;
        }
    }

    /// Reports a split that has ended; with the last one, all that was read is committed.
    fn report_finished(&mut self) -> Option<Polled> {
        let split = self.finished.pop_front()?;
        if self.finished.is_empty() && self.splits.iter().all(|assigned| assigned.done) {
            let all = self.splits.iter().map(|assigned| assigned.next).collect();
            self.commit(all);
        }
        Some(Polled::Finished { split })
    }
}

impl Reader for KafkaReader {
    fn interrupt(&self) -> Option<Interrupt> {
        // Weak: who may interrupt does not keep a client alive that is not read any more.
        let fetcher = Arc::downgrade(&self.fetcher);
        Some(Arc::new(move || {
            if let Some(fetcher) = fetcher.upgrade() {
                fetcher.interrupt();
            }
        }))
    }

    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for range in self.shared.ranges(&splits)? {
            self.assign(range)?;
        }
        Ok(())
    }

    /// A partition that is held is not assigned to the client, which would go on fetching it; what was
    /// taken of it and not decoded is fetched again.
    fn hold(&mut self, split: usize, held: bool) -> Result<()> {
        let assigned = &mut self.splits[split];
        if assigned.done || assigned.held == held {
            return Ok(());
        }
        assigned.held = held;
        assigned.eof = None;
        let (topic, partition, next) = (&assigned.topic, assigned.partition, assigned.next);
        let changed = if held {
            assigned.pending.clear();
            assigned.decoded = 0;
            self.ready.retain(|ready| *ready != split);
            self.fetcher.unassign(topic, partition)
        } else {
            self.fetcher.assign(topic, partition, Offset::Offset(next))
        };
        changed.map_err(|error| self.unavailable(&error))
    }

    fn poll(&mut self, timeout: Duration) -> Result<Polled> {
        if let Some(finished) = self.report_finished() {
            return Ok(finished);
        }
        self.commit_if_due();
        if self.ready.is_empty() {
            self.fetch(timeout)?;
        }
        match self.ready.pop_front() {
            Some(split) => self.decode(split).map(Polled::Rows),
            None => Ok(self.report_finished().unwrap_or(Polled::Nothing)),
        }
    }
}

impl Assigned {
    /// Coordinates of a record, for messages.
    fn place(&self, offset: i64) -> String {
        format!("topic {}, partition {}, offset {offset}", self.topic, self.partition)
    }
}

fn bad_record(place: String, error: &DecodeError, hint: Option<String>) -> ConnectorError {
    let reason = match error.position {
        Some(position) => format!("{} (at byte {position})", error.reason),
        None => error.reason.clone(),
    };
    ConnectorError::Data { place, reason, hint }
}
