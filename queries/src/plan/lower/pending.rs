//! Columns that nobody has computed yet: those of windows, and PROCTIME().

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion_common::Result;
use datafusion_expr::{Expr, LogicalPlan};
use millstream_operators::OperatorSpec;
use millstream_operators::graph::Port;
use millstream_operators::window::{WindowAssignSpec, Windows};

use super::{Lowering, Rows, Slot};
use crate::functions::proctime;
use crate::plan::window_tvf::WINDOW_COLUMNS;

/// Windows that a function of FROM gave to rows and that nobody has assigned yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pending {
    pub(super) windows: Spread,
    pub(super) zone: Option<String>,
    /// Column of the node with the time.
    pub(super) column: usize,
    /// It is processing time.
    pub(super) is_processing: bool,
}

/// [`Windows`] that can be a key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spread(pub(super) Windows);

impl std::hash::Hash for Spread {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.offset_ms.hash(state);
    }
}

impl Lowering<'_> {
    /// Assigns pending windows if one of the expressions computes with them, and reads the clock if
    /// one asks for the time.
    pub(super) fn ready_for<'e>(
        &mut self,
        rows: Rows,
        input: &LogicalPlan,
        exprs: impl IntoIterator<Item = &'e Expr>,
        scope: &str,
    ) -> Result<Rows> {
        let (mut windows, mut now) = (false, false);
        for expr in exprs {
            now |= proctime::is_called_in(expr);
            for column in expr.column_refs() {
                let Some(index) = input.schema().maybe_index_of_column(column) else { continue };
                match rows.slots[index] {
                    Slot::Column(_) => {}
                    Slot::Now => now = true,
                    Slot::Start | Slot::End | Slot::Time => windows = true,
                }
            }
        }
        let rows = if windows { self.assign(rows, scope)? } else { rows };
        Ok(if now { self.with_now(rows, scope) } else { rows })
    }

    /// Rows that have the processing time in a column.
    pub(super) fn with_now(&mut self, rows: Rows, scope: &str) -> Rows {
        match rows.now {
            // The time of a row is that of its first look at the clock.
            Some(now) => rows.place_now(now),
            None => self.read_clock(rows, false, scope),
        }
    }

    /// Appends the time of the clock to rows; `is_followed`: what comes after goes by it.
    pub(super) fn read_clock(&mut self, rows: Rows, is_followed: bool, scope: &str) -> Rows {
        let before = self.schema(rows.node, rows.port);
        let key = (rows.node, rows.port, is_followed);
        let node = match self.clocks.get(&key) {
            Some(node) => *node,
            None => {
                let mut fields: Vec<Field> =
                    before.fields().iter().map(|f| f.as_ref().clone()).collect();
                fields.push(Field::new(
                    "PROCTIME()",
                    proctime::data_type(&self.session.zone),
                    true,
                ));
                let spec = OperatorSpec::ProcessingTime { is_followed };
                let schema = Arc::new(Schema::new(fields));
                let node = self.operator(&rows, &format!("{scope}.clock"), spec, schema);
                self.clocks.insert(key, node);
                node
            }
        };
        let now = before.fields().len();
        Rows { node, port: Port::MAIN, now: Some(now), ..rows }.place_now(now)
    }

    /// Assigns pending windows: rows are copied into each of theirs.
    pub(super) fn assign(&mut self, rows: Rows, scope: &str) -> Result<Rows> {
        let Some(pending) = rows.pending.clone() else { return Ok(rows) };
        let before = self.schema(rows.node, rows.port);
        let width = before.fields().len();
        let key = (rows.node, pending.clone());
        let node = match self.assigned.get(&key) {
            Some(node) => *node,
            None => {
                let wall_clock = DataType::Timestamp(TimeUnit::Millisecond, None);
                let time = before.field(pending.column).data_type().clone();
                let types = [wall_clock.clone(), wall_clock, time];
                let mut fields: Vec<Field> =
                    before.fields().iter().map(|f| f.as_ref().clone()).collect();
                fields.extend(
                    WINDOW_COLUMNS.into_iter().zip(types).map(|(n, t)| Field::new(n, t, true)),
                );
                let spec = WindowAssignSpec {
                    windows: pending.windows.0,
                    column: pending.column,
                    zone: pending.zone.clone(),
                };
                let spec = OperatorSpec::WindowAssign(spec);
                let schema = Arc::new(Schema::new(fields));
                let node = self.operator(&rows, &format!("{scope}.windows"), spec, schema);
                self.assigned.insert(key, node);
                node
            }
        };
        let place = |slot: &Slot| match slot {
            Slot::Column(column) => Slot::Column(*column),
            Slot::Start => Slot::Column(width),
            Slot::End => Slot::Column(width + 1),
            Slot::Time => Slot::Column(width + 2),
            Slot::Now => Slot::Now,
        };
        let slots = rows.slots.iter().map(place).collect();
        Ok(Rows { node, port: Port::MAIN, slots, pending: None, ..rows })
    }
}
