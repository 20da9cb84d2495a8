//! The job under test: one process `millstream run`, its signals, its fault points and its log.

use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::broker::wait_until;
use crate::{Result, error};

/// Where the job's fault points are set.
const POINTS: &str = "MILLSTREAM_FAULTS";
/// Where a planted bug is chosen.
const MUTANT: &str = "MILLSTREAM_MUTANT";

/// Exit code of a job that was fenced by another instance.
pub const FENCED: i32 = 7;
/// Exit code of a job that refuses to go on from this state.
pub const REFUSED: i32 = 6;

/// How the job is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub binary: PathBuf,
    /// The SQL file.
    pub job: PathBuf,
    /// Its state directory.
    pub state: PathBuf,
    /// What it says goes here, start after start.
    pub log: PathBuf,
    /// A planted bug, if any.
    pub mutant: Option<String>,
}

/// One start of it.
pub struct Engine {
    child: Child,
    log: PathBuf,
    log_from: u64,
    /// True if another program runs it, so that signals must go to its child.
    wrapped: bool,
}

/// What one start shall suffer.
#[derive(Clone, Debug, Default)]
pub struct Suffers {
    /// Actions of fault points, as in `commit.sent=return(kill)`.
    pub points: Option<String>,
    /// Arguments of `strace`, under which the job runs.
    pub strace: Option<Vec<String>>,
}

impl Launch {
    /// Starts the job.
    ///
    /// # Errors
    /// If there is no such program.
    pub fn start(&self, suffers: &Suffers) -> Result<Engine> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let log_from = log.metadata()?.len();
        // It dies with the rig's thread that started it, however that ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]);
        if let Some(arguments) = &suffers.strace {
            command.arg("strace").args(arguments).arg("--");
        }
        command.arg(&self.binary);
        command.arg("run").arg(&self.job).arg("--state-dir").arg(&self.state);
        command.args(["-p", "2", "--memory", "64MiB"]);
        command.env_remove(POINTS).env_remove(MUTANT).env("RUST_BACKTRACE", "1");
        if let Some(points) = &suffers.points {
            command.env(POINTS, points);
        }
        if let Some(mutant) = &self.mutant {
            command.env(MUTANT, mutant);
        }
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Engine { child, log: self.log.clone(), log_from, wrapped: suffers.strace.is_some() })
    }
}

impl Engine {
    /// Its process id, or that of the process that it is run by.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for it to end; `None` if it does not in time.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let started = Instant::now();
        loop {
            let ended = self.child.try_wait()?;
            if ended.is_some() || started.elapsed() > limit {
                return Ok(ended);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// kill -9, and waits until it is gone.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        if self.wrapped && self.ended()?.is_none() {
            for child in children(self.child.id()) {
                signal(child, "KILL");
            }
            // The wrapper ends by itself with what it wraps; its own end is only made sure of.
            self.wait(Duration::from_secs(5))?;
        }
        let _ = self.child.kill();
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Stops it as a user does.
    ///
    /// # Errors
    /// If it does not end, or with an error.
    pub fn stop(&mut self) -> Result<()> {
        self.signal("INT");
        match self.wait(Duration::from_secs(60))? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(error(format!("a clean stop ended with {status}"))),
            None => {
                self.kill()?;
                Err(error("a clean stop took more than a minute"))
            }
        }
    }

    /// What this start has said.
    pub fn said(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        let from = (self.log_from as usize).min(bytes.len());
        String::from_utf8_lossy(&bytes[from..]).into_owned()
    }

    /// Waits until it says `text`.
    pub fn says(&self, text: &str, limit: Duration) -> bool {
        wait_until(limit, || self.said().contains(text))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A job that stands still does not die of anything else.
        let _ = self.kill();
    }
}

/// True if a process ended as by kill -9: by the harness, or by itself at a fault point.
pub fn was_killed(status: ExitStatus) -> bool {
    // abort() is signal 6; under strace the wrapper passes it on, or says 128 + n.
    matches!(status.signal(), Some(6 | 9)) || matches!(status.code(), Some(134 | 137))
}

/// Sends a signal to a process that we started.
fn signal(pid: u32, name: &str) {
    let _ =
        Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Processes whose parent this is.
fn children(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Starts a log anew.
///
/// # Errors
/// If it cannot be written.
pub fn fresh_log(path: &Path) -> Result<()> {
    File::create(path)?;
    Ok(())
}
