//! Unnest: a row for each element of an array or map.
//!
//! ```sql
//! SELECT o.id, i.name FROM orders AS o CROSS JOIN UNNEST(o.items) AS i (name, price)
//! ```
//!
//! | | |
//! |---|---|
//! | state | none |
//! | input → output | append → append, retract → retract (each row of an update takes its elements along) |
//!
//! Laws:
//!
//! 1. rows out are the input's columns, then the element's: the fields of a ROW, key and value of a
//!    map, else the element itself; then, if asked for, its number from 1 on;
//! 2. order is that of the rows, and within a row that of its elements;
//! 3. a row without elements, or with NULL in the place of them, yields nothing (CROSS JOIN), or one
//!    row with NULLs for the element (LEFT JOIN);
//! 4. watermarks pass unchanged; late rows are rows like any other.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int8Array, Int32Array, StructArray, UInt32Array, UInt64Array,
    make_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{take, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use datafusion_common::plan_err;
use datafusion_physical_expr::PhysicalExpr;

use crate::error::Result;
use crate::expression::evaluate;
use crate::project::with_schema;
use crate::{Batch, Operator, OperatorContext, Output};

/// Rows out that are made at a time: one row in can have millions of elements.
const BATCH_ROWS: usize = 8192;

/// What is unnested, and how.
#[derive(Clone, Debug)]
pub struct UnnestSpec {
    /// The array or map, over the input.
    pub value: Arc<dyn PhysicalExpr>,
    /// LEFT JOIN: rows without elements stay.
    pub keeps_empty: bool,
    /// WITH ORDINALITY: the element's number is the last column, an INT.
    pub ordinality: bool,
}

impl fmt::Display for UnnestSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = if self.keeps_empty { " keeping rows without" } else { "" };
        let ordinality = if self.ordinality { " with ordinality" } else { "" };
        write!(f, "{}{join}{ordinality}", self.value)
    }
}

/// A running unnest.
pub struct Unnest {
    // PROPERTIES
    spec: UnnestSpec,
    schema: SchemaRef,
    name: String,
}

impl Unnest {
    /// An unnest whose rows out have this schema: the input's, then the element's.
    pub fn new(spec: &UnnestSpec, schema: SchemaRef) -> Self {
        Unnest { spec: spec.clone(), schema, name: "unnest".to_owned() }
    }

    /// The rows out for some rows in and their elements; `None` where there is no element.
    fn emit(
        &self,
        batch: &Batch,
        made: &Made,
        elements: &Elements,
        out: &mut Output,
    ) -> Result<()> {
        let rows = UInt32Array::from(made.rows.clone());
        let places = UInt64Array::from(made.places.clone());
        let mut columns = take_record_batch(&batch.rows, &rows)?.columns().to_vec();
        columns.extend(elements.columns(&places)?);
        if self.spec.ordinality {
            columns.push(Arc::new(Int32Array::from(made.numbers.clone())));
        }
        let kinds = match &batch.kinds {
            None => None,
            Some(kinds) => Some(Int8Array::from(take(kinds, &rows, None)?.to_data())),
        };
        let rows = with_schema(&self.schema, columns, made.rows.len())?;
        out.batch(Batch { rows, kinds });
        Ok(())
    }
}

impl Operator for Unnest {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        self.name.clone_from(&context.name);
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        let value = evaluate(&self.name, &self.spec.value, &batch.rows)?;
        let elements = Elements::of(&value)?;
        let mut made = Made::default();
        for row in 0..batch.num_rows() {
            let (start, end) = elements.of_row(row);
            if start == end && self.spec.keeps_empty {
                made.push(row, None);
            }
            for place in start..end {
                made.push(row, Some((place, place - start + 1)));
                if made.rows.len() == BATCH_ROWS {
                    self.emit(&batch, &std::mem::take(&mut made), &elements, out)?;
                }
            }
        }
        if !made.rows.is_empty() {
            self.emit(&batch, &made, &elements, out)?;
        }
        Ok(())
    }
}

/// Rows out, as places in what they are made of.
#[derive(Default)]
struct Made {
    rows: Vec<u32>,
    places: Vec<Option<u64>>,
    numbers: Vec<Option<i32>>,
}

impl Made {
    /// A row out for a row in, with an element's place and number.
    fn push(&mut self, row: usize, element: Option<(usize, usize)>) {
        self.rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        self.places.push(element.map(|(place, _)| place as u64));
        self.numbers.push(element.and_then(|(_, number)| i32::try_from(number).ok()));
    }
}

/// The elements of all rows of a batch, one behind the other.
struct Elements {
    offsets: Vec<usize>,
    nulls: Option<NullBuffer>,
    values: ArrayRef,
    /// True if the fields of the values are columns.
    has_fields: bool,
}

