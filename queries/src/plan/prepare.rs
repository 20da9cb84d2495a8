//! Small changes to a query's AST, so that DataFusion reads it as Flink does.
//!
//! - A column that is neither a plain name nor given one is called `EXPR$0`, `EXPR$1`, … by its
//!   place.
//! - A field of a ROW, `r.name`, is called `name`.
//! - A plain name that is selected twice gets a number the second time: `a`, `a0`.
//! - SUBSTRING is the function SUBSTR.
//! - `ARRAY[…]`, `(a, b)`, `a[1]` and `(…).name` are functions (`functions/nested.rs`).
//! - `VALUES (…)` is a SELECT from it with columns `EXPR$0`, `EXPR$1`, …; joins with UNNEST stand in
//!   brackets (`unnest.rs`).
//! - A number with an exponent is a DOUBLE; all others are exact.
//! - A cast to a type with a length cuts and pads: types have no lengths here.
//! - `FLOOR(t TO unit)`, the units of TIMESTAMPADD and TIMESTAMPDIFF, and OVERLAPS are calls.
//! - CUBE and ROLLUP are the GROUPING SETS that they stand for.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, CeilFloorKind, DataType, DateTimeField, ExactNumberInfo,
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, Query, Select, SelectItem, SetExpr, Subscript, TableFactor, TableWithJoins, Value,
    VisitMut, VisitorMut, visit_expressions, visit_expressions_mut,
};
use datafusion_sql::sqlparser::parser::Parser;
use datafusion_sql::sqlparser::tokenizer::Tokenizer;

use super::unnest;
use crate::calls;
use crate::dialect::MillstreamDialect;
use crate::functions::calendar::{CEIL_TO, FLOOR_TO};
use crate::functions::nested::{ELEMENT, FIELD};
use crate::functions::syntax::{FIT, TOLD_APART};
use crate::interval::IntervalValue;

/// The query as DataFusion should read it.
pub(crate) fn query(mut query: Query) -> Query {
    spellings(&mut query);
    grouping_sets(&mut query);
    let _: ControlFlow<()> = query.visit(&mut NameColumns);
    query
}

