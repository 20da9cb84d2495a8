//! Whole jobs under a seeded scheduler that crash, lose commits, stop and are rescaled at random:
//! every row counts exactly once in what is committed, whatever happens.
//!
//! The seed decides all: the graph, the rows, who runs when, and what goes wrong. A failure names
//! its seed; `SEED=n` runs that one alone, `SEEDS=n` another number of them.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use common::broker::Fate;
use common::durable::{durability, sums};
use common::{After, Event, Graph, Row, TestSource, World, by_key};
use millstream_engine::job::RunOptions;
use millstream_engine::sim::{Kept, Simulation};
use millstream_engine::{Outcome, RestartPolicy};
use millstream_operators::graph::WatermarkEmit;
use millstream_operators::{JobGraph, Partitioning};
use millstream_state::checkpoint::{Checkpoints, Manifest, MemoryCheckpoints, Sealed};
use millstream_state::{Epoch, StateError, StateStore};

use Partitioning::Forward;

/// SplitMix64.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Snapshots whose sealing fails now and then, before or after it took effect.
struct Failing {
    snapshots: MemoryCheckpoints,
    random: Random,
    /// A bug: what was sealed last is restored, whatever was committed.
    trusts_the_newest: bool,
}

type StateResult<T> = Result<T, StateError>;

fn disk_full() -> StateError {
    let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
    StateError::Io { place: "disk".into(), source }
}

impl Checkpoints for Failing {
    fn list(&self) -> StateResult<Vec<Epoch>> {
        self.snapshots.list()
    }

    fn manifest(&self, epoch: Epoch) -> StateResult<(Manifest, u32)> {
        self.snapshots.manifest(epoch)
    }

    fn restore(&mut self, epoch: Option<Epoch>) -> StateResult<Arc<dyn StateStore>> {
        if self.random.one_in(40) {
            return Err(disk_full());
        }
        let newest = self.snapshots.list()?.last().copied();
        self.snapshots.restore(if self.trusts_the_newest { newest } else { epoch })
    }

    fn seal(&mut self, manifest: Manifest) -> StateResult<Sealed> {
        match self.random.below(30) {
            0 => Err(disk_full()),
            1 => self.snapshots.seal(manifest).and(Err(disk_full())),
            _ => self.snapshots.seal(manifest),
        }
    }

    fn quarantine_after(&mut self, epoch: Option<Epoch>) -> StateResult<Vec<Epoch>> {
        match self.trusts_the_newest {
            true => Ok(Vec::new()),
            false => self.snapshots.quarantine_after(epoch),
        }
    }

    fn retain(&mut self, committed: Epoch) -> StateResult<()> {
        match self.random.below(40) {
            0 => Err(disk_full()),
            _ => self.snapshots.retain(committed),
        }
    }

    fn clear(&mut self) -> StateResult<()> {
        match self.random.below(10) {
            0 => Err(disk_full()),
            _ => self.snapshots.clear(),
        }
    }
}

/// `in` → … → sums by key → `broker`, with all rows also to `broker-all` or `folder`.
fn graph(random: &mut Random) -> JobGraph {
    let mut graph = Graph::default();
    let emit = [WatermarkEmit::OnPeriodic, WatermarkEmit::OnEvent][random.below(2) as usize];
    let mut from = graph.source("in", emit, None);
    if random.one_in(2) {
        from = graph.operator("pass", &[(from, Forward)]);
    }
    let all = if random.one_in(2) { "broker-all" } else { "folder" };
    let apart = random.one_in(2);
    graph.sink(all, &[(from, if apart { by_key() } else { Forward })]);
    if random.one_in(2) {
        from = graph.operator("holding", &[(from, Forward)]);
    }
    let sums = if random.one_in(2) { "sums" } else { "slow" };
    let sums = graph.operator(sums, &[(from, by_key())]);
    graph.sink("broker", &[(sums, if random.one_in(3) { Partitioning::Single } else { Forward })]);
    graph.0
}

