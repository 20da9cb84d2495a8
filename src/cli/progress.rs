//! The progress line: rows a second, watermark, lag and epoch while a job runs. Only on a terminal, so
//! that logs and pipes stay free of it.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use millstream::engine::JobMetrics;
use millstream::engine::metrics::Role;
use millstream::engine::report::format_watermark;

/// How often the line changes; faster is not readable.
const REFRESH: Duration = Duration::from_millis(500);

/// The line at the bottom of the terminal.
pub struct Progress {
    bar: ProgressBar,
    shown: Option<(Instant, u64)>,
}

impl Progress {
    /// A line, hidden if `quiet`, if stderr is no terminal, or if rows go to the same terminal
    /// (they would tear each other apart).
    pub fn new(quiet: bool) -> Self {
        let shared = std::io::stdout().is_terminal();
        let visible = !quiet && !shared && std::io::stderr().is_terminal();
        let bar = if visible { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Progress { bar, shown: None }
    }

    /// Draws the present figures, if it is time to.
    pub fn show(&mut self, metrics: &JobMetrics) {
        let now = Instant::now();
        if self.bar.is_hidden() || self.shown.is_some_and(|(last, _)| now - last < REFRESH) {
            return;
        }
        let view = metrics.snapshot();
        let rows = view.rows_read();
        let rate = self.shown.map_or(0.0, |(last, before)| {
            (rows.saturating_sub(before)) as f64 / (now - last).as_secs_f64()
        });
        let mut message =
            format!("{} rows in, {} rows/s", HumanCount(rows), HumanCount(rate as u64));
        let sources = || view.nodes.iter().filter(|node| node.role == Role::Source);
        if let Some(watermark) = sources().map(|node| node.total.watermark).min() {
            message.push_str(&format!(", watermark {}", format_watermark(watermark)));
        }
        let lag: u64 = sources().map(|node| node.total.lag_records).sum();
        if lag > 0 {
            message.push_str(&format!(", {} records behind", HumanCount(lag)));
        }
        if view.epochs.epochs > 0 {
            message.push_str(&format!(", epoch {}", view.epochs.last_epoch));
        }
        self.bar.set_message(message);
        self.bar.tick();
        self.shown = Some((now, rows));
    }

    /// Says something above the line.
    pub fn note(&self, text: &str) {
        if self.bar.is_hidden() {
            super::say(text);
        } else {
            self.bar.println(text);
        }
    }

    /// Takes the line away.
    pub fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}
