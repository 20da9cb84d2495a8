//! What the tasks of an incarnation are told from outside: end an epoch, wait a little, stop
//! reading, or drop everything.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use millstream_state::Epoch;

use crate::waker::{Waker, lock};

/// Shared by the tasks of one incarnation and whoever steers it. Stop and abort are final.
///
/// | request | sources | what is in flight | sinks |
/// |---|---|---|---|
/// | epoch n | put barrier n between their rows | is processed | end epoch n at the barrier |
/// | hold | read nothing until released | is processed | |
/// | stop | read no more | is processed | finish |
/// | abort | read no more | is dropped | are dropped |
#[derive(Debug, Default)]
pub struct Control {
    stopping: AtomicBool,
    aborted: AtomicBool,
    held: AtomicBool,
    /// The epoch whose barrier the sources are to send; 0 before the first.
    requested: AtomicU64,
    /// A source or a reminder has done something since this was last taken.
    active: AtomicBool,
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

    /// Asks the sources to end this epoch.
    pub fn request_epoch(&self, epoch: Epoch) {
        self.requested.store(epoch.0, SeqCst);
        self.wake_all();
    }

    /// The epoch that the sources were last asked to end.
    pub fn requested_epoch(&self) -> Epoch {
        Epoch(self.requested.load(SeqCst))
    }

    /// Makes the sources wait, or lets them go on: memory is short until an epoch is written.
    pub fn hold(&self, held: bool) {
        if self.held.swap(held, SeqCst) && !held {
            self.wake_all();
        }
    }

    /// True while sources are to read nothing.
    pub fn is_held(&self) -> bool {
        self.held.load(SeqCst)
    }

    /// A source has sent or skipped something, or an operator was reminded. All that happens in a
    /// job comes from there, so an epoch without it is empty.
    pub fn note_activity(&self) {
        if !self.active.load(SeqCst) {
            self.active.store(true, SeqCst);
        }
    }

    /// True if there was activity since the last call.
    pub fn take_activity(&self) -> bool {
        self.active.swap(false, SeqCst)
    }

    /// Wakes every task, for example because a sink has room again.
    pub fn wake_all(&self) {
        lock(&self.wakers).iter().for_each(|waker| waker.wake());
    }
}
