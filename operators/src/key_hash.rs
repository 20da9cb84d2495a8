//! The hash of a key that decides its key group: by value alone, fixed for good.
//!
//! Equal keys must meet in one subtask whatever batch they are in, and in the same key group after
//! a restart, so the function is part of what is persisted: `golden_hashes` pins it.
//!
//! ```text
//! hash(key)     = finish(fold(… fold(SEED, column 0) …, column n))
//! fold(h, v)    = mix(h ^ v, MULTIPLIER)         v: the value as 64 bits, see below
//! mix(a, b)     = high ^ low half of the 128-bit product a · b
//! ```
//!
//! | type | value as 64 bits |
//! |---|---|
//! | null of any type | a constant |
//! | integers, dates, times, timestamps | sign-extended (unsigned: zero-extended) |
//! | floats | bits as `f64`, with one zero and one NaN |
//! | decimals | low half, then high half folded in |
//! | boolean | 0 or 1 |
//! | strings, binary | folded 8 bytes at a time, little endian, zero-padded, then the length |
//! | everything else | as binary, of its Arrow row format |

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const NULL: u64 = 0xb7e1_5162_8aed_2a6b;

#[inline]
const fn mix(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    (product >> 64) as u64 ^ product as u64
}

#[inline]
const fn fold(hash: u64, value: u64) -> u64 {
    mix(hash ^ value, MULTIPLIER)
}

#[inline]
fn fold_bytes(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        hash = fold(hash, u64::from_le_bytes(word.try_into().expect("chunks of eight")));
    }
    let mut last = [0; 8];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    fold(fold(hash, u64::from_le_bytes(last)), bytes.len() as u64)
}

/// The hashes of all rows of these key columns, into `hashes`.
///
/// # Errors
/// If a column's type has no row format.
pub fn hash_keys(
    columns: &[&ArrayRef],
    rows: usize,
    hashes: &mut Vec<u64>,
) -> Result<(), ArrowError> {
    hashes.clear();
    hashes.resize(rows, SEED);
    for column in columns {
        fold_column(column, hashes)?;
    }
    for hash in hashes {
        // The high bits choose the group; a second mix makes them depend on all bits of the key.
        *hash = mix(*hash ^ (*hash >> 32), MULTIPLIER);
    }
    Ok(())
}

fn fold_column(column: &ArrayRef, hashes: &mut [u64]) -> Result<(), ArrowError> {
    use DataType::*;
    match column.data_type() {
        Int8 => fold_primitive::<Int8Type>(column, hashes, |v| v as i64 as u64),
        Int16 => fold_primitive::<Int16Type>(column, hashes, |v| v as i64 as u64),
        Int32 => fold_primitive::<Int32Type>(column, hashes, |v| v as i64 as u64),
        Int64 => fold_primitive::<Int64Type>(column, hashes, |v| v as u64),
        UInt8 => fold_primitive::<UInt8Type>(column, hashes, u64::from),
        UInt16 => fold_primitive::<UInt16Type>(column, hashes, u64::from),
        UInt32 => fold_primitive::<UInt32Type>(column, hashes, u64::from),
        UInt64 => fold_primitive::<UInt64Type>(column, hashes, |v| v),
        Float32 => fold_primitive::<Float32Type>(column, hashes, |v| float_bits(f64::from(v))),
        Float64 => fold_primitive::<Float64Type>(column, hashes, float_bits),
        Date32 | Time32(_) => return fold_column(&cast(column, &Int32)?, hashes),
        Date64 | Time64(_) | Timestamp(_, _) => return fold_column(&cast(column, &Int64)?, hashes),
        Decimal128(_, _) => fold_primitive::<Decimal128Type>(column, hashes, |v| {
            mix(v as u64 ^ SEED, MULTIPLIER) ^ (v >> 64) as u64
        }),
        Boolean => {
            let values = column.as_boolean();
            fold_values(column, hashes, |hash, row| fold(hash, u64::from(values.value(row))));
        }
        Utf8 => {
            let values = column.as_string::<i32>();
            fold_values(column, hashes, |hash, row| fold_bytes(hash, values.value(row).as_bytes()));
        }
        Utf8View | LargeUtf8 => return fold_column(&cast(column, &Utf8)?, hashes),
        Binary => {
            let values = column.as_binary::<i32>();
            fold_values(column, hashes, |hash, row| fold_bytes(hash, values.value(row)));
        }
        other => {
            let converter = RowConverter::new(vec![SortField::new(other.clone())])?;
            let rows = converter.convert_columns(std::slice::from_ref(column))?;
            fold_values(column, hashes, |hash, row| fold_bytes(hash, rows.row(row).data()));
        }
    }
    Ok(())
}

