//! CREATE TABLE: from the statement to a resolved table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion_common::TableReference;
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion_sql::sqlparser::ast;
use millstream_connectors::registry;
use millstream_operators::graph::{Changelog, TableSpec};

use super::bind::Binder;
use super::codes;
use super::relation::{Relation, RelationKind};
use super::roles::Role;
use crate::catalog::{Table, TableColumn, TableColumnKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::functions::proctime;
use crate::statement::{ColumnKind, CreateTable, Spanned, WatermarkDef};
use crate::suggest;
use crate::types::{flink_name, in_zone};

/// Resolves a table.
///
/// # Errors
/// Everything that is wrong with the statement.
pub(crate) fn define(
    create: CreateTable,
    identity: String,
    binder: &Binder,
    zone: &str,
) -> Result<Table, Vec<Diagnostic>> {
    let definition = Arc::new(create);
    let create = definition.as_ref();
    let mut mistakes = Vec::new();
    let raw = raw_columns(create, zone);
    let input = scan(&create.name.node, &raw).map_err(|mistake| vec![mistake])?;
    let mut columns = Vec::new();
    for column in &create.columns {
        let found = match &column.kind {
            ColumnKind::Computed { expr } => computed(&column.name, expr, binder, &input),
            _ => raw_column(&raw, &column.name),
        };
        match found {
            Ok(column) => columns.push(column),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let watermark = match &create.watermark {
        Some(definition) => match self::watermark(definition, create, &columns, binder) {
            Ok(watermark) => Some(watermark),
            Err(mistake) => return Err(vec![mistake]),
        },
        None => None,
    };
    let position = |key: &Spanned<String>| columns.iter().position(|c| c.name.node == key.node);
    let primary_key = create.primary_key.iter().filter_map(position).collect();
    let partition_keys = create.partitioned_by.iter().filter_map(position).collect();
    let mistakes = not_in_rows(create, &columns);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let table = Table {
        name: create.name.clone(),
        identity,
        definition: Arc::clone(&definition),
        primary_key,
        partition_keys,
        watermark,
        columns,
        options: create.options.clone(),
        changelog: Changelog::Append,
    };
    let mistakes = check_connector(&table);
    let changelog = changelog(&table);
    if mistakes.is_empty() { Ok(Table { changelog, ..table }) } else { Err(mistakes) }
}

/// Columns of PARTITIONED BY that no row has when it is written.
fn not_in_rows(create: &CreateTable, columns: &[TableColumn]) -> Vec<Diagnostic> {
    let mistake = |key: &Spanned<String>| {
        let column = columns.iter().find(|column| column.name.node == key.node)?;
        let kind = match column.kind {
            TableColumnKind::Physical => return None,
            TableColumnKind::Metadata { .. } => "metadata",
            _ => "computed",
        };
        let message =
            format!("`{}` is {kind}, and cannot be what a table is partitioned by", key.node);
        let hint = "declare a column with a type, and fill it in the INSERT";
        Some(Diagnostic::error(codes::BAD_PARTITION, message).at(key.span.clone()).hint(hint))
    };
    create.partitioned_by.iter().filter_map(mistake).collect()
}

/// The table with other options, for one use of it; its identity is the caller's business.
///
/// # Errors
/// If the connector does not have them.
pub(crate) fn with_options(
    table: &Table,
    options: &[(Spanned<String>, Spanned<String>)],
) -> Result<Table, Diagnostic> {
    let mut variant = table.clone();
    for (key, value) in options {
        variant.options.retain(|(other, _)| other.node != key.node);
        variant.options.push((key.clone(), value.clone()));
    }
    variant.changelog = changelog(&variant);
    match check_connector(&variant).into_iter().next() {
        None => Ok(variant),
        Some(mistake) => Err(mistake),
    }
}

/// What reading the table yields, by its format.
fn changelog(table: &Table) -> Changelog {
    match table.option("format").map(|format| format.node.as_str()) {
        Some("changelog-json") => Changelog::Retract,
        _ => Changelog::Append,
    }
}

/// The columns that the connector delivers.
fn raw_columns(create: &CreateTable, zone: &str) -> Vec<TableColumn> {
    create
        .columns
        .iter()
        .filter_map(|column| {
            let (data_type, kind) = match &column.kind {
                ColumnKind::Physical { data_type } => (data_type, TableColumnKind::Physical),
                ColumnKind::Metadata { data_type, key, is_virtual } => (
                    data_type,
                    TableColumnKind::Metadata { key: key.clone(), is_virtual: *is_virtual },
                ),
                ColumnKind::Computed { .. } => return None,
            };
            let data_type = in_zone(&data_type.node.data_type, zone);
            Some(TableColumn { name: column.name.clone(), data_type, kind })
        })
        .collect()
}

fn raw_column(raw: &[TableColumn], name: &Spanned<String>) -> Result<TableColumn, Diagnostic> {
    let found = raw.iter().find(|column| column.name == *name).cloned();
    found.ok_or_else(|| {
        Diagnostic::error(codes::INVALID_QUERY, "a column lost its declaration")
            .at(name.span.clone())
    })
}

/// A scan of these columns, to resolve expressions against.
fn scan(table: &str, columns: &[TableColumn]) -> Result<LogicalPlan, Diagnostic> {
    let fields: Vec<Field> = columns.iter().map(TableColumn::field).collect();
    let relation = Relation {
        kind: RelationKind::Table(table.to_owned()),
        roles: vec![Role::Plain; fields.len()],
        schema: Arc::new(Schema::new(fields)),
        changelog: Changelog::Append,
    };
    LogicalPlanBuilder::scan(TableReference::bare(table), Arc::new(relation), None)
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| Diagnostic::error(codes::DUPLICATE_NAME, error.strip_backtrace()))
}

fn computed(
    name: &Spanned<String>,
    expr: &Spanned<ast::Expr>,
    binder: &Binder,
    input: &LogicalPlan,
) -> Result<TableColumn, Diagnostic> {
    let (name, span) = (name.clone(), &expr.span);
    if is_proctime(&expr.node) {
        let zone = binder.zone().into();
        let data_type = DataType::Timestamp(TimeUnit::Millisecond, Some(zone));
        return Ok(TableColumn { name, data_type, kind: TableColumnKind::ProcessingTime });
    }
    let expr = binder.expression(&expr.node, input, span)?;
    if proctime::is_called_in(&expr) {
        let message = format!("`{}` computes with PROCTIME()", name.node);
        return Err(Diagnostic::error(codes::PROCESSING_TIME, message)
            .at(span.clone())
            .hint("declare pt AS PROCTIME() alone, and compute with pt in the query"));
    }
    let data_type = type_of(&expr, input, span)?;
    Ok(TableColumn { name, data_type, kind: TableColumnKind::Computed(expr.unalias()) })
}

fn is_proctime(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::Function(function) => function.name.to_string().eq_ignore_ascii_case("proctime"),
        _ => false,
    }
}

fn type_of(expr: &Expr, input: &LogicalPlan, span: &Span) -> Result<DataType, Diagnostic> {
    expr.get_type(input.schema().as_ref()).map_err(|error| {
        Diagnostic::error(codes::WRONG_TYPE, error.strip_backtrace()).at(span.clone())
    })
}

fn watermark(
    definition: &WatermarkDef,
    create: &CreateTable,
    columns: &[TableColumn],
    binder: &Binder,
) -> Result<(usize, Expr), Diagnostic> {
    let name = &definition.column;
    let Some(position) = columns.iter().position(|column| column.name.node == name.node) else {
        let names: Vec<&str> = columns.iter().map(|column| column.name.node.as_str()).collect();
        return Err(Diagnostic::error(
            codes::UNUSABLE_WATERMARK,
            format!("there is no column `{}`", name.node),
        )
        .at(name.span.clone())
        .label("unknown column")
        .hint(suggest::one_of(&name.node, &names)));
    };
    let column = &columns[position];
    let DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, zone) = &column.data_type
    else {
        let found = flink_name(&column.data_type);
        let hint = match &column.data_type {
            DataType::Timestamp(..) => format!(
                "declare it as TIMESTAMP(3), or compute one: ts AS CAST(`{}` AS TIMESTAMP(3))",
                name.node
            ),
            DataType::Utf8 => {
                format!("compute a timestamp column: ts AS TO_TIMESTAMP(`{}`)", name.node)
            }
            _ => format!("compute a timestamp column: ts AS TO_TIMESTAMP_LTZ(`{}`, 3)", name.node),
        };
        let message = format!(
            "event time must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), and `{}` is {found}",
            name.node
        );
        return Err(Diagnostic::error(codes::UNUSABLE_WATERMARK, message)
            .at(name.span.clone())
            .label(found)
            .hint(hint));
    };
    if matches!(column.kind, TableColumnKind::ProcessingTime) {
        return Err(Diagnostic::error(codes::UNUSABLE_WATERMARK, "PROCTIME() has no watermark")
            .at(name.span.clone())
            .hint("leave the WATERMARK out: the clock of the machine is never late"));
    }
    let input = scan(&create.name.node, columns)?;
    let span = &definition.expr.span;
    let expr = binder.expression(&definition.expr.node, &input, span)?.unalias();
    let is_now = |column: &TableColumn| matches!(column.kind, TableColumnKind::ProcessingTime);
    let read = expr.column_refs();
    let reads = |column: &TableColumn| read.iter().any(|read| read.name == column.name.node);
    if proctime::is_called_in(&expr) || columns.iter().filter(|c| is_now(c)).any(reads) {
        let message = "a watermark follows from the row, not from PROCTIME()";
        return Err(Diagnostic::error(codes::UNUSABLE_WATERMARK, message)
            .at(span.clone())
            .hint("a window over a PROCTIME() column needs no watermark"));
    }
    let found = type_of(&expr, &input, span)?;
    if !matches!(found, DataType::Timestamp(..)) {
        let message = format!("a watermark is a time, not {}", flink_name(&found));
        return Err(Diagnostic::error(codes::UNUSABLE_WATERMARK, message)
            .at(span.clone())
            .hint(format!("write `{0}` - INTERVAL '5' SECOND", name.node)));
    }
    Ok((position, cast(expr, DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))))
}

