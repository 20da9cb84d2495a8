//! EXPLAIN: a job graph as text.
//!
//! The plan is the graph's own `Display`: one line a node, sinks first, inputs below them, with
//! the exchange before and the changelog kind behind each. Details that were asked for follow it,
//! each under its heading; what operators keep is told by `explain/state.rs`.

mod state;

use std::fmt::Write;

use arrow::datatypes::{DataType, Schema};
use millstream_operators::OperatorSpec;
use millstream_operators::graph::{Changelog, JobGraph, Node, NodeId, NodeKind, Partitioning};
use serde_json::{Value, json};

use crate::statement::ExplainDetail;

/// A plan with these details. `parallelism` is that of nodes whose own is not fixed.
pub fn explain(graph: &JobGraph, details: &[ExplainDetail], parallelism: usize) -> String {
    let asked = |detail| details.contains(&detail);
    let mut text = graph.to_string();
    if asked(ExplainDetail::ChangelogMode) {
        text = with_changelog_mode(&text);
    }
    if asked(ExplainDetail::EstimatedCost) {
        section(&mut text, "Estimated cost", &cost(graph));
    }
    if asked(ExplainDetail::State) {
        section(&mut text, "State", &state::text(graph));
    }
    if asked(ExplainDetail::PlanAdvice) {
        section(&mut text, "Advice", &advice(graph, parallelism));
    }
    if asked(ExplainDetail::JsonExecutionPlan) {
        let plan = format!("{:#}\n", json_plan(graph, parallelism));
        section(&mut text, "Physical Execution Plan", &plan);
    }
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    text.push_str(&format!("\n== {title} ==\n{body}"));
}

/// The plan with Flink's names for the kinds of rows.
fn with_changelog_mode(plan: &str) -> String {
    let line = |line: &str| match line.strip_suffix("  [append]") {
        Some(start) => format!("{start}  changelogMode=[I]\n"),
        None => match line.strip_suffix("  [retract]") {
            Some(start) => format!("{start}  changelogMode=[I,UB,UA,D]\n"),
            None => format!("{line}\n"),
        },
    };
    plan.lines().map(line).collect()
}

/// A stream has no number of rows; what can be said before it runs is how large they are.
fn cost(graph: &JobGraph) -> String {
    let line = |node: &Node| {
        let (bytes, is_exact) = row_bytes(&node.schema);
        let about = if is_exact { "" } else { "about " };
        format!("{}: {about}{bytes} B a row\n", node.name)
    };
    graph.nodes.iter().rev().map(line).collect()
}

/// Bytes of a row in memory, and whether they are the same for every row.
fn row_bytes(schema: &Schema) -> (usize, bool) {
    schema.fields().iter().fold((0, true), |(bytes, is_exact), field| {
        match value_bytes(field.data_type()) {
            Some(value) => (bytes + value, is_exact),
            None => (bytes + VARIABLE_BYTES, false),
        }
    })
}

/// What a value without a fixed length is taken to have: the guess of a plan, no measurement.
const VARIABLE_BYTES: usize = 24;

/// Bytes of a value in memory; `None` if that depends on the value.
fn value_bytes(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Boolean => Some(1),
        DataType::Struct(fields) => {
            fields.iter().try_fold(0, |sum, field| Some(sum + value_bytes(field.data_type())?))
        }
        other => other.primitive_width(),
    }
}

/// What could be better about the plan.
fn advice(graph: &JobGraph, parallelism: usize) -> String {
    let mut text = String::new();
    for node in &graph.nodes {
        if let NodeKind::Operator(OperatorSpec::GlobalWindowAggregate(spec)) = &node.kind
            && spec.keys.is_empty()
            && parallelism > 1
        {
            let _ = writeln!(
                text,
                "{}: groups by the window alone, so one subtask of {parallelism} makes all results; \
                 group by a key as well if it cannot keep up",
                node.name
            );
        }
        if let NodeKind::Source(source) = &node.kind
            && let Some(watermark) = &source.watermark
            && watermark.idle_timeout_ms.is_none()
            && source.table.connector() == "kafka"
        {
            let _ = writeln!(
                text,
                "{}: a partition that falls silent holds all windows, as there is no idle timeout; \
                 set 'scan.watermark.idle-timeout'",
                node.name
            );
        }
    }
    if text.is_empty() { "none\n".to_owned() } else { text }
}

/// The graph in the form of Flink's execution plans: nodes, each with its predecessors.
fn json_plan(graph: &JobGraph, parallelism: usize) -> Value {
    let id = |node: NodeId| node.0 + 1;
    let nodes = graph.nodes.iter().map(|node| {
        let predecessors: Vec<Value> = graph
            .inputs(node.id)
            .map(|edge| {
                let strategy = match edge.partitioning {
                    Partitioning::Forward => "FORWARD",
                    Partitioning::Hash(_) => "HASH",
                    Partitioning::Single => "GLOBAL",
                };
                json!({ "id": id(edge.from), "ship_strategy": strategy })
            })
            .collect();
        let pact = match node.kind {
            NodeKind::Source(_) => "Data Source",
            NodeKind::Operator(_) => "Operator",
            NodeKind::Sink(_) => "Data Sink",
        };
        let mut shown = json!({
            "id": id(node.id),
            "type": node.name,
            "pact": pact,
            "contents": node.kind.to_string(),
            "parallelism": node.parallelism.unwrap_or(parallelism),
            "changelog": if node.changelog == Changelog::Append { "append" } else { "retract" },
        });
        if !predecessors.is_empty() {
            shown["predecessors"] = Value::Array(predecessors);
        }
        shown
    });
    json!({ "nodes": nodes.collect::<Vec<Value>>() })
}
