//! The output handle: the only way out of an operator.
//!
//! It collects what one call of an operator produced; the task moves the messages on. It asserts
//! the law of an edge that an operator could break: a watermark never goes back.

use std::collections::VecDeque;

use millstream_state::EventTime;

use crate::{Batch, Message, Port};

/// Collects an operator's messages in order, each with the port it leaves by.
#[derive(Default)]
pub struct Output {
    messages: VecDeque<(Port, Message)>,
    watermark: Option<EventTime>,
}

impl Output {
    /// An output that has passed nothing on.
    pub fn new() -> Self {
        Output::default()
    }

    /// Passes rows on; an empty batch is not a message.
    pub fn batch(&mut self, batch: Batch) {
        self.batch_to(Port::MAIN, batch);
    }

    /// Passes rows on through a side output.
    pub fn batch_to(&mut self, port: Port, batch: Batch) {
        if batch.num_rows() > 0 {
            self.messages.push_back((port, Message::Batch(batch)));
        }
    }

    /// Passes the watermark on, through every port.
    ///
    /// # Panics
    /// If it is behind the last one: time never goes back.
    pub fn watermark(&mut self, watermark: EventTime) {
        if let Some(last) = self.watermark {
            assert!(watermark >= last, "watermark went back from {last} to {watermark}");
            if watermark == last {
                return;
            }
        }
        self.watermark = Some(watermark);
        self.messages.push_back((Port::MAIN, Message::Watermark(watermark)));
    }

    /// The watermark that was passed on last.
    pub fn current_watermark(&self) -> Option<EventTime> {
        self.watermark
    }

    /// Takes the oldest message that was not moved on yet.
    pub fn pop(&mut self) -> Option<(Port, Message)> {
        self.messages.pop_front()
    }
}
