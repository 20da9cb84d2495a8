//! INSERT: a query's columns, by position, become those of a table.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion_sql::sqlparser::ast::{Expr as SqlExpr, Query, SelectItem, SetExpr};
use millstream_operators::graph::Changelog;

use super::codes;
use super::emission::has_emission;
use super::numbers::converts_silently;
use super::roles;
use super::typing::wall_clock;
use crate::catalog::{Catalog, Table};
use crate::codes::lints;
use crate::diagnostic::{Diagnostic, Span};
use crate::functions::nested;
use crate::parse::span_of;
use crate::statement::{Insert, Spanned};
use crate::suggest;
use crate::types::flink_name;

/// The table that an INSERT writes, and which of its columns, in the order of the query's.
///
/// # Errors
/// If there is no such table or column, or it cannot be written.
pub(crate) fn target(
    insert: &Insert,
    catalog: &Catalog,
) -> Result<(Arc<Table>, Vec<usize>), Diagnostic> {
    let name = &insert.table;
    let Some(table) = catalog.table_named(&name.node) else {
        if catalog.view_named(&name.node).is_some() {
            return Err(Diagnostic::error(
                codes::NOT_WRITABLE,
                format!("`{}` is a view", name.node),
            )
            .at(name.span.clone())
            .hint("insert into a table: CREATE TABLE … WITH ('connector' = '…')"));
        }
        let tables = catalog.names();
        return Err(Diagnostic::error(
            codes::UNKNOWN_TABLE,
            format!("there is no table `{}`", name.node),
        )
        .at(name.span.clone())
        .label("unknown table")
        .hint_if_any(suggest::did_you_mean(&name.node, tables.iter().map(String::as_str))));
    };
    let written = table.written_columns();
    if insert.columns.is_empty() {
        return Ok((Arc::clone(table), written));
    }
    let columns: Result<Vec<usize>, Diagnostic> =
        insert.columns.iter().map(|column| listed_column(column, table, &written)).collect();
    Ok((Arc::clone(table), columns?))
}

fn listed_column(
    name: &Spanned<String>,
    table: &Table,
    written: &[usize],
) -> Result<usize, Diagnostic> {
    match table.columns.iter().position(|column| column.name.node == name.node) {
        Some(column) if written.contains(&column) => Ok(column),
        Some(_) => {
            let message = format!("`{}` is computed and cannot be written", name.node);
            Err(Diagnostic::error(codes::NOT_WRITABLE, message)
                .at(name.span.clone())
                .hint("leave it out"))
        }
        None => {
            let names: Vec<&str> = table.columns.iter().map(|c| c.name.node.as_str()).collect();
            let message = format!("table `{}` has no column `{}`", table.name.node, name.node);
            Err(Diagnostic::error(codes::UNKNOWN_COLUMN, message)
                .at(name.span.clone())
                .label("unknown column")
                .hint(suggest::one_of(&name.node, &names)))
        }
    }
}

/// The query's plan with exactly the columns of the table that are written, in its order and its
/// types.
///
/// # Errors
/// If there are more or fewer columns, or one has a type that is not converted silently.
pub(crate) fn project(
    plan: LogicalPlan,
    insert: &Insert,
    table: &Table,
    columns: &[usize],
) -> Result<LogicalPlan, Diagnostic> {
    let found = plan.schema().fields().len();
    if found != columns.len() {
        return Err(count_mismatch(insert, table, columns, found));
    }
    let mut exprs = Vec::new();
    for target in table.written_columns() {
        let column = &table.columns[target];
        let expr = match columns.iter().position(|column| *column == target) {
            // Columns that are not listed are null.
            None => cast(Expr::Literal(ScalarValue::Null, None), column.data_type.clone()),
            Some(position) => {
                let (qualifier, field) = plan.schema().qualified_field(position);
                if !converts_silently(field.data_type(), &column.data_type) {
                    return Err(type_mismatch(insert, table, target, position, field.data_type()));
                }
                convert(Expr::from((qualifier, field)), field.data_type(), &column.data_type)
            }
        };
        exprs.push(expr.alias(&column.name.node));
    }
    LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(
        |error| {
            Diagnostic::error(codes::DUPLICATE_NAME, error.strip_backtrace())
                .at_if_known(span_of(insert.query.as_ref()))
        },
    )
}

