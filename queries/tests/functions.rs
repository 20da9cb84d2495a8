//! The index of functions: its examples are true, its page is up to date, and it is all there is.

mod common;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_expr::{ColumnarValue, Volatility, create_udf};
use millstream_operators::graph::NodeKind;
use millstream_operators::{NodeId, OperatorSpec};
use millstream_queries::functions::index::{self, Group};
use millstream_queries::{
    Answer, Diagnostic, Plan, PlanOptions, RegisterError, SourceText, UserFunctions, plan,
};

const TABLE: &str =
    "CREATE TABLE t (i INT, s STRING, n INT, b BYTES) WITH ('connector' = 'datagen');\n";

fn try_plan(expr: &str, functions: UserFunctions) -> Result<Plan, Vec<Diagnostic>> {
    plan_in("UTC", expr, functions)
}

fn plan_in(zone: &str, expr: &str, functions: UserFunctions) -> Result<Plan, Vec<Diagnostic>> {
    // A second, computed column keeps the projection in the plan.
    let text = format!("{TABLE}SELECT {expr} AS v, i + 1 AS w FROM t;");
    let zone = zone.to_owned();
    let options = PlanOptions { parallelism: 1, zone, functions, ..PlanOptions::default() };
    plan(&SourceText::new("test", text), &options)
}

fn column(name: &str) -> ArrayRef {
    match name {
        "i" => Arc::new(Int32Array::from(vec![7])),
        "s" => Arc::new(StringArray::from(vec!["Köln"])),
        "n" => Arc::new(Int32Array::from(vec![None])),
        "b" => Arc::new(BinaryArray::from_vec(vec![b"ab"])),
        "PROCTIME()" => {
            Arc::new(TimestampMillisecondArray::from(vec![1_706_688_300_000]).with_timezone("UTC"))
        }
        other => panic!("no column {other}"),
    }
}

/// The first column of the one row, as text; or why there is none.
fn evaluate(plan: &Plan) -> Result<String, String> {
    let project = plan.graph.nodes.iter().enumerate().find_map(|(id, node)| match &node.kind {
        NodeKind::Operator(OperatorSpec::Project(exprs)) => Some((NodeId(id), exprs)),
        _ => None,
    });
    let (id, exprs) = project.expect("a projection");
    let first = &exprs[0];
    let before = plan.graph.inputs(id).next().expect("it has an input").from;
    let fields = Arc::clone(&plan.graph.node(before).schema);
    let columns: Vec<ArrayRef> = fields.fields().iter().map(|f| column(f.name())).collect();
    let row = RecordBatch::try_new(Arc::new(Schema::new(fields.fields().clone())), columns)
        .expect("a row");
    let array = first.expr.evaluate(&row).and_then(|value| value.into_array(1));
    let array = array.map_err(|error| error.to_string())?;
    let format = "%Y-%m-%d %H:%M:%S%.f";
    let options = FormatOptions::default()
        .with_null("NULL")
        .with_timestamp_format(Some(format))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.fZ"));
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).expect("it can be shown");
    Ok(formatter.value(0).to_string())
}

fn value(expr: &str) -> String {
    match try_plan(expr, UserFunctions::new()) {
        Ok(plan) => evaluate(&plan).unwrap_or_else(|error| format!("fails: {error}")),
        Err(mistakes) => format!("refused: {}", mistakes[0].message),
    }
}

fn check(cases: &[(&str, &str)]) {
    common::check_values(cases, value);
}

/// Those of aggregates are run by the binary, in tests/cli.
#[test]
fn every_example_gives_its_result() {
    let examples: Vec<(&str, &str)> = index::all()
        .filter(|function| function.group != Group::Aggregate)
        .map(|function| (function.example, function.result))
        .collect();
    check(&examples);
}

/// `BLESS=1` writes the page.
#[test]
fn the_page_of_functions_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/functions.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, index::page()).expect("docs can be written");
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == index::page(), "docs/functions.md is out of date: run this with BLESS=1");
}

#[test]
fn what_is_not_in_the_index_does_not_exist() {
    for (call, hint) in [
        ("STRPOS(s, 'x')", "in Flink SQL it is INSTR(s, x)"),
        ("TO_CHAR(i)", "in Flink SQL it is DATE_FORMAT(t, pattern)"),
        ("UPER(s)", "did you mean `UPPER`?"),
    ] {
        let mistakes = try_plan(call, UserFunctions::new()).expect_err(call);
        assert_eq!(mistakes[0].code.to_string(), "M0302", "{call}");
        assert_eq!(mistakes[0].hint.as_deref(), Some(hint));
    }
    // DataFusion has it, and Flink does not.
    assert!(try_plan("ARROW_TYPEOF(i)", UserFunctions::new()).is_err());
}

