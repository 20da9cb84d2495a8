//! Planning: from statements to a job graph.
//!
//! The way of a query: [`refuse`] (what cannot be said in a stream) → [`prepare`] (small changes
//! of the AST) → [`group_window`] (older windows into FROM) → DataFusion's SQL planner over [`context`] and [`relation_planner`] → [`typing`]
//! (Flink's types) → [`check`] (windows are complete) → [`insert`] (casts to the sink's columns) →
//! [`sharing`] (views in place or planned once) → [`optimize`] → [`lower`] (job graph).
//!
//! [`roles`] says which columns are time attributes and window columns; [`error`] and [`culprit`]
//! make diagnostics with a place out of whatever goes wrong.

mod bind;
mod check;
pub mod codes;
mod context;
mod culprit;
pub(crate) mod emission;
mod error;
mod group_window;
mod grouping;
mod hints;
mod insert;
pub(crate) mod late;
mod like;
mod lower;
mod numbers;
mod optimize;
mod positions;
mod prepare;
mod refuse;
pub(crate) mod relation;
mod relation_planner;
pub(crate) mod roles;
mod sharing;
mod show;
mod table;
mod typing;
mod unnest;
mod values;
mod window_result;
mod window_tvf;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DataFusionError, TableReference};
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion_sql::sqlparser::ast::Query;
use millstream_connectors::registry::Direction;
use millstream_operators::graph::{JobGraph, TableSpec};

use self::bind::Binder;
use self::context::Session;
pub(crate) use self::error::refuse as refuse_with;
use self::error::{Names, diagnose};
pub(crate) use self::hints::options as hinted;
use self::lower::Lowering;
use self::relation::{Relation, RelationKind};
use self::sharing::{Needed, Uses};
use crate::Answer;
use crate::catalog::{Catalog, Table, TableColumnKind, View};
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::explain;
use crate::functions::UserFunctions;
use crate::parse::span_of;
use crate::settings::Settings;
use crate::statement::{
    CreateTable, CreateView, Drop, ExplainDetail, Insert, ObjectKind, Spanned, SpannedStatement,
    Statement,
};
use crate::suggest;

/// A query and where its rows go.
#[derive(Debug)]
struct Sink {
    /// Name of what is written; nodes are named after it.
    name: String,
    /// The table; `None` prints.
    table: Option<Arc<Table>>,
    /// The rows, in the table's columns and types.
    plan: LogicalPlan,
    /// The statement.
    span: Option<Span>,
}

/// The answer to a statement that asks, as far as it is known.
enum Pending {
    /// It is.
    Answer(Answer),
    /// These are planned as a job of their own and told of.
    Explain(Vec<Sink>, Vec<ExplainDetail>),
}

/// Plans the statements of one SQL text.
pub(crate) struct Planner {
    source: SourceText,
    settings: Settings,
    session: Arc<Session>,
    catalog: Arc<Catalog>,
    sinks: Vec<Sink>,
    answers: Vec<Pending>,
    /// Names whose definition failed: what reads them would fail for no reason of its own.
    broken: BTreeSet<String>,
    mistakes: Vec<Diagnostic>,
    /// What can be run but is probably not meant so.
    pub warnings: Vec<Diagnostic>,
}

impl Planner {
    /// A planner with these settings, which SET statements were applied to already, and functions.
    pub fn new(source: &SourceText, settings: Settings, user: &UserFunctions) -> Self {
        let session = Arc::new(Session::new(&settings.zone, user));
        let mistakes = settings.emission().err().into_iter().collect();
        Planner {
            source: source.clone(),
            settings,
            session,
            catalog: Arc::default(),
            sinks: Vec::new(),
            answers: Vec::new(),
            broken: BTreeSet::new(),
            mistakes,
            warnings: Vec::new(),
        }
    }

    /// Plans a statement; mistakes are kept until [`Planner::finish`].
    pub fn statement(&mut self, statement: &SpannedStatement) {
        match &statement.node {
            Statement::CreateTable(create) => self.create_table(create),
            Statement::CreateView(create) => self.create_view(create),
            Statement::Explain { details, inner } => self.explain(details, inner),
            Statement::Drop(drop) => self.drop(drop),
            Statement::Show(show) => {
                let answer = show::answer(show, &self.source, &self.catalog, &self.session);
                self.answer(answer);
            }
            Statement::Describe(name) => {
                let answer = show::columns(name, None, &self.source, &self.catalog);
                self.answer(answer);
            }
            Statement::Set { .. } | Statement::Reset(_) => {}
            Statement::Insert(_) | Statement::StatementSet(_) | Statement::Query(_) => {
                let sinks = self.sinks_of(&statement.node);
                self.sinks.extend(sinks);
            }
        }
    }

