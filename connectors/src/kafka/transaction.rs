//! Writing exactly once: the transaction that all Kafka sinks of a job share.
//!
//! ```text
//!  Writer ─▶ Lane ──┐                    Decider::commit(n)
//!  Writer ─▶ Lane ──┼─▶ Producer ─▶ T_n  drain · offsets · pointer · commit ─▶ T_{n+1} opens
//!  Writer ─▶ Lane ──┘
//! ```
//!
//! Tables on one cluster, read by one user, belong to one [`Cluster`] with one producer: their rows
//! become visible together, whichever topics they go to. Its transactional id is the job's, the same
//! after every restart, so that a new instance fences an old one wherever that runs.
//!
//! | file | what |
//! |---|---|
//! | [`lane`] | from a writer to the open transaction, or to where it waits for it |
//! | [`producer`] | the client, whose calls all come to an end |
//! | [`failure`] | what an error means for the epoch |
//! | [`pointer`], [`groups`] | what was committed last, and where that is written |
//! | [`decider`] | recovery and commit: the protocol |

mod decider;
mod failure;
mod groups;
mod lane;
mod pointer;
mod producer;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use millstream_state::{Epoch, fault};

use super::client;
use super::options::{CommonOptions, SinkOptions};
use super::properties::Side;
use super::settings::transaction_timeout;
use crate::commit::{Committer, CommitterKey, Job};
use crate::error::{ConnectorError, Result};
use failure::Failure;
use groups::Groups;
use lane::{Entrance, Lane};
use pointer::Pointer;
use producer::Producer;

pub(super) use lane::Outgoing;

/// The transactions of the Kafka sinks of a process: by cluster, and by start of a job.
#[derive(Clone, Default)]
pub struct Transactions {
    known: Arc<Mutex<Known>>,
}

/// A job on a cluster.
type Place = (CommitterKey, String);

#[derive(Default)]
struct Known {
    /// Those in use, by start of the job.
    clusters: BTreeMap<(Place, String), Weak<Cluster>>,
    /// Starts of jobs, in this process, that were once the newest.
    claims: BTreeMap<Place, BTreeSet<String>>,
}

impl fmt::Debug for Transactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transactions").finish_non_exhaustive()
    }
}

