//! Random expressions, written twice: as Flink says it, and as DataFusion says the same.

use serde::Serialize;

use super::random::Random;

/// Kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Int,
    Big,
    Double,
    Decimal,
    Text,
    Bool,
    Time,
    Date,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind::Int,
    Kind::Big,
    Kind::Double,
    Kind::Decimal,
    Kind::Text,
    Kind::Bool,
    Kind::Time,
    Kind::Date,
];

/// An expression in both dialects.
#[derive(Clone, Debug)]
pub struct Pair {
    pub ours: String,
    pub theirs: String,
}

impl Pair {
    /// The same in both.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Pair { ours: text.clone(), theirs: text }
    }

    /// A pattern for each dialect, with the parts in place of each `{}`.
    pub fn of(ours: &str, theirs: &str, parts: &[&Pair]) -> Self {
        let fill = |pattern: &str, part: fn(&Pair) -> &str| {
            let mut pieces = pattern.split("{}");
            let mut text = pieces.next().unwrap_or_default().to_owned();
            for (piece, pair) in pieces.zip(parts) {
                text += part(pair);
                text += piece;
            }
            text
        };
        Pair { ours: fill(ours, |pair| &pair.ours), theirs: fill(theirs, |pair| &pair.theirs) }
    }

    /// One pattern for both dialects.
    pub fn both(pattern: &str, parts: &[&Pair]) -> Self {
        Pair::of(pattern, pattern, parts)
    }
}

/// The columns that an expression may use.
#[derive(Clone, Debug)]
pub struct Scope {
    pub columns: Vec<(String, Kind)>,
}

impl Scope {
    fn column(&self, kind: Kind, random: &mut Random) -> Option<Pair> {
        let fitting: Vec<&String> =
            self.columns.iter().filter(|(_, k)| *k == kind).map(|(name, _)| name).collect();
        (!fitting.is_empty()).then(|| Pair::same(random.pick(&fitting).as_str()))
    }

    /// An expression of this kind, of at most this depth.
    pub fn expression(&self, kind: Kind, depth: usize, random: &mut Random) -> Pair {
        if depth == 0 || random.once_in(4) {
            return match self.column(kind, random) {
                Some(column) if !random.once_in(5) => column,
                _ => literal(kind, random),
            };
        }
        let depth = depth - 1;
        if kind != Kind::Bool && random.once_in(4) {
            return self.choice(kind, depth, random);
        }
        match kind {
            Kind::Int => self.int(depth, random),
            Kind::Big => self.big(depth, random),
            Kind::Double => self.double(depth, random),
            Kind::Decimal => self.decimal(depth, random),
            Kind::Text => self.text(depth, random),
            Kind::Bool => self.condition(depth, random),
            Kind::Time => self.time(depth, random),
            Kind::Date => self.date(depth, random),
        }
    }

    /// What chooses among values of any kind.
    fn choice(&self, kind: Kind, depth: usize, random: &mut Random) -> Pair {
        let mut of = |kind| self.expression(kind, depth, random);
        let (a, b, condition, number) = (of(kind), of(kind), of(Kind::Bool), of(Kind::Int));
        match random.below(6) {
            0 => Pair::both("COALESCE({}, {})", &[&a, &b]),
            1 => Pair::both("NULLIF({}, {})", &[&a, &b]),
            2 => Pair::both("CASE WHEN {} THEN {} ELSE {} END", &[&condition, &a, &b]),
            3 => Pair::both("CASE WHEN {} THEN {} END", &[&condition, &a]),
            4 => Pair::both("CASE {} WHEN 1 THEN {} WHEN 2 THEN {} END", &[&number, &a, &b]),
            _ => Pair::of(
                "IF({}, {}, {})",
                "CASE WHEN {} THEN {} ELSE {} END",
                &[&condition, &a, &b],
            ),
        }
    }

    fn int(&self, depth: usize, random: &mut Random) -> Pair {
        let choice = random.below(11);
        let mut of = |kind| self.expression(kind, depth, random);
        let (a, b) = (of(Kind::Int), of(Kind::Int));
        match choice {
            0 => Pair::both("({} + {})", &[&a, &b]),
            1 => Pair::both("({} - {})", &[&a, &b]),
            2 => Pair::both("({} * {})", &[&a, &b]),
            3 => Pair::both("({} / NULLIF({}, 0))", &[&a, &b]),
            4 => Pair::both("({} % NULLIF({}, 0))", &[&a, &b]),
            5 => Pair::of("MOD({}, NULLIF({}, 0))", "({} % NULLIF({}, 0))", &[&a, &b]),
            6 => Pair::both("ABS({})", &[&a]),
            7 => Pair::of("CHAR_LENGTH({})", "character_length({})", &[&of(Kind::Text)]),
            8 => Pair::of("CAST({} AS INT)", "CAST(trunc({}) AS INT)", &[&of(Kind::Double)]),
            // Flink cuts the fraction off.
            9 => Pair::of(
                "CAST({} AS INT)",
                "CAST(trunc(CAST({} AS DOUBLE)) AS INT)",
                &[&of(Kind::Decimal)],
            ),
            _ => Pair::both("TRY_CAST({} AS INT)", &[&self.numeral(depth, random)]),
        }
    }

