//! Golden answers: what EXPLAIN, SHOW and DESCRIBE in `answers/*.sql` say must be what
//! `answers/*.txt` has. `BLESS=1` writes the expected files anew.

mod common;

use std::path::Path;

use arrow::util::pretty::pretty_format_batches;
use common::{bless_or_compare, cases, plan_text};
use millstream_queries::{Answer, render};

#[test]
fn questions_are_answered() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let mut wrong = Vec::new();
    for case in cases(&directory) {
        let plan = plan_text(&case)
            .unwrap_or_else(|mistakes| panic!("{}", render::all(&mistakes, &case.source(), false)));
        assert!(plan.graph.nodes.is_empty(), "questions run nothing");
        let mut shown = String::new();
        for answer in &plan.answers {
            match answer {
                Answer::Plan(text) | Answer::Text(text) => shown += text,
                Answer::Rows(rows) => {
                    let rows = std::slice::from_ref(rows);
                    shown += &format!("{}\n", pretty_format_batches(rows).expect("rows"));
                }
            }
            shown += "----\n";
        }
        assert!(!shown.contains("hunter2"), "a secret is shown:\n{shown}");
        wrong.extend(bless_or_compare(&case.path.with_extension("txt"), &shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
