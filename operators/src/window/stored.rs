//! Stored panes: the runs of every open pane, as the state store has them.
//!
//! | state | key → value | created | dropped |
//! |---|---|---|---|
//! | `panes` ([`PaneRuns`]) | pane → runs of partials, sorted by key group | an epoch in which the pane got rows ends | last window fired |
//!
//! Laws:
//!
//! 1. only rows of the task's own key groups go in and come out, whatever a run has beside them;
//! 2. rows come out in the columns of this query, even if an earlier version of it wrote them:
//!    keys by position, partials by name (see [`signature`](crate::signature));
//! 3. a pane without runs costs the store nothing, not even the note that it is dropped.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use millstream_state::{GroupRange, PaneRuns, RunInfo, TableId};

use super::by_group::{ByGroup, shared, width};
use super::pane::Pane;
use super::tiers::{PIECE_ROWS, full_tier};
use crate::OperatorContext;
use crate::error::Result;

/// The runs of one operator instance.
pub(crate) struct StoredPanes {
    // PROPERTIES
    schema: SchemaRef,
    keys: usize,
    owned: GroupRange,
    // STATE
    runs: PaneRuns,
    /// What is known of the runs without reading them.
    known: BTreeMap<Pane, Vec<RunInfo>>,
    /// Bytes of all runs that were ever written here.
    written_bytes: u64,
    by_group: ByGroup,
}

impl StoredPanes {
    /// What the store has of this instance. Rows are of `schema`, which begins with `keys` keys.
    pub(crate) fn open(schema: SchemaRef, keys: usize, context: &OperatorContext) -> Result<Self> {
        let runs = PaneRuns::new(context.state.clone(), TableId::new(&context.name, "panes"));
        let stored = runs.panes(context.groups)?;
        let known = stored.into_iter().map(|(key, runs)| (Pane::of_key(key), runs)).collect();
        let by_group = ByGroup::new(keys);
        let owned = context.groups;
        Ok(StoredPanes { schema, keys, owned, runs, known, written_bytes: 0, by_group })
    }

    /// The key groups of this instance.
    pub(crate) fn owned(&self) -> GroupRange {
        self.owned
    }

    /// The panes that have runs, ascending.
    pub(crate) fn panes(&self) -> impl Iterator<Item = Pane> {
        self.known.keys().copied()
    }

    /// What is known of the runs of a pane.
    pub(crate) fn known(&self, pane: Pane) -> &[RunInfo] {
        self.known.get(&pane).map_or(&[], Vec::as_slice)
    }

    /// Partials in the runs of a pane; a key counts once a run.
    pub(crate) fn rows(&self, pane: Pane) -> usize {
        self.known(pane).iter().map(|run| run.rows as usize).sum()
    }

    /// Bytes of the runs of a pane, about as far as they are of this instance.
    pub(crate) fn bytes(&self, pane: Pane) -> u64 {
        let own = |run: &RunInfo| {
            let part = width(shared(run.groups, self.owned));
            run.bytes * u64::from(part) / u64::from(width(run.groups))
        };
        self.known(pane).iter().map(own).sum()
    }

    /// Bytes of all runs that this instance has written so far, merged ones included.
    pub(crate) fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// Sorts partials, as every run is.
    pub(crate) fn by_group(&mut self) -> &mut ByGroup {
        &mut self.by_group
    }

    /// Adds partials to a pane.
    ///
    /// # Panics
    /// If one is of a key group that is not this instance's: then the exchange before it is wrong.
    pub(crate) fn write(&mut self, pane: Pane, partials: RecordBatch) -> Result<()> {
        for piece in self.by_group.sort(partials)?.pieces(PIECE_ROWS) {
            let (groups, piece) = piece?;
            assert!(self.owned.covers(groups), "rows of {groups:?} in a task of {:?}", self.owned);
            let info = self.runs.append(pane.key(), groups, piece);
            self.written_bytes += info.bytes;
            self.known.entry(pane).or_default().push(info);
        }
        Ok(())
    }

    /// All partials of a pane.
    pub(crate) fn read(&mut self, pane: Pane) -> Result<Vec<RecordBatch>> {
        let wanted = self.known(pane).to_vec();
        self.read_runs(pane, &wanted, self.owned)
    }

    /// The partials of a pane in these groups, one run after the other: together they may be more
    /// than there is memory for.
    pub(crate) fn each_run(
        &mut self,
        pane: Pane,
        groups: GroupRange,
        mut take: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let groups = shared(groups, self.owned);
        let within = |run: &&RunInfo| run.groups.overlaps(groups);
        let wanted: Vec<RunInfo> = self.known(pane).iter().filter(within).copied().collect();
        for run in wanted {
            self.read_runs(pane, &[run], groups)?.iter().try_for_each(&mut take)?;
        }
        Ok(())
    }

    /// Eight runs of a pane that had better be one, with their rows.
    pub(crate) fn full_tier(&mut self, pane: Pane) -> Result<Option<Tier>> {
        let Some(runs) = full_tier(self.known(pane), self.owned) else { return Ok(None) };
        let partials = self.read_runs(pane, &runs, GroupRange::ALL)?;
        Ok(Some(Tier { runs, partials }))
    }

    /// Puts merged partials in the place of the runs that they were merged from.
    pub(crate) fn replace(
        &mut self,
        pane: Pane,
        runs: &[RunInfo],
        merged: RecordBatch,
    ) -> Result<()> {
        let names: Vec<_> = runs.iter().map(|run| run.id).collect();
        self.runs.remove(pane.key(), &names);
        self.known.entry(pane).or_default().retain(|run| !names.contains(&run.id));
        self.write(pane, merged)
    }

    /// Forgets a pane.
    pub(crate) fn drop_pane(&mut self, pane: Pane) {
        if self.known.remove(&pane).is_some() {
            self.runs.drop_pane(pane.key());
        }
    }

    fn read_runs(
        &mut self,
        pane: Pane,
        wanted: &[RunInfo],
        groups: GroupRange,
    ) -> Result<Vec<RecordBatch>> {
        let names: Vec<_> = wanted.iter().map(|run| run.id).collect();
        let runs = self.runs.runs(pane.key(), &names)?;
        assert_eq!(runs.len(), names.len(), "the runs of an open pane are there");
        let mut partials = Vec::with_capacity(runs.len());
        for run in runs {
            let rows = self.in_columns_of_this_query(&run.rows)?;
            let is_whole = groups.covers(run.info.groups);
            partials.push(if is_whole { rows } else { self.by_group.part(&rows, groups)? });
        }
        Ok(partials)
    }

    fn in_columns_of_this_query(&self, run: &RecordBatch) -> Result<RecordBatch> {
        let found = run.schema();
        let named = |name: &str| {
            let partials = found.fields().iter().enumerate().skip(self.keys);
            partials.clone().find(|(_, field)| field.name() == name).map(|(index, _)| index)
        };
        let columns = self.schema.fields().iter().enumerate().map(|(position, field)| {
            let index = if position < self.keys { Some(position) } else { named(field.name()) };
            let column = index.and_then(|index| run.columns().get(index));
            column.cloned().ok_or_else(|| {
                let (wanted, found) = (field.name(), names(&found));
                ArrowError::SchemaError(format!("state has no column {wanted}, only {found}"))
            })
        });
        let columns = columns.collect::<std::result::Result<_, _>>()?;
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

fn names(schema: &SchemaRef) -> String {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names.join(", ")
}

/// Runs of a pane and their rows.
pub(crate) struct Tier {
    pub runs: Vec<RunInfo>,
    pub partials: Vec<RecordBatch>,
}
