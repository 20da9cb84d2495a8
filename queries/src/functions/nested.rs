//! Values of several parts: constructors of ARRAY, MAP and ROW, and access to their parts.
//!
//! | written | function |
//! |---|---|
//! | `ARRAY[a, b]` | `array` |
//! | `MAP[k, v, …]` | `map` |
//! | `ROW(a, b)`, `(a, b)` | `row`; fields are called `EXPR$0`, `EXPR$1`, … |
//! | `a[1]`, `m['k']` | [`ELEMENT`]: NULL if there is none |
//! | `r.name` | [`FIELD`]: NULL if the row is |
//!
//! [`conform`] brings a value into another type of the same shape: fields go by position, as in
//! Flink, where DataFusion's cast goes by name.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt64Array, make_comparator,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, SortOptions, cast_with_options, interleave, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::type_coercion::binary::type_union_resolution;
use datafusion_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};
use millstream_operators::unnest::field_of;

use super::index::{Body, functions};
use super::shown;
use crate::types::{self, flink_name};

/// Name under which `a[1]` and `m['k']` are planned; no query can call it.
pub const ELEMENT: &str = "element of";
/// Name under which `r.name` is planned; no query can call it.
pub const FIELD: &str = "field of";

/// Which function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Array,
    Map,
    Row,
    Element,
    Field,
    /// The value in this type.
    Conform(DataType),
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Nested {
    kind: Kind,
    signature: Signature,
}

functions! { ARRAYS, Array:
    "ARRAY", "ARRAY[a, …] → ARRAY<common type>", "The array of these elements. `a[1]` is its first element, `a[n]` NULL where there is none.",
        "ARRAY[1, 2, 3]", "[1, 2, 3]", Body::Own(|_| function(Kind::Array));
}

functions! { MAPS, Map:
    "MAP", "MAP[key, value, …] → MAP", "The map of these entries; of equal keys the last counts. `m['a']` is a value, NULL where there is none.",
        "MAP['a', 1, 'b', 2]", "{a: 1, b: 2}", Body::Own(|_| function(Kind::Map));
}

functions! { ROWS, Type:
    "ROW", "ROW(a, …) → ROW", "The row of these fields, also written `(a, b)`. They are called `EXPR$0` and so on until a cast or a column names them.",
        "CAST(ROW(1, 'a') AS ROW<id INT, name STRING>)", "{id: 1, name: a}", Body::Own(|_| function(Kind::Row));
}

/// Access to parts, which is syntax.
pub(super) fn access() -> [ScalarUDF; 2] {
    [Kind::Element, Kind::Field].map(function)
}

fn function(kind: Kind) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(Nested { kind, signature })
}

/// `row.name`
pub fn field(row: Expr, name: &str) -> Expr {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(function(Kind::Field)));
    let args = vec![row, lit(name)];
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&FUNCTION), args))
}

/// A value of several parts in another type of the same shape.
pub fn conform(value: Expr, to: DataType) -> Expr {
    let function = Arc::new(function(Kind::Conform(to)));
    Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![value]))
}

