//! Recovery: the one way in which a job begins, whether for the first time, after a stop, a crash,
//! an abort or a failed commit.
//!
//! | step | what | after it |
//! |---|---|---|
//! | A | the state directory is locked (by who opened the checkpoints) | no second process here |
//! | B | the decider is asked to `recover` | predecessors are fenced, anywhere |
//! | C | … and says what was committed last | that is final |
//! | D | [`decide`]: what that and the snapshots mean together | genesis, go on, or stop |
//! | E | later snapshots are moved away, the one is verified and linked, followers recover, splits get their positions | rows may flow |
//!
//! Nothing is guessed: not from the newest snapshot, not from file times, not from the live
//! directory. What contradicts itself stops the job with a sentence and a way out.
//!
//! The **genesis** is an epoch without rows: it pins where reading begins. Its snapshot is sealed
//! first, then it is committed, as with every other epoch; only then is a row processed. If a crash
//! comes between, its positions are taken again, so that `latest` is decided once.

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream_connectors::commit::{Committed, Committer, Participation};
use millstream_connectors::{ConnectorError, Source, Split};
use millstream_operators::{JobGraph, NodeId, NodeKind};
use millstream_state::checkpoint::{Checkpoints, Manifest, SplitState};
use millstream_state::{Epoch, StateError, StateStore, fault};

use crate::clock::Clock;
use crate::compatibility::{self, OperatorChange};
use crate::discovery::SplitStart;
use crate::durability::{Durable, Keeping};
use crate::epoch::collect::{JobFacts, SourceFacts};
use crate::epoch::worker::{NamedFollower, Shower, reach};
use crate::error::{EngineError, Result};
use crate::local_decider::LocalDecider;
use crate::open::Opened;

/// What the decider's word and the snapshots mean together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// Begin where the tables' options say; the epoch that pins it.
    Genesis(Epoch),
    /// A genesis was sealed and not committed: commit it with the positions that it has.
    Pinned(Epoch),
    /// Go on from this snapshot.
    Snapshot(Committed),
    /// The job had finished, and only the cleaning up was cut short.
    Finished(Committed),
}

/// Step D: what to do, given what was committed last and the snapshots that there are.
///
/// # Errors
/// If they contradict each other.
pub fn decide(committed: Option<Committed>, snapshots: &[Epoch], fresh: bool) -> Result<Beginning> {
    match (committed, snapshots) {
        (None, _) if fresh => Ok(Beginning::Genesis(Epoch::GENESIS)),
        (Some(committed), _) if fresh => Ok(Beginning::Genesis(committed.epoch.next())),
        (None, []) => Ok(Beginning::Genesis(Epoch::GENESIS)),
        (None, [Epoch::GENESIS]) => Ok(Beginning::Pinned(Epoch::GENESIS)),
        (None, [.., last]) => Err(EngineError::incompatible(
            format!(
                "there are snapshots up to epoch {last}, but nothing says which epoch was \
                 committed: the committed offsets have expired, or their group was deleted"
            ),
            "restore them, or begin anew with --fresh, which reads the sources as their options say",
        )),
        (Some(committed), []) if committed.finished => {
            Ok(Beginning::Genesis(committed.epoch.next()))
        }
        // It had finished, and then it was begun anew.
        (Some(committed), [only]) if committed.finished && *only == committed.epoch.next() => {
            Ok(Beginning::Pinned(*only))
        }
        (Some(committed), [first, ..]) if committed.finished && *first <= committed.epoch => {
            Ok(Beginning::Finished(committed))
        }
        (Some(committed), snapshots) if snapshots.contains(&committed.epoch) => {
            Ok(Beginning::Snapshot(committed))
        }
        (Some(committed), _) => Err(EngineError::incompatible(
            format!(
                "epoch {} was committed, but its snapshot is not in the state directory",
                committed.epoch
            ),
            "run where the state is, restore it from the checkpoint copy, or begin anew with --fresh",
        )),
    }
}

