//! Settings of the clients that Millstream makes, each with its reason.
//!
//! `DEFAULTS` are where the user's `properties.*` win; `FIXED` are laws of the connector, which
//! [`super::properties`] does not let anybody change.

use std::time::Duration;

/// Name and value of a setting, and why it is set so.
pub(super) type Setting = (&'static str, &'static str, &'static str);

/// What a consumer is set to unless the user says otherwise.
pub(super) const CONSUMER_DEFAULTS: &[Setting] = &[
    ("fetch.queue.backoff.ms", "5", "the client's own second caps a full queue at a third"),
    ("fetch.wait.max.ms", "20", "a quiet topic is answered soon; the default is half a second"),
    ("queued.min.messages", "100000", "enough to fetch ahead of decoding"),
    ("queued.max.messages.kbytes", "65536", "what is fetched ahead is bounded"),
    ("check.crcs", "true", "off by default: a flipped bit would be read as data"),
    ("isolation.level", "read_committed", "rows of aborted transactions never happened"),
    ("socket.keepalive.enable", "true", "a broker that is gone is noticed on an idle line"),
];

/// What a consumer is always set to.
pub(super) const CONSUMER_FIXED: &[Setting] = &[
    ("enable.auto.commit", "false", "offsets are committed with the epoch that they belong to"),
    ("enable.auto.offset.store", "false", "positions are those of rows that were handed over"),
    ("allow.auto.create.topics", "false", "a misspelled topic must not come into being"),
    ("auto.offset.reset", "error", "offsets that are gone are an error: else records are lost"),
    ("group.protocol", "classic", "nothing joins; newer epochs would only add ways to fail"),
];

/// What any producer is set to unless the user says otherwise.
pub(super) const PRODUCER_DEFAULTS: &[Setting] = &[
    ("linger.ms", "5", "a busy stream is sent in bulk; a flush does not wait for it"),
    ("queue.buffering.max.messages", "100000", "a slow broker holds the job back soon"),
    ("queue.buffering.max.kbytes", "65536", "as above, in bytes"),
    ("socket.keepalive.enable", "true", "a broker that is gone is noticed on an idle line"),
];

/// What a producer without transactions is set to unless the user says otherwise.
pub(super) const PLAIN_PRODUCER_DEFAULTS: &[Setting] =
    &[("message.timeout.ms", "120000", "a broker that is away for two minutes fails the job")];

/// What any producer is always set to.
pub(super) const PRODUCER_FIXED: &[Setting] = &[
    ("enable.idempotence", "true", "what is retried is neither duplicated nor reordered"),
    ("acks", "all", "what was acknowledged survives the leader"),
    ("allow.auto.create.topics", "false", "a misspelled topic must not come into being"),
    ("partitioner", "murmur2_random", "rows with one key stay where Java clients put them"),
    ("delivery.report.only.error", "true", "success is seen by the record leaving the queue"),
];

/// What a producer with transactions is set to besides; `transactional.id` and
/// `transaction.timeout.ms` are computed. Left alone on purpose, so that they cannot be set either
/// ([`TRANSACTION_OWN`]): `message.timeout.ms`, which the client keeps below the transaction's, and
/// `socket.timeout.ms`, which it puts just below it: a request that ends a transaction is then
/// repeated for a time-out only when the transaction is dead anyway.
pub(super) const TRANSACTION_FIXED: &[Setting] = &[
    ("statistics.interval.ms", "1000", "says whether requests were retried or timed out"),
    ("retry.backoff.ms", "100", "what took less time than this was not repeated; see `producer`"),
    ("max.in.flight.requests.per.connection", "5", "the most that idempotence can keep in order"),
];

/// Settings that a transactional producer must be left alone with.
pub(super) const TRANSACTION_OWN: &[&str] = &[
    "message.timeout.ms",
    "request.timeout.ms",
    "socket.timeout.ms",
    "max.in.flight.requests.per.connection",
    "retry.backoff.ms",
];

/// How long the broker lets a transaction live without an end.
///
/// Long enough for an epoch that waits for four intervals and a slow disk; at least a minute, so
/// that a broker's restart fits in; at most what brokers allow by default. Until it is over, or the
/// job is started again, a job that died holds `read_committed` readers up.
pub(super) fn transaction_timeout(interval_ms: u64) -> Duration {
    Duration::from_millis((4 * interval_ms + 30_000).clamp(60_000, 15 * 60_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_lives_for_a_few_intervals_within_what_brokers_allow() {
        let seconds = |interval_ms| transaction_timeout(interval_ms).as_secs();
        assert_eq!([100, 1_000, 10_000, 60_000].map(seconds), [60, 60, 70, 270]);
        assert_eq!(seconds(3_600_000), 900);
    }
}
