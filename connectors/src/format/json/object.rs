//! Reading an object: its members into slots, then the slots into columns.
//!
//! Two passes, so that a record that goes wrong half way has touched no column yet, a key that
//! occurs twice simply overwrites its slot, and values are converted in the order of the columns.

use super::Options;
use super::column::{Column, Fault};
use super::layout::{Layout, NO_SLOT};
use super::scan::{Span, SyntaxError, key, skip_blanks, value};
use super::text::unescape;
use arrow::datatypes::Fields;

/// Reads objects into the columns of a record or ROW.
pub(super) struct Object {
    // PROPERTIES
    names: Vec<Box<[u8]>>,
    // STATE
    pub(super) columns: Vec<Column>,
    /// Where each column's value stands in the record that is being read.
    slots: Vec<Span>,
    layout: Layout,
    /// Slot that was found last by name: the next one is mostly the next one.
    last_slot: usize,
}

/// What reading a record needs besides columns.
pub(super) struct Context<'a> {
    pub record: &'a [u8],
    pub options: &'a Options,
    /// Room to take escapes out.
    pub scratch: &'a mut Vec<u8>,
}

impl Object {
    /// Columns for `fields`; `path` leads to them in messages, such as `customer.`.
    pub(super) fn new(fields: &Fields, path: &str, options: &Options) -> Result<Self, String> {
        let columns = fields.iter().map(|field| {
            let path = format!("{path}{}", field.name());
            Column::new(path, field.data_type(), field.is_nullable(), options)
        });
        Ok(Object {
            names: fields.iter().map(|field| field.name().as_bytes().into()).collect(),
            columns: columns.collect::<Result<_, _>>()?,
            slots: vec![Span::MISSING; fields.len()],
            layout: Layout::default(),
            last_slot: 0,
        })
    }

    /// Finds the members of the object at `at` and returns the position behind it.
    pub(super) fn scan(&mut self, bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
        let result = self.scan_members::<false>(bytes, at);
        // Also after an error, for the next record may not take its layout from half of one.
        let followed = result.as_ref().is_ok_and(|(_, followed)| *followed);
        self.layout.end(followed);
        result.map(|(end, _)| end)
    }

    /// Like `scan`, if the object at `at` follows the layout and stands on one line; `None` says
    /// nothing about it.
    #[inline]
    pub(super) fn scan_line(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        if !self.layout.is_one_line() {
            return None;
        }
        let (end, _) = self.scan_members::<true>(bytes, at).ok()?;
        self.layout.end(true);
        Some(end)
    }

    /// The end of the object, and whether it followed the layout; with `ONE_LINE`, not following
    /// it is an error.
    #[inline(always)]
    fn scan_members<const ONE_LINE: bool>(
        &mut self,
        bytes: &[u8],
        mut at: usize,
    ) -> Result<(usize, bool), SyntaxError> {
        self.slots.fill(Span::MISSING);
        if !ONE_LINE {
            self.layout.begin();
        }
        let mut followed = true;
        let mut first = true;
        let mut step = 0;
        loop {
            let slot;
            if let Some((expected, value_at)) = self.layout.expect(step, bytes, at) {
                step += 1;
                (slot, at) = (expected, value_at);
            } else if let Some(end) = self.layout.expect_end(step, bytes, at) {
                return Ok((end, followed));
            } else if ONE_LINE {
                return Err(SyntaxError { at, reason: "it does not follow the layout" });
            } else {
                followed = false;
                match self.member(bytes, at, first, step)? {
                    Member::End(end) => return Ok((end, followed)),
                    Member::Value(found) => (slot, at, step) = (found.slot, found.at, found.step),
                }
            }
            first = false;
            let (span, end) = value::<ONE_LINE>(bytes, at)?;
            if let Some(slot) = self.slots.get_mut(slot) {
                *slot = span;
            }
            at = end;
        }
    }

    /// Reads by the grammar what stands at `at`, behind a value or before the first one.
    #[cold]
    fn member(
        &mut self,
        bytes: &[u8],
        at: usize,
        first: bool,
        step: usize,
    ) -> Result<Member, SyntaxError> {
        let mut position = skip_blanks(bytes, at);
        let separator = if first { b'{' } else { b',' };
        match bytes.get(position) {
            Some(b'}') if !first => {
                self.layout.found_end(&bytes[at..=position]);
                return Ok(Member::End(position + 1));
            }
            Some(byte) if *byte == separator => position = skip_blanks(bytes, position + 1),
            None => return Err(SyntaxError { at: position, reason: "it ends within an object" }),
            _ => return Err(SyntaxError { at: position, reason: "',' or '}' should stand here" }),
        }
        if first && bytes.get(position) == Some(&b'}') {
            return Ok(Member::End(position + 1));
        }
        let (name, value_at) = key(bytes, position)?;
        let slot = self.slot_of(name, bytes)?;
        let token = &bytes[at..value_at];
        let step = self.layout.found(step, token, name.start - at..name.end - at, slot);
        Ok(Member::Value(Found { slot, at: value_at, step }))
    }

    /// The slot of the column with this name.
    fn slot_of(&mut self, name: Span, bytes: &[u8]) -> Result<usize, SyntaxError> {
        let mut plain = Vec::new();
        let written = name.of(bytes);
        let name = if memchr::memchr(b'\\', written).is_some() {
            unescape(written, name.start, &mut plain)?;
            plain.as_slice()
        } else {
            written
        };
        let from = self.last_slot;
        let order = (from..self.names.len()).chain(0..from);
        let mut found = order.filter(|slot| *self.names[*slot] == *name);
        Ok(match found.next() {
            Some(slot) => {
                self.last_slot = slot + 1;
                slot
            }
            None => NO_SLOT,
        })
    }

    /// Adds a row to every column from the slots of the last scan. After an error some columns
    /// have it: the caller truncates.
    #[inline]
    pub(super) fn append(&mut self, context: &mut Context<'_>) -> Result<(), Fault> {
        for (column, span) in self.columns.iter_mut().zip(&self.slots) {
            column.append_member(*span, context)?;
        }
        Ok(())
    }

    /// Adds a row of nulls, under a ROW that is null itself.
    pub(super) fn append_nulls(&mut self) {
        for column in &mut self.columns {
            column.append_null();
        }
    }

    /// Forgets all rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        for column in &mut self.columns {
            column.truncate(rows);
        }
    }
}

/// What the grammar found behind a value.
enum Member {
    /// The end of the object; the position behind it.
    End(usize),
    /// A member.
    Value(Found),
}

struct Found {
    slot: usize,
    /// Where its value starts.
    at: usize,
    /// The step of the layout to go on with.
    step: usize,
}
