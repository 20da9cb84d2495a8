//! `nexmark`: the auction site of the Nexmark benchmark, seeded and repeatable.
//!
//! Persons open auctions and bid: of 50 consecutive events one is a new person, three are auctions
//! and 46 are bids. Event `n` is a function of the seed and `n`, and has the event time
//! `base-time + n / event-rate`. A table shows one of the three kinds, with the flat columns that
//! Flink's Nexmark suite gives them.
//!
//! Distributions follow the benchmark's paper and Beam's generator: half of the bids go to one of
//! each hundred auctions, three quarters come from one of each hundred persons, prices are spread
//! evenly by order of magnitude. The crate `nexmark` (0.2) does the same, but has no seed besides
//! the event's number, makes all columns of every event as heap strings, reckons event time in
//! 32-bit floats, and brings a second `rand`; hence a generator of our own, a column at a time.

mod columns;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use chrono::{NaiveDateTime, Offset, TimeZone};

use crate::error::{ConnectorError, Result};
use crate::generator::{Generate, Generator};
use crate::options::{OptionInfo, OptionKind, Options, option};
use crate::pace::Pace;
use crate::registry::{ConnectorInfo, Direction, Environment, no_metadata};
use crate::{Source, TableSpec};
use columns::{Column, Event, Model};

/// Events after which the kinds repeat. Splits take turns by this many, so that all of them have
/// the same share of each kind.
const CYCLE: u64 = 50;

/// The connector as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "nexmark",
    summary: "Plays the auction site of the Nexmark benchmark; the same seed gives the same rows.",
    options: OPTIONS,
    formatted: false,
    metadata: no_metadata,
    check: |table: &TableSpec, _: Direction| Config::new(table).map(drop),
    source: Some(open_source),
    sink: None,
};

const OPTIONS: &[OptionInfo] = &[
    OptionInfo {
        name: "nexmark.event",
        kind: OptionKind::OneOf(&["person", "auction", "bid"]),
        default: None,
        required: true,
        description: "Which kind of event the table shows: 2, 6 or 92 of every 100 events.",
    },
    option(
        "nexmark.events",
        OptionKind::Integer,
        None,
        "Events in all, of the three kinds together; without it there is no end.",
    ),
    option(
        "nexmark.rate",
        OptionKind::Number,
        None,
        "Events a second by the clock, of the three kinds together; as fast as possible if left \
         out.",
    ),
    option(
        "nexmark.event-rate",
        OptionKind::Integer,
        Some("100000"),
        "Events a second of event time.",
    ),
    option(
        "nexmark.base-time",
        OptionKind::Text,
        Some("2024-01-01 00:00:00"),
        "Event time of the first event: a timestamp, or `now`.",
    ),
    option("seed", OptionKind::Integer, Some("0"), "Another seed gives other events."),
    option(
        "nexmark.splits",
        OptionKind::Integer,
        None,
        "How many readers can share the table; 16, or 1 if there is a `nexmark.rate`.",
    ),
];

/// The options, read and checked.
struct Config {
    event: Event,
    events: Option<u64>,
    rate: Option<f64>,
    event_rate: u64,
    /// Milliseconds of the wall clock since the epoch; `None` means now.
    base_ms: Option<i64>,
    seed: u64,
    splits: u64,
    columns: Vec<Column>,
}

impl Config {
    fn new(table: &TableSpec) -> Result<Self> {
        let options = Options::new(table, &INFO);
        let event = Event::parse(options.required("nexmark.event")?);
        let event = event.ok_or_else(|| {
            options.error("nexmark.event", "it is none of person, auction, bid".to_owned(), None)
        })?;
        let rate = options.number("nexmark.rate")?;
        if rate.is_some_and(|rate| rate <= 0.0) {
            return Err(options.error("nexmark.rate", "it must be above 0".to_owned(), None));
        }
        // The declared columns are checked even if the query reads only some of them.
        for field in table.declared.fields() {
            Column::new(event, field)?;
        }
        let columns = table.schema.fields().iter().map(|field| Column::new(event, field));
        // Readers of a paced table would wait for each other's watermarks; one is fast enough.
        let splits = if rate.is_some() { 1 } else { 16 };
        Ok(Config {
            event,
            events: options.at_least("nexmark.events", 0)?,
            rate,
            event_rate: options.at_least("nexmark.event-rate", 1)?.unwrap_or(100_000),
            base_ms: base_time(&options)?,
            seed: options.integer("seed")?.unwrap_or(0).cast_unsigned(),
            splits: options.at_least("nexmark.splits", 1)?.unwrap_or(splits),
            columns: columns.collect::<Result<_>>()?,
        })
    }
}

fn base_time(options: &Options<'_>) -> Result<Option<i64>> {
    const NAME: &str = "nexmark.base-time";
    let text = options.text(NAME).unwrap_or("now").trim();
    if text == "now" {
        return Ok(None);
    }
    let spelt = text.replacen('T', " ", 1);
    let parsed = NaiveDateTime::parse_from_str(&spelt, "%Y-%m-%d %H:%M:%S%.f");
    match parsed {
        Ok(time) => Ok(Some(time.and_utc().timestamp_millis())),
        Err(_) => {
            let hint = "write it as '2024-01-01 00:00:00' or 'now'".to_owned();
            Err(options.error(NAME, format!("`{text}` is not a timestamp"), Some(hint)))
        }
    }
}

fn open_source(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Source>> {
    let config = Config::new(table)?;
    let clock = environment.clock.clone();
    // A written base time is the same text in every column; `now` differs by the zone's offset
    // between columns that hold a moment and those that hold what a clock on the wall shows.
    let (zoned_ms, wall_ms) = match config.base_ms {
        Some(ms) => (ms, ms),
        None => (clock.unix_ms(), clock.unix_ms() + zone_offset_ms(environment)),
    };
    let model = Model::new(config.seed, config.event_rate, zoned_ms, wall_ms);
    Ok(Box::new(Generator {
        rows: Arc::new(Rows {
            model,
            event: config.event,
            schema: table.schema.clone(),
            columns: config.columns,
        }),
        end: config.events,
        splits: config.splits,
        block: CYCLE,
        pace: config.rate.map(|rate| Arc::new(Pace::new(clock.clone(), rate))),
        clock,
    }))
}

fn zone_offset_ms(environment: &Environment) -> i64 {
    let Ok(zone) = environment.zone.parse::<arrow::array::timezone::Tz>() else { return 0 };
    let now = chrono::DateTime::from_timestamp_millis(environment.clock.unix_ms());
    let offset = now.map(|now| zone.offset_from_utc_datetime(&now.naive_utc()).fix());
    offset.map_or(0, |offset| i64::from(offset.local_minus_utc()) * 1000)
}

struct Rows {
    model: Model,
    event: Event,
    schema: SchemaRef,
    columns: Vec<Column>,
}

impl Generate for Rows {
    fn select(&self, numbers: &mut Vec<u64>) {
        let wanted = self.event.places();
        numbers.retain(|number| wanted.contains(&(number % CYCLE)));
    }

    fn rows(&self, numbers: &[u64], _due_ms: &dyn Fn(u64) -> i64) -> Result<RecordBatch> {
        let arrays = self.columns.iter().map(|column| column.array(&self.model, numbers));
        let arrays = arrays.collect::<std::result::Result<Vec<_>, _>>();
        let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        arrays
            .and_then(|arrays| {
                RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            })
            .map_err(|error| ConnectorError::Data {
                place: "nexmark".into(),
                reason: error.to_string(),
                hint: Some("declare the column with a wider type, such as BIGINT".into()),
            })
    }
}
