//! A model of a transactional system, as decider, and of a folder of parts, as follower. Both
//! survive crashes; both assert the laws of commits on their side.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use millstream_connectors::commit::{
    Committed, Committer, CommitterKey, EpochCommit, Follower, OffsetHome, Participation, Position,
};
use millstream_connectors::error::Result as ConnectorResult;
use millstream_connectors::{ConnectorError, Sink, Writer};
use millstream_operators::Batch;
use millstream_state::Epoch;

use super::{Row, rows};

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It takes effect and says so.
    Goes,
    /// It does not reach the broker.
    Lost,
    /// It takes effect, but the answer is lost.
    Unanswered,
    /// It is on its way for a while: see [`Broker::deliver_delayed`].
    Delayed,
}

/// The broker. Clones share it.
#[derive(Clone, Default)]
pub struct Broker(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The session that may commit.
    fence: u64,
    pointer: Option<Committed>,
    positions: Vec<Position>,
    epochs: Vec<Epoch>,
    visible: Vec<(String, Row)>,
    /// Written and not committed: session, epoch, table, row.
    open: Vec<(u64, Epoch, String, Row)>,
    delayed: Vec<(u64, EpochCommit)>,
    fates: Vec<Fate>,
    /// Somebody else has moved the offsets.
    moved: bool,
    /// Bugs, to see whether tests find them.
    answers_lost_commits: bool,
    fences_nobody: bool,
}

impl Broker {
    /// What becomes of the next commits; those after it go.
    pub fn plan(&self, fates: Vec<Fate>) {
        self.0.lock().unwrap().fates = fates;
    }

    /// All that a reader of committed rows sees of a table, in order.
    pub fn rows(&self, table: &str) -> Vec<Row> {
        let state = self.0.lock().unwrap();
        state.visible.iter().filter(|(of, _)| of == table).map(|(_, row)| *row).collect()
    }

    pub fn pointer(&self) -> Option<Committed> {
        self.0.lock().unwrap().pointer.clone()
    }

    pub fn positions(&self) -> Vec<Position> {
        self.0.lock().unwrap().positions.clone()
    }

    pub fn epochs(&self) -> Vec<Epoch> {
        self.0.lock().unwrap().epochs.clone()
    }

    /// The committed offsets expire.
    pub fn forget(&self) {
        self.0.lock().unwrap().pointer = None;
    }

    pub fn lie(&self, change: impl FnOnce(&mut Committed)) {
        change(self.0.lock().unwrap().pointer.as_mut().unwrap());
    }

    /// From now on commits that are lost are answered as if they had taken effect.
    pub fn answer_lost_commits(&self) {
        self.0.lock().unwrap().answers_lost_commits = true;
    }

    /// From now on sessions that were followed by another can still commit.
    pub fn fence_nobody(&self) {
        self.0.lock().unwrap().fences_nobody = true;
    }

    pub fn move_offsets(&self) {
        self.0.lock().unwrap().moved = true;
    }

    /// Commits arrive that were on their way; those of fenced sessions come too late.
    pub fn deliver_delayed(&self) {
        let mut state = self.0.lock().unwrap();
        for (session, commit) in std::mem::take(&mut state.delayed) {
            if session == state.fence || state.fences_nobody {
                state.take_effect(session, &commit);
            }
        }
    }

    /// A table of the broker, opened in a session.
    pub fn table(&self, table: &str, session: u64) -> BrokerTable {
        BrokerTable { broker: self.clone(), table: table.to_owned(), session, key: "broker".into() }
    }
}

impl State {
    fn take_effect(&mut self, session: u64, commit: &EpochCommit) {
        let last = self.pointer.as_ref().map(|committed| committed.epoch);
        if let Some(last) = last {
            assert_eq!(commit.epoch, last.next(), "epochs are contiguous");
        }
        assert!(!self.pointer.as_ref().is_some_and(|last| last.finished) || commit.epoch.0 > 0);
        let (ours, others) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|(of, epoch, ..)| *of == session && *epoch <= commit.epoch);
        self.open = others;
        let ours: Vec<(u64, Epoch, String, Row)> = ours;
        self.visible.extend(ours.into_iter().map(|(_, _, table, row)| (table, row)));
        self.epochs.push(commit.epoch);
        self.positions = commit.positions.to_vec();
        let EpochCommit { epoch, snapshot_crc, finished, .. } = *commit;
        self.pointer = Some(Committed { epoch, snapshot_crc, finished });
    }
}

/// A table of the broker.
#[derive(Clone)]
pub struct BrokerTable {
    broker: Broker,
    table: String,
    session: u64,
    pub key: String,
}

impl Sink for BrokerTable {
    fn writer(&self, _subtask: usize) -> ConnectorResult<Box<dyn Writer>> {
        Ok(Box::new(BrokerWriter { table: self.clone(), epoch: None, early: Vec::new() }))
    }

    fn participation(&self) -> ConnectorResult<Participation> {
        let key = CommitterKey(self.key.clone());
        Ok(Participation::Decider { key, committer: Box::new(self.clone()) })
    }
}

impl Committer for BrokerTable {
    fn recover(&mut self) -> ConnectorResult<Option<Committed>> {
        let mut state = self.broker.0.lock().unwrap();
        state.fence = self.session;
        let (session, all) = (self.session, state.fences_nobody);
        state.open.retain(|(of, ..)| *of == session || all);
        Ok(state.pointer.clone())
    }

