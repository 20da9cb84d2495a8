//! From an aggregate of the query to the accumulator that computes it.
//!
//! The partial state of each function is described in the head of its accumulator's file: `count`,
//! `fold` (SUM, MIN, MAX), `average`, `distinct`, `datafusion`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion_common::plan_err;
use datafusion_physical_expr::PhysicalExpr;

use super::accumulator::Accumulator;
use super::average::{AverageTypes, average};
use super::count::CountAccumulator;
use super::datafusion::DataFusionAggregate;
use super::distinct::{DistinctAccumulator, list_of};
use super::fold::{DecimalSumAccumulator, Fold, FoldAccumulator, Max, Min, Sum};
use crate::error::Result;
use crate::window::{AggregateFunction, AggregateSpec};

/// How one aggregate is computed.
#[derive(Clone, Debug)]
pub(super) struct AggregatePlan {
    kind: Kind,
    distinct: bool,
    /// The arguments and the type that each is cast to.
    pub args: Vec<(Arc<dyn PhysicalExpr>, DataType)>,
}

#[derive(Clone, Debug)]
enum Kind {
    Count,
    Sum(DataType),
    Min(DataType),
    Max(DataType),
    Average { sum: DataType, result: DataType },
    DataFusion(DataFusionAggregate),
}

impl AggregatePlan {
    /// Chooses the accumulator. Fails if the function does not take such arguments.
    pub fn new(spec: &AggregateSpec, input: &SchemaRef) -> Result<Self> {
        let types: Vec<DataType> = spec
            .args
            .iter()
            .map(|arg| arg.data_type(input))
            .collect::<std::result::Result<_, _>>()?;
        let kind = Kind::new(spec, &types, input)?;
        let args = match &kind {
            Kind::Count => spec.args.iter().cloned().zip(types).collect(),
            Kind::Sum(to) | Kind::Min(to) | Kind::Max(to) | Kind::Average { sum: to, .. } => {
                vec![(spec.args[0].clone(), to.clone())]
            }
            Kind::DataFusion(aggregate) => aggregate
                .args()
                .into_iter()
                .map(|arg| Ok((arg.clone(), arg.data_type(input)?)))
                .collect::<Result<_>>()?,
        };
        // The least of the different values is the least of all.
        let distinct = spec.distinct
            && !matches!(spec.function, AggregateFunction::Min | AggregateFunction::Max);
        if distinct && args.is_empty() {
            return Ok(plan_err!("DISTINCT needs an argument")?);
        }
        Ok(AggregatePlan { kind, distinct, args })
    }

    /// The columns of the partial state.
    pub fn partial_fields(&self) -> Result<Vec<Field>> {
        let nullable = |name: &str, data_type: &DataType| Field::new(name, data_type.clone(), true);
        if self.distinct {
            let lists = self.args.iter().enumerate();
            return Ok(lists
                .map(|(i, (_, data_type))| {
                    Field::new(format!("distinct{i}"), list_of(data_type), false)
                })
                .collect());
        }
        Ok(match &self.kind {
            Kind::Count => vec![Field::new("count", DataType::Int64, false)],
            Kind::Sum(data_type) => vec![nullable("sum", data_type)],
            Kind::Min(data_type) => vec![nullable("min", data_type)],
            Kind::Max(data_type) => vec![nullable("max", data_type)],
            Kind::Average { sum, .. } => {
                vec![nullable("sum", sum), Field::new("count", DataType::Int64, false)]
            }
            Kind::DataFusion(aggregate) => aggregate.state_fields()?,
        })
    }

    /// An accumulator without groups.
    pub fn build(&self) -> Result<Box<dyn Accumulator>> {
        let accumulator = self.kind.build()?;
        if !self.distinct {
            return Ok(accumulator);
        }
        let types = self.args.iter().map(|(_, data_type)| data_type.clone()).collect();
        Ok(Box::new(DistinctAccumulator::new(types, accumulator)?))
    }
}

