//! What users rely on from the other formats, and from choosing one in a WITH clause.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use millstream_connectors::TableSpec;
use millstream_connectors::error::ConnectorError;
use millstream_connectors::format::parquet::{self, ParquetFile};
use millstream_connectors::format::{
    Decoder, FORMATS, Framing, for_table_decoder, for_table_encoder, framing, of_table,
    payload_schema,
};
use millstream_operators::{Batch, RowKind};

fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
    let field = |(name, data_type): &(&str, DataType)| Field::new(*name, data_type.clone(), true);
    Arc::new(Schema::new(fields.iter().map(field).collect::<Vec<_>>()))
}

const ROW: [(&str, DataType); 3] = [
    ("id", DataType::Int32),
    ("name", DataType::Utf8),
    ("at", DataType::Timestamp(TimeUnit::Millisecond, None)),
];

/// A table that reads `wanted` of the columns in `ROW`.
fn table(wanted: &[&str], options: &[(&str, &str)]) -> TableSpec {
    let declared = schema(&ROW);
    let columns = wanted.iter().map(|name| declared.index_of(name).expect("declared"));
    TableSpec {
        name: "t".to_owned(),
        options: options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        schema: Arc::new(declared.project(&columns.collect::<Vec<_>>()).expect("in range")),
        metadata: BTreeMap::new(),
        primary_key: Vec::new(),
        declared,
    }
}

fn decoder(wanted: &[&str], options: &[(&str, &str)]) -> Box<dyn Decoder> {
    for_table_decoder(&table(wanted, options)).expect("good options")
}

/// The rows as lines of a format.
fn write(batch: &Batch, options: &[(&str, &str)]) -> Vec<String> {
    let mut table = table(&["id"], options);
    table.schema = batch.rows.schema();
    table.declared = batch.rows.schema();
    let mut encoder = for_table_encoder(&table).expect("good options");
    let line = |row| {
        let mut out = Vec::new();
        encoder.encode(batch, row, &mut out).expect("a record");
        String::from_utf8(out).expect("text")
    };
    (0..batch.num_rows()).map(line).collect()
}

const JSON: &[(&str, &str)] = &[("format", "json")];

fn as_json(batch: &Batch) -> Vec<String> {
    write(batch, JSON)
}

