//! From optimized logical plans to the job graph.
//!
//! A logical node rarely becomes a node of the graph one to one. While going up from the leaves,
//! [`Rows`] says where each column of the logical plan is: in a column of a graph node, or, below
//! an aggregation, a window column that nobody has computed yet. So renaming and reordering cost
//! nothing, and `GROUP BY window_start, window_end` over a window function becomes one windowed
//! aggregation that never copies a row into its windows.

mod aggregate;
mod constants;
mod output;
mod pending;
mod source;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column as LogicalColumn, DFSchema, Result, internal_err};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::{Expr, Extension, Filter, LogicalPlan, Projection, TableScan, Union, lit};
use datafusion_physical_expr::expressions::Column;
use datafusion_physical_expr::{PhysicalExpr, ScalarFunctionExpr, create_physical_expr};
use millstream_operators::OperatorSpec;
use millstream_operators::graph::{
    Changelog, JobGraph, NodeId, NodeKind, Partitioning, Port, TableSpec,
};
use millstream_operators::unnest::UnnestSpec;
use millstream_operators::window::Emission;

use self::output::Output;
use self::pending::{Pending, Spread};
use super::context::Session;
use super::late::LateInput;
use super::relation::{self, RelationKind};
use super::unnest::Unnest;
use super::window_result::WindowResult;
use super::window_tvf::WindowTvf;
use crate::catalog::Catalog;
use crate::functions::proctime;
use crate::settings::Settings;

/// Where a column of a logical plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// In this column of the node.
    Column(usize),
    /// Nowhere yet: `window_start` of the pending windows.
    Start,
    /// Nowhere yet: `window_end`.
    End,
    /// Nowhere yet: `window_time`.
    Time,
    /// Nowhere yet: PROCTIME(), which is read off the clock where somebody computes with it.
    Now,
}

/// The rows of a logical plan, as far as they are in the graph.
#[derive(Clone, Debug)]
struct Rows {
    /// The node whose output they are.
    node: NodeId,
    /// Which of its outputs.
    port: Port,
    /// Where each column of the logical plan is.
    slots: Vec<Slot>,
    /// Windows that are not assigned yet.
    pending: Option<Pending>,
    /// Columns of the node that LATE reads; they must reach the aggregation.
    late: Vec<usize>,
    /// Column of the node with the processing time, if an operator has read it off the clock.
    now: Option<usize>,
}

impl Rows {
    /// All rows of a node, which has exactly the plan's columns.
    fn of(node: NodeId, width: usize) -> Rows {
        let slots = (0..width).map(Slot::Column).collect();
        Rows { node, port: Port::MAIN, slots, pending: None, late: Vec::new(), now: None }
    }
}

/// A table or shared view in the graph: the slot of each of its columns that somebody needs.
#[derive(Debug)]
struct Unit {
    rows: Rows,
    columns: BTreeMap<usize, Slot>,
}

/// Writes a job graph.
pub(crate) struct Lowering<'a> {
    session: &'a Session,
    catalog: &'a Catalog,
    settings: &'a Settings,
    graph: JobGraph,
    units: BTreeMap<RelationKind, Unit>,
    /// Equal plans have the same rows: a CTE that is used twice is computed once.
    known: HashMap<LogicalPlan, Rows>,
    assigned: HashMap<(NodeId, Pending), NodeId>,
    /// Operators that read the clock behind a node; those that windows follow apart.
    clocks: HashMap<(NodeId, Port, bool), NodeId>,
    /// The aggregation whose late rows the view at hand has, and where the columns are in them.
    late: Option<(NodeId, Vec<usize>)>,
}

impl<'a> Lowering<'a> {
    /// An empty graph.
    pub fn new(session: &'a Session, catalog: &'a Catalog, settings: &'a Settings) -> Self {
        Lowering {
            session,
            catalog,
            settings,
            graph: JobGraph::default(),
            units: BTreeMap::new(),
            known: HashMap::new(),
            assigned: HashMap::new(),
            clocks: HashMap::new(),
            late: None,
        }
    }

    /// The graph.
    pub fn finish(self) -> JobGraph {
        self.graph.check();
        self.graph
    }