/// Refuses updates and deletes into a table whose format writes plain rows.
///
/// # Errors
/// If the rows are a changelog, and the table has no place for their kinds.
pub(crate) fn check_changelog(
    plan: &LogicalPlan,
    insert: &Insert,
    table: &Table,
) -> Result<(), Diagnostic> {
    let format = table.option("value.format").or_else(|| table.option("format"));
    let Some(format) = format.filter(|format| format.node != "changelog-json") else {
        return Ok(());
    };
    if roles::changelog(plan) == Changelog::Append {
        return Ok(());
    }
    let message =
        format!("the query has updates and deletes, and `{}` writes plain rows", table.name.node);
    let diagnostic = Diagnostic::error(codes::SINK_WITHOUT_KEY_FOR_CHANGELOG, message)
        .at(insert.table.span.clone())
        .label("takes inserts only");
    let diagnostic = diagnostic.also(format.span.clone(), "has no place for the kind of a row");
    let hint = if has_emission(plan) {
        "write it with 'format' = 'changelog-json' or to the connector `print`, or leave out EMIT and \
         ALLOW LATENESS: then each result is written once"
    } else {
        "write it with 'format' = 'changelog-json', or to the connector `print`"
    };
    Err(diagnostic.hint(hint))
}

/// The lint about a column that goes to another one's place although the table has one of its
/// name.
pub(crate) fn by_position(
    plan: &LogicalPlan,
    insert: &Insert,
    table: &Table,
    columns: &[usize],
) -> Option<Diagnostic> {
    let names: Vec<&str> =
        columns.iter().map(|column| table.columns[*column].name.node.as_str()).collect();
    let fields = plan.schema().fields();
    if fields.len() != names.len() {
        return None;
    }
    let place_of = |name: &str| names.iter().position(|column| *column == name);
    let given: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    // Another table's column gets this one, and its own gets one that belongs elsewhere, too.
    let is_misplaced = |position: usize| place_of(given[position]).filter(|own| *own != position);
    let position = (0..given.len())
        .find(|position| is_misplaced(*position).and_then(is_misplaced).is_some())?;
    let (name, wanted) = (given[position], names[position]);
    let message = format!("`{name}` goes into the column `{wanted}` of `{}`", table.name.node);
    let place = item_span(&insert.query, position).unwrap_or_else(|| insert.table.span.clone());
    Some(
        Diagnostic::warning(lints::COLUMNS_BY_POSITION, message)
            .at(place)
            .label("columns go by position")
            .hint(format!("the table's columns are {}", names.join(", "))),
    )
}

fn convert(expr: Expr, from: &DataType, to: &DataType) -> Expr {
    if from == to {
        expr
    } else if from.is_nested() && to.is_nested() {
        nested::conform(expr, to.clone())
    } else {
        cast(wall_clock(expr, from, to), to.clone())
    }
}

fn count_mismatch(insert: &Insert, table: &Table, columns: &[usize], found: usize) -> Diagnostic {
    let names: Vec<String> =
        columns.iter().map(|column| format!("`{}`", table.columns[*column].name.node)).collect();
    let message = format!(
        "`{}` takes {} column(s), but the query has {found}",
        table.name.node,
        columns.len()
    );
    Diagnostic::error(codes::COLUMN_COUNT, message)
        .at(insert.table.span.clone())
        .hint(format!("select {}", names.join(", ")))
}

fn type_mismatch(
    insert: &Insert,
    table: &Table,
    target: usize,
    position: usize,
    found: &DataType,
) -> Diagnostic {
    let column = &table.columns[target];
    let (have, want) = (flink_name(found), flink_name(&column.data_type));
    let message = format!(
        "column `{}` of `{}` is {want}, but the query's is {have}",
        column.name.node, table.name.node
    );
    Diagnostic::error(codes::COLUMN_TYPE, message)
        .at(item_span(&insert.query, position).unwrap_or_else(|| insert.table.span.clone()))
        .label(have)
        .also(column.name.span.clone(), format!("declared {want} here"))
        .hint(cast_hint(&insert.query, position, &want))
}

/// How to convert a query's n-th column, with the column as it is written if it is short.
fn cast_hint(query: &Query, position: usize, want: &str) -> String {
    let written = item(query, position).map(ToString::to_string);
    let written = written.filter(|text| text.chars().count() <= 30);
    format!("convert it: CAST({} AS {want})", written.as_deref().unwrap_or("…"))
}

/// The place of a query's n-th column, if it is written out.
fn item_span(query: &Query, position: usize) -> Option<Span> {
    item(query, position).and_then(span_of)
}

/// A query's n-th column, if it is written out.
fn item(query: &Query, position: usize) -> Option<&SqlExpr> {
    let mut body = query.body.as_ref();
    loop {
        body = match body {
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Query(query) => &query.body,
            SetExpr::Select(select) => {
                let wildcard = |item: &SelectItem| {
                    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
                };
                if select.projection.iter().take(position + 1).any(wildcard) {
                    return None;
                }
                return match select.projection.get(position)? {
                    SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                        Some(expr)
                    }
                    _ => None,
                };
            }
            _ => return None,
        }
    }
}
