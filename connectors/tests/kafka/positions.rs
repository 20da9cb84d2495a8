//! Positions of sources: in the transaction that they belong to, and nobody else's business.

use arrow::datatypes::DataType::{self, Int64};
use millstream_connectors::registry::{self, Environment};
use millstream_connectors::{ConnectorError, OffsetHome, Position, Source, TableSpec};
use rdkafka::Offset;

use crate::broker::{Broker, broker};
use crate::jobs::{READ, Running, commit, committed, numbers, start_of};
use crate::tables::table;

const N: &[(&str, DataType)] = &[("n", Int64)];

/// A table to read, as `group`; one to write; and a job that does.
struct Trial {
    from: String,
    group: String,
    read: TableSpec,
    written: TableSpec,
    environment: Environment,
}

impl Trial {
    fn new(broker: &Broker, name: &str, partitions: i32, options: &[(&str, &str)]) -> Self {
        let from = broker.topic(&format!("{name}-in"), partitions);
        let to = broker.topic(&format!("{name}-out"), 1);
        let group = format!("g-{from}");
        let mut all = vec![("properties.group.id", group.as_str()), READ[0]];
        all.extend(options);
        let read = table(broker, &from, N, &all);
        let written = table(broker, &to, N, &READ);
        let environment = start_of(&to, "a");
        Trial { read, written, environment, from, group }
    }

    fn source(&self) -> Box<dyn Source> {
        registry::open_source(&self.read, &self.environment).unwrap()
    }

    fn at(&self, home: Option<OffsetHome>, offsets: &[u64]) -> Vec<Position> {
        let position = |(partition, offset): (usize, &u64)| Position {
            source: "t".into(),
            home: home.clone(),
            split: format!("{}/{partition}", self.from),
            next_offset: *offset,
        };
        offsets.iter().enumerate().map(position).collect()
    }
}

#[test]
fn positions_are_committed_with_their_epoch() {
    let Some(broker) = broker() else { return };
    let trial = Trial::new(broker, "with", 2, &[]);
    let home = trial.source().offset_home();
    let mut job = Running::anew(&trial.environment, &[&trial.written]);
    let offset = |partition| broker.committed(&trial.group, &trial.from, partition);
    job.writers[0].write(&numbers(&trial.written, 0..2)).unwrap();
    job.end_epoch(1);
    assert_eq!(offset(0), Offset::Invalid, "not before the epoch");
    job.committer.commit(&commit(1, &trial.at(home.clone(), &[7, 0]))).unwrap();
    assert_eq!((offset(0), offset(1)), (Offset::Offset(7), Offset::Offset(0)));
    // An epoch that only moved on, without any output.
    job.end_epoch(2);
    job.committer.commit(&commit(2, &trial.at(home, &[8, 3]))).unwrap();
    assert_eq!((offset(0), offset(1)), (Offset::Offset(8), Offset::Offset(3)));
}

#[test]
fn a_genesis_pins_where_reading_starts() {
    let Some(broker) = broker() else { return };
    let trial = Trial::new(broker, "genesis", 1, &[]);
    let positions = trial.at(trial.source().offset_home(), &[5]);
    let (mut job, found) = Running::start(&trial.environment, &[&trial.written]).unwrap();
    assert_eq!(found, None);
    job.committer.commit(&commit(0, &positions)).unwrap();
    assert_eq!(broker.committed(&trial.group, &trial.from, 0), Offset::Offset(5));
    drop(job);
    let (mut job, found) =
        Running::start(&start_of(&job_of(&trial), "b"), &[&trial.written]).unwrap();
    assert_eq!(found, Some(committed(0)));
    job.committer.check_positions(&committed(0), &positions).unwrap();
}

fn job_of(trial: &Trial) -> String {
    trial.environment.job.as_ref().unwrap().name.clone()
}

