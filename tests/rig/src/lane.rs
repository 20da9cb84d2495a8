//! A round: one job with topics of its own, from its first record to the verdict.
//!
//! ```text
//!  topics · reader · generator · job ──► first windows ──► fault, progress, fault, progress … ──►
//!  last records ──► all committed ──► clean stop ──► read back ──► oracle.py
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::broker::{Access, wait_until};
use crate::engine::{Engine, FENCED, Launch, REFUSED, Suffers, was_killed};
use crate::faults::Fault;
use crate::generator::Generator;
use crate::ledger::{Ledger, RoundEnd};
use crate::reader::{LiveReader, Progress, read_all, read_files};
use crate::scratch::{mount, unmount};
use crate::seed::Random;
use crate::workload::{JobText, OUTPUT_PARTITIONS, PARTITIONS};
use crate::{Error, Result, error, say};

/// How long a job may take to show something new; a broker's restart is part of it.
const PATIENCE: Duration = Duration::from_secs(120);
/// The kind of all faults in rounds whose job writes files.
pub const IN_FILES: &str = "F32";
/// Ends by itself, without progress in between, that are a crash loop.
const CRASH_LOOP: u32 = 20;

/// Where rounds run.
#[derive(Clone)]
pub struct Lane {
    /// Its number, from 0.
    pub number: usize,
    /// Its broker.
    pub access: Access,
    /// Below this everything is kept.
    pub dir: PathBuf,
    /// The program under test.
    pub binary: PathBuf,
    /// The planted bug, if the tester is tested.
    pub mutant: Option<String>,
}

/// What a round shall be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// What happens, in this order.
    pub faults: Vec<Fault>,
    /// Records a second.
    pub rate: u64,
    /// Whether the job writes files instead of a topic.
    pub files: bool,
}

/// A round that runs.
pub struct Round<'a> {
    /// Its lane.
    pub lane: &'a Lane,
    /// Where faults are counted.
    pub ledger: &'a Ledger,
    /// Its chance.
    pub random: Random,
    /// The directory of this round.
    pub dir: PathBuf,
    /// How its job is started.
    pub launch: Launch,
    /// The job, if it was started.
    pub engine: Option<Engine>,
    /// What is visible.
    pub progress: Arc<Progress>,
    /// What it is told.
    pub text: JobText,
    /// What may not be, and was seen.
    pub violations: Vec<String>,
    done: Vec<String>,
    mounted: bool,
    crashes: u32,
}

/// Something that goes on beside the job while it runs, until it is false.
pub type Meanwhile<'a> = &'a (dyn Fn(&Arc<Progress>) -> bool + Sync);

impl Lane {
    /// Runs a round to its verdict.
    pub fn run(&self, plan: &Plan, ledger: &Ledger, meanwhile: Option<Meanwhile<'_>>) -> RoundEnd {
        let dir = self.dir.join(format!("round-{}", plan.seed));
        let end = match Round::prepare(self, plan, ledger, dir.clone()) {
            Ok(mut round) => {
                let verdict = round.run(plan, meanwhile).unwrap_or_else(|cause| failed(&cause));
                if self.access.skipped_markers(&round.text.name) {
                    round.violations.push("VOID: the broker skipped markers".to_owned());
                }
                round.engine = None;
                let faults = std::mem::take(&mut round.done);
                let violations = std::mem::take(&mut round.violations);
                let end = RoundEnd { seed: plan.seed, faults, verdict, violations, kept: None };
                round.unmount(!end.is_good());
                end
            }
            Err(cause) => RoundEnd {
                seed: plan.seed,
                faults: Vec::new(),
                verdict: failed(&cause),
                violations: Vec::new(),
                kept: None,
            },
        };
        let kept = (!end.is_good()).then(|| dir.display().to_string());
        if kept.is_none() {
            let _ = std::fs::remove_dir_all(&dir);
        }
        let end = RoundEnd { kept, ..end };
        say(&format!("lane {}: {}: {}", self.number, verdict_word(&end), end.summary()));
        if !end.is_good() {
            say(&format!("lane {}: {}", self.number, end.verdict["examples"]));
        }
        end
    }
}

