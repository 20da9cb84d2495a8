//! What is done to a job, and what the job must make of it.
//!
//! Names are those of the fault plan (docs/exactly-once.md). A fault is written `F1`, `F2 commit.sent`,
//! `F8 Produce`; after each the job must show new epochs by itself, or after being started again.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::broker::wait_until;
use crate::engine::{Engine, FENCED, REFUSED, Suffers};
use crate::frame::Api;
use crate::lane::{Round, points as armed};
use crate::proxy::{Action, Rule, Weather};
use crate::{Result, error, machine};

/// The list of points, out of the one place where it is.
const FAULT_RS: &str = include_str!("../../../state/src/fault.rs");

/// One thing that is done to a job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9 at a random moment.
    Kill,
    /// kill -9 at a named point.
    KillAt(&'static str),
    /// Killed again, several times, while it recovers.
    KillInRecovery,
    /// An I/O error at a named point.
    ErrorAt(&'static str),
    /// A named point takes long.
    DelayAt(&'static str),
    /// A broker restarts (done by the campaign: it concerns all lanes).
    Broker,
    /// The reply to EndTxn is lost.
    EndTxnReply,
    /// EndTxn arrives when the client has long sent another one.
    EndTxnLate,
    /// Another request of a transaction or its reply is lost or late.
    Request(Api),
    /// The network is cut, silent, slow.
    Network,
    /// The job stands still while a second one takes over.
    Zombie,
    /// A second one is started beside it.
    Twins,
    /// The broker gives the transaction up.
    TransactionTimeout,
    /// No space is left.
    DiskFull,
    /// A system call of the checkpoint fails.
    SystemCall,
    /// The disk takes long to say that something is durable.
    SlowDisk,
    /// The snapshot that is to be restored is damaged.
    Damaged,
}

/// Names of the points, in the order of the source.
pub fn points() -> &'static [&'static str] {
    static POINTS: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();
    POINTS.get_or_init(|| {
        let list =
            FAULT_RS.split("pub const POINTS").nth(1).and_then(|rest| rest.split("];").next());
        list.unwrap_or_default()
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
            .collect()
    })
}

/// Whether a job that writes a topic passes a point; else it is of sinks that publish files.
pub fn is_of_topics(point: &str) -> bool {
    !["publish.", "recover.part", "recover.stage"].iter().any(|start| point.starts_with(start))
}

/// Whether a job that writes files passes a point; else it is of Kafka's transactions.
pub fn is_of_files(point: &str) -> bool {
    !["commit.begun", "commit.flushed", "commit.offsets-sent", "commit.sent"].contains(&point)
}

/// Points of recovery that every start passes which finds a snapshot.
fn always_passed(point: &str) -> bool {
    point != "recover.genesis" && is_of_topics(point)
}

/// Points that every start passes, and those that every epoch does; the genesis is its own case.
fn in_recovery(point: &str) -> bool {
    point.starts_with("recover.")
}

/// What a kind of fault is, in a few words.
pub fn meaning(kind: &str) -> &'static str {
    match kind {
        "F1" => "kill -9 at a random moment",
        "F2" => "kill -9 at a named point",
        "F3" => "killed 2 to 5 times while recovering",
        "F4" => "error or delay at a named point",
        "F5" => "broker killed or restarted",
        "F6" => "reply to EndTxn lost",
        "F7" => "EndTxn held back or repeated later",
        "F8" => "another request or reply lost or late",
        "F9" => "network cut, silent, slow",
        "F10" => "zombie and its successor",
        "F11" => "two instances at once",
        "F12" => "transaction timed out on the broker",
        "F15" => "disk full",
        "F16" => "system call of a checkpoint fails",
        "F17" => "slow disk",
        "F19" => "damaged snapshot",
        "F32" => "all of these for a job that writes files",
        _ => "",
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.kind())?;
        match self {
            Fault::KillAt(point) | Fault::ErrorAt(point) => write!(out, " {point}"),
            Fault::DelayAt(point) => write!(out, " delay {point}"),
            Fault::Request(api) => write!(out, " {api:?}"),
            _ => Ok(()),
        }
    }
}

