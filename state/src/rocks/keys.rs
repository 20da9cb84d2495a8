//! The key space of the database: every kind of key there is, with its frozen bytes.
//!
//! ```text
//!  column family  key                                                            value
//!  meta           01                                                             applied epoch, u64
//!                 02                                                             layout, u32
//!                 03 table name                                                  table number, u32
//!                 04 schema number, u32                                          Arrow IPC schema
//!  panes          table, u32 · at, i64 · start, i64 · first, u8 · last, u8 ·     rows, u64 · bytes, u64 ·
//!                 epoch, u64 · task, u32 · number, u32                           stored bytes, u64
//!  runs           as panes                                                       see `values`
//!  rows           table, u32 · group, u8 · key                                   the row
//! ```
//!
//! All numbers are big-endian, so that bytes sort as the numbers do; moments have their sign bit
//! flipped for the same reason. Tables are numbered once and for all: a name of 40 bytes before
//! every row would be half of it. `panes` holds what is known of each run without its rows, so that
//! opening a store reads a few bytes a run and never a row.
//!
//! A kind, once written here, is never given another meaning; [`LAYOUT`] counts the revisions.

use crate::key::GroupRange;
use crate::store::{PaneKey, RowKey, RunId, RunInfo};
use crate::{Epoch, EventTime, KeyGroup};

/// Revision of this file. A database of another one is refused.
pub const LAYOUT: u32 = 1;

/// Column families.
pub const META: &str = "meta";
/// What is known of runs.
pub const PANES: &str = "panes";
/// Rows of runs.
pub const RUNS: &str = "runs";
/// Rows of keyed tables.
pub const ROWS: &str = "rows";

/// Key of the applied epoch in `meta`.
pub const APPLIED: [u8; 1] = [1];
/// Key of the layout in `meta`.
pub const LAYOUT_KEY: [u8; 1] = [2];
const TABLE: u8 = 3;
const SCHEMA: u8 = 4;

const RUN_KEY_BYTES: usize = 38;

/// A key of `meta`, read back.
#[derive(Debug, PartialEq, Eq)]
pub enum MetaKey<'a> {
    /// The applied epoch.
    Applied,
    /// The layout.
    Layout,
    /// A table, by name.
    Table(&'a str),
    /// A schema, by number.
    Schema(u32),
}

/// Key of a table's number.
pub fn table_key(name: &str) -> Vec<u8> {
    [&[TABLE], name.as_bytes()].concat()
}

/// Key of a schema.
pub fn schema_key(number: u32) -> Vec<u8> {
    [&[SCHEMA][..], &number.to_be_bytes()].concat()
}

/// Reads a key of `meta`; `None` if it is of no known kind.
pub fn read_meta(key: &[u8]) -> Option<MetaKey<'_>> {
    match key.split_first()? {
        (1, []) => Some(MetaKey::Applied),
        (2, []) => Some(MetaKey::Layout),
        (&TABLE, name) => std::str::from_utf8(name).ok().map(MetaKey::Table),
        (&SCHEMA, number) => Some(MetaKey::Schema(u32::from_be_bytes(number.try_into().ok()?))),
        _ => None,
    }
}

/// First key of a table in `panes`, `runs` and `rows`; that of the next number is behind its last.
pub fn table_prefix(table: u32) -> [u8; 4] {
    table.to_be_bytes()
}

/// Key of a run in `panes` and `runs`.
pub fn run_key(table: u32, pane: PaneKey, info: &RunInfo) -> [u8; RUN_KEY_BYTES] {
    let mut key = [0; RUN_KEY_BYTES];
    key[..4].copy_from_slice(&table.to_be_bytes());
    key[4..12].copy_from_slice(&moment(pane.at));
    key[12..20].copy_from_slice(&moment(pane.start));
    key[20] = group(info.groups.first);
    key[21] = group(info.groups.last);
    key[22..30].copy_from_slice(&info.id.epoch.0.to_be_bytes());
    key[30..34].copy_from_slice(&info.id.task.to_be_bytes());
    key[34..].copy_from_slice(&info.id.number.to_be_bytes());
    key
}

/// Reads a key of `panes` or `runs`: table, pane, groups and name of the run.
pub fn read_run_key(key: &[u8]) -> Option<(u32, PaneKey, GroupRange, RunId)> {
    let key: &[u8; RUN_KEY_BYTES] = key.try_into().ok()?;
    let pane = PaneKey { at: read_moment(&key[4..12])?, start: read_moment(&key[12..20])? };
    let groups =
        GroupRange { first: KeyGroup::from_number(key[20]), last: KeyGroup::from_number(key[21]) };
    let id = RunId {
        epoch: Epoch(read_u64(&key[22..30])?),
        task: read_u32(&key[30..34])?,
        number: read_u32(&key[34..])?,
    };
    Some((read_u32(&key[..4])?, pane, groups, id))
}

/// Value of a run in `panes`: rows, bytes in memory, bytes in `runs`.
pub fn info_value(info: &RunInfo, stored_bytes: u64) -> [u8; 24] {
    let mut value = [0; 24];
    value[..8].copy_from_slice(&info.rows.to_be_bytes());
    value[8..16].copy_from_slice(&info.bytes.to_be_bytes());
    value[16..].copy_from_slice(&stored_bytes.to_be_bytes());
    value
}