/// What was found and restored, for people.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// The epoch that the job goes on from; `None` if it began anew.
    pub restored: Option<Epoch>,
    /// The job had finished before: there was nothing left to do.
    pub had_finished: bool,
    /// Name of this start.
    pub incarnation: String,
    /// Snapshots that were moved away because they were never committed.
    pub quarantined: Vec<Epoch>,
    /// What became of the operators' state.
    pub changes: Vec<OperatorChange>,
    /// Parallelism that the snapshot was made with.
    pub parallelism: usize,
    /// How often the job was restarted in this process.
    pub restarts: u64,
    /// What ended the incarnation before; while it is set and `retry_in_ms` too, the job waits.
    pub failure: Option<String>,
    /// How long the job waits before it tries again.
    pub retry_in_ms: Option<u64>,
}

/// Where a job goes on from.
pub(crate) struct Resumed {
    pub epoch: Epoch,
    pub store: Option<Arc<dyn StateStore>>,
    pub starts: BTreeMap<NodeId, Vec<SplitStart>>,
    pub facts: Option<JobFacts>,
    pub decider: Option<Box<dyn Committer>>,
    pub followers: Vec<NamedFollower>,
    pub showers: Vec<Shower>,
    pub recovery: Recovery,
}

/// What recovery led to.
pub(crate) enum Recovered {
    Go(Box<Resumed>),
    /// The job had finished: there is nothing to do.
    Finished(Recovery),
}

/// What recovery needs to know of the job.
pub(crate) struct Setting<'a> {
    pub graph: &'a JobGraph,
    pub clock: &'a Clock,
    pub parallelism: usize,
    /// Name of this start.
    pub incarnation: String,
}

/// Goes through the steps of the head. Without `keeping` there is nothing to recover.
pub(crate) fn recover(
    setting: &Setting<'_>,
    opened: &mut Opened,
    keeping: Option<&mut Keeping>,
) -> Result<Recovered> {
    let Some(Keeping { checkpoints, durable }) = keeping else {
        let starts = list(setting.graph, &opened.sources)?;
        return Ok(go(Resumed::of_splits(starts)));
    };
    let checkpoints = checkpoints.as_deref_mut().expect("no worker has them between incarnations");
    match durable {
        None => for_memory(setting, opened, checkpoints),
        Some(durable) => {
            let facts = facts(setting, durable, opened);
            let parties = parties(durable, &setting.incarnation, &mut opened.participations)?;
            let sources = &opened.sources;
            Recovering { setting, durable, checkpoints, facts, sources, parties }.go_through()
        }
    }
}

fn go(resumed: Resumed) -> Recovered {
    Recovered::Go(Box::new(resumed))
}

impl Resumed {
    fn of_splits(starts: BTreeMap<NodeId, Vec<SplitStart>>) -> Self {
        Resumed {
            epoch: Epoch::GENESIS,
            store: None,
            starts,
            facts: None,
            decider: None,
            followers: Vec::new(),
            showers: Vec::new(),
            recovery: Recovery::default(),
        }
    }
}

/// A job that keeps nothing over restarts, and has a store only to put state away.
fn for_memory(
    setting: &Setting<'_>,
    opened: &Opened,
    checkpoints: &mut dyn Checkpoints,
) -> Result<Recovered> {
    checkpoints.clear()?;
    let facts = JobFacts { parallelism: setting.parallelism, ..JobFacts::default() };
    Ok(go(Resumed {
        store: Some(checkpoints.restore(None)?),
        facts: Some(facts),
        ..Resumed::of_splits(list(setting.graph, &opened.sources)?)
    }))
}

