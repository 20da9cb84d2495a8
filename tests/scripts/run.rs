//! One run of a script, in one of many ways that must all give the same.
//!
//! Without epochs, rows are seen as they come. With them, rows are seen once they are committed,
//! the job is crashed and started again as a new process would be, perhaps with another
//! parallelism, and reads again what was not committed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millstream::connectors::Job;
use millstream::connectors::console::{Console, ConsoleFormat};
use millstream::connectors::registry::Environment;
use millstream::engine::job::RunOptions;
use millstream::engine::sim::{Kept, Simulation};
use millstream::engine::{Durability, RestartPolicy};
use millstream::state::checkpoint::{
    Checkpoints, DirectoryCheckpoints, DirectoryOptions, MemoryCheckpoints, MirrorCheckpoints,
};
use millstream::{Plan, PlanOptions, SourceText};

use super::feed::Fed;
use super::script::{Script, Step};

/// A way of running a script.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Subtasks at the start.
    pub parallelism: usize,
    /// Of the scheduler, and of the crashes.
    pub seed: u64,
    /// Where state is kept; `None` for a job without epochs.
    pub store: Option<Store>,
    /// Which crashes there are beside those of the script.
    pub crashes: Crashes,
}

/// Where state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// The model.
    Memory,
    /// RocksDB, in a directory that lives as long as the run.
    Rocks,
    /// Both, compared at every read.
    Mirror,
}

/// Crashes that the runner adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crashes {
    /// None: the script has its own.
    Own,
    /// After every step before its epoch, and after it.
    Every,
    /// At any moment: while rows are processed, while an epoch ends, after it; and the job is
    /// started again with any parallelism.
    Anywhere,
}

/// What outlives a crash.
struct World {
    directory: tempfile::TempDir,
    model: MemoryCheckpoints,
    store: Store,
}

impl World {
    fn new(store: Store) -> Self {
        // Nothing here cuts the power, and thousands of fsyncs take their time on a disk.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let directory = tempfile::tempdir_in(place).expect("a directory");
        World { directory, model: MemoryCheckpoints::default(), store }
    }

    fn checkpoints(&self) -> Box<dyn Checkpoints> {
        let options = DirectoryOptions { cache_bytes: 8 << 20, ..DirectoryOptions::default() };
        let disk = || {
            let directory = self.directory.path().join("state");
            DirectoryCheckpoints::open(&directory, options.clone()).expect("the directory opens")
        };
        match self.store {
            Store::Memory => Box::new(self.model.clone()),
            Store::Rocks => Box::new(disk()),
            Store::Mirror => Box::new(MirrorCheckpoints::new(disk(), self.model.clone())),
        }
    }

    fn durability(&self) -> Durability {
        // With a directory a file in it decides; else what was sealed last.
        let state_dir = (self.store == Store::Rocks).then(|| self.directory.path().join("state"));
        Durability {
            checkpoints: self.checkpoints(),
            state_dir,
            job: Job { name: "script".into(), incarnation: "i".into(), interval_ms: 0 },
            interval: Duration::ZERO,
            fresh: false,
            begin_with: None,
            allow_dropped_state: false,
            accept_external_offsets: false,
            restart: RestartPolicy::NONE,
        }
    }
}

/// A script that runs.
struct Run<'a> {
    way: Way,
    script: &'a Script,
    name: &'a str,
    fed: Arc<Fed>,
    world: Option<Arc<World>>,
    simulation: Option<Simulation>,
    /// What the clock showed when the last process died.
    now_ns: u64,
    random: u64,
}

/// Runs a script once; for each of its expectations the rows since the one before, sorted.
pub fn run(script: &Script, name: &str, way: Way) -> Result<Vec<Vec<String>>, String> {
    let shown = Shown::default();
    let console = Arc::new(Console::new(Box::new(shown.clone()), ConsoleFormat::Changelog, None));
    let zone = plan(script, name, way.parallelism)?.settings.zone;
    let environment = Environment::new(PathBuf::from("."), zone, way.parallelism, console);
    let fed = Arc::new(Fed::new(script, environment));
    let world = way.store.map(|store| Arc::new(World::new(store)));
    let mut run =
        Run { way, script, name, fed, world, simulation: None, now_ns: 0, random: way.seed };
    run.start(way.parallelism)?;
    let mut outputs = Vec::new();
    for step in &script.steps {
        run.step(step)?;
        if let Step::Expect(_) = step {
            run.fed.show_committed().map_err(|error| error.to_string())?;
            outputs.push(shown.take());
        }
    }
    Ok(outputs)
}

