//! Tables in the graph: which columns the connector delivers, what is computed from them at once,
//! and how watermarks come about.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion_common::{DFSchema, Result, TableReference};
use datafusion_expr::Expr;
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use millstream_connectors::registry::Direction;
use millstream_operators::graph::{
    AlignmentSpec, NamedExpr, NodeKind, SourceSpec, WatermarkEmit, WatermarkSpec,
};

use super::{Lowering, Rows, Slot, Unit};
use crate::catalog::{Table, TableColumnKind};
use crate::diagnostic::Diagnostic;
use crate::plan::codes;
use crate::plan::relation::RelationKind;
use crate::plan::table;
use crate::settings::duration_ms;

/// A silent split that holds up all windows is the commonest reason for a query that prints
/// nothing, so unlike on Flink a timeout is on unless it is set to `0`.
const IDLE_TIMEOUT_MS: u64 = 30_000;

/// Flink's default of `scan.watermark.alignment.update-interval`.
const UPDATE_INTERVAL_MS: u64 = 1_000;

const ALIGNMENT_GROUP: &str = "scan.watermark.alignment.group";
const ALIGNMENT_DRIFT: &str = "scan.watermark.alignment.max-drift";
const ALIGNMENT_INTERVAL: &str = "scan.watermark.alignment.update-interval";

/// The mistake of an alignment that lacks one of its two options.
fn check_alignment(table: &Table) -> Option<Diagnostic> {
    let (group, drift) = (table.option(ALIGNMENT_GROUP), table.option(ALIGNMENT_DRIFT));
    let (given, missing) = match (group, drift) {
        (Some(given), None) => (given, ALIGNMENT_DRIFT),
        (None, Some(given)) => (given, ALIGNMENT_GROUP),
        (Some(given), Some(_)) if table.watermark.is_none() => {
            let message = "a table without WATERMARK has no time to align";
            let mistake = Diagnostic::error(codes::BAD_ALIGNMENT, message).at(given.span.clone());
            return Some(mistake.hint("declare WATERMARK FOR column AS …"));
        }
        _ => return None,
    };
    let message = format!("the option '{missing}' is missing");
    let mistake = Diagnostic::error(codes::BAD_ALIGNMENT, message).at(given.span.clone());
    Some(mistake.hint("an alignment has a group and a greatest drift, such as '1 min'"))
}

impl Lowering<'_> {
    /// Adds a table that is read. `needed` are positions of its columns; `timed` says that some
    /// window reads it, so that it needs its watermark.
    ///
    /// # Errors
    /// If its options are wrong for reading, or a column that is needed cannot be delivered yet.
    pub fn source(
        &mut self,
        table: &Table,
        needed: &[usize],
        timed: bool,
    ) -> std::result::Result<(), Vec<Diagnostic>> {
        let watermark = table.watermark.as_ref().filter(|_| timed);
        let output = output_columns(table, needed, watermark);
        let delivered = delivered_columns(table, &output);
        let spec = table::spec(table, &delivered);
        let mut mistakes = table::check_options(table, &spec, Direction::Source);
        mistakes.extend(check_alignment(table));
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let place = |error: datafusion_common::DataFusionError| {
            let message = error.strip_backtrace();
            vec![Diagnostic::error(codes::INVALID_QUERY, message).at(table.name.span.clone())]
        };
        let computed = if delivered == output {
            None
        } else {
            Some(self.computed(table, &output, &delivered).map_err(place)?)
        };
        let watermark = match watermark {
            Some((column, expr)) => {
                Some(self.watermark(table, *column, expr, &output).map_err(place)?)
            }
            None => None,
        };
        let schema = schema_of(table, &output);
        let kind = NodeKind::Source(SourceSpec { table: spec, computed, watermark });
        let node = self.graph.add(&table.node_name(), kind, schema, table.changelog);
        let rows = Rows::of(node, output.len());
        let now = needed.iter().copied().filter(|column| is_now(table, *column));
        let columns = output.iter().copied().zip(rows.slots.iter().copied());
        let columns = columns.chain(now.map(|column| (column, Slot::Now))).collect();
        self.units.insert(RelationKind::Table(table.identity.clone()), Unit { rows, columns });
        Ok(())
    }

    fn computed(
        &self,
        table: &Table,
        output: &[usize],
        delivered: &[usize],
    ) -> Result<Vec<NamedExpr>> {
        let schema = logical_schema(table, delivered)?;
        let mut exprs = Vec::new();
        for column in output {
            let column = &table.columns[*column];
            let expr = match &column.kind {
                TableColumnKind::Computed(expr) => expr.clone(),
                _ => column_expr(table, &column.name.node),
            };
            let expr = self.over(&expr, &schema)?;
            exprs.push(NamedExpr { name: column.name.node.clone(), expr });
        }
        Ok(exprs)
    }

    fn watermark(
        &self,
        table: &Table,
        column: usize,
        expr: &Expr,
        output: &[usize],
    ) -> Result<WatermarkSpec> {
        let expr = self.over(expr, &logical_schema(table, output)?)?;
        let option = |key: &str| table.option(key).map(|value| value.node.as_str());
        let emit = match option("scan.watermark.emit.strategy") {
            Some("on-event") => WatermarkEmit::OnEvent,
            _ => WatermarkEmit::OnPeriodic,
        };
        let idle = option("scan.watermark.idle-timeout").and_then(duration_ms);
        // A file that is not being read is not silent: its rows are there.
        let default = (option("connector") != Some("filesystem")).then_some(IDLE_TIMEOUT_MS);
        let idle = idle.or(self.settings.idle_timeout_ms).or(default);
        let column =
            output.iter().position(|c| *c == column).expect("the time column is delivered");
        let duration = |key: &str| option(key).and_then(duration_ms);
        let alignment = option(ALIGNMENT_GROUP).zip(duration(ALIGNMENT_DRIFT));
        Ok(WatermarkSpec {
            column,
            expr,
            emit,
            idle_timeout_ms: idle.filter(|ms| *ms > 0),
            idle_advance_ms: duration("scan.watermark.idle-advance").filter(|ms| *ms > 0),
            alignment: alignment.map(|(group, max_drift_ms)| AlignmentSpec {
                group: group.to_owned(),
                max_drift_ms,
                update_interval_ms: duration(ALIGNMENT_INTERVAL).unwrap_or(UPDATE_INTERVAL_MS),
            }),
        })
    }

    /// An expression over these columns.
    pub(super) fn over(&self, expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
        let mut props = ExecutionProps::new();
        props.config_options = Some(Arc::clone(&self.session.config));
        create_physical_expr(expr, schema, &props, &Default::default())
    }
}

