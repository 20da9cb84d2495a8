//! Where an error of DataFusion comes from when it does not say.
//!
//! Most of its errors know no place. But planning is cheap and has no effects, so the place is
//! found by trial: the expressions of the failing SELECT are planned one at a time, then the parts
//! of the one that fails, down to the smallest that still fails.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    Expr, FunctionArguments, GroupByExpr, Query, Select, SelectItem, SetExpr, TableFactor,
    visit_expressions,
};

use crate::calls;
use crate::diagnostic::Span;
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
