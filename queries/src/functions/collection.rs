//! Functions of arrays.
//!
//! All that make an array choose elements of those that they are given. So the elements of all
//! arguments are laid behind one another, in one array `all`; each row chooses numbers of elements; and
//! one `take` makes the result. Elements are compared in arrow's row format, in which NULL equals NULL.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, StringBuilder, UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, Int64Type};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion_common::{Result, exec_datafusion_err, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::index::{Body, functions};
use super::nested;
use super::rows::{arrays, check_count};
use crate::types::flink_name;

functions! { FUNCTIONS, Array:
    "CARDINALITY", "CARDINALITY(array or map) → INT", "The number of elements, or of entries.",
        "CARDINALITY(SPLIT('a,b,c', ','))", "3", Body::Own(|_| list("cardinality", Kind::Cardinality));
    "ELEMENT", "ELEMENT(array) → type of the element", "The only element; NULL if there is none. More than one fail the job.",
        "ELEMENT(SPLIT('a', ','))", "a", Body::Own(|_| list("element", Kind::Element));
    "ARRAY_APPEND", "ARRAY_APPEND(array, x) → type of the array", "With x at its end.",
        "ARRAY_APPEND(SPLIT('a,b', ','), 'c')", "[a, b, c]", Body::Own(|_| list("array_append", Kind::Append));
    "ARRAY_PREPEND", "ARRAY_PREPEND(array, x) → type of the array", "With x at its start.",
        "ARRAY_PREPEND(SPLIT('a,b', ','), 'c')", "[c, a, b]", Body::Own(|_| list("array_prepend", Kind::Prepend));
    "ARRAY_CONCAT", "ARRAY_CONCAT(array, …) → common type", "One behind the other; NULL if one is NULL.",
        "ARRAY_CONCAT(SPLIT('a,b', ','), SPLIT('c', ','))", "[a, b, c]", Body::Own(|_| list("array_concat", Kind::Concat));
    "ARRAY_CONTAINS", "ARRAY_CONTAINS(array, x) → BOOLEAN", "Whether x is an element; it may be NULL.",
        "ARRAY_CONTAINS(SPLIT('a,b', ','), 'b')", "true", Body::Own(|_| list("array_contains", Kind::Contains));
    "ARRAY_POSITION", "ARRAY_POSITION(array, x) → INT", "The place of the first x, from 1; 0 if there is none.",
        "ARRAY_POSITION(SPLIT('a,b', ','), 'b')", "2", Body::Own(|_| list("array_position", Kind::Position));
    "ARRAY_REMOVE", "ARRAY_REMOVE(array, x) → type of the array", "Without every x.",
        "ARRAY_REMOVE(SPLIT('a,b,a', ','), 'a')", "[b]", Body::Own(|_| list("array_remove", Kind::Remove));
    "ARRAY_DISTINCT", "ARRAY_DISTINCT(array) → type of the array", "Each element once, where it comes first.",
        "ARRAY_DISTINCT(SPLIT('b,a,b', ','))", "[b, a]", Body::Own(|_| list("array_distinct", Kind::Distinct));
    "ARRAY_UNION", "ARRAY_UNION(a, b) → common type", "The elements of both, each once.",
        "ARRAY_UNION(SPLIT('a,b', ','), SPLIT('b,c', ','))", "[a, b, c]", Body::Own(|_| list("array_union", Kind::Union));
    "ARRAY_EXCEPT", "ARRAY_EXCEPT(a, b) → common type", "The elements of a that are not in b, each once.",
        "ARRAY_EXCEPT(SPLIT('a,b,a', ','), SPLIT('b,c', ','))", "[a]", Body::Own(|_| list("array_except", Kind::Except));
    "ARRAY_INTERSECT", "ARRAY_INTERSECT(a, b) → common type", "The elements of a that are in b, each once.",
        "ARRAY_INTERSECT(SPLIT('a,b,b', ','), SPLIT('b,c', ','))", "[b]", Body::Own(|_| list("array_intersect", Kind::Intersect));
    "ARRAY_REVERSE", "ARRAY_REVERSE(array) → type of the array", "From the last to the first.",
        "ARRAY_REVERSE(SPLIT('a,b,c', ','))", "[c, b, a]", Body::Own(|_| list("array_reverse", Kind::Reverse));
    "ARRAY_SLICE", "ARRAY_SLICE(array, from[, to]) → type of the array",
        "From one place to another, both included; negative places count from the end.",
        "ARRAY_SLICE(SPLIT('a,b,c,d', ','), 2, -2)", "[b, c]", Body::Own(|_| list("array_slice", Kind::Slice));
    "ARRAY_SORT", "ARRAY_SORT(array[, ascending[, nulls_first]]) → type of the array",
        "In order; NULLs first if it ascends, unless something else is said.",
        "ARRAY_SORT(SPLIT('b,a,c', ','), FALSE)", "[c, b, a]", Body::Own(|_| list("array_sort", Kind::Sort));
    "ARRAY_MAX", "ARRAY_MAX(array) → type of the element", "The greatest element; NULL if there is none.",
        "ARRAY_MAX(SPLIT('b,a,c', ','))", "c", Body::Own(|_| list("array_max", Kind::Max));
    "ARRAY_MIN", "ARRAY_MIN(array) → type of the element", "The least element; NULL if there is none.",
        "ARRAY_MIN(SPLIT('b,a,c', ','))", "a", Body::Own(|_| list("array_min", Kind::Min));
    "ARRAY_JOIN", "ARRAY_JOIN(array, delimiter[, for_null]) → STRING",
        "The texts with the delimiter between them; NULLs are left out or become `for_null`.",
        "ARRAY_JOIN(SPLIT('a,b,c', ','), '-')", "a-b-c", Body::Own(|_| list("array_join", Kind::Join));
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Cardinality,
    Element,
    Append,
    Prepend,
    Concat,
    Contains,
    Position,
    Remove,
    Distinct,
    Union,
    Except,
    Intersect,
    Reverse,
    Slice,
    Sort,
    Max,
    Min,
    Join,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ListFunction {
    name: &'static str,
    kind: Kind,
    signature: Signature,
}

fn list(name: &'static str, kind: Kind) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(ListFunction { name, kind, signature })
}

/// The type of the elements, if it is an array.
fn element(list: &DataType) -> Option<DataType> {
    match list {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type().clone())
        }
        _ => None,
    }
}

