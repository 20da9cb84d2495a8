//! What a machine does to a job: its disk is full, slow or broken.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::broker::wait_until;
use crate::engine::{Engine, Suffers};
use crate::faults::milliseconds;
use crate::lane::Round;

/// System calls that make a checkpoint durable.
const CALLS: [&str; 6] = ["fsync", "fdatasync", "rename", "link", "linkat", "mkdir"];
/// Of these, the ones that wait for the disk.
const SYNCS: &str = "fsync,fdatasync";

/// Fills the disk of the job's state, and gives it back.
pub fn disk_full(round: &mut Round<'_>) -> Result<(bool, String)> {
    if !round.has_disk() {
        return Ok((false, String::new()));
    }
    let ballast = round.disk().join("ballast");
    let spare_kib = round.random.within(0, 64);
    // Fills the disk and gives a little back: the job fails at another write each time.
    let _ = Command::new("dd")
        .args(["if=/dev/zero", "bs=4096", "status=none"])
        .arg(format!("of={}", ballast.display()))
        .stderr(std::process::Stdio::null())
        .status()?;
    let filled = fs::metadata(&ballast)?.len();
    fs::OpenOptions::new()
        .write(true)
        .open(&ballast)?
        .set_len(filled.saturating_sub(spare_kib << 10))?;
    let time = milliseconds(round, 1000, 5000);
    let started = Instant::now();
    let mut hit = false;
    let mut kept = Ok(());
    while started.elapsed() < time && kept.is_ok() {
        let said = round.engine.as_ref().map(Engine::said).unwrap_or_default();
        hit |= said.contains("No space left");
        kept = round.supervise();
        thread::sleep(Duration::from_millis(100));
    }
    fs::remove_file(&ballast)?;
    kept.map(|()| (hit, format!("{} KiB left", spare_kib / 16 * 16)))
}

/// Starts the job under `strace`, which does something to its calls; the trace's file.
fn start_traced(round: &mut Round<'_>, calls: &str, injected: &str) -> Result<PathBuf> {
    let trace = round.dir.join("strace.txt");
    round.kill_at_random()?;
    let strace = ["-f", "-qq", "--seccomp-bpf", "-o"]
        .map(str::to_owned)
        .into_iter()
        .chain([trace.display().to_string()])
        .chain(["-e".to_owned(), format!("trace={calls}")])
        .chain(["-e".to_owned(), format!("inject={calls}:{injected}")])
        .collect();
    round.start(&Suffers { points: None, strace: Some(strace) })?;
    Ok(trace)
}

/// One call that makes a checkpoint durable fails.
pub fn system_call(round: &mut Round<'_>) -> Result<(bool, String)> {
    let call = *round.random.choose(&CALLS);
    let failure = *round.random.choose(&["EIO", "ENOSPC"]);
    let when = round.random.within(1, 40);
    let trace = start_traced(round, call, &format!("error={failure}:when={when}"))?;
    let injected = || fs::read_to_string(&trace).unwrap_or_default().contains("(INJECTED)");
    let hit = wait_until(Duration::from_secs(10), injected);
    // Long enough for it to commit what it believes to be durable.
    thread::sleep(milliseconds(round, 300, 1500));
    round.kill()?;
    let _ = fs::remove_file(&trace);
    Ok((hit, format!("{call} {failure}")))
}

/// Every write that waits for the disk takes long: a little, and epochs still come; or so long that
/// transactions may time out before their checkpoint is durable.
pub fn slow_disk(round: &mut Round<'_>) -> Result<(bool, String)> {
    let delay_ms = *round.random.choose(&[20, 500, 2000]);
    let trace = start_traced(round, SYNCS, &format!("delay_exit={}", delay_ms * 1000))?;
    if delay_ms < 100 {
        round.advance()?;
    } else {
        let time = milliseconds(round, 4000, 12_000);
        let started = Instant::now();
        while started.elapsed() < time {
            round.supervise()?;
            thread::sleep(Duration::from_millis(20));
        }
    }
    let hit = fs::read_to_string(&trace).unwrap_or_default().contains("(DELAYED)");
    round.kill()?;
    let _ = fs::remove_file(&trace);
    Ok((hit, format!("{delay_ms} ms")))
}
