//! `changelog-json`: a change a record, `{"op":"+I","data":{…}}`.
//!
//! `op` is the row's kind as Flink prints it: `+I`, `-U`, `+U` or `-D`. The rest is `json`.

use std::sync::Arc;

use arrow::array::{AsArray, Int8Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use millstream_operators::{Batch, RowKind};

use super::json::{
    EncodeOptions, JsonDecoder, JsonEncoder, Options, check_writable, timestamp_standard,
};
use super::{Columns, Decoder, Encoder, FormatInfo, FormatOptions, Framing};
use crate::error::{DecodeError, Result};
use crate::options::{OptionInfo, OptionKind};

/// The format's entry in the registry.
pub const INFO: FormatInfo = FormatInfo {
    name: NAME,
    summary: "A change a record, {\"op\":\"+I\",\"data\":{…}}: streams with updates and deletes.",
    options: OPTIONS,
    decoder: Some(decoder),
    encoder: Some(encoder),
    framing: |_| Ok(Framing::Lines),
};

const NAME: &str = "changelog-json";

/// Options: those of `json` that have a meaning here.
pub static OPTIONS: &[OptionInfo] = &[
    OptionInfo {
        name: "changelog-json.ignore-parse-errors",
        kind: OptionKind::Bool,
        default: Some("false"),
        required: false,
        description: "Whether to skip records that are no changes, and to read values of the wrong type as NULL.",
    },
    OptionInfo {
        name: "changelog-json.timestamp-format.standard",
        kind: OptionKind::OneOf(&["SQL", "ISO-8601"]),
        default: Some("SQL"),
        required: false,
        description: "Whether a space or a 'T' stands between date and time; TIMESTAMP_LTZ ends in 'Z'.",
    },
];

fn decoder(options: &FormatOptions<'_>, columns: &Columns) -> Result<Box<dyn Decoder>> {
    let options = Options {
        fail_on_missing_field: false,
        ignore_parse_errors: options.bool("changelog-json.ignore-parse-errors", false)?,
        exact_types: false,
        timestamp: timestamp_standard(options, NAME)?,
    };
    Ok(Box::new(ChangelogDecoder::new(&columns.wanted, options)?))
}

fn encoder(options: &FormatOptions<'_>, columns: &Columns) -> Result<Box<dyn Encoder>> {
    let timestamp = timestamp_standard(options, NAME)?;
    let options = EncodeOptions { timestamp, ..EncodeOptions::default() };
    check_writable(columns, &options)?;
    Ok(Box::new(ChangelogEncoder::new(&columns.wanted, options)))
}

/// Reads changes: a JSON decoder for `ROW<op STRING, data ROW<…>>`, unwrapped at the end.
pub struct ChangelogDecoder {
    schema: SchemaRef,
    ignore_errors: bool,
    changes: JsonDecoder,
    skipped: u64,
}

impl ChangelogDecoder {
    /// A decoder of changes of rows with these columns.
    pub fn new(schema: &SchemaRef, options: Options) -> Result<Self> {
        let fields = vec![
            Field::new("op", DataType::Utf8, false),
            Field::new("data", DataType::Struct(schema.fields().clone()), false),
        ];
        let changes = JsonDecoder::new(Arc::new(Schema::new(fields)), options)?;
        let ignore_errors = options.ignore_parse_errors;
        Ok(ChangelogDecoder { schema: schema.clone(), ignore_errors, changes, skipped: 0 })
    }

    /// The first kind from row `from` on that is none.
    fn wrong_kind(&self, from: usize) -> Option<String> {
        let mut kinds = self.changes.texts_from(0, from);
        kinds.find(|kind| parse(kind).is_none()).map(|kind| String::from_utf8_lossy(kind).into())
    }
}

fn parse(kind: &[u8]) -> Option<RowKind> {
    std::str::from_utf8(kind).ok().and_then(RowKind::parse)
}

impl Decoder for ChangelogDecoder {
    fn decode(&mut self, record: &[u8]) -> Result<usize, DecodeError> {
        let before = self.changes.rows();
        let rows = self.changes.decode(record)?;
        let Some(kind) = self.wrong_kind(before) else {
            return Ok(rows);
        };
        self.changes.truncate(before);
        if self.ignore_errors {
            self.skipped += 1;
            return Ok(0);
        }
        let kind: String = kind.chars().take(20).collect();
        Err(DecodeError::new(format!("\"op\" is {kind:?}, expected +I, -U, +U or -D")))
    }

    fn rows(&self) -> usize {
        self.changes.rows()
    }

    fn finish(&mut self) -> Result<Batch, DecodeError> {
        let changes = self.changes.take()?;
        let kinds = changes.column(0).as_string::<i32>().iter();
        let kinds: Int8Array = kinds
            .map(|kind| kind.and_then(RowKind::parse).unwrap_or(RowKind::Insert) as i8)
            .collect();
        let kinds = kinds.values().iter().any(|kind| *kind != 0).then_some(kinds);
        let columns = changes.column(1).as_struct().columns().to_vec();
        let rows = super::batch(&self.schema, Ok(columns), changes.num_rows())?;
        Ok(Batch { rows, kinds })
    }

    fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped) + self.changes.take_skipped()
    }
}

/// Writes rows with their kinds.
pub struct ChangelogEncoder {
    data: JsonEncoder,
}

impl ChangelogEncoder {
    /// An encoder for batches with the columns of `schema`.
    pub fn new(schema: &SchemaRef, options: EncodeOptions) -> Self {
        ChangelogEncoder { data: JsonEncoder::new(schema, options) }
    }
}

impl Encoder for ChangelogEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        out.extend_from_slice(b"{\"op\":\"");
        out.extend_from_slice(batch.kind(row).as_str().as_bytes());
        out.extend_from_slice(b"\",\"data\":");
        self.data.encode(batch, row, out)?;
        out.push(b'}');
        Ok(())
    }
}
