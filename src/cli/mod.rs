//! The command line: one file a command.
//!
//! Rows go to stdout, everything else to stderr. Exit codes are stable:
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done, or stopped cleanly |
//! | 1 | the job failed while it ran |
//! | 2 | wrong usage |
//! | 3 | invalid SQL or options |
//! | 5 | something outside (broker, file) was not there |
//! | 6 | state does not fit the SQL or what was committed, and going on is for you to decide |
//! | 7 | another instance of the job has taken over |
//! | 130 | aborted by a second Ctrl-C |

mod answers;
mod args;
mod connectors;
mod demo;
mod durable;
mod explain;
mod failure;
mod functions;
mod home;
mod input;
mod listing;
mod notes;
mod progress;
mod redirect;
mod requests;
mod run;
mod savepoint;
mod source;
mod state;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use failure::Failure;

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    millstream::state::fault::set_up();
    let arguments = Arguments::parse();
    let colour = arguments.colour.for_stderr();
    let result = match arguments.command {
        Command::Run(run) => run::run(run, colour),
        Command::Check(check) => explain::check(check, colour),
        Command::Explain(explain) => explain::explain(explain, colour),
        Command::Connectors(connectors) => connectors::connectors(&connectors),
        Command::Functions(functions) => functions::functions(&functions),
        Command::State(command) => state::state(command, colour),
        Command::Savepoint(savepoint) => savepoint::savepoint(&savepoint),
        Command::Verify(arguments) => verify::verify(&arguments, colour),
        Command::Demo(demo) => demo::demo(demo, colour),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(colour),
    }
}

/// Writes a line to stderr. The lint against printing keeps stray output out of the libraries;
/// here is the one place that may.
#[expect(clippy::print_stderr, reason = "the command line talks to a person")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// Writes text to stdout; a closed pipe is not an error, the reader has seen enough.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::run(format!("standard output: {error}"), None))
        }
        _ => Ok(()),
    }
}
