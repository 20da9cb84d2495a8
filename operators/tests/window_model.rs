//! Windowed aggregation against a model that knows neither panes nor partials: every window is a
//! list of the rows that came in time, computed from scratch when it fires.
//!
//! The model shares no code with the operator: windows are enumerated by definition, results are
//! sums over rows. Random rows come out of order, late and without time, between random
//! watermarks, through all forms of the operator; between them epochs end, memory gets short, and
//! the operator crashes and comes back at another parallelism.

use std::collections::{BTreeMap, BTreeSet};

use millstream_operators::harness::{Driver, Form, Header};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Row {
    at_ms: Option<i64>,
    key: Option<u8>,
    value: Option<i64>,
}

#[derive(Clone, Debug)]
enum Step {
    Rows(Vec<Row>),
    /// Advances the watermark by so much.
    Advance(i64),
    /// A command of the driver that must change nothing.
    Disturb(String),
}

#[derive(Clone, Copy, Debug)]
struct Windows {
    /// Distance of starts; of a cumulating window its size.
    every_ms: i64,
    /// Lengths of the windows from one start.
    step_ms: i64,
    size_ms: i64,
    offset_ms: i64,
    is_cumulate: bool,
}

impl Windows {
    fn header(&self) -> String {
        let Windows { every_ms, step_ms, size_ms, offset_ms, is_cumulate } = self;
        match is_cumulate {
            true => format!("cumulate size {size_ms} step {step_ms} offset {offset_ms}"),
            false if every_ms == size_ms => format!("tumble size {size_ms} offset {offset_ms}"),
            false => format!("hop size {size_ms} slide {every_ms} offset {offset_ms}"),
        }
    }

    /// (end, start) of every window that contains a moment, by trying all.
    fn containing(&self, ms: i64) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        for start in ms - self.size_ms + 1..=ms {
            if (start - self.offset_ms).rem_euclid(self.every_ms) != 0 {
                continue;
            }
            for length in (self.step_ms..=self.size_ms).step_by(self.step_ms as usize) {
                if ms < start + length {
                    found.push((start + length, start));
                }
            }
        }
        found
    }
}

/// What the model says: result lines of each step, and the number of late rows.
struct Model {
    windows: Windows,
    watermark: i64,
    open: BTreeMap<(i64, i64), Vec<Row>>,
    late_rows: usize,
    null_rows: usize,
}

impl Model {
    fn row(&mut self, row: &Row) {
        let Some(ms) = row.at_ms else {
            self.null_rows += 1;
            return;
        };
        let windows = self.windows.containing(ms);
        let unfired = windows.iter().filter(|(end, _)| end - 1 > self.watermark);
        let mut is_late = true;
        for window in unfired {
            is_late = false;
            self.open.entry(*window).or_default().push(row.clone());
        }
        self.late_rows += usize::from(is_late);
    }

    /// Fires all windows that a watermark completes; a cumulating window is open from the first
    /// row of its start on, so its shorter relatives are those that `containing` gave the row.
    fn advance(&mut self, watermark: i64) -> Vec<String> {
        self.watermark = watermark;
        let mut lines = Vec::new();
        while let Some(first) = self.open.first_entry() {
            let (end, start) = *first.key();
            if end - 1 > watermark {
                break;
            }
            lines.extend(results(start, end, &first.remove()));
        }
        lines
    }
}

fn results(start: i64, end: i64, rows: &[Row]) -> Vec<String> {
    let mut groups: BTreeMap<Option<u8>, Vec<Option<i64>>> = BTreeMap::new();
    for row in rows {
        groups.entry(row.key).or_default().push(row.value);
    }
    let show = |value: Option<i64>| value.map_or("null".to_owned(), |value| value.to_string());
    let line = |(key, values): (Option<u8>, Vec<Option<i64>>)| {
        let known = || values.iter().flatten().copied();
        let (count, sum) = (values.len(), known().reduce(|a, b| a + b));
        let distinct = known().collect::<BTreeSet<i64>>().len();
        let above = known().filter(|value| *value > 3).max();
        format!(
            "+I {}, {start}, {end}, {count}, {}, {}, {distinct}, {}",
            key.map_or("null".to_owned(), |key| format!("k{key}")),
            show(sum),
            show(known().min()),
            show(above),
        )
    };
    groups.into_iter().map(line).collect()
}

fn windows() -> impl Strategy<Value = Windows> {
    let hop = (1..12i64, 1..40i64, -20..20i64).prop_map(|(every_ms, more_ms, offset_ms)| {
        let size_ms = every_ms + more_ms;
        Windows { every_ms, step_ms: size_ms, size_ms, offset_ms, is_cumulate: false }
    });
    let tumble = (1..20i64, -20..20i64).prop_map(|(size_ms, offset_ms)| Windows {
        every_ms: size_ms,
        step_ms: size_ms,
        size_ms,
        offset_ms,
        is_cumulate: false,
    });
    let cumulate = (1..8i64, 1..6i64, -20..20i64).prop_map(|(step_ms, steps, offset_ms)| {
        let size_ms = step_ms * steps;
        Windows { every_ms: size_ms, step_ms, size_ms, offset_ms, is_cumulate: true }
    });
    prop_oneof![hop, tumble, cumulate]
}

