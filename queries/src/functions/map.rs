//! Functions of maps.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, MapBuilder, MapFieldNames, StringBuilder,
    StructArray, UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::row::{RowConverter, SortField};
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::index::{Body, functions};
use super::regex;
use super::rows::{arrays, check_count};
use crate::types::flink_name;

functions! { FUNCTIONS, Map:
    "MAP_KEYS", "MAP_KEYS(map) → ARRAY", "Its keys.",
        "MAP_KEYS(STR_TO_MAP('a=1,b=2'))", "[a, b]", Body::Own(|_| map("map_keys", Kind::Keys));
    "MAP_VALUES", "MAP_VALUES(map) → ARRAY", "Its values.",
        "MAP_VALUES(STR_TO_MAP('a=1,b=2'))", "[1, 2]", Body::Own(|_| map("map_values", Kind::Values));
    "MAP_ENTRIES", "MAP_ENTRIES(map) → ARRAY<ROW<key, value>>", "Its entries.",
        "MAP_ENTRIES(STR_TO_MAP('a=1'))", "[{key: a, value: 1}]", Body::Own(|_| map("map_entries", Kind::Entries));
    "MAP_FROM_ARRAYS", "MAP_FROM_ARRAYS(keys, values) → MAP", "A map of keys to the values at their places.",
        "MAP_FROM_ARRAYS(SPLIT('a,b', ','), SPLIT('1,2', ','))", "{a: 1, b: 2}", Body::Own(|_| map("map_from_arrays", Kind::FromArrays));
    "MAP_UNION", "MAP_UNION(map, …) → MAP", "The entries of all; of equal keys the last counts.",
        "MAP_UNION(STR_TO_MAP('a=1,b=2'), STR_TO_MAP('b=3'))", "{a: 1, b: 3}", Body::Own(|_| map("map_union", Kind::Union));
    "STR_TO_MAP", "STR_TO_MAP(s[, between pairs, behind keys]) → MAP<STRING, STRING>",
        "The pairs of a text. The delimiters, `,` and `=` if they are left out, are regular expressions.",
        "STR_TO_MAP('k1=v1;k2=v2', ';', '=')", "{k1: v1, k2: v2}", Body::Own(|_| map("str_to_map", Kind::OfText));
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Keys,
    Values,
    Entries,
    FromArrays,
    Union,
    OfText,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MapFunction {
    name: &'static str,
    kind: Kind,
    signature: Signature,
}

fn map(name: &'static str, kind: Kind) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(MapFunction { name, kind, signature })
}

/// The fields of an entry.
fn entry_fields(key: DataType, value: DataType) -> Fields {
    Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)])
}

/// The type of a map: as columns of tables have it.
pub(super) fn map_type(key: DataType, value: DataType) -> DataType {
    let entries = DataType::Struct(entry_fields(key, value));
    DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
}

/// Types of keys and values.
fn entry_types(map: &DataType) -> Option<(DataType, DataType)> {
    let DataType::Map(entries, _) = map else { return None };
    let DataType::Struct(fields) = entries.data_type() else { return None };
    match &fields[..] {
        [key, value] => Some((key.data_type().clone(), value.data_type().clone())),
        _ => None,
    }
}

fn list_field(list: &DataType) -> Option<&FieldRef> {
    match list {
        DataType::List(field) => Some(field),
        _ => None,
    }
}

impl ScalarUDFImpl for MapFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name.to_uppercase();
        let (least, most) = match self.kind {
            Kind::Keys | Kind::Values | Kind::Entries => (1, 1),
            Kind::FromArrays => (2, 2),
            Kind::Union => (1, usize::MAX),
            Kind::OfText => (1, 3),
        };
        check_count(&name, arguments.len(), least, most)?;
        let is_wanted = |argument: &DataType| match self.kind {
            Kind::FromArrays => list_field(argument).is_some(),
            Kind::OfText => matches!(argument, DataType::Utf8 | DataType::Null),
            _ => entry_types(argument).is_some(),
        };
        let wanted = match self.kind {
            Kind::FromArrays => "arrays",
            Kind::OfText => "text",
            _ => "a map",
        };
        if let Some(other) = arguments.iter().find(|argument| !is_wanted(argument)) {
            return plan_err!("{name} wants {wanted}, not {}", flink_name(other));
        }
        Ok(match self.kind {
            Kind::OfText => vec![DataType::Utf8; arguments.len()],
            Kind::Union => {
                let first = entry_types(&arguments[0]);
                if arguments.iter().any(|argument| entry_types(argument) != first) {
                    return plan_err!("{name} wants maps of one type");
                }
                arguments.to_vec()
            }
            _ => arguments.to_vec(),
        })
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let (key, value) = entry_types(&arguments[0]).unwrap_or((DataType::Null, DataType::Null));
        Ok(match self.kind {
            Kind::Keys => DataType::new_list(key, true),
            Kind::Values => DataType::new_list(value, true),
            Kind::Entries => DataType::new_list(DataType::Struct(entry_fields(key, value)), true),
            Kind::FromArrays => {
                let of = |list| list_field(list).map_or(DataType::Null, |f| f.data_type().clone());
                map_type(of(&arguments[0]), of(&arguments[1]))
            }
            Kind::Union => map_type(key, value),
            Kind::OfText => map_type(DataType::Utf8, DataType::Utf8),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = arrays(args)?;
        let array = match self.kind {
            Kind::Keys => list_of(arrays[0].as_map(), arrays[0].as_map().keys())?,
            Kind::Values => list_of(arrays[0].as_map(), arrays[0].as_map().values())?,
            Kind::Entries => entries(arrays[0].as_map())?,
            Kind::FromArrays => from_arrays(arrays[0].as_list(), arrays[1].as_list())?,
            Kind::Union => union(&arrays)?,
            Kind::OfText => of_text(&arrays)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// Keys or values as arrays.
fn list_of(map: &MapArray, values: &ArrayRef) -> Result<ArrayRef> {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
    Ok(Arc::new(ListArray::try_new(field, offsets, Arc::clone(values), nulls)?))
}

fn entries(map: &MapArray) -> Result<ArrayRef> {
    let fields = entry_fields(map.keys().data_type().clone(), map.values().data_type().clone());
    let columns = vec![Arc::clone(map.keys()), Arc::clone(map.values())];
    let rows: ArrayRef = Arc::new(StructArray::try_new(fields, columns, None)?);
    list_of(map, &rows)
}

/// A map of these entries.
///
/// # Errors
/// If a key is NULL.
pub(super) fn build(
    keys: ArrayRef,
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    if keys.null_count() > 0 {
        return exec_err!("a key of a map is NULL");
    }
    let fields = entry_fields(keys.data_type().clone(), values.data_type().clone());
    let entries = StructArray::try_new(fields, vec![keys, values], None)?;
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, false)?))
}

