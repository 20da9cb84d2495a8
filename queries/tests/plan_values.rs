//! What expressions are worth: each is planned as a query and evaluated on one row. The expected
//! values are Flink's.

mod common;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::Schema;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use millstream_operators::OperatorSpec;
use millstream_operators::graph::NodeKind;
use millstream_queries::types::flink_name;
use millstream_queries::{PlanOptions, SourceText, plan};

const ZONE: &str = "Asia/Shanghai";
const TABLE: &str = "CREATE TABLE t (s STRING, i INT, b BIGINT, d DECIMAL(10, 2), f DOUBLE,
    ts TIMESTAMP(3), l TIMESTAMP_LTZ(3), n INT) WITH ('connector' = 'datagen');\n";

/// 2021-03-09 15:04:05.678 as a count of milliseconds.
const TIME_MS: i64 = 1_615_302_245_678;

fn column(name: &str) -> ArrayRef {
    match name {
        "s" => Arc::new(StringArray::from(vec!["Köln/abc/2021"])),
        "i" => Arc::new(Int32Array::from(vec![7])),
        "b" => Arc::new(Int64Array::from(vec![-20])),
        "d" => {
            let digits = Decimal128Array::from(vec![1050]);
            Arc::new(digits.with_precision_and_scale(10, 2).expect("10 digits"))
        }
        "f" => Arc::new(Float64Array::from(vec![2.5])),
        "ts" => Arc::new(TimestampMillisecondArray::from(vec![TIME_MS])),
        "l" => Arc::new(TimestampMillisecondArray::from(vec![TIME_MS]).with_timezone(ZONE)),
        "n" => Arc::new(Int32Array::from(vec![None])),
        other => panic!("no column {other}"),
    }
}

/// Type and value of an expression.
fn value(expr: &str) -> String {
    // A second, computed column keeps the projection in the plan.
    let text = format!("{TABLE}SELECT {expr} AS v, i + 1 AS w FROM t;");
    let options = PlanOptions { parallelism: 1, zone: ZONE.into(), ..PlanOptions::default() };
    let source = SourceText { name: "test".into(), text };
    let plan = plan(&source, &options).unwrap_or_else(|mistakes| panic!("{expr}: {mistakes:?}"));
    let project = plan.graph.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Operator(OperatorSpec::Project(exprs)) => Some(exprs),
        _ => None,
    });
    let first = &project.expect("a projection")[0];
    let fields = Arc::clone(&plan.graph.nodes[0].schema);
    let columns: Vec<ArrayRef> = fields.fields().iter().map(|field| column(field.name())).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.fields().clone())), columns)
        .expect("a row");
    let array = first.expr.evaluate(&batch).and_then(|value| value.into_array(1));
    let array = array.unwrap_or_else(|error| panic!("{expr}: {error}"));
    let options = FormatOptions::default().with_null("NULL");
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).expect("it can be shown");
    format!("{} {}", flink_name(array.data_type()), formatter.value(0))
}

fn check(cases: &[(&str, &str)]) {
    common::check_values(cases, value);
}

#[test]
fn numbers_have_flinks_types() {
    check(&[
        ("1", "INT 1"),
        ("3000000000", "BIGINT 3000000000"),
        ("0.908", "DECIMAL(4, 3) 0.908"),
        ("1.5e1", "DOUBLE 15.0"),
        ("i / 2", "INT 3"),
        ("b / 3", "BIGINT -6"),
        ("MOD(b, 3)", "BIGINT -2"),
        ("i + b", "BIGINT -13"),
        ("0.908 * b", "DECIMAL(23, 3) -18.160"),
        ("d + i", "DECIMAL(13, 2) 17.50"),
        ("d * d", "DECIMAL(20, 4) 110.2500"),
        ("d / 3", "DECIMAL(21, 13) 3.5000000000000"),
        ("d * f", "DOUBLE 26.25"),
        ("-d", "DECIMAL(10, 2) -10.50"),
        ("CAST(f AS INT)", "INT 2"),
        ("CAST(d AS BIGINT)", "BIGINT 10"),
        ("CAST('12' AS SMALLINT)", "SMALLINT 12"),
        ("CAST(i AS DECIMAL(5, 1))", "DECIMAL(5, 1) 7.0"),
        ("d > 10.4", "BOOLEAN true"),
        ("d > f", "BOOLEAN true"),
        ("i = 7.0", "BOOLEAN true"),
        ("CASE WHEN i > 5 THEN d ELSE 0 END", "DECIMAL(12, 2) 10.50"),
        ("COALESCE(n, 3)", "INT 3"),
        ("NULLIF(i, 7)", "INT NULL"),
        ("i BETWEEN 1 AND 7 AND i IN (6, 7)", "BOOLEAN true"),
        ("i IN (1, 2, 3, 4, CASE WHEN i > 1000 THEN 5 ELSE i END)", "BOOLEAN true"),
        ("CAST(CAST(i + 0.66 AS DECIMAL(10, 2)) AS INT) = 7", "BOOLEAN true"),
        ("CAST(CAST(i + 0.66 AS DECIMAL(10, 2)) AS INT) IN (6, 7)", "BOOLEAN true"),
        ("i NOT IN (1, 2, 3, 4, CASE WHEN i > 1000 THEN 5 ELSE i END)", "BOOLEAN false"),
    ]);
}

