//! `datagen`: rows made up by Flink's options, repeatable.
//!
//! ```sql
//! CREATE TABLE orders (id BIGINT, country STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3)) WITH (
//!   'connector' = 'datagen', 'rows-per-second' = '100',
//!   'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000',
//!   'fields.country.values' = 'DE;FR;US', 'fields.amount.min' = '1', 'fields.amount.max' = '500')
//! ```
//!
//! The value of a column in row `n` is a function of the seed, the column's name and `n` alone.
//! Timestamps are the exception: they are about now, as in Flink.

mod field;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use crate::error::{ConnectorError, Result};
use crate::generator::{Generate, Generator};
use crate::options::{OptionInfo, OptionKind, Options, did_you_mean, option};
use crate::pace::Pace;
use crate::random::Random;
use crate::registry::{ConnectorInfo, Direction, Environment, no_metadata};
use crate::{Source, TableSpec};
use field::{Field, FieldOptions};

/// Above this rate one generator may not keep up, and the table is cut into splits.
const ROWS_PER_SECOND_OF_ONE_SPLIT: u64 = 10_000;
/// Splits of a fast table: as many readers can share it.
const SPLITS: u64 = 16;

/// The connector as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "datagen",
    summary: "Makes up rows, random or in sequence; the same seed gives the same rows.",
    options: OPTIONS,
    formatted: false,
    metadata: no_metadata,
    check: |table: &TableSpec, _: Direction| Config::new(table).map(drop),
    source: Some(open_source),
    sink: None,
};

const OPTIONS: &[OptionInfo] = &[
    option(
        "rows-per-second",
        OptionKind::Integer,
        None,
        "Rows a second, over all splits; as fast as possible if left out.",
    ),
    option(
        "number-of-rows",
        OptionKind::Integer,
        None,
        "Rows in all; without it, and without a sequence, there is no end.",
    ),
    option(
        "seed",
        OptionKind::Integer,
        Some("0"),
        "Another seed gives other rows; the same one the same rows.",
    ),
    option(
        "fields.#.kind",
        OptionKind::OneOf(&["random", "sequence"]),
        Some("random"),
        "How the column is filled; the first sequence that ends ends the table.",
    ),
    option("fields.#.min", OptionKind::Text, None, "Least random value; that of the type."),
    option("fields.#.max", OptionKind::Text, None, "Greatest random value; that of the type."),
    option(
        "fields.#.max-past",
        OptionKind::Duration,
        Some("0"),
        "Random timestamps are at most this far before now.",
    ),
    option(
        "fields.#.length",
        OptionKind::Integer,
        Some("100"),
        "Characters of a string, bytes of a binary value; elements of an array or map (there 3).",
    ),
    option(
        "fields.#.var-len",
        OptionKind::Bool,
        Some("false"),
        "Whether the length is random between 1 and `length`.",
    ),
    option("fields.#.start", OptionKind::Integer, None, "First value of a sequence."),
    option("fields.#.end", OptionKind::Integer, None, "Last value of a sequence."),
    option("fields.#.null-rate", OptionKind::Number, Some("0"), "Share of nulls, from 0 to 1."),
    option(
        "fields.#.values",
        OptionKind::Text,
        None,
        "Values to choose from, separated by semicolons, such as `DE;FR;US`.",
    ),
];

/// The options, read and checked.
struct Config {
    rows_per_second: Option<u64>,
    end: Option<u64>,
    has_sequence: bool,
    /// Generators of the columns to read, in order.
    fields: Vec<Field>,
}

