//! Every example runs, and prints what its text promises.

use super::{ROOT, run, sorted};

#[test]
fn hello_prints_windows_of_two_seconds() {
    let done = run(&["run", "examples/hello/orders.sql", "--limit", "4", "--for", "60s"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out.lines().count(), 4, "{}{}", done.out, done.err);
    for line in done.out.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
        assert!(
            ["DE", "FR", "JP", "US"].contains(&row["country"].as_str().expect("country")),
            "{line}"
        );
        assert!(row["orders"].as_i64().expect("orders") > 0, "{line}");
    }
}

#[test]
fn demo_runs_the_hello_example() {
    let done = run(&["demo", "--for", "5s"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("revenue"), "{}{}", done.out, done.err);
}

#[test]
fn flights_counts_every_flight_of_the_year_once() {
    assert!(
        std::path::Path::new(ROOT).join("examples/flights/data/flights.csv").exists(),
        "the data is missing: ./x data fetches it"
    );
    let mut results = Vec::new();
    for parallelism in ["1", "2"] {
        let done = run(&["run", "-q", "-p", parallelism, "examples/flights/delays.sql"]);
        assert_eq!(done.code, 0, "{}", done.err);
        results.push(sorted(&done.out).join("\n"));
    }
    assert_eq!(results[0], results[1], "the result does not depend on the parallelism");
    let (mut flights, mut cancelled) = (0, 0);
    for line in results[0].lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
        flights += row["flights"].as_i64().expect("flights");
        cancelled += row["cancelled"].as_i64().expect("cancelled");
    }
    // Of the table's 336,776 flights 8,255 have no departure time.
    assert_eq!((flights, cancelled), (336_776, 8_255));
}

#[test]
fn nexmark_gives_the_same_result_at_any_parallelism() {
    for example in ["bids", "q5", "q7", "q8", "q11"] {
        let file = format!("examples/nexmark/{example}.sql");
        let rows = |parallelism| {
            let done = run(&["run", "-q", "-p", parallelism, &file]);
            assert_eq!(done.code, 0, "{}", done.err);
            sorted(&done.out).join("\n")
        };
        let one = rows("1");
        assert!(!one.is_empty(), "{example} has results");
        assert_eq!(one, rows("2"), "{example}");
        assert_eq!(one, rows("4"), "{example}");
    }
}

/// Which windows close while bids come is up to the clock, so only what holds of any is asserted.
#[test]
fn nexmark_by_processing_time_counts_no_bid_twice() {
    let done = run(&["run", "-q", "-p", "2", "examples/nexmark/q12.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let mut seen = std::collections::BTreeSet::new();
    let mut bids = 0;
    for line in done.out.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
        bids += row["bid_count"].as_i64().expect("a count");
        let window = (row["bidder"].as_i64().expect("an id"), row["starttime"].to_string());
        assert!(seen.insert(window), "a bidder has one result a window: {line}");
    }
    // Of 50 events 46 are bids.
    assert!(bids <= 92_000, "{bids} bids");
}
