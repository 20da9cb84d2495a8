//! Jobs that keep state: killed and run again, refused, stopped, begun anew.
//!
//! Every job reads a file at a fixed rate, so that it lives for a while whatever the machine, and
//! writes windows to files. What an undisturbed run writes is the measure.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Finished, finish, millstream};

const ROWS: u32 = 20_000;
/// So that a run takes two seconds.
const RATE: &str = ", 'scan.rate' = '10000'";

/// A directory of its own: input, SQL, state and output of one job.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Place { directory: tempfile::tempdir().expect("a directory") };
        let row = |n: u32| {
            let (second, ms) = (n / 200 % 60, n % 200 * 5);
            let minute = n / 200 / 60;
            format!(
                "{{\"k\":{},\"v\":{n},\"ts\":\"2024-01-01 00:{minute:02}:{second:02}.{ms:03}\"}}\n",
                n % 17
            )
        };
        std::fs::write(place.path("input.json"), (0..ROWS).map(row).collect::<String>())
            .expect("written");
        place.write("job.sql", &job("SUM(v) AS total"));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// The binary in this place, with state where it is by default.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = millstream(arguments);
        command.current_dir(self.directory.path()).env_remove("MILLSTREAM_STATE_DIR");
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        finish(self.command(arguments).output().expect("starts"))
    }

    /// Runs the job until it dies at a fault point.
    fn die(&self, faults: &str) {
        let mut command = self.command(&["run", "-p", "2", "job.sql"]);
        let output = command.env("MILLSTREAM_FAULTS", faults).output().expect("starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), None, "it dies at {faults}: {said}");
    }

    /// Starts the job; returns once it has a checkpoint with rows, behind that of its start.
    fn start(&self) -> Child {
        let mut command = self.command(&["run", "-p", "2", "job.sql"]);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
        while self.checkpoints().len() < 3 {
            assert_eq!(child.try_wait().expect("asked"), None, "it runs until it has a checkpoint");
            std::thread::yield_now();
        }
        child
    }

    fn checkpoints(&self) -> Vec<String> {
        let names = entries(&self.path("job.state/checkpoints"));
        names.into_iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).collect()
    }

    /// The rows of finished files, sorted.
    fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        collect(&self.path("output"), &mut rows);
        rows.sort();
        rows
    }
}

/// A job over `input.json` with this aggregate.
fn job(aggregate: &str) -> String {
    format!(
        "SET 'execution.checkpointing.interval' = '20 ms';
CREATE TABLE input (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'filesystem', 'path' = 'input.json', 'format' = 'json'{RATE});
CREATE TABLE output (window_end TIMESTAMP(3), k INT, total BIGINT) WITH (
  'connector' = 'filesystem', 'path' = 'output', 'format' = 'json');
CREATE VIEW totals AS SELECT window_end, k, {aggregate}
  FROM TUMBLE(TABLE input, DESCRIPTOR(ts), INTERVAL '1' SECOND) GROUP BY k, window_start, window_end;
INSERT INTO output SELECT window_end, k, total FROM totals;"
    )
}

fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("an entry").file_name().into_string().expect("UTF-8")
    };
    entries.map(name).collect()
}

fn collect(folder: &Path, rows: &mut Vec<String>) {
    for name in entries(folder).into_iter().filter(|name| !name.starts_with(['.', '_'])) {
        let path = folder.join(name);
        match path.is_dir() {
            true => collect(&path, rows),
            false => {
                let text = std::fs::read_to_string(path).expect("read");
                rows.extend(text.lines().map(str::to_owned));
            }
        }
    }
}

