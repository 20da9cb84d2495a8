//! `millstream run`: plan, start, watch, stop.

use std::sync::Arc;
use std::time::Duration;

use millstream::connectors::console::Console;
use millstream::engine::{JobControl, JobMetrics, JobSummary, Outcome, Recovery};
use millstream::{Environment, JobConfig, JobHandle, SourceText};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::answers;
use super::args::{ErrorFormat, RunArguments};
use super::durable;
use super::failure::Failure;
use super::home::{self, Home};
use super::notes::Notes;
use super::progress::Progress;
use super::redirect::redirect;
use super::requests::Requests;
use super::{input, say, source};

/// How often the clock, the limit, requests and the progress line are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Runs the SQL that the arguments name.
pub fn run(arguments: RunArguments, colour: bool) -> Result<(), Failure> {
    let sql = source::read(&arguments.sql)?;
    run_text(&sql, arguments, colour)
}

/// Runs a SQL text as one job until it ends or is stopped.
pub fn run_text(sql: &SourceText, arguments: RunArguments, colour: bool) -> Result<(), Failure> {
    let (sql_arguments, quiet) = (&arguments.sql, arguments.quiet);
    let declare = |format| input::declare(format, sql_arguments, sql, quiet);
    let input = arguments.input.map(declare).transpose()?;
    let before = input.as_ref().map(|input| input.declaration.clone()).unwrap_or_default();
    let mut plan = source::plan_behind(before, sql, &arguments.sql, colour)?;
    answers::show(&plan, arguments.output)?;
    if plan.graph.nodes.is_empty() {
        return Ok(());
    }
    let home = Home::new(&arguments.sql, &arguments.state, plan.settings.name.as_deref());
    if let Some(directory) = &arguments.state.redirect_sinks {
        redirect(&mut plan.graph, directory, &home.name);
    }
    // What read from a pipe has nothing to go on from.
    let keeps = home::writes_tables(&plan.graph)
        && !home::reads_stdin(&plan.graph)
        && plan.settings.checkpoint_interval_ms > 0;
    let format = answers::format(arguments.output);
    let console = Arc::new(Console::stdout(format, arguments.limit));
    let directory = std::env::current_dir()
        .map_err(|error| Failure::run(format!("current directory: {error}"), None))?;
    let parallelism = plan.settings.parallelism;
    let zone = plan.settings.zone.clone();
    let mut environment = Environment::new(directory, zone, parallelism, Arc::clone(&console));
    if let Some(input) = input {
        environment.input = input.input;
    }
    let mut config = JobConfig::new(parallelism, environment);
    config.memory = durable::memory(&arguments.state, keeps);
    if keeps {
        let (options, settings) = (&arguments.state, &plan.settings);
        let decides_here = !home::writes_kafka(&plan.graph);
        let durability =
            durable::durability(&home, options, settings, &config.memory, decides_here)?;
        config.durability = Some(durability);
    }
    let memory = Arc::clone(&config.memory);
    let handle = millstream::start(plan.graph, config)
        .map_err(|error| Failure::job(&error, arguments.sql.error_format))?;
    let mut job = Watched {
        control: handle.control(),
        metrics: Arc::clone(handle.metrics()),
        recovery: handle.recovery(),
        console: &console,
        requests: keeps.then(|| Requests::new(&home.directory)),
        notes: keeps
            .then(|| Notes::new(&home.directory, arguments.state.from_savepoint.as_deref())),
        progress: Progress::new(arguments.quiet),
        quiet: arguments.quiet,
        error_format: arguments.sql.error_format,
        stopping: false,
    };
    let summary = job.watch(handle, arguments.stop_after)?;
    job.say_end(&summary);
    if keeps && summary.outcome == Outcome::Finished {
        // The last act: killed before it, the job knows that it had finished, and repeats nothing.
        durable::forget(&home, &arguments.state, &plan.settings, &memory);
    }
    Ok(())
}

/// A running job, and what there is to see and to do while it runs.
struct Watched<'a> {
    control: JobControl,
    metrics: Arc<JobMetrics>,
    recovery: watch::Receiver<Recovery>,
    console: &'a Console,
    /// Of a job that keeps its state.
    requests: Option<Requests>,
    notes: Option<Notes>,
    progress: Progress,
    quiet: bool,
    error_format: ErrorFormat,
    stopping: bool,
}

impl Watched<'_> {
    /// Waits for the job; stops it when asked to, when its time is up or when enough was printed.
    fn watch(
        &mut self,
        handle: JobHandle,
        stop_after: Option<Duration>,
    ) -> Result<JobSummary, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::run(format!("runtime: {error}"), None))?;
        runtime.block_on(async {
            let mut ticks = tokio::time::interval(TICK);
            let deadline = stop_after.map(|after| tokio::time::Instant::now() + after);
            let mut terminate = signal(SignalKind::terminate())
                .map_err(|error| Failure::run(format!("signals: {error}"), None))?;
            let ended = handle.wait();
            tokio::pin!(ended);
            loop {
                tokio::select! {
                    result = &mut ended => {
                        self.say_news();
                        self.progress.finish();
                        return result.map_err(|error| Failure::job(&error, self.error_format));
                    }
                    _ = tokio::signal::ctrl_c() => self.interrupted()?,
                    // What service managers send: they kill by force if this takes too long.
                    _ = terminate.recv() => self.stop(),
                    _ = ticks.tick() => {
                        let time_is_up = deadline.is_some_and(|at| tokio::time::Instant::now() >= at);
                        if time_is_up || self.console.is_full() {
                            self.stop();
                        }
                        self.tick();
                    }
                }
            }
        })
    }

    fn tick(&mut self) {
        self.say_news();
        let control = &self.control;
        if let Some(requests) = &mut self.requests {
            requests.serve(|name| control.savepoint(name).map_err(|error| error.to_string()));
        }
        self.progress.show(&self.metrics);
    }

    fn stop(&mut self) {
        if !self.stopping {
            self.stopping = true;
            self.control.stop();
        }
    }

    fn interrupted(&mut self) -> Result<(), Failure> {
        if self.stopping {
            self.control.abort();
            self.progress.finish();
            return Err(Failure::aborted());
        }
        self.progress.note("stopping; Ctrl-C again aborts");
        self.stop();
        Ok(())
    }

    /// What the job has restored, and why it restarts.
    fn say_news(&mut self) {
        let Some(notes) = &mut self.notes else { return };
        let news = notes.recovery(&self.recovery.borrow_and_update());
        if !self.quiet {
            news.iter().for_each(|line| self.progress.note(line));
        }
    }

    fn say_end(&self, summary: &JobSummary) {
        if self.quiet {
            return;
        }
        say(summary.to_string().trim_end());
        if let Some(line) = self.notes.as_ref().and_then(|notes| notes.end(summary)) {
            say(&line);
        }
    }
}
