//! `millstream connectors [NAME]`: what there is to read and write, from the same data that WITH
//! clauses are checked against.

use millstream::connectors::options::did_you_mean;
use millstream::connectors::registry;

use super::args::ConnectorsArguments;
use super::failure::Failure;
use super::print;

/// Lists connectors and formats, or the options of one.
pub fn connectors(arguments: &ConnectorsArguments) -> Result<(), Failure> {
    let Some(name) = &arguments.name else { return print(&registry::list()) };
    let described =
        if arguments.markdown { registry::markdown(name) } else { registry::describe(name) };
    match described {
        Some(text) => print(&text),
        None => {
            let hint = did_you_mean(name, registry::names())
                .unwrap_or_else(|| "`millstream connectors` lists them".to_owned());
            Err(Failure::usage(format!("there is no connector or format `{name}`"), Some(hint)))
        }
    }
}
