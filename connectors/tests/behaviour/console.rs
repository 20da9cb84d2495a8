//! What a terminal, and a program that reads from a pipe, sees.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::DataType::{self, Float64, Int64, Utf8};
use millstream_connectors::Writer;
use millstream_connectors::console::{Console, ConsoleFormat};
use millstream_connectors::registry::{Environment, open_sink};
use millstream_operators::Batch;

use crate::common::{Shown, TIMESTAMP, environment, table};

const COLUMNS: [(&str, DataType); 4] =
    [("id", Int64), ("city", Utf8), ("delay", Float64), ("ts", TIMESTAMP)];

struct Terminal {
    environment: Environment,
    shown: Shown,
}

impl Terminal {
    fn new(format: ConsoleFormat, limit: Option<u64>) -> Self {
        let mut environment = environment(std::path::Path::new("."));
        let shown = Shown::default();
        environment.console = Arc::new(Console::new(Box::new(shown.clone()), format, limit));
        Terminal { environment, shown }
    }

    fn writer(&self, options: &[(&str, &str)]) -> Box<dyn Writer> {
        let options = [&[("connector", "print")], options].concat();
        open_sink(&table(&options, &COLUMNS), &self.environment).unwrap().writer(0).unwrap()
    }
}

fn batch(ids: &[i64]) -> Batch {
    let cities = ids.iter().map(|id| (id % 3 != 0).then(|| format!("City {id}")));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids.to_vec())),
        Arc::new(StringArray::from_iter(cities)),
        Arc::new(Float64Array::from_iter_values(ids.iter().map(|id| *id as f64 / 4.0))),
        Arc::new(TimestampMillisecondArray::from_iter_values(ids.iter().map(|id| id * 500))),
    ];
    Batch::inserts(RecordBatch::try_new(table(&[], &COLUMNS).schema, columns).unwrap())
}

#[test]
fn a_table_has_aligned_columns_under_one_heading() {
    let terminal = Terminal::new(ConsoleFormat::Table, None);
    let mut writer = terminal.writer(&[]);
    writer.write(&batch(&[1, 2])).unwrap();
    writer.write(&batch(&[3, 123_456_789])).unwrap();
    writer.finish().unwrap();
    let text = terminal.shown.text();
    assert_eq!(
        text,
        "      id  city             delay  ts\n\
         ---------------------------------------------------------\n\
         \x20      1  City 1            0.25  1970-01-01 00:00:00.500\n\
         \x20      2  City 2             0.5  1970-01-01 00:00:01.000\n\
         \x20       3  NULL               0.75  1970-01-01 00:00:01.500\n\
         123456789  NULL        30864197.25  1971-12-16 10:46:34.500\n",
        "\n{text}"
    );
}

#[test]
fn a_table_with_changes_has_a_column_for_their_kind() {
    let terminal = Terminal::new(ConsoleFormat::Table, None);
    let mut changes = batch(&[1, 2]);
    changes.kinds = Some(Int8Array::from(vec![1, 2]));
    terminal.writer(&[("print-identifier", "late")]).write(&changes).unwrap();
    let text = terminal.shown.text();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("late> op "), "{text}");
    assert!(lines[2].starts_with("late> -U "), "{text}");
    assert!(lines[3].starts_with("late> +U "), "{text}");
}

#[test]
fn json_lines_are_the_columns_in_order() {
    let terminal = Terminal::new(ConsoleFormat::Ndjson, None);
    let mut writer = terminal.writer(&[("print-identifier", "not for programs")]);
    writer.write(&batch(&[1])).unwrap();
    let mut changes = batch(&[3]);
    changes.kinds = Some(Int8Array::from(vec![3]));
    writer.write(&changes).unwrap();
    assert_eq!(
        terminal.shown.text(),
        "{\"id\":1,\"city\":\"City 1\",\"delay\":0.25,\"ts\":\"1970-01-01 00:00:00.5\"}\n\
         {\"op\":\"-D\",\"id\":3,\"city\":null,\"delay\":0.75,\"ts\":\"1970-01-01 00:00:01.5\"}\n"
    );
}

#[test]
fn a_changelog_is_op_and_data() {
    let terminal = Terminal::new(ConsoleFormat::Changelog, None);
    terminal.writer(&[]).write(&batch(&[1])).unwrap();
    assert_eq!(
        terminal.shown.text(),
        "{\"op\":\"+I\",\"data\":{\"id\":1,\"city\":\"City 1\",\"delay\":0.25,\
         \"ts\":\"1970-01-01 00:00:00.5\"}}\n"
    );
}

#[test]
fn csv_has_its_heading_once() {
    let terminal = Terminal::new(ConsoleFormat::Csv, None);
    let mut writer = terminal.writer(&[]);
    writer.write(&batch(&[1])).unwrap();
    writer.write(&batch(&[2])).unwrap();
    let text = terminal.shown.text();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert_eq!(text.lines().next(), Some("id,city,delay,ts"));
}

#[test]
fn a_limit_counts_over_all_tables() {
    let terminal = Terminal::new(ConsoleFormat::Ndjson, Some(3));
    let (mut first, mut second) = (terminal.writer(&[]), terminal.writer(&[]));
    first.write(&batch(&[1, 2])).unwrap();
    assert!(!terminal.environment.console.is_full());
    second.write(&batch(&[4, 5, 7])).unwrap();
    assert!(terminal.environment.console.is_full());
    first.write(&batch(&[8])).unwrap();
    assert_eq!(terminal.shown.text().lines().count(), 3);
    assert_eq!(terminal.environment.console.rows(), 3);
}

#[test]
fn none_counts_and_shows_nothing() {
    let terminal = Terminal::new(ConsoleFormat::None, None);
    terminal.writer(&[]).write(&batch(&[1, 2])).unwrap();
    assert_eq!(terminal.shown.text(), "");
    assert_eq!(terminal.environment.console.rows(), 2);
}

struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_reader_that_went_away_is_the_end_and_no_error() {
    let mut terminal = Terminal::new(ConsoleFormat::Ndjson, None);
    let console = Console::new(Box::new(Broken), ConsoleFormat::Ndjson, None);
    terminal.environment.console = Arc::new(console);
    let mut writer = terminal.writer(&[]);
    writer.write(&batch(&[1])).unwrap();
    writer.finish().unwrap();
    assert!(terminal.environment.console.is_closed());
    assert!(terminal.environment.console.is_full());
}

#[test]
fn decimals_are_shown_with_all_their_digits() {
    let terminal = Terminal::new(ConsoleFormat::Table, None);
    let columns = [("price", DataType::Decimal128(10, 2))];
    let spec = table(&[("connector", "print")], &columns);
    let prices = Decimal128Array::from(vec![1050, -5]).with_precision_and_scale(10, 2).unwrap();
    let rows = RecordBatch::try_new(spec.schema.clone(), vec![Arc::new(prices)]).unwrap();
    let sink = open_sink(&spec, &terminal.environment).unwrap();
    sink.writer(0).unwrap().write(&Batch::inserts(rows)).unwrap();
    let text = terminal.shown.text();
    assert!(text.ends_with("     10.50\n     -0.05\n"), "{text}");
}
