//! Where a task's envelopes come from: its source, or the queues of other tasks merged into one
//! stream.

use std::collections::VecDeque;
use std::sync::Arc;

use millstream_operators::{Message, OperatorMetrics};

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

    /// Waits until there may be something new, or the task's waker is called.
    pub fn wait(&mut self, waker: &Waker) -> Result<()> {
        match self {
            Input::Source(source) => source.wait(waker),
            Input::Exchange(_) => {
                waker.rest(None);
                Ok(())
            }
        }
    }
}

/// Merges queues: rows as they come, watermarks by their minimum, the end when all have ended.
pub struct ExchangeInput {
    inbox: Arc<Inbox>,
    align: Align,
    ready: VecDeque<Envelope>,
    metrics: Arc<OperatorMetrics>,
    ended: bool,
}

impl ExchangeInput {
    /// Merges all queues that are connected to `inbox`; none may be connected later. `metrics`
    /// are those of the task's head.
    pub fn new(inbox: Arc<Inbox>, metrics: Arc<OperatorMetrics>) -> Self {
        metrics.queue_capacity_bytes.set(inbox.capacity_bytes() as u64);
        let align = Align::new(inbox.inputs());
        let mut input =
            ExchangeInput { inbox, align, ready: VecDeque::new(), metrics, ended: false };
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
            let (input, envelope) = self.inbox.pop()?;
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
            Envelope::End => {
                self.align.end(input);
                if self.align.all_ended() {
                    self.end();
                }
            }
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
