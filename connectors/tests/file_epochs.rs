//! The directory of a file sink is exactly once: whatever step a job dies at, what readers see are
//! the rows of the committed epochs, each once.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failed test may panic and tell

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::types::Int64Type;
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType::{Int64, Utf8};
use common::{directory, environment, read_sorted, table};
use millstream_connectors::registry::{Environment, open_sink, open_source};
use millstream_connectors::{
    Committed, ConnectorError, Follower, Job, Participation, TableSpec, Writer,
};
use millstream_operators::Batch;
use millstream_state::Epoch;

/// Steps at which the job dies, and one of the test's own: between the stages and the decision.
const POINTS: &[&str] = &[
    "epoch.part-synced",
    "epoch.part-logged",
    "snapshot.durable",
    "publish.part-named",
    "publish.parts-named",
    "publish.parts-recorded",
    "recover.part-cut",
    "recover.parts-named",
    "recover.parts-recorded",
    "recover.stage-cleaned",
];

const EPOCHS: u64 = 7;

/// Fault points are shared by the process, so tests that pass them take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

struct World {
    directory: tempfile::TempDir,
    table: TableSpec,
    /// What the decider says, and the test believes.
    committed: Option<Committed>,
    /// Directories that rows lie in; 0 if the table is not partitioned.
    partitions: i64,
    incarnations: usize,
}

/// A running job: its writers and its follower.
struct Running {
    writers: Vec<Box<dyn Writer>>,
    follower: Box<dyn Follower>,
}

impl World {
    fn new(format: &str, rolls_at: &str) -> Self {
        World::of(&[("format", format), ("sink.rolling-policy.file-size", rolls_at)], 0)
    }

    /// With `partitions`, rows lie in so many directories of the column `part`.
    fn of(options: &[(&str, &str)], partitions: i64) -> Self {
        let partitioned = partitions > 0;
        let directory = directory();
        let options = [&[("connector", "filesystem"), ("path", "out")], options].concat();
        let columns = [("id", Int64), ("name", Utf8), ("part", Utf8)];
        let table = table(&options, &columns[..if partitioned { 3 } else { 2 }]);
        let table = if partitioned { common::partitioned(table, &["part"]) } else { table };
        World { directory, table, partitions, committed: None, incarnations: 0 }
    }

    fn out(&self) -> PathBuf {
        self.directory.path().join("out")
    }

    fn environment(&self, job: &str) -> Environment {
        let mut environment = environment(self.directory.path());
        let incarnation = format!("i{}", self.incarnations);
        environment.job = Some(Job { name: job.into(), incarnation, interval_ms: 1000 });
        environment
    }

    fn open(&self, job: &str, subtasks: usize) -> Running {
        let sink = open_sink(&self.table, &self.environment(job)).unwrap();
        let writers = (0..subtasks).map(|subtask| sink.writer(subtask).unwrap()).collect();
        let Participation::Follower(follower) = sink.participation().unwrap() else {
            panic!("a file sink follows")
        };
        Running { writers, follower }
    }

    /// Opens and recovers.
    fn start(&mut self, subtasks: usize) -> Result<Running, ConnectorError> {
        self.incarnations += 1;
        let mut running = self.open("orders", subtasks);
        running.follower.recover(self.committed.as_ref())?;
        Ok(running)
    }

    fn decide(&mut self, epoch: u64, finished: bool) {
        self.committed = Some(Committed { epoch: Epoch(epoch), snapshot_crc: 0, finished });
    }

    fn committed(&self) -> u64 {
        self.committed.as_ref().map_or(0, |committed| committed.epoch.0)
    }

    /// One incarnation, from the last committed epoch to the end of the job.
    fn run(&mut self, subtasks: usize) -> Result<(), ConnectorError> {
        let mut running = self.start(subtasks)?;
        assert_eq!(self.seen(), expected(1..=self.committed()), "after recovery");
        for epoch in self.committed() + 1..=EPOCHS {
            for (subtask, writer) in running.writers.iter_mut().enumerate() {
                for batch in batches(epoch, subtask, subtasks) {
                    writer.write(&self.with_part(batch))?;
                    writer.flush()?;
                }
                if epoch == EPOCHS {
                    writer.finish()?;
                } else {
                    writer.end_epoch(Epoch(epoch))?;
                }
            }
            millstream_state::fault::reach("snapshot.durable").map_err(died)?;
            assert!(self.seen().iter().all(|row| expected(1..=epoch - 1).contains(row)));
            self.decide(epoch, epoch == EPOCHS);
            running.follower.publish(Epoch(epoch), epoch == EPOCHS)?;
            assert!(self.seen().iter().all(|row| expected(1..=epoch).contains(row)));
            running.follower.publish(Epoch(epoch), epoch == EPOCHS)?;
        }
        Ok(())
    }