impl ScalarUDFImpl for Nested {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Array => "array",
            Kind::Map => "map",
            Kind::Row => "row",
            Kind::Element => ELEMENT,
            Kind::Field => FIELD,
            Kind::Conform(_) => "as",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(match (&self.kind, arguments) {
            (Kind::Array, [first, ..]) => list_of(first.clone()),
            (Kind::Map, [key, value, ..]) => map_of(key.clone(), value.clone()),
            (Kind::Row, [_, ..]) => DataType::Struct(row_fields(arguments)),
            (Kind::Element, [DataType::List(item), _]) => item.data_type().clone(),
            (Kind::Element, [DataType::Map(entries, _), _]) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => fields[1].data_type().clone(),
                other => return plan_err!("{other} has no values"),
            },
            (Kind::Element, [other, _]) => {
                return plan_err!("`[…]` takes an ARRAY or a MAP, not {}", flink_name(other));
            }
            (Kind::Conform(to), [_]) => to.clone(),
            _ => return plan_err!("{} takes other arguments", self.name().to_uppercase()),
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
        let second = args.scalar_arguments.get(1).copied().flatten();
        if self.kind == Kind::Field {
            let name = second.and_then(|name| name.try_as_str().flatten()).unwrap_or_default();
            let found = find_field(&types, name)?.1.data_type().clone();
            return Ok(Arc::new(Field::new(self.name(), found, true)));
        }
        if let (Kind::Element, Some(DataType::List(_)), Some(index)) =
            (&self.kind, types.first(), second)
            && let Ok(ScalarValue::Int64(Some(index))) = index.cast_to(&DataType::Int64)
            && index < 1
        {
            return plan_err!("elements of an ARRAY begin with 1: there is no element {index}");
        }
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, true)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match (&self.kind, types) {
            (Kind::Array, [_, ..]) => Ok(vec![common("ARRAY", types.iter())?; types.len()]),
            (Kind::Array, []) => {
                plan_err!("ARRAY takes an element at least: its type is not known")
            }
            (Kind::Map, [_, _, ..]) if types.len().is_multiple_of(2) => {
                let key = common("MAP", types.iter().step_by(2))?;
                let value = common("MAP", types.iter().skip(1).step_by(2))?;
                let pairs = types.len() / 2;
                Ok([key, value].into_iter().cycle().take(2 * pairs).collect())
            }
            (Kind::Map, _) => plan_err!("MAP takes keys and values in turn"),
            (Kind::Element, [list @ DataType::List(_), index]) => {
                if index.is_integer() || *index == DataType::Null {
                    Ok(vec![list.clone(), DataType::Int64])
                } else {
                    plan_err!("`[…]` of an ARRAY takes a number, not {}", flink_name(index))
                }
            }
            (Kind::Element, [map @ DataType::Map(entries, _), _]) => match entries.data_type() {
                DataType::Struct(fields) => Ok(vec![map.clone(), fields[0].data_type().clone()]),
                other => plan_err!("{other} has no keys"),
            },
            (Kind::Row, []) => plan_err!("ROW takes a value at least"),
            _ => Ok(types.to_vec()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays: Vec<ArrayRef> = match &self.kind {
            // Its name is no column.
            Kind::Field => vec![args.args[0].to_array(rows)?],
            _ => args.args.iter().map(|value| value.to_array(rows)).collect::<Result<_>>()?,
        };
        let array = match &self.kind {
            Kind::Array => array(&arrays, rows, args.return_type())?,
            Kind::Map => map(&arrays, rows, args.return_type())?,
            Kind::Row => {
                let fields = row_fields(&types_of(&arrays));
                Arc::new(StructArray::try_new(fields, arrays, None)?)
            }
            Kind::Element => match arrays[0].data_type() {
                DataType::Map(..) => value_of_key(arrays[0].as_map(), &arrays[1])?,
                _ => element_of(arrays[0].as_list(), &arrays[1])?,
            },
            Kind::Field => {
                let name = match &args.args[1] {
                    ColumnarValue::Scalar(name) => name.try_as_str().flatten().unwrap_or_default(),
                    ColumnarValue::Array(_) => "",
                };
                let (position, _) = find_field(&types_of(&arrays), name)?;
                field_of(arrays[0].as_struct(), position)?
            }
            Kind::Conform(to) => conform_array(&arrays[0], to)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

fn types_of(arrays: &[ArrayRef]) -> Vec<DataType> {
    arrays.iter().map(|array| array.data_type().clone()).collect()
}

fn list_of(item: DataType) -> DataType {
    types::array(crate::statement::SqlType { data_type: item, nullable: true })
}

fn map_of(key: DataType, value: DataType) -> DataType {
    let nullable = |data_type| crate::statement::SqlType { data_type, nullable: true };
    types::map(nullable(key), nullable(value))
}

fn row_fields(types: &[DataType]) -> Fields {
    let field = |(n, data_type): (usize, &DataType)| {
        Field::new(format!("EXPR${n}"), data_type.clone(), true)
    };
    types.iter().enumerate().map(field).collect()
}

/// The type that all these values can have. Fields of rows go by position; the first row names them.
pub fn unify(types: &[DataType]) -> Option<DataType> {
    if !types.iter().any(DataType::is_nested) {
        return type_union_resolution(types);
    }
    let (first, others) = types.split_first()?;
    others.iter().try_fold(first.clone(), |common, other| unify_two(&common, other))
}

fn unify_two(left: &DataType, right: &DataType) -> Option<DataType> {
    let field = |l: &FieldRef, r: &FieldRef| {
        let data_type = unify_two(l.data_type(), r.data_type())?;
        Some(Arc::new(Field::new(l.name(), data_type, l.is_nullable() || r.is_nullable())))
    };
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (DataType::Struct(l), DataType::Struct(r)) if l.len() == r.len() => {
            let fields: Option<Vec<FieldRef>> = l.iter().zip(r).map(|(l, r)| field(l, r)).collect();
            Some(DataType::Struct(fields?.into()))
        }
        (DataType::List(l), DataType::List(r)) => Some(DataType::List(field(l, r)?)),
        (DataType::Map(l, sorted), DataType::Map(r, _)) => {
            Some(DataType::Map(field(l, r)?, *sorted))
        }
        _ if left.is_nested() || right.is_nested() => None,
        _ => type_union_resolution(&[left.clone(), right.clone()]),
    }
}

/// The type that all these values can have.
fn common<'t>(what: &str, types: impl Iterator<Item = &'t DataType>) -> Result<DataType> {
    let types: Vec<DataType> = types.cloned().collect();
    unify(&types).map_or_else(
        || {
            let names: Vec<String> = types.iter().map(flink_name).collect();
            plan_err!("{what} takes values of one type, not of {}", names.join(" and "))
        },
        Ok,
    )
}

/// A field of a ROW type by name, and where it is.
fn find_field<'t>(types: &'t [DataType], name: &str) -> Result<(usize, &'t FieldRef)> {
    let Some(DataType::Struct(fields)) = types.first() else {
        let found = types.first().map_or_else(String::new, flink_name);
        return plan_err!("`.{name}` takes a ROW, not {found}");
    };
    match fields.find(name) {
        Some(found) => Ok(found),
        None => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            plan_err!("the ROW has no field `{name}`: there are `{}`", names.join("`, `"))
        }
    }
}

