//! Group tables against a naive model: every kind of key × every type of value × COUNT, SUM, MIN,
//! MAX, AVG × nulls × FILTER × DISTINCT, in one table and split over tables that are merged.
//!
//! The model keeps the rows of each group and recomputes each aggregate from them. Values are small
//! integers that each type stands for in its way, so that sums of floats are exact as well.

#![allow(clippy::unwrap_used)] // A test fails where something fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::*;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::util::display::array_value_to_string;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use millstream_operators::aggregate::{AggregateLayout, GroupTable, Rows};
use millstream_operators::window::{
    AggregateFunction, AggregateSpec, Emission, WindowAggregateSpec, WindowTime,
};
use proptest::prelude::*;

/// A row as the model sees it.
#[derive(Clone, Debug)]
struct Row {
    /// 0 stands for null.
    key: i64,
    value: Option<i64>,
    pass: Option<bool>,
    /// Which of the partial tables gets it.
    part: usize,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0..7i64, prop::option::weighted(0.8, -20..20i64), any::<Option<bool>>(), 0..3usize);
    let row = row.prop_map(|(key, value, pass, part)| Row { key, value, pass, part });
    // Whole inputs without nulls take other paths.
    (prop::collection::vec(row, 0..120), any::<bool>()).prop_map(|(mut rows, nulls)| {
        if !nulls {
            rows.iter_mut().for_each(|row| {
                row.value = row.value.or(Some(3));
                row.key = row.key.max(1);
            });
        }
        rows
    })
}

fn key_types() -> Vec<Vec<DataType>> {
    use DataType::*;
    let single = [
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Boolean,
        Date32,
        Timestamp(TimeUnit::Millisecond, None),
        Timestamp(TimeUnit::Microsecond, Some("Europe/Berlin".into())),
        Time32(TimeUnit::Millisecond),
        Utf8,
        Binary,
        Float64,
        Decimal128(12, 2),
    ];
    let mut types: Vec<_> = single.into_iter().map(|one| vec![one]).collect();
    types.extend([vec![], vec![Int64, Utf8], vec![Boolean, Date32, Float32], vec![Utf8, Utf8]]);
    types
}

fn value_types() -> Vec<DataType> {
    use DataType::*;
    vec![
        Int8,
        Int16,
        Int32,
        Int64,
        UInt32,
        UInt64,
        Float32,
        Float64,
        Decimal128(10, 2),
        Boolean,
        Date32,
        Timestamp(TimeUnit::Millisecond, None),
        Time32(TimeUnit::Millisecond),
        Utf8,
        Binary,
    ]
}

/// What an integer stands for in a type, as an integer again: two that stand for the same value of
/// the type give the same.
fn canonical(data_type: &DataType, value: i64) -> i64 {
    match data_type {
        DataType::Boolean => value & 1,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => value.abs(),
        DataType::Time32(_) => value.abs(),
        _ => value,
    }
}

/// An array of canonical integers. Floats are quarters, decimals are unscaled.
fn array(data_type: &DataType, values: &[Option<i128>]) -> ArrayRef {
    let text = |v: &Option<i128>| v.map(|v| format!("value-{:04}", v + 500));
    let float = |v: &Option<i128>| v.map(|v| v as f64 / 4.0);
    let integers: Int64Array = values.iter().map(|v| v.map(|v| v as i64)).collect();
    match data_type {
        DataType::Utf8 => Arc::new(values.iter().map(text).collect::<StringArray>()),
        DataType::Binary => Arc::new(
            values.iter().map(|v| text(v).map(String::into_bytes)).collect::<BinaryArray>(),
        ),
        DataType::Float64 => Arc::new(values.iter().map(float).collect::<Float64Array>()),
        DataType::Float32 => {
            Arc::new(values.iter().map(|v| float(v).map(|v| v as f32)).collect::<Float32Array>())
        }
        DataType::Boolean => {
            Arc::new(values.iter().map(|v| v.map(|v| v != 0)).collect::<BooleanArray>())
        }
        DataType::Decimal128(..) => {
            let array: Decimal128Array = values.iter().copied().collect();
            Arc::new(array.with_data_type(data_type.clone()))
        }
        DataType::Date32 | DataType::Time32(_) => {
            cast(&cast(&integers, &DataType::Int32).unwrap(), data_type).unwrap()
        }
        _ => cast(&integers, data_type).unwrap(),
    }
}

fn column(data_type: &DataType, values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let values: Vec<_> = values.map(|v| v.map(|v| i128::from(canonical(data_type, v)))).collect();
    array(data_type, &values)
}

