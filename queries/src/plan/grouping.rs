//! GROUPING SETS, CUBE and ROLLUP: one aggregation for each set of keys, and their rows together.
//!
//! ```text
//!  GROUP BY ROLLUP(a), window_start, window_end
//!
//!  Aggregate [{a, start, end}, {start, end}]   ─▶   Union
//!                                                     a,    0 AS GROUPING(a), …  Aggregate [a, start, end]
//!                                                     NULL, 1 AS GROUPING(a), …  Aggregate [start, end]
//! ```
//!
//! No row is copied for its sets, each aggregation has the keys that it needs and no others, and its
//! state is that of any windowed aggregation. What is below them is planned once: equal plans have
//! the same rows.
//!
//! It happens in two steps, because the types of keys are known only after [`typing`](super::typing)
//! and that pass must see no expression in a grouping set: [`name_keys`] before it, [`expand`] after.

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, Result, ScalarValue};
use datafusion_expr::expr::AggregateFunction;
use datafusion_expr::{
    Aggregate, Expr, GroupingSet, LogicalPlan, LogicalPlanBuilder, Projection, Union, lit,
};

use super::check::first_place;
use super::codes;
use super::error::refuse;
use crate::diagnostic::Diagnostic;
use crate::functions::aggregate::{self as functions, Kind};

/// Each set is an aggregation of its own, so there must not be very many.
const MOST_SETS: usize = 64;