/// Reads a value of `panes`.
pub fn read_info_value(value: &[u8]) -> Option<(u64, u64, u64)> {
    let value: &[u8; 24] = value.try_into().ok()?;
    Some((read_u64(&value[..8])?, read_u64(&value[8..16])?, read_u64(&value[16..])?))
}

/// Key of a row in `rows`.
pub fn row_key(table: u32, key: &RowKey) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5 + key.key.len());
    bytes.extend(table.to_be_bytes());
    bytes.push(group(key.group));
    bytes.extend(&key.key);
    bytes
}

/// Reads a key of `rows`.
pub fn read_row_key(key: &[u8]) -> Option<(u32, RowKey)> {
    let (table, rest) = key.split_first_chunk::<4>()?;
    let (group, key) = rest.split_first()?;
    let key = RowKey { group: KeyGroup::from_number(*group), key: key.to_vec() };
    Some((u32::from_be_bytes(*table), key))
}

/// First key in `rows` of a group, and of the table behind it.
pub fn rows_range(table: u32, groups: GroupRange) -> (Vec<u8>, Vec<u8>) {
    let from = [&table.to_be_bytes()[..], &[group(groups.first)]].concat();
    let to = match group(groups.last).checked_add(1) {
        Some(next) => [&table.to_be_bytes()[..], &[next]].concat(),
        None => (table + 1).to_be_bytes().to_vec(),
    };
    (from, to)
}

/// Reads a big-endian number.
pub fn read_u32(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Reads a big-endian number.
pub fn read_u64(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

fn group(group: KeyGroup) -> u8 {
    u8::try_from(group.number()).expect("there are 256 groups")
}

/// Bytes of a moment that sort as moments do.
pub(crate) fn moment(moment: EventTime) -> [u8; 8] {
    (moment.as_ms() as u64 ^ 1 << 63).to_be_bytes()
}

/// Reads what [`moment`] made.
pub(crate) fn read_moment(bytes: &[u8]) -> Option<EventTime> {
    Some(EventTime::from_ms((read_u64(bytes)? ^ 1 << 63) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pane(at: i64, start: i64) -> PaneKey {
        PaneKey { at: EventTime::from_ms(at), start: EventTime::from_ms(start) }
    }

    fn info() -> RunInfo {
        RunInfo {
            id: RunId { epoch: Epoch(0x0102), task: 3, number: 4 },
            groups: GroupRange {
                first: KeyGroup::from_number(0x10),
                last: KeyGroup::from_number(0xff),
            },
            rows: 5,
            bytes: 6,
        }
    }

    /// Bytes on disk are frozen: raise [`LAYOUT`] before you change these.
    #[test]
    fn the_bytes_are_these() {
        assert_eq!(table_key("w/p"), b"\x03w/p");
        assert_eq!(schema_key(258), [4, 0, 0, 1, 2]);
        let expected = [
            [0, 0, 0, 7].as_slice(),
            &[0x80, 0, 0, 0, 0, 0, 3, 0xe8],
            &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x10, 0xff],
            &[0, 0, 0, 0, 0, 0, 1, 2],
            &[0, 0, 0, 3],
            &[0, 0, 0, 4],
        ];
        assert_eq!(run_key(7, pane(1000, -1), &info()).as_slice(), expected.concat());
        let expected =
            [[0, 0, 0, 0, 0, 0, 0, 5], [0, 0, 0, 0, 0, 0, 0, 6], [0, 0, 0, 0, 0, 0, 1, 0]];
        assert_eq!(info_value(&info(), 256).as_slice(), expected.concat());
        let key = RowKey { group: KeyGroup::from_number(9), key: b"key".to_vec() };
        assert_eq!(row_key(7, &key), b"\0\0\0\x07\x09key");
    }

    #[test]
    fn what_is_written_is_read() {
        let key = run_key(7, pane(i64::MIN, i64::MAX), &info());
        let expected = (7, pane(i64::MIN, i64::MAX), info().groups, info().id);
        assert_eq!(read_run_key(&key), Some(expected));
        assert_eq!(read_info_value(&info_value(&info(), 9)), Some((5, 6, 9)));
        let row = RowKey { group: KeyGroup::from_number(255), key: vec![] };
        assert_eq!(read_row_key(&row_key(u32::MAX, &row)), Some((u32::MAX, row)));
        assert_eq!(read_meta(&table_key("w/p")), Some(MetaKey::Table("w/p")));
        assert_eq!(read_meta(&schema_key(3)), Some(MetaKey::Schema(3)));
        assert_eq!(read_meta(&[9]), None);
    }

    #[test]
    fn keys_sort_as_panes_do() {
        let moments = [i64::MIN, -1000, -1, 0, 1, 1000, i64::MAX];
        let panes: Vec<PaneKey> =
            moments.iter().flat_map(|at| moments.iter().map(|start| pane(*at, *start))).collect();
        let keys: Vec<_> = panes.iter().map(|pane| run_key(1, *pane, &info())).collect();
        assert!(panes.is_sorted() && keys.is_sorted());
    }

    #[test]
    fn a_range_of_rows_ends_before_the_next_table() {
        let (from, to) = rows_range(1, GroupRange::ALL);
        let last = RowKey { group: KeyGroup::from_number(255), key: vec![255; 40] };
        let next = RowKey { group: KeyGroup::FIRST, key: vec![] };
        assert!(from <= row_key(1, &next) && row_key(1, &last) < to);
        assert!(to <= row_key(2, &next));
    }
}
