//! Tables: rows with many nulls and few values, so that groups, joins of conditions and empty
//! windows all happen.

use serde_json::{Map, Value, json};

use super::expression::Kind;
use super::random::Random;

/// 2024-01-01 00:00:00 in milliseconds.
pub const BASE_MS: i64 = 1_704_067_200_000;

/// The columns of every table, in their order: name, kind, type in our SQL.
pub const COLUMNS: &[(&str, Kind, &str)] = &[
    ("k", Kind::Int, "INT"),
    ("v", Kind::Int, "INT"),
    ("w", Kind::Big, "BIGINT"),
    ("d", Kind::Double, "DOUBLE"),
    ("m", Kind::Decimal, "DECIMAL(10, 2)"),
    ("s", Kind::Text, "STRING"),
    ("b", Kind::Bool, "BOOLEAN"),
    ("u", Kind::Time, "TIMESTAMP(3)"),
    ("dt", Kind::Date, "DATE"),
];

/// Rows, in the order in which they are read.
pub struct Table {
    /// By the names of the columns, and `ts`, the event time.
    pub rows: Vec<Map<String, Value>>,
}

impl Table {
    pub fn generate(random: &mut Random) -> Self {
        let rows = (0..random.below(41)).map(|_| row(random)).collect();
        Table { rows }
    }
}

fn row(random: &mut Random) -> Map<String, Value> {
    let mut row = Map::new();
    for (name, kind, _) in COLUMNS {
        let value = if random.once_in(6) { Value::Null } else { value(*kind, random) };
        row.insert((*name).to_owned(), value);
    }
    let time = json!(BASE_MS + random.within(0, 119_999));
    row.insert("ts".to_owned(), if random.once_in(30) { Value::Null } else { time });
    row
}

/// A value as JSON that both arrow-json and Python read: times in milliseconds, exact numbers as
/// text.
fn value(kind: Kind, random: &mut Random) -> Value {
    match kind {
        Kind::Int => json!(random.within(-4, 9)),
        Kind::Big => json!(random.within(-1000, 1000)),
        // Quarters: their sums are exact in any order.
        Kind::Double => json!(random.within(-40, 40) as f64 / 4.0),
        Kind::Decimal => {
            let cents = random.within(-500, 500);
            json!(format!(
                "{}{}.{:02}",
                if cents < 0 { "-" } else { "" },
                cents.abs() / 100,
                cents.abs() % 100
            ))
        }
        Kind::Text => json!(*random.pick(&["", "a", "b", "ab", "Ab", "é", "7", "-12", "a%b"])),
        Kind::Bool => json!(random.once_in(2)),
        Kind::Time => json!(BASE_MS + random.within(-90_000_000, 90_000_000)),
        Kind::Date => json!(format!("2024-01-{:02}", random.within(1, 5))),
    }
}
