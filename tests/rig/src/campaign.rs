//! Many rounds: which faults, in which order, on how many lanes at once.
//!
//! ```text
//!  the bug base first ─► deck of faults, shuffled, dealt to the lanes ─► broker restarts under all lanes ─┐
//!                         ▲                                                                              │
//!                         └───────────────────────── until the time is over ◄────────────────────────────┘
//! ```

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::broker::{Broker, Down, wait_until};
use crate::faults::{self, Fault};
use crate::frame::Api;
use crate::lane::{IN_FILES, Lane, Plan};
use crate::ledger::{Ledger, RoundEnd};
use crate::proxy::{Action, Rule};
use crate::reader::Progress;
use crate::scratch::Scratch;
use crate::seed::Random;
use crate::{Result, error, lock, say};

/// Rounds that failed once, so that they run first.
pub const BUGBASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bugbase");

/// Faults of a round, at most: what failed is then soon found.
const FAULTS_A_ROUND: usize = 15;
/// Longest wait for all lanes to get over a broker's restart.
const BROKER_PATIENCE: Duration = Duration::from_secs(80);

/// What all rounds have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program under test; a copy is taken, so that a build meanwhile does no harm.
    pub binary: PathBuf,
    /// Rounds at a time.
    pub lanes: usize,
    /// Decides everything.
    pub seed: u64,
    /// Records a second and lane.
    pub rate: u64,
    /// The planted bug, if the tester is tested.
    pub mutant: Option<String>,
}

/// A broker and the lanes on it.
pub struct Stage {
    /// The broker.
    pub broker: Broker,
    /// The lanes.
    pub lanes: Vec<Lane>,
    rate: u64,
    // Last, for it goes when nobody uses it any more.
    _scratch: Scratch,
}

impl Stage {
    /// Starts a broker and sets the lanes up.
    ///
    /// # Errors
    /// If something is missing.
    pub fn set_up(settings: &Settings, name: &str) -> Result<Stage> {
        let scratch = Scratch::new(name)?;
        let dir = scratch.dir();
        let binary = dir.join("millstream");
        std::fs::copy(&settings.binary, &binary)
            .map_err(|cause| error(format!("{}: {cause}", settings.binary.display())))?;
        let broker = Broker::start(&dir.join("broker"), settings.lanes)?;
        let lanes = (0..settings.lanes)
            .map(|number| Lane {
                number,
                access: broker.access(number),
                dir: dir.join(format!("lane-{number}")),
                binary: binary.clone(),
                mutant: settings.mutant.clone(),
            })
            .collect();
        Ok(Stage { broker, lanes, rate: settings.rate, _scratch: scratch })
    }

    /// Deals rounds to the lanes until none are left, or the time is over.
    pub fn deal(&self, rounds: Vec<Plan>, ledger: &Ledger, until: Instant) {
        let rounds = Mutex::new(rounds);
        let next = || lock(&rounds).pop().filter(|_| Instant::now() < until);
        thread::scope(|scope| {
            for lane in &self.lanes {
                scope.spawn(|| {
                    while let Some(plan) = next() {
                        finish(lane.run(&plan, ledger, None), ledger);
                    }
                });
            }
        });
    }

    /// Rounds of these decks, for topics and for files, in any order.
    fn rounds(&self, random: &mut Random, topics: Vec<Fault>, files: Vec<Fault>) -> Vec<Plan> {
        let mut rounds = Vec::new();
        for (mut deck, files) in [(topics, false), (files, true)] {
            shuffle(random, &mut deck);
            for faults in deck.chunks(FAULTS_A_ROUND) {
                let seed = random.draw() >> 16;
                rounds.push(Plan { seed, faults: faults.to_vec(), rate: self.rate, files });
            }
        }
        shuffle(random, &mut rounds);
        rounds
    }

