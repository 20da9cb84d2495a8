//! What a user can say: SQL text to job graph, with diagnostics.
//!
//! This crate may know DataFusion's SQL planner and optimizer (nobody else does), the operators'
//! specs and the connectors' options; it knows nothing of the engine that runs the graph.
//!
//! The way of a text: [`parse`] (text → statements) → `plan` (statements → [`JobGraph`]), both
//! through [`plan()`]. Start reading at `parse/mod.rs` and `plan/mod.rs`.

pub mod calls;
mod catalog;
pub mod codes;
pub mod diagnostic;
pub mod dialect;
pub mod explain;
pub mod functions;
mod interpolate;
pub mod interval;
mod lint;
pub mod parse;
mod plan;
pub mod render;
pub mod settings;
pub mod statement;
pub mod suggest;
pub mod types;

use std::borrow::Cow;

use arrow::array::RecordBatch;
use millstream_operators::graph::JobGraph;

pub use self::diagnostic::{Diagnostic, SourceText};
pub use self::functions::{RegisterError, UserFunctions};
use self::plan::Planner;
pub use self::settings::Settings;
use self::statement::{Spanned, SpannedStatement, Statement};

/// What planning depends on beside the text.
pub struct PlanOptions<'a> {
    /// Settings from outside the text, such as `--set key=value`; they win over the text's.
    pub set: Vec<(String, String)>,
    /// Values of the variables in `${NAME}`.
    pub env: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Number of subtasks where neither the text nor `set` says; at least 1.
    pub parallelism: usize,
    /// Session time zone where neither says: an IANA name.
    pub zone: String,
    /// Functions beside the built-in ones.
    pub functions: UserFunctions,
    /// Statements that come before the text, such as the table that `-i` makes of standard input;
    /// empty for none. Mistakes in them have no place in the text.
    pub before: String,
}

impl Default for PlanOptions<'_> {
    /// No settings, no variables, a subtask a core, the machine's time zone.
    fn default() -> Self {
        PlanOptions {
            set: Vec::new(),
            env: &|_| None,
            parallelism: std::thread::available_parallelism().map_or(1, usize::from),
            zone: iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned()),
            functions: UserFunctions::new(),
            before: String::new(),
        }
    }
}

/// A SQL text as a job.
#[derive(Debug)]
pub struct Plan {
    /// What is to be run; empty if the text runs nothing.
    pub graph: JobGraph,
    /// The answers to EXPLAIN, SHOW and DESCRIBE, in the order of the text.
    pub answers: Vec<Answer>,
    /// What can be run but is probably not meant so.
    pub warnings: Vec<Diagnostic>,
    /// The settings of the job.
    pub settings: Settings,
}

/// What a statement that asks is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A plan, by EXPLAIN: whole lines for people.
    Plan(String),
    /// SQL, by SHOW CREATE: whole lines.
    Text(String),
    /// A table.
    Rows(RecordBatch),
}

/// Plans a SQL text.
///
/// # Errors
/// Everything that is wrong with it, and the warnings, ordered by place.
pub fn plan(source: &SourceText, options: &PlanOptions<'_>) -> Result<Plan, Vec<Diagnostic>> {
    // Deeply nested expressions are taken apart by recursion, here and in DataFusion.
    parse::with_big_stack(|| plan_on_this_stack(source, options)).map_err(|mut mistakes| {
        mistakes.iter_mut().for_each(|mistake| close_parentheses(source, mistake));
        diagnostic::sort(&mut mistakes);
        mistakes
    })
}

/// Takes the values of variables out of messages: they may be secrets. What is shown instead is
/// the text as it stands in the file, `'${NAME}'`.
fn redact(mistakes: &mut [Diagnostic], statements: &[SpannedStatement], source: &SourceText) {
    let values = statements.iter().flat_map(|statement| options(&statement.node));
    for (_, value) in values {
        let written = source.slice(&value.span);
        if !written.contains("${") || value.node.is_empty() {
            continue;
        }
        for mistake in &mut *mistakes {
            mistake.message = mistake.message.replace(&value.node, written);
            for text in [&mut mistake.label, &mut mistake.hint].into_iter().flatten() {
                *text = text.replace(&value.node, written);
            }
        }
    }
}

/// Keys and values that a statement gives to tables and settings.
fn options(statement: &Statement) -> Vec<(Spanned<String>, Spanned<String>)> {
    let of_insert =
        |insert: &statement::Insert| [insert.hints.clone(), plan::hinted(&insert.query)].concat();
    match statement {
        Statement::CreateTable(table) => table.options.clone(),
        Statement::Set { key, value } => vec![(key.clone(), value.clone())],
        Statement::CreateView(view) => plan::hinted(&view.query),
        Statement::Query(query) => plan::hinted(query),
        Statement::Insert(insert) => of_insert(insert),
        Statement::StatementSet(inserts) => {
            inserts.iter().flat_map(|insert| of_insert(&insert.node)).collect()
        }
        Statement::Explain { inner, .. } => options(&inner.node),
        _ => Vec::new(),
    }
}

