//! Random queries in both dialects.
//!
//! DataFusion's have no windows: its table has a row for each window that a row of ours belongs to,
//! with the window's ends as columns `ws` and `we`. Nothing is late: the watermark waits for longer
//! than the times of a table are apart.

use serde_json::{Map, Value, json};

use super::expression::{KINDS, Kind, Pair, Scope};
use super::random::Random;
use super::table::{COLUMNS, Table};

/// A query, and what is needed to compare its rows.
pub struct Query {
    /// Statements of ours, over a table `t` in memory.
    pub ours: String,
    /// DataFusion's, over a table `t` of the rows in `batch`.
    pub theirs: String,
    /// Of the result's columns.
    pub kinds: Vec<Kind>,
    /// The batch's columns: kind and values.
    pub batch: Value,
}

impl Query {
    pub fn generate(random: &mut Random, table: &Table) -> Self {
        let columns = COLUMNS.iter().map(|(name, kind, _)| ((*name).to_owned(), *kind)).collect();
        let scope = Scope { columns };
        if random.once_in(3) {
            plain(random, table, &scope)
        } else {
            windowed(random, table, &scope)
        }
    }
}

/// The columns of a SELECT.
struct Items {
    pairs: Vec<Pair>,
    kinds: Vec<Kind>,
}

impl Items {
    fn new() -> Self {
        Items { pairs: Vec::new(), kinds: Vec::new() }
    }

    fn push(&mut self, pair: Pair, kind: Kind) {
        let name = format!("c{}", self.pairs.len());
        self.pairs.push(Pair::both(&format!("{{}} AS {name}"), &[&pair]));
        self.kinds.push(kind);
    }

    fn random(scope: &Scope, count: usize, depth: usize, random: &mut Random) -> Self {
        let mut items = Items::new();
        for _ in 0..count {
            let kind = *random.pick(KINDS);
            let pair = scope.expression(kind, depth, random);
            items.push(pair, kind);
        }
        items
    }

    fn scope(&self) -> Scope {
        let name = |(index, kind): (usize, &Kind)| (format!("c{index}"), *kind);
        Scope { columns: self.kinds.iter().enumerate().map(name).collect() }
    }

    fn list(&self) -> Pair {
        let join =
            |part: fn(&Pair) -> &str| self.pairs.iter().map(part).collect::<Vec<_>>().join(", ");
        Pair { ours: join(|pair| &pair.ours), theirs: join(|pair| &pair.theirs) }
    }
}

/// ` WHERE …`, or nothing.
fn filter(scope: &Scope, random: &mut Random) -> Pair {
    if random.once_in(2) {
        return Pair::same("");
    }
    Pair::both(" WHERE {}", &[&scope.condition(2, random)])
}

/// Projections and filters, nested or not, or two of them together.
fn plain(random: &mut Random, table: &Table, scope: &Scope) -> Query {
    let count = 1 + random.below(4);
    let items = Items::random(scope, count, 3, random);
    let select = |items: &Items, scope: &Scope, random: &mut Random| {
        let filter = filter(scope, random);
        Pair::both("SELECT {} FROM t{}", &[&items.list(), &filter])
    };
    let query = select(&items, scope, random);
    let (query, kinds) = match random.below(3) {
        0 => (query, items.kinds),
        1 => {
            let inner = items.scope();
            let outer = Items::random(&inner, 1 + random.below(3), 2, random);
            let filter = filter(&inner, random);
            let query =
                Pair::both("SELECT {} FROM ({}) AS inner_t{}", &[&outer.list(), &query, &filter]);
            (query, outer.kinds)
        }
        _ => {
            let mut again = Items::new();
            for kind in &items.kinds {
                let pair = scope.expression(*kind, 2, random);
                again.push(pair, *kind);
            }
            let second = select(&again, scope, random);
            (Pair::both("{} UNION ALL {}", &[&query, &second]), items.kinds)
        }
    };
    let batch = batch(table.rows.iter().map(|row| (row, None)));
    Query { ours: statements("", &query.ours), theirs: query.theirs, kinds, batch }
}

/// The declaration of the table, and the query.
fn statements(before: &str, query: &str) -> String {
    let column = |(name, _, sql_type): &(&str, Kind, &str)| format!("{name} {sql_type}");
    let columns: Vec<String> = COLUMNS.iter().map(column).collect();
    format!(
        "CREATE TABLE t ({}, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)\n\
         WITH ('connector' = 'memory');\n{before}{query};",
        columns.join(", ")
    )
}

