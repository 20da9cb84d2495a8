//! What the golden tests of the planner share.

#![allow(dead_code)]

use std::path::{Path, PathBuf};

use millstream_queries::{Diagnostic, Plan, PlanOptions, SourceText, plan};

/// A file of tests.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it is.
    pub path: PathBuf,
    /// The SQL.
    pub text: String,
}

impl Case {
    /// The SQL with a name for messages.
    pub fn source(&self) -> SourceText {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        SourceText { name: name.unwrap_or_default(), text: self.text.clone() }
    }

    /// Lines of the file's prelude, which all its cases begin with.
    pub fn prelude_lines(&self) -> usize {
        let whole = std::fs::read_to_string(&self.path).expect("the case was read before");
        whole.split("-- case ").next().map_or(0, |prelude| prelude.matches('\n').count())
    }
}

/// The SQL files of a directory, in the order of their names.
pub fn cases(directory: &Path) -> Vec<Case> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("the directory is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has cases", directory.display());
    paths
        .into_iter()
        .map(|path| Case { text: std::fs::read_to_string(&path).expect("a text file"), path })
        .collect()
}

/// Plans a case.
pub fn plan_text(case: &Case) -> Result<Plan, Vec<Diagnostic>> {
    let first = case.text.lines().next().unwrap_or_default();
    let parallelism =
        first.strip_prefix("-- parallelism ").map_or(2, |n| n.parse().expect("a number"));
    let options = PlanOptions { parallelism, zone: "UTC".to_owned(), ..PlanOptions::default() };
    plan(&case.source(), &options)
}

/// Compares with the expected file, or writes it if BLESS is set. Says what is different.
pub fn bless_or_compare(path: &Path, shown: &str) -> Option<String> {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, shown).expect("the file can be written");
        return None;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    (expected != shown)
        .then(|| format!("{}\n--- expected\n{expected}\n--- found\n{shown}", path.display()))
}

/// Expressions and what each has to be worth, as `value` shows it: tells of all that are not.
pub fn check_values(cases: &[(&str, &str)], value: impl Fn(&str) -> String) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(expr, expected)| (expr, expected, value(expr)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(expr, expected, found)| format!("{expr}: expected {expected}, found {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
