//! No bytes may make the CSV decoder panic or lose count of its input.

#![no_main]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use libfuzzer_sys::fuzz_target;
use millstream_connectors::format::{Columns, decoder_named};

fuzz_target!(|bytes: &[u8]| {
    let field = |name, data_type| Field::new(name, data_type, true);
    let schema = Arc::new(Schema::new(vec![
        field("a", DataType::Int32),
        field("b", DataType::Utf8),
        field("c", DataType::Date32),
    ]));
    let columns = Columns { wanted: schema.clone(), declared: schema };
    let options = [("csv.escape-character", "\\"), ("csv.header", "true")];
    let options: BTreeMap<String, String> =
        options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let mut decoder = decoder_named("csv", "", &options, &columns).expect("good options");
    let _ = decoder.header(bytes);
    let read = decoder.decode_lines(bytes, &mut |_, _| ControlFlow::Continue(()));
    assert_eq!(read.bytes, bytes.len());
    let rows = decoder.rows();
    assert_eq!(decoder.finish().expect("what was read can be taken").num_rows(), rows);
});