/// Columns of the source's output, in the order of declaration. There is at least one: a batch
/// without columns has no rows.
fn output_columns(
    table: &Table,
    needed: &[usize],
    watermark: Option<&(usize, Expr)>,
) -> Vec<usize> {
    let mut output: Vec<usize> =
        needed.iter().copied().filter(|column| !is_now(table, *column)).collect();
    if let Some((column, expr)) = watermark {
        output.push(*column);
        output.extend(referenced(table, expr));
    }
    if output.is_empty() {
        let is_delivered = |column: &usize| is_delivered(table, *column);
        output.extend((0..table.columns.len()).find(is_delivered));
    }
    output.sort_unstable();
    output.dedup();
    output
}

/// Columns that the connector delivers so that the output can be computed.
fn delivered_columns(table: &Table, output: &[usize]) -> Vec<usize> {
    let mut delivered = Vec::new();
    for column in output {
        match &table.columns[*column].kind {
            TableColumnKind::Computed(expr) => delivered.extend(referenced(table, expr)),
            _ => delivered.push(*column),
        }
    }
    if delivered.is_empty() {
        delivered.extend((0..table.columns.len()).find(|column| is_delivered(table, *column)));
    }
    delivered.sort_unstable();
    delivered.dedup();
    delivered
}

fn is_delivered(table: &Table, column: usize) -> bool {
    matches!(
        table.columns[column].kind,
        TableColumnKind::Physical | TableColumnKind::Metadata { .. }
    )
}

/// True for `pt AS PROCTIME()`, which is read off the clock only where it is used.
fn is_now(table: &Table, column: usize) -> bool {
    matches!(table.columns[column].kind, TableColumnKind::ProcessingTime)
}

fn referenced(table: &Table, expr: &Expr) -> Vec<usize> {
    let names = expr.column_refs();
    let found =
        names.iter().filter_map(|name| table.columns.iter().position(|c| c.name.node == name.name));
    found.collect()
}

fn schema_of(table: &Table, columns: &[usize]) -> Arc<Schema> {
    let fields: Vec<Field> = columns.iter().map(|column| table.columns[*column].field()).collect();
    Arc::new(Schema::new(fields))
}

fn logical_schema(table: &Table, columns: &[usize]) -> Result<DFSchema> {
    let name = TableReference::bare(table.name.node.as_str());
    DFSchema::try_from_qualified_schema(name, schema_of(table, columns).as_ref())
}

fn column_expr(table: &Table, name: &str) -> Expr {
    let table = TableReference::bare(table.name.node.as_str());
    Expr::Column(datafusion_common::Column::new(Some(table), name))
}
