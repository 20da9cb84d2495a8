//! Standard input as a table: `-i`, the connector `stdin`, and what is refused.

use super::{file, finish, millstream, run_with_input};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

#[test]
fn records_on_standard_input_are_a_table() {
    let input = "{\"id\":1,\"u\":{\"name\":\"a\"}}\n{\"id\":2,\"u\":null}\n";
    let done = run_with_input(&["run", "-i", "json", "-e", "SELECT id, u FROM STDIN"], input);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, "{\"id\":1,\"u\":{\"name\":\"a\"}}\n{\"id\":2,\"u\":null}\n");
    assert!(done.err.starts_with("STDIN: id BIGINT, u ROW<`name` STRING> (from 2 records)\n"));
}

#[test]
fn a_value_that_the_inferred_type_cannot_hold_ends_the_job() {
    for (value, expected) in [("7.5", "expected BIGINT, found 7.5"), ("\"x\"", "expected BIGINT")] {
        let input = format!("{{\"ms\":7}}\n{}{{\"ms\":{value}}}\n", "\n".repeat(2 << 20));
        let done =
            run_with_input(&["run", "-q", "-i", "json", "-e", "SELECT ms FROM stdin"], &input);
        assert_eq!(done.code, 1);
        assert!(done.err.contains("standard input:2097154: column `ms`"), "{}", done.err);
        assert!(done.err.contains(expected) && done.err.contains("declared"), "{}", done.err);
    }
    let done = run_with_input(&["run", "-e", "SELECT ms FROM Stdin"], "{}");
    assert_eq!(done.code, 3);
    assert!(done.err.contains("`millstream run -i json` makes a table"), "{}", done.err);
    let done = run_with_input(&["run", "-q", "-i", "raw", "-e", "SHOW CREATE TABLE stdin"], "x");
    let declared = "CREATE TABLE `stdin` (\n  `line` STRING\n) WITH (\n  'connector' = 'stdin',\n  'format' = 'raw'\n);\n";
    assert_eq!((done.code, done.out.as_str()), (0, declared), "{}", done.err);
}

#[test]
fn rows_come_while_the_pipe_is_open() {
    let mut command = millstream(&["run", "-q", "-i", "raw", "-e", "SELECT line FROM stdin"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut input = child.stdin.take().expect("piped");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    for line in ["one", "two", "three"] {
        writeln!(input, "{line}").expect("it reads");
        let mut row = String::new();
        output.read_line(&mut row).expect("a row");
        assert_eq!(row, format!("{{\"line\":\"{line}\"}}\n"));
    }
    drop(input);
    let done = finish(child.wait_with_output().expect("it ends"));
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn a_reader_that_goes_away_ends_the_job() {
    let mut command = millstream(&["run", "-q", "-i", "raw", "-e", "SELECT line FROM stdin"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut input = child.stdin.take().expect("piped");
    drop(child.stdout.take());
    // Until the job has noticed, it reads on; then the pipe breaks.
    while writeln!(input, "x").is_ok() {}
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_bad_record_is_told_by_its_line() {
    let input = "{\"id\":1}\n{\"id\":2}\n{\"id\":\"x\"}\n";
    let sql = "CREATE TABLE t (id BIGINT) WITH ('connector' = 'stdin', 'format' = 'json'); SELECT * FROM t";
    let done = run_with_input(&["run", "-q", "-e", sql], input);
    assert_eq!(done.code, 1);
    assert!(done.err.contains("standard input:3: column `id`: expected BIGINT"), "{}", done.err);
    let skip = sql.replace("'json')", "'json', 'json.ignore-parse-errors' = 'true')");
    let done = run_with_input(&["run", "-e", &skip], &(input.to_owned() + "{\n"));
    assert_eq!(done.out, "{\"id\":1}\n{\"id\":2}\n{\"id\":null}\n");
    assert!(done.err.contains("1 record"), "what was skipped is said: {}", done.err);
}

#[test]
fn what_standard_input_cannot_do_is_refused() {
    let done = run_with_input(&["run", "-i", "json", "-"], "SELECT 1");
    assert_eq!(done.code, 2);
    assert!(done.err.contains("cannot be the SQL and its table"), "{}", done.err);
    let done = run_with_input(&["run", "-i", "json", "-e", "SELECT * FROM stdin"], "");
    assert_eq!(done.code, 1);
    assert!(done.err.contains("no json record"), "{}", done.err);

    let (directory, sql) = file("job.sql", "");
    let out = directory.path().join("out");
    let job = |more: &str| {
        format!(
            "{more}CREATE TABLE i (id BIGINT) WITH ('connector' = 'stdin', 'format' = 'json');
            CREATE TABLE o (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');
            INSERT INTO o SELECT id FROM i;",
            out.display()
        )
    };
    std::fs::write(&sql, job("")).expect("write");
    let done = run_with_input(&["run", &sql], "{\"id\":1}\n");
    assert_eq!(done.code, 3);
    assert!(done.err.contains("error[M0481]: `o` cannot be written exactly once"), "{}", done.err);
    assert!(done.err.contains("SET 'execution.checkpointing.interval' = '0'"), "{}", done.err);
    std::fs::write(&sql, job("SET 'execution.checkpointing.interval' = '0';")).expect("write");
    let done = run_with_input(&["run", "-q", "-p", "1", &sql], "{\"id\":1}\n");
    assert_eq!(done.code, 0, "{}", done.err);
    let written = std::fs::read_to_string(out.join("part-0-0.json")).expect("a part");
    assert_eq!(written, "{\"id\":1}\n");

    let twice = "CREATE TABLE a (id BIGINT) WITH ('connector' = 'stdin', 'format' = 'json');
        CREATE TABLE b (id BIGINT) WITH ('connector' = 'stdin', 'format' = 'json');
        SELECT id FROM a UNION ALL SELECT id FROM b";
    let done = run_with_input(&["run", "-e", twice], "");
    assert_eq!(done.code, 3);
    assert!(done.err.contains("`a` and `b` both read standard input"), "{}", done.err);
}
