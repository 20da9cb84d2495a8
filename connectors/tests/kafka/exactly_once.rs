//! Writing exactly once: what readers of committed records see, and when.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::DataType::{self, Int64, Utf8};
use millstream_connectors::registry::{self, Environment};
use millstream_connectors::{ConnectorError, Participation, TableSpec};
use millstream_operators::Batch;
use millstream_state::Epoch;

use crate::broker::broker;
use crate::jobs::{READ, Running, commit, committed, numbers, restart_of, start_of, texts};
use crate::tables::{environment, headers, open_sink, read_all, read_rows, table, with_metadata};

const N: &[(&str, DataType)] = &[("n", Int64)];

#[test]
fn rows_become_visible_with_their_epoch_and_not_before() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("visible", 3);
    let table = table(broker, &topic, N, &READ);
    let rows = || {
        let all = read_all(&table).unwrap();
        let mut rows: Vec<i64> =
            all.iter().flat_map(|split| &split.rows).map(|row| row.parse().unwrap()).collect();
        rows.sort_unstable();
        rows
    };
    let mut job = Running::anew(&start_of(&topic, "a"), &[&table]);
    for epoch in 1..=5 {
        let before: Vec<i64> = (100..i64::try_from(epoch).unwrap() * 100).collect();
        let first = i64::try_from(epoch).unwrap() * 100;
        job.writers[0].write(&numbers(&table, first..first + 100)).unwrap();
        job.writers[0].flush().unwrap();
        job.end_epoch(epoch);
        assert_eq!(rows(), before, "nothing of epoch {epoch} yet");
        job.commit(epoch).unwrap();
        assert_eq!(rows(), (100..first + 100).collect::<Vec<_>>());
    }
}

#[test]
fn what_was_not_committed_never_happened() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("lost", 1);
    let table = table(broker, &topic, N, &READ);
    let first = start_of(&topic, "a");
    let mut job = Running::anew(&first, &[&table]);
    job.writers[0].write(&numbers(&table, 0..3)).unwrap();
    job.epoch(1).unwrap();
    // As after a failure of the job: the epoch is written and even ended, and then dropped.
    job.writers[0].write(&numbers(&table, 3..6)).unwrap();
    job.end_epoch(2);
    drop(job);
    // Readers do not wait for the time-out of what was dropped: it was aborted.
    broker.produce_values(&topic, &["{\"n\":77}"]);
    assert_eq!(read_rows(&table).unwrap(), ["0", "1", "2", "77"]);
    let (mut job, found) = Running::start(&restart_of(&first, "b"), &[&table]).unwrap();
    assert_eq!(found, Some(committed(1)));
    job.writers[0].write(&numbers(&table, 3..6)).unwrap();
    job.epoch(2).unwrap();
    assert_eq!(read_rows(&table).unwrap(), ["0", "1", "2", "77", "3", "4", "5"]);
}

#[test]
fn rows_of_the_next_epoch_wait_for_its_transaction() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("held", 1);
    let table = table(broker, &topic, N, &READ);
    let mut job = Running::anew(&start_of(&topic, "a"), &[&table]);
    job.writers[0].write(&numbers(&table, 0..2)).unwrap();
    job.end_epoch(1);
    job.writers[0].write(&numbers(&table, 2..4)).unwrap();
    job.commit(1).unwrap();
    assert_eq!(read_rows(&table).unwrap(), texts(0..2));
    job.writers[0].write(&numbers(&table, 4..6)).unwrap();
    job.end_epoch(2);
    job.writers[0].write(&numbers(&table, 6..8)).unwrap();
    job.commit(2).unwrap();
    assert_eq!(read_rows(&table).unwrap(), texts(0..6), "in order");
    job.epoch(3).unwrap();
    assert_eq!(read_rows(&table).unwrap(), texts(0..8));
}

#[test]
fn a_job_that_begins_anew_goes_on_counting() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("fresh", 1);
    let table = table(broker, &topic, N, &READ);
    let environment = start_of(&topic, "a");
    let mut job = Running::anew(&environment, &[&table]);
    job.writers[0].write(&numbers(&table, 0..1)).unwrap();
    job.epoch(1).unwrap();
    drop(job);
    // `--fresh`: the state is forgotten, but epochs never go back.
    let (mut job, found) = Running::start(&restart_of(&environment, "b"), &[&table]).unwrap();
    assert_eq!(found, Some(committed(1)));
    job.commit(2).unwrap();
    job.writers[0].write(&numbers(&table, 0..1)).unwrap();
    job.epoch(3).unwrap();
    assert_eq!(read_rows(&table).unwrap(), ["0", "0"]);
    drop(job);
    let (_, found) = Running::start(&restart_of(&environment, "c"), &[&table]).unwrap();
    assert_eq!(found, Some(committed(3)));
}

