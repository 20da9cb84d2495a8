//! What users rely on from `json`: which value a column gets, what is an error and how it reads,
//! and that a bad record harms no other.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use millstream_connectors::format::json::{
    EncodeOptions, JsonDecoder, JsonEncoder, Options, TimestampStandard,
};
use millstream_connectors::format::{Decoder, Encoder};
use millstream_operators::Batch;

fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
    let field = |(name, data_type): &(&str, DataType)| Field::new(*name, data_type.clone(), true);
    Arc::new(Schema::new(fields.iter().map(field).collect::<Vec<_>>()))
}

fn decoder(fields: &[(&str, DataType)], options: Options) -> JsonDecoder {
    JsonDecoder::new(schema(fields), options).expect("JSON has these types")
}

/// The rows as JSON objects.
fn rows(batch: &Batch) -> Vec<String> {
    let mut encoder = JsonEncoder::new(&batch.rows.schema(), EncodeOptions::default());
    let row = |row| {
        let mut out = Vec::new();
        encoder.encode(batch, row, &mut out).expect("all types here can be written");
        String::from_utf8(out).expect("JSON is UTF-8")
    };
    (0..batch.num_rows()).map(row).collect()
}

/// What a column of this type makes of a value: JSON again, or the error.
fn read_as(data_type: &DataType, value: &str, options: Options) -> Result<String, String> {
    let mut decoder = decoder(&[("c", data_type.clone())], options);
    let record = format!("{{\"c\":{value}}}");
    decoder.decode(record.as_bytes()).map_err(|error| error.reason)?;
    let row = rows(&decoder.finish().expect("one row")).remove(0);
    Ok(row["{\"c\":".len()..row.len() - 1].to_owned())
}

fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

