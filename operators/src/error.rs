//! What can go wrong inside an operator while rows flow.

use thiserror::Error;

/// A failure of an operator; it ends the job.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// An expression could not be computed for some row, such as a failed cast.
    #[error("{}", in_plain_words(source))]
    Expression {
        /// Name of the operator in the job graph; whoever shows the error says it.
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

/// What DataFusion says, without the names of its layers.
fn in_plain_words(error: &datafusion_common::DataFusionError) -> String {
    let text = error.strip_backtrace();
    let mut words = text.as_str();
    for layer in ["Arrow error: ", "Execution error: ", "Compute error: ", "Cast error: "] {
        words = words.strip_prefix(layer).unwrap_or(words);
    }
    match words {
        "Divide by zero error" => "a whole number is divided by 0".to_owned(),
        _ => words.to_owned(),
    }
}

/// Result of an operator's work.
pub type Result<T> = std::result::Result<T, OperatorError>;
