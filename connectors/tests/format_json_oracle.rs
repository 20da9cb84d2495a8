//! The JSON decoder against two others: `serde_json` for what a document says, `arrow-json` for
//! whole batches; and against itself, for what broken input may never do.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use millstream_connectors::format::Decoder;
use millstream_connectors::format::json::{JsonDecoder, Options};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const KEYS: [&str; 6] = ["a", "b", "price", "dateTime", "é", "q\"uote"];

fn texts() -> SchemaRef {
    Arc::new(Schema::new(KEYS.map(|key| Field::new(key, DataType::Utf8, true)).to_vec()))
}

fn decoder(schema: &SchemaRef) -> JsonDecoder {
    JsonDecoder::new(schema.clone(), Options::default()).expect("JSON has these types")
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Eighths: serde_json itself reads long fractions only nearly right.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        ".{0,40}".prop_map(Value::from),
        "[a-z\"\\\\\n\t]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec(("[a-c\"]{0,3}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An object with some of the keys in some order, and keys that nobody asks for.
fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![4 => 0..KEYS.len(), 1 => Just(KEYS.len())];
    vec((key, any_value()), 0..9).prop_map(|members| {
        let name = |key: usize| KEYS.get(key).copied().unwrap_or("other").to_owned();
        members.into_iter().map(|(key, value)| (name(key), value)).collect()
    })
}

/// The document on one line, with blanks and escapes as `style` says.
fn written(value: &Value, style: u8, out: &mut String) {
    let blank = if style & 1 == 0 { "" } else { " " };
    match value {
        Value::Object(members) => {
            out.push_str(&format!("{{{blank}"));
            for (i, (key, member)) in members.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(blank);
                written(&Value::from(key.as_str()), style, out);
                out.push_str(&format!("{blank}:{blank}"));
                written(member, style, out);
            }
            out.push_str(&format!("{blank}}}"));
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                written(item, style, out);
                out.push_str(blank);
            }
            out.push(']');
        }
        Value::String(text) if style & 2 != 0 => {
            let unit = |unit: u16| format!("\\u{unit:04x}");
            let escaped: String = text.encode_utf16().map(unit).collect();
            out.push_str(&format!("\"{escaped}\""));
        }
        other => out.push_str(&other.to_string()),
    }
}

/// What a STRING column must have for a value.
fn assert_text(found: Option<&str>, value: Option<&Value>) {
    match (found, value) {
        (None, None | Some(Value::Null)) => {}
        (Some(found), Some(Value::String(text))) => assert_eq!(found, text),
        (Some(found), Some(other)) => {
            let read: Value = serde_json::from_str(found).expect("JSON text");
            assert_eq!(&read, other);
        }
        (found, value) => panic!("{found:?} for {value:?}"),
    }
}