#[test]
fn a_writer_holds_back_no_more_than_it_may() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("room", 1);
    let table = table(broker, &topic, N, &READ);
    let mut job = Running::anew(&start_of(&topic, "a"), &[&table]);
    assert!(job.writers[0].has_room());
    job.end_epoch(1);
    let mut written = 0;
    while job.writers[0].has_room() {
        job.writers[0].write(&numbers(&table, written..written + 8192)).unwrap();
        written += 8192;
        assert!(written < 1_000_000, "there is no bound");
    }
    job.commit(1).unwrap();
    assert!(job.writers[0].has_room(), "what was held back is on its way");
    job.epoch(2).unwrap();
    assert_eq!(read_rows(&table).unwrap(), texts(0..written));
}

#[test]
fn tables_on_one_cluster_become_visible_together() {
    let Some(broker) = broker() else { return };
    let topics = [broker.topic("both-a", 1), broker.topic("both-b", 1)];
    let tables = topics.each_ref().map(|topic| table(broker, topic, N, &READ));
    let environment = start_of(&topics[0], "a");
    let mut job = Running::anew(&environment, &[&tables[0], &tables[1]]);
    job.writers[0].write(&numbers(&tables[0], 0..2)).unwrap();
    job.writers[1].write(&numbers(&tables[1], 0..3)).unwrap();
    job.end_epoch(1);
    assert!(tables.iter().all(|table| read_rows(table).unwrap().is_empty()));
    job.commit(1).unwrap();
    assert_eq!(read_rows(&tables[0]).unwrap(), texts(0..2));
    assert_eq!(read_rows(&tables[1]).unwrap(), texts(0..3));
    drop(job);
    // A query that writes only one of them goes on where both were.
    let (mut job, found) = Running::start(&restart_of(&environment, "b"), &[&tables[1]]).unwrap();
    assert_eq!(found, Some(committed(1)));
    job.epoch(2).unwrap();
    drop(job);
    let (_, found) =
        Running::start(&restart_of(&environment, "c"), &[&tables[0], &tables[1]]).unwrap();
    assert_eq!(found, Some(committed(2)), "the newest counts");
}

#[test]
fn a_new_instance_fences_the_old_one() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("fence", 1);
    let table = table(broker, &topic, N, &READ);
    let mut old = Running::anew(&start_of(&topic, "old"), &[&table]);
    old.writers[0].write(&numbers(&table, 0..2)).unwrap();
    old.epoch(1).unwrap();
    // A record of the old one is already with the broker when the new one starts.
    old.writers[0].write(&numbers(&table, 90..92)).unwrap();
    let (mut new, found) = Running::start(&start_of(&topic, "new"), &[&table]).unwrap();
    assert_eq!(found, Some(committed(1)));
    old.end_epoch(2);
    let error = old.commit(2).unwrap_err();
    assert!(matches!(error, ConnectorError::Fenced { .. }), "{error:?}");
    assert!(error.to_string().contains("incarnation new"), "{error}");
    new.writers[0].write(&numbers(&table, 2..4)).unwrap();
    new.epoch(2).unwrap();
    assert_eq!(read_rows(&table).unwrap(), texts(0..4));
}

#[test]
fn an_instance_that_cannot_go_on_itself_replaces_nobody() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("unable", 1);
    let table = table(broker, &topic, N, &READ);
    let environment = start_of(&topic, "a1");
    let mut old = Running::anew(&environment, &[&table]);
    // The other one fences, and then finds that it does not have the snapshot.
    let mut other = Running::open(&start_of(&topic, "b1"), &[&table]).unwrap();
    assert_eq!(other.committer.recover().unwrap(), Some(committed(0)));
    drop(other);
    old.end_epoch(1);
    let error = old.commit(1).unwrap_err();
    assert!(matches!(error, ConnectorError::Aborted { .. }), "{error:?}");
    drop(old);
    let (mut old, found) = Running::start(&restart_of(&environment, "a2"), &[&table]).unwrap();
    assert_eq!(found, Some(committed(0)));
    old.epoch(1).unwrap();
}

