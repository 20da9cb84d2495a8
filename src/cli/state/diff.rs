//! `millstream state diff old.sql new.sql`: what a changed query does to the state that is there.
//!
//! Without state the two files are compared as if every operator had some, of no size.

use millstream::engine::compatibility::{self, Change, OperatorChange};
use millstream::state::StateStore;
use millstream::state::checkpoint::Manifest;

use super::super::args::{DiffArguments, ErrorFormat, SqlArguments};
use super::super::failure::Failure;
use super::super::listing::{Cell, Listing};
use super::super::{home, say, source};
use super::{newest, not_read, open_at};

/// Prints a line for each operator.
pub fn diff(arguments: &DiffArguments, colour: bool) -> Result<(), Failure> {
    let plan = |file: &std::path::Path| {
        let sql = SqlArguments {
            file: Some(file.to_owned()),
            execute: None,
            set: Vec::new(),
            parallelism: None,
            env_file: None,
            error_format: ErrorFormat::Human,
            deny: Vec::new(),
            allow: Vec::new(),
        };
        source::plan(&source::read(&sql)?, &sql, colour)
    };
    let (old, new) = (plan(&arguments.old)?, plan(&arguments.new)?);
    let directory =
        arguments.state_dir.clone().unwrap_or_else(|| home::beside(Some(&arguments.old)));
    let (manifest, sizes) = match newest(&directory) {
        Some(path) => {
            let (manifest, store) = open_at(&path)?;
            (manifest, store.tables().map_err(not_read)?)
        }
        None => {
            say(&format!("{}: there is no state; sizes are unknown", directory.display()));
            let operators = compatibility::operators(&old.graph);
            (Manifest { operators, ..Manifest::default() }, Vec::new())
        }
    };
    let mut listing = Listing::new(&["operator", "change", "size_bytes", "why"]);
    for OperatorChange { name, change, bytes } in compatibility::diff(&manifest, &new.graph, &sizes)
    {
        let (word, why) = match change {
            Change::Kept => ("kept", String::new()),
            Change::Migrated(how) => ("migrated", how),
            Change::Rebuilt(why) => ("rebuilt", why),
            Change::Dropped => ("dropped", "no operator has this name any more".to_owned()),
            Change::New => ("new", String::new()),
        };
        let cells =
            [Cell::Text(name), Cell::Text(word.to_owned()), Cell::Bytes(bytes), Cell::Text(why)];
        listing.row(cells.into());
    }
    listing.print(arguments.output)
}
