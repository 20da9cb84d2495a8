//! Operators that keep state, and what jobs keep between starts.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::ArrayRef;
use millstream_connectors::Job;
use millstream_engine::durability::{Durability, RestartPolicy};
use millstream_engine::sim::Kept;
use millstream_operators::error::Result as OperatorResult;
use millstream_operators::key_hash::hash_keys;
use millstream_operators::{Batch, Operator, OperatorContext, Output};
use millstream_state::checkpoint::{Checkpoints, MemoryCheckpoints};
use millstream_state::{
    EventTime, GroupRange, KeyGroup, MemoryUse, PaneKey, PaneRuns, TableId, Value,
};

use super::{Row, WINDOW_MS, batch, rows};

/// What a job of these tests keeps.
pub fn durability(checkpoints: impl Checkpoints + 'static) -> Durability {
    Durability {
        checkpoints: Box::new(checkpoints),
        state_dir: None,
        job: Job { name: "job".into(), incarnation: "test".into(), interval_ms: 0 },
        interval: Duration::ZERO,
        fresh: false,
        begin_with: None,
        allow_dropped_state: false,
        accept_external_offsets: false,
        restart: RestartPolicy::NONE,
    }
}

/// Snapshots in memory, opened anew at every start; epochs when the test asks for them.
pub fn kept(snapshots: &MemoryCheckpoints) -> Kept {
    let snapshots = snapshots.clone();
    Kept::of(move || durability(snapshots.clone()))
}

fn group_of(batch: &Batch, row: usize) -> KeyGroup {
    let key: &ArrayRef = batch.rows.column(0);
    let mut hashes = Vec::new();
    hash_keys(&[key], batch.num_rows(), &mut hashes).expect("hashable");
    KeyGroup::of_hash(hashes[row])
}

fn pane(start: i64) -> PaneKey {
    PaneKey { at: EventTime::from_ms(start), start: EventTime::from_ms(start) }
}

/// Adds up the second column by key and tumbling window, and survives crashes: `(key, sum, window
/// start)` when a window fires. Fails the test if a row comes to a window that has fired.
///
/// With `one_by_one` it puts out a row a call, by `resume`.
pub struct DurableSums {
    one_by_one: bool,
    open: Option<Opened>,
    watermark: Option<EventTime>,
    base: BTreeMap<(i64, i64), i64>,
    delta: BTreeMap<(i64, i64), i64>,
    /// Fired, not put out yet, and the watermark behind them.
    firing: Vec<Row>,
    behind: Option<EventTime>,
}

struct Opened {
    runs: PaneRuns,
    fired: Value,
    groups: GroupRange,
    memory: MemoryUse,
}

impl DurableSums {
    pub fn new(one_by_one: bool) -> Self {
        DurableSums {
            one_by_one,
            open: None,
            watermark: None,
            base: BTreeMap::new(),
            delta: BTreeMap::new(),
            firing: Vec::new(),
            behind: None,
        }
    }

    fn opened(&mut self) -> &mut Opened {
        self.open.as_mut().expect("opened first")
    }

    fn count_memory(&mut self) {
        let bytes = 100 * (self.base.len() + self.delta.len()) as u64;
        self.opened().memory.set(bytes);
    }
}

impl Operator for DurableSums {
    fn open(&mut self, context: &OperatorContext) -> OperatorResult<()> {
        let table = |name: &str| TableId::new(&context.name, name);
        let runs = PaneRuns::new(context.state.clone(), table("panes"));
        let fired = Value::new(context.state.clone(), table("fired"));
        for (pane, infos) in runs.panes(context.groups)? {
            let ids: Vec<_> = infos.iter().map(|info| info.id).collect();
            for run in runs.runs(pane, &ids)? {
                let run = Batch::inserts(run.rows);
                for (index, (key, sum, start)) in rows(&run).into_iter().enumerate() {
                    if context.groups.contains(group_of(&run, index)) {
                        *self.base.entry((start, key)).or_default() += sum;
                    }
                }
            }
        }
        self.watermark = fired.get()?;
        let memory = MemoryUse::new(context.memory.clone());
        self.open = Some(Opened { runs, fired, groups: context.groups, memory });
        self.count_memory();
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, _out: &mut Output) -> OperatorResult<()> {
        for (index, (key, n, at)) in rows(&batch).into_iter().enumerate() {
            let start = at - at.rem_euclid(WINDOW_MS);
            let end = EventTime::from_ms(start + WINDOW_MS);
            let late = self.watermark.is_some_and(|watermark| watermark.completes(end));
            assert!(!late, "row at {at} is late for {:?}", self.watermark);
            let groups = self.opened().groups;
            assert!(groups.contains(group_of(&batch, index)), "a key that is not ours");
            *self.delta.entry((start, key)).or_default() += n;
        }
        self.count_memory();
        Ok(())
    }

