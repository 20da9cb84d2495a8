//! No text may bring the planner down: not sound files with words changed, not random words over
//! tables that exist, not what is as deep, as long or as much as the parser lets through.
//! `MILLSTREAM_FUZZ_SEED` repeats a failure, or tries something new.

mod fuzz;

use std::path::{Path, PathBuf};

use fuzz::{check, check_messages};
use millstream_queries::diagnostic::{Diagnostic, SourceText, any_error};
use millstream_queries::{PlanOptions, plan};
use proptest::prelude::*;

const TABLES: &str = "
CREATE TABLE t (a INT, b BIGINT, c STRING, d DOUBLE, m DECIMAL(10, 2), ts TIMESTAMP(3), l TIMESTAMP_LTZ(3), x ROW<a INT, b STRING>,
  y ARRAY<INT>, z MAP<STRING, INT>, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
CREATE TABLE u (a INT, c STRING) WITH ('connector' = 'blackhole');
CREATE VIEW w AS SELECT window_start, window_end, window_time, a, COUNT(*) AS n
FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, window_time, a;
";

/// Plans, renders what is found, drops everything.
fn survive(text: &str) -> Vec<Diagnostic> {
    let source = SourceText::new("test.sql", text);
    let options = PlanOptions { parallelism: 2, zone: "UTC".to_owned(), ..PlanOptions::default() };
    let found = match plan(&source, &options) {
        Ok(plan) => {
            // What EXPLAIN shows.
            drop(plan.graph.to_string());
            plan.warnings
        }
        Err(mistakes) => {
            assert!(mistakes.iter().any(Diagnostic::is_error), "it is said why not: {text}");
            mistakes
        }
    };
    check_messages(&found, &source);
    found
}

/// Words that mean something over the tables.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "HAVING",
    "UNION ALL",
    "WITH",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IS NULL",
    "IN",
    "BETWEEN",
    "LIKE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST(",
    "TRY_CAST(",
    "AS INT)",
    "AS STRING)",
    "AS TIMESTAMP(3))",
    "INTERVAL '1' MINUTE",
    "INTERVAL '5' DAY",
    "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
    "HOP(TABLE",
    "CUMULATE(TABLE",
    "SESSION(TABLE",
    "DESCRIPTOR(ts)",
    "DESCRIPTOR(l)",
    "LATE(w)",
    "LATE(",
    "COUNT(*)",
    "COUNT(DISTINCT",
    "SUM(",
    "AVG(",
    "MAX(",
    "FILTER (WHERE",
    "window_start",
    "window_end",
    "window_time",
    "window_start, window_end",
    "t",
    "u",
    "w",
    "t.a",
    "w.n",
    "a",
    "b",
    "c",
    "d",
    "m",
    "ts",
    "l",
    "x",
    "x.a",
    "x.q",
    "y",
    "y[1]",
    "z['k']",
    "1",
    "0",
    "1.5",
    "'x'",
    "''",
    "NULL",
    "TRUE",
    "TIMESTAMP '2024-01-01 00:00:00'",
    "DATE '2024-01-01'",
    "(",
    ")",
    ",",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "=",
    "<>",
    "<",
    ".",
    ";",
    "INSERT INTO u",
    "CREATE VIEW v AS",
    "EXPLAIN",
    "COALESCE(",
    "SUBSTRING(",
    "FROM 1 FOR 2)",
    "EXTRACT(HOUR FROM",
    "DATE_FORMAT(",
    "UPPER(",
    "IF(",
    "MOD(",
    "ROW(",
    "ARRAY[",
    "]",
    "OVER (PARTITION BY a ORDER BY ts)",
    "JOIN",
    "ON",
    "ORDER BY",
    "LIMIT 1",
    "DISTINCT",
    "ROLLUP (",
    "EXISTS (",
    "VALUES (",
];

#[test]
fn random_words_over_tables_never_panic() {
    let starts = prop::sample::select(vec![
        "SELECT ",
        "SELECT a, ",
        "SELECT * FROM ",
        "SELECT a FROM t WHERE ",
        "SELECT window_end, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY ",
        "INSERT INTO u SELECT ",
        "CREATE VIEW v AS SELECT ",
        "CREATE TABLE n (q INT, p AS ",
    ]);
    let words = prop::collection::vec(prop::sample::select(WORDS), 0..14);
    check(4_000, (starts, words), |(start, words)| {
        survive(&format!("{TABLES}{start}{}", words.join(" ")));
    });
}

/// Sound files and wrong ones: plans, wrong files, examples.
fn files() -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut folders = vec![tests.join("plans"), tests.join("wrong"), tests.join("../errors")];
    let mut paths: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a directory") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|e| e == "sql") => paths.push(path),
                false => {}
            }
        }
    }
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a text file")).collect()
}

/// A text in words, signs and blanks, which put together are the text again.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let class = if c.is_alphanumeric() || c == '_' { 'w' } else { c };
        if before.is_some_and(|before| before != class) {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = Some(class);
    }
    pieces.push(&text[start..]);
    pieces
}

