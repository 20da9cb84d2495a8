//! `millstream functions [NAME]`: the functions of SQL, from the same index that the planner looks them
//! up in.

use millstream::connectors::options::did_you_mean;
use millstream::queries::functions::index;

use super::args::{FunctionsArguments, FunctionsFormat};
use super::failure::Failure;
use super::print;

/// Lists functions, or shows one.
pub fn functions(arguments: &FunctionsArguments) -> Result<(), Failure> {
    let is_json = arguments.format == FunctionsFormat::Json;
    let Some(name) = &arguments.name else {
        return print(&match () {
            () if arguments.markdown => index::page(),
            () if is_json => index::json_lines(index::all()),
            () => index::list(),
        });
    };
    match index::find(name) {
        Some(function) if is_json => print(&index::json_lines([function])),
        Some(function) => print(&index::describe(function)),
        None => {
            let hint = did_you_mean(&name.to_uppercase(), index::all().map(|f| f.name))
                .unwrap_or_else(|| "`millstream functions` lists them".to_owned());
            Err(Failure::usage(format!("there is no function `{name}`"), Some(hint)))
        }
    }
}
