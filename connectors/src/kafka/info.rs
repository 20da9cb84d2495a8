//! The options and metadata columns of the connector, as data.

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use crate::options::OptionKind::{Bool, Duration, Integer, OneOf, Text};
use crate::options::{OptionInfo, option};

/// Every option but those of formats.
pub(super) const OPTIONS: &[OptionInfo] = &[
    option("topic", Text, None, "Topic to read or write; for reading also several: `a;b`."),
    option(
        "topic-pattern",
        Text,
        None,
        "Regular expression that the whole names of the topics to read match, instead of `topic`.",
    ),
    OptionInfo {
        name: "properties.bootstrap.servers",
        kind: Text,
        default: None,
        required: true,
        description: "Brokers to ask first, as `host:port,host:port`.",
    },
    option(
        "properties.group.id",
        Text,
        None,
        "Consumer group whose offsets `group-offsets` starts from, and to which offsets are \
         committed, with every epoch where the job has them; partitions are assigned without it.",
    ),
    option(
        "properties.*",
        Text,
        None,
        "Setting of the Kafka client by librdkafka's or Java's name, out of a list of those that \
         are safe, such as `properties.security.protocol` or `properties.compression.type`.",
    ),
    option("value.format", Text, None, "Format of the records; another name of `format`."),
    option("key.format", Text, None, "Format of the records' keys: `raw`, `json` or `csv`."),
    option("key.fields", Text, None, "Columns that are in the key: `a;b`."),
    option(
        "key.fields-prefix",
        Text,
        Some(""),
        "What the names of key columns start with in the table but not in the key; needs \
         `value.fields-include` = `EXCEPT_KEY`.",
    ),
    option(
        "value.fields-include",
        OneOf(&["ALL", "EXCEPT_KEY"]),
        Some("ALL"),
        "Whether key columns are in the value too.",
    ),
    option(
        "scan.startup.mode",
        OneOf(STARTUP_MODES),
        Some("group-offsets"),
        "Where reading starts. Partitions that appear later are read from their oldest record.",
    ),
    option(
        "scan.startup.specific-offsets",
        Text,
        None,
        "Offset to start at for each partition: `partition:0,offset:42;partition:1,offset:300`.",
    ),
    option(
        "scan.startup.timestamp-millis",
        Integer,
        None,
        "Start at the first record with at least this timestamp, in milliseconds since 1970.",
    ),
    option(
        "scan.bounded.mode",
        OneOf(BOUNDED_MODES),
        Some("unbounded"),
        "Where reading ends; the end is looked up once, at the start.",
    ),
    option(
        "scan.bounded.specific-offsets",
        Text,
        None,
        "Offset to end before for each partition: `partition:0,offset:42;partition:1,offset:300`.",
    ),
    option(
        "scan.bounded.timestamp-millis",
        Integer,
        None,
        "End before the first record with at least this timestamp, in milliseconds since 1970.",
    ),
    option(
        "scan.topic-partition-discovery.interval",
        Duration,
        Some("5 min"),
        "How often to look for new partitions and topics; `0` never does.",
    ),
    option(
        "sink.partitioner",
        OneOf(&["default", "fixed", "round-robin"]),
        Some("default"),
        "Which partition a row goes to: by its key as in the Java client (any partition without a \
         key), one partition for each subtask, or each partition in turn.",
    ),
    option(
        "sink.delivery-guarantee",
        OneOf(&["none", "at-least-once", "exactly-once"]),
        Some("exactly-once"),
        "`exactly-once` writes each epoch in a transaction, for readers with `isolation.level` = \
         `read_committed`; `at-least-once` waits until the broker has what was written; `none` does \
         so at the end only. In a job without epochs the default is `at-least-once`.",
    ),
    option(
        "sink.transactional-id-prefix",
        Text,
        Some("millstream"),
        "What the transactional id starts with; the job's name follows after a dot.",
    ),
    option(
        "sink.audit-headers",
        Bool,
        Some("false"),
        "Adds the headers `millstream-epoch` and `millstream-seq` to records: the epoch, and \
         `writer/number`, where numbers start at 0 with every epoch of a writer and have no gaps.",
    ),
];

/// Words of `scan.startup.mode`.
const STARTUP_MODES: &[&str] =
    &["earliest-offset", "latest-offset", "group-offsets", "timestamp", "specific-offsets"];

/// Words of `scan.bounded.mode`.
const BOUNDED_MODES: &[&str] =
    &["unbounded", "latest-offset", "group-offsets", "timestamp", "specific-offsets"];

/// Names that users of Arroyo know, and ours.
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("bootstrap_servers", "properties.bootstrap.servers"),
    ("source.offset", "scan.startup.mode"),
    ("source.read_mode", "properties.isolation.level"),
    ("source.group_id", "properties.group.id"),
    ("sink.commit_mode", "sink.delivery-guarantee"),
    ("sink.timestamp_field", "a column with METADATA FROM 'timestamp'"),
    ("sink.key_field", "key.fields"),
    ("auth.type", "properties.security.protocol"),
    ("auth.protocol", "properties.security.protocol"),
    ("auth.mechanism", "properties.sasl.mechanism"),
    ("auth.username", "properties.sasl.username"),
    ("auth.password", "properties.sasl.password"),
];

/// Metadata columns, with their types for a session in UTC.
pub(super) fn metadata() -> Vec<(&'static str, DataType, &'static str)> {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    vec![
        ("topic", DataType::Utf8, "Topic of the record."),
        ("partition", DataType::Int32, "Partition of the record."),
        ("headers", headers_type(), "Headers of the record; can be written."),
        ("leader-epoch", DataType::Int32, "Leader epoch of the record, if the broker says it."),
        ("offset", DataType::Int64, "Offset of the record in its partition."),
        ("timestamp", time, "Timestamp of the record; can be written."),
        (
            "timestamp-type",
            DataType::Utf8,
            "What the timestamp is: `CreateTime`, `LogAppendTime` or `NoTimestampType`.",
        ),
    ]
}

/// `MAP<STRING NOT NULL, BYTES>`.
pub(super) fn headers_type() -> DataType {
    let entries = Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", DataType::Binary, true),
    ]);
    DataType::Map(Field::new("entries", DataType::Struct(entries), false).into(), false)
}
