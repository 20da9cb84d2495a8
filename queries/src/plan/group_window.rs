//! The older group windows: `GROUP BY TUMBLE(ts, …)` becomes a window function in FROM.
//!
//! ```sql
//! SELECT k, TUMBLE_START(ts, INTERVAL '1' MINUTE), COUNT(*) FROM t GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE)
//! -- is
//! SELECT k, `$window_start`, COUNT(*)
//! FROM `$TUMBLE`(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) AS t GROUP BY k, `$window_start`, `$window_end`
//! ```
//!
//! The names with `$` keep out of the way of a table's own columns `window_start` and `window_end`,
//! and tell the planner that the rules are those of group windows: a hop's size need not be a
//! multiple of its slide.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident, Query,
    Select, SelectItem, SetExpr, Spanned, TableAlias, TableFactor, TableFunctionArgs,
    TableWithJoins, VisitMut, visit_expressions, visit_expressions_mut,
};

use super::codes;
use super::prepare::call;
use super::relation_planner::named_table;
use crate::calls;
use crate::diagnostic::Diagnostic;
use crate::interval::IntervalValue;
use crate::parse::{bytes, span_of};

/// The window functions that GROUP BY may call.
const WINDOWS: [&str; 2] = ["TUMBLE", "HOP"];

/// What tells of the window of a group, by the end of its name: `TUMBLE_START`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Start,
    End,
    Rowtime,
    Proctime,
}

const PARTS: [(&str, Part); 4] = [
    ("_START", Part::Start),
    ("_END", Part::End),
    ("_ROWTIME", Part::Rowtime),
    ("_PROCTIME", Part::Proctime),
];

/// Names of the columns that group windows append: start, end and event time.
pub(crate) const GROUP_WINDOW_COLUMNS: [&str; 3] =
    ["$window_start", "$window_end", "$window_rowtime"];

/// The window function of FROM behind a name that this file has put there.
pub(crate) fn function(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix('$')?;
    WINDOWS.into_iter().find(|window| *window == name)
}

/// The query with window functions in FROM instead of GROUP BY.
///
/// # Errors
/// If a group window is not where it belongs, or what tells of it does not fit it.
pub(crate) fn rewrite(mut query: Query) -> Result<Query, Diagnostic> {
    in_query(&mut query)?;
    Ok(query)
}

fn in_query(query: &mut Query) -> Result<(), Diagnostic> {
    if let Some(with) = &mut query.with {
        for cte in &mut with.cte_tables {
            in_query(&mut cte.query)?;
        }
    }
    in_body(&mut query.body)
}

fn in_body(body: &mut SetExpr) -> Result<(), Diagnostic> {
    match body {
        SetExpr::Select(select) => in_select(select),
        SetExpr::Query(query) => in_query(query),
        SetExpr::SetOperation { left, right, .. } => {
            in_body(left)?;
            in_body(right)
        }
        _ => Ok(()),
    }
}

fn in_select(select: &mut Select) -> Result<(), Diagnostic> {
    for from in &mut select.from {
        in_factor(&mut from.relation)?;
        for join in &mut from.joins {
            in_factor(&mut join.relation)?;
        }
    }
    if let Some(window) = window_of(select)? {
        let parts = replace_parts(select, &window)?;
        replace_key(select, parts);
        move_to_from(select, window)?;
    }
    match leftover(select) {
        Some(diagnostic) => Err(diagnostic),
        None => Ok(()),
    }
}

