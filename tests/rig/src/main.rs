//! `rig`: see `tests/rig/README.md`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use millstream_rig::campaign::{self, Settings};
use millstream_rig::ledger::Ledger;
use millstream_rig::{Result, lane, mutants, say};

/// Breaks everything around running jobs, and counts what is lost, repeated or torn.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    tier: Tier,
    /// The program under test.
    #[arg(long, global = true, default_value_os_t = default_binary())]
    binary: PathBuf,
    /// Decides everything that is left to chance; without it, the clock does.
    #[arg(long, global = true)]
    seed: Option<u64>,
    /// Jobs at a time, each with a proxy of its own.
    #[arg(long, global = true, default_value_t = 4)]
    lanes: usize,
    /// Records a second for each job.
    #[arg(long, global = true, default_value_t = 250)]
    rate: u64,
    /// Where report.md and report.json go.
    #[arg(long, global = true, default_value = "target/rig")]
    out: PathBuf,
    /// Runs the program with a planted bug (built with `--features mutants`).
    #[arg(long, global = true)]
    mutant: Option<String>,
}

#[derive(Subcommand)]
enum Tier {
    /// Every fault a few times: about 8 minutes.
    Ci,
    /// Every fault over and over.
    Soak {
        /// How long.
        #[arg(long, default_value_t = 60)]
        minutes: u64,
    },
    /// Some faults (`F7`, `F2 commit.sent`); none at all without a name.
    Run {
        /// Which.
        faults: Vec<String>,
        /// How often each.
        #[arg(long, default_value_t = 5)]
        times: usize,
        /// The job writes files instead of a topic.
        #[arg(long)]
        files: bool,
    },
    /// Plants bugs, each of which must be found.
    Mutants {
        /// Which (`M1` to `M10`); all without a name.
        names: Vec<String>,
    },
    /// Asks the oracle again about the files of a round.
    Judge {
        /// The round's directory.
        dir: PathBuf,
    },
}

fn default_binary() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join("release/millstream")
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(cause) => {
            say(&format!("rig: {cause}"));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool> {
    let Arguments { tier, binary, lanes, rate, out, mutant, .. } = arguments;
    let clock = || chrono::Utc::now().timestamp().unsigned_abs();
    let settings = Settings {
        binary: binary.clone(),
        lanes: *lanes,
        seed: arguments.seed.unwrap_or_else(clock),
        rate: *rate,
        mutant: mutant.clone(),
    };
    say(&format!("seed {}", settings.seed));
    let ledger = Ledger::default();
    match tier {
        Tier::Ci => campaign::ci(&settings, &ledger)?,
        Tier::Soak { minutes } => campaign::soak(&settings, &ledger, *minutes, out)?,
        Tier::Run { faults, times, files } => {
            campaign::some(&settings, &ledger, (faults, *times, *files))?;
        }
        Tier::Mutants { names } => return mutants::run(&settings, names),
        Tier::Judge { dir } => {
            let verdict = lane::ask_oracle(dir)?;
            say(&format!("{verdict:#}"));
            return Ok(verdict["ok"] == true);
        }
    }
    let title = format!("Rig, seed {}", settings.seed);
    ledger.write(out, &title)?;
    say(&format!("\n{}", ledger.markdown(&title)));
    Ok(ledger.is_good())
}
