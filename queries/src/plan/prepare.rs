//! Small changes to a query's AST, so that DataFusion reads it as Flink does.
//!
//! - A column that is neither a plain name nor given one is called `EXPR$0`, `EXPR$1`, … by its
//!   place.
//! - A plain name that is selected twice gets a number the second time: `a`, `a0`.
//! - SUBSTRING is the function SUBSTR.
//! - A number with an exponent is a DOUBLE; all others are exact.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, Query, Select, SelectItem, SetExpr,
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
        if let Expr::Substring { expr: text, substring_from, substring_for, .. } = expr {
            let parts = [Some(text.clone()), substring_from.clone(), substring_for.clone()];
            let args = parts.into_iter().flatten().map(|part| *part).collect();
            *expr = call("SUBSTR", args);
        }
        ControlFlow::Continue(())
    });
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    let unnamed = |arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg));
    let list = FunctionArgumentList {
        duplicate_treatment: None,
        args: args.into_iter().map(unnamed).collect(),
        clauses: Vec::new(),
    };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
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
    let given = select.projection.iter().filter_map(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    });
    let mut taken: BTreeSet<String> = given.collect();
    for (position, item) in select.projection.iter_mut().enumerate() {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        let name = match &*expr {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        let alias = match name {
            Some(name) if taken.insert(name.value.clone()) => continue,
            Some(name) => {
                let numbered = |number: usize| format!("{}{number}", name.value);
                (0..).map(numbered).find(|name| taken.insert(name.clone()))
            }
            None => Some(format!("EXPR${position}")),
        };
        let alias = Ident::new(alias.unwrap_or_default());
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
    }
}
