//! The keys of a table: from key columns to dense group ids, and back by id.
//!
//! | keys                                        | held as                                      |
//! |---------------------------------------------|----------------------------------------------|
//! | none                                        | whether a row has come                       |
//! | one integer, date, time, timestamp, boolean | 64-bit integers: [`IntKeys`]                 |
//! | one STRING or BYTES                         | their bytes: [`ByteIndex`]                   |
//! | one of any other type                       | arrow's row format, as bytes: [`ByteIndex`]  |
//! | several                                     | each for itself; ids combined two by two     |
//!
//! Null is a key like any other. Ids count up from 0 as keys arrive (a new null may come last of its
//! batch), and keys can be read back by id at any time without taking the table apart.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, GenericByteArray, cast::AsArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{BinaryType, ByteArrayType, DataType, Utf8Type};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

use super::accumulator::{GroupIds, native_array, native_values, nulls_of};
use super::byte_index::ByteIndex;
use super::composite::CompositeKeys;
use super::int_index::IntIndex;
use crate::error::Result;

/// Maps key columns to group ids.
pub(super) enum Keys {
    /// No key columns: one group, which exists once a row has come.
    None {
        /// Whether it exists.
        exists: bool,
    },
    /// One column of at most 64 bits.
    Int(IntKeys),
    /// One column of strings or bytes.
    Bytes(ByteKeys),
    /// One column of any type.
    Row(RowKeys),
    /// Several columns.
    Composite(CompositeKeys),
}

impl Keys {
    /// Keys of these types. Fails if a type has no equality, which SQL cannot group by either.
    pub fn new(types: &[DataType]) -> Result<Self> {
        Ok(match types {
            [] => Keys::None { exists: false },
            [one] if int_width(one).is_some() => Keys::Int(IntKeys::new(one.clone())),
            [one @ (DataType::Utf8 | DataType::Binary)] => Keys::Bytes(ByteKeys {
                data_type: one.clone(),
                index: ByteIndex::default(),
                null_id: None,
            }),
            [other] => Keys::Row(RowKeys::new(other)?),
            several => Keys::Composite(CompositeKeys::new(several)?),
        })
    }

    /// Number of different keys.
    pub fn len(&self) -> usize {
        match self {
            Keys::None { exists } => usize::from(*exists),
            Keys::Int(keys) => keys.index.len(),
            Keys::Bytes(keys) => keys.index.len(),
            Keys::Row(keys) => keys.index.len(),
            Keys::Composite(keys) => keys.len(),
        }
    }

    /// Finds or makes the ids of `rows` rows with these keys; `ids` is overwritten.
    pub fn intern<'a>(
        &mut self,
        columns: &[ArrayRef],
        rows: usize,
        ids: &'a mut Vec<u32>,
    ) -> Result<GroupIds<'a>> {
        if self.len() + rows > u32::MAX as usize {
            return Err(ArrowError::InvalidArgumentError("more than 2^32 groups".into()).into());
        }
        ids.clear();
        match self {
            Keys::None { exists } => {
                *exists |= rows > 0;
                return Ok(GroupIds::Global(rows));
            }
            Keys::Int(keys) => keys.intern(&columns[0], ids),
            Keys::Bytes(keys) => keys.intern(&columns[0], ids),
            Keys::Row(keys) => keys.intern(&columns[0], ids)?,
            Keys::Composite(keys) => keys.intern(columns, rows, ids)?,
        }
        Ok(GroupIds::Each(ids))
    }

    /// The keys in the order of their ids.
    pub fn columns(&self) -> Result<Vec<ArrayRef>> {
        match self {
            Keys::None { .. } => Ok(Vec::new()),
            Keys::Int(keys) => Ok(vec![keys.column()?]),
            Keys::Bytes(keys) => Ok(vec![keys.column()?]),
            Keys::Row(keys) => keys.columns(),
            Keys::Composite(keys) => keys.columns(),
        }
    }

    /// Forgets all keys and keeps the memory.
    pub fn clear(&mut self) {
        match self {
            Keys::None { exists } => *exists = false,
            Keys::Int(keys) => {
                keys.index.clear();
                keys.null_id = None;
            }
            Keys::Bytes(keys) => {
                keys.index.clear();
                keys.null_id = None;
            }
            Keys::Row(keys) => keys.index.clear(),
            Keys::Composite(keys) => keys.clear(),
        }
    }

    /// Allocated memory in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Keys::None { .. } => 0,
            Keys::Int(keys) => keys.index.bytes() + keys.widened.capacity() * size_of::<i64>(),
            Keys::Bytes(keys) => keys.index.bytes(),
            Keys::Row(keys) => keys.index.bytes() + keys.converter.size(),
            Keys::Composite(keys) => keys.bytes(),
        }
    }
}

/// Bytes of a value, for types whose equality is that of integers.
fn int_width(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Boolean => Some(1),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => None,
        other => other.primitive_width().filter(|width| *width <= 8),
    }
}

/// Keys of one column of at most 64 bits.
pub(super) struct IntKeys {
    data_type: DataType,
    index: IntIndex,
    null_id: Option<u32>,
    /// Narrow keys of the current batch, widened.
    widened: Vec<i64>,
}

impl IntKeys {
    fn new(data_type: DataType) -> Self {
        IntKeys { data_type, index: IntIndex::default(), null_id: None, widened: Vec::new() }
    }