    /// Adds a shared view. `columns` are those of its columns that `plan` has, `late` those of
    /// its late rows that somebody reads.
    pub fn view(
        &mut self,
        name: &str,
        plan: &LogicalPlan,
        columns: &[usize],
        late: &[usize],
    ) -> Result<()> {
        self.late = None;
        let rows = self.plan(plan, name)?;
        let slots = columns.iter().copied().zip(rows.slots.iter().copied()).collect();
        if let Some((node, positions)) = self.late.take() {
            let columns =
                late.iter().copied().zip(positions.into_iter().map(Slot::Column)).collect();
            let rows = Rows { port: Port::LATE, ..Rows::of(node, 0) };
            self.units.insert(RelationKind::Late(name.to_owned()), Unit { rows, columns });
        }
        self.units.insert(RelationKind::View(name.to_owned()), Unit { rows, columns: slots });
        Ok(())
    }

    /// Adds a sink for the rows of a plan. `single`: all rows go to one writer.
    pub fn sink(
        &mut self,
        name: &str,
        plan: &LogicalPlan,
        table: TableSpec,
        single: bool,
    ) -> Result<()> {
        let rows = self.plan(plan, name)?;
        let rows = self.exact(rows, plan, name)?;
        let changelog = self.graph.node(rows.node).changelog;
        let schema = Arc::clone(&table.schema);
        let one = self.parallelism_of(rows.node) == 1;
        let sink_name = if table.name.is_empty() { name } else { &table.name }.to_owned();
        let node = self.graph.add(&sink_name, NodeKind::Sink(table), schema, changelog);
        let partitioning =
            if single && !one { Partitioning::Single } else { Partitioning::Forward };
        self.graph.nodes[node.0].parallelism =
            if single { Some(1) } else { self.graph.node(rows.node).parallelism };
        self.graph.connect_port(rows.node, rows.port, node, partitioning);
        Ok(())
    }

    fn parallelism_of(&self, node: NodeId) -> usize {
        self.graph.node(node).parallelism.unwrap_or(self.settings.parallelism)
    }