impl Kind {
    fn argument_count(self) -> (usize, usize) {
        match self {
            Kind::Cardinality
            | Kind::Element
            | Kind::Distinct
            | Kind::Reverse
            | Kind::Max
            | Kind::Min => (1, 1),
            Kind::Append
            | Kind::Prepend
            | Kind::Contains
            | Kind::Position
            | Kind::Remove
            | Kind::Union
            | Kind::Except
            | Kind::Intersect => (2, 2),
            Kind::Slice | Kind::Join => (2, 3),
            Kind::Sort => (1, 3),
            Kind::Concat => (1, usize::MAX),
        }
    }

    /// How many of the arguments are arrays, and how many values behind them elements.
    fn shape(self, arguments: usize) -> (usize, usize) {
        match self {
            Kind::Append | Kind::Prepend | Kind::Contains | Kind::Position | Kind::Remove => (1, 1),
            Kind::Union | Kind::Except | Kind::Intersect | Kind::Concat => (arguments, 0),
            _ => (1, 0),
        }
    }
}

impl ListFunction {
    /// The element type that all arrays and elements among the arguments have in common.
    fn common(&self, arguments: &[DataType]) -> Result<DataType> {
        let name = self.name.to_uppercase();
        let (lists, elements) = self.kind.shape(arguments.len());
        let mut types = Vec::new();
        for (position, argument) in arguments[..lists].iter().enumerate() {
            match element(argument) {
                Some(element) => types.push(element),
                None if argument.is_null() => types.push(DataType::Null),
                None => {
                    let (found, nth) = (flink_name(argument), position + 1);
                    return plan_err!("{name} wants an array as argument {nth}, not {found}");
                }
            }
        }
        types.extend_from_slice(&arguments[lists..lists + elements]);
        if types.iter().all(DataType::is_null) {
            return Ok(DataType::Null);
        }
        match nested::unify(&types) {
            Some(common) => Ok(common),
            None => {
                let names: Vec<String> = types.iter().map(flink_name).collect();
                plan_err!("{name} wants elements of one type, not {}", names.join(" and "))
            }
        }
    }
}

