//! How a command fails: a message, a hint, and the exit code that says what to do about it.

use std::process::ExitCode;

use millstream::SourceText;
use millstream::connectors::ConnectorError;
use millstream::engine::{EngineError, ErrorKind};
use millstream::operators::OperatorError;
use millstream::queries::codes::{self, run};
use millstream::queries::diagnostic::{Code, Diagnostic};
use millstream::queries::render;
use millstream::state::StateError;

use super::args::ErrorFormat;
use super::say;

/// A command's failure.
#[derive(Debug)]
pub struct Failure {
    exit: u8,
    message: String,
    hint: Option<String>,
    /// Its page, for what `millstream explain` knows.
    code: Option<Code>,
    /// The form in which to say it, if it has a code.
    format: ErrorFormat,
}

impl Failure {
    fn new(exit: u8, message: impl Into<String>, hint: Option<String>) -> Self {
        Failure { exit, message: message.into(), hint, code: None, format: ErrorFormat::Human }
    }

    /// What ended a job.
    pub fn job(error: &EngineError, format: ErrorFormat) -> Self {
        let exit = match error.kind() {
            ErrorKind::User => 3,
            ErrorKind::Unavailable => 5,
            ErrorKind::Refused => 6,
            ErrorKind::Fenced => 7,
            _ => 1,
        };
        let code = code_of(error);
        let guard = "TRY_CAST gives NULL instead of an error, NULLIF(x, 0) guards a division";
        let hint = error.hint().or((code == run::VALUE_FAILED).then_some(guard));
        let failure = Failure::new(exit, error.to_string(), hint.map(str::to_owned));
        Failure { code: Some(code), format, ..failure }
    }

    /// The job failed while it ran: exit code 1.
    pub fn run(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure::new(1, message.into(), hint)
    }

    /// Wrong usage: exit code 2.
    pub fn usage(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure::new(2, message.into(), hint)
    }

    /// Invalid SQL whose diagnostics were printed already: exit code 3.
    pub fn invalid_sql() -> Self {
        Failure::new(3, String::new(), None)
    }

    /// Invalid options: exit code 3.
    pub fn invalid(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure::new(3, message.into(), hint)
    }

    /// Something outside was not there: exit code 5.
    pub fn unavailable(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure::new(5, message.into(), hint)
    }

    /// Going on would drop or mistake state: exit code 6.
    pub fn refused(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure::new(6, message.into(), hint)
    }

    /// Another instance of the job has taken over: exit code 7.
    pub fn fenced(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure::new(7, message.into(), hint)
    }

    /// Aborted by a second Ctrl-C: exit code 130.
    pub fn aborted() -> Self {
        Failure::new(130, "aborted".to_owned(), None)
    }

    /// The same failure with the code of an error of the state.
    pub fn about_state(self, error: &StateError) -> Self {
        Failure { code: Some(code_of_state(error)), ..self }
    }

    /// The same failure with this hint, if it has none.
    pub fn with_hint(mut self, hint: String) -> Self {
        self.hint.get_or_insert(hint);
        self
    }

    /// Says what went wrong on stderr; returns the exit code.
    pub fn report(self, colour: bool) -> ExitCode {
        let exit = ExitCode::from(self.exit);
        let mut id = String::new();
        if let Some(code) = self.code {
            let mut diagnostic = Diagnostic::error(code, &self.message);
            diagnostic.hint.clone_from(&self.hint);
            let source = SourceText::new("", "");
            match self.format {
                ErrorFormat::Human => id = format!("[{code}]"),
                ErrorFormat::Json => {
                    say(&render::json(&diagnostic, &source));
                    return exit;
                }
                ErrorFormat::Short => {
                    say(render::short(&diagnostic, &source).trim_start_matches(": "));
                    return exit;
                }
            }
        }
        if !self.message.is_empty() {
            let (red, bold, reset) =
                if colour { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
            say(&format!("{red}error{id}{reset}{bold}: {}{reset}", self.message));
        }
        if let Some(hint) = self.hint {
            say(&format!("  = help: {hint}"));
        }
        exit
    }
}

/// The code under which `millstream explain` tells about an error of a job.
fn code_of(error: &EngineError) -> Code {
    match error {
        EngineError::Table { source, .. }
        | EngineError::Commit { source, .. }
        | EngineError::Recovery { source } => code_of_connector(source),
        EngineError::Operator { source: OperatorError::State(source), .. }
        | EngineError::State { source } => code_of_state(source),
        EngineError::Operator { .. } => run::VALUE_FAILED,
        EngineError::Incompatible { .. } => run::STATE_DOES_NOT_FIT,
        EngineError::Bug { .. } => run::INTERNAL,
        EngineError::Thread { .. } | EngineError::Fault { .. } => run::INPUT_OUTPUT,
    }
}

fn code_of_connector(error: &ConnectorError) -> Code {
    match error {
        ConnectorError::Options { .. } => codes::BAD_OPTION,
        ConnectorError::Data { .. } => run::RECORD_UNREADABLE,
        ConnectorError::Unavailable { .. } => run::UNAVAILABLE,
        ConnectorError::Aborted { .. } => run::NOT_COMMITTED,
        ConnectorError::Fenced { .. } => run::TAKEN_OVER,
        ConnectorError::Refused { .. } => run::OUTSIDE_REFUSES,
        ConnectorError::Io { .. } => run::INPUT_OUTPUT,
    }
}

fn code_of_state(error: &StateError) -> Code {
    match error {
        StateError::Locked { .. } => run::TAKEN_OVER,
        StateError::Missing { .. } | StateError::Damaged { .. } | StateError::Corrupt { .. } => {
            run::STATE_DAMAGED
        }
        _ => run::INPUT_OUTPUT,
    }
}