impl Elements {
    fn of(value: &ArrayRef) -> Result<Elements> {
        let (offsets, values, has_fields) = match value.data_type() {
            DataType::List(item) => {
                let list = value.as_list::<i32>();
                let has_fields = matches!(item.data_type(), DataType::Struct(_));
                (list.value_offsets(), Arc::clone(list.values()), has_fields)
            }
            DataType::Map(..) => {
                let map = value.as_map();
                let entries: ArrayRef = Arc::new(map.entries().clone());
                (map.value_offsets(), entries, true)
            }
            other => return Ok(plan_err!("{other} has no elements")?),
        };
        // Offsets of a valid array are not negative.
        let offsets = offsets.iter().map(|offset| usize::try_from(*offset).unwrap_or(0)).collect();
        Ok(Elements { offsets, nulls: value.nulls().cloned(), values, has_fields })
    }

    /// The places of a row's elements: from, and up to.
    fn of_row(&self, row: usize) -> (usize, usize) {
        match &self.nulls {
            Some(nulls) if nulls.is_null(row) => (0, 0),
            _ => (self.offsets[row], self.offsets[row + 1]),
        }
    }

    /// The columns of the elements at these places.
    fn columns(&self, places: &UInt64Array) -> Result<Vec<ArrayRef>> {
        let values = take(&self.values, places, None)?;
        if !self.has_fields {
            return Ok(vec![values]);
        }
        let fields = values.as_struct();
        (0..fields.num_columns()).map(|field| Ok(field_of(fields, field)?)).collect()
    }
}

/// A field of rows: NULL where the row is.
///
/// # Errors
/// If the row's nulls and the field's cannot be put together, which valid arrays rule out.
pub fn field_of(rows: &StructArray, field: usize) -> std::result::Result<ArrayRef, ArrowError> {
    let values = rows.column(field);
    if rows.null_count() == 0 {
        return Ok(Arc::clone(values));
    }
    let nulls = NullBuffer::union(rows.nulls(), values.logical_nulls().as_ref());
    Ok(make_array(values.to_data().into_builder().nulls(nulls).build()?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, ListArray, RecordBatch};
    use arrow::datatypes::{Field, Int64Type, Schema};
    use datafusion_physical_expr::expressions::Column;

    use super::*;
    use crate::Message;

    /// Id, element, number.
    type Row = (i64, Option<i64>, Option<i32>);

    /// What comes out for rows of arrays: batches of rows.
    fn unnest(lists: Vec<Option<Vec<Option<i64>>>>, keeps_empty: bool) -> Vec<Vec<Row>> {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..lists.len() as i64));
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists));
        let input = Schema::new(vec![
            Field::new("id", DataType::Int64, true),
            Field::new("list", lists.data_type().clone(), true),
        ]);
        let mut fields: Vec<Field> = input.fields().iter().map(|f| f.as_ref().clone()).collect();
        fields.push(Field::new("x", DataType::Int64, true));
        fields.push(Field::new("n", DataType::Int32, true));
        let value = Arc::new(Column::new("list", 1));
        let spec = UnnestSpec { value, keeps_empty, ordinality: true };
        let mut operator = Unnest::new(&spec, Arc::new(Schema::new(fields)));
        let rows = RecordBatch::try_new(Arc::new(input), vec![ids, lists]).expect("rows");
        let mut out = Output::new();
        operator.on_batch(Batch::inserts(rows), &mut out).expect("elements");
        let mut batches = Vec::new();
        while let Some((_, Message::Batch(batch))) = out.pop() {
            let ids = batch.rows.column(0).as_primitive::<Int64Type>().clone();
            let elements = batch.rows.column(2).as_primitive::<Int64Type>().clone();
            let numbers =
                batch.rows.column(3).as_primitive::<arrow::datatypes::Int32Type>().clone();
            let row = |row| {
                let element = elements.is_valid(row).then(|| elements.value(row));
                let number = numbers.is_valid(row).then(|| numbers.value(row));
                (ids.value(row), element, number)
            };
            batches.push((0..batch.num_rows()).map(row).collect());
        }
        batches
    }

    #[test]
    fn rows_without_elements_stay_only_if_they_are_kept() {
        let lists = || vec![Some(vec![Some(7), None]), None, Some(vec![]), Some(vec![Some(8)])];
        let (first, second) = ((0, Some(7), Some(1)), (0, None, Some(2)));
        assert_eq!(unnest(lists(), false), [vec![first, second, (3, Some(8), Some(1))]]);
        let kept = vec![first, second, (1, None, None), (2, None, None), (3, Some(8), Some(1))];
        assert_eq!(unnest(lists(), true), [kept]);
    }

    #[test]
    fn a_row_with_many_elements_becomes_several_batches() {
        let many = (0..20_000).map(Some).collect();
        let batches = unnest(vec![Some(many)], false);
        let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
        assert_eq!(sizes, [8192, 8192, 3616]);
        assert_eq!(batches[2][0], (0, Some(16_384), Some(16_385)));
    }

    #[test]
    fn nothing_comes_out_of_nothing() {
        assert!(unnest(vec![None, Some(vec![])], false).is_empty());
    }
}
