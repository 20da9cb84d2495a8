//! What may stand in FROM beyond tables and subqueries: window functions, `LATE(view)`, `UNNEST`.

use std::sync::Arc;

use datafusion_common::{Column, Result, TableReference};
use datafusion_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion_expr::{Extension, LogicalPlan, LogicalPlanBuilder};
use datafusion_sql::sqlparser::ast::{
    Expr as SqlExpr, Ident, ObjectName, Query, TableAlias, TableFactor, TableFunctionArgs,
};
use millstream_operators::window::{WindowKind, Windows};

use super::codes;
use super::context::Session;
use super::error::{refuse, unsupported};
use super::group_window::{self, GROUP_WINDOW_COLUMNS};
use super::roles::{self, Role, WindowRef};
use super::unnest;
use super::window_tvf::{WINDOW_COLUMNS, WindowTvf};
use crate::calls::{self, RelationCall, TableInput};
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Span};
use crate::interval::{self, IntervalValue};
use crate::parse::{bytes, span_of};
use crate::suggest;
use crate::types::flink_name;

/// Functions that are called in FROM, with the names of their arguments in order. OFFSET may be
/// left out.
const WINDOW_FUNCTIONS: &[(&str, &[&str])] = &[
    ("TUMBLE", &["DATA", "TIMECOL", "SIZE", "OFFSET"]),
    ("HOP", &["DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"]),
    ("CUMULATE", &["DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"]),
];

/// Plans window functions and LATE.
#[derive(Debug)]
pub(crate) struct FromPlanner {
    zone: String,
    catalog: Arc<Catalog>,
}

impl FromPlanner {
    /// A planner over the views of this catalog.
    pub fn new(session: &Arc<Session>, catalog: &Arc<Catalog>) -> Self {
        FromPlanner { zone: session.zone.clone(), catalog: Arc::clone(catalog) }
    }
}

impl RelationPlanner for FromPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        if let Some(plan) = unnest::relation(&relation, context)? {
            return Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))));
        }
        let Some(call) = calls::relation_call(&relation) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let name = call.name.value.to_uppercase();
        let group = group_window::function(&name);
        let name = group.map_or(name, str::to_owned);
        let plan = if let Some((_, arguments)) = WINDOW_FUNCTIONS.iter().find(|(n, _)| *n == name) {
            let arguments = Arguments::new(&call, &name, arguments).map_err(refuse)?;
            let names = if group.is_some() { GROUP_WINDOW_COLUMNS } else { WINDOW_COLUMNS };
            self.window(&name, &arguments, names, context)?
        } else if name == "LATE" {
            self.late(&call)?
        } else {
            return Err(refuse(unknown_call(&call, &name)));
        };
        let alias = call.alias.cloned();
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
    }
}

fn unknown_call(call: &RelationCall<'_>, name: &str) -> Diagnostic {
    let span = bytes(call.name.span);
    match name {
        "SESSION" => unsupported("SESSION", span, "use TUMBLE, HOP or CUMULATE"),
        _ => {
            Diagnostic::error(codes::UNKNOWN_FUNCTION, format!("`{name}` cannot be called in FROM"))
                .at_if_known(span)
                .label("unknown function of relations")
                .hint(suggest::one_of(name, &["TUMBLE", "HOP", "CUMULATE", "LATE"]))
        }
    }
}

/// The arguments of a window function by their names.
struct Arguments<'a> {
    function: &'a str,
    span: Option<Span>,
    values: Vec<(&'static str, Option<&'a SqlExpr>)>,
}

