//! Reading.

use arrow::datatypes::DataType::{Int32, Int64, Utf8};
use millstream_connectors::Polled;
use rdkafka::Offset;

use crate::broker::{Broker, Sent, broker};
use crate::tables::{
    Read, described, headers, open, poll_until, read_all, read_rows, table, timestamp_ltz,
    with_metadata,
};

const N: &[(&str, arrow::datatypes::DataType)] = &[("n", Int64)];
const BOUNDED: (&str, &str) = ("scan.bounded.mode", "latest-offset");
const EARLIEST: (&str, &str) = ("scan.startup.mode", "earliest-offset");

/// `{"n":from}` … `{"n":to-1}` in partition 0, with timestamps of n seconds and 1 ms: to the
/// client, a timestamp of 0 means now.
fn numbers(broker: &Broker, topic: &str, range: std::ops::Range<i64>) {
    let values: Vec<String> = range.clone().map(|n| format!("{{\"n\":{n}}}")).collect();
    let sent: Vec<Sent<'_>> = values
        .iter()
        .zip(range)
        .map(|(value, n)| Sent {
            value: Some(value.as_bytes()),
            timestamp: Some(n * 1000 + 1),
            ..Sent::default()
        })
        .collect();
    broker.produce(topic, &sent);
}

fn expect(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[test]
fn startup_modes_start_where_they_say() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("startup", 1);
    numbers(broker, &topic, 0..10);
    let rows = |options: &[(&str, &str)]| {
        let mut all = vec![BOUNDED];
        all.extend(options);
        read_rows(&table(broker, &topic, N, &all)).unwrap()
    };
    assert_eq!(rows(&[EARLIEST]), expect(0..10));
    assert_eq!(rows(&[("scan.startup.mode", "latest-offset")]), expect(0..0));
    let at = |ms| [("scan.startup.mode", "timestamp"), ("scan.startup.timestamp-millis", ms)];
    assert_eq!(rows(&at("6500")), expect(7..10));
    assert_eq!(rows(&at("99000")), expect(0..0));
    let offsets = ("scan.startup.specific-offsets", "partition:0,offset:4");
    assert_eq!(rows(&[("scan.startup.mode", "specific-offsets"), offsets]), expect(4..10));
}

#[test]
fn latest_sees_what_comes_later() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("latest", 1);
    numbers(broker, &topic, 0..10);
    let table = table(broker, &topic, N, &[("scan.startup.mode", "latest-offset")]);
    let source = open(&table).unwrap();
    let splits = source.splits().unwrap();
    assert_eq!(described(&splits), [format!("{topic}/0@10")]);
    numbers(broker, &topic, 10..12);
    let mut reader = source.reader(splits).unwrap();
    let read = poll_until(reader.as_mut(), 1, |read| read[0].rows.len() == 2).unwrap();
    assert_eq!(read[0].rows, expect(10..12));
    assert_eq!(read[0].next_offset, 12);
    assert_eq!(read[0].lag, Some(0));
}

#[test]
fn a_wait_for_records_can_be_interrupted() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("interrupt", 1);
    let table = table(broker, &topic, N, &[EARLIEST]);
    let source = open(&table).unwrap();
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    let interrupt = reader.interrupt().expect("Kafka's reader can be interrupted");
    let (told, tell) = std::sync::mpsc::channel();
    // Once before the wait, and once somewhere in it: both end it.
    interrupt();
    let waiting = std::thread::spawn(move || {
        for _ in 0..2 {
            while !matches!(reader.poll(std::time::Duration::from_secs(600)), Ok(Polled::Nothing)) {
            }
            told.send(()).expect("somebody listens");
        }
        reader
    });
    tell.recv().expect("the first wait ends");
    interrupt();
    tell.recv().expect("the second wait ends");
    let mut reader = waiting.join().expect("it ends");
    numbers(broker, &topic, 0..3);
    let read = poll_until(reader.as_mut(), 1, |read| read[0].rows.len() == 3).unwrap();
    assert_eq!(read[0].rows, expect(0..3), "an interrupted reader reads on");
}