/// What an undisturbed run without epochs writes.
fn expected() -> Vec<String> {
    let place = Place::new();
    place.write("job.sql", &job("SUM(v) AS total").replace(RATE, ""));
    let done = place.run(&["run", "-q", "--set", "execution.checkpointing.interval=0", "job.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let rows = place.rows();
    assert_eq!(rows.len(), 100 * 17, "a row for each window and key");
    rows
}

#[test]
fn killed_at_any_step_and_run_again_the_files_are_those_of_an_undisturbed_run() {
    let expected = expected();
    for step in [
        "epoch.aligned",
        "snapshot.applied",
        "snapshot.manifest-written",
        "snapshot.renamed",
        "snapshot.durable",
        "commit.decided",
        "commit.published",
        "collect.garbage",
    ] {
        let place = Place::new();
        place.die(&format!("{step}=3*off->return(kill)"));
        place.die(&format!("{step}=1*off->return(kill)"));
        let done = place.run(&["run", "-p", "2", "job.sql"]);
        assert_eq!(done.code, 0, "{step}: {}", done.err);
        let goes_on = ["restored epoch", "had finished"].iter().any(|word| done.err.contains(word));
        assert!(goes_on, "{step}: {}", done.err);
        assert_eq!(place.rows(), expected, "{step}");
    }
}

#[test]
fn killed_while_it_recovers_it_recovers() {
    let place = Place::new();
    place.die("commit.decided=3*off->return(kill)");
    for step in [
        "recover.locked",
        "recover.decided",
        "recover.verified",
        "recover.linked",
        "recover.positions",
    ] {
        place.die(&format!("{step}=return(kill)"));
    }
    let done = place.run(&["run", "-p", "2", "job.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(place.rows(), expected());
}

#[test]
fn kill_nine_in_the_middle_loses_and_doubles_nothing_also_at_another_parallelism() {
    let expected = expected();
    for parallelism in ["1", "4"] {
        let place = Place::new();
        let mut child = place.start();
        child.kill().expect("killed");
        child.wait().expect("gone");
        let done = place.run(&["run", "-p", parallelism, "job.sql"]);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains("restored epoch"), "{}", done.err);
        assert_eq!(place.rows(), expected);
    }
}

#[test]
fn a_stopped_job_goes_on_and_a_finished_one_leaves_nothing() {
    let place = Place::new();
    let done = place.run(&["run", "--for", "200ms", "job.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("job.state"), "says where its state is: {}", done.err);
    assert!(done.err.contains("committed"), "says what was committed: {}", done.err);
    let done = place.run(&["run", "job.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("restored epoch"), "{}", done.err);
    assert_eq!(place.rows(), expected());
    assert_eq!(entries(&place.path("job.state")), [""; 0], "nothing is left");
}

#[test]
fn a_job_that_died_in_its_last_step_is_finished_by_the_next_start() {
    let place = Place::new();
    // Rates do not matter to the last epoch: all is read, nothing more comes.
    place.write("job.sql", &job("SUM(v) AS total").replace(RATE, "").replace("20 ms", "1 h"));
    place.die("commit.decided=return(kill)");
    let done = place.run(&["run", "job.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(place.rows(), expected());
    assert_eq!(entries(&place.path("job.state")), [""; 0], "nothing is left");
}

#[test]
fn fresh_forgets_the_state_but_not_that_there_are_rows_of_it() {
    let place = Place::new();
    place.die("commit.decided=3*off->return(kill)");
    let refused = place.run(&["run", "--fresh", "job.sql"]);
    assert_eq!(refused.code, 6, "rows would be there twice: {}", refused.err);
    assert!(refused.err.contains("`output`"), "names the table: {}", refused.err);
    std::fs::remove_dir_all(place.path("output")).expect("removed");
    let done = place.run(&["run", "--fresh", "job.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!done.err.contains("restored"), "{}", done.err);
    assert_eq!(place.rows(), expected());
}

#[test]
fn killed_between_its_first_checkpoint_and_its_first_commit_it_starts() {
    let place = Place::new();
    place.die("commit.begun=return(kill)");
    place.die("commit.begun=return(kill)");
    let done = place.run(&["run", "job.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(place.rows(), expected());
}

#[test]
fn a_second_instance_is_told_who_has_the_state() {
    let place = Place::new();
    let mut first = place.start();
    let second = place.run(&["run", "job.sql"]);
    first.kill().expect("killed");
    assert_eq!(second.code, 7, "{}", second.err);
    assert!(second.err.contains(&first.id().to_string()), "{}", second.err);
    first.wait().expect("gone");
}

#[test]
fn a_bare_query_keeps_nothing() {
    let place = Place::new();
    let sql = job("SUM(v) AS total");
    let (tables, _) = sql.split_once("INSERT").expect("an insert");
    place.write("job.sql", &format!("{tables} SELECT * FROM totals;"));
    let done = place.run(&["run", "--memory", "64MiB", "--limit", "5", "job.sql"]);
    assert_eq!((done.code, done.out.lines().count()), (0, 5), "{}", done.err);
    let mut left = entries(place.directory.path());
    left.sort();
    assert_eq!(left, ["input.json", "job.sql"]);
}

#[test]
fn state_that_the_sql_has_no_use_for_is_refused_before_it_is_dropped() {
    let place = Place::new();
    place.die("commit.decided=3*off->return(kill)");
    std::fs::rename(place.path("job.sql"), place.path("old.sql")).expect("renamed");
    std::fs::rename(place.path("job.state"), place.path("old.state")).expect("renamed");
    place.write("new.sql", &job("SUM(v) AS total").replace("totals", "sums"));
    let diff = place.run(&["state", "diff", "old.sql", "new.sql"]);
    assert_eq!(diff.code, 0, "{}", diff.err);
    assert!(diff.out.contains("dropped"), "{}", diff.out);
    std::fs::rename(place.path("old.state"), place.path("new.state")).expect("renamed");
    let refused = place.run(&["run", "--name", "job", "new.sql"]);
    assert_eq!(refused.code, 6, "{}", refused.err);
    assert!(refused.err.contains("totals"), "names what would be dropped: {}", refused.err);
    assert!(refused.err.contains("--allow-dropped-state"), "{}", refused.err);
    let done = place.run(&["run", "--name", "job", "--allow-dropped-state", "new.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
}

#[test]
fn state_is_read_without_the_job() {
    let place = Place::new();
    place.die("commit.decided=3*off->return(kill)");
    let lines = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let done = place.run(&[&["state"], arguments].concat());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
        let parse = |line| serde_json::from_str(line).expect("a JSON object a line");
        done.out.lines().map(parse).collect()
    };
    let listed = lines(&["ls", "job.state"]);
    assert_eq!(listed.len(), place.checkpoints().len());
    assert!(listed.iter().all(|checkpoint| checkpoint["epoch"].as_u64().is_some()), "{listed:?}");
    let sizes = lines(&["size", "job.state"]);
    assert!(
        sizes.iter().any(|size| size["table"].as_str().expect("a name").starts_with("totals")),
        "{sizes:?}"
    );
    assert!(!lines(&["show", "job.state"]).is_empty());
    assert!(!lines(&["scan", "job.state", "--limit", "3"]).is_empty());
    assert!(!lines(&["verify", "job.state"]).is_empty());
    let shown = place.run(&["state", "show", "job.state", "-o", "table"]);
    assert!(shown.out.contains("input.json"), "how far it was read: {}", shown.out);
}

#[test]
fn a_damaged_checkpoint_is_found() {
    let place = Place::new();
    place.die("commit.decided=3*off->return(kill)");
    let newest = place.checkpoints().into_iter().max().expect("a checkpoint");
    let folder = place.path("job.state/checkpoints").join(newest);
    let file = entries(&folder).into_iter().find(|name| name.ends_with(".sst")).expect("a table");
    let mut bytes = std::fs::read(folder.join(&file)).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(folder.join(&file), bytes).expect("written");
    for (code, arguments) in
        [(1, ["state", "verify", "job.state"].as_slice()), (6, &["run", "job.sql"])]
    {
        let done = place.run(arguments);
        assert_eq!(done.code, code, "{}{}", done.out, done.err);
        assert!(done.err.contains(&file), "names the file: {}", done.err);
    }
}

#[test]
fn a_savepoint_is_made_while_the_job_runs_and_can_be_gone_back_to() {
    let place = Place::new();
    let mut job = place.start();
    let asked = place.run(&["savepoint", "job.state", "before"]);
    job.kill().expect("killed");
    job.wait().expect("gone");
    assert_eq!(asked.code, 0, "{}", asked.err);
    let listed = place.run(&["state", "ls", "job.state"]);
    assert!(listed.out.contains("before"), "{}{}", listed.out, listed.err);
    let done = place.run(&["run", "--from-savepoint", "before", "job.sql"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("before"), "{}", done.err);
    assert_eq!(place.rows(), expected());
    let idle = place.run(&["savepoint", "job.state", "after"]);
    assert_eq!(idle.code, 2, "nobody runs: {}", idle.err);
}

#[test]
fn verify_kills_a_users_query_and_compares() {
    let place = Place::new();
    let done = place.run(&["verify", "job.sql", "--crashes", "8", "--seed", "1", "-p", "2"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("exactly once: 1,700 rows in 1 table after 8 crashes"),
        "{}",
        done.err
    );
    let mut left = entries(place.directory.path());
    left.sort();
    assert_eq!(left, ["input.json", "job.sql"], "its tables were not written");
}

#[test]
fn verify_refuses_what_has_no_end() {
    let place = Place::new();
    let sql = "CREATE TABLE t (n BIGINT) WITH ('connector' = 'datagen'); SELECT n FROM t;";
    let done = place.run(&["verify", "-e", sql]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(
        done.err.contains("`t` has no end") && done.err.contains("number-of-rows"),
        "{}",
        done.err
    );
}

#[test]
fn verify_refuses_what_goes_by_the_clock() {
    let place = Place::new();
    let sql = "CREATE TABLE t (n BIGINT, pt AS PROCTIME()) WITH ('connector' = 'datagen', 'number-of-rows' = '9'); \
               SELECT n, pt FROM t;";
    let done = place.run(&["verify", "-e", sql]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("PROCTIME()"), "{}", done.err);
}

/// A verifier that never finds anything proves nothing: here each run has other rows.
#[test]
fn verify_finds_what_is_not_exactly_once() {
    let place = Place::new();
    let sql = "SET 'execution.checkpointing.interval' = '20 ms';
        CREATE TABLE t (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '20000', 'rows-per-second' = '40000',
          'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '20000');
        SELECT n, RAND() AS r FROM t;";
    let done = place.run(&["verify", "-e", sql, "--crashes", "2", "--seed", "1"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.err.contains("not exactly once") && done.err.contains("--seed 1"), "{}", done.err);
}