    /// Text that is a small number, or none.
    fn numeral(&self, depth: usize, random: &mut Random) -> Pair {
        match self.column(Kind::Text, random) {
            Some(column) => column,
            None => Pair::of(
                "CAST({} AS STRING)",
                "CAST({} AS VARCHAR)",
                &[&self.expression(Kind::Int, depth, random)],
            ),
        }
    }

    fn big(&self, depth: usize, random: &mut Random) -> Pair {
        let choice = random.below(7);
        let mut of = |kind| self.expression(kind, depth, random);
        match choice {
            0 => Pair::both("({} + {})", &[&of(Kind::Big), &of(Kind::Int)]),
            1 => Pair::both("({} - {})", &[&of(Kind::Big), &of(Kind::Big)]),
            2 => Pair::both("({} * 3)", &[&of(Kind::Big)]),
            3 => Pair::both("CAST({} AS BIGINT)", &[&of(Kind::Int)]),
            4 => Pair::of("HOUR({})", "CAST(date_part('hour', {}) AS BIGINT)", &[&of(Kind::Time)]),
            5 => Pair::of(
                "EXTRACT(DAY FROM {})",
                "CAST(date_part('day', {}) AS BIGINT)",
                &[&of(Kind::Date)],
            ),
            _ => Pair::both("({} / NULLIF({}, 0))", &[&of(Kind::Big), &of(Kind::Int)]),
        }
    }

    fn double(&self, depth: usize, random: &mut Random) -> Pair {
        let choice = random.below(7);
        let mut of = |kind| self.expression(kind, depth, random);
        match choice {
            0 => Pair::both("({} + {})", &[&of(Kind::Double), &of(Kind::Double)]),
            1 => Pair::both("({} - {})", &[&of(Kind::Double), &of(Kind::Double)]),
            2 => Pair::both("({} * 2)", &[&of(Kind::Double)]),
            3 => Pair::both("CAST({} AS DOUBLE)", &[&of(Kind::Int)]),
            4 => Pair::both("CAST({} AS DOUBLE)", &[&of(Kind::Decimal)]),
            // An approximate number makes the whole approximate.
            5 => Pair::of(
                "({} + {})",
                "({} + CAST({} AS DOUBLE))",
                &[&of(Kind::Double), &of(Kind::Decimal)],
            ),
            _ => Pair::both("FLOOR({})", &[&of(Kind::Double)]),
        }
    }

    fn decimal(&self, depth: usize, random: &mut Random) -> Pair {
        let choice = random.below(5);
        let mut of = |kind| self.expression(kind, depth, random);
        match choice {
            0 => Pair::both("({} + {})", &[&of(Kind::Decimal), &of(Kind::Decimal)]),
            1 => Pair::both("({} - {})", &[&of(Kind::Decimal), &of(Kind::Decimal)]),
            2 => Pair::both("({} + {})", &[&of(Kind::Decimal), &of(Kind::Int)]),
            3 => Pair::both("({} * 2)", &[&of(Kind::Decimal)]),
            _ => Pair::both("CAST({} AS DECIMAL(12, 2))", &[&of(Kind::Int)]),
        }
    }

    fn text(&self, depth: usize, random: &mut Random) -> Pair {
        let choice = random.below(12);
        let (from, length) = (random.within(1, 3), random.within(0, 3));
        let mut of = |kind| self.expression(kind, depth, random);
        match choice {
            0 => Pair::both("({} || {})", &[&of(Kind::Text), &of(Kind::Text)]),
            1 => Pair::both("UPPER({})", &[&of(Kind::Text)]),
            2 => Pair::both("LOWER({})", &[&of(Kind::Text)]),
            3 => Pair::of(
                &format!("SUBSTRING({{}} FROM {from} FOR {length})"),
                &format!("substr({{}}, {from}, {length})"),
                &[&of(Kind::Text)],
            ),
            4 => Pair::both("REPLACE({}, 'a', 'xy')", &[&of(Kind::Text)]),
            // NULL if one of them is, which DataFusion's function of that name is not.
            5 => Pair::of("CONCAT({}, {})", "({} || {})", &[&of(Kind::Text), &of(Kind::Text)]),
            6 => Pair::of("CAST({} AS STRING)", "CAST({} AS VARCHAR)", &[&of(Kind::Int)]),
            7 => Pair::of("CAST({} AS STRING)", "upper(CAST({} AS VARCHAR))", &[&of(Kind::Bool)]),
            8 => Pair::of("CAST({} AS STRING)", "CAST({} AS VARCHAR)", &[&of(Kind::Date)]),
            9 => Pair::of(
                "CAST({} AS STRING)",
                "to_char({}, '%Y-%m-%d %H:%M:%S%.3f')",
                &[&of(Kind::Time)],
            ),
            10 => Pair::of(
                "DATE_FORMAT({}, 'yyyy/MM/dd HH:mm')",
                "to_char({}, '%Y/%m/%d %H:%M')",
                &[&of(Kind::Time)],
            ),
            _ => Pair::both("REVERSE({})", &[&of(Kind::Text)]),
        }
    }

