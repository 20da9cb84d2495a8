//! The binary as a user meets it: a child process, its rows, its messages, its exit codes.

mod bad_input;
mod docs;
mod errors;
mod exactly_once;
mod examples;
mod files;
mod functions;
mod input;
mod run;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Root of the tree: paths in examples and docs start here.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a finished process left behind.
struct Finished {
    code: i32,
    out: String,
    err: String,
}

/// A command of the binary under test, in the root of the tree, free of the caller's environment.
/// Jobs that keep state keep each its own.
fn millstream(arguments: &[&str]) -> Command {
    static COMMANDS: AtomicU32 = AtomicU32::new(0);
    let state = format!("state-{}-{}", std::process::id(), COMMANDS.fetch_add(1, Relaxed));
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    command.args(arguments).current_dir(ROOT).env("NO_COLOR", "1").stdin(Stdio::null());
    command.env("MILLSTREAM_STATE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join(state));
    for name in ["MILLSTREAM_PARALLELISM", "MILLSTREAM_OUTPUT", "MILLSTREAM_ENV_FILE"] {
        command.env_remove(name);
    }
    command
}

fn finish(output: Output) -> Finished {
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Finished {
        code: output.status.code().expect("ended by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Runs the binary to its end.
fn run(arguments: &[&str]) -> Finished {
    finish(millstream(arguments).output().expect("the binary starts"))
}

/// Runs the binary with this text on standard input.
fn run_with_input(arguments: &[&str], input: &str) -> Finished {
    let mut command = millstream(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads its input");
    finish(child.wait_with_output().expect("it ends"))
}

/// Rows of an NDJSON output, sorted: subtasks race, their rows do not.
fn sorted(out: &str) -> Vec<&str> {
    let mut rows: Vec<&str> = out.lines().collect();
    rows.sort_unstable();
    rows
}

/// A file with this content in a directory of its own, which is deleted at the end.
fn file(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join(name);
    std::fs::write(&path, content).expect("write");
    let path = path.to_str().expect("UTF-8 path").to_owned();
    (directory, path)
}

/// DDL of a table `t` over a file of JSON lines, with an event-time column `ts`.
fn table(path: impl AsRef<Path>, columns: &str, options: &str) -> String {
    format!(
        "CREATE TABLE t ({columns}) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json'{options});",
        path.as_ref().display()
    )
}
