//! Named points at which tests make a job die, fail or wait: every step of the way of an epoch and
//! of a recovery, in order.
//!
//! ```console
//! $ MILLSTREAM_FAULTS='commit.sent=3*off->return(kill)' millstream run job.sql
//! ```
//!
//! What a point does is said in the grammar of the crate `fail`; `return(kill)` ends the process as
//! `kill -9` does, `return(TEXT)` is an I/O error of that text, `sleep(MS)` waits. Without the
//! variable nothing is set up and a point costs a look into an empty map, a few dozen an epoch.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Variable that says what the points do.
pub const VARIABLE: &str = "MILLSTREAM_FAULTS";

/// All points, in the order in which a job passes them.
pub const POINTS: &[&str] = &[
    // recovery
    "recover.locked",
    "recover.fenced",
    "recover.decided",
    "recover.quarantined",
    "recover.verified",
    "recover.linked",
    "recover.opened",
    "recover.genesis",
    "recover.positions",
    "recover.assigned",
    // recovery of a directory of files
    "recover.part-cut",
    "recover.parts-named",
    "recover.parts-recorded",
    "recover.stage-cleaned",
    // an epoch: barrier to snapshot
    "epoch.triggered",
    "epoch.source",
    "epoch.part-synced",
    "epoch.part-logged",
    "epoch.aligned",
    "epoch.collected",
    "snapshot.applied",
    "snapshot.flushed",
    "snapshot.linked",
    "snapshot.files-synced",
    "snapshot.manifest-written",
    "snapshot.manifest-synced",
    "snapshot.renamed",
    "snapshot.durable",
    // commit
    "commit.begun",
    "commit.flushed",
    "commit.offsets-sent",
    "commit.sent",
    "commit.disturbed",
    "commit.decided",
    "publish.part-named",
    "publish.parts-named",
    "publish.parts-recorded",
    "commit.published",
    "commit.released",
    "collect.garbage",
];

/// Reads [`VARIABLE`]; called once by the process, and only if it is set does any point do anything.
pub fn set_up() {
    let Some(actions) = std::env::var_os(VARIABLE) else { return };
    for entry in actions.to_string_lossy().split(';').filter(|entry| !entry.trim().is_empty()) {
        let (point, action) = entry.split_once('=').unwrap_or((entry, "return(kill)"));
        let known = POINTS.contains(&point.trim());
        assert!(known, "{VARIABLE}: there is no point `{point}`");
        let set = fail::cfg(point.trim(), action.trim());
        assert!(set.is_ok(), "{VARIABLE}: `{action}`: {set:?}");
    }
}

/// Passes a point: does what the variable says, which is mostly nothing.
///
/// # Errors
/// If it says so.
///
/// # Panics
/// If the point is not in [`POINTS`].
pub fn reach(point: &'static str) -> io::Result<()> {
    debug_assert!(POINTS.contains(&point), "`{point}` is not in the list of points");
    let text = fail::eval(point, |text| text);
    match text.flatten().as_deref() {
        None => Ok(()),
        Some("kill") => std::process::abort(),
        Some(text) => Err(io::Error::other(format!("{text} (asked for at `{point}`)"))),
    }
}

/// True if the bug of this name is planted: the test rig must find each one, or it would not find
/// a real one. Only in a build with the feature `mutants`, and only the one that the variable
/// `MILLSTREAM_MUTANT` names.
#[cfg(feature = "mutants")]
pub fn mutant(name: &str) -> bool {
    use std::sync::LazyLock;
    static PLANTED: LazyLock<Option<std::ffi::OsString>> =
        LazyLock::new(|| std::env::var_os("MILLSTREAM_MUTANT"));
    PLANTED.as_deref().is_some_and(|planted| planted == name)
}

/// True if the bug of this name is planted; never in this build.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub const fn mutant(_: &str) -> bool {
    false
}

/// How often a row is written: once. With a planted bug that strikes one row in a thousand, not at
/// all (`M9`) or twice (`M10`).
#[inline(always)]
pub fn copies() -> usize {
    static ROWS: AtomicU64 = AtomicU64::new(1);
    let strikes = || ROWS.fetch_add(1, Relaxed).is_multiple_of(1000);
    if mutant("M9") && strikes() {
        0
    } else if mutant("M10") && strikes() {
        2
    } else {
        1
    }
}
