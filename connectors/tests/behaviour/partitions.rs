//! Partitioned directories: names to columns and back.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use millstream_connectors::TableSpec;
use millstream_connectors::registry::{Direction, check, open_sink, open_source};
use millstream_operators::Batch;

use super::common::{partitioned, project, read_sorted, table};
use super::filesystem::{Files, told};

const COLUMNS: [(&str, DataType); 3] =
    [("day", DataType::Date32), ("id", DataType::Int64), ("hour", DataType::Int32)];

fn days(path: &str) -> TableSpec {
    let options = [("connector", "filesystem"), ("path", path), ("format", "json")];
    partitioned(table(&options, &COLUMNS), &["day", "hour"])
}

fn seen(files: &Files, table: &TableSpec) -> Vec<String> {
    read_sorted(&*open_source(table, &files.environment).unwrap())
}

#[test]
fn directories_are_columns() {
    let files = Files::new(&[
        ("t/day=2024-01-01/hour=10/a.json", "{\"id\":1}\n{\"id\":2,\"hour\":99}\n"),
        ("t/day=2024-01-02/hour=__DEFAULT_PARTITION__/a.json", "{\"id\":3}\n"),
        ("t/_SUCCESS", ""),
    ]);
    let table = days("t");
    let rows = ["+I 2024-01-01|1|10", "+I 2024-01-01|2|10", "+I 2024-01-02|3|∅"];
    assert_eq!(seen(&files, &table), rows);
    assert_eq!(seen(&files, &project(&table, &[2])), ["+I 10", "+I 10", "+I ∅"]);
    assert_eq!(seen(&files, &project(&table, &[1])), ["+I 1", "+I 2", "+I 3"]);
}

#[test]
fn csv_fields_are_counted_without_the_partition_columns() {
    let files = Files::new(&[("t/day=2024-01-01/hour=1/a.csv", "7\n")]);
    let mut table = days("t");
    table.options.insert("format".into(), "csv".into());
    assert_eq!(seen(&files, &table), ["+I 2024-01-01|7|1"]);
}

#[test]
fn a_file_elsewhere_or_with_another_value_is_an_error() {
    for (path, expected) in [
        ("t/a.json", "it is not in a directory `day=…`"),
        ("t/day=2024-01-01/a.json", "it is not in a directory `hour=…`"),
        ("t/day=x/hour=1/a.json", "`day=x` is no DATE"),
        ("t/day=2024-01-01/hour=1.5/a.json", "`hour=1.5` is no INT"),
    ] {
        let files = Files::new(&[(path, "{\"id\":1}\n")]);
        let source = open_source(&days("t"), &files.environment).unwrap();
        let mut reader = source.reader(source.splits().unwrap()).unwrap();
        let error = reader.poll(std::time::Duration::ZERO).unwrap_err();
        let (message, hint) = told(error);
        assert!(message.contains(expected) && message.contains(path), "{message}");
        assert!(hint.contains("day=…/hour=…/"), "{hint}");
    }
}

#[test]
fn values_of_every_type_come_back_from_names() {
    let files = Files::new(&[]);
    let values: Vec<(DataType, &str, &str)> = vec![
        (DataType::Utf8, "a/b:c=100% \"ü\"\n", "a%2Fb%3Ac%3D100%25 %22ü%22%0A"),
        (DataType::Boolean, "true", "true"),
        (DataType::Int64, "-9223372036854775808", "-9223372036854775808"),
        (DataType::Float64, "0.25", "0.25"),
        (DataType::Decimal128(10, 2), "1.50", "1.50"),
        (DataType::Date32, "2024-02-29", "2024-02-29"),
        (
            DataType::Timestamp(TimeUnit::Millisecond, None),
            "2024-01-01T10:00:00",
            "2024-01-01T10%3A00",
        ),
    ];
    for (number, (kind, text, name)) in values.iter().enumerate() {
        let path = format!("out{number}");
        let options = [("connector", "filesystem"), ("path", &path), ("format", "json")];
        let columns = [("id", DataType::Int64), ("k", kind.clone())];
        let table = partitioned(table(&options, &columns), &["k"]);
        let texts = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
        let columns = vec![
            cast(&texts(vec![Some("1"), Some("2")]), &DataType::Int64).unwrap(),
            cast(&texts(vec![Some(text), None]), kind).unwrap(),
        ];
        let rows = RecordBatch::try_new(table.schema.clone(), columns).unwrap();
        let mut writer = open_sink(&table, &files.environment).unwrap().writer(0).unwrap();
        writer.write(&Batch::inserts(rows.clone())).unwrap();
        writer.finish().unwrap();
        let names = fs::read_dir(files.path().join(&path)).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let mut expected = [format!("k={name}"), "k=__DEFAULT_PARTITION__".to_owned()];
        expected.sort();
        assert_eq!(names, expected);
        let mut expected = super::common::rows(&Batch::inserts(rows));
        expected.sort();
        assert_eq!(seen(&files, &table), expected, "{kind}");
    }
}

