//! `docs/errors.md` is made from the index of codes, so that it cannot say anything else than the
//! messages do.

use std::fmt::Write;
use std::path::Path;

use millstream_queries::codes;

const HEAD: &str = "# Messages about SQL

<!-- Made from the index in queries/src/codes.rs and queries/src/plan/codes.rs by
     `BLESS=1 cargo test -p millstream-queries --test docs`. -->

Every message about a SQL text has a code. A code keeps its meaning for ever, so scripts may rely on it. The text of a message may change.
Messages name the place in the text, and most have a hint. `--error-format json` gives the same as one JSON object a line; see
[cli.md](cli.md). A warning does not stop the job; an error does, with exit code 3, before anything runs.
";

/// Where a part of the index begins, and what the page calls it.
const PARTS: &[(u16, &str)] =
    &[(0, "The text"), (100, "Statements, types and literals"), (300, "Planning")];

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut parts = PARTS.iter().peekable();
    for entry in codes::all() {
        while let Some((_, title)) = parts.next_if(|(from, _)| *from <= entry.code.0) {
            let _ = write!(page, "\n## {title}\n");
        }
        let _ = write!(page, "\n### {}: {}\n\n", entry.code, entry.title);
        let _ = writeln!(page, "{}\n\n*What to do:* {}", entry.cause, entry.fix);
    }
    page
}

/// `BLESS=1` writes the page.
#[test]
fn the_page_of_errors_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, page()).expect("docs can be written");
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == page(), "docs/errors.md is out of date: run this with BLESS=1");
}