    /// What a statement writes; mistakes are kept.
    fn sinks_of(&mut self, statement: &Statement) -> Vec<Sink> {
        let found = match statement {
            Statement::Insert(insert) => vec![self.insert(insert)],
            Statement::StatementSet(inserts) => {
                inserts.iter().map(|insert| self.insert(&insert.node)).collect()
            }
            Statement::Query(query) => vec![self.query(query)],
            _ => Vec::new(),
        };
        let mut sinks = Vec::new();
        for sink in found {
            match sink {
                Ok(sink) => sinks.push(sink),
                Err(mistake) => self.report(vec![mistake]),
            }
        }
        sinks
    }

    fn explain(&mut self, details: &[ExplainDetail], inner: &SpannedStatement) {
        let sinks = self.sinks_of(&inner.node);
        self.answers.push(Pending::Explain(sinks, details.to_vec()));
    }

    fn answer(&mut self, answer: Result<Answer, Diagnostic>) {
        match answer {
            Ok(answer) => self.answers.push(Pending::Answer(answer)),
            Err(mistake) => self.report(vec![mistake]),
        }
    }

    /// Frees a name for later statements; earlier ones keep what they read and write.
    fn drop(&mut self, drop: &Drop) {
        let name = &drop.name;
        let is_table = self.catalog.table_named(&name.node).is_some();
        let fits = is_table == (drop.kind == ObjectKind::Table);
        let is_broken = self.broken.remove(&name.node);
        let (message, hint) = match (self.catalog.contains(&name.node), is_table) {
            (true, _) if fits => {
                return Arc::make_mut(&mut self.catalog).forget(&name.node);
            }
            (true, true) => {
                (format!("`{}` is a table", name.node), Some("write DROP TABLE".to_owned()))
            }
            (true, false) => {
                (format!("`{}` is a view", name.node), Some("write DROP VIEW".to_owned()))
            }
            (false, _) if drop.if_exists || is_broken => return,
            (false, _) => {
                let names = self.catalog.names();
                let near = suggest::did_you_mean(&name.node, names.iter().map(String::as_str));
                let hint = near.unwrap_or_else(|| "write IF EXISTS behind DROP TABLE".to_owned());
                (format!("there is no table or view `{}`", name.node), Some(hint))
            }
        };
        let mistake = Diagnostic::error(codes::UNKNOWN_TABLE, message).at(name.span.clone());
        self.report(vec![mistake.hint_if_any(hint)]);
    }

    /// The job, and the answers to statements that ask.
    ///
    /// # Errors
    /// All mistakes of all statements.
    pub fn finish(mut self) -> Result<(JobGraph, Vec<Answer>), Vec<Diagnostic>> {
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        let mut answers = Vec::new();
        for pending in std::mem::take(&mut self.answers) {
            answers.push(match pending {
                Pending::Answer(answer) => answer,
                Pending::Explain(sinks, details) => {
                    let graph = self.graph(sinks)?;
                    let parallelism = self.settings.parallelism;
                    Answer::Plan(explain::explain(&graph, &details, parallelism))
                }
            });
        }
        let sinks = std::mem::take(&mut self.sinks);
        Ok((self.graph(sinks)?, answers))
    }

    fn binder(&self) -> Binder {
        Binder::new(&self.session, &self.catalog)
    }

    /// True if the name can be defined now.
    fn is_free(&mut self, name: &Spanned<String>, if_not_exists: bool) -> bool {
        if !self.catalog.contains(&name.node) {
            return true;
        }
        if !if_not_exists {
            let message = format!("`{}` exists already", name.node);
            let mistake = Diagnostic::error(codes::DUPLICATE_NAME, message)
                .at(name.span.clone())
                .label("the second time")
                .hint("choose another name, or write IF NOT EXISTS");
            let first = self.catalog.table(&name.node).map(|table| table.name.span.clone());
            self.mistakes.push(match first {
                Some(first) => mistake.also(first, "declared here first"),
                None => mistake,
            });
        }
        false
    }

