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
    /// Show the job graph of a SQL file
    Explain(SqlArguments),
    /// List the connectors, or the options of one
    Connectors(ConnectorsArguments),
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
    /// Form of messages about the SQL
    #[arg(long, default_value = "human", env = "MILLSTREAM_ERROR_FORMAT")]
    pub error_format: ErrorFormat,
}

/// `millstream run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  millstream run examples/flights/delays.sql
  millstream run -e \"SELECT …\" --limit 10
  cat job.sql | millstream run - -o ndjson | jq .

Ctrl-C stops cleanly: what was read is processed and written. A second Ctrl-C aborts.")]
pub struct RunArguments {
    #[command(flatten)]
    pub sql: SqlArguments,
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

/// Forms of messages about SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// With the source line underlined
    Human,
    /// One JSON object a line
    Json,
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