    /// One round on every lane, while the broker goes down and comes up again `times`.
    ///
    /// # Errors
    /// If the broker does not come up.
    pub fn restart_broker(
        &mut self,
        random: &mut Random,
        times: u32,
        ledger: &Ledger,
    ) -> Result<()> {
        let over = AtomicBool::new(false);
        let begun = AtomicU64::new(0);
        // Lanes whose job has not come back: nobody waits for them any more, and their round fails.
        let given_up: Vec<AtomicBool> = self.lanes.iter().map(|_| AtomicBool::new(false)).collect();
        let seen: Vec<Mutex<Option<Arc<Progress>>>> =
            self.lanes.iter().map(|_| Mutex::new(None)).collect();
        let (lanes, rate, broker) = (&self.lanes, self.rate, &mut self.broker);
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for ((lane, seen), given_up) in lanes.iter().zip(&seen).zip(&given_up) {
                let (seed, faults) = (random.draw() >> 16, vec![Fault::Broker]);
                let plan = Plan { seed, faults, rate, files: false };
                let (over, begun) = (&over, &begun);
                threads.push(scope.spawn(move || {
                    let running = AtomicBool::new(false);
                    let meanwhile = |progress: &Arc<Progress>| {
                        if !running.swap(true, Ordering::SeqCst) {
                            *lock(seen) = Some(progress.clone());
                            begun.fetch_add(1, Ordering::SeqCst);
                        }
                        !over.load(Ordering::SeqCst) && !given_up.load(Ordering::SeqCst)
                    };
                    let end = lane.run(&plan, ledger, Some(&meanwhile));
                    // A lane that is done for holds nobody up.
                    *lock(seen) = None;
                    finish(end, ledger);
                }));
            }
            let mut restart = || {
                let all = lanes.len() as u64;
                wait_until(BROKER_PATIENCE, || begun.load(Ordering::SeqCst) == all);
                for _ in 0..times {
                    one_restart(broker, lanes, random, ledger, &seen)?;
                    for (given_up, seen) in given_up.iter().zip(&seen) {
                        given_up.fetch_or(lock(seen).is_none(), Ordering::SeqCst);
                    }
                }
                Ok(())
            };
            let result = restart();
            over.store(true, Ordering::SeqCst);
            result
        })
    }
}

fn one_restart(
    broker: &mut Broker,
    lanes: &[Lane],
    random: &mut Random,
    ledger: &Ledger,
    seen: &[Mutex<Option<Arc<Progress>>>],
) -> Result<()> {
    let running = |seen: &Mutex<Option<Arc<Progress>>>| lock(seen).clone();
    let before: Vec<u64> =
        seen.iter().map(|seen| running(seen).map_or(0, |progress| progress.epochs())).collect();
    thread::sleep(Duration::from_millis(random.within(100, 1500)));
    let held = random.once_in(3);
    if held {
        for lane in lanes {
            let action = Action::Hold(Duration::from_millis(random.within(500, 8000)));
            lane.access.proxy.arm(Rule { api: Api::EndTxn, after: 0, action });
        }
        thread::sleep(Duration::from_millis(random.within(50, 400)));
    }
    let how = if random.once_in(3) { Down::Terminate } else { Down::Crash };
    broker.restart(how, Duration::from_millis(random.within(0, 1500)))?;
    for lane in lanes {
        lane.access.proxy.disarm();
    }
    let over = wait_until(BROKER_PATIENCE, || {
        seen.iter().zip(&before).all(|(seen, before)| {
            running(seen).is_none_or(|progress| progress.epochs() >= before + 2)
        })
    });
    for (seen, before) in seen.iter().zip(&before) {
        let mut seen = lock(seen);
        if seen.as_ref().is_some_and(|progress| progress.epochs() < before + 2) {
            *seen = None;
        }
    }
    let name = if how == Down::Crash { "kill -9" } else { "SIGTERM" };
    let place = if held { format!("{name} while EndTxn is held") } else { name.to_owned() };
    ledger.injected("F5", &place, over);
    Ok(())
}