/// Spoils a document: removes, repeats or replaces bytes.
fn spoil(document: &mut Vec<u8>, at: prop::sample::Index, change: u8, byte: u8) {
    let at = at.index(document.len());
    match change % 4 {
        0 => document.truncate(at),
        1 => document[at] = byte,
        2 => document.insert(at, byte),
        _ => drop(document.remove(at)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn documents_say_what_serde_json_says(
        objects in vec((any_object(), 0..4_u8), 1..6),
    ) {
        let schema = texts();
        let (mut by_record, mut by_chunk) = (decoder(&schema), decoder(&schema));
        let mut chunk = String::new();
        for (object, style) in &objects {
            let mut document = String::new();
            written(&Value::Object(object.clone()), *style, &mut document);
            by_record.decode(document.as_bytes()).expect("valid JSON");
            chunk += &format!("{document}\n");
        }
        by_chunk.decode_lines(chunk.as_bytes(), &mut |line, error| panic!("{line}: {error}"));
        let batch = by_record.finish().expect("rows").rows;
        prop_assert_eq!(&batch, &by_chunk.finish().expect("rows").rows);
        for (row, (object, _)) in objects.iter().enumerate() {
            for (key, column) in KEYS.iter().zip(batch.columns()) {
                let column = column.as_string::<i32>();
                let found = arrow::array::Array::is_valid(column, row).then(|| column.value(row));
                assert_text(found, object.get(*key));
            }
        }
    }

    #[test]
    fn broken_records_are_refused_or_read_and_harm_no_other(
        objects in vec((any_object(), 0..4_u8), 1..5),
        changes in vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 1..4),
    ) {
        let schema = texts();
        let good = br#"{"a":"1","b":"2","price":"3","dateTime":"4","other":{"x":[1]}}"#;
        let mut decoder = decoder(&schema);
        for (object, style) in &objects {
            let mut document = String::new();
            written(&Value::Object(object.clone()), *style, &mut document);
            let mut document = document.into_bytes();
            for (at, change, byte) in &changes {
                if !document.is_empty() {
                    spoil(&mut document, *at, *change, *byte);
                }
            }
            decoder.decode(good).expect("valid JSON");
            let before = decoder.rows();
            let truth = serde_json::from_slice::<Value>(&document);
            let result = decoder.decode(&document);
            if let Ok(Value::Object(_)) = truth {
                prop_assert_eq!(&result, &Ok(1), "{:?}", String::from_utf8_lossy(&document));
            }
            prop_assert_eq!(decoder.rows(), before + result.unwrap_or(0));
            decoder.decode(good).expect("valid JSON");
            let batch = decoder.finish().expect("rows").rows;
            for row in [0, batch.num_rows() - 1] {
                for (column, expected) in ["1", "2", "3", "4"].iter().enumerate() {
                    prop_assert_eq!(batch.column(column).as_string::<i32>().value(row), *expected);
                }
            }
        }
    }

    #[test]
    fn chunks_are_read_as_their_lines_are(
        lines in vec((any_object(), 0..4_u8), 1..8),
        changes in vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 0..6),
    ) {
        let mut chunk = Vec::new();
        for (object, style) in &lines {
            let mut document = String::new();
            written(&Value::Object(object.clone()), *style, &mut document);
            // The same line twice: the second follows the layout of the first.
            chunk.extend_from_slice(format!("{document}\n{document}\n").as_bytes());
        }
        for (at, change, byte) in &changes {
            if !chunk.is_empty() {
                spoil(&mut chunk, *at, *change, if byte % 3 == 0 { b'\n' } else { *byte });
            }
        }
        let schema = texts();
        let (mut by_chunk, mut by_line) = (decoder(&schema), decoder(&schema));
        let mut chunk_errors = Vec::new();
        by_chunk.decode_lines(&chunk, &mut |line, error| {
            chunk_errors.push((line, error));
            ControlFlow::Continue(())
        });
        let mut line_errors = Vec::new();
        for (number, line) in chunk.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Err(error) = by_line.decode(line) {
                line_errors.push((number, error));
            }
        }
        prop_assert_eq!(chunk_errors, line_errors);
        prop_assert_eq!(by_chunk.finish().expect("rows").rows, by_line.finish().expect("rows").rows);
    }

    #[test]
    fn any_bytes_are_survived(records in vec(vec(any::<u8>(), 0..80), 1..20)) {
        let mut decoder = decoder(&all_types());
        for record in &records {
            let before = decoder.rows();
            let rows = decoder.decode(record).unwrap_or(0);
            prop_assert_eq!(decoder.rows(), before + rows);
        }
        let rows = decoder.rows();
        prop_assert_eq!(decoder.finish().expect("rows").num_rows(), rows);
    }

    #[test]
    fn batches_are_those_of_arrow_json(rows in vec(typed_row(), 1..20)) {
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let schema = all_types();
        let mut theirs = arrow_json::ReaderBuilder::new(schema.clone())
            .build_decoder()
            .expect("types of arrow-json");
        theirs.decode(lines.as_bytes()).expect("valid JSON");
        let theirs = theirs.flush().expect("rows").expect("some rows");
        let mut ours = decoder(&schema);
        ours.decode_lines(lines.as_bytes(), &mut |line, error| panic!("{line}: {error}"));
        prop_assert_eq!(ours.finish().expect("rows").rows, theirs);
    }
}

/// Columns of types that arrow-json reads like Flink does.
fn all_types() -> SchemaRef {
    let point = Fields::from(vec![
        Field::new("x", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
    ]);
    let list = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
    Arc::new(Schema::new(vec![
        Field::new("tiny", DataType::Int8, true),
        Field::new("int", DataType::Int32, true),
        Field::new("long", DataType::Int64, true),
        Field::new("double", DataType::Float64, true),
        Field::new("flag", DataType::Boolean, true),
        Field::new("text", DataType::Utf8, true),
        Field::new("list", list, true),
        Field::new("point", DataType::Struct(point), true),
    ]))
}

/// A row of those columns, some of them missing or null.
fn typed_row() -> impl Strategy<Value = Value> {
    fn maybe(value: impl Into<Value>, presence: u8) -> Option<Value> {
        match presence % 5 {
            0 => None,
            1 => Some(Value::Null),
            _ => Some(value.into()),
        }
    }
    let numbers = (any::<i8>(), any::<i32>(), any::<i64>(), -1e12..1e12);
    let others = (any::<bool>(), ".{0,20}", vec(proptest::option::of(any::<i64>()), 0..4));
    (numbers, others, any::<[u8; 8]>()).prop_map(|((tiny, int, long, double), others, presence)| {
        let (flag, text, list) = others;
        let point = json!({ "x": long, "name": text, "more": { "y": [1, "}"] } });
        let members = [
            ("tiny", maybe(tiny, presence[0])),
            ("int", maybe(int, presence[1])),
            ("long", maybe(long, presence[2])),
            ("double", maybe(double, presence[3])),
            ("flag", maybe(flag, presence[4])),
            ("text", maybe(text, presence[5])),
            ("list", maybe(list, presence[6])),
            ("point", maybe(point, presence[7])),
        ];
        members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    })
}