impl Transactions {
    /// The cluster of a table that is written exactly once, shared with the job's other tables
    /// there.
    pub(super) fn join(&self, options: &SinkOptions, job: &Job) -> Result<Arc<Cluster>> {
        let place = (options.common.system(), job.name.clone());
        let mut known = self.known();
        known.clusters.retain(|_, cluster| cluster.strong_count() > 0);
        let key = (place, job.incarnation.clone());
        let cluster = match known.clusters.get(&key).and_then(Weak::upgrade) {
            Some(cluster) => {
                cluster.check_agreement(options)?;
                cluster
            }
            None => {
                let cluster = Arc::new(Cluster::new(options, job, self.clone())?);
                known.clusters.insert(key, Arc::downgrade(&cluster));
                cluster
            }
        };
        cluster.state().topics.insert(options.topic.clone());
        Ok(cluster)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cluster that a job writes to exactly once.
pub(super) struct Cluster {
    // PROPERTIES
    key: CommitterKey,
    job: Job,
    options: CommonOptions,
    id_prefix: String,
    /// The transactional id.
    id: String,
    timeout: Duration,
    groups: Groups,
    home: Transactions,

    // STATE
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    topics: BTreeSet<String>,
    lanes: Vec<Arc<Lane>>,
    /// A producer that was not yet used to fence anybody.
    fresh: Option<Arc<Producer>>,
    /// The epoch whose transaction is open, and its producer.
    open: Option<(Epoch, Arc<Producer>)>,
}

impl Cluster {
    fn new(options: &SinkOptions, job: &Job, home: Transactions) -> Result<Self> {
        for (name, what) in [(&job.name, "name"), (&job.incarnation, "incarnation")] {
            if !pointer::is_plain(name) {
                return Err(ConnectorError::Options {
                    message: format!("the job's {what} `{name}` cannot be stored in Kafka"),
                    option: None,
                    hint: Some("use letters, digits, `-`, `_` and `.`".to_owned()),
                });
            }
        }
        let set = options.common.properties.get("transaction.timeout.ms");
        let timeout = match set.map(str::parse) {
            None => transaction_timeout(job.interval_ms),
            Some(Ok(ms)) => Duration::from_millis(ms),
            Some(Err(_)) => {
                let name = "properties.transaction.timeout.ms".to_owned();
                return Err(ConnectorError::Options {
                    message: format!("option '{name}' is not a number of milliseconds"),
                    option: Some(name),
                    hint: None,
                });
            }
        };
        let mut id = format!("{}.{}", options.id_prefix, job.name);
        if fault::mutant("M7") {
            id = format!("{id}.{}", job.incarnation);
        }
        Ok(Cluster {
            key: options.common.system(),
            job: job.clone(),
            options: options.common.clone(),
            id_prefix: options.id_prefix.clone(),
            id,
            timeout,
            groups: Groups::new(options.common.clone()),
            home,
            state: Mutex::default(),
        })
    }

    /// Tables share a client, so they cannot want different ones.
    fn check_agreement(&self, options: &SinkOptions) -> Result<()> {
        let settings = |options: &CommonOptions| -> BTreeMap<&'static str, String> {
            let settings = options.properties.of(Side::Producer);
            settings.map(|(name, value)| (name, value.to_owned())).collect()
        };
        let (ours, theirs) = (settings(&self.options), settings(&options.common));
        let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        let other = names.into_iter().find(|name| ours.get(*name) != theirs.get(*name));
        let option = match other {
            Some(name) => format!("properties.{name}"),
            None if self.id_prefix != options.id_prefix => {
                "sink.transactional-id-prefix".to_owned()
            }
            None => return Ok(()),
        };
        Err(ConnectorError::Options {
            message: format!(
                "topic `{}`: option '{option}' differs from that of another table of this job at \
                 {}; written exactly once, they share a transaction and so a client",
                options.topic,
                self.options.servers()
            ),
            option: Some(option),
            hint: Some("give it the same value in all of them".to_owned()),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What sinks of this cluster are known by.
    pub(super) fn key(&self) -> CommitterKey {
        self.key.clone()
    }

    /// Makes the committer. Any number may be made, and one is used.
    pub(super) fn committer(self: &Arc<Self>) -> Box<dyn Committer> {
        Box::new(decider::Decider::new(self.clone()))
    }

    /// Partitions of a topic; an error if there is no such topic.
    pub(super) fn partitions(&self, topic: &str) -> Result<i32> {
        let mut state = self.state();
        let producer = match (&state.fresh, &state.open) {
            (Some(producer), _) | (None, Some((_, producer))) => producer.clone(),
            (None, None) => {
                let producer = self.new_producer()?;
                state.fresh = Some(producer.clone());
                producer
            }
        };
        drop(state);
        client::producer_partitions(&self.options, producer.client(), topic)
    }

    /// A way into the transaction for a writer.
    pub(super) fn lane(self: &Arc<Self>, topic: &str, audit: bool) -> Result<Inlet> {
        let (lane, open) = {
            let mut state = self.state();
            let lane = Arc::new(Lane::new(topic, state.lanes.len(), audit));
            state.lanes.push(lane.clone());
            (lane, state.open.clone())
        };
        if let Some((epoch, producer)) = open {
            lane.start(epoch);
            lane.open(epoch, &producer).map_err(|failure| self.explain(failure))?;
        }
        Ok(Inlet { lane, cluster: self.clone() })
    }

    fn new_producer(&self) -> Result<Arc<Producer>> {
        Producer::new(&self.options, &self.id, self.timeout).map(Arc::new)
    }

    /// Earlier starts of the job in this process that were once the newest.
    fn ancestors(&self) -> BTreeSet<String> {
        let known = self.home.known();
        known.claims.get(&self.place()).cloned().unwrap_or_default()
    }

    /// This start is the newest, as Kafka knows.
    fn remember_claim(&self) {
        let incarnation = self.job.incarnation.clone();
        self.home.known().claims.entry(self.place()).or_default().insert(incarnation);
    }

    fn place(&self) -> Place {
        (self.key.clone(), self.job.name.clone())
    }

    /// The error in words; asks who owns the transactional id if it is not us.
    fn explain(&self, failure: Failure) -> ConnectorError {
        if !failure.is_fenced() {
            return failure.explain(&self.id, &self.options);
        }
        match self.newest_pointer(false) {
            Ok(Some(pointer)) if pointer.incarnation != self.job.incarnation => {
                self.fenced_by(&pointer)
            }
            // Nobody else: the broker itself ended a transaction that had taken too long.
            Ok(_) => failure.explain(&self.id, &self.options),
            Err(error) => error,
        }
    }

    fn fenced_by(&self, pointer: &Pointer) -> ConnectorError {
        ConnectorError::Fenced {
            message: format!(
                "another instance of job `{}` has taken over at {} (transactional id `{}`, \
                 incarnation {}, epoch {})",
                self.job.name,
                self.options.servers(),
                self.id,
                pointer.incarnation,
                pointer.epoch
            ),
            hint: Some(
                "one of the two is enough; jobs that are different need different names \
                 ('pipeline.name')"
                    .to_owned(),
            ),
        }
    }
}

/// A writer's way into the transaction.
pub(super) struct Inlet {
    lane: Arc<Lane>,
    cluster: Arc<Cluster>,
}

impl Inlet {
    /// For a batch of records, which all belong to one epoch.
    pub(super) fn enter(&self) -> Entry<'_> {
        Entry { cluster: &self.cluster, entrance: self.lane.entrance() }
    }

    pub(super) fn has_room(&self) -> bool {
        self.lane.has_room()
    }

    pub(super) fn end_epoch(&self, epoch: Epoch) {
        self.lane.end_epoch(epoch);
    }

    pub(super) fn finish(&self) {
        self.lane.finish();
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        self.lane.leave();
    }
}

/// Takes the records of a batch.
pub(super) struct Entry<'a> {
    cluster: &'a Cluster,
    entrance: Entrance<'a>,
}

impl Entry<'_> {
    /// Sends a record or holds it back until its transaction is open.
    pub(super) fn put(&mut self, record: Outgoing<'_>) -> Result<()> {
        self.entrance.put(record).map_err(|failure| self.cluster.explain(failure))
    }

    /// An error if a record did not arrive.
    pub(super) fn check(&self) -> Result<()> {
        self.entrance.check().map_err(|failure| self.cluster.explain(failure))
    }
}