    /// The rows of a plan. `scope` is what nodes are named after.
    fn plan(&mut self, plan: &LogicalPlan, scope: &str) -> Result<Rows> {
        if let Some(rows) = self.known.get(plan) {
            return Ok(rows.clone());
        }
        let rows = match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan)?,
            LogicalPlan::SubqueryAlias(alias) => {
                // A view that was put in the place of its use still names what it becomes.
                let name = alias.alias.table();
                let scope = if self.catalog.view(name).is_some() { name } else { scope };
                self.plan(&alias.input, scope)?
            }
            LogicalPlan::Projection(projection) => {
                let rows = self.plan(&projection.input, scope)?;
                self.projection(projection, rows, scope)?
            }
            LogicalPlan::Filter(filter) => {
                let rows = self.plan(&filter.input, scope)?;
                self.filter(filter, rows, scope)?
            }
            LogicalPlan::Union(union) => self.union(union, scope)?,
            LogicalPlan::Aggregate(aggregate) => {
                self.aggregate(aggregate, Emission::default(), scope)?
            }
            LogicalPlan::Extension(extension) => self.extension(extension, scope)?,
            LogicalPlan::Values(values) => self.constants(&values.values, &values.schema, scope)?,
            LogicalPlan::EmptyRelation(one) if one.produce_one_row => {
                self.constants(&[Vec::new()], &one.schema, scope)?
            }
            other => return internal_err!("{} is refused before lowering", other.display()),
        };
        self.known.insert(plan.clone(), rows.clone());
        Ok(rows)
    }

    fn scan(&self, scan: &TableScan) -> Result<Rows> {
        let Some(relation) = relation::of(scan) else {
            return internal_err!("{} is not in the catalog", scan.table_name);
        };
        let Some(unit) = self.units.get(&relation.kind) else {
            return internal_err!("{} was not planned before its use", scan.table_name);
        };
        let all: Vec<usize> = (0..relation.schema.fields().len()).collect();
        let columns = scan.projection.as_ref().unwrap_or(&all);
        let mut slots = Vec::new();
        for column in columns {
            match unit.columns.get(column) {
                Some(slot) => slots.push(*slot),
                None => {
                    return internal_err!("column {column} of {} was not planned", scan.table_name);
                }
            }
        }
        Ok(Rows { slots, ..unit.rows.clone() })
    }

    fn filter(&mut self, filter: &Filter, rows: Rows, scope: &str) -> Result<Rows> {
        // What is left of a HAVING about GROUPING in the sets that it lets through.
        if filter.predicate == lit(true) {
            return Ok(rows);
        }
        let rows = self.ready_for(rows, &filter.input, [&filter.predicate], scope)?;
        let predicate = self.physical(&filter.predicate, filter.input.schema(), &rows)?;
        let schema = self.schema(rows.node, rows.port);
        let name = format!("{scope}.filter");
        let node = self.operator(&rows, &name, OperatorSpec::Filter(predicate), schema);
        Ok(Rows { node, port: Port::MAIN, ..rows })
    }

    /// The results of an aggregation that leave as `emission` says. Predicates may have been put
    /// between the two, and columns been left out.
    fn results(&mut self, plan: &LogicalPlan, emission: Emission, scope: &str) -> Result<Rows> {
        match plan {
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, emission, scope),
            LogicalPlan::Filter(filter) => {
                let rows = self.results(&filter.input, emission, scope)?;
                self.filter(filter, rows, scope)
            }
            LogicalPlan::Projection(projection) => {
                let rows = self.results(&projection.input, emission, scope)?;
                self.projection(projection, rows, scope)
            }
            other => internal_err!("{} is no aggregation", other.display()),
        }
    }

    fn extension(&mut self, extension: &Extension, scope: &str) -> Result<Rows> {
        let node = extension.node.as_any();
        if let Some(tvf) = node.downcast_ref::<WindowTvf>() {
            let rows = self.plan(&tvf.input, scope)?;
            let mut rows = self.assign(rows, scope)?;
            let is_processing = tvf.window.is_processing;
            let column = if is_processing {
                let time = tvf.input.schema().index_of_column(&tvf.time)?;
                rows.slots[time] = Slot::Now;
                rows = self.read_clock(rows, true, scope);
                rows.now.expect("the clock was read just now")
            } else {
                column_at(&tvf.time, tvf.input.schema(), &rows)?
            };
            rows.slots.extend([Slot::Start, Slot::End, Slot::Time]);
            let windows = Spread(tvf.window.windows);
            let zone = tvf.window.zone.clone();
            rows.pending = Some(Pending { windows, zone, column, is_processing });
            return Ok(rows);
        }
        if let Some(result) = node.downcast_ref::<WindowResult>() {
            return self.results(&result.input, result.emission, scope);
        }
        if let Some(unnest) = node.downcast_ref::<Unnest>() {
            return self.unnest(unnest, scope);
        }
        let Some(late) = node.downcast_ref::<LateInput>() else {
            return internal_err!("{} is none of our nodes", extension.node.name());
        };
        let rows = self.plan(&late.input, scope)?;
        let mut rows = self.assign(rows, scope)?;
        if rows.slots.contains(&Slot::Now) {
            rows = self.with_now(rows, scope);
        }
        for column in &late.columns {
            let column = column_at(column, late.input.schema(), &rows)?;
            rows.late.push(column);
        }
        Ok(rows)
    }

    /// Appends the columns of elements; all others stay where they are.
    fn unnest(&mut self, unnest: &Unnest, scope: &str) -> Result<Rows> {
        let rows = self.plan(&unnest.input, scope)?;
        let mut rows = self.ready_for(rows, &unnest.input, [&unnest.value], scope)?;
        let value = self.physical(&unnest.value, unnest.input.schema(), &rows)?;
        let before = self.schema(rows.node, rows.port);
        let width = before.fields().len();
        let mut fields: Vec<Field> = before.fields().iter().map(|f| f.as_ref().clone()).collect();
        fields.extend(unnest.added().map(|field| field.as_ref().clone()));
        rows.slots.extend((width..fields.len()).map(Slot::Column));
        let (keeps_empty, ordinality) = (unnest.keeps_empty, unnest.ordinality);
        let spec = OperatorSpec::Unnest(UnnestSpec { value, keeps_empty, ordinality });
        let schema = Arc::new(Schema::new(fields));
        let node = self.operator(&rows, &format!("{scope}.unnest"), spec, schema);
        Ok(Rows { node, port: Port::MAIN, ..rows })
    }

    fn projection(&mut self, projection: &Projection, rows: Rows, scope: &str) -> Result<Rows> {
        let input = &projection.input;
        let plain: Option<Vec<Slot>> =
            projection.expr.iter().map(|expr| rows.plain_slot(expr, input.schema())).collect();
        if let Some(slots) = plain {
            return Ok(Rows { slots, ..rows });
        }
        let computed =
            projection.expr.iter().filter(|e| rows.plain_slot(e, input.schema()).is_none());
        let computed: Vec<&Expr> = computed.collect();
        let rows = self.ready_for(rows, input, computed, scope)?;
        let mut output = Output::new(self.schema(rows.node, rows.port));
        let mut slots = Vec::new();
        for (expr, field) in projection.expr.iter().zip(projection.schema.fields()) {
            slots.push(match rows.plain_slot(expr, input.schema()) {
                Some(Slot::Column(column)) => Slot::Column(output.pass(column, Some(field.name()))),
                Some(nowhere) => nowhere,
                None => {
                    let value = self.physical(expr, input.schema(), &rows)?;
                    Slot::Column(output.compute(field.name(), value, field.data_type().clone()))
                }
            });
        }
        Ok(self.project(rows, output, slots, &format!("{scope}.project")))
    }

    /// Adds a projection; hidden columns that later steps need are passed on.
    fn project(&mut self, rows: Rows, mut output: Output, slots: Vec<Slot>, name: &str) -> Rows {
        let pending = rows
            .pending
            .clone()
            .map(|pending| Pending { column: output.pass(pending.column, None), ..pending });
        let late = rows.late.iter().map(|column| output.pass(*column, None)).collect();
        let now = rows.now.and_then(|column| output.passed.get(&column).copied());
        let schema = Arc::new(Schema::new(output.fields));
        let node = self.operator(&rows, name, OperatorSpec::Project(output.exprs), schema);
        Rows { node, port: Port::MAIN, slots, pending, late, now }
    }

    fn union(&mut self, union: &Union, scope: &str) -> Result<Rows> {
        let mut inputs = Vec::new();
        for input in &union.inputs {
            let rows = self.plan(input, scope)?;
            inputs.push(self.exact(rows, input, scope)?);
        }
        let one = inputs.iter().any(|rows| self.parallelism_of(rows.node) == 1);
        let retracts =
            inputs.iter().any(|rows| self.graph.node(rows.node).changelog == Changelog::Retract);
        let changelog = if retracts { Changelog::Retract } else { Changelog::Append };
        let schema = nullable(union.schema.as_arrow());
        let width = schema.fields().len();
        let kind = NodeKind::Operator(OperatorSpec::Union);
        let node = self.graph.add(&format!("{scope}.union"), kind, schema, changelog);
        self.graph.nodes[node.0].parallelism = one.then_some(1);
        for rows in inputs {
            // A union that has one subtask takes all rows of its parallel inputs there.
            let spread = one && self.parallelism_of(rows.node) != 1;
            let partitioning = if spread { Partitioning::Single } else { Partitioning::Forward };
            self.graph.connect_port(rows.node, rows.port, node, partitioning);
        }
        Ok(Rows::of(node, width))
    }

    /// Rows whose node has exactly the columns of the plan, in its order.
    fn exact(&mut self, rows: Rows, plan: &LogicalPlan, scope: &str) -> Result<Rows> {
        let mut rows = self.assign(rows, scope)?;
        if rows.slots.contains(&Slot::Now) {
            rows = self.with_now(rows, scope);
        }
        let schema = self.schema(rows.node, rows.port);
        let wanted: Vec<Slot> = (0..schema.fields().len()).map(Slot::Column).collect();
        if rows.slots == wanted {
            return Ok(rows);
        }
        let mut output = Output::new(schema);
        let mut slots = Vec::new();
        for (slot, field) in rows.slots.iter().zip(plan.schema().fields()) {
            if let Slot::Column(column) = slot {
                slots.push(Slot::Column(output.copy(*column, field.name())));
            }
        }
        let rows = Rows { late: Vec::new(), ..rows };
        Ok(self.project(rows, output, slots, &format!("{scope}.project")))
    }

    /// Adds an operator behind `rows`, in the same task.
    fn operator(
        &mut self,
        rows: &Rows,
        name: &str,
        spec: OperatorSpec,
        schema: SchemaRef,
    ) -> NodeId {
        let from = self.graph.node(rows.node);
        let (changelog, parallelism) = (from.changelog, from.parallelism);
        let node = self.graph.add(name, NodeKind::Operator(spec), schema, changelog);
        self.graph.nodes[node.0].parallelism = parallelism;
        self.graph.connect_port(rows.node, rows.port, node, Partitioning::Forward);
        node
    }

    /// Columns of an output of a node.
    fn schema(&self, node: NodeId, port: Port) -> SchemaRef {
        let found = self.graph.node(node);
        match (&found.kind, port) {
            (NodeKind::Operator(OperatorSpec::WindowAggregate(spec)), Port::LATE) => {
                Arc::clone(&spec.input)
            }
            _ => Arc::clone(&found.schema),
        }
    }

    /// An expression over a logical plan's columns as one over the node's.
    fn physical(
        &self,
        expr: &Expr,
        schema: &DFSchema,
        rows: &Rows,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let mut props = ExecutionProps::new();
        props.config_options = Some(Arc::clone(&self.session.config));
        let expr = create_physical_expr(expr, schema, &props, &Default::default())?;
        let columns = self.schema(rows.node, rows.port);
        let moved = expr.transform_up(|expr| {
            let any: &dyn std::any::Any = expr.as_ref();
            let slot = if let Some(column) = any.downcast_ref::<Column>() {
                Some(rows.slots[column.index()])
            } else if let Some(call) = any.downcast_ref::<ScalarFunctionExpr>()
                && proctime::is_function(call.fun())
            {
                rows.now.map(Slot::Column)
            } else {
                return Ok(Transformed::no(expr));
            };
            match slot {
                Some(Slot::Column(index)) => {
                    let column = Column::new(columns.field(index).name(), index);
                    Ok(Transformed::yes(Arc::new(column) as Arc<dyn PhysicalExpr>))
                }
                _ => internal_err!("windows and clocks come before what computes with them"),
            }
        })?;
        Ok(moved.data)
    }
}

