//! Files as users have them: names, line ends, broken records, rates.

use std::fs;
use std::path::Path;
use std::time::Duration;

use arrow::datatypes::DataType::{self, Int64, Utf8};
use arrow::datatypes::TimeUnit;
use millstream_connectors::registry::{Environment, open_sink, open_source};
use millstream_connectors::{ConnectorError, Polled, Source, TableSpec};

use crate::common::{TIMESTAMP, drain, environment, project, read_sorted, read_splits, table};

pub(crate) struct Files {
    directory: tempfile::TempDir,
    pub(crate) environment: Environment,
}

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let environment = environment(directory.path());
        Files { directory, environment }
    }

    pub(crate) fn table(&self, path: &str, more: &[(&str, &str)]) -> TableSpec {
        let base = [("connector", "filesystem"), ("path", path), ("format", "json")];
        let given = |option: &&(&str, &str)| !more.iter().any(|(name, _)| *name == option.0);
        let options: Vec<_> = base.iter().filter(given).chain(more).copied().collect();
        table(&options, &[("id", Int64), ("name", Utf8)])
    }

    pub(crate) fn open(&self, path: &str, more: &[(&str, &str)]) -> Box<dyn Source> {
        open_source(&self.table(path, more), &self.environment).unwrap()
    }

    /// The first column of all rows, in the order of delivery.
    pub(crate) fn ids(&self, path: &str, more: &[(&str, &str)]) -> Vec<String> {
        let source = self.open(path, more);
        let rows = read_splits(&*source, source.splits().unwrap());
        rows.iter().map(|row| row[3..].split('|').next().unwrap().to_owned()).collect()
    }

    /// What goes wrong, at opening or reading: place or message, and the hint.
    pub(crate) fn failure(&self, path: &str, more: &[(&str, &str)]) -> (String, String) {
        match open_source(&self.table(path, more), &self.environment) {
            Err(error) => told(error),
            Ok(source) => {
                let mut reader = source.reader(source.splits().unwrap()).unwrap();
                loop {
                    match reader.poll(Duration::from_millis(1)) {
                        Err(error) => return told(error),
                        Ok(Polled::Finished { .. }) => panic!("nothing went wrong"),
                        Ok(_) => {}
                    }
                }
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

pub(crate) fn told(error: ConnectorError) -> (String, String) {
    let hint = match &error {
        ConnectorError::Options { hint, .. }
        | ConnectorError::Data { hint, .. }
        | ConnectorError::Unavailable { hint, .. }
        | ConnectorError::Aborted { hint, .. }
        | ConnectorError::Fenced { hint, .. }
        | ConnectorError::Refused { hint, .. } => hint.clone(),
        ConnectorError::Io { .. } => None,
    };
    (error.to_string(), hint.unwrap_or_default())
}

#[test]
fn every_kind_of_line_end_and_none_at_the_end() {
    let files = Files::new(&[
        ("crlf.json", "{\"id\":1}\r\n\r\n{\"id\":2}\r\n"),
        ("open.json", "\n{\"id\":1}\n\n{\"id\":2}"),
        ("mark.json", "\u{feff}{\"id\":1}\n{\"id\":2}\n"),
        ("empty.json", ""),
        ("blank.json", "\n\n"),
    ]);
    for name in ["crlf.json", "open.json", "mark.json"] {
        assert_eq!(files.ids(name, &[]), ["1", "2"], "{name}");
    }
    assert!(files.ids("empty.json", &[]).is_empty());
    assert!(files.ids("blank.json", &[]).is_empty());
}

#[test]
fn files_directories_and_globs_in_sorted_order() {
    let files = Files::new(&[
        ("in/b.json", "{\"id\":2}\n"),
        ("in/a.json", "{\"id\":1}\n"),
        ("in/deep/er/c.json", "{\"id\":3}\n"),
        ("in/.hidden.json", "broken"),
        ("in/_SUCCESS", "broken"),
        ("in/.staging/x.json", "broken"),
        ("other.txt", "broken"),
    ]);
    assert_eq!(files.ids("in", &[]), ["1", "2", "3"]);
    assert_eq!(files.ids("in/*.json", &[]), ["1", "2"]);
    assert_eq!(files.ids("in/**/*.json", &[]), ["1", "2", "3"]);
    assert_eq!(files.ids(&format!("file://{}/in/a.json", files.path().display()), &[]), ["1"]);
    assert_eq!(files.ids("in", &[("source.path.regex-pattern", ".*/[bc]\\.json")]), ["2", "3"]);
    let ids: Vec<String> =
        files.open("in", &[]).splits().unwrap().into_iter().map(|split| split.id).collect();
    assert_eq!(ids, ["in/a.json", "in/b.json", "in/deep/er/c.json"]);
}

#[test]
fn what_is_missing_is_named_with_its_full_path() {
    let files = Files::new(&[("flights.json", ""), ("none/.hidden", "")]);
    let (message, hint) = files.failure("flihgts.json", &[]);
    let full = files.path().join("flihgts.json");
    assert_eq!(message, format!("there is no file {}", full.display()));
    assert_eq!(hint, "did you mean `flights.json`?");
    let (message, _) = files.failure("none", &[]);
    assert!(message.starts_with("there are no files to read in /"), "{message}");
    let (_, hint) = files.failure("no/such/directory/x.json", &[]);
    assert_eq!(hint, format!("{} is all that exists of it", files.path().display()));
}

#[test]
fn a_bad_record_is_named_by_file_and_line() {
    let good = "{\"id\":1}\n".repeat(100_000);
    let text = format!("{good}\n{{\"id\":\"x\"}}\n{{\"id\":2}}\n");
    let files = Files::new(&[("bad.json", &text)]);
    let (message, hint) = files.failure("bad.json", &[]);
    let place = format!("{}:100002: ", files.path().join("bad.json").display());
    assert!(message.starts_with(&place), "{message}");
    assert!(hint.contains("ignore-parse-errors"), "{hint}");
    // By a rate, records are read one by one; the place is the same.
    let (message, _) = files.failure("bad.json", &[("scan.rate", "100000000")]);
    assert!(message.starts_with(&place), "{message}");
}

#[test]
fn bad_records_can_be_skipped_and_are_counted() {
    let files = Files::new(&[
        ("some.json", "{\"id\":1}\n{\"id\":\n{\"id\":2}\nnonsense\n"),
        ("all.json", "nonsense\n\u{0}\n"),
    ]);
    let skip = [("json.ignore-parse-errors", "true")];
    assert_eq!(files.ids("some.json", &skip), ["1", "2"]);
    for (name, bad) in [("some.json", 2), ("all.json", 2)] {
        let source = files.open(name, &skip);
        let mut reader = source.reader(source.splits().unwrap()).unwrap();
        let skipped: u64 = drain(&mut *reader, 1).iter().map(|step| step.skipped).sum();
        assert_eq!(skipped, bad, "{name}");
    }
}

#[test]
fn a_record_without_end_is_refused_before_memory_is_full() {
    let files = Files::new(&[("long.json", &format!("{{\"id\":1}}\n{}", "x".repeat(3 << 20)))]);
    let limit = [("source.max-line-size", "1 mb")];
    let (message, hint) = files.failure("long.json", &limit);
    let place = files.path().join("long.json").display().to_string();
    assert_eq!(message, format!("{place}:2: the record is longer than 1 MiB"));
    assert!(hint.contains("source.max-line-size"), "{hint}");
}

#[test]
fn metadata_columns_tell_about_the_file() {
    let files = Files::new(&[("in/a.json", "{\"id\":1}\n")]);
    let zoned = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let columns =
        [("path", Utf8), ("id", Int64), ("name", Utf8), ("size", Int64), ("modified", zoned)];
    let options = [("connector", "filesystem"), ("path", "in"), ("format", "json")];
    let mut spec = table(&options, &columns);
    spec.declared = std::sync::Arc::new(spec.schema.project(&[1]).unwrap());
    let keys =
        [(0, "file.path"), (2, "file.name"), (3, "file.size"), (4, "file.modification-time")];
    spec.metadata = keys.iter().map(|(index, key)| (*index, (*key).to_owned())).collect();
    let rows = read_sorted(&*open_source(&spec, &files.environment).unwrap());
    let path = files.path().join("in/a.json").display().to_string();
    assert!(rows[0].starts_with(&format!("+I {path}|1|a.json|9|20")), "{rows:?}");
    assert!(open_sink(&spec, &files.environment).is_err(), "metadata cannot be written");
}

#[test]
fn on_event_keeps_a_large_file_in_one_piece() {
    let line = format!("{{\"id\":1,\"name\":\"{}\"}}\n", "x".repeat(1000));
    let files = Files::new(&[("large.json", &line.repeat(33 << 10))]);
    assert_eq!(files.open("large.json", &[]).splits().unwrap().len(), 16);
    let exact = [("scan.watermark.emit.strategy", "on-event")];
    assert_eq!(files.open("large.json", &exact).splits().unwrap().len(), 1);
    assert_eq!(files.open("large.json", &[("scan.rate", "10")]).splits().unwrap().len(), 1);
}

#[test]
fn stripes_advance_through_a_file_together() {
    let mut text = String::new();
    for id in 0..(34 << 10) {
        text += &format!("{{\"id\":{id},\"name\":\"{}\"}}\n", "x".repeat(1000));
    }
    let files = Files::new(&[("large.json", &text)]);
    let table = project(&files.table("large.json", &[]), &[0]);
    let source = open_source(&table, &files.environment).unwrap();
    let mut ids = Vec::new();
    for step in drain(&mut *source.reader(source.splits().unwrap()).unwrap(), 16) {
        ids.extend(step.rows.iter().map(|row| row[3..].parse::<u64>().unwrap()));
    }
    assert!(ids == (0..34 << 10).collect::<Vec<u64>>(), "one reader of all reads in file order");
}

#[test]
fn a_rate_by_rows_is_kept_over_the_whole_table() {
    let lines = |from: u64| (from..from + 50).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let (a, b): (String, String) = (lines(0), lines(50));
    let files = Files::new(&[("in/a.json", &a), ("in/b.json", &b)]);
    let source = files.open("in", &[("scan.rate", "10/s")]);
    let splits = source.splits().unwrap();
    let mut readers: Vec<_> =
        splits.iter().map(|split| source.reader(vec![split.clone()]).unwrap()).collect();
    let (mut rows, mut ended) = (0, 0);
    while ended < 2 {
        for reader in &mut readers {
            match reader.poll(Duration::from_millis(40)).unwrap() {
                Polled::Rows(found) => rows += found.batch.num_rows(),
                Polled::Finished { .. } => ended += 1,
                Polled::Nothing => {}
            }
        }
        let due = files.environment.clock.elapsed().as_secs_f64() * 10.0 + 1.0;
        assert!(rows as f64 <= due, "{rows} rows, {due} due");
    }
    assert_eq!(rows, 100);
    let elapsed = files.environment.clock.elapsed().as_secs_f64();
    assert!((9.8..10.2).contains(&elapsed), "100 rows took {elapsed} s");
}

#[test]
fn a_rate_by_event_time_waits_for_the_time_between_rows() {
    let text = "{\"id\":1,\"ts\":\"2024-01-01 00:00:00\"}\n\
                {\"id\":2,\"ts\":\"2024-01-01 00:00:10\"}\n\
                {\"id\":3}\n\
                {\"id\":4,\"ts\":\"2024-01-01 00:00:05\"}\n\
                {\"id\":5,\"ts\":\"2024-01-01 00:01:00\"}\n";
    let files = Files::new(&[("in.json", text)]);
    let options = [
        ("connector", "filesystem"),
        ("path", "in.json"),
        ("format", "json"),
        ("scan.rate", "2x"),
        ("scan.rate.time-column", "ts"),
    ];
    let whole = table(&options, &[("id", Int64), ("ts", TIMESTAMP)]);
    for table in [whole.clone(), project(&whole, &[0])] {
        let environment = environment(files.path());
        let source = open_source(&table, &environment).unwrap();
        let mut reader = source.reader(source.splits().unwrap()).unwrap();
        let mut seen = Vec::new();
        loop {
            match reader.poll(Duration::from_millis(100)).unwrap() {
                Polled::Rows(found) => {
                    assert_eq!(found.batch.rows.schema(), table.schema);
                    let at = environment.clock.elapsed().as_secs_f64().round() as u64;
                    seen.push((at, found.batch.num_rows()));
                }
                Polled::Finished { .. } => break,
                Polled::Nothing => {}
            }
        }
        assert_eq!(seen, [(0, 1), (5, 3), (30, 1)], "seconds of the clock, and rows");
    }
}

#[test]
fn a_rate_by_event_time_goes_on_without_a_first_file_that_was_read() {
    let line = |id: i64| format!("{{\"id\":{id},\"ts\":\"2024-01-01 00:00:0{id}\"}}\n");
    let files = Files::new(&[("in/a.json", &line(1)), ("in/b.json", &(line(2) + &line(3)))]);
    let options = [
        ("connector", "filesystem"),
        ("path", "in"),
        ("format", "json"),
        ("scan.rate", "1x"),
        ("scan.rate.time-column", "ts"),
    ];
    let table = table(&options, &[("id", Int64), ("ts", TIMESTAMP)]);
    let source = open_source(&table, &files.environment).unwrap();
    let splits = source.splits().unwrap();
    assert_eq!(read_splits(&*source, splits[1..].to_vec()).len(), 2);
}

#[test]
fn csv_records_may_span_lines() {
    let files = Files::new(&[("in.csv", "1,\"a\nb\"\n2,\"c\"\"\n\"\r\n3,d")]);
    let source = files.open("in.csv", &[("format", "csv")]);
    let rows = read_splits(&*source, source.splits().unwrap());
    assert_eq!(rows, ["+I 1|a\nb", "+I 2|c\"\n", "+I 3|d"]);
}

#[test]
fn updates_need_a_format_that_can_tell_them() {
    let files = Files::new(&[(
        "in.json",
        "{\"op\":\"+I\",\"data\":{\"id\":1,\"name\":\"a\"}}\n\
         {\"op\":\"-U\",\"data\":{\"id\":1,\"name\":\"a\"}}\n\
         {\"op\":\"+U\",\"data\":{\"id\":1,\"name\":\"b\"}}\n",
    )]);
    let changelog = [("format", "changelog-json")];
    let source = files.open("in.json", &changelog);
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    let Polled::Rows(found) = reader.poll(Duration::ZERO).unwrap() else { panic!("no rows") };
    let write = |format: &[(&str, &str)], path: &str| {
        let sink = open_sink(&files.table(path, format), &files.environment).unwrap();
        let mut writer = sink.writer(0).unwrap();
        writer.write(&found.batch).and_then(|_| writer.finish())
    };
    write(&changelog, "changes").unwrap();
    let source = files.open("changes", &changelog);
    let rows = read_splits(&*source, source.splits().unwrap());
    assert_eq!(rows, ["+I 1|a", "-U 1|a", "+U 1|b"]);
    let (message, hint) = told(write(&[], "plain").unwrap_err());
    assert!(message.contains("cannot carry updates"), "{message}");
    assert!(hint.contains("changelog-json"));
}

#[test]
fn a_sink_needs_a_directory() {
    let files = Files::new(&[("file.json", "")]);
    let (message, _) =
        told(open_sink(&files.table("file.json", &[]), &files.environment).err().unwrap());
    assert!(message.ends_with("file.json is a file"), "{message}");
    let (message, _) =
        told(open_sink(&files.table("x/*.json", &[]), &files.environment).err().unwrap());
    assert!(message.contains("a glob cannot be written to"), "{message}");
}
