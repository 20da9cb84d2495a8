//! What DataFusion's SQL planner asks about: tables, functions, types, and the meaning of
//! expressions that are Flink's.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Column, Result, TableReference, plan_err};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::planner::{
    ContextProvider, ExprPlanner, PlannerResult, RelationPlanner, TypePlanner,
};
use datafusion_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion_functions_aggregate::planner::AggregateFunctionPlanner;
use datafusion_sql::planner::ParserOptions;
use datafusion_sql::sqlparser::ast;

use super::error::{NO_TABLE, refuse};
use super::relation_planner::FromPlanner;
use crate::catalog::Catalog;
use crate::functions::{Functions, UserFunctions, nested, rewrite};

/// What stays the same while a SQL file is planned.
#[derive(Debug)]
pub(crate) struct Session {
    /// The session's time zone.
    pub zone: String,
    /// All functions.
    pub functions: Functions,
    /// DataFusion's configuration.
    pub config: Arc<ConfigOptions>,
}

impl Session {
    /// A session in this zone.
    pub fn new(zone: &str, user: &UserFunctions) -> Self {
        let mut config = ConfigOptions::default();
        config.execution.time_zone = Some(zone.to_owned());
        // Arrow's views are no win for payloads that are decoded once, and connectors know Utf8.
        config.sql_parser.map_string_types_to_utf8view = false;
        config.optimizer.expand_views_at_output = false;
        config.optimizer.skip_failed_rules = false;
        let functions = Functions::new(zone, user);
        Session { zone: zone.to_owned(), functions, config: Arc::new(config) }
    }

    /// How SQL is read: names keep their case, everything has a place.
    pub fn parser_options() -> ParserOptions {
        ParserOptions::new()
            .with_enable_ident_normalization(false)
            .with_collect_spans(true)
            .with_parse_float_as_decimal(true)
            .with_map_string_types_to_utf8view(false)
    }
}

/// The names that a query can use.
pub(crate) struct Context {
    session: Arc<Session>,
    catalog: Arc<Catalog>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    type_planner: Arc<dyn TypePlanner>,
}

impl Context {
    /// The names of this catalog.
    pub fn new(session: &Arc<Session>, catalog: &Arc<Catalog>) -> Self {
        let zone = session.zone.clone();
        Context {
            session: Arc::clone(session),
            catalog: Arc::clone(catalog),
            expr_planners: vec![
                Arc::new(AggregateFunctionPlanner),
                Arc::new(FlinkExpressions { session: Arc::clone(session) }),
            ],
            relation_planners: vec![Arc::new(FromPlanner::new(session, catalog))],
            type_planner: Arc::new(FlinkTypes { zone }),
        }
    }
}

impl ContextProvider for Context {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        // A name in parts is `catalog.database.table`; there is only one of each of the former.
        match self.catalog.relation(name.table()) {
            Some(relation) => Ok(Arc::new(relation)),
            None => plan_err!("{NO_TABLE}{}`", name.table()),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::clone(&self.type_planner))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.session.functions.scalar(name)
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.session.functions.aggregate(name)
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.session.config
    }

    fn udf_names(&self) -> Vec<String> {
        self.session.functions.scalar_names()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.session.functions.aggregate_names()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Expressions with a syntax of their own: EXTRACT, POSITION, SUBSTRING, OVERLAY, `row.field`.
#[derive(Debug)]
struct FlinkExpressions {
    session: Arc<Session>,
}

impl FlinkExpressions {
    /// The call of a function that exists.
    fn call(&self, name: &str, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        match self.session.functions.scalar(name) {
            Some(function) => {
                let call = ScalarFunction::new_udf(function, args);
                Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
            }
            None => Ok(PlannerResult::Original(args)),
        }
    }
}

impl ExprPlanner for FlinkExpressions {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let field = match args.first() {
            Some(Expr::Literal(field, _)) => {
                field.try_as_str().flatten().unwrap_or_default().to_lowercase()
            }
            _ => return Ok(PlannerResult::Original(args)),
        };
        let from = args.into_iter().nth(1);
        match from {
            Some(from) => Ok(PlannerResult::Planned(rewrite::extract(&field, from))),
            None => plan_err!("EXTRACT wants a field and a time"),
        }
    }

    fn plan_position(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.call("instr", args)
    }

    fn plan_substring(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.call("substring", args)
    }

    fn plan_overlay(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.call("overlay", args)
    }

    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        let value = nested_names.iter().fold(column, |row, name| nested::field(row, name));
        Ok(PlannerResult::Planned(value))
    }
}

/// Types in CAST, by Flink's names.
#[derive(Debug)]
struct FlinkTypes {
    zone: String,
}

impl TypePlanner for FlinkTypes {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        match crate::types::from_ast(sql_type) {
            Ok(found) => {
                let data_type = crate::types::in_zone(&found.data_type, &self.zone);
                Ok(Some(Arc::new(Field::new("", data_type, true))))
            }
            Err(diagnostic) => Err(refuse(*diagnostic)),
        }
    }
}
