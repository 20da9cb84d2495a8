//! Standard input: rows as they come, once.

use std::io::{Cursor, Read, Write};
use std::time::Duration;

use arrow::datatypes::DataType::{Int64, Utf8};
use millstream_connectors::registry::{Direction, Environment, check, open_source};
use millstream_connectors::stdin::Input;
use millstream_connectors::{Polled, Split, TableSpec};

use super::common::{drain, environment, rows, table};
use super::filesystem::told;

fn stdin(options: &[(&str, &str)]) -> TableSpec {
    let format = [("connector", "stdin"), ("format", "json")];
    let given = |option: &&(&str, &str)| !options.iter().any(|(name, _)| *name == option.0);
    let options: Vec<_> = format.iter().filter(given).chain(options).copied().collect();
    table(&options, &[("id", Int64), ("name", Utf8)])
}

fn reading(input: impl Read + Send + 'static) -> Environment {
    let mut environment = environment(std::path::Path::new("."));
    environment.input = Input::of(Box::new(input));
    environment
}

/// All rows, and how many records were skipped.
fn all(input: &[u8], options: &[(&str, &str)]) -> (Vec<String>, u64) {
    let source = open_source(&stdin(options), &reading(Cursor::new(input.to_vec()))).unwrap();
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    let steps = drain(&mut *reader, 1);
    let skipped = steps.iter().map(|step| step.skipped).sum();
    (steps.into_iter().flat_map(|step| step.rows).collect(), skipped)
}

fn failure(input: &[u8], options: &[(&str, &str)]) -> String {
    let source = open_source(&stdin(options), &reading(Cursor::new(input.to_vec()))).unwrap();
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    loop {
        match reader.poll(Duration::from_millis(10)) {
            Err(error) => return told(error).0,
            Ok(Polled::Finished { .. }) => panic!("nothing went wrong"),
            Ok(_) => {}
        }
    }
}

#[test]
fn lines_are_rows_however_they_end() {
    let expected = vec!["+I 1|a".to_owned(), "+I 2|∅".to_owned()];
    for input in [
        &b"{\"id\":1,\"name\":\"a\"}\n{\"id\":2}\n"[..],
        b"\xef\xbb\xbf{\"id\":1,\"name\":\"a\"}\r\n\r\n{\"id\":2}",
    ] {
        assert_eq!(all(input, &[]), (expected.clone(), 0));
    }
    assert_eq!(all(b"", &[]), (Vec::new(), 0));
    let csv = [("format", "csv"), ("csv.header", "true")];
    let header = b"\xef\xbb\xbfname,id\n\"a\nb\",1\n";
    assert_eq!(all(header, &csv).0, ["+I 1|a\nb"]);
    assert_eq!(all(b"name,id\n", &csv).0, Vec::<String>::new());
    assert_eq!(all(b"id,name", &csv).0, Vec::<String>::new());
}

#[test]
fn many_reads_are_one_stream() {
    let input: String = (0..100_000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let (rows, _) = all(input.as_bytes(), &[]);
    let expected: Vec<String> = (0..100_000).map(|id| format!("+I {id}|∅")).collect();
    assert!(rows == expected);
}

#[test]
fn rows_are_handed_over_while_the_pipe_is_open() {
    let (receiver, mut sender) = std::io::pipe().unwrap();
    let source = open_source(&stdin(&[]), &reading(receiver)).unwrap();
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    assert!(matches!(reader.poll(Duration::ZERO).unwrap(), Polled::Nothing));
    for id in 0..3 {
        // Half a record is none.
        write!(sender, "{{\"id\":{id}}}\n{{\"id\":").unwrap();
        let found = loop {
            match reader.poll(Duration::from_secs(1)).unwrap() {
                Polled::Rows(found) => break found,
                Polled::Nothing => {}
                Polled::Finished { .. } => panic!("the pipe is open"),
            }
        };
        assert_eq!(rows(&found.batch), [format!("+I {id}|∅")]);
        writeln!(sender, "9}}").unwrap();
        let found = loop {
            if let Polled::Rows(found) = reader.poll(Duration::from_secs(1)).unwrap() {
                break found;
            }
        };
        assert_eq!(rows(&found.batch), ["+I 9|∅"]);
    }
    drop(sender);
    while !matches!(reader.poll(Duration::from_secs(1)).unwrap(), Polled::Finished { .. }) {}
}

#[test]
fn bad_records_are_told_by_line_or_counted() {
    let input = b"{\"id\":1}\n\n{\"id\":\n{\"id\":4}\n\xFF\xFE\n";
    assert!(failure(input, &[]).contains("standard input:3"), "{}", failure(input, &[]));
    let (rows, skipped) = all(input, &[("json.ignore-parse-errors", "true")]);
    assert_eq!((rows.len(), skipped), (2, 2));
    let csv = [("format", "csv"), ("csv.header", "true")];
    assert!(failure(b"id,name\n1,\"a\nb\"\nx,y\n", &csv).contains("standard input:4"));
    assert!(failure(b"id,nam\n1,2\n", &csv).contains("no column `name`"));
    let long = [b"{\"id\":1}\n", &[b'x'; 3000][..]].concat();
    let limited = failure(&long, &[("source.max-line-size", "1 kb")]);
    assert!(limited.contains("standard input:2") && limited.contains("longer than"), "{limited}");
}

#[test]
fn it_is_read_once() {
    let source = open_source(&stdin(&[]), &reading(Cursor::new(Vec::new()))).unwrap();
    let again = Split { id: "stdin".into(), offset: Some(10) };
    assert!(source.reader(vec![again]).is_err(), "there is nothing to go back to");
    assert!(source.reader(vec![Split { id: "x".into(), offset: None }]).is_err());
    let _first = source.reader(source.splits().unwrap()).unwrap();
    let error = source.reader(source.splits().unwrap()).err().unwrap();
    assert!(told(error).0.contains("by one table"));
}

#[test]
fn formats_of_whole_files_are_refused() {
    let mistakes = check(&stdin(&[("format", "parquet")]), Direction::Source);
    assert!(mistakes[0].message.contains("from a pipe"), "{mistakes:?}");
    let mistakes = check(&stdin(&[]), Direction::Sink);
    assert!(mistakes[0].message.contains("cannot be written"), "{mistakes:?}");
}
