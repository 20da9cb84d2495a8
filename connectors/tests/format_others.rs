//! What users rely on from the other formats, and from choosing one in a WITH clause.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use millstream_connectors::TableSpec;
use millstream_connectors::error::{ConnectorError, DecodeError};
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
        partition_keys: Vec::new(),
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

/// A table of these columns.
fn table_of(columns: &[(&str, DataType)], options: &[(&str, &str)]) -> TableSpec {
    let schema = schema(columns);
    TableSpec { schema: schema.clone(), declared: schema, ..table(&[], options) }
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

fn row_of(fields: &[(&str, DataType)]) -> DataType {
    DataType::Struct(schema(fields).fields().clone())
}

#[test]
fn csv_arrays_and_rows_are_one_field() {
    let point = row_of(&[("x", DataType::Int32), ("label", DataType::Utf8)]);
    let columns =
        [("tags", list_of(DataType::Utf8)), ("n", list_of(DataType::Int32)), ("p", point)];
    let read = |options: &[(&str, &str)], record: &str| {
        let table = table_of(&columns, &[&[("format", "csv")], options].concat());
        let mut decoder = for_table_decoder(&table).expect("good options");
        decoder.decode(record.as_bytes())?;
        let batch = decoder.finish()?;
        let mut record = Vec::new();
        for_table_encoder(&table).expect("csv").encode(&batch, 0, &mut record)?;
        let record = String::from_utf8(record).expect("text");
        Ok::<_, DecodeError>((as_json(&batch).concat(), record))
    };
    let null = ("csv.null-literal", "-");
    for (options, record, json, written) in [
        (
            &[][..],
            "a;b c,1;-2,7;x",
            r#"{"tags":["a","b c"],"n":[1,-2],"p":{"x":7,"label":"x"}}"#,
            None,
        ),
        (&[], ",,", r#"{"tags":[],"n":[],"p":null}"#, None),
        (&[], "a;,1;;2,;", r#"{"tags":["a",""],"n":[1,null,2],"p":{"x":null,"label":""}}"#, None),
        (&[null], "-,-;1,1;-", r#"{"tags":null,"n":[null,1],"p":{"x":1,"label":null}}"#, None),
        (
            &[("csv.array-element-delimiter", "||")],
            "\"a||b\",1||2,1||x",
            r#"{"tags":["a","b"],"n":[1,2],"p":{"x":1,"label":"x"}}"#,
            Some("a||b,1||2,1||x"),
        ),
        (
            &[("csv.ignore-parse-errors", "true")],
            "a,1;x,z",
            r#"{"tags":["a"],"n":[1,null],"p":{"x":null,"label":null}}"#,
            Some("a,1;,;"),
        ),
    ] {
        let (found, again) = read(options, record).expect(record);
        assert_eq!(found, json, "{record}");
        assert_eq!(again, written.unwrap_or(record));
    }
    for (record, expected) in [
        ("a,1;x,", "column `n`: expected ARRAY<INT>, found \"1;x\""),
        ("a,1,1", "found \"1\": it has too few elements"),
        ("a,1,1;x;y", "found \"1;x;y\": it has too many elements"),
    ] {
        let error = read(&[], record).expect_err(record);
        assert!(error.reason.contains(expected), "{}", error.reason);
    }
    let deep = table_of(&[("a", list_of(list_of(DataType::Int32)))], &[("format", "csv")]);
    let error = for_table_decoder(&deep).err().expect("values of values").to_string();
    assert!(error.contains("ARRAY<ARRAY<INT>>"), "{error}");
}

#[test]
fn a_bad_array_leaves_nothing_behind() {
    let columns = [("n", list_of(DataType::Int32)), ("m", DataType::Int32)];
    let table = table_of(&columns, &[("format", "csv")]);
    let mut decoder = for_table_decoder(&table).expect("csv");
    decoder.decode(b"1;2,1").expect("a record");
    decoder.decode(b"3;4,x").expect_err("not INT");
    decoder.decode(b"5;x,2").expect_err("not INT");
    decoder.decode(b"6,3").expect("a record");
    let expected = [r#"{"n":[1,2],"m":1}"#, r#"{"n":[6],"m":3}"#];
    assert_eq!(as_json(&decoder.finish().expect("rows")), expected);
}

#[test]
fn csv_decimals_are_flinks_unless_told_otherwise() {
    let columns = [("d", DataType::Decimal128(10, 2))];
    let values = Decimal128Array::from(vec![10_000, 150, -5, 0]).with_precision_and_scale(10, 2);
    let column: ArrayRef = Arc::new(values.expect("they fit"));
    let rows = RecordBatch::try_new(schema(&columns), vec![column]).expect("a column");
    let batch = Batch::inserts(rows.clone());
    let plain = ("csv.write-bigdecimal-in-scientific-notation", "false");
    for (options, expected) in [
        (&[("format", "csv")][..], ["1E+2", "1.5", "-0.05", "0"]),
        (&[("format", "csv"), plain], ["100.00", "1.50", "-0.05", "0.00"]),
    ] {
        let lines = write(&batch, options);
        assert_eq!(lines, expected);
        let mut decoder = for_table_decoder(&table_of(&columns, options)).expect("csv");
        for line in &lines {
            decoder.decode(line.as_bytes()).expect(line);
        }
        assert_eq!(decoder.finish().expect("rows").rows, rows);
    }
}

#[test]
fn csv_options_that_exclude_each_other_are_both_named() {
    let mistake = |options: &[(&str, &str)]| {
        let (message, hint) = mistake(&[&[("format", "csv")], options].concat());
        format!("{message}; {hint}")
    };
    let quotes = [("csv.quote-character", "'"), ("csv.disable-quote-character", "true")];
    let found = mistake(&quotes);
    assert!(quotes.iter().all(|(name, _)| found.contains(name)), "{found}");
    assert!(mistake(&[("csv.field-delimiter", "\"")]).contains("csv.field-delimiter"));
    assert!(mistake(&[("csv.escape-character", ",")]).contains("csv.field-delimiter"));
    assert!(mistake(&[("csv.array-element-delimiter", "")]).contains("at least one"));
    let found = mistake(&[("csv.array-element-delimeter", "|")]);
    assert!(found.contains("did you mean `csv.array-element-delimiter`"), "{found}");
}

#[test]
fn raw_numbers_are_their_bytes() {
    let big: &[(&str, &str)] = &[("format", "raw")];
    let little: &[(&str, &str)] = &[("format", "raw"), ("raw.endianness", "little-endian")];
    type Case<'a> = (DataType, &'a [(&'a str, &'a str)], &'a [u8], &'a str);
    let cases: Vec<Case<'_>> = vec![
        (DataType::Boolean, big, b"\x01", "true"),
        (DataType::Int8, big, b"\xFF", "-1"),
        (DataType::Int16, big, b"\x01\x02", "258"),
        (DataType::Int16, little, b"\x01\x02", "513"),
        (DataType::Int32, big, b"\x00\x00\x00\x0A", "10"),
        (DataType::Int64, little, b"\x0A\0\0\0\0\0\0\x80", "-9223372036854775798"),
        (DataType::Float32, big, b"\x3F\xC0\0\0", "1.5"),
        (DataType::Float64, little, b"\0\0\0\0\0\0\xF8\x3F", "1.5"),
    ];
    for (data_type, options, bytes, value) in cases {
        let table = table_of(&[("v", data_type.clone())], options);
        let mut decoder = for_table_decoder(&table).expect("raw");
        decoder.decode(bytes).expect("a record");
        let error = decoder.decode(b"123").expect_err("no type has three bytes");
        assert!(error.reason.contains("the record has 3"), "{}", error.reason);
        let batch = decoder.finish().expect("rows");
        assert_eq!(as_json(&batch), [format!("{{\"v\":{value}}}")], "{data_type}");
        let mut out = b"before".to_vec();
        for_table_encoder(&table).expect("raw").encode(&batch, 0, &mut out).expect("bytes");
        assert_eq!(&out[6..], bytes, "{data_type}");
    }
}

#[test]
fn raw_texts_have_a_charset() {
    let columns = [("v", DataType::Utf8)];
    let options = [("format", "raw"), ("raw.charset", "ISO-8859-1")];
    let mut decoder = for_table_decoder(&table_of(&columns, &options)).expect("raw");
    decoder.decode(b"caf\xE9").expect("Latin-1");
    let batch = decoder.finish().expect("rows");
    assert_eq!(batch.rows.column(0).as_string::<i32>().value(0), "caf\u{e9}");
    let unknown = table_of(&columns, &[("format", "raw"), ("raw.charset", "UTF-9")]);
    let error = for_table_decoder(&unknown).err().expect("no charset").to_string();
    assert!(error.contains("`UTF-9`"), "{error}");
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
