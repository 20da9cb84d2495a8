//! Clients of a cluster: their settings, their errors in words, and what is asked at the start.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseProducer, DeliveryResult, ProducerContext};

use super::options::{CommonOptions, Topics};
use super::properties::Side;
use super::settings::{
    CONSUMER_DEFAULTS, CONSUMER_FIXED, PLAIN_PRODUCER_DEFAULTS, PRODUCER_DEFAULTS, PRODUCER_FIXED,
    Setting, TRANSACTION_FIXED,
};
use crate::error::{ConnectorError, Result};
use crate::options::did_you_mean;

/// How long a broker may take to answer at the start.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Collects what a client reports on the side.
#[derive(Debug, Default)]
pub(super) struct Context {
    state: Mutex<Reports>,
    /// Set together with [`Reports::delivery`], so that asking costs next to nothing.
    failed_delivery: AtomicBool,
    /// Set when a request may have been left without an answer, or sent twice.
    disturbed: AtomicBool,
    /// Time-outs and closed connections in the last statistics.
    losses: AtomicU64,
}

#[derive(Debug, Default)]
struct Reports {
    /// The latest error of the client as a whole, with the client's own words.
    error: Option<(RDKafkaErrorCode, String)>,
    /// An error that trying again does not mend.
    fatal: Option<(RDKafkaErrorCode, String)>,
    /// The first record that did not arrive.
    delivery: Option<Lost>,
}

/// A record that did not arrive.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    /// Why.
    pub(super) code: RDKafkaErrorCode,
    pub(super) topic: String,
    pub(super) partition: i32,
    /// Bytes of its key and value.
    pub(super) size: usize,
}

impl Context {
    fn reports(&self) -> std::sync::MutexGuard<'_, Reports> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The first record that did not arrive.
    pub(super) fn failed_delivery(&self) -> Option<Lost> {
        if !self.failed_delivery.load(Ordering::Acquire) {
            return None;
        }
        self.reports().delivery.clone()
    }

    /// The latest error with the client's words, the hopeless ones first.
    fn latest_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        let reports = self.reports();
        reports.fatal.clone().or_else(|| reports.error.clone())
    }

    /// Whether some request may have been left without an answer, or sent twice.
    pub(super) fn is_disturbed(&self) -> bool {
        self.disturbed.load(Ordering::Acquire)
    }

    /// Forgets what disturbed before: what was under way then is fenced now.
    pub(super) fn calm_down(&self) {
        self.losses.store(UNKNOWN, Ordering::Relaxed);
        self.disturbed.store(false, Ordering::Release);
    }

    /// Says that a request may have been left without an answer, or sent twice.
    pub(super) fn disturb(&self) {
        self.disturbed.store(true, Ordering::Release);
    }

    /// An error that trying again does not mend, if there was one.
    pub(super) fn hopeless_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.reports().fatal.clone()
    }
}

impl ClientContext for Context {
    /// Nothing is printed: what matters comes as an error, and the rest is noise on a terminal. But
    /// of a connection that the other side closes, with or without requests in flight, the log is
    /// the only one to be told, and it matters to transactions; so do requests that time out.
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        if matches!(facility, "FAIL" | "REQTMOUT" | "TXNERR") && may_lose_requests(message) {
            self.disturb();
        }
    }

    /// Requests that timed out since the last statistics disturb, and connections that closed: the
    /// log does not repeat what it said in the last half minute. A mere retry does not: its first
    /// try was answered, as by `CONCURRENT_TRANSACTIONS` when epochs follow each other closely.
    fn stats_raw(&self, statistics: &[u8]) {
        let names: [&[u8]; 2] = [b"\"req_timeouts\":", b"\"disconnects\":"];
        let losses = names.map(|name| sum_of(statistics, name)).iter().sum();
        let before = self.losses.swap(losses, Ordering::Relaxed);
        if before != UNKNOWN && before < losses {
            self.disturb();
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        // That all brokers are down follows from the failures of each.
        if code != RDKafkaErrorCode::AllBrokersDown && may_lose_requests(reason) {
            self.disturb();
        }
        let mut reports = self.reports();
        match code {
            // Says no more than the errors of the single brokers before it.
            RDKafkaErrorCode::AllBrokersDown if reports.error.is_some() => {}
            RDKafkaErrorCode::Fatal
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::UnsupportedFeature => {
                reports.fatal = Some((code, reason.to_owned()));
            }
            _ => reports.error = Some((code, reason.to_owned())),
        }
    }
}

