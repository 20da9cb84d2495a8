//! Late rows as a relation: `LATE(view)`.
//!
//! The late rows of a view are rows of what its window function reads, with all its columns, not
//! only those that the view needs. [`LateInput`] stands below the window function of such a view
//! and keeps projection push-down from taking the columns away that somebody reads through LATE.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion_common::{Column, DFSchemaRef, Result, plan_err};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use super::window_result::WindowResult;
use super::window_tvf::WindowTvf;

/// Passes its input on; `columns` stay in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct LateInput {
    /// The rows.
    pub input: LogicalPlan,
    /// The columns that LATE reads, in the order of the late relation's schema.
    pub columns: Vec<Column>,
}

impl UserDefinedLogicalNodeCore for LateInput {
    fn name(&self) -> &str {
        "LateInput"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        self.columns.iter().cloned().map(Expr::Column).collect()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LateInput")
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let columns = exprs.into_iter().filter_map(|expr| match expr {
            Expr::Column(column) => Some(column),
            _ => None,
        });
        match inputs.into_iter().next() {
            Some(input) => Ok(LateInput { input, columns: columns.collect() }),
            None => plan_err!("late rows have one input"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let kept = self.columns.iter().filter_map(|c| self.input.schema().maybe_index_of_column(c));
        let mut needed: Vec<usize> = output_columns.iter().copied().chain(kept).collect();
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}

/// The window function whose late rows a view has: the one below its topmost aggregation.
/// `None` if there is no aggregation, or none that is fed by a window function directly.
pub(crate) fn window_function(view: &LogicalPlan) -> Option<&WindowTvf> {
    let mut plan = view;
    let mut aggregated = false;
    loop {
        match plan {
            LogicalPlan::Projection(projection) => plan = &projection.input,
            LogicalPlan::Filter(filter) => plan = &filter.input,
            LogicalPlan::SubqueryAlias(alias) => plan = &alias.input,
            LogicalPlan::Aggregate(aggregate) if !aggregated => {
                aggregated = true;
                plan = &aggregate.input;
            }
            LogicalPlan::Extension(extension) if aggregated => {
                return extension.node.as_any().downcast_ref::<WindowTvf>();
            }
            LogicalPlan::Extension(extension) => {
                plan = &extension.node.as_any().downcast_ref::<WindowResult>()?.input;
            }
            _ => return None,
        }
    }
}

/// The view with a [`LateInput`] for these columns (positions in the late relation) below the
/// window function that [`window_function`] finds.
pub(crate) fn keep_columns(view: LogicalPlan, columns: &[usize]) -> Result<LogicalPlan> {
    let mut aggregated = false;
    keep_below(view, columns, &mut aggregated)
}

fn keep_below(plan: LogicalPlan, columns: &[usize], aggregated: &mut bool) -> Result<LogicalPlan> {
    if let LogicalPlan::Extension(extension) = &plan
        && *aggregated
        && let Some(tvf) = extension.node.as_any().downcast_ref::<WindowTvf>()
    {
        let schema = tvf.input.schema();
        let columns = columns.iter().map(|column| Column::from(schema.qualified_field(*column)));
        let late = LateInput { input: tvf.input.clone(), columns: columns.collect() };
        let input = LogicalPlan::Extension(Extension { node: Arc::new(late) });
        let tvf = WindowTvf::new(input, tvf.time.clone(), tvf.window.clone(), tvf.names)?;
        return Ok(LogicalPlan::Extension(Extension { node: Arc::new(tvf) }));
    }
    *aggregated |= matches!(plan, LogicalPlan::Aggregate(_));
    let mut inputs = Vec::new();
    for input in plan.inputs() {
        inputs.push(keep_below(input.clone(), columns, aggregated)?);
    }
    plan.with_new_exprs(plan.expressions(), inputs)
}
