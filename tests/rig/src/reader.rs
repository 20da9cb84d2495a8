//! Reads topics, or a directory of parts, and writes them down: the output while faults happen, and
//! all of it at the end.
//!
//! A line is `{"p":partition,"o":offset,"epoch":…,"seq":…,"value":text}`, with the audit headers as they are.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Map, Value};

use crate::broker::Access;
use crate::{Result, error};

/// What can be said of the output at any moment.
#[derive(Default)]
pub struct Progress {
    rows: AtomicU64,
    windows: AtomicU64,
    epochs: AtomicU64,
    last_epoch: AtomicU64,
    end: AtomicBool,
}

impl Progress {
    /// Rows that are visible.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::SeqCst)
    }

    /// Rows of windows that are visible.
    pub fn windows(&self) -> u64 {
        self.windows.load(Ordering::SeqCst)
    }

    /// Epochs with output that were seen to become visible.
    pub fn epochs(&self) -> u64 {
        self.epochs.load(Ordering::SeqCst)
    }

    /// Greatest number of an epoch that is visible.
    pub fn last_epoch(&self) -> u64 {
        self.last_epoch.load(Ordering::SeqCst)
    }

    fn saw(&self, line: &Map<String, Value>) {
        self.rows.fetch_add(1, Ordering::SeqCst);
        let value = line.get("value").and_then(Value::as_str).unwrap_or_default();
        if value.contains("\"tumble\"") {
            self.windows.fetch_add(1, Ordering::SeqCst);
        }
        let epoch = line.get("epoch").and_then(Value::as_str).and_then(|text| text.parse().ok());
        self.saw_epoch(epoch.unwrap_or(0));
    }

    fn saw_epoch(&self, epoch: u64) {
        if self.last_epoch.fetch_max(epoch, Ordering::SeqCst) < epoch {
            self.epochs.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A read_committed consumer that runs while faults happen.
pub struct LiveReader {
    progress: Arc<Progress>,
    thread: JoinHandle<Result<()>>,
}

impl LiveReader {
    /// Starts to read.
    ///
    /// # Errors
    /// If there is no consumer or no file.
    pub fn start(access: &Access, topic: &str, partitions: i32, file: &Path) -> Result<Self> {
        let consumer = consumer(access, topic, partitions, "read_committed")?;
        let mut file = BufWriter::new(File::create(file)?);
        let progress = Arc::new(Progress::default());
        let seen = progress.clone();
        let thread = thread::spawn(move || {
            while !seen.end.load(Ordering::SeqCst) {
                // Errors are the broker being down, which is what this is about.
                if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
                    let line = describe(&message);
                    seen.saw(&line);
                    writeln!(file, "{}", Value::Object(line))?;
                }
            }
            Ok(file.flush()?)
        });
        Ok(LiveReader { progress, thread })
    }

    /// The same for a directory of parts: who lists it sees what is committed.
    ///
    /// # Errors
    /// If there is no file to write to.
    pub fn start_on_files(directory: &Path, file: &Path) -> Result<Self> {
        let mut file = BufWriter::new(File::create(file)?);
        let progress = Arc::new(Progress::default());
        let (seen, directory) = (progress.clone(), directory.to_owned());
        let thread = thread::spawn(move || {
            let mut known = BTreeSet::new();
            while !seen.end.load(Ordering::SeqCst) {
                new_parts(&directory, &mut known, |line| {
                    seen.saw(&line);
                    Ok(writeln!(file, "{}", Value::Object(line))?)
                })?;
                seen.saw_epoch(newest_record(&directory));
                thread::sleep(Duration::from_millis(30));
            }
            Ok(file.flush()?)
        });
        Ok(LiveReader { progress, thread })
    }

    /// What was seen so far.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Ends once `rows` were seen, or no more come.
    ///
    /// # Errors
    /// If its file could not be written.
    pub fn finish(self, rows: u64) -> Result<()> {
        crate::broker::wait_until(Duration::from_secs(20), || self.progress.rows() >= rows);
        self.progress.end.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| error("the reader panicked"))?
    }
}

/// Reads a topic that nobody writes any more; returns the number of records.
///
/// # Errors
/// If the end is not reached.
pub fn read_all(access: &Access, topic: &str, partitions: i32, file: &Path) -> Result<u64> {
    let consumer = consumer(access, topic, partitions, "read_committed")?;
    let mut file = BufWriter::new(File::create(file)?);
    let mut rows = 0;
    let mut ended = BTreeSet::new();
    let mut moved = Instant::now();
    while ended.len() < partitions as usize {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                writeln!(file, "{}", Value::Object(describe(&message)))?;
                rows += 1;
                moved = Instant::now();
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(ended.insert(partition)),
            _ if moved.elapsed() > Duration::from_secs(30) => {
                return Err(error(format!("the end of {topic} is never reached")));
            }
            _ => {}
        }
    }
    file.flush()?;
    Ok(rows)
}

/// Reads all parts of a directory; returns the number of rows.
///
/// # Errors
/// If one cannot be read.
pub fn read_files(directory: &Path, file: &Path) -> Result<u64> {
    let mut file = BufWriter::new(File::create(file)?);
    let mut rows = 0;
    new_parts(directory, &mut BTreeSet::new(), |line| {
        rows += 1;
        Ok(writeln!(file, "{}", Value::Object(line))?)
    })?;
    file.flush()?;
    Ok(rows)
}

/// Calls `each` for the rows of parts that are not yet known. A visible part is whole.
fn new_parts(
    directory: &Path,
    known: &mut BTreeSet<String>,
    mut each: impl FnMut(Map<String, Value>) -> Result<()>,
) -> Result<()> {
    // Before the job's first start there is none.
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("part-") || known.contains(&name) {
            continue;
        }
        for (number, text) in std::fs::read_to_string(directory.join(&name))?.lines().enumerate() {
            let mut line = Map::new();
            line.insert("p".to_owned(), name.clone().into());
            line.insert("o".to_owned(), number.into());
            line.insert("value".to_owned(), text.into());
            each(line)?;
        }
        known.insert(name);
    }
    Ok(())
}

/// The epoch of the newest commit record, as in `1-000000000012.json`.
fn newest_record(directory: &Path) -> u64 {
    let names = std::fs::read_dir(directory.join("_commits")).into_iter().flatten().flatten();
    let epoch = |name: String| name.split(['-', '.']).nth(1).and_then(|text| text.parse().ok());
    let epochs = names.filter_map(|entry| epoch(entry.file_name().to_string_lossy().into_owned()));
    epochs.max().unwrap_or(0)
}

fn consumer(
    access: &Access,
    topic: &str,
    partitions: i32,
    isolation: &str,
) -> Result<BaseConsumer> {
    let consumer: BaseConsumer = access
        .config()
        .set("group.id", "rig-reader")
        .set("isolation.level", isolation)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "50")
        .set("reconnect.backoff.max.ms", "200")
        .create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    Ok(consumer)
}

fn describe(message: &BorrowedMessage<'_>) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("p".to_owned(), message.partition().into());
    line.insert("o".to_owned(), message.offset().into());
    if let Some(headers) = message.headers() {
        for header in headers.iter() {
            let text = String::from_utf8_lossy(header.value.unwrap_or_default());
            let name = header.key.strip_prefix("millstream-").unwrap_or(header.key);
            line.insert(name.to_owned(), text.into_owned().into());
        }
    }
    let value = String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned();
    line.insert("value".to_owned(), value.into());
    line
}
