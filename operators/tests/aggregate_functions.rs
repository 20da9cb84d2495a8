//! Group tables: DataFusion's functions, overflow, tables without keys, memory, and what is refused.

#![allow(clippy::unwrap_used)] // A test fails where something fails.

use std::sync::Arc;

use arrow::array::*;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, Schema};
use datafusion_common::ScalarValue;
use datafusion_expr::AggregateUDF;
use datafusion_functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion_functions_aggregate::approx_percentile_cont::approx_percentile_cont_udaf;
use datafusion_functions_aggregate::array_agg::array_agg_udaf;
use datafusion_functions_aggregate::bool_and_or::bool_and_udaf;
use datafusion_functions_aggregate::median::median_udaf;
use datafusion_functions_aggregate::stddev::stddev_udaf;
use datafusion_functions_aggregate::variance::var_pop_udaf;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal};
use millstream_operators::aggregate::{AggregateLayout, GroupTable, Rows};
use millstream_operators::window::{
    AggregateFunction, AggregateSpec, Emission, WindowAggregateSpec, WindowTime,
};

type Columns = (Vec<ArrayRef>, Vec<ArrayRef>);

fn col(index: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new("column", index))
}

fn aggregate(function: AggregateFunction, arg: usize, data_type: DataType) -> AggregateSpec {
    let (args, filter) = (vec![col(arg)], None);
    AggregateSpec { name: "a".into(), function, args, filter, distinct: false, data_type }
}

fn udaf(function: Arc<AggregateUDF>, arg: usize, data_type: DataType) -> AggregateSpec {
    aggregate(AggregateFunction::Udaf(function), arg, data_type)
}

