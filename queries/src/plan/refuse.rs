//! What a query may not say in a stream, found in the AST before anything else: there every part
//! has its place, and the hint can say what to write instead.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    AccessExpr, Distinct, Expr, GroupByExpr, LimitClause, Query, Select, SelectItem, SetExpr,
    SetOperator, SetQuantifier, Spanned, Subscript, TableFactor, TableWithJoins, visit_expressions,
};

use super::error::unsupported;
use super::{unnest, values};
use crate::calls::{self, TableInput};
use crate::diagnostic::Diagnostic;
use crate::parse::{bytes, span_of};

/// Finds the first thing in a query that is not supported.
pub(crate) fn query(query: &Query) -> Result<(), Diagnostic> {
    if let Some(with) = &query.with {
        if with.recursive {
            return Err(unsupported(
                "WITH RECURSIVE",
                bytes(with.with_token.0.span),
                "write the steps as views",
            ));
        }
        for cte in &with.cte_tables {
            self::query(&cte.query)?;
        }
    }
    if let Some(order) = &query.order_by {
        let hint = "a stream has no end to sort at; sort where the result is read";
        return Err(unsupported("ORDER BY", span_of(order), hint));
    }
    if let Some(limit) = &query.limit_clause {
        let span = match limit {
            LimitClause::LimitOffset { limit, offset, .. } => {
                limit.as_ref().and_then(span_of).or(offset.as_ref().and_then(span_of))
            }
            LimitClause::OffsetCommaLimit { limit, .. } => span_of(limit),
        };
        return Err(unsupported("LIMIT", span, "run with `--limit N` to stop after N rows"));
    }
    if let Some(fetch) = &query.fetch {
        let span = fetch.quantity.as_ref().and_then(span_of);
        return Err(unsupported("FETCH", span, "run with `--limit N` to stop after N rows"));
    }
    body(&query.body)
}

fn body(body: &SetExpr) -> Result<(), Diagnostic> {
    match body {
        SetExpr::Select(select) => self::select(select),
        SetExpr::Query(query) => self::query(query),
        SetExpr::SetOperation { op, set_quantifier, left, right } => {
            let place = span_of(right.as_ref());
            match (op, set_quantifier) {
                (SetOperator::Union, SetQuantifier::All) => {}
                (SetOperator::Union, _) => {
                    let hint = "write UNION ALL: removing duplicates of a stream would never end";
                    return Err(unsupported("UNION without ALL", place, hint));
                }
                (op, _) => {
                    return Err(unsupported(
                        &op.to_string(),
                        place,
                        "only UNION ALL puts queries together",
                    ));
                }
            }
            self::body(left)?;
            self::body(right)
        }
        SetExpr::Values(values) => {
            let rows = values.rows.iter().map(|row| row.content.as_slice());
            values::check(rows)?;
            values.rows.iter().flat_map(|row| &row.content).try_for_each(expression)
        }
        other => Err(unsupported("this form of query", span_of(other), "write SELECT … FROM …")),
    }
}

fn select(select: &Select) -> Result<(), Diagnostic> {
    let select_word = bytes(select.select_token.0.span);
    if let Some(distinct) = &select.distinct {
        let span = match distinct {
            Distinct::On(exprs) => exprs.first().and_then(span_of),
            _ => select_word.clone(),
        };
        let hint = "group by all columns within a window: GROUP BY window_start, window_end, …";
        return Err(unsupported("SELECT DISTINCT", span, hint));
    }
    if select.top.is_some() {
        return Err(unsupported(
            "TOP",
            select_word.clone(),
            "run with `--limit N` to stop after N rows",
        ));
    }
    if let Some(into) = &select.into {
        let hint = "write INSERT INTO table SELECT …";
        return Err(unsupported("SELECT INTO", bytes(into.name.span()), hint));
    }
    from(select)?;
    for expr in select_expressions(select) {
        expression(expr)?;
    }
    if let GroupByExpr::Expressions(_, modifiers) = &select.group_by
        && !modifiers.is_empty()
    {
        let hint = "write GROUP BY ROLLUP (a, b), CUBE (a, b) or GROUPING SETS ((a, b), (a), ())";
        return Err(unsupported("GROUP BY … WITH", span_of(&select.group_by), hint));
    }
    let clause = if select.qualify.is_some() {
        "QUALIFY"
    } else if !select.lateral_views.is_empty() {
        "LATERAL VIEW"
    } else if !select.named_window.is_empty() {
        "WINDOW"
    } else if !select.sort_by.is_empty() || !select.cluster_by.is_empty() {
        "SORT BY"
    } else {
        return Ok(());
    };
    Err(unsupported(clause, select_word, "leave the clause out"))
}

