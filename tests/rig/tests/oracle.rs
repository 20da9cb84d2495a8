//! The judge is judged: a round that is right, and then the same with one thing broken at a time.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use millstream_rig::lane::ask_oracle;
use serde_json::{Value, json};

/// What a round leaves behind, as values.
struct Evidence {
    acked: Vec<String>,
    input: Vec<Value>,
    output: Vec<Value>,
    live: Vec<Value>,
}

fn event(offset: i64, id: u64, ts: &str) -> Value {
    let value = json!({ "id": id, "k": "a", "v": 10 * id, "ts": format!("2026-01-01 {ts}") });
    json!({ "p": 0, "o": offset, "value": value.to_string() })
}

fn row(offset: i64, epoch: u64, seq: u64, value: Value) -> Value {
    json!({ "p": 0, "o": offset, "epoch": epoch.to_string(), "seq": format!("0/{seq}"), "value": value.to_string() })
}

fn window(q: &str, at: &str, n: u64, sums: [Value; 4]) -> Value {
    let [total, low, high, mean] = sums;
    json!({ "q": q, "k": "a", "at": format!("2026-01-01 {at}"), "n": n, "total": total, "low": low,
            "high": high, "mean": mean })
}

fn tumble(at: &str, n: u64, total: u64, low: u64, high: u64) -> Value {
    window("tumble", at, n, [total.into(), low.into(), high.into(), Value::Null])
}

fn hop(at: &str, n: u64, mean: f64) -> Value {
    window("hop", at, n, [Value::Null, Value::Null, Value::Null, mean.into()])
}

/// Records 1 and 2 share a window, 3 is an hour late, 5 fires everything.
fn good() -> Evidence {
    let input = vec![
        event(0, 1, "10:00:00.100"),
        event(1, 2, "10:00:00.700"),
        event(2, 3, "09:00:00.000"),
        event(3, 4, "10:00:01.200"),
        event(4, 5, "23:59:00.000"),
    ];
    let late = |q: &str| window(q, "09:00:00", 1, [30.into(), 3.into(), 3.into(), Value::Null]);
    let output = vec![
        row(0, 1, 0, tumble("10:00:00", 2, 30, 1, 2)),
        row(1, 1, 1, hop("09:59:59.5", 1, 10.0)),
        row(2, 1, 2, hop("10:00:00", 2, 15.0)),
        row(4, 2, 0, late("late-tumble")),
        row(5, 2, 1, late("late-hop")),
        row(7, 3, 0, window("pass", "10:00:01.2", 1, [40.into(), 4.into(), 4.into(), Value::Null])),
        row(8, 3, 1, hop("10:00:00.5", 2, 30.0)),
        row(9, 3, 2, hop("10:00:01", 1, 40.0)),
        row(10, 3, 3, tumble("10:00:01", 1, 40, 4, 4)),
    ];
    let acked = (0..5).map(|offset| format!("{} 0 {offset}", offset + 1)).collect();
    Evidence { acked, input, live: output.clone(), output }
}

impl Evidence {
    fn verdict(&self) -> Value {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
        let lines = |values: &[Value]| values.iter().map(|value| format!("{value}\n")).collect();
        write("acked.txt", self.acked.iter().map(|line| format!("{line}\n")).collect());
        write("input.jsonl", lines(&self.input));
        write("output.jsonl", lines(&self.output));
        write("live.jsonl", lines(&self.live));
        ask(dir.path())
    }

    /// Breaks it, live and final alike, and returns what kinds of damage are found.
    fn broken(mut self, breaks: impl Fn(&mut Vec<Value>)) -> Vec<String> {
        breaks(&mut self.output);
        self.live = self.output.clone();
        damage(&self.verdict())
    }
}

fn ask(dir: &Path) -> Value {
    ask_oracle(dir).unwrap()
}

fn damage(verdict: &Value) -> Vec<String> {
    let found = ["lost", "duplicated", "wrong", "torn", "unstable", "lost_by_broker"];
    let found: Vec<String> =
        found.into_iter().filter(|kind| verdict[*kind] != json!(0)).map(str::to_owned).collect();
    assert_eq!(
        verdict["ok"],
        json!(found.is_empty() && verdict["examples"] == json!({})),
        "{verdict}"
    );
    found
}

#[test]
fn a_good_round_is_good() {
    let verdict = good().verdict();
    assert_eq!(damage(&verdict), [""; 0], "{verdict}");
    assert_eq!(verdict["output_rows"], 9);
    assert_eq!(verdict["epochs"], 3);
}

#[test]
fn the_last_row_of_an_epoch_is_missed() {
    assert_eq!(good().broken(|rows| drop(rows.pop())), ["lost"]);
}

#[test]
fn a_row_within_an_epoch_is_missed() {
    assert_eq!(good().broken(|rows| drop(rows.remove(1))), ["lost", "torn"]);
}

#[test]
fn a_whole_epoch_is_missed() {
    assert_eq!(good().broken(|rows| drop(rows.drain(3..5))), ["lost"]);
}

#[test]
fn a_row_that_is_written_twice_is_seen() {
    let twice = |rows: &mut Vec<Value>| {
        let mut again = rows[3].clone();
        again["o"] = json!(11);
        again["epoch"] = json!("4");
        again["seq"] = json!("0/0");
        rows.push(again);
    };
    assert_eq!(good().broken(twice), ["duplicated"]);
}

#[test]
fn a_wrong_value_is_seen() {
    let wrong = |rows: &mut Vec<Value>| {
        rows[0] = row(0, 1, 0, tumble("10:00:00", 3, 30, 1, 2));
    };
    assert_eq!(good().broken(wrong), ["wrong"]);
}

#[test]
fn a_row_that_should_not_be_there_is_seen() {
    // What a forgotten watermark does: the late row opens its window again.
    let more = |rows: &mut Vec<Value>| rows.push(row(11, 3, 4, tumble("09:00:00", 1, 30, 3, 3)));
    assert_eq!(good().broken(more), ["wrong"]);
}

#[test]
fn an_epoch_that_comes_after_a_later_one_is_torn() {
    let mix = |rows: &mut Vec<Value>| {
        rows[4]["o"] = json!(12);
    };
    assert_eq!(good().broken(mix), ["torn"]);
}

#[test]
fn rows_without_audit_headers_are_not_trusted() {
    let bare = |rows: &mut Vec<Value>| drop(rows[2].as_object_mut().unwrap().remove("epoch"));
    assert!(good().broken(bare).contains(&"torn".to_owned()));
}

#[test]
fn what_a_reader_saw_must_stay() {
    let mut evidence = good();
    evidence.live.remove(0);
    assert_eq!(damage(&evidence.verdict()), ["unstable"]);
    let mut evidence = good();
    evidence.live.push(row(11, 4, 0, hop("10:00:00", 2, 15.0)));
    assert_eq!(damage(&evidence.verdict()), ["unstable"]);
}

#[test]
fn input_that_the_broker_lost_is_not_the_jobs_fault_and_yet_no_proof() {
    let mut evidence = good();
    evidence.acked.push("6 0 5".to_owned());
    assert_eq!(damage(&evidence.verdict()), ["lost_by_broker"]);
}

#[test]
fn a_round_without_output_proves_nothing() {
    let evidence = Evidence { acked: vec![], input: vec![], output: vec![], live: vec![] };
    assert_eq!(evidence.verdict()["ok"], json!(false));
}
