//! Lints that can be told from the statements alone. Each is listed in [`crate::codes::lints`].

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    BinaryOperator, Expr, Query, Select, SelectItem, SetExpr, SetOperator, Value, visit_expressions,
};

use crate::calls;
use crate::codes::lints;
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::interval::IntervalValue;
use crate::parse::span_of;
use crate::settings;
use crate::statement::{CreateTable, Spanned, SpannedStatement, Statement};

/// What the statements of a text probably do not mean.
pub(crate) fn statements(source: &SourceText, statements: &[SpannedStatement]) -> Vec<Diagnostic> {
    let mut found = unused(source, statements);
    let never_idle = statements.iter().rev().find_map(|statement| match &statement.node {
        Statement::Set { key, value } if key.node.trim() == settings::IDLE_TIMEOUT => Some(value),
        _ => None,
    });
    let never_idle = never_idle.filter(|value| settings::duration_ms(&value.node) == Some(0));
    for statement in statements {
        if let Statement::CreateTable(table) = &statement.node {
            found.extend(watermark_in_the_future(table));
            found.extend(options_without_effect(table));
            found.extend(idle_partitions(table, never_idle));
        }
        for query in queries(&statement.node) {
            comparisons_with_null(query, &mut found);
            unions_by_position(&query.body, &mut found);
        }
    }
    found
}

/// The queries of a statement.
fn queries(statement: &Statement) -> Vec<&Query> {
    match statement {
        Statement::CreateView(view) => vec![&view.query],
        Statement::Insert(insert) => vec![&insert.query],
        Statement::StatementSet(inserts) => inserts.iter().map(|i| i.node.query.as_ref()).collect(),
        Statement::Query(query) => vec![query],
        Statement::Explain { inner, .. } => queries(&inner.node),
        _ => Vec::new(),
    }
}

/// Tables and views whose names stand nowhere else in a text that runs something. Comments count
/// as uses: rather silent than wrong.
fn unused(source: &SourceText, statements: &[SpannedStatement]) -> Vec<Diagnostic> {
    let runs = |statement: &SpannedStatement| {
        matches!(
            statement.node,
            Statement::Insert(_)
                | Statement::StatementSet(_)
                | Statement::Query(_)
                | Statement::Explain { .. }
        )
    };
    if !statements.iter().any(runs) {
        return Vec::new();
    }
    let declared = statements.iter().filter_map(|statement| match &statement.node {
        Statement::CreateTable(table) => Some(("table", &table.name)),
        Statement::CreateView(view) => Some(("view", &view.name)),
        _ => None,
    });
    declared
        .filter(|(_, name)| !is_mentioned(&source.text, name))
        .map(|(what, name)| {
            let message = format!("the {what} `{}` is never used", name.node);
            Diagnostic::warning(lints::UNUSED_TABLE, message)
                .at(name.span.clone())
                .label("no query reads it, no INSERT writes it")
                .hint("remove it, or use it")
        })
        .collect()
}

/// True if a name stands as a word of its own somewhere beside its declaration.
fn is_mentioned(text: &str, name: &Spanned<String>) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(&name.node).any(|(start, found)| {
        let end = start + found.len();
        let is_word = !text[..start].ends_with(is_part) && !text[end..].starts_with(is_part);
        is_word && !(name.span.start <= start && end <= name.span.end)
    })
}

/// `ts + INTERVAL '5' SECOND`, or minus a negative one.
fn watermark_in_the_future(table: &CreateTable) -> Option<Diagnostic> {
    let watermark = table.watermark.as_ref()?;
    let Expr::BinaryOp { op, right, .. } = &watermark.expr.node else { return None };
    let IntervalValue::Millis(ms) = calls::interval_value(right)? else { return None };
    let ahead = match op {
        BinaryOperator::Plus => ms,
        BinaryOperator::Minus => -ms,
        _ => 0,
    };
    (ahead > 0).then(|| {
        let column = &watermark.column.node;
        let message = format!("the watermark of `{}` is ahead of its rows", table.name.node);
        Diagnostic::warning(lints::WATERMARK_IN_THE_FUTURE, message)
            .at(watermark.expr.span.clone())
            .label("almost all rows are late")
            .hint(format!(
                "to wait for late rows, subtract: WATERMARK FOR {column} AS {column} - INTERVAL …"
            ))
    })
}

