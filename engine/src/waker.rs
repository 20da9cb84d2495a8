//! Wakes a task that rests: whoever brings input, makes room or asks for an end calls `wake`.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use millstream_connectors::source::Interrupt;

/// Locks a mutex whose holders cannot leave it half changed.
///
/// A panic of a task ends the job, but the others must still be able to wind down, so poison is
/// not passed on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One task's alarm. A call that comes while the task works is kept, so none is lost between its
/// last look and its rest.
#[derive(Debug, Default)]
pub struct Waker {
    pending: AtomicBool,
    resting: Mutex<()>,
    called: Condvar,
    interrupt: Mutex<Option<Call>>,
}

/// Ends a wait that is not one of ours.
#[derive(Clone)]
struct Call(Interrupt);

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

impl Waker {
    /// Ends the task's present rest, or its next one if it works. Cheap if a call is pending.
    pub fn wake(&self) {
        if !self.pending.swap(true, SeqCst) {
            // Taking the lock orders this call after the sleeper's check or into its wait.
            drop(lock(&self.resting));
            self.called.notify_one();
            // The call may have to wait for locks of a client.
            let interrupt = lock(&self.interrupt).clone();
            if let Some(Call(interrupt)) = interrupt {
                interrupt();
            }
        }
    }

    /// Has `interrupt` called by `wake` from now on, for a task that also waits elsewhere. Before each
    /// such wait it has to ask [`Waker::was_called`].
    pub fn set_interrupt(&self, interrupt: Option<Interrupt>) {
        *lock(&self.interrupt) = interrupt.map(Call);
    }

    /// True if somebody has called `wake` since the last rest or the last time this was asked.
    pub fn was_called(&self) -> bool {
        self.pending.swap(false, SeqCst)
    }

    /// Rests until somebody calls `wake`, or at most for `timeout`; called by the task alone.
    pub fn rest(&self, timeout: Option<Duration>) {
        let guard = lock(&self.resting);
        let quiet = |_: &mut ()| !self.pending.load(SeqCst);
        match timeout {
            None => {
                let woken = self.called.wait_while(guard, quiet);
                drop(woken.unwrap_or_else(PoisonError::into_inner));
            }
            Some(timeout) => {
                let woken = self.called.wait_timeout_while(guard, timeout, quiet);
                drop(woken.unwrap_or_else(PoisonError::into_inner));
            }
        }
        // A swap, not a store: it makes all visible that was written before the call.
        self.pending.swap(false, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_call_before_the_rest_is_not_lost() {
        let waker = Waker::default();
        waker.wake();
        waker.wake();
        waker.rest(None);
    }

    #[test]
    fn a_call_ends_a_wait_that_is_elsewhere() {
        let (waker, (calls, called)) = (Waker::default(), std::sync::mpsc::channel());
        waker.set_interrupt(Some(Arc::new(move || calls.send(()).expect("somebody waits"))));
        assert!(!waker.was_called());
        waker.wake();
        called.try_recv().expect("interrupted");
        waker.wake();
        assert!(called.try_recv().is_err(), "it has not waited again yet");
        assert!(waker.was_called() && !waker.was_called());
        waker.wake();
        called.try_recv().expect("interrupted again");
    }

    #[test]
    fn every_call_from_another_thread_arrives() {
        let (here, there) = (Arc::new(Waker::default()), Arc::new(Waker::default()));
        let (there_too, here_too) = (there.clone(), here.clone());
        let other = std::thread::spawn(move || {
            for _ in 0..10_000 {
                there_too.rest(None);
                here_too.wake();
            }
        });
        for _ in 0..10_000 {
            there.wake();
            here.rest(None);
        }
        other.join().expect("ping-pong ends");
    }
}
