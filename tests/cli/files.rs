//! Files as a job reads and writes them: compressed, partitioned, watched.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use super::{millstream, run, sorted};

/// A job in a directory of its own.
struct Job {
    directory: tempfile::TempDir,
}

impl Job {
    fn new(sql: &str) -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let sql = sql.replace("DIR", directory.path().to_str().expect("UTF-8"));
        fs::write(directory.path().join("job.sql"), sql).expect("write");
        Job { directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn run(&self, more: &[&str]) {
        let (sql, state) = (self.path("job.sql"), self.path("state"));
        let done = run(&[&["run", &sql, "--state-dir", &state], more].concat());
        assert_eq!(done.code, 0, "{}", done.err);
    }

    fn select(&self, query: &str) -> String {
        let ddl = fs::read_to_string(self.path("job.sql")).expect("read");
        let ddl = ddl.split("INSERT").next().unwrap_or_default();
        let done = run(&["run", "-q", "-e", &format!("{ddl}{query}")]);
        assert_eq!(done.code, 0, "{}", done.err);
        sorted(&done.out).join("\n")
    }
}

const COPY: &str = "
    CREATE TABLE i (id BIGINT, tags ARRAY<STRING>, at TIMESTAMP(3), day DATE)
      WITH ('connector' = 'filesystem', 'path' = 'DIR/in', 'format' = 'json');
    CREATE TABLE o (id BIGINT, tags ARRAY<STRING>, at TIMESTAMP(3), day DATE) PARTITIONED BY (day)
      WITH ('connector' = 'filesystem', 'path' = 'DIR/out', 'format' = 'FORMAT', 'compression' = 'PACKED');
    INSERT INTO o SELECT * FROM i;";

#[test]
fn rows_go_to_compressed_partitions_and_come_back() {
    for (format, packed, extension) in
        [("json", "gzip", "json.gz"), ("csv", "zstd", "csv.zst"), ("parquet", "none", "parquet")]
    {
        let job = Job::new(&COPY.replace("FORMAT", format).replace("PACKED", packed));
        fs::create_dir(job.path("in")).expect("a folder");
        let rows = r#"{"id":1,"tags":["a","b"],"at":"2024-01-01 10:00:00","day":"2024-01-01"}
{"id":2,"tags":["c"],"at":"2024-01-02 11:00:00","day":"2024-01-02"}
{"id":3,"tags":["d"],"at":null,"day":null}"#;
        fs::write(job.path("in/a.json"), rows).expect("write");
        job.run(&["-p", "1"]);
        assert_eq!(job.select("SELECT * FROM o"), rows, "{format}");
        let at = job.path("out/day=2024-01-01");
        let names: Vec<_> = fs::read_dir(&at).expect(&at).flatten().collect();
        let name = names[0].file_name().into_string().expect("UTF-8");
        assert!(name.ends_with(extension), "{name}");
        assert!(Path::new(&job.path("out/day=__DEFAULT_PARTITION__")).is_dir());
    }
}

#[test]
fn a_watched_directory_is_read_as_files_come_and_none_twice() {
    let job = Job::new(
        "CREATE TABLE i (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'DIR/in',
           'format' = 'json', 'source.monitor-interval' = '10 ms');
         CREATE TABLE shown (id BIGINT) WITH ('connector' = 'print');
         INSERT INTO shown SELECT id FROM i;",
    );
    fs::create_dir(job.path("in")).expect("a folder");
    let add = |name: &str, id: u32| {
        let hidden = job.path(&format!("in/.{name}"));
        fs::write(&hidden, format!("{{\"id\":{id}}}\n")).expect("write");
        fs::rename(hidden, job.path(&format!("in/{name}"))).expect("rename");
    };
    // Each life ends by itself once it has shown the row that is new to it.
    for life in 0..3 {
        let (sql, state) = (job.path("job.sql"), job.path("state"));
        let mut command = millstream(&["run", "-q", "-p", "2", &sql, "--state-dir", &state]);
        command.args(["-o", "ndjson"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        for file in 0..2 {
            let id = life * 2 + file;
            add(&format!("{id}.json"), id);
            let mut row = String::new();
            output.read_line(&mut row).expect("a row");
            assert_eq!(row, format!("{{\"id\":{id}}}\n"), "no file is read again");
        }
        // A stop commits what was read.
        let pid = child.id().to_string();
        let killed = std::process::Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.expect("kill").success());
        assert!(child.wait().expect("it ends").success());
        // A file that was read may go, and come again under its name.
        fs::remove_file(job.path(&format!("in/{}.json", life * 2))).expect("remove");
        if life > 0 {
            add(&format!("{}.json", life * 2 - 2), 99);
        }
    }
}