impl Kind {
    fn new(spec: &AggregateSpec, types: &[DataType], input: &SchemaRef) -> Result<Self> {
        let result = &spec.data_type;
        match &spec.function {
            AggregateFunction::Count => return Ok(Kind::Count),
            AggregateFunction::Udaf(function) => {
                let aggregate = DataFusionAggregate::new(function, &spec.args, input, result)?;
                return Ok(Kind::DataFusion(aggregate));
            }
            _ => {}
        }
        let [argument] = types else {
            return Ok(plan_err!("{:?} takes one argument, not {}", spec.function, types.len())?);
        };
        match &spec.function {
            AggregateFunction::Sum if is_summable(result) => Ok(Kind::Sum(result.clone())),
            AggregateFunction::Avg => Kind::average(argument, result),
            AggregateFunction::Min if fold::<Min>(result).is_some() => {
                Ok(Kind::Min(result.clone()))
            }
            AggregateFunction::Max if fold::<Max>(result).is_some() => {
                Ok(Kind::Max(result.clone()))
            }
            AggregateFunction::Min => {
                Ok(Kind::DataFusion(DataFusionAggregate::min(&spec.args, input, result)?))
            }
            AggregateFunction::Max => {
                Ok(Kind::DataFusion(DataFusionAggregate::max(&spec.args, input, result)?))
            }
            other => Ok(plan_err!("{other:?} does not take {argument}")?),
        }
    }

    fn average(argument: &DataType, result: &DataType) -> Result<Self> {
        let sum = match (argument, result) {
            (DataType::Decimal128(_, scale), DataType::Decimal128(..)) => {
                DataType::Decimal128(38, *scale)
            }
            (argument, result) if argument.is_integer() && result.is_integer() => DataType::Int64,
            (argument, result) if argument.is_numeric() && !result.is_decimal() => {
                DataType::Float64
            }
            _ => return Ok(plan_err!("AVG of {argument} cannot be {result}")?),
        };
        Ok(Kind::Average { sum, result: result.clone() })
    }

    fn build(&self) -> Result<Box<dyn Accumulator>> {
        let folds = match self {
            Kind::Count => return Ok(Box::new(CountAccumulator::default())),
            Kind::Average { sum, result } => {
                return Ok(average(AverageTypes { sum: sum.clone(), result: result.clone() }));
            }
            Kind::DataFusion(aggregate) => return aggregate.build(),
            Kind::Sum(data_type @ DataType::Decimal128(..)) => {
                return Ok(Box::new(DecimalSumAccumulator::new(data_type.clone())));
            }
            Kind::Sum(data_type) => fold::<Sum>(data_type),
            Kind::Min(data_type) => fold::<Min>(data_type),
            Kind::Max(data_type) => fold::<Max>(data_type),
        };
        Ok(folds.expect("the kind is chosen for types that have a fold"))
    }
}

fn is_summable(data_type: &DataType) -> bool {
    let folds = data_type.is_integer() || data_type.is_floating();
    (folds && *data_type != DataType::Float16) || matches!(data_type, DataType::Decimal128(..))
}

/// The fold `F` over the native values of a type, if it is of fixed width and ordered as they are.
fn fold<F>(data_type: &DataType) -> Option<Box<dyn Accumulator>>
where
    F: Fold<i8> + Fold<i16> + Fold<i32> + Fold<i64> + Fold<i128> + 'static,
    F: Fold<u8> + Fold<u16> + Fold<u32> + Fold<u64> + Fold<f32> + Fold<f64>,
{
    use DataType::*;
    let of = data_type.clone();
    Some(match data_type {
        Int8 => Box::new(FoldAccumulator::<i8, F>::new(of)),
        Int16 => Box::new(FoldAccumulator::<i16, F>::new(of)),
        Int32 | Date32 | Time32(_) | Decimal32(..) => Box::new(FoldAccumulator::<i32, F>::new(of)),
        Int64 | Date64 | Time64(_) | Timestamp(..) | Duration(_) | Decimal64(..) => {
            Box::new(FoldAccumulator::<i64, F>::new(of))
        }
        Decimal128(..) => Box::new(FoldAccumulator::<i128, F>::new(of)),
        UInt8 => Box::new(FoldAccumulator::<u8, F>::new(of)),
        UInt16 => Box::new(FoldAccumulator::<u16, F>::new(of)),
        UInt32 => Box::new(FoldAccumulator::<u32, F>::new(of)),
        UInt64 => Box::new(FoldAccumulator::<u64, F>::new(of)),
        Float32 => Box::new(FoldAccumulator::<f32, F>::new(of)),
        Float64 => Box::new(FoldAccumulator::<f64, F>::new(of)),
        _ => return None,
    })
}
