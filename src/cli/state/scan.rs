//! `millstream state scan`: the rows of tables of state, as they are stored.
//!
//! Partial aggregates are shown by pane and run, a key once a run: nothing is merged, for what
//! merging means is known to the operator alone. Keys and values of keyed tables are bytes, in hex.

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use millstream::state::{GroupRange, PaneKey, Run, StateStore, TableId};
use serde_json::{Map, Value};

use super::super::args::ScanArguments;
use super::super::failure::Failure;
use super::super::listing::{Cell, Listing};
use super::{not_read, open};

const COLUMNS: &[&str] = &["table", "pane_ms", "run", "key", "value"];

/// Prints up to so many rows of each table.
pub fn scan(arguments: &ScanArguments) -> Result<(), Failure> {
    let (_, store) = open(&arguments.checkpoint)?;
    let mut tables: Vec<TableId> =
        store.tables().map_err(not_read)?.into_iter().map(|size| size.table).collect();
    if let Some(name) = &arguments.table {
        tables.retain(|table| table.as_str() == name);
        if tables.is_empty() {
            let hint = "`millstream state size` lists the tables".to_owned();
            return Err(Failure::usage(format!("there is no table `{name}`"), Some(hint)));
        }
    }
    let mut listing = Listing::new(COLUMNS);
    for table in &tables {
        runs(&store, table, arguments.limit, &mut listing)?;
        rows(&store, table, arguments.limit, &mut listing)?;
    }
    listing.print(arguments.checkpoint.state.output)
}

/// Rows of runs, pane by pane.
fn runs(
    store: &dyn StateStore,
    table: &TableId,
    limit: usize,
    listing: &mut Listing,
) -> Result<(), Failure> {
    let mut left = limit;
    for (pane, infos) in store.panes(table, GroupRange::ALL).map_err(not_read)? {
        for info in infos {
            for run in store.runs(table, pane, &[info.id]).map_err(not_read)? {
                let shown = left.min(run.rows.num_rows());
                (0..shown).for_each(|row| listing.row(run_cells(table, pane, &run, row)));
                left -= shown;
            }
            if left == 0 {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn run_cells(table: &TableId, pane: PaneKey, run: &Run, row: usize) -> Vec<Cell> {
    let id = run.info.id;
    vec![
        Cell::Text(table.as_str().to_owned()),
        Cell::Moment(Some(pane.at.as_ms())),
        Cell::Text(format!("{}/{}/{}", id.epoch, id.task, id.number)),
        Cell::Nothing,
        Cell::Json(object(&run.rows, row)),
    ]
}

fn object(rows: &RecordBatch, row: usize) -> Value {
    let schema = rows.schema();
    let pairs = schema.fields().iter().zip(rows.columns()).map(|(field, column)| {
        let text = array_value_to_string(column, row);
        let value = match text {
            _ if column.is_null(row) => Value::Null,
            Ok(text) => Value::String(text),
            Err(error) => Value::String(error.to_string()),
        };
        (field.name().clone(), value)
    });
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// Rows of a keyed table.
fn rows(
    store: &dyn StateStore,
    table: &TableId,
    limit: usize,
    listing: &mut Listing,
) -> Result<(), Failure> {
    for (key, value) in store.scan(table, GroupRange::ALL, None, limit).map_err(not_read)? {
        listing.row(vec![
            Cell::Text(table.as_str().to_owned()),
            Cell::Nothing,
            Cell::Nothing,
            Cell::Text(format!("{}:{}", key.group.number(), hex(&key.key))),
            Cell::Text(hex(&value)),
        ]);
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
