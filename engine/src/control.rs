//! What a job's tasks are told from outside: stop reading, or drop everything.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use crate::waker::{Waker, lock};

/// Shared by the tasks of one job and whoever ends it. Both requests are final.
///
/// | request | sources | what is in flight | sinks |
/// |---|---|---|---|
/// | stop | read no more | is processed | finish |
/// | abort | read no more | is dropped | are dropped |
#[derive(Debug, Default)]
pub struct Control {
    stopping: AtomicBool,
    aborted: AtomicBool,
    wakers: Mutex<Vec<Arc<Waker>>>,
}

impl Control {
    /// Registers a task to be woken by requests.
    pub fn register(&self, waker: Arc<Waker>) {
        lock(&self.wakers).push(waker);
    }

    /// Asks the sources to end; the rest of the job ends behind them.
    pub fn stop(&self) {
        self.stopping.store(true, SeqCst);
        self.wake_all();
    }

    /// Asks every task to return at once.
    pub fn abort(&self) {
        self.aborted.store(true, SeqCst);
        self.wake_all();
    }

    /// True once a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    /// True once an abort was asked for.
    pub fn is_aborted(&self) -> bool {
        self.aborted.load(SeqCst)
    }

    fn wake_all(&self) {
        lock(&self.wakers).iter().for_each(|waker| waker.wake());
    }
}
