//! The window functions of FROM as a logical plan node: `TUMBLE`, `HOP`, `CUMULATE`.
//!
//! The node appends three columns. Predicates on other columns may move below it; projections may
//! take away all input columns but the time attribute.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion_common::{Column, DFSchema, DFSchemaRef, Result, TableReference, plan_err};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use millstream_operators::window::WindowKind;

use super::roles::WindowRef;

/// Names of the columns that a window function appends.
pub(crate) const WINDOW_COLUMNS: [&str; 3] = ["window_start", "window_end", "window_time"];

/// `TUMBLE(TABLE input, DESCRIPTOR(time), …)` and its like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WindowTvf {
    /// The rows.
    pub input: LogicalPlan,
    /// The time attribute, a column of the input.
    pub time: Column,
    /// The windows.
    pub window: WindowRef,
    /// Names of the columns that it appends.
    pub names: [&'static str; 3],
    schema: DFSchemaRef,
}

impl WindowTvf {
    /// The node over `input`.
    ///
    /// # Errors
    /// If the input has a column of the name of a window column, or not the time column.
    pub fn new(
        input: LogicalPlan,
        time: Column,
        window: WindowRef,
        names: [&'static str; 3],
    ) -> Result<Self> {
        let time_type = match input.schema().maybe_index_of_column(&time) {
            Some(index) => input.schema().field(index).data_type().clone(),
            None => return plan_err!("the time attribute {time} is not there"),
        };
        let mut fields: Vec<(Option<TableReference>, Arc<Field>)> = input
            .schema()
            .iter()
            .map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)))
            .collect();
        let wall_clock = DataType::Timestamp(TimeUnit::Millisecond, None);
        for (name, data_type) in names.into_iter().zip([wall_clock.clone(), wall_clock, time_type])
        {
            fields.push((None, Arc::new(Field::new(name, data_type, true))));
        }
        let metadata = input.schema().metadata().clone();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        Ok(WindowTvf { input, time, window, names, schema })
    }
}

impl Hash for WindowTvf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.time.hash(state);
        self.window.windows.offset_ms.hash(state);
        let lengths = match self.window.windows.kind {
            WindowKind::Tumble { size_ms } => (0, size_ms, 0),
            WindowKind::Hop { size_ms, slide_ms } => (1, size_ms, slide_ms),
            WindowKind::Cumulate { size_ms, step_ms } => (2, size_ms, step_ms),
        };
        lengths.hash(state);
        self.window.zone.hash(state);
    }
}

impl PartialOrd for WindowTvf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self == other { Some(Ordering::Equal) } else { self.input.partial_cmp(&other.input) }
    }
}

impl UserDefinedLogicalNodeCore for WindowTvf {
    fn name(&self) -> &str {
        "WindowTvf"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![Expr::Column(self.time.clone())]
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WindowTvf: {:?} of {}", self.window.windows, self.time)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(Expr::Column(time)) = exprs.into_iter().next() else {
            return plan_err!("the time attribute of a window function is a column");
        };
        let Some(input) = inputs.into_iter().next() else {
            return plan_err!("a window function has one input");
        };
        WindowTvf::new(input, time, self.window.clone(), self.names)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        let mut needed: Vec<usize> =
            output_columns.iter().copied().filter(|column| *column < width).collect();
        needed.extend(self.input.schema().maybe_index_of_column(&self.time));
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}