impl std::str::FromStr for Fault {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self> {
        deck_of_everything()
            .into_iter()
            .find(|fault| fault.to_string() == text)
            .ok_or_else(|| error(format!("there is no fault `{text}`")))
    }
}

/// Each fault once.
pub fn deck_of_everything() -> Vec<Fault> {
    let mut all = vec![
        Fault::Kill,
        Fault::KillInRecovery,
        Fault::Broker,
        Fault::EndTxnReply,
        Fault::EndTxnLate,
        Fault::Network,
        Fault::Zombie,
        Fault::Twins,
        Fault::TransactionTimeout,
        Fault::DiskFull,
        Fault::SystemCall,
        Fault::SlowDisk,
        Fault::Damaged,
    ];
    for point in points().iter().filter(|point| **point != "recover.genesis") {
        all.extend([Fault::KillAt(point), Fault::ErrorAt(point), Fault::DelayAt(point)]);
    }
    all.extend(Api::ALL.map(Fault::Request));
    all
}

impl Fault {
    /// Its number in the fault plan.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::Kill => "F1",
            Fault::KillAt(_) => "F2",
            Fault::KillInRecovery => "F3",
            Fault::ErrorAt(_) | Fault::DelayAt(_) => "F4",
            Fault::Broker => "F5",
            Fault::EndTxnReply => "F6",
            Fault::EndTxnLate => "F7",
            Fault::Request(_) => "F8",
            Fault::Network => "F9",
            Fault::Zombie => "F10",
            Fault::Twins => "F11",
            Fault::TransactionTimeout => "F12",
            Fault::DiskFull => "F15",
            Fault::SystemCall => "F16",
            Fault::SlowDisk => "F17",
            Fault::Damaged => "F19",
        }
    }

    /// Does it to the job of a round; true if it met what it aimed at, and where.
    ///
    /// # Errors
    /// If it could not be done, or the job did what it may not.
    pub fn inject(&self, round: &mut Round<'_>) -> Result<(bool, String)> {
        match self {
            // Counted by itself, below: other faults begin with one, too.
            Fault::Kill => round.kill_at_random().map(|()| (false, String::new())),
            Fault::KillAt(point) => kill_at(round, point),
            Fault::KillInRecovery => kill_in_recovery(round),
            Fault::ErrorAt(point) => error_at(round, point),
            Fault::DelayAt(point) => delay_at(round, point),
            Fault::Broker => Ok((false, String::new())),
            Fault::EndTxnReply => {
                let action = match round.random.within(0, 4) {
                    0 => Action::SwallowReply,
                    1 => Action::DelayReply(milliseconds(round, 100, 2000)),
                    _ => Action::DropReply,
                };
                request(round, Api::EndTxn, action)
            }
            Fault::EndTxnLate => {
                let time = milliseconds(round, 20, 1500);
                let repeat = round.random.once_in(2);
                let action = if repeat { Action::Repeat(time) } else { Action::Hold(time) };
                let (hit, _) = request(round, Api::EndTxn, action)?;
                // The late copy must have arrived while the job runs.
                thread::sleep(time);
                Ok((hit, if repeat { "repeated" } else { "held" }.to_owned()))
            }
            Fault::Request(api) => {
                let action = match round.random.within(0, 5) {
                    0 => Action::Cut,
                    1 => Action::DelayRequest(milliseconds(round, 100, 3000)),
                    2 => Action::DelayReply(milliseconds(round, 100, 3000)),
                    3 => Action::Repeat(milliseconds(round, 1, 500)),
                    _ => Action::DropReply,
                };
                request(round, *api, action)
            }
            Fault::Network => network(round),
            Fault::Zombie => zombie(round),
            Fault::Twins => twins(round),
            Fault::TransactionTimeout => transaction_timeout(round),
            Fault::DiskFull => machine::disk_full(round),
            Fault::SystemCall => machine::system_call(round),
            Fault::SlowDisk => machine::slow_disk(round),
            Fault::Damaged => damaged(round),
        }
    }
}