#[test]
fn a_partition_that_is_held_is_read_on_where_it_was() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("held", 1);
    numbers(broker, &topic, 0..10);
    let table = table(broker, &topic, N, &[EARLIEST]);
    let source = open(&table).unwrap();
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    let read = poll_until(reader.as_mut(), 1, |read| read[0].rows.len() == 10).unwrap();
    assert_eq!(read[0].next_offset, 10);
    reader.hold(0, true).unwrap();
    numbers(broker, &topic, 10..20);
    for _ in 0..20 {
        let polled = reader.poll(std::time::Duration::from_millis(20)).unwrap();
        assert!(matches!(polled, Polled::Nothing), "{polled:?}");
    }
    reader.hold(0, false).unwrap();
    let read = poll_until(reader.as_mut(), 1, |read| read[0].rows.len() == 10).unwrap();
    assert_eq!(read[0].rows, expect(10..20));
}

#[test]
fn group_offsets_go_on_where_the_group_has_committed() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("group", 1);
    let group = format!("g-{topic}");
    numbers(broker, &topic, 0..10);
    let options = [BOUNDED, ("properties.group.id", group.as_str())];
    // Nothing committed: an error, unless Java's option says what then.
    let plain = table(broker, &topic, N, &options);
    let error = read_rows(&plain).unwrap_err();
    assert!(error.to_string().contains(&group), "{error}");
    let mut reset = options.to_vec();
    reset.push(("properties.auto.offset.reset", "earliest"));
    assert_eq!(read_rows(&table(broker, &topic, N, &reset)).unwrap(), expect(0..10));
    // Having read to the end, the reader has committed the end.
    assert_eq!(broker.committed(&group, &topic, 0), Offset::Offset(10));
    numbers(broker, &topic, 10..13);
    assert_eq!(read_rows(&plain).unwrap(), expect(10..13));
}

#[test]
fn bounded_modes_end_where_they_say() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("bounded", 1);
    let group = format!("g-{topic}");
    numbers(broker, &topic, 0..10);
    broker.commit(&group, &topic, 0, 3);
    let rows = |options: &[(&str, &str)]| {
        let mut all = vec![EARLIEST];
        all.extend(options);
        read_rows(&table(broker, &topic, N, &all)).unwrap()
    };
    assert_eq!(rows(&[BOUNDED]), expect(0..10));
    let at = |ms| [("scan.bounded.mode", "timestamp"), ("scan.bounded.timestamp-millis", ms)];
    assert_eq!(rows(&at("6500")), expect(0..7));
    assert_eq!(rows(&at("99000")), expect(0..10));
    let offsets = ("scan.bounded.specific-offsets", "partition:0,offset:4");
    assert_eq!(rows(&[("scan.bounded.mode", "specific-offsets"), offsets]), expect(0..4));
    let group = ("properties.group.id", group.as_str());
    assert_eq!(rows(&[("scan.bounded.mode", "group-offsets"), group]), expect(0..3));
    // An end at or before the start: nothing, at once.
    let offsets = ("scan.bounded.specific-offsets", "partition:0,offset:0");
    assert_eq!(rows(&[("scan.bounded.mode", "specific-offsets"), offsets]), expect(0..0));
}

#[test]
fn aborted_records_are_invisible_and_do_not_keep_a_bounded_job_from_ending() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("aborted", 1);
    let sent = |value: &'static str| Sent { value: Some(value.as_bytes()), ..Sent::default() };
    broker.produce_in_transaction(&topic, &[sent("{\"n\":1}")], true);
    broker.produce_in_transaction(&topic, &[sent("{\"n\":2}"), sent("{\"n\":3}")], false);
    let options = [EARLIEST, BOUNDED];
    assert_eq!(read_rows(&table(broker, &topic, N, &options)).unwrap(), ["1"]);
    let uncommitted = ("properties.isolation.level", "read_uncommitted");
    let options = [EARLIEST, BOUNDED, uncommitted];
    assert_eq!(read_rows(&table(broker, &topic, N, &options)).unwrap(), ["1", "2", "3"]);
}

