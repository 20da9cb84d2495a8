//! The text of a script: parsed, and written back with other expectations.

use std::fmt::Write;

/// A script.
pub struct Script {
    /// The lines that start with `> `, as one SQL text with the same line numbers as the script.
    pub sql: String,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The text, to write it back.
    text: String,
}

/// One step.
pub enum Step {
    /// `$ feed TABLE[/SPLIT]`, then one JSON object a line.
    Feed {
        /// Name of the table in SQL.
        table: String,
        /// Which of its splits, from 0.
        split: usize,
        /// The records.
        records: Vec<String>,
    },
    /// `$ end`: all inputs end.
    End,
    /// `$ idle 60000`: this much time passes, in milliseconds, with nothing to read.
    Idle {
        /// How long.
        ms: u64,
    },
    /// `$ epoch`: an epoch ends; what was processed before is committed.
    Epoch,
    /// `$ crash`: the job is gone, with all that is not committed.
    Crash,
    /// `$ restart`: it starts again.
    Restart,
    /// `$ rescale 4`: it starts again with this parallelism. What still ran is gone.
    Rescale(usize),
    /// `---`: what has come out since the last one, sorted.
    Expect(Vec<String>),
}

impl Script {
    /// Parses a script; an error names its line.
    pub fn parse(text: &str) -> Result<Script, String> {
        let (mut sql, mut steps) = (String::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            if let Some(line) = line.strip_prefix("> ") {
                sql.push_str(line);
            } else if let Some(command) = line.strip_prefix("$ ") {
                steps.push(
                    command_of(command).ok_or_else(|| format!("line {}: {line}", number + 1))?,
                );
            } else if line == "---" {
                steps.push(Step::Expect(Vec::new()));
            } else if !line.is_empty() && !line.starts_with('#') {
                match steps.last_mut() {
                    Some(Step::Feed { records, .. } | Step::Expect(records)) => {
                        records.push(line.to_owned())
                    }
                    _ => return Err(format!("line {}: `{line}` belongs to no step", number + 1)),
                }
            }
            sql.push('\n');
        }
        Ok(Script { sql, steps, text: text.to_owned() })
    }

    /// Whether the script says itself when epochs end and the job crashes.
    pub fn has_crashes(&self) -> bool {
        let own = |step: &Step| {
            matches!(step, Step::Epoch | Step::Crash | Step::Restart | Step::Rescale(_))
        };
        self.steps.iter().any(own)
    }

    /// What is expected, in order.
    pub fn expectations(&self) -> impl Iterator<Item = &Vec<String>> {
        self.steps.iter().filter_map(|step| match step {
            Step::Expect(rows) => Some(rows),
            _ => None,
        })
    }

    /// The text with these outputs as its expectations.
    pub fn with_outputs(&self, outputs: &[Vec<String>]) -> String {
        let (mut text, mut outputs, mut inside) = (String::new(), outputs.iter(), false);
        for line in self.text.lines() {
            if line == "---" {
                inside = true;
                text.push_str("---\n");
                for row in outputs.next().expect("one output an expectation") {
                    writeln!(text, "{row}").expect("a string takes it");
                }
                continue;
            }
            inside = inside && line.starts_with('{');
            if !inside {
                writeln!(text, "{line}").expect("a string takes it");
            }
        }
        text
    }
}

fn command_of(command: &str) -> Option<Step> {
    match command.split_once(' ') {
        None => match command {
            "end" => Some(Step::End),
            "epoch" => Some(Step::Epoch),
            "crash" => Some(Step::Crash),
            "restart" => Some(Step::Restart),
            _ => None,
        },
        Some(("rescale", parallelism)) => {
            parallelism.parse().ok().filter(|number| *number > 0).map(Step::Rescale)
        }
        Some(("idle", ms)) => Some(Step::Idle { ms: ms.parse().ok()? }),
        Some(("feed", table)) => {
            let (table, split) = table.split_once('/').unwrap_or((table, "0"));
            Some(Step::Feed {
                table: table.to_owned(),
                split: split.parse().ok()?,
                records: Vec::new(),
            })
        }
        _ => None,
    }
}