fn float_bits(value: f64) -> u64 {
    match value {
        _ if value.is_nan() => f64::NAN.to_bits(),
        _ if value == 0.0 => 0,
        _ => value.to_bits(),
    }
}

fn fold_primitive<T: ArrowPrimitiveType>(
    column: &ArrayRef,
    hashes: &mut [u64],
    bits: impl Fn(T::Native) -> u64,
) {
    let values: &PrimitiveArray<T> = column.as_primitive();
    if values.null_count() == 0 {
        for (hash, value) in hashes.iter_mut().zip(values.values()) {
            *hash = fold(*hash, bits(*value));
        }
    } else {
        fold_values(column, hashes, |hash, row| fold(hash, bits(values.value(row))));
    }
}

fn fold_values(column: &ArrayRef, hashes: &mut [u64], fold_row: impl Fn(u64, usize) -> u64) {
    let nulls = column.logical_nulls();
    for (row, hash) in hashes.iter_mut().enumerate() {
        let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        *hash = if null { fold(*hash, NULL) } else { fold_row(*hash, row) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray};
    use millstream_state::KeyGroup;

    use super::*;

    fn hashes(column: ArrayRef) -> Vec<u64> {
        let mut hashes = Vec::new();
        hash_keys(&[&column], column.len(), &mut hashes).expect("hashable");
        hashes
    }

    #[test]
    fn golden_hashes() {
        let integers = hashes(Arc::new(Int64Array::from(vec![Some(0), Some(1), Some(-1), None])));
        let narrow = hashes(Arc::new(Int32Array::from(vec![Some(0), Some(1), Some(-1), None])));
        assert_eq!(integers, narrow, "an integer hashes by value, not by width");
        let strings = hashes(Arc::new(StringArray::from(vec!["", "a", "millstream"])));
        let decimals = Decimal128Array::from(vec![1, -1, i128::from(i64::MAX) * 3]);
        let all = [integers, strings, hashes(Arc::new(decimals))].concat();
        let golden: Vec<u64> = GOLDEN.to_vec();
        assert_eq!(all, golden, "state on disk is found by these: never change them");
    }

    const GOLDEN: [u64; 10] = [
        5138423400212984416,
        13196853324986155453,
        10477414268915297413,
        1928605356307251672,
        7319415783480284610,
        11816784119124804067,
        8343669310251256789,
        14220920885467421164,
        9654940484549941765,
        15312381794127070104,
    ];

    #[test]
    fn layout_does_not_matter() {
        let whole: ArrayRef =
            Arc::new(StringArray::from(vec![Some("x"), None, Some("longer than 8")]));
        let view = cast(&whole, &DataType::Utf8View).expect("cast");
        let dictionary_type =
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let dictionary = cast(&whole, &dictionary_type).expect("cast");
        assert_eq!(hashes(whole.clone()), hashes(view));
        assert_eq!(hashes(whole.clone())[1..], hashes(whole.slice(1, 2)));
        assert_eq!(hashes(dictionary.clone())[1..], hashes(dictionary.slice(1, 2)));
    }

    #[test]
    fn equal_floats_are_equal_keys() {
        let hashes = hashes(Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN])));
        assert_eq!((hashes[0], hashes[2]), (hashes[1], hashes[3]));
    }

    #[test]
    fn small_integers_spread_over_the_key_groups() {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..25_600));
        let mut rows_of_group = [0; 256];
        for hash in hashes(column) {
            rows_of_group[usize::from(KeyGroup::of_hash(hash).number())] += 1;
        }
        assert!(rows_of_group.iter().all(|rows| (50..200).contains(rows)), "{rows_of_group:?}");
    }
}
