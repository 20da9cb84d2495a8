//! What writers have staged: parts that nobody sees yet, and how far each was when.
//!
//! ```text
//! .staged/part-0-3.json    a part of subtask 0, also one that will be day=…/part-0-3.json
//! .staged/0.log            its log: a line for each part that changed in an epoch
//!
//! 5d1f0c3a 12 open 8192 part-0-3.json
//! │        │  │    │    └ name         whole  nothing is added to it any more
//! │        │  │    └ bytes             open   it goes on
//! │        │  └ how it is              base   no part: what is known of epochs before is forgotten
//! │        └ epoch
//! └ CRC-32 of what follows the blank, up to the end of the line
//! ```
//!
//! Laws:
//!
//! 1. a line is written once the bytes that it speaks of are on the disk, and is on the disk before
//!    `end_epoch` returns. A last line that is torn is of an epoch that never ended;
//! 2. the bytes of a part that are of epochs up to `n` are those of its last line up to `n`;
//! 3. logs are read by recovery only, and removed by it: a writer begins its own.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millstream_state::{Epoch, fault};

use super::part::Part;
use crate::error::{ConnectorError, Result};
use crate::filesystem::io_error;

/// The folder of staged parts; hidden, so that readers leave it out.
pub(super) const STAGE: &str = ".staged";
/// A log that is larger is written anew without what nobody needs any more.
const LOG_BYTES: u64 = 64 << 10;
/// Epochs before the last published one of which a log still tells: a decider may fall back.
const REMEMBERED: u64 = 16;

/// A part on the disk, and how many of its bytes count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Staged {
    /// Its visible name below the sink's directory, those of partitions in front.
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// The stage of a sink, shared by its writers and its follower.
pub(super) struct Stage {
    directory: PathBuf,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// The last epoch that was published or recovered.
    published: Epoch,
    /// Whole parts by the epoch of their last rows.
    whole: BTreeMap<Epoch, Vec<Staged>>,
}

impl Stage {
    pub(super) fn new(directory: PathBuf) -> Self {
        Stage { directory, waiting: Mutex::default() }
    }

    /// Where the part that will have this visible name lies.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.directory.join(name.rsplit('/').next().unwrap_or(name))
    }

    /// The whole parts of epochs up to `epoch`, which are published now.
    pub(super) fn take(&self, epoch: Epoch) -> Vec<Staged> {
        let mut waiting = self.waiting();
        let later = waiting.whole.split_off(&epoch.next());
        let parts = std::mem::replace(&mut waiting.whole, later);
        waiting.published = waiting.published.max(epoch);
        parts.into_values().flatten().collect()
    }

    /// Begins anew behind `epoch`.
    pub(super) fn reset(&self, epoch: Epoch) {
        *self.waiting() = Waiting { published: epoch, whole: BTreeMap::new() };
    }

    /// All that the logs tell.
    pub(super) fn read(&self) -> Result<Told> {
        let mut told = Told::default();
        for path in files(&self.directory)? {
            if path.extension().is_some_and(|extension| extension == "log") {
                let text = fs::read(&path).map_err(io_error(&path))?;
                told.add(&text, &path)?;
            }
        }
        Ok(told)
    }

    /// Removes everything from the stage, and the stage.
    pub(super) fn clear(&self) -> Result<()> {
        for path in files(&self.directory)? {
            fs::remove_file(&path).map_err(io_error(&path))?;
        }
        match fs::remove_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(io_error(&self.directory)),
        }?;
        self.directory.parent().map_or(Ok(()), sync_directory)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic elsewhere leaves these values whole, so that a poisoned lock is as good as any.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files of a folder; none if there is no folder.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
            .map_err(io_error(directory)),
    }
}

/// Makes names in a folder durable.
pub(super) fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory).and_then(|folder| folder.sync_all()).map_err(io_error(directory))
}

/// Passes a point at which tests stop the job.
pub(super) fn reach(point: &'static str, path: &Path) -> Result<()> {
    fault::reach(point).map_err(io_error(path))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Whole,
    Base,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    epoch: Epoch,
    state: State,
    part: Staged,
}

impl Line {
    fn base(epoch: Epoch) -> Self {
        Line { epoch, state: State::Base, part: Staged { name: "-".to_owned(), bytes: 0 } }
    }

    fn text(&self) -> String {
        let state = match self.state {
            State::Open => "open",
            State::Whole => "whole",
            State::Base => "base",
        };
        let rest = format!("{} {state} {} {}", self.epoch, self.part.bytes, self.part.name);
        format!("{:08x} {rest}\n", crc32fast::hash(rest.as_bytes()))
    }

    /// The line in these bytes, which lack the line end; `None` if they are not what was written.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (crc, rest) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        if u32::from_str_radix(crc, 16) != Ok(crc32fast::hash(rest.as_bytes())) {
            return None;
        }
        let mut words = rest.splitn(4, ' ');
        let epoch = Epoch(words.next()?.parse().ok()?);
        let state = match words.next()? {
            "open" => State::Open,
            "whole" => State::Whole,
            "base" => State::Base,
            _ => return None,
        };
        let bytes = words.next()?.parse().ok()?;
        Some(Line { epoch, state, part: Staged { name: words.next()?.to_owned(), bytes } })
    }
}

