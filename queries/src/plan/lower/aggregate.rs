//! GROUP BY over windows: one node, or two with an exchange by key between them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion_common::{Result, internal_err};
use datafusion_expr::expr::AggregateFunction as LogicalCall;
use datafusion_expr::{Aggregate, Expr};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, cast};
use millstream_operators::OperatorSpec;
use millstream_operators::graph::{Changelog, NodeId, NodeKind, Partitioning, Port};
use millstream_operators::window::{
    AggregateSpec, Emission, WindowAggregateSpec, WindowColumn, WindowTime,
};

use super::{Lowering, Output, Rows, Slot, plain_column};
use crate::functions::aggregate::{self as functions, Kind};
use crate::plan::roles::{self, Role};

/// What an expression of GROUP BY is.
enum Group {
    /// A window column.
    Window(WindowColumn),
    /// A key: where it is in the node.
    Key(usize),
}

impl Lowering<'_> {
    /// The rows of a windowed aggregation.
    pub(super) fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        emission: Emission,
        scope: &str,
    ) -> Result<Rows> {
        let input = &aggregate.input;
        let rows = self.plan(input, scope)?;
        let computed =
            aggregate.group_expr.iter().filter(|e| plain_column(e, input.schema()).is_none());
        let computed: Vec<&Expr> = computed.chain(&aggregate.aggr_expr).collect();
        let mut rows = self.ready_for(rows, input, computed, scope)?;
        let mut keys = aggregate.group_expr.iter().filter_map(|e| plain_column(e, input.schema()));
        if keys.any(|key| rows.slots[key] == Slot::Now) {
            rows = self.with_now(rows, scope);
        }
        let rows = self.with_keys(rows, aggregate, scope)?;
        let groups = self.groups(aggregate, &rows)?;
        let time = window_time(aggregate, &rows)?;
        let mut keys = Vec::new();
        let mut output = Vec::new();
        for group in groups {
            output.push(match group {
                Group::Window(column) => column,
                Group::Key(column) => {
                    keys.push(column);
                    WindowColumn::Key(keys.len() - 1)
                }
            });
        }
        let aggregates = self.calls(aggregate, &rows)?;
        output.extend((0..aggregates.len()).map(WindowColumn::Aggregate));
        let spec = WindowAggregateSpec {
            time,
            keys,
            aggregates,
            output,
            input: self.schema(rows.node, rows.port),
            emission,
        };
        let schema = result_schema(aggregate, &spec);
        let node = self.stages(&rows, spec, &schema, scope)?;
        let results = Rows::of(node, schema.fields().len());
        self.with_types(results, aggregate, scope)
    }

    /// Computes keys that are expressions, so that all keys are columns of the node. They stand
    /// behind the columns of the plan in `slots`, in the order of GROUP BY.
    fn with_keys(&mut self, rows: Rows, aggregate: &Aggregate, scope: &str) -> Result<Rows> {
        let schema = aggregate.input.schema();
        let computed: Vec<&Expr> =
            aggregate.group_expr.iter().filter(|key| plain_column(key, schema).is_none()).collect();
        if computed.is_empty() {
            return Ok(rows);
        }
        let mut output = Output::new(self.schema(rows.node, rows.port));
        let mut slots: Vec<Slot> = rows
            .slots
            .iter()
            .map(|slot| match slot {
                Slot::Column(column) => Slot::Column(output.pass(*column, None)),
                window => *window,
            })
            .collect();
        for key in computed {
            let value = self.physical(key, schema, &rows)?;
            let data_type = value.data_type(&self.schema(rows.node, rows.port))?;
            slots.push(Slot::Column(output.compute(
                &functions::unqualified(&key.clone().unalias()),
                value,
                data_type,
            )));
        }
        Ok(self.project(rows, output, slots, &format!("{scope}.keys")))
    }

    fn groups(&self, aggregate: &Aggregate, rows: &Rows) -> Result<Vec<Group>> {
        let schema = aggregate.input.schema();
        let roles = roles::roles(&aggregate.input);
        let mut computed = schema.fields().len();
        let mut groups = Vec::new();
        for key in &aggregate.group_expr {
            let (slot, role) = match plain_column(key, schema) {
                Some(column) => (rows.slots[column], roles[column].clone()),
                None => {
                    computed += 1;
                    (rows.slots[computed - 1], Role::Plain)
                }
            };
            groups.push(match (slot, role) {
                (Slot::Start, _) | (_, Role::WindowStart(_)) => Group::Window(WindowColumn::Start),
                (Slot::End, _) | (_, Role::WindowEnd(_)) => Group::Window(WindowColumn::End),
                (Slot::Time, _) | (_, Role::WindowTime(_)) => Group::Window(WindowColumn::Time),
                (Slot::Column(column), _) => Group::Key(column),
                (Slot::Now, _) => return internal_err!("the clock is read before keys"),
            });
        }
        Ok(groups)
    }

    fn calls(&self, aggregate: &Aggregate, rows: &Rows) -> Result<Vec<AggregateSpec>> {
        let first = aggregate.group_expr.len();
        let mut calls = Vec::new();
        for (position, expr) in aggregate.aggr_expr.iter().enumerate() {
            let Expr::AggregateFunction(call) = expr.clone().unalias() else {
                return internal_err!("{expr} is no aggregate");
            };
            let field = aggregate.schema.field(first + position);
            calls.push(self.call(&call, field, aggregate, rows)?);
        }
        Ok(calls)
    }

    fn call(
        &self,
        call: &LogicalCall,
        field: &Field,
        plan: &Aggregate,
        rows: &Rows,
    ) -> Result<AggregateSpec> {
        let schema = plan.input.schema();
        let kind = functions::kind(&call.func);
        let lowered = functions::lower_call(call, field.data_type());
        let mut args: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
        for arg in &call.params.args {
            args.push(self.physical(arg, schema, rows)?);
        }
        if kind == Some(Kind::Count)
            && !call.params.distinct
            && matches!(call.params.args.as_slice(), [Expr::Literal(value, _)] if !value.is_null())
        {
            args.clear();
        }
        // The accuracy of APPROX_PERCENTILE is a hint that our sketch does not need.
        if kind == Some(Kind::ApproxPercentile) {
            args.truncate(2);
        }
        if let (Some(data_type), Some(first)) = (lowered.argument_type, args.first_mut()) {
            let columns = self.schema(rows.node, rows.port);
            *first = cast(Arc::clone(first), &columns, data_type)?;
        }
        let filter = match &call.params.filter {
            Some(filter) => Some(self.physical(filter, schema, rows)?),
            None => None,
        };
        Ok(AggregateSpec {
            name: functions::shown(call),
            function: lowered.function,
            args,
            filter,
            distinct: call.params.distinct,
            data_type: lowered.returns,
        })
    }

    /// Adds the node or nodes; returns the one with the results.
    fn stages(
        &mut self,
        rows: &Rows,
        spec: WindowAggregateSpec,
        schema: &SchemaRef,
        scope: &str,
    ) -> Result<NodeId> {
        let name = format!("{scope}.window");
        let is_attached = matches!(spec.time, WindowTime::Attached { .. });
        let is_parallel = self.parallelism_of(rows.node) > 1;
        // Rows that have their windows are few, late rows must be whole, and updates are to be known
        // at once: one stage for all three.
        let is_final = spec.emission.is_final();
        if is_parallel && !is_attached && is_final && rows.late.is_empty() {
            let partial = spec
                .partial_schema()
                .map_err(|e| datafusion_common::DataFusionError::External(e.into()))?;
            let keys = spec.partial_keys();
            let local = OperatorSpec::LocalWindowAggregate(spec.clone());
            let local = self.operator(rows, &format!("{name}.local"), local, partial);
            let kind = NodeKind::Operator(OperatorSpec::GlobalWindowAggregate(spec));
            return Ok(self.exchange((local, Port::MAIN), keys, &name, kind, schema));
        }
        let (keys, late) = (spec.keys.clone(), rows.late.clone());
        let kind = OperatorSpec::WindowAggregate(spec);
        let node = if is_parallel {
            self.exchange((rows.node, rows.port), keys, &name, NodeKind::Operator(kind), schema)
        } else {
            self.operator(rows, &name, kind, Arc::clone(schema))
        };
        if !is_final {
            self.graph.nodes[node.0].changelog = Changelog::Retract;
        }
        if !late.is_empty() {
            self.late = Some((node, late));
        }
        Ok(node)
    }

    /// Adds a node behind an exchange by these columns, or to a single subtask without any.
    fn exchange(
        &mut self,
        from: (NodeId, Port),
        keys: Vec<usize>,
        name: &str,
        kind: NodeKind,
        schema: &SchemaRef,
    ) -> NodeId {
        let node = self.graph.add(name, kind, Arc::clone(schema), Changelog::Append);
        let partitioning = if keys.is_empty() {
            self.graph.nodes[node.0].parallelism = Some(1);
            Partitioning::Single
        } else {
            Partitioning::Hash(keys)
        };
        self.graph.connect_port(from.0, from.1, node, partitioning);
        node
    }

    /// Casts results whose implementation returns another type than Flink.
    fn with_types(&mut self, rows: Rows, aggregate: &Aggregate, scope: &str) -> Result<Rows> {
        let schema = self.schema(rows.node, rows.port);
        let wanted = aggregate.schema.fields();
        if schema
            .fields()
            .iter()
            .zip(wanted)
            .all(|(have, want)| have.data_type() == want.data_type())
        {
            return Ok(rows);
        }
        let mut output = Output::new(Arc::clone(&schema));
        let mut slots = Vec::new();
        for (column, want) in wanted.iter().enumerate() {
            let value: Arc<dyn PhysicalExpr> =
                Arc::new(Column::new(schema.field(column).name(), column));
            let value = cast(value, &schema, want.data_type().clone())?;
            let name = schema.field(column).name();
            slots.push(Slot::Column(output.compute(name, value, want.data_type().clone())));
        }
        Ok(self.project(rows, output, slots, &format!("{scope}.project")))
    }
}