#[test]
fn an_instance_that_was_replaced_does_not_come_back_by_a_restart() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("zombie", 1);
    let table = table(broker, &topic, N, &READ);
    let environment = start_of(&topic, "a1");
    drop(Running::anew(&environment, &[&table]));
    let (mut new, _) = Running::start(&start_of(&topic, "b1"), &[&table]).unwrap();
    let restarted = Running::start(&restart_of(&environment, "a2"), &[&table]);
    let error = restarted.err().unwrap();
    assert!(matches!(error, ConnectorError::Fenced { .. }), "{error:?}");
    // And it has not disturbed who came after it.
    new.writers[0].write(&numbers(&table, 0..1)).unwrap();
    new.epoch(1).unwrap();
    assert_eq!(read_rows(&table).unwrap(), ["0"]);
}

#[test]
fn the_last_epoch_says_that_the_inputs_had_ended() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("finished", 1);
    let table = table(broker, &topic, N, &READ);
    let environment = start_of(&topic, "a");
    let mut job = Running::anew(&environment, &[&table]);
    job.writers[0].write(&numbers(&table, 0..5)).unwrap();
    job.writers[0].finish().unwrap();
    let mut last = commit(1, &[]);
    last.finished = true;
    job.committer.commit(&last).unwrap();
    assert_eq!(read_rows(&table).unwrap(), texts(0..5));
    drop(job);
    let (_, found) = Running::start(&restart_of(&environment, "b"), &[&table]).unwrap();
    assert!(found.unwrap().finished);
}

#[test]
fn an_epoch_that_a_writer_has_not_ended_is_not_committed() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("early", 1);
    let table = table(broker, &topic, N, &READ);
    let environment = start_of(&topic, "a");
    let mut job = Running::anew(&environment, &[&table]);
    job.writers[0].write(&numbers(&table, 0..1)).unwrap();
    let error = job.commit(1).unwrap_err().to_string();
    assert!(error.contains("before it ended"), "{error}");
    drop(job);
    // Nor is one whose writer went away in the middle.
    let (mut job, _) = Running::start(&restart_of(&environment, "b"), &[&table]).unwrap();
    job.writers.clear();
    let error = job.commit(1).unwrap_err().to_string();
    assert!(error.contains("in the middle"), "{error}");
    drop(job);
    assert!(read_rows(&table).unwrap().is_empty());
}

#[test]
fn audit_headers_say_epoch_and_number() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("audit", 1);
    let mut options = READ.to_vec();
    options.push(("sink.audit-headers", "true"));
    let written = table(broker, &topic, N, &options);
    let mut job = Running::anew(&start_of(&topic, "a"), &[&written]);
    job.writers[0].write(&numbers(&written, 0..2)).unwrap();
    job.end_epoch(1);
    job.writers[0].write(&numbers(&written, 2..3)).unwrap();
    job.commit(1).unwrap();
    job.epoch(2).unwrap();
    let read = with_metadata(table(broker, &topic, N, &READ), &[("headers", headers())]);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let row = |n: i64, epoch: &str, number: &str| {
        format!("{n}|{{millstream-epoch: {}, millstream-seq: {}}}", hex(epoch), hex(number))
    };
    assert_eq!(
        read_rows(&read).unwrap(),
        [row(0, "1", "0/0"), row(1, "1", "0/1"), row(2, "2", "0/0")]
    );
}

#[test]
fn a_record_that_is_too_large_is_an_error_about_the_data() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("large", 1);
    let rows = |table: &TableSpec| {
        let long: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(3_000_000)]));
        Batch::inserts(RecordBatch::try_new(table.schema.clone(), vec![long]).unwrap())
    };
    // The client itself refuses it.
    let small = table(broker, &topic, &[("s", Utf8)], &READ);
    let environment = start_of(&topic, "a");
    let mut job = Running::anew(&environment, &[&small]);
    let error = job.writers[0].write(&rows(&small)).unwrap_err();
    assert!(matches!(error, ConnectorError::Data { .. }), "{error:?}");
    assert!(error.to_string().contains("3000008 bytes is too large"), "{error}");
    drop(job);
    // The topic refuses it: the epoch does not commit without it.
    let mut options = READ.to_vec();
    options.push(("properties.message.max.bytes", "4000000"));
    let large = table(broker, &topic, &[("s", Utf8)], &options);
    let (mut job, _) = Running::start(&restart_of(&environment, "b"), &[&large]).unwrap();
    job.writers[0].write(&rows(&large)).unwrap();
    job.end_epoch(1);
    let error = job.commit(1).unwrap_err();
    assert!(matches!(error, ConnectorError::Data { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("topic `{topic}`, partition 0")), "{error}");
    drop(job);
    assert!(read_rows(&small).unwrap().is_empty());
}

