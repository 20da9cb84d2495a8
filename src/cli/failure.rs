//! How a command fails: a message, a hint, and the exit code that says what to do about it.

use std::process::ExitCode;

use super::say;

/// A command's failure.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// The job failed while it ran: exit code 1.
    pub fn run(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure { code: 1, message: message.into(), hint }
    }

    /// Wrong usage: exit code 2.
    pub fn usage(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure { code: 2, message: message.into(), hint }
    }

    /// Invalid SQL whose diagnostics were printed already: exit code 3.
    pub fn invalid_sql() -> Self {
        Failure { code: 3, message: String::new(), hint: None }
    }

    /// Invalid options: exit code 3.
    pub fn invalid(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure { code: 3, message: message.into(), hint }
    }

    /// Something outside was not there: exit code 5.
    pub fn unavailable(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure { code: 5, message: message.into(), hint }
    }

    /// Going on would drop or mistake state: exit code 6.
    pub fn refused(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure { code: 6, message: message.into(), hint }
    }

    /// Another instance of the job has taken over: exit code 7.
    pub fn fenced(message: impl Into<String>, hint: Option<String>) -> Self {
        Failure { code: 7, message: message.into(), hint }
    }

    /// Aborted by a second Ctrl-C: exit code 130.
    pub fn aborted() -> Self {
        Failure { code: 130, message: "aborted".to_owned(), hint: None }
    }

    /// The same failure with this hint, if it has none.
    pub fn with_hint(mut self, hint: String) -> Self {
        self.hint.get_or_insert(hint);
        self
    }

    /// Says what went wrong on stderr; returns the exit code.
    pub fn report(self, colour: bool) -> ExitCode {
        if !self.message.is_empty() {
            let (red, bold, reset) =
                if colour { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
            say(&format!("{red}error{reset}{bold}: {}{reset}", self.message));
        }
        if let Some(hint) = self.hint {
            say(&format!("  = help: {hint}"));
        }
        ExitCode::from(self.code)
    }
}
