//! `millstream verify`: the user's own query, once in peace and then with crashes; are the results
//! the same?
//!
//! Each start of the job is a process of its own, so a crash is a real one. The undisturbed run has
//! no epochs at all: what it is compared with shares no code of recovery or commit.
//!
//! ```text
//!  peace    ───────────────────────────────────▶ rows
//!  run 1    ────✗─────✗──✗────────────────────▶ rows   equal, as multisets?
//!  run 2    ──✗────────────✗──────────────────▶ rows
//!  …        until there were N crashes
//! ```

mod bounded;
mod child;
mod crash;
mod results;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use millstream::engine::report::{format_ns, group_digits};
use millstream::state::fault;
use millstream::{Plan, SourceText};

use super::args::VerifyArguments;
use super::failure::Failure;
use super::{say, source};
use child::{End, Job, Run};
use crash::Crashes;
use results::{Difference, Results};

/// Epochs within the longest time that a start may live, so that most crashes have some before.
const EPOCHS_A_START: u32 = 8;
/// No start is killed earlier as a rule: so long takes a process to begin its work.
const SHORTEST: Duration = Duration::from_millis(400);
/// Times between epochs.
const INTERVALS: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];
/// So many runs in a row that end before they can be killed are enough.
const MOST_RUNS_WITHOUT_CRASH: u32 = 30;

/// What was done to the job so far.
#[derive(Default)]
struct Tally {
    runs: u32,
    crashes: u32,
    points: BTreeMap<&'static str, u32>,
}

/// Runs the query undisturbed and with crashes; says whether the results are equal.
pub fn verify(arguments: &VerifyArguments, colour: bool) -> Result<(), Failure> {
    let sql = source::read(&arguments.sql)?;
    let plan = source::plan(&sql, &arguments.sql, colour)?;
    check(&plan)?;
    let seed = arguments.seed.unwrap_or_else(seed_of_the_moment);
    let workspace = tempfile::Builder::new().prefix("millstream-verify-").tempdir();
    let mut workspace =
        workspace.map_err(|error| Failure::run(format!("temporary directory: {error}"), None))?;
    if arguments.keep {
        workspace.disable_cleanup(true);
        say(&format!("state and results are left in {}", workspace.path().display()));
    }
    let verdict = Verification::new(arguments, &sql, seed, workspace.path())?.run();
    verdict.map_err(|failure| failure.with_hint(again(seed, arguments.keep)))
}

fn check(plan: &Plan) -> Result<(), Failure> {
    if plan.graph.sinks().next().is_none() {
        let hint = "add an INSERT INTO, or a SELECT".to_owned();
        return Err(Failure::invalid("the SQL writes nothing that could be compared", Some(hint)));
    }
    bounded::check(&plan.graph)
}

fn again(seed: u64, kept: bool) -> String {
    match kept {
        true => format!("--seed {seed} repeats these crashes"),
        false => {
            format!("--seed {seed} --keep repeats these crashes and leaves all files for a look")
        }
    }
}

/// A seed that is not worth more thought: it is printed, and one can give it again.
fn seed_of_the_moment() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos() as u64 % 1_000_000
}

struct Verification<'a> {
    job: Job<'a>,
    wanted: u32,
    seed: u64,
    workspace: &'a Path,
    tally: Tally,
}

impl<'a> Verification<'a> {
    fn new(
        arguments: &'a VerifyArguments,
        sql: &SourceText,
        seed: u64,
        workspace: &'a Path,
    ) -> Result<Self, Failure> {
        let file: PathBuf = workspace.join("job.sql");
        std::fs::write(&file, &sql.text).map_err(|error| at(&file, &error))?;
        let name = format!("millstream-verify-{seed}-{}", std::process::id());
        let job = Job { sql: file, arguments: &arguments.sql, name };
        Ok(Verification {
            job,
            wanted: arguments.crashes,
            seed,
            workspace,
            tally: Tally::default(),
        })
    }