fn in_factor(factor: &mut TableFactor) -> Result<(), Diagnostic> {
    match factor {
        TableFactor::Derived { subquery, .. } => in_query(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => {
            in_factor(&mut table_with_joins.relation)
        }
        TableFactor::Table { args: Some(args), .. } => {
            args.args.iter_mut().try_for_each(in_argument)
        }
        TableFactor::TableFunction { expr: Expr::Function(function), .. } => {
            match &mut function.args {
                FunctionArguments::List(list) => list.args.iter_mut().try_for_each(in_argument),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// A query as the input of a function of relations: `TABLE (SELECT …)`, `(SELECT …)`.
fn in_argument(argument: &mut FunctionArg) -> Result<(), Diagnostic> {
    match argument {
        FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }
        | FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => in_argument_expr(expr),
        _ => Ok(()),
    }
}

fn in_argument_expr(expr: &mut Expr) -> Result<(), Diagnostic> {
    match expr {
        Expr::Subquery(query) => in_query(query),
        Expr::Function(function) => match &mut function.args {
            FunctionArguments::List(list) => list.args.iter_mut().try_for_each(in_argument),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// The window that a SELECT groups by.
struct Window {
    /// The call in GROUP BY.
    call: Function,
    /// Its function, in capitals.
    name: &'static str,
}

fn window_of(select: &Select) -> Result<Option<Window>, Diagnostic> {
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return Ok(None) };
    let mut found: Option<Window> = None;
    for key in keys {
        let Expr::Function(call) = key else { continue };
        let Some(name) = window_name(call) else { continue };
        if let Some(first) = &found
            && !same_arguments(&first.call, call)
        {
            let message = "GROUP BY has two windows";
            return Err(wrong(message, call)
                .hint("group by one window, and aggregate its results in the other"));
        }
        found = Some(Window { call: call.clone(), name });
    }
    Ok(found)
}

fn window_name(call: &Function) -> Option<&'static str> {
    let name = call.name.to_string().to_uppercase();
    WINDOWS.into_iter().find(|window| *window == name)
}

/// The window function and what of its window a call tells: `HOP_END(…)`.
fn part_of(call: &Function) -> Option<(&'static str, Part)> {
    let name = call.name.to_string().to_uppercase();
    let of_window = |window: &'static str| {
        let end = name.strip_prefix(window)?;
        PARTS.iter().find(|(part, _)| *part == end).map(|(_, part)| (window, *part))
    };
    WINDOWS.into_iter().find_map(of_window)
}

/// True if two calls mean the same window: the same column and the same lengths.
fn same_arguments(one: &Function, other: &Function) -> bool {
    let (one, other) = (arguments(one), arguments(other));
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
}

fn same(one: &Expr, other: &Expr) -> bool {
    match (calls::interval_value(one), calls::interval_value(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => match (column(one), column(other)) {
            (Some(one), Some(other)) => one.value == other.value,
            _ => one == other,
        },
        _ => false,
    }
}

fn arguments(call: &Function) -> Vec<&Expr> {
    match &call.args {
        FunctionArguments::List(list) => {
            list.args.iter().filter_map(calls::argument_expr).collect()
        }
        _ => Vec::new(),
    }
}

fn column(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    }
}

fn wrong(message: impl Into<String>, call: &Function) -> Diagnostic {
    Diagnostic::error(codes::GROUP_WINDOW, message).at_if_known(bytes(call.name.span()))
}

/// Puts columns in the place of `TUMBLE_START(…)` and its like; returns which came up.
fn replace_parts(select: &mut Select, window: &Window) -> Result<Vec<Part>, Diagnostic> {
    let mut parts = Vec::new();
    for item in &mut select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                replace_in(expr, window, &mut parts)?;
            }
            _ => {}
        }
    }
    if let Some(having) = &mut select.having {
        replace_in(having, window, &mut parts)?;
    }
    Ok(parts)
}

fn replace_in(
    expr: &mut impl VisitMut,
    window: &Window,
    parts: &mut Vec<Part>,
) -> Result<(), Diagnostic> {
    let replaced = visit_expressions_mut(expr, |expr| {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let Some((name, part)) = part_of(function) else { return ControlFlow::Continue(()) };
        if name != window.name || !same_arguments(function, &window.call) {
            let message = format!("{} tells of another window than GROUP BY", function.name);
            let hint = format!("give it the arguments of {} in GROUP BY", window.name);
            return ControlFlow::Break(wrong(message, function).hint(hint));
        }
        parts.push(part);
        let place = function.name.span();
        let column = |name: &str| Expr::Identifier(Ident::with_span(place, name));
        *expr = match part {
            Part::Start => column(GROUP_WINDOW_COLUMNS[0]),
            Part::End => column(GROUP_WINDOW_COLUMNS[1]),
            Part::Rowtime => column(GROUP_WINDOW_COLUMNS[2]),
            Part::Proctime => call("PROCTIME", Vec::new()),
        };
        ControlFlow::Continue(())
    });
    match replaced {
        ControlFlow::Break(diagnostic) => Err(diagnostic),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Groups by the window's columns instead of by the call.
fn replace_key(select: &mut Select, parts: Vec<Part>) {
    let GroupByExpr::Expressions(keys, _) = &mut select.group_by else { return };
    let is_window = |key: &Expr| matches!(key, Expr::Function(call) if window_name(call).is_some());
    let Some(place) = keys.iter().position(is_window) else { return };
    let span = keys[place].span();
    keys.retain(|key| !is_window(key));
    let columns = if parts.contains(&Part::Rowtime) { 3 } else { 2 };
    let columns = GROUP_WINDOW_COLUMNS[..columns].iter();
    let columns = columns.map(|name| Expr::Identifier(Ident::with_span(span, *name)));
    keys.splice(place..place, columns);
}

/// Calls the window function on what FROM has.
fn move_to_from(select: &mut Select, window: Window) -> Result<(), Diagnostic> {
    let arguments = arguments(&window.call);
    let Some((time, lengths)) = arguments.split_first() else {
        let message = format!("{} has no arguments", window.name);
        return Err(wrong(message, &window.call).hint(example(window.name)));
    };
    let Some(time) = column(time) else {
        let message = format!("the first argument of {} is a time column", window.name);
        return Err(wrong(message, &window.call).hint(example(window.name)));
    };
    if let Some(length) = lengths
        .iter()
        .find(|length| !matches!(calls::interval_value(length), Some(IntervalValue::Millis(_))))
    {
        let message = format!("the lengths of {} are intervals of days or less", window.name);
        return Err(Diagnostic::error(codes::GROUP_WINDOW, message)
            .at_if_known(span_of(*length))
            .hint(example(window.name)));
    }
    let Some(relation) = select.from.first().map(|from| from.relation.clone()) else {
        return Ok(());
    };
    let place = window.call.name.span();
    let (data, alias) = input(relation, select);
    let time = call("DESCRIPTOR", vec![Expr::Identifier(time.clone())]);
    let exprs = [data, time].into_iter().chain(lengths.iter().map(|length| (*length).clone()));
    let args = exprs.map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))).collect();
    let name = vec![Ident::with_span(place, format!("${}", window.name))];
    let args = Some(TableFunctionArgs { args, settings: None });
    select.from[0].relation = named_table(name, alias, args);
    Ok(())
}

