//! The control thread of an incarnation: starts its tasks and the epoch thread, lets the driver
//! decide about epochs, looks for new splits, and ends the incarnation.
//!
//! ```text
//!  tasks ───── parts, ends, failures ──▶ ┌─────────────┐ ──── seal, commit, publish ──▶ ┌───────┐
//!              (Notice)                  │ coordinator │      (Request)                 │ epoch │
//!        ◀── barriers, stop, abort ───── └─────────────┘ ◀──── done, or failed ──────── │thread │
//!              (Control)                                                                └───────┘
//! ```
//!
//! It moves no rows. A task that fails ends all others: half a job would go on to fire windows
//! that lack the failed part's rows.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use millstream_state::checkpoint::Checkpoints;

use crate::assemble::Assembly;
use crate::discovery::Discovery;
use crate::epoch::protocol::Phase;
use crate::epoch::worker::Request;
use crate::epoch::{EpochDriver, EpochWorker, Notice};
use crate::error::{EngineError, Result};
use crate::job::Outcome;
use crate::task::{Task, panic_message};

/// How an incarnation ended.
pub(crate) struct Ended {
    pub result: Result<Outcome>,
    /// The snapshots, which outlive it; `None` if it had none.
    pub checkpoints: Option<Box<dyn Checkpoints>>,
}

/// Runs an incarnation to its end; returns after its last thread has.
pub(crate) fn coordinate(assembly: Assembly) -> Ended {
    let Assembly { tasks, discoveries, driver, worker, requests, notices, notify, .. } = assembly;
    let mut coordinator = Coordinator { driver, notices, first_error: None };
    let mut threads = Vec::new();
    for task in tasks {
        match spawn(task, notify.clone()) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                coordinator.fail(error);
                break;
            }
        }
    }
    let worker = match worker.map(|worker| spawn_worker(worker, requests, notify)).transpose() {
        Ok(worker) => worker,
        Err(error) => {
            coordinator.fail(error);
            None
        }
    };
    let now = Instant::now();
    let due = discoveries.into_iter().filter_map(|discovery| Due::after(discovery, now)).collect();
    coordinator.run(threads.len(), due);
    for thread in threads {
        let name = thread.thread().name().unwrap_or("task").to_owned();
        // The task catches panics itself; one that comes here was in dropping what it held.
        if let Err(panic) = thread.join() {
            let message = panic_message(panic.as_ref());
            coordinator.fail(EngineError::Bug { operator: name, message });
        }
    }
    let Coordinator { driver, first_error, .. } = coordinator;
    let outcome = driver.outcome();
    // With the driver the last sender of requests is gone: the epoch thread ends.
    drop(driver);
    let checkpoints = worker.and_then(|worker| worker.join().ok());
    Ended { result: first_error.map_or(Ok(outcome), Err), checkpoints }
}

fn spawn(task: Task, notify: Sender<Notice>) -> Result<JoinHandle<()>> {
    let name = task.name().to_owned();
    let gone = Gone(notify.clone());
    let run = move || {
        let _gone = gone;
        if let Err(error) = task.run() {
            // The coordinator outlives its tasks, so somebody listens.
            notify.send(Notice::Failed(error)).ok();
        }
    };
    let thread = std::thread::Builder::new().name(name.clone()).spawn(run);
    thread.map_err(|source| EngineError::Thread { thread: name, source })
}

/// Reports that a task's thread is gone, also if dropping the task panics.
struct Gone(Sender<Notice>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.send(Notice::Gone).ok();
    }
}

fn spawn_worker(
    mut worker: EpochWorker,
    requests: Receiver<Request>,
    notify: Sender<Notice>,
) -> Result<JoinHandle<Box<dyn Checkpoints>>> {
    let name = "epochs".to_owned();
    let run = move || {
        for request in requests {
            let done = worker.perform(request);
            let failed = done.is_err();
            notify.send(Notice::Worked(done)).ok();
            if failed {
                break;
            }
        }
        worker.checkpoints
    };
    let thread = std::thread::Builder::new().name(name.clone()).spawn(run);
    thread.map_err(|source| EngineError::Thread { thread: name, source })
}

struct Coordinator {
    driver: EpochDriver,
    notices: Receiver<Notice>,
    first_error: Option<EngineError>,
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

impl Coordinator {
    fn fail(&mut self, error: EngineError) {
        self.first_error.get_or_insert(error);
        self.driver.abort();
    }

    fn settle(&mut self, result: Result<()>) {
        if let Err(error) = result {
            self.fail(error);
        }
    }

    /// Until all threads of tasks are gone and no epoch is under way.
    fn run(&mut self, mut running: usize, mut discoveries: Vec<Due>) {
        while running > 0 || self.driver.phase() != Phase::Over {
            let look = discoveries.iter().map(|due| due.at).min();
            let look = look.filter(|_| !self.driver.is_ending());
            let tick = self.driver.due_in_ms();
            let tick = tick.map(|ms| Instant::now() + Duration::from_millis(ms));
            let received = match look.into_iter().chain(tick).min() {
                None => self.notices.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.notices.recv_deadline(at),
            };
            match received {
                Ok(Notice::Gone) => running -= 1,
                Ok(notice) => {
                    let noted = self.driver.notice(notice);
                    self.settle(noted);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Everyone is gone without an end: only a failure can have done that.
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let ticked = self.driver.tick();
            self.settle(ticked);
            let now = Instant::now();
            for due in discoveries.iter_mut().filter(|due| due.at <= now) {
                due.at = now + due.interval;
                let found = due.discovery.look_again();
                found.map_or_else(|error| self.fail(error), |_| ());
            }
        }
    }
}