fn facts(setting: &Setting<'_>, durable: &Durable, opened: &Opened) -> JobFacts {
    let graph = setting.graph;
    let source = |(node, source): (&NodeId, &Arc<dyn Source>)| SourceFacts {
        node: *node,
        name: graph.node(*node).name.clone(),
        table: table_name(graph, *node).to_owned(),
        home: source.offset_home(),
    };
    JobFacts {
        job: durable.job.name.clone(),
        incarnation: setting.incarnation.clone(),
        parallelism: setting.parallelism,
        plan_hash: format!("{:08x}", crc32fast::hash(graph.to_string().as_bytes())),
        operators: compatibility::operators(graph),
        sources: opened.sources.iter().map(source).collect(),
    }
}

fn table_name(graph: &JobGraph, node: NodeId) -> &str {
    match &graph.node(node).kind {
        NodeKind::Source(spec) => &spec.table.name,
        NodeKind::Sink(table) => &table.name,
        NodeKind::Operator(_) => "",
    }
}

/// Who commits, and who follows.
struct Parties {
    decider: Option<Box<dyn Committer>>,
    /// What the decider is called; `None` for the local one.
    system: Option<String>,
    followers: Vec<NamedFollower>,
}

/// Sorts the sinks: at most one system decides; if none does, a file does.
fn parties(
    durable: &Durable,
    incarnation: &str,
    participations: &mut Vec<(String, Participation)>,
) -> Result<Parties> {
    let mut parties = Parties { decider: None, system: None, followers: Vec::new() };
    let mut first = String::new();
    for (table, participation) in participations.drain(..) {
        match participation {
            Participation::None => {}
            Participation::Follower(follower) => {
                parties.followers.push(NamedFollower { table, follower });
            }
            Participation::Decider { key, committer } => match &parties.system {
                None => {
                    first = table;
                    parties.system = Some(key.0);
                    parties.decider = Some(committer);
                }
                Some(system) if *system == key.0 => {}
                Some(system) => {
                    return Err(EngineError::Table {
                        table,
                        source: ConnectorError::Options {
                            message: format!(
                                "it commits to {}, but table `{first}` commits to {system}: two \
                                 systems cannot commit an epoch together",
                                key.0
                            ),
                            option: None,
                            hint: Some("write to one of them, or run two jobs".to_owned()),
                        },
                    });
                }
            },
        }
    }
    if parties.decider.is_none()
        && let Some(directory) = &durable.state_dir
    {
        let mut job = durable.job.clone();
        job.incarnation = incarnation.to_owned();
        parties.decider = Some(Box::new(LocalDecider::new(directory, &job)));
    }
    Ok(parties)
}

fn list(
    graph: &JobGraph,
    sources: &BTreeMap<NodeId, Arc<dyn Source>>,
) -> Result<BTreeMap<NodeId, Vec<SplitStart>>> {
    let splits = |(node, source): (&NodeId, &Arc<dyn Source>)| {
        let splits = source.splits().map_err(EngineError::table(table_name(graph, *node)))?;
        Ok((*node, splits.into_iter().map(SplitStart::from).collect()))
    };
    sources.iter().map(splits).collect()
}

/// The steps of the head, for a job that keeps its state.
struct Recovering<'a> {
    setting: &'a Setting<'a>,
    durable: &'a mut Durable,
    checkpoints: &'a mut dyn Checkpoints,
    facts: JobFacts,
    sources: &'a BTreeMap<NodeId, Arc<dyn Source>>,
    parties: Parties,
}

