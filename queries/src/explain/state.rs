//! EXPLAIN STATE: what operators keep, and what bounds it.
//!
//! State is keys × panes × bytes. Panes follow from the windows, bytes from the types; how many
//! keys there are only the data knows. All of it is an estimate, and says so.

use std::fmt::Write;

use arrow::datatypes::{DataType, Field};
use millstream_operators::OperatorSpec;
use millstream_operators::graph::{JobGraph, Node, NodeKind};
use millstream_operators::window::{WindowAggregateSpec, WindowKind, WindowTime};

use super::{VARIABLE_BYTES, value_bytes};

/// A paragraph for each operator that keeps something.
pub(super) fn text(graph: &JobGraph) -> String {
    let mut text = String::new();
    for node in &graph.nodes {
        let NodeKind::Operator(operator) = &node.kind else { continue };
        match operator {
            OperatorSpec::WindowAggregate(spec) | OperatorSpec::GlobalWindowAggregate(spec) => {
                windows(&mut text, node, spec);
            }
            // Its panes are handed on with the watermark that completes them, and at every epoch.
            OperatorSpec::LocalWindowAggregate(_) => {
                let _ = writeln!(text, "{}: nothing between epochs", node.name);
            }
            _ => {}
        }
    }
    if text.is_empty() {
        return "no operator keeps state; positions in sources are kept at every epoch\n"
            .to_owned();
    }
    text.push_str("estimated from types; a table of groups and RocksDB add to it\n");
    text
}

fn windows(text: &mut String, node: &Node, spec: &WindowAggregateSpec) {
    let names = |columns: &[usize]| {
        let names = columns.iter().map(|key| spec.input.field(*key).name().as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let keys = match spec.keys.as_slice() {
        [] => "1 key".to_owned(),
        keys => format!("keys of [{}]", names(keys)),
    };
    let fields = match spec.partial_schema() {
        Ok(schema) => schema.fields().iter().map(|field| field.as_ref().clone()).collect(),
        Err(_) => Vec::new(),
    };
    let Bytes { bytes, is_exact, per_value } = Bytes::of(&fields);
    let about = if is_exact { "" } else { "about " };
    let _ = writeln!(text, "{}: {keys} × {} × {about}{bytes} B", node.name, panes(spec));
    for (name, bytes) in per_value {
        let _ =
            writeln!(text, "  and {bytes} B for each different value of {name}, a key and pane");
    }
    if !spec.emission.is_final() {
        let _ = writeln!(
            text,
            "  {}: each key and window has a row with its aggregate and its last result, which \
             goes when the lateness has passed, too",
            spec.emission.to_string().trim_start()
        );
    }
    let _ = writeln!(
        text,
        "  bounded by the watermark: a pane goes when it has passed the pane's last window; how \
         many keys there are in that time is up to the data"
    );
}

/// How many panes a key can have at a time.
fn panes(spec: &WindowAggregateSpec) -> String {
    let open = match &spec.time {
        WindowTime::Assign { windows, .. } => match windows.kind {
            WindowKind::Tumble { .. } => 1,
            WindowKind::Hop { size_ms, slide_ms } => size_ms / slide_ms,
            WindowKind::Cumulate { size_ms, step_ms } => size_ms / step_ms,
        },
        WindowTime::Attached { .. } => {
            return "the windows that are not complete".to_owned();
        }
    };
    let noun = if open == 1 { "pane" } else { "panes" };
    format!("{open} {noun} (and those by which rows are ahead of the watermark)")
}

/// What a key takes in a pane.
struct Bytes {
    bytes: usize,
    is_exact: bool,
    /// Sets of values: name, and bytes of a value.
    per_value: Vec<(String, usize)>,
}

impl Bytes {
    fn of(fields: &[Field]) -> Bytes {
        let mut found = Bytes { bytes: 0, is_exact: true, per_value: Vec::new() };
        for field in fields {
            match (field.data_type(), value_bytes(field.data_type())) {
                (_, Some(bytes)) => found.bytes += bytes,
                (DataType::List(item), None) => {
                    let bytes = value_bytes(item.data_type()).unwrap_or(VARIABLE_BYTES);
                    found.per_value.push((field.name().clone(), bytes));
                }
                (_, None) => {
                    found.bytes += VARIABLE_BYTES;
                    found.is_exact = false;
                }
            }
        }
        found
    }
}
