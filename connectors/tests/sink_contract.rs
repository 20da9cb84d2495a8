//! The contract that every sink keeps, whatever it writes.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failed test may panic and tell

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType::{self, Int64, Utf8};
use arrow::datatypes::{Field, TimeUnit};
use common::{Shown, TIMESTAMP, environment, read_sorted, rows, table};
use millstream_connectors::commit::{Committed, Follower, Job, Participation};
use millstream_connectors::console::{Console, ConsoleFormat};
use millstream_connectors::registry::{Environment, open_sink, open_source};
use millstream_connectors::{TableSpec, Writer};
use millstream_operators::Batch;
use millstream_state::Epoch;

/// A sink that the contract is tried on.
struct Subject {
    name: &'static str,
    options: Vec<(&'static str, &'static str)>,
    /// Whether what was written can be read again.
    keeps: bool,
    /// Whether a STRING column stands in the names of directories.
    partitioned: bool,
}

fn subjects() -> Vec<Subject> {
    let file = |name, format| Subject {
        name,
        options: vec![("connector", "filesystem"), ("path", "out"), ("format", format)],
        keeps: true,
        partitioned: false,
    };
    let packed = |name, format, compression| {
        let mut subject = file(name, format);
        subject.options.push(("compression", compression));
        subject
    };
    let other = |name: &'static str, keeps| Subject {
        name,
        options: vec![("connector", name)],
        keeps,
        partitioned: false,
    };
    // Without it, no text and no value are written alike.
    let mut csv = file("filesystem csv", "csv");
    csv.options.push(("csv.null-literal", "NULL"));
    vec![
        file("filesystem json", "json"),
        csv,
        file("filesystem parquet", "parquet"),
        file("filesystem changelog-json", "changelog-json"),
        packed("filesystem json gzip", "json", "gzip"),
        packed("filesystem changelog-json zstd", "changelog-json", "zstd"),
        Subject { partitioned: true, ..file("partitions json", "json") },
        Subject { partitioned: true, ..packed("partitions json zstd", "json", "zstd") },
        Subject { partitioned: true, ..file("partitions parquet", "parquet") },
        other("print", true),
        other("memory", true),
        other("blackhole", false),
    ]
}

/// A sink in a directory of its own.
struct Trial {
    directory: tempfile::TempDir,
    environment: Environment,
    shown: Shown,
    table: TableSpec,
}

impl Trial {
    fn new(subject: &Subject, columns: &[(&str, DataType)]) -> Self {
        let directory = common::directory();
        let mut environment = environment(directory.path());
        let shown = Shown::default();
        let output = Box::new(shown.clone());
        environment.console = Arc::new(Console::new(output, ConsoleFormat::Ndjson, None));
        let mut table = table(&subject.options, columns);
        if subject.partitioned {
            let texts = columns.iter().filter(|(_, kind)| *kind == Utf8);
            table = common::partitioned(table, &texts.map(|(name, _)| *name).collect::<Vec<_>>());
        }
        Trial { table, directory, environment, shown }
    }

    fn write(&self, subtasks: &[&[Batch]]) {
        let sink = open_sink(&self.table, &self.environment).unwrap();
        for (subtask, batches) in subtasks.iter().enumerate() {
            let mut writer = sink.writer(subtask).unwrap();
            for batch in *batches {
                writer.write(batch).unwrap();
                writer.flush().unwrap();
            }
            writer.finish().unwrap();
        }
    }

    /// The rows that can be seen, sorted.
    fn read_back(&self) -> Vec<String> {
        let mut seen: Vec<String> = match self.table.connector() {
            "memory" => {
                self.environment.memory.written("t").iter().flat_map(common::rows).collect()
            }
            "print" => {
                let path = self.directory.path().join("shown.json");
                fs::write(&path, self.shown.text()).unwrap();
                let mut table = self.table.clone();
                table.options.insert("connector".into(), "filesystem".into());
                table.options.insert("path".into(), path.display().to_string());
                table.options.insert("format".into(), "json".into());
                read_sorted(&*open_source(&table, &self.environment).unwrap())
            }
            _ if visible(&self.directory.path().join("out")).is_empty() => Vec::new(),
            _ => read_sorted(&*open_source(&self.table, &self.environment).unwrap()),
        };
        seen.sort();
        seen
    }
}

fn visible(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with(['.', '_'])).collect();
    names.sort();
    names
}

