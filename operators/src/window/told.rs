//! What was told: for each window and key the aggregate so far, and the result that was emitted
//! last.
//!
//! | state | key → value | created | dropped |
//! |---|---|---|---|
//! | `told` ([`KeyedTable`]) | window and key → partials and last result | the key's first row is merged | window and its lateness have passed |
//! | stale | window → keys whose last result is out of date (a working copy) | merged without emitting | emitted, or dropped |
//!
//! Stored bytes, within the key group of the key:
//!
//! ```text
//!  key     end of the window (8, big-endian, sign bit flipped)  its start (8, the same)  key columns
//!  value   flags (1)  length of the partials (4, little-endian)  partials  result
//!          bit 0: a result was emitted, and follows; bit 1: it is out of date
//! ```
//!
//! Columns are in Arrow's row format, which `hash_keys` relies on too; `golden_bytes` below pins it.
//!
//! Laws:
//!
//! 1. −U is exactly what the last +I or +U of the window and key was, also after a crash;
//! 2. what does not change is not emitted;
//! 3. a result that is not up to date is known by its flag, so that after a crash it is emitted, too;
//! 4. windows come and go in the order of their ends, so dropping them reads each group's rows from
//!    the front.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{ArrayRef, Int8Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use millstream_state::{
    EventTime, GroupRange, KeyGroup, KeyedTable, MemoryUse, RowKey, StateError, TableId,
};

use super::by_group::group;
use super::partial::Columns;
use super::results::Window;
use super::tables::Tables;
use crate::error::Result;
use crate::key_hash::hash_keys;
use crate::{OperatorContext, RowKind};

/// Rows that are read at a time when all of them are.
const PAGE: usize = 1024;
/// The most that hot rows take of memory, and the part of the budget that they may take.
const HOT_BYTES: u64 = 64 << 20;
const HOT_PART: u64 = 8;
/// Bytes of a key that is kept in mind besides its own.
const KEY_BYTES: u64 = 64;
/// Bytes of a window in a key.
const WINDOW_BYTES: usize = 16;
const EMITTED: u8 = 1;
const STALE: u8 = 2;

/// Results that have changed, with −U before their +U.
pub(crate) struct Changes {
    pub columns: Columns,
    /// [`RowKind`] numbers; `None` if all are inserts.
    pub kinds: Option<Int8Array>,
}

/// A row of a window, as it is stored.
struct Value {
    partials: Vec<u8>,
    /// What was emitted last.
    result: Option<Vec<u8>>,
    /// The result is not that of the partials.
    stale: bool,
}

/// The windows of one operator instance.
pub(crate) struct Told {
    // PROPERTIES
    table: String,
    owned: GroupRange,
    keys: Codec,
    partials: Codec,
    results: Codec,
    // STATE
    rows: KeyedTable,
    /// Windows that have rows.
    windows: BTreeSet<(i64, i64)>,
    stale: BTreeMap<(i64, i64), BTreeSet<RowKey>>,
    stale_bytes: u64,
    count: usize,
    /// Windows that end here or before have no rows: reading begins behind them.
    dropped_ms: Option<i64>,
    hashes: Vec<u64>,
}

impl Told {
    /// Takes over what operator `context.name` has in its store. Reads all of it once. The first
    /// `shown` aggregates are those of results; another only says that there is a row.
    pub(crate) fn open(
        tables: &mut Tables,
        shown: usize,
        context: &OperatorContext,
    ) -> Result<Self> {
        let key_count = tables.key_count();
        let types = |fields: &[FieldRef]| {
            fields.iter().map(|field| field.data_type().clone()).collect::<Vec<_>>()
        };
        let (keys, partials) = tables.schema().fields().split_at(key_count);
        let (keys, partials) = (Codec::new(types(keys))?, Codec::new(types(partials))?);
        let mut empty = tables.empty()?;
        let (_, results) = empty.take_results()?;
        let results =
            Codec::new(results.iter().take(shown).map(|c| c.data_type().clone()).collect())?;
        tables.recycle(empty);
        let table = TableId::new(&context.name, "told");
        let instances = context.parallelism.max(1) as u64;
        let hot_bytes = (context.memory.limit_bytes() / HOT_PART / instances).min(HOT_BYTES);
        let memory = MemoryUse::new(context.memory.clone());
        let name = table.as_str().to_owned();
        let rows = KeyedTable::new(context.state.clone(), table).with_hot_rows(hot_bytes, memory);
        let mut told = Told {
            table: name,
            owned: context.groups,
            keys,
            partials,
            results,
            rows,
            windows: BTreeSet::new(),
            stale: BTreeMap::new(),
            stale_bytes: 0,
            count: 0,
            dropped_ms: None,
            hashes: Vec::new(),
        };
        let mut after = None;
        loop {
            let page = told.rows.scan(told.owned, after.as_ref(), PAGE)?;
            let is_last = page.len() < PAGE;
            told.count += page.len();
            for (key, row) in page {
                let Window { start_ms, end_ms } = told.window_of(&key)?;
                told.windows.insert((end_ms, start_ms));
                let is_stale = told.read(row)?.stale;
                told.note(Window { start_ms, end_ms }, &key, is_stale);
                after = Some(key);
            }
            if is_last {
                return Ok(told);
            }
        }
    }

