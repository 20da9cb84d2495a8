//! Golden diagnostics: `errors_plan/*.sql` has cases that begin with `-- case NAME`; what is wrong
//! with each must be what `errors_plan/*.expected` says: code, line and column, the text that is
//! underlined, message, label and hint. `BLESS=1` writes the expected files anew.

mod common;

use std::path::Path;

use common::{Case, bless_or_compare, cases, plan_text};
use millstream_queries::codes;

#[test]
fn mistakes_are_explained() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors_plan");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in cases(&directory) {
        let mut shown = String::new();
        let (prelude, rest) = file.text.split_once("-- case ").expect("a file has cases");
        for case in rest.split("-- case ") {
            let (name, sql) = case.split_once('\n').expect("a case has a name");
            let text = format!("{prelude}{sql}");
            shown += &format!("-- {name}\n{}\n", explain(&Case { text, ..file.clone() }));
            count += 1;
        }
        wrong.extend(bless_or_compare(&file.path.with_extension("expected"), &shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 40, "only {count} cases");
}

fn explain(case: &Case) -> String {
    let Err(mistakes) = plan_text(case) else { return "no mistake\n".to_owned() };
    let source = case.source();
    let mut shown = String::new();
    for mistake in mistakes {
        assert!(codes::find(mistake.code).is_some(), "{} is not explained", mistake.code);
        let place = match &mistake.span {
            None => "nowhere".to_owned(),
            Some(span) => {
                let (line, column) = source.line_column(span.start);
                // Lines count from the case's own first.
                let above = case.prelude_lines();
                format!("{}:{column} `{}`", line.saturating_sub(above), source.slice(span))
            }
        };
        shown += &format!("{} {place}: {}\n", mistake.code, mistake.message);
        shown += &mistake.label.map_or(String::new(), |label| format!("  label: {label}\n"));
        shown += &mistake.hint.map_or(String::new(), |hint| format!("  hint: {hint}\n"));
    }
    shown
}