/// The plan with computed keys of grouping sets as columns of the aggregation's input.
pub(crate) fn name_keys(plan: LogicalPlan) -> Result<LogicalPlan> {
    let named = plan.transform_up(|node| match node {
        LogicalPlan::Aggregate(aggregate) if sets(&aggregate).is_some() => {
            name_keys_of(aggregate).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(named.data)
}

/// The grouping sets of an aggregation, if it has any.
fn sets(aggregate: &Aggregate) -> Option<&Vec<Vec<Expr>>> {
    match aggregate.group_expr.as_slice() {
        [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => Some(sets),
        _ => None,
    }
}

fn name_keys_of(aggregate: Aggregate) -> Result<LogicalPlan> {
    let Some(sets) = sets(&aggregate) else { return Ok(LogicalPlan::Aggregate(aggregate)) };
    if sets.len() > MOST_SETS {
        let message = format!("GROUP BY has {} grouping sets, the most is {MOST_SETS}", sets.len());
        let diagnostic = Diagnostic::error(codes::GROUPING, message)
            .at_if_known(first_place(&aggregate))
            .hint("list the sets that are needed: GROUPING SETS ((a, b), (a), ())");
        return Err(refuse(diagnostic));
    }
    let computed: Vec<Expr> =
        distinct(sets).into_iter().filter(|key| !matches!(key, Expr::Column(_))).collect();
    if computed.is_empty() {
        return Ok(LogicalPlan::Aggregate(aggregate));
    }
    let name = |key: &Expr| key.schema_name().to_string();
    let passed = aggregate.input.schema().iter().map(Expr::from);
    let keys = computed.iter().map(|key| key.clone().alias(name(key)));
    let exprs: Vec<Expr> = passed.chain(keys).collect();
    let as_column = |expr: Expr| {
        let found = computed.iter().find(|key| **key == expr);
        match found.map(name) {
            Some(name) => Ok(Transformed::yes(Expr::Column(Column::from_name(name)))),
            None => Ok(Transformed::no(expr)),
        }
    };
    let in_set = |set: &Vec<Expr>| {
        set.iter().map(|key| Ok(as_column(key.clone())?.data)).collect::<Result<Vec<Expr>>>()
    };
    let sets = sets.iter().map(in_set).collect::<Result<Vec<_>>>()?;
    // Only GROUPING speaks of keys; other aggregates compute with what the columns hold.
    let aggregates = aggregate.aggr_expr.iter().map(|expr| match grouping(expr) {
        Some(_) => Ok(expr.clone().transform_up(as_column)?.data.alias(name(expr))),
        None => Ok(expr.clone()),
    });
    let aggregates = aggregates.collect::<Result<Vec<Expr>>>()?;
    let input = LogicalPlan::Projection(Projection::try_new(exprs, aggregate.input)?);
    let keys = vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets))];
    Aggregate::try_new(Arc::new(input), keys, aggregates).map(LogicalPlan::Aggregate)
}

/// The keys of all sets, each once, in the order in which they come up: the order of the
/// aggregation's columns.
fn distinct(sets: &[Vec<Expr>]) -> Vec<Expr> {
    let mut keys: Vec<Expr> = Vec::new();
    for key in sets.iter().flatten() {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// The plan with an aggregation for each grouping set, and GROUPING as the constant that it is in
/// each.
///
/// # Errors
/// If an argument of GROUPING is no key.
pub(crate) fn expand(plan: LogicalPlan) -> Result<LogicalPlan> {
    let expanded = plan.transform_up(|node| match node {
        LogicalPlan::Aggregate(aggregate)
            if sets(&aggregate).is_some() || aggregate.aggr_expr.iter().any(is_grouping) =>
        {
            expand_sets(&aggregate).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(expanded.data)
}

fn is_grouping(expr: &Expr) -> bool {
    grouping(expr).is_some()
}

/// A call of GROUPING or GROUPING_ID.
fn grouping(expr: &Expr) -> Option<&AggregateFunction> {
    match expr {
        Expr::Alias(alias) => grouping(&alias.expr),
        Expr::AggregateFunction(call) if functions::kind(&call.func) == Some(Kind::Grouping) => {
            Some(call)
        }
        _ => None,
    }
}

fn expand_sets(aggregate: &Aggregate) -> Result<LogicalPlan> {
    let (keys, sets) = match sets(aggregate) {
        Some(sets) => (distinct(sets), sets.clone()),
        None => (aggregate.group_expr.clone(), vec![aggregate.group_expr.clone()]),
    };
    let mut branches = Vec::new();
    for set in &sets {
        branches.push(Arc::new(branch(aggregate, &keys, set)?));
    }
    let rows = match branches.as_slice() {
        [only] => only.as_ref().clone(),
        _ => LogicalPlan::Union(Union::try_new(branches)?),
    };
    // A union's columns belong to no relation; those of the aggregation may.
    let named = output(aggregate, keys.len()).zip(rows.schema().columns());
    let exprs: Vec<Expr> = named
        .map(|((qualifier, field), column)| {
            Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())
        })
        .collect();
    LogicalPlanBuilder::from(rows).project(exprs)?.build()
}

/// The columns of an aggregation that somebody can see: keys, then aggregates.
fn output(
    aggregate: &Aggregate,
    keys: usize,
) -> impl Iterator<Item = (Option<&datafusion_common::TableReference>, &arrow::datatypes::FieldRef)>
{
    let hidden = usize::from(sets(aggregate).is_some());
    aggregate.schema.iter().enumerate().filter_map(move |(position, field)| {
        (position < keys || position >= keys + hidden).then_some(field)
    })
}

/// The rows of one set, in the columns of the whole.
fn branch(aggregate: &Aggregate, keys: &[Expr], set: &[Expr]) -> Result<LogicalPlan> {
    let set = distinct(&[set.to_vec()]);
    let calls = aggregate.aggr_expr.iter().filter(|expr| !is_grouping(expr)).cloned();
    let rows = Aggregate::try_new(Arc::clone(&aggregate.input), set.clone(), calls.collect())?;
    let mut columns = rows.schema.columns().into_iter().skip(set.len());
    let key_columns = rows.schema.columns();
    let mut exprs = Vec::new();
    for (position, (qualifier, field)) in output(aggregate, keys.len()).enumerate() {
        let value = match keys.get(position) {
            Some(key) => match set.iter().position(|other| other == key) {
                Some(place) => Expr::Column(key_columns[place].clone()),
                None => lit(ScalarValue::try_from(field.data_type())?),
            },
            None => match grouping(&aggregate.aggr_expr[position - keys.len()]) {
                Some(call) => lit(grouping_id(aggregate, call, keys, &set)?),
                None => columns.next().map_or_else(|| lit(ScalarValue::Null), Expr::Column),
            },
        };
        exprs.push(value.alias_qualified(qualifier.cloned(), field.name()));
    }
    LogicalPlanBuilder::from(LogicalPlan::Aggregate(rows)).project(exprs)?.build()
}

/// The value of GROUPING: a bit for each argument, the last one the lowest, which is 1 if the set
/// does not group by it.
fn grouping_id(
    aggregate: &Aggregate,
    call: &AggregateFunction,
    keys: &[Expr],
    set: &[Expr],
) -> Result<i64> {
    let mut id = 0;
    for argument in &call.params.args {
        if !keys.contains(argument) {
            let message = format!("an argument of {} is not in GROUP BY", functions::shown(call));
            let diagnostic = Diagnostic::error(codes::GROUPING, message)
                .at_if_known(first_place(aggregate))
                .hint("GROUPING tells of keys whether a row was grouped by them");
            return Err(refuse(diagnostic));
        }
        id = id * 2 + i64::from(!set.contains(argument));
    }
    Ok(id)
}