impl<'a> Arguments<'a> {
    fn new(
        call: &RelationCall<'a>,
        function: &'a str,
        names: &'static [&'static str],
    ) -> std::result::Result<Self, Diagnostic> {
        let span = bytes(call.name.span);
        let wrong = |message: String| {
            Diagnostic::error(codes::WINDOW_ARGUMENTS, message)
                .at_if_known(span.clone())
                .hint(example(function))
        };
        let mut values: Vec<(&'static str, Option<&SqlExpr>)> =
            names.iter().map(|name| (*name, None)).collect();
        for (position, argument) in call.args.iter().enumerate() {
            let slot = match calls::argument_name(argument) {
                Some(name) => named_slot(&mut values, name).ok_or_else(|| {
                    let message = format!("{function} has no argument `{}`", name.value);
                    wrong(message).hint(suggest::one_of(&name.value.to_uppercase(), names))
                })?,
                None => match values.get_mut(position) {
                    Some((_, slot)) => slot,
                    None => {
                        return Err(wrong(format!(
                            "{function} takes at most {} arguments",
                            names.len()
                        )));
                    }
                },
            };
            *slot = Some(
                calls::argument_expr(argument)
                    .ok_or_else(|| wrong(format!("`*` is no argument of {function}")))?,
            );
        }
        let missing = values.iter().find(|(name, value)| value.is_none() && *name != "OFFSET");
        if let Some((name, _)) = missing {
            return Err(wrong(format!("{function} is missing its argument {name}")));
        }
        Ok(Arguments { function, span, values })
    }

    fn get(&self, name: &str) -> Option<&'a SqlExpr> {
        self.values.iter().find(|(n, _)| *n == name).and_then(|(_, value)| *value)
    }

    fn required(&self, name: &str) -> &'a SqlExpr {
        self.get(name).expect("required arguments were checked")
    }

    fn error(&self, message: impl Into<String>, place: &SqlExpr) -> Diagnostic {
        let span = span_of(place).or(self.span.clone());
        Diagnostic::error(codes::WINDOW_ARGUMENTS, message)
            .at_if_known(span)
            .hint(example(self.function))
    }

    /// An interval in milliseconds.
    fn interval(&self, name: &str) -> std::result::Result<i64, Diagnostic> {
        let value = self.required(name);
        match calls::interval_value(value) {
            Some(IntervalValue::Millis(ms)) => Ok(ms),
            Some(IntervalValue::Months(_)) => Err(self
                .error("windows of months or years have no fixed length", value)
                .hint("use days, for example INTERVAL '30' DAYS")),
            None => {
                Err(self.error(format!("{name} of {} must be an interval", self.function), value))
            }
        }
    }

    fn positive(&self, name: &str) -> std::result::Result<i64, Diagnostic> {
        match self.interval(name)? {
            ms if ms > 0 => Ok(ms),
            _ => Err(self.error(
                format!("{name} of {} must be longer than 0", self.function),
                self.required(name),
            )),
        }
    }
}

fn named_slot<'v, 'a>(
    values: &'v mut [(&'static str, Option<&'a SqlExpr>)],
    name: &Ident,
) -> Option<&'v mut Option<&'a SqlExpr>> {
    let found = values.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(&name.value));
    found.map(|(_, slot)| slot)
}

fn example(function: &str) -> String {
    let lengths = match function {
        "TUMBLE" => "INTERVAL '10' SECONDS",
        "HOP" => "INTERVAL '5' SECONDS, INTERVAL '10' SECONDS",
        _ => "INTERVAL '1' HOUR, INTERVAL '1' DAY",
    };
    format!("write TABLE({function}(TABLE t, DESCRIPTOR(ts), {lengths}))")
}