/// A time from this range, in milliseconds.
pub(crate) fn milliseconds(round: &mut Round<'_>, low: u64, high: u64) -> Duration {
    Duration::from_millis(round.random.within(low, high))
}

fn kill_at(round: &mut Round<'_>, point: &str) -> Result<(bool, String)> {
    let after = if in_recovery(point) { 0 } else { round.random.within(0, 6) };
    round.kill_at_random()?;
    Ok((round.dies_at(point, after)?, point.to_owned()))
}

fn kill_in_recovery(round: &mut Round<'_>) -> Result<(bool, String)> {
    let recovery: Vec<&str> =
        points().iter().copied().filter(|p| in_recovery(p) && always_passed(p)).collect();
    round.kill_at_random()?;
    let depth = round.random.within(2, 6);
    let mut all = true;
    for _ in 0..depth {
        if round.random.once_in(3) {
            round.start(&Suffers::default())?;
            thread::sleep(milliseconds(round, 5, 500));
            round.kill()?;
        } else {
            let point = *round.random.choose(&recovery);
            all &= round.dies_at(point, 0)?;
        }
    }
    Ok((all, format!("{depth} deep")))
}

fn error_at(round: &mut Round<'_>, point: &str) -> Result<(bool, String)> {
    let after = if in_recovery(point) { 0 } else { round.random.within(0, 6) };
    round.kill_at_random()?;
    round.start(&armed(format!("{point}={after}*off->1*return(Input/output error)")))?;
    let engine = round.engine.as_ref().ok_or_else(|| error("it was started"))?;
    let hit = engine.says(&format!("asked for at `{point}`"), Duration::from_secs(15));
    Ok((hit, format!("error {point}")))
}

fn delay_at(round: &mut Round<'_>, point: &str) -> Result<(bool, String)> {
    let after = if in_recovery(point) { 0 } else { round.random.within(0, 4) };
    let delay = round.random.within(300, 2500);
    round.kill_at_random()?;
    round.start(&armed(format!("{point}={after}*off->1*sleep({delay})")))?;
    // Somewhere within: a delayed step is where a kill is most likely to hurt.
    if round.random.once_in(2) {
        thread::sleep(milliseconds(round, 500, 2000));
        round.kill_at_random()?;
    }
    Ok((true, format!("delay {point}")))
}

fn request(round: &mut Round<'_>, api: Api, action: Action) -> Result<(bool, String)> {
    let proxy = round.lane.access.proxy.clone();
    let before = proxy.hits();
    let after = if api == Api::InitProducerId { 0 } else { round.random.within(0, 3) as u32 };
    if api == Api::InitProducerId {
        round.kill_at_random()?;
    }
    proxy.arm(Rule { api, after, action });
    let started = Instant::now();
    while proxy.hits() == before && started.elapsed() < Duration::from_secs(20) {
        round.supervise()?;
        thread::sleep(Duration::from_millis(5));
    }
    proxy.disarm();
    Ok((proxy.hits() > before, format!("{api:?} {}", word(action))))
}

fn word(action: Action) -> &'static str {
    match action {
        Action::DelayRequest(_) => "delayed",
        Action::DelayReply(_) => "reply delayed",
        Action::DropReply => "reply dropped",
        Action::SwallowReply => "reply swallowed",
        Action::Cut => "cut",
        Action::Hold(_) => "held",
        Action::Repeat(_) => "repeated",
    }
}

fn network(round: &mut Round<'_>) -> Result<(bool, String)> {
    let (weather, name) = match round.random.within(0, 4) {
        0 => (Weather::Cut, "cut"),
        1 => (Weather::BlackHole, "black hole"),
        2 => (Weather::Throttle(64 << 10), "64 KiB/s"),
        _ => (Weather::Late(Duration::from_millis(100)), "100 ms late"),
    };
    let time = if round.random.once_in(4) {
        milliseconds(round, 4000, 10_000)
    } else {
        milliseconds(round, 100, 3000)
    };
    let proxy = round.lane.access.proxy.clone();
    proxy.set_weather(weather);
    let started = Instant::now();
    let mut kept = Ok(());
    while started.elapsed() < time && kept.is_ok() {
        kept = round.supervise();
        thread::sleep(Duration::from_millis(10));
    }
    proxy.set_weather(Weather::Open);
    kept.map(|()| (true, name.to_owned()))
}