/// A prepared query whose casts and constant arguments of COUNT DataFusion gives different names.
pub(crate) fn told_apart(mut query: Query) -> Query {
    let _: ControlFlow<()> = visit_expressions_mut(&mut query, |expr| {
        match expr {
            Expr::Cast { data_type, kind, .. } => {
                let name = text(format!("{kind:?} {data_type}"));
                *expr = call(TOLD_APART, vec![std::mem::replace(expr, null()), name]);
            }
            Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("COUNT") => {
                let FunctionArguments::List(list) = &mut function.args else {
                    return ControlFlow::Continue(());
                };
                if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] =
                    list.args.as_mut_slice()
                    && is_constant(argument)
                {
                    let name = text(argument.to_string());
                    *argument = call(TOLD_APART, vec![std::mem::replace(argument, null()), name]);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    query
}

/// True if there is no column in it.
fn is_constant(expr: &Expr) -> bool {
    let found = visit_expressions(expr, |part| match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_continue()
}

/// The expression as DataFusion should read it.
pub(crate) fn expression(mut expr: Expr) -> Expr {
    spellings(&mut expr);
    expr
}

fn spellings(node: &mut impl VisitMut) {
    let _: ControlFlow<()> = visit_expressions_mut(node, |expr| {
        fit_to_length(expr);
        units(expr);
        overlaps(expr);
        if let Expr::Value(value) = expr
            && let Value::Number(number, _) = &value.value
            && number.contains(['e', 'E'])
        {
            // Text, so that the number inside is not found again.
            let text = Expr::Value(Value::SingleQuotedString(number.clone()).with_span(value.span));
            *expr = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(text),
                data_type: DataType::Double(ExactNumberInfo::None),
                array: false,
                format: None,
            };
        }
        if let Expr::Substring { expr: text, substring_from, substring_for, .. } = expr {
            let parts = [Some(text.clone()), substring_from.clone(), substring_for.clone()];
            let args = parts.into_iter().flatten().map(|part| *part).collect();
            *expr = call("SUBSTR", args);
        }
        nested(expr);
        ControlFlow::Continue(())
    });
}

/// CUBE and ROLLUP as the sets that they mean; DataFusion has no lists of columns in them.
fn grouping_sets(query: &mut Query) {
    let _: ControlFlow<()> = visit_expressions_mut(query, |expr| {
        match expr {
            Expr::Rollup(parts) => {
                let prefixes = (0..=parts.len()).rev().map(|end| parts[..end].concat());
                *expr = Expr::GroupingSets(prefixes.collect());
            }
            // A larger cube is refused before.
            Expr::Cube(parts) => {
                let subset = |number: usize| {
                    let has = |part: usize| number >> (parts.len() - 1 - part) & 1 == 0;
                    let chosen = (0..parts.len()).filter(|part| has(*part));
                    chosen.flat_map(|part| parts[part].clone()).collect()
                };
                *expr = Expr::GroupingSets((0..1 << parts.len()).map(subset).collect());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

/// `CAST(x AS CHAR(5))`: the cast, and a call that brings its result to the length.
fn fit_to_length(expr: &mut Expr) {
    let Expr::Cast { data_type: DataType::Custom(name, _), .. } = &*expr else { return };
    if let Some((length, is_fixed)) = length_of(&name.to_string().to_uppercase()) {
        let number = |number: String| Expr::Value(Value::Number(number, false).into());
        let args = vec![
            std::mem::replace(expr, number(String::new())),
            number(length.to_string()),
            number(u8::from(is_fixed).to_string()),
        ];
        *expr = call(FIT, args);
    }
}

/// The length that a type of text or bytes has, and whether all its values have it.
fn length_of(type_name: &str) -> Option<(usize, bool)> {
    let name = type_name.trim_matches(|c| matches!(c, '`' | '"'));
    let (base, rest) = name.split_once('(').map_or((name, None), |(base, rest)| (base, Some(rest)));
    let words: Vec<&str> = base.split_whitespace().collect();
    let is_fixed = match *words.first()? {
        "CHAR" | "CHARACTER" => words.get(1) != Some(&"VARYING"),
        "BINARY" => words.get(1) != Some(&"VARYING"),
        "VARCHAR" | "VARBINARY" => false,
        _ => return None,
    };
    match rest.and_then(|rest| rest.split_once(')')) {
        Some((length, behind)) if behind.trim().is_empty() => {
            Some((length.trim().parse().ok()?, is_fixed))
        }
        // `CHAR` alone has one character, `VARCHAR` alone any number.
        None if is_fixed && words.len() == 1 => Some((1, true)),
        _ => None,
    }
}

fn text(text: impl Into<String>) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.into()).into())
}

/// `FLOOR(t TO unit)` as `floor to(unit, t)`, `TIMESTAMPADD(unit, …)` with the unit as text.
fn units(expr: &mut Expr) {
    match expr {
        Expr::Floor { expr: time, field: CeilFloorKind::DateTimeField(unit) }
            if *unit != DateTimeField::NoDateTime =>
        {
            *expr = call(FLOOR_TO, vec![text(unit.to_string()), (**time).clone()]);
        }
        Expr::Ceil { expr: time, field: CeilFloorKind::DateTimeField(unit) }
            if *unit != DateTimeField::NoDateTime =>
        {
            *expr = call(CEIL_TO, vec![text(unit.to_string()), (**time).clone()]);
        }
        Expr::Function(function) => {
            let name = function.name.to_string();
            if !["TIMESTAMPADD", "TIMESTAMPDIFF"].iter().any(|n| name.eq_ignore_ascii_case(n)) {
                return;
            }
            if let FunctionArguments::List(list) = &mut function.args
                && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(unit))) =
                    list.args.first_mut()
                && let Expr::Identifier(name) = unit
            {
                *unit = text(name.value.clone());
            }
        }
        _ => {}
    }
}

/// `(a, b) OVERLAPS (c, d)`: neither begins after the other has ended.
fn overlaps(expr: &mut Expr) {
    let Expr::BinaryOp { left, op: BinaryOperator::Overlaps, right } = expr else { return };
    let (Some(left), Some(right)) = (span(left), span(right)) else { return };
    let not_after = |start: Vec<Expr>, end: Vec<Expr>| Expr::BinaryOp {
        left: Box::new(call("LEAST", start)),
        op: BinaryOperator::LtEq,
        right: Box::new(call("GREATEST", end)),
    };
    *expr = Expr::Nested(Box::new(Expr::BinaryOp {
        left: Box::new(not_after(left.clone(), right.clone())),
        op: BinaryOperator::And,
        right: Box::new(not_after(right, left)),
    }));
}

/// Start and end of a span, whose end may be an interval. Its brackets are a call of ROW by now.
fn span(row: &Expr) -> Option<Vec<Expr>> {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = row else {
        return None;
    };
    let [start, end] = list.args.as_slice() else { return None };
    let (
        FunctionArg::Unnamed(FunctionArgExpr::Expr(start)),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(end)),
    ) = (start, end)
    else {
        return None;
    };
    if !name.to_string().eq_ignore_ascii_case("ROW") {
        return None;
    }
    let (unit, count) = match calls::interval_value(end) {
        None => return Some(vec![start.clone(), end.clone()]),
        Some(IntervalValue::Months(months)) => ("MONTH", months),
        Some(IntervalValue::Millis(millis)) => ("MILLISECOND", millis),
    };
    let count = Expr::Value(Value::Number(count.to_string(), false).into());
    Some(vec![start.clone(), call("TIMESTAMPADD", vec![text(unit), count, start.clone()])])
}

/// Constructors and accesses as calls of functions.
fn nested(expr: &mut Expr) {
    match expr {
        Expr::Array(array) => *expr = call("ARRAY", std::mem::take(&mut array.elem)),
        Expr::Tuple(values) => *expr = call("ROW", std::mem::take(values)),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let chain = std::mem::take(access_chain);
            *expr = accessed(std::mem::replace(root, Box::new(null())), chain);
        }
        _ => {}
    }
}

/// What a chain of `.name` and `[index]` behind an expression takes of it.
fn accessed(root: Box<Expr>, chain: Vec<AccessExpr>) -> Expr {
    let mut value = *root;
    for access in chain {
        value = match (value, access) {
            // The planner finds out which of these are tables, columns and fields.
            (Expr::Identifier(first), AccessExpr::Dot(Expr::Identifier(name))) => {
                Expr::CompoundIdentifier(vec![first, name])
            }
            (Expr::CompoundIdentifier(mut names), AccessExpr::Dot(Expr::Identifier(name))) => {
                names.push(name);
                Expr::CompoundIdentifier(names)
            }
            (value, AccessExpr::Dot(Expr::Identifier(name))) => {
                let place = name.span;
                let name = Value::SingleQuotedString(name.value).with_span(place);
                call(FIELD, vec![value, Expr::Value(name)])
            }
            (value, AccessExpr::Subscript(Subscript::Index { index })) => {
                call(ELEMENT, vec![value, index])
            }
            // Slices: the planner refuses what has no root.
            (value, access) => {
                Expr::CompoundFieldAccess { root: Box::new(value), access_chain: vec![access] }
            }
        };
    }
    value
}

fn null() -> Expr {
    Expr::Value(Value::Null.with_empty_span())
}

pub(super) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let unnamed = |arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg));
    let list = FunctionArgumentList {
        duplicate_treatment: None,
        args: args.into_iter().map(unnamed).collect(),
        clauses: Vec::new(),
    };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// Names the columns of every query in a query.
