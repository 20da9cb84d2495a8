//! Operator specs: what an operator does, as data. One variant an operator file.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use crate::Operator;
use crate::error::Result;
use crate::graph::NamedExpr;
use crate::window::{WindowAggregateSpec, WindowAssignSpec};

/// What an operator does; [`OperatorSpec::build`] makes a running instance of it.
#[derive(Clone, Debug)]
pub enum OperatorSpec {
    /// Passes on the rows for which the predicate is true.
    Filter(Arc<dyn PhysicalExpr>),
    /// Computes new columns.
    Project(Vec<NamedExpr>),
    /// Passes on the rows of all its inputs, in the input's column types and this node's names.
    Union,
    /// Appends `window_start`, `window_end` and `window_time`; a row of several windows is copied.
    WindowAssign(WindowAssignSpec),
    /// Aggregates windows from rows to results, in one stage.
    WindowAggregate(WindowAggregateSpec),
    /// First of two stages: rows to partial aggregates a pane, before the exchange.
    LocalWindowAggregate(WindowAggregateSpec),
    /// Second stage: partial aggregates to results, after the exchange by key.
    GlobalWindowAggregate(WindowAggregateSpec),
}

impl OperatorSpec {
    /// A running instance. `input` and `output` are the schemas of the node's input and output.
    pub fn build(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn Operator>> {
        todo!()
    }
}