    /// Rows held.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// True if some result is out of date.
    pub(crate) fn is_stale(&self) -> bool {
        !self.stale.is_empty()
    }

    /// The windows that end at `until_ms` or before and have results that are out of date, in
    /// order.
    pub(crate) fn stale(&self, until_ms: i64) -> Vec<Window> {
        let ends = ..=(until_ms, i64::MAX);
        let window =
            |(end_ms, start_ms): &(i64, i64)| Window { start_ms: *start_ms, end_ms: *end_ms };
        self.stale.range(ends).map(|(found, _)| window(found)).collect()
    }

    /// True if a window has results that are out of date.
    pub(crate) fn has_stale(&self, Window { start_ms, end_ms }: Window) -> bool {
        self.stale.contains_key(&(end_ms, start_ms))
    }

    /// Bytes of keys that are kept in mind; the rows are in the store.
    pub(crate) fn bytes(&self) -> u64 {
        self.stale_bytes
    }

    /// Adds partials, each key once, to a window. Returns what is to be emitted, if `emit`.
    pub(crate) fn add(
        &mut self,
        window: Window,
        partials: &RecordBatch,
        emit: bool,
        tables: &mut Tables,
    ) -> Result<Option<Changes>> {
        let partials = &self.in_order(partials, tables)?;
        let keys = self.row_keys(window, partials)?;
        let old = self.rows.get_many(&keys)?;
        let old = old.into_iter().map(|row| row.map(|row| self.read(row)).transpose());
        let old = old.collect::<Result<Vec<Option<Value>>>>()?;
        let mut table = tables.empty()?;
        tables.add(&mut table, partials)?;
        let held: Vec<u32> =
            (0..old.len()).filter(|row| old[*row].is_some()).map(|row| row as u32).collect();
        if !held.is_empty() {
            let rows = UInt32Array::from(held);
            let key_columns = &partials.columns()[..tables.key_count()];
            let key_columns: Vec<ArrayRef> = key_columns
                .iter()
                .map(|column| take(column, &rows, None))
                .collect::<std::result::Result<_, _>>()?;
            let bytes = old.iter().flatten().map(|value| value.partials.as_slice());
            table.merge(&key_columns, &self.partials.decode(bytes)?)?;
        }
        let merged = tables.take(&mut table)?;
        assert_eq!(merged.num_rows(), keys.len(), "each key came once");
        let before = old.iter().flatten().count();
        self.count += keys.len() - before;
        self.windows.insert((window.end_ms, window.start_ms));
        tables.recycle(table);
        self.store(window, keys, old, &merged, emit, tables)
    }