impl ConsumerContext for Context {}

/// Value of [`Context::losses`] before the first statistics that count.
const UNKNOWN: u64 = u64::MAX;

/// False for a connection that fails before it is up, such as the first of two addresses of
/// `localhost`: nothing was asked on it yet.
fn may_lose_requests(message: &str) -> bool {
    let state = message.rsplit_once("in state ").map(|(_, state)| state);
    state.is_none_or(|state| state.starts_with("UP") || state.starts_with("REAUTH"))
}

/// Adds up the numbers that follow `name` in a JSON text; parsing it would cost a hundred times as
/// much, every second, for two counters.
fn sum_of(text: &[u8], name: &[u8]) -> u64 {
    let numbers = memchr::memmem::find_iter(text, name).map(|at| {
        let digits = text[at + name.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |number: u64, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        })
    });
    numbers.sum()
}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, record)) = result
            && let Some(code) = error.rdkafka_error_code()
        {
            let mut reports = self.reports();
            if reports.delivery.is_none() {
                reports.delivery = Some(Lost {
                    code,
                    topic: record.topic().to_owned(),
                    partition: record.partition(),
                    size: record.payload_len() + record.key_len(),
                });
            }
            self.failed_delivery.store(true, Ordering::Release);
        }
    }
}

fn config(options: &CommonOptions, side: Side, tables: &[&[Setting]]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("client.id", "millstream").set_log_level(RDKafkaLogLevel::Emerg);
    let (fixed, defaults) = tables.split_last().expect("the last table is what is fixed");
    for (name, value, _) in defaults.iter().copied().flatten() {
        config.set(*name, *value);
    }
    for (name, value) in options.properties.of(side) {
        config.set(name, value);
    }
    for (name, value, _) in *fixed {
        config.set(*name, *value);
    }
    config
}

/// A consumer without partitions, in this group; `eof` makes it report when a partition has no
/// more for now. The client insists on a group, though it joins none.
pub(super) fn consumer(
    options: &CommonOptions,
    group: Option<&str>,
    eof: bool,
) -> Result<BaseConsumer<Context>> {
    let mut config = config(options, Side::Consumer, &[CONSUMER_DEFAULTS, CONSUMER_FIXED]);
    config
        .set("group.id", group.unwrap_or("millstream"))
        .set("enable.partition.eof", if eof { "true" } else { "false" });
    config.create_with_context(Context::default()).map_err(|error| bad_config(options, &error))
}

/// A consumer that asks what a group has committed. A stable answer waits while a transaction that
/// commits to the group is being ended.
pub(super) fn offset_consumer(
    options: &CommonOptions,
    group: &str,
    stable: bool,
) -> Result<BaseConsumer<Context>> {
    let mut config = config(options, Side::Consumer, &[CONSUMER_DEFAULTS, CONSUMER_FIXED]);
    // It is this level by which the client decides whether to ask for stable offsets.
    let level = if stable { "read_committed" } else { "read_uncommitted" };
    config.set("group.id", group).set("isolation.level", level);
    config.create_with_context(Context::default()).map_err(|error| bad_config(options, &error))
}

/// A producer without transactions.
pub(super) fn producer(options: &CommonOptions) -> Result<BaseProducer<Context>> {
    let tables = [PRODUCER_DEFAULTS, PLAIN_PRODUCER_DEFAULTS, PRODUCER_FIXED];
    let config = config(options, Side::Producer, &tables);
    config.create_with_context(Context::default()).map_err(|error| bad_config(options, &error))
}

/// A producer with transactions of this id. Nothing is said to the broker yet.
pub(super) fn transactional_producer(
    options: &CommonOptions,
    id: &str,
    timeout: Duration,
) -> Result<BaseProducer<Context>> {
    let mut config = config(options, Side::Producer, &[PRODUCER_DEFAULTS, PRODUCER_FIXED]);
    for (name, value, _) in TRANSACTION_FIXED {
        config.set(*name, *value);
    }
    config
        .set("transactional.id", id)
        .set("transaction.timeout.ms", timeout.as_millis().to_string())
        // A connection that closes is told to the log and to nobody else: see `Context::log`.
        .set_log_level(RDKafkaLogLevel::Info);
    config.create_with_context(Context::default()).map_err(|error| bad_config(options, &error))
}