fn for_every_sink(check: impl Fn(&Subject)) {
    for subject in subjects() {
        println!("sink: {}", subject.name);
        check(&subject);
    }
}

fn small(ids: std::ops::Range<i64>) -> Batch {
    let table = table(&[], &[("id", Int64), ("name", Utf8)]);
    let names = StringArray::from_iter(ids.clone().map(|id| match id % 4 {
        0 => None,
        1 => Some("Ωmega 🦀".to_owned()),
        2 => Some("a,b \"c\"\n\\d\t'".to_owned()),
        _ => Some(format!("n{id}")),
    }));
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(ids)), Arc::new(names)];
    Batch::inserts(RecordBatch::try_new(table.schema, columns).unwrap())
}

fn sorted_rows(batches: &[Batch]) -> Vec<String> {
    let mut all: Vec<String> = batches.iter().flat_map(rows).collect();
    all.sort();
    all
}

#[test]
fn rows_written_are_rows_read_back() {
    for_every_sink(|subject| {
        let trial = Trial::new(subject, &[("id", Int64), ("name", Utf8)]);
        let batches = [small(0..100), small(100..101), small(101..3000)];
        trial.write(&[&batches[..2], &batches[2..]]);
        let expected = if subject.keeps { sorted_rows(&batches) } else { Vec::new() };
        assert!(!subject.keeps || trial.read_back() == expected, "{}", subject.name);
    });
}

#[test]
fn every_type_comes_back() {
    let zoned = DataType::Timestamp(TimeUnit::Millisecond, Some("Europe/Berlin".into()));
    let kinds: Vec<(&str, DataType, &str)> = vec![
        ("boolean", DataType::Boolean, "true"),
        ("tinyint", DataType::Int8, "-128"),
        ("smallint", DataType::Int16, "32767"),
        ("int", DataType::Int32, "-2147483648"),
        ("bigint", Int64, "9223372036854775807"),
        ("float", DataType::Float32, "1.5"),
        ("double", DataType::Float64, "-2.25e-10"),
        ("decimal", DataType::Decimal128(38, 18), "-12345678901234567890.123456789012345678"),
        ("string", Utf8, "naïve 日本 \u{1f600}"),
        ("date", DataType::Date32, "2024-02-29"),
        ("time", DataType::Time32(TimeUnit::Millisecond), "23:59:59.999"),
        ("ts3", TIMESTAMP, "2024-02-29T23:59:59.999"),
        ("ts6", DataType::Timestamp(TimeUnit::Microsecond, None), "1969-12-31T23:59:59.999999"),
        ("ts9", DataType::Timestamp(TimeUnit::Nanosecond, None), "2024-01-01T00:00:00.000000001"),
        ("ltz", zoned, "2024-07-01T12:00:00.5+02:00"),
        ("bytes", DataType::Binary, "plain bytes"),
    ];
    let columns: Vec<(&str, DataType)> =
        kinds.iter().map(|(name, kind, _)| (*name, kind.clone())).collect();
    for_every_sink(|subject| {
        let trial = Trial::new(subject, &columns);
        let arrays = kinds.iter().map(|(_, kind, text)| {
            let texts: ArrayRef = Arc::new(StringArray::from(vec![Some(*text), None]));
            cast(&texts, kind).unwrap()
        });
        let rows = RecordBatch::try_new(trial.table.schema.clone(), arrays.collect()).unwrap();
        let batch = Batch::inserts(rows);
        trial.write(&[std::slice::from_ref(&batch)]);
        if subject.keeps {
            assert_eq!(trial.read_back(), sorted_rows(&[batch]), "{}", subject.name);
        }
    });
}

#[test]
fn nested_types_come_back() {
    let element = Arc::new(Field::new("element", DataType::Int32, true));
    let parts = vec![Field::new("a", Int64, true), Field::new("b", Utf8, true)];
    let columns = [("list", DataType::List(element)), ("row", DataType::Struct(parts.into()))];
    for_every_sink(|subject| {
        let trial = Trial::new(subject, &columns);
        let mut made = table(&[("connector", "datagen"), ("number-of-rows", "20")], &columns);
        made.options.insert("fields.list.var-len".into(), "true".into());
        let source = open_source(&made, &trial.environment).unwrap();
        let splits = source.splits().unwrap();
        let count = splits.len();
        let steps = common::drain(&mut *source.reader(splits).unwrap(), count);
        let batches: Vec<_> = steps.into_iter().map(|step| Batch::inserts(step.batch)).collect();
        trial.write(&[&batches]);
        if subject.keeps {
            assert_eq!(trial.read_back(), sorted_rows(&batches), "{}", subject.name);
        }
    });
}