    fn create_table(&mut self, create: &CreateTable) {
        if !self.is_free(&create.name, create.if_not_exists) {
            return;
        }
        let identity = self.catalog.identity(&create.name.node);
        let merged = like::merge(create, &self.catalog);
        let defined = merged
            .and_then(|create| table::define(create, identity, &self.binder(), &self.session.zone));
        let found = defined.and_then(|table| {
            let is_computed = |column: &usize| {
                let kind = &table.columns[*column].kind;
                matches!(kind, TableColumnKind::Computed(_) | TableColumnKind::ProcessingTime)
            };
            let all = 0..table.columns.len();
            let columns: Vec<usize> = all.filter(|column| !is_computed(column)).collect();
            let spec = table::spec(&table, &columns);
            let mistakes = table::check_options(&table, &spec, Direction::Unused);
            if mistakes.is_empty() { Ok(table) } else { Err(mistakes) }
        });
        match found {
            Ok(table) => Arc::make_mut(&mut self.catalog).add_table(table),
            Err(mistakes) => self.failed(&create.name.node, mistakes),
        }
    }

    fn create_view(&mut self, create: &CreateView) {
        if !self.is_free(&create.name, create.if_not_exists) {
            return;
        }
        let identity = self.catalog.identity(&create.name.node);
        match self.bind(&create.query).and_then(|plan| view(create, identity, plan)) {
            Ok(view) => Arc::make_mut(&mut self.catalog).add_view(&create.name.node, view),
            Err(mistake) => self.failed(&create.name.node, vec![mistake]),
        }
    }

    fn failed(&mut self, name: &str, mistakes: Vec<Diagnostic>) {
        self.broken.insert(name.to_owned());
        self.report(mistakes);
    }

    /// Keeps mistakes, except unknown names that are unknown only because their definition is
    /// wrong, which is reported there.
    fn report(&mut self, mistakes: Vec<Diagnostic>) {
        let follows = |mistake: &Diagnostic| {
            mistake.code == codes::UNKNOWN_TABLE
                && self.broken.iter().any(|name| mistake.message.contains(&format!("`{name}`")))
        };
        let own: Vec<Diagnostic> =
            mistakes.into_iter().filter(|mistake| !follows(mistake)).collect();
        self.mistakes.extend(own);
    }

    /// The plan of a query. Of several mistakes the first is returned, the others are kept.
    fn bind(&mut self, query: &Query) -> Result<LogicalPlan, Diagnostic> {
        let default = self.settings.emission().unwrap_or_default();
        let hinted = hints::apply(query, &mut self.catalog)?;
        let query = hinted.as_ref().unwrap_or(query);
        let binder = self.binder();
        let found = binder.query(query);
        if let Err(first) = &found {
            let others = binder.other_mistakes(query, first);
            self.report(others);
        }
        emission::apply(found?, query, default)
    }

    fn insert(&mut self, insert: &Insert) -> Result<Sink, Diagnostic> {
        let (table, columns) = insert::target(insert, &self.catalog)?;
        let table = match insert.hints.as_slice() {
            [] => table,
            hints => Arc::new(table::with_options(&table, hints)?),
        };
        let plan = self.bind(&insert.query)?;
        self.warnings.extend(insert::by_position(&plan, insert, &table, &columns));
        insert::check_changelog(&plan, insert, &table)?;
        let plan = insert::project(plan, insert, &table, &columns)?;
        let name = table.name.node.clone();
        Ok(Sink { name, table: Some(table), plan, span: Some(insert.table.span.clone()) })
    }

    fn query(&mut self, query: &Query) -> Result<Sink, Diagnostic> {
        let plan = self.bind(query)?;
        Ok(Sink { name: "query".to_owned(), table: None, plan, span: span_of(query) })
    }

    /// One graph for these sinks: consumers are optimized first, so that what they read is known
    /// when it is its turn; then everything is lowered from the sources on.
    fn graph(&self, sinks: Vec<Sink>) -> Result<JobGraph, Vec<Diagnostic>> {
        let place = sinks.first().and_then(|sink| sink.span.clone());
        let plans =
            self.plans(&sinks).map_err(|error| vec![self.internal(&error, place.clone())])?;
        let specs = sinks.iter().zip(&plans.sinks).map(|(sink, plan)| self.sink_spec(sink, plan));
        let specs = specs.collect::<Result<Vec<_>, _>>()?;
        self.check_guarantees(&sinks, &specs)?;
        self.check_standard_input(&plans, &sinks, &specs)?;
        let mut lowering = Lowering::new(&self.session, &self.catalog, &self.settings);
        for name in plans.needed.tables() {
            let needed = plans.needed.of(&RelationKind::Table(name.clone())).unwrap_or_default();
            if let Some(table) = self.catalog.table(&name) {
                lowering.source(table, &needed, plans.timed)?;
            }
        }
        let at = |error: &DataFusionError| vec![self.internal(error, place.clone())];
        for (name, plan) in &plans.views {
            let columns = plans.needed.of(&RelationKind::View(name.clone()));
            let late = plans.needed.of(&RelationKind::Late(name.clone())).unwrap_or_default();
            let columns = columns.filter(|columns| !columns.is_empty()).unwrap_or_else(|| vec![0]);
            lowering.view(name, plan, &columns, &late).map_err(|e| at(&e))?;
        }
        for (number, (sink, plan)) in sinks.iter().zip(&plans.sinks).enumerate() {
            let (spec, single) = specs[number].clone();
            let scope = scope(&sinks[..number], &sink.name);
            lowering.sink(&scope, plan, spec, single).map_err(|e| at(&e))?;
        }
        Ok(lowering.finish())
    }

