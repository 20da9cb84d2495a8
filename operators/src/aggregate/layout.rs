//! What is constant about an aggregation, and the columns that a batch contributes to it.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, cast::AsArray};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Decimal128Type, Field};
use arrow::error::ArrowError;
use datafusion_common::plan_err;
use datafusion_physical_expr::PhysicalExpr;

use super::plan::AggregatePlan;
use crate::error::Result;
use crate::window::{AggregateSpec, WindowAggregateSpec};

/// Key types and aggregates of an aggregation; one for all its tables.
#[derive(Debug)]
pub struct AggregateLayout {
    keys: Vec<Field>,
    /// Expressions that aggregates need of a row, each once.
    inputs: Vec<Input>,
    /// Indexes into `inputs` of the different FILTER conditions.
    pub(super) filters: Vec<usize>,
    pub(super) aggregates: Vec<LaidOutAggregate>,
}

/// An expression over the input and the type in which it is wanted.
#[derive(Debug)]
struct Input {
    expr: Arc<dyn PhysicalExpr>,
    data_type: DataType,
}

/// One aggregate: how it is computed and where its columns are.
#[derive(Debug)]
pub(super) struct LaidOutAggregate {
    name: String,
    pub plan: AggregatePlan,
    /// Indexes into [`AggregateArgs::columns`].
    pub args: Vec<usize>,
    /// Index into [`AggregateLayout::filters`].
    pub filter: Option<usize>,
    /// Columns of the partial state.
    pub partials: Vec<Field>,
}

impl AggregateLayout {
    /// The layout of an aggregation. Fails if an aggregate cannot take the arguments it has.
    pub fn new(spec: &WindowAggregateSpec) -> Result<Self> {
        let mut layout = AggregateLayout {
            keys: spec.keys.iter().map(|&key| spec.input.field(key).clone()).collect(),
            inputs: Vec::new(),
            filters: Vec::new(),
            aggregates: Vec::new(),
        };
        for aggregate in &spec.aggregates {
            layout.add(aggregate, spec)?;
        }
        Ok(layout)
    }

    fn add(&mut self, aggregate: &AggregateSpec, spec: &WindowAggregateSpec) -> Result<()> {
        let plan = AggregatePlan::new(aggregate, &spec.input)?;
        let args = plan.args.iter().map(|(expr, to)| self.input(expr, to)).collect();
        let filter = match &aggregate.filter {
            None => None,
            Some(condition) if condition.data_type(&spec.input)? == DataType::Boolean => {
                let input = self.input(condition, &DataType::Boolean);
                Some(position_or_push(&mut self.filters, input))
            }
            Some(_) => return Ok(plan_err!("FILTER of {} is not a condition", aggregate.name)?),
        };
        // Named by what they are, not by where: state of another version of a query is read by name.
        let before = self.aggregates.iter().filter(|other| other.name == aggregate.name).count();
        let prefix = match before {
            0 => aggregate.name.clone(),
            before => format!("{}#{}", aggregate.name, before + 1),
        };
        let partials = plan.partial_fields()?.into_iter().map(|field| {
            let name = format!("{prefix}.{}", field.name());
            field.with_name(name)
        });
        let partials = partials.collect();
        let name = aggregate.name.clone();
        self.aggregates.push(LaidOutAggregate { name, plan, args, filter, partials });
        Ok(())
    }

    /// The index of an input, which aggregates share.
    fn input(&mut self, expr: &Arc<dyn PhysicalExpr>, data_type: &DataType) -> usize {
        let same =
            |input: &Input| input.expr.as_ref() == expr.as_ref() && input.data_type == *data_type;
        self.inputs.iter().position(same).unwrap_or_else(|| {
            self.inputs.push(Input { expr: expr.clone(), data_type: data_type.clone() });
            self.inputs.len() - 1
        })
    }

    /// The columns of a partial result: the keys, then the state of each aggregate, named
    /// `<aggregate>.<part>`; of several with the same name the later ones are
    /// `<aggregate>#<number>.<part>`. The parts of each function are described in `plan`.
    pub fn partial_fields(&self) -> Vec<Field> {
        let partials = self.aggregates.iter().flat_map(|aggregate| &aggregate.partials);
        self.keys.iter().chain(partials).cloned().collect()
    }

    /// Number of key columns.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// Types of the key columns.
    pub(super) fn key_types(&self) -> Vec<DataType> {
        self.keys.iter().map(|key| key.data_type().clone()).collect()
    }

    /// Computes what the aggregates need of a batch, in the schema of the spec's input. Fails where
    /// an expression does.
    pub fn evaluate_args(&self, rows: &RecordBatch) -> Result<AggregateArgs> {
        let columns = self.inputs.iter().map(|input| input.evaluate(rows));
        Ok(AggregateArgs { columns: columns.collect::<Result<_>>()?, rows: rows.num_rows() })
    }
}

impl Input {
    fn evaluate(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        let column = self.expr.evaluate(rows)?.into_array(rows.num_rows())?;
        match (column.data_type(), &self.data_type) {
            (from, to) if from == to => Ok(column),
            // Another precision is another name for the same numbers.
            (DataType::Decimal128(from, scale), DataType::Decimal128(to, other))
                if scale == other && from <= to =>
            {
                let numbers = column.as_primitive::<Decimal128Type>().clone();
                Ok(Arc::new(numbers.with_data_type(self.data_type.clone())))
            }
            (_, to) => Ok(cast(&column, to)?),
        }
    }
}

fn position_or_push(list: &mut Vec<usize>, item: usize) -> usize {
    list.iter().position(|&other| other == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

/// What the aggregates need of one batch: arguments and filters, computed once for all panes that
/// the batch's rows go to.
#[derive(Clone, Debug)]
pub struct AggregateArgs {
    pub(super) columns: Vec<ArrayRef>,
    pub(super) rows: usize,
}

/// Which rows of a batch to aggregate.
#[derive(Clone, Debug)]
pub enum Rows<'a> {
    /// All of them.
    All,
    /// A contiguous run; nothing is copied.
    Range(Range<usize>),
    /// These row numbers; their columns are gathered.
    Indices(&'a [u32]),
}

impl Rows<'_> {
    /// How many of `all` rows these are.
    pub fn count(&self, all: usize) -> usize {
        match self {
            Rows::All => all,
            Rows::Range(range) => range.len(),
            Rows::Indices(indices) => indices.len(),
        }
    }

    /// These rows of `columns`.
    pub(super) fn select(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        match self {
            Rows::All => Ok(columns.to_vec()),
            Rows::Range(range) => {
                Ok(columns.iter().map(|column| column.slice(range.start, range.len())).collect())
            }
            Rows::Indices(indices) => {
                let indices = UInt32Array::from(indices.to_vec());
                let taken = columns.iter().map(|column| take(column, &indices, None));
                Ok(taken.collect::<std::result::Result<_, ArrowError>>()?)
            }
        }
    }
}
