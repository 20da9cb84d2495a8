//! What a job keeps over restarts, out of flags and settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use millstream::connectors::{Committer, EpochCommit, Job};
use millstream::engine::durability::{Durability, RestartPolicy};
use millstream::engine::local_decider::LocalDecider;
use millstream::queries::settings::{Restart, Settings};
use millstream::state::checkpoint::{
    Checkpoints, DirectoryCheckpoints, DirectoryOptions, savepoint,
};
use millstream::state::{Epoch, MemoryBudget, StateError};

use super::args::StateOptions;
use super::failure::Failure;
use super::home::Home;
use super::say;

/// Share of the memory for state that operators fill before they put state away. The rest is for
/// what is on its way: a table that grows, its partials, their bytes in a write batch.
const WORKING_SHARE: u64 = 5;
/// Share of the memory for state that the database below the store takes for its cache.
const CACHE_SHARE: u64 = 8;
/// Bounds of that cache.
const CACHE_BYTES: [u64; 2] = [8 << 20, 1 << 30];

/// What the state of a job may take: as said, else a share of the machine's memory. A job that
/// keeps nothing has no limit unless one is asked for, for then its state would have to go to disk.
pub fn memory(options: &StateOptions, keeps: bool) -> Arc<MemoryBudget> {
    match options.memory {
        Some(bytes) => MemoryBudget::new(bytes / WORKING_SHARE),
        None if keeps => MemoryBudget::of_machine(),
        None => MemoryBudget::unlimited(),
    }
}

/// The checkpoints of a job in its home, which is locked from now on.
fn checkpoints(
    directory: &Path,
    options: &StateOptions,
    settings: &Settings,
    memory: &MemoryBudget,
) -> Result<DirectoryCheckpoints, Failure> {
    let copy_to = options.checkpoint_copy.clone().or_else(|| settings.checkpoint_dir.clone());
    let all_bytes = memory.limit_bytes().saturating_mul(WORKING_SHARE);
    let cache_bytes = (all_bytes / CACHE_SHARE).clamp(CACHE_BYTES[0], CACHE_BYTES[1]);
    let options = DirectoryOptions { keep: settings.retained, copy_to, cache_bytes };
    DirectoryCheckpoints::open(directory, options).map_err(not_opened)
}

/// Forgets what a finished job has kept, copies included. What cannot be removed says to the next
/// start that the job had finished.
pub fn forget(home: &Home, options: &StateOptions, settings: &Settings, memory: &MemoryBudget) {
    // Another start of the job may have been quicker.
    let Ok(mut kept) = checkpoints(&home.directory, options, settings, memory) else { return };
    let cleared = kept.clear();
    drop(kept);
    if cleared.is_ok() {
        home.leave_nothing();
    }
}

fn not_opened(error: StateError) -> Failure {
    let message = error.to_string();
    let failure = match error {
        StateError::Locked { .. } => {
            let hint = "stop that one, or give this one another --state-dir and --name".to_owned();
            Failure::fenced(message, Some(hint))
        }
        _ => Failure::unavailable(
            message,
            Some("--state-dir names another place for state".to_owned()),
        ),
    };
    failure.about_state(&error)
}

/// What the engine is told about a job that keeps its state at `home`, which is locked from now
/// on.
pub fn durability(
    home: &Home,
    options: &StateOptions,
    settings: &Settings,
    memory: &MemoryBudget,
    decides_here: bool,
) -> Result<Durability, Failure> {
    let mut checkpoints = checkpoints(&home.directory, options, settings, memory)?;
    let interval = Duration::from_millis(settings.checkpoint_interval_ms);
    let job = Job {
        name: home.name.clone(),
        incarnation: incarnation(),
        interval_ms: settings.checkpoint_interval_ms,
    };
    let begin_with = match &options.from_savepoint {
        Some(wanted) => go_back(&mut checkpoints, wanted, &job, decides_here)?,
        None => None,
    };
    Ok(Durability {
        checkpoints: Box::new(checkpoints),
        state_dir: Some(home.directory.clone()),
        job,
        interval,
        fresh: options.fresh,
        begin_with,
        allow_dropped_state: options.allow_dropped_state,
        accept_external_offsets: options.accept_external_offsets,
        restart: restart(settings.restart()),
    })
}

/// Makes a savepoint the only checkpoint. Of a job that is decided here it is what was committed
/// last, as if nothing had come after it; of any other what was committed since stays where it is,
/// and the job goes on in a new epoch: returns the one to begin with.
fn go_back(
    checkpoints: &mut DirectoryCheckpoints,
    wanted: &str,
    job: &Job,
    decides_here: bool,
) -> Result<Option<Epoch>, Failure> {
    let directory = checkpoints.dir().to_owned();
    let named = directory.join("savepoints").join(wanted);
    let path = if named.exists() { named } else { PathBuf::from(wanted) };
    if !path.join("MANIFEST.json").exists() {
        let message = format!("there is no savepoint `{wanted}`");
        let hint = format!("`millstream state ls {}` lists them", directory.display());
        return Err(Failure::usage(message, Some(hint)));
    }
    let failed = |error: StateError| Failure::refused(error.to_string(), None).about_state(&error);
    if let Some(last) = checkpoints.list().map_err(failed)?.last() {
        // So that going back can be taken back.
        let name = format!("epoch-{last}");
        let is_kept = directory.join("savepoints").join(&name).exists();
        match savepoint(&directory, *last, &name) {
            Ok(_) => say(&format!("the state until now is kept as savepoint {name}")),
            // The last one may be in the copy alone.
            Err(StateError::Missing { .. }) => {}
            Err(_) if is_kept => {}
            Err(error) => return Err(failed(error)),
        }
    }
    checkpoints.clear().map_err(failed)?;
    let epoch = checkpoints.adopt(&path).map_err(failed)?;
    let (_, snapshot_crc) = checkpoints.manifest(epoch).map_err(failed)?;
    if !decides_here {
        return Ok(Some(epoch));
    }
    let decided = EpochCommit { epoch, snapshot_crc, positions: Arc::from([]), finished: false };
    let mut decider = LocalDecider::new(&directory, job);
    decider.commit(&decided).map_err(|error| Failure::unavailable(error.to_string(), None))?;
    Ok(None)
}

fn restart(restart: Restart) -> RestartPolicy {
    let ms = Duration::from_millis;
    match restart {
        Restart::Never => RestartPolicy::NONE,
        Restart::FixedDelay { attempts, delay_ms } => {
            RestartPolicy { attempts, first_delay: ms(delay_ms), longest_delay: ms(delay_ms) }
        }
        Restart::ExponentialDelay(backoff) => RestartPolicy {
            attempts: backoff.attempts,
            first_delay: ms(backoff.initial_ms),
            longest_delay: ms(backoff.max_ms),
        },
    }
}

/// A name that no other start of any job has: the moment and the process.
fn incarnation() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", since.as_nanos(), std::process::id())
}