/// Books a round; one that failed goes into the bug base.
fn finish(end: RoundEnd, ledger: &Ledger) {
    if !end.is_good() {
        let text = json!({ "seed": end.seed, "faults": end.faults, "violations": end.violations,
                           "verdict": end.verdict });
        let file = Path::new(BUGBASE).join(format!("{}.json", end.seed));
        let written = std::fs::create_dir_all(BUGBASE)
            .and_then(|()| std::fs::write(&file, format!("{text:#}\n")));
        say(&format!("kept as {} ({written:?})", file.display()));
    }
    ledger.round(end);
}

/// Each fault so many times.
fn times(counts: &[(usize, Fault)]) -> Vec<Fault> {
    counts.iter().flat_map(|(count, fault)| vec![fault.clone(); *count]).collect()
}

/// What CI does: everything, a few times.
pub fn ci_deck() -> Vec<Fault> {
    let mut deck = times(&[
        (12, Fault::Kill),
        (5, Fault::KillInRecovery),
        (4, Fault::EndTxnReply),
        (5, Fault::EndTxnLate),
        (4, Fault::Network),
        (2, Fault::Zombie),
        (2, Fault::Twins),
        (1, Fault::TransactionTimeout),
        (2, Fault::DiskFull),
        (6, Fault::SystemCall),
        (1, Fault::SlowDisk),
        (8, Fault::Damaged),
    ]);
    deck.extend(Api::ALL.map(Fault::Request));
    deck.extend(at_points(6, faults::is_of_topics));
    deck
}

/// What the soak does, over and over.
pub fn soak_deck() -> Vec<Fault> {
    let mut deck = times(&[
        (60, Fault::Kill),
        (8, Fault::KillInRecovery),
        (6, Fault::EndTxnReply),
        (8, Fault::EndTxnLate),
        (6, Fault::Network),
        (2, Fault::Zombie),
        (2, Fault::Twins),
        (1, Fault::TransactionTimeout),
        (3, Fault::DiskFull),
        (10, Fault::SystemCall),
        (2, Fault::SlowDisk),
        (8, Fault::Damaged),
    ]);
    deck.extend(Api::ALL.map(Fault::Request));
    deck.extend(at_points(3, faults::is_of_topics));
    deck
}

/// What is done to jobs that write files: there is no transaction to disturb.
pub fn files_deck() -> Vec<Fault> {
    let mut deck = times(&[
        (4, Fault::Kill),
        (2, Fault::KillInRecovery),
        (2, Fault::DiskFull),
        (3, Fault::SystemCall),
    ]);
    // Kills elsewhere are not other ones for files.
    let own = |point: &str| {
        let rest = ["recover.", "publish.", "commit.", "snapshot.renamed"];
        faults::is_of_files(point) && rest.iter().any(|start| point.starts_with(start))
    };
    deck.extend(at_points(usize::MAX, own));
    deck
}

/// A kill at each point, and an error or a delay at one of so many.
fn at_points(one_of: usize, wanted: impl Fn(&str) -> bool) -> Vec<Fault> {
    let mut deck = Vec::new();
    let points = faults::points().iter().copied();
    let points = points.filter(|point| *point != "recover.genesis" && wanted(point));
    for (number, point) in points.enumerate() {
        deck.push(Fault::KillAt(point));
        match number % one_of {
            0 => deck.push(Fault::ErrorAt(point)),
            1 => deck.push(Fault::DelayAt(point)),
            _ => {}
        }
    }
    deck
}

/// Fisher and Yates.
fn shuffle<T>(random: &mut Random, deck: &mut [T]) {
    for last in (1..deck.len()).rev() {
        deck.swap(last, random.within(0, last as u64 + 1) as usize);
    }
}

