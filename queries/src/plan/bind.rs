//! From AST to typed logical plan: DataFusion's SQL planner over our names, then Flink's types,
//! then the checks that need both.

use std::sync::Arc;

use datafusion_common::{DFSchema, DataFusionError, Result};
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection};
use datafusion_sql::planner::{PlannerContext, SqlToRel};
use datafusion_sql::sqlparser::ast;

use super::check;
use super::codes;
use super::context::{Context, Session};
use super::culprit;
use super::error::{Names, diagnose};
use super::{group_window, grouping, prepare, refuse, typing, window_result};
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Span};
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

    /// The place is the error's own, or else that of the smallest part that brings it about.
    fn with_place(&self, found: Diagnostic, query: &ast::Query, all: Option<Span>) -> Diagnostic {
        if found.span.is_some() {
            return found;
        }
        let named = match found.code {
            codes::UNKNOWN_COLUMN | codes::AMBIGUOUS_COLUMN | codes::NOT_GROUPED => {
                // The name is the last in backquotes before any words.
                let name = found.message.split('`').rev().nth(1).unwrap_or_default();
                culprit::column(query, name)
            }
            _ => None,
        };
        let fails = |query: &ast::Query| self.plan(query).is_err();
        let span = named.or_else(|| culprit::find(query, &fails));
        found.at_if_known(span).at_if_known(all)
    }

    fn plan(&self, query: &ast::Query) -> Result<LogicalPlan> {
        let planner = SqlToRel::new_with_options(&self.context, Session::parser_options());
        let statement = ast::Statement::Query(Box::new(query.clone()));
        let plan = planner.sql_statement_to_plan(statement)?;
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