fn spec(
    batch: &RecordBatch,
    keys: &[usize],
    aggregates: Vec<AggregateSpec>,
) -> WindowAggregateSpec {
    WindowAggregateSpec {
        time: WindowTime::Attached { start: 0, end: 0, zone: None, is_processing: false },
        keys: keys.to_vec(),
        aggregates,
        output: vec![],
        input: batch.schema(),
        emission: Emission::default(),
    }
}

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| Field::new(format!("c{i}"), column.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn table(spec: &WindowAggregateSpec) -> GroupTable {
    GroupTable::new(Arc::new(AggregateLayout::new(spec).unwrap())).unwrap()
}

fn add(table: &mut GroupTable, spec: &WindowAggregateSpec, rows: &RecordBatch) {
    let args = AggregateLayout::new(spec).unwrap().evaluate_args(rows).unwrap();
    let keys: Vec<_> = spec.keys.iter().map(|&key| rows.column(key).clone()).collect();
    table.update(&keys, &args, Rows::All).unwrap();
}

/// Results of one table, and of a table into which each batch came as partials.
fn both_ways(spec: &WindowAggregateSpec, batches: &[RecordBatch]) -> (Columns, Columns) {
    let mut whole = table(spec);
    let mut merged = table(spec);
    for batch in batches {
        add(&mut whole, spec, batch);
        let mut part = table(spec);
        add(&mut part, spec, batch);
        let (keys, partials) = part.take_partials().unwrap();
        merged.merge(&keys, &partials).unwrap();
    }
    (whole.take_results().unwrap(), merged.take_results().unwrap())
}

fn results(spec: &WindowAggregateSpec, batches: &[RecordBatch]) -> Vec<ArrayRef> {
    both_ways(spec, batches).0.1
}

/// Groups 1 and 2 in both batches; group 3 has only nulls.
fn two_batches() -> Vec<RecordBatch> {
    let keys = |keys: Vec<i64>| Arc::new(Int64Array::from(keys)) as ArrayRef;
    let values = |values: Vec<Option<i32>>| Arc::new(Int32Array::from(values)) as ArrayRef;
    let flags = |flags: Vec<bool>| Arc::new(BooleanArray::from(flags)) as ArrayRef;
    vec![
        batch(vec![
            keys(vec![1, 1, 2, 1]),
            values(vec![Some(2), Some(4), Some(7), Some(4)]),
            flags(vec![true, true, false, true]),
        ]),
        batch(vec![
            keys(vec![2, 3, 1, 1, 1]),
            values(vec![None, None, Some(4), Some(5), Some(5)]),
            flags(vec![true, false, false, true, true]),
        ]),
    ]
}

fn floats(column: &ArrayRef) -> Vec<Option<f64>> {
    column
        .as_primitive::<Float64Type>()
        .iter()
        .map(|v| v.map(|v| (v * 1e6).round() / 1e6))
        .collect()
}

#[test]
fn datafusion_functions_agree_whole_and_merged() {
    let batches = two_batches();
    let mut percentile = udaf(approx_percentile_cont_udaf(), 1, DataType::Float64);
    percentile.args.push(Arc::new(Literal::new(ScalarValue::Float64(Some(0.5)))));
    let spec = spec(
        &batches[0],
        &[0],
        vec![
            // INT is cast to what the function takes.
            udaf(stddev_udaf(), 1, DataType::Float64),
            udaf(var_pop_udaf(), 1, DataType::Float64),
            udaf(approx_distinct_udaf(), 1, DataType::Int64),
            percentile,
            udaf(median_udaf(), 1, DataType::Int32),
        ],
    );
    let (whole, merged) = both_ways(&spec, &batches);
    assert_eq!(whole.0, merged.0);
    for columns in [&whole.1, &merged.1] {
        assert_eq!(floats(&columns[0]), [Some(1.095445), None, None]);
        assert_eq!(floats(&columns[1]), [Some(1.0), Some(0.0), None]);
        assert_eq!(columns[2].as_primitive::<Int64Type>().values(), &[3, 1, 0]);
        assert_eq!(floats(&columns[3])[1..], [Some(7.0), None]);
        assert_eq!(columns[4].as_primitive::<Int32Type>().value(0), 4);
    }
}

#[test]
fn datafusion_functions_take_filter_and_distinct() {
    let batches = two_batches();
    let mut filtered = udaf(bool_and_udaf(), 2, DataType::Boolean);
    filtered.filter = Some(col(2));
    let mut distinct = udaf(var_pop_udaf(), 1, DataType::Float64);
    distinct.distinct = true;
    let mut list = udaf(
        array_agg_udaf(),
        1,
        DataType::List(Arc::new(Field::new_list_field(DataType::Int32, true))),
    );
    list.distinct = true;
    let spec = spec(&batches[0], &[0], vec![filtered, distinct, list]);
    let (whole, merged) = both_ways(&spec, &batches);
    for columns in [&whole.1, &merged.1] {
        let all: Vec<_> = columns[0].as_boolean().iter().collect();
        // No row of group 3 passes.
        assert_eq!(all, [Some(true), Some(true), None]);
        // Of 2, 4 and 5.
        assert_eq!(floats(&columns[1]), [Some(1.555556), Some(0.0), None]);
        assert_eq!(columns[2].as_list::<i32>().value(0).len(), 3);
    }
}

#[test]
fn integer_sums_wrap_in_their_type() {
    let rows = batch(vec![
        Arc::new(Int32Array::from(vec![i32::MAX, 1])),
        Arc::new(Int64Array::from(vec![i64::MAX, 1])),
    ]);
    let spec = spec(
        &rows,
        &[],
        vec![
            aggregate(AggregateFunction::Sum, 0, DataType::Int32),
            aggregate(AggregateFunction::Sum, 1, DataType::Int64),
            // The sum of an INT average is a BIGINT and does not wrap.
            aggregate(AggregateFunction::Avg, 0, DataType::Int32),
        ],
    );
    let columns = results(&spec, &[rows]);
    assert_eq!(columns[0].as_primitive::<Int32Type>().value(0), i32::MIN);
    assert_eq!(columns[1].as_primitive::<Int64Type>().value(0), i64::MIN);
    assert_eq!(columns[2].as_primitive::<Int32Type>().value(0), 1 << 30);
}

#[test]
fn decimal_sums_beyond_their_precision_are_null() {
    let largest = 10i128.pow(38) - 1;
    let decimals = |values: Vec<i128>| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, 2).unwrap())
    };
    let keys = || Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef;
    let batches = [
        batch(vec![keys(), decimals(vec![largest, largest, largest])]),
        batch(vec![keys(), decimals(vec![1, largest, -1])]),
        batch(vec![keys(), decimals(vec![0, -largest, 0])]),
    ];
    let spec = spec(
        &batches[0],
        &[0],
        vec![
            aggregate(AggregateFunction::Sum, 1, DataType::Decimal128(38, 2)),
            aggregate(AggregateFunction::Avg, 1, DataType::Decimal128(38, 6)),
        ],
    );
    let (whole, merged) = both_ways(&spec, &batches);
    for columns in [&whole.1, &merged.1] {
        // One over; past 128 bits, whatever comes after; just right.
        assert!(columns[0].is_null(0));
        assert!(columns[0].is_null(1));
        assert!(columns[0].is_valid(2));
        assert!(columns[1].is_null(1));
    }
}

#[test]
fn a_table_without_keys_has_its_group_once_a_row_came() {
    let rows = batch(vec![Arc::new(Int64Array::from(vec![None, Some(3)]))]);
    let spec = spec(
        &rows,
        &[],
        vec![
            aggregate(AggregateFunction::Count, 0, DataType::Int64),
            aggregate(AggregateFunction::Max, 0, DataType::Int64),
        ],
    );
    let mut table = table(&spec);
    add(&mut table, &spec, &rows.slice(0, 0));
    assert!(table.is_empty());
    let (keys, partials) = table.take_partials().unwrap();
    assert_eq!((keys.len(), partials[0].len()), (0, 0));
    table.merge(&keys, &partials).unwrap();
    assert!(table.is_empty());

    add(&mut table, &spec, &rows.slice(0, 1));
    assert_eq!(table.len(), 1);
    let (_, columns) = table.take_results().unwrap();
    assert_eq!(columns[0].as_primitive::<Int64Type>().value(0), 0);
    assert!(columns[1].is_null(0));
}

