//! Signatures: what an operator's state looks like, so that a changed query can tell whether it
//! may go on from it.
//!
//! A signature is JSON in the manifest of every checkpoint:
//!
//! ```json
//! {
//!   "kind": "window aggregate",
//!   "window": { "kind": "hop", "size_ms": 10000, "slide_ms": 5000, "offset_ms": 0, "zone": null },
//!   "keys": [{ "name": "auction", "type": "Int64" }],
//!   "columns": [{ "name": "COUNT(*).count", "type": "Int64" }, { "name": "MAX(price).max", "type": "Int64" }]
//! }
//! ```
//!
//! | change of the query | state |
//! |---|---|
//! | other names or order of results, other HAVING, other sink | kept |
//! | aggregates removed or put in another order | migrated: old runs are read by column names |
//! | aggregates added, other arguments or types | rebuilt: what was not counted is not known |
//! | other keys, or in another order; other windows, offset or zone | rebuilt |
//! | results with updates: another interval or lateness | kept |
//! | the same: any other change of the aggregates; between EMIT ON WINDOW CLOSE and the others | rebuilt |
//!
//! The local stage has no state of its own, and one stage and two have the same: parallelism is no
//! part of a signature. What is *before* an operator is no part of it either: a changed WHERE
//! holds for the rows from then on.

use arrow::datatypes::Field;
use serde_json::{Value, json};

use crate::OperatorSpec;
use crate::window::{Early, WindowAggregateSpec, WindowKind, WindowTime};

/// What becomes of an operator's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateChange {
    /// It is used as it is.
    Kept,
    /// It is used; how it is read differently.
    Migrated(String),
    /// It cannot be used; why not.
    Rebuilt(String),
}

impl OperatorSpec {
    /// What the operator's state looks like; `None` if it has none.
    pub fn state_signature(&self) -> Option<Value> {
        match self {
            OperatorSpec::WindowAggregate(spec) if !spec.emission.is_final() => {
                Some(updating(spec))
            }
            OperatorSpec::WindowAggregate(spec) | OperatorSpec::GlobalWindowAggregate(spec) => {
                Some(window_aggregate(spec))
            }
            OperatorSpec::Filter(_)
            | OperatorSpec::Project(_)
            | OperatorSpec::Union
            | OperatorSpec::Unnest(_)
            | OperatorSpec::ProcessingTime { .. }
            | OperatorSpec::WindowAssign(_)
            | OperatorSpec::LocalWindowAggregate(_) => None,
        }
    }
}

fn window_aggregate(spec: &WindowAggregateSpec) -> Value {
    // An aggregation without a layout has no state either: it is refused when it is built.
    let fields = spec.layout().map(|layout| layout.partial_fields()).unwrap_or_default();
    let column =
        |field: &Field| json!({ "name": field.name(), "type": field.data_type().to_string() });
    let (keys, columns) = fields.split_at(spec.keys.len().min(fields.len()));
    json!({
        "kind": "window aggregate",
        "window": window(&spec.time),
        "keys": keys.iter().map(column).collect::<Vec<_>>(),
        "columns": columns.iter().map(column).collect::<Vec<_>>(),
    })
}

/// Rows that know what was emitted have all columns in one piece, so any change rebuilds them, but
/// one of the interval or of the lateness.
fn updating(spec: &WindowAggregateSpec) -> Value {
    let mut signature = window_aggregate(spec);
    let columns = signature["columns"].take();
    let results = spec.aggregates.iter().map(|aggregate| aggregate.data_type.to_string());
    signature["kind"] = json!("updating window aggregate");
    signature["window"]["is_early"] = json!(spec.emission.early != Early::Never);
    signature["window"]["columns"] = columns;
    signature["window"]["results"] = json!(results.collect::<Vec<_>>());
    signature["columns"] = json!([]);
    signature
}

fn window(time: &WindowTime) -> Value {
    let (windows, zone, is_processing) = match time {
        WindowTime::Attached { zone, .. } => return json!({ "kind": "attached", "zone": zone }),
        WindowTime::Assign { windows, zone, is_processing, .. } => (windows, zone, *is_processing),
    };
    let offset_ms = windows.offset_ms;
    let mut window = match windows.kind {
        WindowKind::Tumble { size_ms } => {
            json!({ "kind": "tumble", "size_ms": size_ms, "offset_ms": offset_ms, "zone": zone })
        }
        WindowKind::Hop { size_ms, slide_ms } => json!({
            "kind": "hop", "size_ms": size_ms, "slide_ms": slide_ms, "offset_ms": offset_ms, "zone": zone,
        }),
        WindowKind::Cumulate { size_ms, step_ms } => json!({
            "kind": "cumulate", "size_ms": size_ms, "step_ms": step_ms, "offset_ms": offset_ms, "zone": zone,
        }),
    };
    if is_processing {
        window["time"] = json!("processing");
    }
    window
}

