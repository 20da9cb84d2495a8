//! Runs a query of ours in this process.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use millstream::connectors::console::{Console, ConsoleFormat};
use millstream::connectors::registry::Environment;
use millstream::engine::components::Registry;
use millstream::engine::job::RunOptions;
use millstream::engine::sim::Simulation;
use millstream::operators::Batch;
use millstream::{PlanOptions, SourceText};
use serde_json::{Map, Value};

use super::expression::Kind;
use super::query::Query;
use super::random::Random;
use super::table::{COLUMNS, Table};

/// The rows of a query's result, as JSON objects.
pub fn run(table: &Table, query: &Query, random: &mut Random) -> Result<Vec<Value>, String> {
    let parallelism = *random.pick(&[1, 2, 3]);
    let source = SourceText::new("query.sql", &query.ours);
    let options = PlanOptions { parallelism, zone: "UTC".to_owned(), ..PlanOptions::default() };
    let plan = millstream::plan(&source, &options)
        .map_err(|found| millstream::queries::render::all(&found, &source, false))?;
    let shown = Shown::default();
    let console = Arc::new(Console::new(Box::new(shown.clone()), ConsoleFormat::Ndjson, None));
    let environment = Environment::new(PathBuf::from("."), "UTC", parallelism, console);
    environment.memory.insert("t", splits(table, random));
    let components = Arc::new(Registry::new(environment));
    Simulation::new(&plan.graph, RunOptions::new(parallelism), components, random.next())
        .and_then(Simulation::run)
        .map_err(|error| error.to_string())?;
    let bytes = shown.0.lock().expect("not poisoned");
    let lines = std::str::from_utf8(&bytes).expect("UTF-8").lines();
    Ok(lines.map(|line| serde_json::from_str(line).expect("a JSON object")).collect())
}

/// The rows in up to three splits of several batches each.
fn splits(table: &Table, random: &mut Random) -> Vec<Vec<Batch>> {
    let count = 1 + random.below(3);
    let mut splits = vec![Vec::new(); count];
    let mut rest = table.rows.as_slice();
    while !rest.is_empty() {
        let (rows, others) = rest.split_at(1 + random.below(rest.len()));
        splits[random.below(count)].push(Batch::inserts(batch(rows)));
        rest = others;
    }
    splits
}

fn batch(rows: &[Map<String, Value>]) -> RecordBatch {
    let mut decoder =
        arrow_json::ReaderBuilder::new(schema()).build_decoder().expect("types that JSON has");
    decoder.serialize(rows).expect("rows of these types");
    decoder.flush().expect("rows of these types").expect("rows")
}

fn schema() -> SchemaRef {
    let columns = COLUMNS.iter().map(|(name, kind, _)| (*name, *kind));
    let fields = columns.chain([("ts", Kind::Time)]).map(|(name, kind)| {
        let data_type = match kind {
            Kind::Int => DataType::Int32,
            Kind::Big => DataType::Int64,
            Kind::Double => DataType::Float64,
            Kind::Decimal => DataType::Decimal128(10, 2),
            Kind::Text => DataType::Utf8,
            Kind::Bool => DataType::Boolean,
            Kind::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
            Kind::Date => DataType::Date32,
        };
        Field::new(name, data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// What the console has shown, shared with it.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
