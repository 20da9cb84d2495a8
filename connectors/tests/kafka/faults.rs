//! What librdkafka's own cluster of mock brokers can be made to answer: every error has the class
//! that it deserves, and nothing hangs. (They forget offsets that transactions commit, so a job that
//! starts again there starts anew.)

use arrow::datatypes::DataType::Int64;
use millstream_connectors::{ConnectorError, TableSpec};
use rdkafka::bindings::rd_kafka_resp_err_t as Code;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaApiKey as Api;

use crate::jobs::{Running, numbers, restart_of, start_of};
use crate::tables::table_at;

type Mock = MockCluster<'static, DefaultProducerContext>;

/// A job on a cluster of mock brokers, with its first epoch committed.
struct Trial {
    cluster: Mock,
    table: TableSpec,
    job: Running,
    environment: millstream_connectors::registry::Environment,
}

impl Trial {
    fn new(name: &str, brokers: i32) -> Self {
        let cluster = MockCluster::new(brokers).unwrap();
        cluster.create_topic("out", 2, 1).unwrap();
        let table = table_at(&cluster.bootstrap_servers(), "out", &[("n", Int64)], &[]);
        let environment = start_of(name, "a");
        let mut job = Running::anew(&environment, &[&table]);
        job.epoch(1).unwrap();
        Trial { cluster, table, job, environment }
    }

    /// An epoch with a row, during which requests of a kind are answered like this.
    fn epoch_with(&mut self, api: Api, errors: &[Code]) -> Result<(), ConnectorError> {
        self.cluster.request_errors(api, errors);
        let written = self.job.writers[0].write(&numbers(&self.table, 0..1));
        let result = written.map(drop).and_then(|()| {
            self.job.end_epoch(2);
            self.job.commit(2)
        });
        self.cluster.clear_request_errors(api);
        result
    }

    /// The job as it is after a failure: started again, it goes on.
    fn restart(mut self) {
        let environment = restart_of(&self.environment, "b");
        drop(self.job);
        (self.job, _) = Running::start(&environment, &[&self.table]).unwrap();
        self.job.epoch(10).unwrap();
    }
}

#[test]
fn what_passes_is_tried_again_and_passes() {
    use Code::*;
    let cases: &[(Api, &[Code])] = &[
        (Api::Produce, &[RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION]),
        (Api::AddPartitionsToTxn, &[RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS]),
        (Api::AddPartitionsToTxn, &[RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS]),
        (Api::AddOffsetsToTxn, &[RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE]),
        (Api::TxnOffsetCommit, &[RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS]),
        (Api::TxnOffsetCommit, &[RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT]),
        (Api::EndTxn, &[RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS]),
        (Api::EndTxn, &[RD_KAFKA_RESP_ERR_NOT_COORDINATOR]),
    ];
    for (at, (api, errors)) in cases.iter().enumerate() {
        let mut trial = Trial::new(&format!("passes-{at}"), 1);
        match trial.epoch_with(*api, errors) {
            // Whatever it was, the job goes on.
            Ok(()) => trial.job.epoch(3).unwrap(),
            // A commit that was repeated passes, too, and then the producer is renewed and looks
            // what was committed: which these brokers have forgotten.
            Err(ConnectorError::Refused { message, .. }) => {
                assert!(message.contains("epoch 2 was committed"), "{api:?} {errors:?}: {message}");
                trial.restart();
            }
            Err(error) => panic!("{api:?} {errors:?}: {error}"),
        }
    }
}

#[test]
fn what_ends_an_epoch_lets_the_next_start_go_on() {
    use Code::*;
    let cases: &[(Api, Code)] = &[
        (Api::AddPartitionsToTxn, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE),
        (Api::AddOffsetsToTxn, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING),
        (Api::TxnOffsetCommit, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION),
        (Api::EndTxn, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE),
        (Api::EndTxn, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID),
        // Fenced, and the pointer is ours: the broker had ended a transaction that took too long.
        (Api::EndTxn, RD_KAFKA_RESP_ERR_PRODUCER_FENCED),
        (Api::TxnOffsetCommit, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH),
        (Api::AddPartitionsToTxn, RD_KAFKA_RESP_ERR_PRODUCER_FENCED),
    ];
    for (at, (api, code)) in cases.iter().enumerate() {
        let mut trial = Trial::new(&format!("ends-{at}"), 1);
        let result = trial.epoch_with(*api, &[*code; 3]);
        assert!(
            matches!(result, Err(ConnectorError::Aborted { .. })),
            "{api:?} {code:?}: {result:?}"
        );
        trial.restart();
    }
}

#[test]
fn what_is_not_allowed_says_which_right_is_missing() {
    use Code::*;
    let cases: &[(Api, Code, &str)] = &[
        (
            Api::AddPartitionsToTxn,
            RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            "transactional id",
        ),
        (Api::AddOffsetsToTxn, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "consumer group"),
        (Api::TxnOffsetCommit, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "topic"),
        (Api::EndTxn, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "transactional id"),
    ];
    for (at, (api, code, right)) in cases.iter().enumerate() {
        let mut trial = Trial::new(&format!("rights-{at}"), 1);
        let result = trial.epoch_with(*api, &[*code; 3]);
        let Err(ConnectorError::Refused { message, hint }) = result else {
            panic!("{api:?} {code:?}: {result:?}");
        };
        assert!(hint.as_ref().is_some_and(|hint| hint.contains(right)), "{message} {hint:?}");
    }
}

#[test]
fn fencing_waits_for_a_coordinator_that_is_busy() {
    use Code::*;
    for (at, code) in [
        RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
    ]
    .into_iter()
    .enumerate()
    {
        let trial = Trial::new(&format!("busy-{at}"), 1);
        trial.cluster.request_errors(Api::InitProducerId, &[code, code]);
        trial.restart();
    }
}
