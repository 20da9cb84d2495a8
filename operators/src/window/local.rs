//! First stage of a windowed aggregation: rows in, partial aggregates a pane out.
//!
//! The SQL is that of [`aggregate`](super::aggregate). This stage runs where the rows are, before
//! the exchange, so that keys travel once a pane and not once a row.
//!
//! ```text
//!  HOP(slide 5, size 10)
//!  event time  0        5        10       15
//!  panes       |── p0 ──|── p5 ──|── p10 ─|
//!  watermark               w=4.999   w=9.999
//!  sends                   p0        p5, and p0 again if rows came for it
//!                          └ first window of p0, [-5, 5), is complete: send before it fires
//! ```
//!
//! | state | key → value | created | dropped |
//! |---|---|---|---|
//! | pane tables | pane → groups since the pane was last sent | first row | sent |
//!
//! Nothing here needs to survive: all pane tables are sent before an epoch ends, and after a restart
//! sources say their watermark before any row.
//! Input → output: append → append partials ([`partial`](super::partial)).
//!
//! Laws:
//!
//! 1. the partials of a pane leave before the watermark that completes its next window, so the
//!    global stage has everything when it fires;
//! 2. memory is bounded: above [`MOST_GROUPS`] groups, or a small part of the memory budget, the
//!    largest panes are sent early;
//! 3. if keys hardly repeat, merging is waste: the stage passes batches through, each aggregated
//!    for itself, and tries again later. The result is the same either way.
//!
//! Late rows: a row all of whose windows have passed *here* may still be in time behind a slower
//! neighbour. It is sent at once, unmerged, for the global stage to judge and to count.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use millstream_state::{EventTime, MemoryUse};

use super::WindowAggregateSpec;
use super::clock::WallClock;
use super::pane::Pane;
use super::partial::PartialFormat;
use super::place::Placer;
use super::results::BATCH_ROWS;
use crate::aggregate::{AggregateArgs, AggregateLayout, GroupTable, Rows};
use crate::error::Result;
use crate::{Batch, Operator, OperatorContext, OperatorMetrics, Output};

/// Groups over all panes above which the largest panes are sent early.
pub const MOST_GROUPS: usize = 1 << 20;
/// The part of the memory budget above which the largest panes are sent early, as a divisor: what
/// is here is only to save work, while the stage behind has to hold the panes.
const BUDGET_PART: u64 = 16;
/// Rows after which it is judged whether keys repeat.
const JUDGED_ROWS: usize = 1 << 17;
/// Rows that pass through before keys get another chance to repeat.
const PASSED_ROWS: usize = 1 << 21;

/// A running first stage.
pub struct LocalWindowAggregate {
    // PROPERTIES
    spec: WindowAggregateSpec,
    placer: Placer,
    clock: WallClock,
    layout: Arc<AggregateLayout>,
    format: PartialFormat,
    metrics: Arc<OperatorMetrics>,
    // STATE
    panes: BTreeMap<Pane, Filling>,
    passed_ms: i64,
    memory: Option<MemoryUse>,
    most_bytes: u64,
    repetition: Repetition,
    spare: Vec<GroupTable>,
}

/// A pane since it was last sent.
struct Filling {
    table: GroupTable,
    /// End of the window that needs these partials next.
    due_ms: i64,
}

impl LocalWindowAggregate {
    /// A first stage.
    ///
    /// # Errors
    /// If an aggregate function has no implementation for its arguments or the zone is unknown.
    pub fn new(spec: &WindowAggregateSpec) -> Result<Self> {
        Ok(LocalWindowAggregate {
            spec: spec.clone(),
            placer: Placer::new(&spec.time)?,
            clock: spec.clock()?,
            layout: Arc::new(spec.layout()?),
            format: PartialFormat::new(spec)?,
            metrics: Arc::default(),
            panes: BTreeMap::new(),
            passed_ms: i64::MIN,
            memory: None,
            most_bytes: u64::MAX,
            repetition: Repetition::default(),
            spare: Vec::new(),
        })
    }

    fn empty_table(&mut self) -> Result<GroupTable> {
        match self.spare.pop() {
            Some(table) => Ok(table),
            None => GroupTable::new(self.layout.clone()),
        }
    }

    /// Adds rows to the table of their pane; returns how many groups are new.
    fn fill(
        &mut self,
        pane: Pane,
        due_ms: i64,
        keys: &[ArrayRef],
        args: &AggregateArgs,
        rows: Rows<'_>,
    ) -> Result<usize> {
        if !self.panes.contains_key(&pane) {
            let table = self.empty_table()?;
            self.panes.insert(pane, Filling { table, due_ms });
        }
        let table = &mut self.panes.get_mut(&pane).expect("inserted above").table;
        let before = table.len();
        table.update(keys, args, rows)?;
        Ok(table.len() - before)
    }

    /// Sends the groups of a table and empties it.
    fn send(&mut self, pane: Pane, mut table: GroupTable, out: &mut Output) -> Result<()> {
        if let Some(rows) = self.format.write(pane, table.take_partials()?)? {
            for from in (0..rows.num_rows()).step_by(BATCH_ROWS) {
                let length = BATCH_ROWS.min(rows.num_rows() - from);
                out.batch(Batch::inserts(rows.slice(from, length)));
            }
        }
        // As many as a few panes need; more would hold memory for nothing.
        if self.spare.len() < 4 && (table.bytes() as u64) < self.most_bytes / 8 {
            self.spare.push(table);
        }
        Ok(())
    }