/// What becomes of state with signature `old` in an operator with signature `new`.
pub fn compare(old: &Value, new: &Value) -> StateChange {
    if old == new {
        return StateChange::Kept;
    }
    for (part, what) in [("kind", "kind of operator"), ("window", "window"), ("keys", "keys")] {
        if old[part] != new[part] {
            let reason =
                format!("other {what}: was {}, is {}", shown(&old[part]), shown(&new[part]));
            return StateChange::Rebuilt(reason);
        }
    }
    let (had, has) = (columns(old), columns(new));
    let added: Vec<&str> =
        has.iter().filter(|column| !had.contains(column)).map(|column| column.0).collect();
    if !added.is_empty() {
        return StateChange::Rebuilt(format!("has nothing of {}", added.join(", ")));
    }
    let gone: Vec<&str> =
        had.iter().filter(|column| !has.contains(column)).map(|column| column.0).collect();
    StateChange::Migrated(match gone.as_slice() {
        [] => "columns in another order".to_owned(),
        gone => format!("without {}", gone.join(", ")),
    })
}

/// Names and types of the state columns.
fn columns(signature: &Value) -> Vec<(&str, &str)> {
    let columns = signature["columns"].as_array().map_or(&[][..], Vec::as_slice);
    fn text(value: &Value) -> &str {
        value.as_str().unwrap_or_default()
    }
    columns.iter().map(|column| (text(&column["name"]), text(&column["type"]))).collect()
}

/// A part of a signature for people: keys by their names, windows by their numbers.
fn shown(part: &Value) -> String {
    match part {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let names = list.iter().map(|item| item["name"].as_str().unwrap_or_default());
            format!("[{}]", names.collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let known = entries.iter().filter(|(_, value)| !value.is_null());
            let entry = |(name, value): (&String, &Value)| match (name.as_str(), value) {
                ("kind", Value::String(kind)) => kind.clone(),
                (_, value) => format!("{name} {value}"),
            };
            known.map(entry).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::Header;

    fn signature(window: &str, keys: &str, aggregates: &str) -> Value {
        let header = Header::parse(&format!(
            "operator: window_aggregate\ncolumns: at timestamp, k string, j bigint, v bigint\n\
             window: {window}\ntime: at\nkeys: {keys}\naggregates: {aggregates}"
        ));
        header.spec().state_signature().expect("windows have state")
    }

    #[test]
    fn what_changes_state_and_what_does_not() {
        let of = signature;
        let old = of("tumble size 10", "k, j", "count(*), sum(v), max(v)");
        assert_eq!(compare(&old, &old), StateChange::Kept);
        let migrated = |new: Value| match compare(&old, &new) {
            StateChange::Migrated(how) => how,
            other => panic!("{other:?}"),
        };
        let rebuilt = |new: Value| match compare(&old, &new) {
            StateChange::Rebuilt(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            migrated(of("tumble size 10", "k, j", "sum(v), count(*)")),
            "without max(v).max"
        );
        let order = of("tumble size 10", "k, j", "max(v), sum(v), count(*)");
        assert_eq!(migrated(order), "columns in another order");
        let more = of("tumble size 10", "k, j", "count(*), sum(v), max(v), min(v)");
        assert_eq!(rebuilt(more), "has nothing of min(v).min");
        let keys = of("tumble size 10", "j, k", "count(*), sum(v), max(v)");
        assert_eq!(rebuilt(keys), "other keys: was [k, j], is [j, k]");
        let hop = of("hop size 10 slide 5", "k, j", "count(*), sum(v), max(v)");
        assert_eq!(
            rebuilt(hop),
            "other window: was tumble size_ms 10 offset_ms 0, is hop size_ms 10 slide_ms 5 offset_ms 0"
        );
    }

    #[test]
    fn one_stage_and_two_have_the_same_state() {
        let header = Header::parse(
            "operator: window_aggregate\ncolumns: at timestamp, v bigint\n\
             window: tumble size 10\ntime: at\naggregates: count(*), count(*)",
        );
        let OperatorSpec::WindowAggregate(spec) = header.spec() else { unreachable!("as it says") };
        let one = OperatorSpec::WindowAggregate(spec.clone()).state_signature();
        assert_eq!(one, OperatorSpec::GlobalWindowAggregate(spec.clone()).state_signature());
        assert_eq!(OperatorSpec::LocalWindowAggregate(spec).state_signature(), None);
        let names = one.expect("state")["columns"].to_string();
        assert!(names.contains("count(*).count") && names.contains("count(*)#2.count"), "{names}");
    }
}