fn mistake(options: &[(&str, &str)]) -> (String, String) {
    match for_table_decoder(&table(&["id"], options)).map(|_| ()) {
        Err(ConnectorError::Options { message, hint, .. }) => (message, hint.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mistakes_in_the_with_clause_come_with_a_hint() {
    let (message, hint) = mistake(&[("format", "jsn")]);
    assert_eq!(
        (message.as_str(), hint.as_str()),
        ("there is no format `jsn`", "did you mean `json`?")
    );
    let (message, hint) = mistake(&[("format", "json"), ("json.ignore-parse-error", "true")]);
    assert_eq!(message, "there is no option `json.ignore-parse-error`");
    assert_eq!(hint, "did you mean `json.ignore-parse-errors`?");
    let (message, _) = mistake(&[("format", "json"), ("json.ignore-parse-errors", "yes")]);
    assert!(message.contains("`yes`"), "{message}");
    let both = [("json.fail-on-missing-field", "true"), ("json.ignore-parse-errors", "true")];
    assert!(mistake(&[&[("format", "json")], &both[..]].concat()).0.contains("cannot both"));
    assert!(mistake(&[]).0.contains("needs a `format`"));
    assert!(mistake(&[("format", "parquet")]).0.contains("whole files"));
    assert!(mistake(&[("format", "raw")]).0.contains("one column"));
}

#[test]
fn options_may_stand_under_value() {
    let options = [("value.format", "json"), ("value.json.ignore-parse-errors", "true")];
    let mut decoder = decoder(&["id"], &options);
    assert_eq!(decoder.decode(b"nonsense"), Ok(0));
    assert_eq!(decoder.take_skipped(), 1);
}

#[test]
fn metadata_columns_are_not_in_the_payload() {
    let mut table = table(&["id", "name", "at"], JSON);
    table.metadata.insert(1, "topic".to_owned());
    let names: Vec<String> =
        payload_schema(&table).fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["id", "at"]);
    let mut decoder = for_table_decoder(&table).expect("json");
    decoder.decode(br#"{"id":1,"name":"not read"}"#).expect("a row");
    assert_eq!(decoder.finish().expect("rows").rows.num_columns(), 2);
}

#[test]
fn every_option_is_named_after_its_format() {
    for format in FORMATS {
        for option in format.options {
            assert!(option.name.starts_with(&format!("{}.", format.name)), "{}", option.name);
        }
    }
}

#[test]
fn changes_are_read_and_written() {
    let options = &[("format", "changelog-json")];
    let mut decoder = decoder(&["name", "id"], options);
    let lines = [
        r#"{"op":"+I","data":{"name":"a","id":1}}"#,
        r#"{"op":"-U","data":{"name":"a","id":1}}"#,
        r#"{"op":"+U","data":{"name":"b","id":1}}"#,
        r#"{"op":"-D","data":{"name":"b","id":1}}"#,
    ];
    for line in lines {
        assert_eq!(decoder.decode(line.as_bytes()), Ok(1));
        for wrong in [r#"{"op":"+X","data":{}}"#, r#"{"data":{"id":1}}"#, r#"{"op":"+I"}"#] {
            decoder.decode(wrong.as_bytes()).expect_err(wrong);
        }
    }
    let batch = decoder.finish().expect("rows");
    assert_eq!(batch.kind(3), RowKind::Delete);
    assert_eq!(write(&batch, options), lines);

    decoder.decode(lines[0].as_bytes()).expect("an insert");
    assert!(decoder.finish().expect("rows").kinds.is_none(), "inserts need no kinds");
}

#[test]
fn csv_fields_are_found_by_position() {
    let mut decoder = decoder(&["at", "id"], &[("format", "csv")]);
    decoder.decode(b"1,\"a,\"\"b\"\"\",2024-01-01 00:00:00\r\n").expect("a record");
    decoder.decode(b"2,,").expect("empty fields are NULL");
    decoder.decode(b"").expect("a blank line is no row");
    for (wrong, expected) in [
        ("x,y,2024-01-01 00:00:00", "column `id`: expected INT, found \"x\""),
        ("1,2", "expected 3 fields, found 2"),
        ("1,2,2024-01-01 00:00:00,4", "expected 3 fields, found 4"),
        ("1,\"2,3", "a field lacks its closing quote"),
        ("1,\"2\"3,", "something follows a closing quote"),
    ] {
        let error = decoder.decode(wrong.as_bytes()).expect_err(wrong);
        assert_eq!(error.reason, expected);
    }
    let expected = [r#"{"at":"2024-01-01 00:00:00","id":1}"#, r#"{"at":null,"id":2}"#];
    assert_eq!(as_json(&decoder.finish().expect("rows")), expected);
}

#[test]
fn csv_headers_name_the_fields() {
    let options = [("format", "csv"), ("csv.header", "true"), ("csv.field-delimiter", ";")];
    let mut decoder = decoder(&["name", "id"], &options);
    assert_eq!(decoder.header(b"\xEF\xBB\xBFmore;name;id\n"), Ok(true));
    decoder.decode(b"x;y;7").expect("a record");
    assert_eq!(as_json(&decoder.finish().expect("rows")), [r#"{"name":"y","id":7}"#]);
    let error = decoder.header(b"id;nam").expect_err("no name");
    assert_eq!(error.reason, "the header has no column `name`, but id, nam");
}

#[test]
fn csv_chunks_may_hold_newlines_in_quotes() {
    let mut decoder = decoder(&["id", "name"], &[("format", "csv")]);
    let chunk = b"1,\"a\nb\",\nx,c,\n2,d,";
    let mut errors = Vec::new();
    let read = decoder.decode_lines(chunk, &mut |line, error| {
        errors.push((line, error.reason));
        ControlFlow::Continue(())
    });
    assert_eq!((read.lines, read.bytes), (4, chunk.len()));
    assert_eq!(errors, [(2, "column `id`: expected INT, found \"x\"".to_owned())]);
    let expected = [r#"{"id":1,"name":"a\nb"}"#, r#"{"id":2,"name":"d"}"#];
    assert_eq!(as_json(&decoder.finish().expect("rows")), expected);
    let framing = framing(&table(&["id"], &[("format", "csv")])).expect("csv");
    assert_eq!(framing.record_end(chunk), Some(9));
    assert_eq!(framing.complete(chunk), 14);
    assert_eq!(self::framing(&table(&["id"], JSON)).expect("json"), Framing::Lines);
}

#[test]
fn csv_options_change_what_is_read() {
    let read = |options: &[(&str, &str)], record: &str| {
        let options = [&[("format", "csv")], options].concat();
        let mut decoder = decoder(&["id", "name"], &options);
        decoder.decode(record.as_bytes()).expect(record);
        as_json(&decoder.finish().expect("rows")).join("|")
    };
    assert_eq!(read(&[("csv.null-literal", "NA")], "NA,NA,NA"), r#"{"id":null,"name":null}"#);
    assert_eq!(read(&[("csv.allow-comments", "true")], "#1,2"), "");
    assert_eq!(
        read(&[("csv.disable-quote-character", "true")], "1,\"a,"),
        r#"{"id":1,"name":"\"a"}"#
    );
    assert_eq!(read(&[("csv.quote-character", "'")], "1,'a,b',"), r#"{"id":1,"name":"a,b"}"#);
    assert_eq!(read(&[("csv.escape-character", "\\")], "1,a\\,b,"), r#"{"id":1,"name":"a,b"}"#);
    assert_eq!(read(&[("csv.ignore-parse-errors", "true")], "x,a"), r#"{"id":null,"name":"a"}"#);
    assert_eq!(read(&[("csv.field-delimiter", "\\t")], "1\ta\t"), r#"{"id":1,"name":"a"}"#);
}

#[test]
fn csv_is_written_so_that_it_reads_back() {
    let names = StringArray::from(vec![Some("a,\"b\"\nc"), Some(""), None, Some("#plain")]);
    let ids = Int32Array::from(vec![Some(1), Some(-2), None, Some(4)]);
    let at = arrow::array::TimestampMillisecondArray::from(vec![Some(1500), None, None, Some(0)]);
    let columns: Vec<Arc<dyn Array>> = vec![Arc::new(ids), Arc::new(names), Arc::new(at)];
    let rows = RecordBatch::try_new(schema(&ROW), columns).expect("three columns");
    let batch = Batch::inserts(rows.clone());
    let options = &[("format", "csv"), ("csv.null-literal", "NULL"), ("csv.header", "true")];
    let lines = write(&batch, options);
    assert_eq!(lines[0], "1,\"a,\"\"b\"\"\nc\",1970-01-01 00:00:01.5");
    assert_eq!(lines[2], "NULL,NULL,NULL");
    let mut decoder = decoder(&["id", "name", "at"], options);
    for line in &lines {
        decoder.decode(line.as_bytes()).expect(line);
    }
    assert_eq!(decoder.finish().expect("rows").rows, rows);
    let encoder = for_table_encoder(&table(&["id"], options)).expect("csv");
    assert_eq!(encoder.header(&rows.schema()).as_deref(), Some(&b"id,name,at"[..]));
}

#[test]
fn raw_records_are_the_value() {
    let mut table = table(&["name"], &[("format", "raw")]);
    table.declared = table.schema.clone();
    let mut decoder = for_table_decoder(&table).expect("one STRING");
    decoder.decode("é \"".as_bytes()).expect("UTF-8");
    decoder.decode(b"\xFF").expect_err("no UTF-8");
    let batch = decoder.finish().expect("rows");
    assert_eq!(batch.rows.column(0).as_string::<i32>().value(0), "é \"");
    let mut out = Vec::new();
    for_table_encoder(&table).expect("raw").encode(&batch, 0, &mut out).expect("text");
    assert_eq!(out, "é \"".as_bytes());
}

#[test]
fn parquet_files_are_read_by_name_in_the_tables_types() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.parquet");
    let file = schema(&[("more", DataType::Utf8), ("id", DataType::Int64)]);
    let columns: Vec<Arc<dyn Array>> = vec![
        Arc::new(StringArray::from_iter_values((0..10_000).map(|i| i.to_string()))),
        Arc::new(Int64Array::from_iter_values(0..10_000)),
    ];
    let rows = RecordBatch::try_new(file.clone(), columns).expect("two columns");
    let options = table(&["id"], &[("format", "parquet"), ("parquet.compression", "ZSTD")]);
    let (_, options) = of_table(&options).expect("good options");
    let out = File::create(&path).expect("a file");
    let mut writer = ParquetFile::new(out, "rows.parquet", &file, &options).expect("a writer");
    writer.write(&rows).expect("rows");
    writer.finish().expect("a footer");

    let wanted = table(&["name", "id"], &[]).schema;
    let batches = parquet::read(&path, &wanted).expect("the file");
    assert_eq!(batches.total(), 10_000);
    let batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>().expect("rows");
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 10_000);
    assert_eq!(batches[0].schema(), wanted);
    assert_eq!(batches[0].column(0).null_count(), batches[0].num_rows(), "it lacks `name`");

    for (columns, expected) in [
        (schema(&[("more", DataType::Date32)]), "column `more` cannot be read as DATE"),
        (schema(&[("x", DataType::Int32)]), "it has none of the table's columns, but more, id"),
    ] {
        let error =
            parquet::read(&path, &columns).and_then(|mut rows| rows.next().expect("a batch"));
        let error = error.expect_err(expected).to_string();
        assert!(error.contains(expected) && error.contains("rows.parquet"), "{error}");
    }
    std::fs::write(&path, b"not Parquet").expect("a file");
    assert!(matches!(parquet::read(&path, &wanted), Err(ConnectorError::Data { .. })));
    let missing = folder.path().join("missing");
    assert!(matches!(parquet::read(&missing, &wanted), Err(ConnectorError::Io { .. })));
}
