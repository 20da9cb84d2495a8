//! What is right: every form of statement and expression, read into what the planner expects.

use datafusion_sql::sqlparser::ast::{DataType as SqlDataType, Expr, SelectItem, SetExpr};
use datafusion_sql::sqlparser::ast::{Query, Select, TableFactor};
use millstream_queries::calls::{self, TableInput};
use millstream_queries::diagnostic::{Diagnostic, SourceText};
use millstream_queries::interval::IntervalValue;
use millstream_queries::parse::{self, span_of};
use millstream_queries::statement::{ColumnKind, CreateTable, ExplainDetail, Spanned, Statement};
use millstream_queries::{PlanOptions, codes, render, types};

fn env(name: &str) -> Option<String> {
    (name == "HOST").then(|| "localhost:9092".to_owned())
}

/// The statements of a text, and the warnings about it.
fn with_warnings(sql: &str) -> (Vec<Statement>, Vec<Diagnostic>) {
    let source = SourceText::new("test.sql", sql);
    let (statements, diagnostics) = parse::parse(&source, &env);
    let errors = diagnostics.iter().any(Diagnostic::is_error);
    assert!(!errors, "{}", render::all(&diagnostics, &source, false));
    (statements.into_iter().map(|s| s.node).collect(), diagnostics)
}

/// The statements of a text without mistakes.
fn all(sql: &str) -> Vec<Statement> {
    let (statements, warnings) = with_warnings(sql);
    assert_eq!(warnings, []);
    statements
}

fn one(sql: &str) -> Statement {
    let mut statements = all(sql);
    assert_eq!(statements.len(), 1, "{statements:?}");
    statements.remove(0)
}

fn table(sql: &str) -> CreateTable {
    match one(sql) {
        Statement::CreateTable(table) => table,
        other => panic!("{other:?}"),
    }
}

fn query(sql: &str) -> Query {
    match one(sql) {
        Statement::Query(query) => *query,
        other => panic!("{other:?}"),
    }
}

fn select(sql: &str) -> Select {
    match *query(sql).body {
        SetExpr::Select(select) => *select,
        other => panic!("{other:?}"),
    }
}

/// The first expression that a query selects.
fn expr(sql: &str) -> Expr {
    match select(&format!("SELECT {sql} FROM t")).projection.remove(0) {
        SelectItem::UnnamedExpr(expr) => expr,
        other => panic!("{other:?}"),
    }
}

/// The only relation in FROM.
fn from(sql: &str) -> TableFactor {
    select(&format!("SELECT * FROM {sql}")).from.remove(0).relation
}

