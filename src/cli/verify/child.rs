//! One start of the job as a process of its own, which can be killed.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use millstream::state::fault;

use super::super::args::SqlArguments;
use super::Failure;
use super::crash::Crash;

/// How often it is looked whether the process has ended.
const LOOK: Duration = Duration::from_millis(1);
/// Signals, by number: what `abort` and `kill -9` end a process with.
const ABORT: i32 = 6;
const KILL: i32 = 9;

/// The job as every run of it is started.
pub struct Job<'a> {
    /// The SQL as a file.
    pub sql: PathBuf,
    /// Settings, parallelism and variables as the user gave them.
    pub arguments: &'a SqlArguments,
    /// Name for Kafka.
    pub name: String,
}

/// Where one run keeps its things.
pub struct Run {
    /// Its state directory.
    pub state: PathBuf,
    /// Where its tables go.
    pub results: PathBuf,
    /// What its last start said.
    pub log: PathBuf,
}

impl Run {
    /// The places of a run below `directory`.
    pub fn new(directory: &Path) -> Self {
        let place = |name| directory.join(name);
        Run { state: place("state"), results: place("results"), log: place("log") }
    }

    /// True if the job had finished and forgotten its state before it was killed: only its exit code
    /// was lost, and another start would run the query once more.
    pub fn has_finished(&self) -> bool {
        let entries = |place: &Path| fs::read_dir(place).into_iter().flatten().flatten();
        let is_last = |record: &fs::DirEntry| {
            fs::read_to_string(record.path()).is_ok_and(|text| text.contains("\"finished\":true"))
        };
        // A checkpoint that is half removed is none any more.
        let is_whole =
            |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().ends_with(".tmp");
        let mut tables = entries(&self.results).peekable();
        !entries(&self.state.join("checkpoints")).any(|entry| is_whole(&entry))
            && tables.peek().is_some()
            && tables.all(|table| entries(&table.path().join("_commits")).any(|at| is_last(&at)))
    }
}

/// How a start ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, all done.
    Finished,
    /// Killed at a random moment.
    Killed,
    /// Died at the step that was asked for.
    AtPoint(&'static str),
}

impl Job<'_> {
    /// Starts the job and waits for its end, or kills it.
    pub fn start(
        &self,
        run: &Run,
        interval: Duration,
        crash: Option<Crash>,
    ) -> Result<End, Failure> {
        let failed =
            |error: std::io::Error| Failure::run(format!("cannot start the job: {error}"), None);
        let mut command = self.command(run, interval).map_err(failed)?;
        if let Some(faults) = crash.and_then(|crash| crash.faults()) {
            command.env(fault::VARIABLE, faults);
        }
        let mut child = command.spawn().map_err(failed)?;
        let status = wait(&mut child, crash.map(|crash| crash.after)).map_err(failed)?;
        match (status.signal(), crash.and_then(|crash| crash.at)) {
            (None, _) if status.success() => Ok(End::Finished),
            (Some(KILL), _) if crash.is_some() => Ok(End::Killed),
            // One that aborts by itself says why.
            (Some(ABORT), Some((point, _))) if self.said(run).is_empty() => Ok(End::AtPoint(point)),
            _ => Err(self.failure(run, status)),
        }
    }

    fn command(&self, run: &Run, interval: Duration) -> std::io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("run")
            .arg(&self.sql)
            .args(["--quiet", "--output", "none", "--name", &self.name]);
        command.arg("--state-dir").arg(&run.state).arg("--redirect-sinks").arg(&run.results);
        for (key, value) in &self.arguments.set {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        let interval = format!("execution.checkpointing.interval={} ms", interval.as_millis());
        command.arg("--set").arg(interval);
        if let Some(parallelism) = self.arguments.parallelism {
            command.arg("--parallelism").arg(parallelism.to_string());
        }
        if let Some(file) = &self.arguments.env_file {
            command.arg("--env-file").arg(file);
        }
        let log = File::create(&run.log)?;
        command.env_remove(fault::VARIABLE).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Ok(command)
    }

    fn failure(&self, run: &Run, status: ExitStatus) -> Failure {
        let message = match self.said(run) {
            said if said.is_empty() => format!("the job ended with {status}"),
            said => format!("the job ended with {status}:\n{said}"),
        };
        Failure::run(message, None)
    }

    /// What the last start wrote to standard error, which is quiet unless something is wrong.
    fn said(&self, run: &Run) -> String {
        std::fs::read_to_string(&run.log).unwrap_or_default().trim_end().to_owned()
    }
}

/// Waits for the end; kills the process after a while if one is given.
fn wait(child: &mut Child, kill_after: Option<Duration>) -> std::io::Result<ExitStatus> {
    let Some(after) = kill_after else { return child.wait() };
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() >= after {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(LOOK);
    }
}