#[test]
fn two_readers_share_the_partitions() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("shared", 4);
    for partition in 0..4 {
        let values: Vec<String> =
            (0..5).map(|n| format!("{{\"n\":{}}}", partition * 10 + n)).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        broker.produce_to(&topic, partition, &values);
    }
    let source = open(&table(broker, &topic, N, &[EARLIEST, BOUNDED])).unwrap();
    let mut first = source.splits().unwrap();
    assert_eq!(first.len(), 4);
    let second = first.split_off(2);
    for (splits, partitions) in [(first, [0, 1]), (second, [2, 3])] {
        let mut reader = source.reader(splits).unwrap();
        let done = |read: &[Read]| read.iter().all(|split| split.finished);
        let read = poll_until(reader.as_mut(), 2, done).unwrap();
        for (read, partition) in read.iter().zip(partitions) {
            assert_eq!(read.rows, expect(partition * 10..partition * 10 + 5));
            assert_eq!(read.next_offset, 5);
        }
    }
}

#[test]
fn partitions_that_appear_later_are_read_from_their_start() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("discovered", 1);
    numbers(broker, &topic, 0..3);
    let options = [
        ("scan.startup.mode", "latest-offset"),
        ("scan.topic-partition-discovery.interval", "200 ms"),
    ];
    let source = open(&table(broker, &topic, N, &options)).unwrap();
    assert_eq!(source.discovery_interval(), Some(std::time::Duration::from_millis(200)));
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    broker.add_partitions(&topic, 2);
    broker.produce_to(&topic, 1, &["{\"n\":7}"]);
    let splits = source.splits().unwrap();
    assert_eq!(described(&splits), [format!("{topic}/0@3"), format!("{topic}/1@0")]);
    reader.add_splits(splits[1..].to_vec()).unwrap();
    let read = poll_until(reader.as_mut(), 2, |read| !read[1].rows.is_empty()).unwrap();
    assert_eq!((read[0].rows.len(), &read[1].rows), (0, &expect(7..8)));
}

#[test]
fn a_reader_at_next_offset_reads_exactly_the_rest() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("resumed", 1);
    numbers(broker, &topic, 0..20_000);
    let table = table(broker, &topic, N, &[EARLIEST, BOUNDED]);
    let source = open(&table).unwrap();
    let mut splits = source.splits().unwrap();
    let mut reader = source.reader(splits.clone()).unwrap();
    let first = poll_until(reader.as_mut(), 1, |read| !read[0].rows.is_empty()).unwrap();
    assert_eq!(first[0].rows.len() as u64, first[0].next_offset);
    assert!(!first[0].finished, "20,000 rows are more than a batch");
    drop(reader);
    // Another process would know only the split and its offset.
    splits[0].offset = Some(first[0].next_offset);
    let mut reader = open(&table).unwrap().reader(splits).unwrap();
    let rest = poll_until(reader.as_mut(), 1, |read| read[0].finished).unwrap();
    let all: Vec<String> = first[0].rows.iter().chain(&rest[0].rows).cloned().collect();
    assert_eq!(all, expect(0..20_000));
}

