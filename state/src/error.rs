//! What can go wrong with state.

use thiserror::Error;

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
    /// Another thread panicked while it held the store.
    #[error("the state store was poisoned by a panic in another operator of the task")]
    Poisoned,
}

/// Result of a state operation.
pub type Result<T> = std::result::Result<T, StateError>;
