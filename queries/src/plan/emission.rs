//! When the results of a windowed aggregation leave: EMIT and ALLOW LATENESS behind its query, or
//! Flink's settings `table.exec.emit.*`.

use std::sync::Arc;

use datafusion_common::Result as PlanResult;
use datafusion_expr::{Extension, LogicalPlan};
use datafusion_sql::sqlparser::ast::Query;
use millstream_operators::window::{Early, Emission};

use super::codes;
use super::relation::{self, RelationKind};
use super::roles::{self, Role};
use super::window_result::WindowResult;
use crate::calls::{self, EMIT, LATENESS};
use crate::diagnostic::{Diagnostic, Span};
use crate::parse::bytes;

/// The plan of a query whose aggregation emits as the query says, or else as `default` does.
///
/// # Errors
/// If the query says it and is no windowed aggregation.
pub(crate) fn apply(
    plan: LogicalPlan,
    query: &Query,
    default: Emission,
) -> Result<LogicalPlan, Diagnostic> {
    let (emission, place) = match clause(query) {
        Some((emission, place)) => (emission, Some(place)),
        None => (default, None),
    };
    if place.is_none() && emission.is_final() {
        return Ok(plan);
    }
    let place = place.flatten();
    let mut found = Found::default();
    let applied = set(plan, emission, &mut found).map_err(|error| {
        Diagnostic::error(codes::EMIT_WITHOUT_WINDOW, error.strip_backtrace())
            .at_if_known(place.clone())
    })?;
    if clause(query).is_none() || found.applied && !found.of_processing_time {
        return Ok(applied);
    }
    if found.of_processing_time {
        let message =
            "windows over processing time are emitted when they close, and nothing in them is late";
        return Err(Diagnostic::error(codes::EMIT_WITHOUT_WINDOW, message)
            .at_if_known(place)
            .hint("leave out EMIT and ALLOW LATENESS"));
    }
    let message = "there is no windowed aggregation here whose results could be emitted like this";
    Err(Diagnostic::error(codes::EMIT_WITHOUT_WINDOW, message).at_if_known(place).hint(
        "EMIT and ALLOW LATENESS stand behind the query that has GROUP BY window_start, \
         window_end, …; a view is one place for it",
    ))
}

/// What the query says itself, and where.
fn clause(query: &Query) -> Option<(Emission, Option<Span>)> {
    let settings = query.settings.as_ref()?;
    let mut emission = Emission::default();
    for setting in settings {
        let ms = calls::milliseconds(&setting.value);
        match (setting.key.value.as_str(), ms) {
            (EMIT, Some(ms)) => emission.early = Early::Every { interval_ms: ms.unsigned_abs() },
            (EMIT, None) if calls::text(&setting.value) == Some("update") => {
                emission.early = Early::OnUpdate;
            }
            (LATENESS, Some(ms)) => emission.lateness_ms = ms,
            _ => {}
        }
    }
    let place = settings.first().and_then(|setting| bytes(setting.key.span));
    Some((emission, place))
}

/// The aggregations that an emission was for.
#[derive(Default)]
struct Found {
    applied: bool,
    /// There is one whose windows follow the clock.
    of_processing_time: bool,
}

/// Puts the emission on the topmost aggregations.
fn set(plan: LogicalPlan, emission: Emission, found: &mut Found) -> PlanResult<LogicalPlan> {
    match &plan {
        LogicalPlan::Extension(extension) => {
            let Some(result) = extension.node.as_any().downcast_ref::<WindowResult>() else {
                return Ok(plan);
            };
            if roles::roles(&result.input).iter().any(Role::is_of_processing_time) {
                found.of_processing_time = true;
                return Ok(plan);
            }
            found.applied = true;
            let node = Arc::new(WindowResult { emission, ..result.clone() });
            Ok(LogicalPlan::Extension(Extension { node }))
        }
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Union(_) => {
            let inputs = plan.inputs().into_iter().cloned();
            let inputs = inputs.map(|input| set(input, emission, found));
            let inputs = inputs.collect::<PlanResult<Vec<_>>>()?;
            plan.with_new_exprs(plan.expressions(), inputs)
        }
        _ => Ok(plan),
    }
}

/// True if it is this query itself that emits updates, and not a table that it reads.
pub(crate) fn has_emission(plan: &LogicalPlan) -> bool {
    let own = match plan {
        LogicalPlan::Extension(extension) => {
            let result = extension.node.as_any().downcast_ref::<WindowResult>();
            result.is_some_and(|result| !result.emission.is_final())
        }
        LogicalPlan::TableScan(scan) => {
            let kind = relation::of(scan).map(|relation| &relation.kind);
            matches!(kind, Some(RelationKind::View(_)))
        }
        _ => false,
    };
    own || plan.inputs().into_iter().any(has_emission)
}
