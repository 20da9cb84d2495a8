//! Writing without transactions: a producer of the writer's own, at least once.
//!
//! It is idempotent and waits for all replicas in sync, so that what it retries neither duplicates
//! nor reorders; after a restart rows come again. Its queue is bounded: a broker that is slower than
//! the job holds the job back.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer};

use super::client::{self, Context, Lost};
use super::native;
use super::options::CommonOptions;
use super::transaction::Outgoing;
use crate::error::{ConnectorError, Result};

/// How long to wait at a time for the broker before looking for errors.
const WAIT_STEP: Duration = Duration::from_millis(100);

/// Sends the records of one writer.
pub(super) struct Direct {
    options: CommonOptions,
    producer: BaseProducer<Context>,
}

impl Direct {
    /// A producer for `topic`, and how many partitions that has.
    pub(super) fn new(options: &CommonOptions, topic: &str) -> Result<(Self, i32)> {
        let producer = client::producer(options)?;
        let partitions = client::producer_partitions(options, &producer, topic)?;
        Ok((Direct { options: options.clone(), producer }, partitions))
    }

    /// Hands over a record; waits while the queue is full.
    pub(super) fn send(&mut self, record: Outgoing<'_>) -> Result<()> {
        let mut record = record.into_record();
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.producer.poll(Duration::from_millis(1));
                    self.check()?;
                }
                Err((error, back)) => {
                    let size =
                        back.payload.map_or(0, <[u8]>::len) + back.key.map_or(0, <[u8]>::len);
                    let place = format!("topic `{}`", back.topic);
                    return Err(self.refused(place, size, &error));
                }
            }
        }
    }

    fn refused(&self, place: String, size: usize, error: &KafkaError) -> ConnectorError {
        let code = error.rdkafka_error_code();
        let hint = code.and_then(client::hint_for);
        match code {
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                let reason = format!("a record of {size} bytes is too large");
                ConnectorError::Data { place, reason, hint }
            }
            _ => {
                let reason = code.map_or_else(|| error.to_string(), |code| code.to_string());
                let message = format!("{place} at {}: {reason}", self.options.servers());
                ConnectorError::Unavailable { message, hint }
            }
        }
    }

    /// Looks for errors: of records that did not arrive, and those after which none can.
    pub(super) fn serve(&mut self) -> Result<()> {
        self.producer.poll(Duration::ZERO);
        self.check()
    }

    fn check(&self) -> Result<()> {
        let context = self.producer.context();
        if let Some(Lost { code, topic, partition, size }) = context.failed_delivery() {
            let place = format!("topic `{topic}`, partition {partition}");
            return Err(self.refused(place, size, &KafkaError::MessageProduction(code)));
        }
        match context.hopeless_error() {
            Some((code, _)) => {
                let error = KafkaError::Global(code);
                Err(client::unreachable(&self.options, context, &error))
            }
            None => Ok(()),
        }
    }

    /// Waits until the broker has everything. This ends: a record that cannot be delivered fails
    /// after `message.timeout.ms`.
    pub(super) fn wait_for_deliveries(&mut self) -> Result<()> {
        loop {
            self.serve()?;
            if self.producer.in_flight_count() == 0 {
                return Ok(());
            }
            native::flush(&self.producer, WAIT_STEP);
        }
    }
}
