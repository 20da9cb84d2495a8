//! Makes staged parts visible, and only those of committed epochs.
//!
//! ```text
//! _commits/JOB                      whose directory it is: one job's
//! _commits/1-000000000012.json      what became visible with epoch 12 of the first life of the job
//! _commits/1-000000000017-r1.json   what the recovery to epoch 17 made visible: parts that were open
//! _commits/2-000000000001.json      the job had finished, and was run again: its second life
//!
//! {"job":"orders","incarnation":"8f3a…","epoch":12,"finished":false,
//!  "parts":[{"name":"part-0-3.json","bytes":8192}]}
//! ```
//!
//! A record is created exclusively, so of two instances that publish the same epoch one fails. It
//! is written after the parts were renamed; in between a crash leaves parts without a record, and
//! recovery, which finds them in the stage's logs, records them. Records are kept: they are as many
//! as epochs that made a part visible, and say to strict readers which parts belong together.
//!
//! What is refused, because going on would lose or repeat rows: the directory of another job, rows
//! of later epochs than were decided, and rows of an earlier life that had not finished.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use millstream_state::Epoch;
use serde_json::{Value, json};

use super::stage::{Stage, Staged, reach, sync_directory};
use crate::commit::{Committed, Follower, Job};
use crate::error::{ConnectorError, Result};
use crate::filesystem::io_error;

/// The folder of records. Its name begins with `_`, so readers leave it out.
const COMMITS: &str = "_commits";
/// The file in it that says whose they are.
const OWNER: &str = "JOB";

/// Publishes what the writers of a sink staged.
pub(super) struct FileFollower {
    // PROPERTIES (constant)
    directory: PathBuf,
    job: Job,
    stage: Arc<Stage>,
    // STATE (changes)
    /// Which life of the job this is: a finished job that is run again adds to its directory.
    life: u64,
    /// The last epoch with a record of ours.
    recorded: Option<Epoch>,
}

impl FileFollower {
    pub(super) fn new(directory: PathBuf, job: Job, stage: Arc<Stage>) -> Self {
        FileFollower { directory, job, stage, life: 1, recorded: None }
    }

    fn commits(&self) -> PathBuf {
        self.directory.join(COMMITS)
    }

