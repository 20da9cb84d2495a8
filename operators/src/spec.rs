//! Operator specs: what an operator does, as data. One variant an operator file.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use crate::Operator;
use crate::error::Result;
use crate::filter::Filter;
use crate::graph::{DisplayExprs, NamedExpr};
use crate::processing_time::ProcessingTime;
use crate::project::Project;
use crate::union::Union;
use crate::unnest::{Unnest, UnnestSpec};
use crate::window::{
    GlobalWindowAggregate, LocalWindowAggregate, UpdatingWindowAggregate, WindowAggregate,
    WindowAggregateSpec, WindowAssign, WindowAssignSpec,
};

/// What an operator does; [`OperatorSpec::build`] makes a running instance of it.
#[derive(Clone, Debug)]
pub enum OperatorSpec {
    /// Passes on the rows for which the predicate is true.
    Filter(Arc<dyn PhysicalExpr>),
    /// Computes new columns.
    Project(Vec<NamedExpr>),
    /// Passes on the rows of all its inputs, in the input's column types and this node's names.
    Union,
    /// Appends the elements of an array or map; a row of several elements is copied.
    Unnest(UnnestSpec),
    /// Appends PROCTIME().
    ProcessingTime {
        /// What comes after it goes by the clock instead of event time.
        is_followed: bool,
    },
    /// Appends `window_start`, `window_end` and `window_time`; a row of several windows is copied.
    WindowAssign(WindowAssignSpec),
    /// Aggregates windows from rows to results, in one stage: once, or with updates, as
    /// [`WindowAggregateSpec::emission`] says.
    WindowAggregate(WindowAggregateSpec),
    /// First of two stages: rows to partial aggregates a pane, before the exchange. Its output has
    /// the schema [`WindowAggregateSpec::partial_schema`].
    LocalWindowAggregate(WindowAggregateSpec),
    /// Second stage: partial aggregates to results, after the exchange by key.
    GlobalWindowAggregate(WindowAggregateSpec),
}

impl OperatorSpec {
    /// A running instance. `input` and `output` are the schemas of the node's input and output.
    ///
    /// # Errors
    /// If an aggregate function has no implementation for its arguments or a zone is unknown.
    pub fn build(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn Operator>> {
        Ok(match self {
            OperatorSpec::Filter(predicate) => Box::new(Filter::new(predicate.clone())),
            OperatorSpec::Project(columns) => Box::new(Project::new(columns.clone(), output)),
            OperatorSpec::Union => Box::new(Union::new(output)),
            OperatorSpec::Unnest(spec) => Box::new(Unnest::new(spec, output)),
            OperatorSpec::ProcessingTime { is_followed } => {
                Box::new(ProcessingTime::new(*is_followed, output))
            }
            OperatorSpec::WindowAssign(spec) => Box::new(WindowAssign::new(spec, output)?),
            OperatorSpec::WindowAggregate(spec) if spec.emission.is_final() => {
                Box::new(WindowAggregate::new(spec, output)?)
            }
            OperatorSpec::WindowAggregate(spec) => {
                Box::new(UpdatingWindowAggregate::new(spec, output)?)
            }
            OperatorSpec::LocalWindowAggregate(spec) => Box::new(LocalWindowAggregate::new(spec)?),
            OperatorSpec::GlobalWindowAggregate(spec) => {
                assert_eq!(input.fields(), spec.partial_schema()?.fields(), "partials come in");
                Box::new(GlobalWindowAggregate::new(spec, output)?)
            }
        })
    }
}

impl fmt::Display for OperatorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OperatorSpec::Filter(predicate) => write!(f, "Filter {predicate}"),
            OperatorSpec::Project(columns) => write!(f, "Project {}", DisplayExprs(columns)),
            OperatorSpec::Union => write!(f, "Union"),
            OperatorSpec::Unnest(spec) => write!(f, "Unnest {spec}"),
            OperatorSpec::ProcessingTime { is_followed: false } => write!(f, "ProcessingTime"),
            OperatorSpec::ProcessingTime { is_followed: true } => {
                write!(f, "ProcessingTime watermark PROCTIME()")
            }
            OperatorSpec::WindowAssign(spec) => write!(f, "WindowAssign {spec}"),
            OperatorSpec::WindowAggregate(spec) => write!(f, "WindowAggregate {spec}"),
            OperatorSpec::LocalWindowAggregate(spec) => write!(f, "LocalWindowAggregate {spec}"),
            OperatorSpec::GlobalWindowAggregate(spec) => write!(f, "GlobalWindowAggregate {spec}"),
        }
    }
}