#[test]
fn create_table_with_every_kind_of_column() {
    let table = table(
        "CREATE TEMPORARY TABLE IF NOT EXISTS Orders (
           order_id BIGINT NOT NULL COMMENT 'the key',
           `Größe` DECIMAL(10, 2),
           part INT METADATA FROM 'partition' VIRTUAL,
           offset BIGINT METADATA,
           cost AS price * 2 COMMENT 'computed',
           cents INT GENERATED ALWAYS AS (price * 100),
           ts TIMESTAMP(3),
           WATERMARK FOR ts AS ts - INTERVAL '5' SECOND,
           CONSTRAINT pk PRIMARY KEY (order_id, part) NOT ENFORCED
         ) COMMENT 'all of them' WITH (
           'connector' = 'kafka', value.format = 'json',
           'properties.bootstrap.servers' = '${HOST}', 'it''s' = '''')",
    );
    assert_eq!(table.name.node, "Orders");
    assert!(table.if_not_exists);
    let kinds: Vec<String> = table
        .columns
        .iter()
        .map(|column| match &column.kind {
            ColumnKind::Physical { data_type } => {
                let name = types::flink_name(&data_type.node.data_type);
                format!("{} {name} {}", column.name.node, data_type.node.nullable)
            }
            ColumnKind::Metadata { key, is_virtual, .. } => {
                format!("{} from {} {is_virtual}", column.name.node, key.node)
            }
            ColumnKind::Computed { expr } => format!("{} as {}", column.name.node, expr.node),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "order_id BIGINT false",
            "Größe DECIMAL(10, 2) true",
            "part from partition true",
            "offset from offset false",
            "cost as price * 2",
            "cents as CAST((price * 100) AS INT)",
            "ts TIMESTAMP(3) true",
        ]
    );
    let watermark = table.watermark.expect("a watermark");
    assert_eq!(
        (watermark.column.node.as_str(), watermark.expr.node.to_string().as_str()),
        ("ts", "ts - INTERVAL '5' SECOND")
    );
    assert_eq!(
        table.primary_key.iter().map(|c| c.node.as_str()).collect::<Vec<_>>(),
        ["order_id", "part"]
    );
    let options: Vec<_> =
        table.options.iter().map(|(k, v)| (k.node.as_str(), v.node.as_str())).collect();
    assert_eq!(
        options,
        [
            ("connector", "kafka"),
            ("value.format", "json"),
            ("properties.bootstrap.servers", "localhost:9092"),
            ("it's", "'"),
        ]
    );
}

#[test]
fn a_key_may_stand_at_its_column_and_a_watermark_may_be_the_column() {
    let table = table(
        "create table t (id int primary key not enforced, ts timestamp(3), watermark for ts)",
    );
    assert_eq!(table.primary_key[0].node, "id");
    assert_eq!(table.watermark.expect("a watermark").expr.node.to_string(), "ts");
    let keyed = self::table("CREATE TABLE t (id INT PRIMARY KEY NOT ENFORCED NOT NULL)");
    assert!(matches!(&keyed.columns[0].kind,
        ColumnKind::Physical { data_type } if !data_type.node.nullable));
}

#[test]
fn views_inserts_and_settings() {
    let statements = all("SET 'table.local-time-zone' = 'Asia/Shanghai'; SET parallelism = 4;
         SET table.exec.source.idle-timeout = 30 s;
         CREATE VIEW IF NOT EXISTS v (a, `b`) COMMENT 'x' AS SELECT 1, 2;
         CREATE TEMPORARY VIEW w AS WITH c AS (SELECT 1) SELECT * FROM c;
         INSERT INTO s SELECT * FROM v; INSERT INTO s (x, y) (SELECT a, b FROM v);
         INSERT INTO s VALUES (1, 'a'); EXECUTE INSERT INTO s TABLE v;
         INSERT INTO default_catalog.`default_database`.s SELECT 1");
    let settings: Vec<_> = statements
        .iter()
        .filter_map(|s| match s {
            Statement::Set { key, value } => Some((key.node.as_str(), value.node.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(
        settings,
        [
            ("table.local-time-zone", "Asia/Shanghai"),
            ("parallelism", "4"),
            ("table.exec.source.idle-timeout", "30 s"),
        ]
    );
    let Statement::CreateView(view) = &statements[3] else { panic!("{:?}", statements[3]) };
    assert_eq!((view.columns.len(), view.if_not_exists), (2, true));
    let inserts: Vec<_> = statements
        .iter()
        .filter_map(|s| match s {
            Statement::Insert(i) => Some((i.table.node.as_str(), i.columns.len())),
            _ => None,
        })
        .collect();
    assert_eq!(inserts, [("s", 0), ("s", 2), ("s", 0), ("s", 0), ("s", 0)]);
}

#[test]
fn statement_sets_new_and_old() {
    for sql in [
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;",
        "BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END",
    ] {
        let Statement::StatementSet(inserts) = one(sql) else { panic!("{sql}") };
        let tables: Vec<_> = inserts.iter().map(|i| i.node.table.node.as_str()).collect();
        assert_eq!(tables, ["a", "b"]);
        assert_eq!(&sql[inserts[1].span.clone()], "INSERT INTO b SELECT 2");
    }
}

#[test]
fn explain_of_queries_inserts_and_sets() {
    for sql in [
        "EXPLAIN SELECT 1",
        "explain plan for INSERT INTO t SELECT 1",
        "EXPLAIN STATEMENT SET BEGIN INSERT INTO t SELECT 1; END",
    ] {
        let Statement::Explain { inner, details } = one(sql) else { panic!("{sql}") };
        assert_eq!(details, []);
        let is_right = matches!(
            inner.node,
            Statement::Query(_) | Statement::Insert(_) | Statement::StatementSet(_)
        );
        assert!(is_right, "{sql}");
    }
}

#[test]
fn bare_queries() {
    for sql in [
        "SELECT 1",
        "(SELECT 1)",
        "((SELECT a FROM t) UNION ALL (SELECT b FROM u)) ORDER BY a LIMIT 3",
        "WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM a) SELECT * FROM a, b",
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT * FROM (VALUES (1)) AS t(x)",
        "SELECT * FROM a LEFT JOIN b ON a.k = b.k AND a.ts BETWEEN b.ts AND b.ts",
        "SELECT * FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts AS r2 ON o.k = r2.k",
        "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A.x AS y ONE ROW PER MATCH
           AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{2,} C* D?) DEFINE A AS x > 1) AS m",
        "SELECT ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS n FROM t",
        "SELECT SUM(x) OVER w FROM t WINDOW w AS (PARTITION BY k ORDER BY ts)",
        "SELECT a FROM t GROUP BY GROUPING SETS ((a), ())",
        "SELECT $$x.a FROM `default_catalog`.`default_database`.`t` $$x",
        "SELECT TUMBLE_START(ts, INTERVAL '1' HOUR) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' HOUR)",
    ] {
        assert!(matches!(one(sql), Statement::Query(_)), "{sql}");
    }
}

#[test]
fn expressions() {
    for sql in [
        "a <> 1 AND b != 2 OR NOT c",
        "a || 'x' || b",
        "a % 2 + MOD(a, 3)",
        "a IS DISTINCT FROM b",
        "a IS NOT DISTINCT FROM b",
        "CASE a WHEN 1 THEN 'x' ELSE 'y' END",
        "CASE WHEN a > 1 THEN 'x' END",
        "COUNT(*) FILTER (WHERE a > 1)",
        "COUNT(DISTINCT a)",
        "LISTAGG(a, ',')",
        "EXTRACT(HOUR FROM ts)",
        "TIMESTAMPADD(MINUTE, 5, ts)",
        "TIMESTAMPDIFF(SECOND, a, b)",
        "FLOOR(ts TO HOUR)",
        "CEIL(a)",
        "SUBSTRING(a FROM 2 FOR 3)",
        "TRIM(BOTH 'x' FROM a)",
        "POSITION('a' IN b)",
        "OVERLAY(a PLACING 'b' FROM 2)",
        "ARRAY[1, 2][1]",
        "MAP['k', 1]['k']",
        "ROW(1, 'a')",
        "t.r.f",
        "a LIKE 'x%' ESCAPE '!'",
        "a SIMILAR TO 'x'",
        "a IN (1, 2)",
        "a NOT BETWEEN 1 AND 2",
        "EXISTS (SELECT 1)",
        "a IS NOT TRUE",
        "CURRENT_TIMESTAMP",
        "-1.5e3",
        "X'45F0'",
        "PROCTIME()",
    ] {
        expr(sql);
    }
    assert_eq!(expr("'it''s \\n'").to_string(), "'it''s \\n'");
}

#[test]
fn names_keep_their_case_and_keywords_have_none() {
    let select = select("select OrderId, `from` from Orders");
    assert_eq!(select.projection[0].to_string(), "OrderId");
    assert_eq!(select.projection[1].to_string(), "`from`");
    assert_eq!(select.from[0].relation.to_string(), "Orders");
}

#[test]
fn window_functions_in_every_spelling() {
    for (sql, name, arguments, is_wrapped) in [
        ("TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' MINUTES) AS w", "TUMBLE", 3, false),
        (
            "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY, INTERVAL '-8' HOUR) w",
            "TUMBLE",
            4,
            false,
        ),
        ("TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' MINUTES)) AS w", "TUMBLE", 3, true),
        ("hop(TABLE t, DESCRIPTOR(`ts`), INTERVAL '1' HOUR, INTERVAL '1' DAY) w", "hop", 4, false),
        (
            "CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '1' DAY) w",
            "CUMULATE",
            4,
            false,
        ),
        ("TUMBLE(t, ts, INTERVAL '1' HOUR) w", "TUMBLE", 3, false),
        (
            "TUMBLE(TABLE (SELECT * FROM t), DESCRIPTOR(ts), INTERVAL '1' HOUR) w",
            "TUMBLE",
            3,
            false,
        ),
        ("LATE(v) AS w", "LATE", 1, false),
    ] {
        let factor = from(sql);
        let call = calls::relation_call(&factor).expect(sql);
        assert_eq!(call.name.value, name);
        assert_eq!(call.args.len(), arguments);
        assert_eq!(call.is_wrapped, is_wrapped);
        assert_eq!(call.alias.expect(sql).name.value, "w");
        let data = calls::argument_expr(&call.args[0]).expect(sql);
        assert!(calls::table_argument(data).is_some(), "{sql}");
    }
}

#[test]
fn arguments_by_name_and_partitions() {
    for offset in ["\"OFFSET\"", "`OFFSET`", "OFFSET"] {
        let factor = from(&format!(
            "TABLE(SESSION(DATA => TABLE db.t PARTITION BY (k1, k2) ORDER BY ts,
               TIMECOL => DESCRIPTOR(ts), GAP => INTERVAL '1:30' MINUTE TO SECOND,
               {offset} => INTERVAL '1' HOUR))"
        ));
        let call = calls::relation_call(&factor).expect("a call");
        let names: Vec<_> = call
            .args
            .iter()
            .map(|a| calls::argument_name(a).expect("a name").value.as_str())
            .collect();
        assert_eq!(names, ["DATA", "TIMECOL", "GAP", "OFFSET"]);
        let values: Vec<_> =
            call.args.iter().map(|a| calls::argument_expr(a).expect("a value")).collect();
        let data = calls::table_argument(values[0]).expect("a table");
        assert_eq!((data.partition_by.len(), data.order_by.len()), (2, 1));
        assert!(matches!(data.input, TableInput::Named(parts) if parts.len() == 2));
        assert_eq!(calls::descriptor(values[1]).expect("columns")[0].value, "ts");
        assert_eq!(calls::interval_value(values[2]), Some(IntervalValue::Millis(90_000)));
    }
    let factor = from("SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND)");
    let call = calls::relation_call(&factor).expect("a call");
    assert_eq!(call.args.len(), 3);
}

#[test]
fn intervals_become_one_number_and_one_unit_that_is_not_days() {
    for (sql, ast) in [
        ("INTERVAL '10' SECOND", "INTERVAL '10' SECOND"),
        ("INTERVAL '10' minutes", "INTERVAL '10' MINUTE"),
        ("INTERVAL '1:30' MINUTE TO SECOND", "INTERVAL '90' SECOND"),
        ("INTERVAL '1 00:00:00' DAY TO SECOND", "INTERVAL '24' HOUR"),
        ("INTERVAL '-8' HOUR", "INTERVAL '-8' HOUR"),
        ("INTERVAL -'8' HOUR", "INTERVAL '-8' HOUR"),
        ("INTERVAL '2' DAY", "INTERVAL '48' HOUR"),
        ("INTERVAL '0.004' SECOND(1, 3)", "INTERVAL '4' MILLISECOND"),
        ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '14' MONTH"),
    ] {
        assert_eq!(expr(sql).to_string(), ast, "{sql}");
    }
}

#[test]
fn casts_and_literals_have_flinks_types() {
    for (sql, name) in [
        ("TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(3)"),
        ("STRING", "STRING"),
        ("BYTES", "BYTES"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("ROW<a INT, `b c` ARRAY<STRING>>", "ROW<a INT, `b c` ARRAY<STRING>>"),
        ("MAP<STRING, ARRAY<INT NOT NULL>>", "MAP<STRING, ARRAY<INT NOT NULL>>"),
    ] {
        for function in ["CAST", "TRY_CAST"] {
            let expr = expr(&format!("{function}(x AS {sql})"));
            let Expr::Cast { data_type, .. } = &expr else { panic!("{expr:?}") };
            let read = types::from_ast(data_type).expect(sql);
            assert_eq!(types::flink_name(&read.data_type), name);
        }
    }
    for (sql, name, ast) in [
        ("TIMESTAMP '2024-02-29 12:30:00.123'", "TIMESTAMP(3)", "TIMESTAMP(3)"),
        ("TIMESTAMP '2024-02-29 12:30:00.123456'", "TIMESTAMP(6)", "TIMESTAMP(6)"),
        ("TIMESTAMP '2024-02-29 12:30:00'", "TIMESTAMP(3)", "TIMESTAMP(0)"),
        ("DATE '2024-02-29'", "DATE", "DATE"),
        ("TIME '12:30:00'", "TIME", "TIME"),
    ] {
        let Expr::TypedString(literal) = expr(sql) else { panic!("{sql}") };
        let data_type: &SqlDataType = &literal.data_type;
        assert_eq!(data_type.to_string(), ast);
        assert_eq!(types::flink_name(&types::from_ast(data_type).expect(sql).data_type), name);
    }
}

#[test]
fn places_are_bytes_of_the_whole_text() {
    let sql = "SET 'ü' = '€';\r\n-- größer\n  SELECT `ä€`, 'ß'\n\t|| größe, f(x, INTERVAL '1' DAY) FROM t";
    let statements = all(sql);
    let Statement::Query(query) = &statements[1] else { panic!("{statements:?}") };
    let SetExpr::Select(select) = query.body.as_ref() else { panic!("{query:?}") };
    let texts: Vec<_> =
        select.projection.iter().map(|item| &sql[span_of(item).expect("a place")]).collect();
    assert_eq!(texts, ["`ä€`", "'ß'\n\t|| größe", "f(x, INTERVAL '1' DAY"]);
    let SelectItem::UnnamedExpr(Expr::Function(call)) = &select.projection[2] else { panic!() };
    assert_eq!(&sql[span_of(&call.name).expect("a place")], "f");
}

#[test]
fn spans_of_declarations_cover_what_they_say() {
    let sql = "CREATE TABLE t (a ROW<x INT> NOT NULL, b AS a.x + 1, ts TIMESTAMP(3),
        WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) PARTITIONED BY (ts) WITH ('k' = 'v', 'd' = U&'\\0001')";
    let table = table(sql);
    let text = |span: &std::ops::Range<usize>| &sql[span.clone()];
    let ColumnKind::Physical { data_type } = &table.columns[0].kind else { panic!() };
    assert_eq!(text(&data_type.span), "ROW<x INT> NOT NULL");
    let ColumnKind::Computed { expr } = &table.columns[1].kind else { panic!() };
    assert_eq!(text(&expr.span), "a.x + 1");
    let watermark = table.watermark.expect("a watermark");
    assert_eq!(text(&watermark.expr.span), "ts - INTERVAL '1' SECOND");
    assert_eq!(text(&table.partitioned_by[0].span), "ts");
    assert_eq!(text(&table.options[0].1.span), "'v'");
    assert_eq!(table.options[1].1.node, "\u{1}");
}

#[test]
fn hints_are_ignored_with_a_warning() {
    let (statements, warnings) =
        with_warnings("SELECT /*+ BROADCAST(t) */ * FROM t /*+ OPTIONS('a' = 'b') */ -- +no");
    assert_eq!(statements.len(), 1);
    let codes: Vec<_> = warnings.iter().map(|w| w.code).collect();
    assert_eq!(codes, [codes::HINT_IGNORED]);
}

#[test]
fn options_of_hints_stand_behind_their_tables() {
    let sql = "SELECT * FROM a /*+ OPTIONS('x' = '${HOST}', y='2') */ AS t, TUMBLE(TABLE b /*+ OPTIONS(\
               'z'='3') */, DESCRIPTOR(ts), INTERVAL '1' HOUR)";
    let select = select(sql);
    let options = |found: Vec<(Spanned<String>, Spanned<String>)>| {
        let pairs = found.into_iter().map(|(key, value)| (key.node, value.node));
        pairs.collect::<Vec<_>>()
    };
    let TableFactor::Table { with_hints, .. } = &select.from[0].relation else { panic!("{sql}") };
    let found = options(calls::hint_options(with_hints).expect("options"));
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(found, [pair("x", "localhost:9092"), pair("y", "2")]);
    let call = calls::relation_call(&select.from[1].relation).expect("a call");
    let Some(Expr::Function(table)) = calls::argument_expr(&call.args[0]) else { panic!("{sql}") };
    assert_eq!(options(calls::argument_hints(table)), [pair("z", "3")]);
    let Statement::Insert(insert) = one("INSERT INTO t /*+ OPTIONS('a' = 'b') */ (x) SELECT 1")
    else {
        panic!("an INSERT")
    };
    assert_eq!((options(insert.hints), insert.columns.len()), (vec![pair("a", "b")], 1));
}

#[test]
fn statements_that_ask_and_take_away() {
    let kinds = |sql: &str| -> Vec<String> {
        all(sql).into_iter().map(|statement| format!("{statement:?}")).collect()
    };
    let shown = kinds(
        "DROP TABLE a; DROP TEMPORARY VIEW IF EXISTS default_database.b; DESC c; DESCRIBE EXTENDED d;
         DESCRIBE extended; RESET; RESET 'k'; RESET some.key; SHOW TABLES; SHOW VIEWS NOT LIKE 'x%';
         SHOW USER FUNCTIONS ILIKE 'y'; SHOW COLUMNS IN t; SHOW CREATE TABLE t; SHOW CREATE VIEW v",
    );
    let has = |index: usize, parts: &[&str]| {
        assert!(parts.iter().all(|part| shown[index].contains(part)), "{}", shown[index]);
    };
    has(0, &["Drop", "kind: Table", "\"a\"", "if_exists: false"]);
    has(1, &["Drop", "kind: View", "\"b\"", "if_exists: true"]);
    has(2, &["Describe", "\"c\""]);
    has(3, &["Describe", "\"d\""]);
    has(4, &["Describe", "\"extended\""]);
    has(5, &["Reset(None)"]);
    has(6, &["Reset", "\"k\""]);
    has(7, &["Reset", "\"some.key\""]);
    has(8, &["Tables(None)"]);
    has(9, &["Views", "is_negated: true", "\"x%\""]);
    has(10, &["Functions", "ignores_case: true"]);
    has(11, &["Columns", "\"t\""]);
    has(12, &["Create(Table"]);
    has(13, &["Create(View"]);
    assert_eq!(shown.len(), 14);
    let Statement::Explain { details, .. } = one("EXPLAIN CHANGELOG_MODE, STATE FOR SELECT 1")
    else {
        panic!("an EXPLAIN")
    };
    assert_eq!(details, [ExplainDetail::ChangelogMode, ExplainDetail::State]);
}

#[test]
fn reset_takes_back_what_was_set_before() {
    let parallelism = |sql: &str| {
        let options = PlanOptions { parallelism: 3, zone: "UTC".into(), ..PlanOptions::default() };
        let plan = millstream_queries::plan(&SourceText::new("test.sql", sql), &options);
        plan.expect("only settings").settings.parallelism
    };
    let set = "SET 'parallelism.default' = '7';";
    assert_eq!(parallelism(set), 7);
    assert_eq!(parallelism(&format!("{set} RESET 'parallelism.default'")), 3);
    assert_eq!(parallelism(&format!("{set} RESET;")), 3);
    assert_eq!(parallelism(&format!("RESET; {set}")), 7);
    assert_eq!(parallelism(&format!("{set} RESET 'table.local-time-zone'")), 7);
}

#[test]
fn nothing_is_no_statement() {
    for sql in ["", "\u{feff}", " ;; \n-- nothing\n/* at all */"] {
        assert_eq!(all(sql), []);
    }
    assert_eq!(all("\u{feff}SELECT 1").len(), 1);
}
