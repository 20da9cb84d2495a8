//! What a job is asked for from outside, over all its incarnations.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use crate::control::Control;
use crate::epoch::Notice;
use crate::waker::{Waker, lock};

/// Passes requests on to the incarnation that runs, and keeps those that are final for the next.
#[derive(Debug, Default)]
pub(crate) struct Steering {
    stopping: AtomicBool,
    aborted: AtomicBool,
    current: Mutex<Current>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Current {
    /// The incarnation that runs, if one does.
    running: Option<(Arc<Control>, Sender<Notice>)>,
    /// Savepoints that were asked for while none did.
    savepoints: Vec<String>,
}

impl Steering {
    /// Asks for a graceful end.
    pub fn stop(&self) {
        self.stopping.store(true, SeqCst);
        self.pass_on();
    }

    /// Asks for an end at once.
    pub fn abort(&self) {
        self.aborted.store(true, SeqCst);
        self.pass_on();
    }

    /// Asks for a savepoint: of the incarnation that runs, or of the next.
    pub fn savepoint(&self, name: &str) {
        let mut current = lock(&self.current);
        match &current.running {
            Some((_, notify)) => _ = notify.send(Notice::Savepoint(name.to_owned())),
            None => current.savepoints.push(name.to_owned()),
        }
    }

    /// An incarnation begins: it hears what was asked for before.
    pub fn attach(&self, control: Arc<Control>, notify: Sender<Notice>) {
        let mut current = lock(&self.current);
        for name in std::mem::take(&mut current.savepoints) {
            notify.send(Notice::Savepoint(name)).ok();
        }
        current.running = Some((control, notify));
        drop(current);
        self.pass_on();
    }

    /// An incarnation has ended.
    pub fn detach(&self) {
        lock(&self.current).running = None;
    }

    /// True if an end was asked for.
    pub fn is_ending(&self) -> bool {
        self.stopping.load(SeqCst) || self.aborted.load(SeqCst)
    }

    /// True if an end at once was asked for.
    pub fn is_aborted(&self) -> bool {
        self.aborted.load(SeqCst)
    }

    /// Waits, unless an end is asked for; returns true if it is.
    pub fn wait(&self, delay: Duration) -> bool {
        let until = Instant::now() + delay;
        while !self.is_ending() {
            let now = Instant::now();
            if now >= until {
                return false;
            }
            self.waker.rest(Some(until - now));
        }
        true
    }

    fn pass_on(&self) {
        if let Some((control, notify)) = &lock(&self.current).running {
            if self.aborted.load(SeqCst) {
                control.abort();
            }
            if self.stopping.load(SeqCst) {
                control.stop();
            }
            notify.send(Notice::Steered).ok();
        }
        self.waker.wake();
    }
}
