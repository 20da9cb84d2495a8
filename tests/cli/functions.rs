//! `millstream functions`, and the examples of aggregates as jobs.

use serde_json::Value;

use super::{file, run, table};

fn entries() -> Vec<Value> {
    let listed = run(&["functions", "--format", "json"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    listed.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn functions_are_listed_and_shown() {
    let list = run(&["functions"]).out;
    assert!(list.contains("Regular expressions\n  REGEXP, ") && list.contains("LISTAGG"), "{list}");
    let one = run(&["functions", "left"]);
    assert_eq!(one.code, 0, "{}", one.err);
    for part in ["LEFT(s, n) → STRING\n", "LEFT('stream', 3)", "is str\n"] {
        assert!(one.out.contains(part), "{}", one.out);
    }
    let none = run(&["functions", "lft"]);
    assert_eq!(none.code, 2);
    assert!(
        none.err.contains("there is no function `lft`") && none.err.contains("did you mean"),
        "{}",
        none.err
    );
}

/// Each example over the rows that the page shows, in one window. Scalars are tested in queries/tests.
#[test]
fn examples_of_aggregates_give_their_results() {
    let rows = millstream::queries::functions::index::AGGREGATE_ROWS;
    let timed = rows.iter().map(|row| row.replacen('{', "{\"ts\":\"2024-01-01 00:00:00\",", 1));
    let (_directory, path) = file("rows.json", timed.collect::<Vec<_>>().join("\n"));
    let ddl =
        table(&path, "name STRING, n INT, x DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts", "");
    let aggregates: Vec<Value> =
        entries().into_iter().filter(|entry| entry["kind"] == "aggregate").collect();
    assert!(aggregates.len() >= 18, "{}", aggregates.len());
    let of = |entry: &Value, key: &str| entry[key].as_str().expect("text").to_owned();
    let columns: Vec<String> = aggregates
        .iter()
        .map(|entry| format!("{} AS `{}`", of(entry, "example"), of(entry, "name")))
        .collect();
    let sql = format!(
        "{ddl} SELECT {} FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY) GROUP BY window_start, window_end",
        columns.join(", ")
    );
    let done = run(&["run", "-q", "-p", "1", "-o", "ndjson", "-e", &sql]);
    assert_eq!(done.code, 0, "{}", done.err);
    let row: Value = serde_json::from_str(&done.out).expect("one row");
    for entry in &aggregates {
        let found = match &row[of(entry, "name")] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(found, of(entry, "result"), "{}", of(entry, "example"));
    }
}
