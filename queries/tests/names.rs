//! Operators keep their names while statements around them come and go: a restart finds an
//! operator's state by its name.

use std::collections::BTreeSet;

use millstream_operators::graph::NodeKind;
use millstream_queries::{PlanOptions, SourceText, plan};

const TABLES: &str = "
CREATE TABLE bids (auction BIGINT, price BIGINT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
CREATE TABLE counts (auction BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE sums (auction BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
CREATE VIEW per_minute AS SELECT auction, window_start, window_end, COUNT(*) AS n, MAX(price) AS top
  FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
  GROUP BY auction, window_start, window_end;
";

const COUNTS: &str = "INSERT INTO counts SELECT auction, COUNT(*)
  FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR)
  GROUP BY auction, window_start, window_end;\n";

const SUMS: &str = "INSERT INTO sums SELECT auction, SUM(price)
  FROM HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR) WHERE price > 3
  GROUP BY auction, window_start, window_end;\n";

/// Names of the operators, and their descriptions.
fn operators(statements: &str, parallelism: usize) -> BTreeSet<(String, String)> {
    let source = SourceText::new("test.sql", format!("{TABLES}{statements}"));
    let options = PlanOptions { parallelism, zone: "UTC".to_owned(), ..PlanOptions::default() };
    let plan = plan(&source, &options).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let nodes = plan.graph.nodes.iter();
    let operators = nodes.filter(|node| matches!(node.kind, NodeKind::Operator(_)));
    operators.map(|node| (node.name.clone(), node.kind.to_string())).collect()
}

/// Names of those with state.
fn windows(statements: &str, parallelism: usize) -> Vec<String> {
    let is_stateful = |kind: &str| kind.starts_with("Global") || kind.starts_with("WindowAgg");
    let operators = operators(statements, parallelism).into_iter();
    operators.filter(|(_, kind)| is_stateful(kind)).map(|(name, _)| name).collect()
}

#[test]
fn statements_around_an_operator_do_not_rename_it() {
    let alone = operators(COUNTS, 2);
    for around in [
        format!("{SUMS}{COUNTS}"),
        format!("{COUNTS}{SUMS}"),
        format!("SELECT * FROM bids;{COUNTS}INSERT INTO sums SELECT auction, top FROM per_minute;"),
        format!("EXECUTE STATEMENT SET BEGIN {SUMS}{COUNTS} END;"),
        format!("{COUNTS}INSERT INTO counts SELECT auction, n + 1 FROM per_minute;"),
        format!("-- a comment\n\n{}", COUNTS.replace('\n', "\n\n  ")),
    ] {
        let all = operators(&around, 2);
        assert!(alone.is_subset(&all), "{around}\n{alone:#?}\n{all:#?}");
    }
}

#[test]
fn a_view_keeps_its_name_however_it_is_read() {
    let read = [
        "INSERT INTO counts SELECT auction, n FROM per_minute;",
        "INSERT INTO counts SELECT p.auction, p.n + 1 FROM per_minute AS p WHERE p.n > 1;",
        "INSERT INTO counts SELECT auction, n FROM (SELECT * FROM per_minute);",
        "INSERT INTO counts WITH c AS (SELECT auction, n FROM per_minute) SELECT * FROM c;",
        "INSERT INTO counts SELECT auction, n FROM per_minute;
         INSERT INTO sums SELECT auction, top FROM per_minute;",
        "SELECT auction, n FROM per_minute;",
    ];
    for read in read {
        assert_eq!(windows(read, 2), ["per_minute.window"], "{read}");
    }
}

#[test]
fn names_do_not_go_by_parallelism() {
    let both = format!("{COUNTS}{SUMS}");
    for parallelism in [1, 2, 4] {
        assert_eq!(windows(&both, parallelism), ["counts.window", "sums.window"]);
    }
}

#[test]
fn several_of_a_kind_are_numbered_within_their_statement() {
    let second = COUNTS.replace("HOUR", "MINUTE");
    assert_eq!(windows(&format!("{COUNTS}{second}"), 2), ["counts-2.window", "counts.window"]);
    let over = "INSERT INTO sums SELECT 1 + SUM(n), COUNT(*) FROM TUMBLE(TABLE per_minute_2,
        DESCRIPTOR(wt), INTERVAL '1' HOUR) GROUP BY window_start, window_end;";
    let view = "CREATE VIEW per_minute_2 AS SELECT window_time AS wt, COUNT(*) AS n
        FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
        GROUP BY window_start, window_end, window_time;";
    for before in ["", COUNTS] {
        let names = windows(&format!("{before}{view}{over}"), 2);
        assert!(
            names.ends_with(&["per_minute_2.window".into(), "sums.window".into()]),
            "{names:?}"
        );
    }
}
