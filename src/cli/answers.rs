//! Answers of statements that ask: EXPLAIN, SHOW, DESCRIBE.

use std::io::IsTerminal;
use std::sync::Arc;

use millstream::Plan;
use millstream::connectors::console::{Console, ConsoleFormat};
use millstream::operators::Batch;
use millstream::queries::Answer;

use super::args::OutputFormat;
use super::failure::Failure;
use super::print;

/// Prints the answers of a plan, in the order of its text: tables in the form that was chosen.
pub fn show(plan: &Plan, output: Option<OutputFormat>) -> Result<(), Failure> {
    let console = Arc::new(Console::stdout(format(output), None));
    for answer in &plan.answers {
        match answer {
            Answer::Plan(text) | Answer::Text(text) => print(text)?,
            Answer::Rows(rows) => console
                .show(&Batch::inserts(rows.clone()))
                .map_err(|error| Failure::run(error.to_string(), None))?,
        }
    }
    Ok(())
}

/// The form in which rows are printed: what was chosen, or else what suits the reader.
pub fn format(output: Option<OutputFormat>) -> ConsoleFormat {
    let default =
        if std::io::stdout().is_terminal() { OutputFormat::Table } else { OutputFormat::Ndjson };
    match output.unwrap_or(default) {
        OutputFormat::Table => ConsoleFormat::Table,
        OutputFormat::Ndjson => ConsoleFormat::Ndjson,
        OutputFormat::Csv => ConsoleFormat::Csv,
        OutputFormat::Changelog => ConsoleFormat::Changelog,
        OutputFormat::None => ConsoleFormat::None,
    }
}
