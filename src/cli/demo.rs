//! `millstream demo`: the main job with nothing beside the binary.

use millstream::SourceText;

use super::args::{DemoArguments, RunArguments, SqlArguments, StateOptions};
use super::failure::Failure;
use super::{run, say};

/// The file that is run; also an example, tested like the others.
const SQL: &str = include_str!("../../examples/hello/orders.sql");

/// Runs the hello example for a while.
pub fn demo(arguments: DemoArguments, colour: bool) -> Result<(), Failure> {
    say("Orders arrive, 2,000 a second; revenue by country, every two seconds. This is the job:\n");
    for line in SQL.lines().filter(|line| !line.starts_with("--")) {
        say(&format!("    {line}"));
    }
    let seconds = arguments.stop_after.as_secs();
    say(&format!("\nIt stops by itself after {seconds} s, or with Ctrl-C.\n"));
    let sql = SqlArguments {
        file: None,
        execute: None,
        set: Vec::new(),
        parallelism: None,
        env_file: None,
        error_format: super::args::ErrorFormat::Human,
        deny: Vec::new(),
        allow: Vec::new(),
    };
    let run = RunArguments {
        sql,
        input: None,
        output: arguments.output,
        stop_after: Some(arguments.stop_after),
        limit: None,
        quiet: false,
        state: StateOptions::default(),
    };
    run::run_text(&SourceText::new("examples/hello/orders.sql", SQL), run, colour)
}
