//! Tests the tester: plants a bug, and is red if the rig does not find it.
//!
//! The binary must be built with `--features mutants`; each bug is one line at the place where
//! somebody could write it, asked for by `MILLSTREAM_MUTANT`.

use crate::campaign::{Settings, Stage};
use crate::faults::Fault;
use crate::lane::Plan;
use crate::ledger::{Ledger, RoundEnd};
use crate::seed::Random;
use crate::{Result, error, say};

/// A planted bug and the least that must find it.
pub struct Mutant {
    /// As in exactly-once.md.
    pub name: &'static str,
    /// What is wrong.
    pub bug: &'static str,
    faults: fn() -> Vec<Fault>,
    /// Times the usual records: a bug that strikes one row in a thousand needs them.
    rate: u64,
}

/// All of them.
pub const MUTANTS: [Mutant; 10] = [
    Mutant {
        name: "M1",
        bug: "positions are committed outside of the transaction",
        faults: || vec![Fault::KillAt("commit.offsets-sent"); 6],
        rate: 1,
    },
    Mutant {
        name: "M2",
        bug: "the newest snapshot is restored instead of the decider's",
        faults: || {
            [vec![Fault::KillAt("snapshot.durable"); 3], vec![Fault::KillAt("commit.begun"); 3]]
                .concat()
        },
        rate: 1,
    },
    Mutant {
        name: "M3",
        bug: "an epoch is committed before its snapshot is durable",
        faults: || {
            [
                vec![Fault::KillAt("snapshot.flushed"); 3],
                vec![Fault::KillAt("snapshot.manifest-written"); 3],
            ]
            .concat()
        },
        rate: 1,
    },
    Mutant {
        name: "M4",
        bug: "watermarks are not restored",
        faults: || vec![Fault::Kill; 12],
        rate: 1,
    },
    Mutant {
        name: "M5",
        bug: "old snapshots are collected before the new one is committed",
        faults: || vec![Fault::KillAt("commit.offsets-sent"); 4],
        rate: 1,
    },
    Mutant {
        name: "M6",
        bug: "a producer is trusted after an EndTxn of unknown outcome",
        faults: || vec![Fault::EndTxnLate; 30],
        rate: 1,
    },
    Mutant {
        name: "M7",
        bug: "every start has a transactional id of its own",
        faults: || vec![Fault::Zombie; 3],
        rate: 1,
    },
    Mutant {
        name: "M8",
        bug: "rows of the next epoch get into this one's transaction",
        faults: || [vec![Fault::KillAt("commit.decided"); 4], vec![Fault::Kill; 6]].concat(),
        rate: 1,
    },
    Mutant {
        name: "M9",
        bug: "a record is skipped now and then",
        faults: || vec![Fault::Kill],
        rate: 6,
    },
    Mutant {
        name: "M10",
        bug: "a record is written twice now and then",
        faults: || vec![Fault::Kill],
        rate: 6,
    },
];

/// Runs these mutants (all, if none are named); true if each was found and the original was not.
///
/// # Errors
/// If a round could not be run.
pub fn run(settings: &Settings, names: &[String]) -> Result<bool> {
    let mut stage = Stage::set_up(settings, "mutants")?;
    let mut random = Random::new(settings.seed);
    let mut all_found = true;
    let wanted: Vec<&Mutant> = MUTANTS
        .iter()
        .filter(|mutant| names.is_empty() || names.iter().any(|n| n == mutant.name))
        .collect();
    if wanted.is_empty() {
        return Err(error("no such mutant"));
    }
    for mutant in wanted {
        stage.lanes[0].mutant = Some(mutant.name.to_owned());
        let plan = Plan {
            seed: random.draw() >> 16,
            faults: (mutant.faults)(),
            rate: settings.rate * mutant.rate,
            files: false,
        };
        let end = first_bad_round(&stage, &plan);
        let found = !end.is_good();
        all_found &= found;
        let word = if found { "found" } else { "NOT FOUND" };
        say(&format!("{} ({}): {word}: {}", mutant.name, mutant.bug, end.summary()));
    }
    // The same faults without a bug must be harmless, or the above says nothing.
    stage.lanes[0].mutant = None;
    let plan = Plan {
        seed: random.draw() >> 16,
        faults: vec![Fault::Kill; 3],
        rate: settings.rate,
        files: false,
    };
    let end = stage.lanes[0].run(&plan, &Ledger::default(), None);
    Ok(all_found && end.is_good())
}

/// Chance decides which moment is met: a second seed is tried before a bug counts as missed.
fn first_bad_round(stage: &Stage, plan: &Plan) -> RoundEnd {
    let end = stage.lanes[0].run(plan, &Ledger::default(), None);
    if !end.is_good() {
        return end;
    }
    let again = Plan { seed: plan.seed + 1, ..plan.clone() };
    stage.lanes[0].run(&again, &Ledger::default(), None)
}
