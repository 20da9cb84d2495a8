//! Bounded edges between tasks: one queue for each pair of sending and receiving subtask.
//!
//! A queue is bounded by bytes, softly: a sender asks [`Sender::has_room`] before it takes input
//! and then sends all that this input makes, so a queue holds at most its capacity and the outcome
//! of one message. Hence nothing ever blocks inside a send, and a batch larger than the capacity
//! passes too. Order is kept for each sender; the receiver takes from its senders in turn.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use millstream_operators::{Batch, Message};
use millstream_state::Epoch;

use crate::waker::{Waker, lock};

/// What travels between tasks: an operator's message, or news that operators need not know.
#[derive(Clone, Debug)]
pub enum Envelope {
    /// A message, and when the rows that caused it arrived at their source.
    Message {
        /// Rows or watermark.
        message: Message,
        /// Nanoseconds on the job's clock.
        arrived_ns: u64,
    },
    /// The sender has fallen idle (its watermark must not hold others back) or come back. While
    /// it is idle it sends no messages.
    Idle {
        /// True for falling idle.
        idle: bool,
        /// When that was noticed at the source, in nanoseconds on the job's clock: it can let
        /// the others' watermarks through.
        arrived_ns: u64,
    },
    /// Everything before it belongs to this epoch, everything after it to later ones. Operators do
    /// not see it.
    Barrier(Epoch),
    /// Nothing follows. Without a final watermark before it, the input was cut short.
    End,
}

impl Envelope {
    /// Bytes that count against the capacity. What is not a batch counts a little, so that a
    /// queue of watermarks is bounded too.
    fn bytes(&self) -> usize {
        const OVERHEAD_BYTES: usize = 64;
        match self {
            Envelope::Message { message: Message::Batch(batch), .. } => {
                OVERHEAD_BYTES + batch_bytes(batch)
            }
            _ => OVERHEAD_BYTES,
        }
    }
}

/// Bytes of a batch's values: of a slice only what it shows, for it shares the rest.
pub fn batch_bytes(batch: &Batch) -> usize {
    let columns: usize = batch.rows.columns().iter().map(column_bytes).sum();
    columns + batch.kinds.as_ref().map_or(0, |kinds| kinds.len())
}

fn column_bytes(column: &ArrayRef) -> usize {
    let rows = column.len();
    if let Some(width) = column.data_type().primitive_width() {
        return rows * width;
    }
    match column.data_type() {
        DataType::Utf8 => {
            let offsets = column.as_string::<i32>().value_offsets();
            (offsets[rows] - offsets[0]) as usize + rows * size_of::<i32>()
        }
        _ => {
            let data = column.to_data();
            data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size())
        }
    }
}

/// The fill level of one queue, seen from both ends without a lock.
#[derive(Debug)]
struct Link {
    queued_bytes: AtomicUsize,
    capacity_bytes: usize,
    /// The sender has found no room and wants to be woken.
    starved: AtomicBool,
    sender: Arc<Waker>,
}

#[derive(Debug)]
struct Queue {
    envelopes: VecDeque<(Envelope, usize)>,
    link: Arc<Link>,
}

#[derive(Debug, Default)]
struct Queues {
    queues: Vec<Queue>,
    next: usize,
}

/// The receiving end: all queues of one task.
#[derive(Debug)]
pub struct Inbox {
    queues: Mutex<Queues>,
    queued_bytes: AtomicUsize,
    receiver: Arc<Waker>,
}

impl Inbox {
    /// An inbox without inputs of the task that `receiver` wakes.
    pub fn new(receiver: Arc<Waker>) -> Arc<Self> {
        Arc::new(Inbox { queues: Mutex::default(), queued_bytes: AtomicUsize::new(0), receiver })
    }

    /// Adds an input of `capacity_bytes`; `sender` wakes the task at its other end. Inputs are
    /// numbered in the order of these calls.
    pub fn connect(self: &Arc<Self>, sender: Arc<Waker>, capacity_bytes: usize) -> Sender {
        let link = Arc::new(Link {
            queued_bytes: AtomicUsize::new(0),
            capacity_bytes,
            starved: AtomicBool::new(false),
            sender,
        });
        let queues = &mut lock(&self.queues).queues;
        queues.push(Queue { envelopes: VecDeque::new(), link: link.clone() });
        Sender { inbox: self.clone(), input: queues.len() - 1, link }
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        lock(&self.queues).queues.len()
    }