/// What logs tell.
#[derive(Debug, Default)]
pub(super) struct Told {
    lines: Vec<Line>,
}

impl Told {
    fn add(&mut self, text: &[u8], path: &Path) -> Result<()> {
        // Behind the last line end there is nothing, or a line that was torn.
        let whole = text.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let lines: Vec<Option<Line>> =
            text[..whole].split(|byte| *byte == b'\n').map(Line::parse).collect();
        let Some(broken) = lines.iter().position(Option::is_none) else {
            self.lines.extend(lines.into_iter().flatten());
            return Ok(());
        };
        // The lines of an epoch are written at once and reach the disk in any order. If those of
        // one epoch are all that follows, then that is the one that never ended.
        let mut later = lines[broken..].iter().flatten().map(|line| line.epoch);
        let last = later.next();
        if last.is_some_and(|last| later.any(|epoch| epoch != last)) {
            return Err(ConnectorError::Data {
                place: format!("{}:{}", path.display(), broken + 1),
                reason: "the line is not as it was written".into(),
                hint: Some("the disk may be damaged; begin anew in another directory".into()),
            });
        }
        let kept = lines.into_iter().take(broken).flatten();
        self.lines.extend(kept.filter(|line| last.is_none_or(|last| line.epoch < last)));
        Ok(())
    }

    /// The first epoch that is known of whole.
    pub(super) fn base(&self) -> Epoch {
        let bases = self.lines.iter().filter(|line| line.state == State::Base);
        bases.map(|line| line.epoch).max().unwrap_or_default()
    }

    /// The first epoch that is told of.
    pub(super) fn first(&self) -> Option<Epoch> {
        let parts = self.lines.iter().filter(|line| line.state != State::Base);
        parts.map(|line| line.epoch).min()
    }

    /// For each part: what of it is of epochs up to `epoch`, if anything is.
    pub(super) fn parts(&self, epoch: Option<Epoch>) -> BTreeMap<String, Option<Staged>> {
        let mut parts = BTreeMap::new();
        // Lines of a part are in one log, in order.
        for line in self.lines.iter().filter(|line| line.state != State::Base) {
            let known: &mut Option<Staged> = parts.entry(line.part.name.clone()).or_default();
            if epoch.is_some_and(|epoch| line.epoch <= epoch) {
                *known = Some(line.part.clone());
            }
        }
        parts
    }
}

/// The stage of one writer.
pub(super) struct StageWriter {
    // PROPERTIES (constant)
    stage: Arc<Stage>,
    path: PathBuf,
    // STATE (changes)
    log: Option<File>,
    log_bytes: u64,
    lines: Vec<Line>,
    /// The last epoch that was ended.
    ended: Option<Epoch>,
    /// Whether there were rows since.
    has_rows: bool,
    /// Whether a part was begun since.
    has_begun: bool,
    /// Whole parts since.
    whole: Vec<Staged>,
}

impl StageWriter {
    pub(super) fn new(stage: Arc<Stage>, subtask: usize) -> Self {
        StageWriter {
            path: stage.directory.join(format!("{subtask}.log")),
            stage,
            log: None,
            log_bytes: 0,
            lines: Vec::new(),
            ended: None,
            has_rows: false,
            has_begun: false,
            whole: Vec::new(),
        }
    }

    /// Where a part with this name, without directories, is to be written.
    pub(super) fn begin(&mut self, name: &str) -> Result<PathBuf> {
        let directory = &self.stage.directory;
        if !directory.exists() {
            fs::create_dir_all(directory).map_err(io_error(directory))?;
            directory.parent().map_or(Ok(()), sync_directory)?;
        }
        self.has_begun = true;
        Ok(directory.join(name))
    }

    pub(super) fn note_rows(&mut self) {
        self.has_rows = true;
    }

    /// Takes a part that is on the disk, and to which nothing is added any more.
    pub(super) fn add_whole(&mut self, part: Staged) {
        self.whole.push(part);
    }

