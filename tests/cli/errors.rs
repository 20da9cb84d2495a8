//! Failures of jobs have codes, lints can be denied and silenced, and codes have pages.

use millstream::queries::codes::page::Example;
use millstream::queries::codes::{self, run as run_codes};

use super::run;

#[test]
fn a_job_that_fails_says_what_the_page_of_its_code_says() {
    let mut count = 0;
    for entry in run_codes::RUN {
        let example = Example::of(entry);
        let Some(sql) = example.run else { continue };
        let done = run(&["run", "-q", "-p", "1", "-e", &sql]);
        assert_ne!(done.code, 0, "{}: {}", entry.code, done.out);
        let said = done.err.replace(concat!(env!("CARGO_MANIFEST_DIR"), "/"), "");
        assert_eq!(example.says.as_deref(), Some(said.as_str()), "{}", entry.code);
        let json = run(&["run", "-q", "-p", "1", "--error-format", "json", "-e", &sql]);
        let value: serde_json::Value = serde_json::from_str(&json.err).expect("one JSON object");
        assert_eq!(value["code"], entry.code.to_string());
        assert_eq!(json.code, done.code);
        count += 1;
    }
    assert!(count >= 3, "{count} examples were run");
}

#[test]
fn every_code_has_a_page_and_an_unknown_one_a_hint() {
    for entry in codes::all() {
        let done = run(&["explain", &entry.code.to_string()]);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(
            done.out.starts_with(&format!("# {}: {}", entry.code, entry.title)),
            "{}",
            done.out
        );
    }
    let done = run(&["explain", "M9999"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("there is no code M9999"), "{}", done.err);
}

#[test]
fn a_lint_that_does_not_exist_is_wrong_usage() {
    let done = run(&["check", "-e", "SELECT 1", "--deny", "unused_tabel"]);
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("did you mean `unused_table`?"), "{}", done.err);
}