#[test]
fn null_makes_null_unless_it_is_asked_for() {
    check(&[
        ("UPPER(NULL)", "NULL"),
        ("CHAR_LENGTH(CAST(n AS STRING))", "NULL"),
        ("LOCATE('a', NULL)", "NULL"),
        ("GREATEST(1, n)", "NULL"),
        ("CONCAT_WS(NULL, 'a')", "NULL"),
        ("IS_ALPHA(NULL)", "false"),
        ("NULL IS JSON", "false"),
        ("REGEXP_EXTRACT(s, 'x')", "NULL"),
        ("REGEXP_EXTRACT(s, 'K', 3)", "NULL"),
        ("REGEXP_REPLACE(s, CAST(n AS STRING), '')", "NULL"),
        ("ARRAY_CONTAINS(SPLIT('a', ','), CAST(n AS STRING))", "false"),
        ("ARRAY_POSITION(SPLIT('a', ','), CAST(n AS STRING))", "NULL"),
        ("ARRAY_APPEND(SPLIT('a', ','), CAST(n AS STRING))", "[a, NULL]"),
        ("CARDINALITY(SPLIT(CAST(n AS STRING), ','))", "NULL"),
        ("TIMESTAMPADD(DAY, n, DATE '2024-01-01')", "NULL"),
        ("TO_DATE('none')", "NULL"),
        ("ROUND(n, 2)", "NULL"),
    ]);
}

#[test]
fn choice_computes_only_what_it_needs() {
    check(&[
        ("IF(i = 7, 1, i / 0)", "1"),
        ("COALESCE(i, i / 0)", "7"),
        ("CASE WHEN i = 7 THEN 'a' ELSE CAST(CAST(s AS INT) AS STRING) END", "a"),
        ("IFNULL(n, i)", "7"),
        ("COALESCE(n, 2.5)", "2.5"),
    ]);
}

#[test]
fn casts_are_flinks() {
    check(&[
        ("CAST('stream' AS VARCHAR(3))", "str"),
        ("CAST('ab' AS CHAR(4)) || '|'", "ab  |"),
        ("CAST('abc' AS CHAR)", "a"),
        ("CAST('abc' AS VARCHAR)", "abc"),
        ("CAST(12345 AS VARCHAR(2))", "12"),
        ("TRY_CAST(s AS CHAR(6)) || '|'", "Köln  |"),
        ("OCTET_LENGTH(CAST(b AS BINARY(4)))", "4"),
        ("OCTET_LENGTH(CAST(b AS VARBINARY(1)))", "1"),
        ("CAST(1e10 AS STRING)", "1.0E10"),
        ("CAST(2e0 AS STRING)", "2.0"),
        ("CAST(SPLIT('a,b', ',') AS STRING)", "[a, b]"),
        ("CAST(STR_TO_MAP('a=1,b') AS STRING)", "{a=1, b=NULL}"),
        ("CAST(ROW(1, 2e0) AS ROW<a STRING, b DOUBLE>)", "{a: 1, b: 2.0}"),
        ("CAST(ARRAY[2e0, NULL] AS ARRAY<STRING>)", "[2.0, NULL]"),
        ("ARRAY[CAST(ROW(1) AS ROW<x INT>), ROW(i)]", "[{x: 1}, {x: 7}]"),
        ("COALESCE(CAST(NULL AS ARRAY<ROW<x INT>>), ARRAY[ROW(i)])", "[{x: 7}]"),
        ("IF(i = 1, CAST(ROW(1) AS ROW<x INT>), ROW(i))", "{x: 7}"),
        ("CAST(ROW(7, 'a') AS ROW<x BIGINT, y STRING>) = ROW(i, 'a')", "true"),
        ("ROW(i) IN (CAST(ROW(1) AS ROW<x INT>), CAST(ROW(7) AS ROW<y BIGINT>))", "true"),
        ("ARRAY_CONTAINS(ARRAY[CAST(ROW(7) AS ROW<x INT>)], ROW(i))", "true"),
        (
            "ARRAY[ROW(1), ROW(1, 2)]",
            "refused: ARRAY takes values of one type, not of ROW<`EXPR$0` BIGINT> and ROW<`EXPR$0` BIGINT, `EXPR$1` BIGINT>",
        ),
        ("CAST(MAP['a', '1'] AS MAP<STRING, INT>)", "{a: 1}"),
        ("CAST(ARRAY[1] AS MAP<INT, INT>)", "refused: ARRAY<INT> cannot be cast to MAP<INT, INT>"),
        (
            "CAST(ROW(1) AS ROW<a INT, b INT>)",
            "refused: ROW<`EXPR$0` INT> cannot be cast to ROW<a INT, b INT>",
        ),
        ("CAST(ARRAY[1] AS ARRAY<DATE>)", "refused: INT cannot be cast to DATE"),
        ("TRY_CAST(ARRAY['x'] AS ARRAY<INT>)", "refused: TRY_CAST to ARRAY<INT> is not supported"),
        ("CAST(5 AS TIMESTAMP(3))", "refused: INT cannot be cast to TIMESTAMP(3)"),
        ("CAST(DATE '2024-01-01' AS BIGINT)", "refused: DATE cannot be cast to BIGINT"),
        (
            "TRY_CAST(TIMESTAMP '2024-01-01 00:00:00' AS INT)",
            "refused: TIMESTAMP(3) cannot be cast to INT",
        ),
    ]);
}

