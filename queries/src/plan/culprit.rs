//! Where an error of DataFusion comes from when it does not say.
//!
//! Most of its errors know no place. But planning is cheap and has no effects, so the place is
//! found by trial: the expressions of the failing SELECT are planned one at a time, then the parts
//! of the one that fails, down to the smallest that still fails.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArguments, GroupByExpr, Query, Select, SelectItem, SetExpr,
    TableFactor, visit_expressions,
};

use crate::calls;
use crate::diagnostic::{Diagnostic, Span};
use crate::parse::span_of;

/// The place of the smallest part of `query` for which `fails` is true; `None` if no part fails
/// on its own.
pub(crate) fn find(query: &Query, fails: &dyn Fn(&Query) -> bool) -> Option<Span> {
    if let Some(with) = &query.with {
        for cte in &with.cte_tables {
            if fails(&cte.query) {
                return find(&cte.query, fails).or_else(|| span_of(cte.query.as_ref()));
            }
        }
    }
    in_body(&query.body, query, fails)
}

/// The expression that a query's SELECT gives this name, if it is one.
pub(crate) fn alias<'q>(query: &'q Query, name: &str) -> Option<&'q Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if alias.value == name => Some(expr),
        _ => None,
    })
}

/// Parts of a query that are tried one by one, at most.
const MOST_PARTS: usize = 100;

/// The mistakes of the parts of a query that do not depend on each other: subqueries; or, if all
/// that stands in FROM is sound, conditions, columns and keys.
pub(crate) fn separate(
    query: &Query,
    mistake: &dyn Fn(&Query) -> Option<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut tries = MOST_PARTS;
    separate_in(query, mistake, &mut tries, &mut found);
    found
}

fn separate_in(
    query: &Query,
    mistake: &dyn Fn(&Query) -> Option<Diagnostic>,
    tries: &mut usize,
    found: &mut Vec<Diagnostic>,
) {
    let before = found.len();
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        separate_in(&cte.query, mistake, tries, found);
    }
    if found.len() > before {
        return;
    }
    let with_body = |body: &SetExpr| Query { body: Box::new(body.clone()), ..query.clone() };
    match query.body.as_ref() {
        SetExpr::Query(inner) => separate_in(inner, mistake, tries, found),
        SetExpr::SetOperation { left, right, .. } => {
            separate_in(&with_body(left), mistake, tries, found);
            separate_in(&with_body(right), mistake, tries, found);
        }
        SetExpr::Select(select) => {
            for from in &select.from {
                if let Some(inner) = subquery(&from.relation) {
                    separate_in(inner, mistake, tries, found);
                }
            }
            if found.len() > before {
                return;
            }
            for part in parts_of_select(select) {
                let Some(left) = tries.checked_sub(1) else { return };
                *tries = left;
                found.extend(mistake(&with_body(&SetExpr::Select(Box::new(part)))));
            }
        }
        _ => {}
    }
}

/// The SELECT with one of its expressions each: conditions and keys as columns of a SELECT
/// without a group, columns with the keys they are grouped by.
fn parts_of_select(select: &Select) -> Vec<Select> {
    let bare = bare(select);
    let column = |expr: &Expr| vec![SelectItem::UnnamedExpr(expr.clone())];
    let mut plain: Vec<&Expr> = Vec::new();
    if let Some(condition) = &select.selection {
        conjuncts(condition, &mut plain);
    }
    if let GroupByExpr::Expressions(keys, _) = &select.group_by {
        plain.extend(keys);
    }
    let alone = plain.into_iter().map(|expr| Select { projection: column(expr), ..bare.clone() });
    let exprs = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    });
    let grouped = exprs.chain(&select.having).map(|expr| Select {
        projection: column(expr),
        selection: None,
        having: None,
        ..select.clone()
    });
    alone.chain(grouped).collect()
}

/// The conditions that AND puts together.
fn conjuncts<'e>(condition: &'e Expr, found: &mut Vec<&'e Expr>) {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, found);
            conjuncts(right, found);
        }
        other => found.push(other),
    }
}