/// Copies what a second instance on another machine would have: the snapshots.
fn copy_state(round: &Round<'_>) -> Result<PathBuf> {
    let mut number = 2;
    let place = loop {
        let place = round.disk().join(format!("state-{number}"));
        if !place.exists() {
            break place;
        }
        number += 1;
    };
    let copied = Command::new("cp").arg("-r").arg(&round.launch.state).arg(&place).status()?;
    if !copied.success() {
        return Err(error("the state directory could not be copied"));
    }
    let _ = fs::remove_file(place.join("LOCK"));
    Ok(place)
}

/// The second instance takes the place of the first.
fn succeed(round: &mut Round<'_>, second: Engine, state: PathBuf) {
    round.engine = Some(second);
    let old = std::mem::replace(&mut round.launch.state, state);
    let _ = fs::remove_dir_all(old);
}

fn zombie(round: &mut Round<'_>) -> Result<(bool, String)> {
    thread::sleep(milliseconds(round, 0, 400));
    let mut first = round.engine.take().ok_or_else(|| error("it runs"))?;
    first.signal("STOP");
    let long = round.random.once_in(2);
    if long {
        thread::sleep(Duration::from_millis(round.text.transaction_timeout_ms + 1500));
    }
    let state = copy_state(round)?;
    let first_state = std::mem::replace(&mut round.launch.state, state.clone());
    round.start(&Suffers::default())?;
    round.advance()?;
    let second = round.engine.take().ok_or_else(|| error("it runs"))?;
    round.launch.state = first_state;
    first.signal("CONT");
    let ended = first.wait(Duration::from_secs(60))?;
    match ended.and_then(|status| status.code()) {
        Some(FENCED) => {}
        _ => round.violations.push(format!("F10: the zombie ended with {ended:?}, not {FENCED}")),
    }
    drop(first);
    succeed(round, second, state);
    Ok((true, if long { "past the time-out" } else { "at once" }.to_owned()))
}

fn twins(round: &mut Round<'_>) -> Result<(bool, String)> {
    if round.random.once_in(2) {
        // On the same directory the second one finds it locked, and the first one notices nothing.
        let mut second = round.launch.start(&Suffers::default())?;
        let ended = second.wait(Duration::from_secs(30))?;
        if ended.is_none_or(|status| status.success()) {
            round.violations.push(format!("F11: a second instance ended with {ended:?}"));
        }
        return Ok((true, "one directory".to_owned()));
    }
    let mut first = round.engine.take().ok_or_else(|| error("it runs"))?;
    first.signal("STOP");
    let copied = copy_state(round);
    first.signal("CONT");
    let state = copied?;
    let first_state = std::mem::replace(&mut round.launch.state, state.clone());
    let mut second = round.launch.start(&Suffers::default())?;
    let mut winner = None;
    wait_until(Duration::from_secs(60), || {
        match (first.ended(), second.ended()) {
            (Ok(Some(status)), _) => winner = Some((true, status)),
            (_, Ok(Some(status))) => winner = Some((false, status)),
            _ => {}
        }
        winner.is_some()
    });
    round.launch.state = first_state;
    match winner {
        None => {
            round.violations.push("F11: two instances go on side by side".to_owned());
            drop(second);
            round.engine = Some(first);
        }
        // The first committed once more before it was fenced: the copy is too old to go on from.
        Some((false, status)) if status.code() == Some(REFUSED) => {
            drop(second);
            let ended = first.wait(Duration::from_secs(20))?;
            round.engine = ended.is_none().then_some(first);
            let _ = fs::remove_dir_all(state);
        }
        Some((second_won, status)) => {
            if status.code() != Some(FENCED) {
                round.violations.push(format!("F11: the loser ended with {status}, not {FENCED}"));
            }
            if second_won {
                drop(first);
                succeed(round, second, state);
            } else {
                drop(second);
                round.engine = Some(first);
                let _ = fs::remove_dir_all(state);
            }
        }
    }
    Ok((true, "two copies".to_owned()))
}