    fn plans(&self, sinks: &[Sink]) -> datafusion_common::Result<Plans> {
        let uses = Uses::count(sinks.iter().map(|sink| &sink.plan), &self.catalog)?;
        let mut plans = Plans::default();
        for sink in sinks {
            let plan = uses.inline(sink.plan.clone(), &self.catalog)?;
            let plan = optimize::optimize(plan, &self.session)?;
            plans.add(&plan)?;
            plans.sinks.push(plan);
        }
        for name in self.catalog.view_names().iter().rev().filter(|name| uses.is_shared(name)) {
            let Some(view) = self.catalog.view(name) else { continue };
            let mut plan = uses.inline(view.plan.clone(), &self.catalog)?;
            if let Some(late) = plans.needed.of(&RelationKind::Late(name.clone())) {
                plan = late::keep_columns(plan, &late)?;
            }
            let columns = plans.needed.of(&RelationKind::View(name.clone()));
            let columns = columns.filter(|columns| !columns.is_empty()).unwrap_or_else(|| vec![0]);
            let plan = sharing::keep_columns(Arc::new(plan), &columns)?;
            let plan = optimize::optimize(plan, &self.session)?;
            plans.add(&plan)?;
            plans.views.push((name.clone(), plan));
        }
        plans.views.reverse();
        Ok(plans)
    }

    fn check_guarantees(
        &self,
        sinks: &[Sink],
        specs: &[(TableSpec, bool)],
    ) -> Result<(), Vec<Diagnostic>> {
        let written = sinks
            .iter()
            .zip(specs)
            .map(|(sink, (spec, _))| (sink.table.as_deref(), spec, sink.span.as_ref()));
        let written: Vec<_> = written.collect();
        let mistakes = table::check_job(&written, self.settings.checkpoint_interval_ms);
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
    }

    /// Whether everything that standard input has to give is asked for once, and nothing that
    /// cannot be had: it cannot be read again after a failure.
    fn check_standard_input(
        &self,
        plans: &Plans,
        sinks: &[Sink],
        specs: &[(TableSpec, bool)],
    ) -> Result<(), Vec<Diagnostic>> {
        let names = plans.needed.tables();
        let tables = names.iter().filter_map(|name| self.catalog.table(name));
        let is_input = |table: &&Arc<Table>| {
            table.option("connector").is_some_and(|connector| connector.node == "stdin")
        };
        let tables: Vec<_> = tables.filter(is_input).collect();
        let Some(input) = tables.first() else { return Ok(()) };
        let input = &input.name.node;
        if let Some(second) = tables.get(1) {
            let message = format!("`{input}` and `{}` both read standard input", second.name.node);
            let hint = "it can be read once: read it as one table, and make views of that";
            let mistake = Diagnostic::error(codes::UNREPEATABLE, message).hint(hint);
            return Err(vec![mistake.at(second.name.span.clone())]);
        }
        let keeps = ["kafka", "filesystem"];
        let written = sinks.iter().zip(specs);
        let mut promised = written.filter(|(_, (spec, _))| keeps.contains(&spec.connector()));
        match promised.next() {
            Some((sink, _)) if self.settings.checkpoint_interval_ms > 0 => {
                let name = &sink.name;
                let message = format!(
                    "`{name}` cannot be written exactly once: `{input}` is standard input, which \
                     cannot be read again"
                );
                let hint = "SET 'execution.checkpointing.interval' = '0' to write without epochs: \
                            after a failure rows are missing; or read a file or a topic";
                let mistake = Diagnostic::error(codes::UNREPEATABLE, message).hint(hint);
                Err(vec![mistake.at_if_known(sink.span.clone())])
            }
            _ => Ok(()),
        }
    }

