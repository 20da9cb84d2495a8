//! No bytes may make the JSON decoder panic, and a chunk must be read like its lines.

#![no_main]

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use libfuzzer_sys::fuzz_target;
use millstream_connectors::format::Decoder;
use millstream_connectors::format::json::{JsonDecoder, Options};

fn decoder(ignore_parse_errors: bool) -> JsonDecoder {
    let text = || Field::new("b", DataType::Utf8, true);
    let key = Field::new("key", DataType::Utf8, false);
    let entries =
        DataType::Struct(Fields::from(vec![key, Field::new("value", DataType::Int64, true)]));
    let schema = Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        text(),
        Field::new("c", DataType::Timestamp(TimeUnit::Nanosecond, None), true),
        Field::new("d", DataType::Decimal128(38, 10), true),
        Field::new(
            "e",
            DataType::List(Arc::new(Field::new("item", DataType::Float64, true))),
            true,
        ),
        Field::new("f", DataType::Struct(Fields::from(vec![text()])), true),
        Field::new(
            "g",
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false),
            true,
        ),
        Field::new("h", DataType::Int32, false),
    ]);
    let options = Options { ignore_parse_errors, ..Options::default() };
    JsonDecoder::new(Arc::new(schema), options).expect("JSON has these types")
}

fuzz_target!(|bytes: &[u8]| {
    for ignore in [false, true] {
        let (mut by_chunk, mut by_line) = (decoder(ignore), decoder(ignore));
        by_chunk.decode_lines(bytes, &mut |_, _| ControlFlow::Continue(()));
        for line in bytes.split(|byte| *byte == b'\n') {
            let _ = by_line.decode(line.strip_suffix(b"\r").unwrap_or(line));
        }
        let chunk = by_chunk.finish().expect("what was read can be taken").rows;
        assert_eq!(chunk, by_line.finish().expect("what was read can be taken").rows);
    }
});