#[test]
fn no_input_is_no_output() {
    for_every_sink(|subject| {
        let trial = Trial::new(subject, &[("id", Int64), ("name", Utf8)]);
        trial.write(&[&[], &[small(0..0)]]);
        assert!(visible(&trial.directory.path().join("out")).is_empty());
        assert_eq!(trial.shown.text(), "");
        assert!(trial.environment.memory.written("t").iter().all(|batch| batch.num_rows() == 0));
    });
}

#[test]
fn files_are_visible_only_when_they_are_whole() {
    for subject in subjects().iter().filter(|subject| subject.name.starts_with("filesystem")) {
        let trial = Trial::new(subject, &[("id", Int64), ("name", Utf8)]);
        let out = trial.directory.path().join("out");
        let sink = open_sink(&trial.table, &trial.environment).unwrap();
        let mut writer = sink.writer(3).unwrap();
        writer.write(&small(0..1000)).unwrap();
        writer.flush().unwrap();
        assert!(visible(&out).is_empty(), "{}: hidden before the end", subject.name);
        writer.finish().unwrap();
        assert_eq!(visible(&out).len(), 1);
        assert!(visible(&out)[0].starts_with("part-3-0."));
        // A later run adds to the directory and overwrites nothing.
        let mut writer = sink.writer(3).unwrap();
        writer.write(&small(1000..1010)).unwrap();
        writer.finish().unwrap();
        assert_eq!(visible(&out).len(), 2);
        assert_eq!(trial.read_back().len(), 1010);
        // A writer that is dropped unfinished leaves nothing behind.
        let mut writer = sink.writer(3).unwrap();
        writer.write(&small(0..10)).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
    }
}

#[test]
fn files_roll_by_size_and_age() {
    let mut subject = subjects().remove(0);
    subject.options.push(("sink.rolling-policy.file-size", "10 kb"));
    subject.options.push(("sink.rolling-policy.rollover-interval", "1 min"));
    let trial = Trial::new(&subject, &[("id", Int64), ("name", Utf8)]);
    let out = trial.directory.path().join("out");
    let sink = open_sink(&trial.table, &trial.environment).unwrap();
    let mut writer = sink.writer(0).unwrap();
    writer.write(&small(0..1000)).unwrap();
    assert_eq!(visible(&out), ["part-0-0.json"], "large enough at once");
    writer.write(&small(0..10)).unwrap();
    writer.flush().unwrap();
    assert_eq!(visible(&out).len(), 1);
    trial.environment.clock.advance(std::time::Duration::from_secs(60));
    writer.flush().unwrap();
    assert_eq!(visible(&out), ["part-0-0.json", "part-0-1.json"], "old enough");
}

/// A sink in a job with epochs, and a decider that the test plays.
struct EpochTrial {
    trial: Trial,
    random: u64,
    committed: Option<Committed>,
    /// Rows of the epochs up to the last committed one, and of the one in hand.
    visible: Vec<String>,
    pending: Vec<String>,
    next_id: i64,
    writers: Vec<Box<dyn Writer>>,
    follower: Option<Box<dyn Follower>>,
}

impl EpochTrial {
    fn new(subject: &Subject, seed: u64) -> Self {
        let trial = Trial::new(subject, &[("id", Int64), ("name", Utf8)]);
        let mut run = EpochTrial {
            trial,
            random: seed,
            committed: None,
            visible: Vec::new(),
            pending: Vec::new(),
            next_id: 0,
            writers: Vec::new(),
            follower: None,
        };
        run.restart();
        run
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % bound
    }

    fn epoch(&self) -> Epoch {
        self.committed.as_ref().map_or(Epoch::GENESIS, |committed| committed.epoch).next()
    }

    fn decide(&mut self, epoch: Epoch, finished: bool) {
        self.committed = Some(Committed { epoch, snapshot_crc: 0, finished });
        self.visible.append(&mut self.pending);
        self.visible.sort();
    }