    fn check_positions(&mut self, _: &Committed, positions: &[Position]) -> ConnectorResult<()> {
        let state = self.broker.0.lock().unwrap();
        if state.moved || positions != state.positions {
            let message = "the offsets of the group were moved".to_owned();
            return Err(ConnectorError::Refused { message, hint: None });
        }
        Ok(())
    }

    fn commit(&mut self, commit: &EpochCommit) -> ConnectorResult<()> {
        let mut state = self.broker.0.lock().unwrap();
        if self.session != state.fence {
            let message = "fenced by a newer session".to_owned();
            return Err(ConnectorError::Fenced { message, hint: None });
        }
        let fate = state.fates.pop().unwrap_or(Fate::Goes);
        match fate {
            Fate::Goes | Fate::Unanswered => state.take_effect(self.session, commit),
            Fate::Lost => {}
            Fate::Delayed => state.delayed.push((self.session, commit.clone())),
        }
        if fate == Fate::Goes || (fate == Fate::Lost && state.answers_lost_commits) {
            return Ok(());
        }
        let message = format!("epoch {}: no answer", commit.epoch);
        Err(ConnectorError::Aborted { message, hint: None })
    }
}

struct BrokerWriter {
    table: BrokerTable,
    /// The epoch that is being written; unknown before the first barrier.
    epoch: Option<Epoch>,
    early: Vec<Row>,
}

impl BrokerWriter {
    fn send(&self, epoch: Epoch, rows: Vec<Row>) {
        let mut state = self.table.broker.0.lock().unwrap();
        let (session, table) = (self.table.session, &self.table.table);
        state.open.extend(rows.into_iter().map(|row| (session, epoch, table.clone(), row)));
    }
}

impl Writer for BrokerWriter {
    fn write(&mut self, batch: &Batch) -> ConnectorResult<u64> {
        let rows = rows(batch);
        let bytes = 24 * rows.len() as u64;
        match self.epoch {
            Some(epoch) => self.send(epoch, rows),
            None => self.early.extend(rows),
        }
        Ok(bytes)
    }

    fn flush(&mut self) -> ConnectorResult<()> {
        Ok(())
    }

    fn end_epoch(&mut self, epoch: Epoch) -> ConnectorResult<()> {
        assert!(self.epoch.is_none_or(|current| current == epoch), "epochs come in order");
        let early = std::mem::take(&mut self.early);
        self.send(epoch, early);
        self.epoch = Some(epoch.next());
        Ok(())
    }

    fn finish(&mut self) -> ConnectorResult<()> {
        Ok(())
    }
}

/// A folder of parts that are staged, then published. Clones share it.
#[derive(Clone, Default)]
pub struct Folder(Arc<Mutex<Parts>>);

#[derive(Default)]
struct Parts {
    staged: BTreeMap<Epoch, Vec<Row>>,
    visible: BTreeMap<Epoch, Vec<Row>>,
    /// In the order in which they came.
    calls: Vec<String>,
}

impl Folder {
    pub fn rows(&self) -> Vec<Row> {
        self.0.lock().unwrap().visible.values().flatten().copied().collect()
    }

    pub fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }
}

impl Sink for Folder {
    fn writer(&self, _subtask: usize) -> ConnectorResult<Box<dyn Writer>> {
        Ok(Box::new(FolderWriter { folder: self.clone(), rows: Vec::new() }))
    }

    fn participation(&self) -> ConnectorResult<Participation> {
        Ok(Participation::Follower(Box::new(self.clone())))
    }
}

impl Follower for Folder {
    fn recover(&mut self, committed: Option<&Committed>) -> ConnectorResult<()> {
        let mut parts = self.0.lock().unwrap();
        let epoch = committed.map(|committed| committed.epoch);
        parts.calls.push(format!("recover {epoch:?}"));
        if let Some(epoch) = epoch {
            let later = parts.staged.split_off(&epoch.next());
            let staged = std::mem::replace(&mut parts.staged, later);
            parts.visible.extend(staged);
            let last = parts.visible.keys().last();
            assert!(last.is_none_or(|last| *last <= epoch), "visible before it was decided");
        }
        parts.staged.clear();
        Ok(())
    }

    fn publish(&mut self, epoch: Epoch, _finished: bool) -> ConnectorResult<()> {
        let mut parts = self.0.lock().unwrap();
        parts.calls.push(format!("publish {epoch}"));
        if let Some(rows) = parts.staged.remove(&epoch) {
            parts.visible.insert(epoch, rows);
        }
        Ok(())
    }
}

struct FolderWriter {
    folder: Folder,
    rows: Vec<Row>,
}

impl Writer for FolderWriter {
    fn write(&mut self, batch: &Batch) -> ConnectorResult<u64> {
        self.rows.extend(rows(batch));
        Ok(0)
    }

    fn flush(&mut self) -> ConnectorResult<()> {
        Ok(())
    }

    fn end_epoch(&mut self, epoch: Epoch) -> ConnectorResult<()> {
        let mut parts = self.folder.0.lock().unwrap();
        parts.staged.entry(epoch).or_default().append(&mut self.rows);
        Ok(())
    }

    fn finish(&mut self) -> ConnectorResult<()> {
        assert!(self.rows.is_empty(), "the last epoch comes before the end");
        Ok(())
    }
}

/// Where sources of these tests can show offsets.
pub fn home(system: &str) -> OffsetHome {
    OffsetHome { system: CommitterKey(system.to_owned()), group: None }
}
