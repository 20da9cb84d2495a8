//! The contract that every source keeps, whatever it reads.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failed test may panic and tell

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType::{Float64, Int64, Utf8};
use common::{TIMESTAMP, drain, environment, project, read_sorted, read_splits, table};
use millstream_connectors::registry::{Environment, open_sink, open_source};
use millstream_connectors::{Split, TableSpec};
use millstream_operators::Batch;

/// A source that the contract is tried on.
struct Subject {
    name: &'static str,
    table: TableSpec,
    environment: Environment,
    rows: usize,
}

fn files(directory: &Path, format: &'static str, rows: usize) -> Subject {
    files_as(directory, format, format, rows, &[], &[])
}

/// Files of a format with more options, in directories of these columns.
fn files_as(
    directory: &Path,
    name: &'static str,
    format: &str,
    rows: usize,
    more: &[(&str, &str)],
    partitions: &[&str],
) -> Subject {
    let environment = environment(directory);
    let columns = [("id", Int64), ("name", Utf8), ("score", Float64), ("ts", TIMESTAMP)];
    let path = format!("in-{name}");
    let made = table(
        &[
            ("connector", "datagen"),
            ("number-of-rows", &rows.to_string()),
            ("fields.name.values", "Käthe;Ånd \"quoted\";,;"),
            ("fields.score.null-rate", "0.2"),
            ("fields.score.min", "0"),
            ("fields.score.max", "1000"),
        ],
        &columns,
    );
    let mut target = table(
        &[
            ("connector", "filesystem"),
            ("path", &path),
            ("format", format),
            ("sink.rolling-policy.file-size", "50 kb"),
        ],
        &columns,
    );
    if format == "csv" {
        // Without it, no text and no value are written alike.
        target.options.insert("csv.null-literal".into(), "NULL".into());
    }
    target.options.extend(more.iter().map(|(key, value)| ((*key).into(), (*value).into())));
    let target = common::partitioned(target, partitions);
    let source = open_source(&made, &environment).unwrap();
    let splits = source.splits().unwrap();
    let count = splits.len();
    let mut reader = source.reader(splits).unwrap();
    let mut writer = open_sink(&target, &environment).unwrap().writer(0).unwrap();
    for step in drain(&mut *reader, count) {
        for start in (0..step.batch.num_rows()).step_by(500) {
            let length = 500.min(step.batch.num_rows() - start);
            writer.write(&Batch::inserts(step.batch.slice(start, length))).unwrap();
        }
    }
    writer.finish().unwrap();
    Subject { name, table: target, environment, rows }
}

/// Lines of very different lengths, large enough to be cut into stripes.
fn striped(directory: &Path) -> Subject {
    let environment = environment(directory);
    let mut text = String::new();
    let mut rows = 0;
    while text.len() < 34 << 20 {
        let filling = match rows % 1000 {
            0 => 1_500_000, // longer than a chunk
            n if n % 7 == 0 => 3_000,
            n => n % 50,
        };
        let name = "x".repeat(filling);
        text += &format!("{{\"id\":{rows},\"name\":\"{name}\",\"score\":{rows}.5}}\n");
        rows += 1;
    }
    fs::write(directory.join("large.json"), text.trim_end()).unwrap();
    let columns = [("id", Int64), ("name", Utf8), ("score", Float64), ("ts", TIMESTAMP)];
    let options = [("connector", "filesystem"), ("path", "large.json"), ("format", "json")];
    // Only the short columns are compared: the long ones are there to be skipped over.
    let table = project(&table(&options, &columns), &[0, 2]);
    Subject { name: "filesystem striped", table, environment, rows }
}

fn datagen(directory: &Path) -> Subject {
    let options = [
        ("connector", "datagen"),
        ("number-of-rows", "50000"),
        ("fields.name.length", "5"),
        ("fields.ts.max-past", "1 h"),
    ];
    let columns = [("id", Int64), ("name", Utf8), ("score", Float64), ("ts", TIMESTAMP)];
    Subject {
        name: "datagen",
        table: table(&options, &columns),
        environment: environment(directory),
        rows: 50_000,
    }
}

