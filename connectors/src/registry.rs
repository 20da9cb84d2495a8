//! Name → connector: one line each, and what `millstream connectors` says of them.

mod reference;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::DataType;

use crate::clock::Clock;
use crate::commit::Job;
use crate::console::Console;
use crate::error::{ConnectorError, Result};
use crate::kafka::Transactions;
use crate::memory::MemoryTables;
use crate::options::{OptionInfo, did_you_mean};
use crate::stdin::Input;
use crate::{Sink, Source, TableSpec};

pub use crate::options::{Direction, GUARANTEE, JobError, OptionError, check, check_job};
pub use reference::{describe, list, markdown};

/// Every connector that users can name, in the order of the reference.
pub static CONNECTORS: &[&ConnectorInfo] = &[
    &crate::kafka::INFO,
    &crate::filesystem::INFO,
    &crate::stdin::INFO,
    &crate::datagen::INFO,
    &crate::nexmark::INFO,
    &crate::print::INFO,
    &crate::blackhole::INFO,
];

/// What a connector is, as data.
pub struct ConnectorInfo {
    /// Value of the option `connector`.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// Its options, without those of formats and those that every connector has.
    pub options: &'static [OptionInfo],
    /// Whether its records have a format of the user's choice.
    pub formatted: bool,
    /// Metadata columns it can deliver: key, type and description.
    pub metadata: fn() -> Vec<(&'static str, DataType, &'static str)>,
    /// Checks what the table of options cannot say, such as options that exclude each other. It
    /// touches neither network nor disk.
    pub check: fn(&TableSpec, Direction) -> Result<()>,
    /// Opens it for reading; `None` if it can only be written.
    pub source: Option<OpenSource>,
    /// Opens it for writing; `None` if it can only be read.
    pub sink: Option<OpenSink>,
}

/// Opens a table for reading.
pub type OpenSource = fn(&TableSpec, &Environment) -> Result<Box<dyn Source>>;
/// Opens a table for writing.
pub type OpenSink = fn(&TableSpec, &Environment) -> Result<Box<dyn Sink>>;

/// What connectors are given by the process that they run in.
#[derive(Clone)]
pub struct Environment {
    /// Where relative paths start: the directory of the SQL file's process.
    pub directory: PathBuf,
    /// Session time zone, an IANA name.
    pub zone: String,
    /// Parallelism of the job.
    pub parallelism: usize,
    /// Where `print` and bare SELECTs go.
    pub console: Arc<Console>,
    /// What `stdin` tables read.
    pub input: Input,
    /// What paces sources that have a rate.
    pub clock: Clock,
    /// Tables of the connector `memory`, by name.
    pub memory: MemoryTables,
    /// Who commits, for jobs that have epochs; `None` if results are not committed.
    pub job: Option<Job>,
    /// Transactions that the Kafka sinks of one job share.
    pub transactions: Transactions,
}

impl Environment {
    /// An environment with the machine's clock and without tables in memory.
    pub fn new(
        directory: impl Into<PathBuf>,
        zone: impl Into<String>,
        parallelism: usize,
        console: Arc<Console>,
    ) -> Self {
        Environment {
            directory: directory.into(),
            zone: zone.into(),
            parallelism,
            console,
            input: Input::stdin(),
            clock: Clock::system(),
            memory: MemoryTables::default(),
            job: None,
            transactions: Transactions::default(),
        }
    }
}

/// The names of all connectors.
pub fn names() -> Vec<&'static str> {
    CONNECTORS.iter().map(|connector| connector.name).collect()
}

/// The connector with this name.
///
/// # Errors
/// If there is none; the hint has the nearest name, or all.
pub fn find(name: &str) -> Result<&'static ConnectorInfo> {
    // `memory` is for tests and the library: rows come from Rust, so SQL alone cannot use it.
    // `values` is what VALUES becomes.
    let own = [&crate::memory::INFO, &crate::values::INFO];
    let mut all = CONNECTORS.iter().copied().chain(own);
    all.find(|connector| connector.name == name).ok_or_else(|| ConnectorError::Options {
        message: format!("there is no connector `{name}`"),
        option: Some("connector".into()),
        hint: did_you_mean(name, names())
            .or_else(|| Some(format!("there are {}", names().join(", ")))),
    })
}

/// Opens a table for reading.
///
/// # Errors
/// If the options are wrong, or what they name is missing or cannot be read.
pub fn open_source(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Source>> {
    let connector = find(table.connector())?;
    first_mistake(table, Direction::Source)?;
    let open = connector.source.expect("the check refuses connectors that cannot be read");
    open(table, environment)
}

/// Opens a table for writing.
///
/// # Errors
/// If the options are wrong, or what they name is missing or cannot be written.
pub fn open_sink(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Sink>> {
    let connector = find(table.connector())?;
    first_mistake(table, Direction::Sink)?;
    let open = connector.sink.expect("the check refuses connectors that cannot be written");
    open(table, environment)
}

fn first_mistake(table: &TableSpec, direction: Direction) -> Result<()> {
    match check(table, direction).into_iter().next() {
        None => Ok(()),
        Some(OptionError { option, message, hint }) => {
            Err(ConnectorError::Options { message, option: Some(option), hint })
        }
    }
}

/// Metadata of a connector that has none.
pub fn no_metadata() -> Vec<(&'static str, DataType, &'static str)> {
    Vec::new()
}
