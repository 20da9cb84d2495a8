//! Clients of a cluster: their settings, their errors in words, and what is asked at the start.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
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
}

#[derive(Debug, Default)]
struct Reports {
    /// The latest error of the client as a whole, with the client's own words.
    error: Option<(RDKafkaErrorCode, String)>,
    /// An error that trying again does not mend.
    fatal: Option<(RDKafkaErrorCode, String)>,
    /// The first record that did not arrive: why, and its topic.
    delivery: Option<(RDKafkaErrorCode, String)>,
}

impl Context {
    fn reports(&self) -> std::sync::MutexGuard<'_, Reports> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The first failed delivery: why, and the record's topic.
    pub(super) fn failed_delivery(&self) -> Option<(RDKafkaErrorCode, String)> {
        // Deliveries are reported on the thread that polls, which is the one that asks.
        if !self.failed_delivery.load(Ordering::Relaxed) {
            return None;
        }
        self.reports().delivery.clone()
    }

    /// The latest error with the client's words, the hopeless ones first.
    fn latest_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        let reports = self.reports();
        reports.fatal.clone().or_else(|| reports.error.clone())
    }

    /// An error that trying again does not mend, if there was one.
    pub(super) fn hopeless_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.reports().fatal.clone()
    }
}

impl ClientContext for Context {
    /// Nothing is logged: what matters comes as an error, and the rest is noise on a terminal.
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
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

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, record)) = result
            && let Some(code) = error.rdkafka_error_code()
        {
            let mut reports = self.reports();
            if reports.delivery.is_none() {
                reports.delivery = Some((code, record.topic().to_owned()));
            }
            self.failed_delivery.store(true, Ordering::Relaxed);
        }
    }
}

/// What a consumer is set to unless the user says otherwise.
const CONSUMER_DEFAULTS: &[(&str, &str)] = &[
    // A full queue is looked at again after 5 ms; the client's own second caps it at a third.
    ("fetch.queue.backoff.ms", "5"),
    ("fetch.wait.max.ms", "20"),
    ("queued.min.messages", "100000"),
    ("queued.max.messages.kbytes", "65536"),
    ("check.crcs", "true"),
    ("isolation.level", "read_committed"),
    ("socket.keepalive.enable", "true"),
];

/// What a producer is set to unless the user says otherwise.
const PRODUCER_DEFAULTS: &[(&str, &str)] = &[
    ("linger.ms", "5"),
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("message.timeout.ms", "120000"),
    ("socket.keepalive.enable", "true"),
];

fn config(
    options: &CommonOptions,
    side: Side,
    defaults: &'static [(&'static str, &'static str)],
) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("client.id", "millstream").set_log_level(RDKafkaLogLevel::Emerg);
    for (name, value) in defaults.iter().copied().chain(options.properties.of(side)) {
        config.set(name, value);
    }
    config
}

/// A consumer without partitions; `eof` makes it report when a partition has no more for now.
pub(super) fn consumer(options: &CommonOptions, eof: bool) -> Result<BaseConsumer<Context>> {
    let mut config = config(options, Side::Consumer, CONSUMER_DEFAULTS);
    config
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("allow.auto.create.topics", "false")
        // Offsets that are gone must be an error: anything else loses records in silence.
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", if eof { "true" } else { "false" });
    if options.group().is_none() {
        // The client insists on a name, though it joins no group; nothing is committed to it.
        config.set("group.id", "millstream");
    }
    config.create_with_context(Context::default()).map_err(|error| bad_config(options, &error))
}

/// A producer.
pub(super) fn producer(options: &CommonOptions) -> Result<BaseProducer<Context>> {
    let mut config = config(options, Side::Producer, PRODUCER_DEFAULTS);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("allow.auto.create.topics", "false")
        // As in the Java client, so that rows with one key stay in one partition across both.
        .set("partitioner", "murmur2_random")
        // Success is seen by the record leaving the queue; only failures are worth a report.
        .set("delivery.report.only.error", "true");
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
