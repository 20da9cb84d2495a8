//! The control thread of a job: starts its tasks, looks for new splits, and ends the job.
//!
//! It moves no rows. A task that fails ends all others: half a job would go on to fire windows
//! that lack the failed part's rows.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use crate::assemble::Assembly;
use crate::control::Control;
use crate::discovery::Discovery;
use crate::error::{EngineError, Result};
use crate::job::{JobSummary, Outcome};
use crate::task::{Task, panic_message};

/// Runs a job to its end; returns after its last thread has.
///
/// # Errors
/// The first failure.
pub fn coordinate(assembly: Assembly) -> Result<JobSummary> {
    let Assembly { tasks, discoveries, control, metrics } = assembly;
    let (ended, ends) = unbounded();
    let mut first_error = None;
    let mut fail = |error: EngineError| {
        control.abort();
        first_error.get_or_insert(error);
    };

    let mut threads = Vec::new();
    for task in tasks {
        match spawn(task, ended.clone()) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                fail(error);
                break;
            }
        }
    }
    let now = Instant::now();
    let mut due: Vec<Due> =
        discoveries.into_iter().filter_map(|discovery| Due::after(discovery, now)).collect();
    for _ in 0..threads.len() {
        if let Err(error) = await_end(&ends, &mut due, &control, &mut fail) {
            fail(error);
        }
    }
    for thread in threads {
        let name = thread.thread().name().unwrap_or("task").to_owned();
        // The task catches panics itself; one that comes here was in dropping what it held.
        if let Err(panic) = thread.join() {
            fail(EngineError::Bug { operator: name, message: panic_message(panic.as_ref()) });
        }
    }
    match first_error {
        Some(error) => Err(error),
        None => Ok(JobSummary { outcome: Outcome::of(&control), figures: metrics.snapshot() }),
    }
}

fn spawn(task: Task, ended: Sender<Result<()>>) -> Result<JoinHandle<()>> {
    let name = task.name().to_owned();
    let ended = EndNotice(Some(ended));
    let run = move || ended.send(task.run());
    let thread = std::thread::Builder::new().name(name.clone()).spawn(run);
    thread.map_err(|source| EngineError::Thread { thread: name, source })
}

/// Reports the end of a task exactly once, also if dropping the task panics.
struct EndNotice(Option<Sender<Result<()>>>);

impl EndNotice {
    fn send(mut self, result: Result<()>) {
        if let Some(ended) = self.0.take() {
            // The coordinator outlives its tasks, so somebody listens.
            ended.send(result).ok();
        }
    }
}

impl Drop for EndNotice {
    fn drop(&mut self) {
        if let Some(ended) = self.0.take() {
            ended.send(Ok(())).ok();
        }
    }
}

/// A discovery and when to look again.
struct Due {
    discovery: Discovery,
    interval: Duration,
    at: Instant,
}

impl Due {
    fn after(discovery: Discovery, now: Instant) -> Option<Self> {
        let interval = discovery.interval()?;
        Some(Due { discovery, interval, at: now + interval })
    }
}

/// Waits for the next task to end, and looks for splits meanwhile.
fn await_end(
    ends: &Receiver<Result<()>>,
    due: &mut [Due],
    control: &Arc<Control>,
    fail: &mut impl FnMut(EngineError),
) -> Result<()> {
    loop {
        let next = due.iter().map(|due| due.at).min().filter(|_| !control.is_stopping());
        let received = match next {
            None => ends.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => ends.recv_deadline(at),
        };
        match received {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                let now = Instant::now();
                for due in due.iter_mut().filter(|due| due.at <= now) {
                    due.at = now + due.interval;
                    if let Err(error) = due.discovery.look_again() {
                        fail(error);
                    }
                }
            }
        }
    }
}
