//! Listings: rows of named cells, aligned for people or as JSON lines for programs. People get
//! `1.2 GB` and `3 s ago`, programs the bytes and the milliseconds.

use std::io::IsTerminal;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use millstream::engine::report::{format_bytes, format_watermark, group_digits};
use millstream::state::EventTime;
use serde_json::Value;

use super::args::OutputFormat;
use super::failure::Failure;
use super::print;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number of things.
    Count(u64),
    /// A size.
    Bytes(u64),
    /// A moment of event time; `None` if there is none yet.
    Moment(Option<i64>),
    /// Milliseconds since 1970 by the clock.
    Clock(u64),
    /// Yes or no.
    Flag(bool),
    /// Anything else, as it is.
    Json(Value),
    /// Does not apply.
    Nothing,
}

/// Rows with the same columns; the first column is left-aligned, text too, numbers are not.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    columns: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

impl Listing {
    /// An empty listing. Names of columns are also the keys of JSON, so they have their unit.
    pub fn new(columns: &'static [&'static str]) -> Self {
        Listing { columns, rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it has not a cell for each column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.columns.len(), "a cell a column");
        self.rows.push(cells);
    }

    /// Writes it to standard output; `none` is said if there is no row.
    pub fn print(&self, output: Option<OutputFormat>) -> Result<(), Failure> {
        print(&self.text(is_for_people(output)?))
    }

    fn text(&self, people: bool) -> String {
        if people { self.table() } else { self.lines() }
    }

    fn lines(&self) -> String {
        let line = |row: &Vec<Cell>| {
            let pairs =
                self.columns.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), cell.json()));
            format!("{}\n", Value::Object(pairs.collect()))
        };
        self.rows.iter().map(line).collect()
    }

    fn table(&self) -> String {
        let heading = |name: &&str| {
            let bare = name.strip_suffix("_bytes").or(name.strip_suffix("_ms")).unwrap_or(name);
            bare.replace('_', " ")
        };
        let mut lines = vec![self.columns.iter().map(heading).collect::<Vec<String>>()];
        lines.extend(self.rows.iter().map(|row| row.iter().map(Cell::words).collect()));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> =
            (0..self.columns.len()).map(|column| width(column).unwrap_or(0)).collect();
        let left: Vec<bool> = (0..self.columns.len())
            .map(|column| column == 0 || self.rows.iter().any(|row| row[column].is_words()))
            .collect();
        let mut text = String::new();
        for line in lines {
            let cells = line.iter().zip(widths.iter().zip(&left)).map(|(cell, (width, left))| {
                if *left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Whether output is for people: as asked for, else if it goes to a terminal.
pub fn is_for_people(output: Option<OutputFormat>) -> Result<bool, Failure> {
    match output {
        None => Ok(std::io::stdout().is_terminal()),
        Some(OutputFormat::Table) => Ok(true),
        Some(OutputFormat::Ndjson) => Ok(false),
        Some(_) => Err(Failure::usage("this command writes `table` or `ndjson`", None)),
    }
}

impl Cell {
    fn is_words(&self) -> bool {
        matches!(self, Cell::Text(_) | Cell::Moment(_) | Cell::Flag(_) | Cell::Json(_))
    }

    fn json(&self) -> Value {
        match self {
            Cell::Text(text) => text.as_str().into(),
            Cell::Count(number) | Cell::Bytes(number) | Cell::Clock(number) => (*number).into(),
            Cell::Moment(moment) => moment.map_or(Value::Null, Value::from),
            Cell::Flag(flag) => (*flag).into(),
            Cell::Json(value) => value.clone(),
            Cell::Nothing => Value::Null,
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(number) => group_digits(*number),
            Cell::Bytes(bytes) => format_bytes(*bytes),
            Cell::Moment(moment) => {
                moment.map_or_else(|| "-".to_owned(), |ms| format_watermark(EventTime::from_ms(ms)))
            }
            Cell::Clock(ms) => ago(*ms),
            Cell::Flag(true) => "yes".to_owned(),
            Cell::Flag(false) => "-".to_owned(),
            Cell::Json(value) => value.to_string(),
            Cell::Nothing => "-".to_owned(),
        }
    }
}

/// How long ago a moment of the clock was, in the unit that reads best.
pub fn ago(unix_ms: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = now.saturating_sub(Duration::from_millis(unix_ms)).as_secs();
    match since {
        0 => "just now".to_owned(),
        1..120 => format!("{since} s ago"),
        120..7_200 => format!("{} min ago", since / 60),
        7_200..172_800 => format!("{} h ago", since / 3_600),
        _ => format!("{} days ago", since / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_get_the_same_rows() {
        let mut listing = Listing::new(&["table", "rows", "size_bytes"]);
        listing.row(vec![Cell::Text("a/panes".into()), Cell::Count(1_200), Cell::Bytes(2_000)]);
        listing.row(vec![Cell::Text("b/fired".into()), Cell::Count(1), Cell::Nothing]);
        assert_eq!(
            listing.text(true),
            "table     rows    size\na/panes  1,200  2.0 kB\nb/fired      1       -\n"
        );
        assert_eq!(
            listing.text(false),
            "{\"table\":\"a/panes\",\"rows\":1200,\"size_bytes\":2000}\n\
             {\"table\":\"b/fired\",\"rows\":1,\"size_bytes\":null}\n"
        );
    }
}
