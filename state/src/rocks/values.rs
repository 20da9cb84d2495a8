//! Values of runs: Arrow IPC without its schema.
//!
//! ```text
//!  01 · 00 00 00 · schema number, u32 · 8 bytes 00 · Arrow IPC messages (dictionaries, then one batch)
//! ```
//!
//! A run of an epoch in which little happened has a few rows, and an IPC schema is some hundred
//! bytes, so schemas are stored once and numbered. The messages begin at a multiple of 8, as their
//! buffers do: a run is read without another copy. They are not compressed here; RocksDB compresses
//! blocks, which for small runs hold many runs with the same bytes over and over.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::writer::{
    DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message,
};
use arrow_ipc::{Block, MessageHeader, MetadataVersion};

const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 16;
/// Continuation mark and length before every message.
const MARK_BYTES: usize = 8;

/// The schemas of a store, by number.
#[derive(Debug, Default)]
pub struct Schemas {
    by_number: HashMap<u32, SchemaRef>,
    numbers: HashMap<SchemaRef, u32>,
}

impl Schemas {
    /// Takes up a stored schema.
    pub fn read(&mut self, number: u32, bytes: &[u8]) -> Result<(), ArrowError> {
        let schema = Arc::new(arrow_ipc::convert::try_schema_from_flatbuffer_bytes(bytes)?);
        self.by_number.insert(number, schema.clone());
        self.numbers.insert(schema, number);
        Ok(())
    }

    /// The number of a schema; if it is new also the bytes to store.
    pub fn number(&mut self, schema: &SchemaRef) -> (u32, Option<Vec<u8>>) {
        if let Some(number) = self.numbers.get(schema) {
            return (*number, None);
        }
        let number = self.by_number.keys().max().map_or(1, |last| last + 1);
        self.by_number.insert(number, schema.clone());
        self.numbers.insert(schema.clone(), number);
        (number, Some(schema_bytes(schema, &mut DictionaryTracker::new(false))))
    }

    /// The schema with this number.
    pub fn get(&self, number: u32) -> Option<SchemaRef> {
        self.by_number.get(&number).cloned()
    }
}

fn schema_bytes(schema: &Schema, dictionaries: &mut DictionaryTracker) -> Vec<u8> {
    let generator = IpcDataGenerator::default();
    generator.schema_to_bytes_with_dictionary_tracker(schema, dictionaries, &options()).ipc_message
}

fn options() -> IpcWriteOptions {
    IpcWriteOptions::try_new(8, false, MetadataVersion::V5).expect("8 is an alignment")
}

/// The value of a run.
pub fn write(rows: &RecordBatch, schema: u32) -> Result<Vec<u8>, ArrowError> {
    let options = options();
    let mut dictionaries = DictionaryTracker::new(false);
    if rows.schema().fields().iter().any(|field| has_dictionary(field.data_type())) {
        // Numbers the dictionaries as the stored schema does.
        schema_bytes(&rows.schema(), &mut dictionaries);
    }
    let generator = IpcDataGenerator::default();
    let (encoded, batch) =
        generator.encode(rows, &mut dictionaries, &options, &mut IpcWriteContext::default())?;
    let mut value = Vec::with_capacity(HEAD_BYTES + batch.arrow_data.len() + 512);
    value.extend([FORMAT, 0, 0, 0]);
    value.extend(schema.to_be_bytes());
    value.extend([0; 8]);
    for message in encoded.into_iter().chain([batch]) {
        write_message(&mut value, message, &options)?;
    }
    Ok(value)
}

fn has_dictionary(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(..) => true,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            has_dictionary(field.data_type())
        }
        DataType::Struct(fields) => fields.iter().any(|field| has_dictionary(field.data_type())),
        DataType::Map(field, _) => has_dictionary(field.data_type()),
        _ => false,
    }
}

/// Number of the schema of a value.
pub fn schema_number(value: &[u8]) -> Option<u32> {
    match value.get(..HEAD_BYTES)? {
        [FORMAT, 0, 0, 0, number @ ..] => super::keys::read_u32(&number[..4]),
        _ => None,
    }
}

