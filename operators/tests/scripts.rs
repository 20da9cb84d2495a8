//! Runs every golden script in `tests/scripts/<operator>/`.
//!
//! A script runs as it stands, where the output has to match line by line, and in other forms
//! whose output has to hold the same rows in every block: row by row, and for a windowed
//! aggregation split into one or three local stages and a global one. `BLESS=1 cargo test` writes
//! the first form's output into the files.
//!
//! Every script also runs with its epochs, crashes, rescales and evictions between the lines.

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
fn comparable<'a>(block: &'a [String], differs: &[&str]) -> Vec<&'a str> {
    let differs = |line: &str| differs.iter().any(|start| line.starts_with(start));
    let mut lines: Vec<&str> =
        block.iter().map(String::as_str).filter(|line| !differs(line)).collect();
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
        let mut forms = Vec::new();
        if !script.header.goes_by_batches() {
            forms.push(Form::Rows);
        }
        if script.header.has_stages() {
            forms.extend([Form::Stages(1), Form::Stages(3)]);
        }
        for form in forms {
            // Late rows lose their columns between stages, and stages hold keys in two places.
            let differs: &[&str] = match form {
                Form::Stages(_) => &["late ", "state_keys"],
                _ => &[],
            };
            let found = differences(&script, form, &outputs, differs);
            failures.extend(found.into_iter().map(|failure| format!("{name} as {failure}")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Where the blocks of a script in some form do not have the rows that they have in the first.
fn differences(
    script: &Script,
    form: Form,
    outputs: &[Vec<String>],
    differs: &[&str],
) -> Vec<String> {
    let found = script.run(form);
    let pairs = outputs
        .iter()
        .zip(&found)
        .map(|(expected, found)| (comparable(expected, differs), comparable(found, differs)));
    let different = pairs.filter(|(expected, found)| expected != found);
    different.map(|(expected, found)| format!("{form:?}\n{expected:#?}\n--- {found:#?}")).collect()
}

/// Commands after line `i`.
type Commands = fn(usize) -> Vec<String>;

/// What is put between the lines of a script: commands after line `i`.
const DISTURBANCES: [(&str, Commands); 6] = [
    ("an epoch after every line", |_| vec!["epoch".to_owned()]),
    ("a crash after every line", |_| vec!["crash".to_owned()]),
    ("an epoch and a crash after every line", |_| vec!["epoch".to_owned(), "crash".to_owned()]),
    ("an epoch after every other line, a crash after every third", |i| {
        let mut lines = Vec::new();
        lines.extend((i % 2 == 0).then(|| "epoch".to_owned()));
        lines.extend((i % 3 == 0).then(|| "crash".to_owned()));
        lines
    }),
    ("memory short at every line", |_| vec!["evict".to_owned()]),
    ("epochs, evictions and other parallelisms", |i| match i % 5 {
        0 => vec!["epoch".to_owned(), "rescale 4".to_owned()],
        1 => vec!["crash".to_owned(), "evict".to_owned()],
        2 => vec!["rescale 1".to_owned()],
        3 => vec!["epoch".to_owned(), "rescale 8".to_owned(), "rescale 2".to_owned()],
        _ => vec!["epoch".to_owned()],
    }),
];

#[test]
fn golden_scripts_survive_epochs_and_crashes() {
    let mut failures = Vec::new();
    for file in scripts() {
        let text = fs::read_to_string(&file).expect("a script can be read");
        let script = Script::parse(&text);
        let outputs: Vec<_> = script.blocks.iter().map(|block| block.expected.clone()).collect();
        let locals = if script.header.has_stages() { vec![0, 2] } else { vec![0] };
        for (name, after) in DISTURBANCES {
            let disturbed = script.disturbed(after);
            for (locals, subtasks, memory_bytes) in
                locals.iter().flat_map(|l| [(*l, 1, u64::MAX), (*l, 3, u64::MAX), (*l, 2, 10_000)])
            {
                let form = Form::Job { locals, subtasks, memory_bytes };
                // In runs a key counts once a run.
                let differs: &[&str] =
                    if locals > 0 { &["late ", "state_keys"] } else { &["state_keys"] };
                let found = differences(&disturbed, form, &outputs, differs);
                let place = format!("{}, {name}, ", file.display());
                failures.extend(found.into_iter().map(|failure| place.clone() + &failure));
            }
        }
    }
    assert!(failures.is_empty(), "{} differ\n{}", failures.len(), failures.join("\n\n"));
}
