//! Small changes to a query's AST, so that DataFusion reads it as Flink does.
//!
//! - A column that is neither a plain name nor given one is called `EXPR$0`, `EXPR$1`, … by its
//!   place.
//! - A number with an exponent is a DOUBLE; all others are exact.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Ident, Query, Select, SelectItem, SetExpr,
    TableFactor, Value, visit_expressions_mut,
};

/// The query as DataFusion should read it.
pub(crate) fn query(mut query: Query) -> Query {
    exponents(&mut query);
    name_columns(&mut query);
    query
}

/// The expression as DataFusion should read it.
pub(crate) fn expression(mut expr: Expr) -> Expr {
    exponents(&mut expr);
    expr
}

fn exponents(node: &mut impl datafusion_sql::sqlparser::ast::VisitMut) {
    let _: ControlFlow<()> = visit_expressions_mut(node, |expr| {
        if let Expr::Value(value) = expr
            && let Value::Number(number, _) = &value.value
            && number.contains(['e', 'E'])
        {
            // Text, so that the number inside is not found again.
            let text = Expr::Value(Value::SingleQuotedString(number.clone()).with_span(value.span));
            *expr = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(text),
                data_type: DataType::Double(ExactNumberInfo::None),
                array: false,
                format: None,
            };
        }
        ControlFlow::Continue(())
    });
}

fn name_columns(query: &mut Query) {
    if let Some(with) = &mut query.with {
        with.cte_tables.iter_mut().for_each(|cte| name_columns(&mut cte.query));
    }
    name_in_body(&mut query.body);
}

fn name_in_body(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => name_in_select(select),
        SetExpr::Query(query) => name_columns(query),
        SetExpr::SetOperation { left, right, .. } => {
            name_in_body(left);
            name_in_body(right);
        }
        _ => {}
    }
}

fn name_in_select(select: &mut Select) {
    for from in &mut select.from {
        if let TableFactor::Derived { subquery, .. } = &mut from.relation {
            name_columns(subquery);
        }
    }
    for (position, item) in select.projection.iter_mut().enumerate() {
        if let SelectItem::UnnamedExpr(expr) = item
            && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        {
            let alias = Ident::new(format!("EXPR${position}"));
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
}