fn nexmark(directory: &Path) -> Subject {
    let options = [("connector", "nexmark"), ("nexmark.event", "bid"), ("nexmark.events", "20000")];
    let columns =
        [("auction", Int64), ("price", Int64), ("channel", Utf8), ("dateTime", TIMESTAMP)];
    Subject {
        name: "nexmark",
        table: table(&options, &columns),
        environment: environment(directory),
        rows: 20_000 / 50 * 46,
    }
}

/// Files that are read at a rate.
fn paced(files: &Subject) -> Subject {
    let mut table = files.table.clone();
    table.options.insert("scan.rate".into(), "5000/s".into());
    Subject {
        name: "filesystem at a rate",
        table,
        environment: files.environment.clone(),
        ..*files
    }
}

/// Generators at a rate: a fast one, which has several splits, and one of events.
fn paced_generators(directory: &Path) -> [Subject; 2] {
    let options =
        [("connector", "datagen"), ("number-of-rows", "5000"), ("rows-per-second", "20000")];
    let datagen = Subject {
        name: "datagen at a rate",
        table: table(&options, &[("id", Int64), ("score", Float64)]),
        environment: environment(directory),
        rows: 5000,
    };
    let events = nexmark(directory);
    let mut table = events.table.clone();
    table.options.insert("nexmark.rate".into(), "5000".into());
    [datagen, Subject { name: "nexmark at a rate", table, ..events }]
}

fn memory(directory: &Path) -> Subject {
    let environment = environment(directory);
    let table = table(&[("connector", "memory")], &[("id", Int64), ("name", Utf8)]);
    let batch = |from: i64| {
        let ids = Int64Array::from_iter_values(from..from + 10);
        let names = StringArray::from_iter_values((0..10).map(|n| format!("n{n}")));
        let columns: Vec<arrow::array::ArrayRef> = vec![Arc::new(ids), Arc::new(names)];
        Batch::inserts(RecordBatch::try_new(table.schema.clone(), columns).unwrap())
    };
    environment.memory.insert("t", vec![vec![batch(0), batch(10)], vec![batch(20)], vec![]]);
    Subject { name: "memory", table, environment, rows: 30 }
}

fn subjects(directory: &Path) -> Vec<Subject> {
    let formats = ["json", "csv", "parquet", "changelog-json"];
    let mut subjects: Vec<_> = formats.map(|format| files(directory, format, 3000)).into();
    let more = |name, format, more: &[(&str, &str)], keys: &[&str]| {
        files_as(directory, name, format, 3000, more, keys)
    };
    subjects.extend([
        more("json gzip", "json", &[("compression", "gzip")], &[]),
        more("csv zstd", "csv", &[("compression", "zstd")], &[]),
        more("partitions", "json", &[], &["name"]),
        more("partitions parquet", "parquet", &[], &["name"]),
        more("watched", "json", &[("source.monitor-interval", "1 s")], &[]),
    ]);
    subjects.push(paced(&subjects[0]));
    subjects.extend([datagen(directory), nexmark(directory), memory(directory)]);
    subjects.extend(paced_generators(directory));
    subjects.push(striped(directory));
    subjects
}

fn for_every_source(check: impl Fn(&Subject)) {
    let directory = tempfile::tempdir().unwrap();
    for subject in subjects(directory.path()) {
        println!("source: {}", subject.name);
        check(&subject);
    }
}

#[test]
fn splits_are_stable_and_named() {
    for_every_source(|subject| {
        let source = open_source(&subject.table, &subject.environment).unwrap();
        let splits = source.splits().unwrap();
        assert_eq!(splits, source.splits().unwrap());
        let again = open_source(&subject.table, &subject.environment).unwrap();
        assert_eq!(splits, again.splits().unwrap(), "another process sees the same");
        let mut ids: Vec<_> = splits.iter().map(|split| &split.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), splits.len());
    });
}

#[test]
fn columns_are_those_asked_for_in_their_order() {
    for_every_source(|subject| {
        let all = open_source(&subject.table, &subject.environment).unwrap();
        let whole = read_sorted(&*all);
        assert_eq!(whole.len(), subject.rows);
        let backwards = project(&subject.table, &[1, 0]);
        let source = open_source(&backwards, &subject.environment).unwrap();
        let splits = source.splits().unwrap();
        let count = splits.len();
        let mut rows = Vec::new();
        for step in drain(&mut *source.reader(splits).unwrap(), count) {
            assert_eq!(step.batch.schema(), backwards.schema);
            rows.extend(step.rows);
        }
        let mut expected: Vec<String> = whole
            .iter()
            .map(|row| {
                let (kind, cells) = row.split_once(' ').unwrap();
                let cells: Vec<&str> = cells.split('|').collect();
                format!("{kind} {}|{}", cells[1], cells[0])
            })
            .collect();
        rows.sort();
        expected.sort();
        assert!(rows == expected, "projected rows differ");
    });
}