/// Options about watermarks of a table that has none.
fn options_without_effect(table: &CreateTable) -> Vec<Diagnostic> {
    // Without columns the schema may come from elsewhere, and a watermark with it.
    if table.watermark.is_some() || table.columns.is_empty() || table.like.is_some() {
        return Vec::new();
    }
    // An alignment without one is a mistake.
    let about_watermarks = table.options.iter().filter(|(key, _)| {
        let key = key.node.as_str();
        key.starts_with("scan.watermark.") && !key.starts_with("scan.watermark.alignment.")
    });
    about_watermarks
        .map(|(key, _)| {
            let message = format!("the option '{}' does nothing", key.node);
            Diagnostic::warning(lints::OPTION_WITHOUT_EFFECT, message)
                .at(key.span.clone())
                .label(format!("`{}` has no watermark", table.name.node))
                .hint("declare WATERMARK FOR …, or remove the option")
        })
        .collect()
}

/// A table of partitions with event time whose silent partitions are waited for.
fn idle_partitions(table: &CreateTable, set: Option<&Spanned<String>>) -> Option<Diagnostic> {
    let option = |name: &str| table.options.iter().find(|(key, _)| key.node == name);
    let is_kafka = option("connector").is_some_and(|(_, value)| value.node == "kafka");
    if table.watermark.is_none() || !is_kafka {
        return None;
    }
    let own = option("scan.watermark.idle-timeout").map(|(_, value)| value);
    let never = match own {
        Some(own) => Some(own).filter(|own| settings::duration_ms(&own.node) == Some(0)),
        None => set,
    }?;
    let message =
        format!("one silent partition of `{}` would hold all windows back", table.name.node);
    Some(
        Diagnostic::warning(lints::IDLE_PARTITION_BLOCKS_WATERMARK, message)
            .at(never.span.clone())
            .label("silent partitions are waited for without end")
            .hint("give a time after which they are not: 'scan.watermark.idle-timeout' = '1 min'"),
    )
}

fn comparisons_with_null(query: &Query, found: &mut Vec<Diagnostic>) {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    let is_null =
        |expr: &Expr| matches!(expr, Expr::Value(value) if matches!(value.value, Value::Null));
    let _: ControlFlow<()> = visit_expressions(query, |expr| {
        if let Expr::BinaryOp { left, op: op @ (Eq | NotEq | Lt | LtEq | Gt | GtEq), right } = expr
            && (is_null(left) || is_null(right))
        {
            let other = if is_null(right) { left } else { right };
            let word = if matches!(op, NotEq) { "IS NOT NULL" } else { "IS NULL" };
            let message = "a comparison with NULL is never true";
            found.push(
                Diagnostic::warning(lints::COMPARISON_WITH_NULL, message)
                    .at_if_known(span_of(expr))
                    .label("NULL, whatever the values are")
                    .hint(format!("write {other} {word}")),
            );
        }
        ControlFlow::Continue(())
    });
}

/// UNION ALL of the same columns in another order.
fn unions_by_position(body: &SetExpr, found: &mut Vec<Diagnostic>) {
    match body {
        SetExpr::Query(query) => unions_by_position(&query.body, found),
        SetExpr::SetOperation { op, left, right, .. } => {
            unions_by_position(left, found);
            unions_by_position(right, found);
            if let (SetOperator::Union, Some(first), Some(second)) =
                (op, first_select(left), first_select(right))
                && let (Some(above), Some(below)) = (names(first), names(second))
                && let Some((name, span, wanted)) = swapped(&above, &below)
            {
                let message = format!("`{name}` becomes the column `{wanted}` of the UNION");
                found.push(
                    Diagnostic::warning(lints::COLUMNS_BY_POSITION, message)
                        .at_if_known(span)
                        .label("columns go by position")
                        .hint(format!("select in the order of the first query: {}", list(&above))),
                );
            }
        }
        _ => {}
    }
}

/// The name, place and target of the first column that goes to the place of another one of its
/// own name's, if both lists have the same names.
fn swapped<'a>(
    above: &[(&'a str, Option<Span>)],
    below: &[(&'a str, Option<Span>)],
) -> Option<(&'a str, Option<Span>, &'a str)> {
    let sorted = |names: &[(&'a str, Option<Span>)]| {
        let mut names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names
    };
    if sorted(above) != sorted(below) {
        return None;
    }
    let mut pairs = above.iter().zip(below);
    let ((wanted, _), (name, span)) = pairs.find(|(above, below)| above.0 != below.0)?;
    Some((name, span.clone(), wanted))
}

fn list(names: &[(&str, Option<Span>)]) -> String {
    names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The SELECT that names the columns of a query.
fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first_select(&query.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

/// Names and places of a SELECT's columns, if all have names.
fn names(select: &Select) -> Option<Vec<(&str, Option<Span>)>> {
    let items = select.projection.iter();
    items
        .map(|item| match item {
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last(),
            SelectItem::ExprWithAlias { alias, .. } => Some(alias),
            _ => None,
        })
        .map(|name| name.map(|name| (name.value.as_str(), crate::parse::bytes(name.span))))
        .collect()
}