fn example(window: &str) -> &'static str {
    match window {
        "HOP" => {
            "write GROUP BY HOP(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTES): slide, then size"
        }
        _ => "write GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
    }
}

/// What FROM has as the argument of a window function, and the name under which its columns are
/// known.
fn input(factor: TableFactor, select: &Select) -> (Expr, Option<TableAlias>) {
    let renames =
        |alias: &Option<TableAlias>| alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
    match factor {
        TableFactor::Table { name, alias, args: None, .. } if !renames(&alias) => {
            let parts: Vec<Ident> =
                name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
            let alias = alias.or_else(|| parts.last().cloned().map(named));
            (Expr::CompoundIdentifier(parts), alias)
        }
        TableFactor::Derived { subquery, alias, .. } if !renames(&alias) => {
            (Expr::Subquery(subquery), alias)
        }
        factor => {
            let alias = alias_of(&factor).map(|name| named(name.clone()));
            (Expr::Subquery(Box::new(all_of(factor, select))), alias)
        }
    }
}

fn alias_of(factor: &TableFactor) -> Option<&Ident> {
    match factor {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::TableFunction { alias, .. }
        | TableFactor::NestedJoin { alias, .. } => alias.as_ref().map(|alias| &alias.name),
        _ => None,
    }
}

fn named(name: Ident) -> TableAlias {
    TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}

/// `SELECT * FROM factor`, like a SELECT that has more to it.
fn all_of(factor: TableFactor, select: &Select) -> Query {
    let all = Select {
        distinct: None,
        projection: vec![SelectItem::Wildcard(Default::default())],
        from: vec![TableWithJoins { relation: factor, joins: Vec::new() }],
        selection: None,
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        having: None,
        qualify: None,
        named_window: Vec::new(),
        ..select.clone()
    };
    Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(all))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// A group window that stands where it has no meaning.
fn leftover(select: &Select) -> Option<Diagnostic> {
    let items = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    });
    let keys = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => keys.as_slice(),
        GroupByExpr::All(_) => &[],
    };
    let exprs = items.chain(&select.selection).chain(keys).chain(&select.having);
    let misplaced = |expr: &Expr| {
        let Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        if let Some((window, _)) = part_of(call) {
            let message = format!("{} tells of a window, but GROUP BY has none here", call.name);
            let hint = format!("write GROUP BY {window}(…) with the same arguments");
            return ControlFlow::Break(wrong(message, call).hint(hint));
        }
        if let Some(window) = window_name(call) {
            let message = format!("{window} stands in GROUP BY or FROM, not in an expression");
            let hint = format!("{window}_START and {window}_END are the columns of the window");
            return ControlFlow::Break(wrong(message, call).hint(hint));
        }
        ControlFlow::Continue(())
    };
    for expr in exprs {
        if let ControlFlow::Break(diagnostic) = visit_expressions(expr, misplaced) {
            return Some(diagnostic);
        }
    }
    None
}
