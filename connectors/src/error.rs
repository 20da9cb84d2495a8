//! What can go wrong between Millstream and the outside, by what one must do about it.

use thiserror::Error;

/// A record that cannot be read as the table says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct DecodeError {
    /// What is wrong with it, with the column and the value where that is known.
    pub reason: String,
    /// Byte within the record at which it went wrong, where that is known.
    pub position: Option<usize>,
}

impl DecodeError {
    /// An error about the record as a whole.
    pub fn new(reason: impl Into<String>) -> Self {
        DecodeError { reason: reason.into(), position: None }
    }

    /// An error at a byte of the record.
    pub fn at(position: usize, reason: impl Into<String>) -> Self {
        DecodeError { reason: reason.into(), position: Some(position) }
    }
}

/// A failure of a connector.
#[derive(Debug, Error)]
pub enum ConnectorError {
    /// The WITH options are wrong: mend the SQL.
    #[error("{message}")]
    Options {
        /// What is wrong.
        message: String,
        /// The option it is about.
        option: Option<String>,
        /// How to mend it.
        hint: Option<String>,
    },
    /// A record is not what the table says: mend the data, or let it be skipped.
    #[error("{place}: {reason}")]
    Data {
        /// File and line, or topic, partition and offset.
        place: String,
        /// What is wrong.
        reason: String,
        /// How to go on.
        hint: Option<String>,
    },
    /// Something outside is missing or does not answer: try again when it does.
    #[error("{message}")]
    Unavailable {
        /// What did not answer.
        message: String,
        /// What to check.
        hint: Option<String>,
    },
    /// An epoch was not committed, or nobody here knows whether it was: go back to what the decider
    /// says, and on from there.
    #[error("{message}")]
    Aborted {
        /// What happened to the epoch.
        message: String,
        /// What to check if it happens again.
        hint: Option<String>,
    },
    /// Another instance of the job has taken over: end, and touch nothing that is its own.
    #[error("{message}")]
    Fenced {
        /// How that showed.
        message: String,
        /// What to do about two instances.
        hint: Option<String>,
    },
    /// The outside refuses for good (rights, versions, limits), or holds what contradicts what the
    /// job remembers: trying again does not help, somebody has to decide.
    #[error("{message}")]
    Refused {
        /// What was refused, or does not fit.
        message: String,
        /// How to go on.
        hint: Option<String>,
    },
    /// Reading or writing failed.
    #[error("{place}: {source}")]
    Io {
        /// File or stream.
        place: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Result of a connector's work.
pub type Result<T, E = ConnectorError> = std::result::Result<T, E>;