/// The columns' values of each row, one behind the other.
fn by_row(columns: &[ArrayRef], places: &[(usize, usize)]) -> Result<ArrayRef> {
    let columns: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&columns, places)?)
}

fn array(columns: &[ArrayRef], rows: usize, to: &DataType) -> Result<ArrayRef> {
    let DataType::List(item) = to else { return plan_err!("an ARRAY is no {to}") };
    let width = columns.len();
    let places: Vec<(usize, usize)> =
        (0..rows).flat_map(|row| (0..width).map(move |column| (column, row))).collect();
    let offsets = OffsetBuffer::from_repeated_length(width, rows);
    let values = by_row(columns, &places)?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None)?))
}

/// Of equal keys the last one counts.
fn map(columns: &[ArrayRef], rows: usize, to: &DataType) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = to else { return plan_err!("a MAP is no {to}") };
    let DataType::Struct(fields) = entries.data_type() else {
        return plan_err!("a MAP has keys and values");
    };
    let (keys, values): (Vec<ArrayRef>, Vec<ArrayRef>) =
        columns.chunks(2).map(|pair| (Arc::clone(&pair[0]), Arc::clone(&pair[1]))).unzip();
    if keys.iter().any(|keys| keys.null_count() > 0) {
        return exec_err!("a key of MAP[…] is NULL");
    }
    let width = keys.len();
    let mut same = Vec::new();
    for later in 0..width {
        for earlier in 0..later {
            let options = SortOptions::default();
            same.push((earlier, later, make_comparator(&keys[earlier], &keys[later], options)?));
        }
    }
    let (mut places, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
    for row in 0..rows {
        let is_replaced = |pair: usize| {
            same.iter().any(|(earlier, _, compare)| *earlier == pair && compare(row, row).is_eq())
        };
        let before = places.len();
        places.extend((0..width).filter(|pair| !is_replaced(*pair)).map(|pair| (pair, row)));
        lengths.push(places.len() - before);
    }
    let entries_array = StructArray::try_new(
        fields.clone(),
        vec![by_row(&keys, &places)?, by_row(&values, &places)?],
        None,
    )?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, entries_array, None, false)?))
}