impl ScalarUDFImpl for ListFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name.to_uppercase();
        let (least, most) = self.kind.argument_count();
        check_count(&name, arguments.len(), least, most)?;
        if self.kind == Kind::Cardinality && matches!(arguments[0], DataType::Map(..)) {
            return Ok(arguments.to_vec());
        }
        let common = self.common(arguments)?;
        if self.kind == Kind::Join && !matches!(common, DataType::Utf8 | DataType::Null) {
            return plan_err!("{name} wants an array of text, not of {}", flink_name(&common));
        }
        let (lists, elements) = self.kind.shape(arguments.len());
        let mut types = vec![DataType::new_list(common.clone(), true); lists];
        types.extend(std::iter::repeat_n(common, elements));
        for other in &arguments[types.len()..] {
            let (wanted, fits) = match self.kind {
                Kind::Slice => (DataType::Int64, other.is_integer()),
                Kind::Sort => (DataType::Boolean, *other == DataType::Boolean),
                _ => (DataType::Utf8, *other == DataType::Utf8),
            };
            if !fits && !other.is_null() {
                let (wanted, found) = (flink_name(&wanted), flink_name(other));
                return plan_err!("{name} wants {wanted} behind the array, not {found}");
            }
            types.push(wanted);
        }
        Ok(types)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let of_element = || element(&arguments[0]).unwrap_or(DataType::Null);
        Ok(match self.kind {
            Kind::Cardinality | Kind::Position => DataType::Int32,
            Kind::Contains => DataType::Boolean,
            Kind::Join => DataType::Utf8,
            Kind::Element | Kind::Max | Kind::Min => of_element(),
            _ => DataType::new_list(of_element(), true),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Array(self.kind.evaluate(&arrays(args)?)?))
    }
}

/// The arrays and elements among the arguments, with all elements in one array.
struct Elements<'a> {
    lists: Vec<&'a ListArray>,
    all: ArrayRef,
    /// Where the elements of each list, and then the single elements, start in `all`.
    starts: Vec<usize>,
}

impl<'a> Elements<'a> {
    fn new(arrays: &'a [ArrayRef], shape: (usize, usize)) -> Result<Elements<'a>> {
        let (count, singles) = shape;
        let lists: Vec<&ListArray> = arrays[..count].iter().map(|list| list.as_list()).collect();
        let mut parts: Vec<&dyn Array> = lists.iter().map(|list| list.values().as_ref()).collect();
        parts.extend(arrays[count..count + singles].iter().map(AsRef::as_ref));
        let mut starts = Vec::with_capacity(parts.len());
        let mut start = 0;
        for part in &parts {
            starts.push(start);
            start += part.len();
        }
        Ok(Elements { lists, all: concat(&parts)?, starts })
    }

    fn is_null(&self, row: usize) -> bool {
        self.lists.iter().any(|list| list.is_null(row))
    }

    /// The numbers of the elements of a list in a row.
    fn range(&self, list: usize, row: usize) -> Range<usize> {
        let (offsets, start) = (self.lists[list].value_offsets(), self.starts[list]);
        start + offsets[row] as usize..start + offsets[row + 1] as usize
    }

    /// The number of the single element of a row.
    fn single(&self, row: usize) -> usize {
        self.starts[self.lists.len()] + row
    }

    fn compared(&self) -> Result<Rows> {
        let converter = RowConverter::new(vec![SortField::new(self.all.data_type().clone())])?;
        Ok(converter.convert_columns(std::slice::from_ref(&self.all))?)
    }

    /// An array of the elements that each row chooses; NULL where it chooses `None`.
    fn choose(&self, rows: impl Iterator<Item = Option<Vec<usize>>>) -> Result<ArrayRef> {
        let (mut numbers, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
        for chosen in rows {
            valid.push(chosen.is_some());
            let chosen = chosen.unwrap_or_default();
            lengths.push(chosen.len());
            numbers.extend(chosen.into_iter().map(|number| number as u32));
        }
        let values = take(&self.all, &UInt32Array::from(numbers), None)?;
        let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(field, offsets, values, Some(NullBuffer::from(valid)))?))
    }