#[test]
fn positions_that_somebody_moved_stop_the_job() {
    let Some(broker) = broker() else { return };
    let trial = Trial::new(broker, "moved", 2, &[]);
    let positions = trial.at(trial.source().offset_home(), &[7, 9]);
    let mut job = Running::anew(&trial.environment, &[&trial.written]);
    job.end_epoch(1);
    job.committer.commit(&commit(1, &positions)).unwrap();
    drop(job);
    let check = |incarnation: &str, positions: &[Position]| {
        let environment = start_of(&job_of(&trial), incarnation);
        let (mut job, found) = Running::start(&environment, &[&trial.written]).unwrap();
        job.committer.check_positions(&found.unwrap(), positions)
    };
    check("b", &positions).unwrap();
    let told = |error: ConnectorError| {
        let ConnectorError::Refused { message, hint } = error else { panic!("{error:?}") };
        (message, hint.unwrap())
    };
    // Somebody set it back; even to the same offset it is not ours any more.
    for offset in [3, 9] {
        broker.commit(&trial.group, &trial.from, 1, offset);
        let (message, hint) = told(check(&format!("c{offset}"), &positions).unwrap_err());
        assert!(message.contains(&trial.group) && message.contains("partition 1"), "{message}");
        assert!(message.contains("epoch 1 ended at offset 9"), "{message}");
        assert!(hint.contains("--accept-external-offsets"), "{hint}");
    }
    // A group that has nothing any more.
    let mut gone = positions.clone();
    for position in &mut gone {
        position.home.as_mut().unwrap().group = Some(format!("{}-gone", trial.group));
    }
    let (message, hint) = told(check("d", &gone).unwrap_err());
    assert!(message.contains("has no offset any more"), "{message}");
    assert!(hint.contains("7 days"), "{hint}");
}

#[test]
fn a_pointer_that_is_not_ours_stops_the_job() {
    let Some(broker) = broker() else { return };
    let trial = Trial::new(broker, "foreign", 1, &[]);
    let job = job_of(&trial);
    drop(Running::anew(&trial.environment, &[&trial.written]));
    broker.commit(&format!("millstream.{job}"), &job, 0, 3);
    let error = Running::start(&start_of(&job, "b"), &[&trial.written]).err().unwrap();
    let ConnectorError::Refused { message, hint } = error else { panic!("{error:?}") };
    assert!(message.contains(&format!("millstream.{job}")), "{message}");
    assert!(hint.unwrap().contains("--fresh"));
}

#[test]
fn positions_on_another_cluster_are_shown_there() {
    let Some(broker) = broker() else { return };
    // The same broker by another listener and user: to the job it is another cluster.
    let trial = Trial::new(
        broker,
        "elsewhere",
        1,
        &[
            ("properties.bootstrap.servers", broker.sasl_bootstrap.as_str()),
            ("properties.security.protocol", "SASL_PLAINTEXT"),
            ("properties.sasl.mechanism", "PLAIN"),
            ("properties.sasl.username", "alice"),
            ("properties.sasl.password", "wonderland"),
        ],
    );
    let source = trial.source();
    let positions = trial.at(source.offset_home(), &[4]);
    let mut job = Running::anew(&trial.environment, &[&trial.written]);
    job.end_epoch(1);
    job.committer.commit(&commit(1, &positions)).unwrap();
    let offset = || broker.committed(&trial.group, &trial.from, 0);
    assert_eq!(offset(), Offset::Invalid, "it is not in the transaction");
    job.committer.check_positions(&committed(1), &positions).unwrap();
    // It is shown without waiting for it.
    for _ in 0..300 {
        source.show_positions(&positions);
        if offset() == Offset::Offset(4) {
            return;
        }
    }
    panic!("the offset was not shown");
}

#[test]
fn a_reader_in_a_job_with_epochs_leaves_the_group_alone() {
    let Some(broker) = broker() else { return };
    let trial = Trial::new(broker, "alone", 1, &[READ[1]]);
    broker.produce_values(&trial.from, &["{\"n\":1}", "{\"n\":2}"]);
    let source = trial.source();
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    let read = crate::tables::poll_until(reader.as_mut(), 1, |read| read[0].finished).unwrap();
    assert_eq!(read[0].rows, ["1", "2"]);
    drop(reader);
    assert_eq!(broker.committed(&trial.group, &trial.from, 0), Offset::Invalid);
}
