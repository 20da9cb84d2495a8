//! Formats: bytes of a record ↔ Arrow columns.

use arrow::datatypes::SchemaRef;
use millstream_operators::Batch;

use crate::error::DecodeError;

/// Turns records into a batch, record by record, only the columns that are asked for.
///
/// A decoder keeps the rows it has read until [`Decoder::finish`] takes them.
pub trait Decoder: Send {
    /// Reads one record.
    ///
    /// Returns the number of rows it added (0 for a record that is blank). After an error the
    /// decoder holds exactly the rows it held before: a bad record harms no other.
    fn decode(&mut self, record: &[u8]) -> Result<usize, DecodeError>;

    /// Rows read since the last `finish`.
    fn rows(&self) -> usize;

    /// Takes the rows read so far, possibly none.
    fn finish(&mut self) -> Result<Batch, DecodeError>;
}

/// Turns rows into records.
pub trait Encoder: Send {
    /// Appends the record of row `row` to `out`, without a separator.
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), DecodeError>;

    /// A line that a file of this format starts with, such as CSV's column names.
    fn header(&self, _schema: &SchemaRef) -> Option<Vec<u8>> {
        None
    }
}
