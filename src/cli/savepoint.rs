//! `millstream savepoint DIR NAME`: asks a running job to keep its state under a name.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::args::SavepointArguments;
use super::failure::Failure;
use super::requests::{Answer, Requests};
use super::say;

/// How often it is looked for the answer.
const LOOK: Duration = Duration::from_millis(20);

/// Asks, waits, says where the savepoint is.
pub fn savepoint(arguments: &SavepointArguments) -> Result<(), Failure> {
    let SavepointArguments { directory, name, timeout } = arguments;
    let failed =
        |error: std::io::Error| Failure::run(format!("{}: {error}", directory.display()), None);
    let requests = Requests::new(directory);
    if requests.savepoint(name).exists() {
        let message = format!("there is a savepoint `{name}` already");
        let hint = format!("choose another name, or delete {}", requests.savepoint(name).display());
        return Err(Failure::usage(message, Some(hint)));
    }
    if !is_running(directory) {
        let hint = "start it with `millstream run`, or copy one of its checkpoints".to_owned();
        let message = format!("{}: no job is running on this state", directory.display());
        return Err(Failure::usage(message, Some(hint)));
    }
    requests.ask(name).map_err(failed)?;
    let asked = Instant::now();
    loop {
        match requests.answer(name).map_err(failed)? {
            Answer::Done(place) => {
                say(&format!("savepoint `{name}` is in {}", place.display()));
                return Ok(());
            }
            Answer::Failed(reason) => return Err(Failure::run(reason, None)),
            Answer::Open if asked.elapsed() > *timeout || !is_running(directory) => {
                requests.withdraw(name).map_err(failed)?;
                let hint = "--timeout waits for longer".to_owned();
                return Err(Failure::run("the job did not make the savepoint", Some(hint)));
            }
            Answer::Open => std::thread::sleep(LOOK),
        }
    }
}

/// True if a job holds the lock of the directory.
fn is_running(directory: &Path) -> bool {
    let Ok(lock) = File::open(directory.join("LOCK")) else { return false };
    // Ours is released when the file is closed, at the end of this function.
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}
