//! Compressed files: by ending and by option, of several members, damaged.

use std::fs;
use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use millstream_connectors::Polled;
use millstream_connectors::registry::{Direction, check};

use super::filesystem::Files;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn rows(ids: std::ops::Range<u64>) -> String {
    ids.map(|id| format!("{{\"id\":{id}}}\n")).collect()
}

/// What reading a file of these bytes comes to.
fn failure(name: &str, bytes: &[u8]) -> (String, String) {
    let files = Files::new(&[]);
    fs::write(files.path().join(name), bytes).unwrap();
    let (place, hint) = files.failure(name, &[]);
    (place.replace(&files.path().display().to_string(), "…"), hint)
}

#[test]
fn files_are_unpacked_by_their_endings() {
    let files = Files::new(&[("d.json", "{\"id\":5}\n")]);
    let write = |name: &str, bytes: &[u8]| fs::write(files.path().join(name), bytes).unwrap();
    write("a.json.gz", &gzip("{\"id\":1}\n"));
    // Two members: what `cat a.gz b.gz` gives.
    write("b.GZ", &[gzip("{\"id\":2}\n"), gzip("{\"id\":3}")].concat());
    write("c.zst", &zstd::encode_all(&b"{\"id\":4}\n"[..], 0).unwrap());
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(b"{\"id\":6}\n").unwrap();
    write("e.deflate", &deflated.finish().unwrap());
    assert_eq!(files.ids(".", &[]), ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn the_option_wins_over_the_ending() {
    let files = Files::new(&[("plain.gz", "{\"id\":1}\n")]);
    fs::write(files.path().join("packed.json"), gzip("{\"id\":2}\n")).unwrap();
    assert_eq!(files.ids("plain.gz", &[("compression", "none")]), ["1"]);
    assert_eq!(files.ids("packed.json", &[("compression", "gzip")]), ["2"]);
}

#[test]
fn a_header_and_a_mark_are_unpacked_too() {
    let files = Files::new(&[]);
    fs::write(files.path().join("a.csv.gz"), gzip("\u{feff}name,id\nx,1\ny,2\n")).unwrap();
    assert_eq!(files.ids("a.csv.gz", &[("format", "csv"), ("csv.header", "true")]), ["1", "2"]);
}

#[test]
fn damage_is_told_with_the_file_and_how_far_it_was_read() {
    let packed = gzip(&rows(0..50_000));
    let (place, hint) = failure("a.json.gz", &packed[..packed.len() / 2]);
    assert!(place.contains("…/a.json.gz"), "{place}");
    assert!(place.contains("ends in the middle, after"), "{place}");
    assert!(hint.contains("whole"), "{hint}");
    let mut flipped = packed.clone();
    flipped[packed.len() / 2] ^= 0xFF;
    // What the decoder makes of damage is a bad record first; the cause is what is told.
    let (place, _) = failure("a.json.gz", &flipped);
    assert!(place.starts_with("…/a.json.gz: the gzip stream is damaged after "), "{place}");
    assert!(failure("a.json.gz", rows(0..9).as_bytes()).0.contains("a.json.gz: it is not gzip: "));
    for short in [&b"{\"id\":1}\n"[..], b""] {
        assert!(failure("a.json.gz", short).0.contains("it is not gzip, or only its beginning"));
    }
    let zstd = zstd::encode_all(rows(0..50_000).as_bytes(), 0).unwrap();
    assert!(failure("a.zst", &zstd[..zstd.len() - 9]).0.contains("a.zst"));
    assert!(failure("a.zst", b"no zstd at all").0.contains("it is not zstd: "));
    let (place, hint) = failure("a.json.bz2", b"");
    assert!(place.contains("files of `.bz2` cannot be read") && hint.contains("gzip"), "{place}");
    // A record that is wrong is counted in lines of what was unpacked.
    let broken = gzip(&(rows(0..70_000) + "{\"id\":}\n"));
    assert!(failure("a.json.gz", &broken).0.contains("…/a.json.gz:70001"));
}

#[test]
fn every_byte_that_is_cut_off_is_an_error_and_none_a_panic() {
    let packed = gzip(&rows(0..20));
    for length in 0..packed.len() {
        failure("a.json.gz", &packed[..length]);
    }
}

#[test]
fn reading_goes_on_at_any_position_of_the_content() {
    let files = Files::new(&[]);
    fs::write(files.path().join("a.json.gz"), gzip(&rows(0..60_000))).unwrap();
    let source = files.open("a.json.gz", &[]);
    let splits = source.splits().unwrap();
    assert_eq!(splits.len(), 1);
    let mut reader = source.reader(splits.clone()).unwrap();
    let mut offsets = Vec::new();
    loop {
        match reader.poll(Duration::ZERO).unwrap() {
            Polled::Rows(rows) => offsets.push(rows.next_offset),
            Polled::Finished { .. } => break,
            Polled::Nothing => {}
        }
    }
    assert!(offsets.len() > 3, "{offsets:?}");
    assert_eq!(*offsets.last().unwrap(), rows(0..60_000).len() as u64);
}

#[test]
fn what_cannot_be_packed_is_said_when_the_job_is_planned() {
    let files = Files::new(&[]);
    let mistake = |more: &[(&str, &str)], direction| {
        let mistakes = check(&files.table("out", more), direction);
        mistakes.into_iter().map(|mistake| mistake.message).collect::<Vec<_>>().join("|")
    };
    let parquet = [("format", "parquet"), ("compression", "gzip")];
    assert!(mistake(&parquet, Direction::Source).contains("compresses its files itself"));
    let deflate = [("compression", "deflate")];
    assert_eq!(mistake(&deflate, Direction::Source), "");
    assert!(mistake(&deflate, Direction::Sink).contains("can only be read"));
    assert!(mistake(&[("compression", "gz")], Direction::Source).contains("`gz` is none of"));
}
