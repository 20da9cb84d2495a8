//! Mistakes in WITH clauses: all are found, before anything is opened.

use arrow::datatypes::DataType::{Int64, Utf8};
use millstream_connectors::registry::{Direction, OptionError, check, open_source};

use crate::common::{environment, table};

fn mistakes(options: &[(&str, &str)], direction: Direction) -> Vec<OptionError> {
    check(&table(options, &[("id", Int64), ("name", Utf8)]), direction)
}

/// The one mistake: option, message and hint.
fn mistake(options: &[(&str, &str)], direction: Direction) -> (String, String, String) {
    let found = mistakes(options, direction);
    assert_eq!(found.len(), 1, "{found:?}");
    let OptionError { option, message, hint } = found.into_iter().next().unwrap();
    (option, message, hint.unwrap_or_default())
}

#[test]
fn a_right_clause_has_none() {
    let file = [("connector", "filesystem"), ("path", "/no/such/file"), ("format", "json")];
    for direction in [Direction::Source, Direction::Sink, Direction::Unused] {
        assert_eq!(mistakes(&file, direction), [], "and nothing is looked up on the disk");
    }
}

#[test]
fn a_misspelt_option_is_suggested() {
    let (option, message, hint) =
        mistake(&[("connector", "datagen"), ("rows-per-secnd", "5")], Direction::Source);
    assert_eq!(option, "rows-per-secnd");
    assert_eq!(message, "connector `datagen` has no option `rows-per-secnd`");
    assert_eq!(hint, "did you mean `rows-per-second`?");
}

#[test]
fn options_of_the_format_are_known_and_suggested() {
    let base = [("connector", "filesystem"), ("path", "x"), ("format", "json")];
    let right = [&base[..], &[("json.ignore-parse-errors", "true")]].concat();
    assert_eq!(mistakes(&right, Direction::Source), []);
    let wrong = [&base[..], &[("json.ignore-parse-error", "true")]].concat();
    let (_, _, hint) = mistake(&wrong, Direction::Source);
    assert_eq!(hint, "did you mean `json.ignore-parse-errors`?");
    let other = [&base[..], &[("csv.ignore-parse-errors", "true")]].concat();
    assert_eq!(mistake(&other, Direction::Source).0, "csv.ignore-parse-errors");
}

#[test]
fn several_mistakes_are_found_at_once() {
    let found = mistakes(
        &[
            ("connector", "filesystem"),
            ("format", "jsn"),
            ("scan.watermark.emit.strategy", "on_event"),
            ("sink.rolling-policy.file-size", "128 mbb"),
        ],
        Direction::Source,
    );
    let options: Vec<_> = found.iter().map(|mistake| mistake.option.as_str()).collect();
    assert_eq!(
        options,
        ["format", "scan.watermark.emit.strategy", "sink.rolling-policy.file-size", "path"]
    );
    assert_eq!(found[1].hint.as_deref(), Some("did you mean `on-event`?"));
}

#[test]
fn connectors_are_suggested_and_have_directions() {
    let (option, message, hint) = mistake(&[("connector", "file-system")], Direction::Source);
    assert_eq!((option.as_str(), hint.as_str()), ("connector", "did you mean `filesystem`?"));
    assert_eq!(message, "there is no connector `file-system`");
    let (_, message, _) = mistake(&[("connector", "datagen")], Direction::Sink);
    assert_eq!(message, "table `t` cannot be written: connector `datagen` can only be read");
    assert_eq!(mistakes(&[("connector", "datagen")], Direction::Unused), []);
    let (option, _, hint) = mistake(&[], Direction::Unused);
    assert_eq!(option, "connector");
    assert!(hint.contains("kafka, filesystem"), "{hint}");
}

#[test]
fn a_kind_is_named_where_a_value_has_another() {
    for (option, value, kind) in [
        ("number-of-rows", "many", "a whole number"),
        ("fields.id.null-rate", "few", "a number"),
        ("scan.watermark.idle-timeout", "5 fortnights", "a duration such as `5 s` or `200 ms`"),
        ("fields.name.var-len", "maybe", "`true` or `false`"),
    ] {
        let (at, message, _) =
            mistake(&[("connector", "datagen"), (option, value)], Direction::Source);
        assert_eq!(at, option);
        assert_eq!(message, format!("option `{option}`: `{value}` is not {kind}"));
    }
}

#[test]
fn fields_of_datagen_are_those_of_the_table() {
    let wrong = [("connector", "datagen"), ("fields.nam.length", "5")];
    let (option, message, hint) = mistake(&wrong, Direction::Source);
    assert_eq!(option, "fields.nam.length");
    assert!(message.contains("no column `nam`"), "{message}");
    assert_eq!(hint, "did you mean `name`?");
    let useless = [("connector", "datagen"), ("fields.id.length", "5")];
    assert!(mistake(&useless, Direction::Source).1.contains("means nothing"));
    let half = [("connector", "datagen"), ("fields.id.kind", "sequence"), ("fields.id.start", "1")];
    assert_eq!(mistake(&half, Direction::Source).0, "fields.id.end");
}

#[test]
fn nexmark_columns_are_checked() {
    let (_, message, hint) =
        mistake(&[("connector", "nexmark"), ("nexmark.event", "bid")], Direction::Source);
    assert!(message.contains("no column `id`"), "{message}");
    assert!(hint.contains("bidder"), "{hint}");
}

#[test]
fn a_rate_by_event_time_needs_a_time_column() {
    let base =
        [("connector", "filesystem"), ("path", "x"), ("format", "json"), ("scan.rate", "2x")];
    let (option, _, hint) = mistake(&base, Direction::Source);
    assert_eq!(option, "scan.rate");
    assert!(hint.contains("scan.rate.time-column"), "{hint}");
}

#[test]
fn opening_reports_the_same_mistakes() {
    let directory = tempfile::tempdir().unwrap();
    let table = table(&[("connector", "datagen"), ("seeds", "1")], &[("id", Int64)]);
    let error = open_source(&table, &environment(directory.path())).err().unwrap();
    assert_eq!(error.to_string(), "connector `datagen` has no option `seeds`");
}

#[test]
fn metadata_that_a_connector_lacks_is_an_error() {
    let options = [("connector", "filesystem"), ("path", "x"), ("format", "json")];
    let mut table = table(&options, &[("id", Int64), ("name", Utf8)]);
    table.metadata.insert(1, "file.nam".into());
    let found = check(&table, Direction::Source);
    assert_eq!(
        found[0].message,
        "column `name`: connector `filesystem` has no metadata `file.nam`"
    );
    assert_eq!(found[0].hint.as_deref(), Some("did you mean `file.name`?"));
}