#[test]
fn what_has_no_name_is_said_when_the_job_is_planned() {
    let options = [("connector", "filesystem"), ("path", "x"), ("format", "json")];
    let mistake = |columns: &[(&str, DataType)], keys: &[&str], more: &[(&str, &str)]| {
        let table = partitioned(table(&[&options, more].concat(), columns), keys);
        let mistakes = check(&table, Direction::Sink);
        mistakes.into_iter().map(|mistake| mistake.message).collect::<String>()
    };
    let text = ("s", DataType::Utf8);
    let bytes = [text.clone(), ("b", DataType::Binary)];
    assert!(mistake(&bytes, &["b"], &[]).contains("`b` cannot be of type BYTES"));
    assert!(mistake(&bytes, &["s", "b"], &[]).contains("none is left"));
    let hidden = [text.clone(), ("_d", DataType::Date32)];
    assert!(mistake(&hidden, &["_d"], &[]).contains("`_d` cannot be a partition column"));
    let name = ("partition.default-name", "none");
    assert!(mistake(&bytes, &[], &[name]).contains("the table has no partitions"));
    let kafka = [("connector", "kafka"), ("topic", "t"), ("format", "json")];
    let kafka = [&kafka[..], &[("properties.bootstrap.servers", "localhost:1")]].concat();
    let table = partitioned(table(&kafka, &bytes), &["s"]);
    let mistakes = check(&table, Direction::Sink);
    assert!(mistakes[0].message.contains("`kafka` has no PARTITIONED BY"), "{mistakes:?}");
}

#[test]
fn a_value_that_is_too_long_for_a_name_is_refused_before_it_is_committed() {
    let files = Files::new(&[]);
    let options = [("connector", "filesystem"), ("path", "out"), ("format", "json")];
    let columns = [("id", DataType::Utf8), ("k", DataType::Utf8)];
    let table = partitioned(table(&options, &columns), &["k"]);
    let mut writer = open_sink(&table, &files.environment).unwrap().writer(0).unwrap();
    let mut write = |value: String| {
        let column = || Arc::new(StringArray::from(vec![value.clone()])) as ArrayRef;
        let rows = RecordBatch::try_new(table.schema.clone(), vec![column(), column()]).unwrap();
        writer.write(&Batch::inserts(rows))
    };
    write("x".repeat(253)).unwrap();
    let (message, _) = told(write("=".repeat(100)).unwrap_err());
    assert!(message.contains("`k` is too long"), "{message}");
    assert!(message.contains("302 bytes, and 255 is the most"), "{message}");
}

#[test]
fn many_partitions_at_once_are_a_file_each_and_few_are_open() {
    for packed in ["none", "gzip", "zstd"] {
        let files = Files::new(&[]);
        let options = [("connector", "filesystem"), ("path", "out"), ("format", "json")];
        let options = [&options[..], &[("compression", packed)]].concat();
        let columns = [("id", DataType::Int64), ("k", DataType::Int64)];
        let table = partitioned(table(&options, &columns), &["k"]);
        let rows = |of: std::ops::Range<i64>| {
            let numbers = |modulus: i64| -> ArrayRef {
                Arc::new(Int64Array::from_iter_values(of.clone().map(|n| n % modulus)))
            };
            let columns = vec![numbers(i64::MAX), numbers(200)];
            Batch::inserts(RecordBatch::try_new(table.schema.clone(), columns).unwrap())
        };
        let out = files.path().join("out");
        let mut writer = open_sink(&table, &files.environment).unwrap().writer(0).unwrap();
        for batch in 0..4 {
            writer.write(&rows(batch * 2000..batch * 2000 + 2000)).unwrap();
            if batch == 2 {
                writer.flush().unwrap();
            }
            let handles = fs::read_dir("/proc/self/fd").unwrap().flatten();
            let targets = handles.filter_map(|handle| fs::read_link(handle.path()).ok());
            assert!(targets.filter(|target| target.starts_with(&out)).count() <= 64);
        }
        writer.finish().unwrap();
        let parts = |k| fs::read_dir(out.join(format!("k={k}"))).unwrap().count();
        assert!((0..200).all(|k| parts(k) == 1), "one part for each");
        assert_eq!(seen(&files, &table).len(), 8000);
    }
}