    /// Ends an epoch with `open` as the parts that go on.
    pub(super) fn end_epoch<'p>(
        &mut self,
        epoch: Epoch,
        open: impl Iterator<Item = &'p mut Part>,
    ) -> Result<()> {
        let mut lines = Vec::new();
        for part in open {
            if part.take_has_rows() {
                lines.push(Line { epoch, state: State::Open, part: part.sync()? });
            }
        }
        self.write_down(epoch, lines)?;
        self.ended = Some(epoch);
        self.has_rows = false;
        Ok(())
    }

    /// Nothing follows. Whole parts are of the epoch of their last rows: the next one to end, if
    /// there were rows since the last.
    pub(super) fn finish(&mut self) -> Result<()> {
        let ended = self.ended.unwrap_or_else(|| self.stage.waiting().published);
        let epoch = if self.has_rows { ended.next() } else { ended };
        self.write_down(epoch, Vec::new())
    }

    fn write_down(&mut self, epoch: Epoch, mut lines: Vec<Line>) -> Result<()> {
        let whole = std::mem::take(&mut self.whole);
        let line = |part: &Staged| Line { epoch, state: State::Whole, part: part.clone() };
        lines.extend(whole.iter().map(line));
        if lines.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.has_begun) {
            sync_directory(&self.stage.directory)?;
        }
        reach("epoch.part-synced", &self.path)?;
        self.append(lines)?;
        reach("epoch.part-logged", &self.path)?;
        self.stage.waiting().whole.entry(epoch).or_default().extend(whole);
        Ok(())
    }

    fn append(&mut self, lines: Vec<Line>) -> Result<()> {
        let text: String = lines.iter().map(Line::text).collect();
        self.lines.extend(lines);
        if self.log_bytes > LOG_BYTES {
            return self.rewrite();
        }
        let is_new = self.log.is_none();
        let log = match &mut self.log {
            Some(log) => log,
            none => none.insert(File::create_new(&self.path).map_err(io_error(&self.path))?),
        };
        log.write_all(text.as_bytes()).map_err(io_error(&self.path))?;
        log.sync_data().map_err(io_error(&self.path))?;
        self.log_bytes += text.len() as u64;
        if is_new { sync_directory(&self.stage.directory) } else { Ok(()) }
    }

    /// Writes the log anew without what is of no use any more.
    fn rewrite(&mut self) -> Result<()> {
        let published = self.stage.waiting().published;
        let floor = Epoch(published.0.saturating_sub(REMEMBERED));
        self.lines = needed(&self.lines, floor);
        let text: String = self.lines.iter().map(Line::text).collect();
        let new = self.path.with_extension("new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            OpenOptions::new().append(true).open(&self.path)
        };
        self.log = Some(write().map_err(io_error(&self.path))?);
        self.log_bytes = text.len() as u64;
        sync_directory(&self.stage.directory)
    }
}

/// The lines that recovery to an epoch from `floor` on needs: of each part that was not whole by
/// then the last one up to `floor`, and all later ones.
fn needed(lines: &[Line], floor: Epoch) -> Vec<Line> {
    let mut last: BTreeMap<&str, &Line> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.epoch <= floor) {
        last.insert(&line.part.name, line);
    }
    let last = last.into_values().filter(|line| line.state == State::Open);
    let later = lines.iter().filter(|line| line.epoch > floor);
    std::iter::once(Line::base(floor)).chain(last.chain(later).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(epoch: u64, state: State, name: &str, bytes: u64) -> Line {
        Line { epoch: Epoch(epoch), state, part: Staged { name: name.to_owned(), bytes } }
    }

    #[test]
    fn lines_are_read_as_they_were_written() {
        let written = line(12, State::Open, "part-0-3.json", 8192);
        let text = written.text();
        assert_eq!(text, "6ee8be62 12 open 8192 part-0-3.json\n", "frozen: older logs are read");
        assert_eq!(Line::parse(text.trim_end().as_bytes()), Some(written));
        for at in 0..text.len() - 1 {
            let mut bytes = text.trim_end().as_bytes().to_vec();
            bytes[at] ^= 1;
            assert_eq!(Line::parse(&bytes), None, "byte {at}");
        }
    }

    #[test]
    fn a_torn_last_line_is_of_no_epoch_and_a_broken_one_before_is_an_error() {
        let path = Path::new("0.log");
        let lines = [line(1, State::Open, "a", 10), line(2, State::Whole, "a", 20)];
        let text: String = lines.iter().map(Line::text).collect();
        for cut in lines[0].text().len()..text.len() {
            let mut told = Told::default();
            told.add(&text.as_bytes()[..cut], path).expect("only the end is torn");
            assert_eq!(told.lines, lines[..1], "cut at {cut}");
        }
        let mut torn = text.clone().into_bytes();
        torn[3] ^= 1;
        let mut told = Told::default();
        told.add(&torn, path).expect("one epoch follows, which may be the torn one");
        assert_eq!(told.lines, []);
        torn.extend(line(3, State::Open, "b", 5).text().bytes());
        assert!(Told::default().add(&torn, path).is_err(), "two epochs follow");
    }

    #[test]
    fn a_shortened_log_tells_the_same_of_what_can_still_be_asked() {
        let mut lines = Vec::new();
        for epoch in 1..=40 {
            lines.push(line(epoch, State::Open, &format!("p{}", epoch / 10), epoch));
            if epoch % 10 == 9 {
                lines.push(line(epoch, State::Whole, &format!("p{}", epoch / 10), epoch));
            }
        }
        let floor = Epoch(25);
        let (all, some) = (Told { lines: lines.clone() }, Told { lines: needed(&lines, floor) });
        assert!(some.lines.len() < all.lines.len());
        assert_eq!(some.base(), floor);
        for epoch in 25..=40 {
            let (mut all, some) = (all.parts(Some(Epoch(epoch))), some.parts(Some(Epoch(epoch))));
            all.retain(|name, _| !["p0", "p1"].contains(&name.as_str()));
            assert_eq!(all, some, "epoch {epoch}");
        }
    }
}
