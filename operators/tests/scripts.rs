//! Runs every golden script in `tests/scripts/<operator>/`.
//!
//! A script runs as it stands, where the output has to match line by line, and in other forms
//! whose output has to hold the same rows in every block: row by row, and for a windowed
//! aggregation split into one or three local stages and a global one. `BLESS=1 cargo test` writes
//! the first form's output into the files.

use std::fs;
use std::path::{Path, PathBuf};

use millstream_operators::harness::{Form, Script};

fn scripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let entries = |path: &Path| {
        let entries = fs::read_dir(path).expect("scripts can be listed");
        entries.map(|entry| entry.expect("an entry").path()).collect::<Vec<_>>()
    };
    let mut files: Vec<PathBuf> = entries(&root).iter().flat_map(|path| entries(path)).collect();
    files.sort();
    files
}

/// The lines of a block that must not depend on the form, in an order that does not.
fn comparable(block: &[String], is_staged: bool) -> Vec<&str> {
    // Late rows lose their columns between stages, and stages hold keys in two places.
    let differs = |line: &str| line.starts_with("late ") || line.starts_with("state_keys");
    let mut lines: Vec<&str> =
        block.iter().map(String::as_str).filter(|line| !(is_staged && differs(line))).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn golden_scripts() {
    let bless = std::env::var_os("BLESS").is_some();
    let files = scripts();
    assert!(!files.is_empty());
    let mut failures = Vec::new();
    for file in files {
        let name = file.display();
        let script = Script::parse(&fs::read_to_string(&file).expect("a script can be read"));
        let outputs = script.run(Form::Batches);
        if bless {
            fs::write(&file, script.with_outputs(&outputs)).expect("a script can be written");
        }
        for (block, output) in script.blocks.iter().zip(&outputs) {
            if !bless && block.expected != *output {
                let input = block.input.join("\n");
                failures.push(format!("{name}\n{input}\n--- now\n{}", output.join("\n")));
            }
        }
        let mut forms = vec![Form::Rows];
        if script.header.is_window_aggregate() {
            forms.extend([Form::Stages(1), Form::Stages(3)]);
        }
        for form in forms {
            let is_staged = matches!(form, Form::Stages(_));
            for (expected, found) in outputs.iter().zip(script.run(form)) {
                let expected = comparable(expected, is_staged);
                let found = comparable(&found, is_staged);
                if expected != found {
                    failures.push(format!("{name} as {form:?}\n{expected:#?}\n--- {found:#?}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
