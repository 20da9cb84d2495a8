//! The results of a windowed aggregation, as a logical node that holds predicates back and knows when
//! results leave.
//!
//! DataFusion moves a predicate on a group column below the aggregation. For a window column that
//! would mean to give every row its windows first and to throw rows away then, instead of
//! comparing once a result. This node stands on every windowed aggregation and lets all predicates
//! through but those on window columns.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchemaRef, Result, plan_err};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use millstream_operators::window::Emission;

use super::roles;

/// Passes its input on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct WindowResult {
    /// The aggregation.
    pub input: LogicalPlan,
    /// When its results leave.
    pub emission: Emission,
    /// Names of its window columns.
    pub windows: Vec<String>,
}

/// The plan with a [`WindowResult`] on each aggregation.
pub(crate) fn mark(plan: LogicalPlan) -> Result<LogicalPlan> {
    let marked = plan.transform_up(|node| {
        if !matches!(node, LogicalPlan::Aggregate(_)) {
            return Ok(Transformed::no(node));
        }
        let roles = roles::roles(&node);
        let named = node.schema().fields().iter().zip(roles);
        let windows =
            named.filter(|(_, role)| role.is_window()).map(|(field, _)| field.name().clone());
        let (windows, emission) = (windows.collect(), Emission::default());
        let node = WindowResult { windows, emission, input: node };
        Ok(Transformed::yes(LogicalPlan::Extension(Extension { node: Arc::new(node) })))
    })?;
    Ok(marked.data)
}

impl UserDefinedLogicalNodeCore for WindowResult {
    fn name(&self) -> &str {
        "WindowResult"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.windows.iter().cloned().collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WindowResult{}", self.emission)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.into_iter().next() {
            Some(input) => Ok(WindowResult { input, ..self.clone() }),
            None => plan_err!("an aggregation has one result"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}