    /// The element that each row chooses.
    fn one(&self, rows: impl Iterator<Item = Option<usize>>) -> Result<ArrayRef> {
        let numbers: UInt32Array = rows.map(|number| number.map(|number| number as u32)).collect();
        Ok(take(&self.all, &numbers, None)?)
    }
}

/// Keeps the first of equal elements.
fn distinct(rows: &Rows, numbers: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen = HashSet::new();
    numbers.filter(|number| seen.insert(rows.row(*number))).collect()
}

impl Kind {
    fn evaluate(self, arrays: &[ArrayRef]) -> Result<ArrayRef> {
        if let (Kind::Cardinality, Some(map)) = (self, arrays[0].as_map_opt()) {
            let length = |row| map.is_valid(row).then(|| map.value_length(row));
            return Ok(Arc::new((0..map.len()).map(length).collect::<Int32Array>()));
        }
        let elements = Elements::new(arrays, self.shape(arrays.len()))?;
        let rows = 0..arrays[0].len();
        let of = |row: usize| (!elements.is_null(row)).then(|| elements.range(0, row));
        match self {
            Kind::Cardinality => {
                let lengths = rows.map(|row| Some(of(row)?.len() as i32));
                Ok(Arc::new(lengths.collect::<Int32Array>()))
            }
            Kind::Element => {
                if let Some(many) = rows.clone().filter_map(of).find(|range| range.len() > 1) {
                    return exec_err!("ELEMENT of an array of {} elements", many.len());
                }
                elements.one(rows.map(|row| of(row)?.next()))
            }
            Kind::Append => elements
                .choose(rows.map(|row| Some(of(row)?.chain([elements.single(row)]).collect()))),
            Kind::Prepend => elements.choose(rows.map(|row| {
                let range = of(row)?;
                Some(std::iter::once(elements.single(row)).chain(range).collect())
            })),
            Kind::Concat => {
                let lists = 0..elements.lists.len();
                elements.choose(rows.map(|row| {
                    of(row)?;
                    Some(lists.clone().flat_map(|list| elements.range(list, row)).collect())
                }))
            }
            Kind::Reverse => elements.choose(rows.map(|row| Some(of(row)?.rev().collect()))),
            Kind::Slice => elements.choose(rows.map(|row| slice(of(row)?, arrays, row))),
            Kind::Join => join(&elements, arrays),
            _ => self.compare(&elements, arrays),
        }
    }

