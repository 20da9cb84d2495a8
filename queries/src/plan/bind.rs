//! From AST to typed logical plan: DataFusion's SQL planner over our names, then Flink's types,
//! then the checks that need both.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, DataFusionError, Result, SchemaError};
use datafusion_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, Projection};
use datafusion_sql::planner::{PlannerContext, SqlToRel};
use datafusion_sql::sqlparser::ast;

use super::check;
use super::codes;
use super::context::{Context, Session};
use super::culprit;
use super::error::{Names, diagnose};
use super::{group_window, grouping, prepare, refuse, typing, window_result};
use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::parse::span_of;

/// Binds queries and expressions against a catalog.
pub(crate) struct Binder {
    session: Arc<Session>,
    context: Context,
    names: Names,
}

impl Binder {
    /// A binder for the names of this catalog.
    pub fn new(session: &Arc<Session>, catalog: &Arc<Catalog>) -> Self {
        let functions = &session.functions;
        let functions = [functions.scalar_names(), functions.aggregate_names()].concat();
        let names = Names { tables: catalog.names(), functions };
        Binder { session: Arc::clone(session), context: Context::new(session, catalog), names }
    }

    /// The session's time zone.
    pub fn zone(&self) -> &str {
        &self.session.zone
    }

    /// The typed plan of a query.
    ///
    /// # Errors
    /// What is wrong with it, with a place.
    pub fn query(&self, query: &ast::Query) -> std::result::Result<LogicalPlan, Diagnostic> {
        refuse::query(query)?;
        let mut prepared = group_window::rewrite(prepare::query(query.clone()))?;
        // EMIT, which the caller sees to.
        prepared.settings = None;
        self.plan(&prepared).map_err(|error| {
            let diagnostic = diagnose(&error, &self.names);
            self.with_place(diagnostic, &prepared, span_of(query))
        })
    }

    /// What else is wrong with a query whose first mistake this is: mistakes that would stay if the
    /// first were mended, each once.
    pub fn other_mistakes(&self, query: &ast::Query, first: &Diagnostic) -> Vec<Diagnostic> {
        if !is_local(first) {
            return Vec::new();
        }
        let mut found = vec![first.clone()];
        let mistake = |part: &ast::Query| self.query(part).err();
        for mistake in culprit::separate(query, &mistake) {
            let is_new = |known: &Diagnostic| known.span != mistake.span;
            if is_local(&mistake) && mistake.span.is_some() && found.iter().all(is_new) {
                found.push(mistake);
            }
        }
        found.split_off(1)
    }

    /// The place is the error's own, or else that of the smallest part that brings it about.
    fn with_place(&self, found: Diagnostic, query: &ast::Query, all: Option<Span>) -> Diagnostic {
        // The name is the last in backquotes before any words.
        let name = found.message.split('`').rev().nth(1).unwrap_or_default().to_owned();
        let alias = match found.code {
            codes::UNKNOWN_COLUMN => culprit::alias(query, &name),
            _ => None,
        };
        let found = match alias {
            Some(expr) => found.hint(format!(
                "the name `{name}` is given only after WHERE: write {expr} again, or a subquery"
            )),
            None => found,
        };
        if found.span.is_some() {
            return found;
        }
        let fails = |query: &ast::Query| self.plan(query).is_err();
        let span = match found.code {
            codes::UNKNOWN_COLUMN | codes::AMBIGUOUS_COLUMN => {
                culprit::column(query, &name).or_else(|| culprit::find(query, &fails))
            }
            // The column may stand inside of an aggregate, too, where it is right.
            codes::NOT_GROUPED => {
                culprit::find(query, &fails).or_else(|| culprit::column(query, &name))
            }
            _ => culprit::find(query, &fails),
        };
        found.at_if_known(span).at_if_known(all)
    }

    fn plan(&self, query: &ast::Query) -> Result<LogicalPlan> {
        self.plan_as_written(query).or_else(|error| {
            if !is_about_names(&error) {
                return Err(error);
            }
            self.plan_as_written(&prepare::told_apart(query.clone())).map_err(|_| error)
        })
    }

    fn plan_as_written(&self, query: &ast::Query) -> Result<LogicalPlan> {
        let planner = SqlToRel::new_with_options(&self.context, Session::parser_options());
        let statement = ast::Statement::Query(Box::new(query.clone()));
        let plan = without_repeated_keys(planner.sql_statement_to_plan(statement)?)?;
        let plan = typing::apply(grouping::name_keys(plan)?, &self.session)?;
        let plan = grouping::expand(plan)?;
        check::plan(&plan)?;
        window_result::mark(plan)
    }

    /// Expressions over the columns of `input`, typed; `input` with them as its columns.
    ///
    /// # Errors
    /// What is wrong with one, at `span`, if nothing more precise is known.
    pub fn expression(
        &self,
        expr: &ast::Expr,
        input: &LogicalPlan,
        span: &Span,
    ) -> std::result::Result<Expr, Diagnostic> {
        self.try_expression(expr, input)
            .map_err(|error| diagnose(&error, &self.names).at_if_known(Some(span.clone())))
    }

    fn try_expression(&self, expr: &ast::Expr, input: &LogicalPlan) -> Result<Expr> {
        let planner = SqlToRel::new_with_options(&self.context, Session::parser_options());
        let schema: &DFSchema = input.schema();
        let prepared = prepare::expression(expr.clone());
        let expr = planner.sql_to_expr(prepared, schema, &mut PlannerContext::new())?;
        let plan = LogicalPlanBuilder::from(input.clone()).project(vec![expr])?.build()?;
        match typing::apply(plan, &self.session)? {
            LogicalPlan::Projection(Projection { mut expr, .. }) if expr.len() == 1 => {
                Ok(expr.remove(0))
            }
            _ => Err(DataFusionError::Internal("one expression becomes one column".into())),
        }
    }
}

/// True if DataFusion would have two columns of one name.
fn is_about_names(error: &DataFusionError) -> bool {
    let root = error.find_root();
    root.strip_backtrace().contains("unique expression names")
        || matches!(root, DataFusionError::SchemaError(error, _) if matches!(
            **error,
            SchemaError::DuplicateQualifiedField { .. } | SchemaError::DuplicateUnqualifiedField { .. }
        ))
}

/// The plan with each key of a GROUP BY once, as its schema has it.
fn without_repeated_keys(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up(|node| {
        let LogicalPlan::Aggregate(aggregate) = node else { return Ok(Transformed::no(node)) };
        let mut seen = HashSet::new();
        let is_first = |key: &Expr| seen.insert(key.clone());
        let mut keys = aggregate.group_expr.clone();
        keys.retain(is_first);
        if keys.len() == aggregate.group_expr.len() {
            return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
        }
        let Aggregate { input, aggr_expr, schema, .. } = aggregate;
        let once = Aggregate::try_new_with_schema(input, keys, aggr_expr, schema)?;
        Ok(Transformed::yes(LogicalPlan::Aggregate(once)))
    })?;
    Ok(plan.data)
}

/// True for mistakes in a name or an expression, which say nothing about the rest of the query.
fn is_local(mistake: &Diagnostic) -> bool {
    const LOCAL: &[Code] = &[
        codes::UNKNOWN_COLUMN,
        codes::UNKNOWN_FUNCTION,
        codes::WRONG_TYPE,
        codes::AMBIGUOUS_COLUMN,
        codes::NOT_GROUPED,
        crate::codes::UNKNOWN_TYPE,
    ];
    LOCAL.contains(&mistake.code)
}
