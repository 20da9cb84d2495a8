//! What `run` says of state: where it is, what it was, what was committed. One line each, on
//! standard error.
//!
//! ```text
//! state in orders.state: restored epoch 42, written 3 s ago; 4 operators, 1.2 GB; reading goes on
//!   at orders[0] 1,234, orders[1] 1,199 and 14 more
//! epoch 57 is committed; run again to go on from there
//! ```

use std::path::{Path, PathBuf};

use millstream::engine::compatibility::Change;
use millstream::engine::report::{format_bytes, format_ns, group_digits};
use millstream::engine::{JobSummary, Outcome, Recovery};
use millstream::state::Epoch;
use millstream::state::checkpoint::{Manifest, SourceState, SplitState};

use super::listing::ago;

/// Positions that are named; of the others the number is told.
const NAMED: usize = 2;

/// Says each thing once.
#[derive(Debug)]
pub struct Notes {
    directory: PathBuf,
    savepoint: Option<String>,
    /// The restarts that were told of, and the failure that led to the next.
    restarts: Option<u64>,
    failure: Option<String>,
}

impl Notes {
    /// Of a job with this state directory that begins with a savepoint, if it does.
    pub fn new(directory: &Path, savepoint: Option<&str>) -> Self {
        Notes {
            directory: directory.to_owned(),
            savepoint: savepoint.map(str::to_owned),
            restarts: None,
            failure: None,
        }
    }

    /// What is new in what the job says of its recovery. Before its first start has been seen it
    /// has no name, and nothing is new.
    pub fn recovery(&mut self, recovery: &Recovery) -> Vec<String> {
        let mut lines = Vec::new();
        if recovery.incarnation.is_empty() {
            return lines;
        }
        if self.restarts != Some(recovery.restarts) {
            self.restarts = Some(recovery.restarts);
            self.failure = None;
            lines.push(self.beginning(recovery));
            let changes = recovery
                .changes
                .iter()
                .filter(|change| !matches!(change.change, Change::Kept | Change::New));
            lines.extend(changes.map(|change| format!("  {change}")));
        }
        if let (Some(failure), Some(delay_ms)) = (&recovery.failure, recovery.retry_in_ms)
            && self.failure.as_ref() != Some(failure)
        {
            let delay = format_ns(delay_ms * 1_000_000);
            lines.push(format!("{failure}; going back to the last epoch in {delay}"));
            self.failure = Some(failure.clone());
        }
        lines
    }

    fn beginning(&self, recovery: &Recovery) -> String {
        let place = self.directory.display();
        if recovery.had_finished {
            return format!("state in {place}: the job had finished; run again to begin anew");
        }
        let Some(epoch) = recovery.restored else {
            return format!("state in {place}: there is none, the job begins anew");
        };
        let from = match &self.savepoint {
            Some(name) if recovery.restarts == 0 => format!(" of savepoint {name}"),
            _ => String::new(),
        };
        let details = read_manifest(&self.directory, epoch).map_or_else(String::new, details);
        format!("state in {place}: restored epoch {epoch}{from}{details}")
    }

    /// What is left at the end.
    pub fn end(&self, summary: &JobSummary) -> Option<String> {
        let place = self.directory.display();
        let epochs = &summary.figures.epochs;
        match summary.outcome {
            Outcome::Finished => None,
            Outcome::Stopped if epochs.epochs > 0 => Some(format!(
                "epoch {} is committed, its state is in {place}; run again to go on from there",
                epochs.last_epoch
            )),
            Outcome::Stopped => {
                Some(format!("nothing new was committed; the state in {place} is as it was"))
            }
            Outcome::Aborted => {
                Some(format!("aborted; run again to go on from the last epoch in {place}"))
            }
        }
    }
}

/// The manifest of a checkpoint, if it can be read; what it is for is a courtesy.
fn read_manifest(directory: &Path, epoch: Epoch) -> Option<Manifest> {
    let folder = directory.join("checkpoints").join(format!("{:012}", epoch.0));
    let bytes = std::fs::read(folder.join("MANIFEST.json")).ok()?;
    Some(Manifest::from_bytes(&bytes).ok()?.0)
}

fn details(manifest: Manifest) -> String {
    let operators = manifest.operators.len();
    let plural = if operators == 1 { "" } else { "s" };
    format!(
        ", written {}; {operators} operator{plural} with state, {}; reading goes on at {}",
        ago(manifest.created_ms),
        format_bytes(manifest.bytes()),
        positions(&manifest)
    )
}

/// Where the splits are that have not ended.
fn positions<'a>(manifest: &'a Manifest) -> String {
    let splits =
        |source: &'a SourceState| source.splits.iter().map(move |split| (&source.table, split));
    let open: Vec<(&String, &SplitState)> =
        manifest.sources.iter().flat_map(splits).filter(|(_, split)| !split.finished).collect();
    let name = |(table, split): &(&String, &SplitState)| {
        let offset = split.next_offset.map_or_else(|| "its start".to_owned(), group_digits);
        format!("{table}[{}] {offset}", split.id)
    };
    let named: Vec<String> = open.iter().take(NAMED).map(name).collect();
    match open.len() {
        0 => "the end of all inputs".to_owned(),
        more if more > NAMED => format!("{} and {} more", named.join(", "), more - NAMED),
        _ => named.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(id: &str, next_offset: u64) -> SplitState {
        SplitState { id: id.into(), next_offset: Some(next_offset), ..SplitState::default() }
    }

    #[test]
    fn positions_are_named_as_long_as_they_are_few() {
        let mut manifest = Manifest::default();
        assert_eq!(positions(&manifest), "the end of all inputs");
        let splits = vec![split("0", 1_234), split("1", 5)];
        let table = "o".to_owned();
        manifest.sources.push(SourceState { table, splits, ..SourceState::default() });
        assert_eq!(positions(&manifest), "o[0] 1,234, o[1] 5");
        manifest.sources[0].splits.push(split("2", 7));
        assert_eq!(positions(&manifest), "o[0] 1,234, o[1] 5 and 1 more");
        manifest.sources[0].splits[0].finished = true;
        assert_eq!(positions(&manifest), "o[1] 5, o[2] 7");
    }

    #[test]
    fn a_start_and_a_failure_are_told_once() {
        let mut notes = Notes::new(Path::new("no/such/place"), None);
        let mut recovery = Recovery::default();
        assert!(notes.recovery(&recovery).is_empty(), "nothing has started");
        recovery.incarnation = "a".to_owned();
        recovery.restored = Some(Epoch(4));
        assert_eq!(notes.recovery(&recovery), ["state in no/such/place: restored epoch 4"]);
        assert!(notes.recovery(&recovery).is_empty());
        recovery.failure = Some("broker away".to_owned());
        recovery.retry_in_ms = Some(1_500);
        assert_eq!(
            notes.recovery(&recovery),
            ["broker away; going back to the last epoch in 1.5 s"]
        );
        assert!(notes.recovery(&recovery).is_empty());
    }
}