#[test]
fn rows_can_be_counted_without_columns() {
    for_every_source(|subject| {
        let none = project(&subject.table, &[]);
        let source = open_source(&none, &subject.environment).unwrap();
        assert_eq!(read_sorted(&*source).len(), subject.rows);
    });
}

#[test]
fn any_assignment_of_splits_yields_the_same_rows() {
    for_every_source(|subject| {
        let source = open_source(&subject.table, &subject.environment).unwrap();
        let expected = read_sorted(&*source);
        let splits = source.splits().unwrap();
        for readers in [2, 3, splits.len()] {
            let mut rows = Vec::new();
            for reader in 0..readers {
                let mine = splits.iter().skip(reader).step_by(readers).cloned();
                rows.extend(read_splits(&*source, mine.collect()));
            }
            rows.sort();
            assert!(rows == expected, "{readers} readers yield other rows");
        }
    });
}

#[test]
fn reading_resumes_at_any_offset() {
    for_every_source(|subject| {
        let source = open_source(&subject.table, &subject.environment).unwrap();
        for split in source.splits().unwrap().into_iter().take(3) {
            let steps = drain(&mut *source.reader(vec![split.clone()]).unwrap(), 1);
            for (index, step) in steps.iter().enumerate() {
                if index > 3 && index + 2 < steps.len() && index % 97 != 0 {
                    continue;
                }
                let at = Split { offset: Some(step.next_offset), ..split.clone() };
                let rest = read_splits(&*source, vec![at]);
                let expected = steps[index + 1..].iter().flat_map(|step| step.rows.clone());
                assert!(rest == expected.collect::<Vec<_>>(), "at {}", step.next_offset);
            }
        }
    });
}

/// As after a restart: every split was read to somewhere else, some to their end, some not at all,
/// and another number of readers goes on.
#[test]
fn all_splits_go_on_from_where_each_was() {
    for_every_source(|subject| {
        let source = open_source(&subject.table, &subject.environment).unwrap();
        let expected = read_sorted(&*source);
        let (mut rows, mut rest) = (Vec::new(), Vec::new());
        for (number, split) in source.splits().unwrap().into_iter().enumerate() {
            let steps = drain(&mut *source.reader(vec![split.clone()]).unwrap(), 1);
            let read = [0, steps.len() / 2, steps.len(), 1][number % 4].min(steps.len());
            rows.extend(steps[..read].iter().flat_map(|step| step.rows.clone()));
            let offset = read.checked_sub(1).map(|last| steps[last].next_offset);
            rest.push(Split { offset, ..split });
        }
        // Another process: nothing of the first is left.
        let again = open_source(&subject.table, &subject.environment).unwrap();
        for reader in 0..3 {
            let mine: Vec<Split> = rest.iter().skip(reader).step_by(3).cloned().collect();
            rows.extend(read_splits(&*again, mine));
        }
        rows.sort();
        assert!(rows == expected, "{}", subject.name);
    });
}

#[test]
fn splits_can_be_added_to_a_reader() {
    for_every_source(|subject| {
        let source = open_source(&subject.table, &subject.environment).unwrap();
        let splits = source.splits().unwrap();
        let count = splits.len();
        let mut reader = source.reader(Vec::new()).unwrap();
        reader.add_splits(splits).unwrap();
        let steps = drain(&mut *reader, count);
        assert_eq!(steps.iter().map(|step| step.rows.len()).sum::<usize>(), subject.rows);
    });
}

#[test]
fn an_unknown_split_is_an_error() {
    for_every_source(|subject| {
        let source = open_source(&subject.table, &subject.environment).unwrap();
        let strange = Split { id: "no such split".into(), offset: None };
        assert!(source.reader(vec![strange]).is_err());
    });
}
