//! What is wrong, and what is said about it: a corpus of wrong texts with the diagnostics as a
//! person sees them.
//!
//! `tests/errors/*.sql` are files of cases, each under a line `-- # name`; the diagnostics of all
//! cases of a file are in the `.txt` beside it. `BLESS=1 cargo test --test parse_errors` writes
//! them anew; read the difference before you commit it.

use std::fs;
use std::path::{Path, PathBuf};

use millstream_queries::diagnostic::{Code, Diagnostic, SourceText};
use millstream_queries::{codes, parse, render};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/errors");

/// The diagnostics for a text; no environment variable is set.
fn diagnostics(source: &SourceText) -> Vec<Diagnostic> {
    parse::parse(source, &|_| None).1
}

/// Name and text of each case of a file.
fn cases(file: &str) -> Vec<(&str, &str)> {
    let cases: Vec<_> = file
        .split("-- # ")
        .skip(1)
        .map(|case| case.split_once('\n').expect("a case has a name and a text"))
        .collect();
    assert!(!cases.is_empty());
    cases
}

fn corpus() -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(DIRECTORY)
        .expect("tests/errors is there")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|e| e == "sql"))
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn every_wrong_text_is_explained_as_expected() {
    let is_blessing = std::env::var_os("BLESS").is_some_and(|v| v == "1")
        || std::env::var_os("UPDATE_EXPECT").is_some_and(|v| v == "1");
    let (mut differing, mut sound) = (Vec::new(), Vec::new());
    let mut count = 0;
    for path in corpus() {
        let file = read(&path);
        let mut actual = String::new();
        for (name, text) in cases(&file) {
            let source = SourceText::new("test.sql", text.trim_end());
            let found = diagnostics(&source);
            if found.is_empty() {
                sound.push(name.to_owned());
            }
            actual += &format!("# {name}\n{}\n", render::all(&found, &source, false));
            count += 1;
        }
        let expected = path.with_extension("txt");
        if is_blessing {
            fs::write(&expected, actual).expect("the expectation can be written");
        } else if read(&expected) != actual {
            differing.push(format!("{}:\n{actual}", expected.display()));
        }
    }
    assert!(count >= 40, "only {count} cases");
    assert!(sound.is_empty(), "nothing is said about {sound:?}");
    assert!(differing.is_empty(), "bless with BLESS=1:\n{}", differing.join("\n"));
}

#[test]
fn every_error_has_a_known_code_a_place_and_no_full_stop() {
    for path in corpus() {
        let file = read(&path);
        for (name, text) in cases(&file) {
            for diagnostic in diagnostics(&SourceText::new("test.sql", text.trim_end())) {
                assert!(codes::find(diagnostic.code).is_some(), "{name}: {}", diagnostic.code);
                let span = diagnostic.span.clone().unwrap_or_else(|| panic!("{name}: no place"));
                assert!(span.end <= text.len(), "{name}: {span:?}");
                assert!(!diagnostic.message.ends_with('.'), "{name}: {}", diagnostic.message);
            }
        }
    }
}

#[test]
fn every_code_of_the_parser_is_in_the_corpus() {
    // A text of a megabyte is tried elsewhere; unreadable files have different reasons by system.
    let elsewhere = [codes::TEXT_TOO_LARGE];
    let mut seen: Vec<Code> = Vec::new();
    for path in corpus() {
        for (_, text) in cases(&read(&path)) {
            let source = SourceText::new("test.sql", text.trim_end());
            seen.extend(diagnostics(&source).iter().map(|d| d.code));
        }
    }
    let missing: Vec<_> = codes::PARSE
        .iter()
        .filter(|entry| !seen.contains(&entry.code) && !elsewhere.contains(&entry.code))
        .map(|entry| format!("{} {}", entry.code, entry.title))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn json_has_one_line_with_places_in_characters() {
    let source = SourceText::new("größe.sql", "SELECT 'ü',\n  \"ä\" FROM t");
    let found = diagnostics(&source);
    assert_eq!(
        render::json(&found[0], &source),
        r#"{"code":"M0107","severity":"error","lint":null,"message":"double quotes are not used in Flink SQL","file":"größe.sql","line":2,"column":3,"spans":[{"line":2,"column":3,"end_line":2,"end_column":6,"start_byte":15,"end_byte":19,"label":null,"primary":true}],"hint":"'ä' is a string, `ä` a name","page":"docs/errors/M0107.md"}"#
    );
    assert_eq!(
        render::short(&found[0], &source),
        "größe.sql:2:3: error[M0107]: double quotes are not used in Flink SQL; 'ä' is a string, `ä` a name"
    );
}

#[test]
fn other_places_are_shown_near_or_far() {
    let far = "-- x\n".repeat(300);
    let source = SourceText::new("a.sql", format!("one two\n{far}\nthree"));
    let end = source.text.len();
    let at = |span| Diagnostic::error(Code(1), "twice").at(span).label("here");
    let near = render::text(&at(4..7).also(0..3, "first"), &source, false);
    assert_eq!(
        near,
        "error[M0001]: twice\n --> a.sql:1:5\n  |\n1 | one two\n  | --- ^^^ here\n  | |\n  | first\n"
    );
    let apart = render::text(&at(end - 5..end).also(0..3, "first"), &source, false);
    assert!(apart.contains("303 | three") && apart.contains("  1 | one two"), "{apart}");
    assert_eq!(apart.lines().count(), 10, "{apart}");
}

#[test]
fn color_is_only_there_if_asked_for_and_control_characters_never() {
    let source = SourceText::new("a\u{1b}[31m.sql", "SELEC\u{1b}[2J 1");
    let found = diagnostics(&source);
    let plain = render::all(&found, &source, false);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    assert!(plain.contains('␛'), "{plain}");
    let colored = render::all(&found, &source, true);
    assert!(colored.contains("\u{1b}[") && !colored.contains("\u{1b}[2J"), "{colored:?}");
}
