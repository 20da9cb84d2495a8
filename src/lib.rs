//! Millstream: streaming SQL in one binary and one library.
//!
//! This package is the facade: it re-exports the crates in the order in which a reader needs them
//! and adds the one call that joins planner and engine. The command line is built on nothing else.
//!
//! ```
//! use std::sync::Arc;
//! use millstream::connectors::console::{Console, ConsoleFormat};
//! use millstream::{Environment, JobConfig, PlanOptions, SourceText};
//!
//! let sql = SourceText::new(
//!     "example.sql",
//!     "CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'number-of-rows' = '3',
//!        'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '3');
//!      CREATE TABLE nothing (n INT) WITH ('connector' = 'blackhole');
//!      INSERT INTO nothing SELECT n * 2 FROM numbers;",
//! );
//! let plan = millstream::plan(&sql, &PlanOptions::default()).expect("valid SQL");
//! let console = Arc::new(Console::new(Box::new(std::io::sink()), ConsoleFormat::None, None));
//! let config = JobConfig::new(1, Environment::new(".", "UTC", 1, console));
//! let summary = millstream::start(plan.graph, config).expect("starts").wait_blocking();
//! assert!(summary.is_ok());
//! ```

pub use millstream_connectors as connectors;
pub use millstream_engine as engine;
pub use millstream_operators as operators;
pub use millstream_queries as queries;
pub use millstream_state as state;

pub use millstream_connectors::registry::Environment;
pub use millstream_engine::{JobConfig, JobHandle, start};
pub use millstream_queries::diagnostic::SourceText;
pub use millstream_queries::{Plan, PlanOptions, plan};
