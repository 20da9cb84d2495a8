//! Rows as aligned columns, for a stream: widths are guessed by type before all rows are known,
//! and a column that meets a wider value stays that wide.

use arrow::array::Array;
use arrow::datatypes::{DataType, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use millstream_operators::Batch;

/// After so many lines a column that grew may show the heading again.
const LINES_BETWEEN_HEADINGS: usize = 40;
/// Columns do not grow beyond this for the sake of one long value, which then sticks out.
const MAX_WIDTH: usize = 60;
/// Between columns.
const GAP: &str = "  ";

/// Widths and heading of one table on the console.
#[derive(Debug)]
pub(super) struct TableLayout {
    // PROPERTIES (constant)
    names: Vec<String>,
    right_aligned: Vec<bool>,
    // STATE (changes)
    /// Width of each column in characters.
    widths: Vec<usize>,
    /// Whether the heading shown last has the column `op`; `None` before the first.
    headed: Option<bool>,
    lines_since_heading: usize,
}

impl TableLayout {
    pub(super) fn new(schema: &Schema) -> Self {
        let names: Vec<String> =
            schema.fields().iter().map(|field| clean(field.name().clone())).collect();
        let kinds = || schema.fields().iter().map(|field| field.data_type());
        let widths = names.iter().zip(kinds()).map(|(name, kind)| width(name).max(usual(kind)));
        TableLayout {
            widths: widths.collect(),
            right_aligned: kinds().map(DataType::is_numeric).collect(),
            names,
            headed: None,
            lines_since_heading: 0,
        }
    }

    /// Appends the lines of a batch; `turned` says that another table was shown in between.
    pub(super) fn append(
        &mut self,
        batch: &Batch,
        turned: bool,
        prefix: &str,
        lines: &mut Vec<u8>,
    ) -> Result<(), ArrowError> {
        let cells = cells(batch)?;
        let grew = self.grow(&cells);
        let with_op = batch.kinds.is_some();
        let stale = grew && self.lines_since_heading >= LINES_BETWEEN_HEADINGS;
        if turned || stale || self.headed != Some(with_op) {
            self.heading(with_op, prefix, lines);
        }
        let line_of = |row: usize| {
            let op = with_op.then(|| batch.kind(row).as_str());
            self.line(op, |column| &cells[column][row])
        };
        for line in (0..batch.num_rows()).map(line_of) {
            push_line(prefix, &line, lines);
        }
        self.lines_since_heading += batch.num_rows();
        Ok(())
    }

    fn grow(&mut self, cells: &[Vec<String>]) -> bool {
        let mut grew = false;
        for (column, cells) in cells.iter().enumerate() {
            let widest = cells.iter().map(|cell| width(cell)).max().unwrap_or(0).min(MAX_WIDTH);
            grew |= widest > self.widths[column];
            self.widths[column] = self.widths[column].max(widest);
        }
        grew
    }

    fn heading(&mut self, with_op: bool, prefix: &str, lines: &mut Vec<u8>) {
        if self.headed.is_some() {
            // A blank line sets the new block apart.
            lines.push(b'\n');
        }
        let names = self.line(with_op.then_some("op"), |column| &self.names[column]);
        push_line(prefix, &names, lines);
        let op_width = if with_op { 2 + GAP.len() } else { 0 };
        let gaps = GAP.len() * self.widths.len().saturating_sub(1);
        let total = op_width + self.widths.iter().sum::<usize>() + gaps;
        push_line(prefix, &"-".repeat(total), lines);
        self.headed = Some(with_op);
        self.lines_since_heading = 0;
    }

    fn line<'a>(&self, op: Option<&str>, cell: impl Fn(usize) -> &'a String) -> String {
        let mut line = op.map_or_else(String::new, |op| format!("{op}{GAP}"));
        for (column, width) in self.widths.iter().enumerate() {
            if column > 0 {
                line.push_str(GAP);
            }
            if self.right_aligned[column] {
                line.push_str(&format!("{:>width$}", cell(column)));
            } else {
                line.push_str(&format!("{:<width$}", cell(column)));
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn push_line(prefix: &str, line: &str, lines: &mut Vec<u8>) {
    if !prefix.is_empty() {
        lines.extend_from_slice(prefix.as_bytes());
        lines.extend_from_slice(b"> ");
    }
    lines.extend_from_slice(line.as_bytes());
    lines.push(b'\n');
}

/// The cells of each column.
fn cells(batch: &Batch) -> Result<Vec<Vec<String>>, ArrowError> {
    let fields = batch.rows.schema_ref().fields().iter().zip(batch.rows.columns());
    fields
        .map(|(field, column)| {
            let format = timestamp_format(field.data_type());
            let options = FormatOptions::new()
                .with_null("NULL")
                .with_timestamp_format(Some(format))
                .with_timestamp_tz_format(Some(format))
                .with_time_format(Some("%H:%M:%S%.f"));
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
            (0..column.len())
                .map(|row| Ok(clean(formatter.value(row).try_to_string()?)))
                .collect::<Result<Vec<_>, ArrowError>>()
        })
        .collect()
}

/// As many decimals as the type has: values of a column line up.
fn timestamp_format(kind: &DataType) -> &'static str {
    match kind {
        DataType::Timestamp(TimeUnit::Second, _) => "%Y-%m-%d %H:%M:%S",
        DataType::Timestamp(TimeUnit::Microsecond, _) => "%Y-%m-%d %H:%M:%S%.6f",
        DataType::Timestamp(TimeUnit::Nanosecond, _) => "%Y-%m-%d %H:%M:%S%.9f",
        _ => "%Y-%m-%d %H:%M:%S%.3f",
    }
}

/// Width that a column starts with: what values of its type usually need.
fn usual(kind: &DataType) -> usize {
    match kind {
        DataType::Boolean => 5,
        DataType::Int8 | DataType::Int16 => 5,
        DataType::Int32 | DataType::Int64 => 8,
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => 10,
        DataType::Date32 => 10,
        DataType::Time32(_) | DataType::Time64(_) => 8,
        DataType::Timestamp(TimeUnit::Second, _) => 19,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 23,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 26,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 29,
        _ => 10,
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Escapes what would break the line or the terminal.
fn clean(text: String) -> String {
    if text.chars().any(char::is_control) { text.escape_debug().to_string() } else { text }
}
