//! A directory that is watched: files that come later are read, and each is read once.

use std::fs;
use std::time::Duration;

use millstream_connectors::registry::{Direction, check};
use millstream_connectors::{Polled, Reader, Source};

use super::common::rows;
use super::filesystem::Files;

const WATCH: (&str, &str) = ("source.monitor-interval", "5 s");

/// The ids of all rows up to the end of so many splits.
fn read(reader: &mut dyn Reader, splits: usize) -> Vec<String> {
    let (mut ids, mut ended) = (Vec::new(), 0);
    while ended < splits {
        match reader.poll(Duration::ZERO).unwrap() {
            Polled::Rows(found) => {
                let rows = rows(&found.batch).into_iter();
                ids.extend(rows.map(|row| row[3..].split('|').next().unwrap().to_owned()));
            }
            Polled::Finished { .. } => ended += 1,
            Polled::Nothing => {}
        }
    }
    ids
}

fn names(source: &dyn Source) -> Vec<String> {
    source.splits().unwrap().into_iter().map(|split| split.id).collect()
}

#[test]
fn files_that_come_later_are_splits_of_their_own() {
    let files = Files::new(&[("in/a.json", "{\"id\":1}\n")]);
    let source = files.open("in", &[WATCH]);
    assert_eq!(source.discovery_interval(), Some(Duration::from_secs(5)));
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    assert_eq!(read(&mut *reader, 1), ["1"]);

    fs::create_dir(files.path().join("in/deep")).unwrap();
    fs::write(files.path().join("in/deep/b.json"), "{\"id\":2}\n").unwrap();
    fs::write(files.path().join("in/.c.json"), "{\"id\":3}\n").unwrap();
    // A file that was read may change and go: it is not read again.
    fs::write(files.path().join("in/a.json"), "{\"id\":9}\n{\"id\":9}\n").unwrap();
    assert_eq!(names(&*source), ["in/a.json", "in/deep/b.json"]);
    fs::remove_file(files.path().join("in/a.json")).unwrap();
    assert_eq!(names(&*source), ["in/a.json", "in/deep/b.json"], "what was there stays");
    let new = source.splits().unwrap().split_off(1);
    reader.add_splits(new).unwrap();
    assert_eq!(read(&mut *reader, 1), ["2"]);
}

#[test]
fn there_may_be_nothing_as_yet() {
    let files = Files::new(&[]);
    fs::create_dir(files.path().join("in")).unwrap();
    for path in ["in", "in/*.json"] {
        let source = files.open(path, &[WATCH]);
        assert_eq!(names(&*source), Vec::<String>::new(), "{path}");
        fs::write(files.path().join("in/a.json"), "{\"id\":1}\n").unwrap();
        assert_eq!(names(&*source), ["in/a.json"], "{path}");
        fs::remove_file(files.path().join("in/a.json")).unwrap();
    }
    let (message, _) = files.failure("missing", &[WATCH]);
    assert!(message.contains("there is no file"), "a name that is wrong is told: {message}");
}

#[test]
fn a_large_file_is_one_split_whatever_its_size() {
    let files = Files::new(&[]);
    let line = format!("{{\"id\":1,\"name\":\"{}\"}}\n", "x".repeat(1 << 20));
    fs::write(files.path().join("a.json"), line.repeat(33)).unwrap();
    assert_eq!(names(&*files.open("a.json", &[])).len(), 16);
    assert_eq!(names(&*files.open("a.json", &[WATCH])), ["a.json"]);
}

#[test]
fn options_that_have_no_meaning_together_are_named() {
    let files = Files::new(&[]);
    let mistake = |more: &[(&str, &str)]| {
        let mistakes = check(&files.table("in", more), Direction::Source);
        mistakes.into_iter().map(|m| m.message + &m.hint.unwrap_or_default()).collect::<String>()
    };
    let found = mistake(&[WATCH, ("scan.rate", "10")]);
    assert!(found.contains("source.monitor-interval") && found.contains("scan.rate"), "{found}");
    assert!(mistake(&[(WATCH.0, "0 s")]).contains("longer than 0"));
    assert!(mistake(&[("source.monitor-intervall", "1 s")]).contains(WATCH.0));
}