    fn on_watermark(&mut self, watermark: EventTime, out: &mut Output) -> OperatorResult<()> {
        assert!(self.behind.is_none() && self.firing.is_empty(), "resumed to the end first");
        // After a restart time may begin below what was fired.
        if self.watermark.is_some_and(|fired| watermark <= fired) {
            return Ok(());
        }
        self.watermark = Some(watermark);
        self.opened().fired.set(watermark);
        let complete = |start: i64| watermark.completes(EventTime::from_ms(start + WINDOW_MS));
        let mut fired = BTreeMap::new();
        for table in [&mut self.base, &mut self.delta] {
            let old = std::mem::take(table);
            for ((start, key), sum) in old {
                match complete(start) {
                    true => *fired.entry((start, key)).or_insert(0) += sum,
                    false => _ = table.insert((start, key), sum),
                }
            }
        }
        for (start, _) in fired.keys() {
            self.opened().runs.drop_pane(pane(*start));
        }
        self.firing = fired.into_iter().map(|((start, key), sum)| (key, sum, start)).collect();
        self.firing.reverse();
        self.behind = Some(watermark);
        self.count_memory();
        if !self.one_by_one {
            while self.resume(out)? {}
        }
        Ok(())
    }

    fn resume(&mut self, out: &mut Output) -> OperatorResult<bool> {
        if let Some(row) = self.firing.pop() {
            out.batch(batch(&[row]));
            return Ok(true);
        }
        if let Some(watermark) = self.behind.take() {
            out.watermark(watermark);
        }
        Ok(false)
    }

    fn on_epoch_end(&mut self, _out: &mut Output) -> OperatorResult<()> {
        assert!(self.firing.is_empty() && self.behind.is_none(), "resumed to the end first");
        let mut panes = BTreeMap::<i64, Vec<Row>>::new();
        for ((start, key), sum) in std::mem::take(&mut self.delta) {
            panes.entry(start).or_default().push((key, sum, start));
            *self.base.entry((start, key)).or_default() += sum;
        }
        for (start, mut run) in panes {
            run.sort_by_key(|row| group_of(&batch(&[*row]), 0));
            let groups = self.opened().groups;
            self.opened().runs.append(pane(start), groups, batch(&run).rows);
        }
        self.count_memory();
        Ok(())
    }
}

/// Keeps rows back until time moves or an epoch ends, as a local stage does.
#[derive(Default)]
pub struct Holding {
    rows: Vec<Row>,
}

impl Operator for Holding {
    fn on_batch(&mut self, batch: Batch, _out: &mut Output) -> OperatorResult<()> {
        self.rows.extend(rows(&batch));
        Ok(())
    }

    fn on_watermark(&mut self, watermark: EventTime, out: &mut Output) -> OperatorResult<()> {
        self.flush(out)?;
        out.watermark(watermark);
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> OperatorResult<()> {
        let rows = std::mem::take(&mut self.rows);
        out.batch(batch(&rows));
        Ok(())
    }
}

/// What [`DurableSums`] must have put out at the end, computed at once.
pub fn sums(rows: &[Row]) -> Vec<Row> {
    let mut sums = BTreeMap::new();
    for (key, n, at) in rows {
        *sums.entry((*key, at - at.rem_euclid(WINDOW_MS))).or_insert(0) += n;
    }
    let mut rows: Vec<Row> =
        sums.into_iter().map(|((key, start), sum)| (key, sum, start)).collect();
    rows.sort_unstable();
    rows
}
