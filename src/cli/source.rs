//! From arguments to a plan: reads the SQL, the environment file, and reports diagnostics.

use std::collections::HashMap;
use std::io::{IsTerminal, Read};
use std::path::Path;

use millstream::queries::codes::lints::Levels;
use millstream::queries::diagnostic::{Diagnostic, any_error};
use millstream::queries::render;
use millstream::{Plan, PlanOptions, SourceText};

use super::args::{ErrorFormat, SqlArguments};
use super::failure::Failure;
use super::say;

/// The SQL text that the arguments name.
pub fn read(arguments: &SqlArguments) -> Result<SourceText, Failure> {
    if let Some(text) = &arguments.execute {
        return Ok(SourceText::new("<command line>", text));
    }
    let file = arguments.file.as_deref().unwrap_or(Path::new("-"));
    if file == Path::new("-") {
        if std::io::stdin().is_terminal() {
            say("reading SQL from standard input; end it with Ctrl-D");
        }
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("standard input: {error}"), None))?;
        return Ok(SourceText::new("<stdin>", &text));
    }
    let text = std::fs::read_to_string(file).map_err(|error| {
        let hint = "give the path of a SQL file, or SQL text after -e".to_owned();
        Failure::usage(format!("{}: {error}", file.display()), Some(hint))
    })?;
    Ok(SourceText::new(file.display().to_string(), text))
}

/// Number of subtasks: as asked for, else the number of cores.
pub fn parallelism(arguments: &SqlArguments) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    arguments.parallelism.map_or_else(cores, usize::from)
}

/// Plans the text; prints warnings, and errors if there are any.
pub fn plan(source: &SourceText, arguments: &SqlArguments, colour: bool) -> Result<Plan, Failure> {
    plan_behind(String::new(), source, arguments, colour)
}

/// Plans the text with these statements before it.
pub fn plan_behind(
    before: String,
    source: &SourceText,
    arguments: &SqlArguments,
    colour: bool,
) -> Result<Plan, Failure> {
    let variables = variables(arguments.env_file.as_deref())?;
    let options = PlanOptions {
        set: arguments.set.clone(),
        env: &|name| variables.get(name).cloned(),
        parallelism: parallelism(arguments),
        before,
        ..PlanOptions::default()
    };
    let levels = Levels::new(&arguments.allow, &arguments.deny)
        .map_err(|(message, hint)| Failure::usage(message, Some(hint)))?;
    let planned = millstream::plan(source, &options);
    let diagnostics = match &planned {
        Ok(plan) => plan.warnings.clone(),
        Err(diagnostics) => diagnostics.clone(),
    };
    let diagnostics = levels.apply(diagnostics);
    report(&diagnostics, source, arguments.error_format, colour);
    match planned {
        Ok(plan) if !any_error(&diagnostics) => Ok(plan),
        _ => Err(Failure::invalid_sql()),
    }
}

/// Says what is wrong, and on a terminal where to read more.
fn report(diagnostics: &[Diagnostic], source: &SourceText, format: ErrorFormat, colour: bool) {
    for diagnostic in diagnostics {
        let text = match format {
            ErrorFormat::Human => render::text(diagnostic, source, colour),
            ErrorFormat::Json => render::json(diagnostic, source),
            ErrorFormat::Short => render::short(diagnostic, source),
        };
        say(text.trim_end());
    }
    let first = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
    if let Some(error) = first
        && format == ErrorFormat::Human
        && std::io::stderr().is_terminal()
    {
        say(&format!("\n`millstream explain {}` has an example", error.code));
    }
}

/// What `${NAME}` may name: the process environment, overridden by the environment file.
fn variables(env_file: Option<&Path>) -> Result<HashMap<String, String>, Failure> {
    let text = |value: std::ffi::OsString| value.into_string().ok();
    let mut variables: HashMap<String, String> =
        std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    let Some(file) = env_file else { return Ok(variables) };
    let content = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display()), None))?;
    for (number, line) in content.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| {
            let hint = "each line of an environment file is KEY=VALUE".to_owned();
            Failure::usage(format!("{}:{}: no `=`", file.display(), number + 1), Some(hint))
        })?;
        let value = value.trim().trim_matches('"');
        variables.insert(name.trim().to_owned(), value.to_owned());
    }
    Ok(variables)
}