/// Steps with times around a clock that moves on, and a few jumps.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (
        proptest::option::weighted(0.95, -15..25i64),
        proptest::option::weighted(0.9, 0..4u8),
        proptest::option::weighted(0.8, 0..6i64),
    );
    let row = row.prop_map(|(at_ms, key, value)| Row { at_ms, key, value });
    let advance = prop_oneof![8 => 0..15i64, 1 => 50..500i64];
    let step = prop_oneof![
        3 => proptest::collection::vec(row, 1..12).prop_map(Step::Rows),
        2 => advance.prop_map(Step::Advance),
    ];
    proptest::collection::vec(step, 1..30)
}

/// Such steps with epochs, evictions, crashes and rescales between them.
fn disturbed_steps() -> impl Strategy<Value = Vec<Step>> {
    let disturb = prop_oneof![
        4 => Just("epoch".to_owned()),
        2 => Just("evict".to_owned()),
        2 => Just("crash".to_owned()),
        1 => (1..6usize).prop_map(|subtasks| format!("rescale {subtasks}")),
    ];
    let between = proptest::collection::vec(disturb.prop_map(Step::Disturb), 0..3);
    (steps(), proptest::collection::vec(between, 30)).prop_map(|(steps, between)| {
        let both = steps.into_iter().zip(between);
        both.flat_map(|(step, more)| std::iter::once(step).chain(more)).collect()
    })
}

fn line_of(row: &Row) -> String {
    let show = |value: Option<i64>| value.map_or("null".to_owned(), |value| value.to_string());
    let key = row.key.map_or("null".to_owned(), |key| format!("k{key}"));
    format!("{}, {key}, {}", show(row.at_ms), show(row.value))
}

fn assert_ends_are_sorted(lines: &[String]) {
    let ends = lines.iter().filter_map(|line| line.split(", ").nth(2));
    let ends: Vec<i64> = ends.map(|end| end.parse().expect("ms")).collect();
    assert!(ends.is_sorted(), "windows fire in order of their end: {ends:?}");
}

fn check(windows: Windows, steps: Vec<Step>, form: Form) {
    let header = Header::parse(&format!(
        "operator: window_aggregate\ncolumns: at timestamp, k string, v bigint\n\
         window: {}\ntime: at\nkeys: k\n\
         aggregates: count(*), sum(v), min(v), count(distinct v), max(v) filter v > 3",
        windows.header()
    ));
    let mut driver = Driver::new(&header, form);
    let (open, watermark) = (BTreeMap::new(), -1000);
    let mut model = Model { windows, watermark, open, late_rows: 0, null_rows: 0 };
    let mut clock = 0;
    let end = [Step::Advance(1_000_000)];
    for step in steps.into_iter().chain(end) {
        match step {
            Step::Rows(mut rows) => {
                for row in &mut rows {
                    row.at_ms = row.at_ms.map(|ms| ms + clock);
                    model.row(row);
                }
                let lines: Vec<String> = rows.iter().map(line_of).collect();
                driver.run(&lines);
            }
            Step::Disturb(command) => {
                assert_eq!(driver.run(&[command]), [""; 0], "only time lets windows fire");
            }
            Step::Advance(by) => {
                clock += by;
                if clock <= model.watermark {
                    continue;
                }
                let mut found = driver.run(&[format!("watermark {clock}")]);
                assert_eq!(found.pop(), Some(format!("watermark {clock}")), "rows come before it");
                if !matches!(form, Form::Job { .. }) {
                    assert_ends_are_sorted(&found);
                }
                let mut expected = model.advance(clock);
                expected.sort();
                found.sort();
                assert_eq!(found, expected, "at watermark {clock}, {form:?}");
            }
        }
    }
    let counted = format!("late_rows={} null_time_rows={}", model.late_rows, model.null_rows);
    assert_eq!(driver.run(&["metrics".to_owned(), "state".to_owned()])[0], counted);
    assert_eq!(driver.run(&["state".to_owned()]), ["state_keys=0"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn one_stage_agrees_with_the_model(windows in windows(), steps in steps()) {
        check(windows, steps, Form::Batches);
    }

    #[test]
    fn two_stages_agree_with_the_model(windows in windows(), steps in steps(), locals in 1..4usize) {
        check(windows, steps, Form::Stages(locals));
    }

    #[test]
    fn crashes_rescales_and_short_memory_change_nothing(
        windows in windows(),
        steps in disturbed_steps(),
        locals in 0..3usize,
        subtasks in 1..5usize,
        memory_bytes in prop_oneof![Just(u64::MAX), Just(2_000_000), Just(2_000)],
    ) {
        check(windows, steps, Form::Job { locals, subtasks, memory_bytes });
    }
}