    /// Brings up to a page of the results of a window up to date. Returns what is to be emitted;
    /// [`Self::stale`] says whether there is more.
    pub(crate) fn refresh(
        &mut self,
        window: Window,
        tables: &mut Tables,
    ) -> Result<Option<Changes>> {
        let Some(stale) = self.stale.get(&(window.end_ms, window.start_ms)) else {
            return Ok(None);
        };
        let keys: Vec<RowKey> = stale.iter().take(PAGE).cloned().collect();
        let rows = self.rows.get_many(&keys)?;
        let mut old = Vec::with_capacity(rows.len());
        for row in rows {
            let row = row.ok_or_else(|| self.corrupt("a row is gone".to_owned()))?;
            old.push(Some(self.read(row)?));
        }
        let mut columns = self.keys.decode(keys.iter().map(|key| &key.key[WINDOW_BYTES..]))?;
        let bytes = old.iter().flatten().map(|value: &Value| value.partials.as_slice());
        columns.extend(self.partials.decode(bytes)?);
        let rows = record_batch(tables.schema(), columns, keys.len())?;
        let rows = self.in_order(&rows, tables)?;
        let mut old: BTreeMap<RowKey, Option<Value>> = keys.into_iter().zip(old).collect();
        let keys = self.row_keys(window, &rows)?;
        let old = keys.iter().map(|key| old.remove(key).expect("the same rows")).collect();
        self.store(window, keys, old, &rows, true, tables)
    }

    /// Rows of different keys in the order in which a table has them: that in which they come, but
    /// that a null may come last.
    fn in_order(&self, rows: &RecordBatch, tables: &mut Tables) -> Result<RecordBatch> {
        let keys = &rows.columns()[..tables.key_count()];
        if keys.iter().all(|key| key.null_count() == 0) {
            return Ok(rows.clone());
        }
        tables.table_of(std::slice::from_ref(rows)).and_then(|table| tables.take_all(table))
    }

