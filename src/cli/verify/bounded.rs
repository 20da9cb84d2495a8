//! Which queries can be verified: those that end, and read the same rows in every run.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use millstream::connectors::TableSpec;
use millstream::operators::graph::{Node, NodeKind};
use millstream::operators::{JobGraph, OperatorSpec};

use super::Failure;

/// Refuses a job that reads a table without end, or one that differs from run to run.
pub fn check(graph: &JobGraph) -> Result<(), Failure> {
    for node in graph.sources() {
        let NodeKind::Source(source) = &node.kind else { continue };
        if let Some((reason, hint)) = obstacle(&source.table) {
            let message = format!("table `{}` {reason}", source.table.name);
            return Err(Failure::invalid(message, Some(hint.to_owned())));
        }
    }
    let reads_clock =
        |node: &Node| matches!(node.kind, NodeKind::Operator(OperatorSpec::ProcessingTime { .. }));
    if graph.nodes.iter().any(reads_clock) {
        let message = "the query reads PROCTIME(), so it gives other rows in each run";
        let hint = "use event time: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND";
        return Err(Failure::invalid(message.to_owned(), Some(hint.to_owned())));
    }
    Ok(())
}

const NO_END: &str = "has no end, so two runs of the query cannot be compared";

/// Why a table stands in the way, and what to do about it.
fn obstacle(table: &TableSpec) -> Option<(&'static str, &'static str)> {
    let option = |key: &str| table.options.get(key).map(|value| value.trim());
    match table.connector() {
        "kafka" if matches!(option("scan.bounded.mode"), None | Some("unbounded")) => Some((
            NO_END,
            "read up to where the topic ends now: 'scan.bounded.mode' = 'latest-offset'",
        )),
        "kafka"
            if matches!(
                option("scan.startup.mode"),
                None | Some("group-offsets" | "latest-offset")
            ) =>
        {
            Some((
                "starts at another place in each run",
                "start at a fixed one: 'scan.startup.mode' = 'earliest-offset'",
            ))
        }
        "filesystem" if option("source.monitor-interval").is_some() => {
            Some((NO_END, "leave out 'source.monitor-interval' to read the files that are there"))
        }
        "stdin" => Some((
            "is standard input, which can be read once",
            "write it to a file and read that: 'connector' = 'filesystem'",
        )),
        "nexmark" if option("nexmark.events").is_none() => {
            Some((NO_END, "say how many events there are: 'nexmark.events' = '1000000'"))
        }
        "nexmark" if option("nexmark.base-time") == Some("now") => {
            Some((FROM_THE_CLOCK, "leave 'nexmark.base-time' out, or give it a timestamp"))
        }
        "datagen" if option("number-of-rows").is_none() && !has_sequence(&table.options) => {
            Some((NO_END, "say how many rows there are: 'number-of-rows' = '1000000'"))
        }
        "datagen" if has_random_time(table) => Some((
            FROM_THE_CLOCK,
            "compute event time from a sequence: ts AS TO_TIMESTAMP_LTZ(n * 10, 3)",
        )),
        _ => None,
    }
}

const FROM_THE_CLOCK: &str = "takes its timestamps from the clock, so they differ in each run";

fn has_sequence(options: &BTreeMap<String, String>) -> bool {
    options.iter().any(|(key, value)| {
        key.starts_with("fields.") && key.ends_with(".kind") && value.trim() == "sequence"
    })
}

/// Random timestamps are at most so far before *now*.
fn has_random_time(table: &TableSpec) -> bool {
    let mut fields = table.schema.fields().iter();
    fields.any(|field| {
        let kind = table.options.get(&format!("fields.{}.kind", field.name()));
        let sequence = kind.is_some_and(|kind| kind.trim() == "sequence");
        matches!(field.data_type(), DataType::Timestamp(..)) && !sequence
    })
}
