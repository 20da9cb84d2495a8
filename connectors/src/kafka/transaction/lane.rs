//! The way of one writer into the transaction that all share.
//!
//! ```text
//!  epoch of the writer     n        |   n + 1
//!  transaction             T_n open |   T_n commits     T_{n+1} open
//!  a record                sent     |   held back       sent, after those that were held back
//! ```
//!
//! A producer has one transaction at a time, so what a writer makes after barrier n waits until T_n
//! is committed; the wait is as long as a snapshot and a commit take. Held back is what the client
//! would have copied anyway, bounded by [`HELD_BYTES`] and [`HELD_RECORDS`] for each writer: past
//! that it has no room, and the job waits.
//!
//! Laws: a record goes to the transaction of the epoch in which it was written, and the records of
//! a writer keep their order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millstream_state::{Epoch, fault};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use super::failure::Failure;
use super::producer::Producer;
use crate::error::{ConnectorError, Result};

/// Bytes that a writer may hold back.
const HELD_BYTES: usize = 16 << 20;
/// Records that a writer may hold back.
const HELD_RECORDS: usize = 128 << 10;
/// What a record that is held back costs beside its bytes.
const RECORD_OVERHEAD_BYTES: usize = 64;

/// A record for a topic.
pub(in crate::kafka) struct Outgoing<'a> {
    pub(in crate::kafka) topic: &'a str,
    pub(in crate::kafka) partition: Option<i32>,
    pub(in crate::kafka) key: Option<&'a [u8]>,
    pub(in crate::kafka) value: Option<&'a [u8]>,
    pub(in crate::kafka) timestamp_ms: Option<i64>,
    pub(in crate::kafka) headers: Option<OwnedHeaders>,
}

impl<'a> Outgoing<'a> {
    /// The record as the client wants it.
    pub(in crate::kafka) fn into_record(self) -> BaseRecord<'a, [u8], [u8]> {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(self.topic);
        record.partition = self.partition;
        record.key = self.key;
        record.payload = self.value;
        record.timestamp = self.timestamp_ms;
        record.headers = self.headers;
        record
    }
}

/// A record that waits for its transaction.
struct Held {
    epoch: Epoch,
    partition: Option<i32>,
    key: Option<Box<[u8]>>,
    value: Option<Box<[u8]>>,
    timestamp_ms: Option<i64>,
    headers: Option<OwnedHeaders>,
}

/// Shared by a writer and the committer.
pub(super) struct Lane {
    topic: String,
    /// Tells it from all other lanes of its transaction.
    number: usize,
    /// Whether records say where they belong.
    audit: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Epoch of what is written now; none before the decider was asked.
    epoch: Option<Epoch>,
    /// The epoch whose transaction is open, and its producer.
    open: Option<(Epoch, Arc<Producer>)>,
    /// Records of the current epoch so far.
    count: u64,
    held: VecDeque<Held>,
    held_bytes: usize,
    /// The writer has written something, or ended an epoch or its work.
    touched: bool,
    /// Nothing more will be written.
    finished: bool,
    /// The writer went away in the middle of an epoch.
    abandoned: bool,
}

impl Lane {
    /// The lane of a new writer.
    pub(super) fn new(topic: &str, number: usize, audit: bool) -> Self {
        Lane { topic: topic.to_owned(), number, audit, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes records one by one; until the guard is dropped, the lane's epoch stays what it is.
    pub(super) fn entrance(&self) -> Entrance<'_> {
        Entrance { lane: self, state: self.state() }
    }

    pub(super) fn has_room(&self) -> bool {
        let state = self.state();
        state.held_bytes < HELD_BYTES && state.held.len() < HELD_RECORDS
    }

    /// The writer ends an epoch.
    pub(super) fn end_epoch(&self, epoch: Epoch) {
        let mut state = self.state();
        debug_assert!(state.epoch.is_none_or(|current| current <= epoch.next()), "epochs ascend");
        state.epoch = Some(epoch.next());
        state.count = 0;
        state.touched = true;
    }

    pub(super) fn finish(&self) {
        let mut state = self.state();
        state.touched = true;
        state.finished = true;
    }

    /// The writer is gone.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.abandoned = !state.finished;
    }