#[test]
fn times_within_a_value_show_the_sessions_clock() {
    let expr = "CAST(ROW(TO_TIMESTAMP_LTZ(0, 3), ARRAY[TO_TIMESTAMP_LTZ(0, 3)]) \
                AS ROW<a TIMESTAMP(3), b ARRAY<STRING>>)";
    let plan = plan_in("Asia/Tokyo", expr, UserFunctions::new());
    let plan = plan.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let expected = "{a: 1970-01-01 09:00:00, b: [1970-01-01 09:00:00.000]}";
    assert_eq!(evaluate(&plan).as_deref(), Ok(expected));
}

#[test]
fn clauses_of_json_are_kept() {
    check(&[
        (r#"JSON_VALUE('{"a": true}', '$.a' RETURNING BOOLEAN)"#, "true"),
        (r#"JSON_VALUE('{"a": 1.9}', '$.a' RETURNING INT)"#, "1"),
        (r#"JSON_VALUE('{"a": 1e20}', '$.a')"#, "1.0E20"),
        (r#"JSON_VALUE('{"a": true}', 'lax $.b' DEFAULT 'no' ON EMPTY)"#, "no"),
        (r#"JSON_VALUE('{"a": true}', 'strict $.b' NULL ON EMPTY DEFAULT 'no' ON ERROR)"#, "no"),
        (r#"JSON_VALUE('{"a": "x"}', '$.a' RETURNING INT DEFAULT -1 ON ERROR)"#, "-1"),
        (r#"JSON_VALUE('{"a": []}', 'lax $.a')"#, "NULL"),
        ("JSON_VALUE('no json', '$.a')", "NULL"),
        (r#"JSON_QUERY('{"a": {"b": 1}}', '$.a')"#, r#"{"b":1}"#),
        ("JSON_QUERY('1', '$' WITH WRAPPER)", "[1]"),
        ("JSON_QUERY('[1]', '$' WITH CONDITIONAL ARRAY WRAPPER)", "[1]"),
        ("JSON_QUERY('[1]', '$' WITH UNCONDITIONAL WRAPPER)", "[[1]]"),
        ("JSON_QUERY('{}', 'lax $.x' EMPTY OBJECT ON EMPTY)", "{}"),
        ("JSON_QUERY('{}', '$.x' EMPTY ARRAY ON ERROR)", "[]"),
        (r#"JSON_QUERY('["a", 1, null]', '$' RETURNING ARRAY<STRING>)"#, "[a, 1, NULL]"),
        ("JSON_EXISTS('{}', 'strict $.a' TRUE ON ERROR)", "true"),
        ("JSON_EXISTS('{}', 'strict $.a' UNKNOWN ON ERROR)", "NULL"),
        ("JSON_OBJECT()", "{}"),
        ("JSON_OBJECT('a' VALUE n ABSENT ON NULL)", "{}"),
        ("JSON_OBJECT('b': 1, 'a': DATE '2024-01-31')", r#"{"a":"2024-01-31","b":1}"#),
        ("JSON_ARRAY()", "[]"),
        ("JSON_ARRAY(NULL, 1 NULL ON NULL)", "[null,1]"),
        ("JSON_ARRAY(n ABSENT ON NULL)", "[]"),
        ("JSON_STRING(TIMESTAMP '1990-06-02 13:37:42.001')", "\"1990-06-02T13:37:42.001\""),
        ("s IS NOT JSON", "true"),
        ("'1' IS JSON SCALAR AND NOT '1' IS JSON OBJECT", "true"),
    ]);
}

#[test]
fn times_are_of_the_calendar() {
    check(&[
        ("TIMESTAMPADD(HOUR, 25, DATE '2024-02-28')", "2024-02-29 01:00:00"),
        ("TIMESTAMPADD(YEAR, -1, TIMESTAMP '2024-02-29 12:00:00')", "2023-02-28 12:00:00"),
        ("TIMESTAMPDIFF(DAY, DATE '2024-02-28', DATE '2024-03-01')", "2"),
        ("FLOOR(DATE '2024-05-17' TO YEAR)", "2024-01-01"),
        ("CEIL(TIMESTAMP '2024-05-01 00:00:00' TO DAY)", "2024-05-01 00:00:00"),
        ("UNIX_TIMESTAMP('1970-01-01 08:00:01.001 +0800', 'yyyy-MM-dd HH:mm:ss.SSS X')", "1"),
        ("UNIX_TIMESTAMP('1970-01-01 00:00:01 and more')", "1"),
        ("UNIX_TIMESTAMP('none')", "-9223372036854775808"),
        (
            "TO_TIMESTAMP_LTZ('2024-01-31 09:05:00', 'yyyy-MM-dd HH:mm:ss', 'Europe/Berlin')",
            "2024-01-31 08:05:00Z",
        ),
        (
            "(DATE '2024-01-01', DATE '2024-01-02') OVERLAPS (DATE '2024-01-03', INTERVAL '1' DAY)",
            "false",
        ),
        ("EXTRACT(EPOCH FROM TIMESTAMP '1970-01-02 00:00:00')", "86400"),
        ("EXTRACT(DECADE FROM DATE '2024-01-31')", "202"),
    ]);
}

#[test]
fn constants_are_read_when_the_query_is_planned() {
    for (call, message) in [
        ("REGEXP_EXTRACT(s, '(a')", "`(a` is not a regular expression: "),
        ("JSON_VALUE(s, 'a.b')", "`a.b` is not a path: a path begins with `$`"),
        ("DATE_FORMAT(s, 'yyyy-ww')", "`yyyy-ww` is not a pattern of time: "),
        ("ENCODE(s, 'latin2')", "`latin2` is not a charset: "),
    ] {
        let mistakes = try_plan(call, UserFunctions::new()).expect_err(call);
        assert_eq!(mistakes[0].code.to_string(), "M0460", "{call}");
        assert!(mistakes[0].message.starts_with(message), "{}", mistakes[0].message);
        assert!(mistakes[0].span.is_some(), "{call} has a place");
    }
}

#[test]
fn functions_of_a_user_stand_beside_the_built_in_ones() {
    let shout = |name: &str| {
        create_udf(
            name,
            vec![DataType::Utf8],
            DataType::Utf8,
            Volatility::Immutable,
            Arc::new(|args: &[ColumnarValue]| Ok(args[0].clone())),
        )
    };
    let mut functions = UserFunctions::new();
    functions.register_scalar(shout("Shout")).expect("a free name");
    assert_eq!(
        functions.register_scalar(shout("SHOUT")),
        Err(RegisterError::Registered("SHOUT".into()))
    );
    assert_eq!(
        functions.register_scalar(shout("upper")),
        Err(RegisterError::BuiltIn("UPPER".into()))
    );
    assert!(matches!(functions.register_scalar(shout("a b")), Err(RegisterError::BadName(_))));
    let planned = try_plan("shout(s)", functions.clone());
    let planned = planned.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert_eq!(evaluate(&planned).as_deref(), Ok("Köln"));
    let options = PlanOptions { functions, ..PlanOptions::default() };
    let text = "SHOW USER FUNCTIONS; SHOW FUNCTIONS LIKE 'sh%'; SHOW FUNCTIONS LIKE 'upper';";
    let shown = plan(&SourceText::new("test", text), &options).expect("answers").answers;
    let names = |answer: &Answer| match answer {
        Answer::Rows(rows) => rows.column(0).as_string::<i32>().value(0).to_owned(),
        other => panic!("{other:?}"),
    };
    let names: Vec<String> = shown.iter().map(names).collect();
    assert_eq!(names, ["shout", "sha1", "upper"]);
}