/// The client did not like its settings. Its message may hold values, which may be secrets.
fn bad_config(options: &CommonOptions, error: &KafkaError) -> ConnectorError {
    let (option, reason) = match error {
        KafkaError::ClientConfig(_, reason, name, _) => {
            (Some(format!("properties.{name}")), reason.clone())
        }
        KafkaError::ClientCreation(reason) => (None, reason.clone()),
        other => (None, other.to_string()),
    };
    let reason = options.properties.redact(&reason);
    let message = match &option {
        Some(option) => format!("option '{option}': {reason}"),
        None => format!("the Kafka client refuses its settings: {reason}"),
    };
    ConnectorError::Options { message, option, hint: None }
}

/// Asks until there is an answer, an error that trying again does not mend, or [`PATIENCE`] is
/// over. `poll` serves the client's events, by which it says why.
fn ask(
    options: &CommonOptions,
    context: &Context,
    mut request: impl FnMut(Duration) -> rdkafka::error::KafkaResult<Metadata>,
    poll: impl Fn(),
) -> Result<Metadata> {
    let start = Instant::now();
    loop {
        let left = PATIENCE.saturating_sub(start.elapsed()).max(Duration::from_millis(100));
        let answer = request(left.min(Duration::from_secs(1)));
        poll();
        match answer {
            Ok(metadata) => return Ok(metadata),
            Err(error) => {
                if start.elapsed() >= PATIENCE || context.hopeless_error().is_some() {
                    return Err(unreachable(options, context, &error));
                }
            }
        }
    }
}

/// Metadata of one topic, or of all.
pub(super) fn consumer_metadata(
    options: &CommonOptions,
    consumer: &BaseConsumer<Context>,
    topic: Option<&str>,
) -> Result<Metadata> {
    let serve = || while consumer.poll(Duration::ZERO).is_some() {};
    ask(options, consumer.context(), |timeout| consumer.fetch_metadata(topic, timeout), serve)
}

/// Partitions of a topic that is written.
pub(super) fn producer_partitions(
    options: &CommonOptions,
    producer: &BaseProducer<Context>,
    topic: &str,
) -> Result<i32> {
    use rdkafka::producer::Producer;
    let client = producer.client();
    let serve = || producer.poll(Duration::ZERO);
    let fetch = |topic| {
        ask(options, client.context(), |timeout| client.fetch_metadata(topic, timeout), serve)
    };
    let metadata = fetch(Some(topic))?;
    match partitions_of(&metadata, topic) {
        Some(partitions) if !partitions.is_empty() => {
            Ok(i32::try_from(partitions.len()).expect("Kafka counts partitions in 32 bits"))
        }
        _ => Err(missing_topic(options, topic, &fetch(None)?)),
    }
}

/// The topics of a table and their partitions, as they are now.
pub(super) fn partitions(
    options: &CommonOptions,
    consumer: &BaseConsumer<Context>,
) -> Result<BTreeMap<String, Vec<i32>>> {
    let mut found = BTreeMap::new();
    match &options.topics {
        Topics::Names(names) => {
            for name in names {
                let metadata = consumer_metadata(options, consumer, Some(name))?;
                let Some(partitions) = partitions_of(&metadata, name).filter(|ids| !ids.is_empty())
                else {
                    let all = consumer_metadata(options, consumer, None)?;
                    return Err(missing_topic(options, name, &all));
                };
                found.insert(name.clone(), partitions);
            }
        }
        Topics::Pattern(pattern) => {
            let metadata = consumer_metadata(options, consumer, None)?;
            for name in metadata.topics().iter().map(|topic| topic.name()) {
                // Topics of the cluster itself never match, as in the Java client.
                if !name.starts_with("__") && pattern.is_match(name) {
                    let partitions = partitions_of(&metadata, name).unwrap_or_default();
                    found.insert(name.to_owned(), partitions);
                }
            }
        }
    }
    Ok(found)
}

fn partitions_of(metadata: &Metadata, topic: &str) -> Option<Vec<i32>> {
    let topic = metadata.topics().iter().find(|found| found.name() == topic)?;
    if topic.error().is_some() {
        return None;
    }
    let mut ids: Vec<i32> = topic.partitions().iter().map(|partition| partition.id()).collect();
    ids.sort_unstable();
    Some(ids)
}