    fn intern(&mut self, column: &ArrayRef, ids: &mut Vec<u32>) {
        let wide: ScalarBuffer<i64>;
        let keys: &[i64] = if column.data_type().primitive_width() == Some(8) {
            wide = native_values::<i64>(column);
            &wide
        } else {
            widen(column, &mut self.widened);
            &self.widened
        };
        match nulls_of(column) {
            None => self.index.intern_all(keys, ids),
            Some(nulls) => {
                for (row, &key) in keys.iter().enumerate() {
                    ids.push(if nulls.is_valid(row) {
                        self.index.intern(key)
                    } else {
                        *self.null_id.get_or_insert_with(|| self.index.push_unindexed())
                    });
                }
            }
        }
    }

    fn column(&self) -> Result<ArrayRef> {
        let keys = self.index.keys();
        let nulls = only_null(self.null_id, keys.len());
        if self.data_type == DataType::Boolean {
            let values = keys.iter().map(|&key| key != 0).collect();
            return Ok(Arc::new(BooleanArray::new(values, nulls)));
        }
        // Narrowing takes back the widening of `widen`.
        match int_width(&self.data_type) {
            Some(1) => native_array(&self.data_type, narrow(keys, |key| key as i8), nulls),
            Some(2) => native_array(&self.data_type, narrow(keys, |key| key as i16), nulls),
            Some(4) => native_array(&self.data_type, narrow(keys, |key| key as i32), nulls),
            _ => native_array(&self.data_type, keys.to_vec(), nulls),
        }
    }
}

/// The values of a column narrower than 64 bits, bit for bit: signedness does not matter for
/// equality, and reading back restores the bits.
fn widen(column: &ArrayRef, widened: &mut Vec<i64>) {
    widened.clear();
    if let Some(booleans) = column.as_boolean_opt() {
        widened.extend(booleans.values().iter().map(i64::from));
        return;
    }
    match column.data_type().primitive_width() {
        Some(1) => widened.extend(native_values::<i8>(column).iter().map(|&key| i64::from(key))),
        Some(2) => widened.extend(native_values::<i16>(column).iter().map(|&key| i64::from(key))),
        _ => widened.extend(native_values::<i32>(column).iter().map(|&key| i64::from(key))),
    }
}

fn narrow<N>(keys: &[i64], narrow: impl Fn(i64) -> N) -> Vec<N> {
    keys.iter().map(|&key| narrow(key)).collect()
}

/// Validity of `len` keys of which at most one is null.
fn only_null(null_id: Option<u32>, len: usize) -> Option<NullBuffer> {
    null_id.map(|null| (0..len).map(|id| id != null as usize).collect())
}

/// Keys of one column of strings or bytes.
pub(super) struct ByteKeys {
    data_type: DataType,
    index: ByteIndex,
    null_id: Option<u32>,
}

impl ByteKeys {
    fn intern(&mut self, column: &ArrayRef, ids: &mut Vec<u32>) {
        if self.data_type == DataType::Utf8 {
            self.intern_bytes::<Utf8Type>(column, ids)
        } else {
            self.intern_bytes::<BinaryType>(column, ids)
        }
    }

    fn intern_bytes<T: ByteArrayType<Offset = i32>>(
        &mut self,
        column: &ArrayRef,
        ids: &mut Vec<u32>,
    ) {
        let array = column.as_bytes::<T>();
        let (offsets, data) = (array.value_offsets(), array.value_data());
        let bytes = |row: usize| &data[offsets[row] as usize..offsets[row + 1] as usize];
        match nulls_of(column) {
            None => self.index.intern_all(array.len(), bytes, ids),
            Some(nulls) => {
                let valid: Vec<usize> = nulls.valid_indices().collect();
                let mut valid_ids = Vec::new();
                self.index.intern_all(valid.len(), |i| bytes(valid[i]), &mut valid_ids);
                let null = *self.null_id.get_or_insert_with(|| self.index.push_unindexed());
                ids.resize(array.len(), null);
                valid.iter().zip(valid_ids).for_each(|(&row, id)| ids[row] = id);
            }
        }
    }

    fn column(&self) -> Result<ArrayRef> {
        let nulls = only_null(self.null_id, self.index.len());
        let (offsets, data) = self.index.offsets_and_data();
        let offsets: Vec<i32> = offsets
            .iter()
            .map(|&offset| i32::try_from(offset))
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| ArrowError::OffsetOverflowError(data.len()))?;
        let offsets = OffsetBuffer::new(offsets.into());
        let data = Buffer::from_slice_ref(data);
        Ok(if self.data_type == DataType::Utf8 {
            Arc::new(GenericByteArray::<Utf8Type>::try_new(offsets, data, nulls)?)
        } else {
            Arc::new(GenericByteArray::<BinaryType>::try_new(offsets, data, nulls)?)
        })
    }
}

/// Keys of one column of any type, in arrow's row format.
pub(super) struct RowKeys {
    converter: RowConverter,
    index: ByteIndex,
}

impl RowKeys {
    fn new(data_type: &DataType) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(data_type.clone())])?;
        Ok(RowKeys { converter, index: ByteIndex::default() })
    }

    fn intern(&mut self, column: &ArrayRef, ids: &mut Vec<u32>) -> Result<()> {
        let rows = self.converter.convert_columns(std::slice::from_ref(column))?;
        self.index.intern_all(rows.num_rows(), |row| rows.row(row).data(), ids);
        Ok(())
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let parser = self.converter.parser();
        let rows = (0..self.index.len()).map(|id| parser.parse(self.index.get(id)));
        Ok(self.converter.convert_rows(rows)?)
    }
}