/// Aggregates over windows, of the table or of a view of it, perhaps aggregated again.
fn windowed(random: &mut Random, table: &Table, scope: &Scope) -> Query {
    let windows = Windows::generate(random);
    let (mut before, mut input, mut theirs_input) = (String::new(), "t".to_owned(), "t".to_owned());
    let mut scope = scope.clone();
    if random.once_in(3) {
        let items = Items::random(&scope, 2 + random.below(4), 2, random);
        let filter = filter(&scope, random);
        let list = items.list();
        before = format!("CREATE VIEW w AS SELECT {}, ts FROM t{};\n", list.ours, filter.ours);
        input = "w".to_owned();
        theirs_input = format!("(SELECT {}, ws, we FROM t{}) AS w", list.theirs, filter.theirs);
        scope = items.scope();
    }
    let (mut keys, mut items) = (Vec::new(), Items::new());
    for _ in 0..random.below(3) {
        let kind = *random.pick(&[Kind::Int, Kind::Text, Kind::Bool, Kind::Date, Kind::Big]);
        let key = scope.expression(kind, random.below(2), random);
        // A constant is no key: DataFusion would read a number as the place of a column.
        if scope.columns.iter().any(|(name, _)| key.ours.contains(name.as_str())) {
            items.push(key.clone(), kind);
            keys.push(key);
        }
    }
    for _ in 0..1 + random.below(4) {
        let (pair, kind) = aggregate(&scope, random);
        items.push(pair, kind);
    }
    let keys = keys.iter().fold(Pair::same(""), |all, key| Pair::both("{}, {}", &[&all, key]));
    let filter = filter(&scope, random);
    let having = match random.below(3) {
        0 => Pair::of(" HAVING {} > 1", " HAVING {} > 1", &[&Pair::same("COUNT(*)")]),
        1 => Pair::both(" HAVING {} IS NOT NULL", &[&aggregate(&scope, random).0]),
        _ => Pair::same(""),
    };
    let ours = format!(
        "SELECT window_start, window_end, {} FROM {}{}\nGROUP BY window_start, window_end{}{}",
        items.list().ours,
        windows.call(&input),
        filter.ours,
        keys.ours,
        having.ours
    );
    let theirs = format!(
        "SELECT ws, we, {} FROM {theirs_input}{}\nGROUP BY ws, we{}{}",
        items.list().theirs,
        filter.theirs,
        keys.theirs,
        having.theirs
    );
    let mut kinds = vec![Kind::Time, Kind::Time];
    let batch = batch(windows.covered(table));
    if random.once_in(4) {
        let (again, kind) = aggregate(&items.scope(), random);
        kinds.push(kind);
        before += &format!("CREATE VIEW x AS {ours};\n");
        let ours = format!(
            "SELECT window_start, window_end, {} AS c FROM x GROUP BY window_start, window_end",
            again.ours
        );
        let theirs =
            format!("SELECT ws, we, {} AS c FROM ({theirs}) AS x GROUP BY ws, we", again.theirs);
        return Query { ours: statements(&before, &ours), theirs, kinds, batch };
    }
    kinds.extend(&items.kinds);
    Query { ours: statements(&before, &ours), theirs, kinds, batch }
}