fn verdict_word(end: &RoundEnd) -> &'static str {
    if end.is_good() { "good" } else { "FAILED" }
}

fn failed(cause: &Error) -> Value {
    json!({ "ok": false, "examples": { "invalid": cause.to_string() } })
}

impl<'a> Round<'a> {
    fn prepare(lane: &'a Lane, plan: &Plan, ledger: &'a Ledger, dir: PathBuf) -> Result<Self> {
        let mut random = Random::new(plan.seed);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("disk"))?;
        let mounted = mount(&dir.join("disk"));
        let name = format!("rig-{}-{}-{}", std::process::id(), lane.number, plan.seed);
        let text = JobText {
            bootstrap: lane.access.proxied.clone(),
            input: format!("{name}-in"),
            output: format!("{name}-out"),
            files: plan.files.then(|| dir.join("disk/out").display().to_string()),
            name,
            interval_ms: *random.choose(&[100, 200, 200, 300, 500]),
            transaction_timeout_ms: 4000,
        };
        lane.access.create_topic(&text.input, PARTITIONS)?;
        lane.access.create_topic(&text.output, OUTPUT_PARTITIONS)?;
        let launch = Launch {
            binary: lane.binary.clone(),
            job: dir.join("job.sql"),
            state: dir.join("disk/state"),
            log: dir.join("job.log"),
            mutant: lane.mutant.clone(),
        };
        std::fs::write(&launch.job, text.sql())?;
        Ok(Round {
            lane,
            ledger,
            random,
            dir,
            launch,
            engine: None,
            progress: Arc::default(),
            text,
            violations: Vec::new(),
            done: Vec::new(),
            mounted,
            crashes: 0,
        })
    }

    fn run(&mut self, plan: &Plan, meanwhile: Option<Meanwhile<'_>>) -> Result<Value> {
        let access = &self.lane.access;
        let live = self.dir.join("live.jsonl");
        let reader = match &self.text.files {
            None => LiveReader::start(access, &self.text.output, OUTPUT_PARTITIONS, &live)?,
            Some(directory) => LiveReader::start_on_files(Path::new(directory), &live)?,
        };
        self.progress = reader.progress().clone();
        let acked = self.dir.join("acked.txt");
        let generator = Generator::start(access, &self.text.input, plan.seed, plan.rate, &acked)?;
        self.genesis()?;
        self.start(&Suffers::default())?;
        self.until("the first windows", |round| round.progress.windows() > 0)?;
        generator.allow_late();
        for fault in &plan.faults {
            let before = self.progress.epochs();
            let (hit, place) =
                fault.inject(self).map_err(|cause| error(format!("{fault}: {cause}")))?;
            // A plain kill has counted itself: other faults begin with one, too. A broker's restart
            // is counted once, not on each lane.
            if !matches!(fault, Fault::Kill | Fault::Broker) {
                self.ledger.injected(self.kind_of(fault), &place, hit);
            }
            self.done.push(self.name_of(fault));
            self.advance().map_err(|cause| error(format!("after {fault}: {cause}")))?;
            if self.progress.epochs() == before {
                self.violations
                    .push(format!("{fault}: no epoch became visible since the fault before"));
            }
        }
        if let Some(meanwhile) = meanwhile {
            while meanwhile(&self.progress) {
                self.supervise()?;
                thread::sleep(Duration::from_millis(20));
            }
            self.advance()?;
        }
        generator.finish()?;
        self.until("all input to be committed", |round| round.all_committed())?;
        // The last epoch that moved a position may still have none of its rows shown.
        self.stop()?;
        if self.has_staged_parts() {
            self.until("the last parts to be published", |round| !round.has_staged_parts())?;
            self.stop()?;
        }
        self.check_growth()?;
        self.judge(reader)
    }

    fn stop(&mut self) -> Result<()> {
        match self.engine.take() {
            Some(mut engine) => engine.stop(),
            None => Ok(()),
        }
    }

    /// In a round with files everything is counted as one kind.
    fn kind_of(&self, fault: &Fault) -> &'static str {
        if self.text.files.is_some() { IN_FILES } else { fault.kind() }
    }

    fn name_of(&self, fault: &Fault) -> String {
        if self.text.files.is_some() { format!("{IN_FILES} {fault}") } else { fault.to_string() }
    }

    /// Parts that were written and are not visible yet.
    fn has_staged_parts(&self) -> bool {
        let Some(directory) = &self.text.files else { return false };
        let staged = std::fs::read_dir(Path::new(directory).join(".staged"));
        let mut names = staged.into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with("part-"))
    }

    /// However often it was killed: nothing may pile up.
    fn check_growth(&mut self) -> Result<()> {
        for (name, most) in [("checkpoints", 5), ("quarantine", 1), ("live", 1)] {
            let count =
                std::fs::read_dir(self.launch.state.join(name)).into_iter().flatten().count();
            if count > most {
                self.violations.push(format!("{count} entries are left in {name}/"));
            }
        }
        Ok(())
    }

    /// The first start of all: the point that only it passes.
    fn genesis(&mut self) -> Result<()> {
        if self.random.once_in(2) {
            return Ok(());
        }
        let hit = self.dies_at("recover.genesis", 0)?;
        let genesis = Fault::KillAt("recover.genesis");
        self.ledger.injected(self.kind_of(&genesis), "recover.genesis", hit);
        self.done.push(self.name_of(&genesis));
        Ok(())
    }

    /// Starts the job anew, armed; true if it died of it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn dies_at(&mut self, point: &str, after: u64) -> Result<bool> {
        self.start(&points(format!("{point}={after}*off->return(kill)")))?;
        let Some(engine) = self.engine.as_mut() else { return Ok(false) };
        let ended = engine.wait(Duration::from_secs(20))?;
        let hit = ended.is_some_and(was_killed);
        if ended.is_some() && !hit {
            self.ledger.exited(format!("{}", ended.unwrap_or_default()));
        }
        self.kill()?;
        Ok(hit)
    }

    /// Starts the job; one that runs is killed before.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&mut self, suffers: &Suffers) -> Result<()> {
        self.kill()?;
        self.engine = Some(self.launch.start(suffers)?);
        Ok(())
    }

    /// kill -9, if it runs.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        match self.engine.take() {
            Some(mut engine) => engine.kill(),
            None => Ok(()),
        }
    }

    /// Kills the job at a random moment and counts that.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill_at_random(&mut self) -> Result<()> {
        thread::sleep(Duration::from_millis(self.random.within(0, 2 * self.text.interval_ms)));
        let running = match self.engine.as_mut() {
            Some(engine) => engine.ended()?.is_none(),
            None => false,
        };
        self.kill()?;
        if running {
            self.ledger.injected("F1", "", true);
        }
        Ok(())
    }

    /// Starts the job if need be and waits until it has shown two more epochs.
    ///
    /// # Errors
    /// If it does not.
    pub fn advance(&mut self) -> Result<()> {
        let before = self.progress.epochs();
        self.until("progress", |round| round.progress.epochs() >= before + 2)?;
        self.crashes = 0;
        Ok(())
    }

    /// Waits, and keeps the job running meanwhile.
    ///
    /// # Errors
    /// If it takes too long, or the job cannot be kept running.
    pub fn until(&mut self, what: &str, done: impl Fn(&Round<'a>) -> bool) -> Result<()> {
        let started = Instant::now();
        while !done(self) {
            self.supervise()?;
            if started.elapsed() > PATIENCE {
                return Err(error(format!("waited {} s for {what}", PATIENCE.as_secs())));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Starts the job again if it has ended by itself.
    ///
    /// # Errors
    /// If it will not run.
    pub fn supervise(&mut self) -> Result<()> {
        let Some(engine) = self.engine.as_mut() else { return self.start(&Suffers::default()) };
        let Some(status) = engine.ended()? else { return Ok(()) };
        let said = engine.said();
        self.engine = None;
        self.ledger.exited(status.to_string());
        if said.contains("panicked at") {
            self.violations.push(format!("the job panicked: {}", last_line(&said, "panicked at")));
        }
        if status.code() == Some(FENCED) {
            self.violations.push("the job was fenced, and nobody else ran".to_owned());
        }
        self.crashes += 1;
        if matches!(status.code(), Some(REFUSED | 2 | 3)) || self.crashes >= CRASH_LOOP {
            let tail = said.lines().rev().take(3).collect::<Vec<_>>();
            return Err(error(format!("the job ends with {status}: {}", tail.join(" / "))));
        }
        thread::sleep(Duration::from_millis(100));
        self.start(&Suffers::default())
    }

    fn all_committed(&self) -> bool {
        let JobText { name, input, .. } = &self.text;
        let access = &self.lane.access;
        let Ok(ends) = access.ends(input, PARTITIONS, "read_uncommitted") else { return false };
        let Ok(committed) = access.committed(name, input, PARTITIONS) else { return false };
        ends.iter().zip(&committed).all(|(end, (offset, _))| offset.unwrap_or(0) >= *end)
    }

    fn judge(&mut self, reader: LiveReader) -> Result<Value> {
        let JobText { input, output, .. } = self.text.clone();
        let access = &self.lane.access;
        let closed = self.text.files.is_some()
            || wait_until(Duration::from_secs(15), || {
                let ends = |isolation| access.ends(&output, OUTPUT_PARTITIONS, isolation).ok();
                ends("read_committed").is_some_and(|ends_| Some(ends_) == ends("read_uncommitted"))
            });
        if !closed {
            self.violations.push("a transaction hangs: read_committed ends earlier".to_owned());
        }
        read_all(access, &input, PARTITIONS, &self.dir.join("input.jsonl"))?;
        let file = self.dir.join("output.jsonl");
        let rows = match &self.text.files {
            None => read_all(access, &output, OUTPUT_PARTITIONS, &file)?,
            Some(directory) => read_files(Path::new(directory), &file)?,
        };
        reader.finish(rows)?;
        let verdict = ask_oracle(&self.dir)?;
        if verdict["ok"] == json!(true) {
            access.delete_topics(&[&input, &output])?;
        }
        Ok(verdict)
    }

    /// Gives the disk back; what is on it is kept if somebody will want to look at it.
    fn unmount(&mut self, keep: bool) {
        if self.mounted {
            if keep {
                let copy = self.dir.join("disk-copy");
                let _ = Command::new("cp").arg("-r").arg(self.disk()).arg(copy).status();
            }
            unmount(&self.disk());
            self.mounted = false;
        }
    }

    /// True if the state directory has a disk of its own.
    pub fn has_disk(&self) -> bool {
        self.mounted
    }

    /// The state directory's disk.
    pub fn disk(&self) -> PathBuf {
        self.dir.join("disk")
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        self.engine = None;
        self.unmount(false);
    }
}

/// Fault points for one start.
pub fn points(actions: String) -> Suffers {
    Suffers { points: Some(actions), strace: None }
}

/// The judge's word about what is in `dir`.
///
/// # Errors
/// If it says nothing.
pub fn ask_oracle(dir: &Path) -> Result<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle.py");
    let output = Command::new("python3").arg(script).arg(dir).output()?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        error(format!("oracle.py said nothing: {}", String::from_utf8_lossy(&output.stderr)))
    })
}

fn last_line(text: &str, with: &str) -> String {
    text.lines().rev().find(|line| line.contains(with)).unwrap_or_default().to_owned()
}