fn input(random: &mut Random) -> Vec<Vec<Row>> {
    let splits = 1 + random.below(4) as i64;
    let rows = random.below(30) as i64;
    let step = 1 + random.below(5) as i64;
    let mut row =
        |split: i64, i: i64| (random.below(5) as i64, split * 1_000 + i, i * step + split);
    (0..splits).map(|split| (0..rows).map(|i| row(split, i)).collect()).collect()
}

/// Bugs around the engine that a trial must find: a test that finds none of them proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planted {
    Nothing,
    LostCommitsAreAnswered,
    NobodyIsFenced,
    ReadingGoesOnTooFar,
    TheNewestSnapshotIsTrusted,
}

struct Trial {
    planted: Planted,
    random: Random,
    world: World,
    input: Vec<Vec<Row>>,
    crashes: u64,
    restarts_with_state: u64,
}

impl Trial {
    fn new(seed: u64, planted: Planted) -> Self {
        let mut random = Random(seed);
        let input = input(&mut random);
        let cut = 1 + random.below(6) as usize;
        let events = |rows: &Vec<Row>| {
            rows.chunks(cut).map(|rows| Event::Rows(rows.to_vec())).collect::<Vec<_>>()
        };
        let mut source = TestSource::new(input.iter().map(events).collect(), After::Finish);
        let mut world = World::default();
        match planted {
            Planted::LostCommitsAreAnswered => world.broker.answer_lost_commits(),
            Planted::NobodyIsFenced => world.broker.fence_nobody(),
            Planted::ReadingGoesOnTooFar => source.skips = 1,
            Planted::Nothing | Planted::TheNewestSnapshotIsTrusted => {}
        }
        world.sources.insert("in".into(), source);
        Trial { planted, random, world, input, crashes: 0, restarts_with_state: 0 }
    }

    /// Runs to the end of the input, through whatever happens; returns a fingerprint of it.
    fn run(&mut self) -> Result<u64, String> {
        let graph = graph(&mut self.random);
        let snapshots = MemoryCheckpoints::default();
        let failures = Random(self.random.next());
        let trusts_the_newest = self.planted == Planted::TheNewestSnapshotIsTrusted;
        let kept = Kept::of({
            let mut failures = failures;
            move || {
                let random = Random(failures.next());
                let snapshots = snapshots.clone();
                let failing = Failing { snapshots, random, trusts_the_newest };
                let mut durability = durability(failing);
                durability.restart = RestartPolicy::NONE;
                durability
            }
        });
        let options = RunOptions {
            parallelism: self.parallelism(),
            edge_capacity_bytes: [1, 200, 4_000][self.random.below(3) as usize],
        };
        let world = Arc::new(self.world.clone());
        let seed = self.random.next();
        let mut job = Simulation::idle(&graph, options, world, kept, seed);
        for incarnation in 0.. {
            if incarnation > 500 {
                return Err("it does not come to an end".to_owned());
            }
            if self.random.one_in(2) {
                self.world.broker.deliver_delayed();
            }
            let parallelism = self.parallelism();
            if job.restart(parallelism).is_ok() {
                self.restarts_with_state += u64::from(job.recovery().restored.is_some());
                let fates = self.fates();
                self.world.broker.plan(fates);
                if self.go_on(&mut job) == Some(Outcome::Finished) {
                    break;
                }
            }
            self.crashes += 1;
            job.crash();
        }
        self.check()?;
        Ok(job.trace())
    }

    fn parallelism(&mut self) -> usize {
        1 + self.random.below(3) as usize
    }

    fn fates(&mut self) -> Vec<Fate> {
        let mut fate = || match self.random.below(12) {
            0 => Fate::Lost,
            1 => Fate::Unanswered,
            2 => Fate::Delayed,
            _ => Fate::Goes,
        };
        (0..8).map(|_| fate()).collect()
    }

