//! What a running job is asked from outside: files in `requests/` of its state directory.
//!
//! | who | does |
//! |---|---|
//! | `millstream savepoint DIR NAME` | creates `requests/NAME.savepoint`, waits for `savepoints/NAME/` |
//! | the job, ten times a second | makes the savepoint with its next epoch; removes the request |
//! | the job, if it cannot | writes why to `requests/NAME.failed` |
//!
//! Files need no port, no protocol and no clean-up after a crash: a request that a dead job left
//! open is served by its next start. Who may write to the state directory may ask.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Suffix of requests that are open, and of answers to those that failed.
const OPEN: &str = "savepoint";
const FAILED: &str = "failed";

/// The requests to the job of one state directory.
#[derive(Debug)]
pub struct Requests {
    folder: PathBuf,
    savepoints: PathBuf,
    /// Asked for already, and not there yet.
    underway: BTreeSet<String>,
}

/// How a request stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not answered yet.
    Open,
    /// The savepoint is in this directory.
    Done(PathBuf),
    /// Why there is none.
    Failed(String),
}

impl Requests {
    /// Those of the job with this state directory.
    pub fn new(state: &Path) -> Self {
        let (folder, savepoints) = (state.join("requests"), state.join("savepoints"));
        Requests { folder, savepoints, underway: BTreeSet::new() }
    }

    /// Where the savepoint of this name is.
    pub fn savepoint(&self, name: &str) -> PathBuf {
        self.savepoints.join(name)
    }

    /// Asks for a savepoint.
    pub fn ask(&self, name: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        remove(&self.file(name, FAILED))?;
        fs::write(self.file(name, OPEN), b"")
    }

    /// Takes a request back.
    pub fn withdraw(&self, name: &str) -> io::Result<()> {
        remove(&self.file(name, OPEN))
    }

    /// How a request stands.
    pub fn answer(&self, name: &str) -> io::Result<Answer> {
        let directory = self.savepoint(name);
        if directory.join("MANIFEST.json").exists() {
            return Ok(Answer::Done(directory));
        }
        match fs::read_to_string(self.file(name, FAILED)) {
            Ok(reason) => {
                remove(&self.file(name, FAILED))?;
                Ok(Answer::Failed(reason))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Answer::Open),
            Err(error) => Err(error),
        }
    }

    /// The job's side: calls `make` for each new request, and closes those that are answered.
    pub fn serve(&mut self, mut make: impl FnMut(&str) -> Result<(), String>) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let open = entries.filter_map(|entry| name_of(&entry.ok()?.path(), OPEN));
        let open: BTreeSet<String> = open.collect();
        for name in &open {
            if self.savepoint(name).join("MANIFEST.json").exists() {
                self.close(name);
            } else if self.underway.insert(name.clone())
                && let Err(reason) = make(name)
            {
                // The answer is before the end of the request, so that who asked finds one of them.
                fs::write(self.file(name, FAILED), reason).ok();
                self.close(name);
            }
        }
        self.underway.retain(|name| open.contains(name));
    }

    /// A file that cannot be removed is served again, which does no harm.
    fn close(&mut self, name: &str) {
        remove(&self.file(name, OPEN)).ok();
        self.underway.remove(name);
    }

    fn file(&self, name: &str, suffix: &str) -> PathBuf {
        self.folder.join(format!("{name}.{suffix}"))
    }
}

fn name_of(file: &Path, suffix: &str) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    Some(name.strip_suffix(suffix)?.strip_suffix('.')?.to_owned())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_passed_on_once_and_closed_when_the_savepoint_is_there() {
        let state = tempfile::tempdir().expect("a directory");
        let mut requests = Requests::new(state.path());
        requests.ask("before").expect("asked");
        let mut made = Vec::new();
        for _ in 0..2 {
            requests.serve(|name| {
                made.push(name.to_owned());
                Ok(())
            });
        }
        assert_eq!(made, ["before"]);
        assert_eq!(requests.answer("before").expect("read"), Answer::Open);
        let directory = requests.savepoint("before");
        fs::create_dir_all(&directory).expect("created");
        fs::write(directory.join("MANIFEST.json"), "{}").expect("written");
        requests.serve(|_| Err("asked twice".to_owned()));
        assert_eq!(requests.answer("before").expect("read"), Answer::Done(directory));
        assert!(!requests.file("before", OPEN).exists());
    }

    #[test]
    fn a_refusal_reaches_who_asked() {
        let state = tempfile::tempdir().expect("a directory");
        let mut requests = Requests::new(state.path());
        requests.ask("before").expect("asked");
        requests.serve(|_| Err("no".to_owned()));
        assert_eq!(requests.answer("before").expect("read"), Answer::Failed("no".to_owned()));
        assert_eq!(requests.answer("before").expect("read"), Answer::Open);
    }
}