fn missing_topic(options: &CommonOptions, topic: &str, all: &Metadata) -> ConnectorError {
    if let Some(found) = all.topics().iter().find(|found| found.name() == topic)
        && let Some(error) = found.error()
    {
        let code = RDKafkaErrorCode::from(error);
        if code != RDKafkaErrorCode::UnknownTopicOrPartition {
            return ConnectorError::Unavailable {
                message: format!("topic `{topic}` at {}: {code}", options.servers()),
                hint: hint_for(code),
            };
        }
    }
    let names = all.topics().iter().map(|topic| topic.name());
    let hint = did_you_mean(topic, names.filter(|name| !name.starts_with("__")));
    ConnectorError::Unavailable {
        message: format!("there is no topic `{topic}` at {}", options.servers()),
        hint: Some(hint.unwrap_or_else(|| "create it first; it is not created by itself".into())),
    }
}

/// An error that names the brokers, and what the client says about them.
pub(super) fn unreachable(
    options: &CommonOptions,
    context: &Context,
    error: &KafkaError,
) -> ConnectorError {
    let latest = context.latest_error();
    let code = latest.as_ref().map(|(code, _)| *code).or_else(|| error.rdkafka_error_code());
    let reason = match latest {
        Some((_, reason)) => options.properties.redact(&reason),
        None => code.map_or_else(|| error.to_string(), |code| code.to_string()),
    };
    let rejected = code.is_some_and(|code| {
        matches!(
            code,
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed
        )
    });
    let what = if rejected { "Kafka refuses the login at" } else { "Kafka does not answer at" };
    ConnectorError::Unavailable {
        message: format!("{what} {}: {reason}", options.servers()),
        hint: code.and_then(hint_for).or_else(|| {
            Some("check 'properties.bootstrap.servers' and that the broker is running".to_owned())
        }),
    }
}

/// What to check after an error of this kind.
pub(super) fn hint_for(code: RDKafkaErrorCode) -> Option<String> {
    use RDKafkaErrorCode as Code;
    let hint = match code {
        Code::Authentication | Code::SaslAuthenticationFailed => {
            "check 'properties.sasl.mechanism', 'properties.sasl.username' and \
             'properties.sasl.password'"
        }
        Code::SSL => "check 'properties.security.protocol' and 'properties.ssl.ca.location'",
        Code::Resolve => "check the host names in 'properties.bootstrap.servers'",
        Code::TopicAuthorizationFailed => "the user needs an ACL for the topic",
        Code::GroupAuthorizationFailed => "the user needs an ACL to read the consumer group",
        Code::MessageSizeTooLarge => {
            "raise 'properties.message.max.bytes', and the topic's max.message.bytes with it"
        }
        Code::MessageTimedOut => {
            "the broker did not take the record within 'properties.message.timeout.ms'"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_requests_and_connections_disturb_and_retries_do_not() {
        let context = Context::default();
        let disturbed = |context: &Context| context.disturbed.swap(false, Ordering::Relaxed);
        context.calm_down();
        // What was before is the first count.
        context.stats_raw(br#"{"b1":{"txretries":0,"req_timeouts":1,"disconnects":1}}"#);
        context.stats_raw(br#"{"b1":{"txretries":7,"req_timeouts":1,"disconnects":1}}"#);
        assert!(!context.is_disturbed());
        context.stats_raw(br#"{"b1":{"req_timeouts":1,"disconnects":1},"b2":{"disconnects":2}}"#);
        assert!(disturbed(&context));
        context.stats_raw(br#"{"b1":{"req_timeouts":1,"disconnects":1},"b2":{"disconnects":2}}"#);
        assert!(!disturbed(&context));
        context.stats_raw(br#"{"b1":{"req_timeouts":12,"disconnects":3}}"#);
        assert!(disturbed(&context));
        // The log is the only one to be told of a connection that closes.
        context.log(RDKafkaLogLevel::Info, "FAIL", "1/1: Disconnected (after 5 ms in state UP)");
        assert!(disturbed(&context));
        context.log(RDKafkaLogLevel::Info, "TERM", "bye");
        assert!(!disturbed(&context));
        let refused = "Connect to ipv6#[::1]:9092 failed: refused (after 0 ms in state CONNECT)";
        context.log(RDKafkaLogLevel::Info, "FAIL", refused);
        context.error(KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), refused);
        assert!(!disturbed(&context));
    }
}