#[test]
fn guarantees_are_given_or_refused() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("guarantee", 1);
    let asking = |guarantee| table(broker, &topic, N, &[("sink.delivery-guarantee", guarantee)]);
    // Without epochs there is no exactly-once; who does not ask for it gets at-least-once.
    let error = open_sink(&asking("exactly-once")).err().unwrap();
    let ConnectorError::Options { message, hint, .. } = error else { panic!("{error:?}") };
    assert!(message.contains("needs epochs"), "{message}");
    let hint = hint.unwrap();
    assert!(hint.contains("execution.checkpointing.interval") && hint.contains("at-least-once"));
    let takes_part = |table: &TableSpec, environment: &Environment| {
        let sink = registry::open_sink(table, environment).unwrap();
        !matches!(sink.participation().unwrap(), Participation::None)
    };
    let plain = table(broker, &topic, N, &[]);
    assert!(!takes_part(&plain, &environment()));
    let epochs = start_of(&topic, "a");
    assert!(takes_part(&plain, &epochs));
    assert!(takes_part(&asking("exactly-once"), &epochs));
    assert!(!takes_part(&asking("none"), &epochs));
    // At least once, an epoch ends when the broker has its rows.
    let once_or_more = asking("at-least-once");
    let sink = registry::open_sink(&once_or_more, &epochs).unwrap();
    let mut writer = sink.writer(0).unwrap();
    writer.write(&numbers(&once_or_more, 0..3)).unwrap();
    writer.end_epoch(Epoch(1)).unwrap();
    assert_eq!(read_rows(&table(broker, &topic, N, &READ)).unwrap(), texts(0..3));
}

#[test]
fn settings_that_would_tear_a_transaction_are_refused() {
    let Some(broker) = broker() else { return };
    let topics = [broker.topic("agree-a", 1), broker.topic("agree-b", 1)];
    let environment = start_of(&topics[0], "a");
    let alone = table(broker, &topics[0], N, &[("properties.socket.timeout.ms", "5000")]);
    let error = registry::open_sink(&alone, &environment).err().unwrap().to_string();
    assert!(error.contains("properties.socket.timeout.ms"), "{error}");
    // Tables that share a client cannot want different ones.
    let one = table(broker, &topics[0], N, &[("properties.linger.ms", "5")]);
    let other = table(broker, &topics[1], N, &[("properties.linger.ms", "50")]);
    let _one = registry::open_sink(&one, &environment).unwrap();
    let error = registry::open_sink(&other, &environment).err().unwrap().to_string();
    assert!(error.contains("properties.linger.ms") && error.contains(&topics[1]), "{error}");
    // A transaction that the broker does not allow is an error at the start.
    let hour = table(broker, &topics[1], N, &[("properties.transaction.timeout.ms", "3600000")]);
    let refused = Running::start(&start_of(&topics[1], "a"), &[&hour]).err().unwrap();
    let ConnectorError::Refused { message, hint } = refused else { panic!("{refused:?}") };
    assert!(hint.unwrap().contains("transaction.max.timeout.ms"), "{message}");
}

#[test]
fn a_producer_that_may_have_left_requests_behind_is_replaced() {
    let Some(broker) = broker() else { return };
    let topic = broker.topic("renewed", 2);
    let table = table(broker, &topic, N, &READ);
    let mut job = Running::anew(&start_of(&topic, "a"), &[&table]);
    fail::cfg("commit.disturbed", "return(a connection broke)").unwrap();
    for epoch in 1..=3 {
        job.writers[0].write(&numbers(&table, 0..10)).unwrap();
        job.end_epoch(epoch);
        // Held back until the new producer has its transaction.
        job.writers[0].write(&numbers(&table, 10..20)).unwrap();
        job.commit(epoch).unwrap();
    }
    fail::remove("commit.disturbed");
    job.epoch(4).unwrap();
    let all = read_all(&table).unwrap();
    assert_eq!(all.iter().map(|split| split.rows.len()).sum::<usize>(), 60);
}
