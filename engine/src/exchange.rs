//! Exchange: the rows of an edge find the subtask that owns their key.
//!
//! ```text
//!  rows   key   hash → key group → owner          to 0        to 1
//!   r0     a        17      0 ─────────────────▶  r0
//!   r1     b       201      1 ───────────────────────────────▶ r1
//!   r2     a        17      0 ─────────────────▶  r2
//!   watermark, barrier, end ────────────────────▶  to all, after the rows they follow
//! ```
//!
//! Small parts are sent as they are: waiting for them to fill up would cost latency, and under
//! load batches are large anyway.

use arrow::array::{ArrayRef, Int8Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;
use millstream_operators::key_hash::hash_keys;
use millstream_operators::{Batch, Message};
use millstream_state::{KEY_GROUPS, KeyGroup};

use crate::channel::{Envelope, Sender};

/// Splits batches by the owner of each row's key group; keeps the order of rows for each owner.
pub struct Partitioner {
    // PROPERTIES
    keys: Vec<usize>,
    destinations: usize,
    owner_of_group: Vec<u32>,
    // STATE: scratch, kept to save allocations
    hashes: Vec<u64>,
    owners: Vec<u32>,
}

impl Partitioner {
    /// Splits by these key columns over `destinations` subtasks.
    pub fn new(keys: Vec<usize>, destinations: usize) -> Self {
        let group = |number: u16| KeyGroup::of_hash(u64::from(number) << 56);
        let owner_of_group =
            (0..KEY_GROUPS).map(|number| group(number).owner(destinations) as u32).collect();
        Partitioner { keys, destinations, owner_of_group, hashes: Vec::new(), owners: Vec::new() }
    }

    /// Hands over the part of each destination that has rows, by ascending destination.
    ///
    /// # Errors
    /// If a key cannot be hashed or a part would overflow Arrow's offsets.
    pub fn split(
        &mut self,
        batch: Batch,
        mut send: impl FnMut(usize, Batch),
    ) -> Result<(), ArrowError> {
        if self.destinations == 1 {
            send(0, batch);
            return Ok(());
        }
        let ends = self.assign(&batch)?;
        let whole =
            (0..self.destinations).find(|to| self.part(&ends, *to).len() == batch.num_rows());
        if let Some(only) = whole {
            send(only, batch);
            return Ok(());
        }
        let by_owner = UInt32Array::from(self.rows_by_owner(ends.clone()));
        for to in 0..self.destinations {
            let part = self.part(&ends, to);
            if !part.is_empty() {
                send(to, take_rows(&batch, &by_owner.slice(part.start, part.len()))?);
            }
        }
        Ok(())
    }

    /// Finds each row's owner, and for each owner where its rows would end in an order by owner.
    fn assign(&mut self, batch: &Batch) -> Result<Vec<usize>, ArrowError> {
        let columns: Vec<&ArrayRef> = self.keys.iter().map(|key| batch.rows.column(*key)).collect();
        hash_keys(&columns, batch.num_rows(), &mut self.hashes)?;
        let mut ends = vec![0; self.destinations];
        self.owners.clear();
        self.owners.extend(self.hashes.iter().map(|hash| {
            let group = KeyGroup::of_hash(*hash);
            let owner = self.owner_of_group[usize::from(group.number())];
            ends[owner as usize] += 1;
            owner
        }));
        for to in 1..ends.len() {
            ends[to] += ends[to - 1];
        }
        Ok(ends)
    }

    fn part(&self, ends: &[usize], to: usize) -> std::ops::Range<usize> {
        (if to == 0 { 0 } else { ends[to - 1] })..ends[to]
    }

    /// Row numbers ordered by owner, a counting sort: filled from behind, so it is stable.
    fn rows_by_owner(&self, mut ends: Vec<usize>) -> Vec<u32> {
        let mut rows = vec![0; self.owners.len()];
        for (row, owner) in self.owners.iter().enumerate().rev() {
            let end = &mut ends[*owner as usize];
            *end -= 1;
            rows[*end] = row as u32;
        }
        rows
    }
}

fn take_rows(batch: &Batch, rows: &UInt32Array) -> Result<Batch, ArrowError> {
    let columns = batch.rows.columns().iter().map(|column| take(column, rows, None));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let taken = RecordBatch::try_new_with_options(batch.rows.schema(), columns, &options)?;
    let kinds = match &batch.kinds {
        None => None,
        Some(kinds) => Some(Int8Array::from(take(kinds, rows, None)?.to_data())),
    };
    Ok(Batch { rows: taken, kinds })
}

/// The sending end of one edge of the job graph, of one subtask.
pub struct Outlet {
    partitioner: Option<Partitioner>,
    senders: Vec<Sender>,
}

impl Outlet {
    /// An edge to one subtask.
    pub fn direct(sender: Sender) -> Self {
        Outlet { partitioner: None, senders: vec![sender] }
    }

    /// An edge to all subtasks, by key; `senders` in the order of the subtasks.
    pub fn by_key(keys: Vec<usize>, senders: Vec<Sender>) -> Self {
        Outlet { partitioner: Some(Partitioner::new(keys, senders.len())), senders }
    }

    /// True if every queue behind it has room. The first that has none will wake the sender.
    pub fn has_room(&self) -> bool {
        self.senders.iter().all(Sender::has_room)
    }

    /// Sends rows to their owners and everything else to all subtasks.
    ///
    /// # Errors
    /// If rows cannot be split by key.
    pub fn send(&mut self, envelope: Envelope) -> Result<(), ArrowError> {
        match (envelope, &mut self.partitioner) {
            (
                Envelope::Message { message: Message::Batch(batch), arrived_ns },
                Some(partitioner),
            ) => partitioner.split(batch, |to, part| {
                let message = Message::Batch(part);
                self.senders[to].send(Envelope::Message { message, arrived_ns });
            }),
            (envelope, _) => {
                for sender in &self.senders {
                    sender.send(envelope.clone());
                }
                Ok(())
            }
        }
    }
}