    fn time(&self, depth: usize, random: &mut Random) -> Pair {
        let sign = *random.pick(&["+", "-"]);
        let span = *random.pick(&["'90' SECOND", "'5' MINUTE", "'7' HOUR", "'1' DAY"]);
        let time = self.expression(Kind::Time, depth, random);
        Pair::both(&format!("({{}} {sign} INTERVAL {span})"), &[&time])
    }

    fn date(&self, depth: usize, random: &mut Random) -> Pair {
        Pair::both("CAST({} AS DATE)", &[&self.expression(Kind::Time, depth, random)])
    }

    /// A condition, true, false or neither.
    pub fn condition(&self, depth: usize, random: &mut Random) -> Pair {
        let kind = *random.pick(KINDS);
        let ordered = if kind == Kind::Bool { Kind::Int } else { kind };
        let operator = *random.pick(&["=", "<>", "<", "<=", ">", ">="]);
        let choice = random.below(14);
        let mut of = |kind| self.expression(kind, depth, random);
        let pair = |operator: &str, a: Pair, b: Pair| {
            Pair::both(&format!("({{}} {operator} {{}})"), &[&a, &b])
        };
        match choice {
            0..=3 => pair(operator, of(ordered), of(ordered)),
            4 => pair("AND", of(Kind::Bool), of(Kind::Bool)),
            5 => pair("OR", of(Kind::Bool), of(Kind::Bool)),
            6 => Pair::both("(NOT {})", &[&of(Kind::Bool)]),
            7 => Pair::both("({} IS NULL)", &[&of(kind)]),
            8 => Pair::both("({} IS NOT NULL)", &[&of(kind)]),
            9 => Pair::both("({} IS NOT TRUE)", &[&of(Kind::Bool)]),
            10 => Pair::both("({} BETWEEN {} AND {})", &[&of(ordered), &of(ordered), &of(ordered)]),
            // DataFusion computes some expressions in a list once for all rows.
            11 => {
                let (a, b) = (of(Kind::Int), of(Kind::Int));
                let theirs = "({} = 1 OR {} = 3 OR {} = {})";
                Pair {
                    theirs: Pair::both(theirs, &[&a, &a, &a, &b]).theirs,
                    ..Pair::both("({} IN (1, 3, {}))", &[&a, &b])
                }
            }
            12 => Pair::both("({} LIKE '%b')", &[&of(Kind::Text)]),
            _ => pair("IS DISTINCT FROM", of(ordered), of(ordered)),
        }
    }
}

/// A literal. DataFusion reads `1.5` as a DOUBLE, Flink as a DECIMAL.
fn literal(kind: Kind, random: &mut Random) -> Pair {
    match kind {
        Kind::Int | Kind::Big => match random.within(-3, 12) {
            // `--` would begin a comment.
            number @ ..0 => Pair::same(format!("({number})")),
            number => Pair::same(number.to_string()),
        },
        Kind::Double => Pair::same(format!("{}E0", random.within(0, 20) as f64 / 4.0)),
        Kind::Decimal => {
            let number = format!("{}.{:02}", random.within(0, 9), random.within(0, 99));
            let theirs = format!("CAST('{number}' AS DECIMAL(3, 2))");
            Pair { ours: number, theirs }
        }
        Kind::Text => Pair::same(format!("'{}'", random.pick(&["", "a", "b", "ab", "x''y", "é"]))),
        Kind::Bool => Pair::same(*random.pick(&["TRUE", "FALSE"])),
        Kind::Time => Pair::of(
            "TIMESTAMP '2024-01-0{} 11:00:30.5'",
            "CAST('2024-01-0{} 11:00:30.5' AS TIMESTAMP)",
            &[&Pair::same(random.within(1, 2).to_string())],
        ),
        Kind::Date => Pair::same(format!("DATE '2024-01-0{}'", random.within(1, 5))),
    }
}