/// The place of a column's name in a query.
pub(crate) fn column(query: &Query, name: &str) -> Option<Span> {
    let found = visit_expressions(query, |expr| {
        let last = match expr {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        match last {
            Some(ident) if ident.value == name => ControlFlow::Break(span_of(expr)),
            _ => ControlFlow::Continue(()),
        }
    });
    match found {
        ControlFlow::Break(span) => span,
        ControlFlow::Continue(()) => None,
    }
}

fn in_body(body: &SetExpr, whole: &Query, fails: &dyn Fn(&Query) -> bool) -> Option<Span> {
    let with_body = |body: &SetExpr| Query { body: Box::new(body.clone()), ..whole.clone() };
    match body {
        SetExpr::Query(query) => find(query, fails),
        SetExpr::SetOperation { left, right, .. } => [left, right]
            .into_iter()
            .find(|side| fails(&with_body(side)))
            .and_then(|side| in_body(side, whole, fails).or_else(|| span_of(side.as_ref()))),
        SetExpr::Select(select) => {
            let fails_with =
                |select: &Select| fails(&with_body(&SetExpr::Select(Box::new(select.clone()))));
            in_select(select, &fails_with, fails)
        }
        _ => None,
    }
}

fn in_select(
    select: &Select,
    fails_with: &dyn Fn(&Select) -> bool,
    fails: &dyn Fn(&Query) -> bool,
) -> Option<Span> {
    for from in &select.from {
        if let Some(query) = subquery(&from.relation)
            && fails(query)
        {
            return find(query, fails).or_else(|| span_of(query));
        }
    }
    let bare = bare(select);
    if let Some(predicate) = &select.selection {
        let alone =
            |expr: &Expr| fails_with(&Select { selection: Some(expr.clone()), ..bare.clone() });
        if alone(predicate) {
            return smallest(predicate, &|expr| {
                fails_with(&Select {
                    projection: vec![SelectItem::UnnamedExpr(expr.clone())],
                    ..bare.clone()
                })
            });
        }
    }
    // With its GROUP BY, so that aggregates have one, and without, so that parts do not need one.
    for item in &select.projection {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            continue;
        };
        let grouped = |expr: &Expr| {
            fails_with(&Select {
                projection: vec![SelectItem::UnnamedExpr(expr.clone())],
                having: None,
                ..select.clone()
            })
        };
        if grouped(expr) {
            return smallest(expr, &grouped);
        }
    }
    if let Some(having) = &select.having {
        return span_of(having);
    }
    if let Some(star) =
        select.projection.iter().find(|item| matches!(item, SelectItem::Wildcard(_)))
        && fails_with(&Select { projection: vec![star.clone()], ..select.clone() })
    {
        return span_of(star);
    }
    match &select.group_by {
        GroupByExpr::Expressions(keys, _) => keys.first().and_then(span_of),
        GroupByExpr::All(_) => None,
    }
}

/// The SELECT with `*` and neither WHERE nor GROUP BY.
fn bare(select: &Select) -> Select {
    Select {
        projection: vec![SelectItem::Wildcard(Default::default())],
        selection: None,
        having: None,
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        ..select.clone()
    }
}

fn subquery(factor: &TableFactor) -> Option<&Query> {
    match factor {
        TableFactor::Derived { subquery, .. } => Some(subquery),
        _ => {
            let call = calls::relation_call(factor)?;
            let mut inputs =
                call.args.iter().filter_map(calls::argument_expr).filter_map(calls::table_argument);
            inputs.find_map(|input| match input.input {
                calls::TableInput::Query(query) => Some(query),
                calls::TableInput::Named(_) => None,
            })
        }
    }
}

/// The place of the smallest part of a failing expression that fails, too.
fn smallest(expr: &Expr, fails: &dyn Fn(&Expr) -> bool) -> Option<Span> {
    for part in parts(expr) {
        if fails(part) {
            return smallest(part, fails);
        }
    }
    span_of(expr)
}

/// The direct parts of an expression; not of all kinds, only of those that people nest.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) | Expr::Cast { expr, .. } => vec![expr],
        Expr::IsNull(expr) | Expr::IsNotNull(expr) => vec![expr],
        Expr::Between { expr, low, high, .. } => vec![expr, low, high],
        Expr::Case { operand, conditions, else_result, .. } => {
            let mut parts: Vec<&Expr> = operand.iter().map(AsRef::as_ref).collect();
            for when in conditions {
                parts.extend([&when.condition, &when.result]);
            }
            parts.extend(else_result.iter().map(AsRef::as_ref));
            parts
        }
        Expr::Function(function) => match &function.args {
            FunctionArguments::List(list) => {
                list.args.iter().filter_map(calls::argument_expr).collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
