//! Golden stream scripts: SQL, what is fed, and what must come out; see queries/scripts/README.md.
//!
//! Every script runs at parallelism 1, 2 and 4, each under several seeds of the single-threaded
//! scheduler, and must give the same rows after the same step every time. Nothing in a run depends
//! on the clock or on threads, so there is nothing to wait for and nothing to retry.

mod feed;
mod script;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use millstream::connectors::console::{Console, ConsoleFormat};
use millstream::connectors::registry::Environment;
use millstream::engine::job::RunOptions;
use millstream::engine::sim::Simulation;
use millstream::{PlanOptions, SourceText};

use feed::Fed;
use script::{Script, Step};

const PARALLELISM: [usize; 3] = [1, 2, 4];
const SEEDS: [u64; 3] = [1, 7, 42];

#[test]
fn scripts_give_what_they_promise() {
    let bless = std::env::var_os("BLESS").is_some();
    let only = std::env::var("SCRIPT").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/scripts");
    let mut failures = Vec::new();
    let files: Vec<PathBuf> =
        find(&root).into_iter().filter(|file| file.display().to_string().contains(&only)).collect();
    assert!(!files.is_empty(), "no script below {}", root.display());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("script");
        let script =
            Script::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.strip_prefix(&root).expect("below").display().to_string();
        if bless {
            let outputs =
                run(&script, &name, 1, SEEDS[0]).unwrap_or_else(|error| panic!("{name}: {error}"));
            std::fs::write(&file, script.with_outputs(&outputs)).expect("write");
        }
        let script =
            Script::parse(&std::fs::read_to_string(&file).expect("script")).expect("as before");
        failures.extend(check(&script, &name));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The first way of running a script that does not give what it promises.
fn check(script: &Script, name: &str) -> Option<String> {
    let expected: Vec<&Vec<String>> = script.expectations().collect();
    for parallelism in PARALLELISM {
        for seed in SEEDS {
            let outputs = match run(script, name, parallelism, seed) {
                Ok(outputs) => outputs,
                Err(error) => {
                    return Some(format!(
                        "{name} (parallelism {parallelism}, seed {seed}): {error}"
                    ));
                }
            };
            for (number, (got, want)) in outputs.iter().zip(&expected).enumerate() {
                if got != *want {
                    return Some(format!(
                        "{name} (parallelism {parallelism}, seed {seed}), expectation {}:\n  expected\n    {}\n  got\n    {}",
                        number + 1,
                        want.join("\n    "),
                        got.join("\n    ")
                    ));
                }
            }
        }
    }
    None
}

/// Runs a script once; for each of its expectations the rows since the one before, sorted.
fn run(
    script: &Script,
    name: &str,
    parallelism: usize,
    seed: u64,
) -> Result<Vec<Vec<String>>, String> {
    let source = SourceText::new(name, &script.sql);
    let options = PlanOptions { parallelism, ..PlanOptions::default() };
    let plan = millstream::plan(&source, &options)
        .map_err(|diagnostics| millstream::queries::render::all(&diagnostics, &source, false))?;
    let shown = Shown::default();
    let console = Arc::new(Console::new(Box::new(shown.clone()), ConsoleFormat::Changelog, None));
    let environment =
        Environment::new(PathBuf::from("."), plan.settings.zone.clone(), parallelism, console);
    let fed = Fed::new(script, environment);
    let mut simulation = Simulation::new(&plan.graph, RunOptions::new(parallelism), &fed, seed)
        .map_err(|error| error.to_string())?;
    let mut outputs = Vec::new();
    for step in &script.steps {
        match step {
            Step::Feed { table, split, records } => fed.feed(table, *split, records),
            Step::End => fed.end(),
            Step::Idle { ms } => simulation.let_pass(*ms).map_err(|error| error.to_string())?,
            Step::Expect(_) => {
                simulation.settle().map_err(|error| error.to_string())?;
                outputs.push(shown.take());
            }
        }
        simulation.settle().map_err(|error| error.to_string())?;
    }
    Ok(outputs)
}

/// What the console has shown, shared with it.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    /// The lines since the last call, sorted: subtasks race, their rows do not.
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().expect("not poisoned"));
        let mut lines: Vec<String> =
            String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