/// An aggregate, and the kind of its result.
fn aggregate(scope: &Scope, random: &mut Random) -> (Pair, Kind) {
    let choice = random.below(15);
    let filter = match random.below(3) {
        0 => Pair::both(" FILTER (WHERE {})", &[&scope.condition(1, random)]),
        _ => Pair::same(""),
    };
    let any = *random.pick(KINDS);
    let number = *random.pick(&[Kind::Int, Kind::Big, Kind::Decimal]);
    let counted = *random.pick(&[Kind::Int, Kind::Text, Kind::Date, Kind::Time]);
    let mut of = |kind| scope.expression(kind, 2, random);
    let call = |pattern: &str, argument: &Pair| {
        let pattern = format!("{pattern}{{}}");
        Pair::both(&pattern, &[argument, &filter])
    };
    match choice {
        0 | 1 => (Pair::both("COUNT(*){}", &[&filter]), Kind::Big),
        2 => (call("COUNT({})", &of(any)), Kind::Big),
        3 | 4 => (call("COUNT(DISTINCT {})", &of(counted)), Kind::Big),
        5 | 6 => (call("SUM({})", &of(number)), number),
        7 => (call("SUM({})", &of(Kind::Double)), Kind::Double),
        8 => (call("SUM(DISTINCT {})", &of(Kind::Int)), Kind::Int),
        9 | 10 => (call("MIN({})", &of(any)), any),
        11 | 12 => (call("MAX({})", &of(any)), any),
        // Flink's average of whole numbers is one, cut off towards 0.
        13 => {
            let argument = of(Kind::Int);
            let ours = "AVG({}){}";
            let theirs = "CAST(trunc(CAST(SUM({}){} AS DOUBLE) / COUNT({}){}) AS BIGINT)";
            (Pair::of(ours, theirs, &[&argument, &filter, &argument, &filter]), Kind::Int)
        }
        _ => {
            let function = ["AVG({})", "STDDEV_POP({})", "VAR_POP({})"][any as usize % 3];
            (call(function, &of(Kind::Double)), Kind::Double)
        }
    }
}

/// A window function: kind, size, slide or step, and offset, in milliseconds.
struct Windows {
    function: &'static str,
    size_ms: i64,
    part_ms: i64,
    offset_ms: i64,
}

impl Windows {
    fn generate(random: &mut Random) -> Self {
        let size_ms = *random.pick(&[10_000, 20_000, 60_000]);
        Windows {
            function: random.pick::<&str>(&["TUMBLE", "HOP", "CUMULATE"]),
            size_ms,
            part_ms: size_ms / *random.pick(&[1, 2, 5]),
            offset_ms: *random.pick(&[0, 0, 3_000, -4_000]),
        }
    }

    fn call(&self, input: &str) -> String {
        let interval = |ms: i64| format!(", INTERVAL '{}' SECOND", ms / 1000);
        let part = if self.function == "TUMBLE" { String::new() } else { interval(self.part_ms) };
        let offset = if self.offset_ms == 0 { String::new() } else { interval(self.offset_ms) };
        let size = interval(self.size_ms);
        format!("{}(TABLE {input}, DESCRIPTOR(ts){part}{size}{offset})", self.function)
    }

    /// Start and end of the windows that a time belongs to.
    fn of(&self, time: i64) -> Vec<(i64, i64)> {
        let floor = |step: i64| (time - self.offset_ms).div_euclid(step) * step + self.offset_ms;
        let (size, part) = (self.size_ms, self.part_ms);
        match self.function {
            "TUMBLE" => vec![(floor(size), floor(size) + size)],
            "HOP" => {
                let last = floor(part);
                (0..size / part).map(|k| (last - k * part, last - k * part + size)).collect()
            }
            _ => {
                let start = floor(size);
                let ends = (1..=size / part).map(|k| start + k * part);
                ends.filter(|end| time < *end).map(|end| (start, end)).collect()
            }
        }
    }

    /// A table's rows, each once for each of its windows; rows without a time have none.
    fn covered<'t>(
        &self,
        table: &'t Table,
    ) -> impl Iterator<Item = (&'t Map<String, Value>, Option<(i64, i64)>)> {
        table.rows.iter().flat_map(|row| {
            let windows = row["ts"].as_i64().map(|time| self.of(time)).unwrap_or_default();
            windows.into_iter().map(move |window| (row, Some(window)))
        })
    }
}

/// Rows as columns for the oracle, with the ends of their windows if they have some.
fn batch<'t>(rows: impl Iterator<Item = (&'t Map<String, Value>, Option<(i64, i64)>)>) -> Value {
    let rows: Vec<_> = rows.collect();
    let mut columns = Map::new();
    for (name, kind, _) in COLUMNS {
        let values: Vec<&Value> = rows.iter().map(|(row, _)| &row[*name]).collect();
        columns.insert((*name).to_owned(), json!([kind, values]));
    }
    let ends = |end: fn((i64, i64)) -> i64| -> Vec<Option<i64>> {
        rows.iter().map(|(_, window)| window.map(end)).collect()
    };
    columns.insert("ws".to_owned(), json!([Kind::Time, ends(|window| window.0)]));
    columns.insert("we".to_owned(), json!([Kind::Time, ends(|window| window.1)]));
    Value::Object(columns)
}
