//! `docs/errors/` is made from the index of codes and their examples, so that it cannot say
//! anything else than the messages do; and every example does what its page says.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use millstream_queries::codes::page::{Example, page, verdict};
use millstream_queries::codes::{self, CodeEntry, lints};

const HEAD: &str = "# Messages

<!-- Made from the index in queries/src/codes.rs and the examples in queries/errors by
     `BLESS=1 cargo nextest run --release -p millstream-queries --test docs`. -->

Every message about a SQL text, and every failure of a job, has a code. `millstream explain M0301` prints its page: cause, what to do, an
example, and the same mended. A code keeps its meaning for ever, so scripts may rely on it; the text of a message may change.

An error stops the job, with exit code 3, before anything runs. A warning does not; each is a lint, and has a name: `--deny NAME` makes it
an error, `--deny warnings` all of them, `--allow NAME` silences it. [cli.md](../cli.md#messages) has the forms of messages.
";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors")
}

fn index() -> String {
    let mut index = HEAD.to_owned();
    for (part, entries) in codes::PARTS {
        let mut entries: Vec<&CodeEntry> = entries.iter().collect();
        entries.sort_by_key(|entry| entry.code);
        let _ = write!(index, "\n## {part}\n\n");
        for CodeEntry { code, title, .. } in entries {
            let lint = lints::name(*code).map_or(String::new(), |name| format!(" (`{name}`)"));
            let _ = writeln!(index, "- [{code}]({code}.md) {title}{lint}");
        }
    }
    index
}

/// `BLESS=1` writes the pages, and removes those of codes that are not there any more.
#[test]
fn the_pages_of_errors_are_up_to_date() {
    let pages = codes::all().map(|entry| (format!("{}.md", entry.code), page(entry)));
    let mut pages: BTreeMap<String, String> = pages.collect();
    pages.insert("README.md".to_owned(), index());
    let directory = directory();
    let is_blessing = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for file in std::fs::read_dir(&directory).into_iter().flatten() {
        let name = file.expect("a file").file_name().into_string().expect("UTF-8");
        if !pages.contains_key(&name) {
            if is_blessing {
                std::fs::remove_file(directory.join(&name)).expect("docs can be written");
            }
            wrong.push(format!("{name} has no code"));
        }
    }
    for (name, text) in &pages {
        let file = directory.join(name);
        if std::fs::read_to_string(&file).unwrap_or_default() == *text {
            continue;
        }
        if is_blessing {
            std::fs::create_dir_all(&directory).expect("docs can be written");
            std::fs::write(&file, text).expect("docs can be written");
        }
        wrong.push(format!("{name} is out of date"));
    }
    assert!(is_blessing || wrong.is_empty(), "docs/errors: run this with BLESS=1: {wrong:#?}");
}

#[test]
fn every_example_is_wrong_as_its_page_says_and_right_when_it_is_mended() {
    let mut wrong = Vec::new();
    for entry in codes::all() {
        let example = Example::of(entry);
        let id = format!("[{}]", entry.code);
        if let Some(sql) = &example.wrong {
            let (said, is_sound) = verdict(sql);
            let count = said.matches("[M0").count();
            if !said.contains(&id) || count != 1 || is_sound != lints::name(entry.code).is_some() {
                wrong.push(format!("{id} should be the one mistake of\n{sql}\n{said}"));
            }
        }
        if let Some(sql) = example.run.iter().chain(&example.right).find(|sql| !verdict(sql).1) {
            wrong.push(format!("{id}: this should be sound:\n{sql}\n{}", verdict(sql).0));
        }
        if example.right.as_ref().is_some_and(|sql| verdict(sql).0.contains("[M0")) {
            wrong.push(format!("{id}: the mended example is not without fault"));
        }
        if example.wrong.is_none() && example.says.is_none() {
            wrong.push(format!("{id} has neither an example nor a message"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