impl Rows {
    /// Where the value of an expression is, if it is a column under whatever name, or PROCTIME().
    fn plain_slot(&self, expr: &Expr, schema: &DFSchema) -> Option<Slot> {
        match expr {
            Expr::Alias(alias) => self.plain_slot(&alias.expr, schema),
            expr if proctime::is_call(expr) => Some(self.now.map_or(Slot::Now, Slot::Column)),
            expr => plain_column(expr, schema).map(|column| self.slots[column]),
        }
    }

    /// The same rows; what was to be read off the clock is in column `now`.
    fn place_now(mut self, now: usize) -> Rows {
        for slot in &mut self.slots {
            if *slot == Slot::Now {
                *slot = Slot::Column(now);
            }
        }
        self
    }
}

/// The position of the column that an expression is, under whatever name.
fn plain_column(expr: &Expr, schema: &DFSchema) -> Option<usize> {
    match expr {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        Expr::Alias(alias) => plain_column(&alias.expr, schema),
        _ => None,
    }
}

/// The node's column that holds a column of the plan.
fn column_at(column: &LogicalColumn, schema: &DFSchema, rows: &Rows) -> Result<usize> {
    match rows.slots[schema.index_of_column(column)?] {
        Slot::Column(index) => Ok(index),
        _ => internal_err!("{column} is not computed yet"),
    }
}

/// The same columns, all of which may be null: what a plan knows of nulls holds for no batch.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), field.data_type().clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}
