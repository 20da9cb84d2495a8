//! `millstream run`: where SQL comes from, how rows look, how it stops.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use super::{file, millstream, run, run_with_input, sorted, table};

const NUMBERS: &str =
    "CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'number-of-rows' = '3',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '3');";
const ENDLESS: &str =
    "CREATE TABLE clock (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000',
  'fields.n.kind' = 'random');";

fn numbers(query: &str) -> String {
    format!("{NUMBERS} {query}")
}

#[test]
fn rows_go_to_stdout_and_the_rest_to_stderr() {
    let done = run(&["run", "-e", &numbers("SELECT n, n * n AS square FROM numbers")]);
    assert_eq!(done.code, 0, "{}", done.err);
    let rows = ["{\"n\":1,\"square\":1}", "{\"n\":2,\"square\":4}", "{\"n\":3,\"square\":9}"];
    assert_eq!(sorted(&done.out), rows);
    assert!(done.err.contains("rows in"), "a summary: {}", done.err);
}

#[test]
fn quiet_says_nothing_but_rows() {
    let done = run(&["run", "-q", "-e", &numbers("SELECT n FROM numbers")]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn sql_comes_from_a_file_or_standard_input() {
    let sql = numbers("SELECT n FROM numbers");
    let (_directory, path) = file("job.sql", &sql);
    let from_file = run(&["run", "-q", &path]);
    let from_input = run_with_input(&["run", "-q", "-"], &sql);
    assert_eq!(from_file.code, 0, "{}", from_file.err);
    assert_eq!(sorted(&from_file.out), sorted(&from_input.out));
}

#[test]
fn every_output_form_shows_the_same_row() {
    let sql = "CREATE TABLE one (n INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1',
      'fields.n.kind' = 'sequence', 'fields.n.start' = '7', 'fields.n.end' = '7');
      SELECT n, CAST(NULL AS STRING) AS s FROM one";
    let show = |form| run(&["run", "-q", "-o", form, "-e", sql]).out;
    assert_eq!(show("ndjson"), "{\"n\":7,\"s\":null}\n");
    assert_eq!(show("changelog"), "{\"op\":\"+I\",\"data\":{\"n\":7,\"s\":null}}\n");
    assert_eq!(show("csv"), "n,s\n7,\n");
    assert_eq!(show("none"), "");
    let table = show("table");
    assert!(
        table.lines().next().is_some_and(|line| line.contains('n') && line.contains('s')),
        "{table}"
    );
    assert!(table.contains('7'), "{table}");
}

#[test]
fn limit_ends_an_endless_job() {
    let done = run(&["run", "-q", "--limit", "5", "-e", &format!("{ENDLESS} SELECT n FROM clock")]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out.lines().count(), 5);
}

#[test]
fn a_time_limit_ends_an_endless_job() {
    let done = run(&[
        "run",
        "--for",
        "300ms",
        "-o",
        "none",
        "-e",
        &format!("{ENDLESS} SELECT n FROM clock"),
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
}

#[test]
fn a_reader_that_goes_away_ends_the_job() {
    let sql = format!("{ENDLESS} SELECT n FROM clock");
    let mut command = millstream(&["run", "-q", "-e", &sql]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut first = String::new();
    let mut rows = BufReader::new(child.stdout.take().expect("piped"));
    rows.read_line(&mut first).expect("a row");
    drop(rows);
    assert!(first.starts_with("{\"n\":"), "{first}");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// Sends a signal to a child process.
fn signal(child: &std::process::Child, name: &str) {
    let status = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(status.expect("kill").success());
}

#[test]
fn ctrl_c_and_sigterm_stop_cleanly_with_everything_read_written() {
    for name in ["-INT", "-TERM"] {
        assert_stops_cleanly(name);
    }
}

fn assert_stops_cleanly(name: &str) {
    let sql = format!("{ENDLESS} SELECT n FROM clock");
    let mut command = millstream(&["run", "-e", &sql]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut rows = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    rows.read_line(&mut line).expect("a row");
    signal(&child, name);
    let mut rest = String::new();
    rows.read_to_string(&mut rest).expect("rows until the end");
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("summary");
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{err}");
    assert!(rest.is_empty() || rest.ends_with('\n'), "no row is cut");
}

#[test]
fn variables_come_from_the_environment_and_from_a_file() {
    let (_data, path) = file("data.json", "{\"n\":1}\n");
    let sql = table("${DATA}", "n INT", "") + "SELECT n FROM t";
    let done = super::finish(
        millstream(&["run", "-q", "-e", &sql]).env("DATA", &path).output().expect("starts"),
    );
    assert_eq!(done.out, "{\"n\":1}\n", "{}", done.err);
    let (_env, env_file) = file("job.env", format!("# where\nDATA={path}\n"));
    let done = run(&["run", "-q", "--env-file", &env_file, "-e", &sql]);
    assert_eq!(done.out, "{\"n\":1}\n", "{}", done.err);
    let done = run(&["run", "-q", "-e", &sql]);
    assert_eq!(done.code, 3);
    assert!(done.err.contains("DATA"), "{}", done.err);
}

#[test]
fn messages_do_not_show_the_values_of_variables() {
    let sql = "CREATE TABLE t (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '${RATE}'); SELECT n FROM t";
    let mut command = millstream(&["check", "-e", sql]);
    let done = super::finish(command.env("RATE", "canary-7f3a").output().expect("starts"));
    assert_eq!(done.code, 3);
    assert!(done.err.contains("${RATE}") && !done.err.contains("canary"), "{}", done.err);
}

#[test]
fn text_functions_return_strings() {
    let sql = numbers(
        "SELECT LEFT('stream', n) AS l, RIGHT('stream', 2) || '!' AS r FROM numbers WHERE n = 3",
    );
    let done = run(&["run", "-q", "-e", &sql]);
    assert_eq!(done.out, "{\"l\":\"str\",\"r\":\"am!\"}\n", "{}", done.err);
}

#[test]
fn a_view_used_twice_is_computed_once() {
    let sql = numbers(
        "CREATE TABLE a (n INT) WITH ('connector' = 'blackhole');
         CREATE TABLE b (n INT) WITH ('connector' = 'blackhole');
         CREATE VIEW doubled AS SELECT n * 2 AS n FROM numbers;
         INSERT INTO a SELECT n FROM doubled;
         INSERT INTO b SELECT n FROM doubled;",
    );
    let explained = run(&["explain", "-e", &sql]);
    assert_eq!(explained.out.matches("Source numbers").count(), 1, "{}", explained.out);
    assert_eq!(run(&["run", "-q", "-e", &sql]).code, 0);
}

#[test]
fn mistakes_have_a_code_a_place_and_a_hint() {
    let (_directory, path) =
        file("job.sql", numbers("\nSELECT m FROM numbers;\nSELECT n FROM nubmers;"));
    let done = run(&["check", &path]);
    assert_eq!(done.code, 3);
    for expected in ["error[M", "job.sql:3:8", "job.sql:4:15", "numbers", "help:"] {
        assert!(done.err.contains(expected), "`{expected}` in {}", done.err);
    }
    let json = run(&["check", "--error-format", "json", &path]);
    let lines: Vec<serde_json::Value> = json
        .err
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect();
    assert_eq!(lines.len(), 2, "{}", json.err);
    assert_eq!((&lines[0]["line"], &lines[0]["column"]), (&3.into(), &8.into()));
}

#[test]
fn wrong_usage_is_exit_code_2() {
    assert_eq!(run(&["run"]).code, 2);
    assert_eq!(run(&["run", "no/such/file.sql"]).code, 2);
    assert_eq!(run(&["run", "--parallelism", "0", "-e", "SELECT 1"]).code, 2);
    assert_eq!(run(&["connectors", "kafak"]).code, 2);
    assert!(run(&["connectors", "kafak"]).err.contains("`kafka`"));
}

#[test]
fn connectors_describe_themselves() {
    let list = run(&["connectors"]).out;
    for name in ["filesystem", "datagen", "nexmark", "kafka", "print", "blackhole"] {
        assert!(list.contains(name), "{name} in {list}");
    }
    assert!(run(&["connectors", "kafka"]).out.contains("scan.startup.mode"));
}