/// What can be said about the connector before it is known whether the table is read or written.
fn check_connector(table: &Table) -> Vec<Diagnostic> {
    let Some(connector) = table.option("connector") else {
        let message = format!("table `{}` has no connector", table.name.node);
        return vec![
            Diagnostic::error(codes::MISSING_CONNECTOR, message)
                .at(table.name.span.clone())
                .label("no option 'connector'")
                .hint("write WITH ('connector' = '…'); `millstream connectors` lists them"),
        ];
    };
    let Ok(info) = registry::find(&connector.node) else {
        let names = registry::names();
        return vec![
            Diagnostic::error(
                codes::BAD_OPTION,
                format!("there is no connector `{}`", connector.node),
            )
            .at(connector.span.clone())
            .hint(suggest::one_of(&connector.node, &names)),
        ];
    };
    let known: Vec<&str> = (info.metadata)().into_iter().map(|(key, _, _)| key).collect();
    table
        .columns
        .iter()
        .filter_map(|column| unknown_metadata(column, &connector.node, &known))
        .collect()
}

fn unknown_metadata(column: &TableColumn, connector: &str, known: &[&str]) -> Option<Diagnostic> {
    let TableColumnKind::Metadata { key, .. } = &column.kind else { return None };
    if known.contains(&key.node.as_str()) {
        return None;
    }
    let message = format!("the connector `{connector}` has no metadata `{}`", key.node);
    let hint = if known.is_empty() {
        format!("`{connector}` has no metadata at all")
    } else {
        suggest::one_of(&key.node, known)
    };
    Some(Diagnostic::error(codes::UNKNOWN_METADATA, message).at(key.span.clone()).hint(hint))
}

