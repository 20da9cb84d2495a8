//! `millstream run`: plan, start, watch, stop.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use millstream::connectors::console::{Console, ConsoleFormat};
use millstream::engine::{EngineError, ErrorKind, JobSummary};
use millstream::{Environment, JobConfig, JobHandle, SourceText};
use tokio::signal::unix::{SignalKind, signal};

use super::args::{OutputFormat, RunArguments};
use super::failure::Failure;
use super::progress::Progress;
use super::{print, say, source};

/// How often the clock, the limit and the progress line are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Runs the SQL that the arguments name.
pub fn run(arguments: RunArguments, colour: bool) -> Result<(), Failure> {
    let sql = source::read(&arguments.sql)?;
    run_text(&sql, arguments, colour)
}

/// Runs a SQL text as one job until it ends or is stopped.
pub fn run_text(sql: &SourceText, arguments: RunArguments, colour: bool) -> Result<(), Failure> {
    let plan = source::plan(sql, &arguments.sql, colour)?;
    for explained in &plan.explains {
        print(explained)?;
    }
    if plan.graph.nodes.is_empty() {
        return Ok(());
    }
    let console = Arc::new(Console::stdout(format(arguments.output), arguments.limit));
    let directory = std::env::current_dir()
        .map_err(|error| Failure::run(format!("current directory: {error}"), None))?;
    let parallelism = plan.settings.parallelism;
    let environment =
        Environment::new(directory, plan.settings.zone.clone(), parallelism, Arc::clone(&console));
    let handle = millstream::start(plan.graph, JobConfig::new(parallelism, environment))
        .map_err(job_failure)?;
    let summary = watch(handle, &console, &arguments)?;
    if !arguments.quiet {
        say(summary.to_string().trim_end());
    }
    Ok(())
}

/// Waits for the job; stops it when asked to, when its time is up or when enough was printed.
fn watch(
    handle: JobHandle,
    console: &Console,
    arguments: &RunArguments,
) -> Result<JobSummary, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::run(format!("runtime: {error}"), None))?;
    runtime.block_on(async {
        let mut progress = Progress::new(arguments.quiet);
        let mut ticks = tokio::time::interval(TICK);
        let deadline = arguments.stop_after.map(|after| tokio::time::Instant::now() + after);
        let mut stopping = false;
        let mut terminate = signal(SignalKind::terminate())
            .map_err(|error| Failure::run(format!("signals: {error}"), None))?;
        let metrics = Arc::clone(handle.metrics());
        let stopper = handle.control();
        let ended = handle.wait();
        tokio::pin!(ended);
        loop {
            tokio::select! {
                result = &mut ended => {
                    progress.finish();
                    return result.map_err(job_failure);
                }
                _ = tokio::signal::ctrl_c() => {
                    if stopping {
                        stopper.abort();
                        progress.finish();
                        return Err(Failure::aborted());
                    }
                    stopping = true;
                    progress.note("stopping; Ctrl-C again aborts");
                    stopper.stop();
                }
                // What service managers send: they kill by force if this takes too long.
                _ = terminate.recv() => {
                    stopping = true;
                    stopper.stop();
                }
                _ = ticks.tick() => {
                    let time_is_up = deadline.is_some_and(|at| tokio::time::Instant::now() >= at);
                    if !stopping && (time_is_up || console.is_full()) {
                        stopping = true;
                        stopper.stop();
                    }
                    progress.show(&metrics);
                }
            }
        }
    })
}

fn format(output: Option<OutputFormat>) -> ConsoleFormat {
    let default =
        if std::io::stdout().is_terminal() { OutputFormat::Table } else { OutputFormat::Ndjson };
    match output.unwrap_or(default) {
        OutputFormat::Table => ConsoleFormat::Table,
        OutputFormat::Ndjson => ConsoleFormat::Ndjson,
        OutputFormat::Csv => ConsoleFormat::Csv,
        OutputFormat::Changelog => ConsoleFormat::Changelog,
        OutputFormat::None => ConsoleFormat::None,
    }
}

fn job_failure(error: EngineError) -> Failure {
    let (message, hint) = (error.to_string(), error.hint().map(str::to_owned));
    match error.kind() {
        ErrorKind::User => Failure::invalid(message, hint),
        ErrorKind::Unavailable => Failure::unavailable(message, hint),
        _ => Failure::run(message, hint),
    }
}
