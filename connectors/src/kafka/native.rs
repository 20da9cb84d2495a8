//! What librdkafka offers and its Rust wrapper does not: records by the batch, the cached end of a
//! partition, a flush that wakes up at once, and the metadata of committed offsets as bytes.
//!
//! This is the only module of the connector with `unsafe` code. It is worth it: the wrapper's
//! `poll` makes an event and a reference-counted owner of every record. On a busy machine, with
//! records of 215 bytes, a loop of it cost 250 to 310 ns of its thread a record; taking records from
//! here **and** decoding two columns cost 120 to 210 ns (`tests/kafka/rate.rs` measures both).
//!
//! Why it is sound:
//!
//! 1. *Lifetimes.* librdkafka wants records and queues destroyed before their client. [`Records`]
//!    and [`Fetcher`] each hold what they point into: `Records` an `Arc` of the fetcher, the
//!    fetcher its queue and then its consumer, in this order of declaration, which is the order in
//!    which they are dropped. A [`Record`] borrows from `Records`.
//! 2. *Validity.* A record's key and value are what librdkafka says, a pointer and a length inside
//!    memory that the record owns until it is destroyed; null pointers are handled as absent.
//!    Everything is read while `&Records` is held, and librdkafka does not change a record that it
//!    has handed out.
//! 3. *Threads.* librdkafka's calls are thread-safe, and a record may be destroyed on any thread;
//!    so `Records` and `Fetcher` may move between threads. `Records` is not `Sync`, since nothing
//!    needs it; the fetcher is shared only by way of `Arc`, and all that it calls is thread-safe.
//! 4. *One queue.* The documented limits of batch consumption are that one thread at a time takes
//!    from a queue and that nobody seeks or pauses meanwhile. The queue is private, one reader owns
//!    the fetcher, and nobody seeks or pauses here.
//!
//! A bug of librdkafka 2.12 moves its own notion of the position one too far at the end of a
//! partition (fixed in 2.13.2). It would show in pause, resume and stored offsets, none of which
//! are used: positions here come from the offsets of records.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::client::Context;

/// A consumer with a queue of its own for the records of the partitions that it is given.
///
/// Errors of the client as a whole do not go to the queue: [`Fetcher::consumer`] is to be polled
/// for them.
pub(super) struct Fetcher {
    // Dropped first: see "Lifetimes" above.
    queue: Queue,
    /// Somebody has called [`Fetcher::interrupt`] since the last wait.
    interrupted: AtomicBool,
    consumer: BaseConsumer<Context>,
}

/// An owned handle of a queue.
struct Queue(NonNull<sys::rd_kafka_queue_t>);

// SAFETY: librdkafka's queues are protected by locks of their own ("Threads" above).
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the handle is owned, valid until here, and its client lives ("Lifetimes").
        unsafe { sys::rd_kafka_queue_destroy(self.0.as_ptr()) }
    }
}

impl Fetcher {
    /// A fetcher without partitions.
    pub(super) fn new(consumer: BaseConsumer<Context>) -> Self {
        // SAFETY: the client is valid; the function never returns null.
        let queue = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
        let queue = Queue(NonNull::new(queue).expect("librdkafka makes a queue or aborts"));
        Fetcher { queue, interrupted: AtomicBool::new(false), consumer }
    }

    /// The consumer, for everything but records.
    pub(super) fn consumer(&self) -> &BaseConsumer<Context> {
        &self.consumer
    }

