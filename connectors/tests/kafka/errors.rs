//! What users get wrong, and what they are told.

use arrow::datatypes::DataType::{self, Int64};
use millstream_connectors::ConnectorError;

use crate::broker::broker;
use crate::tables::{open, open_sink, read_all, read_rows, table};

const N: &[(&str, DataType)] = &[("n", Int64)];
const READ: [(&str, &str); 2] =
    [("scan.startup.mode", "earliest-offset"), ("scan.bounded.mode", "latest-offset")];

/// Message and hint.
fn told(error: &ConnectorError) -> (String, String) {
    let hint = match error {
        ConnectorError::Options { hint, .. }
        | ConnectorError::Data { hint, .. }
        | ConnectorError::Aborted { hint, .. }
        | ConnectorError::Fenced { hint, .. }
        | ConnectorError::Refused { hint, .. }
        | ConnectorError::Unavailable { hint, .. } => hint.clone(),
        ConnectorError::Io { .. } => None,
    };
    (error.to_string(), hint.unwrap_or_default())
}

#[test]
fn a_bad_record_is_named_by_its_coordinates() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("bad", 2);
    broker.produce_to(&topic, 1, &["{\"n\":1}", "{\"n\":2}", "{\"n\":", "{\"n\":4}"]);
    let error = read_all(&table(broker, &topic, N, &READ)).unwrap_err();
    let (message, hint) = told(&error);
    assert!(message.starts_with(&format!("topic {topic}, partition 1, offset 2: ")), "{message}");
    assert!(hint.contains("'json.ignore-parse-errors' = 'true'"), "{hint}");

    let skip = [READ[0], READ[1], ("json.ignore-parse-errors", "true")];
    let read = read_all(&table(broker, &topic, N, &skip)).unwrap();
    assert_eq!(read[1].rows, ["1", "2", "4"]);
    assert_eq!((read[1].skipped, read[1].next_offset), (1, 4));
}

#[test]
fn a_missing_topic_is_an_error_that_names_a_similar_one() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("payments", 1);
    let misspelled = topic.replace("payments", "paymets");
    let missing = table(broker, &misspelled, N, &READ);
    let source = open(&missing).unwrap();
    for error in
        [source.splits().err().unwrap(), open_sink(&missing).unwrap().writer(0).err().unwrap()]
    {
        let (message, hint) = told(&error);
        assert!(message.contains(&format!("no topic `{misspelled}` at {}", broker.bootstrap)));
        assert!(hint.contains(&topic), "{hint}");
    }
}

#[test]
fn a_broker_that_does_not_answer_is_an_error() {
    let Some(broker) = broker() else { return };
    // Port 1 of the loopback interface: refused at once, again and again.
    let nobody = [("properties.bootstrap.servers", "127.0.0.1:1")];
    let (message, hint) =
        told(&open(&table(broker, "t", N, &[READ[0], nobody[0]])).unwrap().splits().err().unwrap());
    assert!(message.contains("does not answer at 127.0.0.1:1"), "{message}");
    assert!(message.contains("refused"), "{message}");
    assert!(hint.contains("properties.bootstrap.servers"), "{hint}");
}

#[test]
fn wrong_credentials_are_an_error_without_the_password() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("secured", 1);
    broker.produce_values(&topic, &["{\"n\":1}"]);
    let with_password = |password: &'static str| {
        table(
            broker,
            &topic,
            N,
            &[
                READ[0],
                READ[1],
                ("properties.bootstrap.servers", broker.sasl_bootstrap.as_str()),
                ("properties.security.protocol", "SASL_PLAINTEXT"),
                ("properties.sasl.mechanism", "PLAIN"),
                ("properties.sasl.username", "alice"),
                ("properties.sasl.password", password),
            ],
        )
    };
    assert_eq!(read_rows(&with_password("wonderland")).unwrap(), ["1"]);
    let (message, hint) = told(&read_rows(&with_password("wunderland")).unwrap_err());
    assert!(message.contains("refuses the login"), "{message}");
    assert!(hint.contains("properties.sasl.password"), "{hint}");
    assert!(!message.contains("wunderland") && !hint.contains("wunderland"));
}

