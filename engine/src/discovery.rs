//! Splits on their way from a source to its subtasks, at the start and whenever new ones appear.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millstream_connectors::{ConnectorError, Source, Split};
use millstream_state::checkpoint::SplitState;

use crate::error::{EngineError, Result};
use crate::waker::{Waker, lock};

/// A split, and how far it was read before the job was started.
#[derive(Clone, Debug)]
pub struct SplitStart {
    /// The split; its offset is where reading begins.
    pub split: Split,
    /// What the snapshot says of it; `None` for a split that is new.
    pub restored: Option<SplitState>,
}

impl From<Split> for SplitStart {
    fn from(split: Split) -> Self {
        SplitStart { split, restored: None }
    }
}

/// Splits that were assigned to a subtask and that it has not taken over yet.
#[derive(Debug)]
pub struct Mailbox {
    splits: Mutex<Vec<SplitStart>>,
    waker: Arc<Waker>,
}

impl Mailbox {
    /// An empty mailbox of the task that `waker` wakes.
    pub fn new(waker: Arc<Waker>) -> Arc<Self> {
        Arc::new(Mailbox { splits: Mutex::default(), waker })
    }

    /// Takes all splits out.
    pub fn take(&self) -> Vec<SplitStart> {
        std::mem::take(&mut lock(&self.splits))
    }

    fn put(&self, split: SplitStart) {
        lock(&self.splits).push(split);
        self.waker.wake();
    }
}

/// Looks for splits of one source and assigns them in turn, so that neighbouring splits (stripes
/// of one file, partitions of one topic) spread evenly and a split never moves.
pub struct Discovery {
    table: String,
    source: Arc<dyn Source>,
    mailboxes: Vec<Arc<Mailbox>>,
    known: BTreeSet<String>,
}

impl Discovery {
    /// A discovery that knows no split yet.
    pub fn new(table: &str, source: Arc<dyn Source>, mailboxes: Vec<Arc<Mailbox>>) -> Self {
        Discovery { table: table.to_owned(), source, mailboxes, known: BTreeSet::new() }
    }

    /// How often to look again; `None` if what the first look finds is final.
    pub fn interval(&self) -> Option<Duration> {
        self.source.discovery_interval()
    }

    /// Assigns the splits that a job begins with.
    pub fn assign(&mut self, splits: Vec<SplitStart>) {
        for start in splits {
            if !self.known.contains(&start.split.id) {
                let subtask = self.known.len() % self.mailboxes.len();
                self.known.insert(start.split.id.clone());
                self.mailboxes[subtask].put(start);
            }
        }
    }

    /// Looks once; assigns splits that were not there before and returns how many.
    ///
    /// # Errors
    /// If the source cannot list its splits.
    pub fn look(&mut self) -> Result<usize> {
        let splits = self.source.splits().map_err(EngineError::table(&self.table))?;
        let before = self.known.len();
        self.assign(splits.into_iter().map(SplitStart::from).collect());
        Ok(self.known.len() - before)
    }

    /// Looks again while the job runs. What does not answer is asked again next time: the reader,
    /// which talks to the same outside, decides when that is fatal.
    ///
    /// # Errors
    /// If the source cannot list its splits for any other reason.
    pub fn look_again(&mut self) -> Result<usize> {
        match self.look() {
            Err(EngineError::Table { source: ConnectorError::Unavailable { .. }, .. }) => Ok(0),
            found => found,
        }
    }
}
