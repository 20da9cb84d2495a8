//! The rules of the house, as tests: what STYLE.md says and a machine can see.
//!
//! Each test lists every breach at once, with file and line, so that one run shows all there is
//! to mend.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Lines of a file without its test module that a person still reads in one go.
const MAX_FILE_LINES: usize = 700;
/// Lines of a function.
const MAX_FUNCTION_LINES: usize = 70;
/// Methods of a trait.
const MAX_TRAIT_METHODS: usize = 7;
/// The one place for unsafe code, with its proof.
const UNSAFE_ALLOWED: &[&str] = &["connectors/src/kafka/native.rs"];

/// A tracked source file, cut before its test module.
struct Source {
    path: String,
    lines: Vec<String>,
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    let crates = ["state", "operators", "connectors", "queries", "engine", "tests/rig"];
    for folder in crates.map(|name| format!("{name}/src")).iter().chain([&"src".to_owned()]) {
        rust_files(&Path::new(ROOT).join(folder), &mut files);
    }
    files.sort();
    files.into_iter().map(|file| read(&file)).collect()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder of sources") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn read(file: &Path) -> Source {
    let text = std::fs::read_to_string(file).expect("source file");
    let body = text.split("\n#[cfg(test)]\nmod ").next().expect("split yields one");
    let path = file.strip_prefix(ROOT).expect("below the root").display().to_string();
    Source { path, lines: body.lines().map(str::to_owned).collect() }
}

fn assert_none(breaches: Vec<String>, rule: &str) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

#[test]
fn every_file_says_what_it_is_for() {
    let missing = sources()
        .into_iter()
        .filter(|source| !source.lines.first().is_some_and(|line| line.starts_with("//!")))
        .map(|source| source.path);
    assert_none(missing.collect(), "files start with a //! head");
}

#[test]
fn files_are_read_in_one_go() {
    let long = sources()
        .into_iter()
        .filter(|source| source.lines.len() > MAX_FILE_LINES)
        .map(|source| format!("{}: {} lines", source.path, source.lines.len()));
    assert_none(long.collect(), "files have at most 700 lines besides tests");
}

/// Calls `visit(first line, number of lines)` for every item that starts with one of `words`.
fn items(source: &Source, words: &[&str], mut visit: impl FnMut(usize, usize)) {
    for (start, line) in source.lines.iter().enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let words_before = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe "];
        let bare = words_before.iter().fold(text, |text, word| text.trim_start_matches(word));
        if !words.iter().any(|word| bare.starts_with(word)) {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let end = source.lines[start..].iter().position(|line| *line == closing);
        let declared = source.lines[start..].iter().position(|line| line.ends_with(';'));
        match (end, declared) {
            (Some(_), Some(0)) => {}
            (Some(end), _) => visit(start + 1, end + 1),
            (None, _) => {}
        }
    }
}

#[test]
fn functions_fit_on_a_screen() {
    let mut long = Vec::new();
    for source in sources() {
        items(&source, &["fn "], |line, length| {
            if length > MAX_FUNCTION_LINES {
                long.push(format!("{}:{line}: {length} lines", source.path));
            }
        });
    }
    assert_none(long, "functions have at most 70 lines");
}

#[test]
fn traits_are_small() {
    let mut large = Vec::new();
    for source in sources() {
        items(&source, &["trait "], |line, length| {
            let body = &source.lines[line - 1..line - 1 + length];
            let methods = body.iter().filter(|line| line.trim_start().starts_with("fn ")).count();
            if methods > MAX_TRAIT_METHODS {
                large.push(format!("{}:{line}: {methods} methods", source.path));
            }
        });
    }
    assert_none(large, "traits have at most 7 methods");
}

#[test]
fn nothing_is_left_for_later() {
    let words = ["TODO", "FIXME", "HACK", "unimplemented!", "todo!"];
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in source.lines.iter().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert_none(found, "no notes to self");
}

