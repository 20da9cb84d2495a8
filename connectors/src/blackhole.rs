//! `blackhole`: a sink that accepts everything and keeps nothing; for measuring.

use millstream_operators::Batch;

use crate::error::Result;
use crate::registry::{ConnectorInfo, Direction, Environment, no_metadata};
use crate::{Sink, TableSpec, Writer};

/// The connector as data.
pub const INFO: ConnectorInfo = ConnectorInfo {
    name: "blackhole",
    summary: "Accepts rows and forgets them: for measuring a query without its output.",
    options: &[],
    formatted: false,
    metadata: no_metadata,
    check: |_: &TableSpec, _: Direction| Ok(()),
    source: None,
    sink: Some(|_: &TableSpec, _: &Environment| Ok(Box::new(Blackhole))),
};

struct Blackhole;

impl Sink for Blackhole {
    fn writer(&self, _subtask: usize) -> Result<Box<dyn Writer>> {
        Ok(Box::new(Blackhole))
    }
}

impl Writer for Blackhole {
    /// Rows become no payload, hence zero bytes.
    fn write(&mut self, _batch: &Batch) -> Result<u64> {
        Ok(0)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
