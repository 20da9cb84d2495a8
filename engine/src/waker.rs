//! Wakes a task that rests: whoever brings input, makes room or asks for an end calls `wake`.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
}

impl Waker {
    /// Ends the task's present rest, or its next one if it works. Cheap if a call is pending.
    pub fn wake(&self) {
        if !self.pending.swap(true, SeqCst) {
            // Taking the lock orders this call after the sleeper's check or into its wait.
            drop(lock(&self.resting));
            self.called.notify_one();
        }
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