    /// Writes rows of merged partials, and says what is new of their results.
    fn store(
        &mut self,
        window: Window,
        keys: Vec<RowKey>,
        old: Vec<Option<Value>>,
        merged: &RecordBatch,
        emit: bool,
        tables: &mut Tables,
    ) -> Result<Option<Changes>> {
        let partials = self.partials.encode(&merged.columns()[tables.key_count()..])?;
        let result = if emit {
            let mut table = tables.empty()?;
            tables.add(&mut table, merged)?;
            let columns = table.take_results()?;
            tables.recycle(table);
            let shown = self.results.types;
            Some((self.results.encode(&columns.1[..shown])?, columns))
        } else {
            None
        };
        let mut new_rows: Vec<u32> = Vec::new();
        let mut taken_back: Vec<Option<Vec<u8>>> = Vec::new();
        for (row, (key, old)) in keys.into_iter().zip(old).enumerate() {
            let before = old.and_then(|value| value.result);
            let now = result.as_ref().map(|(bytes, _)| bytes.row(row).to_vec());
            if emit && before != now {
                new_rows.push(row as u32);
                taken_back.push(before.clone());
            }
            let partials = partials.row(row).to_vec();
            let value = Value { partials, result: now.or(before), stale: !emit };
            self.note(window, &key, value.stale);
            // Rows have no time to live: they are dropped with their window.
            self.rows.put(key, &value.bytes(), EventTime::MIN)?;
        }
        match result {
            Some((_, columns)) if !new_rows.is_empty() => {
                self.changes(&columns, new_rows, taken_back).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Keeps in mind whether a result is out of date.
    fn note(&mut self, Window { start_ms, end_ms }: Window, key: &RowKey, is_stale: bool) {
        let (window, bytes) = ((end_ms, start_ms), key.key.len() as u64 + KEY_BYTES);
        if is_stale {
            if self.stale.entry(window).or_default().insert(key.clone()) {
                self.stale_bytes += bytes;
            }
        } else if let Some(keys) = self.stale.get_mut(&window) {
            if keys.remove(key) {
                self.stale_bytes -= bytes;
            }
            if keys.is_empty() {
                self.stale.remove(&window);
            }
        }
    }

    /// The chosen rows of `new`, each behind the result that it takes the place of.
    fn changes(
        &self,
        (keys, results): &Columns,
        rows: Vec<u32>,
        taken_back: Vec<Option<Vec<u8>>>,
    ) -> Result<Changes> {
        let old = self.results.decode(taken_back.iter().flatten().map(Vec::as_slice))?;
        let new_count = results.first().or(keys.first()).map_or(0, |column| column.len()) as u32;
        let (mut of_keys, mut of_results, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        let mut next_old = new_count;
        for (row, old) in rows.iter().zip(&taken_back) {
            if old.is_some() {
                of_keys.push(*row);
                of_results.push(next_old);
                kinds.push(RowKind::UpdateBefore as i8);
                next_old += 1;
            }
            of_keys.push(*row);
            of_results.push(*row);
            kinds.push(if old.is_some() { RowKind::UpdateAfter } else { RowKind::Insert } as i8);
        }
        let (of_keys, of_results) = (UInt32Array::from(of_keys), UInt32Array::from(of_results));
        let keys = keys.iter().map(|column| take(column, &of_keys, None));
        let keys = keys.collect::<std::result::Result<_, _>>()?;
        let mut columns = Vec::with_capacity(results.len());
        // Results without columns do not change: all rows are new.
        for new in results.iter().filter(|_| old.is_empty()) {
            columns.push(take(new, &of_keys, None)?);
        }
        for (new, old) in results.iter().zip(&old) {
            let both = concat(&[new.as_ref(), old.as_ref()])?;
            columns.push(take(&both, &of_results, None)?);
        }
        let are_inserts = taken_back.iter().all(Option::is_none);
        let kinds = (!are_inserts).then(|| Int8Array::from(kinds));
        Ok(Changes { columns: (keys, columns), kinds })
    }

    /// Drops the windows that end at `until_ms` or before.
    pub(crate) fn drop_until(&mut self, until_ms: i64) -> Result<()> {
        let Some((oldest, _)) = self.windows.first() else { return Ok(()) };
        if *oldest > until_ms {
            return Ok(());
        }
        for number in self.owned.first.number()..=self.owned.last.number() {
            let group = group(number);
            self.drop_in(group, until_ms)?;
        }
        self.windows.retain(|(end_ms, _)| *end_ms > until_ms);
        // What is complete is up to date, so nothing of it is stale.
        debug_assert!(
            self.stale.keys().all(|(end_ms, _)| *end_ms > until_ms),
            "told before it goes"
        );
        self.dropped_ms = Some(until_ms);
        Ok(())
    }

    fn drop_in(&mut self, group: KeyGroup, until_ms: i64) -> Result<()> {
        let range = GroupRange { first: group, last: group };
        let mut after = self.dropped_ms.map(|end_ms| behind(group, end_ms));
        loop {
            let page = self.rows.scan(range, after.as_ref(), PAGE)?;
            let is_last = page.len() < PAGE;
            for (key, _) in page {
                if self.window_of(&key)?.end_ms > until_ms {
                    return Ok(());
                }
                self.count -= 1;
                self.rows.delete(key.clone());
                after = Some(key);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// The rows' keys in state.
    fn row_keys(&mut self, window: Window, partials: &RecordBatch) -> Result<Vec<RowKey>> {
        let rows = partials.num_rows();
        let columns = &partials.columns()[..self.keys.types];
        let references: Vec<&ArrayRef> = columns.iter().collect();
        hash_keys(&references, rows, &mut self.hashes)?;
        let prefix = window_bytes(window);
        let encoded = self.keys.encode(columns)?;
        let key = |(row, hash): (usize, &u64)| RowKey {
            group: KeyGroup::of_hash(*hash),
            key: [&prefix[..], encoded.row(row)].concat(),
        };
        Ok(self.hashes.iter().enumerate().map(key).collect())
    }

    fn window_of(&self, key: &RowKey) -> Result<Window> {
        let number = |from: usize| {
            let bytes = key.key.get(from..from + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map(|bytes| (u64::from_be_bytes(bytes) ^ SIGN) as i64)
        };
        match (number(0), number(8)) {
            (Some(end_ms), Some(start_ms)) => Ok(Window { start_ms, end_ms }),
            _ => Err(self.corrupt(format!("a key has at least 16 bytes, found {}", key.key.len()))),
        }
    }

    fn read(&self, row: Vec<u8>) -> Result<Value> {
        let read = || {
            let (flags, rest) = row.split_first()?;
            let (length, rest) = rest.split_at_checked(4)?;
            let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
            let (partials, result) = rest.split_at_checked(length)?;
            let result = (flags & EMITTED != 0).then(|| result.to_vec());
            Some(Value { partials: partials.to_vec(), result, stale: flags & STALE != 0 })
        };
        read().ok_or_else(|| self.corrupt(format!("a row of {} bytes is cut short", row.len())))
    }

    fn corrupt(&self, reason: String) -> crate::OperatorError {
        StateError::Corrupt { table: self.table.clone(), reason }.into()
    }
}

impl Value {
    fn bytes(&self) -> Vec<u8> {
        let length = (self.partials.len() as u32).to_le_bytes();
        let emitted = if self.result.is_some() { EMITTED } else { 0 };
        let flags = emitted | if self.stale { STALE } else { 0 };
        let result = self.result.as_deref().unwrap_or_default();
        [&[flags][..], &length, &self.partials, result].concat()
    }
}

const SIGN: u64 = 1 << 63;

fn window_bytes(window: Window) -> [u8; WINDOW_BYTES] {
    let mut bytes = [0; WINDOW_BYTES];
    bytes[..8].copy_from_slice(&((window.end_ms as u64) ^ SIGN).to_be_bytes());
    bytes[8..].copy_from_slice(&((window.start_ms as u64) ^ SIGN).to_be_bytes());
    bytes
}

/// A key that is behind those of all windows that end at `end_ms` or before.
fn behind(group: KeyGroup, end_ms: i64) -> RowKey {
    let end = ((end_ms as u64) ^ SIGN).to_be_bytes();
    // Starts are before ends, so no start has only ones; nor does a longer key follow.
    RowKey { group, key: [&end[..], &[0xff; 9]].concat() }
}

/// A batch that may have no columns.
fn record_batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

/// Columns as bytes, in Arrow's row format.
struct Codec {
    types: usize,
    converter: Option<RowConverter>,
}

/// Encoded rows; without columns they are empty.
struct Encoded(Option<Rows>);

impl Codec {
    fn new(types: Vec<DataType>) -> Result<Self> {
        let fields = types.iter().cloned().map(SortField::new).collect::<Vec<_>>();
        let converter = if fields.is_empty() { None } else { Some(RowConverter::new(fields)?) };
        Ok(Codec { types: types.len(), converter })
    }

    fn encode(&self, columns: &[ArrayRef]) -> Result<Encoded> {
        let encode = |converter: &RowConverter| converter.convert_columns(columns);
        Ok(Encoded(self.converter.as_ref().map(encode).transpose()?))
    }

    fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>> {
        let Some(converter) = &self.converter else { return Ok(Vec::new()) };
        let parser = converter.parser();
        Ok(converter.convert_rows(rows.map(|bytes| parser.parse(bytes)))?)
    }
}

impl Encoded {
    fn row(&self, row: usize) -> &[u8] {
        self.0.as_ref().map_or(&[], |rows| rows.row(row).data())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn golden_bytes() {
        let codec = Codec::new(vec![DataType::Utf8, DataType::Int64]).expect("types with rows");
        let columns: [ArrayRef; 2] = [
            Arc::new(StringArray::from(vec![Some("ab"), None])),
            Arc::new(Int64Array::from(vec![Some(-1), Some(5)])),
        ];
        let encoded = codec.encode(&columns).expect("encoded");
        let mut first = vec![2, b'a', b'b', 0, 0, 0, 0, 0, 0, 2];
        first.extend([1, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(encoded.row(0), first);
        assert_eq!(encoded.row(1), [0, 1, 0x80, 0, 0, 0, 0, 0, 0, 5]);
        let value = Value { partials: vec![7, 8], result: Some(vec![9]), stale: true };
        assert_eq!(value.bytes(), [3, 2, 0, 0, 0, 7, 8, 9]);
        let window = Window { start_ms: -1, end_ms: 2 };
        let mut expected = vec![0x80, 0, 0, 0, 0, 0, 0, 2];
        expected.extend([0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(window_bytes(window).to_vec(), expected);
        assert!(behind(KeyGroup::FIRST, 2).key > expected);
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let codec = Codec::new(vec![DataType::Utf8, DataType::Int64]).expect("types with rows");
        let columns: [ArrayRef; 2] = [
            Arc::new(StringArray::from(vec![Some("x"), None])),
            Arc::new(Int64Array::from(vec![None, Some(5)])),
        ];
        let encoded = codec.encode(&columns).expect("encoded");
        let rows = [encoded.row(1), encoded.row(0)];
        let decoded = codec.decode(rows.into_iter()).expect("decoded");
        assert_eq!(
            decoded[1].as_ref(),
            &Int64Array::from(vec![Some(5), None]) as &dyn arrow::array::Array
        );
        let nothing = Codec::new(Vec::new()).expect("no columns");
        assert!(nothing.encode(&[]).expect("encoded").row(3).is_empty());
    }
}
