//! The summary of a run as a table.
//!
//! ```text
//! operator       rows in  rows out   late  bytes in  bytes out  busy  watermark
//! bids         1,000,000   920,000      0    1.1 GB    22.1 MB   71%  end
//! bids.window    920,000     1,800      0   22.1 MB   57.6 kB   22%  end
//! results          1,800     1,800      0   57.6 kB   90.1 kB    0%  end
//!
//! 920,000 rows/s · latency p50 1.2 ms, p99 4.0 ms, max 9.1 ms · 1.1 s
//! 12 epochs, the last is 12: align 1.1 ms, seal 9.0 ms, commit 11.2 ms · snapshot 1.2 MB
//! ```

use std::fmt;

use arrow::temporal_conversions::timestamp_ms_to_datetime;
use millstream_state::EventTime;

use crate::metrics::{Figures, JobSnapshot, NodeSnapshot};

const HEADINGS: [&str; 8] =
    ["operator", "rows in", "rows out", "late", "bytes in", "bytes out", "busy", "watermark"];

impl fmt::Display for JobSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![HEADINGS.map(str::to_owned)];
        lines.extend(self.nodes.iter().map(|node| cells(node, self.elapsed_ns)));
        let widths: [usize; 8] = std::array::from_fn(|column| {
            lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
        });
        for line in &lines {
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                match column {
                    0 => write!(f, "{cell:<width$}")?,
                    7 => write!(f, "  {cell}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        let seconds = self.elapsed_ns as f64 / 1e9;
        let rate = self.rows_read() as f64 / seconds.max(1e-9);
        write!(f, "\n{} rows/s", group_digits(rate as u64))?;
        if let Some(latency) = &self.latency {
            let [p50, p99, max] = [latency.p50_ns, latency.p99_ns, latency.max_ns].map(format_ns);
            write!(f, " · latency p50 {p50}, p99 {p99}, max {max}")?;
        }
        writeln!(f, " · {}", format_ns(self.elapsed_ns))?;
        self.fmt_epochs(f)?;
        self.fmt_notes(f)
    }
}

impl JobSnapshot {
    fn fmt_epochs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epochs = &self.epochs;
        if epochs.epochs == 0 && epochs.restarts == 0 {
            return Ok(());
        }
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        write!(f, "{} epoch{}", group_digits(epochs.epochs), plural(epochs.epochs))?;
        let [align, seal, commit] =
            [epochs.align_ns, epochs.seal_ns, epochs.commit_ns].map(format_ns);
        write!(
            f,
            ", the last is {}: align {align}, seal {seal}, commit {commit}",
            epochs.last_epoch
        )?;
        write!(f, " · snapshot {}", format_bytes(epochs.snapshot_bytes))?;
        if epochs.restarts > 0 {
            write!(f, " · {} restart{}", epochs.restarts, plural(epochs.restarts))?;
        }
        if let Some(resident_bytes) = self.resident_bytes {
            write!(f, " · {} of memory", format_bytes(resident_bytes))?;
        }
        writeln!(f)
    }

    /// What did not become part of a result, in words: nothing is left out silently.
    fn fmt_notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = |figure: fn(&Figures) -> u64| -> u64 {
            self.nodes.iter().map(|node| figure(&node.total)).sum()
        };
        let notes = [
            (total(|figures| figures.late_rows), "late row", " came after all windows had fired"),
            (total(|figures| figures.null_time_rows), "row", " without event time, in no window"),
            (total(|figures| figures.decode_errors), "record", " could not be read and left out"),
        ];
        for (count, noun, what) in notes {
            if count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                writeln!(f, "{} {noun}{plural}{what}", group_digits(count))?;
            }
        }
        Ok(())
    }
}

/// A count with a comma between thousands.
pub fn group_digits(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn cells(node: &NodeSnapshot, elapsed_ns: u64) -> [String; 8] {
    let total = &node.total;
    let thread_time_ns = (elapsed_ns * node.subtasks.len() as u64).max(1);
    [
        node.name.clone(),
        group_digits(total.rows_in),
        group_digits(total.rows_out),
        group_digits(total.late_rows),
        format_bytes(total.bytes_in),
        format_bytes(total.bytes_out),
        format!("{:.0}%", total.busy_ns as f64 * 100.0 / thread_time_ns as f64),
        format_watermark(total.watermark),
    ]
}

/// Decimal units, as disks and networks count.
pub fn format_bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", bytes as f64 / *size as f64),
        None => format!("{bytes} B"),
    }
}

/// A span of time in the unit that reads best.
pub fn format_ns(ns: u64) -> String {
    match ns {
        0..1_000_000 => format!("{:.0} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{:.1} s", ns as f64 / 1e9),
    }
}

/// `-` before the first watermark, `end` after the last, otherwise date and time.
pub fn format_watermark(watermark: EventTime) -> String {
    match watermark {
        EventTime::MIN => "-".to_owned(),
        EventTime::MAX => "end".to_owned(),
        _ => match timestamp_ms_to_datetime(watermark.as_ms()) {
            Some(moment) => moment.to_string(),
            None => watermark.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(group_digits),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([999, 1_000, 1_250_000].map(format_bytes), ["999 B", "1.0 kB", "1.2 MB"]);
        assert_eq!([1_500, 2_500_000, 61_000_000_000].map(format_ns), ["2 µs", "2.5 ms", "61.0 s"]);
        let moments = [EventTime::MIN, EventTime::from_ms(1_500), EventTime::MAX];
        assert_eq!(moments.map(format_watermark), ["-", "1970-01-01 00:00:01.500", "end"]);
    }
}