/// The statements that come before the text, and a text in which their places are: behind the
/// text itself, so that its own places stay what they are.
fn statements_before<'t>(
    source: &'t SourceText,
    options: &PlanOptions<'_>,
) -> Result<(Vec<SpannedStatement>, Cow<'t, SourceText>), Vec<Diagnostic>> {
    if options.before.is_empty() {
        return Ok((Vec::new(), Cow::Borrowed(source)));
    }
    let alone = format!("{}\n{}", " ".repeat(source.text.len()), options.before);
    let (statements, wrong) = parse::parse(&SourceText::new("", alone), options.env);
    if diagnostic::any_error(&wrong) {
        let nowhere = |mistake| Diagnostic { span: None, ..mistake };
        return Err(wrong.into_iter().map(nowhere).collect());
    }
    let text = format!("{}\n{}", source.text, options.before);
    Ok((statements, Cow::Owned(SourceText::new(source.name.clone(), text))))
}

fn plan_on_this_stack(
    source: &SourceText,
    options: &PlanOptions<'_>,
) -> Result<Plan, Vec<Diagnostic>> {
    let (statements, found) = parse::parse(source, options.env);
    if diagnostic::any_error(&found) {
        return Err(found);
    }
    let (before, whole) = statements_before(source, options)?;
    let mut warnings = found;
    warnings.extend(lint::statements(source, &statements));
    let planned = settings(&statements, options).and_then(|settings| {
        let mut planner = Planner::new(&whole, settings.clone(), &options.functions);
        for statement in &before {
            planner.statement(statement);
        }
        for statement in &statements {
            planner.statement(statement);
        }
        warnings.append(&mut planner.warnings);
        planner.finish().map(|(graph, answers)| (graph, answers, settings))
    });
    diagnostic::sort(&mut warnings);
    match planned {
        Ok((graph, answers, settings)) => Ok(Plan { graph, answers, warnings, settings }),
        Err(mut mistakes) => {
            redact(&mut mistakes, &statements, source);
            mistakes.iter_mut().for_each(|mistake| defined_later(mistake, &statements));
            // What a wrong statement was to use is not unused.
            warnings.retain(|warning| warning.code != codes::lints::UNUSED_TABLE);
            mistakes.append(&mut warnings);
            Err(mistakes)
        }
    }
}

/// Says of an unknown table that it is created further down.
fn defined_later(mistake: &mut Diagnostic, statements: &[SpannedStatement]) {
    let Some(span) = mistake.span.clone().filter(|_| mistake.code == plan::codes::UNKNOWN_TABLE)
    else {
        return;
    };
    let name = mistake.message.split('`').nth(1).unwrap_or_default();
    let is_it = |created: &Spanned<String>| created.node == name && created.span.start > span.end;
    let is_later = statements.iter().any(|statement| match &statement.node {
        Statement::CreateTable(table) => is_it(&table.name),
        Statement::CreateView(view) => is_it(&view.name),
        _ => false,
    });
    if is_later {
        mistake.hint = Some(format!("`{name}` is created further down: move its CREATE up"));
    }
}

/// The text's settings, then those from outside.
fn settings(
    statements: &[SpannedStatement],
    options: &PlanOptions<'_>,
) -> Result<Settings, Vec<Diagnostic>> {
    let mut settings = Settings::new(options.parallelism, &options.zone);
    let mut mistakes = Vec::new();
    // The last word on a key counts, and RESET takes back what was said before it.
    let mut sets: Vec<(&Spanned<String>, &Spanned<String>)> = Vec::new();
    for statement in statements {
        match &statement.node {
            Statement::Set { key, value } => sets.push((key, value)),
            Statement::Reset(None) => sets.clear(),
            Statement::Reset(Some(key)) => {
                mistakes.extend(settings.check_key(&key.node, Some(key.span.clone())).err());
                sets.retain(|(other, _)| other.node != key.node);
            }
            _ => {}
        }
    }
    for (key, value) in sets {
        let spans = (Some(key.span.clone()), Some(value.span.clone()));
        mistakes.extend(settings.set(&key.node, &value.node, spans.0, spans.1).err());
    }
    for (key, value) in &options.set {
        mistakes.extend(settings.set(key, value, None, None).err());
    }
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

/// sqlparser's places of calls and subqueries end before the closing parenthesis; a reader expects
/// it to be underlined, too.
fn close_parentheses(source: &SourceText, mistake: &mut Diagnostic) {
    let Some(span) = &mut mistake.span else { return };
    let text = source.slice(span);
    let open = text.matches('(').count().saturating_sub(text.matches(')').count());
    for _ in 0..open {
        let rest = source.text.get(span.end..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start().len();
        if !rest[blanks..].starts_with(')') {
            return;
        }
        span.end += blanks + 1;
    }
}