impl FromPlanner {
    fn window(
        &self,
        function: &str,
        arguments: &Arguments<'_>,
        names: [&'static str; 3],
        context: &mut dyn RelationPlannerContext,
    ) -> Result<LogicalPlan> {
        let windows =
            windows(function, arguments, names == GROUP_WINDOW_COLUMNS).map_err(refuse)?;
        let input = plan_input(arguments, context)?;
        let (time, role) = time_column(arguments, &input).map_err(refuse)?;
        let time_type = input.schema().qualified_field_from_column(&time)?.1.data_type().clone();
        check_time(arguments, &time, &role, &flink_name(&time_type)).map_err(refuse)?;
        for name in names {
            if input.schema().field_with_unqualified_name(name).is_ok() {
                let message = format!("the input of {function} already has a column `{name}`");
                let diagnostic = Diagnostic::error(codes::DUPLICATE_NAME, message)
                    .at_if_known(arguments.span.clone())
                    .hint("select the column under another name with AS first");
                return Err(refuse(diagnostic));
            }
        }
        let is_ltz = matches!(&time_type, arrow::datatypes::DataType::Timestamp(_, Some(_)));
        let zone = is_ltz.then(|| self.zone.clone());
        let window = WindowRef { windows, zone, is_processing: role.is_processing_time() };
        let node = Arc::new(WindowTvf::new(input, time, window, names)?);
        Ok(LogicalPlan::Extension(Extension { node }))
    }

    fn late(&self, call: &RelationCall<'_>) -> Result<LogicalPlan> {
        let view = match call.args {
            [argument] => calls::argument_expr(argument).and_then(calls::table_argument),
            _ => None,
        };
        let name = match view.map(|view| view.input) {
            Some(TableInput::Named(parts)) => parts.last().copied().cloned(),
            _ => None,
        };
        let Some(name) = name else {
            let diagnostic =
                Diagnostic::error(codes::NO_LATE_ROWS, "LATE takes the name of a view")
                    .at_if_known(bytes(call.name.span))
                    .hint("write LATE(view)");
            return Err(refuse(diagnostic));
        };
        match self.catalog.late_relation(&name.value) {
            Ok(relation) => {
                let table = TableReference::bare(format!("LATE({})", name.value));
                LogicalPlanBuilder::scan(table, Arc::new(relation), None)?.build()
            }
            Err(diagnostic) => Err(refuse(diagnostic.at_if_known(bytes(name.span)))),
        }
    }
}

/// HOP with a slide that is longer than the size, which then is meant to be the slide.
fn swapped(
    arguments: &Arguments<'_>,
    slide_ms: i64,
    size_ms: i64,
    in_group_by: bool,
) -> Diagnostic {
    let (slide, size) = (interval::literal(slide_ms), interval::literal(size_ms));
    let input = if in_group_by { "ts" } else { "TABLE t, DESCRIPTOR(ts)" };
    let place = span_of(arguments.required("SLIDE")).or(arguments.span.clone());
    let diagnostic = Diagnostic::error(
        codes::HOP_SLIDE_AND_SIZE_SWAPPED,
        "the slide of HOP is longer than its size: are they swapped?",
    )
    .at_if_known(place)
    .label("the slide");
    let diagnostic = match span_of(arguments.required("SIZE")) {
        Some(span) => diagnostic.also(span, "the size"),
        None => diagnostic,
    };
    diagnostic.hint(format!(
        "the slide comes first: HOP({input}, {size}, {slide}) has windows of {slide}, one each \
         {size}"
    ))
}

/// The windows that the arguments say. Those of GROUP BY may overlap by any length, as in Flink.
fn windows(
    function: &str,
    arguments: &Arguments<'_>,
    in_group_by: bool,
) -> std::result::Result<Windows, Diagnostic> {
    let size_ms = arguments.positive("SIZE")?;
    let multiple = |ms: i64, name: &str| {
        if size_ms % ms == 0 || in_group_by {
            return Ok(());
        }
        let message = format!("SIZE of {function} must be an integral multiple of {name}");
        Err(arguments.error(message, arguments.required("SIZE")))
    };
    let kind = match function {
        "TUMBLE" => WindowKind::Tumble { size_ms },
        "HOP" => {
            let slide_ms = arguments.positive("SLIDE")?;
            if slide_ms > size_ms {
                return Err(swapped(arguments, slide_ms, size_ms, in_group_by));
            }
            multiple(slide_ms, "SLIDE")?;
            WindowKind::Hop { size_ms, slide_ms }
        }
        _ => {
            let step_ms = arguments.positive("STEP")?;
            multiple(step_ms, "STEP")?;
            WindowKind::Cumulate { size_ms, step_ms }
        }
    };
    let offset_ms = match arguments.get("OFFSET") {
        Some(_) => arguments.interval("OFFSET")?,
        None => 0,
    };
    Ok(Windows { kind, offset_ms })
}

/// Plans the DATA argument as if it stood in FROM itself, so that tables, views, CTEs and
/// subqueries all work.
fn plan_input(
    arguments: &Arguments<'_>,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let data = arguments.required("DATA");
    let Some(table) = calls::table_argument(data) else {
        return Err(refuse(arguments.error("the first argument must be a table", data)));
    };
    if let Some(key) = table.partition_by.first() {
        let hint = "leave PARTITION BY out; group by the key instead";
        return Err(refuse(unsupported(
            "PARTITION BY of a window function's input",
            span_of(key),
            hint,
        )));
    }
    let factor = match table.input {
        TableInput::Named(parts) => named_table(parts.into_iter().cloned().collect(), None, None),
        TableInput::Query(query) => derived_table(query),
    };
    context.plan(factor)
}

/// A table by its name, or what its name is called with.
pub(super) fn named_table(
    name: Vec<Ident>,
    alias: Option<TableAlias>,
    args: Option<TableFunctionArgs>,
) -> TableFactor {
    TableFactor::Table {
        name: ObjectName::from(name),
        alias,
        args,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

fn derived_table(query: &Query) -> TableFactor {
    TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query.clone()),
        alias: None,
        sample: None,
    }
}

/// The column of DESCRIPTOR, and its role.
fn time_column(
    arguments: &Arguments<'_>,
    input: &LogicalPlan,
) -> std::result::Result<(Column, Role), Diagnostic> {
    let place = arguments.required("TIMECOL");
    let name = match calls::descriptor(place).as_deref() {
        Some([name]) => (*name).clone(),
        _ => {
            return Err(
                arguments.error("the second argument must be DESCRIPTOR(time_column)", place)
            );
        }
    };
    let found = input.schema().qualified_fields_with_unqualified_name(&name.value);
    match found.as_slice() {
        [field] => {
            let mut column = Column::from(*field);
            if let Some(span) = datafusion_common::Span::try_from_sqlparser_span(name.span) {
                column.spans_mut().add_span(span);
            }
            let roles = roles::roles(input);
            let role =
                input.schema().maybe_index_of_column(&column).map(|index| roles[index].clone());
            Ok((column, role.unwrap_or(Role::Plain)))
        }
        [] => {
            let names: Vec<&str> =
                input.schema().fields().iter().map(|f| f.name().as_str()).collect();
            Err(Diagnostic::error(
                codes::UNKNOWN_COLUMN,
                format!("there is no column `{}`", name.value),
            )
            .at_if_known(bytes(name.span))
            .label("unknown column")
            .hint(suggest::one_of(&name.value, &names)))
        }
        _ => Err(Diagnostic::error(
            codes::AMBIGUOUS_COLUMN,
            format!("`{}` could be one of several columns", name.value),
        )
        .at_if_known(bytes(name.span))),
    }
}

fn check_time(
    arguments: &Arguments<'_>,
    time: &Column,
    role: &Role,
    time_type: &str,
) -> std::result::Result<(), Diagnostic> {
    let place = arguments.required("TIMECOL");
    let span = calls::descriptor(place).and_then(|c| bytes(c.first()?.span)).or(span_of(place));
    match role {
        role if role.is_event_time() || role.is_processing_time() => Ok(()),
        _ => {
            let message = format!("`{}` is not an event-time attribute", time.name);
            Err(Diagnostic::error(codes::NOT_EVENT_TIME, message)
                .at_if_known(span)
                .label(format!("a plain {time_type} column"))
                .hint(format!(
                    "declare WATERMARK FOR {0} AS {0} - INTERVAL '5' SECOND in CREATE TABLE, and \
                     select the column unchanged",
                    time.name
                )))
        }
    }
}
