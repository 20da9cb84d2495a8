//! Counts what was done and what came of it, and writes the table that is published.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::{Result, lock};

/// Kinds of damage that the oracle tells apart.
pub const DAMAGE: [&str; 5] = ["lost", "duplicated", "wrong", "torn", "unstable"];

/// Of one fault: how often it was done, how often it did something, and the damage of the rounds
/// that it was part of.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Tries.
    pub injected: u64,
    /// Tries that met what they aimed at.
    pub hit: u64,
    /// By kind, as in [`DAMAGE`].
    pub damage: [u64; 5],
    /// By point, request or system call: hits.
    pub places: BTreeMap<String, u64>,
}

/// How one round ended.
#[derive(Clone, Debug)]
pub struct RoundEnd {
    /// Its seed.
    pub seed: u64,
    /// What was done in it.
    pub faults: Vec<String>,
    /// What `oracle.py` says, or why it could not be asked.
    pub verdict: Value,
    /// What the rig itself saw that may not be.
    pub violations: Vec<String>,
    /// Where everything about it is kept, if it failed.
    pub kept: Option<String>,
}

impl RoundEnd {
    /// True if nothing was wrong.
    pub fn is_good(&self) -> bool {
        self.violations.is_empty() && self.verdict["ok"] == json!(true)
    }

    fn damage(&self) -> [u64; 5] {
        DAMAGE.map(|kind| self.verdict[kind].as_u64().unwrap_or(0))
    }

    /// In a line.
    pub fn summary(&self) -> String {
        let damage = DAMAGE.iter().zip(self.damage());
        let damage: Vec<String> = damage.map(|(kind, count)| format!("{kind} {count}")).collect();
        format!(
            "seed {} · {} faults · {} records in · {} rows out in {} epochs · {}{}",
            self.seed,
            self.faults.len(),
            self.verdict["input_rows"],
            self.verdict["output_rows"],
            self.verdict["epochs"],
            damage.join(" · "),
            if self.violations.is_empty() {
                String::new()
            } else {
                format!(" · {}", self.violations.join(" · "))
            }
        )
    }
}

#[derive(Default)]
struct Books {
    faults: BTreeMap<String, Counts>,
    exits: BTreeMap<String, u64>,
    rounds: Vec<RoundEnd>,
}

/// The counts of a run, shared by its lanes.
#[derive(Default)]
pub struct Ledger {
    books: Mutex<Books>,
}

impl Ledger {
    /// A fault was tried.
    pub fn injected(&self, fault: &str, place: &str, hit: bool) {
        let mut books = lock(&self.books);
        let counts = books.faults.entry(fault.to_owned()).or_default();
        counts.injected += 1;
        if hit {
            counts.hit += 1;
            if !place.is_empty() {
                *counts.places.entry(place.to_owned()).or_default() += 1;
            }
        }
    }

    /// The job ended by itself; the rig started it again.
    pub fn exited(&self, how: String) {
        *lock(&self.books).exits.entry(how).or_default() += 1;
    }

    /// A round is over.
    pub fn round(&self, end: RoundEnd) {
        let mut books = lock(&self.books);
        for (at, count) in end.damage().into_iter().enumerate() {
            for fault in end
                .faults
                .iter()
                .map(|fault| kind(fault))
                .collect::<std::collections::BTreeSet<_>>()
            {
                books.faults.entry(fault.to_owned()).or_default().damage[at] += count;
            }
        }
        books.rounds.push(end);
    }

    /// Hits of a fault so far.
    pub fn hits(&self, fault: &str) -> u64 {
        lock(&self.books).faults.get(fault).map_or(0, |counts| counts.hit)
    }

    /// True if there was a round and all were good.
    pub fn is_good(&self) -> bool {
        let books = lock(&self.books);
        !books.rounds.is_empty() && books.rounds.iter().all(RoundEnd::is_good)
    }

    /// The table, for people.
    pub fn markdown(&self, title: &str) -> String {
        let books = lock(&self.books);
        let mut text = format!("# {title}\n\n");
        text.push_str(
            "| fault | | injected | hit | lost | duplicated | wrong | torn | unstable |\n",
        );
        text.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
        for (fault, counts) in &books.faults {
            let damage: Vec<String> = counts.damage.iter().map(u64::to_string).collect();
            let Counts { injected, hit, .. } = counts;
            let what = crate::faults::meaning(fault);
            let _ = writeln!(
                text,
                "| {fault} | {what} | {injected} | {hit} | {} |",
                damage.join(" | ")
            );
        }
        let good = books.rounds.iter().filter(|round| round.is_good()).count();
        let sum = |name: &str| -> u64 {
            books.rounds.iter().filter_map(|round| round.verdict[name].as_u64()).sum()
        };
        let _ = writeln!(
            text,
            "\n{good} of {} rounds good; {} records in, {} rows out, {} epochs with output.",
            books.rounds.len(),
            sum("input_rows"),
            sum("output_rows"),
            sum("epochs")
        );
        let seeds: Vec<String> = books.rounds.iter().map(|round| round.seed.to_string()).collect();
        let _ = writeln!(text, "\nSeeds: {}", seeds.join(" "));
        for (fault, counts) in books.faults.iter().filter(|(_, counts)| !counts.places.is_empty()) {
            let places = counts.places.iter().map(|(place, count)| format!("{place} {count}"));
            let _ =
                writeln!(text, "\n{fault} by place: {}", places.collect::<Vec<_>>().join(" · "));
        }
        if !books.exits.is_empty() {
            let exits = books.exits.iter().map(|(how, count)| format!("{how} {count}"));
            let _ = writeln!(text, "\nEnded by itself: {}", exits.collect::<Vec<_>>().join(" · "));
        }
        for round in books.rounds.iter().filter(|round| !round.is_good()) {
            let kept = round.kept.as_deref().unwrap_or("nothing kept");
            let _ = writeln!(
                text,
                "\n**Failed**: {}\n  {}\n  {kept}",
                round.summary(),
                round.verdict["examples"]
            );
        }
        text
    }

    /// The same, for programs.
    pub fn json(&self) -> Value {
        let books = lock(&self.books);
        let faults = books.faults.iter().map(|(fault, counts)| {
            let damage: serde_json::Map<String, Value> = DAMAGE
                .iter()
                .zip(counts.damage)
                .map(|(kind, count)| ((*kind).to_owned(), count.into()))
                .collect();
            let (injected, hit, places) = (counts.injected, counts.hit, &counts.places);
            let row =
                json!({ "injected": injected, "hit": hit, "places": places, "damage": damage });
            (fault.clone(), row)
        });
        let rounds = books.rounds.iter().map(|round| {
            let RoundEnd { seed, faults, verdict, violations, kept } = round;
            json!({ "seed": seed, "faults": faults, "verdict": verdict, "violations": violations,
                    "good": round.is_good(), "kept": kept })
        });
        json!({
            "faults": faults.collect::<serde_json::Map<_, _>>(),
            "exits": books.exits,
            "rounds": rounds.collect::<Vec<_>>(),
        })
    }

    /// Writes both below `dir`.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&self, dir: &Path, title: &str) -> Result<()> {
        std::fs::create_dir_all(dir)?;
        std::fs::write(dir.join("report.md"), self.markdown(title))?;
        std::fs::write(dir.join("report.json"), format!("{:#}\n", self.json()))?;
        Ok(())
    }
}

/// `F2` of `F2 commit.sent`.
fn kind(fault: &str) -> &str {
    fault.split_whitespace().next().unwrap_or(fault)
}
