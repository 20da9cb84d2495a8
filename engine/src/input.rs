//! Where a task's envelopes come from: its source, or the queues of other tasks merged into one
//! stream.
//!
//! Barriers are aligned: an input that has delivered barrier `n` is not read until all others have
//! delivered it or ended.
//!
//! ```text
//!  input 0  ──a──b──│n│            (waits)                       a d b e │n│ c f
//!  input 1  ──d──e─────────│n│                                 ──────────────────▶
//!  input 2  ──┤ (ended: counts as aligned)
//! ```
//!
//! This cannot hang: a task whose sender waits for room has that sender's barrier already, and so
//! has everyone behind the sender.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use millstream_operators::{Message, NodeId, OperatorMetrics};
use millstream_state::Epoch;
use millstream_state::checkpoint::SplitState;

use crate::align::{Advance, Align};
use crate::channel::{Envelope, Inbox};
use crate::error::Result;
use crate::source_task::SourceInput;
use crate::waker::Waker;

/// The input of a task.
pub enum Input {
    /// Reads splits of a table.
    Source(Box<SourceInput>),
    /// Merges what other tasks send.
    Exchange(ExchangeInput),
}

impl Input {
    /// The next envelope, if there is one now; never waits. Nothing comes after
    /// [`Envelope::End`].
    pub fn take(&mut self) -> Result<Option<Envelope>> {
        match self {
            Input::Source(source) => source.take(),
            Input::Exchange(exchange) => Ok(exchange.take()),
        }
    }

    /// True for a subtask of a source that was given no split.
    pub fn has_no_split(&self) -> bool {
        matches!(self, Input::Source(source) if source.has_no_split())
    }

    /// For a source: its node, and how far its splits were read.
    pub fn splits(&self) -> Option<(NodeId, Vec<SplitState>)> {
        match self {
            Input::Source(source) => Some((source.node(), source.states())),
            Input::Exchange(_) => None,
        }
    }

    /// False for a source that was stopped before the end of its splits.
    pub fn is_complete(&self) -> bool {
        match self {
            Input::Source(source) => source.is_complete(),
            Input::Exchange(_) => true,
        }
    }

    /// Waits until there may be something new, the task's waker is called, or `most` has passed.
    pub fn wait(&mut self, waker: &Waker, most: Option<Duration>) -> Result<()> {
        match self {
            Input::Source(source) => source.wait(waker, most),
            Input::Exchange(_) => {
                waker.rest(most);
                Ok(())
            }
        }
    }
}

/// Merges queues: rows as they come, watermarks by their minimum, the end when all have ended.
pub struct ExchangeInput {
    inbox: Arc<Inbox>,
    align: Align,
    /// Inputs that have delivered the barrier of the epoch that is being aligned.
    delivered: Vec<bool>,
    aligning: Option<Epoch>,
    ready: VecDeque<Envelope>,
    metrics: Arc<OperatorMetrics>,
    ended: bool,
}

impl ExchangeInput {
    /// Merges all queues that are connected to `inbox`; none may be connected later. `metrics`
    /// are those of the task's head.
    pub fn new(inbox: Arc<Inbox>, metrics: Arc<OperatorMetrics>) -> Self {
        metrics.queue_capacity_bytes.set(inbox.capacity_bytes() as u64);
        let inputs = inbox.inputs();
        let mut input = ExchangeInput {
            align: Align::new(inputs),
            delivered: vec![false; inputs],
            aligning: None,
            inbox,
            ready: VecDeque::new(),
            metrics,
            ended: false,
        };
        if input.align.all_ended() {
            // A subtask that nobody sends to: its time ends at once.
            let advance = input.align.advance();
            input.pass_on(advance, 0);
            input.end();
        }
        input
    }

    fn take(&mut self) -> Option<Envelope> {
        while self.ready.is_empty() {
            let (input, envelope) = self.inbox.pop(|input| !self.delivered[input])?;
            self.metrics.queue_bytes.set(self.inbox.queued_bytes() as u64);
            self.merge(input, envelope);
        }
        self.ready.pop_front()
    }

    fn merge(&mut self, input: usize, envelope: Envelope) {
        match envelope {
            Envelope::Message { message: Message::Batch(_), .. } => {
                assert!(!self.align.is_idle(input), "rows from idle input {input}");
                self.ready.push_back(envelope);
            }
            Envelope::Message { message: Message::Watermark(watermark), arrived_ns } => {
                let advance = self.align.watermark(input, watermark);
                self.pass_on(advance, arrived_ns);
            }
            Envelope::Idle { idle, arrived_ns } => {
                let advance = self.align.set_idle(input, idle);
                self.pass_on(advance, arrived_ns);
            }
            Envelope::Barrier(epoch) => {
                let aligning = *self.aligning.get_or_insert(epoch);
                assert_eq!(aligning, epoch, "input {input} is in another epoch");
                self.delivered[input] = true;
                self.pass_barrier();
            }
            Envelope::End => {
                self.align.end(input);
                if self.align.all_ended() {
                    self.end();
                }
                self.pass_barrier();
            }
        }
    }

    fn pass_barrier(&mut self) {
        let aligned = |input: usize| self.delivered[input] || self.align.has_ended(input);
        if let Some(epoch) = self.aligning
            && (0..self.delivered.len()).all(aligned)
        {
            self.aligning = None;
            self.delivered.fill(false);
            self.ready.push_back(Envelope::Barrier(epoch));
        }
    }

    /// The windows that a watermark fires are as old as the batch that moved it (`arrived_ns`).
    fn pass_on(&mut self, advance: Advance, arrived_ns: u64) {
        if advance.idle == Some(false) {
            self.ready.push_back(Envelope::Idle { idle: false, arrived_ns });
        }
        if let Some(watermark) = advance.watermark {
            let message = Message::Watermark(watermark);
            self.ready.push_back(Envelope::Message { message, arrived_ns });
        }
        if advance.idle == Some(true) {
            self.ready.push_back(Envelope::Idle { idle: true, arrived_ns });
        }
    }

    fn end(&mut self) {
        assert!(!self.ended, "a stream ends once");
        self.ended = true;
        self.ready.push_back(Envelope::End);
    }
}
