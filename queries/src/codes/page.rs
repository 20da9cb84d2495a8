//! The page of a code: what `millstream explain M0301` prints, and `docs/errors/M0301.md` is.

use std::fmt::Write;

use super::{CodeEntry, lints};
use crate::diagnostic::SourceText;
use crate::{PlanOptions, plan, render};

/// The parts of an example file; see the head of [`crate::codes`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Example {
    /// SQL that brings the code about.
    pub wrong: Option<String>,
    /// SQL that brings it about when it is run.
    pub run: Option<String>,
    /// What is said, where that is not computed.
    pub says: Option<String>,
    /// The SQL, mended.
    pub right: Option<String>,
}

impl Example {
    /// Reads the file of a code.
    pub fn of(entry: &CodeEntry) -> Self {
        let mut example = Example::default();
        let (mut above, mut part) = (String::new(), None);
        for line in entry.example.lines() {
            let slot = match line.strip_prefix("-- ") {
                Some("wrong") => &mut example.wrong,
                Some("run") => &mut example.run,
                Some("says") => &mut example.says,
                Some("right") => &mut example.right,
                _ => {
                    match part {
                        None => above += &format!("{line}\n"),
                        Some("says") => append(&mut example.says, line),
                        Some("wrong") => append(&mut example.wrong, line),
                        Some("run") => append(&mut example.run, line),
                        Some(_) => append(&mut example.right, line),
                    }
                    continue;
                }
            };
            part = line.strip_prefix("-- ");
            *slot = Some(if part == Some("says") { String::new() } else { above.clone() });
        }
        example
    }
}

fn append(part: &mut Option<String>, line: &str) {
    let text = part.get_or_insert_default();
    text.push_str(line);
    text.push('\n');
}

/// What is said about the text of an example, and whether it can be run all the same.
pub fn verdict(sql: &str) -> (String, bool) {
    let source = SourceText::new("job.sql", sql);
    let options = PlanOptions { parallelism: 2, zone: "UTC".to_owned(), ..PlanOptions::default() };
    let (diagnostics, is_sound) = match plan(&source, &options) {
        Ok(plan) => (plan.warnings, true),
        Err(diagnostics) => (diagnostics, false),
    };
    (render::all(&diagnostics, &source, false), is_sound)
}

/// The page of a code, as Markdown.
pub fn page(entry: &CodeEntry) -> String {
    let example = Example::of(entry);
    let mut page = format!(
        "# {}: {}\n\n{}\n\n**What to do.** {}\n",
        entry.code, entry.title, entry.cause, entry.fix
    );
    if let Some(name) = lints::name(entry.code) {
        let _ = write!(
            page,
            "\nThis is the lint `{name}`: `--deny {name}` makes it an error, `--allow {name}` \
             silences it.\n"
        );
    }
    let says = match (&example.wrong, example.says) {
        (Some(wrong), None) => Some(verdict(wrong).0),
        (_, says) => says,
    };
    for sql in example.wrong.iter().chain(&example.run) {
        let _ = write!(page, "\n## Wrong\n\n```sql wrong\n{sql}```\n");
    }
    if let Some(says) = says {
        let heading =
            if example.wrong.is_none() && example.run.is_none() { "\n## Message\n" } else { "" };
        let _ = write!(page, "{heading}\n```text\n{says}```\n");
    }
    if let Some(right) = &example.right {
        let _ = write!(page, "\n## Right\n\n```sql\n{right}```\n");
    }
    page
}
