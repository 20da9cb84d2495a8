//! What can end a job, by what one must do about it, with the name of the table or operator.

use millstream_connectors::ConnectorError;
use millstream_operators::OperatorError;
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
            EngineError::Table { source, .. } => match source {
                ConnectorError::Options { .. } => ErrorKind::User,
                ConnectorError::Data { .. } => ErrorKind::Data,
                ConnectorError::Unavailable { .. } | ConnectorError::Io { .. } => {
                    ErrorKind::Unavailable
                }
            },
            EngineError::Operator { source, .. } => match source {
                OperatorError::State(_) => ErrorKind::Bug,
                _ => ErrorKind::Data,
            },
            EngineError::Bug { .. } => ErrorKind::Bug,
            EngineError::Thread { .. } => ErrorKind::Unavailable,
        }
    }

    /// How to go on, where the connector knows it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            EngineError::Table {
                source:
                    ConnectorError::Options { hint, .. }
                    | ConnectorError::Data { hint, .. }
                    | ConnectorError::Unavailable { hint, .. },
                ..
            } => hint.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn table(table: &str) -> impl FnOnce(ConnectorError) -> EngineError {
        move |source| EngineError::Table { table: table.to_owned(), source }
    }

    pub(crate) fn operator(operator: &str) -> impl FnOnce(OperatorError) -> EngineError {
        move |source| EngineError::Operator { operator: operator.to_owned(), source }
    }
}

/// Result of the engine's work.
pub type Result<T> = std::result::Result<T, EngineError>;