    /// Steps until the end, a failure or a crash.
    fn go_on(&mut self, job: &mut Simulation) -> Option<Outcome> {
        let life = match self.random.below(4) {
            0 => self.random.below(30),
            1 => self.random.below(300),
            2 => self.random.below(2_000),
            _ => u64::MAX,
        };
        let stops = self.random.one_in(4);
        // A process that has come to its end does not crash any more.
        if job.is_over() {
            return job.run_to_end().ok().map(|summary| summary.outcome);
        }
        for step in 0..life {
            if self.random.one_in(25) && job.request_epoch().is_err() {
                return None;
            }
            if stops && self.random.one_in(100) {
                job.stop();
            }
            if self.random.one_in(50) {
                self.world.broker.deliver_delayed();
            }
            match job.step() {
                Ok(true) => {}
                Ok(false) => return job.run_to_end().ok().map(|summary| summary.outcome),
                Err(error) if error.to_string().contains("cannot move") => panic!("{error}"),
                Err(error) if error.kind() == millstream_engine::ErrorKind::Bug => {
                    panic!("{error}")
                }
                Err(_) => return None,
            }
            assert!(step < 200_000, "it goes on for ever");
        }
        None
    }

    fn check(&self) -> Result<(), String> {
        let mut all = self.input.concat();
        let expected = sums(&all);
        let mut got = self.world.broker.rows("broker");
        got.sort_unstable();
        if got != expected {
            return Err(format!("sums\n  expected {expected:?}\n  got      {got:?}"));
        }
        let mut passed = self.world.broker.rows("broker-all");
        passed.extend(self.world.folder.rows());
        in_order(&passed)?;
        passed.sort_unstable();
        all.sort_unstable();
        if passed != all {
            return Err(format!("rows\n  expected {all:?}\n  got      {passed:?}"));
        }
        let epochs = self.world.broker.epochs();
        let contiguous = epochs.iter().enumerate().all(|(index, epoch)| epoch.0 == index as u64);
        if !contiguous {
            return Err(format!("epochs {epochs:?}"));
        }
        Ok(())
    }
}

/// Rows of one key from one split stay in order on their way.
fn in_order(rows: &[Row]) -> Result<(), String> {
    let mut last = std::collections::BTreeMap::new();
    for (key, n, _) in rows {
        let before = last.insert((*key, n / 1_000), *n);
        if before.is_some_and(|before| before >= *n) {
            return Err(format!("{n} of key {key} comes after {before:?}"));
        }
    }
    Ok(())
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_row_counts_exactly_once() {
    let only = setting("SEED");
    let seeds = only.map_or(0..setting("SEEDS").unwrap_or(10_000), |seed| seed..seed + 1);
    let next = AtomicU64::new(seeds.start);
    let (crashes, restored) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let mut trial = Trial::new(seed, Planted::Nothing);
                    let run = std::panic::AssertUnwindSafe(|| trial.run());
                    match std::panic::catch_unwind(run) {
                        Ok(Ok(_)) => {}
                        Ok(Err(error)) => panic!("SEED={seed}: {error}"),
                        Err(_) => panic!("SEED={seed}"),
                    }
                    crashes.fetch_add(trial.crashes, Relaxed);
                    restored.fetch_add(trial.restarts_with_state, Relaxed);
                }
            });
        }
    });
    if only.is_none() {
        let trials = seeds.end - seeds.start;
        assert!(crashes.into_inner() > trials, "most trials crash");
        assert!(restored.into_inner() > trials / 2, "and go on from a snapshot");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let trace = |seed| Trial::new(seed, Planted::Nothing).run().expect("exactly once");
    let traces: Vec<u64> = (0..50).map(trace).collect();
    assert_eq!(traces, (0..50).map(trace).collect::<Vec<_>>());
    assert_ne!(traces[0], traces[1], "seeds make a difference");
}

#[test]
fn planted_bugs_are_found() {
    for planted in [
        Planted::LostCommitsAreAnswered,
        Planted::NobodyIsFenced,
        Planted::ReadingGoesOnTooFar,
        Planted::TheNewestSnapshotIsTrusted,
    ] {
        let found = (0..300).find(|seed| {
            let trial = || Trial::new(*seed, planted).run();
            !matches!(std::panic::catch_unwind(trial), Ok(Ok(_)))
        });
        assert!(found.is_some(), "{planted:?} was not found");
    }
}
