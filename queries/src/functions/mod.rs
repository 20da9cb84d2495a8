//! Functions: which names there are, and what they do.
//!
//! Three sources, looked up in this order:
//!
//! 1. [`rewrite`]: Flink functions that are a spelling of something else (`HOUR(t)` is
//!    `EXTRACT(HOUR FROM t)`); the typing pass replaces them, so they cost nothing at run time;
//! 2. [`text`] and [`time`]: Flink functions with an implementation of our own;
//! 3. DataFusion's scalar functions, minus those that would lie in a stream ([`NOT_FOR_STREAMS`]).
//!
//! Aggregates ([`aggregate`]) are all ours for planning, because their result types are Flink's.

pub mod aggregate;
pub mod pattern;
pub mod rewrite;
pub mod text;
pub mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion_expr::{AggregateUDF, ScalarUDF};

/// DataFusion functions that are folded to a constant when the query is planned: in a job that
/// runs for months, the answer would be wrong from the second batch on.
pub const NOT_FOR_STREAMS: &[&str] =
    &["now", "current_timestamp", "current_date", "current_time", "today", "localtimestamp"];

/// Every function a query may call, by lower-case name.
#[derive(Debug)]
pub struct Functions {
    scalars: BTreeMap<String, Arc<ScalarUDF>>,
    aggregates: BTreeMap<String, Arc<AggregateUDF>>,
}

impl Functions {
    /// All functions, with times in `zone` (an IANA name) where they depend on the session.
    pub fn new(zone: &str) -> Self {
        let mut scalars = BTreeMap::new();
        for function in datafusion_functions::all_default_functions() {
            let aliases = function.aliases().to_vec();
            for name in aliases.into_iter().chain([function.name().to_owned()]) {
                if !NOT_FOR_STREAMS.contains(&name.as_str()) {
                    scalars.insert(name, Arc::clone(&function));
                }
            }
        }
        let own = text::functions().into_iter().chain(time::functions(zone));
        for function in own.chain(rewrite::functions(zone)) {
            scalars.insert(function.name().to_owned(), Arc::new(function));
        }
        let aggregates = aggregate::functions()
            .into_iter()
            .map(|(name, function)| (name.to_owned(), Arc::new(function)))
            .collect();
        Functions { scalars, aggregates }
    }

    /// The scalar function with this name, in any case.
    pub fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.get(&name.to_lowercase()).cloned()
    }

    /// The aggregate function with this name, in any case.
    pub fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(&name.to_lowercase()).cloned()
    }

    /// Names of all scalar functions.
    pub fn scalar_names(&self) -> Vec<String> {
        self.scalars.keys().cloned().collect()
    }

    /// Names of all aggregate functions.
    pub fn aggregate_names(&self) -> Vec<String> {
        self.aggregates.keys().cloned().collect()
    }
}
