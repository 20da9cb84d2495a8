//! The decider of jobs whose sinks do not decide: a file in the state directory.
//!
//! ```text
//! DECIDED      millstream decided 1 42 9f02c1aa run 7d3f…-a1 5c0be2d7⏎
//!                                 │ │  │        │   │        └ CRC-32 of all before it, in hex
//!                                 │ │  │        │   └ incarnation
//!                                 │ │  │        └ `run`, or `end` of a job whose inputs have ended
//!                                 │ │  └ checksum of the snapshot's manifest, in hex
//!                                 │ └ epoch
//!                                 └ format
//! ```
//!
//! It is written aside, synced, renamed and its directory synced, so there is always one whole
//! file, the old or the new. Predecessors are fenced by the lock of the state directory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use millstream_connectors::commit::{Committed, Committer, EpochCommit};
use millstream_connectors::{ConnectorError, Job};
use millstream_state::{Epoch, fault};

/// Name of the file.
pub const FILE: &str = "DECIDED";

const HEAD: &str = "millstream decided 1";

/// Commits by replacing a file; see the head of this file.
pub struct LocalDecider {
    directory: PathBuf,
    incarnation: String,
}

impl LocalDecider {
    /// The decider of a job, in its state directory.
    pub fn new(directory: &Path, job: &Job) -> Self {
        LocalDecider { directory: directory.to_owned(), incarnation: job.incarnation.clone() }
    }

    fn file(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    fn replace(&self, line: &str) -> io::Result<()> {
        let aside = self.directory.join(format!("{FILE}.tmp"));
        fault::reach("commit.begun")?;
        let mut file = File::create(&aside)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        fault::reach("commit.flushed")?;
        fs::rename(&aside, self.file())?;
        fault::reach("commit.sent")?;
        File::open(&self.directory)?.sync_all()
    }
}

impl Committer for LocalDecider {
    fn recover(&mut self) -> Result<Option<Committed>, ConnectorError> {
        let place = self.file().display().to_string();
        let io = |source| ConnectorError::Io { place: place.clone(), source };
        fault::reach("recover.fenced").map_err(io)?;
        let bytes = match fs::read(self.file()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ConnectorError::Io { place, source }),
        };
        match parse(&bytes) {
            Some(committed) => Ok(Some(committed)),
            None => Err(ConnectorError::Refused {
                message: format!("{place} is damaged: nobody knows which epoch was committed last"),
                hint: Some(
                    "restore the file from a copy of the state directory; --fresh begins anew"
                        .to_owned(),
                ),
            }),
        }
    }

    fn commit(&mut self, commit: &EpochCommit) -> Result<(), ConnectorError> {
        let io = |source| ConnectorError::Io { place: self.file().display().to_string(), source };
        self.replace(&format(commit, &self.incarnation)).map_err(io)
    }
}

fn format(commit: &EpochCommit, incarnation: &str) -> String {
    let EpochCommit { epoch, snapshot_crc, finished, .. } = commit;
    let word = if *finished { "end" } else { "run" };
    let line = format!("{HEAD} {epoch} {snapshot_crc:08x} {word} {incarnation}");
    let crc = crc32fast::hash(line.as_bytes());
    format!("{line} {crc:08x}\n")
}

fn parse(bytes: &[u8]) -> Option<Committed> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let (line, crc) = text.rsplit_once(' ')?;
    if crc != format!("{:08x}", crc32fast::hash(line.as_bytes())) {
        return None;
    }
    let mut words = line.strip_prefix(HEAD)?.strip_prefix(' ')?.splitn(4, ' ');
    let epoch = Epoch(words.next()?.parse().ok()?);
    let snapshot_crc = u32::from_str_radix(words.next()?, 16).ok()?;
    let finished = words.next()? == "end";
    Some(Committed { epoch, snapshot_crc, finished })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn commit(epoch: u64, finished: bool) -> EpochCommit {
        let positions = Arc::from([]);
        EpochCommit { epoch: Epoch(epoch), snapshot_crc: 0x9f02_c1aa, positions, finished }
    }

    #[test]
    fn the_bytes_are_these() {
        let line = format(&commit(42, false), "a-1");
        assert_eq!(line, "millstream decided 1 42 9f02c1aa run a-1 2d8dd7eb\n");
    }

    #[test]
    fn what_was_committed_last_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let job = Job { name: "j".into(), incarnation: "a b".into(), interval_ms: 1 };
        let mut decider = LocalDecider::new(directory.path(), &job);
        assert_eq!(decider.recover().expect("reads"), None);
        decider.commit(&commit(1, false)).expect("commits");
        decider.commit(&commit(2, true)).expect("commits");
        let committed = Committed { epoch: Epoch(2), snapshot_crc: 0x9f02_c1aa, finished: true };
        assert_eq!(decider.recover().expect("reads"), Some(committed));
    }

    #[test]
    fn a_file_that_was_cut_or_changed_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let job = Job { name: "j".into(), incarnation: "a".into(), interval_ms: 1 };
        let mut decider = LocalDecider::new(directory.path(), &job);
        let whole = format(&commit(7, false), "a").into_bytes();
        for length in 0..whole.len() {
            fs::write(decider.file(), &whole[..length]).expect("writes");
            let error = decider.recover().expect_err("cut");
            assert!(matches!(error, ConnectorError::Refused { .. }), "cut at {length}: {error}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(decider.file(), &flipped).expect("writes");
            assert!(decider.recover().is_err(), "flipped at {at}");
        }
    }
}