/// Reads the rows of a run.
pub fn read(value: &Buffer, schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
    let mut decoder = FileDecoder::new(schema, MetadataVersion::V5);
    let mut rest = value.slice(HEAD_BYTES);
    loop {
        let (block, kind) = next_message(&rest)?;
        if kind == MessageHeader::DictionaryBatch {
            decoder.read_dictionary(&block, &rest)?;
            let bytes = block.metaDataLength() as usize + block.bodyLength() as usize;
            rest = rest.slice(bytes);
            continue;
        }
        let batch = decoder.read_record_batch(&block, &rest)?;
        return batch.ok_or_else(|| ArrowError::IpcError("a run without rows".to_owned()));
    }
}

/// Where the first message of `bytes` ends, and what it is.
fn next_message(bytes: &[u8]) -> Result<(Block, MessageHeader), ArrowError> {
    let cut = || ArrowError::IpcError("a run is cut short".to_owned());
    let length = bytes.get(4..MARK_BYTES).ok_or_else(cut)?;
    let length = u32::from_le_bytes(length.try_into().map_err(|_| cut())?) as usize;
    let metadata = bytes.get(MARK_BYTES..MARK_BYTES + length).ok_or_else(cut)?;
    let message = arrow_ipc::root_as_message(metadata)
        .map_err(|error| ArrowError::IpcError(error.to_string()))?;
    let body = usize::try_from(message.bodyLength()).map_err(|_| cut())?;
    if bytes.len() - MARK_BYTES - length < body {
        return Err(cut());
    }
    let block = Block::new(0, (MARK_BYTES + length) as i32, message.bodyLength());
    Ok((block, message.header_type()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, DictionaryArray, Int64Array, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn store(batch: &RecordBatch) -> (Schemas, Vec<u8>) {
        let mut schemas = Schemas::default();
        let (number, bytes) = schemas.number(&batch.schema());
        let mut reopened = Schemas::default();
        reopened.read(number, &bytes.expect("new")).expect("schema");
        assert_eq!(reopened.number(&batch.schema()), (number, None));
        (reopened, write(batch, number).expect("encodes"))
    }

    fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
        let names = ["a", "b", "c"];
        let columns = names.into_iter().zip(columns);
        RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).expect("batch")
    }

    #[test]
    fn what_is_written_is_read() {
        let words: DictionaryArray<Int32Type> =
            vec![Some("x"), None, Some("y")].into_iter().collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN)])),
            Arc::new(StringArray::from(vec![Some("p"), Some(""), None])),
            Arc::new(words),
        ];
        for count in 1..=3 {
            let rows = batch(columns[..count].to_vec());
            for rows in [rows.clone(), rows.slice(1, 2), rows.slice(0, 0)] {
                let (schemas, value) = store(&rows);
                let schema = schemas.get(schema_number(&value).expect("number")).expect("known");
                let read = read(&Buffer::from(value.as_slice()), schema).expect("decodes");
                assert_eq!(read, rows);
            }
        }
    }

    #[test]
    fn a_small_run_is_small() {
        let rows =
            batch(vec![Arc::new(Int64Array::from(vec![1])), Arc::new(Int64Array::from(vec![2]))]);
        let (_, value) = store(&rows);
        assert!(value.len() < 400, "{} bytes", value.len());
    }

    #[test]
    fn a_cut_value_is_an_error_not_a_panic() {
        let rows = batch(vec![Arc::new(StringArray::from(vec!["some", "words"]))]);
        let (schemas, value) = store(&rows);
        for length in HEAD_BYTES..value.len() {
            let schema = schemas.get(1).expect("schema");
            assert!(read(&Buffer::from(&value[..length]), schema).is_err(), "cut at {length}");
        }
        assert_eq!(schema_number(&value[..HEAD_BYTES - 1]), None);
    }

    /// Bytes on disk are frozen; Arrow's own part is Arrow's promise.
    #[test]
    fn the_head_is_this() {
        let rows = batch(vec![Arc::new(Int64Array::from(vec![0x11]))]);
        let value = write(&rows, 0x0102).expect("encodes");
        assert_eq!(value[..16], [1, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(value[16..20], [0xff; 4]);
        assert_eq!(value[value.len() - 8..], [0x11, 0, 0, 0, 0, 0, 0, 0]);
    }
}