fn transaction_timeout(round: &mut Round<'_>) -> Result<(bool, String)> {
    let sleep_ms = round.text.transaction_timeout_ms + 2500;
    let point =
        *round.random.choose(&["commit.flushed", "commit.offsets-sent", "snapshot.durable"]);
    round.kill_at_random()?;
    round.start(&armed(format!("{point}=3*off->1*sleep({sleep_ms})")))?;
    let started = Instant::now();
    let mut still = Instant::now();
    let mut epochs = round.progress.epochs();
    let mut longest = Duration::ZERO;
    // Until it stood still for the whole time-out.
    while longest.as_millis() < u128::from(round.text.transaction_timeout_ms)
        && started.elapsed() < Duration::from_secs(20)
    {
        round.supervise()?;
        if round.progress.epochs() != epochs {
            epochs = round.progress.epochs();
            still = Instant::now();
        }
        longest = longest.max(still.elapsed());
        thread::sleep(Duration::from_millis(10));
    }
    Ok((longest.as_millis() >= u128::from(round.text.transaction_timeout_ms), point.to_owned()))
}

/// The number of the epoch that the broker says was committed.
fn committed_epoch(round: &Round<'_>) -> Option<u64> {
    let name = &round.text.name;
    let committed = round.lane.access.committed(name, &round.text.input, 1).ok()?;
    committed.first()?.1.split(';').find_map(|field| field.trim().parse().ok())
}

fn damaged(round: &mut Round<'_>) -> Result<(bool, String)> {
    round.kill_at_random()?;
    // A commit that was under way is decided when the next instance fences the dead one.
    thread::sleep(Duration::from_millis(200));
    let epoch = committed_epoch(round).ok_or_else(|| error("the broker knows no epoch"))?;
    let snapshot = round.launch.state.join("checkpoints").join(format!("{epoch:012}"));
    let mut files = Vec::new();
    list(&snapshot, &mut files)?;
    files.sort();
    let file = files[round.random.within(0, files.len() as u64) as usize].clone();
    let whole = fs::read(&file)?;
    let how = damage(round, &file, &whole)?;
    let place = format!("{how} {}", family(&file));
    let rows = round.progress.rows();
    round.start(&Suffers::default())?;
    let engine = round.engine.as_mut().ok_or_else(|| error("it was started"))?;
    let ended = engine.wait(Duration::from_secs(20))?;
    let said = engine.said();
    round.kill()?;
    // A commit that was already under way becomes visible by fencing; nothing else may.
    let refused = ended.is_some_and(|status| !status.success());
    if !refused {
        round.violations.push(format!(
            "F19: {how} of {} was not noticed: {} more rows; it said {}",
            file.display(),
            round.progress.rows() - rows,
            said.lines().last().unwrap_or_default()
        ));
    }
    fs::write(&file, &whole)?;
    Ok((refused, place))
}

fn damage(round: &mut Round<'_>, file: &Path, whole: &[u8]) -> Result<&'static str> {
    let choice = if whole.is_empty() { 0 } else { round.random.within(0, 4) };
    if choice == 0 {
        fs::remove_file(file)?;
        return Ok("deletion");
    }
    if choice == 1 {
        let keep = round.random.within(0, whole.len() as u64) as usize;
        fs::write(file, &whole[..keep])?;
        return Ok("truncation");
    }
    let mut bytes = whole.to_vec();
    let bit = round.random.within(0, 8 * whole.len() as u64) as usize;
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(file, bytes)?;
    Ok("flipped bit")
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|cause| error(format!("{}: {cause}", dir.display())))? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// `sst` of `000012.sst`, `MANIFEST` of `MANIFEST-000004`.
fn family(file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match name.rsplit_once('.') {
        Some((_, extension)) if extension != "json" => extension.to_owned(),
        _ => name.split('-').next().unwrap_or_default().to_owned(),
    }
}
