//! Bad input, one kind at a time: a clear error that names the place, or a row that is counted;
//! never a panic, a hang or a silent loss.

use super::{Finished, file, run, sorted, table};

const TIMED: &str = "n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts";
const PER_SECOND: &str =
    "SELECT window_end, COUNT(*) AS c FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)
  GROUP BY window_start, window_end";

/// Runs a query over a file with this content.
fn over(content: impl AsRef<[u8]>, columns: &str, options: &str, query: &str) -> Finished {
    let (_directory, path) = file("data.json", content);
    run(&["run", "-p", "2", "-e", &(table(&path, columns, options) + query)])
}

/// Asserts a failure at run time whose message has all of `parts`.
fn assert_fails(done: &Finished, parts: &[&str]) {
    assert_eq!(done.code, 1, "{}", done.err);
    for part in parts {
        assert!(done.err.contains(part), "`{part}` in {}", done.err);
    }
    assert!(!done.err.contains("panicked"), "{}", done.err);
}

#[test]
fn broken_json_names_file_and_line() {
    let content = "{\"n\":1}\n{\"n\":2\n{\"n\":3}\n";
    assert_fails(
        &over(content, "n INT", "", "SELECT n FROM t"),
        &["data.json:2", "help:", "ignore-parse-errors"],
    );
    let done = over(content, "n INT", ", 'json.ignore-parse-errors' = 'true'", "SELECT n FROM t");
    assert_eq!(sorted(&done.out), ["{\"n\":1}", "{\"n\":3}"], "{}", done.err);
    assert!(
        done.err.contains("1 record could not be read"),
        "skipped records are told: {}",
        done.err
    );
}

#[test]
fn a_wrong_type_names_column_and_value() {
    let done = over("{\"n\":1}\n{\"n\":\"many\"}\n", "n INT", "", "SELECT n FROM t");
    assert_fails(&done, &["data.json:2", "`n`", "INT", "many"]);
}

#[test]
fn invalid_utf8_is_an_error_of_its_record() {
    let done = over(b"{\"s\":\"ok\"}\n{\"s\":\"\xff\xfe\"}\n", "s STRING", "", "SELECT s FROM t");
    assert_fails(&done, &["data.json:2", "UTF-8"]);
}

#[test]
fn a_missing_file_is_named() {
    let sql = table("/no/such/place.json", "n INT", "") + "SELECT n FROM t";
    let done = run(&["run", "-e", &sql]);
    assert_eq!(done.code, 5, "{}", done.err);
    assert!(done.err.contains("/no/such/place.json") && done.err.contains("help:"), "{}", done.err);
}

#[test]
fn an_empty_file_is_an_empty_table() {
    let done = over("", TIMED, "", PER_SECOND);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
}

#[test]
fn the_last_line_needs_no_newline_and_windows_line_ends_do_not_matter() {
    let done = over("{\"n\":1}\r\n\r\n{\"n\":2}", "n INT", "", "SELECT n FROM t");
    assert_eq!(sorted(&done.out), ["{\"n\":1}", "{\"n\":2}"], "{}", done.err);
}

#[test]
fn a_line_beyond_the_limit_is_refused_before_it_fills_memory() {
    let mut content = b"{\"n\":1}\n{\"s\":\"".to_vec();
    content.resize(100 << 20, b'x');
    content.extend_from_slice(b"\",\"n\":2}\n");
    assert_fails(
        &over(&content, "n INT", "", "SELECT n FROM t"),
        &["data.json", "source.max-line-size"],
    );
    let done = over(&content, "n INT", ", 'source.max-line-size' = '128 mb'", "SELECT n FROM t");
    assert_eq!(sorted(&done.out), ["{\"n\":1}", "{\"n\":2}"], "{}", done.err);
}

#[test]
fn rows_without_event_time_are_counted_and_belong_to_no_window() {
    let content = "{\"n\":1,\"ts\":\"2024-01-01 00:00:00.5\"}\n{\"n\":2,\"ts\":null}\n{\"n\":3}\n";
    let done = over(content, TIMED, "", PER_SECOND);
    assert_eq!(
        sorted(&done.out),
        ["{\"window_end\":\"2024-01-01 00:00:01\",\"c\":1}"],
        "{}",
        done.err
    );
    assert!(done.err.contains("2 rows without event time"), "{}", done.err);
}

#[test]
fn late_rows_are_counted() {
    let at = |second: u32| format!("{{\"n\":{second},\"ts\":\"2024-01-01 00:00:{second:02}\"}}\n");
    let content = [at(1), at(30), at(2), at(31)].concat();
    let done = over(content, TIMED, ", 'scan.watermark.emit.strategy' = 'on-event'", PER_SECOND);
    assert_eq!(done.out.lines().count(), 3, "{}", done.out);
    assert!(done.err.contains("1 late row"), "{}", done.err);
}

#[test]
fn a_timestamp_far_in_the_future_fires_its_window_and_makes_the_rest_late_but_hangs_nothing() {
    let content = "{\"n\":1,\"ts\":\"2024-01-01 00:00:00\"}\n{\"n\":2,\"ts\":\"9999-12-31 23:59:59.999\"}\n\
                   {\"n\":3,\"ts\":\"2024-01-01 00:00:05\"}\n";
    let hop = "SELECT COUNT(*) AS c FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '3' SECOND)
      GROUP BY window_start, window_end";
    let done = over(content, TIMED, ", 'scan.watermark.emit.strategy' = 'on-event'", hop);
    assert_eq!((done.code, done.out.lines().count()), (0, 6), "{}{}", done.out, done.err);
}

#[test]
fn an_unreachable_broker_is_exit_code_5() {
    let sql =
        "CREATE TABLE t (n INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'format' = 'json',
      'properties.bootstrap.servers' = '127.0.0.1:1', 'scan.startup.mode' = 'earliest-offset');
      SELECT n FROM t";
    let done = run(&["run", "-e", sql]);
    assert_eq!(done.code, 5, "{}", done.err);
    assert!(done.err.contains("127.0.0.1:1") && done.err.contains("help:"), "{}", done.err);
}

#[test]
fn ten_million_keys_fit_in_one_window() {
    let sql = "CREATE TABLE t (k BIGINT, ts AS TO_TIMESTAMP('2024-01-01 00:00:00'), WATERMARK FOR ts AS ts)
      WITH ('connector' = 'datagen', 'number-of-rows' = '10000000', 'fields.k.kind' = 'sequence',
            'fields.k.start' = '1', 'fields.k.end' = '10000000');
      CREATE TABLE nothing (k BIGINT, c BIGINT) WITH ('connector' = 'blackhole');
      INSERT INTO nothing SELECT k, COUNT(*) AS c FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)
        GROUP BY k, window_start, window_end";
    let done = run(&["run", "-e", sql]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("10,000,000"), "{}", done.err);
}