#[test]
fn text_functions_count_characters_and_keep_nulls() {
    check(&[
        ("UPPER(s)", "STRING KÖLN/ABC/2021"),
        ("CHAR_LENGTH(s)", "INT 13"),
        ("SUBSTRING(s, 2, 3)", "STRING öln"),
        ("SUBSTRING(s FROM 6)", "STRING abc/2021"),
        ("s || '!'", "STRING Köln/abc/2021!"),
        ("CONCAT(s, '-', i)", "STRING Köln/abc/2021-7"),
        ("CONCAT('a', CAST(NULL AS STRING))", "STRING NULL"),
        ("SPLIT_INDEX(s, '/', 1)", "STRING abc"),
        ("SPLIT_INDEX(s, '/', 3)", "STRING NULL"),
        ("REGEXP_EXTRACT(s, '([a-c]+)/(\\d+)', 2)", "STRING 2021"),
        ("REGEXP_EXTRACT(s, 'x(y)', 1)", "STRING NULL"),
        ("s LIKE '%abc%'", "BOOLEAN true"),
        ("IF(i > 5, 'many', 'few')", "STRING many"),
        ("CAST(i > 5 AS STRING)", "STRING TRUE"),
        ("CAST(d AS STRING)", "STRING 10.50"),
    ]);
}

#[test]
fn times_are_shown_and_taken_apart_in_the_sessions_zone() {
    check(&[
        ("TO_TIMESTAMP('2020-04-15 08:00:05')", "TIMESTAMP(3) 2020-04-15T08:00:05"),
        ("TO_TIMESTAMP('15.4.2020', 'd.M.yyyy')", "TIMESTAMP(3) 2020-04-15T00:00:00"),
        ("TO_TIMESTAMP(s)", "TIMESTAMP(3) NULL"),
        ("TO_TIMESTAMP_LTZ(1615302245678, 3)", "TIMESTAMP_LTZ(3) 2021-03-09T23:04:05.678+08:00"),
        ("TO_TIMESTAMP_LTZ(1615302245, 0)", "TIMESTAMP_LTZ(3) 2021-03-09T23:04:05+08:00"),
        ("CAST(ts AS STRING)", "STRING 2021-03-09 15:04:05.678"),
        ("CAST(l AS STRING)", "STRING 2021-03-09 23:04:05.678"),
        ("CAST(l AS TIMESTAMP(3))", "TIMESTAMP(3) 2021-03-09T23:04:05.678"),
        ("CAST(ts AS DATE)", "DATE 2021-03-09"),
        ("CAST(ts AS TIMESTAMP_LTZ(3))", "TIMESTAMP_LTZ(3) 2021-03-09T15:04:05.678+08:00"),
        ("ts = l", "BOOLEAN false"),
        ("DATE_FORMAT(l, 'yyyy/MM/dd HH:mm')", "STRING 2021/03/09 23:04"),
        ("DATE_FORMAT('2020-01-02 03:04:05', 'HHmm')", "STRING 0304"),
        ("HOUR(ts)", "BIGINT 15"),
        ("HOUR(l)", "BIGINT 23"),
        ("EXTRACT(MINUTE FROM ts)", "BIGINT 4"),
        ("DAYOFWEEK(ts)", "BIGINT 3"),
        ("YEAR(ts)", "BIGINT 2021"),
        ("ts + INTERVAL '1' HOUR", "TIMESTAMP(3) 2021-03-09T16:04:05.678"),
        ("ts - INTERVAL '2' MONTH", "TIMESTAMP(3) 2021-01-09T15:04:05.678"),
        ("ts > TIMESTAMP '2021-03-09 15:00:00'", "BOOLEAN true"),
        ("FROM_UNIXTIME(1615302245)", "STRING 2021-03-09 23:04:05"),
    ]);
}