/// Columns: keys, then `value`, then `pass`.
fn batch(keys: &[DataType], value: &DataType, rows: &[Row]) -> RecordBatch {
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (i, data_type) in keys.iter().enumerate() {
        // Key columns differ from each other, and only the first can be null.
        let key =
            |row: &Row| if i == 0 && row.key == 0 { None } else { Some(row.key * (1 + i as i64)) };
        columns.push(column(data_type, rows.iter().map(key)));
    }
    columns.push(column(value, rows.iter().map(|row| row.value)));
    columns.push(Arc::new(rows.iter().map(|row| row.pass).collect::<BooleanArray>()));
    let fields: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| Field::new(format!("c{i}"), column.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn col(index: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(&format!("c{index}"), index))
}

fn is_numeric(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

fn average_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale.max(&6)),
        other => other.clone(),
    }
}

fn sum_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
        other => other.clone(),
    }
}

/// All aggregates that the value type has.
fn spec(keys: usize, value: &DataType, filter: bool, distinct: bool) -> WindowAggregateSpec {
    use AggregateFunction::*;
    let mut functions = vec![(Count, DataType::Int64), (Min, value.clone()), (Max, value.clone())];
    if is_numeric(value) {
        functions.extend([(Sum, sum_type(value)), (Avg, average_type(value))]);
    }
    let mut aggregates: Vec<_> = functions
        .into_iter()
        .map(|(function, data_type)| AggregateSpec {
            name: format!("{function:?}"),
            function,
            args: vec![col(keys)],
            filter: filter.then(|| col(keys + 1)),
            distinct,
            data_type,
        })
        .collect();
    // COUNT(*), without FILTER so that it shares the table with filtered ones.
    aggregates.push(AggregateSpec {
        name: "rows".into(),
        function: Count,
        args: vec![],
        filter: None,
        distinct: false,
        data_type: DataType::Int64,
    });
    WindowAggregateSpec {
        time: WindowTime::Attached { start: 0, end: 0, zone: None, is_processing: false },
        keys: (0..keys).collect(),
        aggregates,
        output: vec![],
        input: Arc::new(Schema::empty()),
        emission: Emission::default(),
    }
}

/// One aggregate of one group, by the book.
fn expected(function: &AggregateFunction, value: &DataType, values: &[i64]) -> String {
    use AggregateFunction::*;
    let sum: i128 = values.iter().map(|&v| i128::from(v)).sum();
    let count = values.len() as i128;
    let empty = values.is_empty();
    let one = |data_type: &DataType, value: Option<i128>| {
        array_value_to_string(&array(data_type, &[value]), 0).unwrap()
    };
    match function {
        Count => count.to_string(),
        Min => one(value, values.iter().min().map(|&v| v.into())),
        Max => one(value, values.iter().max().map(|&v| v.into())),
        Sum if empty => one(&sum_type(value), None),
        // Int8 wraps.
        Sum if *value == DataType::Int8 => one(value, Some(i128::from(sum as i8))),
        Sum => one(&sum_type(value), Some(sum)),
        Avg if empty => one(value, None),
        Avg => match value {
            DataType::Decimal128(..) => {
                let scaled = sum * 10_000;
                let rounded = (2 * scaled.abs() + count) / (2 * count) * scaled.signum();
                one(&average_type(value), Some(rounded))
            }
            DataType::Float32 | DataType::Float64 => {
                let average = sum as f64 / 4.0 / count as f64;
                let average = cast(&Float64Array::from(vec![average]), value).unwrap();
                array_value_to_string(&average, 0).unwrap()
            }
            _ => one(value, Some(sum / count)),
        },
        Udaf(_) => unreachable!(),
    }
}

fn label(columns: &[ArrayRef], row: usize) -> String {
    let parts: Vec<_> = columns
        .iter()
        .map(|column| match column.is_null(row) {
            true => "null".to_string(),
            false => array_value_to_string(column, row).unwrap(),
        })
        .collect();
    parts.join("|")
}

type Table = BTreeMap<String, Vec<String>>;

fn model(batch: &RecordBatch, rows: &[Row], spec: &WindowAggregateSpec) -> Table {
    let keys = &batch.columns()[..spec.keys.len()];
    let value = batch.column(keys.len()).data_type();
    let mut groups: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        groups.entry(label(keys, i)).or_default().push(row);
    }
    let compute = |rows: &Vec<&Row>, aggregate: &AggregateSpec| {
        if aggregate.args.is_empty() {
            return rows.len().to_string();
        }
        let mut values: Vec<i64> = rows
            .iter()
            .filter(|row| aggregate.filter.is_none() || row.pass == Some(true))
            .filter_map(|row| row.value.map(|v| canonical(value, v)))
            .collect();
        if aggregate.distinct {
            values = values.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        }
        expected(&aggregate.function, value, &values)
    };
    groups
        .iter()
        .map(|(key, rows)| {
            (key.clone(), spec.aggregates.iter().map(|a| compute(rows, a)).collect())
        })
        .collect()
}

