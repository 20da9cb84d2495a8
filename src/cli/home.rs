//! Where a job keeps its state, and what it is called.
//!
//! | SQL from | state | name |
//! |---|---|---|
//! | `jobs/orders.sql` | `jobs/orders.state/` | `orders` |
//! | `-e`, standard input | `./millstream.state/` | `millstream` |
//!
//! `--state-dir`, `--name` and `SET 'pipeline.name'` say otherwise. A bare query keeps nothing: who
//! looks at rows starts a query anew.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use millstream::operators::graph::{JobGraph, NodeKind};

use super::args::{SqlArguments, StateOptions};

/// The directory and the name of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// State directory.
    pub directory: PathBuf,
    /// By which Kafka knows the job.
    pub name: String,
}

impl Home {
    /// The home of the job that these arguments run; `set` is what the SQL calls it.
    pub fn new(sql: &SqlArguments, options: &StateOptions, set: Option<&str>) -> Self {
        let file = sql.file.as_deref().filter(|file| *file != Path::new("-"));
        let name = options.name.clone().or_else(|| set.map(str::to_owned));
        let name = name.unwrap_or_else(|| {
            let stem = file.and_then(Path::file_stem).map(|stem| stem.to_string_lossy());
            stem.map_or_else(|| "millstream".to_owned(), |stem| usable(&stem))
        });
        let directory = options.state_dir.clone().unwrap_or_else(|| beside(file));
        Home { directory, name }
    }

    /// Removes what a finished job has no use for: everything but savepoints. What cannot be
    /// removed does no harm, the next start begins anew all the same.
    pub fn leave_nothing(&self) {
        let Ok(lock) = File::open(self.directory.join("LOCK")) else { return };
        // Another start of the job may have been quicker.
        if lock.try_lock().is_err() {
            return;
        }
        for folder in ["live", "checkpoints", "quarantine", "requests"] {
            fs::remove_dir_all(self.directory.join(folder)).ok();
        }
        for file in ["DECIDED", "LOCK"] {
            fs::remove_file(self.directory.join(file)).ok();
        }
        fs::remove_dir(self.directory.join("savepoints")).ok();
        fs::remove_dir(&self.directory).ok();
    }
}

/// The state directory of a job whose SQL is in this file.
pub fn beside(file: Option<&Path>) -> PathBuf {
    file.map_or_else(|| PathBuf::from("millstream.state"), |file| file.with_extension("state"))
}

/// True if the job writes to a table; false if it only prints what a bare query gives.
pub fn writes_tables(graph: &JobGraph) -> bool {
    graph.sinks().any(|node| match &node.kind {
        NodeKind::Sink(table) => !(table.connector() == "print" && table.name == "result"),
        _ => false,
    })
}

/// True if the job reads standard input, which nobody can read again.
pub fn reads_stdin(graph: &JobGraph) -> bool {
    graph.sources().any(|node| match &node.kind {
        NodeKind::Source(source) => source.table.connector() == "stdin",
        _ => false,
    })
}

/// True if the job writes to Kafka, whose transactions then decide which epochs count.
pub fn writes_kafka(graph: &JobGraph) -> bool {
    graph.sinks().any(|node| match &node.kind {
        NodeKind::Sink(table) => table.connector() == "kafka",
        _ => false,
    })
}

/// Other systems take letters, digits and a few signs in names.
fn usable(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    name.chars().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::super::args::ErrorFormat;
    use super::*;

    fn home(file: Option<&str>, options: &StateOptions, set: Option<&str>) -> (String, String) {
        let sql = SqlArguments {
            file: file.map(PathBuf::from),
            execute: None,
            set: Vec::new(),
            parallelism: None,
            env_file: None,
            error_format: ErrorFormat::Human,
            deny: Vec::new(),
            allow: Vec::new(),
        };
        let home = Home::new(&sql, options, set);
        (home.directory.display().to_string(), home.name)
    }

    #[test]
    fn state_is_beside_the_file_and_named_after_it() {
        let plain = StateOptions::default();
        let pair = |directory: &str, name: &str| (directory.to_owned(), name.to_owned());
        assert_eq!(
            home(Some("jobs/orders.sql"), &plain, None),
            pair("jobs/orders.state", "orders")
        );
        assert_eq!(home(Some("my job"), &plain, None), pair("my job.state", "my-job"));
        assert_eq!(home(Some("-"), &plain, None), pair("millstream.state", "millstream"));
        assert_eq!(home(None, &plain, None), pair("millstream.state", "millstream"));
    }

    #[test]
    fn a_flag_wins_over_the_sql_and_both_over_the_file() {
        let named = StateOptions { name: Some("flag".to_owned()), ..StateOptions::default() };
        assert_eq!(home(Some("a.sql"), &named, Some("set")).1, "flag");
        assert_eq!(home(Some("a.sql"), &StateOptions::default(), Some("set")).1, "set");
    }
}
