//! Batch DataFusion as oracle; see tests/oracle/oracle.py for how it is one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python environment that `./x` makes, with DataFusion's wheel in it.
fn python() -> PathBuf {
    let cache = std::env::var_os("MILLSTREAM_CACHE").map(PathBuf::from).unwrap_or_else(|| {
        let home = std::env::var_os("HOME").expect("HOME is set");
        Path::new(&home).join(".cache/millstream")
    });
    cache.join("venv/bin/python")
}

fn agree(first_seed: u32, cases: u32) {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/oracle.py");
    let output = Command::new(python())
        .arg(oracle)
        .args([env!("CARGO_BIN_EXE_millstream"), &first_seed.to_string(), &cases.to_string()])
        .output()
        .expect("Python with DataFusion: run the tests by ./x test");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn windowed_aggregates_agree_with_batch_datafusion() {
    agree(0, 150);
}

#[test]
fn windowed_aggregates_agree_on_more_seeds() {
    agree(10_000, 150);
}
