//! What happens to records: messages, operators, windows, and the job graph.
//!
//! An operator is a value with a few methods, plain functions of (state, input) → output: no await,
//! no clock, no thread, no I/O but what its state handles do. To write one:
//!
//! 1. one file, whose head says: what it does · the SQL that yields it · a picture of time · a
//!    table of its state · its laws · what happens to late rows;
//! 2. a struct with the banner `PROPERTIES` (constant) over what the plan decided and `STATE`
//!    over what rows change;
//! 3. `impl` [`Operator`]: rows in by `on_batch`, time in by `on_watermark`, rows out only through
//!    [`Output`], which refuses to go behind the watermark;
//! 4. a variant in [`spec::OperatorSpec`] and its line in `OperatorSpec::build`;
//! 5. what its state looks like, in [`signature`];
//! 6. golden scripts in `tests/scripts/<operator>/`, one behaviour a file; they also run with a crash
//!    at every line.
//!
//! Start reading at [`message`] (what travels), [`operator`] (who handles it), then [`graph`].

pub mod aggregate;
pub mod batch;
pub mod error;
pub mod expression;
pub mod filter;
pub mod graph;
pub mod harness;
pub mod key_hash;
pub mod message;
pub mod metrics;
pub mod operator;
pub mod output;
pub mod processing_time;
pub mod project;
pub mod signature;
pub mod spec;
pub mod union;
pub mod unnest;
pub mod watermark;
pub mod window;

pub use batch::{Batch, RowKind};
pub use error::OperatorError;
pub use graph::{JobGraph, NodeId, NodeKind, Partitioning, Port};
pub use message::Message;
pub use metrics::OperatorMetrics;
pub use operator::{Operator, OperatorContext};
pub use output::Output;
pub use processing_time::ProcessingClock;
pub use spec::OperatorSpec;
pub use watermark::{SplitTime, SplitWatermarks};
