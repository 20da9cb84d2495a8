//! What can end a job, by what one must do about it, with the name of the table or operator.

use millstream_connectors::ConnectorError;
use millstream_operators::OperatorError;
use millstream_state::{Epoch, StateError};
use thiserror::Error;

/// What one must do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Mend the SQL or the options.
    User,
    /// Mend the data, or let bad records be skipped.
    Data,
    /// Something outside is missing or does not answer: try again when it does.
    Unavailable,
    /// A fault of Millstream: report it.
    Bug,
    /// What the job has kept does not fit what it is to do or what was committed: decide.
    Refused,
    /// Another instance of the job has taken over: nothing is to be done here.
    Fenced,
}

/// The first failure of a job, which ended it.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A table could not be opened, read or written.
    #[error("table `{table}`: {source}")]
    Table {
        /// Name of the table in SQL.
        table: String,
        /// What the connector said.
        source: ConnectorError,
    },
    /// An operator failed on its input.
    #[error("operator `{operator}`: {source}")]
    Operator {
        /// Name of the node in the job graph.
        operator: String,
        /// What the operator said.
        source: OperatorError,
    },
    /// A task panicked or broke a law of the engine.
    #[error("operator `{operator}` failed unexpectedly: {message}")]
    Bug {
        /// Name of the node in the job graph that was at work.
        operator: String,
        /// The panic's message.
        message: String,
    },
    /// State could not be read or written.
    #[error("state: {source}")]
    State {
        /// What the store said.
        source: StateError,
    },
    /// An epoch was not committed, or nobody knows whether it was.
    #[error("epoch {epoch} was not committed: {source}")]
    Commit {
        /// The epoch.
        epoch: Epoch,
        /// What the decider said.
        source: ConnectorError,
    },
    /// The job cannot go on from what it has kept, and must not guess.
    #[error("{message}")]
    Incompatible {
        /// What does not fit.
        message: String,
        /// How to go on.
        hint: String,
    },
    /// Who decides what was committed did not say it, or said what makes no sense.
    #[error("{source}")]
    Recovery {
        /// What the decider said.
        source: ConnectorError,
    },
    /// A fault point was asked to fail.
    #[error("{source}")]
    Fault {
        /// What it was asked to say.
        source: std::io::Error,
    },
    /// The system refused a thread.
    #[error("cannot start thread `{thread}`: {source}")]
    Thread {
        /// Name of the thread.
        thread: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl EngineError {
    /// What one must do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            EngineError::Table { source, .. }
            | EngineError::Commit { source, .. }
            | EngineError::Recovery { source } => kind_of_connector(source),
            EngineError::Operator { source: OperatorError::State(source), .. }
            | EngineError::State { source } => kind_of_state(source),
            EngineError::Operator { .. } => ErrorKind::Data,
            EngineError::Incompatible { .. } => ErrorKind::Refused,
            EngineError::Bug { .. } => ErrorKind::Bug,
            EngineError::Thread { .. } | EngineError::Fault { .. } => ErrorKind::Unavailable,
        }
    }

    /// How to go on, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            EngineError::Table { source, .. }
            | EngineError::Commit { source, .. }
            | EngineError::Recovery { source } => match source {
                ConnectorError::Options { hint, .. }
                | ConnectorError::Data { hint, .. }
                | ConnectorError::Aborted { hint, .. }
                | ConnectorError::Fenced { hint, .. }
                | ConnectorError::Refused { hint, .. }
                | ConnectorError::Unavailable { hint, .. } => hint.as_deref(),
                ConnectorError::Io { .. } => None,
            },
            EngineError::Incompatible { hint, .. } => Some(hint),
            _ => None,
        }
    }

    /// True if the same may go well when it is tried again.
    pub fn is_retriable(&self) -> bool {
        let nobody_listens = matches!(
            self,
            EngineError::Table { source: ConnectorError::Io { source, .. }, .. }
                if source.kind() == std::io::ErrorKind::BrokenPipe
        );
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Bug) && !nobody_listens
    }

    pub(crate) fn incompatible(message: impl Into<String>, hint: impl Into<String>) -> Self {
        EngineError::Incompatible { message: message.into(), hint: hint.into() }
    }

    pub(crate) fn table(table: &str) -> impl FnOnce(ConnectorError) -> EngineError {
        move |source| EngineError::Table { table: table.to_owned(), source }
    }

    pub(crate) fn operator(operator: &str) -> impl FnOnce(OperatorError) -> EngineError {
        move |source| EngineError::Operator { operator: operator.to_owned(), source }
    }
}

fn kind_of_state(error: &StateError) -> ErrorKind {
    match error {
        StateError::Locked { .. } => ErrorKind::Fenced,
        StateError::Missing { .. } | StateError::Damaged { .. } => ErrorKind::Refused,
        StateError::Corrupt { .. } => ErrorKind::Bug,
        _ => ErrorKind::Unavailable,
    }
}

fn kind_of_connector(error: &ConnectorError) -> ErrorKind {
    match error {
        ConnectorError::Options { .. } => ErrorKind::User,
        ConnectorError::Data { .. } => ErrorKind::Data,
        ConnectorError::Refused { .. } => ErrorKind::Refused,
        ConnectorError::Fenced { .. } => ErrorKind::Fenced,
        ConnectorError::Unavailable { .. }
        | ConnectorError::Aborted { .. }
        | ConnectorError::Io { .. } => ErrorKind::Unavailable,
    }
}

/// Result of the engine's work.
pub type Result<T> = std::result::Result<T, EngineError>;