#[test]
fn offsets_that_are_gone_are_an_error_and_not_a_gap() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("trimmed", 1);
    broker.produce_values(&topic, &["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
    broker.trim(&topic, 0, 2);
    assert_eq!(read_rows(&table(broker, &topic, N, &READ)).unwrap(), ["3"]);
    let options = [
        ("scan.startup.mode", "specific-offsets"),
        ("scan.startup.specific-offsets", "partition:0,offset:1"),
        READ[1],
    ];
    let (message, hint) = told(&read_rows(&table(broker, &topic, N, &options)).unwrap_err());
    assert!(message.contains(&format!("topic {topic}, partition 0, offset 1: ")), "{message}");
    assert!(hint.contains("earliest-offset"), "{hint}");
}

#[test]
fn wrong_options_are_found_before_anything_is_connected() {
    let Some(broker) = broker() else { return };
    let check = |options: &[(&str, &str)]| {
        let nowhere = ("properties.bootstrap.servers", "127.0.0.1:1");
        let mut all = vec![nowhere, READ[0]];
        all.extend(options);
        told(&open(&table(broker, "t", N, &all)).err().unwrap())
    };
    // Options that are added; what the message and the hint then contain.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (
            &[("properties.plugin.library.paths", "/tmp/x.so")],
            "plugin.library.paths",
            "not allowed",
        ),
        (&[("properties.sasl.jaas.config", "x")], "jaas", "properties.sasl.username"),
        (&[("properties.fetch.min.byte", "1")], "fetch.min.byte", "fetch.min.bytes"),
        (&[("topic-pattern", "a.*")], "topic-pattern", ""),
        (&[("topic", ""), ("topic-pattern", "a(")], "topic-pattern", ""),
        (&[("topic", "")], "topic", "WITH"),
        (&[("scan.startup.mode", "latest")], "latest", "latest-offset"),
        (&[("scan.startup.mode", "group-offsets")], "consumer group", "properties.group.id"),
        (&[("scan.startup.mode", "timestamp")], "scan.startup.timestamp-millis", ""),
        (&[("scan.startup.timestamp-millis", "5")], "no effect", "'timestamp'"),
        (
            &[("scan.bounded.mode", "specific-offsets"), ("scan.bounded.specific-offsets", "0:42")],
            "0:42",
            "partition:0,offset:42",
        ),
        (&[("key.fields", "n")], "key.format", ""),
        (&[("key.fields", "m"), ("key.format", "raw")], "`m`", ""),
        (&[("key.fields", "n"), ("key.format", "raw"), ("key.fields-prefix", "k_")], "prefix", ""),
    ];
    for (options, in_message, in_hint) in cases {
        let (message, hint) = check(options);
        assert!(message.contains(in_message), "{options:?}: {message}");
        assert!(hint.contains(in_hint), "{options:?}: {hint}");
    }
    let exactly_once = table(broker, "t", N, &[("sink.delivery-guarantee", "exactly-once")]);
    let (message, hint) = told(&open_sink(&exactly_once).err().unwrap());
    assert!(message.contains("needs epochs"), "{message}");
    assert!(hint.contains("at-least-once"), "{hint}");
}

#[test]
fn names_of_other_engines_lead_to_ours() {
    let Some(broker) = broker() else { return };
    for (alias, name) in [
        ("bootstrap_servers", "properties.bootstrap.servers"),
        ("source.offset", "scan.startup.mode"),
        ("sink.commit_mode", "sink.delivery-guarantee"),
    ] {
        let error = open(&table(broker, "t", N, &[READ[0], (alias, "x")])).err().unwrap();
        let (message, hint) = told(&error);
        assert!(message.contains(alias), "{message}");
        assert!(hint.contains(name), "{alias}: {hint}");
    }
}