    /// Starts to fetch a partition from `offset` on.
    pub(super) fn assign(&self, topic: &str, partition: i32, offset: Offset) -> KafkaResult<()> {
        let name = CString::new(topic)?;
        let client = self.consumer.client().native_ptr();
        // Forwarded before it is assigned, so that not one record takes the consumer's own queue.
        // SAFETY: client and name are valid; the handle that is returned is ours to destroy, and
        // the forwarding keeps its own references to both queues.
        unsafe {
            let source = sys::rd_kafka_queue_get_partition(client, name.as_ptr(), partition);
            let source = Queue(
                NonNull::new(source)
                    .ok_or(KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownPartition))?,
            );
            sys::rd_kafka_queue_forward(source.0.as_ptr(), self.queue.0.as_ptr());
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, offset)?;
        self.consumer.incremental_assign(&list)
    }

    /// Stops fetching a partition.
    pub(super) fn unassign(&self, topic: &str, partition: i32) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, partition);
        self.consumer.incremental_unassign(&list)
    }

    /// Ends the wait of [`Fetcher::fetch`], or that of the next one.
    pub(super) fn interrupt(&self) {
        // A look that does not wait takes the queue's own note away: this one stays.
        self.interrupted.store(true, SeqCst);
        // SAFETY: the queue is valid as long as `self`, and the call is thread-safe.
        unsafe { sys::rd_kafka_queue_yield(self.queue.0.as_ptr()) }
    }

    /// Takes up to `limit` records that have arrived; waits for at most `timeout` if there are
    /// none.
    pub(super) fn fetch(self: &Arc<Self>, limit: usize, timeout: Duration) -> Records {
        let mut records = Records { messages: Vec::with_capacity(limit), fetcher: self.clone() };
        records.take(limit, Duration::ZERO);
        if records.len() == 0 && !timeout.is_zero() && !self.interrupted.swap(false, SeqCst) {
            // A call that may take many waits until it has them all: so wait for the first only.
            records.take(1, timeout);
            if records.len() == 1 {
                records.take(limit, Duration::ZERO);
            }
        }
        records
    }

    /// Offset behind the newest record of a partition, as of the last fetch; `None` before.
    pub(super) fn end_offset(&self, topic: &CStr, partition: i32) -> Option<i64> {
        let (mut low, mut high) = (-1, -1);
        let client = self.consumer.client().native_ptr();
        // SAFETY: client, name and the two places to write to are valid for the call, which reads
        // cached values and keeps nothing.
        unsafe {
            sys::rd_kafka_get_watermark_offsets(
                client,
                topic.as_ptr(),
                partition,
                &raw mut low,
                &raw mut high,
            );
        }
        (high >= 0).then_some(high)
    }
}

/// Records that were taken together, and are freed together.
pub(super) struct Records {
    messages: Vec<NonNull<sys::rd_kafka_message_t>>,
    // Keeps the client alive for as long as its records are.
    fetcher: Arc<Fetcher>,
}

// SAFETY: records are owned, and may be read and destroyed on any thread ("Threads" above).
unsafe impl Send for Records {}

impl Records {
    /// Appends records until there are `limit`, for at most `timeout`.
    fn take(&mut self, limit: usize, timeout: Duration) {
        let room = limit.saturating_sub(self.messages.len());
        self.messages.reserve(room);
        // Rounded up, so that no wait becomes a busy loop.
        let timeout_ms = timeout.as_micros().div_ceil(1000);
        let timeout_ms = c_int::try_from(timeout_ms).unwrap_or(c_int::MAX);
        // SAFETY: the spare capacity has room for `room` pointers, and `NonNull` has the layout of
        // a pointer. The call writes as many pointers as it returns, none of them null, and gives
        // the records to us.
        unsafe {
            let spare = self.messages.as_mut_ptr().add(self.messages.len());
            let queue = self.fetcher.queue.0.as_ptr();
            let taken = sys::rd_kafka_consume_batch_queue(queue, timeout_ms, spare.cast(), room);
            let taken = usize::try_from(taken).unwrap_or(0).min(room);
            self.messages.set_len(self.messages.len() + taken);
        }
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The record at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn get(&self, index: usize) -> Record<'_> {
        Record { message: self.messages[index], records: PhantomData }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        for message in &self.messages {
            // SAFETY: each is owned, destroyed once, and before its client ("Lifetimes").
            unsafe { sys::rd_kafka_message_destroy(message.as_ptr()) }
        }
    }
}

/// What a record's timestamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimestampKind {
    /// The record has none.
    None,
    /// When the producer made the record.
    CreateTime,
    /// When the broker took the record.
    LogAppendTime,
}

/// A record, or an error of its partition ([`Record::error`]).
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    message: NonNull<sys::rd_kafka_message_t>,
    records: PhantomData<&'a Records>,
}