fn read((keys, values): (Vec<ArrayRef>, Vec<ArrayRef>), spec: &WindowAggregateSpec) -> Table {
    for (column, aggregate) in values.iter().zip(&spec.aggregates) {
        assert_eq!(column.data_type(), &aggregate.data_type, "{}", aggregate.name);
    }
    let groups = values[0].len();
    let table: Table = (0..groups)
        .map(|row| {
            let cells = values.iter().map(|v| array_value_to_string(v, row).unwrap()).collect();
            (label(&keys, row), cells)
        })
        .collect();
    assert_eq!(table.len(), groups, "each key once");
    table
}

fn table_for(layout: &Arc<AggregateLayout>) -> GroupTable {
    GroupTable::new(layout.clone()).unwrap()
}

/// Checks partial columns against the layout's fields.
fn partials_of(table: &mut GroupTable, layout: &AggregateLayout) -> (Vec<ArrayRef>, Vec<ArrayRef>) {
    let (keys, partials) = table.take_partials().unwrap();
    let fields = layout.partial_fields();
    let columns: Vec<_> = keys.iter().chain(&partials).collect();
    assert_eq!(fields.len(), columns.len());
    for (field, column) in fields.iter().zip(columns) {
        assert_eq!(field.data_type(), column.data_type(), "{}", field.name());
    }
    assert_eq!(table.len(), 0);
    (keys, partials)
}

fn check(keys: &[DataType], value: &DataType, filter: bool, distinct: bool, rows: &[Row]) {
    let batch = batch(keys, value, rows);
    let mut spec = spec(keys.len(), value, filter, distinct);
    spec.input = batch.schema();
    let expected = model(&batch, rows, &spec);
    let layout = Arc::new(AggregateLayout::new(&spec).unwrap());
    let args = layout.evaluate_args(&batch).unwrap();
    let keys = &batch.columns()[..keys.len()];

    // One table: a range, the rest by row numbers.
    let half = rows.len() / 2;
    let rest: Vec<u32> = (half as u32..rows.len() as u32).rev().collect();
    let mut table = table_for(&layout);
    table.update(keys, &args, Rows::Range(0..half)).unwrap();
    table.update(keys, &args, Rows::Indices(&rest)).unwrap();
    assert_eq!(table.len(), expected.len());
    assert_eq!(read(table.take_results().unwrap(), &spec), expected, "in one table");

    // The same table again: nothing is left of the first round.
    table.update(keys, &args, Rows::All).unwrap();
    assert_eq!(read(table.take_results().unwrap(), &spec), expected, "in the same table again");

    // Three tables, merged as (0 + (2 + 1)); the first by way of a table that has raw rows too.
    let part = |part: usize| -> Vec<u32> {
        (0..rows.len()).filter(|&i| rows[i].part == part).map(|i| i as u32).collect()
    };
    let mut parts: Vec<GroupTable> = (0..3)
        .map(|i| {
            let mut table = table_for(&layout);
            table.update(keys, &args, Rows::Indices(&part(i))).unwrap();
            table
        })
        .collect();
    let (last_keys, last) = partials_of(&mut parts[2], &layout);
    parts[1].merge(&last_keys, &last).unwrap();
    let (middle_keys, middle) = partials_of(&mut parts[1], &layout);
    // As slices, as they come from an exchange.
    let cut = middle.first().map_or(0, |column| column.len()) / 2;
    for (from, length) in [(cut, middle[0].len() - cut), (0, cut)] {
        let slice = |columns: &[ArrayRef]| -> Vec<ArrayRef> {
            columns.iter().map(|column| column.slice(from, length)).collect()
        };
        parts[0].merge(&slice(&middle_keys), &slice(&middle)).unwrap();
    }
    assert_eq!(read(parts[0].take_results().unwrap(), &spec), expected, "merged");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_agree_with_recomputation(
        keys in prop::sample::select(key_types()),
        value in prop::sample::select(value_types()),
        filter in any::<bool>(),
        distinct in any::<bool>(),
        rows in rows(),
    ) {
        check(&keys, &value, filter, distinct, &rows);
    }
}
