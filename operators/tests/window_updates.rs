//! Windowed aggregation with updates against the one that emits once: whatever was said early, and
//! corrected late, adds up to what would have been said if one had waited.
//!
//! With a lateness the one that waits sees time as late as that, so it takes the same rows. Changes
//! are applied to a table: −U must be a row of it, +I must be of a window and key that it does not
//! have. Between rows and watermarks intervals pass, epochs end, memory gets short, and the operator
//! crashes and comes back at another parallelism.

use std::collections::BTreeMap;

use millstream_operators::harness::{Driver, Form, Header};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// Event time from the clock, key, value.
    Rows(Vec<(i64, Option<u8>, Option<i64>)>),
    /// Advances the watermark by so much.
    Advance(i64),
    /// The interval of EMIT EVERY has passed.
    Remind,
    /// A command of the driver that must change nothing.
    Disturb(String),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = proptest::option::weighted(0.9, 0..3u8);
    let row = (-15..25i64, key, proptest::option::weighted(0.8, 0..6i64));
    let disturb = prop_oneof![
        Just("evict".to_owned()),
        Just("crash".to_owned()),
        (1..6usize).prop_map(|subtasks| format!("rescale {subtasks}")),
    ];
    let step = prop_oneof![
        4 => proptest::collection::vec(row, 1..8).prop_map(Step::Rows),
        3 => prop_oneof![8 => 0..15i64, 1 => 50..500i64].prop_map(Step::Advance),
        2 => Just(Step::Remind),
        2 => Just(Step::Disturb("epoch".to_owned())),
        1 => disturb.prop_map(Step::Disturb),
    ];
    proptest::collection::vec(step, 1..40)
}

fn windows() -> impl Strategy<Value = String> {
    let tumble = (1..20i64, -20..20i64)
        .prop_map(|(size, offset)| format!("tumble size {size} offset {offset}"));
    let hop = (1..12i64, 1..40i64, -20..20i64).prop_map(|(slide, more, offset)| {
        format!("hop size {} slide {slide} offset {offset}", slide + more)
    });
    let cumulate = (1..8i64, 1..6i64, -20..20i64).prop_map(|(step, steps, offset)| {
        format!("cumulate size {} step {step} offset {offset}", step * steps)
    });
    prop_oneof![tumble, hop, cumulate]
}

/// The table that a changelog describes: rows by key and window.
#[derive(Default)]
struct Table(BTreeMap<String, String>);

impl Table {
    fn apply(&mut self, line: &str) {
        let (kind, row) = line.split_at(2);
        let row = row.trim();
        // The first three values are the key and the window.
        let key = row.splitn(4, ", ").take(3).collect::<Vec<_>>().join(", ");
        match kind {
            "+I" => assert_eq!(self.0.insert(key, row.to_owned()), None, "{line} is not new"),
            "-U" => assert_eq!(self.0.remove(&key).as_deref(), Some(row), "{line} was not said"),
            "+U" => assert_eq!(self.0.insert(key, row.to_owned()), None, "{line} without -U"),
            _ => panic!("{line}"),
        }
    }

    fn rows(&self) -> Vec<String> {
        self.0.values().map(|row| format!("+I {row}")).collect()
    }
}

fn driver(windows: &str, more: &str, form: Form) -> Driver {
    let header = Header::parse(&format!(
        "operator: window_aggregate\ncolumns: at timestamp, k string, v bigint\n\
         window: {windows}\ntime: at\nkeys: k\n\
         aggregates: count(*), sum(v), avg(v), count(distinct v), max(v) filter v > 3{more}"
    ));
    Driver::new(&header, form)
}

fn check(windows: &str, emit: &str, lateness: i64, steps: Vec<Step>, form: Form) {
    let updates = format!("\nemit: {emit}\nlateness: {lateness}");
    let mut updating = driver(windows, &updates, form);
    let mut waiting = driver(windows, "", Form::Batches);
    let (mut table, mut said, mut clock) = (Table::default(), Vec::new(), 0);
    let is_row = |line: &String| !line.starts_with("watermark") && !line.starts_with("late ");
    for step in steps.into_iter().chain([Step::Advance(1_000_000)]) {
        let lines = match step {
            Step::Rows(rows) => {
                let show = |value: Option<i64>| value.map_or("null".to_owned(), |v| v.to_string());
                let key = |key: Option<u8>| key.map_or("null".to_owned(), |key| format!("k{key}"));
                let line = |(at, k, v): (i64, Option<u8>, Option<i64>)| {
                    format!("{}, {}, {}", at + clock, key(k), show(v))
                };
                let lines: Vec<String> = rows.into_iter().map(line).collect();
                waiting.run(&lines);
                updating.run(&lines)
            }
            Step::Remind => updating.run(&["remind".to_owned()]),
            Step::Disturb(command) => {
                assert_eq!(updating.run(std::slice::from_ref(&command)), [""; 0], "{command}");
                continue;
            }
            Step::Advance(by) => {
                clock += by.max(1);
                let waits = waiting.run(&[format!("watermark {}", clock - lateness)]);
                said.extend(waits.into_iter().filter(is_row));
                updating.run(&[format!("watermark {clock}")])
            }
        };
        lines.iter().filter(|line| is_row(line)).for_each(|line| table.apply(line));
    }
    said.sort();
    let mut found = table.rows();
    found.sort();
    assert_eq!(found, said, "{windows}, {emit}, {form:?}");
    let (ours, theirs) = (updating.run(&["metrics".into()]), waiting.run(&["metrics".into()]));
    assert_eq!(ours, theirs, "as many rows are late");
    assert_eq!(updating.run(&["state".to_owned()]), ["state_keys=0"]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn changes_add_up_to_what_would_have_been_said(
        windows in windows(),
        emit in prop_oneof![Just("close"), Just("update"), Just("every 5")],
        lateness in prop_oneof![2 => 1..40i64, 1 => Just(0)],
        steps in steps(),
        subtasks in 1..5usize,
        memory_bytes in prop_oneof![Just(u64::MAX), Just(2_000_000), Just(2_000)],
    ) {
        // Without lateness EMIT ON WINDOW CLOSE is the one that waits.
        let lateness = if emit == "close" { lateness.max(1) } else { lateness };
        let form = Form::Job { locals: 0, subtasks, memory_bytes };
        check(&windows, emit, lateness, steps, form);
    }
}
