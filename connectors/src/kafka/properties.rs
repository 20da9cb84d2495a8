//! `properties.*`: which settings of the Kafka client a SQL file may reach, and what they become.
//!
//! The client (librdkafka) has settings that load libraries, run commands or switch checks off;
//! with those, a WITH clause would be code execution. So this is a list of what is allowed, not of
//! what is denied. Names of the Java client, which Flink's users know, are translated where they
//! mean the same, and otherwise answered with the name to use instead. Values never appear in
//! errors: they may be secrets.

use crate::error::{ConnectorError, Result};
use crate::options::did_you_mean;

/// Which clients know a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Consumers and producers.
    Both,
    /// Consumers.
    Consumer,
    /// Producers.
    Producer,
}

/// The `properties.*` of a table, as settings of librdkafka.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties {
    settings: Vec<(&'static str, String, Side)>,
    /// What `group-offsets` does where nothing was committed.
    pub(super) reset: Option<OffsetReset>,
}

/// Java's `auto.offset.reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffsetReset {
    /// Start at the oldest record.
    Earliest,
    /// Start behind the newest record.
    Latest,
}

/// Settings whose values are secrets.
const SECRETS: &[&str] = &[
    "sasl.password",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

use Side::{Both, Consumer, Producer};

/// What may be set, and for which client.
const ALLOWED: &[(&str, Side)] = &[
    ("bootstrap.servers", Both),
    ("client.id", Both),
    ("client.rack", Both),
    ("client.dns.lookup", Both),
    ("message.max.bytes", Both),
    ("message.copy.max.bytes", Both),
    ("receive.message.max.bytes", Both),
    ("metadata.recovery.strategy", Both),
    ("metadata.recovery.rebootstrap.trigger.ms", Both),
    ("metadata.max.age.ms", Both),
    ("topic.metadata.refresh.interval.ms", Both),
    ("topic.metadata.refresh.fast.interval.ms", Both),
    ("topic.metadata.refresh.sparse", Both),
    ("topic.metadata.propagation.max.ms", Both),
    ("socket.timeout.ms", Both),
    ("socket.send.buffer.bytes", Both),
    ("socket.receive.buffer.bytes", Both),
    ("socket.keepalive.enable", Both),
    ("socket.nagle.disable", Both),
    ("socket.max.fails", Both),
    ("socket.connection.setup.timeout.ms", Both),
    ("broker.address.ttl", Both),
    ("broker.address.family", Both),
    ("connections.max.idle.ms", Both),
    ("reconnect.backoff.ms", Both),
    ("reconnect.backoff.max.ms", Both),
    ("retry.backoff.ms", Both),
    ("retry.backoff.max.ms", Both),
    ("enable.metrics.push", Both),
    ("security.protocol", Both),
    ("ssl.cipher.suites", Both),
    ("ssl.curves.list", Both),
    ("ssl.sigalgs.list", Both),
    ("ssl.key.location", Both),
    ("ssl.key.password", Both),
    ("ssl.key.pem", Both),
    ("ssl.certificate.location", Both),
    ("ssl.certificate.pem", Both),
    ("ssl.ca.location", Both),
    ("ssl.ca.pem", Both),
    ("ssl.crl.location", Both),
    ("ssl.keystore.location", Both),
    ("ssl.keystore.password", Both),
    ("https.ca.location", Both),
    ("https.ca.pem", Both),
    ("sasl.mechanism", Both),
    ("sasl.username", Both),
    ("sasl.password", Both),
    ("sasl.oauthbearer.config", Both),
    ("sasl.oauthbearer.method", Both),
    ("sasl.oauthbearer.client.id", Both),
    ("sasl.oauthbearer.client.secret", Both),
    ("sasl.oauthbearer.scope", Both),
    ("sasl.oauthbearer.extensions", Both),
    ("sasl.oauthbearer.token.endpoint.url", Both),
    ("sasl.oauthbearer.grant.type", Both),
    ("sasl.oauthbearer.assertion.algorithm", Both),
    ("sasl.oauthbearer.assertion.private.key.pem", Both),
    ("sasl.oauthbearer.assertion.private.key.passphrase", Both),
    ("sasl.oauthbearer.assertion.claim.aud", Both),
    ("sasl.oauthbearer.assertion.claim.iss", Both),
    ("sasl.oauthbearer.assertion.claim.sub", Both),
    ("group.id", Consumer),
    ("isolation.level", Consumer),
    ("queued.min.messages", Consumer),
    ("queued.max.messages.kbytes", Consumer),
    ("fetch.wait.max.ms", Consumer),
    ("fetch.queue.backoff.ms", Consumer),
    ("fetch.message.max.bytes", Consumer),
    ("fetch.max.bytes", Consumer),
    ("fetch.min.bytes", Consumer),
    ("fetch.error.backoff.ms", Consumer),
    ("check.crcs", Consumer),
    ("linger.ms", Producer),
    ("batch.size", Producer),
    ("batch.num.messages", Producer),
    ("compression.type", Producer),
    ("compression.level", Producer),
    ("max.in.flight.requests.per.connection", Producer),
    ("queue.buffering.max.messages", Producer),
    ("queue.buffering.max.kbytes", Producer),
    ("message.timeout.ms", Producer),
    ("request.timeout.ms", Producer),
    ("transaction.timeout.ms", Producer),
    ("sticky.partitioning.linger.ms", Producer),
];

/// Other names of allowed settings: of the Java client, and librdkafka's own aliases.
const SAME_AS: &[(&str, &str)] = &[
    ("client.id.prefix", "client.id"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("sasl.mechanisms", "sasl.mechanism"),
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
    ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ("socket.connection.setup.timeout.max.ms", "socket.connection.setup.timeout.ms"),
    ("max.request.size", "message.max.bytes"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("compression.codec", "compression.type"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
];

/// Settings that Millstream makes itself; saying the same is fine.
const FIXED: &[(&str, &[&str], &str)] = &[
    ("enable.auto.commit", &["false"], "Millstream commits offsets itself"),
    ("enable.auto.offset.store", &["false"], "Millstream keeps offsets itself"),
    ("allow.auto.create.topics", &["false"], "a misspelled topic must not come into being"),
    ("enable.idempotence", &["true"], "the sink must not duplicate on retry"),
    ("acks", &["all", "-1"], "the sink must not lose what was acknowledged"),
    ("request.required.acks", &["all", "-1"], "the sink must not lose what was acknowledged"),
    ("enable.ssl.certificate.verification", &["true"], "an unverified broker may be anyone"),
    ("ssl.endpoint.identification.algorithm", &["https"], "an unverified broker may be anyone"),
];

/// Settings that cannot be had, with what to do instead.
const INSTEAD: &[(&str, &str)] = &[
    ("key.deserializer", "say how keys are read with 'key.format'"),
    ("value.deserializer", "say how records are read with 'format'"),
    ("key.serializer", "say how keys are written with 'key.format'"),
    ("value.serializer", "say how records are written with 'format'"),
    (
        "sasl.jaas.config",
        "use 'properties.sasl.username' and 'properties.sasl.password' beside 'properties.sasl.mechanism'",
    ),
    ("sasl.login.callback.handler.class", "use 'properties.sasl.oauthbearer.*'"),
    ("sasl.client.callback.handler.class", "use 'properties.sasl.oauthbearer.*'"),
    ("ssl.truststore.location", "use 'properties.ssl.ca.location', a PEM file"),
    ("ssl.truststore.certificates", "use 'properties.ssl.ca.pem'"),
    ("ssl.truststore.password", "use 'properties.ssl.ca.location', a PEM file without a password"),
    ("ssl.truststore.type", "use 'properties.ssl.ca.location', a PEM file"),
    ("ssl.keystore.type", "use 'properties.ssl.keystore.location' with a PKCS#12 file"),
    ("ssl.keystore.key", "use 'properties.ssl.key.pem'"),
    ("ssl.keystore.certificate.chain", "use 'properties.ssl.certificate.pem'"),
    ("partition.discovery.interval.ms", "use 'scan.topic-partition-discovery.interval'"),
    ("partitioner.class", "use 'sink.partitioner'"),
    ("partitioner", "use 'sink.partitioner'"),
    (
        "transactional.id",
        "it is made of 'sink.transactional-id-prefix' and the name of the job ('pipeline.name')",
    ),
    ("max.poll.records", "leave it out: Millstream takes what has arrived"),
    ("max.poll.interval.ms", "leave it out: partitions are assigned without a consumer group"),
    ("session.timeout.ms", "leave it out: partitions are assigned without a consumer group"),
    ("heartbeat.interval.ms", "leave it out: partitions are assigned without a consumer group"),
    (
        "partition.assignment.strategy",
        "leave it out: partitions are assigned without a consumer group",
    ),
    ("group.instance.id", "leave it out: partitions are assigned without a consumer group"),
    ("group.protocol", "leave it out: partitions are assigned without a consumer group"),
    ("auto.commit.interval.ms", "leave it out: Millstream commits offsets itself"),
    ("enable.partition.eof", "leave it out: 'scan.bounded.mode' decides"),
    ("retries", "leave it out: a record is retried until 'properties.message.timeout.ms'"),
    ("buffer.memory", "use 'properties.queue.buffering.max.kbytes'"),
    ("max.block.ms", "leave it out: a full queue holds the job back"),
    ("interceptor.classes", "leave it out: there are no interceptors"),
    ("metric.reporters", "leave it out: `millstream` has metrics of its own"),
    ("plugin.library.paths", "it would load code and is not allowed"),
    ("ssl.engine.location", "it would load code and is not allowed"),
    ("ssl.engine.id", "it would load code and is not allowed"),
    ("ssl.providers", "it would load code and is not allowed"),
    ("sasl.kerberos.kinit.cmd", "it would run a command and is not allowed"),
    ("sasl.kerberos.service.name", "Kerberos is not built in; use SCRAM or OAUTHBEARER"),
    ("enable.sasl.oauthbearer.unsecure.jwt", "tokens without a signature are not allowed"),
    ("debug", "it prints what goes over the wire, secrets among it, and is not allowed"),
];

impl Properties {
    /// Adds `properties.<name>`.
    ///
    /// # Errors
    /// If the setting is unknown, not allowed, or fixed to another value.
    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<()> {
        if name == "auto.offset.reset" {
            return self.set_reset(value);
        }
        if let Some((_, values, reason)) = FIXED.iter().find(|(fixed, ..)| *fixed == name) {
            if values.iter().any(|fixed| fixed.eq_ignore_ascii_case(value)) {
                return Ok(());
            }
            let only = values.join("' or '");
            return Err(refused(name, format!("can only be '{only}': {reason}"), None));
        }
        let canonical =
            SAME_AS.iter().find(|(other, _)| *other == name).map_or(name, |same| same.1);
        if let Some((name, side)) = ALLOWED.iter().find(|(allowed, _)| *allowed == canonical) {
            self.settings.retain(|(other, ..)| other != name);
            self.settings.push((name, normal(name, value), *side));
            return Ok(());
        }
        match INSTEAD.iter().find(|(denied, _)| *denied == name) {
            Some((_, hint)) => {
                Err(refused(name, "cannot be set".to_owned(), Some((*hint).to_owned())))
            }
            None => {
                let names = ALLOWED.iter().map(|(allowed, _)| *allowed);
                let hint = did_you_mean(name, names)
                    .unwrap_or_else(|| "the names are those of librdkafka".to_owned());
                Err(refused(name, "is not a setting of the Kafka client".to_owned(), Some(hint)))
            }
        }
    }

    fn set_reset(&mut self, value: &str) -> Result<()> {
        self.reset = match value {
            "earliest" => Some(OffsetReset::Earliest),
            "latest" => Some(OffsetReset::Latest),
            "none" => None,
            _ => {
                let reason = "can be 'earliest', 'latest' or 'none'".to_owned();
                return Err(refused("auto.offset.reset", reason, None));
            }
        };
        Ok(())
    }

    /// The value of a setting.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(key, ..)| *key == name).map(|(_, value, _)| value.as_str())
    }

    /// The settings that this kind of client knows.
    pub(super) fn of(&self, side: Side) -> impl Iterator<Item = (&'static str, &str)> {
        let known = move |of: Side| of == Side::Both || of == side;
        let settings = self.settings.iter().filter(move |(.., of)| known(*of));
        settings.map(|(name, value, _)| (*name, value.as_str()))
    }

    /// `text` without the values of secrets, should the client have put one in.
    pub(super) fn redact(&self, text: &str) -> String {
        let secrets = self.settings.iter().filter(|(name, ..)| SECRETS.contains(name));
        let mut text = text.to_owned();
        for (_, secret, _) in secrets.filter(|(_, value, _)| !value.is_empty()) {
            text = text.replace(secret.as_str(), "***");
        }
        text
    }

    /// Refuses to send a password in the clear to another machine.
    ///
    /// # Errors
    /// If that is what the settings say.
    pub(super) fn check_safety(&self) -> Result<()> {
        let clear = self.get("security.protocol") == Some("sasl_plaintext");
        let plain = self.get("sasl.mechanism").is_some_and(|name| name == "PLAIN");
        let servers = self.get("bootstrap.servers").unwrap_or_default();
        if clear && plain && !servers.split(',').all(|server| is_loopback(server.trim())) {
            let hint = "use 'SASL_SSL', or a 'SCRAM-SHA-512' mechanism".to_owned();
            let reason = "would send the password in the clear to another machine".to_owned();
            return Err(refused("security.protocol", reason, Some(hint)));
        }
        Ok(())
    }
}

/// Java writes some words in capitals that librdkafka has in small letters, and the reverse.
fn normal(name: &str, value: &str) -> String {
    match name {
        "security.protocol" | "isolation.level" | "compression.type" => value.to_ascii_lowercase(),
        "sasl.mechanism" => value.to_ascii_uppercase(),
        _ => value.to_owned(),
    }
}

fn is_loopback(server: &str) -> bool {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    let host = host.rsplit_once("//").map_or(host, |(_, host)| host);
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn refused(name: &str, reason: String, hint: Option<String>) -> ConnectorError {
    let option = format!("properties.{name}");
    ConnectorError::Options {
        message: format!("option '{option}' {reason}"),
        option: Some(option),
        hint,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hint_of(name: &str, value: &str) -> (String, Option<String>) {
        match Properties::default().add(name, value) {
            Err(ConnectorError::Options { message, hint, option }) => {
                assert_eq!(option, Some(format!("properties.{name}")));
                (message, hint)
            }
            other => panic!("expected an option error, got {other:?}"),
        }
    }

    #[test]
    fn what_runs_code_or_switches_checks_off_is_refused() {
        for name in [
            "plugin.library.paths",
            "ssl.engine.location",
            "ssl.providers",
            "sasl.kerberos.kinit.cmd",
            "debug",
        ] {
            let (message, hint) = hint_of(name, "/tmp/secret-value");
            assert!(hint.is_some_and(|hint| hint.contains("not allowed")), "{name}");
            assert!(!message.contains("secret-value"));
        }
        hint_of("enable.ssl.certificate.verification", "false");
        hint_of("ssl.endpoint.identification.algorithm", "none");
        hint_of("some.new.setting", "1");
    }

    #[test]
    fn javas_names_lead_to_ours() {
        let mut properties = Properties::default();
        properties.add("security.protocol", "SASL_SSL").unwrap();
        properties.add("sasl.mechanism", "scram-sha-512").unwrap();
        properties.add("fetch.max.wait.ms", "20").unwrap();
        properties.add("enable.auto.commit", "false").unwrap();
        properties.add("linger.ms", "1").unwrap();
        assert_eq!(properties.get("security.protocol"), Some("sasl_ssl"));
        assert_eq!(properties.get("sasl.mechanism"), Some("SCRAM-SHA-512"));
        let consumer: Vec<_> = properties.of(Side::Consumer).collect();
        assert!(consumer.contains(&("fetch.wait.max.ms", "20")));
        assert!(!consumer.iter().any(|(name, _)| *name == "linger.ms"));
        assert!(hint_of("sasl.jaas.config", "x").1.unwrap().contains("properties.sasl.username"));
        assert!(hint_of("fetch.wait.maxms", "1").1.unwrap().contains("fetch.wait.max.ms"));
    }

    #[test]
    fn passwords_neither_leak_nor_travel_in_the_clear() {
        let mut properties = Properties::default();
        properties.add("sasl.password", "hunter2").unwrap();
        assert_eq!(properties.redact("bad password hunter2"), "bad password ***");
        properties.add("security.protocol", "SASL_PLAINTEXT").unwrap();
        properties.add("sasl.mechanism", "PLAIN").unwrap();
        properties.add("bootstrap.servers", "localhost:9092,[::1]:9093,127.0.0.1").unwrap();
        properties.check_safety().unwrap();
        properties.add("bootstrap.servers", "localhost:9092,kafka:9092").unwrap();
        assert!(properties.check_safety().is_err());
    }
}
