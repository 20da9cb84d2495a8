//! What can go wrong with state.

use std::path::Path;

use thiserror::Error;

use crate::Epoch;

/// A failure of the state store. None of these is the user's fault; all end the incarnation.
#[derive(Debug, Error)]
pub enum StateError {
    /// Stored bytes do not have the shape that their table promises.
    #[error("state of `{table}` is corrupt: {reason}")]
    Corrupt {
        /// Name of the table.
        table: String,
        /// What was wrong with the bytes.
        reason: String,
    },
    /// A file of the state directory cannot be read or written.
    #[error("{place}: {source}")]
    Io {
        /// The file.
        place: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database below the store failed.
    #[error("{place}: {reason}")]
    Database {
        /// Directory of the database.
        place: String,
        /// What it said.
        reason: String,
    },
    /// Another process uses the state directory.
    #[error("{place} is in use by process {pid}: two runs of one job cannot share their state")]
    Locked {
        /// The directory.
        place: String,
        /// The process that holds the lock, if it has said so.
        pid: String,
    },
    /// There is no such checkpoint.
    #[error("{place}: there is no checkpoint of epoch {epoch}")]
    Missing {
        /// The epoch that was asked for.
        epoch: Epoch,
        /// Where it was looked for.
        place: String,
    },
    /// A file of a checkpoint is not what was written.
    #[error("{place} is damaged: {reason}")]
    Damaged {
        /// The file.
        place: String,
        /// How it shows.
        reason: String,
    },
    /// A copy of checkpoints cannot be read or written.
    #[error("copy of checkpoints at {place}: {reason}")]
    Copy {
        /// The object.
        place: String,
        /// What the object store said.
        reason: String,
    },
}

impl StateError {
    /// A failure at a file.
    pub(crate) fn io(place: &Path, source: std::io::Error) -> Self {
        StateError::Io { place: place.display().to_string(), source }
    }
}

/// Result of a state operation.
pub type Result<T> = std::result::Result<T, StateError>;
