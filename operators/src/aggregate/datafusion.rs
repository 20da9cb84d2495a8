//! DataFusion's aggregate functions as accumulators; the one file that knows them.
//!
//! They serve what this folder does not do itself: any other function (STDDEV, APPROX_…, ARRAY_AGG)
//! and MIN/MAX over booleans, strings and bytes. Partial state: whatever columns the function's
//! `state_fields` name. These accumulators can only be read by emptying them.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, new_empty_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion_common::DataFusionError;
use datafusion_expr::type_coercion::functions::fields_with_udf;
use datafusion_expr::{AggregateUDF, EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::GroupsAccumulatorAdapter;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion_physical_expr::expressions;

use super::accumulator::{Accumulator, GroupIds, Groups};
use crate::error::Result;

/// An aggregate function with its arguments: makes accumulators.
#[derive(Clone, Debug)]
pub(super) struct DataFusionAggregate {
    expr: Arc<AggregateFunctionExpr>,
    result: DataType,
}

impl DataFusionAggregate {
    /// `function` over `args`, which are cast to types that the function knows. Fails if there are
    /// none, or an argument that must be constant is not.
    pub fn new(
        function: &Arc<AggregateUDF>,
        args: &[Arc<dyn PhysicalExpr>],
        input: &Arc<Schema>,
        result: &DataType,
    ) -> Result<Self> {
        let fields: Vec<FieldRef> = args
            .iter()
            .map(|arg| arg.return_field(input))
            .collect::<std::result::Result<_, _>>()?;
        let fields = fields_with_udf(&fields, function.as_ref())?;
        let args = args
            .iter()
            .zip(&fields)
            .map(|(arg, to)| expressions::cast(arg.clone(), input, to.data_type().clone()))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let expr = AggregateExprBuilder::new(function.clone(), args)
            .schema(input.clone())
            .alias(function.name())
            .build()?;
        let aggregate = DataFusionAggregate { expr: Arc::new(expr), result: result.clone() };
        // What is wrong with the arguments shows here, before any row.
        aggregate.groups_accumulator()?;
        aggregate.expr.create_accumulator()?;
        Ok(aggregate)
    }

    /// MIN over a type without a fold of its own.
    pub fn min(
        args: &[Arc<dyn PhysicalExpr>],
        input: &Arc<Schema>,
        result: &DataType,
    ) -> Result<Self> {
        Self::new(&min_udaf(), args, input, result)
    }

    /// MAX over a type without a fold of its own.
    pub fn max(
        args: &[Arc<dyn PhysicalExpr>],
        input: &Arc<Schema>,
        result: &DataType,
    ) -> Result<Self> {
        Self::new(&max_udaf(), args, input, result)
    }

    /// The arguments, cast.
    pub fn args(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        self.expr.expressions()
    }

    /// The columns of the partial state.
    pub fn state_fields(&self) -> Result<Vec<Field>> {
        Ok(self.expr.state_fields()?.iter().map(|field| field.as_ref().clone()).collect())
    }

    /// An accumulator without groups.
    pub fn build(&self) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(DataFusionAccumulator {
            groups: self.groups_accumulator()?,
            aggregate: self.clone(),
            ids: Vec::new(),
        }))
    }

    fn groups_accumulator(&self) -> Result<Box<dyn GroupsAccumulator>> {
        if self.expr.groups_accumulator_supported() {
            return Ok(self.expr.create_groups_accumulator()?);
        }
        let expr = self.expr.clone();
        Ok(Box::new(GroupsAccumulatorAdapter::new(move || expr.create_accumulator())))
    }
}

/// A DataFusion aggregate of all groups.
struct DataFusionAccumulator {
    // PROPERTIES
    aggregate: DataFusionAggregate,
    // STATE
    groups: Box<dyn GroupsAccumulator>,
    /// Group ids of the current batch, as wide as DataFusion wants them.
    ids: Vec<usize>,
}

impl DataFusionAccumulator {
    fn widen(&mut self, groups: &Groups<'_>) {
        self.ids.clear();
        match groups.ids {
            GroupIds::Each(ids) => self.ids.extend(ids.iter().map(|&id| id as usize)),
            GroupIds::Global(rows) => self.ids.resize(rows, 0),
        }
    }

    /// Replaces the emptied accumulator: not every one of them survives an `EmitTo::All`.
    fn renew(&mut self) -> Result<()> {
        self.groups = self.aggregate.groups_accumulator()?;
        Ok(())
    }
}

/// An accumulator that returns another number of groups than it was told of is a bug of its.
fn check_rows(column: ArrayRef, groups: usize) -> Result<ArrayRef> {
    if column.len() == groups {
        return Ok(column);
    }
    let message = format!("an aggregate returned {} of {groups} groups", column.len());
    Err(DataFusionError::Internal(message).into())
}

impl Accumulator for DataFusionAccumulator {
    fn update(&mut self, groups: &Groups<'_>, args: &[ArrayRef]) -> Result<()> {
        self.widen(groups);
        // Without a filter DataFusion takes it that each new group has a row. Where that is not so
        // a filter that all rows pass makes it look.
        let all = (!groups.covers_new)
            .then(|| BooleanArray::new(BooleanBuffer::new_set(groups.rows()), None));
        self.groups.update_batch(args, &self.ids, all.as_ref(), groups.total)?;
        Ok(())
    }

    fn merge(&mut self, groups: &Groups<'_>, partials: &[ArrayRef]) -> Result<()> {
        self.widen(groups);
        self.groups.merge_batch(partials, &self.ids, groups.total)?;
        Ok(())
    }

    fn take_partials(&mut self, groups: usize) -> Result<Vec<ArrayRef>> {
        // Not every one of them can say what no groups look like.
        if groups == 0 {
            let fields = self.aggregate.state_fields()?;
            return Ok(fields.iter().map(|field| new_empty_array(field.data_type())).collect());
        }
        let partials = self.groups.state(EmitTo::All)?;
        self.renew()?;
        partials.into_iter().map(|column| check_rows(column, groups)).collect()
    }

    fn take_result(&mut self, groups: usize) -> Result<ArrayRef> {
        if groups == 0 {
            return Ok(new_empty_array(&self.aggregate.result));
        }
        let result = self.groups.evaluate(EmitTo::All)?;
        self.renew()?;
        let result = check_rows(result, groups)?;
        if result.data_type() == &self.aggregate.result {
            return Ok(result);
        }
        Ok(cast(&result, &self.aggregate.result)?)
    }

    fn bytes(&self) -> usize {
        self.groups.size() + self.ids.capacity() * size_of::<usize>()
    }
}