fn from_arrays(keys: &ListArray, values: &ListArray) -> Result<ArrayRef> {
    let (mut from_keys, mut from_values) = (Vec::new(), Vec::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for row in 0..keys.len() {
        let is_valid = keys.is_valid(row) && values.is_valid(row);
        valid.push(is_valid);
        if !is_valid {
            lengths.push(0);
            continue;
        }
        let (count, other) = (keys.value_length(row), values.value_length(row));
        if count != other {
            return exec_err!("MAP_FROM_ARRAYS of {count} keys and {other} values");
        }
        lengths.push(count as usize);
        from_keys.extend((0..count).map(|i| (keys.value_offsets()[row] + i) as u32));
        from_values.extend((0..count).map(|i| (values.value_offsets()[row] + i) as u32));
    }
    let keys = take(keys.values(), &UInt32Array::from(from_keys), None)?;
    let values = take(values.values(), &UInt32Array::from(from_values), None)?;
    build(keys, values, OffsetBuffer::from_lengths(lengths), Some(NullBuffer::from(valid)))
}

fn union(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let maps: Vec<&MapArray> = arrays.iter().map(|array| array.as_map()).collect();
    let parts = |part: fn(&MapArray) -> &ArrayRef| {
        let parts: Vec<&dyn Array> = maps.iter().map(|map| part(map).as_ref()).collect();
        concat(&parts)
    };
    let (keys, values) = (parts(MapArray::keys)?, parts(MapArray::values)?);
    let converter = RowConverter::new(vec![SortField::new(keys.data_type().clone())])?;
    let compared = converter.convert_columns(std::slice::from_ref(&keys))?;
    let (mut numbers, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..maps[0].len() {
        let is_valid = maps.iter().all(|map| map.is_valid(row));
        valid.push(is_valid);
        let mut kept: Vec<usize> = Vec::new();
        let mut start = 0;
        for map in &maps {
            let range = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
            for number in range.map(|number| start + number).filter(|_| is_valid) {
                match kept.iter_mut().find(|other| compared.row(**other) == compared.row(number)) {
                    Some(other) => *other = number,
                    None => kept.push(number),
                }
            }
            start += map.keys().len();
        }
        lengths.push(kept.len());
        numbers.extend(kept.into_iter().map(|number| number as u32));
    }
    let numbers = UInt32Array::from(numbers);
    let (keys, values) = (take(&keys, &numbers, None)?, take(&values, &numbers, None)?);
    build(keys, values, OffsetBuffer::from_lengths(lengths), Some(NullBuffer::from(valid)))
}

fn of_text(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = arrays[0].as_string::<i32>();
    let delimiter = |argument: usize, default: &'static str, row: usize| match arrays.get(argument)
    {
        None => Some(default),
        Some(texts) => texts.is_valid(row).then(|| texts.as_string::<i32>().value(row)),
    };
    let names = MapFieldNames {
        entry: "entries".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let mut out = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in 0..texts.len() {
        let delimiters = delimiter(1, ",", row).zip(delimiter(2, "=", row));
        let Some((pairs, keys)) = delimiters.filter(|_| texts.is_valid(row)) else {
            out.append(false)?;
            continue;
        };
        for (key, value) in of_pairs(texts.value(row), pairs, keys)? {
            out.keys().append_value(key);
            out.values().append_option(value);
        }
        out.append(true)?;
    }
    Ok(Arc::new(out.finish()))
}

/// The pairs of a text, each key once with its last value.
fn of_pairs<'a>(text: &'a str, pairs: &str, keys: &str) -> Result<Vec<(&'a str, Option<&'a str>)>> {
    let mut found: Vec<(&str, Option<&str>)> = Vec::new();
    if text.is_empty() {
        return Ok(found);
    }
    let Some(parts) = regex::split(text, pairs, usize::MAX) else {
        return exec_err!("STR_TO_MAP: `{pairs}` is no regular expression");
    };
    for part in parts {
        let entry = match regex::split(part, keys, 2).as_deref() {
            None => return exec_err!("STR_TO_MAP: `{keys}` is no regular expression"),
            Some([key, value]) => (*key, Some(*value)),
            Some(_) => (part, None),
        };
        match found.iter_mut().find(|(key, _)| *key == entry.0) {
            Some(known) => *known = entry,
            None => found.push(entry),
        }
    }
    Ok(found)
}
