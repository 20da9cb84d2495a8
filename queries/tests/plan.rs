//! Golden plans: `plans/NAME.sql` must become the job graph in `plans/NAME.plan`.
//!
//! A first line `-- parallelism N` sets the parallelism (2 without it). `BLESS=1` writes the
//! expected files anew; look at the difference before you keep it.

mod common;

use std::path::Path;

use common::{bless_or_compare, cases, plan_text};
use millstream_operators::graph::{JobGraph, NodeKind};
use millstream_queries::Answer;
use millstream_queries::types::flink_name;

#[test]
fn plans_are_as_expected() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut wrong = Vec::new();
    for case in cases(&directory) {
        let shown = match plan_text(&case) {
            Ok(plan) => {
                plan.graph.check();
                let explains = plan.answers.iter().map(|answer| match answer {
                    Answer::Plan(text) => format!("EXPLAIN\n{text}"),
                    other => panic!("no plan: {other:?}"),
                });
                let explains: String = explains.collect();
                format!("{explains}{}{}", plan.graph, columns(&plan.graph))
            }
            Err(mistakes) => format!("not planned: {mistakes:#?}\n"),
        };
        wrong.extend(bless_or_compare(&case.path.with_extension("plan"), &shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Names and types of what is written.
fn columns(graph: &JobGraph) -> String {
    let mut shown = String::new();
    for node in &graph.nodes {
        if let NodeKind::Sink(table) = &node.kind {
            let fields = table.schema.fields().iter();
            let columns: Vec<String> = fields
                .map(|field| format!("{} {}", field.name(), flink_name(field.data_type())))
                .collect();
            shown += &format!("columns of {}: {}\n", node.name, columns.join(", "));
        }
    }
    shown
}
