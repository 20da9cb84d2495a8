//! The 23 queries of Nexmark: each is planned, or refused by the name of what is missing.

mod common;

use std::path::Path;

use common::{Case, cases, plan_text};

/// What queries have that is refused for now; all others are planned.
const REFUSED: [(&str, &str); 15] = [
    ("q03", "JOIN"),
    ("q04", "join"),
    ("q05", "JOIN"),
    ("q06", "join"),
    ("q07", "JOIN"),
    ("q08", "JOIN"),
    ("q09", "join"),
    ("q11", "SESSION"),
    ("q13", "JOIN"),
    ("q15", "aggregation without a window"),
    ("q16", "aggregation without a window"),
    ("q17", "aggregation without a window"),
    ("q18", "OVER"),
    ("q19", "OVER"),
    ("q20", "JOIN"),
];

#[test]
fn every_query_is_planned_or_refused_by_name() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nexmark");
    let tables = std::fs::read_to_string(directory.join("tables.sql")).expect("the tables");
    let mut count = 0;
    for case in cases(&directory) {
        let name = case.path.file_stem().expect("a name").to_string_lossy().into_owned();
        if name == "tables" {
            continue;
        }
        count += 1;
        let refused = REFUSED.iter().find(|(query, _)| *query == name).map(|(_, what)| *what);
        let text = format!("{tables}{}", case.text);
        match (plan_text(&Case { text, ..case }), refused) {
            (Ok(plan), None) => plan.graph.check(),
            (Ok(_), Some(what)) => panic!("{name} has a plan, although it needs {what}"),
            (Err(mistakes), Some(what)) => {
                let says = |what: &str| mistakes.iter().any(|said| said.message.contains(what));
                assert!(says(what), "{name} is refused, but not for {what}: {mistakes:#?}");
            }
            (Err(mistakes), None) => panic!("{name} has no plan: {mistakes:#?}"),
        }
    }
    assert_eq!(count, 23, "q0 to q22");
}