#[test]
fn keys_can_be_read_while_the_table_lives() {
    let rows = batch(vec![
        Arc::new(StringArray::from(vec![Some("a"), None, Some(""), Some("a"), None])),
        Arc::new(Int32Array::from(vec![Some(1), Some(1), None, Some(1), Some(1)])),
    ]);
    let count = || aggregate(AggregateFunction::Count, 1, DataType::Int64);
    let one = spec(&rows, &[0], vec![count()]);
    let mut strings = table(&one);
    add(&mut strings, &one, &rows);
    let expected = StringArray::from(vec![Some("a"), Some(""), None]);
    assert_eq!(strings.keys().unwrap()[0].as_string::<i32>(), &expected);

    let two = spec(&rows, &[0, 1], vec![count()]);
    let mut pairs = table(&two);
    add(&mut pairs, &two, &rows);
    let expected = StringArray::from(vec![Some("a"), None, Some("")]);
    assert_eq!(pairs.keys().unwrap()[0].as_string::<i32>(), &expected);
    let numbers = Int32Array::from(vec![Some(1), Some(1), None]);
    assert_eq!(pairs.keys().unwrap()[1].as_primitive::<Int32Type>(), &numbers);
    assert_eq!(pairs.len(), 3);
    let (_, counts) = pairs.take_results().unwrap();
    assert_eq!(counts[0].as_primitive::<Int64Type>().values(), &[2, 2, 0]);
}

#[test]
fn bytes_follow_the_groups_and_a_huge_pane_is_let_go() {
    let rows = |count: i64| batch(vec![Arc::new(Int64Array::from_iter_values(0..count))]);
    let small = rows(10);
    let spec = spec(&small, &[0], vec![aggregate(AggregateFunction::Max, 0, DataType::Int64)]);
    let mut table = table(&spec);
    add(&mut table, &spec, &rows(1_000_000));
    // At least an integer a key, its entry and its maximum.
    let full = table.bytes();
    assert!((1_000_000 * (8 + 16 + 8)..1_000_000 * 80).contains(&full), "{full}");
    table.take_results().unwrap();
    add(&mut table, &spec, &small);
    table.take_results().unwrap();
    assert!(table.bytes() < full / 4, "{} of {full}", table.bytes());
}

#[test]
fn partial_columns_are_named_after_their_aggregate() {
    let rows = &two_batches()[0];
    let mut average = aggregate(AggregateFunction::Avg, 1, DataType::Int32);
    average.name = "avg_delay".into();
    let layout = AggregateLayout::new(&spec(rows, &[0], vec![average])).unwrap();
    let fields = layout.partial_fields();
    let names: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["c0", "avg_delay.sum", "avg_delay.count"]);
    assert_eq!(layout.key_count(), 1);
}

#[test]
fn arguments_that_a_function_does_not_take_are_refused() {
    let rows = batch(vec![Arc::new(StringArray::from(vec!["a"]))]);
    let refused = |aggregate: AggregateSpec| {
        AggregateLayout::new(&spec(&rows, &[], vec![aggregate])).unwrap_err().to_string()
    };
    let sum = refused(aggregate(AggregateFunction::Sum, 0, DataType::Utf8));
    assert!(sum.contains("Sum does not take Utf8"), "{sum}");
    let mut filtered = aggregate(AggregateFunction::Count, 0, DataType::Int64);
    filtered.filter = Some(col(0));
    assert!(refused(filtered).contains("FILTER of a is not a condition"));
    let mut star = aggregate(AggregateFunction::Count, 0, DataType::Int64);
    star.args.clear();
    star.distinct = true;
    assert!(refused(star).contains("DISTINCT needs an argument"));
}

#[test]
fn batches_may_be_any_cut_of_the_rows() {
    let batches = two_batches();
    let spec = spec(&batches[0], &[0], vec![aggregate(AggregateFunction::Sum, 1, DataType::Int32)]);
    let all = concat_batches(&batches[0].schema(), &batches).unwrap();
    let (whole, _) = both_ways(&spec, std::slice::from_ref(&all));
    for cut in 0..=all.num_rows() {
        let parts = [all.slice(0, cut), all.slice(cut, all.num_rows() - cut)];
        let (one, merged) = both_ways(&spec, &parts);
        assert_eq!(one, whole);
        assert_eq!(merged, whole);
    }
}