fn plan(script: &Script, name: &str, parallelism: usize) -> Result<Plan, String> {
    let source = SourceText::new(name, &script.sql);
    let options = PlanOptions { parallelism, ..PlanOptions::default() };
    millstream::plan(&source, &options)
        .map_err(|diagnostics| millstream::queries::render::all(&diagnostics, &source, false))
}

impl Run<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Feed { table, split, records } => {
                self.fed.feed(table, *split, records);
                self.process()
            }
            Step::End => {
                self.fed.end();
                self.finish()
            }
            Step::Idle { ms } => {
                self.running(|simulation| simulation.let_pass(*ms))?;
                // Time that has passed does not pass again, so there is no crash before the epoch.
                self.end_epoch()
            }
            Step::Epoch => self.running(Simulation::end_epoch),
            Step::Crash => {
                self.die();
                Ok(())
            }
            Step::Restart => self.start(self.way.parallelism),
            Step::Rescale(parallelism) => self.start(*parallelism),
            Step::Expect(_) => self.settle(),
        }
    }

    /// Starts the job as a new process does. What ran before is gone.
    fn start(&mut self, parallelism: usize) -> Result<(), String> {
        self.die();
        let graph = plan(self.script, self.name, parallelism)?.graph;
        let options = RunOptions::new(parallelism);
        let seed = self.below(u64::MAX);
        let fed = self.fed.clone();
        let simulation = match self.world.clone() {
            None => Simulation::new(&graph, options, fed, seed),
            Some(world) => {
                let kept = Kept::of(move || world.durability());
                let mut simulation = Simulation::idle(&graph, options, fed, kept, seed);
                simulation.begin_at(self.now_ns);
                simulation.restart(parallelism).map(|()| simulation)
            }
        };
        self.simulation = Some(simulation.map_err(|error| format!("start: {error}"))?);
        Ok(())
    }

    /// The process is gone; its clock goes on.
    fn die(&mut self) {
        if let Some(simulation) = self.simulation.take() {
            self.now_ns = simulation.now_ns();
        }
    }

    fn crash(&mut self) -> Result<(), String> {
        let parallelism = match self.way.crashes {
            Crashes::Anywhere => [1, 2, 4][self.below(3) as usize],
            _ => self.way.parallelism,
        };
        self.start(parallelism)
    }

    /// Processes what was fed, with the crashes of this way.
    fn process(&mut self) -> Result<(), String> {
        match self.way.crashes {
            Crashes::Own => return self.settle(),
            Crashes::Every => {
                self.settle()?;
                self.crash()?;
            }
            Crashes::Anywhere => {
                if self.below(2) == 0 {
                    self.some_steps()?;
                    self.crash()?;
                }
                if self.below(2) == 0 {
                    self.settle()?;
                    self.running(Simulation::request_epoch)?;
                    self.some_steps()?;
                    self.crash()?;
                }
            }
        }
        self.settle()?;
        self.end_epoch()
    }

    /// Commits what was processed, where the script does not do it itself.
    fn end_epoch(&mut self) -> Result<(), String> {
        if self.way.crashes == Crashes::Own {
            return Ok(());
        }
        self.running(Simulation::end_epoch)?;
        if self.way.crashes == Crashes::Every || self.below(2) == 0 {
            self.crash()?;
        }
        Ok(())
    }

    /// All inputs have ended: the job ends, and commits by itself.
    fn finish(&mut self) -> Result<(), String> {
        if self.way.crashes != Crashes::Own {
            self.some_steps()?;
            if self.simulation.as_ref().is_some_and(|simulation| !simulation.is_over()) {
                self.crash()?;
            }
        }
        self.running(|simulation| simulation.run_to_end().map(drop))
    }

    fn some_steps(&mut self) -> Result<(), String> {
        for _ in 0..self.below(60) {
            self.running(|simulation| simulation.step().map(drop))?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), String> {
        self.running(Simulation::settle)
    }

    /// Does something with the job, if it runs.
    fn running(
        &mut self,
        act: impl FnOnce(&mut Simulation) -> Result<(), millstream::engine::EngineError>,
    ) -> Result<(), String> {
        let Some(simulation) = &mut self.simulation else { return Ok(()) };
        act(simulation).map_err(|error| error.to_string())
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % bound
    }
}

/// What the console has shown, shared with it.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    /// The lines since the last call, sorted: subtasks race, their rows do not.
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().expect("not poisoned"));
        let mut lines: Vec<String> =
            String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