    /// Takes possession of the directory.
    fn claim(&self) -> Result<()> {
        let commits = self.commits();
        fs::create_dir_all(&commits).map_err(io_error(&commits))?;
        let path = commits.join(OWNER);
        let owner = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            owner => owner.map_err(io_error(&path))?,
        };
        // Without its line end the file was torn, and nothing can have been published yet.
        if let Some(owner) = owner.strip_suffix('\n') {
            if owner == self.job.name {
                return Ok(());
            }
            let message = format!(
                "{} belongs to the job `{owner}`, and this is `{}`",
                self.directory.display(),
                self.job.name
            );
            let hint = format!(
                "two jobs cannot write one directory exactly once: name another directory; or, if \
                 `{owner}` is gone for good, remove `{COMMITS}` from it: its rows stay"
            );
            return Err(refused(message, hint));
        }
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(format!("{}\n", self.job.name).as_bytes())?;
            file.sync_all()
        };
        write().map_err(io_error(&path))?;
        sync_directory(&commits)?;
        sync_directory(&self.directory)?;
        self.directory.parent().map_or(Ok(()), sync_directory)
    }

    /// Which life of the job begins or goes on.
    fn find_life(&self, last: Option<&Record>, committed: Option<&Committed>) -> Result<u64> {
        let Some(last) = last else { return Ok(1) };
        let Place { life, epoch, .. } = last.place;
        match committed {
            None if !last.finished => Err(refused(
                format!(
                    "{} holds rows of an earlier run of the job `{}`, which had not finished",
                    self.directory.display(),
                    self.job.name
                ),
                format!(
                    "go on with the state of that run; or, to begin anew, name another directory, \
                     or remove `{COMMITS}` from it: its rows stay and new ones are added"
                ),
            )),
            None => Ok(life + 1),
            Some(committed) if last.finished => {
                let is_last = committed.finished && committed.epoch == epoch;
                Ok(if is_last { life } else { life + 1 })
            }
            Some(committed) if epoch > committed.epoch => {
                Err(self.is_ahead(epoch, committed.epoch))
            }
            Some(_) => Ok(life),
        }
    }

    fn is_ahead(&self, shown: Epoch, committed: Epoch) -> ConnectorError {
        refused(
            format!(
                "{} shows rows of epoch {shown}, but the last committed one is {committed}",
                self.directory.display()
            ),
            format!(
                "the state is older than the output, as if restored from a copy; to go on from \
                 there, remove the records of later epochs from `{COMMITS}` and the parts that \
                 they list"
            ),
        )
    }

    /// Gives a part its visible name. The name must be free: parts are never changed again.
    fn show(&self, part: &Staged) -> Result<()> {
        let (from, to) = (self.stage.path_of(&part.name), self.directory.join(&part.name));
        if let Some(partition) = to.parent() {
            fs::create_dir_all(partition).map_err(io_error(partition))?;
        }
        if to.exists() {
            let source = std::io::Error::new(ErrorKind::AlreadyExists, "somebody else wrote it");
            return Err(ConnectorError::Io { place: to.display().to_string(), source });
        }
        fs::rename(&from, &to).map_err(io_error(&to))
    }

    /// Makes the names of parts durable, and those of the directories of their partitions.
    fn sync_names(&self, parts: &[Staged]) -> Result<()> {
        let mut directories = BTreeSet::from([self.directory.clone()]);
        for part in parts {
            let path = self.directory.join(&part.name);
            let within = path.ancestors().skip(1).take_while(|path| *path != self.directory);
            directories.extend(within.map(Path::to_owned));
        }
        directories.iter().try_for_each(|directory| sync_directory(directory))
    }

    /// Writes the record of `epoch`; `again` numbers those of recoveries.
    fn record(&self, epoch: Epoch, again: u64, finished: bool, parts: &[Staged]) -> Result<()> {
        let path = self.commits().join(Place { life: self.life, epoch, again }.name());
        let parts = parts.iter().map(|part| json!({"name": part.name, "bytes": part.bytes}));
        let text = json!({
            "job": self.job.name,
            "incarnation": self.job.incarnation,
            "epoch": epoch.0,
            "finished": finished,
            "parts": parts.collect::<Vec<_>>(),
        });
        let write = || {
            let mut file = File::create_new(&path)?;
            file.write_all(format!("{text}\n").as_bytes())?;
            file.sync_all()
        };
        write().map_err(io_error(&path))?;
        sync_directory(&self.commits())
    }

    /// Brings the staged parts to `epoch`; returns those that have no record yet.
    fn settle(&self, epoch: Option<Epoch>, records: &Records) -> Result<Vec<Staged>> {
        let told = self.stage.read()?;
        let ahead = |shown: Epoch| Err(self.is_ahead(shown, epoch.unwrap_or_default()));
        if told.base() > epoch.unwrap_or_default() {
            return ahead(told.base());
        }
        // A part has its record from the epoch of its last line on.
        let recorded = match told.first() {
            Some(first) => records.parts(self.life, first)?,
            None => BTreeSet::new(),
        };
        let mut settled = Vec::new();
        for (name, part) in told.parts(epoch) {
            if recorded.contains(&name) {
                continue;
            }
            let (staged, visible) = (self.stage.path_of(&name), self.directory.join(&name));
            let shown = fs::metadata(&visible).ok().map(|metadata| metadata.len());
            match (part, staged.exists(), shown) {
                (Some(part), false, Some(bytes)) if bytes == part.bytes => settled.push(part),
                // More of it was made visible than is committed.
                (_, false, Some(_)) => return ahead(epoch.unwrap_or_default().next()),
                (Some(part), ..) => {
                    cut(&staged, part.bytes)?;
                    self.show(&part)?;
                    settled.push(part);
                }
                (None, ..) => {}
            }
        }
        Ok(settled)
    }
}

/// A mistake that only a person can mend; no restart helps.
fn refused(message: String, hint: String) -> ConnectorError {
    ConnectorError::Refused { message, hint: Some(hint) }
}

/// Cuts a part to its committed rows.
fn cut(path: &Path, bytes: u64) -> Result<()> {
    let cut = || {
        let file = File::options().write(true).open(path)?;
        let found = file.metadata()?.len();
        if found < bytes {
            let reason = format!("{found} bytes are left of {bytes} that were committed");
            return Err(std::io::Error::new(ErrorKind::UnexpectedEof, reason));
        }
        file.set_len(bytes)?;
        file.sync_all()
    };
    cut().map_err(io_error(path))?;
    reach("recover.part-cut", path)
}