/// Where rows have their windows from.
fn window_time(aggregate: &Aggregate, rows: &Rows) -> Result<WindowTime> {
    if let Some(pending) = &rows.pending {
        return Ok(WindowTime::Assign {
            windows: pending.windows.0,
            column: pending.column,
            zone: pending.zone.clone(),
            is_processing: pending.is_processing,
        });
    }
    let (mut start, mut end, mut zone, mut is_processing) = (None, None, None, false);
    let roles = roles::roles(&aggregate.input);
    for key in &aggregate.group_expr {
        let Some(column) = plain_column(key, aggregate.input.schema()) else { continue };
        let Slot::Column(place) = rows.slots[column] else { continue };
        match &roles[column] {
            Role::WindowStart(window) => {
                (start, zone) = (Some(place), window.zone.clone());
                is_processing = window.is_processing;
            }
            Role::WindowEnd(_) => end = Some(place),
            _ => {}
        }
    }
    match (start, end) {
        (Some(start), Some(end)) => Ok(WindowTime::Attached { start, end, zone, is_processing }),
        _ => internal_err!("aggregations without a window are refused before"),
    }
}

/// Columns of the results: the plan's names, the implementation's types.
fn result_schema(aggregate: &Aggregate, spec: &WindowAggregateSpec) -> SchemaRef {
    let fields = aggregate.schema.fields().iter().zip(&spec.output).map(|(field, column)| {
        let own = field.data_type().clone();
        let (name, data_type) = match column {
            WindowColumn::Start | WindowColumn::End => {
                (field.name(), DataType::Timestamp(TimeUnit::Millisecond, None))
            }
            WindowColumn::Aggregate(call) => {
                let call = &spec.aggregates[*call];
                (&call.name, call.data_type.clone())
            }
            WindowColumn::Key(key) => (spec.input.field(spec.keys[*key]).name(), own),
            WindowColumn::Time => (field.name(), own),
        };
        Field::new(name, data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}
