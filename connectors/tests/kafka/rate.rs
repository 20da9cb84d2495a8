//! How fast a topic is read. Not a test: it asserts nothing about time.
//!
//! `cargo test --release -p millstream-connectors --test kafka consume_rate -- --ignored --nocapture`

use std::time::{Duration, Instant};

use arrow::datatypes::DataType::Int64;
use millstream_connectors::Polled;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::broker::broker;
use crate::tables::{open, table};

const RECORDS: usize = 1_000_000;

#[test]
#[ignore = "prints figures; run it by hand"]
fn consume_rate() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("rate", 1);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &broker.bootstrap)
        .set("queue.buffering.max.messages", "2000000")
        .create()
        .unwrap();
    let filler = "x".repeat(143);
    let mut bytes = 0;
    for n in 0..RECORDS {
        let value = format!(
            "{{\"auction\":{},\"bidder\":{},\"price\":{n},\"channel\":\"Google\",\"url\":\"{filler}\"}}",
            1000 + n % 1000,
            2000 + n % 7919,
        );
        bytes += value.len();
        producer.send(BaseRecord::<(), _>::to(&topic).payload(&value)).map_err(|e| e.0).unwrap();
    }
    producer.flush(Duration::from_secs(120)).unwrap();
    eprintln!("{RECORDS} records of {} bytes", bytes / RECORDS);
    for _ in 0..3 {
        report("bare BaseConsumer::poll, default settings", || {
            poll_loop(&broker.bootstrap, &topic, &[])
        });
        report("bare BaseConsumer::poll, our settings", || {
            poll_loop(
                &broker.bootstrap,
                &topic,
                &[("fetch.queue.backoff.ms", "5"), ("check.crcs", "true")],
            )
        });
        report("our reader, decoding 2 columns", || {
            let options =
                [("scan.startup.mode", "earliest-offset"), ("scan.bounded.mode", "latest-offset")];
            let table = table(broker, &topic, &[("auction", Int64), ("price", Int64)], &options);
            let source = open(&table).unwrap();
            let mut reader = source.reader(source.splits().unwrap()).unwrap();
            let mut rows = 0;
            loop {
                match reader.poll(Duration::from_millis(100)).unwrap() {
                    Polled::Rows(batch) => rows += batch.batch.num_rows(),
                    Polled::Finished { .. } => return rows,
                    Polled::Nothing => {}
                }
            }
        });
    }
}

fn poll_loop(bootstrap: &str, topic: &str, settings: &[(&str, &str)]) -> usize {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", "rate");
    for (name, value) in settings {
        config.set(*name, *value);
    }
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let (mut records, mut bytes) = (0, 0);
    while records < RECORDS {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            records += 1;
            bytes += message.payload().map_or(0, <[u8]>::len);
        }
    }
    std::hint::black_box(bytes);
    records
}

/// Prints wall time, and the CPU time of this thread and of this process.
fn report(what: &str, work: impl FnOnce() -> usize) {
    let (start, thread, process) =
        (Instant::now(), cpu("/proc/thread-self/stat"), cpu("/proc/self/stat"));
    let records = work();
    let wall = start.elapsed().as_secs_f64();
    let per_record = |seconds: f64| seconds * 1e9 / records as f64;
    eprintln!(
        "{what}: {:.2} M records/s, CPU {:.0} ns a record on this thread, {:.0} ns in all",
        records as f64 / wall / 1e6,
        per_record(cpu("/proc/thread-self/stat") - thread),
        per_record(cpu("/proc/self/stat") - process),
    );
}

/// User and system time in seconds, out of a `stat` file (100 ticks a second).
fn cpu(path: &str) -> f64 {
    let stat = std::fs::read_to_string(path).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