/// The table as connectors see it, with these columns of it.
pub(crate) fn spec(table: &Table, columns: &[usize]) -> TableSpec {
    let fields: Vec<Field> = columns.iter().map(|column| table.columns[*column].field()).collect();
    let metadata = columns.iter().enumerate().filter_map(|(position, column)| {
        match &table.columns[*column].kind {
            TableColumnKind::Metadata { key, .. } => Some((position, key.node.clone())),
            _ => None,
        }
    });
    let key =
        table.primary_key.iter().filter_map(|key| columns.iter().position(|column| column == key));
    let options = table.options.iter().map(|(key, value)| (key.node.clone(), value.node.clone()));
    TableSpec {
        name: table.name.node.clone(),
        options: options.collect::<BTreeMap<String, String>>(),
        metadata: metadata.collect(),
        primary_key: key.collect(),
        declared: table.declared(),
        partition_keys: table
            .partition_keys
            .iter()
            .map(|key| table.columns[*key].name.node.clone())
            .collect(),
        schema: Arc::new(Schema::new(fields)),
    }
}

/// What the connector has to say about the options of a table that is read or written.
pub(crate) fn check_options(
    table: &Table,
    spec: &TableSpec,
    direction: registry::Direction,
) -> Vec<Diagnostic> {
    let found = registry::check(spec, direction);
    let names = |hint: &Option<String>, option: &str| {
        hint.as_ref().is_some_and(|hint| *hint == format!("did you mean `{option}`?"))
    };
    // What is written under a wrong name is not missing, too.
    let is_meant = |option: &str| found.iter().any(|mistake| names(&mistake.hint, option));
    let (missing, wrong): (Vec<_>, Vec<_>) =
        found.iter().cloned().partition(|mistake| mistake.message.contains("lacks the option"));
    let missing = missing.into_iter().filter(|mistake| !is_meant(&mistake.option));
    missing
        .chain(wrong)
        .map(|mistake| {
            let key = table.options.iter().find(|(key, _)| key.node == mistake.option);
            // An unknown key is underlined itself, a bad value is; a missing option has neither.
            let span = match key {
                Some((key, _)) if mistake.message.contains("no option") => key.span.clone(),
                Some((_, value)) => value.span.clone(),
                None => table.name.span.clone(),
            };
            // The option's words are checked as any other's; what is left is what nobody can do.
            let is_guarantee =
                mistake.option == registry::GUARANTEE && !mistake.message.contains("option `");
            let code = if is_guarantee { codes::GUARANTEE } else { codes::BAD_OPTION };
            let more = match mistake.message.contains("can only be") {
                true => "`millstream connectors` says what can be read and what written".to_owned(),
                false => format!("`millstream connectors {}` has its options", spec.connector()),
            };
            let hint = mistake.hint.unwrap_or(more);
            Diagnostic::error(code, mistake.message).at(span).hint(hint)
        })
        .collect()
}

/// What the tables that a job writes cannot promise together; `None` stands for the console.
/// The place is the option that has to change, or else the INSERT.
pub(crate) fn check_job(
    sinks: &[(Option<&Table>, &TableSpec, Option<&Span>)],
    interval_ms: u64,
) -> Vec<Diagnostic> {
    let tables: Vec<_> =
        sinks.iter().map(|(_, spec, _)| (*spec, registry::Direction::Sink)).collect();
    let errors = registry::check_job(&tables, interval_ms).into_iter();
    let diagnostics = errors.map(|error| {
        let (table, _, insert) = sinks[error.table];
        let value = table.and_then(|table| table.option(error.option));
        let place = value.map(|value| value.span.clone()).or_else(|| insert.cloned());
        let diagnostic = Diagnostic::error(codes::GUARANTEE, error.message);
        diagnostic.at_if_known(place).hint(error.hint)
    });
    diagnostics.collect()
}
