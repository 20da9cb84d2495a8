//! `CROSS JOIN UNNEST(array | map) AS t (x, …)`: a row for each element.
//!
//! Such a join has no second relation: it appends columns to the first. [`join`] puts
//! `FROM t, UNNEST(…)` into brackets, so that the planner is given the join as one relation, and
//! [`relation`] makes of it a node over the first relation.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{DFSchema, DFSchemaRef, Result, TableReference, plan_err};
use datafusion_expr::planner::RelationPlannerContext;
use datafusion_expr::{
    Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNodeCore,
};
use datafusion_sql::sqlparser::ast::{
    self, Join, JoinConstraint, JoinOperator, Select, TableFactor, TableWithJoins,
};

use super::codes;
use super::error::{refuse, unsupported};
use crate::calls;
use crate::diagnostic::Diagnostic;
use crate::parse::span_of;
use crate::types::flink_name;

/// Column of WITH ORDINALITY.
const ORDINALITY: &str = "ORDINALITY";

/// A row for each element of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Unnest {
    /// The rows.
    pub input: LogicalPlan,
    /// The array or map, over the input.
    pub value: Expr,
    /// LEFT JOIN: rows without elements stay.
    pub keeps_empty: bool,
    /// WITH ORDINALITY.
    pub ordinality: bool,
    /// `AS alias`.
    alias: Option<TableReference>,
    /// `AS alias (names)`; empty if there are none.
    names: Vec<String>,
    schema: DFSchemaRef,
}

impl Unnest {
    /// The node with the columns that follow from the value's type.
    fn with(self, input: LogicalPlan, value: Expr) -> Result<Self> {
        let data_type = value.get_type(input.schema())?;
        let mut added = element_fields(&data_type, self.alias.as_ref()).map_err(refuse)?;
        if self.ordinality {
            added.push(Field::new(ORDINALITY, DataType::Int32, true));
        }
        if !self.names.is_empty() {
            if self.names.len() != added.len() {
                let (given, found) = (self.names.len(), added.len());
                let message = format!("UNNEST has {found} column(s), but {given} are named");
                let names: Vec<String> = added.iter().map(|f| format!("`{}`", f.name())).collect();
                return Err(refuse(
                    Diagnostic::error(codes::BAD_UNNEST, message)
                        .hint(format!("its columns are {}", names.join(", "))),
                ));
            }
            added = added.into_iter().zip(&self.names).map(|(f, name)| f.with_name(name)).collect();
        }
        let mut fields: Vec<(Option<TableReference>, Arc<Field>)> = input
            .schema()
            .iter()
            .map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)))
            .collect();
        fields.extend(added.into_iter().map(|field| (self.alias.clone(), Arc::new(field))));
        let metadata = input.schema().metadata().clone();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        Ok(Unnest { input, value, schema, ..self })
    }

    /// Columns of the input.
    fn width(&self) -> usize {
        self.input.schema().fields().len()
    }

    /// The columns that it appends.
    pub fn added(&self) -> impl Iterator<Item = &Arc<Field>> {
        self.schema.fields().iter().skip(self.width())
    }
}

/// True for the node.
pub(crate) fn is_unnest(extension: &Extension) -> bool {
    extension.node.as_any().is::<Unnest>()
}

/// The columns of an element: a ROW's fields, a map's key and value, or itself.
fn element_fields(
    data_type: &DataType,
    alias: Option<&TableReference>,
) -> std::result::Result<Vec<Field>, Diagnostic> {
    let all = |fields: &arrow::datatypes::Fields| {
        fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect()
    };
    match data_type {
        DataType::List(item) => Ok(match item.data_type() {
            DataType::Struct(fields) => all(fields),
            element => {
                // The alias of a single column is its name, too.
                let name = alias.map_or("EXPR$0", TableReference::table);
                vec![Field::new(name, element.clone(), true)]
            }
        }),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                let fields: Vec<Field> = all(fields);
                Ok(fields.into_iter().zip(["KEY", "VALUE"]).map(|(f, n)| f.with_name(n)).collect())
            }
            _ => Err(no_elements(data_type)),
        },
        _ => Err(no_elements(data_type)),
    }
}

fn no_elements(data_type: &DataType) -> Diagnostic {
    let message = format!("UNNEST takes an ARRAY or a MAP, not {}", flink_name(data_type));
    Diagnostic::error(codes::BAD_UNNEST, message)
}

impl PartialOrd for Unnest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        if self == other {
            Some(std::cmp::Ordering::Equal)
        } else {
            self.input.partial_cmp(&other.input)
        }
    }
}

