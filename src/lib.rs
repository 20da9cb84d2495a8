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

/// Functions of your own, beside the [built-in ones](millstream_queries::functions::index).
///
/// A function is one of DataFusion's, over Arrow columns; [`UserFunctions`](functions::UserFunctions) gives it a name in SQL. A scalar
/// function gets its arguments as columns or constants. An aggregate has a state that merges: windows are
/// aggregated in parts, and the parts are what survives a crash.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{Array, ArrayRef, AsArray, StringArray};
/// use arrow::datatypes::{DataType, Int64Type};
/// use millstream::connectors::console::{Console, ConsoleFormat};
/// use millstream::functions::{
///     Accumulator, ColumnarValue, Result, ScalarValue, UserFunctions, Volatility, create_udaf, create_udf,
/// };
/// use millstream::{Environment, JobConfig, PlanOptions, SourceText};
///
/// /// `SHOUT(text)`
/// fn shout(args: &[ColumnarValue]) -> Result<ColumnarValue> {
///     let texts = ColumnarValue::values_to_arrays(args)?;
///     let loud = texts[0].as_string::<i32>().iter().map(|text| text.map(|text| format!("{text}!")));
///     Ok(ColumnarValue::Array(Arc::new(loud.collect::<StringArray>())))
/// }
///
/// /// `BITS_OR(BIGINT)`: its state is its result.
/// #[derive(Debug, Default)]
/// struct BitsOr(i64);
///
/// impl Accumulator for BitsOr {
///     fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
///         self.0 = values[0].as_primitive::<Int64Type>().iter().flatten().fold(self.0, |a, b| a | b);
///         Ok(())
///     }
///     fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
///         self.update_batch(states)
///     }
///     fn state(&mut self) -> Result<Vec<ScalarValue>> {
///         Ok(vec![self.0.into()])
///     }
///     fn evaluate(&mut self) -> Result<ScalarValue> {
///         Ok(self.0.into())
///     }
///     fn size(&self) -> usize {
///         size_of_val(self)
///     }
/// }
///
/// let mut functions = UserFunctions::new();
/// let text = DataType::Utf8;
/// functions.register_scalar(create_udf(
///     "shout", vec![text.clone()], text, Volatility::Immutable, Arc::new(shout),
/// ))?;
/// functions.register_aggregate(create_udaf(
///     "bits_or", vec![DataType::Int64], Arc::new(DataType::Int64), Volatility::Immutable,
///     Arc::new(|_| Ok(Box::<BitsOr>::default())), Arc::new(vec![DataType::Int64]),
/// ))?;
///
/// let sql = SourceText::new(
///     "example.sql",
///     "CREATE TABLE numbers (n BIGINT, ts AS TO_TIMESTAMP('2024-01-01 00:00:00'), WATERMARK FOR ts AS ts)
///        WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '6');
///      SELECT SHOUT(CAST(BITS_OR(n) AS STRING)) AS bits
///      FROM TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '1' DAY) GROUP BY window_start, window_end;",
/// );
/// let plan = millstream::plan(&sql, &PlanOptions { functions, ..PlanOptions::default() }).expect("valid SQL");
/// # #[derive(Clone, Default)]
/// # struct Shown(Arc<std::sync::Mutex<Vec<u8>>>);
/// # impl std::io::Write for Shown {
/// #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
/// #         self.0.lock().expect("no panic").extend(bytes);
/// #         Ok(bytes.len())
/// #     }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// let shown = Shown::default();
/// let console = Arc::new(Console::new(Box::new(shown.clone()), ConsoleFormat::Ndjson, None));
/// let config = JobConfig::new(1, Environment::new(".", "UTC", 1, console));
/// let summary = millstream::start(plan.graph, config).expect("starts").wait_blocking();
/// assert!(summary.is_ok());
/// assert_eq!(shown.0.lock().expect("no panic").as_slice(), b"{\"bits\":\"7!\"}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub mod functions {
    pub use millstream_queries::functions::udf::*;
    pub use millstream_queries::{RegisterError, UserFunctions};
}