    /// Sends rows of a pane that has passed here, one partial a row.
    fn send_unmerged(
        &mut self,
        pane: Pane,
        keys: &[ArrayRef],
        args: &AggregateArgs,
        rows: Vec<usize>,
        out: &mut Output,
    ) -> Result<()> {
        let mut table = self.empty_table()?;
        let mut partials: Vec<RecordBatch> = Vec::with_capacity(rows.len());
        for row in rows {
            table.update(keys, args, Rows::Range(row..row + 1))?;
            partials.extend(self.format.write(pane, table.take_partials()?)?);
        }
        self.spare.push(table);
        out.batch(Batch::inserts(concat_batches(self.format.schema(), &partials)?));
        Ok(())
    }

    /// Sends the panes that a condition names.
    fn send_panes(&mut self, due: impl Fn(&Filling) -> bool, out: &mut Output) -> Result<()> {
        let panes: Vec<Pane> =
            self.panes.iter().filter(|(_, filling)| due(filling)).map(|(pane, _)| *pane).collect();
        for pane in panes {
            let filling = self.panes.remove(&pane).expect("listed above");
            self.send(pane, filling.table, out)?;
        }
        Ok(())
    }

    /// Sends the largest panes until half of the bound is free again.
    fn keep_bounded(&mut self, out: &mut Output) -> Result<()> {
        let (mut groups, mut bytes) = self.size();
        if groups <= MOST_GROUPS && bytes <= self.most_bytes {
            return Ok(());
        }
        while groups > MOST_GROUPS / 2 || bytes > self.most_bytes / 2 {
            let largest = self.panes.iter().max_by_key(|(_, filling)| filling.table.bytes());
            let Some((&pane, _)) = largest else { break };
            let filling = self.panes.remove(&pane).expect("found above");
            self.send(pane, filling.table, out)?;
            (groups, bytes) = self.size();
        }
        Ok(())
    }

    /// Groups and bytes in pane tables.
    fn size(&self) -> (usize, u64) {
        let tables = || self.panes.values().map(|filling| &filling.table);
        let groups = tables().map(GroupTable::len).sum();
        (groups, tables().map(GroupTable::bytes).sum::<usize>() as u64)
    }

    fn report(&mut self) {
        let (groups, bytes) = self.size();
        self.metrics.state_keys.set(groups as u64);
        self.metrics.state_bytes.set(bytes);
        if let Some(memory) = &mut self.memory {
            memory.set(bytes);
        }
    }
}

impl Operator for LocalWindowAggregate {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        self.metrics = context.metrics.clone();
        let instances = context.parallelism.max(1) as u64;
        self.most_bytes = (context.memory.limit_bytes() / BUDGET_PART / instances).max(1 << 20);
        self.memory = Some(MemoryUse::new(context.memory.clone()));
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        assert!(batch.kinds.is_none(), "the planner refuses windows over a changelog");
        let keys = self.spec.key_columns(&batch.rows);
        let args = self.layout.evaluate_args(&batch.rows)?;
        let placed = self.placer.place(&batch.rows);
        self.metrics.null_time_rows.add(placed.null_rows as u64);
        let mut new_groups = 0;
        for (pane, rows) in placed.panes() {
            match self.placer.panes().next_end(pane, self.passed_ms) {
                Some(due_ms) => new_groups += self.fill(pane, due_ms, &keys, &args, rows)?,
                None => {
                    let rows = numbers(&rows, batch.num_rows());
                    self.send_unmerged(pane, &keys, &args, rows, out)?;
                }
            }
        }
        if self.repetition.is_worth_merging(batch.num_rows(), new_groups) {
            self.keep_bounded(out)?;
        } else {
            self.send_panes(|_| true, out)?;
        }
        self.report();
        Ok(())
    }

    fn on_watermark(&mut self, watermark: EventTime, out: &mut Output) -> Result<()> {
        let passed_ms = self.clock.passed(watermark);
        self.send_panes(|filling| filling.due_ms <= passed_ms, out)?;
        self.passed_ms = passed_ms;
        self.report();
        out.watermark(watermark);
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        self.send_panes(|_| true, out)?;
        self.report();
        Ok(())
    }
}

/// The numbers of chosen rows of a batch of `all` rows.
fn numbers(rows: &Rows<'_>, all: usize) -> Vec<usize> {
    match rows {
        Rows::All => (0..all).collect(),
        Rows::Range(range) => range.clone().collect(),
        Rows::Indices(rows) => rows.iter().map(|row| *row as usize).collect(),
    }
}

/// Watches how many rows share a key and pane.
#[derive(Debug, Default)]
struct Repetition {
    rows: usize,
    groups: usize,
    /// Rows that still pass through unjudged.
    passing_rows: usize,
}

impl Repetition {
    /// Takes note of a batch that brought `new_groups` groups; false while merging is waste.
    fn is_worth_merging(&mut self, rows: usize, new_groups: usize) -> bool {
        if self.passing_rows > 0 {
            self.passing_rows = self.passing_rows.saturating_sub(rows);
            return false;
        }
        self.rows += rows;
        self.groups += new_groups;
        if self.rows < JUDGED_ROWS {
            return true;
        }
        // Merging pays while five rows become fewer than four partials.
        let hardly_repeats = self.groups * 5 > self.rows * 4;
        *self = Repetition {
            passing_rows: if hardly_repeats { PASSED_ROWS } else { 0 },
            ..Self::default()
        };
        !hardly_repeats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_hardly_repeat_pass_through_for_a_while() {
        let mut repetition = Repetition::default();
        assert!(repetition.is_worth_merging(JUDGED_ROWS, 1000));
        assert!(!repetition.is_worth_merging(JUDGED_ROWS, JUDGED_ROWS));
        assert!(!repetition.is_worth_merging(PASSED_ROWS, 1));
        assert!(repetition.is_worth_merging(1, 1));
    }
}