    /// The parts that readers see, sorted.
    fn parts(&self) -> Vec<String> {
        let shown = |directory: &Path| {
            let names = names(directory).into_iter();
            names.filter(|name| !name.starts_with(['.', '_'])).collect::<Vec<_>>()
        };
        let mut parts = Vec::new();
        for name in shown(&self.out()) {
            match self.table.partition_keys.is_empty() {
                true => parts.push(name),
                false => parts.extend(
                    shown(&self.out().join(&name)).iter().map(|part| format!("{name}/{part}")),
                ),
            }
        }
        parts.sort();
        parts
    }

    /// The parts that the commit records list, sorted.
    fn recorded(&self) -> Vec<String> {
        let commits = self.out().join("_commits");
        let mut parts = Vec::new();
        for name in names(&commits).iter().filter(|name| name.ends_with(".json")) {
            let text = fs::read_to_string(commits.join(name)).unwrap();
            let record: serde_json::Value = serde_json::from_str(&text).unwrap();
            let listed = record["parts"].as_array().unwrap().iter();
            parts.extend(listed.map(|part| part["name"].as_str().unwrap().to_owned()));
        }
        parts.sort();
        parts
    }

    /// The rows that a reader of the directory sees, sorted.
    fn seen(&self) -> Vec<String> {
        if self.parts().is_empty() {
            return Vec::new();
        }
        let table = common::project(&self.table, &[0, 1]);
        read_sorted(&*open_source(&table, &environment(self.directory.path())).unwrap())
    }

    /// The batch with the column `part`, if the table has it; one of its values needs escapes.
    fn with_part(&self, batch: Batch) -> Batch {
        if self.partitions == 0 {
            return batch;
        }
        let part = |id: &i64| match id % self.partitions {
            0 => "a/b".to_owned(),
            1 => String::new(),
            number => format!("ü{number}"),
        };
        let ids = batch.rows.column(0).as_primitive::<Int64Type>().values().iter();
        let parts = StringArray::from_iter_values(ids.map(part));
        let columns = [batch.rows.columns(), &[Arc::new(parts) as ArrayRef]].concat();
        batch.with_rows(RecordBatch::try_new(self.table.schema.clone(), columns).unwrap())
    }

    /// Runs to the end over a crash at a point that was passed so often before; how often it died.
    fn crash(&mut self, point: &str, passes: usize) -> usize {
        // Recovery is passed first with nothing to do; the second time there is.
        drop(self.start(2).unwrap());
        fail::cfg(point, &format!("{passes}*off->1*return(crash)->off")).unwrap();
        let died = [2, 3, 1, 2].into_iter().take_while(|subtasks| self.run(*subtasks).is_err());
        let died = died.count();
        fail::remove(point);
        self.start(2).unwrap_or_else(|error| panic!("{point} {passes}: {error}"));
        assert_eq!(self.seen(), expected(1..=EPOCHS), "{point} {passes}");
        assert_eq!(names(&self.out().join(".staged")), Vec::<String>::new());
        assert_eq!(self.recorded(), self.parts(), "{point} {passes}");
        died
    }
}

fn died(source: std::io::Error) -> ConnectorError {
    ConnectorError::Io { place: "test".into(), source }
}

/// What a subtask writes in an epoch; some write nothing in some.
fn batches(epoch: u64, subtask: usize, subtasks: usize) -> Vec<Batch> {
    let ids: Vec<i64> = (0..rows_of(epoch))
        .filter(|row| *row as usize % subtasks == subtask)
        .map(|row| (epoch * 1000 + row) as i64)
        .collect();
    ids.chunks(16)
        .map(|ids| {
            let names = StringArray::from_iter_values(ids.iter().map(|id| format!("name {id}")));
            let columns: Vec<ArrayRef> =
                vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(names)];
            let schema = table(&[], &[("id", Int64), ("name", Utf8)]).schema;
            Batch::inserts(RecordBatch::try_new(schema, columns).unwrap())
        })
        .collect()
}

fn rows_of(epoch: u64) -> u64 {
    [0, 50, 3, 0, 120, 1, 80, 2][epoch as usize]
}

