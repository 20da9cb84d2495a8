//! Which of DataFusion's optimizer rules run: those that move work towards the source and fold
//! constants. Rules that know batches (limits, joins, distinct aggregates as two aggregations,
//! empty relations) are left out.

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_expr::LogicalPlan;
use datafusion_optimizer::optimize_projections::OptimizeProjections;
use datafusion_optimizer::push_down_filter::PushDownFilter;
use datafusion_optimizer::simplify_expressions::SimplifyExpressions;
use datafusion_optimizer::{Optimizer, OptimizerContext, OptimizerRule};

use super::context::Session;

/// The plan with the same rows, computed with less work.
pub(crate) fn optimize(plan: LogicalPlan, session: &Session) -> Result<LogicalPlan> {
    let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
        Arc::new(SimplifyExpressions::new()),
        Arc::new(PushDownFilter::new()),
        Arc::new(SimplifyExpressions::new()),
        Arc::new(OptimizeProjections::new()),
    ];
    // Without a start time nothing that asks for the time is folded into a constant.
    let context = OptimizerContext::new_with_config_options(Arc::clone(&session.config))
        .without_query_execution_start_time()
        .with_max_passes(4);
    Optimizer::with_rules(rules).optimize(plan, &context, |_, _| {})
}