#[test]
fn metadata_and_keys_become_columns() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("metadata", 2);
    let sent = |partition, key, value: &'static str, headers| Sent {
        partition,
        key,
        value: Some(value.as_bytes()),
        timestamp: Some(1_700_000_000_123),
        headers,
    };
    let headers_of_first = vec![("a", Some(b"x".as_slice())), ("b", None)];
    broker.produce(
        &topic,
        &[
            sent(1, Some(b"{\"id\":\"k1\"}".as_slice()), "{\"n\":1}", headers_of_first),
            sent(1, None, "{\"n\":2}", vec![]),
        ],
    );
    let options = [
        EARLIEST,
        BOUNDED,
        ("key.format", "json"),
        ("key.fields", "k_id"),
        ("key.fields-prefix", "k_"),
        ("value.fields-include", "EXCEPT_KEY"),
    ];
    let columns = [("k_id", Utf8), ("n", Int64)];
    let metadata = [
        ("topic", Utf8),
        ("partition", Int32),
        ("offset", Int64),
        ("timestamp", timestamp_ltz()),
        ("timestamp-type", Utf8),
        ("leader-epoch", Int32),
        ("headers", headers()),
    ];
    let table = with_metadata(table(broker, &topic, &columns, &options), &metadata);
    let read = read_all(&table).unwrap();
    let time = "2023-11-14T23:13:20.123+01:00|CreateTime|0";
    assert_eq!(
        read[1].rows,
        [
            format!("k1|1|{topic}|1|0|{time}|{{a: 78, b: null}}"),
            format!("null|2|{topic}|1|1|{time}|{{}}"),
        ]
    );
}

#[test]
fn a_timestamp_column_shows_the_wall_clock_of_the_session() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("wall", 1);
    let sent = Sent { value: Some(b"{}"), timestamp: Some(1_700_000_000_123), ..Sent::default() };
    broker.produce(&topic, &[sent]);
    let wall = arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None);
    let table = table(broker, &topic, N, &[EARLIEST, BOUNDED]);
    let table = with_metadata(table, &[("timestamp", wall)]);
    assert_eq!(read_rows(&table).unwrap(), ["null|2023-11-14T23:13:20.123"]);
}

#[test]
fn tombstones_are_no_rows() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("tombstones", 1);
    let value = |value| Sent { key: Some(b"k"), value, ..Sent::default() };
    broker.produce(&topic, &[value(Some(b"{\"n\":1}")), value(None), value(Some(b"{\"n\":2}"))]);
    broker.produce(&topic, &[value(None)]);
    let read = read_all(&table(broker, &topic, N, &[EARLIEST, BOUNDED])).unwrap();
    assert_eq!(read[0].rows, ["1", "2"]);
    assert_eq!((read[0].next_offset, read[0].skipped), (4, 0));
}

#[test]
fn several_topics_and_patterns() {
    let Some(broker) = broker() else { return };
    let (one, two) = (broker.topic("many.one", 1), broker.topic("many.two", 2));
    for topic in [&one, &two] {
        broker.produce_values(topic, &["{\"n\":1}"]);
    }
    let ids = |topic: &str, pattern: &str| {
        let options = [EARLIEST, BOUNDED, ("topic", topic), ("topic-pattern", pattern)];
        let splits = open(&table(broker, topic, N, &options)).unwrap().splits().unwrap();
        splits.into_iter().map(|split| split.id).collect::<Vec<_>>()
    };
    let all = [format!("{one}/0"), format!("{two}/0"), format!("{two}/1")];
    assert_eq!(ids(&format!("{one}; {two}"), ""), all);
    let suffix = format!("-{}-\\d+", std::process::id());
    assert_eq!(ids("", &format!("many\\..*{suffix}")), all);
    // The whole name must match.
    assert_eq!(ids("", "many"), Vec::<String>::new());
}

#[test]
fn large_records_arrive() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("large", 1);
    let long = "x".repeat(990_000);
    let value = format!("{{\"s\":\"{long}\"}}");
    broker.produce_values(&topic, &[&value, "{\"s\":\"short\"}", &value]);
    let rows = read_rows(&table(broker, &topic, &[("s", Utf8)], &[EARLIEST, BOUNDED])).unwrap();
    assert_eq!(rows, [long.as_str(), "short", long.as_str()]);
}