    /// The functions that compare elements.
    fn compare(self, elements: &Elements<'_>, arrays: &[ArrayRef]) -> Result<ArrayRef> {
        let keys = elements.compared()?;
        let keys = &keys;
        let rows = 0..arrays[0].len();
        let of = |row: usize| (!elements.is_null(row)).then(|| elements.range(0, row));
        let key = |number: usize| keys.row(number);
        let is_value = |number: &usize| elements.all.is_valid(*number);
        match self {
            Kind::Contains => {
                let found = rows.map(|row| {
                    let needle = key(elements.single(row));
                    Some(of(row)?.any(|number| key(number) == needle))
                });
                Ok(Arc::new(found.collect::<BooleanArray>()))
            }
            Kind::Position => {
                let places = rows.map(|row| {
                    let single = elements.single(row);
                    let mut range = of(row).filter(|_| is_value(&single))?;
                    let place = range.position(|number| key(number) == key(single));
                    Some(place.map_or(0, |place| place as i32 + 1))
                });
                Ok(Arc::new(places.collect::<Int32Array>()))
            }
            Kind::Remove => elements.choose(rows.map(|row| {
                let needle = key(elements.single(row));
                Some(of(row)?.filter(|number| key(*number) != needle).collect())
            })),
            Kind::Distinct => elements.choose(rows.map(|row| Some(distinct(keys, of(row)?)))),
            Kind::Union => elements.choose(
                rows.map(|row| Some(distinct(keys, of(row)?.chain(elements.range(1, row))))),
            ),
            Kind::Except | Kind::Intersect => elements.choose(rows.map(|row| {
                let first = of(row)?;
                let second: HashSet<_> = elements.range(1, row).map(key).collect();
                let kept =
                    |number: &usize| second.contains(&key(*number)) == (self == Kind::Intersect);
                Some(distinct(keys, first.filter(kept)))
            })),
            Kind::Max => {
                elements.one(rows.map(|row| of(row)?.filter(is_value).max_by_key(|n| key(*n))))
            }
            Kind::Min => {
                elements.one(rows.map(|row| of(row)?.filter(is_value).min_by_key(|n| key(*n))))
            }
            Kind::Sort => elements.choose(rows.map(|row| {
                let flag = |argument: usize, default: bool| match arrays.get(argument) {
                    None => Some(default),
                    Some(flags) => flags.is_valid(row).then(|| flags.as_boolean().value(row)),
                };
                let ascending = flag(1, true)?;
                let nulls_first = flag(2, ascending)?;
                let (mut values, nulls): (Vec<usize>, Vec<usize>) = of(row)?.partition(is_value);
                values.sort_by(|a, b| {
                    let order = key(*a).cmp(&key(*b));
                    if ascending { order } else { order.reverse() }
                });
                Some(if nulls_first { [nulls, values].concat() } else { [values, nulls].concat() })
            })),
            other => exec_err!("{other:?} compares nothing"),
        }
    }
}

/// The part of a range that ARRAY_SLICE takes.
fn slice(range: Range<usize>, arrays: &[ArrayRef], row: usize) -> Option<Vec<usize>> {
    let length = range.len() as i64;
    let place = |argument: &ArrayRef| {
        let places = argument.as_primitive::<Int64Type>();
        let place = places.is_valid(row).then(|| places.value(row))?;
        Some(match place {
            0 => 1,
            1.. => place,
            _ => length + 1 + place,
        })
    };
    let from = place(&arrays[1])?.max(1);
    let to = arrays.get(2).map_or(Some(length), place)?.min(length);
    if from > to {
        return Some(Vec::new());
    }
    let at = |place: i64| range.start + usize::try_from(place - 1).unwrap_or(0);
    Some((at(from)..at(to) + 1).collect())
}

fn join(elements: &Elements<'_>, arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = elements
        .all
        .as_string_opt::<i32>()
        .ok_or_else(|| exec_datafusion_err!("ARRAY_JOIN of something else than text"))?;
    let delimiters = arrays[1].as_string::<i32>();
    let for_null = arrays.get(2).map(|texts| texts.as_string::<i32>());
    let mut out = StringBuilder::new();
    for row in 0..delimiters.len() {
        let is_null = elements.is_null(row)
            || delimiters.is_null(row)
            || for_null.is_some_and(|texts| texts.is_null(row));
        if is_null {
            out.append_null();
            continue;
        }
        let shown = |number: usize| match for_null {
            _ if texts.is_valid(number) => Some(texts.value(number)),
            for_null => for_null.map(|texts| texts.value(row)),
        };
        let parts: Vec<&str> = elements.range(0, row).filter_map(shown).collect();
        out.append_value(parts.join(delimiters.value(row)));
    }
    Ok(Arc::new(out.finish()))
}