    /// Bytes in all queues.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes.load(SeqCst)
    }

    /// Room of all queues in bytes.
    pub fn capacity_bytes(&self) -> usize {
        lock(&self.queues).queues.iter().map(|queue| queue.link.capacity_bytes).sum()
    }

    /// Takes the next envelope of the next input that has one and may be read now. What waits at
    /// the other inputs stays in their order.
    pub fn pop(&self, may_read: impl Fn(usize) -> bool) -> Option<(usize, Envelope)> {
        let mut guard = lock(&self.queues);
        let Queues { queues, next } = &mut *guard;
        let count = queues.len();
        let mut inputs = (*next..*next + count).map(|i| i % count);
        let input = inputs.find(|i| !queues[*i].envelopes.is_empty() && may_read(*i))?;
        *next = (input + 1) % count;
        let (envelope, bytes) = queues[input].envelopes.pop_front().expect("found non-empty");
        let link = queues[input].link.clone();
        drop(guard);

        self.queued_bytes.fetch_sub(bytes, SeqCst);
        let left = link.queued_bytes.fetch_sub(bytes, SeqCst) - bytes;
        // Half empty before the sender is woken: it then has work for a while.
        if left <= link.capacity_bytes / 2 && link.starved.swap(false, SeqCst) {
            link.sender.wake();
        }
        Some((input, envelope))
    }
}

/// The sending end of one queue.
#[derive(Debug)]
pub struct Sender {
    inbox: Arc<Inbox>,
    input: usize,
    link: Arc<Link>,
}

impl Sender {
    /// True if the queue is below its capacity. After a "no" the sender is woken once it is half
    /// empty.
    pub fn has_room(&self) -> bool {
        let below = || self.link.queued_bytes.load(SeqCst) < self.link.capacity_bytes;
        if below() {
            return true;
        }
        // Look again after raising the flag: the receiver may have taken all just before.
        self.link.starved.store(true, SeqCst);
        below()
    }

    /// Appends to the queue; never blocks.
    pub fn send(&self, envelope: Envelope) {
        let bytes = envelope.bytes();
        self.link.queued_bytes.fetch_add(bytes, SeqCst);
        self.inbox.queued_bytes.fetch_add(bytes, SeqCst);
        lock(&self.inbox.queues).queues[self.input].envelopes.push_back((envelope, bytes));
        self.inbox.receiver.wake();
    }
}

#[cfg(test)]
mod tests {
    use millstream_state::EventTime;

    use super::*;

    fn watermark(ms: i64) -> Envelope {
        let message = Message::Watermark(EventTime::from_ms(ms));
        Envelope::Message { message, arrived_ns: 0 }
    }

    #[test]
    fn a_full_queue_has_no_room_until_it_is_half_empty() {
        let (sending, receiving) = (Arc::new(Waker::default()), Arc::new(Waker::default()));
        let inbox = Inbox::new(receiving);
        let sender = inbox.connect(sending.clone(), 4 * 64);
        for ms in 0..4 {
            assert!(sender.has_room());
            sender.send(watermark(ms));
        }
        assert!(!sender.has_room());
        for _ in 0..2 {
            inbox.pop(|_| true).expect("queued");
        }
        sending.rest(None);
        assert!(sender.has_room());
        assert_eq!(inbox.queued_bytes(), 2 * 64);
    }

    #[test]
    fn inputs_are_taken_in_turn_and_each_in_order() {
        let waker = Arc::new(Waker::default());
        let inbox = Inbox::new(waker.clone());
        let senders = [inbox.connect(waker.clone(), 1000), inbox.connect(waker, 1000)];
        for ms in [1, 2] {
            senders[0].send(watermark(ms));
        }
        senders[1].send(watermark(10));
        let mut taken = Vec::new();
        while let Some((input, envelope)) = inbox.pop(|_| true) {
            let Envelope::Message { message: Message::Watermark(w), .. } = envelope else {
                panic!("only watermarks were sent")
            };
            taken.push((input, w.as_ms()));
        }
        assert_eq!(taken, [(0, 1), (1, 10), (0, 2)]);
    }

    #[test]
    fn an_input_that_may_not_be_read_waits_and_keeps_its_order() {
        let waker = Arc::new(Waker::default());
        let inbox = Inbox::new(waker.clone());
        let senders = [inbox.connect(waker.clone(), 1000), inbox.connect(waker, 1000)];
        senders[0].send(watermark(1));
        senders[0].send(watermark(2));
        senders[1].send(watermark(10));
        let inputs = |taken: Option<(usize, Envelope)>| taken.map(|(input, _)| input);
        assert_eq!(inputs(inbox.pop(|input| input != 0)), Some(1));
        assert_eq!(inputs(inbox.pop(|input| input != 0)), None);
        for ms in [1, 2] {
            let Some((0, Envelope::Message { message, .. })) = inbox.pop(|_| true) else {
                panic!("the first input waits")
            };
            assert!(matches!(message, Message::Watermark(w) if w.as_ms() == ms));
        }
    }
}
