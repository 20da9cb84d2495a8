//! The rig: runs jobs against a real broker, breaks everything around them, and counts what is
//! lost, repeated or torn.
//!
//! ```text
//!   generator ──► input topic ──► [proxy] ──► millstream run ──► [proxy] ──► output topic ──► reader (during)
//!                      │                       kill -9, points,                    │
//!                      │                       disks, signals                      │
//!                      └────────────► oracle.py ◄──────────────────────────────────┘ (after)
//! ```
//!
//! The rig shares no code with Millstream: it starts the binary, and a Python program recomputes
//! the results from the input topic as read back. `tests/rig/README.md` says how to use it.

pub mod broker;
pub mod campaign;
pub mod engine;
pub mod faults;
pub mod frame;
pub mod generator;
pub mod lane;
pub mod ledger;
pub mod machine;
pub mod mutants;
pub mod proxy;
pub mod reader;
pub mod scratch;
pub mod seed;
pub mod workload;

/// Anything may fail, and then the run is invalid; the message is all that matters.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// See [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error with a message.
pub fn error(message: impl Into<String>) -> Error {
    message.into().into()
}

/// Says something to whoever watches.
pub fn say(message: &str) {
    use std::io::Write as _;
    let now = chrono::Local::now().format("%H:%M:%S%.3f");
    // Nobody watches any more: then nothing needs to be said.
    let _ = writeln!(std::io::stderr().lock(), "{now} {message}");
}

/// Locks a mutex whose users do not panic while they hold it.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
