//! Roles: which columns of a relation are time attributes and window columns.
//!
//! SQL's types do not say that a timestamp carries watermarks, or that a column is the start of
//! the window a row belongs to; that follows from where the column comes from. A role survives
//! what leaves the value as it is (projection, filter, alias, UNION ALL of equals) and nothing
//! else.

use datafusion_common::Column;
use datafusion_expr::{Expr, LogicalPlan};
use millstream_operators::graph::Changelog;
use millstream_operators::window::Windows;

use super::late::LateInput;
use super::relation;
use super::unnest::Unnest;
use super::window_result::WindowResult;
use super::window_tvf::WindowTvf;
use crate::functions::proctime;

/// What a column means for time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing.
    Plain,
    /// Event time, with watermarks.
    EventTime,
    /// Processing time: PROCTIME().
    ProcessingTime,
    /// `window_start` of these windows.
    WindowStart(WindowRef),
    /// `window_end` of these windows.
    WindowEnd(WindowRef),
    /// `window_time` of these windows: time of their kind again.
    WindowTime(WindowRef),
}

/// Which windows a window column belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WindowRef {
    /// The windows.
    pub windows: Windows,
    /// The zone whose wall clock they follow, for TIMESTAMP_LTZ.
    pub zone: Option<String>,
    /// They are windows of processing time.
    pub is_processing: bool,
}

impl Role {
    /// True if windows over the column follow watermarks.
    pub fn is_event_time(&self) -> bool {
        match self {
            Role::EventTime => true,
            Role::WindowTime(window) => !window.is_processing,
            _ => false,
        }
    }

    /// True if windows over the column follow the clock.
    pub fn is_processing_time(&self) -> bool {
        match self {
            Role::ProcessingTime => true,
            Role::WindowTime(window) => window.is_processing,
            _ => false,
        }
    }

    /// True for the columns of windows that follow the clock.
    pub fn is_of_processing_time(&self) -> bool {
        match self {
            Role::WindowStart(window) | Role::WindowEnd(window) | Role::WindowTime(window) => {
                window.is_processing
            }
            _ => false,
        }
    }

    /// True for the columns that a window function adds.
    pub fn is_window(&self) -> bool {
        matches!(self, Role::WindowStart(_) | Role::WindowEnd(_) | Role::WindowTime(_))
    }
}

/// The roles of a plan's columns, in the order of its schema.
pub(crate) fn roles(plan: &LogicalPlan) -> Vec<Role> {
    let width = plan.schema().fields().len();
    match plan {
        LogicalPlan::TableScan(scan) => match relation::of(scan) {
            Some(relation) => match &scan.projection {
                Some(columns) => columns.iter().map(|c| relation.roles[*c].clone()).collect(),
                None => relation.roles.clone(),
            },
            None => vec![Role::Plain; width],
        },
        LogicalPlan::Projection(projection) => {
            let input = roles(&projection.input);
            projection.expr.iter().map(|e| expr_role(e, &projection.input, &input)).collect()
        }
        LogicalPlan::Filter(filter) => roles(&filter.input),
        LogicalPlan::SubqueryAlias(alias) => roles(&alias.input),
        LogicalPlan::Union(union) => {
            let all: Vec<Vec<Role>> = union.inputs.iter().map(|input| roles(input)).collect();
            let agreed = |column: usize| {
                let first = &all[0][column];
                if all.iter().all(|roles| roles.get(column) == Some(first)) {
                    first.clone()
                } else {
                    Role::Plain
                }
            };
            (0..width).map(agreed).collect()
        }
        LogicalPlan::Aggregate(aggregate) => {
            let input = roles(&aggregate.input);
            let keys = aggregate.group_expr.iter().map(|key| {
                match expr_role(key, &aggregate.input, &input) {
                    role if role.is_window() => role,
                    _ => Role::Plain,
                }
            });
            let mut roles: Vec<Role> = keys.collect();
            roles.resize(width, Role::Plain);
            roles
        }
        LogicalPlan::Extension(extension) => {
            let node = extension.node.as_any();
            if let Some(tvf) = node.downcast_ref::<WindowTvf>() {
                return window_roles(tvf);
            }
            if let Some(result) = node.downcast_ref::<WindowResult>() {
                return roles(&result.input);
            }
            if let Some(unnest) = node.downcast_ref::<Unnest>() {
                let mut roles = roles(&unnest.input);
                roles.resize(width, Role::Plain);
                return roles;
            }
            match node.downcast_ref::<LateInput>() {
                Some(late) => roles(&late.input),
                None => vec![Role::Plain; width],
            }
        }
        _ => vec![Role::Plain; width],
    }
}

/// A window function takes the time attribute's role away and gives it to `window_time`: rows
/// come out of it in the order of windows. Older window columns become plain for the same reason.
fn window_roles(tvf: &WindowTvf) -> Vec<Role> {
    let window = tvf.window.clone();
    let mut roles = vec![Role::Plain; tvf.input.schema().fields().len()];
    roles.push(Role::WindowStart(window.clone()));
    roles.push(Role::WindowEnd(window.clone()));
    roles.push(Role::WindowTime(window));
    roles
}

/// The role of an expression over `input`, whose roles are `roles`.
pub(crate) fn expr_role(expr: &Expr, input: &LogicalPlan, roles: &[Role]) -> Role {
    match expr {
        Expr::Column(column) => column_role(column, input, roles),
        Expr::Alias(alias) => expr_role(&alias.expr, input, roles),
        expr if proctime::is_call(expr) => Role::ProcessingTime,
        _ => Role::Plain,
    }
}

fn column_role(column: &Column, input: &LogicalPlan, roles: &[Role]) -> Role {
    match input.schema().maybe_index_of_column(column) {
        Some(index) => roles[index].clone(),
        None => Role::Plain,
    }
}

/// What a plan's rows are: inserts only, or also updates.
pub(crate) fn changelog(plan: &LogicalPlan) -> Changelog {
    let retracts = |input: &LogicalPlan| changelog(input) == Changelog::Retract;
    if let LogicalPlan::TableScan(scan) = plan {
        return relation::of(scan).map_or(Changelog::Append, |relation| relation.changelog);
    }
    if let LogicalPlan::Extension(extension) = plan
        && let Some(result) = extension.node.as_any().downcast_ref::<WindowResult>()
        && !result.emission.is_final()
    {
        return Changelog::Retract;
    }
    if plan.inputs().into_iter().any(retracts) { Changelog::Retract } else { Changelog::Append }
}
