//! Generated queries over generated tables agree with batch DataFusion.
//!
//! A seed makes a table, and a query in two dialects: ours, and DataFusion's own. Ours is planned
//! and run here, as a stream in several splits and batches, at several parallelisms, under the
//! seeded scheduler of the simulation; DataFusion's, with windows as plain columns, is run by
//! `tests/oracle/batch.py` on the same rows in one batch. Where Flink and DataFusion mean different
//! things by the same words, the generator writes them differently (`expression.rs`).
//!
//! A failure names its seed; `MILLSTREAM_FUZZ_SEED=17 cargo nextest run --release --test fuzz own_seeds`
//! repeats it alone, and `20000..90000` tries others.

mod expression;
mod query;
mod random;
mod run;
mod table;

use std::io::{BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use random::Random;

/// So many failures are told of each range of seeds.
const MOST_TOLD: usize = 5;

/// The Python environment that `./x` makes, with DataFusion's wheel in it.
fn python() -> PathBuf {
    let cache = std::env::var_os("MILLSTREAM_CACHE").map(PathBuf::from).unwrap_or_else(|| {
        let home = std::env::var_os("HOME").expect("HOME is set");
        Path::new(&home).join(".cache/millstream")
    });
    cache.join("venv/bin/python")
}

/// Runs the queries of these seeds here, and has the oracle compare. The first few that fail are
/// told together.
fn agree(seeds: std::ops::Range<u64>) {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/batch.py");
    let mut child = Command::new(python())
        .arg(oracle)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python with DataFusion: run the tests by ./x test");
    let mut to_oracle = BufWriter::new(child.stdin.take().expect("piped"));
    let mut failed = Vec::new();
    for seed in seeds {
        if failed.len() >= MOST_TOLD {
            break;
        }
        let mut random = Random::new(seed);
        let table = table::Table::generate(&mut random);
        let query = query::Query::generate(&mut random, &table);
        let ran = catch_unwind(AssertUnwindSafe(|| run::run(&table, &query, &mut random)));
        let rows = match ran.unwrap_or_else(|_| Err("it panicked, see above".to_owned())) {
            Ok(rows) => rows,
            Err(error) => {
                failed.push(format!("seed {seed}: {error}\n{}\n", query.ours));
                continue;
            }
        };
        let case = serde_json::json!({
            "seed": seed,
            "ours": query.ours,
            "theirs": query.theirs,
            "kinds": query.kinds,
            "table": query.batch,
            "rows": rows,
        });
        // An oracle that has found a difference reads no further, and says so at its end.
        if writeln!(to_oracle, "{case}").is_err() {
            break;
        }
    }
    drop(to_oracle);
    let output = child.wait_with_output().expect("the oracle ends");
    let (said, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed = failed.concat();
    assert!(output.status.success() && failed.is_empty(), "{failed}{said}{errors}");
}

#[test]
fn queries_agree_with_batch_datafusion() {
    agree(0..2_500);
}

#[test]
fn queries_agree_on_the_second_quarter() {
    agree(2_500..5_000);
}

#[test]
fn queries_agree_on_the_third_quarter() {
    agree(5_000..7_500);
}

#[test]
fn queries_agree_on_the_last_quarter() {
    agree(7_500..10_000);
}

/// The seeds of `MILLSTREAM_FUZZ_SEED`, one or a range, or the first one.
#[test]
fn own_seeds() {
    let wanted = std::env::var("MILLSTREAM_FUZZ_SEED").unwrap_or_else(|_| "0".to_owned());
    let number = |text: &str| text.parse::<u64>().expect("a seed is a number");
    match wanted.split_once("..") {
        Some((first, end)) => agree(number(first)..number(end)),
        None => agree(number(&wanted)..number(&wanted) + 1),
    }
}
