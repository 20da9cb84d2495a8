//! Checks of a bound plan: everything in it must come to an end in a stream that has none.

use datafusion_common::Result;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{Aggregate, Expr, LogicalPlan};
use millstream_operators::graph::Changelog;

use super::codes;
use super::error::{refuse, unsupported};
use super::group_window::GROUP_WINDOW_COLUMNS;
use super::roles::{self, Role};
use super::window_tvf::WindowTvf;
use crate::diagnostic::{Diagnostic, Span};
use crate::parse::byte;

/// Checks a plan.
///
/// # Errors
/// The first part that cannot be run in a stream.
pub(crate) fn plan(plan: &LogicalPlan) -> Result<()> {
    plan.apply(|node| {
        node_checks(node).map_err(refuse)?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn node_checks(node: &LogicalPlan) -> std::result::Result<(), Diagnostic> {
    match node {
        LogicalPlan::Aggregate(aggregate) => aggregate_checks(aggregate),
        LogicalPlan::Extension(extension) => {
            match extension.node.as_any().downcast_ref::<WindowTvf>() {
                Some(tvf) if roles::changelog(&tvf.input) == Changelog::Retract => {
                    Err(changelog_input(tvf.time.spans.first().and_then(to_bytes)))
                }
                _ => Ok(()),
            }
        }
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::TableScan(_) => Ok(()),
        other => Err(unsupported(&form(other), None, "see docs/sql.md for what can be written")),
    }
}

/// A few words for a node that no query should be able to bring about.
fn form(node: &LogicalPlan) -> String {
    let line = node.display().to_string();
    line.split([':', ' ']).next().unwrap_or_default().to_owned()
}

fn aggregate_checks(aggregate: &Aggregate) -> std::result::Result<(), Diagnostic> {
    if roles::changelog(&aggregate.input) == Changelog::Retract && !is_windowed(&aggregate.input) {
        return Err(changelog_input(first_place(aggregate)));
    }
    let is_aggregate = |expr: &Expr| Ok(matches!(expr, Expr::AggregateFunction(_)));
    if let Some(key) =
        aggregate.group_expr.iter().find(|key| key.exists(is_aggregate).unwrap_or(false))
    {
        let place = column_places(key).into_iter().find_map(to_bytes);
        let message = "an aggregate cannot stand in GROUP BY";
        return Err(Diagnostic::error(codes::INVALID_QUERY, message)
            .at_if_known(place)
            .hint("group by columns; to group by an aggregate, compute it in a view before"));
    }
    let input = roles::roles(&aggregate.input);
    let keys: Vec<Role> = aggregate
        .group_expr
        .iter()
        .map(|key| roles::expr_role(key, &aggregate.input, &input))
        .collect();
    let start = keys.iter().find_map(|role| match role {
        Role::WindowStart(window) => Some(window),
        _ => None,
    });
    let end = keys.iter().find_map(|role| match role {
        Role::WindowEnd(window) => Some(window),
        _ => None,
    });
    let place = first_place(aggregate);
    let is_rowtime = |(key, role): (&Expr, &Role)| match key {
        Expr::Column(column) => column.name == GROUP_WINDOW_COLUMNS[2] && !role.is_event_time(),
        _ => false,
    };
    if aggregate.group_expr.iter().zip(&keys).any(is_rowtime) {
        let message = "a window over processing time has no event time";
        return Err(Diagnostic::error(codes::PROCESSING_TIME, message)
            .at_if_known(place)
            .hint("use TUMBLE_PROCTIME or HOP_PROCTIME for a window over the result"));
    }
    match (start, end) {
        (Some(start), Some(end)) if start == end => {}
        (Some(_), Some(_)) => {
            return Err(no_window(
                "window_start and window_end belong to different windows",
                place,
            )
            .hint("group by the two columns of one window function"));
        }
        (Some(_), None) => return Err(missing("window_end", "window_start", place)),
        (None, Some(_)) => return Err(missing("window_start", "window_end", place)),
        (None, None) => return Err(without_window(&input, place)),
    }
    let is_distinct = |expr: &Expr| match expr.clone().unalias() {
        Expr::AggregateFunction(call) => !call.params.order_by.is_empty(),
        _ => false,
    };
    if aggregate.aggr_expr.iter().any(is_distinct) {
        return Err(unsupported("ORDER BY in an aggregate", place, "leave the order out"));
    }
    Ok(())
}

/// True if the rows get their windows here: then the window function is the place of a mistake.
fn is_windowed(plan: &LogicalPlan) -> bool {
    let is_tvf = matches!(plan, LogicalPlan::Extension(extension)
        if extension.node.as_any().is::<WindowTvf>());
    is_tvf || plan.inputs().into_iter().any(is_windowed)
}

fn no_window(message: &str, place: Option<Span>) -> Diagnostic {
    Diagnostic::error(codes::NO_WINDOW, message).at_if_known(place)
}

fn missing(missing: &str, given: &str, place: Option<Span>) -> Diagnostic {
    let message = format!("`{missing}` is missing in GROUP BY: only `{given}` is there");
    Diagnostic::error(codes::WINDOW_COLUMN_MISSING_IN_GROUP_BY, message)
        .at_if_known(place)
        .hint("write GROUP BY window_start, window_end, …")
}

fn without_window(input: &[Role], place: Option<Span>) -> Diagnostic {
    let message =
        "aggregation without a window is not supported yet: its result would be updated for ever";
    let hint = if input.iter().any(Role::is_window) {
        "add the window to GROUP BY: GROUP BY window_start, window_end, …"
    } else {
        "write FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, \
         window_end, …"
    };
    no_window(message, place).hint(hint)
}

fn changelog_input(place: Option<Span>) -> Diagnostic {
    Diagnostic::error(
        codes::CHANGELOG_INPUT,
        "a window cannot read a changelog with updates and deletes yet",
    )
    .at_if_known(place)
    .hint(
        "read the table with a format without row kinds, such as 'json', and a view without EMIT \
         and ALLOW LATENESS",
    )
}

/// The first place that the expressions of an aggregation know of.
pub(super) fn first_place(aggregate: &Aggregate) -> Option<Span> {
    let exprs = aggregate.group_expr.iter().chain(&aggregate.aggr_expr);
    exprs.flat_map(column_places).find_map(to_bytes)
}

fn to_bytes(span: datafusion_common::Span) -> Option<Span> {
    let start = byte(span.start.line, span.start.column)?;
    Some(start..byte(span.end.line, span.end.column)?.max(start))
}

/// Places of an expression's columns, in the order of the text.
fn column_places(expr: &Expr) -> Vec<datafusion_common::Span> {
    let mut places = Vec::new();
    let visited = expr.apply(|expr| {
        if let Expr::Column(column) = expr {
            places.extend(column.spans.first());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "the closure has no errors");
    places
}