    /// The first epoch after recovery is this one.
    pub(super) fn start(&self, epoch: Epoch) {
        self.state().epoch = Some(epoch);
    }

    /// From here on nothing goes to the transaction of `epoch` but what belongs there.
    pub(super) fn close(&self, epoch: Epoch) -> Result<(), Failure> {
        let mut state = self.state();
        let here = || format!("topic `{}`, writer {}", self.topic, self.number);
        if state.abandoned {
            let message = format!("{}: its writer ended in the middle of an epoch", here());
            return Err(ConnectorError::Aborted { message, hint: None }.into());
        }
        let has_ended = state.finished || state.epoch.is_some_and(|current| current > epoch);
        if !has_ended {
            let message = format!("{}: epoch {epoch} is to be committed before it ended", here());
            return Err(ConnectorError::Aborted { message, hint: None }.into());
        }
        let Some((_, producer)) = state.open.take() else { return Ok(()) };
        let last = if fault::mutant("M8") { epoch.next() } else { epoch };
        self.send_held(&mut state, last, &producer)
    }

    /// The transaction of `epoch` is open: what was held back for it goes first.
    pub(super) fn open(&self, epoch: Epoch, producer: &Arc<Producer>) -> Result<(), Failure> {
        let mut state = self.state();
        self.send_held(&mut state, epoch, producer)?;
        state.open = Some((epoch, producer.clone()));
        Ok(())
    }

    /// No transaction is open for now: records are held back.
    pub(super) fn shut(&self) {
        self.state().open = None;
    }

    /// True if its writer has done nothing yet.
    pub(super) fn is_untouched(&self) -> bool {
        !self.state().touched
    }

    fn send_held(
        &self,
        state: &mut State,
        last: Epoch,
        producer: &Producer,
    ) -> Result<(), Failure> {
        while state.held.front().is_some_and(|held| held.epoch <= last) {
            let held = state.held.pop_front().expect("there is a first one");
            state.held_bytes -= held.size();
            let record = Outgoing {
                topic: &self.topic,
                partition: held.partition,
                key: held.key.as_deref(),
                value: held.value.as_deref(),
                timestamp_ms: held.timestamp_ms,
                headers: held.headers,
            };
            producer.send(record.into_record())?;
        }
        Ok(())
    }
}

/// The writer's side of a lane.
pub(super) struct Entrance<'a> {
    lane: &'a Lane,
    state: MutexGuard<'a, State>,
}

impl Entrance<'_> {
    /// Sends a record, or holds it back.
    pub(super) fn put(&mut self, mut record: Outgoing<'_>) -> Result<(), Failure> {
        let state = &mut *self.state;
        let epoch = state.epoch.ok_or_else(|| ConnectorError::Aborted {
            message: format!("topic `{}`: a row before the decider was asked", self.lane.topic),
            hint: None,
        })?;
        if self.lane.audit {
            let headers = record.headers.take().unwrap_or_default();
            let number = format!("{}/{}", self.lane.number, state.count);
            let (epoch, number) = (epoch.to_string(), Some(number.as_str()));
            let headers = headers
                .insert(Header { key: "millstream-epoch", value: Some(epoch.as_str()) })
                .insert(Header { key: "millstream-seq", value: number });
            record.headers = Some(headers);
        }
        state.count += 1;
        state.touched = true;
        match &state.open {
            Some((open, producer)) if *open >= epoch => producer.send(record.into_record()),
            _ => {
                let held = Held {
                    epoch,
                    partition: record.partition,
                    key: record.key.map(Box::from),
                    value: record.value.map(Box::from),
                    timestamp_ms: record.timestamp_ms,
                    headers: record.headers,
                };
                state.held_bytes += held.size();
                state.held.push_back(held);
                Ok(())
            }
        }
    }

    /// An error if a record did not arrive.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.state.open.as_ref().map_or(Ok(()), |(_, producer)| producer.check())
    }
}

impl Held {
    fn size(&self) -> usize {
        let length = |part: &Option<Box<[u8]>>| part.as_ref().map_or(0, |bytes| bytes.len());
        length(&self.key) + length(&self.value) + RECORD_OVERHEAD_BYTES
    }
}
