//! What can be typed. Every flag has an environment variable `MILLSTREAM_…`; a flag wins over it.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Streaming SQL in one binary.
#[derive(Debug, Parser)]
#[command(name = "millstream", version, disable_help_subcommand = true)]
#[command(after_help = "Examples:
  millstream demo                                   a live stream, windowed, within seconds
  millstream run orders.sql                         run a SQL file as one job
  millstream run -e \"SELECT …\" -o ndjson            run a line of SQL, rows as JSON lines
  millstream check orders.sql                       find mistakes without running
  millstream state show orders.state                what a job has kept, and how far it came
  millstream verify orders.sql --crashes 20         kill it again and again, and compare the results
  millstream connectors kafka                       the options of a connector")]
pub struct Arguments {
    /// Colours in messages
    #[arg(
        long = "color",
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        env = "MILLSTREAM_COLOR"
    )]
    pub colour: Colour,
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a SQL file as one job
    Run(RunArguments),
    /// Find mistakes in a SQL file without running it or touching the network
    Check(SqlArguments),
    /// Show the job graph of a SQL file, or the page of an error code
    Explain(SqlArguments),
    /// List the connectors, or the options of one
    Connectors(ConnectorsArguments),
    /// List the functions of SQL, or show one with an example
    Functions(FunctionsArguments),
    /// Read the state that jobs keep, without running them
    #[command(subcommand)]
    State(StateCommand),
    /// Keep the state of a job under a name, from which it can be started again
    Savepoint(SavepointArguments),
    /// Run a bounded job with injected crashes, and compare its results with an undisturbed run
    Verify(VerifyArguments),
    /// Run a self-contained example: generated orders, counted in windows of two seconds
    Demo(DemoArguments),
}

/// Where SQL comes from, and what it is planned with.
#[derive(Debug, Args)]
pub struct SqlArguments {
    /// SQL file, or - for standard input
    #[arg(required_unless_present = "execute", conflicts_with = "execute")]
    pub file: Option<PathBuf>,
    /// SQL text
    #[arg(short = 'e', long = "execute", value_name = "SQL")]
    pub execute: Option<String>,
    /// Set an option as SQL's SET does; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
    /// Number of parallel subtasks [default: number of cores]
    #[arg(short, long, env = "MILLSTREAM_PARALLELISM", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub parallelism: Option<u16>,
    /// File of KEY=VALUE lines for ${KEY} in WITH and SET
    #[arg(long, value_name = "FILE", env = "MILLSTREAM_ENV_FILE")]
    pub env_file: Option<PathBuf>,
    /// Form of messages with a code
    #[arg(long, default_value = "human", env = "MILLSTREAM_ERROR_FORMAT")]
    pub error_format: ErrorFormat,
    /// Make a lint an error; `warnings` is all of them; may be repeated
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    pub deny: Vec<String>,
    /// Silence a lint; may be repeated
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    pub allow: Vec<String>,
}

/// `millstream run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  millstream run examples/flights/delays.sql
  millstream run -e \"SELECT …\" --limit 10
  cat job.sql | millstream run - -o ndjson | jq .
  tail -f x.log | millstream run -i json -e \"SELECT * FROM stdin WHERE status = 500\"

A job that writes to tables keeps its state beside its file, orders.sql in orders.state/, and goes on
from there when it is run again. Ctrl-C stops cleanly: what was read is processed and committed.
A second Ctrl-C aborts; nothing is lost by that, the job goes on from its last epoch.")]
pub struct RunArguments {
    #[command(flatten)]
    pub sql: SqlArguments,
    /// Read standard input as the table `stdin`, with columns from its first records
    #[arg(short, long, value_name = "FORMAT")]
    pub input: Option<InputFormat>,
    /// Form of printed rows [default: table on a terminal, ndjson in a pipe]
    #[arg(short, long, env = "MILLSTREAM_OUTPUT")]
    pub output: Option<OutputFormat>,
    /// Stop after this time, such as 30s or 5min
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub stop_after: Option<Duration>,
    /// Stop after printing this many rows
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<u64>,
    /// Only errors on stderr: no progress, no summary
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub state: StateOptions,
}