/// The rows of these epochs, as a reader sees them.
fn expected(epochs: std::ops::RangeInclusive<u64>) -> Vec<String> {
    let ids = epochs.flat_map(|epoch| (0..rows_of(epoch)).map(move |row| epoch * 1000 + row));
    ids.map(|id| format!("+I {id}|name {id}")).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_crash_at_any_step_loses_and_repeats_nothing() {
    let _turn = turn();
    let size = |size| ("sink.rolling-policy.file-size", size);
    type Kind<'a> = (&'a str, &'a [(&'a str, &'a str)], i64);
    let kinds: &[Kind<'_>] = &[
        ("json", &[("format", "json"), size("1 kb")], 0),
        ("csv", &[("format", "csv"), size("128 mb")], 0),
        ("parquet", &[("format", "parquet"), size("1 mb")], 0),
        ("gzip", &[("format", "json"), ("compression", "gzip"), size("1 kb")], 0),
        ("zstd", &[("format", "csv"), ("compression", "zstd"), size("128 mb")], 0),
        ("partitions", &[("format", "json"), ("compression", "zstd"), size("1 kb")], 3),
    ];
    for (kind, options, partitions) in kinds {
        for point in POINTS {
            let mut crashes = 0;
            for passes in 0.. {
                match World::of(options, *partitions).crash(point, passes) {
                    0 => break,
                    died => crashes += died,
                }
            }
            println!("{kind} {point}: {crashes} crashes");
        }
    }
}

#[test]
fn parts_that_rest_survive_crashes_too() {
    let _turn = turn();
    let options = [("format", "json"), ("compression", "gzip")];
    for point in POINTS {
        for passes in [0, 1, 3] {
            // More than may be open in each of two subtasks.
            let mut world = World::of(&options, 173);
            world.crash(point, passes);
            assert!(world.parts().len() > 2 * 64);
        }
    }
}

#[test]
fn a_part_that_goes_on_over_epochs_is_one_file() {
    let _turn = turn();
    let mut world = World::new("json", "128 mb");
    world.run(1).unwrap();
    assert_eq!(world.seen(), expected(1..=EPOCHS));
    assert_eq!(world.parts(), ["part-0-0.json"]);
    assert_eq!(names(&world.out().join("_commits")), ["1-000000000007.json", "JOB"]);
}

#[test]
fn a_finished_job_that_is_run_again_adds_to_the_directory() {
    let _turn = turn();
    let mut world = World::new("csv", "128 mb");
    world.run(2).unwrap();
    world.start(1).unwrap();
    world.committed = None;
    let mut running = world.start(1).unwrap();
    for batch in batches(1, 0, 1) {
        running.writers[0].write(&batch).unwrap();
    }
    running.writers[0].finish().unwrap();
    assert_eq!(world.seen(), expected(1..=EPOCHS));
    world.decide(1, true);
    running.follower.publish(Epoch(1), true).unwrap();
    let mut all = [expected(1..=EPOCHS), expected(1..=1)].concat();
    all.sort();
    assert_eq!(world.seen(), all);
    let records = ["1-000000000007.json", "2-000000000001.json", "JOB"];
    assert_eq!(names(&world.out().join("_commits")), records);
}

#[test]
fn what_would_lose_or_repeat_rows_is_refused() {
    let _turn = turn();
    let mut world = World::new("json", "1 kb");
    let mut running = world.start(1).unwrap();
    for epoch in 1..=4 {
        for batch in batches(epoch, 0, 1) {
            running.writers[0].write(&batch).unwrap();
        }
        running.writers[0].end_epoch(Epoch(epoch)).unwrap();
        running.follower.publish(Epoch(epoch), false).unwrap();
    }
    drop(running);
    let refused = |job: &str, committed: Option<u64>| {
        let committed = committed.map(|epoch| Committed {
            epoch: Epoch(epoch),
            snapshot_crc: 0,
            finished: false,
        });
        match world.open(job, 1).follower.recover(committed.as_ref()) {
            Err(ConnectorError::Refused { message, hint }) => {
                assert!(hint.unwrap().contains("_commits"));
                message.replace(&world.out().display().to_string(), "out")
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused("bills", Some(4)), "out belongs to the job `orders`, and this is `bills`");
    assert_eq!(
        refused("orders", Some(3)),
        "out shows rows of epoch 4, but the last committed one is 3"
    );
    assert_eq!(
        refused("orders", None),
        "out holds rows of an earlier run of the job `orders`, which had not finished"
    );
    world.decide(4, false);
    world.start(1).unwrap();
    assert_eq!(world.seen(), expected(1..=4));
}

#[test]
fn readers_may_take_parts_away() {
    let _turn = turn();
    let mut world = World::new("json", "1 kb");
    let mut running = world.start(1).unwrap();
    for batch in batches(1, 0, 1) {
        running.writers[0].write(&batch).unwrap();
    }
    running.writers[0].end_epoch(Epoch(1)).unwrap();
    world.decide(1, false);
    running.follower.publish(Epoch(1), false).unwrap();
    let parts = world.parts();
    assert!(!parts.is_empty(), "some are whole");
    for part in &parts {
        fs::remove_file(world.out().join(part)).unwrap();
    }
    drop(running);
    world.start(1).unwrap();
    world.start(1).unwrap();
    assert!(!world.parts().iter().any(|part| parts.contains(part)), "none comes back");
}
