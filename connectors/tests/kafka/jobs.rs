//! A job that writes exactly once, as the engine would drive it.

use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use millstream_connectors::registry::{self, Environment};
use millstream_connectors::{
    Committed, Committer, ConnectorError, EpochCommit, Job, Participation, Position, Sink,
    TableSpec, Writer,
};
use millstream_operators::Batch;
use millstream_state::Epoch;

use crate::tables::environment;

/// Reads a topic to its end.
pub const READ: [(&str, &str); 2] =
    [("scan.startup.mode", "earliest-offset"), ("scan.bounded.mode", "latest-offset")];

/// An environment for a start of a job.
pub fn start_of(name: &str, incarnation: &str) -> Environment {
    let job = Job { name: name.into(), incarnation: incarnation.into(), interval_ms: 1000 };
    Environment { job: Some(job), ..environment() }
}

/// The same process, another start.
pub fn restart_of(environment: &Environment, incarnation: &str) -> Environment {
    let mut environment = environment.clone();
    environment.job.as_mut().unwrap().incarnation = incarnation.into();
    environment
}

/// A start of a job: one writer for each table, and the committer that they share.
pub struct Running {
    pub writers: Vec<Box<dyn Writer>>,
    pub committer: Box<dyn Committer>,
    _sinks: Vec<Box<dyn Sink>>,
}

impl Running {
    /// Opens sinks and writers; nothing is recovered yet.
    pub fn open(environment: &Environment, tables: &[&TableSpec]) -> Result<Self, ConnectorError> {
        let open = |table: &&TableSpec| registry::open_sink(table, environment);
        let sinks = tables.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let writers = sinks.iter().map(|sink| sink.writer(0)).collect::<Result<Vec<_>, _>>()?;
        let mut keys = Vec::new();
        let mut committer = None;
        for sink in &sinks {
            let Participation::Decider { key, committer: made } = sink.participation()? else {
                panic!("it takes part in epochs");
            };
            keys.push(key);
            committer = committer.or(Some(made));
        }
        keys.dedup();
        assert_eq!(keys.len(), 1, "one cluster, one committer");
        Ok(Running { writers, committer: committer.unwrap(), _sinks: sinks })
    }

    /// Opens and recovers.
    pub fn start(
        environment: &Environment,
        tables: &[&TableSpec],
    ) -> Result<(Self, Option<Committed>), ConnectorError> {
        let mut running = Running::open(environment, tables)?;
        let committed = running.committer.recover()?;
        if let Some(committed) = &committed {
            running.committer.check_positions(committed, &[])?;
        }
        Ok((running, committed))
    }

    /// Opens, recovers, and commits the genesis.
    pub fn anew(environment: &Environment, tables: &[&TableSpec]) -> Self {
        let (mut running, committed) = Running::start(environment, tables).unwrap();
        assert_eq!(committed, None);
        running.commit(0).unwrap();
        running
    }

    pub fn end_epoch(&mut self, epoch: u64) {
        for writer in &mut self.writers {
            writer.end_epoch(Epoch(epoch)).unwrap();
        }
    }

    pub fn commit(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        self.committer.commit(&commit(epoch, &[]))
    }

    /// Ends an epoch and commits it.
    pub fn epoch(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        self.end_epoch(epoch);
        self.commit(epoch)
    }
}

/// A commit of this epoch, whose snapshot has the checksum `epoch + 1000`.
pub fn commit(epoch: u64, positions: &[Position]) -> EpochCommit {
    EpochCommit {
        epoch: Epoch(epoch),
        snapshot_crc: crc_of(epoch),
        positions: Arc::from(positions),
        finished: false,
    }
}

pub fn crc_of(epoch: u64) -> u32 {
    u32::try_from(epoch).unwrap() + 1000
}

pub fn committed(epoch: u64) -> Committed {
    Committed { epoch: Epoch(epoch), snapshot_crc: crc_of(epoch), finished: false }
}

/// Rows of a table with one column of numbers.
pub fn numbers(table: &TableSpec, range: std::ops::Range<i64>) -> Batch {
    let column = Arc::new(Int64Array::from_iter_values(range));
    Batch::inserts(RecordBatch::try_new(table.schema.clone(), vec![column]).unwrap())
}

/// `0 … n-1` as text.
pub fn texts(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}