    fn run(mut self) -> Result<(), Failure> {
        let place = self.place("undisturbed")?;
        let started = Instant::now();
        self.job.start(&place, Duration::ZERO, None)?;
        let took = started.elapsed();
        let expected = self.results(&place)?;
        let summary = rows_of(&expected);
        say(&format!("undisturbed: {summary} in {}", format_ns(took.as_nanos() as u64)));

        let longest = (took * 4 / self.wanted).max(SHORTEST).min(took.max(SHORTEST));
        let interval = (longest / EPOCHS_A_START).clamp(INTERVALS[0], INTERVALS[1]);
        let mut crashes = Crashes::new(self.seed, longest, interval);
        let mut without_crash = 0;
        while self.tally.crashes < self.wanted {
            let before = self.tally.crashes;
            let place = self.run_with_crashes(&mut crashes, interval)?;
            self.compare(&expected, &place)?;
            without_crash = if self.tally.crashes > before { 0 } else { without_crash + 1 };
            if without_crash == MOST_RUNS_WITHOUT_CRASH {
                let hint = "give it more rows to read".to_owned();
                return Err(Failure::invalid("the query ends before it can be killed", Some(hint)));
            }
        }
        say(&self.verdict(&expected));
        Ok(())
    }

    /// One run to its end, with as many crashes on the way as fall into it.
    fn run_with_crashes(
        &mut self,
        crashes: &mut Crashes,
        interval: Duration,
    ) -> Result<Run, Failure> {
        self.tally.runs += 1;
        let run = self.place(&format!("run-{}", self.tally.runs))?;
        let before = self.tally.crashes;
        loop {
            let crash = (self.tally.crashes < self.wanted).then(|| crashes.draw());
            match self.job.start(&run, interval, crash)? {
                End::Finished => break,
                End::Killed => self.tally.crashes += 1,
                End::AtPoint(point) => {
                    self.tally.crashes += 1;
                    *self.tally.points.entry(point).or_default() += 1;
                }
            }
            if run.has_finished() {
                break;
            }
        }
        let met = self.tally.crashes - before;
        say(&format!(
            "run {}: {met} crashes, {} of {}",
            self.tally.runs, self.tally.crashes, self.wanted
        ));
        Ok(run)
    }

    fn compare(&self, expected: &Results, run: &Run) -> Result<(), Failure> {
        let found = self.results(run)?;
        let differences = expected.compare(&found).map_err(|error| at(&run.results, &error))?;
        if differences.is_empty() {
            return std::fs::remove_dir_all(&run.results).map_err(|error| at(&run.results, &error));
        }
        let mut message = format!("not exactly once: run {} has other results", self.tally.runs);
        for Difference { table, lost, doubled, examples } in &differences {
            let (lost, doubled) = (group_digits(*lost), group_digits(*doubled));
            message.push_str(&format!("\n  {table}: {lost} rows lost, {doubled} rows too many"));
            examples.iter().for_each(|example| message.push_str(&format!("\n    {example}")));
        }
        message.push_str(
            "\n  (Late rows, RAND(), UUID(), and sums of DOUBLE over several subtasks differ between \
             any two runs.)",
        );
        Err(Failure::run(message, None))
    }

    fn verdict(&self, expected: &Results) -> String {
        let Tally { runs, crashes, points } = &self.tally;
        let at_points: u32 = points.values().sum();
        let seen = points.iter().map(|(point, count)| format!("{point} ×{count}"));
        let seen = match points.is_empty() {
            true => String::new(),
            false => format!("\n  steps: {}", seen.collect::<Vec<_>>().join(", ")),
        };
        format!(
            "exactly once: {} after {crashes} crashes in {runs} {} as without; {} at random moments, \
             {at_points} at {} of {} named steps (seed {}){seen}",
            rows_of(expected),
            if *runs == 1 { "run" } else { "runs" },
            crashes - at_points,
            points.len(),
            fault::POINTS.len(),
            self.seed,
        )
    }

    fn place(&self, name: &str) -> Result<Run, Failure> {
        let directory = self.workspace.join(name);
        std::fs::create_dir_all(&directory).map_err(|error| at(&directory, &error))?;
        Ok(Run::new(&directory))
    }

    fn results(&self, run: &Run) -> Result<Results, Failure> {
        Results::read(&run.results).map_err(|error| at(&run.results, &error))
    }
}

fn rows_of(results: &Results) -> String {
    let (rows, tables) = (group_digits(results.rows()), results.tables());
    let plural = if tables == 1 { "table" } else { "tables" };
    format!("{rows} rows in {tables} {plural}")
}

fn at(path: &Path, error: &io::Error) -> Failure {
    Failure::run(format!("{}: {error}", path.display()), None)
}