    /// What the sink writes to, and whether one writer takes all rows.
    fn sink_spec(
        &self,
        sink: &Sink,
        plan: &LogicalPlan,
    ) -> Result<(TableSpec, bool), Vec<Diagnostic>> {
        if let Some(table) = &sink.table {
            let spec = table::spec(table, &table.written_columns());
            let mistakes = table::check_options(table, &spec, Direction::Sink);
            if !mistakes.is_empty() {
                return Err(mistakes);
            }
            let single = spec.connector() == "print";
            return Ok((spec, single));
        }
        let fields = plan.schema().fields();
        let is_interval = |data_type: &DataType| {
            matches!(data_type, DataType::Duration(_) | DataType::Interval(_))
        };
        if let Some(field) = fields.iter().find(|field| is_interval(field.data_type())) {
            let message =
                format!("column `{}` is an interval, which cannot be shown", field.name());
            let hint = "compare it, or add it to a timestamp, instead of selecting it";
            let mistake = Diagnostic::error(codes::NOT_SUPPORTED, message).hint(hint);
            return Err(vec![mistake.at_if_known(sink.span.clone())]);
        }
        let fields = fields.iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        let spec = TableSpec {
            name: "result".to_owned(),
            options: BTreeMap::from([("connector".to_owned(), "print".to_owned())]),
            declared: Arc::clone(&schema),
            schema,
            metadata: BTreeMap::new(),
            primary_key: Vec::new(),
            partition_keys: Vec::new(),
        };
        Ok((spec, true))
    }

    /// The diagnostic of an error after everything was checked.
    fn internal(&self, error: &DataFusionError, place: Option<Span>) -> Diagnostic {
        let names = Names { tables: self.catalog.names(), functions: Vec::new() };
        diagnose(error, &names).at_if_known(place)
    }
}

/// What the nodes of a sink's query are named after: the table, and from the second INSERT into it
/// on its number. Within a scope names go by the query alone, so that other statements can come
/// and go without taking an operator's state away from it.
fn scope(before: &[Sink], name: &str) -> String {
    match before.iter().filter(|sink| sink.name == name).count() {
        0 => name.to_owned(),
        earlier => format!("{name}-{}", earlier + 1),
    }
}

/// Optimized plans of one graph.
#[derive(Default)]
struct Plans {
    sinks: Vec<LogicalPlan>,
    /// Shared views, each after those it reads.
    views: Vec<(String, LogicalPlan)>,
    needed: Needed,
    /// True if there are windows: only they need watermarks.
    timed: bool,
}

impl Plans {
    fn add(&mut self, plan: &LogicalPlan) -> datafusion_common::Result<()> {
        self.needed.add(plan)?;
        plan.apply(|node| {
            self.timed |= match node {
                LogicalPlan::Extension(extension) => !unnest::is_unnest(extension),
                _ => false,
            };
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    }
}

/// The view of a bound query.
fn view(create: &CreateView, identity: String, plan: LogicalPlan) -> Result<View, Diagnostic> {
    let plan = rename(create, plan)?;
    let mut names = BTreeSet::new();
    for field in plan.schema().fields() {
        if !names.insert(field.name().clone()) {
            let message =
                format!("view `{}` would have two columns `{}`", create.name.node, field.name());
            return Err(Diagnostic::error(codes::DUPLICATE_NAME, message)
                .at(create.name.span.clone())
                .hint("give one of them another name with AS"));
        }
    }
    let fields =
        plan.schema().fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    let relation = Relation {
        kind: RelationKind::View(identity),
        schema: Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>())),
        roles: roles::roles(&plan),
        changelog: roles::changelog(&plan),
    };
    Ok(View { plan, relation, definition: create.clone() })
}

/// Gives a view's columns the names that the statement lists.
fn rename(create: &CreateView, plan: LogicalPlan) -> Result<LogicalPlan, Diagnostic> {
    let (wanted, found) = (create.columns.len(), plan.schema().fields().len());
    if wanted == 0 {
        return Ok(plan);
    }
    if wanted != found {
        let message = format!(
            "view `{}` names {wanted} column(s), but its query has {found}",
            create.name.node
        );
        return Err(Diagnostic::error(codes::COLUMN_COUNT, message)
            .at(create.name.span.clone())
            .hint("name as many columns as the query has, or none"));
    }
    let columns = create.columns.iter().enumerate();
    let exprs: Vec<Expr> = columns
        .map(|(i, name)| Expr::from(plan.schema().qualified_field(i)).alias(&name.node))
        .collect();
    let table = TableReference::bare(create.name.node.as_str());
    LogicalPlanBuilder::from(plan)
        .project(exprs)
        .and_then(|builder| builder.alias(table))
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| {
            Diagnostic::error(codes::DUPLICATE_NAME, error.strip_backtrace())
                .at(create.name.span.clone())
        })
}
