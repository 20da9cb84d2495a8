//! A corpus of wrong SQL files, one mistake each, with what a person is told about it.
//!
//! `tests/wrong/*/*.sql`: SQL, then a line `-- says:` and the messages as comments, so that a file
//! can be given to `millstream check` as it is. `BLESS=1 cargo nextest run --release
//! -p millstream-queries --test wrong` writes the comments anew; read the difference as somebody
//! would who knows nothing of Millstream before you commit it.

use std::fs;
use std::path::{Path, PathBuf};

use millstream_queries::diagnostic::{Diagnostic, SourceText};
use millstream_queries::{PlanOptions, codes, plan, render};

/// What divides the SQL from what is said of it.
const SAYS: &str = "-- says:\n";

/// A file of the corpus.
struct Wrong {
    path: PathBuf,
    /// Directory and name.
    name: String,
    sql: String,
    says: String,
}

fn corpus() -> Vec<Wrong> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let entries = |path: &Path| {
        fs::read_dir(path).expect("a directory").map(|entry| entry.expect("an entry").path())
    };
    let mut paths: Vec<PathBuf> = entries(&directory).flat_map(|group| entries(&group)).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a text file");
        let (sql, says) = text.split_once(SAYS).unwrap_or((&text, ""));
        let name = path.strip_prefix(&directory).expect("below it").display().to_string();
        Wrong { name, sql: sql.to_owned(), says: says.to_owned(), path }
    };
    paths.into_iter().map(read).collect()
}

fn diagnostics(wrong: &Wrong) -> (Vec<Diagnostic>, SourceText) {
    let file = wrong.path.file_name().expect("a file").to_string_lossy().into_owned();
    let source = SourceText::new(file, &wrong.sql);
    let options = PlanOptions { parallelism: 2, zone: "UTC".to_owned(), ..PlanOptions::default() };
    let found = plan(&source, &options).map_or_else(|mistakes| mistakes, |plan| plan.warnings);
    (found, source)
}

fn as_comments(text: &str) -> String {
    text.lines().map(|line| format!("-- {line}").trim_end().to_owned() + "\n").collect()
}

#[test]
fn every_wrong_file_is_explained_as_expected() {
    let is_blessing = std::env::var_os("BLESS").is_some();
    let (mut differing, mut not_one) = (Vec::new(), Vec::new());
    let corpus = corpus();
    assert!(corpus.len() >= 150, "only {} files", corpus.len());
    for wrong in &corpus {
        let (found, source) = diagnostics(wrong);
        if found.len() != 1 {
            not_one.push(format!("{}: {} messages", wrong.name, found.len()));
        }
        let says = as_comments(&render::all(&found, &source, false));
        if is_blessing {
            let text = format!("{}{SAYS}{says}", wrong.sql);
            fs::write(&wrong.path, text).expect("the file can be written");
        } else if says != wrong.says {
            differing.push(format!("{}\n{says}", wrong.name));
        }
    }
    assert!(differing.is_empty(), "bless with BLESS=1:\n{}", differing.join("\n"));
    assert!(not_one.is_empty(), "one mistake each: {not_one:#?}");
}

#[test]
fn every_message_has_a_known_code_a_place_and_a_way_out() {
    let mut lacking = Vec::new();
    for wrong in &corpus() {
        for found in diagnostics(wrong).0 {
            let span = found.span.clone().unwrap_or(0..0);
            let is_placed = !span.is_empty() || span.start >= wrong.sql.trim_end().len() - 1;
            let lacks = match () {
                () if codes::find(found.code).is_none() => "a page",
                () if !is_placed || span.end > wrong.sql.len() => "a place",
                () if found.message.ends_with('.') => "a message without full stop",
                () if found.hint.is_none() && found.label.is_none() => "a hint",
                () => continue,
            };
            lacking.push(format!("{} lacks {lacks}: {}", wrong.name, found.message));
        }
    }
    assert!(lacking.is_empty(), "{lacking:#?}");
}
