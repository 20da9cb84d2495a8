//! Values of several parts that meet: fields of rows go by position in Flink, whatever they are
//! called. DataFusion goes by name, so that values whose types differ are brought into a common one
//! before it looks at them.

use arrow::datatypes::DataType;
use datafusion_common::{Column, DFSchema, Result};
use datafusion_expr::expr::{Case, InList, ScalarFunction};
use datafusion_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Union};

use crate::functions::nested;

/// An expression whose parts of several parts have one type.
pub(crate) fn aligned(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { mut left, op, mut right }) => {
            align(&mut [&mut *left, &mut *right], schema)?;
            Expr::BinaryExpr(BinaryExpr { left, op, right })
        }
        Expr::InList(InList { mut expr, mut list, negated }) => {
            let mut all: Vec<&mut Expr> = list.iter_mut().collect();
            all.push(&mut *expr);
            align(&mut all, schema)?;
            Expr::InList(InList { expr, list, negated })
        }
        Expr::Case(Case { expr, mut when_then_expr, mut else_expr }) => {
            let mut all: Vec<&mut Expr> =
                when_then_expr.iter_mut().map(|(_, then)| &mut **then).collect();
            all.extend(else_expr.as_deref_mut());
            align(&mut all, schema)?;
            Expr::Case(Case { expr, when_then_expr, else_expr })
        }
        Expr::ScalarFunction(ScalarFunction { func, mut args }) => {
            let types = types(args.iter(), schema)?;
            // Functions that take parts say themselves what they want.
            if types.iter().any(DataType::is_nested)
                && let Ok(wanted) = func.coerce_types(&types)
            {
                for ((arg, from), to) in args.iter_mut().zip(&types).zip(&wanted) {
                    conform(arg, from, to);
                }
            }
            Expr::ScalarFunction(ScalarFunction { func, args })
        }
        other => other,
    })
}

/// Brings the expressions into one type, if they are of several parts and have one.
fn align(exprs: &mut [&mut Expr], schema: &DFSchema) -> Result<()> {
    let types = types(exprs.iter().map(|expr| &**expr), schema)?;
    if let Some(to) = common(&types) {
        for (expr, from) in exprs.iter_mut().zip(&types) {
            conform(expr, from, &to);
        }
    }
    Ok(())
}

/// A UNION ALL whose inputs have the same types where they are of several parts.
pub(crate) fn aligned_union(union: Union) -> Result<LogicalPlan> {
    let width = union.schema.fields().len();
    let type_of = |input: &LogicalPlan, column| input.schema().field(column).data_type().clone();
    let wanted: Vec<Option<DataType>> = (0..width)
        .map(|column| {
            let types = union.inputs.iter().map(|input| type_of(input, column));
            common(&types.collect::<Vec<_>>())
        })
        .collect();
    let mut inputs = Vec::with_capacity(union.inputs.len());
    for input in &union.inputs {
        let mut exprs = Vec::with_capacity(width);
        for ((qualifier, field), to) in input.schema().iter().zip(&wanted) {
            let mut expr = Expr::Column(Column::new(qualifier.cloned(), field.name()));
            if let Some(to) = to {
                conform(&mut expr, field.data_type(), to);
                expr = expr.alias_qualified(qualifier.cloned(), field.name());
            }
            exprs.push(expr);
        }
        let is_kept = wanted.iter().all(Option::is_none);
        inputs.push(match is_kept {
            true => input.clone(),
            false => {
                LogicalPlanBuilder::from(input.as_ref().clone()).project(exprs)?.build()?.into()
            }
        });
    }
    LogicalPlan::Union(Union { inputs, schema: union.schema }).recompute_schema()
}

fn types<'e>(exprs: impl Iterator<Item = &'e Expr>, schema: &DFSchema) -> Result<Vec<DataType>> {
    exprs.map(|expr| expr.get_type(schema)).collect()
}

/// The type to bring all of them into; none if there is nothing to do, or nothing that helps.
fn common(types: &[DataType]) -> Option<DataType> {
    let differ = types.windows(2).any(|pair| pair[0] != pair[1]);
    if differ && types.iter().any(DataType::is_nested) { nested::unify(types) } else { None }
}

fn conform(expr: &mut Expr, from: &DataType, to: &DataType) {
    if from != to && from.is_nested() && to.is_nested() {
        *expr = nested::conform(std::mem::take(expr), to.clone());
    }
}
