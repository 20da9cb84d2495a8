//! What no table can tell alone: whether the sinks of one job can keep what they promise together.

use std::collections::{BTreeMap, BTreeSet};

use crate::TableSpec;
use crate::options::check::Direction;

/// The option that says how often a row reaches a sink.
pub const GUARANTEE: &str = "sink.delivery-guarantee";

/// Brokers abort a transaction after 15 minutes at the latest, and an epoch is one.
const LONGEST_TRANSACTION_MS: u64 = 10 * 60 * 1000;

/// A promise that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    /// Which of the tables it is about.
    pub table: usize,
    /// The option to change; it may be missing from the table's WITH clause.
    pub option: &'static str,
    /// What is wrong, names in backquotes, without a full stop.
    pub message: String,
    /// The ways out.
    pub hint: String,
}

/// Everything that the tables of one job cannot promise together, with this time between epochs
/// (0 for none). It touches neither network nor disk.
pub fn check_job(tables: &[(&TableSpec, Direction)], interval_ms: u64) -> Vec<JobError> {
    let sinks = tables.iter().enumerate().filter(|(_, (_, way))| *way == Direction::Sink);
    let sinks: Vec<(usize, &TableSpec)> =
        sinks.map(|(index, (table, _))| (index, *table)).collect();
    let mut errors = transactions(&sinks, interval_ms);
    errors.extend(directories(&sinks));
    errors
}

fn transactions(sinks: &[(usize, &TableSpec)], interval_ms: u64) -> Vec<JobError> {
    let mut errors = Vec::new();
    let mut first: Option<&TableSpec> = None;
    for (index, table) in sinks {
        if !is_transactional(table, interval_ms) {
            continue;
        }
        let error = |message, hint: &str| JobError {
            table: *index,
            option: GUARANTEE,
            message,
            hint: hint.to_owned(),
        };
        let name = &table.name;
        if interval_ms == 0 {
            errors.push(error(
                format!("`{name}` cannot be written exactly once: the job has no epochs"),
                "SET 'execution.checkpointing.interval' = '1 s'; or write \
                 'sink.delivery-guarantee' = 'at-least-once'",
            ));
            continue;
        }
        if interval_ms > LONGEST_TRANSACTION_MS {
            errors.push(error(
                format!(
                    "`{name}` cannot be written exactly once: epochs of {} min outlast its \
                     transactions",
                    interval_ms / 60_000
                ),
                "SET 'execution.checkpointing.interval' to 10 min or less; or write \
                 'sink.delivery-guarantee' = 'at-least-once'",
            ));
            continue;
        }
        match first {
            None => first = Some(table),
            Some(other) if cluster(other) == cluster(table) => {}
            Some(other) => errors.push(error(
                format!(
                    "`{}` and `{name}` are on two clusters, which cannot commit together",
                    other.name
                ),
                "write one of them with 'sink.delivery-guarantee' = 'at-least-once'; or split the \
                 file into two jobs, each of which is exactly once",
            )),
        }
    }
    errors
}

/// Whether rows are written in transactions: asked for, or the default of a job with epochs.
fn is_transactional(table: &TableSpec, interval_ms: u64) -> bool {
    let is_kafka = table.connector() == crate::kafka::INFO.name;
    let guarantee = table.options.get(GUARANTEE).map(String::as_str);
    is_kafka && guarantee.map_or(interval_ms > 0, |guarantee| guarantee == "exactly-once")
}

/// The brokers of a table, however they are ordered and spaced, and who we are there: what shares
/// both shares a transaction.
fn cluster(table: &TableSpec) -> (BTreeSet<&str>, &str) {
    let option = |name: &str| table.options.get(name).map_or("", String::as_str);
    let servers = option("properties.bootstrap.servers").split(',').map(str::trim);
    (servers.collect(), option("properties.sasl.username"))
}

/// Two sinks of one directory would take each other's parts for what a crash left behind.
fn directories(sinks: &[(usize, &TableSpec)]) -> Vec<JobError> {
    let mut written: BTreeMap<String, &TableSpec> = BTreeMap::new();
    let mut errors = Vec::new();
    for (index, table) in sinks {
        if table.connector() != crate::filesystem::INFO.name {
            continue;
        }
        let path = table.options.get("path").map_or("", String::as_str);
        let path = path.strip_prefix("file://").unwrap_or(path).trim_end_matches('/');
        let path = path.strip_prefix("./").unwrap_or(path).to_owned();
        let Some(other) = written.insert(path, table) else { continue };
        let message = if other.name == table.name {
            format!("two queries write to the directory of `{}`", table.name)
        } else {
            format!("`{}` and `{}` write to the same directory", other.name, table.name)
        };
        let hint = "make one INSERT of them with UNION ALL; or give each a directory of its own";
        errors.push(JobError { table: *index, option: "path", message, hint: hint.to_owned() });
    }
    errors
}