impl Follower for FileFollower {
    fn recover(&mut self, committed: Option<&Committed>) -> Result<()> {
        self.claim()?;
        let mut records = Records::list(self.commits())?;
        let last = records.last()?;
        self.life = self.find_life(last.as_ref(), committed)?;
        let epoch = committed.map(|committed| committed.epoch);
        let parts = self.settle(epoch, &records)?;
        self.sync_names(&parts)?;
        reach("recover.parts-named", &self.directory)?;
        if let Some(committed) = committed {
            let is_ended = last.is_some_and(|last| last.place.life == self.life && last.finished);
            if !parts.is_empty() || (committed.finished && !is_ended) {
                let again = records.next(self.life, committed.epoch);
                self.record(committed.epoch, again, committed.finished, &parts)?;
            }
        }
        reach("recover.parts-recorded", &self.directory)?;
        self.stage.clear()?;
        reach("recover.stage-cleaned", &self.directory)?;
        self.stage.reset(epoch.unwrap_or_default());
        self.recorded = epoch;
        Ok(())
    }

    fn publish(&mut self, epoch: Epoch, finished: bool) -> Result<()> {
        let parts = self.stage.take(epoch);
        if self.recorded.is_some_and(|recorded| recorded >= epoch)
            || (parts.is_empty() && !finished)
        {
            return Ok(());
        }
        for part in &parts {
            self.show(part)?;
            reach("publish.part-named", &self.directory)?;
        }
        if !parts.is_empty() {
            self.sync_names(&parts)?;
        }
        reach("publish.parts-named", &self.directory)?;
        self.record(epoch, 0, finished, &parts)?;
        reach("publish.parts-recorded", &self.directory)?;
        self.recorded = Some(epoch);
        if finished { self.stage.clear() } else { Ok(()) }
    }
}

/// What a record's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    life: u64,
    epoch: Epoch,
    again: u64,
}

impl Place {
    fn name(self) -> String {
        let suffix = if self.again == 0 { String::new() } else { format!("-r{}", self.again) };
        format!("{}-{:012}{suffix}.json", self.life, self.epoch.0)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut words = name.strip_suffix(".json")?.splitn(3, '-');
        let life = words.next()?.parse().ok()?;
        let epoch = Epoch(words.next()?.parse().ok()?);
        let again = match words.next() {
            Some(word) => word.strip_prefix('r')?.parse().ok()?,
            None => 0,
        };
        Some(Place { life, epoch, again })
    }
}

/// What a record says that matters here.
struct Record {
    place: Place,
    finished: bool,
    parts: Vec<String>,
}

/// The records of a directory, in order.
struct Records {
    commits: PathBuf,
    places: Vec<Place>,
}

impl Records {
    fn list(commits: PathBuf) -> Result<Self> {
        let mut places = Vec::new();
        for entry in fs::read_dir(&commits).map_err(io_error(&commits))? {
            let name = entry.map_err(io_error(&commits))?.file_name();
            places.extend(name.to_str().and_then(Place::parse));
        }
        places.sort_unstable();
        Ok(Records { commits, places })
    }

    /// The last record. One that was torn says nothing and is removed: recovery makes up for it.
    fn last(&mut self) -> Result<Option<Record>> {
        while let Some(place) = self.places.last() {
            if let Some(record) = self.read(*place)? {
                return Ok(Some(record));
            }
            let path = self.commits.join(place.name());
            fs::remove_file(&path).map_err(io_error(&path))?;
            self.places.pop();
        }
        Ok(None)
    }

    /// Names of the parts that records of a life list from `first` on.
    fn parts(&self, life: u64, first: Epoch) -> Result<BTreeSet<String>> {
        let mut parts = BTreeSet::new();
        for place in self.places.iter().filter(|place| place.life == life && place.epoch >= first) {
            parts.extend(self.read(*place)?.into_iter().flat_map(|record| record.parts));
        }
        Ok(parts)
    }

    /// The next free number for a record of this epoch.
    fn next(&self, life: u64, epoch: Epoch) -> u64 {
        let same = self.places.iter().filter(|place| place.life == life && place.epoch == epoch);
        same.map(|place| place.again + 1).max().unwrap_or(0)
    }

    /// `None` if it was torn.
    fn read(&self, place: Place) -> Result<Option<Record>> {
        let path = self.commits.join(place.name());
        let text = fs::read(&path).map_err(io_error(&path))?;
        let Ok(value) = serde_json::from_slice::<Value>(&text) else { return Ok(None) };
        let parts = value["parts"].as_array().into_iter().flatten();
        let names = parts.filter_map(|part| part["name"].as_str()).map(str::to_owned);
        let finished = value["finished"].as_bool().unwrap_or(false);
        Ok(Some(Record { place, finished, parts: names.collect() }))
    }
}
