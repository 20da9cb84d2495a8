//! Golden stream scripts: SQL, what is fed, and what must come out; see queries/scripts/README.md.
//!
//! Every script runs in many ways, and must give the same rows after the same step every time: at
//! parallelism 1, 2 and 4, under several seeds of the single-threaded scheduler, without epochs and
//! with, with crashes at every epoch and anywhere, with its state in memory, in RocksDB and in
//! both. Nothing in a run depends on the clock or on threads, so there is nothing to wait for and
//! nothing to retry.

mod feed;
mod run;
mod script;

use std::path::{Path, PathBuf};

use run::{Crashes, Store, Way, run};
use script::Script;

const PARALLELISM: [usize; 3] = [1, 2, 4];
const SEEDS: [u64; 3] = [1, 7, 42];

/// Without epochs, or for scripts with crashes of their own with state in memory.
#[test]
fn scripts_give_what_they_promise() {
    let bless = std::env::var_os("BLESS").is_some();
    for_every_script(|file, name, mut script| {
        let store = script.has_crashes().then_some(Store::Memory);
        let crashes = Crashes::Own;
        if bless {
            let way = Way { parallelism: 1, seed: SEEDS[0], store, crashes };
            let outputs = run(&script, name, way).unwrap_or_else(|error| panic!("{name}: {error}"));
            let text = script.with_outputs(&outputs);
            std::fs::write(file, &text).expect("write");
            script = Script::parse(&text).expect("as before");
        }
        let seeds = |parallelism| SEEDS.map(|seed| Way { parallelism, seed, store, crashes });
        check(&script, name, &PARALLELISM.map(seeds).concat())
    });
}

#[test]
fn scripts_give_the_same_with_crashes() {
    for_every_script(|_, name, script| {
        if script.has_crashes() {
            return None;
        }
        let store = Some(Store::Memory);
        let mut ways = Vec::new();
        for parallelism in PARALLELISM {
            ways.push(Way { parallelism, seed: 1, store, crashes: Crashes::Every });
            ways.extend(SEEDS.map(|seed| {
                let seed = seed * 10 + parallelism as u64;
                Way { parallelism, seed, store, crashes: Crashes::Anywhere }
            }));
        }
        check(&script, name, &ways)
    });
}

#[test]
fn scripts_give_the_same_on_every_store() {
    for_every_script(|_, name, script| {
        let own = |crashes| if script.has_crashes() { Crashes::Own } else { crashes };
        let way = |parallelism, seed, store, crashes| Way {
            parallelism,
            seed,
            store: Some(store),
            crashes: own(crashes),
        };
        let ways = [
            way(2, 1, Store::Rocks, Crashes::Every),
            way(4, 2, Store::Rocks, Crashes::Anywhere),
            way(1, 3, Store::Mirror, Crashes::Anywhere),
            way(4, 4, Store::Mirror, Crashes::Every),
        ];
        check(&script, name, &ways)
    });
}

/// Parses every script and checks it; fails with all that do not give what they promise.
fn for_every_script(check: impl Fn(&Path, &str, Script) -> Option<String>) {
    let only = std::env::var("SCRIPT").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/scripts");
    let files: Vec<PathBuf> =
        find(&root).into_iter().filter(|file| file.display().to_string().contains(&only)).collect();
    assert!(!files.is_empty(), "no script below {}", root.display());
    let mut failures = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("script");
        let script =
            Script::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.strip_prefix(&root).expect("below").display().to_string();
        failures.extend(check(&file, &name, script));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The first of these ways of running a script that does not give what it promises.
fn check(script: &Script, name: &str, ways: &[Way]) -> Option<String> {
    let expected: Vec<&Vec<String>> = script.expectations().collect();
    for way in ways {
        let outputs = match run(script, name, *way) {
            Ok(outputs) => outputs,
            Err(error) => return Some(format!("{name} ({way:?}): {error}")),
        };
        for (number, (got, want)) in outputs.iter().zip(&expected).enumerate() {
            if got != *want {
                return Some(format!(
                    "{name} ({way:?}), expectation {}:\n  expected\n    {}\n  got\n    {}",
                    number + 1,
                    want.join("\n    "),
                    got.join("\n    ")
                ));
            }
        }
    }
    None
}

fn find(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("scripts") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files.extend(find(&path));
        } else if path.extension().is_some_and(|extension| extension == "script") {
            files.push(path);
        }
    }
    files.sort();
    files
}
