//! Bytes from outside never panic, and whatever they are, every line is read, skipped or told.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use millstream_connectors::format::infer::{FORMATS, infer};
use millstream_connectors::format::{Columns, decoder_named};
use proptest::collection::vec;
use proptest::prelude::*;

fn columns(format: &str) -> Columns {
    let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
    let row = vec![Field::new("x", DataType::Int32, false), Field::new("y", DataType::Utf8, true)];
    let mut fields = vec![
        Field::new("a", list(DataType::Int32), true),
        Field::new("b", DataType::Struct(row.into()), true),
        Field::new("c", DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None), true),
    ];
    if format == "raw" {
        fields = vec![Field::new("v", DataType::Utf8, true)];
    }
    let schema = Arc::new(Schema::new(fields));
    Columns { wanted: schema.clone(), declared: schema }
}

fn read(format: &str, options: &[(&str, &str)], bytes: &[u8]) {
    let options: BTreeMap<String, String> =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut decoder = decoder_named(format, "", &options, &columns(format)).expect("good options");
    let mut errors = 0;
    let read = decoder.decode_lines(bytes, &mut |_, _| {
        errors += 1;
        ControlFlow::Continue(())
    });
    assert_eq!(read.bytes, bytes.len());
    let skipped = decoder.take_skipped();
    assert!(errors + skipped <= read.lines as u64);
    let rows = decoder.rows();
    assert_eq!(decoder.finish().expect("what was read can be taken").num_rows(), rows);
}

/// Bytes that formats give a meaning to, more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let signs = b"\n\r\",;'\\{}[]:-0123 \t#eTZ.".to_vec();
    vec(prop_oneof![4 => proptest::sample::select(signs), 1 => any::<u8>()], 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]
    #[test]
    fn are_read_skipped_or_told(bytes in bytes()) {
        for ignore in ["true", "false"] {
            let ignored = ("csv.ignore-parse-errors", ignore);
            read("csv", &[ignored], &bytes);
            read("csv", &[ignored, ("csv.null-literal", "-"), ("csv.escape-character", "\\")], &bytes);
            read("csv", &[ignored, ("csv.disable-quote-character", "true")], &bytes);
            read("json", &[("json.ignore-parse-errors", ignore)], &bytes);
            read("changelog-json", &[("changelog-json.ignore-parse-errors", ignore)], &bytes);
        }
        for charset in ["UTF-8", "UTF-16", "ISO-8859-1", "GBK", "Shift_JIS"] {
            read("raw", &[("raw.charset", charset)], &bytes);
        }
        for format in FORMATS {
            infer(format, &bytes);
        }
    }
}
