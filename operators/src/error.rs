//! What can go wrong inside an operator while rows flow.

use thiserror::Error;

/// A failure of an operator; it ends the job.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// An expression could not be computed for some row, such as a failed cast.
    #[error("{operator}: {source}")]
    Expression {
        /// Name of the operator in the job graph.
        operator: String,
        /// What DataFusion said.
        source: datafusion_common::DataFusionError,
    },
    /// An Arrow kernel failed, such as an overflow of an offset.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// An aggregate or expression failed.
    #[error(transparent)]
    DataFusion(#[from] datafusion_common::DataFusionError),
    /// State could not be read or written.
    #[error(transparent)]
    State(#[from] millstream_state::StateError),
}

/// Result of an operator's work.
pub type Result<T> = std::result::Result<T, OperatorError>;