impl Config {
    fn new(table: &TableSpec) -> Result<Self> {
        let options = Options::new(table, &INFO);
        let seed = options.integer("seed")?.unwrap_or(0).cast_unsigned();
        let mut field_options = FieldOptions { options, used: BTreeSet::new() };
        let mut end = options.at_least("number-of-rows", 0)?;
        let (mut all, mut has_sequence) = (Vec::new(), false);
        for column in table.declared.fields() {
            let name = column.name();
            let field =
                Field::new(column.data_type(), name, Random::new(seed), &mut field_options)?;
            if let Some(rows) = field.sequence_rows() {
                has_sequence = true;
                end = Some(end.map_or(rows, |end| end.min(rows)));
            }
            all.push((name.clone(), field));
        }
        let known: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        refuse_unused(table, &options, &field_options.used, &known)?;
        let fields = table.schema.fields().iter().map(|column| {
            let found = all.iter().find(|(name, _)| name == column.name());
            found.map(|(_, field)| field.clone()).ok_or_else(|| ConnectorError::Options {
                message: format!("`datagen` cannot fill column `{}`", column.name()),
                option: Some("connector".into()),
                hint: None,
            })
        });
        Ok(Config {
            rows_per_second: options.at_least("rows-per-second", 1)?,
            end,
            has_sequence,
            fields: fields.collect::<Result<_>>()?,
        })
    }
}

/// An option of a field that no column used is a mistake: of the column's name, or because it
/// means nothing for the column's type and kind.
fn refuse_unused(
    table: &TableSpec,
    options: &Options<'_>,
    used: &BTreeSet<String>,
    columns: &[&str],
) -> Result<()> {
    let mut given = table.options.keys().filter(|key| key.starts_with("fields."));
    let Some(key) = given.find(|key| !used.contains(*key)) else { return Ok(()) };
    let rest = &key["fields.".len()..];
    let belongs = |column: &&&str| rest.strip_prefix(**column).is_some_and(|r| r.starts_with('.'));
    if let Some(column) = columns.iter().find(belongs) {
        let reason = format!("it means nothing for the type and kind of column `{column}`");
        let allowed: Vec<&str> = used
            .iter()
            .filter_map(|used| used.strip_prefix(&format!("fields.{column}.")))
            .collect();
        let hint = format!("the column has the options {}", allowed.join(", "));
        return Err(options.error(key, reason, Some(hint)));
    }
    let column = rest.rsplit_once('.').map_or(rest, |(column, _)| column);
    let hint = did_you_mean(column, columns.iter().copied());
    Err(options.error(key, format!("the table has no column `{column}`"), hint))
}

fn open_source(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Source>> {
    let config = Config::new(table)?;
    // Rows in sequence should come in sequence, and slow rows should not be spread over readers
    // whose watermarks would then wait for each other.
    let slow = config.rows_per_second.is_some_and(|rate| rate <= ROWS_PER_SECOND_OF_ONE_SPLIT);
    let splits = if config.has_sequence || slow { 1 } else { SPLITS };
    let clock = environment.clock.clone();
    let pace = config.rows_per_second.map(|rate| Arc::new(Pace::new(clock, rate as f64)));
    Ok(Box::new(Generator {
        rows: Arc::new(Rows {
            schema: table.schema.clone(),
            fields: config.fields,
            zone: environment.zone.parse().ok(),
        }),
        end: config.end,
        splits,
        block: if pace.is_some() { 1 } else { 1024 },
        pace,
        clock: environment.clock.clone(),
    }))
}

struct Rows {
    schema: SchemaRef,
    fields: Vec<Field>,
    /// The session's zone: what the wall clock shows in TIMESTAMP columns. UTC if unknown.
    zone: Option<arrow::array::timezone::Tz>,
}

impl Generate for Rows {
    fn rows(&self, numbers: &[u64], due_ms: &dyn Fn(u64) -> i64) -> Result<RecordBatch> {
        let now = values::Now { due_ms, zone: self.zone };
        let columns = self.fields.iter().zip(self.schema.fields());
        let columns = columns.map(|(field, column)| field.array(column.data_type(), numbers, &now));
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>();
        let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        columns
            .and_then(|columns| {
                RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            })
            .map_err(|error| ConnectorError::Data {
                place: "datagen".into(),
                reason: error.to_string(),
                hint: Some("a column that is NOT NULL must have a null-rate of 0".into()),
            })
    }
}