/// The tier that CI runs.
///
/// # Errors
/// If it could not be run to its end.
pub fn ci(settings: &Settings, ledger: &Ledger) -> Result<()> {
    let mut random = Random::new(settings.seed);
    let mut stage = Stage::set_up(settings, "ci")?;
    replay_all(&stage, ledger)?;
    let rounds = stage.rounds(&mut random, ci_deck(), files_deck());
    stage.deal(rounds, ledger, Instant::now() + Duration::from_secs(3600));
    stage.restart_broker(&mut random, 3, ledger)
}

/// The tier that runs before a release.
///
/// # Errors
/// If it could not be run to its end.
pub fn soak(settings: &Settings, ledger: &Ledger, minutes: u64, out: &Path) -> Result<()> {
    let mut random = Random::new(settings.seed);
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let mut stage = Stage::set_up(settings, "soak")?;
    replay_all(&stage, ledger)?;
    while Instant::now() < end {
        let rounds = stage.rounds(&mut random, soak_deck(), files_deck());
        stage.deal(rounds, ledger, end);
        ledger.write(out, "Soak, so far")?;
        if Instant::now() < end {
            stage.restart_broker(&mut random, 15, ledger)?;
            ledger.write(out, "Soak, so far")?;
        }
    }
    Ok(())
}

/// Runs faults of a list, some times each, with topics or with files.
///
/// # Errors
/// If there is no such fault.
pub fn some(
    settings: &Settings,
    ledger: &Ledger,
    (list, times, files): (&[String], usize, bool),
) -> Result<()> {
    let mut random = Random::new(settings.seed);
    let mut deck = Vec::new();
    for name in list {
        let is_it = |fault: &Fault| fault.kind() == name || fault.to_string() == *name;
        let mut found = faults::deck_of_everything();
        found.retain(is_it);
        if found.is_empty() {
            return Err(error(format!("there is no fault `{name}`")));
        }
        deck.extend((0..times).flat_map(|_| found.clone()));
    }
    let restarts = deck.iter().filter(|fault| **fault == Fault::Broker).count();
    deck.retain(|fault| *fault != Fault::Broker);
    let mut stage = Stage::set_up(settings, "run")?;
    let rounds = match (list.is_empty(), files) {
        (true, _) => {
            vec![Plan { seed: settings.seed, faults: Vec::new(), rate: settings.rate, files }]
        }
        (false, false) => stage.rounds(&mut random, deck, Vec::new()),
        (false, true) => stage.rounds(&mut random, Vec::new(), deck),
    };
    stage.deal(rounds, ledger, Instant::now() + Duration::from_secs(24 * 3600));
    if restarts > 0 {
        stage.restart_broker(&mut random, restarts as u32, ledger)?;
    }
    Ok(())
}

/// Runs what is in the bug base.
fn replay_all(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let mut files: Vec<PathBuf> = match std::fs::read_dir(BUGBASE) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    for file in files {
        let plan = read_plan(&file, stage.rate)?;
        say(&format!("from the bug base: {}", file.display()));
        ledger.round(stage.lanes[0].run(&plan, ledger, None));
    }
    Ok(())
}

/// A round of the bug base.
///
/// # Errors
/// If the file is none.
fn read_plan(file: &Path, rate: u64) -> Result<Plan> {
    let text: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let seed = text["seed"].as_u64().ok_or_else(|| error("a round has a seed"))?;
    let faults = text["faults"].as_array().cloned().unwrap_or_default();
    let names: Vec<&str> = faults.iter().filter_map(Value::as_str).collect();
    let files = names.iter().any(|name| name.starts_with(IN_FILES));
    let bare = |name: &str| name.strip_prefix(IN_FILES).unwrap_or(name).trim().to_owned();
    // The seed decides about this one.
    let names = names.into_iter().map(bare).filter(|name| !name.ends_with("recover.genesis"));
    let faults = names.map(|name| name.parse()).collect::<Result<_>>()?;
    Ok(Plan { seed, faults, rate, files })
}