#[test]
fn changed_files_never_panic() {
    let files = files();
    let all: Vec<&str> = files.iter().flat_map(|file| pieces(file)).collect();
    let change = (0..5_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let changes = prop::collection::vec(change, 1..5);
    check(4_000, (0..files.len(), changes), |(file, changes)| {
        let mut pieces = pieces(&files[file]);
        for (what, at, other) in changes {
            if pieces.is_empty() {
                break;
            }
            let (at, word) = (at.index(pieces.len()), other.get(&all));
            match what {
                0 => drop(pieces.remove(at)),
                1 => pieces[at] = word,
                2 => pieces.insert(at, word),
                3 => pieces.insert(at, pieces[at]),
                _ => {
                    let other = other.index(pieces.len());
                    pieces.swap(at, other);
                }
            }
        }
        survive(&pieces.concat());
    });
}

#[test]
fn what_is_deep_is_planned_or_refused() {
    let deep = |open: &str, middle: &str, close: &str, count: usize| {
        format!("{}{middle}{}", open.repeat(count), close.repeat(count))
    };
    for count in [20, 60, 99, 1_000] {
        for text in [
            format!("SELECT {} FROM t", deep("(", "a", ")", count)),
            format!("SELECT {} FROM t", deep("ABS(", "a", ")", count)),
            format!("SELECT {} FROM t", deep("COALESCE(a, ", "a", ")", count)),
            format!("SELECT {} FROM t", deep("CASE WHEN a = 1 THEN ", "a", " END", count)),
            format!("SELECT {} FROM t", deep("CAST(", "a", " AS BIGINT)", count)),
            format!("SELECT {}a FROM t", "- ".repeat(count)),
            format!("SELECT a FROM t WHERE {}a = 1", "NOT ".repeat(count)),
            format!("SELECT a FROM {}", deep("(SELECT a FROM ", "t", ")", count)),
            format!(
                "WITH {} SELECT a FROM c",
                deep("c AS (WITH ", "c AS (SELECT a FROM t)", " SELECT a FROM c)", count)
            ),
            format!(
                "SELECT * FROM {}",
                deep(
                    "TUMBLE(TABLE (SELECT ts FROM ",
                    "t",
                    "), DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
                    count
                )
            ),
        ] {
            survive(&format!("{TABLES}{text};"));
        }
    }
}

#[test]
fn what_is_long_is_planned_or_refused() {
    let list = |piece: &str, count: usize| piece.repeat(count);
    for text in [
        format!("SELECT a{} FROM t", list(" + 1", 990)),
        format!("SELECT a FROM t WHERE a = 1{}", list(" OR a = 1", 490)),
        format!("SELECT c{} FROM t", list(" || c", 990)),
        format!("SELECT a FROM t{}", list(" UNION ALL SELECT a FROM t", 200)),
        format!("SELECT a FROM t WHERE a IN (1{})", list(", 2", 20_000)),
        format!("SELECT CASE{} END FROM t", list(" WHEN a = 1 THEN 2", 1_000)),
        format!("SELECT {}a FROM t", list("a AS q, ", 1)),
        format!("SELECT {}a FROM t", list("ABS(a), ", 1_000)),
        format!("SELECT '{}' FROM t", list("x", 500_000)),
        format!("SELECT COALESCE(a{}) FROM t", list(", a", 1_000)),
    ] {
        survive(&format!("{TABLES}{text};"));
    }
}

#[test]
fn many_statements_are_planned_or_refused() {
    let chain = |count: usize| -> String {
        let view =
            |n: usize| format!("CREATE VIEW v{} AS SELECT a FROM v{n} WHERE a > {n};\n", n + 1);
        let views: String = (0..count).map(view).collect();
        format!("{TABLES}CREATE VIEW v0 AS SELECT a FROM t;\n{views}SELECT a FROM v{count};")
    };
    assert!(!any_error(&survive(&chain(50))));
    survive(&chain(1_000));
    // Each view reads the one before twice: the plan would have 2^30 leaves if it were written out.
    let double = |n: usize| {
        format!("CREATE VIEW v{} AS SELECT a FROM v{n} UNION ALL SELECT a FROM v{n};\n", n + 1)
    };
    let views: String = (0..30).map(double).collect();
    survive(&format!("{TABLES}CREATE VIEW v0 AS SELECT a FROM t;\n{views}SELECT a FROM v30;"));
    let table = |n: usize| format!("CREATE TABLE q{n} (a INT) WITH ('connector' = 'datagen');\n");
    let tables: String = (0..500).map(table).collect();
    survive(&format!("{tables}SELECT a FROM q7;"));
    let inserts = "INSERT INTO u SELECT a, c FROM t;\n".repeat(200);
    survive(&format!("{TABLES}{inserts}"));
}

#[test]
fn a_megabyte_is_planned_or_refused() {
    for piece in [
        "a, ",
        "(",
        "'",
        "SELECT a FROM t;\n",
        "-- x\n",
        "`",
        "CREATE VIEW v AS SELECT a FROM t;\n",
        "t.",
        "\u{0}",
        "é",
    ] {
        let count = ((1 << 20) - TABLES.len() - 10) / piece.len();
        // What is sound in such numbers takes its time; a tenth of it shows as much.
        let count = if piece.ends_with(";\n") { count / 50 } else { count };
        survive(&format!("{TABLES}SELECT {}", piece.repeat(count)));
    }
}
