//! How one column is filled: read from its options, checked against its type.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, UInt64Array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, can_cast_types, cast_with_options, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::values::{self, Now, Shape};
use crate::error::Result;
use crate::options::Options;
use crate::random::{Random, below, unit};

/// The WITH options, and which of those of fields a column has taken or would take.
pub(super) struct FieldOptions<'a> {
    pub(super) options: Options<'a>,
    pub(super) used: BTreeSet<String>,
}

/// Options of one field, `fields.<path>.<name>`.
pub(super) struct Scope<'o, 'a> {
    all: &'o mut FieldOptions<'a>,
    path: String,
}

/// A column, or a part of one that is nested.
#[derive(Clone, Debug)]
pub(super) struct Field {
    random: Random,
    null_rate: f64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// `start + n` until `end`.
    Sequence { start: i64, end: i64 },
    /// One of a list.
    Choice(ArrayRef),
    /// Random, by type.
    Random(Shape),
}

impl<'a> Scope<'_, 'a> {
    /// The full key of an option of this field, which thereby counts as one that it has.
    pub(super) fn declare(&mut self, name: &str) -> String {
        let key = format!("fields.{}.{name}", self.path);
        self.all.used.insert(key.clone());
        key
    }

    pub(super) fn options(&self) -> Options<'a> {
        self.all.options
    }

    /// The part of a nested field.
    pub(super) fn part(&mut self, name: &str, kind: &DataType, random: Random) -> Result<Field> {
        let path = format!("{}.{name}", self.path);
        Field::new(kind, &path, random, self.all)
    }
}

impl Field {
    /// The field at `path`, of Arrow type `kind`.
    ///
    /// # Errors
    /// If one of its options is wrong, or no value of its type can be made up.
    pub(super) fn new(
        kind: &DataType,
        path: &str,
        random: Random,
        options: &mut FieldOptions<'_>,
    ) -> Result<Self> {
        let random = random.named(path);
        let mut scope = Scope { all: options, path: path.to_owned() };
        let options = scope.options();
        let kind_key = scope.declare("kind");
        let null_key = scope.declare("null-rate");
        let null_rate = options.number(&null_key)?.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&null_rate) {
            return Err(options.error(&null_key, format!("{null_rate} is not from 0 to 1"), None));
        }
        let values_key = scope.declare("values");
        let kind = if options.one_of(&kind_key)? == Some("sequence") {
            sequence(kind, &mut scope)?
        } else if let Some(list) = options.text(&values_key) {
            choice(kind, list, &values_key, &options)?
        } else {
            Kind::Random(Shape::new(kind, random, &mut scope)?)
        };
        Ok(Field { random, null_rate, kind })
    }

    /// How many rows there are before a sequence ends; `None` if this is none.
    pub(super) fn sequence_rows(&self) -> Option<u64> {
        match self.kind {
            Kind::Sequence { start, end } => Some(end.abs_diff(start).saturating_add(1)),
            _ => None,
        }
    }

    /// The values of the rows with these numbers.
    pub(super) fn array(
        &self,
        kind: &DataType,
        numbers: &[u64],
        now: &Now<'_>,
    ) -> std::result::Result<ArrayRef, ArrowError> {
        let array = match &self.kind {
            Kind::Sequence { start, .. } => {
                let values = numbers.iter().map(|n| start.wrapping_add_unsigned(*n));
                let values: ArrayRef = Arc::new(arrow::array::Int64Array::from_iter_values(values));
                strict_cast(&values, kind)?
            }
            Kind::Choice(list) => {
                let count = list.len() as u64;
                let picks = numbers.iter().map(|n| below(self.random.at(*n), count));
                take(list, &UInt64Array::from_iter_values(picks), None)?
            }
            Kind::Random(shape) => values::random(shape, kind, self.random, numbers, now)?,
        };
        Ok(self.with_nulls(array, numbers))
    }

    fn with_nulls(&self, array: ArrayRef, numbers: &[u64]) -> ArrayRef {
        if self.null_rate == 0.0 {
            return array;
        }
        if self.null_rate >= 1.0 {
            return new_null_array(array.data_type(), array.len());
        }
        let random = self.random.named("null");
        let valid = numbers.iter().map(|n| unit(random.at(*n)) >= self.null_rate);
        let nulls = NullBuffer::from_iter(valid);
        let data = array.to_data().into_builder().nulls(Some(nulls));
        // A validity mask of the array's own length keeps every other invariant.
        arrow::array::make_array(data.build().expect("a mask of the array's length fits"))
    }
}

/// Casts and refuses what does not fit, instead of making it null.
pub(super) fn strict_cast(
    array: &ArrayRef,
    kind: &DataType,
) -> std::result::Result<ArrayRef, ArrowError> {
    cast_with_options(array, kind, &CastOptions { safe: false, ..CastOptions::default() })
}

fn sequence(kind: &DataType, scope: &mut Scope<'_, '_>) -> Result<Kind> {
    let (start_key, end_key) = (scope.declare("start"), scope.declare("end"));
    let options = scope.options();
    if !(kind.is_numeric() || *kind == DataType::Utf8) {
        let reason = "a sequence needs a column of numbers or strings".to_owned();
        return Err(options.error(&format!("fields.{}.kind", scope.path), reason, None));
    }
    options.required(&start_key)?;
    options.required(&end_key)?;
    let start = options.integer(&start_key)?.unwrap_or(0);
    let end = options.integer(&end_key)?.unwrap_or(0);
    if end < start {
        let reason = format!("{end} is before the start {start}");
        return Err(options.error(&end_key, reason, None));
    }
    for (key, value) in [(&start_key, start), (&end_key, end)] {
        let value: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![value]));
        if let Err(error) = strict_cast(&value, kind) {
            return Err(options.error(key, error.to_string(), None));
        }
    }
    Ok(Kind::Sequence { start, end })
}

fn choice(kind: &DataType, list: &str, key: &str, options: &Options<'_>) -> Result<Kind> {
    let words: ArrayRef = Arc::new(StringArray::from(list.split(';').collect::<Vec<_>>()));
    if !can_cast_types(&DataType::Utf8, kind) {
        let reason = format!("values cannot be listed for a column of type {kind}");
        return Err(options.error(key, reason, None));
    }
    match strict_cast(&words, kind) {
        Ok(values) => Ok(Kind::Choice(values)),
        Err(error) => Err(options.error(key, error.to_string(), None)),
    }
}
