//! `millstream connectors` and the pages made from the same tables.

use millstream_connectors::format::FORMATS;
use millstream_connectors::registry::{CONNECTORS, describe, list, markdown};

#[test]
fn the_list_names_all_connectors_and_formats() {
    let list = list();
    for name in CONNECTORS.iter().map(|c| c.name).chain(FORMATS.iter().map(|f| f.name)) {
        assert!(list.lines().any(|line| line.trim_start().starts_with(name)), "{name}\n{list}");
    }
    assert!(!list.contains("memory"), "it cannot be used from SQL alone");
}

#[test]
fn every_option_is_described() {
    for connector in CONNECTORS {
        let text = describe(connector.name).unwrap();
        let page = markdown(connector.name).unwrap();
        for option in connector.options {
            assert!(option.description.ends_with('.'), "{}: a sentence", option.name);
            assert!(text.contains(option.name), "{text}");
            assert!(page.contains(option.name), "{page}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
    assert!(describe("json").unwrap().contains("json.ignore-parse-errors"));
    assert_eq!(describe("memory"), None);
}

#[test]
fn metadata_columns_have_sql_types() {
    let text = describe("filesystem").unwrap();
    assert!(text.contains("file.modification-time  TIMESTAMP_LTZ(3)"), "{text}");
    assert!(text.contains("path (text; required)"), "{text}");
}

/// The pages in `docs/` are what the tables say; `BLESS=1` writes them.
#[test]
fn the_pages_in_docs_are_up_to_date() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let connectors = CONNECTORS.iter().map(|connector| ("connectors", connector.name));
    let formats = FORMATS.iter().map(|format| ("formats", format.name));
    for (folder, name) in connectors.chain(formats) {
        let file = docs.join(folder).join(format!("{name}.md"));
        let page = markdown(name).unwrap();
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(docs.join(folder)).unwrap();
            std::fs::write(&file, page).unwrap();
        } else {
            let found = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(found == page, "{folder}/{name}.md is out of date: run this with BLESS=1");
        }
    }
}
