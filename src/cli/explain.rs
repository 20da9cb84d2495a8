//! `millstream check` and `millstream explain`: planning without running.

use millstream::queries::Answer;

use super::answers;
use super::args::SqlArguments;
use super::failure::Failure;
use super::{print, say, source};

/// Finds mistakes; says so if there are none.
pub fn check(arguments: SqlArguments, colour: bool) -> Result<(), Failure> {
    let sql = source::read(&arguments)?;
    let plan = source::plan(&sql, &arguments, colour)?;
    let (sources, sinks) = (plan.graph.sources().count(), plan.graph.sinks().count());
    say(&format!("{}: ok ({sources} sources, {sinks} sinks)", sql.name));
    Ok(())
}

/// Prints the job graph.
pub fn explain(arguments: SqlArguments, colour: bool) -> Result<(), Failure> {
    let sql = source::read(&arguments)?;
    let plan = source::plan(&sql, &arguments, colour)?;
    answers::show(&plan, None)?;
    if !plan.answers.iter().any(|answer| matches!(answer, Answer::Plan(_))) {
        print(&plan.graph.to_string())?;
    }
    Ok(())
}
