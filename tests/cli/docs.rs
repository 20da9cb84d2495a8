//! What the docs show is what happens: every SQL block is planned, every console block is run.
//!
//! In a ```console block a line `$ millstream …` is run in the root of the tree; the lines up to
//! the next `$` are its output, where `…` stands for any text. A block that starts with
//! `<!-- not run: why -->` on the line before it is left out, and says why.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{ROOT, run_with_input};

/// A fenced block: its file, line, language and text.
struct Block {
    place: String,
    language: String,
    text: String,
}

fn documents() -> Vec<PathBuf> {
    let mut files = vec![Path::new(ROOT).join("README.md")];
    let mut folders = vec![Path::new(ROOT).join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("docs") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for file in documents() {
        let text = std::fs::read_to_string(&file).expect("document");
        let mut lines = text.lines().enumerate();
        let (mut before, mut skip) = ("", false);
        while let Some((number, line)) = lines.next() {
            if let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty())
            {
                skip = skip || before.contains("<!-- not run");
                let text: Vec<&str> = lines
                    .by_ref()
                    .map(|(_, line)| line)
                    .take_while(|line| *line != "```")
                    .collect();
                if !skip {
                    let place = format!("{}:{}", file.display(), number + 1);
                    blocks.push(Block {
                        place,
                        language: language.to_owned(),
                        text: text.join("\n"),
                    });
                }
                skip = false;
            }
            before = line;
        }
    }
    blocks
}

#[test]
fn sql_in_docs_can_be_planned() {
    let sql: Vec<Block> = blocks().into_iter().filter(|block| block.language == "sql").collect();
    assert!(!sql.is_empty());
    for block in sql {
        let done = run_with_input(&["check", "-"], &block.text);
        assert_eq!(done.code, 0, "{}\n{}", block.place, done.err);
    }
}

#[test]
fn consoles_in_docs_show_what_happens() {
    let consoles: Vec<Block> =
        blocks().into_iter().filter(|block| block.language == "console").collect();
    assert!(!consoles.is_empty());
    for block in consoles {
        for step in block.text.split("$ ").filter(|step| !step.trim().is_empty()) {
            let (command, expected) = step.split_once('\n').unwrap_or((step, ""));
            let shown = shell(command);
            assert!(
                matches(expected.trim_end(), shown.trim_end()),
                "{}: {command}\n{shown}",
                block.place
            );
        }
    }
}

/// Runs a line in a shell that finds the binary under test; its output, both streams as they come.
fn shell(line: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_millstream"));
    let path = format!(
        "{}:{}",
        binary.parent().expect("a folder").display(),
        std::env::var("PATH").expect("PATH")
    );
    let output = Command::new("bash")
        .args(["-c", &format!("{line} 2>&1")])
        .current_dir(ROOT)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// True if `text` is `pattern`, whose `…` stand for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Tests, scripts and cases that a page names must be there: a row without proof is a claim.
#[test]
fn rows_of_the_compatibility_page_are_backed() {
    let page = Path::new(ROOT).join("docs/flink-compatibility.md");
    let text = std::fs::read_to_string(page).expect("the page");
    let tests = test_functions();
    let (mut rows, mut wrong) = (0, Vec::new());
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, answer, _, proof] = cells[..] else {
            wrong.push(format!("four cells are wanted: {line}"));
            continue;
        };
        if answer.is_empty() {
            continue; // a heading
        }
        rows += 1;
        let names: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        if !["yes", "no", "differs"].contains(&answer) || names.is_empty() {
            wrong.push(format!("an answer and a proof are wanted: {line}"));
        }
        wrong.extend(names.iter().filter(|name| !is_there(name, &tests)).map(|n| n.to_string()));
    }
    assert!(rows > 50, "only {rows} rows");
    assert!(wrong.is_empty(), "not there:\n{}", wrong.join("\n"));
}

/// True for a test, a file, or `file#case` of a corpus.
fn is_there(name: &str, tests: &[String]) -> bool {
    if !name.contains('/') {
        return tests.iter().any(|test| test == name);
    }
    let (path, case) = name.split_once('#').map_or((name, None), |(p, case)| (p, Some(case)));
    let Ok(text) = std::fs::read_to_string(Path::new(ROOT).join(path)) else { return false };
    let is_case = |line: &str, case: &str| {
        line.strip_prefix("-- case ").or(line.strip_prefix("-- # ")) == Some(case)
    };
    case.is_none_or(|case| text.lines().any(|line| is_case(line, case)))
}

/// Names of all tests of the tree.
fn test_functions() -> Vec<String> {
    let mut names = Vec::new();
    let tops = ["queries", "connectors", "engine", "operators", "state", "src", "tests"];
    let mut folders: Vec<PathBuf> = tops.iter().map(|top| Path::new(ROOT).join(top)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("sources") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("source");
            for after in text.split("#[test]").skip(1) {
                let name = after.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
                names.extend(name.map(str::to_owned));
            }
        }
    }
    names
}