fn map(value: DataType) -> DataType {
    let key = Field::new("key", DataType::Utf8, false);
    let entries = Fields::from(vec![key, Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

fn row(fields: &[(&str, DataType)]) -> DataType {
    DataType::Struct(schema(fields).fields().clone())
}

const MILLIS: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

fn ltz() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("Europe/Berlin".into()))
}

#[test]
fn values_are_taken_as_flink_takes_them() {
    use DataType::{Boolean, Date32, Decimal128, Float64, Int8, Int32, Int64, Time32, Utf8};
    let time = Time32(TimeUnit::Millisecond);
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    for (data_type, value, expected) in [
        (Int32, "12", "12"),
        (Int32, "\" 12 \"", "12"),
        (Int32, "-2147483648", "-2147483648"),
        (Int32, "1.9", "1"),
        (Int64, "9223372036854775807", "9223372036854775807"),
        (Int64, "123456789012", "123456789012"),
        (Int64, "1e3", "1000"),
        (Int8, "\"-128\"", "-128"),
        (Boolean, "true", "true"),
        (Boolean, "\"TRUE\"", "true"),
        (Boolean, "\"yes\"", "false"),
        (Float64, "1e2", "100.0"),
        (Float64, "\"0.5\"", "0.5"),
        (Float64, "\"NaN\"", "\"NaN\""),
        (Decimal128(10, 2), "12.345", "12.35"),
        (Decimal128(10, 2), "\"7\"", "7.00"),
        (Decimal128(4, 2), "123", "null"),
        (Utf8, "\"a\\u00e9\\n\"", "\"aé\\n\""),
        (Utf8, "1.50", "\"1.50\""),
        (Utf8, "true", "\"true\""),
        (Utf8, "{ \"a\" : [ 1, \"x y\" ] }", "\"{\\\"a\\\":[1,\\\"x y\\\"]}\""),
        (DataType::Binary, "\"aGk=\"", "\"aGk=\""),
        (Date32, "\"2024-02-29\"", "\"2024-02-29\""),
        (time, "\"12:34:56.5\"", "\"12:34:56.5\""),
        (MILLIS, "\"2024-01-31 12:34:56.789\"", "\"2024-01-31 12:34:56.789\""),
        (MILLIS, "\"1969-12-31 23:59:59.500\"", "\"1969-12-31 23:59:59.5\""),
        (micros, "\"2024-01-31 12:34:56.123456789\"", "\"2024-01-31 12:34:56.123456\""),
        (ltz(), "\"2024-01-31 12:34:56Z\"", "\"2024-01-31 12:34:56Z\""),
        (list(Int32), "[1, null, \"3\"]", "[1,null,3]"),
        (list(Int32), "[]", "[]"),
        (map(Int32), "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"),
        (row(&[("x", Int32), ("y", Utf8)]), "{\"y\":\"q\",\"z\":0}", "{\"x\":null,\"y\":\"q\"}"),
        (list(row(&[("x", list(Int32))])), "[{\"x\":[1]},null]", "[{\"x\":[1]},null]"),
    ] {
        for null in [false, true] {
            let (value, expected) = if null { ("null", "null") } else { (value, expected) };
            let read = read_as(&data_type, value, Options::default());
            assert_eq!(read.as_deref(), Ok(expected), "{value} as {data_type}");
        }
    }
}

#[test]
fn values_of_the_wrong_type_are_errors_that_name_column_type_and_value() {
    use DataType::{Float64, Int8, Int32, Int64, Utf8};
    for (data_type, value, expected) in [
        (Int32, "2147483648", "column `c`: expected INT, found 2147483648: it is out of range"),
        (Int32, "\"abc\"", "column `c`: expected INT, found \"abc\""),
        (Int32, "\"\"", "column `c`: expected INT, found \"\""),
        (Int32, "true", "column `c`: expected INT, found true"),
        (Int32, "1e10", "column `c`: expected INT, found 1e10: it is out of range"),
        (Int8, "1.5", "column `c`: expected TINYINT, found 1.5"),
        (Int64, "[1]", "column `c`: expected BIGINT, found [1]"),
        (Float64, "\"x\"", "column `c`: expected DOUBLE, found \"x\""),
        (
            MILLIS,
            "1706704496789",
            "expected TIMESTAMP(3), found 1706704496789: a number is not one",
        ),
        (MILLIS, "\"2024-02-30 00:00:00\"", "it is not written as a timestamp"),
        (MILLIS, "\"2024-01-31T12:34:56\"", "it is not written as a timestamp"),
        (MILLIS, "\"2024-01-31 12:34:56Z\"", "it ends in 'Z', so declare TIMESTAMP_LTZ"),
        (ltz(), "\"2024-01-31 12:34:56\"", "it lacks the 'Z' of a TIMESTAMP_LTZ"),
        (DataType::Binary, "\"?\"", "it is not base64"),
        (list(Int32), "[1,\"x\"]", "column `c[]`: expected INT, found \"x\""),
        (row(&[("x", Int32)]), "{\"x\":\"q\"}", "column `c.x`: expected INT, found \"q\""),
        (map(Int32), "[1]", "column `c`: expected MAP<STRING, INT>, found [1]"),
        (Utf8, "\"\\ud800\"", "this is not valid JSON: this escape is not JSON's"),
        (Utf8, "\"a\tb\"", "a control character in a string must be escaped"),
        (Utf8, "\"a\nb\"", "this is not valid JSON: a newline in a string must be escaped"),
        (Utf8, "[1,]", "this is not valid JSON: this is no JSON value"),
        (Utf8, "\"abc", "a string lacks its closing quote"),
        (Utf8, "01", "a number is not spelled as JSON has it"),
    ] {
        let error = read_as(&data_type, value, Options::default()).expect_err(value);
        assert!(error.contains(expected), "{value} as {data_type}: {error}");
    }
}

#[test]
fn iso_8601_has_a_t_and_may_have_an_offset() {
    let options = Options { timestamp: TimestampStandard::Iso8601, ..Options::default() };
    let read = |data_type: DataType, value| read_as(&data_type, value, options);
    let expected = Ok("\"2024-01-31 12:34:56.5\"".to_owned());
    assert_eq!(read(MILLIS, "\"2024-01-31T12:34:56.5\""), expected);
    assert_eq!(read(MILLIS, "\"2024-01-31T12:34:56.5Z\""), expected);
    let expected = Ok("\"2024-01-31 12:34:00Z\"".to_owned());
    assert_eq!(read(ltz(), "\"2024-01-31T12:34Z\""), expected);
    assert_eq!(read(ltz(), "\"2024-01-31T14:34:00+02:00\""), expected);
    assert!(read(MILLIS, "\"2024-01-31 12:34:56\"").is_err());
}

#[test]
fn records_that_are_no_object_are_errors_and_blank_ones_no_rows() {
    let mut decoder = decoder(&[("c", DataType::Int32)], Options::default());
    for (record, expected) in [
        ("", Ok(0)),
        ("  \r\n", Ok(0)),
        ("null", Ok(0)),
        ("{}", Ok(1)),
        ("\u{feff}{\"c\":1}", Ok(1)),
        (" {\"c\":1} \n", Ok(1)),
        ("[{\"c\":1},{\"c\":2}]", Ok(2)),
        ("[]", Ok(0)),
        ("[{\"c\":1},{\"c\":\"x\"}]", Err("column `c`: expected INT, found \"x\"")),
        ("[{\"c\":1},7]", Err("the rows of an array must be objects")),
        ("12", Err("expected a JSON object, found 12")),
        ("\"x\"", Err("expected a JSON object, found \"x\"")),
        ("{\"c\":1}}", Err("this is not valid JSON: something follows the record's end, found }")),
        ("{\"c\":1", Err("this is not valid JSON: it ends within an object")),
        ("{\"c\" 1}", Err("':' should stand between a key and its value, found 1}")),
        ("{c:1}", Err("a key in quotes should stand here, found c:1}")),
        ("{\"d\":[1}", Err("a bracket closes what another kind opened")),
    ] {
        let before = decoder.rows();
        match (decoder.decode(record.as_bytes()), expected) {
            (Ok(rows), Ok(expected)) => assert_eq!(rows, expected, "{record}"),
            (Err(error), Err(part)) => {
                assert!(error.reason.contains(part), "{record}: {error}");
                assert_eq!(decoder.rows(), before, "{record}");
            }
            (result, _) => panic!("{record}: {result:?}"),
        }
    }
    assert_eq!(decoder.finish().expect("rows").num_rows(), 5);
}

#[test]
fn keys_are_found_wherever_they_stand() {
    let fields = [("a", DataType::Int32), ("b", DataType::Utf8), ("é", DataType::Int32)];
    let mut decoder = decoder(&fields, Options::default());
    let records = [
        r#"{"a":1,"b":"x","é":2}"#,
        r#"{"a":1,"x":{"a":7},"b":"x","é":2}"#,
        r#"{"é":2,"b":"x","a":1}"#,
        r#" { "a" : 1 , "b" : "x" , "\u00e9" : 2 } "#,
        r#"{"a":9,"b":"y","é":3,"a":1,"b":"x","é":2}"#,
    ];
    for _ in 0..50 {
        for record in records {
            decoder.decode(record.as_bytes()).expect(record);
        }
    }
    decoder.decode(br#"{"b":"x"}"#).expect("fields may be missing");
    let read = rows(&decoder.finish().expect("rows"));
    assert!(read[..250].iter().all(|row| row == records[0]), "{read:?}");
    assert_eq!(read[250], r#"{"a":null,"b":"x","é":null}"#);
}

#[test]
fn missing_fields_and_nulls_can_be_errors() {
    let options = Options { fail_on_missing_field: true, ..Options::default() };
    let mut lenient = decoder(&[("c", DataType::Int32)], options);
    let error = lenient.decode(b"{\"d\":1}").expect_err("c is missing");
    assert_eq!(error.reason, "column `c` is missing in the record");
    lenient.decode(b"{\"c\":null}").expect("null is there");

    let not_null = Schema::new(vec![Field::new("c", DataType::Int32, false)]);
    let mut strict = JsonDecoder::new(Arc::new(not_null), Options::default()).expect("INT");
    for record in ["{}", "{\"c\":null}"] {
        let error = strict.decode(record.as_bytes()).expect_err("NOT NULL");
        assert!(error.reason.contains("column `c` is NOT NULL"), "{error}");
    }
    strict.decode(b"{\"c\":5}").expect("a value");
    assert_eq!(rows(&strict.finish().expect("rows")), ["{\"c\":5}"]);
}

#[test]
fn ignoring_errors_nulls_fields_and_skips_records() {
    let options = Options { ignore_parse_errors: true, ..Options::default() };
    let fields =
        [("a", DataType::Int32), ("b", list(DataType::Int32)), ("c", row(&[("x", MILLIS)]))];
    let mut decoder = decoder(&fields, options);
    let lines = concat!(
        "{\"a\":\"x\",\"b\":[1,\"y\",3],\"c\":{\"x\":\"never\"}}\n",
        "not JSON\n",
        "{\"a\":1,\"b\":2,\"c\":3}\n",
        "{\"a\":1,\n",
    );
    let read = decoder.decode_lines(lines.as_bytes(), &mut |line, error| panic!("{line}: {error}"));
    assert_eq!((read.lines, read.bytes), (4, lines.len()));
    assert_eq!(decoder.take_skipped(), 2);
    assert_eq!(decoder.take_skipped(), 0);
    let expected =
        ["{\"a\":null,\"b\":[1,null,3],\"c\":{\"x\":null}}", "{\"a\":1,\"b\":null,\"c\":null}"];
    assert_eq!(rows(&decoder.finish().expect("rows")), expected);
}

#[test]
fn types_may_be_taken_exactly() {
    let fields = [("n", DataType::Int64), ("b", DataType::Boolean), ("f", DataType::Float64)];
    let options = Options { exact_types: true, ..Options::default() };
    let mut exact = decoder(&fields, options);
    exact.decode(br#"{"n":-7,"b":true,"f":1}"#).expect("whole, true, and a number");
    exact.decode(br#"{"n":"12","b":"false","f":"1e3"}"#).expect("texts of the same");
    for record in [r#"{"n":3.5}"#, r#"{"n":1e3}"#, r#"{"b":"yes"}"#, r#"{"b":1}"#] {
        assert!(exact.decode(record.as_bytes()).is_err(), "{record}");
        decoder(&fields, Options::default()).decode(record.as_bytes()).expect("as in Flink");
    }
    let expected = ["{\"n\":-7,\"b\":true,\"f\":1.0}", "{\"n\":12,\"b\":false,\"f\":1000.0}"];
    assert_eq!(rows(&exact.finish().expect("rows")), expected);
}

#[test]
fn a_chunk_of_lines_tells_the_line_of_an_error_and_may_go_on() {
    let mut decoder = decoder(&[("c", DataType::Int32)], Options::default());
    let chunk = b"{\"c\":1}\r\n\n{\"c\":2}\n{\"c\":\"x\"}\n{\"c\":3,\n\"c\":4}\n{\"c\":5}";
    let mut errors = Vec::new();
    let read = decoder.decode_lines(chunk, &mut |line, error| {
        errors.push((line, error.position));
        ControlFlow::Continue(())
    });
    assert_eq!((read.lines, read.bytes), (7, chunk.len()));
    assert_eq!(errors, [(3, Some(6)), (4, Some(7)), (5, Some(0))]);
    assert_eq!(rows(&decoder.finish().expect("rows")), ["{\"c\":1}", "{\"c\":2}", "{\"c\":5}"]);

    let read = decoder.decode_lines(chunk, &mut |_, _| ControlFlow::Break(()));
    assert_eq!((read.lines, decoder.rows()), (4, 2));
    assert_eq!(&chunk[read.bytes..read.bytes + 6], b"{\"c\":3");
}

#[test]
fn no_columns_still_count_rows() {
    let mut decoder = decoder(&[], Options::default());
    decoder.decode(b"{\"c\":1}").expect("an object");
    assert!(decoder.decode(b"{\"c\":1").is_err());
    assert_eq!(decoder.finish().expect("rows").num_rows(), 1);
}

#[test]
fn hostile_records_are_errors() {
    let mut decoder = decoder(&[("c", DataType::Utf8)], Options::default());
    let deep = |depth: usize| format!("{{\"c\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(decoder.decode(deep(60).as_bytes()).is_ok());
    assert!(decoder.decode(deep(100_000).as_bytes()).is_err());
    assert!(decoder.decode("{\"c\":".repeat(100_000).as_bytes()).is_err());
    assert!(decoder.decode(b"{\"c\":\"\xFF\"}").is_err());
    assert!(decoder.decode(b"{\"\xFF\":1}").is_ok(), "a key that nobody asks for");
    assert!(decoder.decode(format!("{{\"c\":\"{}", "x".repeat(1 << 20)).as_bytes()).is_err());
    let error = decoder.decode(format!("{{\"c\":{{{}", "x".repeat(1 << 20)).as_bytes());
    assert!(error.expect_err("cut off").reason.len() < 300);
    assert_eq!(decoder.finish().expect("rows").num_rows(), 2);
}

#[test]
fn written_forms() {
    let fields = [
        ("t", MILLIS),
        ("z", ltz()),
        ("d", DataType::Decimal128(20, 10)),
        ("f", DataType::Float64),
        ("s", DataType::Utf8),
    ];
    let mut decoder = decoder(&fields, Options::default());
    let record = r#"{"t":"2024-01-31 12:34:56.700","z":"2024-01-31 12:34:56Z","d":0.00000001,"f":1e10,"s":null}"#;
    decoder.decode(record.as_bytes()).expect("a row");
    let batch = decoder.finish().expect("rows");
    let write = |options| {
        let mut out = Vec::new();
        let mut encoder = JsonEncoder::new(&batch.rows.schema(), options);
        encoder.encode(&batch, 0, &mut out).expect("JSON");
        String::from_utf8(out).expect("UTF-8")
    };
    let expected = r#"{"t":"2024-01-31 12:34:56.7","z":"2024-01-31 12:34:56Z","d":0.0000000100,"f":1.0E10,"s":null}"#;
    assert_eq!(write(EncodeOptions::default()), expected);
    let other = EncodeOptions {
        timestamp: TimestampStandard::Iso8601,
        plain_decimals: false,
        ignore_null_fields: true,
        ..EncodeOptions::default()
    };
    let expected =
        r#"{"t":"2024-01-31T12:34:56.7","z":"2024-01-31T12:34:56Z","d":1E-8,"f":1.0E10}"#;
    assert_eq!(write(other), expected);
}
