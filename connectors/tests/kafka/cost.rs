//! What an epoch's transaction costs, and what it would cost to replace the producer after each.
//! Not a test: it asserts nothing about time.
//!
//! `cargo test --release -p millstream-connectors --test kafka transaction_cost -- --ignored --nocapture`

use std::time::{Duration, Instant};

use arrow::datatypes::DataType::Int64;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer};

use crate::broker::{Broker, broker};
use crate::jobs::{READ, Running, numbers, start_of};
use crate::tables::table;

const EPOCHS: u64 = 40;

#[test]
#[ignore = "prints figures; run it by hand"]
fn transaction_cost() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("cost", 4);
    let table = table(broker, &topic, &[("n", Int64)], &READ);
    let mut job = Running::anew(&start_of(&topic, "a"), &[&table]);
    for (round, rows) in [(1, 0), (2, 100), (3, 10_000)] {
        let times = (round * 1000..round * 1000 + EPOCHS).map(|epoch| {
            job.writers[0].write(&numbers(&table, 0..rows)).unwrap();
            job.end_epoch(epoch);
            let start = Instant::now();
            job.commit(epoch).unwrap();
            let took = start.elapsed();
            // Epochs follow each other every 100 ms, as they may in a job. Without a pause the
            // broker is still busy with the one before.
            std::thread::sleep(Duration::from_millis(100));
            took
        });
        report(&format!("commit of an epoch of {rows} rows"), times.collect());
    }
    let id = format!("{topic}-strict");
    let times = (0..EPOCHS).map(|_| {
        let start = Instant::now();
        let producer = transactional(broker, &id);
        producer.init_transactions(Duration::from_secs(30)).unwrap();
        start.elapsed()
    });
    report("a new producer: made and initialised", times.collect());
    let times = (0..EPOCHS / 2).map(|_| {
        let producer = transactional(broker, &id);
        producer.client().fetch_metadata(Some(&topic), Duration::from_secs(5)).unwrap();
        // It has all the time it wants to connect.
        std::thread::sleep(Duration::from_millis(700));
        let start = Instant::now();
        producer.init_transactions(Duration::from_secs(30)).unwrap();
        start.elapsed()
    });
    report("a new producer: made and connected before, then initialised", times.collect());
}

fn transactional(broker: &Broker, id: &str) -> BaseProducer {
    ClientConfig::new()
        .set("bootstrap.servers", &broker.bootstrap)
        .set("transactional.id", id)
        .create()
        .unwrap()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    eprintln!("{what}: p50 {:?}, p90 {:?}, max {:?}", at(50), at(90), at(100));
}