/// `a[n]`: n from 1 on, NULL if there is no such element.
fn element_of(list: &ListArray, index: &ArrayRef) -> Result<ArrayRef> {
    let index = index.as_primitive::<Int64Type>();
    let place = |row: usize| {
        if list.is_null(row) || index.is_null(row) {
            return None;
        }
        let (start, end) = (list.value_offsets()[row], list.value_offsets()[row + 1]);
        let place = index.value(row).checked_sub(1).filter(|place| *place >= 0)?;
        let place = i64::from(start).checked_add(place)?;
        if place < i64::from(end) { u64::try_from(place).ok() } else { None }
    };
    let places: UInt64Array = (0..list.len()).map(place).collect();
    Ok(take(list.values(), &places, None)?)
}

/// `m[key]`, NULL if there is no such key.
fn value_of_key(map: &MapArray, wanted: &ArrayRef) -> Result<ArrayRef> {
    let compare = make_comparator(map.keys(), wanted, SortOptions::default())?;
    let place = |row: usize| {
        if map.is_null(row) || wanted.is_null(row) {
            return None;
        }
        let (start, end) = (map.value_offsets()[row], map.value_offsets()[row + 1]);
        let places = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        // Formats may give a key twice; the last one counts.
        let found = places.rev().find(|place| compare(*place, row).is_eq());
        found.map(|place| place as u64)
    };
    let places: UInt64Array = (0..map.len()).map(place).collect();
    Ok(take(map.values(), &places, None)?)
}

/// The values in another type of the same shape.
fn conform_array(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    let nulls = || array.nulls().cloned();
    Ok(match (array.data_type(), to) {
        (DataType::Struct(_), DataType::Struct(fields)) => {
            Arc::new(conform_row(array.as_struct(), fields)?)
        }
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let values = conform_array(list.values(), item.data_type())?;
            let offsets = list.offsets().clone();
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls())?)
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let map = array.as_map();
            let DataType::Struct(fields) = entries.data_type() else {
                return plan_err!("a MAP has keys and values");
            };
            let values = conform_row(map.entries(), fields)?;
            let offsets = map.offsets().clone();
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, values, nulls(), *sorted)?)
        }
        (_, DataType::Utf8) => shown::texts(array)?,
        (from, to) => {
            let array = if shows_wall_clock(from, to) { wall_clock(array)? } else { array.clone() };
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(&array, to, &options)?
        }
    })
}

/// True of a TIMESTAMP_LTZ on its way to a type without a zone: what it becomes is what the session's
/// clocks show.
pub fn shows_wall_clock(from: &DataType, to: &DataType) -> bool {
    matches!(from, DataType::Timestamp(_, Some(_)))
        && matches!(to, DataType::Timestamp(_, None) | DataType::Date32 | DataType::Time32(_))
}

/// What the clocks of its zone show.
fn wall_clock(array: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, _) = array.data_type() else { return Ok(Arc::clone(array)) };
    let field = |zone: DataType| Arc::new(Field::new("time", zone, true));
    let local = datafusion_functions::datetime::to_local_time();
    let shown = local.invoke_with_args(ScalarFunctionArgs {
        args: vec![ColumnarValue::Array(Arc::clone(array))],
        arg_fields: vec![field(array.data_type().clone())],
        number_rows: array.len(),
        return_field: field(DataType::Timestamp(*unit, None)),
        config_options: Arc::default(),
    })?;
    shown.into_array(array.len())
}

/// Rows whose fields become these, by position.
fn conform_row(rows: &StructArray, fields: &Fields) -> Result<StructArray> {
    if rows.num_columns() != fields.len() {
        return exec_err!("a ROW of {} fields is none of {}", rows.num_columns(), fields.len());
    }
    let columns = rows.columns().iter().zip(fields.iter());
    let columns: Result<Vec<ArrayRef>> =
        columns.map(|(column, field)| conform_array(column, field.data_type())).collect();
    if fields.is_empty() {
        return Ok(StructArray::new_empty_fields(rows.len(), rows.nulls().cloned()));
    }
    Ok(StructArray::try_new(fields.clone(), columns?, rows.nulls().cloned())?)
}