fn from(select: &Select) -> Result<(), Diagnostic> {
    let hint = "aggregate each input by window into a view, and join where the results are read";
    let Some((first, rest)) = select.from.split_first() else { return Ok(()) };
    factor(&first.relation)?;
    joins(first, hint)?;
    for next in rest {
        if !calls::is_unnest(&next.relation) {
            return Err(unsupported("a join of several tables", span_of(&next.relation), hint));
        }
        joins(next, hint)?;
    }
    Ok(())
}

/// The only joins are those with UNNEST.
fn joins(table: &TableWithJoins, hint: &str) -> Result<(), Diagnostic> {
    for join in &table.joins {
        if !calls::is_unnest(&join.relation) {
            return Err(unsupported("JOIN", span_of(&join.relation), hint));
        }
        unnest::keeps_rows(join)?;
    }
    Ok(())
}

fn factor(factor: &TableFactor) -> Result<(), Diagnostic> {
    if let Some(call) = calls::relation_call(factor) {
        let inputs =
            call.args.iter().filter_map(calls::argument_expr).filter_map(calls::table_argument);
        for input in inputs {
            if let TableInput::Query(query) = input.input {
                self::query(query)?;
            }
        }
        return Ok(());
    }
    match factor {
        TableFactor::Table { version: Some(_), name, .. } => Err(unsupported(
            "FOR SYSTEM_TIME AS OF",
            span_of(name),
            "read the table without a version",
        )),
        TableFactor::Table { .. } => Ok(()),
        TableFactor::Derived { subquery, .. } => query(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } if table_with_joins.joins.is_empty() => {
            self::factor(&table_with_joins.relation)
        }
        TableFactor::NestedJoin { .. } => {
            Err(unsupported("JOIN", span_of(factor), "read from one relation"))
        }
        TableFactor::MatchRecognize { .. } => {
            Err(unsupported("MATCH_RECOGNIZE", span_of(factor), "read from one relation"))
        }
        other => Err(unsupported(
            "this form of FROM",
            span_of(other),
            "read from a table, view or subquery",
        )),
    }
}

fn select_expressions(select: &Select) -> Vec<&Expr> {
    let mut exprs: Vec<&Expr> = select
        .projection
        .iter()
        .filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        })
        .collect();
    exprs.extend(&select.selection);
    if let GroupByExpr::Expressions(keys, _) = &select.group_by {
        exprs.extend(keys);
    }
    exprs.extend(&select.having);
    exprs
}

/// Group windows that there are not.
const GROUP_WINDOWS: &[&str] =
    &["SESSION", "SESSION_START", "SESSION_END", "SESSION_ROWTIME", "SESSION_PROCTIME"];

/// Columns of a CUBE, which has two to this power sets.
const MOST_CUBE: usize = 6;

fn expression(expr: &Expr) -> Result<(), Diagnostic> {
    let found = visit_expressions(expr, |expr| match refusal(expr) {
        Some(diagnostic) => ControlFlow::Break(diagnostic),
        None => ControlFlow::Continue(()),
    });
    match found {
        ControlFlow::Break(diagnostic) => Err(diagnostic),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn is_slice(access: &AccessExpr) -> bool {
    matches!(access, AccessExpr::Subscript(Subscript::Slice { .. }))
}

fn refusal(expr: &Expr) -> Option<Diagnostic> {
    let span = span_of(expr);
    let subquery_hint = "use a subquery in FROM, or a constant";
    match expr {
        Expr::Exists { .. } => Some(unsupported("EXISTS", span, subquery_hint)),
        Expr::InSubquery { .. } => Some(unsupported("IN with a subquery", span, subquery_hint)),
        Expr::Subquery(_) => Some(unsupported("a subquery as a value", span, subquery_hint)),
        Expr::AnyOp { .. } | Expr::AllOp { .. } => {
            Some(unsupported("comparison with ANY or ALL", span, subquery_hint))
        }
        Expr::CompoundFieldAccess { access_chain, .. } if access_chain.iter().any(is_slice) => {
            Some(unsupported("a slice of an ARRAY", span, "take its elements one by one: a[1]"))
        }
        Expr::Cube(parts) if parts.len() > MOST_CUBE => {
            let what = format!("a CUBE of {} columns", parts.len());
            let hint = "list the sets that are needed: GROUPING SETS ((a, b), (a), ())";
            Some(unsupported(&what, span, hint))
        }
        Expr::Function(function) => {
            let name = function.name.to_string().to_uppercase();
            if function.over.is_some() {
                let hint =
                    "aggregate by window: TABLE(TUMBLE(…)) with GROUP BY window_start, window_end";
                return Some(unsupported("OVER", bytes(function.name.span()).or(span), hint));
            }
            if GROUP_WINDOWS.contains(&name.as_str()) {
                let hint = "use TUMBLE, HOP or CUMULATE";
                return Some(unsupported(&name, bytes(function.name.span()), hint));
            }
            None
        }
        _ => None,
    }
}