/// What a job keeps, where, and what it begins with.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "State")]
pub struct StateOptions {
    /// Where the job keeps its state [default: beside the file, orders.sql in orders.state]
    #[arg(long, value_name = "DIR", env = "MILLSTREAM_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Name of the job, by which Kafka knows it [default: SET 'pipeline.name', or the file's name]
    #[arg(long, value_name = "NAME", value_parser = name, env = "MILLSTREAM_NAME")]
    pub name: Option<String>,
    /// Forget the state and what was committed; begin where the tables' options say
    #[arg(long)]
    pub fresh: bool,
    /// Begin with the state of a savepoint: its name, or the path of its directory
    #[arg(long, value_name = "SAVEPOINT", conflicts_with = "fresh")]
    pub from_savepoint: Option<String>,
    /// Memory for state, such as 512MiB; what does not fit stays on disk [default: a share of the machine's]
    #[arg(long, value_name = "BYTES", value_parser = bytes, env = "MILLSTREAM_MEMORY")]
    pub memory: Option<u64>,
    /// Go on although the SQL has no use for some of the state any more
    #[arg(long)]
    pub allow_dropped_state: bool,
    /// Go on although somebody else has moved the committed offsets of a source
    #[arg(long)]
    pub accept_external_offsets: bool,
    /// Second place for every checkpoint: a directory or the URL of an object store
    #[arg(long, value_name = "URL", env = "MILLSTREAM_CHECKPOINT_COPY")]
    pub checkpoint_copy: Option<String>,
    /// Write all tables to files below this directory instead; for `millstream verify`
    #[arg(long, value_name = "DIR", hide = true)]
    pub redirect_sinks: Option<PathBuf>,
}

/// `millstream state`.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  millstream state ls orders.state                       checkpoints and savepoints
  millstream state show orders.state                     positions, watermarks, tables of the last one
  millstream state scan orders.state --table revenue.window/panes --limit 5
  millstream state diff old.sql new.sql                  what a changed query does to the state

DIR is a job's state directory. Nothing is written, and the job may be running.")]
pub enum StateCommand {
    /// List checkpoints and savepoints
    Ls(StateArguments),
    /// Show a checkpoint: positions, watermarks, operators, tables
    Show(CheckpointArguments),
    /// Show the rows of a table of state
    Scan(ScanArguments),
    /// Show how large the tables of state are
    Size(CheckpointArguments),
    /// Read everything and check every checksum
    Verify(CheckpointArguments),
    /// Say what a changed query does to the state: kept, migrated, rebuilt or dropped
    Diff(DiffArguments),
}

/// A state directory, and how to show it.
#[derive(Debug, Args)]
pub struct StateArguments {
    /// State directory of a job
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Form of the output [default: table on a terminal, ndjson in a pipe]
    #[arg(short, long, env = "MILLSTREAM_OUTPUT")]
    pub output: Option<OutputFormat>,
}

/// Which checkpoint.
#[derive(Debug, Args)]
pub struct CheckpointArguments {
    #[command(flatten)]
    pub state: StateArguments,
    /// The checkpoint of this epoch [default: the last one]
    #[arg(long, value_name = "N", conflicts_with = "savepoint")]
    pub epoch: Option<u64>,
    /// The savepoint of this name
    #[arg(long, value_name = "NAME")]
    pub savepoint: Option<String>,
}

/// `millstream state scan`.
#[derive(Debug, Args)]
pub struct ScanArguments {
    #[command(flatten)]
    pub checkpoint: CheckpointArguments,
    /// Only this table; `millstream state size` lists them
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    /// Rows of each table
    #[arg(long, value_name = "N", default_value = "20")]
    pub limit: usize,
}

/// `millstream state diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// SQL file as it was run
    pub old: PathBuf,
    /// SQL file as it is to be run
    pub new: PathBuf,
    /// State directory, for sizes [default: beside the old file]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Form of the output [default: table on a terminal, ndjson in a pipe]
    #[arg(short, long, env = "MILLSTREAM_OUTPUT")]
    pub output: Option<OutputFormat>,
}