#[test]
fn unsafe_code_lives_in_one_place() {
    let mut found = Vec::new();
    for source in sources() {
        let allowed = UNSAFE_ALLOWED.contains(&source.path.as_str());
        for (number, line) in source.lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if !allowed && (code.contains("unsafe {") || code.contains("allow(unsafe_code)")) {
                found.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    assert_none(found, "unsafe code only where its proof is");
}

#[test]
fn operators_explain_themselves() {
    let mut found = Vec::new();
    for source in sources() {
        if !source.lines.iter().any(|line| line.contains("impl Operator for")) {
            continue;
        }
        let head: Vec<&String> =
            source.lines.iter().take_while(|line| line.starts_with("//!")).collect();
        for heading in ["sql", "state", "laws"] {
            if !head.iter().any(|line| line.to_lowercase().contains(heading)) {
                found.push(format!("{}: head has no `{heading}`", source.path));
            }
        }
    }
    assert_none(found, "heads of operators say SQL, State and Laws");
}

/// Which crate of the workspace may depend on which.
const EDGES: &[(&str, &[&str])] = &[
    ("millstream-state", &[]),
    ("millstream-operators", &["millstream-state"]),
    ("millstream-connectors", &["millstream-state", "millstream-operators"]),
    ("millstream-queries", &["millstream-state", "millstream-operators", "millstream-connectors"]),
    ("millstream-engine", &["millstream-state", "millstream-operators", "millstream-connectors"]),
    // The rig judges the binary from outside.
    ("millstream-rig", &[]),
];

/// Which crates may depend on a heavy dependency: one each, DataFusion's expressions excepted.
const HEAVY: &[(&str, &[&str])] = &[
    ("rocksdb", &["millstream-state"]),
    ("object_store", &["millstream-state"]),
    ("fail", &["millstream-state"]),
    ("rdkafka", &["millstream-connectors", "millstream-rig"]),
    ("parquet", &["millstream-connectors"]),
    ("datafusion-sql", &["millstream-queries"]),
    ("datafusion-optimizer", &["millstream-queries"]),
    ("datafusion-functions", &["millstream-queries"]),
    ("datafusion-physical-expr", &["millstream-operators", "millstream-queries"]),
    ("datafusion-functions-aggregate", &["millstream-operators", "millstream-queries"]),
    ("clap", &["millstream", "millstream-rig"]),
    ("indicatif", &["millstream"]),
    ("tokio", &["millstream-engine", "millstream"]),
];

#[test]
fn crates_depend_only_downward_and_heavy_dependencies_enter_once() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"])
        .current_dir(ROOT)
        .output()
        .expect("cargo metadata");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("name");
        let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
        let dependencies: BTreeSet<&str> = dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .collect();
        if let Some((_, allowed)) = EDGES.iter().find(|(from, _)| *from == name) {
            let ours =
                dependencies.iter().filter(|dependency| dependency.starts_with("millstream"));
            found.extend(
                ours.filter(|to| !allowed.contains(to))
                    .map(|to| format!("{name} → {to} is not an edge")),
            );
        }
        for (heavy, homes) in HEAVY {
            if dependencies.contains(heavy) && !homes.contains(&name) {
                found.push(format!("{heavy} must not enter in {name}"));
            }
        }
    }
    assert_none(found, "edges of architecture.md, section 2");
}

/// Packages with their features, for a selection of dependency edges.
fn features(selection: &[&str], edges: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p} [{f}]"])
        .args(selection)
        .args(["--edges", edges])
        .current_dir(ROOT)
        .output()
        .expect("cargo tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn binary_and_tests_share_one_build_of_every_dependency() {
    let binary = features(&["--package", "millstream"], "normal,build");
    let tests = features(&["--workspace"], "normal,build,dev");
    let built_twice = binary.difference(&tests).cloned().collect();
    assert_none(built_twice, "a test dependency adds features to what the binary needs");
}