impl UserDefinedLogicalNodeCore for Unnest {
    fn name(&self) -> &str {
        "Unnest"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![self.value.clone()]
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        // By name alone: a column of the input that has the name of an element's stays above, too.
        self.added().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unnest: {}", self.value)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match (exprs.into_iter().next(), inputs.into_iter().next()) {
            (Some(value), Some(input)) => self.clone().with(input, value),
            _ => plan_err!("UNNEST has one input and one value"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let passed = output_columns.iter().copied().filter(|column| *column < self.width());
        let used = self.value.column_refs();
        let used = used.into_iter().filter_map(|column| input.maybe_index_of_column(column));
        let mut needed: Vec<usize> = passed.chain(used).collect();
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}

/// Puts joins with UNNEST into brackets, and makes joins of what is written with commas.
pub(crate) fn join(select: &mut Select) {
    let mut tables: Vec<TableWithJoins> = Vec::new();
    for table in std::mem::take(&mut select.from) {
        match tables.last_mut() {
            Some(last) if calls::is_unnest(&table.relation) => {
                last.joins.push(Join {
                    relation: table.relation,
                    global: false,
                    join_operator: JoinOperator::CrossJoin(JoinConstraint::None),
                });
                last.joins.extend(table.joins);
            }
            _ => tables.push(table),
        }
    }
    for table in &mut tables {
        if !table.joins.is_empty() && table.joins.iter().all(|j| calls::is_unnest(&j.relation)) {
            let inner =
                std::mem::replace(table, TableWithJoins { relation: nothing(), joins: vec![] });
            table.relation =
                TableFactor::NestedJoin { table_with_joins: Box::new(inner), alias: None };
        }
    }
    select.from = tables;
}

/// Stands in the place of a relation while it is moved.
fn nothing() -> TableFactor {
    TableFactor::TableFunction {
        expr: ast::Expr::Value(ast::Value::Null.with_empty_span()),
        alias: None,
    }
}

/// Whether a join with UNNEST keeps rows without elements.
///
/// # Errors
/// If it is another kind of join, or has a condition other than TRUE.
pub(crate) fn keeps_rows(join: &Join) -> std::result::Result<bool, Diagnostic> {
    let place = || span_of(&join.relation);
    let (keeps, constraint) = match &join.join_operator {
        JoinOperator::CrossJoin(constraint)
        | JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint) => (false, constraint),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (true, constraint),
        _ => {
            let hint = "write CROSS JOIN UNNEST(…), or LEFT JOIN UNNEST(…) AS t (x) ON TRUE";
            return Err(unsupported("this join with UNNEST", place(), hint));
        }
    };
    let is_true = |expr: &ast::Expr| match expr {
        ast::Expr::Value(value) => value.value == ast::Value::Boolean(true),
        _ => false,
    };
    match constraint {
        JoinConstraint::None => Ok(keeps),
        JoinConstraint::On(condition) if is_true(condition) => Ok(keeps),
        JoinConstraint::On(condition) => Err(unsupported(
            "a join with UNNEST on a condition",
            span_of(condition).or(place()),
            "write ON TRUE, and the condition into WHERE",
        )),
        _ => Err(unsupported("USING with UNNEST", place(), "write ON TRUE")),
    }
}

/// The plan of a relation with UNNEST; the relation itself if it is none.
pub(crate) fn relation(
    relation: &TableFactor,
    context: &mut dyn RelationPlannerContext,
) -> Result<Option<LogicalPlan>> {
    if calls::is_unnest(relation) {
        let row = LogicalPlanBuilder::empty(true).build()?;
        return element_rows(row, relation, false, context).map(Some);
    }
    let TableFactor::NestedJoin { table_with_joins, .. } = relation else { return Ok(None) };
    let joins = &table_with_joins.joins;
    if joins.is_empty() || !joins.iter().all(|join| calls::is_unnest(&join.relation)) {
        return Ok(None);
    }
    let mut plan = context.plan(table_with_joins.relation.clone())?;
    for join in joins {
        let keeps_empty = keeps_rows(join).map_err(refuse)?;
        plan = element_rows(plan, &join.relation, keeps_empty, context)?;
    }
    Ok(Some(plan))
}

/// The rows of `input` with the elements of the call's argument.
fn element_rows(
    input: LogicalPlan,
    call: &TableFactor,
    keeps_empty: bool,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let place = span_of(call);
    let failed = |diagnostic: Diagnostic| refuse(diagnostic.at_if_known(place.clone()));
    let argument = calls::relation_call(call).and_then(|call| match call.args {
        [argument] => calls::argument_expr(argument).cloned(),
        _ => None,
    });
    let TableFactor::Table { alias, with_ordinality, .. } = call else {
        return plan_err!("UNNEST is called like a table");
    };
    let Some(argument) = argument else {
        let diagnostic = Diagnostic::error(codes::BAD_UNNEST, "UNNEST takes one ARRAY or MAP");
        return Err(failed(diagnostic.hint("write UNNEST(t.items) AS i (item)")));
    };
    let value = context.sql_to_expr(argument, input.schema())?;
    let alias = alias.as_ref();
    let names = alias.map_or(&[][..], |alias| alias.columns.as_slice());
    let node = Unnest {
        input: input.clone(),
        value: value.clone(),
        keeps_empty,
        ordinality: *with_ordinality,
        alias: alias.map(|alias| TableReference::bare(alias.name.value.as_str())),
        names: names.iter().map(|column| column.name.value.clone()).collect(),
        schema: Arc::clone(input.schema()),
    };
    let node = node.with(input, value).map_err(|error| match error {
        datafusion_common::DataFusionError::External(inner) => {
            match inner.downcast::<super::error::Refusal>() {
                Ok(refusal) => failed(refusal.0),
                Err(inner) => datafusion_common::DataFusionError::External(inner),
            }
        }
        other => other,
    })?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}