impl Recovering<'_> {
    fn go_through(mut self) -> Result<Recovered> {
        let committed = self.committed()?;
        if let Some(chosen) = self.durable.begin_with {
            return self.fork(chosen, committed);
        }
        let snapshots = self.checkpoints.list()?;
        let beginning = decide(committed.clone(), &snapshots, self.durable.fresh)?;
        reach("recover.decided")?;
        match beginning {
            Beginning::Genesis(epoch) => self.genesis(epoch, committed),
            Beginning::Pinned(epoch) => self.pinned(epoch, committed),
            Beginning::Snapshot(committed) => self.snapshot(committed),
            Beginning::Finished(committed) => self.finished(&committed),
        }
    }

    /// What was committed last. Without a decider that is what was sealed last: nothing else was
    /// ever promised to anybody.
    fn committed(&mut self) -> Result<Option<Committed>> {
        if let Some(decider) = &mut self.parties.decider {
            let committed = decider.recover().map_err(|source| EngineError::Recovery { source })?;
            if !fault::mutant("M2") {
                return Ok(committed);
            }
        }
        let Some(epoch) = self.checkpoints.list()?.last().copied() else { return Ok(None) };
        let (manifest, snapshot_crc) = self.checkpoints.manifest(epoch)?;
        Ok(Some(Committed { epoch, snapshot_crc, finished: manifest.finished }))
    }

    fn genesis(mut self, epoch: Epoch, committed: Option<Committed>) -> Result<Recovered> {
        // A follower may refuse, so the state is not forgotten before.
        self.begin_followers(committed.as_ref())?;
        self.checkpoints.clear()?;
        self.checkpoints.quarantine_after(None)?;
        let store = self.checkpoints.restore(None)?;
        store.apply(epoch, &[])?;
        let starts = list(self.setting.graph, self.sources)?;
        self.seal_genesis(epoch, &starts)?;
        self.assigned(epoch, store, starts, Recovery::default())
    }

    fn pinned(mut self, epoch: Epoch, committed: Option<Committed>) -> Result<Recovered> {
        let (manifest, crc) = self.checkpoints.manifest(epoch)?;
        self.check_job(&manifest)?;
        self.begin_followers(committed.as_ref())?;
        self.checkpoints.quarantine_after(Some(epoch))?;
        let store = self.checkpoints.restore(Some(epoch))?;
        let starts = self.starts(&manifest)?;
        self.commit_genesis(&manifest, crc)?;
        self.assigned(epoch, store, starts, Recovery::default())
    }

    fn seal_genesis(
        &mut self,
        epoch: Epoch,
        starts: &BTreeMap<NodeId, Vec<SplitStart>>,
    ) -> Result<()> {
        let splits = |node: NodeId| {
            let of_node = starts.get(&node).into_iter().flatten();
            of_node.map(SplitStart::state).collect::<Vec<SplitState>>()
        };
        let created_ms = self.setting.clock.unix_ms();
        let manifest = self.facts.manifest(epoch, false, created_ms, splits);
        let sealed = self.checkpoints.seal(manifest.clone())?;
        self.commit_genesis(&manifest, sealed.crc)
    }

    fn commit_genesis(&mut self, manifest: &Manifest, crc: u32) -> Result<()> {
        if let Some(decider) = &mut self.parties.decider {
            let (commit, epoch) = (self.facts.commit(manifest, crc), manifest.epoch);
            decider.commit(&commit).map_err(|source| EngineError::Commit { epoch, source })?;
        }
        // What the flag asked for is done: a restart must not do it again.
        (self.durable.fresh, self.durable.begin_with) = (false, None);
        reach("recover.genesis")
    }

    /// First what was committed is made whole, then it is no longer this job's.
    fn begin_followers(&mut self, committed: Option<&Committed>) -> Result<()> {
        if committed.is_some() {
            self.recover_followers(committed)?;
        }
        self.recover_followers(None)
    }

    fn snapshot(mut self, committed: Committed) -> Result<Recovered> {
        let epoch = committed.epoch;
        let (manifest, crc) = self.checkpoints.manifest(epoch)?;
        self.check_job(&manifest)?;
        if crc != committed.snapshot_crc {
            return Err(EngineError::incompatible(
                format!("the snapshot of epoch {epoch} is not the one that was committed"),
                "the state directory is of another run of the job: restore the right one, or \
                 begin anew with --fresh",
            ));
        }
        self.check_positions(&committed, &manifest)?;
        let quarantined = self.checkpoints.quarantine_after(Some(epoch))?;
        let store = self.checkpoints.restore(Some(epoch))?;
        let changes = self.check_operators(&manifest, &*store)?;
        self.recover_followers(Some(&committed))?;
        let starts = self.starts(&manifest)?;
        reach("recover.positions")?;
        let recovery = Recovery {
            restored: Some(epoch),
            quarantined,
            changes,
            parallelism: manifest.parallelism as usize,
            ..Recovery::default()
        };
        self.assigned(epoch, store, starts, recovery)
    }

    /// Goes on from a snapshot that somebody chose, as a new epoch with the positions of then. What
    /// was committed since stays.
    fn fork(mut self, chosen: Epoch, committed: Option<Committed>) -> Result<Recovered> {
        let (manifest, _) = self.checkpoints.manifest(chosen)?;
        let last = committed.as_ref().map_or(chosen, |committed| committed.epoch.max(chosen));
        let epoch = last.next();
        if committed.is_some() {
            self.recover_followers(committed.as_ref())?;
        }
        let quarantined = self.checkpoints.quarantine_after(Some(chosen))?;
        let store = self.checkpoints.restore(Some(chosen))?;
        let changes = self.check_operators(&manifest, &*store)?;
        store.apply(epoch, &[])?;
        let starts = self.starts(&manifest)?;
        self.seal_genesis(epoch, &starts)?;
        let parallelism = manifest.parallelism as usize;
        let recovery = Recovery {
            restored: Some(chosen),
            quarantined,
            changes,
            parallelism,
            ..Recovery::default()
        };
        self.assigned(epoch, store, starts, recovery)
    }

    /// The last epoch was committed and what follows a commit was cut short: it is done again.
    fn finished(mut self, committed: &Committed) -> Result<Recovered> {
        self.recover_followers(Some(committed))?;
        // What cannot be removed now says the same to the next start.
        self.checkpoints.clear().ok();
        let incarnation = self.setting.incarnation.clone();
        let recovery = Recovery { had_finished: true, incarnation, ..Recovery::default() };
        Ok(Recovered::Finished(recovery))
    }

    fn recover_followers(&mut self, committed: Option<&Committed>) -> Result<()> {
        for NamedFollower { table, follower } in &mut self.parties.followers {
            follower.recover(committed).map_err(EngineError::table(table))?;
        }
        Ok(())
    }

    fn check_job(&self, manifest: &Manifest) -> Result<()> {
        if manifest.job == self.facts.job {
            return Ok(());
        }
        Err(EngineError::incompatible(
            format!("the state is that of job `{}`, not of `{}`", manifest.job, self.facts.job),
            "give each job a state directory of its own, or give this one its old name by --name",
        ))
    }

    fn check_positions(&mut self, committed: &Committed, manifest: &Manifest) -> Result<()> {
        let Some(decider) = &mut self.parties.decider else { return Ok(()) };
        let checked = decider.check_positions(committed, &self.facts.positions(manifest));
        match checked {
            Err(ConnectorError::Refused { message, .. })
                if !self.durable.accept_external_offsets && !fault::mutant("M2") =>
            {
                Err(EngineError::incompatible(
                    message,
                    "--accept-external-offsets goes on from the state's own positions; --fresh \
                     begins anew where the tables' options say",
                ))
            }
            Err(ConnectorError::Refused { .. }) | Ok(()) => Ok(()),
            Err(_) if fault::mutant("M2") => Ok(()),
            Err(source) => Err(EngineError::Recovery { source }),
        }
    }

    fn check_operators(
        &self,
        manifest: &Manifest,
        store: &dyn StateStore,
    ) -> Result<Vec<OperatorChange>> {
        let changes = compatibility::diff(manifest, self.setting.graph, &store.tables()?);
        let lost: Vec<String> = changes
            .iter()
            .filter(|change| change.change.loses_state())
            .map(OperatorChange::to_string)
            .collect();
        if !lost.is_empty() && !self.durable.allow_dropped_state {
            return Err(EngineError::incompatible(
                format!("the job has no use for some of its state: {}", lost.join("; ")),
                "--allow-dropped-state goes on without it; --fresh begins anew",
            ));
        }
        compatibility::forget_lost(store, &changes)?;
        Ok(changes)
    }

    /// Where each split goes on. One that the snapshot does not know has appeared since, so all of
    /// it is new.
    fn starts(&self, manifest: &Manifest) -> Result<BTreeMap<NodeId, Vec<SplitStart>>> {
        let mut starts = list(self.setting.graph, self.sources)?;
        for facts in &self.facts.sources {
            let Some(source) = manifest.sources.iter().find(|source| source.name == facts.name)
            else {
                continue;
            };
            let listed = starts.entry(facts.node).or_default();
            let mut known: BTreeMap<&str, &SplitState> =
                source.splits.iter().map(|state| (state.id.as_str(), state)).collect();
            for start in listed.iter_mut() {
                let state = known.remove(start.split.id.as_str());
                start.split.offset = match state {
                    None => Some(0),
                    Some(state) => state.next_offset.or(start.split.offset),
                };
                start.restored = state.cloned().filter(|_| !fault::mutant("M4"));
            }
            // Where new ones appear all the time, a name that was read is not read again when it
            // comes back.
            if self.sources.get(&facts.node).is_some_and(|s| s.discovery_interval().is_some()) {
                listed.extend(known.values().filter(|state| state.finished).map(|state| {
                    let split = Split { id: state.id.clone(), offset: state.next_offset };
                    SplitStart { split, restored: Some((*state).clone()) }
                }));
            }
            // One that was read to its end may go, such as a file.
            if let Some(gone) = known.values().find(|state| !state.finished) {
                return Err(EngineError::incompatible(
                    format!(
                        "table `{}`: `{}` was not read to its end and is not there any more",
                        source.table, gone.id
                    ),
                    "bring it back, or begin anew with --fresh",
                ));
            }
        }
        Ok(starts)
    }

    fn assigned(
        self,
        epoch: Epoch,
        store: Arc<dyn StateStore>,
        starts: BTreeMap<NodeId, Vec<SplitStart>>,
        recovery: Recovery,
    ) -> Result<Recovered> {
        reach("recover.assigned")?;
        let Parties { decider, system, followers } = self.parties;
        // Positions that the decider's system keeps are part of its commit.
        let in_commit = |facts: &SourceFacts| {
            facts.home.as_ref().is_none_or(|home| Some(&home.system.0) == system.as_ref())
        };
        let shower = |facts: &SourceFacts| (facts.name.clone(), self.sources[&facts.node].clone());
        let showers =
            self.facts.sources.iter().filter(|facts| !in_commit(facts)).map(shower).collect();
        let incarnation = self.setting.incarnation.clone();
        Ok(go(Resumed {
            epoch,
            store: Some(store),
            starts,
            facts: Some(self.facts),
            decider,
            followers,
            showers,
            recovery: Recovery { incarnation, ..recovery },
        }))
    }
}

/// A snapshot that is missing or damaged is a matter for people; so say how to go on.
impl From<StateError> for EngineError {
    fn from(source: StateError) -> Self {
        match source {
            StateError::Missing { .. } | StateError::Damaged { .. } => EngineError::incompatible(
                source.to_string(),
                "restore the state directory from its checkpoint copy, or begin anew with --fresh",
            ),
            source => EngineError::State { source },
        }
    }
}

impl SplitStart {
    /// Where the split is before its first row.
    fn state(&self) -> SplitState {
        let Split { id, offset } = &self.split;
        let restored = self.restored.clone().unwrap_or_default();
        SplitState { id: id.clone(), next_offset: *offset, ..restored }
    }
}