impl<'a> Record<'a> {
    fn message(&self) -> &'a sys::rd_kafka_message_t {
        // SAFETY: the pointer came from librdkafka and is valid for as long as its `Records`.
        unsafe { self.message.as_ref() }
    }

    /// What happened to the partition, if this is not a record.
    pub(super) fn error(&self) -> Option<RDKafkaErrorCode> {
        let code = self.message().err;
        (code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
    }

    /// Identifies the topic among the records that are alive.
    pub(super) fn topic_id(&self) -> usize {
        self.message().rkt as usize
    }

    /// Name of the topic; empty for errors without one.
    pub(super) fn topic(&self) -> &'a str {
        if self.message().rkt.is_null() {
            return "";
        }
        // SAFETY: the record keeps its topic alive, and with it the name, which ends in a null.
        let name = unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(self.message().rkt)) };
        name.to_str().unwrap_or_default()
    }

    /// Partition within the topic.
    pub(super) fn partition(&self) -> i32 {
        self.message().partition
    }

    /// Offset within the partition.
    pub(super) fn offset(&self) -> i64 {
        self.message().offset
    }

    /// The key, if there is one.
    pub(super) fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: pointer and length are of the record ("Validity").
        unsafe { bytes(self.message().key, self.message().key_len) }
    }

    /// The value, if there is one. Of an error, its text.
    pub(super) fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: pointer and length are of the record ("Validity").
        unsafe { bytes(self.message().payload, self.message().len) }
    }

    /// The timestamp in ms since 1970 and what it means.
    pub(super) fn timestamp(&self) -> (i64, TimestampKind) {
        use sys::rd_kafka_timestamp_type_t as kind;
        let mut found = kind::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the record is valid, and `found` is written before the call returns.
        let ms = unsafe { sys::rd_kafka_message_timestamp(self.message.as_ptr(), &raw mut found) };
        let kind = match found {
            kind::RD_KAFKA_TIMESTAMP_CREATE_TIME if ms >= 0 => TimestampKind::CreateTime,
            kind::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => TimestampKind::LogAppendTime,
            _ => TimestampKind::None,
        };
        (ms, kind)
    }

    /// Leader epoch, if the broker said it.
    pub(super) fn leader_epoch(&self) -> Option<i32> {
        // SAFETY: the record is valid.
        let epoch = unsafe { sys::rd_kafka_message_leader_epoch(self.message.as_ptr()) };
        (epoch >= 0).then_some(epoch)
    }

    /// Calls `each` with name and value of every header, in order.
    pub(super) fn for_each_header(&self, mut each: impl FnMut(&'a [u8], Option<&'a [u8]>)) {
        let mut headers = ptr::null_mut();
        // SAFETY: the record is valid and owns the headers that it lends. librdkafka parses them
        // on the first call, within the record, which is why records are not shared by threads.
        let result =
            unsafe { sys::rd_kafka_message_headers(self.message.as_ptr(), &raw mut headers) };
        if result != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return;
        }
        for index in 0.. {
            let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
            // SAFETY: headers and the three places are valid. Name and value live as long as the
            // record; the name ends in a null.
            unsafe {
                let result = sys::rd_kafka_header_get_all(
                    headers,
                    index,
                    &raw mut name,
                    &raw mut value,
                    &raw mut length,
                );
                if result != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                    return;
                }
                each(CStr::from_ptr(name).to_bytes(), bytes(value, length));
            }
        }
    }
}

/// The bytes at `start`, or none for a null pointer.
///
/// # Safety
/// `start` is null, or `length` bytes there are valid and unchanged for `'a`.
unsafe fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: what this function asks of its caller.
    Some(unsafe { std::slice::from_raw_parts(start.cast(), length) })
}

/// Sends what is queued at once, and waits for at most `timeout` until the broker has it all; true
/// if it has.
///
/// The wrapper's own flush waits in steps of 100 ms.
pub(super) fn flush(producer: &BaseProducer<super::client::Context>, timeout: Duration) -> bool {
    let timeout_ms = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: the client is valid for the call.
    let result = unsafe { sys::rd_kafka_flush(producer.client().native_ptr(), timeout_ms) };
    result == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// The metadata of a committed offset, whatever bytes they are; none if there are none.
///
/// The wrapper's own accessor panics on what is not UTF-8, and anybody may commit anything.
pub(super) fn offset_metadata(
    list: &TopicPartitionList,
    topic: &str,
    partition: i32,
) -> Option<Vec<u8>> {
    let name = CString::new(topic).ok()?;
    // SAFETY: list and name are valid for the call. The element that is found belongs to the list,
    // which is borrowed; its metadata are a pointer and a length inside memory that it owns.
    unsafe {
        let found = sys::rd_kafka_topic_partition_list_find(list.ptr(), name.as_ptr(), partition);
        let element = found.as_ref()?;
        bytes(element.metadata, element.metadata_size).map(<[u8]>::to_vec)
    }
}
