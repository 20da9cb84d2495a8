//! `millstream check` and `millstream explain`: planning without running.

use std::path::Path;

use millstream::queries::Answer;
use millstream::queries::codes;
use millstream::queries::diagnostic::Code;

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

/// Prints the job graph, or the page of a code.
pub fn explain(arguments: SqlArguments, colour: bool) -> Result<(), Failure> {
    if let Some(number) = arguments.file.as_deref().and_then(code_number) {
        return explain_code(number);
    }
    let sql = source::read(&arguments)?;
    let plan = source::plan(&sql, &arguments, colour)?;
    answers::show(&plan, None)?;
    if !plan.answers.iter().any(|answer| matches!(answer, Answer::Plan(_))) {
        print(&plan.graph.to_string())?;
    }
    Ok(())
}

/// The number of a code such as `M0301`. A file of that name wins.
fn code_number(argument: &Path) -> Option<u16> {
    let text = argument.to_str().filter(|_| !argument.exists())?;
    let digits = text.strip_prefix(['M', 'm'])?;
    let is_number = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

fn explain_code(number: u16) -> Result<(), Failure> {
    match codes::find(Code(number)) {
        Some(entry) => print(&codes::page::page(entry)),
        None => {
            let hint = "docs/errors/README.md lists them".to_owned();
            Err(Failure::usage(format!("there is no code {}", Code(number)), Some(hint)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_four_digits_and_anything_else_is_a_file() {
        assert_eq!(code_number(Path::new("M0301")), Some(301));
        assert_eq!(code_number(Path::new("m0001")), Some(1));
        for file in ["M301", "M0301.sql", "orders.sql", "M+301", "-", "M"] {
            assert_eq!(code_number(Path::new(file)), None, "{file}");
        }
    }
}