struct NameColumns;

impl VisitorMut for NameColumns {
    type Break = ();

    // Afterwards, so that what is put around VALUES is not visited.
    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        name_in_body(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn name_in_body(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => name_in_select(select),
        SetExpr::SetOperation { left, right, .. } => {
            name_in_body(left);
            name_in_body(right);
        }
        SetExpr::Values(values) => {
            let width = values.rows.first().map_or(0, |row| row.content.len());
            let Some(mut select) = select_from_values(width) else { return };
            if let TableFactor::Derived { subquery, .. } = &mut select.from[0].relation {
                std::mem::swap(body, subquery.body.as_mut());
                *body = SetExpr::Select(select);
            }
        }
        _ => {}
    }
}

/// A SELECT from VALUES with so many columns; the caller puts in the rows.
fn select_from_values(width: usize) -> Option<Box<Select>> {
    let names: Vec<String> = (0..width).map(|column| format!("`EXPR${column}`")).collect();
    let text = format!("SELECT * FROM (VALUES (0)) AS `VALUES` ({})", names.join(", "));
    let dialect = MillstreamDialect::new(text.len());
    // Without places: it stands nowhere in the user's text.
    let tokens = Tokenizer::new(&dialect, &text).tokenize().ok()?;
    let query = Parser::new(&dialect).with_tokens(tokens).parse_query().ok()?;
    match *query.body {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

/// What the relations of FROM are called.
fn relations(table: &TableWithJoins) -> Vec<&str> {
    let all = std::iter::once(&table.relation).chain(table.joins.iter().map(|j| &j.relation));
    all.flat_map(|factor| match factor {
        TableFactor::NestedJoin { table_with_joins, .. } => relations(table_with_joins),
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::TableFunction { alias: Some(alias), .. } => vec![alias.name.value.as_str()],
        TableFactor::Table { name, .. } => {
            let last = name.0.last().and_then(|part| part.as_ident());
            last.map(|name| name.value.as_str()).into_iter().collect()
        }
        _ => Vec::new(),
    })
    .collect()
}

fn name_in_select(select: &mut Select) {
    unnest::join(select);
    let given = select.projection.iter().filter_map(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    });
    let mut taken: BTreeSet<String> = given.collect();
    let relations: Vec<&str> = select.from.iter().flat_map(relations).collect();
    let is_column = |parts: &[Ident]| match parts {
        [relation, _] => relations.contains(&relation.value.as_str()),
        _ => false,
    };
    let keeps_name = |expr: &Expr| match expr {
        Expr::CompoundIdentifier(parts) => is_column(parts),
        _ => true,
    };
    for (position, item) in select.projection.iter_mut().enumerate() {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        let name = match &*expr {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        let alias = match name {
            Some(name) if taken.insert(name.value.clone()) => {
                if keeps_name(expr) {
                    continue;
                }
                Some(name.value.clone())
            }
            Some(name) => {
                let numbered = |number: usize| format!("{}{number}", name.value);
                (0..).map(numbered).find(|name| taken.insert(name.clone()))
            }
            None => Some(format!("EXPR${position}")),
        };
        let alias = Ident::new(alias.unwrap_or_default());
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
    }
}