    /// Forgets the running job and starts it again, with any number of subtasks.
    fn restart(&mut self) {
        (self.writers, self.follower) = (Vec::new(), None);
        self.pending.clear();
        let incarnation = format!("incarnation-{}", self.below(u64::MAX));
        self.trial.environment.job =
            Some(Job { name: "job".into(), incarnation, interval_ms: 1000 });
        let sink = open_sink(&self.trial.table, &self.trial.environment).unwrap();
        let subtasks = 1 + self.below(3) as usize;
        self.writers = (0..subtasks).map(|subtask| sink.writer(subtask).unwrap()).collect();
        self.follower = match sink.participation().unwrap() {
            Participation::Follower(follower) => Some(follower),
            _ => None,
        };
        let Some(follower) = &mut self.follower else { return };
        follower.recover(self.committed.as_ref()).unwrap();
        assert_eq!(self.trial.read_back(), self.visible, "recovery to {:?}", self.committed);
    }

    fn write(&mut self) {
        let writer = self.below(self.writers.len() as u64) as usize;
        let rows = small(self.next_id..self.next_id + 1 + self.below(40) as i64);
        self.next_id += rows.num_rows() as i64;
        self.pending.extend(common::rows(&rows));
        self.writers[writer].write(&rows).unwrap();
        if self.below(2) == 0 {
            self.writers[writer].flush().unwrap();
        }
    }

    /// Ends the epoch; returns false if the job died on the way.
    fn end_epoch(&mut self, is_last: bool) -> bool {
        let epoch = self.epoch();
        for writer in 0..self.writers.len() {
            if self.below(20) == 0 {
                return false;
            }
            // A task that ends may or may not see the last barrier.
            let finishes_first = is_last && self.below(2) == 0;
            if finishes_first {
                self.writers[writer].finish().unwrap();
            } else {
                self.writers[writer].end_epoch(epoch).unwrap();
                if is_last {
                    self.writers[writer].finish().unwrap();
                }
            }
        }
        if self.below(10) == 0 {
            return false;
        }
        let seen = self.trial.read_back();
        if self.follower.is_some() {
            assert!(seen.iter().all(|row| self.visible.contains(row)), "nothing is decided yet");
        }
        self.decide(epoch, is_last);
        if self.below(10) == 0 {
            return false;
        }
        let later = !is_last && self.below(2) == 0;
        if later {
            self.write();
        }
        if let Some(follower) = &mut self.follower {
            follower.publish(epoch, is_last).unwrap();
            if epoch.0.is_multiple_of(3) {
                follower.publish(epoch, is_last).unwrap();
            }
        }
        true
    }

    fn check(&self) {
        let seen = self.trial.read_back();
        if self.follower.is_some() {
            assert!(seen.iter().all(|row| self.visible.contains(row)), "only what is committed");
            let mut once = seen.clone();
            once.dedup();
            assert_eq!(seen, once, "each row once");
        } else {
            assert!(self.visible.iter().all(|row| seen.contains(row)), "all that is committed");
        }
    }
}

#[test]
fn what_is_visible_are_rows_of_committed_epochs() {
    for_every_sink(|subject| {
        if !subject.keeps {
            return;
        }
        for seed in 0..8 {
            let mut run = EpochTrial::new(subject, seed);
            let mut epochs = 0;
            while epochs < 12 {
                match run.below(8) {
                    0 => run.restart(),
                    1 => run.trial.environment.clock.advance(std::time::Duration::from_secs(600)),
                    2..=5 => run.write(),
                    _ if run.end_epoch(false) => epochs += 1,
                    _ => run.restart(),
                }
                run.check();
            }
            while !run.end_epoch(true) {
                run.restart();
                if run.committed.as_ref().is_some_and(|committed| committed.finished) {
                    break;
                }
            }
            run.check();
            if run.follower.is_some() {
                assert_eq!(run.trial.read_back(), run.visible, "all is visible at the end");
            }
        }
    });
}

#[test]
fn what_ends_while_an_epoch_commits_belongs_to_the_next() {
    for_every_sink(|subject| {
        let mut run = EpochTrial::new(subject, 1);
        if run.follower.is_none() {
            return;
        }
        run.write();
        for writer in &mut run.writers {
            writer.end_epoch(Epoch(1)).unwrap();
        }
        run.decide(Epoch(1), false);
        let next = small(1000..1010);
        for writer in &mut run.writers {
            writer.write(&next).unwrap();
            writer.finish().unwrap();
        }
        run.follower.as_mut().unwrap().publish(Epoch(1), false).unwrap();
        run.check();
        run.restart();
    });
}