/// `millstream savepoint`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  millstream savepoint orders.state before-upgrade
  millstream run orders.sql --from-savepoint before-upgrade

The job must be running; the savepoint is its next epoch. Savepoints stay until they are deleted.")]
pub struct SavepointArguments {
    /// State directory of the job
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Name of the savepoint
    #[arg(value_parser = name)]
    pub name: String,
    /// Give up after this time
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub timeout: Duration,
}

/// `millstream verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  millstream verify job.sql --crashes 50
  millstream verify job.sql --crashes 50 --seed 7     the same crashes again

The job is run once undisturbed and then with crashes, at random moments and at every named step of
an epoch and of a recovery. Its tables are not written: all rows go to a directory of their own.")]
pub struct VerifyArguments {
    #[command(flatten)]
    pub sql: SqlArguments,
    /// How many times to kill the job
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub crashes: u32,
    /// Seed of the crashes [default: random, and said]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Leave state and results of all runs where they are
    #[arg(long)]
    pub keep: bool,
}

/// `millstream connectors`.
#[derive(Debug, Args)]
pub struct ConnectorsArguments {
    /// Name of a connector or format
    pub name: Option<String>,
    /// Print Markdown, as in docs/connectors
    #[arg(long)]
    pub markdown: bool,
}

/// `millstream functions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  millstream functions                              all names
  millstream functions regexp_extract               what it does, with an example
  millstream functions --format json                one JSON object a function")]
pub struct FunctionsArguments {
    /// Name of a function
    pub name: Option<String>,
    /// Form of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub format: FunctionsFormat,
    /// Print Markdown, as in docs/functions.md
    #[arg(long, conflicts_with_all = ["name", "format"])]
    pub markdown: bool,
}

/// Forms of `millstream functions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FunctionsFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `millstream demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Stop after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub stop_after: Duration,
    /// Form of printed rows [default: table on a terminal, ndjson in a pipe]
    #[arg(short, long, env = "MILLSTREAM_OUTPUT")]
    pub output: Option<OutputFormat>,
}

/// Forms of printed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Aligned columns, for people
    Table,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
    /// One {"op":"+I","data":{…}} a line
    Changelog,
    /// Nothing
    None,
}

/// Forms of records on standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// One JSON object a line
    Json,
    /// Comma-separated values under their names
    Csv,
    /// A text a line, as the column `line`
    Raw,
}

impl InputFormat {
    /// The name of the format.
    pub fn name(self) -> &'static str {
        match self {
            InputFormat::Json => "json",
            InputFormat::Csv => "csv",
            InputFormat::Raw => "raw",
        }
    }
}

/// Forms of messages with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// With the source line underlined
    Human,
    /// One JSON object a line
    Json,
    /// One line each: file:line:column: error[M0301]: …
    Short,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// True if messages on stderr should be coloured.
    pub fn for_stderr(self) -> bool {
        let set = |name| {
            std::env::var_os(name).is_some_and(|value: std::ffi::OsString| !value.is_empty())
        };
        match self {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto if set("NO_COLOR") => false,
            Colour::Auto => set("CLICOLOR_FORCE") || std::io::stderr().is_terminal(),
        }
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = millstream::connectors::options::parse_duration(text);
    parsed.ok_or_else(|| "write it as 500ms, 30s or 5min".to_owned())
}

fn bytes(text: &str) -> Result<u64, String> {
    let parsed = millstream::connectors::options::parse_bytes(text);
    parsed.filter(|bytes| *bytes > 0).ok_or_else(|| "write it as 512MiB or 2GiB".to_owned())
}

/// Names go into file names and into Kafka's transactional ids.
fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let usable = !text.is_empty() && text.len() <= 100 && !text.starts_with('.');
    match usable && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => {
            Err("up to 100 letters, digits, `-`, `_` and `.`, not starting with `.`".to_owned())
        }
    }
}
