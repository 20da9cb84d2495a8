//! Kafka: topics as tables, read and written.
//!
//! Reading: partitions are splits (`orders/3`), assigned by us at explicit offsets; the consumer
//! group serves only for `group-offsets` and for monitoring, and never rebalances. Writing is exactly
//! once in a job with epochs: each is a transaction. Nothing is connected before a job starts:
//! `check` works offline.
//!
//! | file | what |
//! |---|---|
//! | [`info`] | options and metadata columns as data |
//! | [`options`], [`properties`] | the WITH clause, typed; what of the client may be set |
//! | [`settings`] | how clients are set up, and why so |
//! | [`layout`] | which column is in the value, the key or the metadata |
//! | [`client`], [`offsets`] | clients, their errors in words; where partitions start and end |
//! | [`source`], [`reader`], [`columns`] | reading |
//! | [`sink`] | writing |
//! | [`transaction`], [`direct`] | where records go: exactly once, or at least once |
//! | [`native`] | the one module with `unsafe` code: records by the batch |
//!
//! Start reading at [`source`].

mod client;
mod columns;
mod direct;
mod info;
mod layout;
mod native;
mod offsets;
mod options;
mod properties;
mod reader;
mod settings;
mod sink;
mod source;
mod transaction;

use crate::error::Result;
use crate::options::Direction;
use crate::registry::{ConnectorInfo, Environment};
use crate::{Sink, Source, TableSpec};

pub use transaction::Transactions;

/// The connector, as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "kafka",
    summary: "Reads and writes topics of Apache Kafka.",
    options: info::OPTIONS,
    formatted: true,
    metadata: info::metadata,
    check,
    source: Some(open_source),
    sink: Some(open_sink),
};

/// The name to use for an option that users of other engines know by another one.
pub fn other_name(option: &str) -> Option<&'static str> {
    info::ALIASES.iter().find(|(alias, _)| *alias == option).map(|(_, name)| *name)
}

fn check(table: &TableSpec, direction: Direction) -> Result<()> {
    match direction {
        Direction::Source => {
            options::SourceOptions::new(table)?;
            let layout = layout::Layout::of_source(table)?;
            for (index, key) in &table.metadata {
                columns::check_type(key, table.schema.field(*index).data_type())?;
            }
            layout.value_decoder(table)?;
            layout.key_decoder(table).map(drop)
        }
        Direction::Sink => {
            sink::KafkaSink::options(table)?;
            let layout = layout::Layout::of_sink(table)?;
            layout.value_encoder(table)?;
            layout.key_encoder(table).map(drop)
        }
        Direction::Unused => Ok(()),
    }
}

fn open_source(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Source>> {
    Ok(Box::new(source::KafkaSource::new(table, environment)?))
}

fn open_sink(table: &TableSpec, environment: &Environment) -> Result<Box<dyn Sink>> {
    Ok(Box::new(sink::KafkaSink::new(table, environment)?))
}
