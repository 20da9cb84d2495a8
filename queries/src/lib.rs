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
pub mod parse;
mod plan;
pub mod render;
pub mod settings;
pub mod statement;
pub mod suggest;
pub mod types;

use millstream_operators::graph::JobGraph;

pub use self::diagnostic::{Diagnostic, SourceText};
pub use self::functions::{RegisterError, UserFunctions};
use self::plan::Planner;
pub use self::settings::Settings;
use self::statement::{SpannedStatement, Statement};

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
        }
    }
}

/// A SQL text as a job.
#[derive(Debug)]
pub struct Plan {
    /// What is to be run; empty if the text runs nothing.
    pub graph: JobGraph,
    /// The answers of EXPLAIN statements, in the order of the text.
    pub explains: Vec<String>,
    /// What can be run but is probably not meant so.
    pub warnings: Vec<Diagnostic>,
    /// The settings of the job.
    pub settings: Settings,
}

/// Plans a SQL text.
///
/// # Errors
/// Everything that is wrong with it, ordered by place.
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
    let mut values = Vec::new();
    for statement in statements {
        match &statement.node {
            Statement::CreateTable(table) => {
                values.extend(table.options.iter().map(|(_, value)| value));
            }
            Statement::Set { value, .. } => values.push(value),
            _ => {}
        }
    }
    for value in values {
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

fn plan_on_this_stack(
    source: &SourceText,
    options: &PlanOptions<'_>,
) -> Result<Plan, Vec<Diagnostic>> {
    let (statements, found) = parse::parse(source, options.env);
    if diagnostic::any_error(&found) {
        return Err(found);
    }
    let planned = settings(&statements, options).and_then(|settings| {
        let mut planner = Planner::new(settings.clone(), &options.functions);
        for statement in &statements {
            planner.statement(statement);
        }
        planner.finish().map(|(graph, explains)| (graph, explains, settings))
    });
    let (graph, explains, settings) = planned.map_err(|mut mistakes| {
        redact(&mut mistakes, &statements, source);
        mistakes
    })?;
    Ok(Plan { graph, explains, warnings: found, settings })
}

/// The text's settings, then those from outside.
fn settings(
    statements: &[SpannedStatement],
    options: &PlanOptions<'_>,
) -> Result<Settings, Vec<Diagnostic>> {
    let mut settings = Settings::new(options.parallelism, &options.zone);
    let mut mistakes = Vec::new();
    for statement in statements {
        if let Statement::Set { key, value } = &statement.node {
            let spans = (Some(key.span.clone()), Some(value.span.clone()));
            mistakes.extend(settings.set(&key.node, &value.node, spans.0, spans.1).err());
        }
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
