//! Writing.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int64Array, MapBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMillisecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType::{Int32, Int64, Utf8};
use millstream_connectors::TableSpec;
use millstream_operators::Batch;

use crate::broker::broker;
use crate::tables::{headers, open_sink, read_all, table, timestamp_ltz, with_metadata, write};

const READ: [(&str, &str); 2] =
    [("scan.startup.mode", "earliest-offset"), ("scan.bounded.mode", "latest-offset")];

fn batch(table: &TableSpec, columns: Vec<ArrayRef>) -> Batch {
    Batch::inserts(RecordBatch::try_new(table.schema.clone(), columns).unwrap())
}

fn numbers(table: &TableSpec, range: std::ops::Range<i64>) -> Batch {
    batch(table, vec![Arc::new(Int64Array::from_iter_values(range))])
}

#[test]
fn keys_headers_and_timestamps_make_the_round_trip() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("round", 1);
    let options = [
        ("key.format", "raw"),
        ("key.fields", "id"),
        ("value.fields-include", "EXCEPT_KEY"),
        READ[0],
        READ[1],
    ];
    let columns = [("id", Utf8), ("n", Int64)];
    let table = with_metadata(
        table(broker, &topic, &columns, &options),
        &[("timestamp", timestamp_ltz()), ("headers", headers())],
    );
    let mut maps = MapBuilder::new(None, StringBuilder::new(), BinaryBuilder::new());
    maps.keys().append_value("trace");
    maps.values().append_value(b"\x01\xff");
    maps.append(true).unwrap();
    maps.append(true).unwrap();
    let times = TimestampMillisecondArray::from(vec![Some(1_700_000_000_123), Some(5)]);
    let rows = batch(
        &table,
        vec![
            Arc::new(StringArray::from(vec![Some("k1"), None])),
            Arc::new(Int64Array::from(vec![1, 2])),
            Arc::new(times.with_timezone("Europe/Berlin")),
            cast(&maps.finish(), &headers()).unwrap(),
        ],
    );
    write(&table, &rows).unwrap();
    assert_eq!(
        read_all(&table).unwrap()[0].rows,
        [
            "k1|1|2023-11-14T23:13:20.123+01:00|{trace: 01ff}",
            "null|2|1970-01-01T01:00:00.005+01:00|{}",
        ]
    );
    // The key is not in the value.
    let options = [("format", "raw"), READ[0], READ[1]];
    let values = crate::tables::table(broker, &topic, &[("value", Utf8)], &options);
    assert_eq!(read_all(&values).unwrap()[0].rows, ["{\"n\":1}", "{\"n\":2}"]);
}

#[test]
fn a_flush_makes_rows_visible() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("flush", 1);
    let table = table(broker, &topic, &[("n", Int64)], &READ);
    let mut writer = open_sink(&table).unwrap().writer(0).unwrap();
    assert_eq!(writer.write(&numbers(&table, 0..3)).unwrap(), 3 * "{\"n\":0}".len() as u64);
    writer.flush().unwrap();
    assert_eq!(read_all(&table).unwrap()[0].rows, ["0", "1", "2"]);
    // More rows than the producer's queue holds: the writer waits, and loses none.
    writer.write(&numbers(&table, 3..250_000)).unwrap();
    writer.finish().unwrap();
    let all = read_all(&table).unwrap();
    assert_eq!(all[0].rows.len(), 250_000);
    assert!(all[0].rows.iter().enumerate().all(|(at, n)| *n == at.to_string()), "order is kept");
}

#[test]
fn partitioners_choose_partitions() {
    let Some(broker) = broker() else { return };
    let counts = |options: &[(&str, &str)], subtask: usize| {
        let topic = broker.topic("partitioned", 3);
        let mut all = READ.to_vec();
        all.extend(options);
        let table = table(broker, &topic, &[("n", Int64)], &all);
        let mut writer = open_sink(&table).unwrap().writer(subtask).unwrap();
        writer.write(&numbers(&table, 0..6)).unwrap();
        writer.finish().unwrap();
        read_all(&table).unwrap().iter().map(|split| split.rows.len()).collect::<Vec<_>>()
    };
    assert_eq!(counts(&[("sink.partitioner", "round-robin")], 1), [2, 2, 2]);
    assert_eq!(counts(&[("sink.partitioner", "fixed")], 1), [0, 6, 0]);
    assert_eq!(counts(&[("sink.partitioner", "fixed")], 3), [6, 0, 0]);
    // Where the Java client's hash (murmur2) puts the keys "0" … "5".
    let by_key = [("key.format", "csv"), ("key.fields", "n")];
    let found = counts(&by_key, 0);
    assert_eq!(found.iter().sum::<usize>(), 6);
    assert_eq!(found, java_partitions(6, 3));
}

/// Counts by partition of the decimal keys below `keys`, as Java's DefaultPartitioner has them.
fn java_partitions(keys: i64, partitions: u32) -> Vec<usize> {
    let mut counts = vec![0; partitions as usize];
    for key in 0..keys {
        let hash = murmur2(key.to_string().as_bytes()) & 0x7fff_ffff;
        counts[(hash % partitions) as usize] += 1;
    }
    counts
}

fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ u32::try_from(data.len()).unwrap();
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes(chunk.try_into().unwrap()).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    for (at, byte) in rest.iter().enumerate().rev() {
        hash ^= u32::from(*byte) << (8 * at);
        if at == 0 {
            hash = hash.wrapping_mul(M);
        }
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[test]
fn a_record_that_the_broker_refuses_is_an_error() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("refused", 1);
    // The client lets it pass, the topic does not: the error comes with the delivery report.
    let options = [("properties.message.max.bytes", "4000000")];
    let table = table(broker, &topic, &[("s", Utf8)], &options);
    let long = "x".repeat(3_000_000);
    let rows = batch(&table, vec![Arc::new(StringArray::from(vec![long.as_str()]))]);
    let error = write(&table, &rows).unwrap_err().to_string();
    assert!(error.contains(&topic), "{error}");
    // The client itself refuses what is larger than its own limit.
    let table = crate::tables::table(broker, &topic, &[("s", Utf8)], &[]);
    let rows = batch(&table, vec![Arc::new(StringArray::from(vec![long.as_str()]))]);
    let error = write(&table, &rows).unwrap_err().to_string();
    assert!(error.contains("3000008 bytes is too large"), "{error}");
}

#[test]
fn read_only_metadata_cannot_be_written() {
    let Some(broker) = broker() else { return };
    let table = table(broker, "any", &[("n", Int64)], &[]);
    let table = with_metadata(table, &[("partition", Int32)]);
    let error = open_sink(&table).err().unwrap().to_string();
    assert!(error.contains("`partition` is read-only"), "{error}");
}

#[test]
fn a_timestamp_that_kafka_cannot_hold_is_an_error() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("epoch", 1);
    let table = table(broker, &topic, &[("n", Int64)], &[]);
    let table = with_metadata(table, &[("timestamp", timestamp_ltz())]);
    let times = TimestampMillisecondArray::from(vec![0]).with_timezone("Europe/Berlin");
    let rows = batch(&table, vec![Arc::new(Int64Array::from(vec![1])), Arc::new(times)]);
    let error = write(&table, &rows).unwrap_err().to_string();
    assert!(error.contains("1970"), "{error}");
}
