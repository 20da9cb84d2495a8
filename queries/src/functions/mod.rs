//! Functions: which names there are, and what they do.
//!
//! The [`index`] has an entry for each, and says how it is run:
//!
//! - row by row, by plain Rust over values ([`rows`]): most of [`text`], [`regex`], [`bytes`];
//! - over whole columns, by an implementation of our own: [`number`], [`calendar`], [`time`],
//!   [`collection`], [`map`], [`nested`], [`json`];
//! - by an expression in its place ([`rewrite`]): the typing pass puts `CASE` where COALESCE was, so that
//!   it costs nothing and computes only what it needs;
//! - by a function of DataFusion that means the same;
//! - as an aggregate: those of [`aggregate`] are for planning only, those of [`collected`] run as they
//!   are.
//!
//! What a library user registers ([`UserFunctions`]) stands beside them.

pub mod aggregate;
mod bytes;
pub mod calendar;
mod choice;
mod clock;
mod collected;
mod collection;
mod constants;
pub mod index;
pub mod json;
mod json_path;
mod json_text;
mod map;
pub mod nested;
mod number;
pub mod pattern;
mod printf;
pub mod proctime;
mod regex;
pub mod rewrite;
mod rows;
pub mod shown;
pub mod syntax;
mod text;
mod time;
mod user;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion_expr::{AggregateUDF, ScalarUDF};

pub(crate) use self::constants::check as check_constants;
use self::index::Body;
pub use self::user::{RegisterError, UserFunctions, udf};

/// Every function a query may call, by lower-case name.
#[derive(Debug)]
pub struct Functions {
    scalars: BTreeMap<String, Arc<ScalarUDF>>,
    aggregates: BTreeMap<String, Arc<AggregateUDF>>,
}

impl Functions {
    /// All functions, with times in `zone` (an IANA name) where they depend on the session.
    pub fn new(zone: &str, user: &UserFunctions) -> Self {
        let mut functions = Functions { scalars: BTreeMap::new(), aggregates: BTreeMap::new() };
        for entry in index::all() {
            let name = entry.name.to_lowercase();
            let scalar = match entry.body {
                Body::Theirs(function) => function(),
                Body::Rows(function) => Arc::new(function.udf(entry.name)),
                Body::Own(make) => Arc::new(make(zone)),
                Body::Rewrite(rewrite) => Arc::new(rewrite.udf(entry.name, zone)),
                Body::Aggregate(make) => {
                    functions.aggregates.insert(name, Arc::new(make(entry.name)));
                    continue;
                }
                Body::Syntax => continue,
            };
            functions.scalars.insert(name, scalar);
        }
        let internal = [shown::function(), syntax::fit(), syntax::told_apart()].into_iter();
        for function in internal.chain(nested::access()) {
            functions.scalars.insert(function.name().to_owned(), Arc::new(function));
        }
        functions.scalars.extend(user.scalars());
        functions.aggregates.extend(user.aggregates());
        functions
    }

    /// The scalar function with this name, in any case.
    pub fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.get(&name.to_lowercase()).cloned()
    }

    /// The aggregate function with this name, in any case.
    pub fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(&name.to_lowercase()).cloned()
    }

    /// Names of all scalar functions that can be called.
    pub fn scalar_names(&self) -> Vec<String> {
        self.scalars.keys().filter(|name| !name.contains(' ')).cloned().collect()
    }

    /// What can be called, by name: those of the index and what users registered, or the latter only.
    pub fn names(&self, of_users: bool) -> Vec<String> {
        let registered = self.scalar_names().into_iter().chain(self.aggregate_names());
        let mut names: Vec<String> = registered.filter(|n| index::find(n).is_none()).collect();
        if !of_users {
            let built_in = index::all().map(|entry| entry.name.to_lowercase());
            names.extend(built_in.filter(|name| !name.contains(' ')));
        }
        names.sort_unstable();
        names
    }

    /// Names of all aggregate functions.
    pub fn aggregate_names(&self) -> Vec<String> {
        self.aggregates.keys().cloned().collect()
    }
}
